"""Videos whose bytes change at their path, or lie in other files, too: no frame counts twice, and none is lost."""

import os
import shutil
from pathlib import Path

import pytest

from indexer.domain.videos import Sampling
from indexer.store import videos as store
from indexer.workflows.ingest.video_outcomes import VideoReport
from tests.support.databases import on_sqlite
from tests.support.videos import repack
from tests.workflows.capture.conftest import NOON, Videos, scene

EMPTY, CAR, TRUCK = scene(), scene(200), scene(60, 200)
NOON_S = 1_623_844_800
SEGMENT = bytes.fromhex("18538067")
NULL_PACKET = bytes.fromhex("471fff10") + b"\xff" * 184


def put(path: Path, data: bytes, *, ends_s: float) -> None:
    """Bytes of a video that was written last so many seconds after noon."""
    path.write_bytes(data)
    os.utime(path, ns=(1, round((NOON_S + ends_s) * 1e9)))


def unfinished(matroska: bytes) -> bytes:
    """The same as its recorder writes it until the end: the length of its segment is unknown."""
    at = matroska.index(SEGMENT) + len(SEGMENT)
    return matroska[:at] + b"\x01" + b"\xff" * 7 + matroska[at + 8 :]


def read(videos: Videos) -> VideoReport:
    """Looks at every frame of the videos."""
    report = videos.read(every_s=0.2, sampling=Sampling.ALL)
    videos.require_accounted()
    return report


def count_frames(videos: Videos) -> int:
    """The frames that were looked at, as status counts them."""
    with videos.index.database.read() as session:
        return store.count_videos(session).frames_read


@on_sqlite
@pytest.mark.parametrize("is_finished", [False, True])
def test_a_video_that_grows_keeps_its_begin(videos: Videos, is_finished: bool) -> None:
    """Without a time in its name a growing video begins when it began at first, though its file is written in pieces;
    also where its recorder writes its header anew at the end. No frame is stored twice, or counts twice."""
    path = videos.make("gate/clip.mkv", *[EMPTY, CAR] * 4, TRUCK, EMPTY, container="matroska")
    whole = path.read_bytes()
    growing = unfinished(whole)
    put(path, growing[: len(whole) // 2], ends_s=5.0)
    read(videos)
    before = set(videos.stored())
    put(path, whole if is_finished else growing, ends_s=10.7)
    report = read(videos)
    assert (report.frames_read, report.adopted) == (50, len(before))
    assert before < set(videos.stored())
    (first, second) = videos.index.rows("SELECT missing_reason, started_at FROM videos ORDER BY id")
    assert (first[0], second[0], first[1]) == ("read again", None, second[1])
    assert count_frames(videos) == 50


@on_sqlite
def test_a_video_that_was_unreadable_meanwhile_counts_once(videos: Videos) -> None:
    """Its first part, which was read before, is of the same recording, and does not count beside the whole."""
    path = videos.make(f"gate_{NOON}.mkv", *[EMPTY, CAR] * 5, container="matroska")
    whole = path.read_bytes()
    for data in (whole[: len(whole) // 2], b"spoiled", whole):
        path.write_bytes(data)
        read(videos)
    rows = videos.index.rows("SELECT missing_reason FROM videos ORDER BY id")
    assert rows == [("read again",), ("read again",), (None,)]
    assert count_frames(videos) == 50


@on_sqlite
def test_an_upload_counts_once(videos: Videos) -> None:
    """Of a video that arrives slower than it was recorded, each time says another begin: the latest reading counts."""
    path = videos.make("gate/clip.mkv", *[EMPTY, CAR] * 5, container="matroska")
    whole = path.read_bytes()
    put(path, whole[: len(whole) // 2], ends_s=100)
    read(videos)
    put(path, whole, ends_s=200)
    assert read(videos).frames_read == 50
    rows = videos.index.rows("SELECT missing_reason, started_at FROM videos ORDER BY id")
    assert [reason for reason, _ in rows] == ["read again", None]
    assert str(rows[1][1])[11:19] == "12:03:10"
    assert count_frames(videos) == 50


@on_sqlite
def test_a_name_that_is_used_again_is_another_recording(videos: Videos) -> None:
    """A recorder that overwrites one file with clip after clip loses nothing: each keeps its time and its frames."""
    path = videos.make("gate/clip.mkv", EMPTY, CAR, EMPTY, container="matroska")
    put(path, path.read_bytes(), ends_s=3)
    read(videos)
    videos.make("gate/clip.mkv", TRUCK, EMPTY, TRUCK, container="matroska")
    put(path, path.read_bytes(), ends_s=6)
    read(videos)
    rows = videos.index.rows("SELECT missing_reason, started_at FROM videos ORDER BY id")
    assert [(reason, str(at)[11:19]) for reason, at in rows] == [("replaced", "12:00:00"), (None, "12:00:03")]
    assert count_frames(videos) == 30


@on_sqlite
def test_frames_stay_with_a_video_that_comes_back(videos: Videos, tmp_path: Path) -> None:
    """The frames of a missing video stay its own when the same recording is read from another file: it may return."""
    path = videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    read(videos)
    shutil.move(path, tmp_path / "away.mp4")
    repack(tmp_path / "away.mp4", videos.folder / f"gate_{NOON}.mkv")
    assert videos.read().missing == 1
    videos.require_accounted()
    shutil.move(tmp_path / "away.mp4", path)
    assert read(videos).outcomes == {"returned": 1, "unchanged": 1}


@on_sqlite
def test_frames_stay_with_a_video_that_was_replaced(videos: Videos) -> None:
    """Where a shorter file of the same begin replaces a video, its reading holds, and its frames stay its own."""
    path = videos.make(f"gate_{NOON}.mp4", EMPTY, CAR, EMPTY, TRUCK)
    read(videos)
    videos.make(path.name, EMPTY, CAR)
    read(videos)
    rows = videos.index.rows("SELECT missing_reason FROM videos ORDER BY id")
    assert rows == [("replaced",), (None,)]


@on_sqlite
def test_a_file_of_its_full_size_is_read_as_it_is_filled(videos: Videos) -> None:
    """A recorder that reserves the space of a file writes between its ends, which stay: it is read again all the same,
    as long as it is not whole."""
    path = videos.make(f"gate_{NOON}.ts", *[EMPTY, CAR] * 5, container="mpegts")
    whole = NULL_PACKET * 6000 + path.read_bytes()
    half = len(whole) - path.stat().st_size // 2
    size = len(whole) + 2**21
    frames = []
    for length, ends_s in [(half, 5), (len(whole), 10), (len(whole), 10)]:
        put(path, whole[:length].ljust(size, b"\0"), ends_s=ends_s)
        report = read(videos)
        frames.append(report.frames_read)
        assert [reason for _, reason in report.problems] == ["ends early: its last part is not whole"] * len(
            report.problems
        )
    assert 0 < frames[0] < frames[1]
    assert frames[1] >= 49  # only what follows a picture in a stream shows that it is whole
    assert frames[2] == 0
    assert count_frames(videos) == frames[1]
