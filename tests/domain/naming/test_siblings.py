"""What the files of a folder decide together, where one name cannot."""

from collections.abc import Set
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from indexer.domain.naming.columns import find_hour_column
from indexer.domain.naming.hour_folders import NameTime
from indexer.domain.naming.rules import RuleBook
from indexer.domain.naming.tree import KnownNumbers, PathFile, Surroundings, TreeNames, name_tree
from tests.support.names import named_tree


def cameras_of(*files: str) -> list[str]:
    """The camera of each file."""
    named = named_tree("/data/lot", files)
    return [named[file].camera for file in files]


def times_of(*files: str) -> list[str | None]:
    """The time that each file has from its name, to the minute."""
    named = named_tree("/data/lot", files)
    return [
        f"{naming.captured_at:%m-%d %H:%M}" if naming.captured_at_source == "name" and naming.captured_at else None
        for naming in (named[file] for file in files)
    ]


@pytest.mark.parametrize(
    ("files", "cameras"),
    [
        (["cam1/01-20210327130000-00.jpg"], ["01"]),
        (["cam1/01-20210327130000-00.jpg", "cam1/02-20210327130500-00.jpg"], ["cam1", "cam1"]),
        (["cam1/000123_20210327_135337.jpg", "cam1/000124_20210327_135337.jpg"], ["cam1", "cam1"]),
        (["x/1_20210327_135337.jpg", "x/2_20210327_135337.jpg"], ["1", "2"]),
        (["x/1_20210327_135337.jpg", "x/2_20210327_135338.jpg", "x/1_20210327_135339.jpg"], ["1", "2", "1"]),
        (["nvr/01_20210327130000.jpg", "nvr/02_20210327130001.jpg"], ["01", "02"]),
        ([f"x/{n}_202103271300{n:02}.jpg" for n in range(1, 18)], ["x"] * 17),
        (
            [f"x/{plot}_202103{plot - 90}{hour}0000.jpg" for plot in (101, 102) for hour in (10, 12)],
            ["101"] * 2 + ["102"] * 2,
        ),
        (
            [f"x/{n}_2021{n // 100:02}27{hour}0000.jpg" for n in (300, 517) for hour in (10, 12)],
            ["300"] * 2 + ["517"] * 2,
        ),
        ([f"x/{n}_202103271300{n % 10:02}.jpg" for n in (4410001, 4420002)], ["4410001", "4420002"]),
        ([f"x/{n:04}_202103{n + 9}{hour}0000.jpg" for n in range(1, 19) for hour in (10, 14)], None),
        ([f"x/01-2021032{day}{hour}0000-00.jpg" for day in (1, 2) for hour in (10, 14)], ["01"] * 4),
        (["1/2021-03-27/12/00001-capture.jpg", "1/2021-03-27/14/00001-capture.jpg"], ["1", "1"]),
        (["1/2021-03-27/1/00001-capture.jpg", "1/2021-03-27/2/00001-capture.jpg"], ["1", "1"]),
        (["a/2021Y03M27D13H/E153M37S60.jpg", "a/2021Y03M27D14H/E153M37S60.jpg"], ["a", "a"]),
    ],
)
def test_events_and_channels(files: list[str], cameras: list[str] | None) -> None:
    """Numbers that only count up are events of one camera; numbers that take turns, last for hours or are far apart
    are channels. `cameras` None: each number is one."""
    expected = [file.rpartition("/")[2].partition("_")[0] for file in files] if cameras is None else cameras
    assert cameras_of(*files) == expected


HOUR_NS = 3_600_000_000_000
DAY_NS = int(datetime(2024, 5, 1, tzinfo=UTC).timestamp()) * 10**9


@pytest.mark.parametrize(
    ("hours", "cameras"),
    [
        ({"01": [], "02": []}, ["c/01", "c/02"]),
        ({"00": [], "01": [], "02": []}, ["c/00", "c/01", "c/02"]),
        ({"12": [], "13": []}, ["c", "c"]),
        ({"01": [], "20": []}, ["c", "c"]),
        ({"01": [1.2, 1.9], "02": [2.1, 2.8]}, ["c/01", "c/02"]),
        ({"01": [1.2, 1.9], "02": [2.1, 2.8], "03": [3.1, 3.8]}, ["c", "c", "c"]),
        ({"01": [8.2, 8.9], "02": [9.1, 9.8], "03": [10.1, 10.8]}, ["c", "c", "c"]),
        ({"01": [1.2, 12.9], "02": [2.1, 14.8]}, ["c/01", "c/02"]),
        ({"12": [1.2, 12.9], "13": [2.1, 14.8]}, ["c/12", "c/13"]),
        ({"12": [900.1, 900.3], "13": [900.2, 900.4]}, ["c", "c"]),
        ({"12": [23.1, 23.3], "13": [23.2, 23.4]}, ["c", "c"]),
    ],
)
def test_hours_and_channels_without_times(hours: dict[str, list[float]], cameras: list[str]) -> None:
    """Folders of two digits are hours by modification times of the day, or where no recorder numbers channels so."""
    files = [
        PathFile(f"/data/c/2024-05-01/{hour}/IMG_{n}.jpg", DAY_NS + round(time * HOUR_NS))
        for hour, times in hours.items()
        for n, time in enumerate(times or [1000])
    ]
    named = name_tree(files, siblings=(), rules=RuleBook({})).with_assigned_names({})
    assert sorted({naming.camera for naming in named.values()}) == sorted(set(cameras))


