"""`ingest` of a video of ten minutes against `ffmpeg`, which decodes its keyframes and does nothing with them, and
against DVR-Scan; on the sample clips the gate against one that forgets nothing, with every span checked by brute force;
and how far the frames that are stored of videos of every kind are from the number that is burnt into them.

The video is 1920x1080 at 30 frames a second and 6 Mb/s, with a keyframe a second and two B-frames: one minute of a
made-up yard, ten times over. All read it from the system's cache; ffmpeg and the command with one thread. What is
compared is the time on the processor of all processes of the command, start and libraries included; the index was made
before. A loop over PyAV's keyframes is measured, too, and is the reference where there is no ffmpeg. DVR-Scan
(`--scan-only`) decodes all frames, reads the minute alone, and its time is taken ten times. It brings another OpenCV:
INDEXER_BENCHMARK_DVR_SCAN names its command in a virtual environment of its own; without that it is left out.
"""

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.domain.descriptions import Limits
from indexer.domain.profiles import BALANCED
from indexer.domain.similarity import is_similar
from indexer.domain.videos import Sampling
from indexer.imaging.matching import evidence_of_pair
from indexer.imaging.novelty import Gate, prepare_frame
from indexer.imaging.thumbnails import decode
from indexer.imaging.video import open_video
from indexer.workflows.profile_parameters import thumbnail_recipe
from tests.benchmarks.measuring import ROOT, manage, rounded, run
from tests.support.video_kinds import KINDS, make_kinds
from tests.support.videos import VISITS, list_missed

CLIPS = ROOT.parent / "shared" / "data" / "videos"
_RATE = 30
_BARE = """
import sys
import av
with av.open(sys.argv[1]) as container:
    stream = container.streams.video[0]
    stream.thread_count = 1
    stream.codec_context.skip_frame = "NONKEY"
    print(sum(1 for _ in container.decode(stream)))
"""


def measure(
    folder: Path,
    *,
    seconds: int = 60,
    repeated: int = 10,
    size: tuple[int, int] = (1920, 1080),
    rounds: int = 3,
    with_clips: bool = True,
) -> dict[str, Any]:
    """Seconds on the processor of the command and the others, their ratios, and what became of the sample clips."""
    path, minute = folder / "videos" / "yard_20210616_120000.mp4", folder / "minute.mp4"
    path.parent.mkdir()
    repeat_video(record_scene(minute, seconds=seconds, size=size), path, times=repeated)
    references = {"bare_s": [sys.executable, "-c", _BARE, str(path)]}
    if shutil.which("ffmpeg"):
        decode = ["-threads", "1", "-skip_frame", "nokey", "-i", str(path), "-f", "null", "-"]
        references["ffmpeg_s"] = ["ffmpeg", "-nostdin", "-v", "error", *decode]
    taken: dict[str, list[float]] = {name: [] for name in (*references, "command_s")}
    for number in range(rounds):
        for name, line in references.items():
            taken[name].append(run(line, folder=folder, watched=True).processor_s)
        manage("--db", f"{number}.db", "db", "upgrade", folder=folder)
        words = ("--db", f"{number}.db", "ingest", "videos", "--frames", f"frames-{number}", "--processes", 1)
        taken["command_s"].append(manage(*words, folder=folder, watched=True).processor_s)
    with closing(sqlite3.connect(folder / "0.db")) as index:
        ((read, stored),) = index.execute("SELECT frames_read, frames_stored FROM videos").fetchall()
    best = {name: min(each) for name, each in taken.items()}
    found: dict[str, Any] = {
        "ten minutes": {
            "size_mb": rounded(path.stat().st_size / 1e6),
            "frames_read": read,
            "frames_stored": stored,
            **{name: rounded(each) for name, each in best.items()},
            "ratio": rounded(best["command_s"] / best.get("ffmpeg_s", best["bare_s"])),
        }
    }
    if os.environ.get("INDEXER_BENCHMARK_DVR_SCAN"):
        scan = [os.environ["INDEXER_BENCHMARK_DVR_SCAN"], "-i", str(minute), "--scan-only"]
        scan_s = run(scan, folder=folder, watched=True).processor_s * repeated
        found["ten minutes"] |= {"dvr_scan_s": rounded(scan_s), "of_dvr_scan": rounded(best["command_s"] / scan_s)}
    found["burnt-in numbers"] = _numbers(folder)
    if with_clips and CLIPS.is_dir():
        found["sample clips"] = _clips(folder)
    return found


