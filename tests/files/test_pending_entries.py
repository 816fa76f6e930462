"""Entries that wait in a file: what was appended is there after any crash, in order, and for one process only."""

import fcntl
from pathlib import Path

import pytest

from indexer.errors import FolderError
from indexer.files.pending_entries import open_pending_entries


def waiting(path: Path) -> list[object]:
    """What waits in a copy of the file, as after a crash."""
    copy = path.with_name("copy.jsonl")
    copy.write_bytes(path.read_bytes())
    copy.chmod(0o600)
    with open_pending_entries(str(copy)) as entries:
        return list(entries.waiting.values())


def test_what_was_appended_survives_a_crash(tmp_path: Path) -> None:
    """After each step the file holds what waits, in order; in the end it is empty, and then gone."""
    path = tmp_path / "below" / "waits.jsonl"
    with open_pending_entries(str(path)) as entries:
        numbers = [entries.append({"word": word}) for word in "abc"]
        assert waiting(path) == [{"word": "a"}, {"word": "b"}, {"word": "c"}]
        entries.finish(numbers[1])
        assert waiting(path) == [{"word": "a"}, {"word": "c"}]
        entries.finish(numbers[0])
        entries.finish(numbers[2])
        assert (waiting(path), path.read_bytes()) == ([], b"")
    assert not path.exists()


@pytest.mark.parametrize("cut", [1, 5, 20])
def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path, cut: int) -> None:
    """What a crash cut off costs no other entry, neither before nor after it."""
    path = tmp_path / "waits.jsonl"
    with open_pending_entries(str(path)) as entries:
        entries.append({"word": "a"})
        entries.append({"word": "b"})
    path.write_bytes(path.read_bytes()[: -1 - cut])
    with open_pending_entries(str(path)) as entries:
        entries.append({"word": "c"})
        assert waiting(path) == [{"word": "a"}, {"word": "c"}]


def test_one_process_has_the_file(tmp_path: Path) -> None:
    """Who comes second is told, and what waits stays."""
    path = str(tmp_path / "waits.jsonl")
    with open_pending_entries(path) as entries:
        entries.append({"word": "a"})
        with pytest.raises(FolderError, match="another review"), open_pending_entries(path):
            pass
    assert waiting(Path(path)) == [{"word": "a"}]


def test_a_file_that_was_deleted_before_it_was_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the process before deletes its file between opening and locking, entries go to the file that is there."""
    path, lock = tmp_path / "waits.jsonl", fcntl.flock

    def lock_late(descriptor: int, how: int) -> None:
        monkeypatch.undo()
        path.unlink()
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", lock_late)
    with open_pending_entries(str(path)) as entries:
        entries.append({"word": "a"})
        assert waiting(path) == [{"word": "a"}]
