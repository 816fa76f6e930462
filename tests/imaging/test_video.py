"""Reading videos: the right frames at the right times, and damage that costs no more than it must."""

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.domain.descriptions import Limits
from indexer.domain.videos import Sampling, VideoReading, VideoState
from indexer.errors import MissingLibraryError
from indexer.imaging.preprocessing import resize_area
from indexer.imaging.video import StreamFrame, open_video, require_video_library
from indexer.imaging.video_container import VideoRefusedError
from tests.support.videos import cut_by_edit_list, make_video, numbered_frame, read_number

pytest.importorskip("av", reason="needs PyAV: pip install av")

RATE = 25
FRAME_US = 1_000_000 // RATE
FORMS = {
    "mp4": {},
    "mkv": {"container": "matroska"},
    "mov": {"container": "mov"},
    "ts": {"container": "mpegts"},
    "flv": {"container": "flv"},
    "fragmented.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "open-gop.mp4": {"codec_options": {"x264-params": "open-gop=1:keyint=25:min-keyint=25:scenecut=0"}},
    "mpeg4.avi": {"codec": "mpeg4"},
    "mjpeg.avi": {"codec": "mjpeg"},
    "mpeg": {"codec": "mpeg2video", "container": "mpeg"},
    "m2ts": {"container": "mpegts", "container_options": {"mpegts_m2ts_mode": "1"}},
    "3gp": {},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "hevc.mp4": {"codec": "libx265", "codec_options": {"x265-params": "log-level=none"}},
}


def read(
    path: Path | bytes, *, every_s: float = 1.0, sampling: Sampling = Sampling.AUTO, limits: Limits | None = None
) -> tuple[list[StreamFrame], VideoReading]:
    """All frames that are looked at, and how the reading ended."""
    data = path if isinstance(path, bytes) else path.read_bytes()
    with open_video(io.BytesIO(data), limits=limits or Limits()) as video:
        frames = list(video.frames(every_s=every_s, sampling=sampling))
        return frames, video.reading


def numbers(frames: list[StreamFrame]) -> list[int]:
    """What is drawn on the frames."""
    return [read_number(frame.grey()) for frame in frames]


def offsets(frames: list[StreamFrame]) -> list[int]:
    """When the frames were taken, in microseconds."""
    return [frame.offset_us for frame in frames]


def refusal(data: bytes) -> str:
    """Why a file is no video."""
    with pytest.raises(VideoRefusedError) as caught, open_video(io.BytesIO(data), limits=Limits()):
        pass
    return caught.value.reason


@pytest.mark.parametrize("sampling", [Sampling.KEYFRAMES, Sampling.ALL])
@pytest.mark.parametrize("form", FORMS)
def test_a_frame_a_second_of_every_form(tmp_path: Path, form: str, sampling: Sampling) -> None:
    """In every container, with B-frames, open groups and offsets: the number on a frame is that of its time."""
    path = make_video(tmp_path / f"video.{form}", **FORMS[form])  # type: ignore[arg-type]
    frames, reading = read(path, sampling=sampling)
    pairs = zip(numbers(frames), offsets(frames), strict=True)
    assert all(abs(number * FRAME_US - us) <= FRAME_US for number, us in pairs)
    assert numbers(frames) == [0, 25, 50, 75]
    assert [(frame.damage, frame.gap) for frame in frames] == [(None, None)] * 4
    assert (reading.state, reading.sampling, reading.interval_s) == (VideoState.READ, sampling, 1.0)
    assert reading.duration_s == pytest.approx(4.0, abs=0.1)


def test_every_frame(tmp_path: Path) -> None:
    """Each 0 seconds means all frames, each at its own time."""
    frames, reading = read(make_video(tmp_path / "video.mp4", frames=60), every_s=0)
    assert numbers(frames) == list(range(60))
    assert offsets(frames) == [number * FRAME_US for number in range(60)]
    assert reading.sampling is Sampling.ALL


