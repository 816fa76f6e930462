"""An ingest of videos that is killed again and again, beside one that nobody disturbs."""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from indexer.files.partial_frames import PARTIAL_FOLDER
from tests.support.apart import answer, left_behind, rows, until
from tests.support.kill_runs import Bout, Work, kill, progress
from tests.support.videos import make_video

_SHARE = 0.4
"""Kills come within this part of an undisturbed run, so that a run is killed several times before it ends."""
_PROGRESS = "SELECT COUNT(*) FROM videos"
_NOT_COUNTED_ONCE = """
    SELECT video.path FROM videos AS video
    WHERE video.frames_stored <> (SELECT COUNT(*) FROM video_frames WHERE video_id = video.id)
        OR video.frames_read <> video.frames_stored
            + (SELECT COALESCE(SUM(frames), 0) FROM spans WHERE video_id = video.id)
"""
_FACTS = (
    "SELECT path, state, state_reason, started_at, started_at_source, frames_read, frames_stored FROM videos",
    "SELECT image.path, image.content_hash, image.captured_at, video.path, frame.offset_us FROM video_frames AS frame "
    "JOIN images AS image ON image.id = frame.image_id JOIN videos AS video ON video.id = frame.video_id",
    "SELECT video_path, reason, from_at, to_at, frames, every_s, witness_path, worst_score FROM audit_spans",
    "SELECT path, state FROM images",
)


def record(folder: Path, *, cameras: int, videos: int, seconds: int) -> Path:
    """A folder of videos of several cameras, each of so many seconds: a place with a car in one of five bays."""
    rng = np.random.default_rng(3)
    folder.mkdir(parents=True)
    for camera in range(cameras):
        place = np.repeat(np.repeat(rng.integers(80, 160, (6, 8, 1), np.uint8), 40, axis=0), 40, axis=1)
        for video in range(videos):
            pictures = []
            for _ in range(seconds):
                frame = np.repeat(place, 3, axis=2)
                bay = int(rng.integers(0, 6))
                if bay < 5:
                    frame[80:160, 20 + 56 * bay : 64 + 56 * bay] = 20
                pictures += [frame] * 5
            name = folder / f"cam{camera}_20210616_12{video:02}00.mp4"
            make_video(name, rate=5, keyframe_every=5, pictures=pictures)
    return folder


def fight_for_videos(folder: Path, *, kills: int, seed: int) -> Bout:
    """Kills the ingest of the folder `videos` so often; whenever it comes to its end, all is compared.

    Every round has an index and a folder of frames of its own.
    """
    for name in ("warm-up", "undisturbed"):
        assert answer("--db", f"{name}.db", *_words(name), folder=folder).code == 0
    expected = _facts(folder, "undisturbed")
    length = "SELECT 86400 * (julianday(finished_at) - julianday(started_at)) FROM runs"
    length_s = float(rows(folder / "undisturbed.db", length)[0][0])
    (total,) = rows(folder / "undisturbed.db", _PROGRESS)[0]
    bout, rng = Bout(), np.random.default_rng(seed)
    while bout.kills < kills:
        bout.rounds += 1
        name = f"round-{bout.rounds}"
        place, work = folder / f"{name}.db", Work(_words(name), None, _PROGRESS)
        while bout.kills < kills and kill(
            folder, work, place, after_s=rng.uniform(0, _SHARE * length_s), early=rng.random() < 1 / 8
        ):
            done = progress(place, work)
            if done == total:
                break
            bout.kills += 1
            bout.before_the_run += done is None
            bout.with_progress += bool(done)
            if done is not None:
                assert rows(place, _NOT_COUNTED_ONCE) == []
                _require_files(place)
        ended = answer("--db", place, *work.words, folder=folder)
        assert ended.code == 0, ended
        assert _facts(folder, name) == expected
        interrupted = rows(place, "SELECT DISTINCT outcome FROM runs ORDER BY outcome")
        assert set(interrupted) <= {("done",), ("interrupted",), (None,)}
        assert list(folder.glob(f"{name}.db.run*.lock")) == []
    assert until(lambda: left_behind(folder) == [])
    return bout


def _require_files(index: Path) -> None:
    """Each image that an index has is a whole file at its path, none of them a partial one."""
    for path, content_hash in rows(index, "SELECT path, content_hash FROM images"):
        assert PARTIAL_FOLDER not in path
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == content_hash


def _words(name: str) -> tuple[Any, ...]:
    return ("ingest", "videos", "--frames", f"{name}-frames", "--also-here")


def _facts(folder: Path, name: str) -> tuple[dict[str, bytes], list[Any]]:
    """The bytes of every file below the folder of frames, and all that the index says of videos, frames and spans."""
    frames = folder / f"{name}-frames"
    files = {str(path.relative_to(frames)): path.read_bytes() for path in frames.rglob("*") if path.is_file()}
    found = [sorted(rows(folder / f"{name}.db", sql), key=repr) for sql in _FACTS]
    return files, [[tuple(_below(value, f"{frames}/") for value in row) for row in table] for table in found]


def _below(value: Any, folder: str) -> Any:
    return value.removeprefix(folder) if isinstance(value, str) else value
