"""Broken videos: what is there is taken in, what cannot be read is counted, and each costs itself alone."""

import itertools
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from indexer.domain.videos import Sampling
from indexer.execution import WorkerFailure
from indexer.files.partial_frames import ProgressFile
from indexer.store import audit_queries
from indexer.store import videos as store
from indexer.workflows.review.moment import MomentKind, explain_moment
from tests.support.databases import on_sqlite
from tests.support.videos import make_video
from tests.workflows.capture.conftest import NOON, Videos, scene

EMPTY, CAR, TRUCK = scene(), scene(200), scene(60, 200)


def test_a_broken_video_costs_itself(videos: Videos) -> None:
    """A text with the name of a video, an empty file and a cut one are counted with their reasons; others are read."""
    whole = videos.make(f"gate_{NOON}.mp4", EMPTY, CAR, EMPTY, TRUCK)
    (videos.folder / "text_20210616_120000.mp4").write_text("no video")
    (videos.folder / "empty_20210616_120000.mp4").touch()
    cut = whole.read_bytes()[: whole.stat().st_size // 2]
    (videos.folder / "cut_20210616_120000.mp4").write_bytes(cut)
    report = videos.read()
    assert report.outcomes == {"read": 1, "unreadable": 3}
    assert sorted(Path(path).name.split("_")[0] for path, _ in report.problems) == ["cut", "empty", "text"]
    assert videos.read().outcomes == {"unchanged": 4}
    videos.require_accounted()


def test_the_good_part_of_a_cut_video_is_kept(videos: Videos) -> None:
    """Of a video that ends early what is there is stored and counted; when it has grown, the rest is taken in."""
    whole = videos.make(f"gate_{NOON}.ts", EMPTY, CAR, TRUCK, EMPTY, scene(10), CAR, container="mpegts")
    data = whole.read_bytes()
    whole.write_bytes(data[: len(data) // 2])
    report = videos.read(sampling=Sampling.ALL)
    read = report.frames_read
    assert 0 < report.frames_stored <= read < 6
    assert report.problems == [(str(whole), "ends early: its last part is not whole")]
    whole.write_bytes(data)
    report = videos.read(sampling=Sampling.ALL)
    assert report.frames_read == 6
    assert [reason for (reason,) in videos.index.rows("SELECT missing_reason FROM videos ORDER BY id")] == [
        "read again",
        None,
    ]
    assert len(videos.stored()) == 4
    assert videos.index.rows("SELECT video_id, COUNT(*) FROM video_frames GROUP BY video_id") == [(2, 4)]


def test_a_dead_worker_costs_its_video(videos: Videos) -> None:
    """A video whose worker was killed is recorded as unreadable with the reason, and the next one is read. Read again
    and whole, it is one video, also after it moved."""
    path = videos.make(f"gate_{NOON}.mp4", EMPTY)
    videos.make("yard_20210616_120000.mp4", CAR)
    report = videos.read(executor=_Killing("gate"))
    assert report.outcomes == {"unreadable": 1, "read": 1}
    assert "was killed" in report.problems[0][1]
    assert videos.read(again=True, executor=_Killing("gate")).outcomes == {"unreadable": 1, "unchanged": 1}
    assert videos.read(again=True).outcomes == {"read": 1, "unchanged": 1}
    path.rename(videos.folder / f"gate_{NOON}_moved.mp4")
    assert videos.read().outcomes == {"moved": 1, "unchanged": 1}
    rows = videos.index.rows("SELECT state, missing_reason FROM videos ORDER BY id")
    assert sorted(rows, key=repr) == [("read", None)] * 2 + [("unreadable", "read again")] * 2
    with videos.index.database.read() as session:
        assert store.count_videos(session) == store.VideoCounts(2, 0, 0, 0, 2, 2)


@on_sqlite
def test_of_two_readings_the_present_one_moves(videos: Videos) -> None:
    """Where a broken video was read twice, with two times of its file, the later reading is the one that moves."""
    path = videos.make("gate/clip.ts", EMPTY, container="mpegts")
    path.write_bytes(path.read_bytes()[:-100])
    videos.read()
    os.utime(path, ns=(1, 1_623_844_800_000_000_000))
    assert videos.read(again=True).outcomes == {"partial": 1}
    path.rename(path.with_name("moved.ts"))
    assert videos.read().outcomes == {"moved": 1}
    rows = videos.index.rows("SELECT path, missing_reason FROM videos ORDER BY id")
    assert rows == [(str(path), "read again"), (str(path.with_name("moved.ts")), None)]


class _Killing:
    """An executor whose worker dies of one camera's video."""

    workers = 1

    def __init__(self, camera: str) -> None:
        self.camera = camera

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        for item in items:
            yield WorkerFailure("was killed") if item.camera == self.camera else function(item)


class _InProcesses:
    """An executor that runs each item in a process of its own, forked from this one; one that dies is a failure."""

    workers = 1

    def __init__(self) -> None:
        self.deaths = 0

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        for item in items:
            receiver, sender = multiprocessing.Pipe(duplex=False)
            worker = multiprocessing.get_context("fork").Process(target=lambda: sender.send(function(item)))  # noqa: B023
            worker.start()
            sender.close()
            try:
                yield receiver.recv()
            except EOFError:
                self.deaths += 1
                yield WorkerFailure("was killed")
            worker.join()


def _die_at(monkeypatch: pytest.MonkeyPatch, *packets: int) -> None:
    """Kills the process that is about to decode one of these packets of a video."""

    class Deadly(ProgressFile):
        def write(self, number: int) -> None:
            super().write(number)
            if number in packets:
                os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr("indexer.workflows.capture.read_video.ProgressFile", Deadly)


SCENES = (EMPTY, CAR, EMPTY, TRUCK, EMPTY, scene(10))
"""A video of them has a keyframe each second, and five packets from one to the next."""


@pytest.mark.parametrize(("sampling", "lost"), [(Sampling.KEYFRAMES, "gap"), (Sampling.ALL, "damaged")])
def test_a_packet_that_kills_its_worker(
    videos: Videos, monkeypatch: pytest.MonkeyPatch, sampling: Sampling, lost: str
) -> None:
    """The video is read again without that packet, and all other frames are there."""
    videos.make(f"gate_{NOON}.mp4", *SCENES)
    _die_at(monkeypatch, 15)
    executor = _InProcesses()
    report = videos.read(executor=executor, sampling=sampling)
    assert (report.outcomes, executor.deaths) == ({"partial": 1}, 1)
    reasons = report.problems[0][1].split("; ")
    assert (reasons[0], reasons[-1]) == ("1 piece of it cannot be decoded", "reading it was killed")
    assert (lost,) in videos.index.rows("SELECT reason FROM audit_spans")
    assert [name[-17:-4] for name in videos.stored()] == ["1623844800000", "1623844801000", "1623844805000"]
    videos.require_accounted()
    assert videos.read(executor=executor).outcomes == {"unchanged": 1}


def test_packets_that_kill_their_workers(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """With two such packets the video is read up to the later one; a video that kills at once is unreadable."""
    videos.make(f"gate_{NOON}.mp4", *SCENES)
    _die_at(monkeypatch, 5, 20)
    executor = _InProcesses()
    report = videos.read(executor=executor)
    assert (report.outcomes, report.frames_read, executor.deaths) == ({"partial": 1}, 3, 2)
    gaps = videos.index.rows("SELECT length_s, reason FROM audit_spans WHERE reason = 'gap' ORDER BY from_at")
    assert gaps[-1] == (3.0, "gap")  # from the last frame, at 3 s, to the end, at 6 s
    assert report.problems[0][1] == "reading it was killed; the rest was not read"
    videos.require_accounted()
    videos.make("yard_20210616_120000.mp4", *SCENES)
    _die_at(monkeypatch, 0, 5, 10)
    report = videos.read(executor=executor)
    assert (report.outcomes, executor.deaths) == ({"unchanged": 1, "unreadable": 1}, 4)


def test_a_video_that_takes_too_long(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """When its time is over, the rest of a video is left: what was read is in, the rest is a gap, and --again reads
    it."""
    videos.make(f"gate_{NOON}.mp4", *SCENES)
    with monkeypatch.context() as patched:
        seconds = itertools.count()
        patched.setattr("indexer.workflows.capture.read_video.time", SimpleNamespace(monotonic=lambda: next(seconds)))
        report = videos.read(time_s=3.5)
    assert (report.outcomes, report.frames_read) == ({"partial": 1}, 3)
    assert report.problems[0][1] == "took longer than 3.5 s; the rest was not read"
    gaps = videos.index.rows("SELECT length_s FROM audit_spans WHERE reason = 'gap'")
    assert gaps == [(4.0,)]  # from the last frame, at 2 s, to the end, at 6 s
    videos.require_accounted()
    assert videos.read(again=True).frames_read == 6
    with audit_queries.run_audit(videos.index.database, "gaps", {"seconds": "1"}) as table:
        assert list(table) == []


def test_a_broken_begin_is_a_gap(videos: Videos) -> None:
    """Where the first keyframes are broken, nobody looked from the begin to the first good one, and no image of an
    earlier video stands for that time."""
    videos.make("gate_20210616_115900.mp4", TRUCK)
    path = videos.make(f"gate_{NOON}.mp4", *([EMPTY, CAR] * 5))
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 4
    end = begin - 8 + int.from_bytes(data[begin - 8 : begin - 4])
    broken = begin + (end - begin) * 3 // 10
    data[begin:broken] = bytes(broken - begin)
    path.write_bytes(bytes(data))
    videos.read(sampling=Sampling.ALL)
    gap = videos.index.rows("SELECT from_at, to_at FROM spans WHERE reason = 'gap' ORDER BY from_at")[0]
    assert str(gap[0])[:19] == "2021-06-16 12:00:00"
    assert "2021-06-16 12:00:02" <= str(gap[1])[:19] <= "2021-06-16 12:00:05"
    moment = explain_moment(videos.index.database, "gate", "2021-06-16T12:00:01.5")
    assert (moment.kind, moment.images) == (MomentKind.GAP, ())
    videos.require_accounted()


def test_what_is_damaged_is_counted_apart(videos: Videos) -> None:
    """Frames that cannot be trusted are never stored as new, and are counted as damaged or as a gap."""
    path = videos.make(f"gate_{NOON}.ts", *([EMPTY, CAR] * 6), container="mpegts")
    data = bytearray(path.read_bytes())
    third = len(data) // 3
    data[third : third + 3000] = bytes(3000)
    path.write_bytes(bytes(data))
    videos.read(sampling=Sampling.ALL, every_s=0.2)
    reasons = {reason for (reason,) in videos.index.rows("SELECT DISTINCT reason FROM spans")}
    assert "seen" in reasons
    assert reasons - {"seen"} <= {"damaged", "gap"}
    videos.require_accounted()


def test_a_broken_end_is_a_gap(videos: Videos) -> None:
    """Where the last keyframes are broken, nobody looked from the last good one to the end, which the index says."""
    path = videos.make(f"gate_{NOON}.mp4", *([EMPTY, CAR] * 5))
    data = bytearray(path.read_bytes())
    begin = data.index(b"mdat") + 4
    end = begin - 8 + int.from_bytes(data[begin - 8 : begin - 4])
    broken = begin + (end - begin) * 7 // 10
    data[broken:end] = bytes(end - broken)
    path.write_bytes(bytes(data))
    report = videos.read(sampling=Sampling.KEYFRAMES)
    assert report.gaps >= 1
    gap_end = videos.index.rows("SELECT MAX(to_at) FROM spans WHERE reason = 'gap'")
    assert [str(at)[:19] for (at,) in gap_end] == ["2021-06-16 12:00:10"]
    assert gap_end == videos.index.rows("SELECT ended_at FROM videos")
    videos.require_accounted()


def test_a_part_of_another_size_costs_itself(videos: Videos) -> None:
    """Where a later part of a stream is too small for images, its frames are counted with that reason; others stay."""
    parts = {name: videos.make(f"{name}.ts", EMPTY, CAR, container="mpegts") for name in ("first", "last")}
    tiny = make_video(videos.folder / "tiny.ts", frames=25, rate=5, keyframe_every=5, size=(48, 320))
    data = parts["first"].read_bytes() + tiny.read_bytes() + parts["last"].read_bytes()
    for path in (*parts.values(), tiny):
        path.unlink()
    (videos.folder / f"gate_{NOON}.ts").write_bytes(data)
    report = videos.read()
    assert report.outcomes == {"partial": 1}
    assert "a side is below 64" in report.problems[0][1]
    assert (report.frames_damaged > 0, report.frames_stored) == (True, 2)
    videos.require_accounted()


def test_damaged_frames_are_not_called_like_a_stored_image(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """The report says how many frames were damaged: spans count them, but no image stands for them."""
    videos.make(f"gate_{NOON}.mp4", *SCENES)
    _die_at(monkeypatch, 15)
    report = videos.read(executor=_InProcesses(), sampling=Sampling.ALL)
    damaged = videos.index.rows("SELECT SUM(frames) FROM spans WHERE reason = 'damaged'")
    assert damaged == [(report.frames_damaged,)]
    assert report.frames_damaged > 0
