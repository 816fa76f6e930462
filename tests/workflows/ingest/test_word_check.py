"""Words, numbers and letters in names that may be cameras: held back or reported, whichever files come in one call.

Tests whose cases are forms of names run on SQLite alone: the forms are read without a database. What is stored of
questions and answers is tested on both.
"""

import json
import os
import re
from datetime import UTC, datetime

import pytest

from indexer.domain.naming.series import pattern_of
from indexer.store.confirmations import list_held, list_open_questions
from indexer.workflows.admin.camera import confirm_camera, undo_confirmation
from tests.support.databases import on_sqlite
from tests.support.index import Index
from tests.workflows.ingest.test_held_cameras import cameras, held, put


@pytest.mark.parametrize(
    "files",
    [
        ["A_0001.jpg", "A_0002.jpg", "B_0001.jpg", "B_0002.jpg"],
        ["1_0001.jpg", "1_0002.jpg", "2_0001.jpg", "2_0002.jpg"],
        ["20240501_120000_1.jpg", "20240501_120100_2.jpg", "20240501_120200_1.jpg", "20240501_120300_2.jpg"],
        ["gate_0001.jpg", "gate_0002.jpg", "yard_0001.jpg", "yard_0002.jpg"],
        ["20240501_120000-0100.jpg", "20240501_120000-0200.jpg", "20240501_120500-0100.jpg"],
        ["DCIM/101NORTH/IMG_0001.JPG", "DCIM/102SOUTH/IMG_0002.JPG"],
        ["2024-05-01/12/IMG_0001.JPG", "2024-05-01/13/IMG_0002.JPG"],
        ["2024-05-01/05/12-30.jpg", "2024-05-01/06/12-30.jpg"],
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_two_cameras_of_one_folder(index: Index, files: list[str], at_once: bool) -> None:
    """Files of what may be two cameras are held back, given together or one at a time; a person's word lets them in."""
    files = [f"x/{file}" for file in files]
    put(index, *files)
    for file in [] if at_once else files:
        index.ingest(index.folder / file)
    before = cameras(index)
    assert list(held(index)) == ["x"]
    assert len(before) < len(files)
    assert cameras(index) == before
    confirm_camera(index.database, "x", clock=index.clock)
    assert held(index) == {}
    assert cameras(index) == dict.fromkeys(files, "x")


def test_a_confirmation_covers_what_was_shown(index: Index) -> None:
    """A third word that comes after a confirmation is asked of again; the words that were shown are not."""
    put(index, *(f"x/{word}_{n}.jpg" for word in ("gate", "yard") for n in (1, 2)))
    held(index)
    confirm_camera(index.database, "x", clock=index.clock)
    put(index, "x/gate_3.jpg", "x/yard_3.jpg")
    assert held(index) == {}
    put(index, "x/barn_1.jpg", "x/barn_2.jpg")
    assert held(index) == {"x": ["x"]}
    assert len(cameras(index)) == 6
    confirm_camera(index.database, "x", clock=index.clock)
    assert held(index) == {}
    undo_confirmation(index.database, "x", clock=index.clock)
    put(index, "x/shed_1.jpg")
    assert held(index) == {"x": ["x"]}


def test_a_confirmation_of_an_earlier_version(index: Index) -> None:
    """A confirmation without words covers the images that the index has."""
    put(index, *(f"x/{word}_{n}.jpg" for word in ("gate", "yard") for n in (1, 2)))
    held(index)
    confirm_camera(index.database, "x", clock=index.clock)
    held(index)
    index.execute("UPDATE runs SET counts = ? WHERE command = ?", '{"folders": 1}', "camera confirm")
    put(index, "x/gate_3.jpg")
    assert held(index) == {}
    put(index, "x/barn_1.jpg")
    assert held(index) == {"x": ["x"]}


def test_known_files_outside_of_the_walk_count(index: Index) -> None:
    """Files of one camera below two dates are compared although each date is ingested alone."""
    put(
        index,
        *(f"x/2024-05-0{day}/{word} 12.png" for day, word in ((1, "gate"), (1, "yard"), (2, "gate"), (2, "yard"))),
    )
    put(index, "x/2024-05-03/gate 12.png", "x/2024-05-03/gate 13.png")
    assert held(index, "x/2024-05-03") == {}
    assert held(index, "x/2024-05-01") == {"x": ["x"]}


def test_values_that_follow_each_other_are_reported(index: Index) -> None:
    """Numbers of which one comes after the other are taken in and reported; when one comes back, it is held back."""
    put(index, *(f"x/20240501_12{minute:02}00_{1 + minute // 2}.jpg" for minute in range(4)))
    assert index.ingest().names.several_words == {"x": ("*_*_<1>", "*_*_<2>")}
    put(index, "x/20240501_120900_1.jpg")
    assert held(index) == {"x": ["x"]}


@on_sqlite
@pytest.mark.parametrize("at_once", [True, False])
def test_words_that_are_written_at_the_same_times(index: Index, at_once: bool) -> None:
    """Two words without a number in common are held back if their files were written in turns, however they come."""
    files = [f"x/{name}" for name in ("gate_1.jpg", "yard_2.jpg", "gate_3.jpg", "yard_4.jpg")]
    for minute, file in enumerate(files):
        put(index, file)
        os.utime(index.folder / file, (60 * minute, 60 * minute))
        if not at_once:
            index.ingest(index.folder / file)
    assert list(held(index)) == ["x"]
    assert len(cameras(index)) < len(files)


@on_sqlite
@pytest.mark.parametrize("hours", [[], [13.5, 14.5]])
def test_hours_by_modification_times(index: Index, hours: list[float]) -> None:
    """Folders of two digits are hours without a question where modification times say so."""
    put(index, "x/2024-05-01/13/IMG_0001.JPG", "x/2024-05-01/14/IMG_0002.JPG")
    for number, hour in enumerate(hours, start=1):
        path = index.folder / f"x/2024-05-01/{12 + number}/IMG_000{number}.JPG"
        second = datetime(2024, 5, 1, tzinfo=UTC).timestamp() + hour * 3600
        os.utime(path, (second, second))
    assert list(held(index)) == ([] if hours else ["x"])
    confirm_camera(index.database, "x", clock=index.clock)
    assert held(index) == {}
    put(index, "x/2024-05-01/15/IMG_0003.JPG")
    assert held(index) == {}
    assert set(cameras(index).values()) == {"x"}


def test_last_words_of_names(index: Index) -> None:
    """A name whose files end in two words at one time is held back until a person says that it is one camera."""
    put(index, *(f"garden_20240501_12000{n}_{word}.jpg" for n in (1, 2) for word in ("left", "right")))
    assert held(index) == {"garden": ["."]}
    confirm_camera(index.database, "garden", clock=index.clock)
    assert held(index) == {}
    assert set(cameras(index).values()) == {"garden"}


@on_sqlite
@pytest.mark.parametrize(
    ("camera", "form", "values"),
    [
        ("StationA", "StationA_20240501_0800{n:02}_{value}", "AB"),
        ("StationA", "StationA_20240501_0800{n:02}_{value}", "12"),
        ("StationA", "StationA_20240501_0800{n:02}_{value}_1", ("RGB", "NIR")),
        ("192.168.1.108", "192.168.1.108_20240501_0800{n:02}_{value}", ("ch1", "ch2")),
        ("Reolink_00", "Reolink_00_20240501_0800{n:02}_{value}", ("left", "right")),
    ],
)
@pytest.mark.parametrize("at_once", [True, False])
def test_cameras_behind_a_name(index: Index, camera: str, form: str, values: tuple[str, ...], at_once: bool) -> None:
    """What stands behind a camera and a time is asked of, whatever says the camera, and beside files without it."""
    files = [[f"x/{form.format(n=n, value=value)}.jpg" for n in (1, 2)] for value in values]
    put(index, *files[0], f"x/{form.rpartition('_')[0].format(n=9, value='')}.jpg")
    if not at_once:
        assert held(index) == {}
    put(index, *files[1])
    assert len(held(index)) == 1
    [name] = held(index)
    assert name.endswith(camera)
    assert not set(files[1]) & cameras(index).keys()
    confirm_camera(index.database, name, clock=index.clock)
    assert held(index) == {}
    assert {cameras(index)[file] for file in (*files[0], *files[1])} == {name}


def open_folders(index: Index) -> dict[str, list[str]]:
    """The folders of each open question, below the folder of the index."""
    with index.database.read() as session:
        questions = list_open_questions(session)
    return {
        camera: [os.path.relpath(folder, index.folder) for folder in question.folders]
        for camera, question in questions.items()
    }


def test_a_confirmation_taken_back_asks_again(index: Index) -> None:
    """A confirmation of words that is taken back opens the question again: for removals, and for new files."""
    put(index, *(f"x/{word}_{n}.jpg" for word in ("gate", "yard") for n in (1, 2)))
    held(index)
    confirm_camera(index.database, "x", clock=index.clock)
    assert (held(index), open_folders(index)) == ({}, {})
    undo_confirmation(index.database, "x", clock=index.clock)
    assert open_folders(index) == {"x": ["x"]}
    assert (held(index), open_folders(index)) == ({}, {"x": ["x"]})
    put(index, "x/gate_3.jpg")
    assert held(index) == {"x": ["x"]}
    confirm_camera(index.database, "x", clock=index.clock)
    assert (held(index), open_folders(index)) == ({}, {})


def test_a_question_of_known_images_stays_open(index: Index) -> None:
    """An ingest that does not ask again of known images does not end the question of `--new-rules`."""
    put(index, *(f"x/{word}_{n}.jpg" for word in ("gate", "yard") for n in (1, 2)))
    held(index)
    confirm_camera(index.database, "x", clock=index.clock)
    held(index)
    undo_confirmation(index.database, "x", clock=index.clock)
    put(index, "y/IMG_1.jpg")
    assert {one.camera for one in index.ingest(is_new_rules=True).names.held} == {"x"}
    assert (held(index), open_folders(index)) == ({}, {"x": ["x"]})
    index.ingest(index.folder / "x", pattern=pattern_of(["gate", "yard"]))
    assert open_folders(index) == {}
    assert set(cameras(index).values()) == {"gate", "yard", "y"}


@pytest.mark.parametrize("is_away", [True, False])
def test_a_question_of_a_folder_that_is_away(index: Index, is_away: bool) -> None:
    """A question ends where its files are gone from a folder that is there, not where the folder is away."""
    files = [f"x/{word}_{n}.jpg" for word in ("gate", "yard") for n in (1, 2)]
    put(index, *files, "y/IMG_1.jpg")
    assert held(index) == {"x": ["x"]}
    if is_away:
        (index.folder / "x").rename(index.folder.parent / "away")
    else:
        for file in files:
            (index.folder / file).unlink()
    held(index)
    assert open_folders(index) == ({"x": ["x"]} if is_away else {})


def test_a_question_that_a_watch_asks_after_an_answer(index: Index) -> None:
    """A question counts from when it was asked, not from when the run began that asked it."""
    counts = {"held_back": {"x": ["/data/x"]}, "held_back_after": {"x": 8}}
    put(index, "y/IMG_1.jpg")
    index.ingest()
    index.execute("UPDATE runs SET counts = ?, command = ?", json.dumps(counts), "watch")
    confirmed = json.dumps({"folders": 1, "camera": "x", "words": []})
    for number, is_open in [(8, True), (9, False)]:
        index.execute(
            "INSERT INTO runs (id, command, arguments, version, started_at, counts) "
            f"SELECT {number}, 'camera confirm', '{{}}', version, started_at, ? FROM runs WHERE command = 'watch'",
            confirmed,
        )
        assert bool(open_folders(index)) is is_open


def test_an_answer_leaves_other_questions_open(index: Index) -> None:
    """A word about one series does not answer for the others of the folder."""
    put(index, *(f"x/{word}_{n}_{sign}.jpg" for word in ("gate", "yard") for n in (1, 2) for sign in "AB"))
    for _ in range(2):
        assert held(index) == {"x": ["x"]}
        confirm_camera(index.database, "x", clock=index.clock)
    assert held(index) == {}
    assert set(cameras(index).values()) == {"x"}


def test_many_known_images(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A new word is compared with all known images, however many came last."""
    monkeypatch.setattr("indexer.workflows.ingest.word_check.RECENT_IMAGES", 2)
    put(index, *(f"x/gate_{n}.jpg" for n in range(5)))
    index.ingest()
    put(index, "x/yard_0.jpg")
    assert held(index, "x/yard_0.jpg") == {"x": ["x"]}
    put(index, "x/gate_7.jpg")
    assert held(index, "x/gate_7.jpg") == {}


@on_sqlite
@pytest.mark.parametrize("name", ["cam", "Camera1_00", "cam_2", "RLC-410W_00", "NVR_ch1_main"])
def test_a_common_name_in_two_folders(index: Index, name: str) -> None:
    """A name that many cameras have is asked of in another folder, also where times do not overlap; once."""
    put(index, f"North/{name}_20240501_120000.png", f"South/{name}_20250501_120000.png")
    assert held(index) == {name: ["North", "South"]}
    confirm_camera(index.database, name, clock=index.clock)
    put(index, f"North/{name}_20260501_120000.png")
    assert held(index) == {}
    assert set(cameras(index).values()) == {name}


@pytest.mark.parametrize("answer", ["confirm", "level", "moved", "none"])
def test_a_camera_with_an_open_question_loses_nothing(index: Index, answer: str) -> None:
    """No file of a camera is removed as long as nobody answered whether it is one."""
    put(index, *(f"a/c10_20240501_1200{second:02}.png" for second in (0, 10, 20)))
    index.ingest()
    put(index, "b/c10_20240501_120005.png")
    assert held(index) == {"c10": ["a", "b"]}
    index.compare()
    before = {path: path.read_bytes() for path in index.folder.rglob("*.png")}
    report = index.prune()
    assert (report.removed, list(report.held_back)) == (0, ["c10"])
    assert {path: path.read_bytes() for path in index.folder.rglob("*.png")} == before
    if answer == "confirm":
        confirm_camera(index.database, "c10", clock=index.clock)
    elif answer == "level":
        index.ingest(camera_level=1)
    elif answer == "moved":
        (index.folder / "b/c10_20240501_120005.png").rename(index.folder / "b/d_20240501_120005.png")
        index.ingest()
    else:
        index.ingest(index.folder / "b")
    index.compare()
    assert len(index.plan().victims) == (0 if answer == "none" else 2)


@on_sqlite
@pytest.mark.parametrize("word", ["person", "gate_alarm"])
def test_a_name_of_an_earlier_index_stays(index: Index, word: str) -> None:
    """A camera that an index calls by a word which is left out now keeps its name, and gets the new images, too."""
    put(index, f"x/{word}_20240501_120000.png")
    index.ingest()
    index.execute("UPDATE cameras SET name = ?", word)
    index.execute("UPDATE images SET camera_source = 'name'")
    put(index, f"x/{word}_20240501_120100.png", f"y/{word}_20240501_120100.png")
    assert held(index) == {}
    found = cameras(index)
    assert found[f"x/{word}_20240501_120100.png"] == word
    assert found[f"y/{word}_20240501_120100.png"] != word


def test_new_rules_keep_rules_below(index: Index) -> None:
    """`--new-rules` of a folder keeps the rules that a person said of folders below."""
    put(index, "x/a/IMG_0001.JPG", "x/b/IMG_0001.JPG")
    index.ingest(index.folder / "x", camera="gate")
    index.ingest(is_new_rules=True)
    put(index, "x/a/IMG_0002.JPG")
    index.ingest()
    assert set(cameras(index).values()) == {"gate"}


@on_sqlite
@pytest.mark.parametrize(
    "files",
    [
        ["01-20240501120000-00.jpg", "01-20240501120000-01.jpg", "02-20240501120500-00.jpg"],
        ["000123_20240501_120000.jpg", "000124_20240501_120000.jpg"],
    ],
)
def test_numbers_taken_for_events_are_reported(index: Index, files: list[str]) -> None:
    """Where numbers before times are taken for events of one camera, the first ingest of the folder says so."""
    put(index, *(f"x/{file}" for file in files))
    report = index.ingest()
    assert (report.names.held, [len(words) for words in report.names.several_words.values()]) == ((), [1])
    [words] = report.names.several_words.values()
    put(index, "x/" + files[-1].replace("20240501", "20240502"))
    assert index.ingest().names.several_words == {}
    assert set(cameras(index).values()) == {"x"}
    index.ingest(pattern=pattern_of(words))
    assert all(re.match(f"x/{camera}[-_]", file) for file, camera in cameras(index).items())


def test_numbers_below_a_year(index: Index) -> None:
    """Numbers below a year are asked of where others beside them are too high for months; else they are months."""
    put(index, *(f"trial/2024/{number}/IMG_0001.JPG" for number in (1, 2)))
    put(index, *(f"plots/2024/{number}/IMG_0001.JPG" for number in (1, 2, 20)))
    assert held(index) == {"plots": ["plots"]}
    assert {camera for path, camera in cameras(index).items() if path.startswith("trial")} == {"trial"}
    assert not {f"plots/2024/{number}/IMG_0001.JPG" for number in (1, 2)} & cameras(index).keys()


@on_sqlite
@pytest.mark.parametrize("folders", [("2001", "2002"), ("01-02-15", "01-02-16")])
@pytest.mark.parametrize("is_year", [True, False])
def test_plots_called_like_years(index: Index, folders: tuple[str, str], is_year: bool) -> None:
    """Folders called like years are asked of where files in them were written in another year."""
    for folder in folders:
        put(index, f"plots/{folder}/IMG_0001.JPG")
        year = 2000 + int(folder[-2:]) if is_year else 2024
        second = datetime(year, 6, 1, tzinfo=UTC).timestamp()
        os.utime(index.folder / f"plots/{folder}/IMG_0001.JPG", (second, second))
    assert list(held(index)) == ([] if is_year else ["plots"])
    assert len(cameras(index)) == (2 if is_year else 0)


@on_sqlite
@pytest.mark.parametrize(
    "files",
    [
        ["gate_0001_20240501_120000.png", "gate_0002_20240501_120500.png"],
        ["IMG_0001.JPG", "IMG_0002.JPG", "PICT0001.JPG", "PICT0002.JPG"],
        ["240501/IMG_0001.JPG", "240502/IMG_0001.JPG"],
    ],
)
def test_what_is_joined_by_its_form_is_asked_of_once(index: Index, files: list[str]) -> None:
    """Counters behind a name, two cards in one folder and numbers that may be days are asked of before anything is
    taken in; a confirmation holds for later files of the same form; by the proposed pattern they are several."""
    put(index, *(f"x/{file}" for file in files))
    [(camera, _)] = held(index).items()
    assert cameras(index) == {}
    confirm_camera(index.database, camera, clock=index.clock)
    assert held(index) == {}
    later = [re.sub(r"0[12](?=[_/.])", lambda match: f"0{int(match[0]) + 2}", f"x/{file}", count=1) for file in files]
    put(index, *(file.replace("_1205", "_1215").replace("_1200", "_1210") for file in later))
    for file in index.folder.glob("x/**/*.*"):
        assert held(index, os.path.relpath(file, index.folder)) == {}
    assert set(cameras(index).values()) == {camera}


def test_a_counter_is_asked_of_where_files_come_one_at_a_time(index: Index) -> None:
    """A number behind a name is seen to count also where each ingest names one file."""
    for number in (1, 2):
        put(index, f"x/gate_000{number}_20240501_120{number}00.png")
        shown = held(index, f"x/gate_000{number}_20240501_120{number}00.png")
        assert list(shown) == (["gate"] if number > 1 else [])


def test_a_confirmed_counter_may_begin_again(index: Index) -> None:
    """A counter that a person confirmed stays one when it begins anew."""
    put(index, "x/gate_0001_20240501_120000.png", "x/gate_0002_20240501_120500.png")
    assert held(index) == {"gate": ["x"]}
    confirm_camera(index.database, "gate", clock=index.clock)
    index.ingest()
    put(index, "x/gate_0001_20240601_120000.png")
    assert held(index, "x/gate_0001_20240601_120000.png") == {}
    assert set(cameras(index).values()) == {"gate"}


def test_a_report_hides_no_question(index: Index) -> None:
    """What is only reported of a folder does not keep from asking what holds its camera back."""
    put(index, *(f"plots/{plot}/{hour:02}-30-45.jpg" for plot in (101205, 101206) for hour in (8, 9)))
    assert held(index) == {"plots": ["plots"]}


def test_a_confirmation_covers_what_was_shown_last(index: Index) -> None:
    """What a run that goes on showed after a later run is what a confirmation covers."""
    put(index, "y/IMG_1.jpg")
    index.ingest()
    counts = [
        {"held_back": {"x": ["/data/x"]}, "held_back_words": {"x": ["gate"]}, "held_back_after": {"x": 8}},
        {"held_back": {"x": ["/data/x"]}, "held_back_words": {"x": ["yard"]}},
    ]
    index.execute("UPDATE runs SET counts = ?, command = ?", json.dumps(counts[0]), "watch")
    index.execute(
        "INSERT INTO runs (id, command, arguments, version, started_at, counts) "
        "SELECT 7, 'ingest', '{}', version, started_at, ? FROM runs WHERE command = 'watch'",
        json.dumps(counts[1]),
    )
    with index.database.read() as session:
        assert list_held(session)["x"].words == ("gate",)


@pytest.mark.parametrize("at_once", [True, False])
def test_files_that_are_overwritten(index: Index, at_once: bool) -> None:
    """If the only two files of a folder have other contents later, each may be of a camera: they are held back."""
    files = ["x/gate.jpg", "x/yard.jpg"]
    for _ in range(3):
        for file in files:
            put(index, file)
            if not at_once:
                index.ingest(index.folder / file)
        index.ingest()
    assert held(index) == {"x": ["x"]}
    confirm_camera(index.database, "x", clock=index.clock)
    assert held(index) == {}
