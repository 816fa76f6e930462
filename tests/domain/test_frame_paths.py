"""The paths of stored frames: camera and time can be read from them again, and no name leaves its folder."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.frame_paths import frame_path, next_millisecond
from indexer.domain.names import name_image

CAMERAS = ["gate", "gate 2", "c01", "Front Door", "north-east", "cam-2", "10", "192.168.1.4", "Tor Süd", "gate-2021"]
TIMES = st.datetimes(datetime(1970, 1, 2), datetime(2099, 12, 31), timezones=st.just(UTC))


@given(st.sampled_from(CAMERAS), TIMES)
def test_camera_and_time_are_read_again(camera: str, captured_at: datetime) -> None:
    """An index that was lost is made again by ingest: the names say what it said, to the millisecond."""
    path = f"/frames/{frame_path(camera, captured_at)}"
    named = name_image(path, root="/frames", mtime_ns=0)
    exact = captured_at.replace(microsecond=captured_at.microsecond // 1000 * 1000)
    assert (named.camera, named.captured_at) == (camera, exact)


def test_path() -> None:
    """Camera, day in UTC, and milliseconds since 1970."""
    path = frame_path("gate", datetime(2026, 1, 1, 12, 0, 0, 250_999, tzinfo=UTC))
    assert path == "gate/2026-01-01/gate-1767268800250.jpg"


@given(st.text(), st.datetimes(timezones=st.just(UTC)))
def test_no_name_leaves_its_folder(camera: str, captured_at: datetime) -> None:
    """Whatever a camera is called, a frame lies two folders below, in a file that is not hidden."""
    parts = frame_path(camera, captured_at).split("/")
    assert len(parts) == 3
    assert all(part and not part.startswith(".") and "\0" not in part for part in parts)
    assert all(len(part.encode("utf-8", "surrogatepass")) <= 255 for part in parts)


@pytest.mark.parametrize("microsecond", [0, 1, 999, 250_000])
def test_the_next_name_is_another_one(microsecond: int) -> None:
    """The next millisecond has another name, and is never two away."""
    moment = datetime(2026, 1, 1, 12, 0, 0, microsecond, tzinfo=UTC)
    later = next_millisecond(moment)
    assert frame_path("gate", later) != frame_path("gate", moment)
    assert 0 < (later - moment).total_seconds() <= 0.001
