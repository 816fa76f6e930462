"""Words in the file names of one folder that may be cameras."""

from datetime import UTC, datetime

import pytest

from indexer.domain.naming.patterns import compile_pattern
from indexer.domain.naming.series import Series, are_written_at_once, find_lone_series, find_series, pattern_of, word_of


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("gate_0001", "gate"),
        ("cam1_0001", "cam1"),
        ("IMG_0001", ""),
        ("RCNX0001", ""),
        ("20240501_123045_tp00012", ""),
        ("20240501_123045_E", ""),
        ("12.30.45[M][0@0][0]", ""),
        ("E130M45S60", ""),
        ("00001-capture", ""),
        ("27-Mar-2021_01.53.37 PM", ""),
        ("MDAlarm_20240501-123045", ""),
        ("2024-05-01T12-30-45Z front door", "front-door"),
    ],
)
def test_words_of_a_name(name: str, word: str) -> None:
    """Times, counters, kinds of files and what makers write are no words."""
    assert word_of(f"/data/x/{name}.jpg") == word


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["gate_1", "gate_2", "yard_1", "yard_2"], Series(("gate", "yard"), at_once=True)),
        (["gate_1", "yard_1"], Series(("gate", "yard"), at_once=True)),
        (["cam1_1", "cam1_2", "cam2_1", "cam2_2"], Series(("cam1", "cam2"), at_once=True)),
        (["gate_1", "gate_2", "yard_3", "yard_4"], Series(("gate", "yard"), at_once=False)),
        ([f"20240501_120{n}00_{word}" for n, word in enumerate(["gate", "yard"] * 2)], Series(("gate", "yard"), True)),
        ([f"20240501_120{n}00_{word}" for n, word in enumerate("ggyy")], Series(("*_*_<g>", "*_*_<y>"), at_once=False)),
        (
            [f"20240501_120{n}00_{word}" for n, word in enumerate(["gate", "gate", "yard", "yard"])],
            Series(("gate", "yard"), at_once=False),
        ),
        (["gate", "yard"], None),
        (["cam1", "cam2"], Series(("cam1", "cam2"), at_once=True)),
        (["ch01", "ch02", "ch03"], Series(("ch01", "ch02", "ch03"), at_once=True)),
        (["cam0001", "cam0002"], None),
        (["cam1", "cam2", "gate"], None),
        (["gate_1", "gate_2", "yard_3"], None),
        (["gate_1", "gate_2", "1", "2"], None),
        (["gate_1", "gate_2", "IMG_1", "IMG_2"], None),
        (["gate_1", "gate_2", "yard_1", "yard_2", "one", "two", "three"], Series(("gate", "yard"), at_once=True)),
        (["gate_1", "gate_2", "yard_3", "yard_4", "one", "two", "three"], None),
        (["ch1_1", "ch1_2", "ch2_1", "ch2_2", "IMG_9"], Series(("ch1", "ch2"), at_once=True)),
        (
            [f"{word}_{number}" for word in (letter * 3 for letter in "abcdefghijklmnopqrst") for number in (1, 2)],
            Series(tuple(letter * 3 for letter in "abcdefghijklmnopqrst"), at_once=True),
        ),
    ],
)
def test_series(names: list[str], expected: Series | None) -> None:
    """Words that number the same things, or stand at the same times, are series at once."""
    assert find_series(f"/data/x/{name}.jpg" for name in names) == expected


def test_pattern_of_words() -> None:
    """By the pattern that is proposed, names with one word are of one camera, and no names of two words are."""
    names = ["gate_1", "gate2_1", "yard_1", "20240501_120000 yard", "back yard 1", "1_front_door", "frontyard_1", "x_1"]
    pattern = compile_pattern(pattern_of(word_of(f"/{name}") for name in names if name not in {"frontyard_1", "x_1"}))
    found = [pattern.read(f"yard/{name}.png") for name in names]
    cameras = ["gate", "gate2", "yard", "yard", "back yard", "front_door", None, None]
    assert [reading and reading.camera for reading in found] == cameras


def test_words_of_each_day() -> None:
    """Words that stand in the folders of the same days are series at once."""
    days = [f"/data/x/2024-05-0{day}" for day in (1, 2)]
    paths = [f"{day}/{word}.jpg" for day in days for word in ("gate", "yard")]
    assert find_series(paths) == Series(("gate", "yard"), at_once=True)
    assert find_series(paths[:2]) is None


@pytest.mark.parametrize(
    ("camera", "names", "words"),
    [
        ("garden", ["garden_20240501_120000_left", "garden_20240501_120000_right"], ("left", "right")),
        ("garden", ["garden_20240501_120000_left", "garden_20240501_120100_right"], None),
        ("garden", ["garden_20240501_120000_left", "garden_20240501_120000_right", "garden_1"], ("left", "right")),
        ("lot", ["lot_20240501_120000_RGB_1", "lot_20240501_120000_NIR_1"], ("NIR", "RGB")),
        ("lot", ["lot_20240501_120000_A", "lot_20240501_120000_B"], ("lot_*_*_<A>", "lot_*_*_<B>")),
        ("lot", ["lot_20240501_120000_00", "lot_20240501_120000_01"], ("lot_*_*_<00>", "lot_*_*_<01>")),
        ("lot", ["lot_20240501_120000_cam1", "lot_20240501_120000_cam2"], ("cam1", "cam2")),
        ("front", ["front-1714566645.123456-abc123", "front-1714566645.123456-abc123-clean"], None),
        ("front", ["front-1714566645.123456-a1b2c3", "front-1714566645.123456-a1b2c3-clean"] * 2, None),
        ("front", [f"front-17145666{n:02}.123456-a1b2c{n % 2}" for n in range(9)], None),
        (
            "192.168.1.64_01",
            [
                f"192.168.1.64_01_2024050112304567{n}_{why}"
                for n, why in enumerate(["MOTION_DETECTION", "LINE_DETECTION", "TIMING", "FACE_DETECTION"] * 3)
            ],
            None,
        ),
        ("gate", ["gate_20240501_120000_person", "gate_20240501_120000_vehicle"], None),
        ("Front", [f"Front.20240501_12304512{n}.{n % 4}" for n in range(9)], None),
    ],
)
def test_words_beside_a_camera(camera: str, names: list[str], words: tuple[str, ...] | None) -> None:
    """Words, letters and numbers behind the same camera and time may be cameras; what makers write there is none."""
    series = find_series((f"/data/{name}.jpg" for name in names), camera=camera)
    assert (series and series.words) == words


