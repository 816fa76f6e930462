"""What the tests of files share: a lot with one file, the kinds of disks, steps that fail and cuts."""

import errno
import inspect
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from indexer.files import io_steps

MTIME_NS = 1_616_849_617_123_456_789


@pytest.fixture
def lot(tmp_path: Path) -> Path:
    """A folder with one file `a/1.png` of more than two chunks, and an empty folder `b`."""
    folder = tmp_path / "lot"
    (folder / "a").mkdir(parents=True)
    (folder / "b").mkdir()
    (folder / "a" / "1.png").write_bytes(bytes(range(256)) * 9000)
    os.utime(folder / "a" / "1.png", ns=(MTIME_NS, MTIME_NS))
    return folder


def fail(call: Callable[..., Any], number: int, *, unless: Callable[..., bool] = lambda *_: False) -> Any:
    """The call, which fails with an error number."""

    def instead(*given: Any, **more: Any) -> Any:
        if unless(*given):
            return call(*given, **more)
        raise OSError(number, os.strerror(number), given[0])

    return instead


def same_folder(source: str, target: str) -> bool:
    return os.path.dirname(source) == os.path.dirname(target)


def on_one_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plain case: nothing is in the way."""


def without_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", fail(os.link, errno.EPERM))


def on_two_disks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", fail(os.link, errno.EXDEV, unless=same_folder))
    monkeypatch.setattr(os, "rename", fail(os.rename, errno.EXDEV, unless=same_folder))


def on_two_disks_without_hard_links(monkeypatch: pytest.MonkeyPatch) -> None:
    on_two_disks(monkeypatch)
    monkeypatch.setattr(os, "link", fail(os.link, errno.ENOTSUP, unless=lambda *ends: not same_folder(*ends)))


WAYS = {way.__name__: way for way in (on_one_disk, without_hard_links, on_two_disks, on_two_disks_without_hard_links)}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the disk one of the kinds that there are; all of them, unless a test names some."""
    WAYS[request.param](monkeypatch)


@pytest.fixture
def failing() -> Callable[..., Any]:
    """Makes of a call one that fails with an error number, unless a test of its arguments says otherwise."""
    return fail


class Cut(BaseException):
    """The end of the process, as far as the code under test can tell."""


@contextmanager
def cut_at(step: str, *, call: int, before: bool) -> Iterator[None]:
    """Let the process end before or after the given call of a step; from then on no step touches the disk."""
    reached: list[int] = []

    def ended(real: Callable[..., Any], name: str) -> Callable[..., Any]:
        def instead(*given: Any, **more: Any) -> Any:
            if len(reached) >= call:
                raise Cut
            if name == step:
                reached.append(1)
                if len(reached) == call and before:
                    raise Cut
            found = real(*given, **more)
            if len(reached) == call:
                raise Cut
            return found

        return instead

    with pytest.MonkeyPatch.context() as until_the_cut, suppress(Cut):
        for name, real in inspect.getmembers(io_steps, inspect.isfunction):
            until_the_cut.setattr(io_steps, name, ended(real, name))
        yield


@pytest.fixture
def cut() -> Callable[..., Any]:
    """Makes a block in which the process ends at a step."""
    return cut_at
