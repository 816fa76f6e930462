"""ingest of videos: what shows something new becomes an image, and all else is counted, once, whatever happens."""

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.videos import Sampling
from indexer.execution import WorkerFailure
from indexer.files.partial_frames import PARTIAL_FOLDER
from indexer.workflows.runs.run import record_run
from tests.support.index import Index, picture
from tests.workflows.capture.conftest import NOON, Videos, scene

EMPTY, CAR, TRUCK = scene(), scene(200), scene(60, 200)


def test_what_is_new_becomes_an_image(videos: Videos) -> None:
    """Each scene is stored once, with camera and time, and the other frames are counted with their witness."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, EMPTY, CAR, CAR, EMPTY)
    report = videos.read()
    assert (report.outcomes, report.frames_read, report.frames_stored) == ({"read": 1}, 5, 2)
    assert videos.stored() == [
        "gate/2021-06-16/gate-1623844800000.jpg",
        "gate/2021-06-16/gate-1623844802000.jpg",
    ]
    rows = videos.index.rows("SELECT reason, frames, witness_path, worst_score FROM audit_spans ORDER BY from_at")
    first, second = (str(videos.frames.resolve() / name) for name in videos.stored())
    assert [row[:3] for row in rows] == [("seen", 1, first), ("seen", 1, second), ("seen", 1, first)]
    videos.require_accounted()


def test_frames_are_images_like_others(videos: Videos) -> None:
    """Stored frames have camera, time and thumbnail, are compared, and can be ingested again as unchanged files."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    videos.read()
    found = videos.index.rows("SELECT camera_id, captured_at, captured_at_source, state FROM images ORDER BY id")
    assert [(row[0], str(row[1])[11:19], *row[2:]) for row in found] == [
        (1, "12:00:00", "name", "ready"),
        (1, "12:00:01", "name", "ready"),
    ]
    assert [camera.decided for camera in videos.index.compare().cameras] == [2]
    assert videos.index.ingest(videos.frames).outcomes == {"unchanged": 2}


