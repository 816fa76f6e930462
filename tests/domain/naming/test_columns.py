"""Numbers and single letters in names that may be cameras."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.naming.columns import (
    Column,
    find_columns,
    find_dcf_column,
    find_hour_column,
    find_offset_column,
    find_year_column,
)
from indexer.domain.naming.patterns import compile_pattern
from indexer.domain.naming.series import Series, find_series, pattern_of


def columns(*names: str, folder: str = "/data/x") -> list[Column]:
    """The columns of these names in one folder."""
    return find_columns(f"{folder}/{name}.jpg" for name in names)


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["A_0001", "A_0002", "B_0001", "B_0002"], ("<A>_*", "<B>_*")),
        (["0001_A", "0001_B"], ("*_<A>", "*_<B>")),
        (["20240501_123045_A", "20240501_123145_B", "20240501_123245_A"], ("*_*_<A>", "*_*_<B>")),
        (["Site 1 0001", "Site 1 0002", "Site 2 0001"], ("Site <1> *", "Site <2> *")),
        (["1_0001", "1_0002", "2_0001", "2_0002"], ("<1>_*", "<2>_*")),
        (["cam1001_0001", "cam1001_0002", "cam1002_0001"], ("cam<1001>_*", "cam<1002>_*")),
        (["20240501_120000_1", "20240501_120100_2", "20240501_120200_1"], ("*_*_<1>", "*_*_<2>")),
        (["20240501_120000_1", "20240501_120000_2"], ("*_*_<1>", "*_*_<2>")),
        ([f"20240501_12{n:02}00_{101 + n % 2}" for n in range(6)], ("*_*_<101>", "*_*_<102>")),
        (["20240501120000-00", "20240501120000-01"], ("*-<00>", "*-<01>")),
        ([f"202405011200{n:02}-0{k}" for n in range(30) for k in (0, 1) if n or not k], ("*-<00>", "*-<01>")),
        (["20240501120000-00", "20240501120001-00", "20240501120000-02"], ("*-<00>", "*-<02>")),
        (
            [f"{n}_{frame:04}" for n in range(100, 180) for frame in range(90)],
            tuple(f"<{n}>_*" for n in range(100, 180)),
        ),
        (
            [f"20240501_12{m:02}00_{n}" for m in range(9) for n in range(101, 121)],
            tuple(f"*_*_<{n}>" for n in range(101, 121)),
        ),
        ([f"{n}_{frame}" for n in range(10) for frame in range(99)], tuple(f"<{n}>_*" for n in range(10))),
    ],
)
def test_values_side_by_side(names: list[str], labels: tuple[str, ...]) -> None:
    """A few numbers or letters that stand beside the same rest, or take turns in time, may be cameras."""
    assert columns(*names) == [Column(labels, at_once=True)]


@pytest.mark.parametrize(
    "names",
    [
        ["1_0001", "1_0002", "2_0003", "2_0004"],
        ["20240501_120000_1", "20240501_120100_1", "20240501_120200_2", "20240501_120300_2"],
        ["A_0001", "A_0002", "B_0003", "B_0004"],
    ],
)
def test_values_that_follow_each_other(names: list[str]) -> None:
    """Values that only follow each other are reported."""
    assert [column.at_once for column in columns(*names)] == [False]


@pytest.mark.parametrize(
    "names",
    [
        [f"IMG_{n:04}" for n in range(20)],
        [f"20240501_{n:02}0000" for n in range(20)],
        [f"20240501_{n:02}0000_{n}" for n in range(20)],
        [f"20240501_{n:02}0000_tp{n:05}" for n in range(20)],
        [f"20240501_{n:02}0000_{n * 37 % 1000:03}" for n in range(20)],
        [f"2024-05-{n + 1:02}_{n:04}" for n in range(20)],
        [f"2024-05-01_12.30.{n:02}[M][0@0][{n % 3}]" for n in range(20)],
        [f"2024-05-01_12.30.{n:02}[{kind}][0@0][0]" for n in range(20) for kind in "MR"],
        ["IMG_0001", "IMG_0002", "IMG_0001 (1)", "IMG_0002 (1)", "IMG_0001 (2)"],
        ["20240501123045-00", "20240501123045-01", "20240501123046-00"],
        [f"MOTION_2024-05-01-12-30-{n:02}-678_{frame:03}" for n in range(9) for frame in range(1, 3 + n % 2)],
        [f"2024-05-01 12-3{n}-45 M {shot}_3" for n in range(9) for shot in (1, 2, 3)],
        ["G0010001", "G0010002", "G0020001"],
        [f"20240501_{n // 2:06}_{n:04}" for n in range(40)],
        ["05010123", "05010124", "05020125"],
        ["IMG_1", "IMG_2", "IMG_3"],
        [f"G4 Pro 5-1-2024, {h}.30.45 EDT - 5-1-2024, {h}.30.59 EDT" for h in ("09", "10", "09", "11")],
    ],
)
def test_counters_and_times(names: list[str]) -> None:
    """Counters, parts of a time, what stands in brackets and frames of a second are no cameras."""
    assert columns(*names) == []


def test_hours_and_minutes_below_a_date() -> None:
    """Hour and minute in a name below a folder of a date are a time."""
    names = [f"{hour:02}-{minute:02}" for hour in range(9) for minute in (0, 15, 30, 45)]
    assert columns(*names, folder="/data/x/2024-05-01") == []
    assert columns(*names) != []


def test_numbers_of_each_day() -> None:
    """The same few numbers in the folder of each day may be cameras; a counter that begins anew each day is none."""
    days = [f"/data/x/2024-05-0{day}" for day in (1, 2, 3)]
    paths = [f"{day}/{number}.jpg" for day in days for number in (1, 2)]
    assert find_columns(paths) == [Column(("<1>", "<2>"), at_once=True)]
    assert find_columns([*paths, f"{days[0]}/3.jpg"]) == []


@pytest.mark.parametrize(
    "form",
    [
        "DCIM/10{0}RECNX/IMG_{1:04}",
        "2024-05-01/{0}/{1:05}-capture",
        "2024-05-01/1{0}/IMG_{1}",
        "2024Y05M01D1{0}H/E1{1}0M45S60",
        "2024-05-0{0}/IMG_{1:04}",
    ],
)
def test_counters_of_each_folder(form: str) -> None:
    """Counters that begin anew in each folder, and happen to be equally long, are none."""
    assert find_columns(f"/data/x/{form.format(part, number)}.jpg" for part in (1, 2) for number in (1, 2, 3)) == []


def test_words_of_dcim_folders() -> None:
    """Two words of `DCIM` folders in one place may be two cameras; two numbers of one word are none."""
    folders = ["/data/x/DCIM/101NORTH", "/data/x/DCIM/102NORTH", "/data/x/DCIM/102SOUTH", "/data/x/DCIM/100EK113"]
    paths = [f"{folder}/IMG_0001.JPG" for folder in folders]
    assert find_dcf_column(paths[:2]) is None
    assert find_dcf_column(paths[:3]) == Column(("*<NORTH>/", "*<SOUTH>/"), at_once=True)
    assert find_dcf_column(["/x/100EK113/1.JPG", "/x/DCIM/101EK114/1.JPG", "/x/DCIM/101_0501/1.JPG"]) is None


@pytest.mark.parametrize(
    ("folders", "labels"),
    [
        (["2001", "2002"], ("<2001>/", "<2002>/")),
        (["01-02-15", "01-02-16"], ("<*-*-*>/",)),
        (["240510", "240511"], ("<*>/",)),
        (["240510"], ("<*>/",)),
        (["2001"], None),
    ],
)
@pytest.mark.parametrize("file", ["IMG_0001.jpg", "12-30-45.jpg"])
def test_folders_called_like_dates(folders: list[str], labels: tuple[str, ...] | None, file: str) -> None:
    """Folders of days have one label, as another day has another name; a number is asked of alone, too."""
    column = find_year_column(f"/data/x/{folder}/{file}" for folder in folders)
    assert column == (None if labels is None else Column(labels, at_once=True))


@pytest.mark.parametrize("ids", [("a1b2c3", "d4e5f6", "f13457", "b24680", "0a1b2c"), ("6D28808", "1B2A3C", "F13457")])
def test_ids_of_files(ids: tuple[str, ...]) -> None:
    """Ids that each file has of its own are no columns."""
    names = [f"gate_20240501_12000{n}_{one}" for n, one in enumerate(ids)]
    assert columns(*names) == []


def test_folders_of_two_digits() -> None:
    """Several folders of two digits below dates have a label each where names have no time."""
    paths = [f"/data/x/2024-05-0{day}/{hour}/IMG_1.jpg" for day in (1, 2) for hour in (12, 13)]
    assert find_hour_column(paths) == Column(("<12>/", "<13>/"), at_once=True)
    assert find_hour_column(["/data/x/2024-05-01/12/12-30-45.jpg", "/data/x/2024-05-01/13/13-30-45.jpg"]) is None


@given(
    st.sampled_from(
        ["{0}_{1:04}", "{1:04}_{0}", "Site {0} {1:04}", "20240501_12{1:02}00_{0}", "IMG{0}_{1}", "x{0}-{1}"]
    ),
    st.sets(st.sampled_from(["A", "B", "C", "q"]), min_size=2) | st.sets(st.integers(1, 4000), min_size=2, max_size=5),
    st.integers(7, 50),
)
def test_no_two_cameras_become_one(form: str, values: set[int | str], count: int) -> None:
    """Whatever number or letter tells two cameras of one folder apart, it is seen, and by the pattern that is proposed
    each is a camera."""
    names = [(value, form.format(value, number)) for value in values for number in range(5, 5 + count)]
    series = find_series([f"/data/x/{name}.jpg" for _, name in names])
    assert isinstance(series, Series)
    assert (series.at_once, len(series.words)) == (True, len(values))
    pattern = compile_pattern(pattern_of(series.words))
    readings = [(value, pattern.read(f"x/{name}.jpg")) for value, name in names]
    pairs = {(value, reading and reading.camera) for value, reading in readings}
    assert len(pairs) == len(values) == len({camera for _, camera in pairs} - {None})


def test_letters_behind_a_counter_are_no_ids() -> None:
    """Two lenses whose letter stands behind the number of the image are two cameras, also where it is a hex digit."""
    names = [f"/x/NO20240501-12{n}000-00000{n}{lens}.jpg" for n in range(4) for lens in "FB"]
    [column] = find_columns(names)
    assert (len(column.labels), column.at_once) == (2, True)


@pytest.mark.parametrize(
    ("times", "is_shown"),
    [
        ({"0100": ["0501_120000", "0501_120200"], "0200": ["0501_120100", "0501_120300"]}, True),
        ({"0100": ["0501_120000"], "0200": ["0501_120000"]}, True),
        ({"0100": ["0501_120000", "0501_180000"], "0200": ["0502_120100", "0503_120300"]}, False),
        ({"0200": ["1027_010000", "1027_025900"], "0100": ["1027_020000", "1027_180000"]}, False),
        ({"0200": ["0401_120000", "0501_120000", "0601_120000"]}, False),
        ({"0015": ["0501_120000"], "0016": ["0501_120000"], "0030": ["0501_120000"]}, False),
    ],
)
def test_offsets_that_take_turns(times: dict[str, list[str]], is_shown: bool) -> None:
    """Two offsets of one place do not take turns on a day, except in the night in which clocks go back."""
    paths = [f"/x/gate_2024{time}-{number}.jpg" for number, all_times in times.items() for time in all_times]
    labels = tuple(f"gate_*_*-<{number}>" for number in sorted(times))
    assert find_offset_column(paths) == (Column(labels, at_once=True) if is_shown else None)
