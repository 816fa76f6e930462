"""The cameras and times of videos: decided together with the videos beside them, known ones included."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.errors import NothingToIngestError
from indexer.workflows.capture.preview_videos import preview_videos
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.preview import VideoPreview
from tests.support.databases import on_sqlite
from tests.workflows.capture.conftest import Videos, scene

EVENTS = [f"Yard/{number:02}-20240501{hour}0000.mp4" for number, hour in ((1, 12), (2, 13), (3, 14))]
DAYS = ["lot/gate_13-05-2024_12-00-00.mp4", "lot/gate_01-06-2024_12-00-00.mp4"]


def put(videos: Videos, number: int, name: str) -> Path:
    """A video that differs from those with other numbers."""
    return videos.make(name, scene(10 + 37 * number))


def show(videos: Videos, **options: object) -> tuple[VideoPreview, ...]:
    """The videos of the folder as a dry run shows them."""
    videos.frames.mkdir(exist_ok=True)
    request = discover([str(videos.folder)], frames_folder=str(videos.frames.resolve()), **options)  # type: ignore[arg-type]
    return preview_videos(videos.index.database, request)


def stored(videos: Videos) -> list[tuple[str, str, str]]:
    """The path, the camera and the time of each video, as the index has them."""
    return videos.index.rows("SELECT path, camera, started_at FROM audit_videos ORDER BY path")


@on_sqlite
@pytest.mark.parametrize("names", [EVENTS, DAYS])
@pytest.mark.parametrize("by_file", [True, False])
def test_later_videos_are_named_with_known_ones(videos: Videos, names: list[str], by_file: bool) -> None:
    """Videos that come one after the other are one camera, and the dry run shows what the ingest then does."""
    for number, name in enumerate(names):
        path = put(videos, number, name)
        before = [(video.path, video.camera) for video in show(videos)]
        videos.ingest(*([path] if by_file else []))
        assert [row[:2] for row in stored(videos)] == before
        known = [f"{video.started_at:%Y-%m-%d %H:%M:%S}" for video in show(videos)]
        assert known == [started_at[:19] for _, _, started_at in stored(videos)]
    assert len({camera for _, camera, _ in stored(videos)}) == 1


@on_sqlite
def test_the_order_of_dates_is_that_of_known_videos(videos: Videos) -> None:
    """A date that could have two meanings has the order that a known video of its folder shows."""
    for number, name in enumerate(DAYS):
        put(videos, number, name)
        videos.read()
    assert sorted(str(at)[:10] for _, _, at in stored(videos)) == ["2024-05-13", "2024-06-01"]


@on_sqlite
def test_a_dry_run_has_the_time_zone_of_the_folder(videos: Videos) -> None:
    """The dry run shows in which time zone a video began: that of its folder."""
    put(videos, 0, "gate_20240501_120000.mp4")
    (video,) = show(videos, timezone="Europe/Berlin")
    assert (video.started_at, video.timezone) == (datetime(2024, 5, 1, 10, tzinfo=UTC), "Europe/Berlin")


@on_sqlite
def test_a_pattern_is_held_against_videos(videos: Videos) -> None:
    """A pattern that matches no video, or reads no time of one, is refused; videos that it does not match are counted,
    also where it is stored."""
    gate, yard, lot = (videos.folder / name for name in ("gate-20240501_120000.mp4", "yard.mp4", "lot.mp4"))
    gate.write_text("no video")
    yard.write_text("no video either")
    with pytest.raises(NothingToIngestError):
        videos.ingest(pattern=r"lot(?P<camera>x)")
    with pytest.raises(NothingToIngestError):
        videos.ingest(gate, pattern=r"(?P<camera>\w+)-(?P<timestamp>2)")
    assert videos.ingest(pattern=r"(?P<camera>[a-z]+)-(?P<timestamp>\d+_\d+)").unmatched == 1
    lot.write_text("no video, too")
    assert videos.ingest().unmatched == 1


@on_sqlite
def test_a_question_about_videos_names_the_folders_of_their_recorders(videos: Videos) -> None:
    """Videos of one name at one time in two folders are held back, and asked for by these folders, not by that of
    stored frames; where times do not overlap, the same folders are reported."""
    put(videos, 0, "disk1/c10_20210616_120000.mp4")
    videos.read()
    put(videos, 1, "disk2/c10_20210616_130000.mp4")
    names = videos.read().names
    folders = (str(videos.folder / "disk1"), str(videos.folder / "disk2"))
    assert (names.held, names.several_folders) == ((), {"c10": folders})
    put(videos, 2, "disk3/c10_20210616_120000.mp4")
    [camera] = videos.read().names.held
    assert (camera.camera, camera.folders) == ("c10", (*folders, str(videos.folder / "disk3")))


@on_sqlite
def test_a_quiet_video_shows_when_its_camera_was_there(videos: Videos) -> None:
    """All of a known video counts, not only its stored frames: one of another folder that begins in it is held back."""
    videos.make("disk1/c10_20210616_120000.mp4", *[scene(40)] * 6)
    videos.read()
    put(videos, 1, "disk2/c10_20210616_120004.mp4")
    assert [camera.camera for camera in videos.read().names.held] == ["c10"]
