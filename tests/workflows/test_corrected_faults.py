"""What a stranger broke once: each of these was a bug, found by trying the tool, and stays mended."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.descriptions import Limits
from indexer.domain.removal import ExclusionReason
from indexer.errors import EngineError, FolderError, UsageError
from indexer.execution import serial
from indexer.workflows.compare import camera as comparing
from indexer.workflows.ingest import ingest as ingest_workflow
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.ingest import ingest
from indexer.workflows.removal import restore as restore_workflow
from indexer.workflows.removal.purge import PurgeSelection, plan_purge, purge
from tests.support.index import CAR, Index, name, picture


def filled(index: Index) -> Index:
    """Two images that show nothing, and a car between them, decided."""
    for minute, marks in enumerate([(), (CAR,), ()]):
        index.put(name(minute), picture(*marks, stamp=minute))
    index.ingest()
    index.compare()
    return index


def ingest_with(index: Index, *, max_pixels: int, again: bool = False) -> dict[str, int]:
    """The outcomes of an ingest under another limit."""
    with serial() as spread:
        found = discover([str(index.folder)], again=again)
        limits = Limits(max_pixels=max_pixels)
        return dict(ingest(index.database, found, executor=spread, limits=limits, clock=index.clock).outcomes)


def test_image_that_could_not_be_used_for_a_while_is_decided_again(index: Index) -> None:
    """An image that moved while it could not be used, and came back, is decided as from scratch."""
    before = filled(index).decisions()
    for minute in (0, 2):
        os.rename(index.folder / name(minute), index.folder / name(minute + 10))
    ingest_with(index, max_pixels=10)
    index.compare()
    for minute in (0, 2):
        os.rename(index.folder / name(minute + 10), index.folder / name(minute))
    index.ingest()
    index.compare()
    assert index.decisions() == before


@pytest.mark.parametrize("way", ["touched", "again"])
def test_image_that_could_not_be_used_gets_another_chance(index: Index, way: str) -> None:
    """A file that a limit kept out is tried again when it is touched or a person wants it, and not otherwise."""
    index.put(name(0), picture())
    assert ingest_with(index, max_pixels=10) == {"unreadable": 1}
    assert ingest_with(index, max_pixels=10**6) == {"unchanged": 1}
    if way == "touched":
        os.utime(index.folder / name(0))
    assert ingest_with(index, max_pixels=10**6, again=way == "again") == {"changed": 1}
    assert index.states() == [(name(0), "ready", None)]


def test_names_swapped_across_batches_keep_their_rows(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that took each other's names keep rows and pins, however few are written at once."""
    monkeypatch.setattr(ingest_workflow, "WRITE_BATCH_SIZE", 1)
    for minute in range(4):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    index.pin(name(3))
    first, last = index.folder / name(0), index.folder / name(3)
    other = index.folder / "other"
    for source, target in ((first, other), (last, first), (other, last)):
        os.rename(source, target)
    for path in (first, last):
        os.utime(path)
    report = index.ingest()
    assert dict(report.outcomes) == {"moved": 2, "unchanged": 2}
    assert index.rows("SELECT COUNT(*) FROM images") == [(4,)]
    pinned = index.rows("SELECT path FROM images JOIN pins ON pins.image_id = images.id WHERE unpinned_at IS NULL")
    assert pinned == [(str(first),)]


def test_touched_file_is_renamed_too(index: Index) -> None:
    """`--camera` names a known file again also where its modification time changed and its bytes did not."""
    filled(index)
    os.utime(index.folder / name(0))
    assert dict(index.ingest(camera="roof").outcomes) == {"renamed": 3}
    assert index.rows("SELECT DISTINCT cameras.name FROM images JOIN cameras ON cameras.id = camera_id") == [("roof",)]


def test_prune_leaves_what_another_profile_decided(index: Index) -> None:
    """Images of a camera that the profile in force has not decided are left out until compare has."""
    for camera in ("gate", "road"):
        for minute in range(2):
            index.put(name(minute, camera), picture(stamp=minute))
    index.ingest()
    index.compare()
    index.make_profile("strict", max_score=500.0)
    index.compare(profile="strict", camera="gate")
    plan = index.plan()
    assert [item.camera for item in plan.victims] == ["gate"]
    assert plan.left_out == {ExclusionReason.OTHER_PROFILE: 1}


