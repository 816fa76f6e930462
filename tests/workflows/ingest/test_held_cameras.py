"""Cameras that are held back: two cameras of one name never become one without a person's word."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.naming.rules import RuleBook
from indexer.domain.naming.tree import PathFile, name_tree
from indexer.store import camera_sources
from indexer.workflows.admin.camera import confirm_camera
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.held_cameras import check_sources
from indexer.workflows.ingest.known_cameras import KnownCameras
from indexer.workflows.ingest.preview import preview_ingest
from tests.support.index import Index, picture

Watch = Callable[[], AbstractContextManager[list[str]]]
NO_RULES = RuleBook({})
CAMERAS = "SELECT path, name FROM images JOIN cameras ON cameras.id = camera_id WHERE state = 'ready'"


def put(index: Index, *files: str) -> None:
    """Files that all differ."""
    for file in files:
        index.put(file, picture(stamp=index.writes % 100, height=64 + index.writes // 100))


def cameras(index: Index) -> dict[str, str]:
    """The camera of each present image, by file."""
    return {index.file(path): camera for path, camera in index.rows(CAMERAS)}


def held(index: Index, *folders: str, **options: object) -> dict[str, list[str]]:
    """The folders of each camera that an ingest holds back; the dry run before it says the same."""
    paths = [str(index.folder / folder) for folder in folders or (".",)]
    shown = preview_ingest(index.database, discover(paths, **options)).names.held  # type: ignore[arg-type]
    report = index.ingest(*paths, **options)
    assert report.names.held == shown
    assert sum(camera.files for camera in shown) == report.skipped["its camera is held back"]
    return {camera.camera: [index.file(folder) for folder in camera.folders] for camera in shown}


def from_earlier_version(index: Index) -> None:
    """Makes the index one of an earlier version, which knew of a camera the folders ingested alone."""
    index.execute("DELETE FROM camera_sources")
    index.execute(
        "INSERT INTO camera_sources (camera_id, source, is_root) SELECT DISTINCT camera_id, root, TRUE FROM images"
    )
    index.execute("DELETE FROM naming_rules")
    index.execute("INSERT INTO naming_rules (folder, is_earlier) SELECT DISTINCT root, TRUE FROM images")


@pytest.mark.parametrize(
    ("first", "camera"),
    [
        ("gate/2024-05-01/001/jpg/12/30/45[M][0@0][0].jpg", "gate"),  # Dahua: the source is gate/001/jpg
        ("gate/2024-05-01/snap/IMG_0001.jpg", "gate"),
        ("x/Reolink_00_20240501123045.jpg", "Reolink_00"),
        ("x/01_20240501123045.jpg", "01"),
    ],
)
def test_source_that_is_no_folder(index: Index, first: str, camera: str) -> None:
    """The images of a source that is no folder on the disk count with their times, too."""
    put(index, first)
    index.ingest()
    index.execute("UPDATE cameras SET name = 'gate' WHERE name = ?", camera)
    put(index, "y/gate_20240501_123045.jpg")
    [(name, folders)] = held(index).items()
    assert (name, len(folders), "y" in folders) == ("gate", 2, True)
    assert cameras(index) == {first: "gate"}


@pytest.mark.parametrize("folder", ["North/gate", "North/gate/2024-05-01", "North/gate/2024-05-01/001/jpg"])
def test_names_that_are_called_like_another_folder(index: Index, folder: str) -> None:
    """A camera called like its folder is not the one that names of files elsewhere say, until a person says so."""
    put(index, f"{folder}/20240501_123045.jpg")
    index.ingest()
    put(index, "South/gate_20240502_123045.jpg")
    [(name, folders)] = held(index).items()
    assert (name, len(folders), set(cameras(index).values())) == ("gate", 2, {"gate"})
    confirm_camera(index.database, "gate", clock=index.clock)
    assert (held(index), len(cameras(index))) == ({}, 2)


def test_names_that_are_called_like_their_own_folder(index: Index) -> None:
    """Names of files in a folder that is called like them say the same camera."""
    put(index, "North/gate/20240501_123045.jpg")
    index.ingest()
    put(index, "North/gate/2024-05-02/gate_20240502_123045.jpg")
    assert held(index) == {}
    assert set(cameras(index).values()) == {"gate"}


@pytest.mark.parametrize(
    "names",
    [
        ("{word}_0001", "{word}_0002"),
        ("20240501_120000_{word}", "20240501_120100_{word}"),
        ("2024-05-01/{word} 12", "2024-05-02/{word} 12"),
    ],
)
def test_series_in_one_folder(index: Index, names: tuple[str, ...]) -> None:
    """Two words that number the same things may be two cameras; a person says whether they are."""
    files = [f"x/{name.format(word=word)}.png" for word in ("gate", "yard") for name in names]
    put(index, *files)
    assert held(index) == {"x": ["x"]}
    assert cameras(index) == {}
    confirm_camera(index.database, "x", clock=index.clock)
    assert held(index) == {}
    assert cameras(index) == dict.fromkeys(files, "x")
    index.ingest(pattern="(?P<camera>gate|yard)[^/]*$")
    assert set(cameras(index).values()) == {"gate", "yard"}


def test_a_second_series_later(index: Index) -> None:
    """A word that is new in a folder is held back; words that are known there are not."""
    put(index, "x/gate_0001.png", "x/gate_0002.png")
    assert held(index) == {}
    put(index, "x/yard_0001.png", "x/yard_0002.png", "x/gate_0003.png")
    assert held(index) == {"x": ["x"]}
    assert len(cameras(index)) == 2


def test_words_that_share_no_number_are_reported(index: Index) -> None:
    """Where nothing shows that two words are two cameras, the files are taken in, and the report names the words."""
    put(index, *(f"x/{name}.png" for name in ("gate_1", "gate_3", "yard_2", "yard_4")))
    assert index.ingest().names.several_words == {"x": ("gate", "yard")}
    put(index, "x/yard_6.png")
    assert index.ingest().names.several_words == {}
    assert set(cameras(index).values()) == {"x"}
    put(index, "x/yard_3.png")
    assert held(index) == {"x": ["x"]}


def test_camera_without_sources(index: Index) -> None:
    """A camera whose folders the index does not know counts with the folders of its images."""
    put(index, "a/c10-1623844800000.png", "a/c10-1623844920000.png")
    index.ingest()
    index.execute("DELETE FROM camera_sources")
    put(index, "b/c10-1623844860000.png", "a/c10-1623844980000.png")
    assert held(index) == {"c10": ["a", "b"]}


def test_images_of_a_camera_are_read_once(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Naming new files reads the known images of their camera once, for its sources and its times alike."""
    put(index, "a/c10-1623844800000.png", "a/c10-1623844920000.png")
    index.ingest()
    index.execute("DELETE FROM camera_sources")
    put(index, "b/c10-1623844860000.png", "c/c10-1623844980000.png")
    read, iter_images = list[str](), camera_sources.iter_images
    monkeypatch.setattr(camera_sources, "iter_images", lambda s, camera: read.append(camera) or iter_images(s, camera))
    assert index.ingest().names.held
    assert read == ["c10"]