def test_a_known_video_is_not_read_again(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second ingest opens nothing; a new time of the file costs its ends; nothing is stored or counted twice."""
    path = videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    videos.read()
    before = videos.index.dump(without=("runs",))
    monkeypatch.setattr("indexer.workflows.capture.ingest_videos.read_video", None)
    assert videos.read().outcomes == {"unchanged": 1}
    assert videos.index.dump(without=("runs",)) == before
    os.utime(path, ns=(1, 1_700_000_000_000_000_000))
    assert videos.read().outcomes == {"unchanged": 1}
    assert videos.read(again=True).outcomes == {"unchanged": 1}


def test_a_moved_video_is_known(videos: Videos) -> None:
    """A video that moved is known at its new path, with its frames and spans; one that is gone is missing."""
    path = videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    videos.make("gate_20210616_130000.mp4", CAR, TRUCK)
    videos.read()
    (videos.folder / "archive").mkdir()
    path.rename(videos.folder / "archive" / path.name)
    report = videos.read()
    assert (report.outcomes, report.frames_read, report.missing) == ({"moved": 1, "unchanged": 1}, 0, 0)
    (videos.folder / "archive" / path.name).unlink()
    assert videos.read().missing == 1
    found = videos.index.rows("SELECT missing_reason, frames_read FROM videos ORDER BY id")
    assert found == [("not found", 2), (None, 2)]


def test_a_video_that_comes_back_is_known(videos: Videos, tmp_path: Path) -> None:
    """A video that was missing is known when it is back, and a copy beside it is counted as equal."""
    path = videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    other = videos.make("gate_20210616_130000.mp4", CAR, TRUCK)
    videos.read()
    shutil.move(path, tmp_path / "away.mp4")
    assert videos.read().missing == 1
    shutil.copy2(tmp_path / "away.mp4", path)
    assert videos.read().outcomes == {"returned": 1, "unchanged": 1}
    shutil.copy2(other, videos.folder / "gate_20210616_140000.mp4")
    assert videos.read().outcomes == {"unchanged": 2, "equal": 1}


def test_memory_goes_from_video_to_video(videos: Videos) -> None:
    """What the video before showed is not stored again; the span names the image of that video."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    videos.make("gate_20210616_120002.mp4", CAR, EMPTY)
    assert videos.read().frames_stored == 2
    assert len(videos.stored()) == 2
    videos.require_accounted()


def test_witnesses_are_pinned(videos: Videos) -> None:
    """The witness of a span is no duplicate of anything, even if a better image shows the same: it stays."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, EMPTY)
    videos.read()
    (frame,) = videos.frames.rglob("*.jpg")
    videos.index.put("gate-1623844790000.jpg", frame.read_bytes())
    videos.index.ingest()
    videos.index.compare()
    verdicts = {path: verdict for path, (verdict, *_) in videos.index.decisions().items()}
    assert verdicts == {videos.index.file(str(frame.resolve())): "keep", "gate-1623844790000.jpg": "duplicate"}


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
    whole.write_bytes(data)
    report = videos.read(sampling=Sampling.ALL)
    assert report.frames_read == 6
    assert [reason for (reason,) in videos.index.rows("SELECT missing_reason FROM videos ORDER BY id")] == [
        "replaced",
        None,
    ]
    assert len(videos.stored()) == 4
    assert videos.index.rows("SELECT video_id, COUNT(*) FROM video_frames GROUP BY video_id") == [(2, 4)]


def test_a_dead_worker_costs_its_video(videos: Videos) -> None:
    """A video whose worker was killed is recorded as unreadable with the reason, and the next one is read."""
    videos.make(f"gate_{NOON}.mp4", EMPTY)
    videos.make("yard_20210616_120000.mp4", CAR)
    report = videos.read(executor=_Killing("gate"))
    assert report.outcomes == {"unreadable": 1, "read": 1}
    assert "was killed" in report.problems[0][1]
    assert videos.read(again=True).outcomes == {"read": 1, "unchanged": 1}


class _Killing:
    """An executor whose worker dies of one camera's video."""

    workers = 1

    def __init__(self, camera: str) -> None:
        self.camera = camera

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        for item in items:
            yield WorkerFailure("was killed") if item.camera == self.camera else function(item)


def test_orphans_of_a_crash_are_adopted(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the crash comes between the files and their rows, the next run takes the very files: none twice, none lost."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR, EMPTY, TRUCK)

    def crash(*_arguments: Any, **_how: Any) -> int:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("indexer.store.videos.add_video", crash)
        with pytest.raises(KeyboardInterrupt):
            videos.read()
    files = videos.stored()
    assert len(files) == 3
    assert videos.index.rows("SELECT COUNT(*) FROM images") == [(0,)]
    report = videos.read()
    assert (report.frames_stored, report.adopted, videos.stored()) == (3, 3, files)
    videos.require_accounted()


def test_a_lost_index_is_made_again(videos: Videos) -> None:
    """Where the frames were ingested as images alone, reading the videos again takes these very images."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR, EMPTY, TRUCK)
    videos.read()
    files = videos.stored()
    for table in ("spans", "video_frames", "videos"):
        videos.index.execute(f"DELETE FROM {table}")
    report = videos.read()
    assert (report.frames_read, report.frames_stored, report.adopted, videos.stored()) == (4, 3, 3, files)
    assert videos.index.rows("SELECT COUNT(*) FROM images") == [(3,)]
    videos.require_accounted()


def test_a_name_in_use_is_not_overwritten(videos: Videos) -> None:
    """A frame whose name another file has gets the next millisecond, and the other file stays as it is."""
    videos.make(f"gate_{NOON}.mp4", EMPTY)
    other = videos.frames / "gate/2021-06-16/gate-1623844800000.jpg"
    other.parent.mkdir(parents=True)
    other.write_bytes(b"something else")
    videos.read()
    assert videos.stored() == [
        "gate/2021-06-16/gate-1623844800000.jpg",
        "gate/2021-06-16/gate-1623844800001.jpg",
    ]
    assert other.read_bytes() == b"something else"


def test_a_witness_that_went_meanwhile(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a witness is removed while a video is read, the video is read again without it."""
    videos.make(f"gate_{NOON}.mp4", EMPTY)
    videos.read()
    videos.make("gate_20210616_130000.mp4", EMPTY, CAR)
    (first,) = videos.frames.rglob("*.jpg")
    read = _read_video()

    def read_and_remove(task: Any) -> Any:
        result = read(task)
        videos.index.execute("UPDATE images SET state = 'missing' WHERE id = 1")
        first.unlink(missing_ok=True)
        return result

    with monkeypatch.context() as patched:
        patched.setattr("indexer.workflows.capture.ingest_videos.read_video", read_and_remove)
        report = videos.read()
    assert (report.outcomes, report.frames_read, report.frames_stored) == ({"unchanged": 1, "read": 1}, 2, 2)
    videos.require_accounted()


def _read_video() -> Callable[[Any], Any]:
    from indexer.workflows.capture.read_video import read_video

    return read_video


def test_others_work_while_a_video_is_read(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a worker reads a video, the lock is free for another command."""
    videos.make(f"gate_{NOON}.mp4", EMPTY)
    read = _read_video()

    def read_beside_another(task: Any) -> Any:
        with record_run(videos.index.database, "pin", arguments={}, clock=videos.index.clock):
            return read(task)

    monkeypatch.setattr("indexer.workflows.capture.ingest_videos.read_video", read_beside_another)
    assert videos.read().outcomes == {"read": 1}
    found = videos.index.rows("SELECT command, outcome FROM audit_runs ORDER BY run_id")
    assert found == [("ingest", "done"), ("pin", "done")]


def test_nothing_stays_in_the_partial_folder(videos: Videos) -> None:
    """The folder for partial files is gone after a run, and what a killed run left there goes with the next one."""
    videos.make(f"gate_{NOON}.mp4", EMPTY)
    left = videos.frames / PARTIAL_FOLDER / "0123456789abcdef"
    left.mkdir(parents=True)
    (left / "0-0.jpg").write_bytes(b"part")
    videos.read()
    assert not (videos.frames / PARTIAL_FOLDER).exists()
    assert videos.index.rows("SELECT COUNT(*) FROM images") == [(1,)]


def test_a_profile_without_thumbnails_is_refused(videos: Videos) -> None:
    """Videos of a camera whose profile has no work_width are refused with that reason, and nothing is stored."""
    videos.make(f"gate_{NOON}.mp4", EMPTY)
    videos.index.put("gate-1623844800000.png", (b""))
    videos.index.compare(profile="original")
    report = videos.read()
    assert report.outcomes == {"skipped": 1}
    assert "work_width" in report.refused[0][1]
    assert videos.stored() == []


def test_every_outcome_of_images_and_videos(videos: Videos, index: Index) -> None:
    """Images and videos of one folder are taken in by one run, each counted once."""
    videos.make(f"gate_{NOON}.mp4", EMPTY)
    shutil.copy2(videos.make("other/yard_20210616_120000.mp4", CAR), videos.folder / "copy.mp4")
    report = videos.ingest()
    assert report.videos is not None
    assert report.videos.seen == sum(report.videos.outcomes.values()) == 3
    assert index.rows("SELECT COUNT(*) FROM runs") == [(1,)]


def test_frames_inside_the_folder_of_videos(videos: Videos) -> None:
    """Where frames are stored below the videos, the next ingest of both knows all of them."""
    videos.frames = videos.folder / "frames"
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    assert videos.read().frames_stored == 2
    report = videos.ingest()
    assert (report.outcomes, report.missing) == ({"unchanged": 2}, 0)
    assert report.videos is not None
    assert report.videos.outcomes == {"unchanged": 1}


def test_videos_are_skipped_without_a_folder_for_frames(videos: Videos) -> None:
    """Without a folder for frames a video is skipped with a reason that says what to type, and nothing fails."""
    videos.make(f"gate_{NOON}.mp4", EMPTY)
    videos.index.put("gate-1623844800000.png", picture())
    report = videos.index.ingest(videos.folder, videos.index.folder)
    assert report.outcomes == {"skipped": 1, "added": 1}
    assert report.skipped == {"a video; name the folder for its frames: --frames FOLDER": 1}
    assert report.refused == []


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


def test_other_profile_of_a_camera(videos: Videos) -> None:
    """Frames are compared by the profile in force for the camera, which the spans name."""
    videos.index.put("gate-1623844700000.png", picture())
    videos.index.ingest()
    videos.index.make_profile("mine", max_score=5.0)
    videos.index.compare(profile="mine")
    videos.make(f"gate_{NOON}.mp4", EMPTY, EMPTY)
    videos.read()
    assert videos.index.rows("SELECT profile, max_score FROM audit_spans") == [("mine", 5.0)]


def test_times_of_the_file_and_the_container(videos: Videos) -> None:
    """Without a time in the name a video begins when its container says, else its length before its file's time."""
    path = videos.make("gate/clip.mp4", EMPTY, CAR)
    os.utime(path, ns=(1, 1_623_844_802_000_000_000))
    made = videos.make("yard/clip.mp4", EMPTY, CAR, metadata={"creation_time": "2021-06-16T12:00:00Z"})
    os.utime(made, ns=(1, 1_623_844_802_000_000_000))
    videos.read()
    rows = videos.index.rows("SELECT camera, started_at, started_at_source FROM audit_videos ORDER BY camera")
    assert [(camera, str(at)[:19], source) for camera, at, source in rows] == [
        ("gate", "2021-06-16 12:00:00", "mtime"),
        ("yard", "2021-06-16 12:00:00", "container"),
    ]


def test_equal_videos_of_two_cameras(videos: Videos) -> None:
    """Equal bytes of two cameras are two videos, each with frames of its own; a second copy in a camera is none."""
    path = videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    for name in ("yard_20210616_120000.mp4", "yard_20210616_130000.mp4", "gate_20210616_130000.mp4"):
        shutil.copy2(path, videos.folder / name)
    assert videos.read().outcomes == {"read": 2, "equal": 2}
    assert videos.index.rows("SELECT camera, frames_stored FROM audit_videos ORDER BY camera") == [
        ("gate", 2),
        ("yard", 2),
    ]
    assert videos.read().outcomes == {"unchanged": 2, "equal": 2}
