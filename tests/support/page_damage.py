"""Indexes with damaged pages, and commands that meet them."""

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.files.walking import QUARANTINE_NAME
from tests.support.apart import images, shoot
from tests.support.command import Run

FRAMES = 12


PAGE_BYTES = 4096


INGEST, COMPARE = ["ingest", "frames", "--processes", 1], ["compare", "--processes", 1]


READERS: list[list[Any]] = [["status"], ["explain", 1], ["explain", 1, 2], ["audit", "unwitnessed"]]


@pytest.fixture
def lot(own_home: Path, run: Run) -> Path:
    """A folder with frames, an index of them that was decided, and new frames that are not in it."""
    shoot(own_home / "frames", cameras=1, frames=FRAMES)
    assert [run(*INGEST).code, run(*COMPARE).code] == [0, 0]
    shoot(own_home / "frames", cameras=2, frames=FRAMES)
    return own_home


def damage(place: Path, whole: bytes, page: int, how: str) -> None:
    """Writes the database with one page overwritten: with ones, with nothing, with noise, or with noise in its half."""
    noise = np.random.default_rng(page).bytes(PAGE_BYTES)
    there = whole[page * PAGE_BYTES : (page + 1) * PAGE_BYTES]
    other = {"ones": b"\xff" * PAGE_BYTES, "nothing": bytes(PAGE_BYTES), "noise": noise}
    other["half"] = there[: PAGE_BYTES // 2] + noise[: PAGE_BYTES // 2]
    for beside in place.parent.glob(f"{place.name}-*"):
        beside.unlink()
    place.write_bytes(whole[: page * PAGE_BYTES] + other[how] + whole[(page + 1) * PAGE_BYTES :])


def survive(lot: Path, run: Run, pages: list[int], how: str) -> Counter[int]:
    """The exit codes of all commands on an index with each of these pages damaged; every image is there after each."""
    before, place, frames = images(lot), lot / "indexer.db", lot / "frames"
    whole, codes = place.read_bytes(), Counter[int]()
    aside = shutil.copytree(frames, lot.parent / "aside")
    for page in pages:
        for folder in (frames, lot / QUARANTINE_NAME):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(aside, frames)
        damage(place, whole, page, how)
        for words in [*READERS, COMPARE, INGEST, ["prune", "--yes"]]:
            ended = run(*words)
            codes[ended.code] += 1
            assert ended.code == 0 or (ended.code, ended.err.count("\n")) == (1, 1), (how, page, words, ended)
            assert images(lot) == before, (how, page, words)
    return codes


HOWS = ["ones", "nothing", "noise", "half"]
