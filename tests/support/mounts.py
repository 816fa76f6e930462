"""Mounts for tests, for those who may mount."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def mounted(*line: str | Path, at: Path) -> Iterator[None]:
    """A mount until the end of the block; the test skips, visibly, where none is allowed."""
    done = subprocess.run(["mount", *line, at], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"needs the right to mount: {done.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", at], check=True)


@contextmanager
def small_disk(at: Path, size: str) -> Iterator[None]:
    """A small disk of its own."""
    at.mkdir(exist_ok=True)
    with mounted("-t", "tmpfs", "-o", f"size={size}", "tmpfs", at=at):
        yield
