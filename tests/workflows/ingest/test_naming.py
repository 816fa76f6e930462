"""Cameras and times through a whole ingest: real trees, two stations of one name, rules that are said once."""

import csv
import os
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from datetime import UTC, datetime
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from indexer.errors import CameraError, FolderError, UsageError
from indexer.store.schema import open_database
from indexer.workflows.admin.camera import confirm_camera, forget_rule, list_cameras, list_rules, undo_confirmation
from indexer.workflows.admin.copy_index import copy
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.preview import IngestPreview, preview_ingest
from tests.support.databases import Maker
from tests.support.index import Index, picture

Watch = Callable[[], AbstractContextManager[list[str]]]
DATA = Path(__file__).parents[2] / "domain" / "data" / "names.csv"
WHOLE = {
    "Hikvision FTP",
    "Dahua FTP",
    "Dahua FTP, two channels",
    "Axis ACAP/SD",
    "Foscam folder",
    "ZoneMinder",
    "motionEye %Y-%m-%d/%H-%M-%S",
    "UniFi Protect US",
    "Wyze dated minutes",
    "Reconyx DCIM folder",
    "day first",
    "epoch seconds",
    "two stations",
    "two cameras of one name in two trees",
}
ROWS = [row for row in csv.DictReader(DATA.read_text("utf-8").splitlines()) if row["scheme"] in WHOLE]


def cameras(index: Index) -> dict[str, str]:
    """The camera of each present image, by file."""
    query = "SELECT path, name FROM images JOIN cameras ON cameras.id = camera_id WHERE state = 'ready'"
    return {index.file(path): camera for path, camera in index.rows(query)}


