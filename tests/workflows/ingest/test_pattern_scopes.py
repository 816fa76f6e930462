"""A pattern is a person's word below the folder of which they said it: equal words elsewhere are another camera's."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from indexer.domain.naming.patterns import compile_pattern
from indexer.domain.naming.series import forms_of_folders, pattern_below, pattern_of
from indexer.store.schema import open_database
from indexer.workflows.admin.camera import confirm_camera, undo_confirmation
from indexer.workflows.admin.copy_index import copy
from tests.support.databases import Maker
from tests.support.index import Index
from tests.workflows.ingest.test_held_cameras import cameras, held, put

WORDS = ("gate", "yard")
PATTERN = pattern_of(WORDS)
TIMED = rf"(?P<timestamp>\d{{8}}_\d{{6}})_{PATTERN}"


def put_words(index: Index, folder: str, *, start: int = 1, begin: str = "") -> None:
    """Two files of each word."""
    put(index, *(f"{folder}/{begin}{word}_{n:04}.png" for word in WORDS for n in (start, start + 1)))


@pytest.mark.parametrize(
    ("first", "second"),
    [("North", "South"), ("disk1/cards", "disk2/cards"), ("North", "North/DCIM/South"), ("North/South", "North")],
)
def test_one_pattern_of_two_folders(index: Index, first: str, second: str) -> None:
    """Two stations with equal words, for each of which the same pattern was said on its day, are no one camera."""
    put_words(index, first)
    narrow = pattern_of(WORDS, forms=("",))
    assert held(index, first, pattern=narrow) == {}
    put_words(index, second)
    assert held(index, second, pattern=narrow).keys() == {"gate", "yard"}
    assert all(file.startswith(f"{first}/") and file.count("/") == first.count("/") + 1 for file in cameras(index))
    assert held(index, second).keys() == {"gate", "yard"}  # the stored rule asks again
    for camera in WORDS:
        confirm_camera(index.database, camera, clock=index.clock)
    assert held(index, second) == {}
    assert sorted(cameras(index).values()) == ["gate"] * 4 + ["yard"] * 4
    put_words(index, second, start=7)
    assert held(index, second) == {}


def test_two_folders_of_one_call(index: Index) -> None:
    """Where both folders have the pattern already, new files of both in one call are held back, too."""
    for folder in ("North", "South"):
        put(index, f"{folder}/{folder} gate_1.png")
        index.ingest(index.folder / folder, pattern=rf"^(?P<camera>{folder}|yard)")
        put_words(index, folder)
    assert held(index, "North", "South").keys() == {"yard"}
    assert set(cameras(index).values()) == {"North", "South"}


def test_times_apart_join_no_two_scopes(index: Index) -> None:
    """Times that do not overlap are no word about two stations: their cards were read on two days."""
    for folder, month in (("North", "05"), ("South", "06")):
        put_words(index, folder, begin=f"2024{month}01_120000_")
    assert held(index, "North", pattern=TIMED) == {}
    assert held(index, "South", pattern=TIMED).keys() == {"gate", "yard"}


def test_a_pattern_joins_no_camera_that_was_there(index: Index) -> None:
    """A camera that names of files say elsewhere is not the one that a pattern says."""
    put(index, "North/gate_20240501_120000.png")
    index.ingest(index.folder / "North")
    put_words(index, "South")
    assert held(index, "South", pattern=PATTERN).keys() == {"gate"}
    assert set(cameras(index).values()) == {"gate", "yard"}


def test_known_images_that_a_pattern_renames(index: Index) -> None:
    """Known images get no camera that has images outside of the pattern's folder, until a person says so."""
    put_words(index, "North")
    index.ingest(index.folder / "North", pattern=PATTERN)
    put(index, "South/gate_1.png")
    index.ingest(index.folder / "South")
    assert held(index, "South", pattern=PATTERN).keys() == {"gate"}
    assert cameras(index)["South/gate_1.png"] == "South"
    confirm_camera(index.database, "gate", clock=index.clock)
    assert held(index, "South", pattern=PATTERN) == {}
    assert cameras(index)["South/gate_1.png"] == "gate"


def test_a_confirmation_that_was_taken_back(index: Index) -> None:
    """After `camera confirm --undo` new files ask again, by whatever the camera of the other folder is known."""
    put_words(index, "North")
    index.ingest(index.folder / "North", pattern=PATTERN)
    put(index, "East/yard_20240501_120000.png")
    index.ingest(index.folder / "East")
    put_words(index, "South")
    index.ingest(index.folder / "South", pattern=PATTERN)
    for camera in WORDS:
        confirm_camera(index.database, camera, clock=index.clock)
    assert held(index, "South") == {}
    before = cameras(index)
    for camera in WORDS:
        undo_confirmation(index.database, camera, clock=index.clock)
    put_words(index, "South", start=7)
    assert held(index, "South").keys() == {"gate", "yard"}
    assert cameras(index) == before
    for camera in WORDS:
        confirm_camera(index.database, camera, clock=index.clock)
    assert held(index, "South") == {}
    assert len(cameras(index)) == len(before) + 4