@pytest.mark.parametrize(
    ("names", "is_asked"),
    [
        (["20240501_12000{n}_person", "20240501_12000{n}_car"], False),
        (["20240501_12000{n}_person", "20240501_12000{n}_dog"], False),
        (["20240501_12000{n}_cat", "20240501_12000{n}_dog"], True),
        (["20240501_12000{n}_car", "20240501_12000{n}_yard"], True),
        (["car_{n}", "bus_{n}"], True),
    ],
)
def test_what_a_detector_found(names: list[str], is_asked: bool) -> None:
    """What a detector writes behind the time is no camera; what may be a name is asked of."""
    files = [f"/data/x/{name.format(n=n)}.jpg" for name in names for n in (1, 2, 3)]
    assert (find_series(files) is not None) is is_asked


def test_words_at_times_in_doubt() -> None:
    """Words stand at the same times also where only all files can tell what time it is."""
    names = [f"17145666{n:02}_6-12345{n}_{word}" for n, word in enumerate(["gate", "yard"] * 3, 10)]
    assert find_series(f"/data/x/{name}.jpg" for name in names) == Series(("gate", "yard"), at_once=True)


def test_all_series_of_a_folder() -> None:
    """Without the words of a series the next one is seen, and counters that these words repeat are none."""
    names = [f"{word}_20240501_12000{n}_{sign}" for word in ("gate", "yard") for n in range(3) for sign in "AB"]
    paths, covered = [f"/data/x/{name}.jpg" for name in names], set[str]()
    for words in [("gate", "yard"), ("gate_*_*_<A>", "gate_*_*_<B>", "yard_*_*_<A>", "yard_*_*_<B>")]:
        assert find_series(paths, covered=covered) == Series(words, at_once=True)
        covered.update(words)
    assert find_series(paths, covered=covered) is None
    sites = [f"/data/x/S1_{site}_PICT{n:04}.jpg" for site in ("B04", "B05") for n in range(9)]
    labels = ("?*_?<04>_PICT*", "?*_?<05>_PICT*")
    assert find_series(sites) == Series(labels, at_once=True)
    assert find_series(sites, covered=set(labels)) is None
    numbers = [f"/data/x/{lens}_{n:04}_{sign}.jpg" for lens in (1, 2) for n in range(9) for sign in "abc"]
    assert find_series(numbers) == Series(("<1>_*_?", "<2>_*_?"), at_once=True)
    signs = Series(("*_*_<a>", "*_*_<b>", "*_*_<c>"), at_once=True)
    assert find_series(numbers, covered={"<1>_*_?", "<2>_*_?"}) == signs
    assert find_series(numbers, covered={"<1>_*_?", "<2>_*_?", *signs.words}) is None


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ("gate_1.jpg yard_2.jpg gate_3.jpg yard_4.jpg", ("gate", "yard")),
        ("7_1F.mp4 7_2R.mp4 7_3F.mp4 7_4R.mp4", ("*_*<F>", "*_*<R>")),
    ],
)
def test_words_that_are_written_at_once(names: str, words: tuple[str, ...]) -> None:
    """Files of two words, each written between those of the other, are at once; one after the other they are not."""
    series, files = Series(words, at_once=False), [f"/x/{name}" for name in names.split()]
    times = [datetime(2024, 5, 1, 12, minute, tzinfo=UTC) for minute in range(4)]
    assert are_written_at_once(series, dict(zip(files, times, strict=True)))
    in_order = [files[0], files[2], files[1], files[3]]
    assert not are_written_at_once(series, dict(zip(in_order, times, strict=True)))
    assert not are_written_at_once(series, {})


@pytest.mark.parametrize(
    ("names", "overwritten", "words"),
    [
        ("gate.jpg yard.jpg", "gate.jpg yard.jpg", ("gate", "yard")),
        ("gate.jpg yard.jpg", "gate.jpg", None),
        ("gate.jpg yard.jpg", "", None),
        ("gate.jpg gate_thumb.jpg", "gate.jpg gate_thumb.jpg", None),
        ("a/gate.jpg b/gate.jpg a/yard.jpg", "", ("gate", "yard")),
        ("a/gate.jpg b/gate.jpg c/yard.jpg", "", None),
        ("gate.jpg yard.jpg IMG_1.jpg IMG_2.jpg", "gate.jpg yard.jpg", None),
    ],
)
def test_files_that_are_written_again(names: str, overwritten: str, words: tuple[str, ...] | None) -> None:
    """Words of files that are overwritten, or that come back in other folders side by side, may be cameras."""
    paths, again = ([f"/x/{name}" for name in some.split()] for some in (names, overwritten))
    series = find_lone_series(paths, overwritten=set(again))
    assert (series and series.words) == words
    assert words is None or find_lone_series(paths, overwritten=set(again), covered=set(words)) is None