def put(index: Index, *files: str) -> None:
    """Files that all differ."""
    for file in files:
        index.put(file, picture(stamp=index.writes % 100, height=64 + index.writes // 100))


def preview(index: Index, **options: object) -> IngestPreview:
    """What an ingest of the folder would do."""
    return preview_ingest(index.database, discover([str(index.folder)], **options))  # type: ignore[arg-type]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["scheme"])
def test_row_of_a_real_camera(index: Index, row: dict[str, str]) -> None:
    """A path of a real camera gets its camera and time by a plain ingest."""
    siblings = [f"{name.removesuffix('.jpg')}.jpg" for name in row["siblings"].split(".jpg ") if name]
    files = [row["path_below_root"], *(name.replace(".JPG.jpg", ".JPG") for name in siblings)]
    put(index, *files)
    assert index.ingest().outcomes == {"added": len(files)}
    assert cameras(index)[files[0]] == row["camera"].replace("<root>", "frames")
    [(at, source)] = index.rows(
        "SELECT captured_at, captured_at_source FROM images WHERE path = ?", str(index.folder / files[0])
    )
    expected = f"{datetime.fromisoformat(row['captured_at']):%Y-%m-%d %H:%M:%S.%f}" if row["captured_at"] else None
    assert (at if source == "name" else None) == expected


@pytest.mark.parametrize("at_once", [True, False])
def test_two_stations_are_never_one_camera(index: Index, at_once: bool) -> None:
    """Stations with equal inner folders are two cameras, taken in together or one after the other."""
    files = [f"{station}/{inner}/IMG_0001.JPG" for station in ("North", "South") for inner in ("DCIM/100RECNX", "cam1")]
    put(index, *files)
    for folders in [[index.folder]] if at_once else [[index.folder / "North"], [index.folder / "South"]]:
        index.ingest(*folders)
    found = cameras(index)
    assert len(set(found.values())) == 4
    assert [found[file] for file in files if "DCIM" in file] == ["North", "South"]


def test_batches_at_different_times_are_one_camera(index: Index) -> None:
    """One name in two folders whose times do not overlap is one camera without a question, and is reported."""
    put(index, "batch1/c10-1623844800000.png", "batch1/c10-1623844860000.png", "batch2/c10-1623844920000.png")
    report = index.ingest()
    assert (report.outcomes, report.names.held) == ({"added": 3}, ())
    assert set(cameras(index).values()) == {"c10"}
    assert {camera: len(folders) for camera, folders in report.names.several_folders.items()} == {"c10": 2}


def test_one_name_at_one_time_is_held_back(index: Index) -> None:
    """Where times overlap that camera alone is held back, until a person confirms it; others go on."""
    put(
        index,
        "a/c10-1623844800000.png",
        "a/c10-1623844920000.png",
        "b/c10-1623844860000.png",
        "b/c11-1623844860000.png",
    )
    report = index.ingest()
    assert dict(report.outcomes) == {"added": 1, "skipped": 3}
    [held] = report.names.held
    assert (held.camera, held.files, [Path(folder).name for folder in held.folders]) == ("c10", 3, ["a", "b"])
    with pytest.raises(CameraError, match="c10"):
        confirm_camera(index.database, "c01", clock=index.clock)
    confirm_camera(index.database, "c10", clock=index.clock)
    assert index.ingest().outcomes == {"added": 3, "unchanged": 1}
    put(index, "a/c10-1623844860500.png")
    assert index.ingest().outcomes == {"added": 1, "unchanged": 4}
    put(index, "c/c10-1623844860700.png")
    assert dict(index.ingest().outcomes) == {"skipped": 1, "unchanged": 5}


def test_held_camera_is_answered_by_a_level(index: Index) -> None:
    """`--camera-level 1` makes each first folder a camera, now and at the next plain ingest."""
    put(index, "a/c10-1623844800000.png", "b/c10-1623844800000.png")
    assert index.ingest().names.held
    index.ingest(camera_level=1)
    put(index, "b/x/c10-1623844860000.png")
    index.ingest()
    assert set(cameras(index).items()) == {
        ("a/c10-1623844800000.png", "a"),
        ("b/c10-1623844800000.png", "b"),
        ("b/x/c10-1623844860000.png", "b"),
    }


@pytest.mark.parametrize("at_once", [True, False])
def test_folders_of_a_level_are_never_one_camera(index: Index, at_once: bool) -> None:
    """By a level each folder is a camera, also where two have one name, in one tree or in two."""
    files = [f"{site}/{station}/cam1/x/IMG_0001.JPG" for site in ("a", "b") for station in ("North", "South")]
    put(index, *files)
    for site in ("a", "b"):
        for folder in [site] if at_once else [f"{site}/North", f"{site}/South"]:
            index.ingest(index.folder / folder, camera_level=2 if at_once else 1)
    put(index, *(file.replace("0001", "0002") for file in files))
    index.ingest()
    found = cameras(index)
    assert len(set(found.values())) == 4
    assert all(found[file] == found[file.replace("0001", "0002")] for file in files)


def test_level_parts_what_was_one(index: Index) -> None:
    """Folders that a person first called one camera are two by a level that is said later."""
    put(index, "North/cam1/IMG_0001.JPG", "South/cam1/IMG_0001.JPG")
    index.ingest(camera="cam1")
    index.ingest(camera_level=2)
    assert cameras(index) == {f"{name}/IMG_0001.JPG": name for name in ("North/cam1", "South/cam1")}


def test_level_keeps_the_camera_of_before(index: Index) -> None:
    """A camera whose folders were stored one by one, as those below a folder of the level, is known again."""
    put(index, "North/a/IMG_0001.JPG", "North/b/IMG_0001.JPG")
    index.ingest(camera_level=1)
    index.execute("UPDATE camera_sources SET source = ?", str(index.folder / "North" / "a"))
    index.execute(
        "INSERT INTO camera_sources (camera_id, source, is_confirmed) SELECT camera_id, ?, TRUE FROM camera_sources",
        str(index.folder / "North" / "b"),
    )
    put(index, "North/c/IMG_0001.JPG")
    index.ingest()
    assert set(cameras(index).values()) == {"North"}


def test_second_folder_later_is_held_back(index: Index) -> None:
    """What the index knows of a camera counts as if it were ingested now."""
    put(index, "a/c10-1623844800000.png", "a/c10-1623844920000.png", "b/c10-1623844860000.png")
    index.ingest(index.folder / "a")
    assert index.ingest(index.folder / "b").names.held[0].camera == "c10"
    assert set(cameras(index)) == {"a/c10-1623844800000.png", "a/c10-1623844920000.png"}


PATTERN = r"^(?P<camera>\w+)-x(?P<timestamp>\d{14})"


def test_a_rule_holds_at_the_next_ingest(index: Index, maker: Maker, tmp_path: Path) -> None:
    """A pattern holds at the next plain ingest, at a subfolder, and after `db copy`."""
    put(index, "gate-x20210327135337.png")
    index.ingest(pattern=r"(?P<camera>[a-z]+)-x(?P<timestamp>\d{14})")
    put(index, "deep/gate-x20210327135437.png")
    index.ingest(index.folder / "deep")
    put(index, "gate-x20210327135537.png")
    index.ingest()
    target = maker.place(tmp_path)
    copy(index.database.name if index.database.path is None else str(index.database.path), target, clock=index.clock)
    with closing(open_database(target)) as database:
        copied = Index(database, index.folder, index.clock, index.writes)
        put(copied, "gate-x20210327135637.png")
        copied.ingest()
        assert set(cameras(copied).values()) == {"gate"}
        sources = copied.rows("SELECT DISTINCT camera_source, captured_at_source FROM images")
        assert (sources, len(cameras(copied))) == ([("pattern", "pattern")], 4)


def test_another_rule_takes_the_place_of_the_first(index: Index, opened_images: Watch) -> None:
    """A new word about a folder renames what is there without opening it, and holds below it, too."""
    put(index, "a/x-1623844800000.png", "b/y-1623844800000.png")
    index.ingest(index.folder / "a", camera="first")
    index.ingest(camera_level=1)
    assert cameras(index) == {"a/x-1623844800000.png": "a", "b/y-1623844800000.png": "b"}
    with opened_images() as opened:
        report = index.ingest(camera="all")
    assert (opened, dict(report.outcomes), set(cameras(index).values())) == ([], {"renamed": 2}, {"all"})
    assert [(rule.folder, rule.camera) for rule in list_rules(index.database)] == [(str(index.folder), "all")]


@pytest.mark.parametrize(
    ("scheme", "file"),
    [
        ("reolink", "Reolink_00_20240501120000.png"),
        ("reolink", "01_20240501120000.png"),
        ("reolink", "MDAlarm_20240501120000.png"),
        ("reolink", "Reolink_20240501120000.png"),
        ("zoneminder", "2024-05-01/7/00001-capture.png"),
        ("gopro", "cam1/DCIM/100GOPRO/G0010001.JPG"),
    ],
)
@pytest.mark.parametrize("first", [{}, None])
def test_scheme_joins_nothing(index: Index, scheme: str, file: str, first: dict[str, str] | None) -> None:
    """A scheme names no cameras: what the general rules tell apart stays apart, and known files keep their cameras."""
    put(index, f"North/{file}", f"South/{file}")
    if first is not None:
        index.ingest(**first)
        before = [(one.camera, one.images) for one in list_cameras(index.database)]
    index.ingest(scheme=scheme)
    after = [(one.camera, one.images) for one in list_cameras(index.database)]
    assert [images for _, images in after] == [1, 1]
    assert first is None or after == before


def test_scheme_holds_back(index: Index) -> None:
    """A name that a person gave in two folders at one time is held back with a scheme, too."""
    put(index, "North/gate_20240501120000.png", "South/gate_20240501120000.png")
    assert [camera.camera for camera in index.ingest(scheme="reolink").names.held] == ["gate"]


def test_scheme_is_a_pattern(index: Index) -> None:
    """`--scheme` reads a tree as its maker writes it; an unknown one is refused with the names that there are."""
    put(index, "AMC1/2024-05-01/001/jpg/12/30/45[M][0@0][0].jpg")
    index.ingest(scheme="dahua")
    assert index.rows("SELECT captured_at, captured_at_source FROM images") == [
        ("2024-05-01 12:30:45.000000", "pattern")
    ]
    with pytest.raises(UsageError, match="dahua"):
        discover([str(index.folder)], scheme="nonsense")


def test_lone_file_stores_no_rule(index: Index) -> None:
    """A camera for single files says nothing of the others in their folder."""
    put(index, "x-1623844800000.png", "y-1623844860000.png")
    index.ingest(index.folder / "x-1623844800000.png", camera="gate")
    index.ingest()
    assert set(cameras(index).values()) == {"gate", "y"}


def earlier(index: Index) -> None:
    """Makes the index one of an earlier version: its folder has the rules of then, its cameras no folders."""
    index.execute("DELETE FROM camera_sources")
    index.execute(
        "INSERT INTO camera_sources (camera_id, source, is_root) SELECT DISTINCT camera_id, root, TRUE FROM images"
    )
    index.execute("DELETE FROM naming_rules")
    index.execute("INSERT INTO naming_rules (folder, is_earlier) SELECT DISTINCT root, TRUE FROM images")


def earlier_station(index: Index) -> None:
    """Two stations whose images an earlier version took for one camera."""
    for station in ("North", "South"):
        put(index, f"{station}/DCIM/100RECNX/IMG_0001.JPG")
    index.ingest(camera="100RECNX")
    index.execute("UPDATE images SET camera_source = 'folder'")
    earlier(index)


def test_index_of_an_earlier_version_keeps_its_cameras(index: Index, opened_images: Watch) -> None:
    """Old and new images keep the camera of then, a preview tells what would change, and `--new-rules` changes it."""
    earlier_station(index)
    put(index, "North/DCIM/100RECNX/IMG_0002.JPG")
    report = index.ingest()
    assert (set(cameras(index).values()), len(report.names.earlier_folders)) == ({"100RECNX"}, 1)
    before = index.dump(without=("runs",))
    changes = [(one.camera, one.becomes, one.files, one.needs_new_rules) for one in preview(index).changes]
    assert changes == [("100RECNX", "North", 2, True), ("100RECNX", "South", 1, True)]
    assert index.dump(without=("runs",)) == before
    with opened_images() as opened:
        index.ingest(is_new_rules=True)
    assert (opened, sorted(cameras(index).values())) == ([], ["North", "North", "South"])
    put(index, "South/DCIM/100RECNX/IMG_0002.JPG")
    index.ingest()
    assert sorted(cameras(index).values()) == ["North", "North", "South", "South"]


def test_new_rules_part_what_was_one(index: Index) -> None:
    """Two folders of one name, which an earlier version took for one camera, are two by the rules of today."""
    put(index, "North/cam1/IMG_0001.JPG", "South/cam1/IMG_0001.JPG", "gate/IMG_0001.JPG")
    index.ingest()
    index.execute("UPDATE images SET camera_id = (SELECT MIN(camera_id) FROM images) WHERE path LIKE '%cam1%'")
    earlier(index)
    index.ingest(is_new_rules=True)
    found = cameras(index)
    assert found["North/cam1/IMG_0001.JPG"] != found["South/cam1/IMG_0001.JPG"]
    assert found["gate/IMG_0001.JPG"] == "gate"


def test_preview_touches_nothing(index: Index, opened_images: Watch) -> None:
    """A dry run opens no image, writes no row, and names cameras, folders and times."""
    put(index, "Camera1/2024-05-01/12-30-45.jpg", "Camera1/2024-05-02/12-30-45.jpg", "gate/IMG_0001.jpg")
    before = index.dump()
    with opened_images() as opened:
        shown = preview(index)
    assert (opened, index.dump()) == ([], before)
    at = datetime(2024, 5, 1, 12, 30, 45, tzinfo=UTC)
    assert [
        (one.camera, one.files, one.new, one.folders, one.first, one.camera_from, one.time_from)
        for one in shown.cameras
    ] == [
        ("Camera1", 2, 2, 2, at, "folder", "name"),
        ("gate", 1, 1, 1, None, "folder", "EXIF or mtime"),
    ]


def test_preview_says_what_is_held_back(index: Index) -> None:
    """A dry run names the cameras that an ingest would hold back, and what its options would rename."""
    put(index, "a/c10-1623844800000.png")
    index.ingest()
    put(index, "b/c10-1623844800000.png")
    assert [held.camera for held in preview(index).names.held] == ["c10"]
    [change] = preview(index, camera="yard").changes
    assert (change.camera, change.becomes, change.files, change.needs_new_rules) == ("c10", "yard", 1, False)


def test_time_zone_of_a_folder(index: Index) -> None:
    """Local times become UTC by the zone; it is remembered, and another one gives known images their times anew."""
    put(index, "gate_20210727_135337.png")
    index.ingest(timezone="Europe/Berlin")
    put(index, "gate_20210127_135337.png")
    index.ingest()
    times = "SELECT captured_at FROM images ORDER BY captured_at"
    assert index.rows(times) == [("2021-01-27 12:53:37.000000",), ("2021-07-27 11:53:37.000000",)]
    assert index.ingest(timezone="UTC").outcomes == {"renamed": 2}
    assert index.rows(times) == [("2021-01-27 13:53:37.000000",), ("2021-07-27 13:53:37.000000",)]
    with pytest.raises(UsageError, match="Europe/Berlin"):
        discover([str(index.folder)], timezone="Nowhere/Land")


def test_hour_that_happens_twice_is_counted(index: Index) -> None:
    """Of an hour that happens twice the first is taken, and the report and the run count such images."""
    put(index, "gate_20211031_023000.png", "gate_20211031_033000.png")
    report = index.ingest(timezone="Europe/Berlin")
    assert report.ambiguous_times == 1
    assert index.rows("SELECT captured_at FROM images ORDER BY 1")[0] == ("2021-10-31 00:30:00.000000",)
    assert '"ambiguous_times": 1' in index.rows("SELECT counts FROM runs")[0][0]


def put_exif(index: Index, file: str, *, offset: str | None = None) -> None:
    """A JPEG with an EXIF time of noon in summer."""
    path = index.put(file, b"")
    grey = np.random.default_rng(index.writes).integers(0, 255, (64, 96), np.uint8)
    image, exif = Image.fromarray(cv2.GaussianBlur(grey, (5, 5), 0)), Image.Exif()
    exif.get_ifd(0x8769)[0x9003] = "2021:07:27 12:00:00"
    if offset is not None:
        exif.get_ifd(0x8769)[0x9011] = offset
    image.save(path, exif=exif)


def test_time_zone_of_exif(index: Index) -> None:
    """EXIF without an offset is local time, too; with an offset it is not, also where the zone is said later."""
    put_exif(index, "cam/a.jpg")
    put_exif(index, "cam/b.jpg", offset="+05:00")
    index.ingest()
    times = "SELECT captured_at, captured_at_source FROM images ORDER BY path"
    assert index.rows(times) == [("2021-07-27 12:00:00.000000", "exif"), ("2021-07-27 07:00:00.000000", "exif")]
    [camera] = preview(index, timezone="Europe/Berlin").cameras
    assert (camera.first, camera.last, camera.time_from) == (None, None, "exif"), "they are read again"
    index.ingest(timezone="Europe/Berlin")
    assert index.rows(times) == [("2021-07-27 10:00:00.000000", "exif"), ("2021-07-27 07:00:00.000000", "exif")]


def test_many_cameras_of_one_image_are_reported(index: Index) -> None:
    """Numbers that take turns stay cameras, and the report says that they have one image each."""
    put(index, *(f"x/{(minute * 3) % 7}_2021032713{minute:02}00.png" for minute in range(7)))
    assert len(index.ingest().names.single_image_cameras) == 7


@pytest.mark.parametrize("name", ["x/gate {n}_20240501_{n}0000.jpg", "x/event {n}/a.jpg"])
def test_cameras_of_single_images_that_come_one_by_one(index: Index, name: str) -> None:
    """Cameras of one image each are counted with those that the index has in the same folder, and no others."""
    put(index, *(f"elsewhere/{n}/a.jpg" for n in range(4)))
    index.ingest()
    counts = []
    for n in (13, 11, 14, 12, 15, 10):
        put(index, name.format(n=n))
        counts.append(len(index.ingest(index.folder / name.format(n=n)).names.single_image_cameras))
    assert counts == [0, 0, 0, 0, 5, 6]


def test_cameras_of_single_images_are_counted_as_they_are_after_the_ingest(index: Index) -> None:
    """A camera that gets its second image counts no more, nor does one that a person named or that is held back."""
    put(index, *(f"x/gate {n}_20240501_{n}0000.jpg" for n in range(10, 14)), "x/a/yard_20240501_100000.jpg")
    index.ingest()
    put(index, *(f"x/gate {n}_20240501_{n}0001.jpg" for n in (10, 11, 14)), "x/b/yard_20240501_100000.jpg")
    report = index.ingest()
    assert ([camera.camera for camera in report.names.held], report.names.single_image_cameras) == (["yard"], ())
    put(index, "x/gate 15_20240501_150000.jpg", "x/gate 16_20240501_160000.jpg")
    index.ingest(index.folder / "x/gate 16_20240501_160000.jpg", camera="door")
    assert index.ingest().names.single_image_cameras == ()
    put(index, "x/gate 17_20240501_170000.jpg")
    assert index.ingest().names.single_image_cameras == tuple(f"gate {n}" for n in (12, 13, 14, 15, 17))


@pytest.mark.parametrize(("hours", "is_reported"), [(1, True), (0, False)])
def test_cameras_that_follow_each_other_are_reported(index: Index, hours: int, is_reported: bool) -> None:
    """Many new cameras whose names differ in numbers alone may be days or events, unless they were there at once."""
    for day in range(5):
        for n in range(2):
            file = index.put(f"Gate/Day {day}/IMG_{n}.png", picture(stamp=day * 2 + n))
            second = 1_714_500_000 + day * hours * 3600 + n * 60
            os.utime(file, (second, second))
    expected = tuple(f"Day {day}" for day in range(5)) if is_reported else ()
    assert index.ingest().names.successive_cameras == expected


def test_equal_files_of_two_cameras_are_pointed_out(index: Index) -> None:
    """The report names two files of one content that lie in two cameras."""
    for camera in ("a", "b"):
        index.put(f"{camera}/IMG_0001.jpg", picture())
    report = index.ingest()
    assert (report.equal_contents, report.equal_example) == (
        1,
        (str(index.folder / "a/IMG_0001.jpg"), str(index.folder / "b/IMG_0001.jpg")),
    )


def test_moved_folder_is_not_held_back(index: Index) -> None:
    """Files that moved to another folder keep their camera without a question."""
    put(index, "a/c10-1623844800000.png", "a/c10-1623844860000.png", "a/c10-1623844920000.png")
    index.ingest()
    (index.folder / "b").mkdir()
    (index.folder / "a/c10-1623844860000.png").rename(index.folder / "b/c10-1623844860000.png")
    assert index.ingest().outcomes == {"unchanged": 2, "moved": 1}


def test_cameras_are_listed(index: Index) -> None:
    """The list has the folders of each camera, and the zone that is stored for them."""
    put(index, "gate/IMG_0001.jpg", "yard/IMG_0001.jpg")
    index.ingest(timezone="Europe/Berlin")
    assert [(one.camera, one.images, one.sources, one.timezone) for one in list_cameras(index.database)] == [
        (name, 1, (str(index.folder / name),), "Europe/Berlin") for name in ("gate", "yard")
    ]


def test_a_rule_is_forgotten(index: Index) -> None:
    """What was said of a folder holds no more for new files, and what was said of a folder above holds again."""
    put(index, "a/x-1623844800000.png", "b/y-1623844800000.png")
    index.ingest(camera="all")
    index.ingest(index.folder / "a", camera="own")
    assert forget_rule(index.database, str(index.folder / "a"), clock=index.clock).camera == "own"
    assert [(rule.folder, rule.camera) for rule in list_rules(index.database)] == [(str(index.folder), "all")]
    put(index, "a/x-1623844860000.png")
    index.ingest()
    forget_rule(index.database, f"{index.folder}/", clock=index.clock)
    put(index, "b/y-1623844860000.png")
    index.ingest()
    assert cameras(index) == {
        "a/x-1623844800000.png": "own",
        "a/x-1623844860000.png": "all",
        "b/y-1623844800000.png": "all",
        "b/y-1623844860000.png": "y",
    }
    with pytest.raises(FolderError, match="nothing is stored"):
        forget_rule(index.database, str(index.folder / "a"), clock=index.clock)


@pytest.mark.parametrize(
    "option",
    [
        {"camera_level": 1},
        {"camera": "all"},
        {"scheme": "arlo"},
        {"pattern": r"(?P<camera>[a-z])/\w+-(?P<timestamp>\d{13})"},
    ],
)
def test_a_rule_is_undone_on_known_images(index: Index, option: dict[str, object], opened_images: Watch) -> None:
    """With `--forget-rules` known images are named as if nothing had been said of their folder, and none is opened."""
    put(index, "a/x-1623844800000.png", "b/y-1623844800000.png")
    index.ingest()
    names = "SELECT path, name, camera_source, captured_at, captured_at_source FROM images JOIN cameras"
    query = f"{names} ON cameras.id = camera_id ORDER BY path"
    before = index.rows(query)
    index.ingest(**option)
    assert index.rows(query) != before or "scheme" in option
    with opened_images() as opened:
        index.ingest(forgets_rules=True)
    assert (opened, index.rows(query)) == ([], before)
    assert [rule.says_anything for rule in list_rules(index.database)] == [False]
    put(index, "b/y-1623844860000.png")
    index.ingest()
    assert set(cameras(index).values()) == {"x", "y"}


def test_times_of_a_forgotten_pattern(index: Index) -> None:
    """Where a pattern gave times that names do not have, files are read again for those of EXIF."""
    put_exif(index, "cam/n010203.jpg")
    index.ingest(pattern=r"n(?P<year>\d\d)(?P<month>\d\d)(?P<day>\d\d)")
    times = "SELECT captured_at, captured_at_source FROM images"
    assert index.rows(times) == [("2001-02-03 00:00:00.000000", "pattern")]
    index.ingest(forgets_rules=True)
    assert index.rows(times) == [("2021-07-27 12:00:00.000000", "exif")]


def test_a_scheme_keeps_the_camera(index: Index) -> None:
    """A scheme names no camera: the one that a person gave before stays."""
    put(index, "x/Reolink_00_20240501123045.png")
    index.ingest(camera="yard")
    index.ingest(scheme="reolink")
    put(index, "x/Reolink_00_20240501123145.png")
    index.ingest()
    assert set(cameras(index).values()) == {"yard"}
    [rule] = list_rules(index.database)
    assert (rule.camera, rule.scheme) == ("yard", "reolink")


def test_a_confirmation_is_taken_back(index: Index) -> None:
    """After it is taken back new images are held back again; what is not confirmed cannot be taken back."""
    put(index, "a/c10-1623844800000.png", "a/c10-1623844920000.png", "b/c10-1623844860000.png")
    index.ingest()
    confirm_camera(index.database, "c10", clock=index.clock)
    index.ingest()
    assert len(undo_confirmation(index.database, "c10", clock=index.clock).folders) == 2
    with pytest.raises(CameraError, match="c10"):
        undo_confirmation(index.database, "c10", clock=index.clock)
    put(index, "b/c10-1623844870000.png")
    assert [camera.camera for camera in index.ingest().names.held] == ["c10"]
    index.ingest(camera_level=1)
    assert sorted(cameras(index).values()) == ["a", "a", "b", "b"]


def test_rules_of_an_earlier_version_are_not_forgotten(index: Index) -> None:
    """They end with the rules of today for all images, as one camera would be split without."""
    earlier_station(index)
    with pytest.raises(FolderError, match="--new-rules"):
        forget_rule(index.database, str(index.folder), clock=index.clock)
    assert [rule.is_earlier for rule in list_rules(index.database)] == [True]


@pytest.mark.parametrize("file", ["gate/2024-05-01/001/jpg/12/30/{}[M][0@0][0].jpg", "x/Reolink_00_202405011230{}.jpg"])
def test_source_as_it_was_stored_at_first(index: Index, file: str) -> None:
    """A camera is known again by the spelling of its source that an index may have."""
    put(index, file.format(45))
    index.ingest()
    index.execute("UPDATE camera_sources SET source = REPLACE(REPLACE(source, '/*/', '/'), '*', '')")
    put(index, file.format(46), "gate/001/jpg/IMG_0001.jpg")
    index.ingest()
    names = cameras(index)
    assert names[file.format(45)] == names[file.format(46)] != names["gate/001/jpg/IMG_0001.jpg"]


@pytest.mark.parametrize(
    "file", ["x/192.168.1.64_01_202405011230{}678_TIMING.jpg", "x/milesight_2024-05-01_1230{}_MD.jpg"]
)
def test_a_camera_of_a_factory_name_stays(index: Index, file: str) -> None:
    """A camera whose names were taken for a person's keeps its images, at any times, without a question."""
    put(index, file.format(45), file.format(49))
    index.ingest()
    index.execute("UPDATE camera_sources SET source = ?", str(index.folder / "x"))
    for second in (46, 47):
        put(index, file.format(second))
        report = index.ingest()
        assert (report.names.held, report.names.several_folders) == ((), {})
    assert len(set(cameras(index).values())) == 1


def test_numbers_stay_what_they_were(index: Index) -> None:
    """A single number is an event, or a channel, where the known images of its folder say so."""
    put(index, "yard/2021-03-27/01-20210327130000.png", "yard/2021-03-27/02-20210327131000.png")
    put(index, "nvr/2021-03-27/01-20210327130000.png", "nvr/2021-03-27/02-20210327130000.png")
    index.ingest()
    put(index, "yard/2021-03-28/03-20210328130000.png", "nvr/2021-03-28/02-20210328130000.png")
    for folder in ("yard", "nvr"):
        index.ingest(index.folder / folder / "2021-03-28")
    names = cameras(index)
    assert {name for file, name in names.items() if "yard" in file} == {"yard"}
    assert names["nvr/2021-03-28/02-20210328130000.png"] == names["nvr/2021-03-27/02-20210327130000.png"]


@pytest.mark.parametrize(
    ("first", "later", "expected"),
    [
        (
            ["01_20210327130000", "02_20210327130010"],
            [f"{n:02}_202103271301{n:02}" for n in range(3, 20)],
            {"x"},
        ),
        (["01-20210327130000", "02-20210327130010"], ["01-20210327130020"], {"01", "02"}),
    ],
)
def test_numbers_that_turn_out_otherwise_are_reported(
    index: Index, first: list[str], later: list[str], expected: set[str]
) -> None:
    """If later files show that numbers are events, or channels, the report says where; `--new-rules` names all so."""
    put(index, *(f"x/{name}.png" for name in first))
    assert index.ingest().names.reread_folders == ()
    put(index, *(f"x/{name}.png" for name in later))
    assert index.ingest().names.reread_folders == (str(index.folder / "x"),)
    assert index.ingest(is_new_rules=True).names.reread_folders == ()
    assert set(cameras(index).values()) == expected


def test_a_number_that_turns_out_to_be_an_event(index: Index) -> None:
    """The events of a folder stay one camera where each day is taken in by itself, by the name of the first."""
    for day in range(1, 5):
        put(index, f"Yard/2024-05-0{day}/0{day}-2024050{day}120000-00.png")
        report = index.ingest(index.folder / "Yard" / f"2024-05-0{day}")
        assert (report.names.reread_folders, report.names.several_folders, report.names.held) == ((), {}, ())
    assert set(cameras(index).values()) == {"01"}
    put(index, "Yard/2024-05-01/02-20240501120500-00.png")
    index.ingest()
    assert set(cameras(index).values()) == {"01"}
    index.ingest(is_new_rules=True)
    assert set(cameras(index).values()) == {"Yard"}


@pytest.mark.parametrize("channels", [("01", "02"), ("02", "01"), ("01", "02", "03"), ("03", "01", "02")])
@pytest.mark.parametrize("at_once", [True, False])
def test_channels_below_a_date(index: Index, channels: tuple[str, ...], at_once: bool) -> None:
    """Folders of channels below a date are cameras, whichever of them is named first."""
    put(index, *(f"AMC/2024-05-01/{channel}/IMG_{n}.png" for channel in channels for n in range(2)))
    for channel in channels:
        index.ingest(index.folder / "AMC/2024-05-01" / channel if not at_once else index.folder / "AMC")
    found = cameras(index)
    assert len({found[f"AMC/2024-05-01/{channel}/IMG_0.png"] for channel in channels}) == len(channels)
    assert all(found[file.replace("IMG_0", "IMG_1")] == camera for file, camera in found.items())


def test_channels_that_come_one_by_one(index: Index) -> None:
    """A channel that is alone on the disk at first stays apart from the next."""
    for channel in ("01", "02", "03"):
        put(index, f"AMC/2024-05-01/{channel}/IMG_0.png")
        index.ingest(index.folder / "AMC/2024-05-01" / channel)
    assert sorted(cameras(index).values()) == ["AMC", "AMC/02", "AMC/03"]


def test_few_files_do_not_join_channels(index: Index) -> None:
    """New files that only count up, of a folder with channels, are of these channels."""
    put(index, *(f"nvr/{n:02}-2021032713{minute:02}00.png" for n in (1, 2) for minute in range(3)))
    index.ingest()
    put(index, "nvr/2021-03-28/01-20210328130000.png", "nvr/2021-03-28/02-20210328130100.png")
    index.ingest(index.folder / "nvr/2021-03-28")
    assert {file.rpartition("/")[2][:2]: camera for file, camera in cameras(index).items()} == {"01": "01", "02": "02"}


def test_a_camera_keeps_its_longer_name(index: Index) -> None:
    """A folder whose camera has a longer name gets no second camera of the shorter one that is free by itself."""
    put(index, "North/cam1/IMG_0001.JPG", "South/cam1/IMG_0001.JPG")
    index.ingest()
    put(index, "North/cam1/IMG_0002.JPG")
    index.ingest()
    put(index, "South/cam1/IMG_0002.JPG")
    index.ingest(index.folder / "South")
    found = cameras(index)
    assert {file: camera for file, camera in found.items()} == {file: os.path.dirname(file) for file in found}