Written = dict[str, dict[str, list[float]]]
"""The hours in which the files of folders were written, since the midnight of their day, by day and folder."""


def tree_of(written: Written) -> TreeNames:
    """What files without a time in their names claim."""
    files = [
        PathFile(
            f"/data/c/{day}/{folder}/IMG_{n}.jpg", DAY_NS + (int(day[-2:]) - 1) * 24 * HOUR_NS + int(hour * HOUR_NS)
        )
        for day, folders in written.items()
        for folder, hours in folders.items()
        for n, hour in enumerate(hours)
    ]
    return name_tree(files, siblings=(), rules=RuleBook({}))


def are_joined(tree: TreeNames) -> bool:
    """Whether folders are one camera, and nobody is asked."""
    return not tree.unclear_folders and len({claim.source for claim in tree.claims}) == 1


@settings(max_examples=40)
@given(first=st.integers(0, 22), start=st.floats(-13, 35), hours=st.lists(st.floats(0, 0.99), min_size=2, max_size=9))
def test_two_folders_copied_one_after_the_other(first: int, start: float, hours: list[float]) -> None:
    """Two folders that were written one after the other within an hour are never joined in silence."""
    times, cut = sorted(start + hour for hour in hours), len(hours) // 2
    written = {"2024-05-01": {f"{first:02}": times[:cut], f"{first + 1:02}": times[cut:]}}
    assert not are_joined(tree_of(written))


@settings(max_examples=40)
@given(first=st.integers(0, 14), days=st.lists(st.floats(0, 1), min_size=3, max_size=6), start=st.floats(0, 20))
def test_channels_written_at_one_time_of_each_day(first: int, days: list[float], start: float) -> None:
    """Adjacent folders that are written at about the same time of each day are never joined in silence."""
    written = {
        f"2024-05-{day:02}": {f"{first + day + more:02}": [start + hour + more / 9] for more in (0, 1)}
        for day, hour in enumerate(days, start=1)
    }
    assert not are_joined(tree_of(written))


@pytest.mark.parametrize(
    ("folders", "is_joined"),
    [
        ({"13": [1.2], "14": [2.1]}, False),
        ({"13": [1.2], "14": [2.2]}, True),
        ({"13": [1.0], "14": [3.2]}, False),
        ({"01": [1.2], "02": [2.2]}, False),
        ({"00": [1.2], "01": [2.2]}, False),
        ({"00": [1.2], "01": [2.2], "02": [3.2]}, True),
    ],
)
def test_how_many_hours_are_shown(folders: dict[str, list[float]], is_joined: bool) -> None:
    """Two folders are hours only if they are not numbered like channels, and lie an hour apart; three are."""
    assert are_joined(tree_of({"2024-05-01": folders})) == is_joined


def test_days_that_contradict_hours() -> None:
    """Folders that were written in their hours on one day, and at the same time on others, are not joined."""
    agreeing: Written = {"2024-05-01": {"02": [8.0], "03": [9.1], "04": [10.05]}}
    assert are_joined(tree_of(agreeing))
    others: Written = {f"2024-05-0{day}": {"02": [9.1], "03": [9.2], "04": [9.3]} for day in (2, 3)}
    assert not are_joined(tree_of(agreeing | others))
    hours: Written = {f"2024-05-0{day}": {"02": [8.0], "03": [9.1], "04": [10.05]} for day in (4, 5)}
    assert are_joined(tree_of(agreeing | others | hours))


@pytest.mark.parametrize(
    ("files", "cameras"),
    [
        (["NVR/2024-05-01/01/12-30.jpg", "NVR/2024-05-01/02/12-30.jpg"], ["NVR/01", "NVR/02"]),
        (["NVR/2024-05-01/01/12-30.jpg", "NVR/2024-05-01/02/12-45.jpg"], ["NVR/01", "NVR/02"]),
        (["x/2024-05-01/12/10-30.jpg", "x/2024-05-01/13/10-30.jpg"], ["x", "x"]),
        (["x/2024-05-01/01/12-30.jpg", "x/2024-05-01/02/45-30.jpg", "x/2024-05-01/01/59-30.jpg"], ["x"] * 3),
        (["x/2024Y05M01D01H/12-30.jpg", "x/2024Y05M01D02H/12-30.jpg"], ["x", "x"]),
        (["x/2024-05-01/01/12M30S.jpg", "x/2024-05-01/02/12M30S.jpg"], ["x", "x"]),
    ],
)
def test_channels_above_hour_and_minute(files: list[str], cameras: list[str]) -> None:
    """A time that takes its hour from a folder does not tell that the folder is an hour."""
    assert cameras_of(*files) == cameras


def test_channels_that_equal_the_hour() -> None:
    """A folder is a channel for all its files, also where the hour of a name happens to be its number."""
    files = [f"c/2024-05-01/{channel}/{hour}-30-45.png" for channel in ("01", "02") for hour in ("01", "02", "12")]
    assert cameras_of(*files) == ["c/01"] * 3 + ["c/02"] * 3


