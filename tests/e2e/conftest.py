"""What the tests of whole commands share."""

from tests.support.command import run as run
from tests.support.command import run_apart as run_apart
from tests.support.history_runs import scratch as scratch
from tests.support.index import index as index
from tests.support.index import prepared_by_kind as prepared_by_kind
from tests.support.index import prepared_indexes as prepared_indexes
from tests.support.page_damage import lot as lot
