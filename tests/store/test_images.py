"""Images: what is added is known again by path, content and folder, and only what may change changes."""

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from indexer.domain.descriptions import FileDescription, Thumbnail
from indexer.domain.images import Image, ImageState
from indexer.domain.names import Naming
from indexer.domain.profiles import BALANCED
from indexer.errors import DatabaseError
from indexer.store import image_folders, images, profiles, ranked_images, thumbnails
from indexer.store.cameras import list_cameras
from indexer.store.database import Database
from indexer.store.images import KnownFile, NewImage, PresentFile
from tests.support.databases import execute

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
ODD_PATHS = [
    "/frames/a b.jpg",
    "/frames/line\nbreak.jpg",
    "/frames/Zürich 東京.png",
    os.fsdecode(b"/frames/caf\xe9.bmp"),
    "/frames/-rf.webp",
    "/frames/100%_?*[a]'\";--.jpg",
]

Add = Callable[..., int]


def known_at(database: Database, path: str) -> KnownFile | None:
    with database.read() as session:
        return images.list_known(session, [path]).get(path)


def states(database: Database, *content_hashes: str) -> dict[int, ImageState]:
    with database.read() as session:
        return {known.id: known.state for known in images.list_by_hash(session, content_hashes)}


def present_under(database: Database, folder: str) -> list[str]:
    with database.read() as session:
        return sorted(present.path for present in images.iter_present_under(session, folder))


def thumbnail(data: bytes = b"png", *, height: int = 240) -> Thumbnail:
    return Thumbnail(BALANCED.preparation.digest, height, 320, data)


def test_an_added_file_is_known(database: Database, add: Add, described: Callable[..., FileDescription]) -> None:
    """All that was added of a file comes back, by its path."""
    image_id = add("/frames/1.jpg", camera="lot", at=LATER, source="exif", mtime_ns=2**62, size_bytes=2**40)
    content_hash = described("/frames/1.jpg").content_hash
    naming = Naming("lot", "name", LATER, "exif")
    known = KnownFile(image_id, "/frames/1.jpg", "/frames", 2**40, 2**62, content_hash or "", ImageState.READY, naming)
    assert known_at(database, "/frames/1.jpg") == known


@pytest.mark.parametrize("path", ODD_PATHS)
def test_odd_paths_are_known(database: Database, add: Add, path: str) -> None:
    """A path comes back byte for byte, whatever it holds, and is found by it."""
    image_id = add(path)
    with database.read() as session:
        assert [(known.id, known.path) for known in images.list_known(session, ODD_PATHS).values()] == [
            (image_id, path)
        ]


@pytest.mark.parametrize("state", [ImageState.UNREADABLE, ImageState.DAMAGED, ImageState.TOO_SMALL])
def test_files_that_cannot_be_used_are_known(database: Database, add: Add, state: ImageState) -> None:
    """A file that could not be used is a row too, without measures, so that it is not opened again."""
    add("/frames/1.jpg", state=state, state_reason="no header", width=None, height=None, sharpness=None)
    known = known_at(database, "/frames/1.jpg")
    assert known is not None
    assert known.state is state


def test_a_ready_image_is_measured(database: Database, add: Add) -> None:
    """The database refuses a ready image without its sharpness."""
    with pytest.raises(DatabaseError, match="ck_images_measured"):
        add("/frames/1.jpg", sharpness=None)


def test_a_path_is_taken_once(database: Database, add: Add) -> None:
    """The database refuses a second row at a path, until the first is missing or removed."""
    first = add("/frames/1.jpg")
    with pytest.raises(DatabaseError, match=r"(?i)unique"):
        add("/frames/1.jpg", content_hash="other")
    with database.write() as session:
        images.set_state(session, [first], ImageState.MISSING, reason="replaced")
    second = add("/frames/1.jpg", content_hash="other")
    known = known_at(database, "/frames/1.jpg")
    assert (known and known.id, states(database, "other")) == (second, {second: ImageState.READY})


@pytest.mark.parametrize("state", [ImageState.MISSING, ImageState.REMOVED])
def test_what_is_away_is_not_known_by_path(database: Database, add: Add, state: ImageState) -> None:
    """A missing or removed row is found by its content alone."""
    image_id = add("/frames/1.jpg", content_hash="same")
    with database.write() as session:
        images.set_state(session, [image_id], state)
    assert (known_at(database, "/frames/1.jpg"), states(database, "same")) == (None, {image_id: state})