def test_a_file_at_the_full_hour() -> None:
    """Among folders of hours, a name of the hour before is of the same camera; one of another hour is not."""
    files = [f"c/2024-05-01/{hour}/{hour}-30-45.png" for hour in range(12, 16)]
    assert cameras_of(*files, "c/2024-05-01/13/12-59-59.png") == ["c"] * 5
    assert cameras_of(*files, "c/2024-05-01/13/20-59-59.png") == ["c"] * 4 + ["c/13"]


@pytest.mark.parametrize(
    ("file", "camera"),
    [
        ("13/00/12-59-59.png", "c"),
        ("12/59/13-00-01.png", "c"),
        ("13/05/12-30-45.png", "c/13/05"),
        ("13/00/12-00-45.png", "c/13/00"),
        ("12/30/13-30-45.png", "c/12/30"),
        ("12/59/58/13-00-01.png", "c"),
        ("12/59/05/13-30-01.png", "c/12/59/05"),
    ],
)
def test_a_minute_at_the_full_hour(file: str, camera: str) -> None:
    """Below an hour beside that of a name, a folder of a minute is one only near the time of the name."""
    hours = [f"c/2024-05-01/{hour}/{minute}/{hour}-{minute}-30.png" for hour in range(12, 16) for minute in (15, 30)]
    assert cameras_of(*hours, f"c/2024-05-01/{file}") == ["c"] * len(hours) + [camera]


@settings(max_examples=40)
@given(st.integers(0, 23), st.integers(0, 59), st.integers(0, 86_399))
def test_minutes_that_are_far_from_the_time(hour: int, minute: int, second: int) -> None:
    """A folder of hour and minute is a channel for a name of another hour, except near the time of the name."""
    seen = datetime(2024, 5, 1) + timedelta(seconds=second)
    apart = (second - 3600 * hour - 60 * minute + 43_200) % 86_400 - 43_200
    assume(seen.hour != hour and not -180 <= apart <= 240)
    hours = [f"c/2024-05-01/{one:02}/{part}/{one:02}-{part}-30.png" for one in range(24) for part in ("15", "45")]
    file = f"c/2024-05-01/{hour:02}/{minute:02}/{seen:%H-%M-%S}.png"
    assert cameras_of(*hours, file)[-1] == f"c/{hour:02}/{minute:02}"


