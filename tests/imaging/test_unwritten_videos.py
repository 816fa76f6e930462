"""Videos in files that have their full size before they are written: the rest is zeros."""

import io
from collections.abc import Callable
from functools import cache

import pytest

from indexer.domain.descriptions import Limits
from indexer.domain.videos import Sampling, VideoState
from indexer.imaging.video import open_video
from tests.support.videos import make_video

pytest.importorskip("av", reason="needs PyAV: pip install av")
FORMS = {
    "faststart.mp4": {"container_options": {"movflags": "faststart"}},
    "fragmented.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "mkv": {},
    "ts": {"container": "mpegts"},
    "avi": {"codec": "mpeg4"},
    "mpeg": {"codec": "mpeg2video", "container": "mpeg"},
    "flv": {},
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """The bytes of a whole video of eight seconds in each form."""
    folder = tmp_path_factory.mktemp("whole")
    return cache(lambda form: make_video(folder / f"video.{form}", frames=200, **FORMS[form]).read_bytes())  # type: ignore[arg-type]


@pytest.mark.parametrize("sampling", [Sampling.KEYFRAMES, Sampling.ALL])
@pytest.mark.parametrize("form", FORMS)
def test_a_rest_of_zeros_is_no_whole_video(whole: Callable[[str], bytes], form: str, sampling: Sampling) -> None:
    """Wherever the writing stopped, what is there is read, and the reading says that it is not all."""
    data = whole(form)
    for tenths in (4, 6, 8):
        end = len(data) * tenths // 10
        with open_video(io.BytesIO(data[:end] + bytes(len(data) - end)), limits=Limits()) as video:
            frames = list(video.frames(every_s=1.0, sampling=sampling))
            assert (video.reading.state, 0 < len(frames) < 8) == (VideoState.PARTIAL, True)
