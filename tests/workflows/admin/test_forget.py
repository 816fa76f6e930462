"""forget: rows, thumbnails, previews and evidence go, files and what protects them stay; db shrink frees pictures."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from indexer.domain.removal import ExclusionReason
from indexer.errors import CameraError, DatabaseError, FolderError, UsageError
from indexer.store import space
from indexer.store.camera_sources import add_sources
from indexer.store.database import Database
from indexer.store.forgetting import ForgetScope
from indexer.workflows.admin import forget as workflow
from indexer.workflows.admin.camera import list_cameras, list_rules
from indexer.workflows.admin.shrink import parse_date, plan_shrink, shrink
from indexer.workflows.admin.status import status
from tests.support.databases import on_sqlite
from tests.support.index import BIRD, CAR, Index, name, picture, prepared
from tests.support.video_rows import add_video_rows

KEEPER, COPY, BIRDS = name(0), name(1), name(2)


@prepared
def lots(index: Index) -> None:
    """Two cameras in a folder each, decided, with a verdict, a pin and evidence."""
    for stamp, camera in enumerate(("gate", "yard")):
        same = picture(stamp=stamp)
        for minute, content in enumerate([same, same, picture(BIRD, stamp=stamp), picture(CAR, stamp=stamp)]):
            index.put(f"{camera}/{name(minute, camera)}", content)
    index.ingest()
    index.compare()
    index.judge("gate/" + name(0, "gate"), "gate/" + name(3, "gate"), "different")
    index.pin("gate/" + name(3, "gate"))
    index.compare()


def below(index: Index, folder: str) -> ForgetScope:
    """A folder of the index."""
    return workflow.parse_scope(str(index.folder / folder), camera=None)


def rows_without(index: Index, camera: str) -> dict[str, list[tuple[object, ...]]]:
    """What the index has about all cameras but one."""
    others = f"SELECT i.id FROM images AS i JOIN cameras AS c ON c.id = i.camera_id WHERE c.name <> '{camera}'"
    keys = {"images": "id", "thumbnails": "image_id", "decisions": "image_id", "pictures": "image_id"}
    keys |= {"scores": "image_a_id", "verdicts": "image_a_id", "pins": "image_id", "removals": "image_id"}
    return {
        table: sorted(index.rows(f"SELECT * FROM {table} WHERE {key} IN ({others})"), key=repr)
        for table, key in keys.items()
    }


@pytest.mark.parametrize("by_camera", [True, False])
def test_all_rows_go_and_all_files_stay(lots: Index, by_camera: bool) -> None:
    """After forgetting a camera, or its folder, no row of it is left, no file moved, and the other camera is whole."""
    lots.judge("yard/" + name(0, "yard"), "yard/" + name(3, "yard"), "different")
    lots.pin("yard/" + name(3, "yard"))
    lots.prune(camera="yard")
    tree, others = lots.tree(), rows_without(lots, "gate")
    assert all(others.values())
    scope = ForgetScope(camera="gate") if by_camera else below(lots, "gate")
    report = workflow.forget(lots.database, scope, clock=lots.clock)
    assert (report.rows.images, report.rows.thumbnails, report.rows.verdicts, report.rows.pins) == (4, 4, 1, 1)
    assert lots.tree() == tree
    assert rows_without(lots, "") == others
    assert [camera.camera for camera in status(lots.database).cameras] == ["yard"]
    assert lots.rows("SELECT COUNT(*) FROM scores AS s WHERE s.image_a_id NOT IN (SELECT id FROM images)") == [(0,)]
    assert lots.rows("SELECT command, outcome FROM runs ORDER BY id DESC LIMIT 1") == [("forget", "done")]
    assert dict(lots.ingest().outcomes) == {"added": 4, "unchanged": 2}


def test_a_link_to_the_folder_is_the_folder(lots: Index) -> None:
    """A folder is forgotten also by the name of a link to it."""
    (lots.folder / "link").symlink_to(lots.folder / "gate")
    scope = below(lots, "link")
    assert workflow.plan_forget(lots.database, scope).folder == str(lots.folder / "gate")
    assert workflow.forget(lots.database, scope, clock=lots.clock).rows.images == 4
    assert [camera.camera for camera in status(lots.database).cameras] == ["yard"]


def test_what_frees_the_way_concerns_this_camera_alone(lots: Index) -> None:
    """While files lie in quarantine, the error proposes what deletes or restores those of the scope, and no others."""
    lots.prune()
    for scope, words in (
        (ForgetScope(camera="gate"), "purge --camera gate"),
        (below(lots, "gate"), f"restore {lots.folder}/gate"),
    ):
        with pytest.raises(FolderError, match=words) as refused:
            workflow.forget(lots.database, scope, clock=lots.clock)
        assert "--all" not in str(refused.value)


@on_sqlite
def test_bytes_of_thumbnails_are_gone_from_the_file(lots: Index) -> None:
    """What was forgotten is not in the file of the index any more."""
    (data,) = lots.rows("SELECT t.data FROM thumbnails AS t JOIN images AS i ON i.id = t.image_id ORDER BY i.id")[0]
    path = lots.database.path
    assert path is not None
    for camera in ("gate", "yard"):
        workflow.forget(lots.database, ForgetScope(camera=camera), clock=lots.clock)
    stored = b"".join(file.read_bytes() for file in path.parent.glob(f"{path.name}*"))
    assert bytes(data)[-200:] not in stored


@pytest.mark.parametrize("scope", ["gate", "videos", "image"])
def test_a_video_is_forgotten_whole(lots: Index, scope: str) -> None:
    """With its camera, its folder or the image that stands for its frames: no row of it is left, and its file stays."""
    image, video = lots.folder / "gate" / name(0, "gate"), lots.put("videos/gate.mp4", b"video")
    add_video_rows(lots.database, video, image=image)
    scopes = {
        "gate": ForgetScope(camera="gate"),
        "videos": below(lots, "videos"),
        "image": below(lots, f"gate/{image.name}"),
    }
    report = workflow.forget(lots.database, scopes[scope], clock=lots.clock)
    assert (report.rows.videos, report.rows.spans) == (1, 1)
    assert [lots.rows(f"SELECT COUNT(*) FROM {table}") for table in ("videos", "spans", "video_frames")] == [[(0,)]] * 3
    assert video.read_bytes() == b"video"
    assert image.is_file()


def test_nothing_is_forgotten_that_quarantine_needs(lots: Index) -> None:
    """While a file of it lies in quarantine, or its keeper is in the folder, nothing is forgotten."""
    lots.prune()
    before = lots.dump()
    for scope in (ForgetScope(camera="gate"), below(lots, "gate"), below(lots, f"gate/{name(0, 'gate')}")):
        with pytest.raises(FolderError, match="quarantine"):
            workflow.forget(lots.database, scope, clock=lots.clock)
    assert lots.dump() == before


def test_nobody_is_sent_to_delete_what_depends_on_a_keeper(index: Index) -> None:
    """Where only the keeper lies in the folder, its duplicates are to be brought back: `purge` would not help."""
    index.put(f"sub/{name(0)}", picture())
    index.put(name(1), picture(stamp=1))
    index.ingest(camera="gate")
    index.compare()
    assert index.prune().removed == 1
    (kept,) = [file for file, (verdict, *_) in index.decisions().items() if verdict == "keep"]
    folder = index.folder / kept
    with pytest.raises(FolderError, match="keeper in it; bring back") as refusal:
        workflow.plan_forget(index.database, ForgetScope(folder=str(folder)))
    assert "purge" not in str(refusal.value)


def test_what_is_gone_with_quarantine_and_keepers_is_forgotten(lots: Index) -> None:
    """If images and quarantine were both deleted, a person may forget them; while a keeper is there, nothing goes."""
    lots.prune()
    quarantine = lots.folder.parent / ".indexer-quarantine"
    quarantine.rename(quarantine.with_name("away"))
    for camera in ("gate", "yard"):
        with pytest.raises(FolderError, match="lie in quarantine"):
            workflow.plan_forget(lots.database, ForgetScope(camera=camera))
    shutil.rmtree(lots.folder / "gate")
    rows = lots.dump(without=("runs",))
    plan = workflow.plan_forget(lots.database, below(lots, "gate"))
    assert plan.gone > 0
    with pytest.raises(FolderError, match="removed files of it are gone"):
        workflow.forget(lots.database, below(lots, "gate"), clock=lots.clock)
    assert lots.dump(without=("runs",)) == rows
    workflow.forget(lots.database, below(lots, "gate"), clock=lots.clock, gone=plan.gone)
    assert {file.split("/")[0] for file, _, _ in lots.states()} == {"yard"}


@pytest.mark.parametrize("keeper_now", [None, picture(CAR, stamp=9)])
def test_a_removal_whose_file_and_keeper_are_gone_is_forgotten_alone(lots: Index, keeper_now: bytes | None) -> None:
    """If a person deleted a file in quarantine, and its keeper is gone or another picture now, purge names the way out:
    to forget this one image. While one of the two is there, nothing is forgotten."""
    lots.prune(camera="gate")
    removed, path = lots.rows("SELECT path, quarantine_path FROM audit_removals ORDER BY path")[0]
    keeper = lots.folder / "gate" / name(0, "gate")
    scope = workflow.parse_scope(removed, camera=None)
    for gone in (Path(path), keeper):
        with pytest.raises(FolderError, match=r"lies? in quarantine"):
            workflow.plan_forget(lots.database, scope)
        gone.unlink()
    if keeper_now is not None:
        keeper.write_bytes(keeper_now)
    lots.ingest()
    reasons = dict(lots.purge().skipped)
    assert f"forget {removed}" in reasons[path]
    assert f"forget {removed}" in dict(lots.undo_run().failures)[removed]
    workflow.forget(lots.database, scope, clock=lots.clock, gone=workflow.plan_forget(lots.database, scope).gone)
    assert removed not in {path for (path,) in lots.rows("SELECT path FROM removals")}
    assert len(lots.removals()) == 1


def test_a_removal_without_record_is_forgotten_once_its_keeper_is_gone(lots: Index) -> None:
    """A removal that no record tells of holds nothing up if its keeper, which a record would protect, is gone; a
    person confirms that. Otherwise the record is written first."""
    lots.prune()
    lots.purge()
    lots.execute("UPDATE removals SET recorded = ?", False)
    shutil.rmtree(lots.folder / "gate")
    plan = workflow.plan_forget(lots.database, ForgetScope(camera="gate"))
    assert (plan.gone, workflow.plan_forget(lots.database, ForgetScope(camera="yard")).gone) == (2, 0)
    workflow.forget(lots.database, ForgetScope(camera="gate"), clock=lots.clock, gone=2)
    workflow.forget(lots.database, ForgetScope(camera="yard"), clock=lots.clock)
    assert lots.removals() == []


def test_a_keeper_is_not_forgotten_without_what_it_stands_for(lots: Index) -> None:
    """The keeper of a file that was purged is refused alone; the whole camera can go."""
    lots.prune()
    lots.purge()
    with pytest.raises(FolderError, match="keeper"):
        workflow.forget(lots.database, below(lots, f"gate/{name(0, 'gate')}"), clock=lots.clock)
    report = workflow.forget(lots.database, ForgetScope(camera="gate"), clock=lots.clock)
    assert (report.rows.images, report.rows.removals, report.rows.previews > 0) == (4, 2, True)


def test_what_stood_for_a_purged_file_stays_protected(lots: Index) -> None:
    """After its index forgot it, what stands for a purged file is removed by no later prune."""
    lots.prune()
    lots.purge()
    workflow.forget(lots.database, ForgetScope(camera="gate"), clock=lots.clock)
    lots.put(f"gate/{name(9, 'gate')}", picture(BIRD, height=128, width=192))
    lots.ingest()
    lots.compare()
    report = lots.prune(camera="gate")
    assert [Path(path).name for path, _ in report.protected] == [name(0, "gate")]
    assert (lots.folder / "gate" / name(0, "gate")).read_bytes() == picture()


def test_a_camera_without_images_is_forgotten(lots: Index) -> None:
    """A camera whose images were all renamed is forgotten with the folders that it had images from."""
    lots.ingest(lots.folder / "gate", camera="door")
    assert "gate" in folders_by_camera(lots)
    report = workflow.forget(lots.database, ForgetScope(camera="gate"), clock=lots.clock)
    assert (report.rows.images, set(folders_by_camera(lots))) == (0, {"door", "yard"})


def folders_by_camera(index: Index) -> dict[str, int]:
    """The number of folders of each camera that the index knows."""
    stored = "SELECT name, COUNT(source) FROM cameras LEFT JOIN camera_sources ON camera_id = cameras.id GROUP BY name"
    return {name: number for name, number in index.rows(stored)}


def test_what_lost_its_keeper_is_decided_again(lots: Index) -> None:
    """An image whose keeper was forgotten is undecided, and compare decides it as from scratch."""
    workflow.forget(lots.database, below(lots, f"gate/{name(0, 'gate')}"), clock=lots.clock)
    assert [camera.undecided for camera in status(lots.database).cameras] == [2, 0]
    lots.compare()
    assert lots.decisions()[f"gate/{name(1, 'gate')}"][0] == "keep"


def test_what_lost_its_keeper_stays_held_back(lots: Index) -> None:
    """What came back is held back also after its keeper was forgotten, and the row of its removal with it."""
    lots.undo_run(lots.prune().run_id)
    tree = lots.tree()
    workflow.forget(lots.database, below(lots, f"gate/{name(0, 'gate')}"), clock=lots.clock)
    lots.compare()
    assert (lots.plan().victims, lots.plan().left_out) == ((), {ExclusionReason.HELD_BACK: 3})
    assert (lots.prune().removed, lots.tree()) == (0, tree)


@pytest.mark.parametrize(
    ("folder", "camera", "error"),
    [(None, None, UsageError), ("x", "gate", UsageError), ("nowhere", None, FolderError), (None, "no", CameraError)],
)
def test_requests_that_make_no_sense(lots: Index, folder: str | None, camera: str | None, error: type) -> None:
    """One of a folder and a camera is named, and the index has it."""
    with pytest.raises(error):
        workflow.forget(lots.database, workflow.parse_scope(folder, camera=camera), clock=lots.clock)


def test_a_camera_that_was_renamed_is_not_shown(lots: Index) -> None:
    """A camera without images is in no table."""
    lots.ingest(lots.folder / "gate", camera="door")
    assert [camera.camera for camera in status(lots.database).cameras] == ["door", "yard"]
    assert [camera.camera for camera in lots.compare().cameras] == ["door", "yard"]


def counts(index: Index) -> tuple[int, int]:
    """The number of thumbnails and of previews."""
    return tuple(index.rows(f"SELECT COUNT(*) FROM {table}")[0][0] for table in ("thumbnails", "pictures"))


def test_what_is_forgotten_without_space_can_be_shrunk_later(lots: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the space cannot be given back, the images are forgotten all the same, and the error names what to type."""

    def refuse(_database: Database) -> tuple[int, int]:
        raise DatabaseError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(space, "give_back", refuse)
        with pytest.raises(DatabaseError, match=r"forgotten, but .*the disk is full; .* db shrink$"):
            workflow.forget(lots.database, ForgetScope(camera="gate"), clock=lots.clock)
    assert lots.rows("SELECT COUNT(*) FROM images") == [(4,)]
    assert shrink(lots.database, removed_before=None, clock=lots.clock).size_bytes[1] > 0


