"""What the tests of the pages share."""

from tests.support.report_pages import browser as browser
from tests.support.report_pages import hostile as hostile
from tests.support.report_pages import made as made
from tests.support.report_pages import watch as watch
