"""What the tests of whole commands share."""

from tests.support.command import run as run
from tests.support.command import run_apart as run_apart