def test_quarantine_below_any_known_root_is_refused(index: Index, tmp_path: Path) -> None:
    """A quarantine that the next ingest of another folder would walk is refused, and so is a file."""
    filled(index)
    other = tmp_path / "other"
    other.mkdir()
    (other / name(0, "road")).write_bytes(picture())
    index.ingest(other)
    before = index.tree()
    for place in (other / "bin", other / name(0, "road")):
        with pytest.raises(FolderError):
            index.prune(quarantine=str(place))
    assert index.tree() == before


def test_purge_deletes_only_what_was_shown(index: Index) -> None:
    """Files that came into quarantine after a person was asked stay there."""
    filled(index)
    index.prune()
    shown = plan_purge(index.database, PurgeSelection(), clock=index.clock)
    index.put(name(3), picture(CAR, stamp=3))
    index.ingest()
    index.compare()
    index.prune()
    report = purge(index.database, PurgeSelection(), clock=index.clock, shown=shown)
    assert report.purged == 1
    assert [state for _, state in index.removals()] == ["purged", "quarantined"]


@pytest.mark.parametrize("away", ["file", "disk"])
def test_purge_closes_what_is_gone(index: Index, away: str) -> None:
    """A file that somebody took out of the quarantine is closed; one whose whole quarantine is away is not."""
    filled(index)
    index.prune()
    quarantine = index.folder.parent / ".indexer-quarantine"
    if away == "disk":
        quarantine.rename(index.folder.parent / "elsewhere")
    else:
        next(path for path in quarantine.rglob("*.png")).unlink()
    report = index.purge()
    assert (report.gone, len(report.skipped)) == ((1, 0) if away == "file" else (0, 1))
    assert [state for _, state in index.removals()] == ["purged" if away == "file" else "quarantined"]


def test_stamps_that_are_no_times(index: Index) -> None:
    """A pattern none of whose timestamps reads as a time is refused; some that do not are counted."""
    index.put("cam3_d27030_x.png", picture())
    pattern = r"cam(?P<camera>\d+)_d(?P<timestamp>\d+)"
    with pytest.raises(FolderError, match="reads as a time"):
        index.ingest(pattern=pattern)
    index.put("cam3_d20260301120000_x.png", picture(stamp=1))
    assert index.ingest(pattern=pattern).unread_stamps == 1


def test_empty_camera_is_a_slip(index: Index) -> None:
    """An empty `--camera`, as an unset variable of a shell gives, is refused."""
    index.put(name(0), picture())
    with pytest.raises(UsageError):
        index.ingest(camera=" ")


@pytest.mark.parametrize("pin", [True, False])
def test_cut_restore_pins_as_requested(index: Index, monkeypatch: pytest.MonkeyPatch, pin: bool) -> None:
    """A restore that was cut after the file went back is settled with pins or without, as the person had asked."""

    class Cut(BaseException):
        """The power goes."""

    filled(index)
    index.prune()
    real = restore_workflow.move_no_replace

    def cutting(*given: Any, **how: Any) -> None:
        real(*given, **how)
        raise Cut

    monkeypatch.setattr(restore_workflow, "move_no_replace", cutting)
    with pytest.raises(Cut):
        index.restore(pin=pin)
    index.ingest()
    assert [state for _, state in index.removals()] == ["restored"]
    assert index.rows("SELECT COUNT(*) FROM pins") == [(2 if pin else 0,)]
    (counts,) = index.rows("SELECT counts FROM runs ORDER BY id DESC LIMIT 1")[0]
    assert json.loads(counts)["settled"] == {"finished": 1}


def test_spoiled_thumbnail_is_made_again(index: Index) -> None:
    """A thumbnail that cannot be read any more is made again from its file, and nothing else changes."""
    before = filled(index).decisions()
    for spoil in (
        "UPDATE thumbnails SET data = substr(data, 1, 60) WHERE image_id = 2",
        "DELETE FROM decisions",
        "DELETE FROM scores",
    ):
        index.execute(spoil)
    assert index.compare().held_back == []
    assert index.decisions() == before


def test_full_temporary_disk_is_one_sentence(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the prepared pictures find no space nothing is decided, and the sentence names the folder."""
    for minute in range(2):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()

    def full(*_given: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(comparing, "MAX_BUFFER_BYTES", 0)  # as a large camera: a small one needs no file
    with pytest.raises(EngineError, match="TMPDIR"):
        index.compare()
    assert index.decisions() == {}