@pytest.mark.parametrize(
    ("files", "times"),
    [
        (["c_01-05-2024_12-30-45.jpg"], [None]),
        (["c_01-05-2024_12-30-45.jpg", "c_13-05-2024_12-30-45.jpg"], ["05-01 12:30", "05-13 12:30"]),
        (["c_01-05-2024_12-30-45.jpg", "c_05-13-2024_12-30-45.jpg"], ["01-05 12:30", "05-13 12:30"]),
        (
            ["c_01-05-2024_12-30-45.jpg", "c_13-05-2024_12-30-45.jpg", "c_05-13-2024_12-30-45.jpg"],
            [None, "05-13 12:30", "05-13 12:30"],
        ),
        (["1714566645.jpg"], [None]),
        (["1714566645.jpg", "1714566705.jpg"], ["05-01 12:30", "05-01 12:31"]),
        (["2021032712.jpg", "2021032713.jpg"], [None, None]),
        (
            ["2024-05-01_1230.jpg", "2024-05-01_1245.jpg", "2024-05-01_1300.jpg"],
            ["05-01 12:30", "05-01 12:45", "05-01 13:00"],
        ),
        (["2024-05-01_0007.jpg", "2024-05-01_0008.jpg"], [None, None]),
        (["2024-05-01_1230.jpg", "2024-05-01_1245.jpg", "2024-05-01_1375.jpg"], [None, None, None]),
        (
            ["c/2024-05-01/123045.jpg", "c/2024-05-01/124045.jpg", "c/2024-05-01/133045.jpg"],
            ["05-01 12:30", "05-01 12:40", "05-01 13:30"],
        ),
        (["c/2024-05-01/000001.jpg", "c/2024-05-01/000002.jpg", "c/2024-05-01/000003.jpg"], [None, None, None]),
        (["c/01-05-2024/12-30-45.jpg"], [None]),
        (["c/01-05-2024/12-30-45.jpg", "c/13-05-2024/12-30-45.jpg"], ["05-01 12:30", "05-13 12:30"]),
        (["front-1714566645.5-abc123.jpg"], ["05-01 12:30"]),
        (["c/1714566645123456789.jpg"], ["05-01 12:30"]),
        (["c/20240501T123045-0500.jpg", "c/20240501T123145-0500.jpg"], ["05-01 17:30", "05-01 17:31"]),
        (
            ["c/20240301T123045-0500.jpg", "c/20240301T123145-0500.jpg", "c/20240501T123045-0400.jpg"],
            ["03-01 17:30", "03-01 17:31", "05-01 16:30"],
        ),
        ([f"c/20240501T12304{n}-0{n}00.jpg" for n in range(1, 5)], ["05-01 12:30"] * 4),
        (["c/20240501T123045-0100.jpg", "c/20240501T123045-0101.jpg"], ["05-01 12:30"] * 2),
        (["c/20240501T123045-0100.jpg", "c/20240501T123046-0500.jpg", "c/20240501T123047-0500.jpg"], None),
        (["c/20240501T123045-0500.jpg"], [None]),
        (["gate_20240501_123045-0500.jpg", "gate_20240501_123145-0500.jpg"], ["05-01 17:30", "05-01 17:31"]),
        (["c/2024-05-01_12-30-45-0500.jpg", "c/2024-05-01_12-31-45-0500.jpg"], ["05-01 17:30", "05-01 17:31"]),
        (["c/2024-05-01/12-30-45 -0500.jpg", "c/2024-05-01/12-31-45 -0500.jpg"], ["05-01 17:30", "05-01 17:31"]),
        (["c/20240501_123045-0100.jpg", "c/20240501_123045-0101.jpg"], ["05-01 12:30"] * 2),
        (["c/20240501_123045-0500.jpg"], [None]),
        (["c/20240501_123045-0000.jpg"], ["05-01 12:30"]),
        (["c/20240501_123045-0001.jpg"], ["05-01 12:30"]),
        (["c/2024-05-01 12:30:45-05:00.jpg"], ["05-01 17:30"]),
        (["c/2024-05-01 12.30.45 +0200.jpg"], ["05-01 10:30"]),
        (["c/27-May-2024_12-30-45+0200.jpg", "c/2024-05-01/12-30-45+0200.jpg"], ["05-27 10:30", "05-01 10:30"]),
        (["c_01-05-2024_12-30-45+0200.jpg", "c_13-05-2024_12-30-45+0200.jpg"], ["05-01 10:30", "05-13 10:30"]),
        ([f"c/2405{day:02}_123045+0200.jpg" for day in (9, 10, 31)], [f"05-{day:02} 10:30" for day in (9, 10, 31)]),
        (["c/20240501T123045+0500.jpg"], ["05-01 07:30"]),
        (["c/20240501T123045-05:00.jpg"], ["05-01 17:30"]),
        ([f"c/2024-05-01/{hour}30.jpg" for hour in range(10, 16)], [f"05-01 {hour}:30" for hour in range(10, 16)]),
        ([f"c/2024-05-01/{hour}-30_hd.jpg" for hour in range(10, 16)], [f"05-01 {hour}:30" for hour in range(10, 16)]),
        ([f"c/2024-05-01/{hour}30.jpg" for hour in range(10, 15)], [None] * 5),
        ([f"c/2024-05-01/{number:04}.jpg" for number in range(0, 550, 50)], [None] * 11),
        ([f"c/2024-05-01/{number:04}.jpg" for number in range(130, 190, 9)], [None] * 7),
        ([f"c/24051{day}_123045.jpg" for day in (0, 1, 2)], [None] * 3),
        ([f"c/2405{day:02}_123045.jpg" for day in (9, 10, 31)], [f"05-{day:02} 12:30" for day in (9, 10, 31)]),
        ([f"c/0501{day}_123045.jpg" for day in (24, 24, 24)], [None] * 3),
        ([f"c/{day:02}.05.24 12-30-45.jpg" for day in (9, 10, 13)], [f"05-{day:02} 12:30" for day in (9, 10, 13)]),
        ([f"c/24-05-{day:02}/12-30-45.jpg" for day in (9, 10, 31)], [f"05-{day:02} 12:30" for day in (9, 10, 31)]),
        (["c/24-05-10/12-30-45.jpg"], [None]),
    ],
)
def test_doubtful_times(files: list[str], times: list[str | None]) -> None:
    """What one name cannot decide is decided by all, or not read; `times` None: none of them is an offset."""
    assert times_of(*files) == (["05-01 12:30"] * len(files) if times is None else times)


@pytest.mark.parametrize(
    ("name", "is_reported"),
    [
        ("2024-05-01/1230.jpg", True),
        ("2024-05-01/12-30.jpg", True),
        ("2024-05-01/1290.jpg", False),
        ("240510_123045.jpg", True),
        ("cam_240510123045.jpg", True),
        ("20240501T123045-0500.jpg", True),
        ("cam_20240501_123045-0500.jpg", True),
        ("24-05-10/12-30-45.jpg", True),
        ("IMG_0001.jpg", False),
        ("249999_123045.jpg", False),
    ],
)
def test_times_that_stay_in_doubt(name: str, is_reported: bool) -> None:
    """A name that may hold a time, and from which none is read, is reported."""
    named = name_tree([PathFile(f"/data/c/{name}", 0)], siblings=(), rules=RuleBook({})).claimed
    assert [(naming.moment, naming.is_unread) for naming in named.values()] == [(None, is_reported)]


@pytest.mark.parametrize(("hour", "time"), [(12, "12:30"), (17, "17:30"), (14, None)])
def test_an_offset_of_a_lone_file(hour: int, time: str | None) -> None:
    """The modification time of a lone file tells whether four digits behind its time are an offset."""
    mtime_ns = DAY_NS + hour * HOUR_NS + 31 * 60 * 10**9
    file = PathFile("/data/c/20240501T123045-0500.jpg", mtime_ns)
    [naming] = name_tree([file], siblings=(), rules=RuleBook({})).claimed.values()
    assert (naming.moment and f"{naming.moment:%H:%M}") == time


