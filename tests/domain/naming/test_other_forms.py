"""Less usual forms of dates and times, and words beside names."""

import pytest

from indexer.domain.naming.folders import read_folder
from indexer.domain.naming.reading import find_time, read_path
from tests.support.names import named_tree


@pytest.mark.parametrize(
    ("file", "time"),
    [
        ("G4 2024-05-01 1.05.09\u202fPM.jpg", "2024-05-01 13:05:09"),
        ("G4 2024-05-01 01.05.09\u00a0PM.jpg", "2024-05-01 13:05:09"),
        ("G4 2024-05-01 1.05.09 p. m..jpg", "2024-05-01 13:05:09"),
        ("G4 2024-05-01 12.05.09 a. m..jpg", "2024-05-01 00:05:09"),
        ("G4_2024-05-01_01-05-09-PM.jpg", "2024-05-01 13:05:09"),
        ("G4/2024-05-01/PM/1-05-09.jpg", "2024-05-01 13:05:09"),
        ("G4/2024-05-01/PM/13-05-09.jpg", "2024-05-01 13:05:09"),
        ("G4/2024-05-01/AM/12-05-09.jpg", "2024-05-01 00:05:09"),
        ("G4/2024-05-01 PM/01-05-09.jpg", "2024-05-01 13:05:09"),
        ("G4/2024-05-01/PM/2024-05-01_01-05-09.jpg", "2024-05-01 13:05:09"),
        ("G4/2026-05-01/01-05-26_12-30-41.jpg", "2026-05-01 12:30:41"),
        ("G4/2026-05-01/30-04-26_23-59-58.jpg", "2026-05-01 23:59:58"),
        ("G4/2026-05-01/12-30-41_01.jpg", "2026-05-01 12:30:41"),
        ("G4/2026-05-01/01-05-26.jpg", "2026-05-01 01:05:26"),
    ],
)
def test_times(file: str, time: str) -> None:
    """Half of the day in any form, and a date before the time with a year of two digits, are read."""
    naming = named_tree("/data", [file])[file]
    assert (naming.camera, f"{naming.captured_at:%Y-%m-%d %H:%M:%S}", naming.captured_at_source) == ("G4", time, "name")


@pytest.mark.parametrize(
    ("name", "camera", "time"),
    [
        ("2024_0501_093001_001F.MP4", "lot", "2024-05-01 09:30:01.000"),
        ("Lobby-2024-05-01_09h30min45s109ms.jpg", "Lobby", "2024-05-01 09:30:45.109"),
        ("gate_2024122_093045.jpg", "gate", "2024-05-01 09:30:45.000"),
        ("gate_2024-122T093045.jpg", "gate", "2024-05-01 09:30:45.000"),
        ("gate_2024-W18-3_093045.jpg", "gate", "2024-05-01 09:30:45.000"),
        ("gate_2024:05:01_09:30:45.jpg", "gate", "2024-05-01 09:30:45.000"),
        ("gate_10-13-15_2024-05-01.jpg", "gate", "2024-05-01 10:13:15.000"),
        ("gate (2024-05-01 12-30-45).jpg", "gate", "2024-05-01 12:30:45.000"),
        ("gate_2024-05-01_12-30-45+0200.jpg", "gate", "2024-05-01 10:30:45.000"),
        ("gate_20240501_123045+02:00.jpg", "gate", "2024-05-01 10:30:45.000"),
        ("gate_20240501T123045+02.jpg", "gate", "2024-05-01 10:30:45.000"),
        ("gate_20240501_123045UTC.jpg", "gate", "2024-05-01 12:30:45.000"),
        ("gate_1714566645123456.jpg", "gate", "2024-05-01 12:30:45.123"),
        ("gate_2024050112304512.jpg", "gate", "2024-05-01 12:30:45.120"),
        ("20240501_123045_shot1.jpg", "lot", "2024-05-01 12:30:45.000"),
        ("20240501_123045_seq12.jpg", "lot", "2024-05-01 12:30:45.000"),
        ("20240501_123045_v2.jpg", "lot", "2024-05-01 12:30:45.000"),
        ("20240501_123045_T21.jpg", "lot", "2024-05-01 12:30:45.000"),
        ("20240501_123045_cam4.jpg", "cam4", "2024-05-01 12:30:45.000"),
        ("gate_13052024_123045.jpg", "gate", "2024-05-13 12:30:45.000"),
        ("2024-05-01_gate_12-30-45.jpg", "gate", "2024-05-01 12:30:45.000"),
        ("20240501 Front Door 2 12.30.45.jpg", "Front Door 2", "2024-05-01 12:30:45.000"),
        ("2024-05-01_snapshot_12-30-45.jpg", "lot", "2024-05-01 12:30:45.000"),
        ("20240501_123045_ACCC8E012345.jpg", "ACCC8E012345", "2024-05-01 12:30:45.000"),
        ("ACCC8E012345_20240501_123045.jpg", "ACCC8E012345", "2024-05-01 12:30:45.000"),
        ("axis-00408C123045_20240501_123045_678.jpg", "axis-00408C123045", "2024-05-01 12:30:45.678"),
        ("20240501123045_B8A44F112233_1.jpg", "B8A44F112233", "2024-05-01 12:30:45.000"),
    ],
)
def test_whole_times(name: str, camera: str, time: str) -> None:
    """Months and days that are joined, days of the year and of a week, and milliseconds with a unit are read."""
    naming = named_tree("/data/lot", [name])[name]
    assert (naming.camera, naming.captured_at_source) == (camera, "name")
    assert f"{naming.captured_at:%F %T.%f}"[:-3] == time


