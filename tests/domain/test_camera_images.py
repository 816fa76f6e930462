"""Images and decisions by column: the ranks, objects and counts that lists of objects give."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.camera_images import NO_IMAGE, CameraImages, DecisionColumns
from indexer.domain.images import Image
from indexer.domain.selection import Decision, Reason

TIMES = [
    None,
    datetime(1969, 12, 31, 23, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 1, 1, 1, 1, 1, 7, UTC),
]

images = st.builds(
    Image,
    st.integers(1, 2**62),
    st.sampled_from(["/a/1", "/a/2", "/b/\udcff", "/b/\uff01"]),
    st.sampled_from([1, 640, 2**20]),
    st.sampled_from([1, 480, 2**20]),
    st.sampled_from([0.0, 1e-300, 7.999, 8.0, 9.0, 16.0, 1e300]),
    st.sampled_from(["0", "1", "f"]),
    st.sampled_from(TIMES),
    pinned=st.booleans(),
    shape=st.sampled_from([None, (180, 320), (320, 180), (240, 320)]),
    flat=st.booleans(),
    system_folders=st.integers(0, 2),
)


@given(given_images=st.lists(images, unique_by=(lambda image: image.id, lambda image: image.rank)))
def test_ranks_are_those_of_the_objects(given_images: list[Image]) -> None:
    """Any images, also with equal numbers, stand in the order of their ranks."""
    assert list(CameraImages.of(given_images).ranked()) == sorted(given_images, key=lambda image: image.rank)


@given(given_images=st.lists(images, unique_by=lambda image: image.id))
def test_columns_keep_every_field(given_images: list[Image]) -> None:
    """An image that is made from the columns is the image that they were made of; counts are those of a list."""
    columns = CameraImages.of(given_images)
    fields = (
        "ids times_us widths heights sharpness pinned flat system_folders thumbnail_heights thumbnail_widths "
        "content_hashes paths"
    )
    again = CameraImages(**{field: getattr(columns, field) for field in fields.split()})
    assert list(again) == given_images
    assert again.without_thumbnail() == [image for image in given_images if image.shape is None]
    assert again.count_sizes() == Counter((image.height, image.width) for image in given_images)
    assert again.count_thumbnail_shapes() == Counter(image.shape or (0, 0) for image in given_images)
    groups = again.thumbnail_shape_groups().tolist()
    assert len(set(groups)) == len({image.shape for image in given_images})


def test_decisions_are_found_by_image_and_profile() -> None:
    """A decision is found by its image and, if one is named, its profile; an image without one has none."""
    given_decisions = {
        7: Decision(7, Reason.NEW),
        3: Decision(3, Reason.PINNED),
        9: Decision(9, Reason.SIMILAR, 7, 12.5),
        8: Decision(8, Reason.VERDICT, 7),
    }
    columns = DecisionColumns.of(given_decisions)
    assert columns.find(np.array([9, 4, 3, 10, 1])).tolist() == [3, NO_IMAGE, 0, NO_IMAGE, NO_IMAGE]
    assert columns.find(np.array([9]), profile_id=0).tolist() == [3]
    assert columns.find(np.array([9]), profile_id=1).tolist() == [NO_IMAGE]
    assert {columns.decision(position).image_id: columns.decision(position) for position in range(4)} == given_decisions
    assert columns.is_pinned().tolist() == [True, False, False, False]
    assert columns.kept_ids() == {3, 7}
    assert DecisionColumns.of({}).find(np.array([1, 2])).tolist() == [NO_IMAGE, NO_IMAGE]