def test_removed_images_show_when_a_camera_was_there(index: Index) -> None:
    """Images that were removed count with their times: the ones that are left say less."""
    put(index, "a/c10-1623844800000.png", "a/c10-1623844860000.png", "a/c10-1623844920000.png")
    index.ingest()
    index.compare()
    index.prune()
    assert len(cameras(index)) == 1
    put(index, "b/c10-1623844890000.png")
    assert held(index) == {"c10": ["a", "b"]}


def test_another_file_of_the_same_name_did_not_move(index: Index) -> None:
    """A new file with the name of one that is gone is a moved one only if its size and its time say so."""
    put(index, "a/c10-1623844800000.png", "a/c10-1623844860000.png", "a/c10-1623844920000.png")
    index.ingest()
    (index.folder / "a/c10-1623844860000.png").unlink()
    put(index, "b/c10-1623844860000.png")
    assert held(index) == {"c10": ["a", "b"]}


def test_a_gone_file_moved_to_one_path(index: Index) -> None:
    """Of two new files with the name, size and time of one that is gone, one is the moved one and the other is new."""
    put(index, "a/c10-1623844800000.png", "a/c10-1623844860000.png", "a/c10-1623844920000.png")
    index.ingest()
    path = index.folder / "a/c10-1623844860000.png"
    content, mtime_ns = path.read_bytes(), path.stat().st_mtime_ns
    path.unlink()
    for folder in ("b", "c"):
        copy = index.put(f"{folder}/{path.name}", content)
        os.utime(copy, ns=(mtime_ns, mtime_ns))
    assert held(index) == {"c10": ["a", "b", "c"]}
    assert set(cameras(index)) == {
        "a/c10-1623844800000.png",
        "a/c10-1623844920000.png",
        "b/c10-1623844860000.png",
    }


