"""Trees of recorders of video: one camera for all days and hours, and the time of the folders."""

from datetime import UTC, datetime, timedelta

import pytest

from indexer.domain.names import name_image
from indexer.domain.naming.reading import find_time, read_path
from indexer.domain.naming.recorder_paths import read_recorder_path
from indexer.domain.naming.rules import RuleBook
from indexer.domain.naming.tree import PathFile, name_tree

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/media/recordings/2026-01-01/12/front/00.00.mp4", ("/media/recordings/2026-01-01/front", NOON)),
        ("/2026-01-01/12/front door/05.30.mp4", ("/2026-01-01/front door", NOON + timedelta(seconds=330))),
        ("/media/2026-01-01/12/front/00.00.mp4.mp4", None),
        ("/media/2026-02-30/12/front/00.00.mp4", None),
        ("/media/2026-01-01/24/front/00.00.mp4", None),
        ("/media/2026-01-01/12/front/00.60.mp4", None),
        ("/media/2026-01-01/12/00.00.mp4", None),  # which is read in the usual way
        ("/media/2026-01-01/12/front/00.00.jpg", ("/media/2026-01-01/front", NOON.replace(tzinfo=None))),
        ("/media/2026-01-01/12/front/00-00.mp4", ("/media/2026-01-01/front", NOON.replace(tzinfo=None))),
        ("/media/2026-01-01/12/front/0.000.mp4", None),
        ("/media/front/gate.mp4", None),
    ],
)
def test_the_tree_of_frigate(path: str, expected: tuple[str, datetime] | None) -> None:
    """The camera stands between the hour and the minute; any other path is not of this recorder."""
    assert read_recorder_path(path) == expected


@pytest.mark.parametrize("hour", ["00", "12", "23"])
@pytest.mark.parametrize("day", ["2026-01-01", "2026-12-31"])
def test_a_camera_of_all_hours(day: str, hour: str) -> None:
    """The hour is part of the time and not of the camera's name, and the time is in UTC whatever the zone."""
    path = f"/media/frigate/recordings/{day}/{hour}/front_door/59.50.mp4"
    named = name_image(path, root="/media/frigate/recordings", mtime_ns=0)
    assert (named.camera, named.camera_source, named.captured_at_source) == ("front_door", "folder", "name")
    assert named.captured_at == datetime.fromisoformat(f"{day}T{hour}:59:50+00:00")
    for one in (path, path.replace(".mp4", ".jpg")):
        assert find_time(one) == (0, len("59.50"))
        assert read_path(one).clock == (() if one == path else (int(hour),))


def test_sites_with_hour_and_minute() -> None:
    """Numbers below a date are no hours where names may be hour and minute, and modification times say so."""
    first_s = 1714521600  # 2024-05-01 00:00 UTC
    files = [
        PathFile(f"/x/2024-05-01/{site}/front/{hour:02}-30.jpg", (first_s + hour * 3600 + 1800) * 10**9)
        for site in ("01", "02")
        for hour in (9, 12, 15)
    ]
    names = name_tree(files, siblings=(), rules=RuleBook({})).with_assigned_names({})
    assert {naming.camera for naming in names.values()} == {"front/01", "front/02"}
