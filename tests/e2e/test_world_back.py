"""The world changes while files lie in quarantine: what comes back, what may go, what waits for its disk."""

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from indexer.files import io_steps
from indexer.store.database import Database
from indexer.workflows.removal import purge as purge_workflow
from indexer.workflows.removal import remove_file
from indexer.workflows.removal import restore as restore_workflow
from tests.support.index import BIRD, CAR, Index, picture
from tests.support.world import BIRDS, COPY, HARMS, KEEPER, contents, journal, make_lot


@pytest.fixture
def lot(database: Database, tmp_path: Path) -> Index:
    """A keeper and two that it stands for."""
    return make_lot(database, tmp_path / "site")


OCCUPIED = "something else is at its path now; move that away first"


THERE_ALREADY = "its picture is at its path already; to free all that is in quarantine: manage.py purge --all"


@pytest.mark.parametrize(("content", "expected"), [(picture(), THERE_ALREADY), (picture(CAR), OCCUPIED)])
def test_restore_where_something_lies(lot: Index, content: bytes, expected: str) -> None:
    """What lies at the path stays, of the same bytes or of others, and the file stays in quarantine."""
    lot.prune()
    lot.put(COPY, content)
    before = lot.tree()
    ((path, reason),) = lot.restore(lot.folder / COPY).failures
    assert (path, reason.partition(", as with: ")[0]) == (str(lot.folder / COPY), expected)
    assert lot.tree() == before
    assert journal(lot) == [(COPY, "quarantined", OCCUPIED), (BIRDS, "quarantined", "")]


def test_restore_where_the_folder_is_a_file(lot: Index) -> None:
    """A file in the place of the folder stays, and what should go there stays in quarantine."""
    lot.prune()
    (lot.folder / "day").rmdir()
    (lot.folder / "day").write_bytes(b"theirs")
    before = lot.tree()
    failures = lot.restore().failures
    assert [str(lot.folder / "day") in reason for _, reason in failures] == [True] * 2
    assert lot.tree() == before
    assert [state for _, state, _ in journal(lot)] == ["quarantined"] * 2


@pytest.mark.parametrize("is_shown", [False, True])
@pytest.mark.parametrize("harm", sorted(HARMS.keys() - {"gone"}))
def test_purge_of_what_changed(lot: Index, harm: str, is_shown: bool) -> None:
    """What lies in quarantine and is not what was put there is not deleted, and the journal says why, also if a person
    was shown that it stays."""
    lot.prune()
    [place] = lot.folder.parent.rglob(f"run-*/2/{Path(COPY).name}")
    change, reason = HARMS[harm]
    change(place)
    before = contents(lot)
    selection = purge_workflow.PurgeSelection()
    shown = purge_workflow.plan_purge(lot.database, selection, clock=lot.clock) if is_shown else None
    assert purge_workflow.purge(lot.database, selection, clock=lot.clock, shown=shown).purged == 1
    assert [(state, reason in problem) for _, state, problem in journal(lot)] == [
        ("quarantined", True),
        ("purged", False),
    ]
    assert contents(lot) == [content for content in before if content != picture(BIRD)]


@pytest.mark.parametrize("harm", HARMS)
def test_purge_without_the_keeper(lot: Index, harm: str) -> None:
    """While the keeper is not what was compared, nothing is deleted that it stands for."""
    lot.prune()
    HARMS[harm][0](lot.folder / KEEPER)
    before = lot.tree()
    assert (lot.purge().purged, lot.tree()) == (0, before)
    assert [state for _, state, _ in journal(lot)] == ["quarantined"] * 2


def test_purge_of_the_keeper_itself(lot: Index) -> None:
    """A file in quarantine that the keeper's path leads to, through a folder that became a link, is not deleted."""
    lot.prune()
    [place] = lot.folder.parent.rglob(f"run-*/2/{Path(COPY).name}")
    lot.execute("UPDATE images SET path = ? WHERE id = 1", str(lot.folder / "night" / place.name))
    (lot.folder / "night").symlink_to(place.parent)
    (lot.folder / KEEPER).unlink()
    lot.purge()
    assert lot.purge().purged == 0
    assert place.read_bytes() == picture()


