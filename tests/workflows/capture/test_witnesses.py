"""Witnesses of spans: present images with their files, which stay whatever happens while a video is read."""

from typing import Any

import pytest

from indexer.workflows.admin.forget import forget, parse_scope
from indexer.workflows.capture.read_video import read_video
from tests.support.index import picture
from tests.workflows.capture.conftest import NOON, Videos, scene


def test_a_duplicate_that_becomes_a_witness_stays(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that `compare` finds to be a duplicate while a video is read, and that stands for its frames, is left
    alone by `prune`, and kept by the next `compare`."""
    videos.make(f"gate_{NOON}.mp4", scene())
    videos.read()
    (frame,) = videos.frames.rglob("*.jpg")
    videos.make("gate_20210616_130000.mp4", scene(), scene())

    def read_and_compare(task: Any) -> Any:
        result = read_video(task)
        videos.index.put("gate-1623844790000.jpg", frame.read_bytes())
        videos.index.ingest()
        videos.index.compare()
        return result

    monkeypatch.setattr("indexer.workflows.capture.attempts.read_video", read_and_compare)
    assert videos.read().frames_stored == 0
    name = videos.index.file(str(frame.resolve()))
    assert videos.index.decisions()[name][0] == "duplicate"
    videos.index.prune()
    assert frame.exists()
    videos.index.compare()
    assert videos.index.decisions()[name][0] == "keep"
    videos.require_accounted()


def test_witnesses_are_pinned(videos: Videos) -> None:
    """The witness of a span is no duplicate of anything, even if a better image shows the same: it stays."""
    videos.make(f"gate_{NOON}.mp4", scene(), scene())
    videos.read()
    (frame,) = videos.frames.rglob("*.jpg")
    videos.index.put("gate-1623844790000.jpg", frame.read_bytes())
    videos.index.ingest()
    videos.index.compare()
    verdicts = {path: verdict for path, (verdict, *_) in videos.index.decisions().items()}
    assert verdicts == {videos.index.file(str(frame.resolve())): "keep", "gate-1623844790000.jpg": "duplicate"}


def test_a_witness_that_went_meanwhile(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a witness is removed while a video is read, the video is read again without it."""
    videos.make(f"gate_{NOON}.mp4", scene())
    videos.read()
    videos.make("gate_20210616_130000.mp4", scene(), scene(200))
    (first,) = videos.frames.rglob("*.jpg")

    def read_and_remove(task: Any) -> Any:
        result = read_video(task)
        videos.index.execute("UPDATE images SET state = 'missing' WHERE id = 1")
        first.unlink(missing_ok=True)
        return result

    with monkeypatch.context() as patched:
        patched.setattr("indexer.workflows.capture.attempts.read_video", read_and_remove)
        report = videos.read()
    assert (report.outcomes, report.frames_read, report.frames_stored) == ({"unchanged": 1, "read": 1}, 2, 2)
    videos.require_accounted()


@pytest.mark.parametrize(
    ("when", "what"),
    [("before", "deleted"), ("before", "overwritten"), ("meanwhile", "deleted"), ("meanwhile", "replaced")],
)
def test_a_witness_without_its_file(videos: Videos, monkeypatch: pytest.MonkeyPatch, when: str, what: str) -> None:
    """An image whose file is gone, or has other bytes, stands for nothing: the frame is stored again."""
    videos.make(f"gate_{NOON}.mp4", scene())
    videos.read()
    videos.make("gate_20210616_130000.mp4", scene(), scene())
    (first,) = videos.frames.rglob("*.jpg")

    def spoil() -> None:
        if what == "deleted":
            first.unlink(missing_ok=True)
        elif what == "overwritten":
            first.write_bytes(b"something else")
        elif first.stat().st_size != len(picture()):  # by another image, which the index has
            first.write_bytes(picture())
            videos.index.ingest(videos.frames)

    def read_and_spoil(task: Any) -> Any:
        result = read_video(task)
        spoil()
        return result

    if when == "before":
        spoil()
    else:
        monkeypatch.setattr("indexer.workflows.capture.attempts.read_video", read_and_spoil)
    assert videos.read().frames_stored == 1
    assert [name[-17:-4] for name in videos.stored()][-1] == "1623848400000"
    assert (videos.frames / "gate/2021-06-16/gate-1623848400000.jpg").stat().st_size > 1000


def test_a_witness_is_its_content_and_not_its_number(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image that was forgotten while a video was read stands for nothing, also if another one has its path, and on
    SQLite its very number: the video is read again."""
    videos.make(f"gate_{NOON}.mp4", scene())
    videos.read()
    videos.make("gate_20210616_130000.mp4", scene(), scene())
    (first,) = videos.frames.rglob("*.jpg")
    path, read, ids = str(first.resolve()), list[int](), set[int]()

    def read_and_forget(task: Any) -> Any:
        result = read_video(task)
        read.append(result.frames_read)
        if len(read) == 1:
            ids.update(image_id for (image_id,) in videos.index.rows("SELECT id FROM images WHERE path = ?", path))
            forget(videos.index.database, parse_scope(path, camera=None), clock=videos.index.clock)
            first.write_bytes(picture())
            videos.index.ingest(videos.frames)
        return result

    monkeypatch.setattr("indexer.workflows.capture.attempts.read_video", read_and_forget)
    report = videos.read()
    assert (read, report.frames_stored) == ([2, 2], 1)
    ((image_id, state),) = videos.index.rows("SELECT id, state FROM images WHERE path = ?", path)
    assert (state, videos.index.rows("SELECT name FROM cameras")) == ("ready", [("gate",)])
    assert ids == {image_id} or videos.index.database.url.get_backend_name() != "sqlite"
    witnesses = videos.index.rows("SELECT DISTINCT witness_path FROM audit_spans")
    assert witnesses == [(str(videos.frames.resolve() / "gate/2021-06-16/gate-1623848400000.jpg"),)]