def c10(folder: str, *seconds: int) -> list[str]:
    """Files of a camera that their names say, of these seconds."""
    return [f"{folder}/c10_20240501_1200{second:02}.png" for second in seconds]


@pytest.mark.parametrize("second_folder", ["batch2", "batch1"])
def test_a_folder_beside_one_that_moved(index: Index, second_folder: str) -> None:
    """A folder that moved counts with its times where it is now: another one at these times is held back."""
    put(index, *c10("batch1", 0, 2, 4))
    index.ingest()
    (index.folder / "batch1").rename(index.folder / "batch3")
    put(index, *c10(second_folder, 1, 3, 5))
    assert held(index) == {"c10": sorted([second_folder, "batch3"])}
    assert cameras(index) == dict.fromkeys(c10("batch3", 0, 2, 4), "c10")


def test_a_folder_of_the_same_names_beside_one_that_moved(index: Index) -> None:
    """Other pictures with the names of those that moved are new, and held back."""
    put(index, *c10("batch1", 0, 1, 2))
    index.ingest()
    (index.folder / "batch1").rename(index.folder / "batch3")
    put(index, *c10("batch2", 0, 1, 2))
    assert held(index) == {"c10": ["batch2", "batch3"]}
    assert cameras(index) == dict.fromkeys(c10("batch3", 0, 1, 2), "c10")


def test_a_later_folder_beside_one_that_moved(index: Index) -> None:
    """At other times than those of the folder that moved the camera is one."""
    put(index, *c10("batch1", 0, 1, 2))
    index.ingest()
    (index.folder / "batch1").rename(index.folder / "batch3")
    put(index, *c10("batch2", 3, 4, 5))
    assert held(index) == {}
    assert len(cameras(index)) == 6


def test_a_folder_beside_confirmed_ones_that_moved(index: Index) -> None:
    """Folders that a person confirmed are one camera where they are now, too; a further one is held back."""
    put(index, *c10("a", 0, 4), *c10("b", 1, 5))
    index.ingest()
    confirm_camera(index.database, "c10", clock=index.clock)
    index.ingest()
    assert len(cameras(index)) == 4
    for folder in ("a", "b"):
        (index.folder / folder).rename(index.folder / f"{folder}2")
    put(index, *c10("c", 9))
    assert held(index) == {}
    for folder in ("a2", "b2"):
        (index.folder / folder).rename(index.folder / folder[0])
    put(index, *c10("d", 3))
    assert list(held(index)) == ["c10"]


def test_removed_images_count_where_their_folder_moved_to(index: Index) -> None:
    """The times of removed images of a folder that moved count beside another folder, too."""
    put(index, *c10("a", 0, 2, 4))
    index.ingest()
    index.compare()
    index.prune()
    assert len(cameras(index)) == 1
    (index.folder / "a").rename(index.folder / "moved")
    put(index, *c10("b", 1, 3, 5))
    assert held(index) == {"c10": ["b", "moved"]}


def test_a_file_of_another_camera_did_not_move(index: Index) -> None:
    """A file that is gone from a camera does not stand for a file of another one."""
    put(index, "a/c10-1623844800000.png", "a/c10-1623844920000.png", "x/c10-1623844860000.png")
    index.ingest(index.folder / "x", camera="yard")
    index.ingest()
    (index.folder / "b").mkdir()
    (index.folder / "x/c10-1623844860000.png").rename(index.folder / "b/c10-1623844860000.png")
    assert held(index) == {"c10": ["a", "b"]}


def test_new_rules_hold_back(index: Index, opened_images: Watch) -> None:
    """The rules of today give known files no camera that new files would not get; a person confirms, and they do."""
    files = [f"{station}/c10-162384{number}.png" for station, number in (("a", 4800000), ("b", 4800000))]
    put(index, *files)
    index.ingest(camera="old")
    index.execute("UPDATE images SET camera_source = 'folder'")
    from_earlier_version(index)
    with opened_images() as opened:
        assert held(index, is_new_rules=True) == {"c10": ["a", "b"]}
    assert (opened, set(cameras(index).values())) == ([], {"old"})
    confirm_camera(index.database, "c10", clock=index.clock)
    assert held(index, is_new_rules=True) == {}
    assert cameras(index) == dict.fromkeys(files, "c10")


