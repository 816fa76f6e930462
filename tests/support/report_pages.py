"""A real browser, and reports for it to open: frames with known truth, names that no page should believe."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from indexer.domain.descriptions import Limits
from indexer.execution import processes, serial
from indexer.store.schema import open_database
from indexer.workflows.compare.compare import compare
from indexer.workflows.context import ComparisonContext
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.ingest import ingest
from indexer.workflows.report.one_file import write_one_file
from indexer.workflows.report.report import report

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
NOW = datetime(2026, 3, 2, tzinfo=UTC)

BOX_BEFORE, BOX_AFTER = (200, 180, 36, 26), (400, 300, 36, 26)
"""Left, top, width and height of a box that moves, in pixels of a 640 x 480 frame."""
HOSTILE = (
    b"<script>alert(1)<!--.png",
    b"<img src=x onerror=alert(1)>.png",
    b'" onmouseover="alert(1)" x=".png',
    b"line\nend, and\rreturn.png",
    "\u202egnp.evil.png".encode(),
    b"caf\xe9.png",
    b"javascript:alert(1).png",
    b"{{ 7 * 7 }}.png",
)


def frame(*boxes: tuple[int, int, int, int], stamp: int = 0, size: tuple[int, int] = (480, 640)) -> bytes:
    """A PNG of one textured place with dark boxes in it; another stamp gives other bytes and shows the same."""
    image = cv2.GaussianBlur(np.random.default_rng(3).integers(90, 170, (*size, 3)).astype(np.uint8), (31, 31), 0)
    for left, top, width, height in boxes:
        image[top : top + height, left : left + width] = (20, 20, 60)
    image[0, 0] = stamp  # under the mask
    return cv2.imencode(".png", image)[1].tobytes()


def make_report(index: Path, frames: Path, out: Path, **how: Any) -> Path:
    """The folder of a report of all images in a folder; the index is made if need be."""
    database = open_database(str(index), create=True)
    with processes(2, max_batch=8) as reading, serial() as spread:
        means = ComparisonContext(database, spread, Limits(), lambda: NOW)
        if os.listdir(frames):
            ingest(database, discover([str(frames)]), executor=reading, limits=Limits(), clock=means.clock)
            compare(means)
        report(means, guarded_executor=reading, folder=str(out), **how)
        write_one_file(means, guarded_executor=reading, file=str(out.parent / "one.html"))
    database.close()
    return out


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of five frames: a place, the same again twice, a box in it, the box elsewhere."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "frames").mkdir()
    for minute, boxes in enumerate([(), (), (), (BOX_BEFORE,), (BOX_AFTER,)]):
        name = f"gate_2026_03_01__12_0{minute}_00.png"
        (folder / "frames" / name).write_bytes(frame(*boxes, stamp=minute))
    return make_report(folder / "indexer.db", folder / "frames", folder / "out")


@pytest.fixture(scope="session")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of files, in a folder that names their camera, whose names are attacks."""
    folder = tmp_path_factory.mktemp("hostile")
    camera = folder / "frames" / "<script>alert(2)<b>"
    camera.mkdir(parents=True)
    for number, name in enumerate(HOSTILE):
        with open(os.path.join(os.fsencode(camera), name), "wb") as file:  # noqa: PTH123 - Path knows no bytes
            file.write(frame(stamp=number))
    return make_report(folder / "indexer.db", folder / "frames", folder / "out")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; the test skips, visibly, where there is none."""
    if CHROMIUM is None:
        pytest.skip("needs a browser; apt-get install chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@dataclass
class Watched:
    """A page, and all that happened on it that should not: complaints, dialogs, requests outside the folder."""

    page: Page
    folder: Path
    faults: list[str] = field(default_factory=list)

    def open(self, name: str) -> "Watched":
        """Loads a page of the report."""
        self.page.goto(f"{self.folder.as_uri()}/{name}")
        return self

    def all(self, script: str) -> Any:
        """What a script says of the page."""
        return self.page.evaluate(script)

    def press(self, *keys: str) -> "Watched":
        """Presses keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)
        return self


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens reports, each in a browser that knows nothing of the others."""
    contexts = []

    def start(folder: Path, **how: Any) -> Watched:
        contexts.append(browser.new_context(**({"viewport": {"width": 1280, "height": 800}} | how)))
        watched = Watched(contexts[-1].new_page(), folder)
        watched.page.on("console", lambda said: watched.faults.append(said.text))
        watched.page.on("pageerror", lambda problem: watched.faults.append(str(problem)))
        watched.page.on("dialog", lambda dialog: (watched.faults.append(dialog.message), dialog.dismiss()))
        # What the browser gives up when it leaves a page is no fault of the page.
        watched.page.on(
            "requestfailed",
            lambda asked: asked.failure == "net::ERR_ABORTED" or watched.faults.append(f"failed: {asked.url}"),
        )
        inside = (f"{folder.as_uri()}/", "data:,", f"blob:{folder.as_uri()[:7]}", "blob:null")
        watched.page.on("request", lambda asked: asked.url.startswith(inside) or watched.faults.append(asked.url))
        return watched

    yield start
    for context in contexts:
        context.close()


def pages(folder: Path) -> list[str]:
    """The names of all pages of a report."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*.html"))
