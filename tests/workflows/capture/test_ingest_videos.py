"""ingest of videos: what shows something new becomes an image, and all else is counted, once, whatever happens."""

import errno
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.domain.videos import VIDEO_EXTENSIONS, Sampling
from indexer.files.frame_files import write_partial_frame
from indexer.files.partial_frames import PARTIAL_FOLDER
from indexer.store import audit_queries, spans, video_names
from indexer.store import videos as store
from indexer.workflows.runs.run import record_run
from tests.support.databases import on_sqlite
from tests.support.index import Index, picture
from tests.support.videos import repack
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
    monkeypatch.setattr("indexer.workflows.capture.attempts.read_video", None)
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


@on_sqlite
def test_a_moved_video_has_copies(videos: Videos) -> None:
    """Copies of a video that moved, or has another time, are copies all the same."""
    path = videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    videos.read()
    for hour in (13, 14):
        shutil.copy2(path, videos.folder / f"gate_20210616_{hour}0000.mp4")
    os.utime(path, ns=(1, 1_623_848_402_000_000_000))
    assert videos.read().outcomes == {"unchanged": 1, "equal": 2}
    path.unlink()
    assert videos.read().outcomes == {"moved": 1, "equal": 1}


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


def test_a_damaged_thumbnail_stands_for_nothing(videos: Videos) -> None:
    """A video is read whatever became of the thumbnails that its frames are compared with, which are no witnesses."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    videos.read()
    videos.index.execute("UPDATE thumbnails SET data = ? WHERE image_id = 1", b"spoiled")
    videos.make("gate_20210616_120002.mp4", CAR, EMPTY)
    report = videos.read()
    assert (report.outcomes, report.frames_stored) == ({"unchanged": 1, "read": 1}, 1)
    witnesses = videos.index.rows("SELECT DISTINCT witness_path FROM audit_spans WHERE video_id = 2")
    assert witnesses == [(str(videos.frames.resolve() / videos.stored()[1]),)]


def test_path_too_long_for_a_server(videos: Videos) -> None:
    """A server stores no path of 3 000 bytes: such a video is refused with the reason, and the others are read."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    deep = videos.folder.joinpath(*["d" * 200] * 15)
    deep.mkdir(parents=True)
    path = videos.make(f"yard_{NOON}.mp4", CAR, TRUCK).rename(deep / f"yard_{NOON}.mp4")
    report = videos.read()
    on_server = videos.index.database.path is None
    assert report.refused == ([(str(path), "its path is too long for this database")] if on_server else [])
    assert report.outcomes == ({"read": 1, "skipped": 1} if on_server else {"read": 2})


