"""How fast `review` answers: from its start to a page that can be used, from a key to the next pair, from a verdict to
its committed row and to the decisions that follow from it; and the memory of the server: what is resident, and what
of it is its own, without the files that it has mapped, which the system may drop at any time.

The images of the first camera are drawn, and compared; those of larger ones are rows, of which 1 % are kept. None have
files, so pictures come from their thumbnails. Without Chromium the two numbers of the page are left out.
"""

import http.client
import os
import shutil
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from tests.benchmarks import part
from tests.benchmarks.cameras import Camera
from tests.benchmarks.filling import fill_index
from tests.benchmarks.measuring import manage, rounded
from tests.support.review_kill_runs import ReviewProcess, review_process

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")

# In the page: the time from when the browser got a key to after the first frame that is painted with the next pair and
# its pictures, decoded.
_WATCH_NEXT_KEY = """() => {
  const before = document.querySelector('.pair.current').id;
  window.painted = new Promise((resolve) => addEventListener('keydown', (event) => {
    const look = async () => {
      const now = document.querySelector('.pair.current');
      if (!now || now.id === before) return requestAnimationFrame(look);
      await Promise.all([...now.querySelectorAll('img')].map((image) => image.decode().catch(() => {})));
      requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - event.timeStamp)));
    };
    look();
  }, { capture: true, once: true }));
}"""


_LARGE = {"100 000": 100_000, "1 000 000": 1_000_000}


def measure(
    folder: Path,
    *,
    images: int = 10_000,
    fresh: float = 0.2,
    large: Mapping[str, int] = _LARGE,
    verdicts: int = 24,
    keys: int = 100,
    pace_s: float = 3,
) -> dict[str, Any]:
    """Seconds, milliseconds and megabytes of one session on each camera: `drawn` has so many images."""
    drawn = Camera(frames=images, busy=0.5, fresh=fresh, width=640, height=360)
    fill_index(folder / "indexer.db", [drawn], processes=2)
    manage("compare", folder=folder)
    found = {"drawn": _session(folder, images=images, verdicts=verdicts, keys=keys, pace_s=pace_s)}
    for name, count in large.items():
        place = folder / str(count)
        place.mkdir()
        part.fill(place / "indexer.db", count, closest=min(count // part.KEPT_EVERY, 200))
        found[name] = _session(place, images=count, verdicts=verdicts, keys=keys, pace_s=pace_s)
        shutil.rmtree(place)
    return found


def _session(folder: Path, *, images: int, verdicts: int, keys: int, pace_s: float) -> dict[str, Any]:
    """Seconds, milliseconds and megabytes of one session."""
    begin = time.monotonic()
    with review_process(folder, "--processes", "2") as server:
        found: dict[str, Any] = {"images": images}
        ahead = server.post("/ahead", {"person": "a", "start": 0, "count": 6})
        found["start_s"] = rounded(time.monotonic() - begin)
        found["start_processor_s"] = rounded(_processor_s(server.process.pid))
        found["queue"] = ahead["total"]
        found["start_own_mb"] = _memory_mb(server.process.pid, "RssAnon:")
        found["start_resident_mb"] = _memory_mb(server.process.pid, "VmRSS:")
        found |= _page(server, keys=keys) if CHROMIUM else {}
        found |= _verdicts(server, count=verdicts, pace_s=pace_s)
        found["own_mb"] = _memory_mb(server.process.pid, "RssAnon:")
        found["resident_mb"] = _memory_mb(server.process.pid, "VmRSS:")
        found["peak_mb"] = _memory_mb(server.process.pid, "VmHWM:")
    return found


def _judge(server: ReviewProcess, pair: Any) -> None:
    """Sends a verdict, and waits until its row is committed."""
    state = server.post("/verdict", _verdict(pair))["state"]
    while state == "waiting":
        shown = server.post("/pairs", {"pairs": [pair["key"]]})["pairs"]
        if not shown or shown[0]["verdict"] is not None:  # none: it is committed, and an image is not decided again yet
            return
        time.sleep(0.01)


def _verdicts(server: ReviewProcess, *, count: int, pace_s: float) -> dict[str, float]:
    """From a verdict to its committed row, at the pace of a person; and, one after the other, to the decisions that
    follow."""
    pairs = [pair for pair in _all_pairs(server, count) if pair["verdict"] is None]
    committed = []
    for pair in pairs:
        time.sleep(pace_s)
        committed.append(_timed(lambda pair=pair: _judge(server, pair)))
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)) as events:
        events.request("GET", "/events", headers={"Cookie": server.cookie})
        stream = events.getresponse()
        _wait_for_decisions(stream)  # of the verdicts before
        decided = []
        for pair in pairs[: max(1, count // 4)]:
            begin = time.monotonic()
            server.post("/verdict", _verdict(pair, before=_said("different"), after=_said("same")))
            _wait_for_decisions(stream)
            decided.append(time.monotonic() - begin)
    return {
        "verdict_ms": rounded(1000 * statistics.median(committed)),
        "decisions_s": rounded(statistics.median(decided)),
    }


def _all_pairs(server: ReviewProcess, count: int) -> list[Any]:
    pairs: list[Any] = []
    while len(pairs) < count:
        have = [pair["key"] for pair in pairs]
        more = server.post("/ahead", {"person": "a", "start": 0, "count": 12, "have": have})["pairs"]
        if not more:
            break
        pairs += more
    return pairs[:count]


def _said(verdict: str) -> dict[str, Any]:
    return {"verdict": verdict, "by": "Ada", "note": None}


def _verdict(pair: Any, before: Any = None, after: Any = None) -> dict[str, Any]:
    change = {"pair": pair["pair"], "hashes": pair["hashes"], "before": before, "after": after or _said("different")}
    return {"changes": [change]}


def _wait_for_decisions(stream: http.client.HTTPResponse) -> None:
    while stream.readline() != b"event: decisions\n":
        pass


def _timed(act: Callable[[], object]) -> float:
    begin = time.monotonic()
    act()
    return time.monotonic() - begin


def _page(server: ReviewProcess, *, keys: int) -> dict[str, float]:
    """From a key that judges to the next pair, painted, at the pace of a person who is in a hurry."""
    from playwright.sync_api import sync_playwright

    name, _, value = server.cookie.partition("=")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.add_cookies([{"name": name, "value": value, "url": f"http://127.0.0.1:{server.port}"}])
        page = context.new_page()
        page.goto(f"http://127.0.0.1:{server.port}/")
        page.wait_for_selector("body[data-ready]")
        times = []
        for _ in range(keys):
            page.wait_for_timeout(500)
            page.evaluate(_WATCH_NEXT_KEY)
            page.keyboard.press("d")
            times.append(page.evaluate("() => window.painted"))
        browser.close()
    times.sort()
    return {
        "key_to_pair_ms": rounded(statistics.median(times)),
        "key_to_pair_95_ms": rounded(times[min(len(times) - 1, round(0.95 * len(times)))]),
    }


def _memory_mb(process: int, name: str) -> float:
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return round(next(int(line.split()[1]) for line in lines if line.startswith(name)) / 1024)


def _processor_s(process: int) -> float:
    """The time on the processor of a process so far, without that of its workers."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