def test_a_folder_that_moved_in_the_scope(index: Index) -> None:
    """A folder that got another name below the pattern's folder is no folder outside of it."""
    put_words(index, "lot/a")
    index.ingest(index.folder / "lot", pattern=PATTERN)
    (index.folder / "lot/a").rename(index.folder / "lot/b")
    put_words(index, "lot/c", start=7)
    assert held(index, "lot") == {}
    assert sorted(cameras(index).values()) == ["gate"] * 4 + ["yard"] * 4


def test_what_one_rule_covers_is_one_camera(index: Index, maker: Maker, tmp_path: Path) -> None:
    """Below the pattern's folder equal words are one camera, in whatever folder and call, also after `db copy`."""
    put_words(index, "lot/a")
    assert held(index, "lot", pattern=PATTERN) == {}
    put_words(index, "lot/b")
    assert held(index, "lot/b") == {}
    put_words(index, "lot/b/c/d")
    assert held(index, "lot/b/c", timezone="Europe/Berlin") == {}
    put_words(index, "lot/b/c/e")
    assert held(index, "lot") == {}
    target = maker.place(tmp_path)
    copy(index.database.name if index.database.path is None else str(index.database.path), target, clock=index.clock)
    with closing(open_database(target)) as database:
        copied = Index(database, index.folder, index.clock, index.writes)
        put_words(copied, "lot/f")
        assert held(copied, "lot") == {}
        assert set(cameras(copied).values()) == {"gate", "yard"}
        put_words(copied, "far")
        assert held(copied, "far", pattern=PATTERN).keys() == {"gate", "yard"}


def test_an_index_made_before_keeps_its_cameras(index: Index) -> None:
    """Two folders that an earlier version took for one camera stay one, and so do their later files."""
    for folder in ("North", "South"):
        put_words(index, folder)
        index.ingest(index.folder / folder, camera="gate")
        index.ingest(index.folder / folder, pattern=PATTERN)
    index.execute("UPDATE images SET camera_source = 'pattern', camera_id = (SELECT min(id) FROM cameras)")
    for folder in ("North", "South"):
        put(index, f"{folder}/gate_0009.png")
        assert held(index, folder) == {}
    assert set(cameras(index).values()) == {"gate"}


def test_known_folders_that_overlap_hold_back_no_file_of_a_pattern(index: Index) -> None:
    """An earlier version joined a pattern's folder with one whose files have the name: files of the pattern stay in."""
    put(index, "North/gate_20240501_120000.png", "North/gate_20240501_140000.png")
    index.ingest(index.folder / "North")
    put(index, "South/gate_0001.png")
    index.ingest(index.folder / "South", pattern=PATTERN)
    confirm_camera(index.database, "gate", clock=index.clock)
    index.ingest(index.folder / "South")
    index.execute("UPDATE camera_sources SET is_confirmed = false")
    put(index, "South/gate_0002.png")
    assert held(index, "South") == {}
    assert cameras(index)["South/gate_0002.png"] == "gate"


def test_proposed_patterns_stay_in_their_folders() -> None:
    """A proposed pattern matches in folders of the forms that were shown, with other dates; not in a named folder."""
    paths = [f"/data/lot/{folder}gate_1.png" for folder in ("", "2024-05-01/", "DCIM/100RECNX/")]
    forms = forms_of_folders(paths, "/data/lot")
    pattern = reader(pattern_of(WORDS, forms=forms))
    assert pattern("2024-06-11/gate_7.png") == pattern("DCIM/101RECNX/gate_7.png") == pattern("gate_7.png") == "gate"
    assert pattern("South/gate_7.png") == pattern("2024-06-11/South/gate_7.png") is None
    both = reader(pattern_of(WORDS, below=["South", ""], forms=forms))
    assert [both("South/2024-06-11/yard_7.png"), both("yard_7.png"), both("East/yard_7.png")] == [
        "South/yard",
        "yard",
        None,
    ]
    for text in (pattern_of(WORDS, forms=forms), PATTERN):
        apart = reader(pattern_below(text, ["North", "South"]))
        assert [apart("South/yard_7.png"), apart("North/gate_1.png")] == ["South/yard", "North/gate"]
        nested = reader(pattern_below(text, ["South", ""]))
        assert [nested("South/yard_7.png"), nested("yard_7.png")] == ["South/yard", "yard"]


def reader(text: str) -> Callable[[str], str | None]:
    """The camera that a pattern reads from a path."""
    pattern = compile_pattern(text)

    def read(path: str) -> str | None:
        reading = pattern.read(path)
        return None if reading is None else reading.camera

    return read
