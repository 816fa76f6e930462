"""A forked command is the command: the same answer, in the folder and with the environment of who started it."""

import os
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.support.command import command
from tests.support.forked_commands import ForkedCommands
from tests.support.forked_commands import forked as forked


def answer(forked: ForkedCommands, *words: object) -> tuple[int, bytes, bytes]:
    """Exit code, stdout and stderr."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, Path(os.devnull).open() as none:
        forked.start(*words, streams=(none.fileno(), out.fileno(), err.fileno()))
        code = forked.wait()
        return code, os.pread(out.fileno(), 100_000, 0), os.pread(err.fileno(), 100_000, 0)


def test_a_fork_answers_as_a_new_process(
    forked: ForkedCommands, own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code, stdout and stderr are equal, and one command leaves nothing to the next."""
    monkeypatch.setenv("INDEXER_DB", "named-by-the-environment.db")
    words = ("status", "--json")
    alone = subprocess.run(command(*words), capture_output=True)
    assert answer(forked, *words) == (alone.returncode, alone.stdout, alone.stderr)
    assert (alone.returncode, b"named-by-the-environment.db" in alone.stderr) == (1, True)
    monkeypatch.delenv("INDEXER_DB")
    code, out, err = answer(forked, "status")
    assert (code, out, b"indexer.db" in err, b"named-by-the-environment" in err) == (1, b"", True, False)
    assert answer(forked, "--version")[0] == 0
