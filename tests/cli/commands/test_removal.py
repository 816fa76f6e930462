"""restore and purge with --dry-run: they end as the command itself would."""

import shutil
from pathlib import Path

import pytest

from tests.support.command import Answer, Run


def both(run: Run, *words: object) -> tuple[Answer, Answer]:
    """What a command says with --dry-run, and then without it."""
    return run(*words, "--dry-run"), run(*words)


@pytest.fixture
def pruned(decided: Path, run: Run) -> dict[Path, bytes]:
    """The bytes of the files that prune moved to quarantine, by their old paths."""
    before = {path: path.read_bytes() for path in decided.iterdir()}
    assert run("prune", "--yes").code == 0
    return {path: content for path, content in before.items() if not path.exists()}


@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_what_cannot_come_back_is_exit_code_1(pruned: dict[Path, bytes], run: Run, quiet: tuple[str, ...]) -> None:
    """A file that cannot come back is named by both, with --quiet on stderr, and both end with 1."""
    taken = min(pruned)
    taken.write_bytes(b"mine")
    for answer in both(run, "restore", "--all", *quiet):
        assert (answer.code, str(taken) in (answer.err if quiet else answer.out)) == (1, True)
    assert taken.read_bytes() == b"mine"
    assert all(path.read_bytes() == content for path, content in pruned.items() if path != taken)


def test_nothing_in_quarantine_is_exit_code_0(decided: Path, run: Run) -> None:
    """Where nothing lies in quarantine, both say so in the same words; no act is proposed."""
    planned, done = both(run, "restore", "--all")
    assert (planned.code, done.code) == (0, 0)
    assert planned.out.splitlines()[1] == done.out.splitlines()[1] == "  None of what was asked for lies in quarantine."
    assert "To act" not in planned.out


def test_all_comes_back(pruned: dict[Path, bytes], run: Run) -> None:
    """Where all can come back, both end with 0, and the plan moved nothing."""
    planned, done = both(run, "restore", "--all")
    assert (planned.code, done.code) == (0, 0)
    assert f"{len(pruned)} files would come back" in planned.out
    assert {path: path.read_bytes() for path in pruned} == pruned


@pytest.mark.parametrize("words", [("restore", "--all"), ("purge", "--all", "--yes")], ids=" ".join)
def test_a_quarantine_that_is_away_is_exit_code_1(
    pruned: dict[Path, bytes], decided: Path, run: Run, words: tuple[str, ...]
) -> None:
    """Where the quarantine is not there, both say so for the same files and end with 1; its files are as before."""
    away = Path(shutil.move(decided.parent / ".indexer-quarantine", decided.parent / "away"))
    for answer in both(run, *words):
        assert (answer.code, "is not there; mount its disk" in answer.out) == (1, True)
    away.rename(decided.parent / ".indexer-quarantine")
    assert run("restore", "--all").code == 0
    assert {path: path.read_bytes() for path in pruned} == pruned
