"""What the tests of the command line share."""

from tests.support.command import decided as decided
from tests.support.command import decided_home as decided_home
from tests.support.command import lot as lot
from tests.support.command import run as run
from tests.support.command import run_apart as run_apart
from tests.support.forked_commands import forked as forked