@pytest.mark.parametrize(
    ("files", "cameras"),
    [
        (["x/gate_0001_20240501_120000.jpg"], ["gate_0001"]),
        (["x/gate_0001_20240501_120000.jpg", "x/gate_0002_20240501_120500.jpg"], ["gate", "gate"]),
        (["x/gate_0001_20240501_120000.jpg", "x/gate_0001_20240501_120001.jpg"], ["gate_0001"] * 2),
        (
            [f"x/gate_000{n}_20240501_1200{at}0.jpg" for at, n in enumerate((1, 2, 1))],
            ["gate_0001", "gate_0002", "gate_0001"],
        ),
        (["x/cam_0001_20240501_120000.jpg", "x/cam_0002_20240501_120500.jpg"], ["cam_0001", "cam_0002"]),
        (["x/gate_01_20240501_120000.jpg", "x/gate_02_20240501_120500.jpg"], ["gate_01", "gate_02"]),
        (["x/gate_0001_20240501_120000.jpg", "x/gate_0900_20240501_120500.jpg"], ["gate_0001", "gate_0900"]),
        (["x/1-01-20240501120000-00.jpg", "x/1-02-20240501120500-00.jpg"], ["1", "1"]),
        (["x/1-01-20240501120000-00.jpg", "x/2-01-20240501120500-00.jpg"], ["1-01", "2-01"]),
        (
            [f"x/1-0{n}-202405011200{at}0-00.jpg" for at, n in enumerate((1, 2, 1))],
            ["1-01", "1-02", "1-01"],
        ),
        (["x/im_0001_20240501_120000.jpg", "x/tl_0001_0002_20240501_120500.jpg"], ["x", "x"]),
        (["x/2024-05-01/12-00-00_Gate_001.jpg", "x/2024-05-01/12-05-00_Gate_002.jpg"], ["Gate", "Gate"]),
        (
            [f"x/{n:02}-20240501{at // 60:02}{at % 60:02}00-00.jpg" for at, n in enumerate([*range(1, 30), 1, 2])],
            ["x"] * 31,
        ),
    ],
)
def test_numbers_behind_a_name(files: list[str], cameras: list[str]) -> None:
    """A number behind a name, before the time, is none of the camera where it only counts up; one behind a word that
    numbers cameras, and one that comes back, is."""
    assert cameras_of(*files) == cameras


def test_hours_of_folders_are_read_with_the_name() -> None:
    """A folder of two digits below a date is an hour; where the name shows another hour it is a channel."""
    assert cameras_of("c/2024-05-01/12/2024-05-01_12-30-45.jpg", "c/2024-05-01/13/2024-05-01_13-30-45.jpg") == [
        "c",
        "c",
    ]
    assert cameras_of("c/2024-05-01/01/2024-05-01_12-30-45.jpg", "c/2024-05-01/02/2024-05-01_12-30-45.jpg") == [
        "c/01",
        "c/02",
    ]


@pytest.mark.parametrize(
    ("file", "camera", "time"),
    [
        ("c/2024-05-01/13/13-30-45.png", "c", "13:30:45"),
        ("c/2024-05-01/13h/1-30-45 PM.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30/13-30-45.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30/45/13-30-45.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30-45.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30-45-50.png", "c", "13:30:45"),
        ("c/2024-05-01/13/30/45.png", "c", "13:30:45"),
    ],
)
def test_a_full_time_of_day_below_hours(file: str, camera: str, time: str) -> None:
    """A name with hour, minute and second is that time; folders give what the name lacks."""
    naming = named_tree("/data/lot", [file])[file]
    assert (naming.camera, f"{naming.captured_at:%H:%M:%S}", naming.captured_at_source) == (camera, time, "name")


@pytest.mark.parametrize("folders", [("01", "02"), ("01h", "02h"), ("13/01", "13/02"), ("01/30/45", "02/30/45")])
@pytest.mark.parametrize("name", ["13.30.45.png", "13-30-45.png", "2024-05-01_13-30-45.png"])
def test_folders_that_contradict_a_full_time_of_day(folders: tuple[str, str], name: str) -> None:
    """A folder of another hour or minute than the name is a channel; the time is that of the name."""
    files = [f"c/2024-05-01/{folder}/{name}" for folder in folders]
    named = named_tree("/data/lot", files)
    assert len({named[file].camera for file in files}) == 2
    assert {f"{named[file].captured_at:%H:%M:%S}" for file in files} == {"13:30:45"}


def test_a_time_of_day_needs_its_date() -> None:
    """The date of a folder above the camera's counts, too."""
    named = named_tree("/data", ["2021-03-27/gate/13-53-37.jpg"])["2021-03-27/gate/13-53-37.jpg"]
    assert (named.camera, named.captured_at) == ("gate", datetime(2021, 3, 27, 13, 53, 37, tzinfo=UTC))


@pytest.mark.parametrize(
    ("hours", "is_time"),
    [
        ((1, 2, 3), True),
        ((9, 10, 11), True),
        ((9, 13, 20), False),
        ((20.1, 20.2, 20.3), True),
        ((900, 950, 990), True),
    ],
)
def test_counters_by_modification_times(hours: tuple[float, ...], is_time: bool) -> None:
    """Six digits that could be times are a counter where the files of the day were written otherwise."""
    names = ("010000", "020000", "030000")
    files = [
        PathFile(f"/data/c/2024-05-01/{name}.jpg", DAY_NS + round(hour * HOUR_NS))
        for name, hour in zip(names, hours, strict=True)
    ]
    named = name_tree(files, siblings=(), rules=RuleBook({})).with_assigned_names({})
    assert [naming.moment is not None for naming in named.values()] == [is_time] * 3


