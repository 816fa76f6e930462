"""restore: a removed file is named by its file name alone, or by a glob, and never guessed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import ImageError
from indexer.store import removals
from indexer.workflows.removal.restore import RestoreSelection, plan_restore
from tests.support.index import Index, name, picture, prepared


@prepared
def removed(index: Index) -> None:
    """Two folders whose frames all show the same: one is kept, and one name lay in both folders."""
    for camera in ("gate", "yard"):
        for minute in range(3):
            index.put(f"{camera}/{name(minute, 'same')}" if minute == 1 else f"{camera}/{name(minute, camera)}", b"")
    for number, path in enumerate(sorted(index.folder.rglob("*.png"))):
        path.write_bytes(picture(stamp=0 if number < 3 else 1))
    index.ingest(camera="gate")
    index.compare()
    index.prune()


def back(index: Index) -> list[str]:
    """The files that were brought back."""
    return [file for file, state in index.removals() if state == "restored"]


def gone(index: Index) -> list[str]:
    """The files that were removed."""
    return [file for file, _ in index.removals()]


def test_a_file_name_alone(removed: Index) -> None:
    """A name that one removed file had brings that one back."""
    file = next(file for file in gone(removed) if "same" not in file)
    removed.restore(file.split("/")[1])
    assert back(removed) == [file]


def test_a_glob(removed: Index) -> None:
    """A glob brings back each file that it matches, and no other."""
    removed.restore("yard-*")
    assert back(removed) == [file for file in gone(removed) if file.split("/")[1].startswith("yard-")]
    removed.restore(f"{removed.folder}/*/same-*")
    assert set(back(removed)) == {file for file in gone(removed) if "gate-" not in file}


def test_what_matches_nothing_is_refused(removed: Index) -> None:
    """A name or a glob of no removed file is refused, and nothing moves."""
    before = removed.tree()
    for words in ("nothing.png", "x*"):
        with pytest.raises(ImageError, match="is in quarantine"):
            removed.restore(words)
    assert removed.tree() == before


def test_a_name_of_two_folders_is_refused(removed: Index) -> None:
    """A file name that two folders had is not guessed."""
    assert sum("same" in file for file in gone(removed)) == 2
    with pytest.raises(ImageError, match="lay in 2 folders"):
        removed.restore(name(1, "same"))
    assert back(removed) == []


def test_a_link_to_the_folder(removed: Index) -> None:
    """Paths below a link to the folder, and the link itself, mean the files of the folder."""
    link = removed.folder.parent / "link"
    link.symlink_to(removed.folder)
    (first, *_) = gone(removed)
    removed.restore(link / first)
    assert back(removed) == [first]
    removed.restore(link)
    assert back(removed) == gone(removed)


def test_what_was_deleted_for_good_is_named(index: Index) -> None:
    """A file that was deleted by prune --permanent, or by purge, cannot come back: the error says which run did it."""
    for minute in range(3):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    index.compare()
    run_id = index.prune(permanent=True).run_id
    for words in (index.folder / name(1), name(1), index.folder):
        with pytest.raises(ImageError, match=f"deleted for good.*by run {run_id}"):
            index.restore(words)


def test_a_path_in_quarantine(removed: Index) -> None:
    """The path of a file in quarantine brings it back to where it was; so do all files of a folder there."""
    with removed.database.read() as session:
        entries = removals.list_away(session)
    removed.restore(entries[0].quarantine_path)
    assert back(removed) == [str(Path(entries[0].path).relative_to(removed.folder))]
    removed.restore(Path(entries[0].quarantine_path or "").parents[1])
    assert back(removed) == gone(removed)


def test_a_plan_says_what_would_come_back(removed: Index) -> None:
    """A plan has what restore then does, by number and folder, and writes nothing; what cannot come back is named."""
    (taken, *others) = gone(removed)
    (removed.folder / taken).write_bytes(b"mine")
    before, rows = removed.tree(), removed.dump()
    plan = plan_restore(removed.database, RestoreSelection(everything=True))
    assert (removed.tree(), removed.dump()) == (before, rows)
    report = removed.restore()
    assert (plan.files, plan.folders, plan.copies) == (len(others), report.folders, report.copies)
    assert [path for path, _ in plan.failures] == [str(removed.folder / taken)]
    with pytest.raises(ImageError, match="is in quarantine"):
        plan_restore(removed.database, RestoreSelection(names=("nothing.png",)))


@pytest.mark.parametrize("by", ["another", "its own"])
def test_a_plan_names_what_lies_at_the_path(removed: Index, by: str) -> None:
    """Whatever lies at the path of a removed file, a plan gives the reason that restore then gives."""
    (first, *_) = gone(removed)
    with removed.database.read() as session:
        (entry, *_) = removals.list_quarantined(session)
    lying = Path(entry.quarantine_path or "").read_bytes() if by == "its own" else b"mine"
    (removed.folder / first).write_bytes(lying)
    planned = plan_restore(removed.database, RestoreSelection(everything=True)).failures
    assert planned == removed.restore().failures
    assert [path for path, _ in planned] == [entry.path]


def _loop(folder: Path) -> None:
    folder.rename(folder.with_name("away"))
    folder.symlink_to(folder)  # ends in an error other than "not found" for everybody, as a missing right for most


def _file_instead(folder: Path) -> None:
    folder.rename(folder.with_name("away"))
    folder.write_bytes(b"mine")


@pytest.mark.parametrize("change", [_loop, _file_instead])
def test_a_plan_names_what_is_no_folder(index: Index, change: Callable[[Path], None]) -> None:
    """Where the old folder of a file cannot be looked into, or is a file, plan and restore give the same reason; the
    file stays in quarantine, and comes back with its folder."""
    index.put(name(0), picture())
    taken = index.put(f"old/{name(1)}", picture(stamp=1))
    index.ingest()
    index.compare()
    assert index.prune().removed == 1
    change(taken.parent)
    planned = plan_restore(index.database, RestoreSelection(everything=True))
    assert planned.failures == index.restore().failures
    assert [(path, repr(str(taken.parent)) in reason) for path, reason in planned.failures] == [(str(taken), True)]
    taken.parent.unlink()
    taken.parent.with_name("away").rename(taken.parent)
    assert index.restore().restored == 1
    assert taken.read_bytes() == picture(stamp=1)


def test_a_plan_brings_one_file_back_to_a_path(index: Index) -> None:
    """Of two images that were removed from one path, one after the other, a plan counts the one that comes back."""
    index.put(name(0), picture())
    for stamp in (1, 2):
        index.put(name(1), picture(stamp=stamp))
        index.ingest()
        index.compare()
        assert index.prune().removed == 1
    planned = plan_restore(index.database, RestoreSelection(everything=True))
    report = index.restore()
    assert (planned.files, report.restored) == (1, 1)
    assert (
        [path for path, _ in planned.failures] == [path for path, _ in report.failures] == [str(index.folder / name(1))]
    )