class Cut(BaseException):
    """The power goes."""


def cut_after(monkeypatch: pytest.MonkeyPatch, module: Any, step: str) -> None:
    """Cuts the work after the first call of a step."""
    real = getattr(module, step)

    def cutting(*given: Any, **how: Any) -> None:
        monkeypatch.setattr(module, step, real)
        real(*given, **how)
        raise Cut

    monkeypatch.setattr(module, step, cutting)


@pytest.mark.parametrize(
    ("act", "module", "step", "begun", "ended"),
    [
        ("prune", remove_file, "move_no_replace", ("planned", "quarantine"), ("quarantined", "")),
        ("restore", restore_workflow, "move_no_replace", ("quarantined", "restore"), ("restored", "")),
        ("purge", purge_workflow, "delete_witnessed", ("quarantined", "purge"), ("purged", "")),
    ],
)
def test_quarantine_that_is_away(
    lot: Index, monkeypatch: pytest.MonkeyPatch, act: str, module: Any, step: str, begun: Any, ended: Any
) -> None:
    """What was cut while its disk is away now stays open, untouched by other commands, until the disk is back."""
    if act != "prune":
        lot.prune()
    cut_after(monkeypatch, module, step)
    with pytest.raises(Cut):
        getattr(lot, act)()
    if act == "restore":
        (lot.folder / COPY).rename(lot.folder / "away")
    quarantine = lot.folder.parent / ".indexer-quarantine"
    away = quarantine.rename(lot.folder.parent / "away")
    lot.make_profile("any")
    assert journal(lot)[0] == (COPY, *begun)
    assert away.rename(quarantine)
    if act == "restore":
        (lot.folder / "away").rename(lot.folder / COPY)
    lot.make_profile("other")
    assert journal(lot)[0] == (COPY, *ended)


def test_disk_that_refuses_to_settle(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """What can neither be finished nor undone stays open, and its file is left alone until the disk gives in."""
    before = contents(lot)
    cut_after(monkeypatch, io_steps, "link")
    with pytest.raises(Cut):
        lot.prune()

    def refusing(path: str) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)

    with monkeypatch.context() as meanwhile:
        meanwhile.setattr(io_steps, "unlink", refusing)
        assert lot.prune().removed == 0
        assert [row[:2] for row in journal(lot)] == [(COPY, "planned"), (BIRDS, "planned")]
    assert (lot.prune().removed, contents(lot)) == (2, before)
    assert [state for _, state, _ in journal(lot)] == ["failed", "failed", "quarantined", "quarantined"]


@pytest.mark.parametrize("act", ["restore", "purge"])
def test_quarantine_that_is_not_mounted(lot: Index, tmp_path: Path, act: str) -> None:
    """A named quarantine whose place is there and empty, as where its disk is not mounted, gives up nothing."""
    lot.prune(quarantine=str(tmp_path / "disk"))
    (tmp_path / "disk").rename(tmp_path / "unplugged")
    (tmp_path / "disk").mkdir()
    getattr(lot, act)()
    assert [state for _, state, _ in journal(lot)] == ["quarantined"] * 2
    (tmp_path / "disk").rmdir()
    (tmp_path / "unplugged").rename(tmp_path / "disk")
    before = contents(lot)
    assert lot.restore().restored == 2
    assert contents(lot) == sorted([*before, picture(), picture(BIRD)])


@pytest.mark.parametrize("edited", [False, True])
def test_restored_file_is_the_persons_again(lot: Index, monkeypatch: pytest.MonkeyPatch, edited: bool) -> None:
    """A file that went back before a cut is restored, also if it was written to before the next command."""
    lot.prune()
    cut_after(monkeypatch, restore_workflow, "move_no_replace")
    with pytest.raises(Cut):
        lot.restore()
    if edited:
        (lot.folder / COPY).write_bytes(b"theirs")
    lot.make_profile("any")
    assert journal(lot) == [(COPY, "restored", ""), (BIRDS, "quarantined", "")]
    assert (lot.folder / COPY).read_bytes() == (b"theirs" if edited else picture())