def test_channels_that_a_recorder_asks_in_turn() -> None:
    """Twenty channels stay twenty cameras, although their numbers fall only once a minute."""
    files = [
        f"/data/snaps/{channel:02}-20240501{12:02}{minute:02}{2 * channel:02}.jpg"
        for minute in range(3)
        for channel in range(1, 21)
    ]
    assert len(set(cameras_of(*files))) == 20


@pytest.mark.parametrize("folder", ["{:02}", "10{:02}"])
@pytest.mark.parametrize("suffix", ["jpg", "mp4"])
def test_numbers_below_an_hour_are_no_cameras_of_frigate(folder: str, suffix: str) -> None:
    """Minutes and events below an hour stay below their camera."""
    files = [f"/data/cam1/2024-05-01/12/{folder.format(number)}/05.01.{suffix}" for number in (0, 1, 30)]
    assert not {"00", "01", "30", "1000", "1001", "1030"} & set(cameras_of(*files))


def test_several_offsets_that_come_back() -> None:
    """Three places with their offsets in one folder have offsets, and no counters."""
    files = [
        f"/data/x/{camera}_20240501T12{minute:02}00{offset}.jpg"
        for camera, offset in (("gate", "-0500"), ("yard", "-0800"), ("road", "-0300"))
        for minute in range(3)
    ]
    assert [time and time[6:8] for time in times_of(*files)] == ["17"] * 3 + ["20"] * 3 + ["15"] * 3


def test_frames_of_events_are_no_times_of_day() -> None:
    """Two numbers of which the second counts from one on are event and frame."""
    files = [f"/data/cam/2024-05-01/{event:02}-{frame:02}.jpg" for event in range(1, 5) for frame in range(1, 3)]
    assert times_of(*files) == [None] * len(files)


@pytest.mark.parametrize(("hours", "is_unclear"), [((9.3, 14.6, 21.1), False), ((9.3, 14.6, 9.2), True)])
def test_hours_of_several_days(hours: tuple[float, ...], is_unclear: bool) -> None:
    """Three folders of two digits on three days are hours if each was written in its own one."""
    days = ("2024-05-01/09", "2024-05-02/14", "2024-05-03/21")
    files = [
        PathFile(f"/data/c/{day}/IMG_1.JPG", DAY_NS + number * 24 * HOUR_NS + int(hour * HOUR_NS))
        for number, (day, hour) in enumerate(zip(days, hours, strict=True))
    ]
    tree = name_tree(files, siblings=(), rules=RuleBook({}))
    assert {naming.camera for naming in tree.claimed.values()} == {"c"}
    assert bool(tree.unclear_folders) == is_unclear


def test_channels_whose_names_have_times_of_no_zone() -> None:
    """Two folders of two digits with times since 1970, or with an offset, are channels where they cannot be hours of a
    time zone; the hours of one are no cameras."""
    for name in ("{0}123.jpg", "20240501T1230{1:02}Z.jpg", "20240501_1230{1:02}+0200.jpg"):
        files = [
            f"c/2024-05-01/{channel}/{name.format(1714566640 + second, second)}"
            for channel in ("01", "02")
            for second in (0, 5)
        ]
        assert cameras_of(*files) == ["c/01"] * 2 + ["c/02"] * 2
    hours = [f"c/2024-05-01/{12 + hour}/{1714557600 + 3600 * hour}123.jpg" for hour in range(4)]
    assert cameras_of(*hours) == ["c"] * 4
    assert cameras_of("c/2024-05-01/01/1714566640123.jpg", "c/2024-05-01/02/1714567240123.jpg") == ["c/01", "c/02"]


@pytest.mark.parametrize(
    ("name", "channels"),
    [
        ("2024-05-01 {0}:{1:02}:45-05:00.jpg", {1: (12, 30), 2: (13, 10)}),
        ("2024-05-01_{0}-{1:02}-45-0500.jpg", {1: (12, 30), 2: (13, 10)}),
        ("20240501_{0}{1:02}00+0200.jpg", {2: (12, 30), 3: (12, 30)}),
        ("20240501T{0}{1:02}00Z.jpg", {5: (12, 30), 6: (12, 30), 7: (12, 30)}),
        ("20240501T{0}{1:02}00Z.jpg", {1: (18, 10), 2: (19, 10), 3: (20, 10)}),
    ],
)
def test_folders_that_are_hours_of_no_zone(name: str, channels: dict[int, tuple[int, int]]) -> None:
    """Nor are folders hours that two alone would be by chance, that have images at one time, or whose zone would be
    seventeen hours from UTC."""
    files = [
        f"c/2024-05-01/{channel:02}/{name.format(hour, minute + more)}"
        for channel, (hour, minute) in channels.items()
        for more in (0, 1)
    ]
    assert cameras_of(*files) == [f"c/{channel:02}" for channel in channels for _ in (0, 1)]


def zoned(number: int, moment: datetime) -> str:
    """A file of a folder of two digits whose name has this time, in UTC."""
    return f"c/2024-05-01/{number:02}/{moment:%Y%m%dT%H%M%SZ}.jpg"