def test_new_rules_beside_a_camera_of_the_same_name(index: Index) -> None:
    """Known files are held back also where the camera that they would get is elsewhere."""
    put(index, "old/c10-1623844800000.png", "new/c10-1623844800000.png")
    index.ingest(index.folder / "old", camera="first")
    index.execute("UPDATE images SET camera_source = 'folder'")
    from_earlier_version(index)
    index.ingest(index.folder / "new")
    assert held(index, "old", is_new_rules=True) == {"c10": ["new", "old"]}
    assert cameras(index) == {"old/c10-1623844800000.png": "first", "new/c10-1623844800000.png": "c10"}


@pytest.mark.parametrize("below", [".", "South"])
def test_new_rules_part_recorded_folders(index: Index, below: str) -> None:
    """Two folders of one name are two cameras by the rules of today, also where an ingest stored them since."""
    put(index, "North/cam1/IMG_0001.JPG", "South/cam1/IMG_0001.JPG")
    index.ingest(camera="cam1")
    index.execute("UPDATE images SET camera_source = 'folder'")
    from_earlier_version(index)
    put(index, "North/cam1/IMG_0002.JPG", "South/cam1/IMG_0002.JPG")
    assert held(index) == {}
    assert set(cameras(index).values()) == {"cam1"}
    index.ingest(index.folder / below, is_new_rules=True)
    put(index, "South/cam1/IMG_0003.JPG")
    index.ingest()
    names = cameras(index)
    assert not {names[file] for file in names if "North" in file} & {names[file] for file in names if "South" in file}
    assert len(set(names.values())) == 2


def test_new_station_below_an_earlier_folder(index: Index) -> None:
    """By the rules of an earlier version, a folder that is new to a camera is held back; the known ones are not."""
    put(index, *(f"{station}/DCIM/100RECNX/IMG_0001.JPG" for station in ("North", "South")))
    index.ingest(camera="100RECNX")
    index.execute("UPDATE images SET camera_source = 'folder'")
    from_earlier_version(index)
    put(index, "North/DCIM/100RECNX/IMG_0002.JPG")
    assert held(index) == {}
    put(index, "West/DCIM/100RECNX/IMG_0001.JPG", "North/DCIM/100RECNX/IMG_0003.JPG")
    assert held(index) == {"100RECNX": ["North", "South", "West"]}
    assert len(cameras(index)) == 3
    confirm_camera(index.database, "100RECNX", clock=index.clock)
    assert held(index) == {}
    put(index, "East/DCIM/100RECNX/IMG_0001.JPG")
    assert list(held(index)) == ["100RECNX"]


def test_two_new_stations_below_an_earlier_folder(index: Index) -> None:
    """Two folders that are both new, and that an earlier version would call alike, are held back."""
    put(index, "gate/IMG_0001.JPG")
    index.ingest()
    from_earlier_version(index)
    put(index, "A/2024-05-01/IMG_0001.JPG", "B/2024-05-01/IMG_0001.JPG", "gate/IMG_0002.JPG")
    assert held(index) == {"2024-05-01": ["A", "B"]}
    assert set(cameras(index).values()) == {"gate"}


def test_known_times_are_compared_by_every_new_file(index: Index) -> None:
    """A file that a camera gets by its folder counts like one that names the camera itself."""
    put(index, "gate/gate-1623844800000.png", "gate/old/gate-1623844860000.png")
    index.ingest()
    assert set(cameras(index).values()) == {"gate"}
    put(index, "gate/IMG_0001.jpg")
    assert held(index) == {"gate": ["gate", "gate/old"]}


@pytest.mark.parametrize(
    "ingests",
    [[["north", ".south"]], [[".south"], ["north"]], [["north"], [".south"]], [["north", ".south/2024-05-01"]]],
)
def test_a_hidden_folder_that_was_named(index: Index, ingests: list[list[str]]) -> None:
    """A hidden folder that a person named, now or earlier, counts like any other."""
    put(index, *c10("north", 0, 1), *c10(".south/2024-05-01", 0, 1))
    for folders in ingests[:-1]:
        assert held(index, *folders) == {}
    assert held(index, *ingests[-1]) == {"c10": [".south", "north"]}