@pytest.mark.parametrize(
    ("keyframe_every", "every_s", "expected"),
    [
        (25, 1.0, Sampling.KEYFRAMES),
        (50, 0.5, Sampling.KEYFRAMES),
        (75, 1.0, Sampling.ALL),
        (75, 1.5, Sampling.KEYFRAMES),
    ],
)
def test_keyframes_where_they_suffice(tmp_path: Path, keyframe_every: int, every_s: float, expected: Sampling) -> None:
    """Keyframes up to two seconds apart are enough, or up to twice the interval; else all frames are decoded."""
    path = make_video(tmp_path / "video.mp4", frames=300, keyframe_every=keyframe_every)
    frames, reading = read(path, every_s=every_s)
    assert reading.sampling is expected
    step = round(every_s * RATE) if expected is Sampling.ALL else keyframe_every
    assert numbers(frames) == list(range(0, 300, max(step, keyframe_every if expected is Sampling.KEYFRAMES else 1)))


def test_keyframes_that_come_a_little_early_count(tmp_path: Path) -> None:
    """Keyframes each 0.96 seconds are all taken where one a second is asked for."""
    path = make_video(tmp_path / "video.mp4", frames=240, keyframe_every=24)
    assert numbers(read(path)[0]) == list(range(0, 240, 24))


def test_times_are_those_of_the_stream(tmp_path: Path) -> None:
    """At a variable rate, with a hole, each frame has the time that it was shown at, and the hole is a gap."""
    times = [*range(0, 4000, 40), *range(24_000, 28_000, 500), *range(28_000, 29_000, 33)]
    path = make_video(tmp_path / "video.mkv", frames=len(times), times_ms=times)
    frames, _ = read(path, every_s=0.5, sampling=Sampling.ALL)
    assert [times[number] * 1000 for number in numbers(frames)] == offsets(frames)
    assert [frame.offset_us for frame in frames if frame.gap] == [24_000_000]
    assert max(np.diff([us for us in offsets(frames) if us >= 24_000_000])) <= 533_000


@pytest.mark.parametrize("keyframe_every", [5, 500])
@pytest.mark.parametrize("form", ["mp4", "mkv"])
def test_long_holes_change_no_interval(tmp_path: Path, form: str, keyframe_every: int) -> None:
    """Where a recorder pauses again and again, a frame a second is looked at all the same, and the end is that of the
    last frame: a mean rate over the pauses says nothing."""
    times = [pause * 40_000 + number * 200 for pause in range(3) for number in range(25)]
    path = make_video(
        tmp_path / f"video.{form}", frames=len(times), rate=5, keyframe_every=keyframe_every, times_ms=times
    )
    frames, reading = read(path)
    assert offsets(frames) == [pause * 40_000_000 + second * 1_000_000 for pause in range(3) for second in range(5)]
    assert [frame.offset_us for frame in frames if frame.gap] == [40_000_000, 80_000_000]
    assert (reading.interval_s, reading.duration_s) == (1.0, pytest.approx(85.0, abs=1.5))


def test_a_last_frame_of_another_clock_is_no_long_video(tmp_path: Path) -> None:
    """A frame that says to be thirty years later comes after the one before, and the video ends there."""
    path = make_video(tmp_path / "video.mkv", frames=3, rate=5, keyframe_every=1, times_ms=[0, 1000, 10**12])
    frames, reading = read(path, every_s=0)
    assert numbers(frames) == [0, 1, 2]
    assert max(offsets(frames)) < 5_000_000
    assert reading.duration_s < 10
    assert (reading.state, reading.reason) == (
        VideoState.READ, "its clock jumps: times after that go on from the frame before",
    )  # fmt: skip
    assert read(path, every_s=1e9, sampling=Sampling.KEYFRAMES)[1].duration_s < 10
    one_keyframe = make_video(tmp_path / "one.mkv", frames=3, rate=5, keyframe_every=3, times_ms=[0, 1000, 10**12])
    assert read(one_keyframe, every_s=1e9, sampling=Sampling.KEYFRAMES)[1].duration_s < 10