@settings(max_examples=40)
@given(st.integers(0, 20), st.integers(3, 8), st.integers(-44, 52), st.integers(0, 23), st.integers(0, 86_399))
def test_a_folder_that_contradicts_the_zone_of_others(
    first: int, count: int, quarters: int, channel: int, second: int
) -> None:
    """A folder is a channel, for all its files, whose names lie in another hour of the zone in which most folders are
    hours."""
    offset = timedelta(minutes=15 * quarters)
    hours = range(first, min(24, first + count))
    seen = datetime(2024, 5, 1) + timedelta(seconds=second)
    assume(channel not in hours and len(hours) > 2 and not -1 <= channel - seen.hour <= 1)
    times = [(hour, datetime(2024, 5, 1, hour, minute) - offset) for hour in hours for minute in (3, 57)]
    in_channel = [zoned(channel, seen - offset), f"c/2024-05-01/{channel:02}/IMG_1.jpg"]
    in_channel.append(f"c/2024-05-01/{channel:02}/12-30.jpg")
    files = [zoned(*time) for time in times]
    assert cameras_of(*files, *in_channel) == ["c"] * len(files) + [f"c/{channel:02}"] * 3


@settings(max_examples=40)
@given(
    st.integers(0, 20),
    st.floats(1, 20),
    st.lists(st.lists(st.floats(0, 0.98), min_size=3, max_size=3), min_size=1, max_size=4),
)
def test_channels_whose_times_are_of_one_hour(first: int, start: float, days: list[list[float]]) -> None:
    """Adjacent folders whose names have times of one hour of the day are never joined in silence."""
    for count in (2, 3):
        files = [
            PathFile(f"/data/c/{day:%Y-%m-%d}/{first + more:02}/{seen:%Y%m%dT%H%M%SZ}.jpg", 0)
            for number, hours in enumerate(days)
            for more, hour in enumerate(hours[:count])
            for day in (datetime(2024, 5, 1) + timedelta(days=number),)
            for seen in (day + timedelta(hours=start + hour),)
        ]
        assert not are_joined(name_tree(files, siblings=(), rules=RuleBook({})))


class KnownHours(Surroundings):
    """An index whose images with times of a zone lie in folders that are hours."""

    def known_numbers(self, folder: str, *, in_names: bool, in_folders: Set[NameTime]) -> KnownNumbers:
        """What the index took folders for."""
        del folder, in_names, in_folders
        return KnownNumbers(are_channels={NameTime.ZONED: False})


def test_first_hours_of_a_day_of_a_known_camera() -> None:
    """Folders that are numbered like channels are hours where those of the known images are, if nothing tells more."""
    files = [PathFile(f"/data/{zoned(hour, datetime(2024, 5, 1, hour, 30))}", 0) for hour in (0, 1)]
    tree = name_tree(files, siblings=(), rules=RuleBook({}), surroundings=KnownHours())
    assert are_joined(tree)
    assert tree.reread_folders == ()


def test_hours_over_a_change_to_summer_time() -> None:
    """Folders of local hours are hours before and after a change of clocks, if enough names say the time in UTC."""
    days = {datetime(2024, 3, 29): 1, datetime(2024, 3, 30): 1, datetime(2024, 4, 2): 2, datetime(2024, 4, 3): 2}
    files = [
        f"c/{day:%Y-%m-%d}/{hour}/{day + timedelta(hours=hour - offset, minutes=30):%Y%m%dT%H%M%SZ}.jpg"
        for day, offset in days.items()
        for hour in range(12, 16)
    ]
    assert cameras_of(*files) == ["c"] * len(files)


def test_a_folder_most_of_whose_local_times_are_of_other_hours() -> None:
    """A folder is a channel, also for its names that happen to be of its hour, where most are of other hours."""
    channel = [f"c/2024-05-02/02/20240502_{hour:02}3000.jpg" for hour in (2, 9, 12, 18)]
    files = [f"c/2024-05-02/02/{name}.jpg" for name in ("IMG_1", "20240502T023000Z")]
    assert cameras_of(*LOCAL_HOURS, *LOCAL_HOURS_2, *channel, *files) == ["c"] * 6 + ["c/02"] * 6


CHANNEL_TIMES = ("09:30:05", "12:30:10", "18:30:15")
LOCAL_HOURS = tuple(f"c/2024-05-01/{hour:02}/20240501_{hour:02}3000.jpg" for hour in (12, 13, 14))


LOCAL_HOURS_2 = tuple(f"c/2024-05-01/{hour:02}/20240501_{hour:02}4500.jpg" for hour in (15, 16, 17))


@pytest.mark.parametrize("channels", [(1, 2), (2, 3), (12, 13)])
@pytest.mark.parametrize("name", ["{0}123.jpg", "{0}.jpg", "20240501T{1}Z.jpg", "20240501_{1}+0200.jpg"])
@pytest.mark.parametrize("local", [LOCAL_HOURS, LOCAL_HOURS[:1]])
def test_local_times_tell_nothing_of_channels(channels: tuple[int, ...], name: str, local: tuple[str, ...]) -> None:
    """Where names with a local time lie in their hours, folders whose names have another kind of time are still
    channels, if they cannot be hours of a time zone."""
    files = [
        f"c/2024-05-01/{channel:02}/{name.format(int(datetime.fromisoformat(moment).timestamp()), clock)}"
        for channel in channels
        for time in CHANNEL_TIMES
        for moment, clock in ((f"2024-05-01T{time}+00:00", time.replace(":", "")),)
    ]
    cameras = [f"c/{channel:02}" for channel in channels for _ in CHANNEL_TIMES]
    assert cameras_of(*local, *files) == ["c"] * len(local) + cameras