def test_shrink_frees_the_pictures_of_what_was_removed_before(lots: Index) -> None:
    """Only images removed before the date lose thumbnail and preview; decisions, scores and the journal stay. What
    comes back to be decided again gets a new thumbnail."""
    lots.prune(camera="gate")
    before = lots.dump(without=("thumbnails", "pictures", "runs"))
    long_ago, now = datetime(2020, 1, 1, tzinfo=UTC), lots.clock() + timedelta(days=1)
    assert counts(lots) == (8, 3)
    assert shrink(lots.database, removed_before=long_ago, clock=lots.clock).thumbnails == 0
    with pytest.raises(UsageError, match="still to come"):
        plan_shrink(lots.database, removed_before=now, clock=lots.clock)
    planned = plan_shrink(lots.database, removed_before=lots.clock(), clock=lots.clock)
    assert (planned.thumbnails, planned.previews, planned.in_quarantine, counts(lots)) == (2, 2, 2, (8, 3))
    report = shrink(lots.database, removed_before=now, clock=lots.clock)
    assert (report.thumbnails, report.previews, counts(lots)) == (2, 2, (6, 1))
    assert lots.dump(without=("thumbnails", "pictures", "runs")) == before
    assert lots.restore(pin=False).restored == 2
    lots.compare()
    assert counts(lots) == (8, 1)