def test_many_paths_are_asked_for_at_once(database: Database, add: Add) -> None:
    """More paths than SQLite takes in one statement are answered all the same."""
    paths = [f"/frames/{number}.jpg" for number in range(3)]
    for path in paths:
        add(path)
    with database.read() as session:
        asked = [*paths[:2], *(f"/elsewhere/{number}.jpg" for number in range(40_000)), paths[2]]
        assert sorted(images.list_known(session, asked)) == paths
        assert images.list_known(session, []) == {}


def test_content_is_found_oldest_first(database: Database, add: Add) -> None:
    """Rows of one content come in the order in which they were added, of whatever state."""
    first, second = add("/frames/2.jpg", content_hash="same"), add("/frames/1.jpg", content_hash="same")
    add("/frames/3.jpg", content_hash="other")
    with database.read() as session:
        assert [known.id for known in images.list_by_hash(session, ["same", "none"])] == [first, second]


@pytest.mark.parametrize(
    "folder", ["/a/b", "/a/100%", "/a/x_y", "/a/é b", os.fsdecode(b"/a/caf\xe9"), "/a/b/c", "/a/[b]*?"]
)
def test_present_under_a_folder(database: Database, add: Add, folder: str) -> None:
    """What lies below a folder at any depth, however odd its name, and nothing beside the folder."""
    names = ["1.jpg", "deep/er/2.jpg", "%.jpg", "é.jpg", os.fsdecode(b"\xe9.jpg"), os.fsdecode(b"\xe9/3.jpg")]
    inside = [f"{folder}/{name}" for name in names]
    outside = [folder, f"{folder}c/1.jpg", f"{folder}.jpg", f"{folder}0", f"{folder} 2/1.jpg", "/a/xzy/1.jpg"]
    outside += ["/a/100/1.jpg", "/a/1000/1.jpg", "/b/1.jpg", f"/frames{folder}/1.jpg", os.fsdecode(b"/a/\xe9/1.jpg")]
    for path in [*inside, *outside]:
        add(path)
    assert present_under(database, folder) == present_under(database, f"{folder}/") == sorted(inside)


def test_present_under_the_root(database: Database, add: Add) -> None:
    """Below `/` is everything."""
    paths = ["/1.jpg", "/é/1.jpg", os.fsdecode(b"/\xe9/1.jpg")]
    for path in paths:
        add(path)
    assert present_under(database, "/") == sorted(paths)


def test_present_files_tell_whether_they_changed(database: Database, add: Add, run_id: int) -> None:
    """By path or by folder, a row tells size, time and whether it is an image that can be used."""
    paths = ["/a/1.jpg", "/a/2.jpg", os.fsdecode(b"/a/\xe9.jpg")]
    ids = [add(path, size_bytes=2**40, mtime_ns=2**62) for path in paths]
    with database.write() as session:
        images.set_state(session, ids[1:], ImageState.DAMAGED)
        expected = {
            PresentFile(number, path, 2**40, 2**62, number == ids[0], run_id)
            for number, path in zip(ids, paths, strict=True)
        }
        assert set(images.iter_present_under(session, "/a")) == expected
        assert set(images.iter_present(session, [*paths, "/b/1.jpg"])) == expected


def test_many_images_are_added_in_order(
    database: Database, run_id: int, described: Callable[..., FileDescription]
) -> None:
    """Images added together get ids in the order given, each with its camera, folder and facts."""
    paths = [f"/frames/{number}.jpg" for number in (3, 1, 2)]
    cameras = ["gate", "lot", "gate"]
    new = [
        NewImage(described(path), Naming(camera, "name", NOON, "name"), f"/{camera}")
        for path, camera in zip(paths, cameras, strict=True)
    ]
    with database.write() as session:
        ids = images.add_images(session, new, run_id=run_id)
        known = images.list_known(session, paths)
        assert images.add_images(session, [], run_id=run_id) == []
    assert ids == sorted(ids)
    assert [(known[path].id, known[path].naming.camera, known[path].root) for path in paths] == list(
        zip(ids, cameras, ["/gate", "/lot", "/gate"], strict=True)
    )


def test_present_under_leaves_out_what_is_away(database: Database, add: Add) -> None:
    """Missing and removed rows are not below any folder; damaged ones are."""
    ids = [add(f"/a/{number}.jpg") for number in range(4)]
    with database.write() as session:
        for image_id, state in zip(ids, [ImageState.MISSING, ImageState.REMOVED, ImageState.DAMAGED], strict=False):
            images.set_state(session, [image_id], state)
    assert present_under(database, "/a") == ["/a/2.jpg", "/a/3.jpg"]