@pytest.mark.parametrize(
    ("hours", "option"),
    [
        (("1030", "1130"), {"timezone": "America/New_York"}),
        (("1230",), {"timezone": "America/New_York"}),
        (("1030", "1130"), {"timezone": "Asia/Tokyo"}),
    ],
)
def test_times_are_compared_by_the_new_clock(index: Index, hours: tuple[str, ...], option: dict[str, str]) -> None:
    """The times of known files are compared as they will be with a time zone that comes with new files."""
    put(index, *(f"batch1/c10_20240501_{hour}00.png" for hour in ("1000", "1100", "1200")))
    index.ingest(index.folder / "batch1")
    put(index, *(f"batch2/c10_20240501_{hour}00.png" for hour in hours))
    assert held(index, **option) == ({"c10": ["batch1", "batch2"]} if "1030" in hours else {})


def test_a_new_clock_for_known_files_alone(index: Index) -> None:
    """A time zone by which the known folders of a camera overlap holds it back; one by which they do not is taken."""
    put(index, "batch1/c10_20240501_100000.png", "batch1/c10_20240501_120000.png", "batch2/c10_20240501_130000.png")
    assert held(index) == {}
    times = "SELECT captured_at FROM images ORDER BY id"
    before = index.rows(times)
    zone = {"timezone": "America/New_York"}
    assert preview_ingest(index.database, discover([str(index.folder / "batch2")], **zone)).new_times == 1
    assert held(index, "batch2", timezone="Europe/Berlin") == {"c10": ["batch1", "batch2"]}
    assert index.rows(times) == before
    assert held(index, "batch2", **zone) == {}
    assert index.rows(times)[2] == ("2024-05-01 17:00:00.000000",)


def test_times_are_compared_by_a_new_pattern(index: Index) -> None:
    """The times of known files are compared as a pattern reads them that comes with new files."""
    put(index, "batch1/c10_20240501_100000-at-20240601_100000.png", "batch1/c10_20240501_110000-at-20240601_120000.png")
    index.ingest(index.folder / "batch1")
    put(index, "batch2/c10_20240701_100000-at-20240601_110000.png")
    assert held(index, pattern=r"-at-(?P<timestamp>\d{8}_\d{6})") == {"c10": ["batch1", "batch2"]}


def test_folders_called_like_years(index: Index) -> None:
    """Cameras whose folders are called like years stay two over several ingests, and are held back like any others."""
    for second in range(2):
        put(index, *(f"cams/{number}/20240501_12000{second}.png" for number in (2001, 2002)))
        assert held(index) == {}
    assert set(cameras(index).values()) == {"cams/2001", "cams/2002"}
    put(index, *c10("cams/2001", 0, 1), *c10("cams/2002", 0, 1))
    assert held(index) == {"c10": ["cams/*/2001", "cams/*/2002"]}


def test_person_and_name_say_one_camera(index: Index) -> None:
    """What a person named and what names itself so are two folders, too."""
    put(index, "a/x-1623844800000.png", "b/c10-1623844800000.png")
    index.ingest(index.folder / "a", camera="c10")
    assert held(index) == {"c10": ["a", "b"]}


def test_disk_that_is_away(index: Index, tmp_path: Path) -> None:
    """Images in a folder that no ingest looks at count with their times."""
    put(index, "a/c10-1623844800000.png")
    index.ingest(index.folder / "a")
    (index.folder / "a").rename(tmp_path / "away")
    put(index, "b/c10-1623844800000.png")
    assert held(index, "b") == {"c10": ["a", "b"]}


@given(
    st.lists(
        st.sampled_from(["North", "South", "Station 1", "batch1", "batch2", "2024-05-01", "export", "old", "1"]),
        min_size=2,
        max_size=2,
        unique=True,
    ),
    st.booleans(),
)
def test_a_name_in_two_folders(folders: list[str], at_once: bool) -> None:
    """A camera that file names say in two folders is one without a question only at different times."""
    days = ["20240501", "20240501" if at_once else "20240601"]
    files = [
        PathFile(f"/data/{folder}/c10_{day}_12000{n}.png", 0)
        for n in (0, 1)
        for folder, day in zip(folders, days, strict=True)
    ]
    names = name_tree(files, siblings=(), rules=RuleBook({})).with_assigned_names({})
    known = KnownCameras(None, ())
    check = check_sources(names, known, gone=frozenset(), moved={}, new_times={}, roots=frozenset(), rules=NO_RULES)
    is_one_source = len({naming.source for naming in names.values()}) == 1
    assert {naming.camera for naming in names.values()} == {"c10"}
    assert bool(check.held) is (not is_one_source and at_once)