@pytest.mark.parametrize(
    "name",
    [
        "2024_1301_093001.mp4",
        "2024_0501_253001.mp4",
        "c_2024367_093045.jpg",
        "c_2024-W54-1_093045.jpg",
        "2024-05-01_gate_01-30-45 PM.jpg",
        "2024-05-01_gate_12.30.45_a.m..jpg",
    ],
)
def test_numbers_that_are_no_time(name: str) -> None:
    """What no calendar has is no time; nor is an hour behind a camera with AM or PM."""
    assert named_tree("/data/lot", [name])[name].captured_at_source != "name"


@pytest.mark.parametrize(
    ("files", "camera", "times"),
    [
        (["cam/20240501{}.jpg", "22", "23", "24", "25"], "cam", None),
        (["cam/20240501{}.jpg", "22", "23", "24", "99"], "cam", None),
        (["cam/image1101{}.jpg", "103045", "113045", "123045"], "cam", None),
        (["cam/0715{}.jpg", "103045", "113045", "123045"], "cam", None),
        (["cam/image{}.jpg", "1300000000", "1300003600"], "cam", ["2011-03-13 07:06:40", "2011-03-13 08:06:40"]),
        (["cam/{}.jpg", "1714566645", "1714566705"], "cam", ["2024-05-01 12:30:45", "2024-05-01 12:31:45"]),
        (
            ["cam/gate_{}_20240501.jpg", "101315", "111416", "141517"],
            "gate",
            ["2024-05-01 10:13:15", "2024-05-01 11:14:16", "2024-05-01 14:15:17"],
        ),
        (["cam/gate_{}_20240501.jpg", "000123", "000124", "000125"], "cam", None),
    ],
)
def test_numbers_of_one_folder(files: list[str], camera: str, times: list[str] | None) -> None:
    """Ten digits are no seconds since 1970 where they are dates; six digits before a date may count."""
    form, *numbers = files
    named = named_tree("/data/lot", [form.format(number) for number in numbers]).values()
    assert {naming.camera for naming in named} == {camera}
    read = [f"{naming.captured_at:%F %T}" for naming in named if naming.captured_at_source == "name"]
    assert read == (times or [])


def test_a_short_date_before_six_digits() -> None:
    """A date of six digits before a time of six is no time."""
    files = [f"c/2026-05-01/260501_{time}.jpg" for time in ("123041", "133042", "143043")]
    named = named_tree("/data", files)
    assert [(named[file].camera, f"{named[file].captured_at:%H%M%S}") for file in files] == [
        ("c", "123041"),
        ("c", "133042"),
        ("c", "143043"),
    ]