def test_present_under_uses_an_index(database: Database, plan: Callable[..., list[str]]) -> None:
    """The paths below a folder are searched for, not scanned."""
    _fill(database, "'/' || x || '/1.jpg'")
    said: list[Any] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    with database.read() as session:
        list(images.iter_present_under(session, "/a"))
    steps = plan(*said[-1])
    assert [step for step in steps if "SCAN" in step or "Seq Scan" in step or "Filter: ((path" in step] == []
    assert any("(path>? AND path<?)" in step or "Index Cond: ((path >= '/a/'" in step for step in steps)


FOLDERS = [
    "/",
    "/a",
    "/a/b",
    "/a/b/c",
    "/a-b",
    "/a.b",
    "/A",
    "/a0",
    "/100%_!",
    "/100%_!/x",
    "/100 ab",
    "/1/2\n/3",
    "/é",
]
FOLDERS += [os.fsdecode(b"/caf\xe9"), os.fsdecode(b"/caf\xe9/d"), "/a/b/c/d/e/f", "/a/bc", "/a/B", "/a/b/C"]


@pytest.mark.parametrize("page_size", [2, 3, 7, 1000])
def test_folders_of_what_is_present(database: Database, add: Add, page_size: int) -> None:
    """Every folder with a present file is found, with many files or few before and after its subfolders."""
    names = ["1.jpg", "2.jpg", "b.jpg", "bb.jpg", "c.jpg", "~.jpg", "é.jpg"]
    for folder in FOLDERS:
        for name in names[: 1 + FOLDERS.index(folder) % len(names)]:
            add(os.path.join(folder, name))
    away = [add("/gone/1.jpg"), add("/a/removed/1.jpg"), *(add(f"/a/gone/{number}.jpg") for number in range(9))]
    with database.write() as session:
        images.set_state(session, away[:2], ImageState.REMOVED)
        images.set_state(session, away[2:], ImageState.MISSING)
    with database.read() as session:
        assert image_folders.list_present_folders(session, page_size=page_size) == set(FOLDERS)


def test_folders_of_what_is_present_are_read_from_an_index(database: Database, plan: Callable[..., list[str]]) -> None:
    """However large a folder is, its files are passed over in the index of the paths of present files."""
    _fill(database, "'/gate/' || x || '.jpg'")
    said: list[Any] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: said.append((call[2], call[3])))
    with database.read() as session:
        assert image_folders.list_present_folders(session, page_size=100) == {"/gate"}
    asked = [(sql, values) for sql, values in said if "images" in sql]
    assert len(asked) == 3  # a page, what lies deeper, and the page behind the folder
    plans = [plan(sql, values) for sql, values in asked]
    indexes = ("uq_images_path", "ix_images_any_path")  # if nearly all files are present, these cost the same
    assert [steps for steps in plans if not any(index in step for step in steps for index in indexes)] == []
    assert [step for steps in plans for step in steps if "Seq Scan" in step or step == "SCAN images"] == []


def _fill(database: Database, path: str) -> None:
    """Adds 5 000 images, whose paths an SQL expression makes of the numbers x from 1 on."""
    execute(database, "INSERT INTO runs (command, arguments, version, started_at) VALUES ('x', '', '', '2026-01-01')")
    execute(database, "INSERT INTO cameras (name) VALUES ('gate')")
    numbers = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 5000)"
    execute(
        database,
        "INSERT INTO images (path, root, camera_id, run_id, camera_source, file_size, mtime_ns, content_hash, state) "
        f"{numbers} SELECT {path}, '/', 1, 1, 'name', 1, 1, 'x', 'damaged' FROM n",
    )
    execute(database, "ANALYZE")


@pytest.mark.parametrize(
    ("change", "changed"),
    [
        (
            lambda session, known: images.update_mtime_and_root(session, known.id, mtime_ns=7, root="/lot"),
            {"mtime_ns": 7, "root": "/lot"},
        ),
        (
            lambda session, known: images.rename_image(session, known.id, naming=Naming("lot", "option", None, None)),
            {"naming": Naming("lot", "option", None, None)},
        ),
        (
            lambda session, known: images.set_state(session, [known.id], ImageState.DAMAGED),
            {"state": ImageState.DAMAGED},
        ),
    ],
)
def test_only_what_is_named_changes(
    database: Database, add: Add, change: Callable[..., None], changed: dict[str, Any]
) -> None:
    """Touching, renaming and marking change that one fact of that one image."""
    add("/frames/1.jpg")
    add("/frames/2.jpg")
    before, other = known_at(database, "/frames/1.jpg"), known_at(database, "/frames/2.jpg")
    assert before is not None
    with database.write() as session:
        change(session, before)
    assert known_at(database, "/frames/1.jpg") == replace(before, **changed)
    assert known_at(database, "/frames/2.jpg") == other


