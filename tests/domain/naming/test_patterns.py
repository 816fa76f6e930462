"""Patterns of a person: every layout can be said, groups may repeat, and nothing that is said in two ways is read."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from indexer.domain.names import name_image
from indexer.domain.naming.patterns import compile_pattern
from indexer.errors import UsageError
from tests.support.names import named_tree

AT = datetime(2021, 3, 27, 13, 53, 37, tzinfo=UTC)
YMD = r"(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)"


def read(path: str, pattern: str) -> tuple[str, datetime | None]:
    """Camera and time of a path below /data, where the pattern reads the time; else without one."""
    named = name_image(f"/data/{path}", root="/data", mtime_ns=0, pattern=compile_pattern(pattern))
    return named.camera, named.captured_at if named.captured_at_source == "pattern" else None


@pytest.mark.parametrize(
    ("path", "pattern", "change"),
    [
        (
            "gate/2021-03-27/13-53-37.jpg",
            rf"^(?P<camera>[^/]+)/{YMD}/(?P<hour>\d\d)-(?P<minute>\d\d)-(?P<second>\d\d)",
            {},
        ),
        ("gate/2021-03-27/13-53-37.jpg", r"^(?P<camera>[^/]+)/(?P<timestamp>[^/]+)/(?P<timestamp>[^.]+)", {}),
        ("2021-03-27/gate/13-53-37.jpg", r"^(?P<date>[^/]+)/(?P<camera>[^/]+)/(?P<time>[^.]+)", {}),
        ("gate/21/03/27/13/53/37/1.jpg", r"^(?P<camera>[^/]+)/(?P<date>\d\d/\d\d/\d\d)/(?P<time>\d\d/\d\d/\d\d)/", {}),
        (
            "gate_27.03.2021_13-53-37.jpg",
            r"^(?P<camera>\w+)_(?P<day>\d\d).(?P<month>\d\d).(?P<year>\d{4})_(?P<time>[^.]+)",
            {},
        ),
        (
            "gate_03-27-2021_135337.jpg",
            r"^(?P<camera>\w+)_(?P<month>\d\d)-(?P<day>\d\d)-(?P<year>\d{4})_(?P<time>\d+)",
            {},
        ),
        ("gate 2021-03-27 1.53.37 PM.jpg", r"^(?P<camera>\w+) (?P<date>\S+) (?P<time>\S+) (?P<ampm>\w+)", {}),
        ("gate 2021-03-27 1.53.37 PM.jpg", r"^(?P<camera>\w+) (?P<timestamp>.*[AP]M)", {}),
        ("gate_202103271353.jpg", r"^(?P<camera>\w+)_(?P<timestamp>\d{12})", {"second": 0}),
        ("gate_2021032713.jpg", r"^(?P<camera>\w+)_(?P<timestamp>\d{10})", {"minute": 0, "second": 0}),
        ("gate_2021-03-27.jpg", r"^(?P<camera>\w+)_(?P<date>\d{4}-\d\d-\d\d)", {"hour": 0, "minute": 0, "second": 0}),
        ("gate_21-03-27_13h53m37s.jpg", r"^(?P<camera>\w+)_(?P<date>\d\d-\d\d-\d\d)_(?P<time>\w+)", {}),
        (
            "gate_27-Mar-2021_13-53-37.jpg",
            r"^(?P<camera>\w+)_(?P<day>\d\d)-(?P<month>\w+)-(?P<year>\d+)_(?P<time>[^.]+)",
            {},
        ),
        ("gate_27-March-2021_13-53-37.jpg", r"^(?P<camera>[a-z]+)_(?P<timestamp>[^.]+)", {}),
        ("gate_1616853217.jpg", r"^(?P<camera>\w+)_(?P<epoch>\d+)", {}),
        ("gate_1616853217.25.jpg", r"^(?P<camera>\w+)_(?P<epoch>\d+\.\d+)", {"microsecond": 250_000}),
        ("gate_1616853217250.jpg", r"^(?P<camera>\w+)_(?P<epoch>\d+)", {"microsecond": 250_000}),
        ("gate_1616853217250001.jpg", r"^(?P<camera>\w+)_(?P<epoch>\d+)", {"microsecond": 250_001}),
        ("gate_1616853217250001000.jpg", r"^(?P<camera>\w+)_(?P<epoch>\d+)", {"microsecond": 250_001}),
        ("gate_2021086_135337.jpg", r"^(?P<camera>[a-z]+)_(?P<date>\d{7})_(?P<time>\d+)", {}),
        ("gate_2021086_135337.jpg", r"^(?P<camera>[a-z]+)_(?P<year>\d{4})(?P<day>\d{3})_(?P<time>\d+)", {}),
        ("gate_20210327_155337+0200.jpg", r"^(?P<camera>\w+)_(?P<timestamp>\d{8}_\d{6}\+\d{4})", {}),
        ("gate_20210327_155337+0200.jpg", r"^(?P<camera>\w+)_(?P<date>\d{8})_(?P<time>\d{6})(?P<offset>[+]\d{4})", {}),
        ("gate_2021032713533701.jpg", r"^(?P<camera>\w+)_(?P<timestamp>\d{16})", {"microsecond": 10_000}),
        ("gate/2021-3-27-13-53-37.jpg", r"^(?P<camera>\w+)/(?P<timestamp>[-\d]+)", {}),
        (
            "gate/27/2021-03-27_135337.jpg",
            r"^(?P<camera>\w+)/(?P<day>\d\d)/(?P<year>\d{4})-(?P<month>\d\d)-(?P<day>\d\d)_(?P<time>\d+)",
            {},
        ),
    ],
)
def test_a_pattern_can_name_everything(path: str, pattern: str, change: dict[str, Any]) -> None:
    """Each layout of real cameras can be written as a pattern, in any order of the groups."""
    assert read(path, pattern) == ("gate", AT.replace(**change))


def test_a_camera_of_two_parts() -> None:
    """Where a camera stands twice in a path, its name has both parts."""
    assert read("AMC0123/x/002/1.jpg", r"^(?P<camera>[^/]+)/x/(?P<camera>\d+)/")[0] == "AMC0123/002"


@pytest.mark.parametrize(
    ("path", "pattern"),
    [
        ("2021-03-27/2021-03-28_135337.jpg", r"(?P<date>\d{4}-\d\d-\d\d)/(?P<date>\d{4}-\d\d-\d\d)_(?P<time>\d+)"),
        ("gate_03-04-2021_135337.jpg", r"_(?P<date>\d\d-\d\d-\d{4})_(?P<time>\d+)"),
        ("gate_2021-02-30.jpg", r"_(?P<date>[-\d]+)"),
        ("gate_20210327_255337.jpg", r"_(?P<timestamp>\d{8}_\d{6})"),
        ("gate_2021-03-27 13.53.37 AM.jpg", r"_(?P<date>\S+) (?P<time>\S+) (?P<ampm>\w+)"),
        ("gate_12.jpg", r"_(?P<epoch>\d+)"),
    ],
)
def test_what_is_named_twice_is_not_read(path: str, pattern: str) -> None:
    """Two dates, a date of either order, or a time that no clock shows leave the time to the next source."""
    assert read(path, pattern)[1] is None


def test_siblings_decide_the_order_of_a_pattern() -> None:
    """One date that only one order allows decides for all that a pattern reads below the same folder."""
    files = ["gate_03-04-2021_135337.jpg", "gate_13-04-2021_135337.jpg"]
    named = named_tree("/data", files, pattern=r"_(?P<date>\d\d-\d\d-\d{4})_(?P<time>\d+)")
    assert [named[file].captured_at for file in files] == [
        datetime(2021, 4, day, 13, 53, 37, tzinfo=UTC) for day in (3, 13)
    ]


@pytest.mark.parametrize("pattern", [r"(?P<hour>\d\d)", r"(?P<year>\d+)-(?P<month>\d+)", r"(?P<time>.)", r"(?P<x>.)"])
def test_pattern_without_camera_or_date_is_refused(pattern: str) -> None:
    """A pattern that can say neither a camera nor a date is a usage problem."""
    with pytest.raises(UsageError, match="camera"):
        compile_pattern(pattern)


@pytest.mark.parametrize(("month", "hours"), [(1, 1), (7, 2)])
def test_time_zone_of_names(month: int, hours: int) -> None:
    """Times of a name without an offset are local times of the folder's zone, summer time included."""
    files = [f"gate_2021-0{month}-27_13-53-37.jpg", f"gate_2021-0{month}-27T13:53:37Z.jpg", "gate-1616853217000.jpg"]
    named = named_tree("/data", files, timezone="Europe/Berlin")
    at = datetime(2021, month, 27, 13, 53, 37, tzinfo=UTC)
    assert [named[file].captured_at for file in files] == [at - timedelta(hours=hours), at, AT]


def test_the_hour_that_happens_twice() -> None:
    """Of an hour that happens twice the first counts."""
    file = "gate_2021-10-31_02-30-00.jpg"
    named = named_tree("/data", [file], timezone="Europe/Berlin")
    assert named[file].captured_at == datetime(2021, 10, 31, 0, 30, tzinfo=UTC)
