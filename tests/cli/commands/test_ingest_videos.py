"""`ingest --frames` and `explain --at`: options, sentences and exit codes."""

import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.command import Run
from tests.support.videos import make_video


@pytest.fixture
def clips(own_home: Path) -> Path:
    """A folder with one video of ten seconds, of a camera named `gate`."""
    folder = own_home / "clips"
    folder.mkdir()
    make_video(folder / "gate_20210616_120000.mp4", frames=50, rate=5, keyframe_every=5)
    return folder


def test_videos_are_taken_in(run: Run, clips: Path) -> None:
    """The report counts videos and frames, the second run knows them, and status has the sums."""
    first = run("ingest", clips, "--frames", "frames", "--processes", 1)
    assert first.code == 0, first
    assert "1 video seen: 1 read." in first.out
    assert "1 video seen: 1 unchanged." in run("ingest", clips, "--frames", "frames").out
    videos = run("status", "--json").document["videos"]
    spans = run("status", "--json").document["spans"]
    assert videos["frames_read"] == videos["frames_stored"] + spans["frames"] == 10
    assert run("audit", "videos", "--json").document["rows"][0][1] == str(clips / "gate_20210616_120000.mp4")


def test_without_a_folder_for_frames(run: Run, clips: Path) -> None:
    """Where only videos are and nobody says where frames go, the sentence says what to type."""
    answer = run("ingest", clips)
    assert answer.code == 1
    assert "--frames FOLDER" in answer.sentence


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--every", "2"), "--frames FOLDER"),
        (("--sample", "all"), "--frames FOLDER"),
        (("--frames", "f", "--every", "0"), "--every is 0"),
        (("--frames", "f", "--every", "nan"), "--every is nan"),
        (("--frames", "f", "--sample", "some"), "auto, keyframes or all"),
    ],
)
def test_options_that_make_no_sense(run: Run, clips: Path, words: tuple[str, ...], says: str) -> None:
    """A wrong option is refused with exit code 2, and nothing is made."""
    answer = run("ingest", clips, *words)
    assert (answer.code, says in answer.sentence) == (2, True), answer
    assert not (clips.parent / "indexer.db").exists()


def test_a_folder_for_frames_that_cannot_be(run: Run, clips: Path) -> None:
    """A file in place of the folder is refused with exit code 1."""
    (clips.parent / "taken").touch()
    answer = run("ingest", clips, "--frames", "taken")
    assert (answer.code, "cannot hold frames" in answer.sentence) == (1, True)


@pytest.mark.parametrize("command", [("ingest",), ("watch", "--once", "--no-compare")])
def test_a_folder_for_frames_that_is_gone(run: Run, clips: Path, command: tuple[str, ...]) -> None:
    """A folder that the index has frames in is not made anew: its disk may not be mounted. Whoever makes it goes on."""
    frames = clips.parent / "frames"
    assert run("ingest", clips, "--frames", frames, "--processes", 1).code == 0
    shutil.rmtree(frames)
    answer = run(*command, clips, "--frames", frames)
    assert (answer.code, "has images in it" in answer.sentence) == (1, True), answer
    assert not frames.exists()
    frames.mkdir()
    assert run("ingest", clips, "--frames", frames, "--processes", 1).code == 0


def test_a_folder_that_nobody_may_write_to(run: Run, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder for frames without the right to write is refused before anything is read or made."""
    monkeypatch.setattr("os.access", lambda *_: False)
    answer = run("ingest", clips, "--frames", "frames")
    assert (answer.code, "cannot hold frames: Permission denied" in answer.sentence) == (1, True)
    assert not (clips.parent / "indexer.db").exists()


def test_a_dry_run_makes_nothing(run: Run, clips: Path) -> None:
    """--dry-run lists the video with camera and time, and makes neither index nor folder."""
    document = run("ingest", clips, "--frames", "frames", "--dry-run", "--json").document
    assert [(video["camera"], video["started_at"], video["state"]) for video in document["videos"]] == [
        ("gate", "2021-06-16T12:00:00+00:00", "new")
    ]
    assert sorted(path.name for path in clips.parent.iterdir()) == ["clips"]


def test_without_the_library(run: Run, clips: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyAV the sentence says what to install, and nothing is made."""
    monkeypatch.setitem(sys.modules, "av", None)
    answer = run("ingest", clips, "--frames", "frames")
    assert (answer.code, "pip install av" in answer.sentence) == (1, True)
    assert not (clips.parent / "frames").exists()


def test_a_broken_video_is_no_failure(run: Run, clips: Path) -> None:
    """A file that is no video is counted, with its reason, and the exit code is that of unreadable images."""
    (clips / "yard_20210616_120000.mp4").write_text("no video")
    answer = run("ingest", clips, "--frames", "frames", "--processes", 1)
    assert answer.code == 0
    assert "2 videos seen: 1 read, 1 unreadable." in answer.out
    assert "yard_20210616_120000.mp4: it is no video that can be read" in answer.out


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--at", "2021-06-16T12:00:00"),
        ("--camera", "gate"),
        ("1", "--at", "2021-06-16T12:00:00", "--camera", "gate"),
        ("--at", "2021-06-16T12:00:00", "--camera", "gate", "--picture", "x.png"),
    ],
)
def test_explain_needs_an_image_or_a_moment(run: Run, clips: Path, words: tuple[str, ...]) -> None:
    """`explain` takes an image, or a time and a camera; anything else is refused with exit code 2."""
    assert run("ingest", clips, "--frames", "frames", "--processes", 1).code == 0
    answer = run("explain", *words)
    assert (answer.code, "--at" in answer.sentence) == (2, True), answer


def test_explain_of_a_moment(run: Run, clips: Path) -> None:
    """The image that stands for a moment is named, with how often frames were looked at."""
    assert run("ingest", clips, "--frames", "frames", "--processes", 1).code == 0
    answer = run("explain", "--at", "2021-06-16T12:00:03.5", "--camera", "gate")
    assert answer.code == 0
    assert "gate-1623844800000.jpg" in answer.out or "gate-162384480" in answer.out
    assert "looked at every 1 s" in answer.out


def test_what_is_proposed_for_videos_of_two_cameras(run: Run, clips: Path) -> None:
    """The command that is proposed for videos of one name in two folders makes each folder a camera."""
    clips.rename(clips.parent / "disk1")
    clips.mkdir()
    (clips.parent / "disk1").rename(clips / "disk1")
    shutil.copytree(clips / "disk1", clips / "disk2")
    make_video(clips / "disk2" / "gate_20210616_120000.mp4", frames=25, rate=5, keyframe_every=5)
    held = " ".join(run("ingest", clips, "--frames", "frames", "--processes", 1).out.split())
    [words] = re.findall(r"several: \S+ (ingest .*--camera-level 1 \S+)", held)
    answer = run(*shlex.split(words.replace("FRAMES", "frames")), "--processes", 1)
    assert answer.code == 0, answer
    assert [camera["camera"] for camera in run("camera", "list", "--json").document] == ["disk1", "disk2"]