def test_states_of_many(database: Database, add: Add) -> None:
    """A state is written for more images than SQLite takes in one statement."""
    first, last = add("/frames/1.jpg", content_hash="same"), add("/frames/2.jpg", content_hash="same")
    with database.write() as session:
        images.set_state(session, [first, *range(100_000, 140_000), last], ImageState.MISSING, reason="gone")
    assert states(database, "same") == {first: ImageState.MISSING, last: ImageState.MISSING}


def test_a_moved_file_keeps_its_row(database: Database, add: Add, described: Callable[..., FileDescription]) -> None:
    """Bytes that are at another path now keep their id, with the path, folder, time and naming of where they are."""
    image_id = add("/frames/1.jpg", content_hash="same")
    naming = Naming("lot", "folder", LATER, "mtime")
    seen = described("/elsewhere/9.jpg", content_hash="same", mtime_ns=9)
    with database.write() as session:
        images.relocate_image(session, image_id, seen, naming=naming, root="/elsewhere")
    assert known_at(database, "/frames/1.jpg") is None
    moved = KnownFile(image_id, "/elsewhere/9.jpg", "/elsewhere", 1000, 9, "same", ImageState.READY, naming)
    assert known_at(database, "/elsewhere/9.jpg") == moved


def test_a_returned_image_takes_its_path(database: Database, add: Add) -> None:
    """A removed image that is present again is the one at its path; what came there meanwhile is missing."""
    removed = add("/frames/1.jpg", content_hash="old")
    with database.write() as session:
        images.set_state(session, [removed], ImageState.REMOVED)
    usurper = add("/frames/1.jpg", content_hash="new")
    with database.write() as session:
        images.mark_present(session, removed, path="/frames/1.jpg")
    assert states(database, "old", "new") == {removed: ImageState.READY, usurper: ImageState.MISSING}


def test_cameras_are_made_once(database: Database, add: Add) -> None:
    """Images of one camera name share one camera; names differ by every letter."""
    for number, camera in enumerate(["gate", "Gate", "gate", "gate "]):
        add(f"/frames/{number}.jpg", camera=camera)
    with database.read() as session:
        assert list(list_cameras(session)) == ["Gate", "gate", "gate "]


def test_thumbnails_are_kept_once(database: Database, add: Add) -> None:
    """A thumbnail that is there stays as it is; a new one comes beside it."""
    first, second = add("/frames/1.jpg"), add("/frames/2.jpg")
    with database.write() as session:
        thumbnails.add_thumbnails(session, [(first, thumbnail(b"one"))])
        thumbnails.add_thumbnails(session, [(first, thumbnail(b"again")), (second, thumbnail(b"two"))])
        thumbnails.add_thumbnails(session, [])
    with database.read() as session:
        preparation_id = profiles.get_active_profile(session).preparation_id
        found = thumbnails.load_thumbnails(session, [first, second, 999], preparation_id=preparation_id)
        other = profiles.get_profile(session, "plain").preparation_id
        assert (found, thumbnails.load_thumbnails(session, [first], preparation_id=other)) == (
            {first: b"one", second: b"two"},
            {},
        )


def test_present_images_of_a_camera(database: Database, add: Add) -> None:
    """The ready images of a camera, with the shape of the thumbnail of one preparation if they have it."""
    first, second = add("/frames/1.jpg", content_hash="a"), add("/frames/2.jpg", content_hash="b", at=None, source=None)
    away, other = add("/frames/3.jpg"), add("/frames/4.jpg", camera="lot")
    with database.write() as session:
        images.set_state(session, [away], ImageState.REMOVED)
        thumbnails.add_thumbnails(session, [(first, thumbnail(height=180)), (other, thumbnail())])
        preparation_id = profiles.get_active_profile(session).preparation_id
        found = ranked_images.list_present(session, list_cameras(session)["gate"], preparation_id=preparation_id)
        shapeless = ranked_images.list_present(session, list_cameras(session)["gate"], preparation_id=None)
    one = Image(first, "/frames/1.jpg", 640, 480, 20.5, "a", NOON, shape=(180, 320))
    two = Image(second, "/frames/2.jpg", 640, 480, 20.5, "b", None)
    assert sorted(found, key=lambda image: image.id) == [one, two]
    assert sorted(shapeless, key=lambda image: image.id) == [replace(one, shape=None), two]