def test_a_full_disk_costs_no_frame(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """A video whose frames cannot be written is refused and leaves nothing; with space it is read whole."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR, EMPTY, TRUCK, EMPTY, scene(10))
    written = list[str]()

    def fill(path: str, data: bytes, *, sync: bool = True) -> int:
        written.append(path)
        if len(written) > 3:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), path)
        return write_partial_frame(path, data, sync=sync)

    with monkeypatch.context() as patched:
        patched.setattr("indexer.workflows.capture.new_frames.write_partial_frame", fill)
        report = videos.read()
    (path, reason), *_ = report.refused
    assert (report.outcomes, reason) == ({"skipped": 1}, "a frame of it cannot be written: No space left on device")
    assert path.endswith(f"gate_{NOON}.mp4")
    assert list(videos.frames.rglob("*")) == []
    assert videos.read().frames_stored == 4
    videos.require_accounted()


def test_a_run_keeps_the_partial_files_of_one_video(videos: Videos, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the next video of a camera is read, nothing is left of what the one before wrote for the time being."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    videos.make("gate_20210616_130000.mp4", TRUCK)
    read, left = _read_video(), list[list[str]]()

    def look_and_read(task: Any) -> Any:
        left.append(sorted(os.listdir(Path(task.partial_folder).parent)))
        return read(task)

    monkeypatch.setattr("indexer.workflows.capture.attempts.read_video", look_and_read)
    assert videos.read().outcomes == {"read": 2}
    assert sorted(left) == [["0", "lock"], ["1", "lock"]]


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

    monkeypatch.setattr("indexer.workflows.capture.attempts.read_video", read_beside_another)
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


def test_partial_frames_are_no_images(videos: Videos) -> None:
    """What a killed run left in the folder for partial files is no image for whoever takes in the folder of frames."""
    videos.make(f"gate_{NOON}.mp4", EMPTY, CAR)
    videos.read()
    left = videos.frames / PARTIAL_FOLDER / "0123456789abcdef" / "0"
    left.mkdir(parents=True)
    shutil.copy2(videos.frames / videos.stored()[0], left / "0.jpg")
    assert videos.index.ingest(videos.frames).outcomes == {"unchanged": 2, "skipped": 1}
    assert videos.index.rows("SELECT COUNT(*) FROM images") == [(2,)]


@on_sqlite
def test_every_suffix_of_a_video(videos: Videos) -> None:
    """Files with every usual suffix of a video are read, in small letters and large ones."""
    whole = videos.make("one.mp4", EMPTY, CAR).read_bytes()
    (videos.folder / "one.mp4").unlink()
    for suffix in sorted(VIDEO_EXTENSIONS):
        (videos.folder / f"cam{suffix[1:]}_{NOON}{suffix.upper()}").write_bytes(whole)
    made = {
        ".m2ts": {"container": "mpegts", "container_options": {"mpegts_m2ts_mode": "1"}},
        ".mts": {"container": "mpegts", "container_options": {"mpegts_m2ts_mode": "1"}},
        ".mpeg": {"codec": "mpeg2video", "container": "mpeg", "rate": 25},
        ".3gp": {"container": "3gp"},
    }
    for suffix, how in made.items():
        videos.make(f"own{suffix[1:]}_{NOON}{suffix}", EMPTY, CAR, **how)  # type: ignore[arg-type]
    report = videos.read()
    assert report.outcomes == {"read": len(VIDEO_EXTENSIONS) + len(made)}
    assert {".3gp", ".m2ts", ".mpeg", ".mts"} <= VIDEO_EXTENSIONS
    assert set(videos.index.rows("SELECT frames_read, frames_stored FROM videos")) == {(2, 2)}


def test_the_tree_of_a_recorder(videos: Videos) -> None:
    """Where the camera stands between hour and minute, all hours are of one camera, and times are those of the path."""
    whole = videos.make("one.mp4", EMPTY, CAR).read_bytes()
    (videos.folder / "one.mp4").unlink()
    for number, (hour, camera) in enumerate((hour, camera) for hour in ("12", "13") for camera in ("back", "front")):
        for time in ("00.00", "30.10"):
            path = videos.folder / "2021-06-16" / hour / camera / f"{time}.mp4"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(whole + b"\0\0\0\x09free" + bytes([2 * number + (time == "00.00")]))
    assert videos.read().outcomes == {"read": 8}
    rows = videos.index.rows(
        "SELECT camera, started_at, started_at_source FROM audit_videos ORDER BY camera, started_at"
    )
    assert [(camera, str(at)[11:19], source) for camera, at, source in rows] == [
        (camera, time, "name")
        for camera in ("back", "front")
        for time in ("12:00:00", "12:30:10", "13:00:00", "13:30:10")
    ]
    assert videos.read().outcomes == {"unchanged": 8}


def test_what_was_read_again_counts_once(videos: Videos) -> None:
    """A video that was broken, and is whole now, has no gap any more: neither audits nor sums count its old reading."""
    path = videos.make(f"gate_{NOON}.mkv", *([EMPTY, CAR] * 5), container="matroska")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    videos.read(every_s=0.2, sampling=Sampling.ALL)
    path.write_bytes(whole)
    assert videos.read(every_s=0.2, sampling=Sampling.ALL).frames_read == 50
    rows = videos.index.rows("SELECT state, missing_reason FROM videos ORDER BY id")
    assert rows == [("partial", "read again"), ("read", None)]
    with videos.index.database.read() as session:
        counts, unstored = store.count_videos(session), spans.count_spans(session)
        frame_ids = video_names.list_frame_ids(session, "gate")
        witnessed = [spans.sum_of_witness(session, image_id)[1] for image_id in frame_ids]
    assert sum(witnessed) == unstored.frames
    assert (counts.read, counts.partial, counts.missing, counts.frames_read) == (1, 0, 0, 50)
    assert (counts.frames_stored, counts.frames_stored + unstored.frames) == (len(videos.stored()), 50)
    with audit_queries.run_audit(videos.index.database, "shown", {}) as table:
        assert [row[3:] for row in table] == [(2, 50)]
    with audit_queries.run_audit(videos.index.database, "quiet", {}) as table:
        assert sum(row[4] for row in table) == unstored.frames
    shutil.copy2(path, videos.folder / "gate_20210616_140000.mkv")
    assert videos.read().outcomes == {"unchanged": 1, "equal": 1}


@on_sqlite
def test_a_broken_video_is_read_again_beside_copies(videos: Videos) -> None:
    """Copies of a video that was not read whole keep nobody from reading it again, and are none of their own."""
    path = videos.make("m.mkv", EMPTY, CAR, EMPTY, CAR, container="matroska")
    path.write_bytes(path.read_bytes()[:-1000])
    assert videos.read(camera="gate").outcomes == {"partial": 1}
    for name in ("a.mkv", "z.mkv"):
        shutil.copy2(path, videos.folder / name)
    assert videos.read(camera="gate", again=True).outcomes == {"partial": 1, "equal": 2}
    assert videos.index.rows("SELECT path FROM videos WHERE missing_reason IS NULL") == [(str(path),)]


def test_a_file_that_is_another_recording_replaces_none(videos: Videos) -> None:
    """Where a name is used again for another time, or for a shorter video, both readings hold."""
    path = videos.make("gate/clip.mp4", EMPTY, CAR, EMPTY)
    os.utime(path, ns=(1, 1_623_844_802_000_000_000))
    videos.read()
    videos.make("gate/clip.mp4", CAR, TRUCK, CAR)
    os.utime(path, ns=(1, 1_623_848_402_000_000_000))
    videos.read()
    named = videos.make(f"yard_{NOON}.mp4", TRUCK, CAR, TRUCK)
    videos.read()
    videos.make(named.name, TRUCK)
    videos.read()
    rows = videos.index.rows("SELECT missing_reason, COUNT(*) FROM videos GROUP BY missing_reason ORDER BY 2, 1")
    assert sorted(rows, key=repr) == [("replaced", 2), (None, 2)]
    with videos.index.database.read() as session:
        assert store.count_videos(session).frames_read == 10


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


def test_other_profile_of_a_camera(videos: Videos) -> None:
    """Frames are compared by the profile in force for the camera, which the spans name."""
    videos.folder.mkdir(exist_ok=True)
    (videos.folder / "gate-1623844700000.png").write_bytes(picture())
    videos.index.ingest(videos.folder)
    videos.index.make_profile("mine", max_score=5.0)
    videos.index.compare(profile="mine")
    videos.make(f"gate_{NOON}.mp4", EMPTY, EMPTY)
    videos.read()
    assert videos.index.rows("SELECT profile, max_score FROM audit_spans") == [("mine", 5.0)]


def test_times_of_the_file_and_the_container(videos: Videos) -> None:
    """Without a time in the name a video begins when its container says, be it at its start or its end, else its length
    before its file's time, also where the container says nonsense. Frames have the times that follow from it."""
    stated = {
        "gate": None,
        "yard": "2021-06-16T12:00:00Z",
        "dock": "2021-06-16T12:00:12Z",
        "wood": "1904-01-01T00:00:00Z",
    }
    for camera, created in stated.items():
        metadata = {} if created is None else {"creation_time": created}
        path = videos.make(f"{camera}/clip.mp4", *([EMPTY] * 11), CAR, metadata=metadata)
        os.utime(path, ns=(1, 1_623_844_812_000_000_000))
    videos.read()
    rows = videos.index.rows("SELECT camera, started_at, started_at_source FROM audit_videos ORDER BY camera")
    assert [(camera, str(at)[:19], source) for camera, at, source in rows] == [
        ("dock", "2021-06-16 12:00:00", "container"),
        ("gate", "2021-06-16 12:00:00", "mtime"),
        ("wood", "2021-06-16 12:00:00", "mtime"),
        ("yard", "2021-06-16 12:00:00", "container"),
    ]
    times = {name.rpartition("-")[2].removesuffix(".jpg") for name in videos.stored()}
    assert (len(videos.stored()), times) == (8, {"1623844800000", "1623844811000"})


@pytest.mark.parametrize("at_once", [True, False])
def test_one_recording_in_two_files(videos: Videos, at_once: bool) -> None:
    """The same frames in two containers: the second video counts each as seen, with the first one's image, score 0."""
    first = videos.make(f"gate_{NOON}.mp4", EMPTY, EMPTY, CAR, CAR, EMPTY)
    if not at_once:
        videos.read()
    repack(first, videos.folder / f"gate_{NOON}.mkv")
    report = videos.read()
    assert (report.frames_stored, report.adopted) == (2 if at_once else 0, 0)
    assert videos.index.rows("SELECT frames_read, frames_stored FROM videos ORDER BY id") == [(5, 2), (5, 0)]
    assert videos.index.rows("SELECT SUM(frames), MAX(worst_score) FROM spans") == [(8, 0.0)]
    assert len(videos.stored()) == 2
    videos.require_accounted()


def test_frames_of_videos_that_are_gone_still_count(videos: Videos) -> None:
    """The frames looked at are those of all videos, as the spans are: a person may delete videos that were read."""
    path = videos.make(f"gate_{NOON}.mp4", EMPTY, EMPTY, CAR)
    videos.make("yard_20210616_120000.mp4", EMPTY, EMPTY)
    videos.read()
    path.unlink()
    videos.read()
    with videos.index.database.read() as session:
        counts, unstored = store.count_videos(session), spans.count_spans(session)
    assert (counts.read, counts.missing, counts.frames_read, counts.frames_stored) == (1, 1, 5, 3)
    assert counts.frames_read == counts.frames_stored + unstored.frames


def test_an_hour_that_happens_twice_is_counted(videos: Videos) -> None:
    """A video whose name says a time that happens twice begins at the first of both, which the report counts."""
    videos.make("gate_20261025_023000.mp4", EMPTY)
    assert videos.read(timezone="Europe/Berlin").ambiguous_times == 1
    (began,) = videos.index.rows("SELECT started_at FROM audit_videos")[0]
    assert str(began)[:19] == "2026-10-25 00:30:00"


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


@on_sqlite
def test_cameras_whose_frames_share_a_folder(videos: Videos) -> None:
    """Two cameras whose names are one as a folder's name keep images of their own, also of frames that are equal."""
    for name, camera in ((f"one_{NOON}.mp4", "a:b"), (f"two_{NOON}.mp4", "a_b")):
        videos.ingest(videos.make(name, EMPTY, CAR), camera=camera)
    assert videos.index.rows("SELECT camera, frames_stored FROM audit_videos ORDER BY camera") == [
        ("a:b", 2),
        ("a_b", 2),
    ]
    videos.require_accounted()
