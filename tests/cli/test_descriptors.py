"""Few open files: one sentence says how many are needed, before anything is begun, whatever the command."""

import errno
import os
import resource
import subprocess
from functools import partial
from pathlib import Path

import pytest

from indexer.cli.descriptors import require_descriptors
from indexer.errors import LimitError, lacks_descriptors
from indexer.files.filesystems import is_shared
from indexer.files.manifest import is_manifest
from tests.cli.test_json import WORDS
from tests.support.command import Run, command


def limit(number: int) -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


@pytest.mark.parametrize("number", [6, 16, 24, 32])
@pytest.mark.parametrize("words", [("ingest", "lot"), ("rescue", ".indexer-quarantine", "--yes"), ("report", "pages")])
def test_process_that_may_open_few_files(lot: Path, own_home: Path, number: int, words: tuple[str, ...]) -> None:
    """In a process with a low limit a command says one sentence, and begins nothing."""
    (own_home / ".indexer-quarantine").mkdir()
    before = sorted(own_home.rglob("*"))
    done = subprocess.run(
        command(*words), preexec_fn=partial(limit, number), capture_output=True, text=True, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1), done
    assert f"this process may open {number} files at a time" in done.stderr
    assert sorted(own_home.rglob("*")) == before


def test_every_command_asks(run: Run, decided: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no command that would end in the middle."""
    (decided.parent / "labels.csv").write_text("image,state\n1,empty\n")
    (decided.parent / ".indexer-quarantine").mkdir()
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (24, 24))
    for words in WORDS:
        answer = run(*words)
        assert (answer.code, answer.out, answer.err.count("\n")) == (1, "", 1), (words, answer)
        assert "ulimit -n 1024" in answer.sentence, words


def test_help_asks_for_nothing(own_home: Path) -> None:
    """Help is given to everybody."""
    done = subprocess.run(
        command("rescue", "--help"), preexec_fn=partial(limit, 16), capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_soft_limit_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the hard limit allows it the soft one is raised, as high as is needed; an infinite one always does."""
    open_now, made = len(os.listdir("/proc/self/fd")) - 1, list[tuple[int, int]]()
    monkeypatch.setattr(resource, "setrlimit", lambda _kind, limits: made.append(limits))
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (16, 100_000))
    require_descriptors(500)
    assert made == [(open_now + 500, 100_000)]
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    require_descriptors(10**6)
    assert len(made) == 1
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (100, 100))
    with pytest.raises(LimitError, match="ulimit -n 5"):
        require_descriptors(5000)


def test_what_few_files_lead_to_is_known() -> None:
    """The problem is known behind others that it led to, also where a library could not be loaded."""
    behind = RuntimeError("no pool")
    behind.__cause__ = OSError(errno.EMFILE, os.strerror(errno.EMFILE))
    assert lacks_descriptors(behind)
    assert lacks_descriptors(OSError(errno.ENFILE, os.strerror(errno.ENFILE)))
    assert lacks_descriptors(ImportError("libx.so: cannot open shared object file: Too many open files"))
    assert not lacks_descriptors(OSError(errno.ENOENT, os.strerror(errno.ENOENT)))
    assert not lacks_descriptors(ImportError("no module named x"))


def test_nothing_is_reported_of_files_that_cannot_be_opened(tmp_path: Path) -> None:
    """Where no more files may be open, a manifest is not taken for none, nor a shared disk for one's own."""
    (tmp_path / "manifest.jsonl").write_bytes(b"\n")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        for call in (lambda: is_manifest(str(tmp_path / "manifest.jsonl")), lambda: is_shared(str(tmp_path))):
            with pytest.raises(OSError, match="Too many open files"):
                call()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
