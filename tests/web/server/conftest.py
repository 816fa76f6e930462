"""What the tests of the review page share."""

from tests.support.report_pages import browser as browser
from tests.support.report_pages import hostile as hostile