@pytest.mark.parametrize(
    "folder",
    [
        "01-05-24",
        "24-05-13",
        "May 1, 2024",
        "Wednesday, May 1, 2024",
        "2024-W18",
        "2024/05-01",
        "date=2024-05-01",
        "year=2024/month=05/day=01",
        "2024-05-01 (2)",
        "2024-05-01 - Copy",
        "2024-05-01_2024-05-07",
        "2024 05 01",
        "2024-05-01 Wed",
        "2024-05-01_Wed",
        "2024-05-01 (Wed)",
        "2024-05-01 Wednesday",
        "2024-05-01T12-30-45Z",
        "20240501T123045Z",
        "2024/05 - May/01",
        "y=2024/m=05/d=01",
        "dt=2024-05-01",
        "01052024",
        "D20240501",
        "2024\u5e7405\u670801\u65e5",
        "2024/KW20",
        "2024/W20",
        "KW20_2024",
        "2024-05-01/12-00",
        "2024-05-01/12.00",
        "2024-05-01/1200",
        "2024-05-01/hour_12",
        "2024-05-01/12AM",
        "2024-05-01/001/dav/09",
        "20240501/09/20240501_093045_BE2F_ACCC8E012345/20240501_09",
    ],
)
def test_folders_of_dates(folder: str) -> None:
    """Dates and hours in other forms are generic folders: the camera is the folder above."""
    file = f"gate/{folder}/IMG_0001.JPG"
    assert named_tree("/data", [file])[file].camera.partition("/001")[0] == "gate"


@pytest.mark.parametrize(
    "folder",
    [
        "12-99-98",
        "Monday",
        "day 1",
        "sun",
        "1-2-3",
        "2024-W99",
        "2024-05-01gate",
        "W20",
        "99052024",
        "5-13 Wed",
        "dt=gate",
    ],
)
def test_folders_that_are_no_dates(folder: str) -> None:
    """Folders that only look like a date are cameras."""
    file = f"gate/{folder}/IMG_0001.JPG"
    assert named_tree("/data", [file])[file].camera == folder


@pytest.mark.parametrize(
    ("folder", "is_sure"),
    [
        ("2024-05-01_12-30-45", True),
        ("2024-05-01T12", True),
        ("2024Y05M01D12H", True),
        ("2024-05-01/12-00", True),
        ("2024-05-01/12PM", True),
        ("2024-05-01/hour_12", True),
        ("2024-05-01_12", False),
        ("2024-05-01/12", False),
        ("2024-05-01/1200", False),
    ],
)
def test_hours_that_are_no_channels(folder: str, is_sure: bool) -> None:
    """A folder whose name also has minutes, T or H is an hour; only two or four digits may be a channel."""
    facts = read_folder(f"/x/gate/{folder}")
    assert (facts.clock, facts.is_clock_sure) == ((12,), is_sure)
    assert read_path(f"/x/gate/{folder}/IMG_0001.JPG").clock == (() if is_sure else (12,))


def test_sessions_of_one_camera() -> None:
    """Folders of sessions that begin in several hours are one camera, also where the hours count from 1 on."""
    files = [f"gate/2024-05-0{n}_0{n}-30-45/IMG_0001.JPG" for n in (1, 2)]
    assert {naming.camera for naming in named_tree("/data", files).values()} == {"gate"}


def test_numbers_below_a_year() -> None:
    """Four digits below a year may be month and day, or numbers of cameras: they stay apart."""
    files = [f"lot/2024/{folder}/IMG_0001.JPG" for folder in ("0101", "0102")]
    assert len({naming.camera for naming in named_tree("/data", files).values()}) == 2


def test_six_digits_in_the_second_half_of_the_day() -> None:
    """A folder `PM` also counts for six digits."""
    files = [f"gate/20240501/PM/{time}.jpg" for time in ("010509", "020510", "030511")]
    named = named_tree("/data", files)
    assert [f"{named[file].captured_at:%H%M%S}" for file in files] == ["130509", "140510", "150511"]


def test_numbers_that_look_like_a_short_date() -> None:
    """Folders like dates with a year of two digits are cameras where the names have another year."""
    files = [f"lot/{folder}/20240501_120000.jpg" for folder in ("01-02-15", "01-02-16")]
    assert len({naming.camera for naming in named_tree("/data", files).values()}) == 2


