"""Stored frames: a JPEG that every reader opens, with the time of the frame in EXIF."""

from datetime import UTC, datetime, timedelta, timezone

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.descriptions import Limits
from indexer.domain.names import name_image
from indexer.imaging.decoding import decode_colour
from indexer.imaging.frames import encode_frame
from indexer.imaging.headers import read_header

FRAME = np.random.default_rng(5).integers(0, 256, (64, 80, 3)).astype(np.uint8)
NOON = datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)


@given(st.datetimes(datetime(1000, 1, 2), timezones=st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=45))])))
def test_the_time_is_read_again(captured_at: datetime) -> None:
    """Without its name, a frame still says when it was taken, to the microsecond, whatever the zone was."""
    header = read_header(encode_frame(FRAME, captured_at=captured_at), limits=Limits())
    named = name_image("/x/y.jpg", root="/x", mtime_ns=0, exif_time=header.exif_time, exif_offset=header.exif_offset)
    assert (named.captured_at, named.captured_at_source) == (captured_at.astimezone(UTC), "exif")


def test_pixels_are_those_of_the_quality() -> None:
    """The picture is the JPEG of the frame, with nothing but EXIF added, upright."""
    plain = cv2.imencode(".jpg", FRAME, (cv2.IMWRITE_JPEG_QUALITY, 92))[1].tobytes()
    data = encode_frame(FRAME, captured_at=NOON)
    assert data.endswith(plain[2:])
    assert np.array_equal(decode_colour(data), decode_colour(plain))
    assert read_header(data, limits=Limits()).orientation == 1


def test_what_cannot_be_a_frame() -> None:
    """A naive time and an impossible shape are refused."""
    with pytest.raises(ValueError, match="no zone"):
        encode_frame(FRAME, captured_at=datetime(2026, 1, 1))
    with pytest.raises(ValueError, match="cannot be a JPEG"):
        encode_frame(np.zeros((1, 70_000, 3), dtype=np.uint8), captured_at=NOON)
