"""`record` of ten live cameras, 1920 x 1080 at 30 frames a second with a keyframe a second: processor time, frames that
were missed, memory; and Debian's `motion` on one of the same streams.

The streams come from GStreamer's RTSP server, which sends a file in its own time. Time on the processor of all
processes is taken between two moments while all cameras are recorded. `motion` has its usual settings, writes no films,
and is measured on one stream; the ratio is for one stream. Without the server or `motion` there is no figure, and
`missing` says so.
"""

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.benchmarks.measuring import ROOT, processor_s_of, rounded, tree_of
from tests.benchmarks.video import record_scene, repeat_video
from tests.support.apart import rows, until
from tests.support.live_cameras import PACKAGES, has_rtsp_server, rtsp_server

_SENT = "filesrc location={} ! qtdemux ! h264parse ! rtph264pay name=pay0 pt=96 config-interval=1"
_SETTINGS = """daemon off
netcam_url {address}
netcam_params rtsp_transport=tcp
width {width}
height {height}
movie_output off
target_dir {folder}
log_level 3
webcontrol_port 0
stream_port 0
"""


def measure(
    folder: Path,
    *,
    cameras: int = 10,
    seconds: float = 60.0,
    video_s: int = 20,
    repeated: int = 12,
    size: tuple[int, int] = (1920, 1080),
    warm_up_s: float = 20.0,
) -> dict[str, Any]:
    """Processor time of `record` in cores, frames missed, MB of a camera's process, and the ratio to `motion`.

    `warm_up_s`: from the moment at which all cameras are recorded to the measurement; of `motion`, from its start.
    """
    if not has_rtsp_server():
        return {"missing": f"there is no RTSP server of GStreamer; apt-get install {PACKAGES} brings it"}
    minute, video = folder / "minute.mp4", folder / "video.mp4"
    repeat_video(record_scene(minute, seconds=video_s, size=size), video, times=repeated)
    streams = {f"camera{number}": _SENT.format(video) for number in range(cameras)}
    found: dict[str, Any] = {}
    with rtsp_server(streams) as server:
        sources = [f"{name}={server.address(name)}" for name in streams]
        found["live"] = _measure_record(folder, sources, seconds=seconds, warm_up_s=warm_up_s)
    with rtsp_server(streams) as server:
        how: Any = {"seconds": seconds, "warm_up_s": warm_up_s, "size": size}
        found["motion"] = _measure_motion(folder, server.address("camera0"), **how)
    share = found["live"]["cores"] / cameras
    if "cores" in found["motion"]:
        found["motion"]["ratio"] = rounded(found["motion"]["cores"] / max(share, 1e-6))
    return found


@contextmanager
def _at_work(line: list[str], folder: Path) -> Iterator["subprocess.Popen[str]"]:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("INDEXER_")}
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(line, cwd=folder, env=surroundings | {"INDEXER_STATE": "off"}, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


def _measure_record(folder: Path, sources: list[str], *, seconds: float, warm_up_s: float) -> dict[str, float]:
    words = ["--db", "i.db", "record", *sources, "--frames", "frames", "--json", "--min-free", "0"]
    with _at_work([sys.executable, str(ROOT / "manage.py"), *words], folder) as process:
        until(lambda: _count_recordings(folder / "i.db") == len(sources))
        time.sleep(warm_up_s)
        cores, resident_mb = _spent(process.pid, seconds)
        process.send_signal(signal.SIGTERM)
        document = json.loads(process.communicate(timeout=60)[0])
    totals = {
        name: sum(source[f"frames_{name}"] for source in document["sources"]) for name in ("read", "stored", "missed")
    }
    recordings = sum(source["recordings"] for source in document["sources"])
    return {
        "cameras": len(sources),
        "seconds": seconds,
        "cores": rounded(cores),
        "command_mb": rounded(resident_mb[0]),
        "reader_mb": rounded(max(resident_mb[1:])),
        "recordings": recordings,
        **totals,
    }


def _count_recordings(index: Path) -> int:
    """The recordings that an index has; 0 while it is not there."""
    try:
        return int(rows(index, "SELECT COUNT(*) FROM recordings")[0][0])
    except sqlite3.OperationalError:
        return 0


def _measure_motion(
    folder: Path, address: str, *, seconds: float, warm_up_s: float, size: tuple[int, int]
) -> dict[str, Any]:
    program = shutil.which("motion")
    if program is None:
        return {"missing": "there is no motion; apt-get install motion brings it"}
    settings = folder / "motion.conf"
    width, height = size
    settings.write_text(_SETTINGS.format(address=address, width=width, height=height, folder=folder / "motion"))
    (folder / "motion").mkdir()
    with _at_work([program, "-c", str(settings), "-n"], folder) as process:
        time.sleep(warm_up_s)
        cores, resident_mb = _spent(process.pid, seconds)
    return {"streams": 1, "seconds": seconds, "cores": rounded(cores), "resident_mb": rounded(resident_mb[0])}


def _spent(root: int, seconds: float) -> tuple[float, list[float]]:
    """Cores that a process and all below it use for so long, and MB of each, the first one's first."""
    numbers = tree_of(root)
    before = {number: processor_s_of(number) for number in numbers}
    start_s = time.monotonic()
    time.sleep(seconds)
    spent_s = sum(processor_s_of(number) - before[number] for number in numbers)
    return spent_s / (time.monotonic() - start_s), [_resident_mb(number) for number in numbers]


def _resident_mb(number: int) -> float:
    try:
        pages = int(Path(f"/proc/{number}/statm").read_text().split()[1])
    except OSError:
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20
