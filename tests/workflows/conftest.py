"""What the tests of the workflows share."""

from tests.support.index import compared_by_kind as compared_by_kind
from tests.support.index import compared_frames as compared_frames
from tests.support.index import frames_index as frames_index
from tests.support.index import index as index
from tests.support.index import open_index as open_index
from tests.support.index import opened_images as opened_images
from tests.support.index import others as others
from tests.support.index import prepared_by_kind as prepared_by_kind
from tests.support.index import prepared_indexes as prepared_indexes
