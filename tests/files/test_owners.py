"""The marker of a quarantine names the indexes that removed files, and whatever is damaged in it names nobody."""

import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest

from indexer.files import io_steps
from indexer.files.markers import QUARANTINE_MARKER
from indexer.files.owners import Owner, add_owner, read_owners
from indexer.files.quarantine import prepare_quarantine

ADA = Owner("ab" * 16, "/data/lot", "/data/indexer.db", "ada", "box")
BOB = replace(ADA, index_id="cd" * 16, database=os.fsdecode(b"/\xff\n.db"), username="bob")


@pytest.fixture
def quarantine(tmp_path: Path) -> str:
    """A quarantine that was made for the first of two."""
    folder = str(tmp_path / "quarantine")
    prepare_quarantine(folder, owner=ADA)
    return folder


def test_owners_come_back(quarantine: str) -> None:
    """The one that a quarantine was made for, and those that came later, are named, each once."""
    for owner in (ADA, BOB, BOB, ADA, replace(ADA, root="/data/gate")):
        add_owner(quarantine, owner)
    assert list(read_owners(quarantine)) == [ADA, BOB, replace(ADA, root="/data/gate")]


def test_marker_still_tells_people_what_it_is(quarantine: str) -> None:
    """The first line is for people, as before, and the file is closed to others."""
    marker = Path(quarantine, QUARANTINE_MARKER)
    assert marker.read_text().startswith("Files that indexer removed lie here: see manage.py restore")
    assert stat.S_IMODE(marker.stat().st_mode) == 0o600


@pytest.mark.parametrize("line", [b"{", b"[]", b"null", b'{"index_id": "x"}', b"\xff", b"[" * 10_000])
def test_damaged_lines_name_nobody(quarantine: str, line: bytes) -> None:
    """A line that a cut or somebody else left spoils no other."""
    with Path(quarantine, QUARANTINE_MARKER).open("ab") as marker:
        marker.write(line)
    add_owner(quarantine, BOB)
    assert list(read_owners(quarantine)) == [ADA, BOB]


def test_a_marker_that_cannot_be_written_stops_nothing(quarantine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is for people is no reason to leave a removal undone."""

    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(io_steps, "append", full)
    add_owner(quarantine, BOB)
    assert list(read_owners(quarantine)) == [ADA]
