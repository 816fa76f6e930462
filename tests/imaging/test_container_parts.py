"""Whole video files and cut ones: what the parts of a container say, for every container that has any."""

import io
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.imaging.container_parts import BoundedFile, is_cut
from tests.support.videos import make_video

PACKET = b"\x47" + bytes(187)
FORMS = {
    "ts": {"container": "mpegts"},
    "m2ts": {"container": "mpegts", "container_options": {"mpegts_m2ts_mode": "1"}},
    "faststart.mp4": {"container_options": {"movflags": "faststart"}},
    "fragmented.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "mkv": {"container": "matroska"},
    "live.mkv": {"container": "matroska", "container_options": {"live": "1"}},
    "avi": {"codec": "mpeg4"},
    "mpeg": {"codec": "mpeg2video", "container": "mpeg"},
    "flv": {},
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], bytes]:
    """The bytes of a whole video of three seconds in each form."""
    folder = tmp_path_factory.mktemp("whole")
    return cache(lambda form: make_video(folder / f"video.{form}", frames=75, **FORMS[form]).read_bytes())  # type: ignore[arg-type]


def cut(data: bytes) -> bool:
    """Whether a file of these bytes is cut off."""
    return is_cut(BoundedFile(io.BytesIO(data)))


@pytest.mark.parametrize("form", FORMS)
def test_a_whole_file_is_not_cut(whole: Callable[[str], bytes], form: str) -> None:
    """No file that was written to its end counts as cut off."""
    assert not cut(whole(form))


@pytest.mark.parametrize("form", sorted(FORMS.keys() - {"mpeg", "flv"}))  # whose parts do not say how long they are
def test_a_file_that_ends_inside_a_part_is_cut(whole: Callable[[str], bytes], form: str) -> None:
    """Wherever a file ends, it counts as cut off, but for the few places between two parts."""
    data = whole(form)
    ends = range(len(data) // 5, len(data) - 1, 7)
    missed = [end for end in ends if not cut(data[:end])]
    assert len(missed) < len(ends) / 15
    if form.endswith("ts"):
        assert all(end % (192 if form == "m2ts" else 188) == 0 for end in missed)


@pytest.mark.parametrize("packet", [PACKET, bytes(4) + PACKET, PACKET + bytes(16)])
def test_packets_of_every_length(packet: bytes) -> None:
    """Packets of 188, 192 and 204 bytes, also where the file begins inside one; what is no packet proves nothing."""
    data = (packet * 9)[50:]
    assert not cut(data)
    assert cut(data + packet[:100])
    assert not cut(data + b"\xff" * 100)
    assert not cut(packet * 2)


@pytest.mark.parametrize("form", ["ts", "m2ts", "fragmented.mp4", "mpeg", "live.mkv", "flv"])
def test_a_file_of_which_the_rest_is_not_written_is_cut(whole: Callable[[str], bytes], form: str) -> None:
    """A file that has its full size before it is written ends in zeros, which are none of its parts; a few are filling,
    as in a MP4 of one part, or in one that says that they are free."""
    data = whole(form)
    assert cut(data + bytes(10_000))
    assert not cut(data + bytes(1_000))
    box = whole("faststart.mp4")
    assert not cut(box + bytes(10_000))
    assert not cut(box + struct.pack(">I", 10_000) + b"free" + bytes(9_992))


def test_a_long_avi() -> None:
    """An AVI above a gigabyte has several parts, and may end inside the last one."""
    first, second = (b"RIFF" + struct.pack("<I", 100) + kind + bytes(96) for kind in (b"AVI ", b"AVIX"))
    assert not cut(first + second)
    assert cut(first + second[:60])


@given(st.binary(max_size=300), st.sampled_from([b"", b"\x1a\x45\xdf\xa3", b"RIFF", b"\0\0\0\x08ftyp", PACKET * 5]))
def test_any_bytes_have_an_answer(data: bytes, start: bytes) -> None:
    """Noise, also behind the mark of a container, neither raises nor goes on for ever."""
    assert cut(start + data) in {True, False}


def test_a_file_that_grows_meanwhile_ends_where_it_did(tmp_path: Path) -> None:
    """What another program appends is not seen, so that a part which ends in it counts as cut off."""
    path = tmp_path / "video.ts"
    path.write_bytes(PACKET * 9 + PACKET[:100])
    with path.open("rb") as file:
        source = BoundedFile(file)
        with path.open("ab") as writer:
            writer.write(PACKET[100:])
        assert is_cut(source)