@pytest.mark.parametrize("sampling", [Sampling.KEYFRAMES, Sampling.ALL])
def test_a_useless_time_is_reported(tmp_path: Path, sampling: Sampling) -> None:
    """A frame that says the time of the one before comes just after it, and the reading says so."""
    data = make_video(tmp_path / "video.mkv", frames=4, rate=5, keyframe_every=1).read_bytes()
    block = b"\x81\x00\xc8\x80"  # of the first track: a keyframe at 200 ms
    assert data.count(block) == 1
    frames, reading = read(data.replace(block, b"\x81\x00\x00\x80"), every_s=1e-6, sampling=sampling)
    assert (numbers(frames), offsets(frames)) == ([0, 1, 2, 3], [0, 1000, 400_000, 600_000])
    assert (reading.state, reading.reason) == (
        VideoState.READ, "1 frame has no usable time: it follows the frame before",
    )  # fmt: skip


@pytest.mark.parametrize("sampling", [Sampling.KEYFRAMES, Sampling.ALL])
def test_a_clock_that_restarts_goes_on(tmp_path: Path, sampling: Sampling) -> None:
    """Two recordings in one file, each with a clock of its own: the second one comes after the first."""
    once = make_video(tmp_path / "video.ts", container="mpegts").read_bytes()
    frames, reading = read(once + once, sampling=sampling)
    assert numbers(frames) == [0, 25, 50, 75] * 2
    assert offsets(frames)[:4] == [0, 1_000_000, 2_000_000, 3_000_000]
    assert all(abs(us - 4_000_000 - index * 1_000_000) <= 1_000_000 for index, us in enumerate(offsets(frames)[4:]))
    assert offsets(frames) == sorted(set(offsets(frames)))
    assert "its clock jumps" in str(reading.reason)
    assert reading.duration_s == pytest.approx(8.0, abs=0.5)
    assert read(once + once, every_s=1e9, sampling=Sampling.KEYFRAMES)[1].duration_s == pytest.approx(8.0, abs=0.5)


@pytest.mark.parametrize("stamp", ["offset", "wrap"])
@pytest.mark.parametrize("sampling", [Sampling.KEYFRAMES, Sampling.ALL])
def test_a_stream_that_began_long_before(tmp_path: Path, sampling: Sampling, stamp: str) -> None:
    """A transport stream counts from any time, and after 26.5 hours from 0 again: frames have their own times."""
    begin_s = 7000.0 if stamp == "offset" else 2**33 / 90_000 - 2
    options = {"output_ts_offset": f"{begin_s}"}
    frames, reading = read(
        make_video(tmp_path / "video.ts", container="mpegts", container_options=options), sampling=sampling
    )
    assert numbers(frames) == [0, 25, 50, 75]
    assert np.abs(np.array(numbers(frames)) * FRAME_US - offsets(frames)).max() <= FRAME_US
    assert (reading.state, reading.duration_s) == (VideoState.READ, pytest.approx(4.0, abs=0.1))


