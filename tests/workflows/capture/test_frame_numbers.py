"""The frames that are stored, as their files are: the number that is burnt into each is that of its time, in every kind
of video, within one frame."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from PIL import Image

from indexer.domain.videos import EPOCH, Sampling
from tests.support.databases import on_sqlite
from tests.support.video_kinds import KINDS, START_MS, make_kinds
from tests.workflows.capture.conftest import Videos

FRAMES = """
    SELECT camera.name, image.path, image.captured_at, frame.offset_us
    FROM video_frames AS frame
    JOIN images AS image ON image.id = frame.image_id
    JOIN cameras AS camera ON camera.id = image.camera_id
"""


@on_sqlite
@pytest.mark.parametrize("sampling", [Sampling.KEYFRAMES, Sampling.ALL])
def test_the_number_on_a_stored_frame_is_that_of_its_time(videos: Videos, tmp_path: Path, sampling: Sampling) -> None:
    """Its file name, its EXIF, its row and its offset in the video all say the time at which a player shows it."""
    make_kinds(videos.folder, scratch=tmp_path)
    report = videos.read(sampling=sampling)
    videos.require_accounted()
    rows = videos.index.rows(FRAMES)
    assert len(rows) == len(videos.stored()) == report.frames_stored
    assert [path for camera, path, _, offset_us in rows if KINDS[camera].frames_off(Path(path), offset_us) > 1] == []
    for _, path, captured_at, offset_us in rows:
        taken = EPOCH + timedelta(milliseconds=START_MS, microseconds=offset_us)
        assert Path(path).stem.rpartition("-")[2] == str(START_MS + offset_us // 1000)
        assert f"{taken:%Y-%m-%d %H:%M:%S}.{taken.microsecond // 1000:03}" == str(captured_at)[:23]
        with Image.open(path) as image:
            exif = image.getexif().get_ifd(0x8769)
        assert (exif[0x9003], exif[0x9291]) == (f"{taken:%Y:%m:%d %H:%M:%S}", f"{taken.microsecond:06}")
    counts = Counter(camera for camera, *_ in rows)
    assert {name: counts[name] for name, kind in KINDS.items() if counts[name] < kind.least} == {}