def record_scene(path: Path, *, seconds: int, size: tuple[int, int]) -> Path:
    """A video of a yard with noise, through which something drives for some seconds."""
    import av

    width, height = size
    rng = np.random.default_rng(5)
    place = np.repeat(np.repeat(rng.integers(70, 170, (height // 60, width // 60), np.uint8), 60, axis=0), 60, axis=1)
    noise = [rng.integers(-4, 5, place.shape, np.int16) for _ in range(8)]
    with av.open(str(path), "w") as output:
        options = {"preset": "ultrafast", "bf": "2", "sc_threshold": "0"}
        stream: Any = output.add_stream("libx264", rate=_RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = place.shape[1], place.shape[0], "yuv420p"
        stream.gop_size, stream.bit_rate = _RATE, 6_000_000
        for number in range(seconds * _RATE):
            picture = place.astype(np.int16) + noise[number % len(noise)]
            if 10 * _RATE <= number < 13 * _RATE:
                left = (number - 10 * _RATE) * width // (4 * _RATE)
                picture[height // 2 : height // 2 + height // 5, left : left + width // 6] = 20
            grey = np.clip(picture, 0, 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(np.repeat(grey[..., None], 3, axis=2), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, _RATE)
            output.mux(stream.encode(frame))
        output.mux(stream.encode())
    return path


def repeat_video(source: Path, path: Path, *, times: int) -> None:
    """Writes the packets of a video so many times, one after the other."""
    import av

    with av.open(str(path), "w") as output:
        target: Any = None
        for number in range(times):
            with av.open(str(source)) as container:
                stream = container.streams.video[0]
                target = target or output.add_stream_from_template(stream)
                length = stream.duration or 0
                for packet in container.demux(stream):
                    if packet.dts is None or packet.pts is None:
                        continue
                    packet.dts, packet.pts = packet.dts + number * length, packet.pts + number * length
                    packet.stream = target
                    output.mux(packet)


def _clips(folder: Path) -> dict[str, Any]:
    """Frames that the gate stored of the sample clips, each a camera, and those that one without limit would store."""
    read = stored = perfect = wrong = missed = 0
    for clip in sorted(CLIPS.iterdir()):
        words = ("ingest", clip, "--frames", f"of-{clip.stem}", "--every", 0.5, "--sample", "all", "--processes", 1)
        manage("--db", f"{clip.stem}.db", *words, folder=folder)
        with closing(sqlite3.connect(folder / f"{clip.stem}.db")) as index:
            frames = list(_frames(clip))
            ((looked, kept),) = index.execute("SELECT frames_read, frames_stored FROM videos").fetchall()
            wrong += _wrong(index, frames) + (looked != len(frames))
            offsets = index.execute("SELECT offset_us FROM video_frames").fetchall()
            missed += len(list_missed(clip.name, [offset_us / 1e6 for (offset_us,) in offsets]))
        read, stored, perfect = read + looked, stored + kept, perfect + _perfect(frames)
    return {
        "frames_read": read,
        "stored": stored,
        "stored_without_limit": perfect,
        "ratio": rounded(stored / perfect),
        "wrong": wrong,
        "visits": sum(len(visits) for _, visits in VISITS.values()),
        "visits_missed": missed,
    }


def _numbers(folder: Path) -> dict[str, Any]:
    """How many frames are stored of videos of every kind, and the most frames that one of them is from its number."""
    for name in ("kinds", "scratch"):
        (folder / name).mkdir()
    make_kinds(folder / "kinds", scratch=folder / "scratch")
    manage("--db", "kinds.db", "ingest", "kinds", "--frames", "of-kinds", "--sample", "all", folder=folder)
    with closing(sqlite3.connect(folder / "kinds.db")) as index:
        rows = index.execute(
            "SELECT camera.name, image.path, frame.offset_us FROM video_frames AS frame JOIN images AS image "
            "ON image.id = frame.image_id JOIN cameras AS camera ON camera.id = image.camera_id"
        ).fetchall()
    off = [KINDS[camera].frames_off(Path(path), offset_us) for camera, path, offset_us in rows]
    return {"videos": len(KINDS), "frames_stored": len(off), "frames_off": rounded(max(off))}


def _frames(clip: Path) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """The offset in microseconds and the thumbnail of each frame."""
    recipe = thumbnail_recipe(BALANCED.preparation)
    assert recipe is not None
    with clip.open("rb") as file, open_video(file, limits=Limits()) as video:
        for frame in video.frames(every_s=0.5, sampling=Sampling.ALL):
            yield frame.offset_us, prepare_frame(frame, recipe=recipe).pixels


def _perfect(frames: list[tuple[int, NDArray[np.uint8]]]) -> int:
    """How many frames a gate stores that compares with all stored ones."""
    from indexer.imaging.novelty import PreparedFrame

    gate = Gate(BALANCED.scoring_parameters, memory=len(frames) + 1)
    stored = 0
    for offset_us, pixels in frames:
        if gate.look(PreparedFrame(pixels)).is_new:
            gate.store(str(offset_us), PreparedFrame(pixels))
            stored += 1
    return stored


def _wrong(index: sqlite3.Connection, frames: list[tuple[int, NDArray[np.uint8]]]) -> int:
    """How many frames are in no span with a similar witness, and how many spans have a wrong worst score."""
    pictures = dict(frames)
    started = _time(index.execute("SELECT started_at FROM videos").fetchone()[0])
    stored = {offset_us for (offset_us,) in index.execute("SELECT offset_us FROM video_frames")}
    thumbnails = {image_id: decode(data) for image_id, data in index.execute("SELECT image_id, data FROM thumbnails")}
    spans = [
        (*((_time(at) - started) // _MICROSECOND for at in times), witness, worst)
        for *times, witness, worst in index.execute(
            "SELECT from_at, to_at, worst_at, image_id, worst_score FROM spans WHERE reason = 'seen'"
        )
    ]
    scoring = BALANCED.scoring_parameters

    def score(offset_us: int, witness: int) -> float:
        return evidence_of_pair(pictures[offset_us], thumbnails[witness], scoring=scoring).score

    wrong = sum(score(worst_us, witness) != worst for _, _, worst_us, witness, worst in spans)
    for offset_us in pictures.keys() - stored:
        around = {witness for begin, end, _, witness, _ in spans if begin <= offset_us <= end}
        wrong += not any(is_similar(score(offset_us, one), max_score=scoring.max_score) for one in around)
    return wrong


_MICROSECOND = datetime(2026, 1, 1, 0, 0, 0, 1) - datetime(2026, 1, 1)


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
