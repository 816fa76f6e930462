"""restore and purge with --dry-run: they end as the command itself would."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from indexer.workflows.removal import purge
from tests.support.command import Answer, Run
from tests.support.mounts import small_disk


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


def quarantined(decided: Path) -> list[Path]:
    """The files in quarantine."""
    return sorted((decided.parent / ".indexer-quarantine").rglob("*.png"))


def cut_off(where: str, *, act: str) -> None:
    """Writes into the journal that an act was begun with removed files, as a kill leaves it."""
    with closing(sqlite3.connect("indexer.db")) as journal:
        journal.execute(f"UPDATE removals SET pending = ? WHERE {where}", (act,))
        journal.commit()


@pytest.mark.parametrize(
    ("change", "gone"), [("missing", False), ("missing", True), ("larger", False), ("known to be missing", True)]
)
def test_a_keeper_that_changed_is_exit_code_1(
    pruned: dict[Path, bytes], decided: Path, run: Run, change: str, gone: bool
) -> None:
    """Where a keeper is not what stood for a removed file, purge and purge --gone name the file, with --dry-run too."""
    keeper = Path(run("audit", "--sql", "SELECT keeper_path FROM audit_removals", "--json").document["rows"][0][0])
    if change == "larger":
        keeper.write_bytes(keeper.read_bytes() + b"x")
    else:
        keeper.unlink()
    if change == "known to be missing":
        run("ingest", decided, "--processes", 1)
    words: tuple[str, ...] = ("purge", "--all", "--yes")
    if gone:
        shutil.move(decided.parent / ".indexer-quarantine", decided.parent / "away")
        words = ("purge", "--gone", "--yes")
    planned, done = both(run, *words)
    named = [line for line in done.out.splitlines() if str(keeper) in line]
    assert (planned.code, done.code, named != []) == (1, 1, True)
    assert [line for line in planned.out.splitlines() if str(keeper) in line] == named


@pytest.mark.parametrize("words", [("restore", "--all"), ("purge", "--all", "--yes")], ids=" ".join)
def test_a_file_of_another_size_is_exit_code_1(
    pruned: dict[Path, bytes], decided: Path, run: Run, words: tuple[str, ...]
) -> None:
    """Where a file in quarantine is not what was put there, both say so for it, and it stays as it is."""
    other = quarantined(decided)[0]
    other.write_bytes(b"something else")
    for answer in both(run, *words):
        assert (answer.code, "The file has 14 bytes instead of" in answer.out) == (1, True)
    assert quarantined(decided) == [other]


@pytest.mark.parametrize("words", [("restore", "--all"), ("purge", "--all", "--yes")], ids=" ".join)
def test_what_the_command_recovers_is_no_obstacle(
    pruned: dict[Path, bytes], decided: Path, run: Run, words: tuple[str, ...]
) -> None:
    """An act that a kill cut off before the file moved is undone by the command itself: both end with 0."""
    cut_off("id = 1", act="purge" if words[0] == "restore" else "restore")
    planned, done = both(run, *words)
    assert (planned.code, done.code, quarantined(decided)) == (0, 0, [])
    assert f"{len(pruned)} files" in planned.out


def test_what_came_back_before_a_kill_is_no_obstacle(pruned: dict[Path, bytes], decided: Path, run: Run) -> None:
    """A file that came back just before a kill is back already: nothing is left to do for it."""
    assert run("restore", "--all").code == 0
    with closing(sqlite3.connect("indexer.db")) as journal:
        journal.execute("UPDATE removals SET state = 'quarantined', pending = 'restore' WHERE id = 1")
        journal.execute("UPDATE images SET state = 'removed' WHERE id = (SELECT image_id FROM removals WHERE id = 1)")
        journal.commit()
    planned, done = both(run, "restore", "--all")
    assert (planned.code, done.code, "1 image is back already" in planned.out) == (0, 0, True)
    assert {path: path.read_bytes() for path in pruned} == pruned


@pytest.mark.parametrize("obstacle", ["cut off", "away"])
def test_purge_deletes_nothing_unasked(
    pruned: dict[Path, bytes], decided: Path, run: Run, monkeypatch: pytest.MonkeyPatch, obstacle: str
) -> None:
    """What a plan could not count, as its quarantine was away, stays when it is back; what was cut off is asked for."""
    before, quarantine = quarantined(decided), decided.parent / ".indexer-quarantine"
    if obstacle == "cut off":
        cut_off("1 = 1", act="purge")
        assert run("purge", "--all").code == 2
    else:
        away = quarantine.rename(decided.parent / "away")
        usual = purge.record_legacy_removals
        monkeypatch.setattr(
            purge, "record_legacy_removals", lambda *words, **more: (away.rename(quarantine), usual(*words, **more))
        )
        assert run("purge", "--all").code == 1
    assert quarantined(decided) == before


@pytest.mark.parametrize("change", ["a keeper", "a file", "the folder"])
@pytest.mark.parametrize("quiet", [(), ("--quiet",)])
def test_what_is_not_there_cannot_be_pruned(decided: Path, run: Run, change: str, quiet: tuple[str, ...]) -> None:
    """Where a file of the plan or its keeper is missing, both name the file with the same words, and end with 1."""
    words = ("prune", "--yes", *quiet)
    victim = run("prune", "--dry-run", "--json").document["victims"][0]
    paths = {"a keeper": victim["keeper"]["path"], "a file": victim["victim"]["path"], "the folder": str(decided)}
    Path(paths[change]).rename(decided.parent / "away")
    planned, done = both(run, *words)
    files, done_files = (answer.err if quiet else answer.out for answer in (planned, done))
    named = [
        line for line in files.splitlines() if "The file is missing." in line or "To have" in line or "is not" in line
    ]
    assert (planned.code, done.code, len(named) >= 2) == (1, 1, True)
    assert set(named) <= set(done_files.splitlines())


def test_what_cannot_be_looked_at_cannot_be_pruned(decided: Path, run: Run) -> None:
    """Where the system does not say whether files of the plan are there, both name each with the same words."""
    decided.rename(decided.parent / "away")
    decided.symlink_to(decided)  # ends in an error other than "not found" for everybody, as a missing right for most
    planned, done = (answer.document for answer in both(run, "prune", "--yes", "--json"))
    assert planned["failures"] == done["failures"]
    assert len(planned["failures"]) == len(planned["victims"]) > 0
    assert (planned["changed_in"], planned["missing_folders"]) == (done["changed_in"], done["missing_folders"])


def test_a_plan_for_a_quarantine_that_cannot_be_used(decided: Path, run: Run) -> None:
    """A quarantine inside the folder of the images is refused by the plan, too."""
    planned, done = both(run, "prune", "--yes", "--quarantine", decided / "bin")
    assert (planned.code, done.code) == (1, 1)
    assert planned.sentence == done.sentence


def test_what_prune_recovers_is_not_missing(pruned: dict[Path, bytes], decided: Path, run: Run) -> None:
    """A file that a kill left in quarantine before the journal said so is no failure: both end with 0."""
    before = quarantined(decided)
    with closing(sqlite3.connect("indexer.db")) as journal:
        journal.execute("UPDATE removals SET state = 'planned', pending = 'quarantine', removed_at = NULL WHERE id = 1")
        journal.execute("UPDATE images SET state = 'ready' WHERE id = (SELECT image_id FROM removals WHERE id = 1)")
        journal.commit()
    planned, done = both(run, "prune", "--yes")
    assert (planned.code, done.code, quarantined(decided)) == (0, 0, before)
    assert run("restore", "--all").code == 0
    assert {path: path.read_bytes() for path in pruned} == pruned


@pytest.mark.parametrize("words", [("restore", "--all"), ("purge", "--all", "--yes")], ids=" ".join)
def test_what_purge_finished_before_a_kill_is_not_taken_out(
    pruned: dict[Path, bytes], decided: Path, run: Run, words: tuple[str, ...]
) -> None:
    """A file that purge deleted just before a kill cannot come back, nor be deleted again, and nobody else took it
    out: both end with 0, and speak of the others alone."""
    quarantined(decided)[0].unlink()
    cut_off("id = 1", act="purge")
    planned, done = both(run, *words)
    assert (planned.code, done.code, quarantined(decided)) == (0, 0, [])
    for answer in (planned, done):
        assert (f"{len(pruned) - 1} files" in answer.out, f"{len(pruned)} files" in answer.out) == (True, False)


def test_a_quarantine_on_a_small_disk(decided: Path, run: Run, tmp_path: Path) -> None:
    """Where the disk of a quarantine has no space for all files, the plan says so, and both end with 1."""
    with small_disk(tmp_path / "bin", "16m"):  # the bytes that prune leaves free
        planned, done = both(run, "prune", "--yes", "--quarantine", tmp_path / "bin")
        assert (planned.code, done.code) == (1, 1)
        for answer in (planned, done):
            assert "its disk has 16.7 MB free and needs 16.9 MB" in answer.out
        assert len(list(decided.glob("*.png"))) == 6
