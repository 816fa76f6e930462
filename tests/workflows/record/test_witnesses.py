"""Images that stand for frames of a live camera: one whose file was removed or deleted stands for none."""

from collections.abc import Sequence
from pathlib import Path

import cv2
import pytest

from indexer.workflows.record.camera_reader import CameraReader
from indexer.workflows.record.write_batches import BatchWriter
from indexer.workflows.runs.run import LongRun
from tests.support.databases import on_sqlite
from tests.support.index import NOON_MS, Index
from tests.support.live_cameras import scene, web_camera
from tests.support.recordings import reasons, recorded, stored


@on_sqlite
def test_a_witness_that_is_pruned_while_its_span_is_open(
    index: Index, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """compare and prune remove it before the span is written: the worst frame that it stood for is stored instead."""
    frames, write, removed = tmp_path / "frames", BatchWriter.write, list[str]()
    folder = frames / "gate"
    folder.mkdir(parents=True)
    for number, quality in enumerate((95, 90)):  # the later one is met first, and the duplicate
        cv2.imwrite(str(folder / f"gate-{NOON_MS + number}.jpg"), scene(), [cv2.IMWRITE_JPEG_QUALITY, quality])
    index.ingest(frames)

    def prune_first(writer: BatchWriter, run: LongRun, readers: Sequence[CameraReader]) -> None:
        logs = [reader.attempt.log for reader in readers if reader.attempt is not None]
        if not removed and any(log.list_new_witnesses() for log in logs):
            index.compare()
            index.prune()
            removed.extend(state for (state,) in index.rows("SELECT state FROM images WHERE state <> 'ready'"))
        write(writer, run, readers)

    monkeypatch.setattr(BatchWriter, "write", prune_first)
    with web_camera() as camera, recorded(camera, index, tmp_path) as work:
        work.until(lambda: stored(index) == 3)
        work.until_frames(20)
    assert removed == ["removed"]
    assert index.rows("SELECT COUNT(*) FROM spans WHERE image_id = 2") == [(0,)]


@on_sqlite
def test_an_image_that_was_deleted_by_hand(index: Index, tmp_path: Path) -> None:
    """It stands for no new frame, neither of the next recording nor of that one as it goes on: the frame is stored."""
    frames = tmp_path / "frames"
    with web_camera() as camera:
        with recorded(camera, index, tmp_path) as work:
            work.until_frames(5)
        next(frames.rglob("*.jpg")).unlink()
        with recorded(camera, index, tmp_path) as work:
            work.until(lambda: stored(index) == 2)
            index.ingest(frames)  # notes that the file is missing
            work.until(lambda: work.count("SELECT COUNT(*) FROM spans WHERE image_id = 2") == 1)
            assert "capped" not in reasons(index), "no frame was compared with a file that is not there"
            next(frames.rglob("*.jpg")).unlink()
            camera.picture = scene(60)
            work.until(lambda: stored(index) == 3)
            camera.picture = scene()
            work.until(lambda: stored(index) == 4)
            index.ingest(frames)