@pytest.mark.parametrize("cut", [12, 25, 38, 70])
@pytest.mark.parametrize("sampling", [Sampling.KEYFRAMES, Sampling.ALL])
def test_a_video_that_was_cut_without_coding_it_again(tmp_path: Path, sampling: Sampling, cut: int) -> None:
    """Where an edit list hides the frames before a cut, times count from the first one that is shown; what is hidden
    is no damage."""
    frames, reading = read(cut_by_edit_list(make_video(tmp_path / "video.mp4"), frames=cut), sampling=sampling)
    first = cut if sampling is Sampling.ALL else -(-cut // 25) * 25
    assert numbers(frames) == list(range(first, 100, 25))
    assert offsets(frames) == [(number - cut) * FRAME_US for number in numbers(frames)]
    assert {(frame.damage, frame.gap) for frame in frames} == {(None, None)}
    assert (reading.state, reading.duration_s) == (VideoState.READ, pytest.approx(4.0 - cut / RATE, abs=0.05))


def test_a_cut_behind_the_last_keyframe(tmp_path: Path) -> None:
    """Where no keyframe is shown, all frames are decoded; who asks for keyframes alone is told that there are none."""
    data = cut_by_edit_list(make_video(tmp_path / "video.mp4", frames=50, keyframe_every=50), frames=12)
    frames, reading = read(data)
    assert (numbers(frames), offsets(frames), reading.sampling) == ([12, 37], [0, 1_000_000], Sampling.ALL)
    frames, reading = read(data, sampling=Sampling.KEYFRAMES)
    assert frames == []


@pytest.mark.parametrize("form", ["mp4", "ts"])
def test_keyframes_that_need_the_frames_before_them(tmp_path: Path, form: str) -> None:
    """A stream that renews its picture piece by piece has keyframes by name alone: all its frames are decoded."""
    options = {"x264-params": "intra-refresh=1:keyint=25:bframes=0"}
    frames, reading = read(make_video(tmp_path / f"video.{form}", codec_options=options))
    assert (numbers(frames), reading.sampling, reading.state) == ([0, 25, 50, 75], Sampling.ALL, VideoState.READ)


def test_nobody_looked_before_the_first_frame(tmp_path: Path) -> None:
    """A stream that begins between two keyframes shows nothing up to the next one: that time is a gap."""
    data = make_video(tmp_path / "video.ts", frames=300, keyframe_every=100, container="mpegts").read_bytes()
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    tables = [packet for packet in packets[:10] if packet[1] & 0x1F != 1 or packet[2] != 0]
    late = b"".join(tables + packets[len(packets) // 8 :])
    frames, _ = read(late)
    assert (read_number(frames[0].grey()), frames[0].damage, frames[0].gap) == (100, None, "no frames")
    assert 2_000_000 < frames[0].offset_us < 4_000_000


def test_the_stream_with_most_pixels(tmp_path: Path) -> None:
    """Of several video streams the largest one is read, wherever it stands; a cover picture is no video."""
    import av

    with av.open(str(tmp_path / "video.mkv"), "w") as output:
        streams: list[Any] = []
        for width, height in ((160, 120), (320, 240), (64, 64)):
            stream: Any = output.add_stream("libx264", rate=5, options={"preset": "ultrafast"})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            streams.append(stream)
        for number in range(10):
            for stream in streams:
                picture = numbered_frame(number)[: stream.height, : stream.width]
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
                frame.pts = number
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode())
    frames, reading = read(tmp_path / "video.mkv", sampling=Sampling.ALL)
    assert [(frame.size, read_number(frame.grey())) for frame in frames] == [((240, 320), 0), ((240, 320), 5)]
    assert reading.state is VideoState.READ


@pytest.mark.parametrize("seed", range(40))
def test_no_bytes_raise(whole: dict[str, bytes], seed: int) -> None:
    """Whatever the bytes, a video is refused or read, with times that grow."""
    random = np.random.default_rng(seed)
    data = bytearray(list(whole.values())[seed % len(whole)])
    for place in random.integers(0, len(data), 10 ** (seed % 3)):
        data[place] = random.integers(0, 256)
    try:
        frames, _ = read(bytes(data), every_s=0.2)
    except VideoRefusedError:
        return
    assert offsets(frames) == sorted(set(offsets(frames)))
    assert all(frame.grey().shape == frame.colour().shape[:2] for frame in frames)


@pytest.mark.parametrize("turn", [90, 180, -90])
def test_a_turned_video_is_shown_upright(tmp_path: Path, turn: int) -> None:
    """A frame is turned as a player would turn it, and the header says the size as shown."""
    path = make_video(tmp_path / "video.mp4", frames=30, rotation=turn)
    with path.open("rb") as file, open_video(file, limits=Limits()) as video:
        frame = next(iter(video.frames(every_s=1.0)))
        grey, colour = frame.grey(), frame.colour()
        assert grey.shape == colour.shape[:2] == frame.size == (video.facts.height, video.facts.width)
    upright = np.rot90(numbered_frame(0)[:, :, 0], turn // 90)
    assert grey.shape == upright.shape
    assert np.abs(grey.astype(int) - upright).mean() < 25


@pytest.mark.parametrize("turn", [0, 90])
def test_a_frame_is_made_smaller_in_one_step(tmp_path: Path, turn: int) -> None:
    """At a whole ratio the small pixels of a frame are those of its own size, averaged by area, but for two levels."""
    path = make_video(tmp_path / "video.mp4", frames=1, rotation=turn)
    with path.open("rb") as file, open_video(file, limits=Limits()) as video:
        frame = next(iter(video.frames(every_s=1.0)))
        size = frame.size[0] // 4, frame.size[1] // 4
        for whole, small in ((frame.grey(), frame.grey(size)), (frame.colour(), frame.colour(size))):
            assert small.shape == (*size, *whole.shape[2:])
            assert np.abs(resize_area(whole, size=size).astype(int) - small).max() <= 2


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Ten seconds in several containers, some with the index at the end."""
    folder = tmp_path_factory.mktemp("whole")
    forms = {
        "mp4": {},
        "faststart.mp4": {"container_options": {"movflags": "faststart"}},
        "fragmented.mp4": FORMS["fragmented.mp4"],
        "mkv": FORMS["mkv"],
        "avi": FORMS["mpeg4.avi"],
        "ts": FORMS["ts"],
    }
    return {
        form: make_video(folder / f"video.{form}", frames=250, **how).read_bytes()  # type: ignore[arg-type]
        for form, how in forms.items()
    }


@pytest.mark.parametrize("form", ["faststart.mp4", "fragmented.mp4", "mkv", "avi", "ts"])
@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_cut_video_is_read_up_to_the_cut(whole: dict[str, bytes], form: str, tenths: int) -> None:
    """Of a video that ends early the frames that are there are read, with their times, and the reading says so."""
    data = whole[form][: len(whole[form]) * tenths // 10 | 1]  # odd: inside a packet of MPEG-TS, all of 188 bytes
    try:
        frames, reading = read(data)
    except VideoRefusedError:
        assert tenths <= 2  # not one frame is there
        return
    trusted = [frame for frame in frames if frame.damage is None]
    assert numbers(trusted) == [us // FRAME_US for us in offsets(trusted)]
    assert numbers(trusted) == list(range(0, 250, 25))[: len(trusted)]
    assert len(trusted) >= tenths - 2
    assert (reading.state, "ends early" in (reading.reason or "")) == (VideoState.PARTIAL, True)


@pytest.mark.parametrize("tenths", range(1, 10))
def test_a_video_without_its_index_may_still_be_written(whole: dict[str, bytes], tenths: int) -> None:
    """An MP4 whose index was to come at the end cannot be read, and the reason says what it may be."""
    data = whole["mp4"][: len(whole["mp4"]) * tenths // 10]
    assert refusal(data) == "ends before its index: still being written, or cut off"


@pytest.mark.parametrize("form", ["faststart.mp4", "mkv", "avi", "ts"])
@pytest.mark.parametrize("sampling", [Sampling.KEYFRAMES, Sampling.ALL])
def test_damage_in_the_middle_costs_what_is_there(whole: dict[str, bytes], form: str, sampling: Sampling) -> None:
    """Noise over a part of the stream: frames before and after it are whole, and none that is trusted shows a guess."""
    data = bytearray(whole[form])
    begin, end = len(data) * 45 // 100, len(data) * 55 // 100
    data[begin:end] = np.random.default_rng(1).integers(0, 256, end - begin, dtype=np.uint8).tobytes()
    frames, reading = read(bytes(data), every_s=1.0, sampling=sampling)
    trusted = [frame for frame in frames if frame.damage is None]
    assert all(
        abs(number * FRAME_US - us) <= FRAME_US for number, us in zip(numbers(trusted), offsets(trusted), strict=True)
    )
    assert {0, 25, 50, 225} <= set(numbers(trusted))
    assert any(frame.gap or frame.damage for frame in frames)
    assert reading.state is VideoState.PARTIAL or any(frame.gap == "no keyframes" for frame in frames)
    assert offsets(frames) == sorted(offsets(frames))


def test_a_damaged_index_is_not_called_unfinished(tmp_path: Path) -> None:
    """An MP4 that is there to its end, with a broken index, is no file that is still being written."""
    data = bytearray(make_video(tmp_path / "video.mp4", frames=25).read_bytes())
    descriptions = data.index(b"stsd") + 4
    data[descriptions : descriptions + 20] = b"\xff" * 20
    with pytest.raises(VideoRefusedError, match=r"its index is damaged"):
        read(bytes(data))


def test_no_video() -> None:
    """What is no video is refused with a reason: empty, noise, an image, text, a playlist, sound."""
    noise = np.random.default_rng(2).integers(0, 256, 100_000, dtype=np.uint8).tobytes()
    assert refusal(b"") == "the file is empty"
    for data in (
        noise,
        b"\0" * 10_000,
        b"#EXTM3U\n#EXTINF:10,\n/etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
    ):
        assert refusal(data).startswith("it is no video that can be read")


def test_sound_alone(tmp_path: Path) -> None:
    """A container without a video stream is refused."""
    import av

    with av.open(str(tmp_path / "sound.mp4"), "w") as output:
        stream = output.add_stream("aac", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 8000), dtype=np.float32), format="fltp", layout="mono")
        sound.sample_rate = 8000
        output.mux(stream.encode(sound))
        output.mux(stream.encode())
    assert refusal((tmp_path / "sound.mp4").read_bytes()) == "it has no video stream"


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (Limits(max_pixels=1000), "320 x 240 pixels are more than the limit of 1000"),
        (Limits(min_side_px=241), "320 x 240 pixels: a side is under 241"),
    ],
)
def test_frames_of_a_wrong_size(tmp_path: Path, limits: Limits, reason: str) -> None:
    """Frames over the limit of pixels, or too small, are refused before they are decoded."""
    path = make_video(tmp_path / "video.mp4", frames=5)
    with path.open("rb") as file, pytest.raises(VideoRefusedError, match=reason), open_video(file, limits=limits):
        pass


def test_a_video_that_grows_ends_where_it_was_opened(tmp_path: Path) -> None:
    """What another program appends while the video is read is not read."""
    path = make_video(tmp_path / "video.ts", container="mpegts")
    more = path.read_bytes()
    with path.open("rb") as file, open_video(file, limits=Limits()) as video:
        frames = []
        for frame in video.frames(every_s=1.0):
            frames.append(frame)
            with path.open("ab") as writer:
                writer.write(more)
    assert len(frames) == 4


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without PyAV one sentence says what to install."""
    require_video_library()
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingLibraryError, match=r"type: pip install av$"):
        require_video_library()


def test_facts(tmp_path: Path) -> None:
    """The header: container, codec, size, length, and when it says that it was made."""
    path = make_video(tmp_path / "video.mp4", metadata={"creation_time": "2026-01-01T12:00:00.000000Z"})
    with path.open("rb") as file, open_video(file, limits=Limits()) as video:
        facts = video.facts
    assert (facts.codec, facts.height, facts.width, facts.duration_s) == ("h264", 240, 320, 4.0)
    assert "mp4" in facts.container.split(",")
    assert (facts.creation_time or "").startswith("2026-01-01T12:00:00")