@pytest.mark.parametrize(
    ("name", "camera"),
    [
        ("Copy of gate_20240501_120000.jpg", "gate"),
        ("Copy of Copy of gate_20240501_120000.jpg", "gate"),
        ("event_hall_20240501_120000.jpg", "event_hall"),
        ("gate_alarm_20240501_120000.jpg", "gate"),
        ("alarm_gate_20240501_120000.jpg", "gate"),
        ("front-1714566645.123456-abc123.jpg", "front"),
        ("1714566645.123456-abc123.jpg", "lot"),
        ("2024-05-01 12.30.45-abc123.jpg", "abc123"),
    ],
)
def test_words_beside_names(name: str, camera: str) -> None:
    """Words of copies and alarms, and the id of an event, are no part of a name."""
    assert named_tree("/data/lot", [name])[name].camera == camera


@pytest.mark.parametrize(
    ("folder", "camera"),
    [
        ("gate/2024134", "gate"),
        ("gate/2024-366", "gate"),
        ("2024134/gate", "gate"),
        ("gate/2023366", "gate/2023366"),
        ("gate/2024367", "gate/2024367"),
        ("gate/1999134", "gate/1999134"),
        ("gate/2024/05/01 Mon", "gate"),
        ("gate/2024/05/Wed 01", "gate"),
        ("gate/2024/05/01 (Wed)", "gate"),
        ("gate/2024/05/01 Montana", "gate/01 Montana"),
        ("2024/gate/05/01", "gate/05/01"),
        ("gate/2024-05-01/12-30-45", "gate"),
        ("gate/12-30-45", "gate/12-30-45"),
        ("gate/2024-05-01/12-30-60", "gate/12-30-60"),
    ],
)
def test_folders_of_days(folder: str, camera: str) -> None:
    """A year with the number of a day, and a day beside its weekday, are dates; a month below a name may be a plot."""
    assert read_folder(f"/data/{folder}").camera_folder == f"/data/{camera}"


def test_a_date_below_a_name() -> None:
    """Month and day below a camera, below its year, are a date only where the name of a file has a time of that day."""
    day = "/data/2024/gate/05/01"
    for name in ("12-30-45", "20240501_123045", "x_2024-05-02_00-10-00"):
        assert read_path(f"{day}/{name}.jpg").camera_folder == "/data/gate"
    for name in ("IMG_0001", "123045", "20240601_123045", "x_2024-05-04_00-10-00"):
        assert read_path(f"{day}/{name}.jpg").camera_folder == "/data/gate/05/01"
    for folder in ("2024/gate/13/01", "gate/05/01", "2024/gate/x/05/01"):
        assert read_path(f"/data/{folder}/12-30-45.jpg").camera_folder.endswith("/01")
    assert find_time(f"{day}/12-30-45.jpg") == (0, 8)


def test_addresses_of_cameras() -> None:
    """The address of a camera is no time and no counter, and two of them are two cameras, whatever is in doubt."""
    day = "lot/2024-05-01"
    files = [f"{day}/00408C{number}.jpg" for number in ("123045", "123046")]
    files += [f"{day}/IMG_ACCC8E{number}_1714566645.jpg" for number in ("123045", "123046")]
    named = named_tree("/data", files)
    assert [named[file].camera for file in files] == [
        "00408C123045",
        "00408C123046",
        "IMG_ACCC8E123045",
        "IMG_ACCC8E123046",
    ]
    assert {named[file].captured_at_source for file in files[:2]} == {"mtime"}
    recordings = [f"lot/20240501_123045_1A2B_ACCC8E01234{n}/20240501_12/20240501_123045_1A2B.jpg" for n in (5, 6)]
    assert named_tree("/data", recordings[:1])[recordings[0]].camera == "lot"
    both = named_tree("/data", recordings)
    assert [both[file].camera for file in recordings] == ["lot/ACCC8E012345", "lot/ACCC8E012346"]
    below = recordings[0].replace("lot/", "lot/axis-ACCC8E012345/20240501/12/")
    assert named_tree("/data", [below])[below].camera == "axis-ACCC8E012345"
