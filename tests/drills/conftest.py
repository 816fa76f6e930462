"""What the drills share."""

from tests.support.command import run as run
from tests.support.history_runs import scratch as scratch
from tests.support.index import index as index
from tests.support.page_damage import lot as lot