@on_sqlite
def test_shrink_gives_the_space_back(database: Database, open_index: Callable[..., Index], tmp_path: Path) -> None:
    """The file of the index is smaller afterwards."""
    (tmp_path / "site" / "frames").mkdir(parents=True)
    index = Index(database, tmp_path / "site" / "frames")
    for minute in range(120):
        index.put(name(minute), picture(stamp=minute % 100, height=64 + 2 * (minute // 100)))
    index.ingest()
    index.compare()
    index.prune(max_share=1.0, shown=index.plan(max_share=1.0))
    report = shrink(database, removed_before=index.clock() + timedelta(days=1), clock=index.clock)
    assert report.size_bytes[1] < report.size_bytes[0]


@pytest.mark.parametrize("text", ["yesterday", "2026-13-01", "", "0001-01-01T00:00+14:00"])
def test_dates_that_are_none(text: str) -> None:
    """What is no date is refused."""
    with pytest.raises(UsageError):
        parse_date(text)


def test_dates() -> None:
    """A day begins in UTC."""
    assert parse_date("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)


def test_a_folder_is_forgotten_with_its_rule(index: Index) -> None:
    """After forgetting a folder nothing names it: no rule, no camera, no folder of a camera."""
    index.put("north/x_1.png", picture())
    index.ingest(index.folder / "north", camera="gate")
    workflow.forget(index.database, below(index, "north"), clock=index.clock)
    assert list_rules(index.database) == []
    assert list_cameras(index.database) == []
    assert index.rows("SELECT * FROM camera_sources") == []


def test_a_camera_that_was_confirmed_stays_confirmed(lots: Index) -> None:
    """Forgetting one camera takes nothing of another one, not even of one that has no image yet."""
    with lots.database.write() as session:
        add_sources(session, [("later", "/data/a"), ("later", "/data/b")], is_confirmed=True)
    workflow.forget(lots.database, ForgetScope(camera="gate"), clock=lots.clock)
    assert [(one.camera, one.confirmed) for one in list_cameras(lots.database)] == [("later", True), ("yard", False)]


@pytest.mark.parametrize("name_", ["", "a\0b"])
def test_an_empty_name_is_refused(name_: str) -> None:
    """An empty variable of a script forgets nothing: it is not the working directory."""
    with pytest.raises(UsageError):
        workflow.parse_scope(name_, camera=None)