@pytest.mark.parametrize(
    ("files", "cameras"),
    [
        (["01/IMG_1.jpg", "02/IMG_1.jpg"], ["c/01", "c/02"]),
        (["01/12-20.jpg", "02/12-20.jpg"], ["c/01", "c/02"]),
        (["02/IMG_1.jpg"], ["c/02"]),
        (["12/IMG_1.jpg", "13/IMG_1.jpg"], ["c", "c"]),
        (["13/1714561245123.jpg"], ["c"]),
    ],
)
@pytest.mark.parametrize(
    "hours", [LOCAL_HOURS, tuple(f"c/2024-05-01/{12 + n}/{1714557600 + 3600 * n}123.jpg" for n in range(4))]
)
def test_names_that_tell_nothing_of_their_folders(hours: tuple[str, ...], files: list[str], cameras: list[str]) -> None:
    """Folders are hours where others of their names show it; other folders are judged alone, and a single one is a
    camera."""
    assert cameras_of(*hours, *(f"c/2024-05-01/{file}" for file in files)) == ["c"] * len(hours) + cameras


def test_a_lone_folder_beside_hours() -> None:
    """A single folder whose names have no local time is a camera, unless it is an hour by its local times."""
    assert cameras_of(*LOCAL_HOURS, "c/2024-05-01/02/1714566645123.jpg") == ["c"] * 3 + ["c/02"]
    assert cameras_of(*LOCAL_HOURS[:1], "c/2024-05-01/05/1714566645123.jpg") == ["c", "c/05"]


def test_folders_of_which_no_name_tells_are_asked_for() -> None:
    """If nothing tells whether folders are hours, other folders of the camera that are hours do not decide it."""
    for name in ("IMG_1.jpg", "1114566645123.jpg"):
        files = [PathFile(f"/data/c/2024-05-01/{number}/{name}", 0) for number in ("05", "09")]
        hours = [PathFile(f"/data/{file}", 0) for file in LOCAL_HOURS]
        for group in (files, [*files, *hours]):
            assert name_tree(group, siblings=(), rules=RuleBook({})).unclear_folders == {"/data/c"}
        paths = [path for path, _ in (*files, *hours)]
        column = find_hour_column(paths)
        assert column is not None
        assert column.labels == ("<05>/", "<09>/")


def test_folders_below_a_week_are_no_hours_by_the_day() -> None:
    """Below a week, which is no day, modification times do not tell whether folders are hours."""
    files = [PathFile(f"/data/c/2024-W18/{number}/IMG_1.jpg", DAY_NS) for number in (12, 13)]
    assert name_tree(files, siblings=(), rules=RuleBook({})).unclear_folders == {"/data/c"}


def test_hours_with_a_file_at_each_full_hour() -> None:
    """A file of the next hour in each folder does not make channels of hours in any zone."""
    files = [
        f"c/2024-05-01/{n:02}/20240501T{n + m // 60 - 2:02}{m % 60:02}00Z.jpg" for n in range(3, 9) for m in (0, 30, 60)
    ]
    assert cameras_of(*files) == ["c"] * len(files)


@pytest.mark.parametrize(
    ("files", "cameras"),
    [
        (
            [f"AMC/2024-05-01/00{n}/{rest}" for n in (1, 2) for rest in ("jpg/12/30/45[M].jpg", "dav/12/12.30.45.mp4")],
            ["AMC/001", "AMC/001", "AMC/002", "AMC/002"],
        ),
        (["AMC/001/jpg/a.jpg", "AMC/001/dav/a.jpg"], ["001/jpg", "001/dav"]),
        ([f"Gate/e0000{n}m2024050112304{n}.jpg" for n in range(3)], ["Gate"] * 3),
        ([f"e0000{n}m_2024050112304{n}.jpg" for n in range(3)], [f"e0000{n}m" for n in range(3)]),
        ([f"plots/2024/{plot}/20240513_123045.jpg" for plot in (134, 135)], ["plots/134", "plots/135"]),
        ([f"plots/2024/{plot}/12-30-45.jpg" for plot in (134, 135)], ["plots/134", "plots/135"]),
    ],
)
def test_folders_and_words_that_split_a_camera(files: list[str], cameras: list[str]) -> None:
    """Formats of one channel and events of Mobotix are one camera; what may be several stays apart, as plots do that
    have images of the day of the year with their number."""
    assert cameras_of(*files) == cameras


def test_channels_below_a_folder_that_says_no_place() -> None:
    """Channels are cameras also where all folders above them are generic words, as in a container."""
    for form in ("2024-05-0{1}/00{0}/12.30.45[M].jpg", "2024-05-0{1}/00{0}/jpg/12/30/45[M].jpg"):
        files = [form.format(channel, day) for channel in (1, 2) for day in (1, 2)]
        named = named_tree("/recordings", files)
        assert [named[file].camera for file in files] == ["recordings/001"] * 2 + ["recordings/002"] * 2
