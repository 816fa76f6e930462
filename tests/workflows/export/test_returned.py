"""export and the quarantine: what came back is counted apart, and no tree is made among removed files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import FolderError, ImageError
from indexer.files.markers import QUARANTINE_NAME
from indexer.workflows.export.export import ExportReport, export
from tests.support.index import CAR, Index, name, picture, prepared


@prepared
def lot(index: Index) -> None:
    """Two cameras, each with a kept image and a duplicate of it, which was removed; and a duplicate that is there."""
    for camera in ("gate", "yard"):
        index.put(name(0, camera), picture(CAR))
        index.put(name(1, camera), picture(CAR, stamp=1))
    index.ingest()
    index.compare()
    assert index.prune().removed == 2


def counts(report: ExportReport) -> tuple[int, int, int]:
    """How many images were exported, are still to be removed, and are held back."""
    return report.exported, report.waiting, report.held_back


def test_what_came_back_is_counted_apart(lot: Index, tmp_path: Path, others: Callable[..., Index]) -> None:
    """Duplicates that a restore brought back are held back, and one that `prune` would take waits; an index from a
    backup, which only the records tell, counts the same, also of one camera."""
    backup = others(lot, copy=True)
    backup.execute("DELETE FROM removals")
    backup.execute("UPDATE runs SET token = 'of another run' WHERE command = 'prune'")
    backup.execute("UPDATE images SET state = 'ready'")
    lot.undo_run()
    lot.put(name(2), picture(CAR, stamp=2))
    for number, index in enumerate((lot, backup)):
        index.ingest()
        index.compare()
        assert counts(export(index.database, "nul", str(tmp_path / f"all{number}"), which="all")) == (2, 1, 2)
        assert counts(export(index.database, "nul", str(tmp_path / f"y{number}"), camera="yard")) == (1, 0, 1)
    assert lot.prune().removed == 1


def test_nothing_to_export_names_the_step(lot: Index, tmp_path: Path) -> None:
    """If all duplicates came back, the error names the option that removes them, as `prune` alone would do nothing."""
    lot.undo_run()
    with pytest.raises(ImageError, match=r"first: manage\.py prune --include-restored$"):
        export(lot.database, "nul", str(tmp_path / "removed"), which="removed")


@pytest.mark.parametrize("target", ["x", "run-7/x"])
def test_no_tree_in_a_quarantine(lot: Index, target: str) -> None:
    """A tree would lie among removed files, where no ingest and no person looks."""
    folder = lot.folder.parent / QUARANTINE_NAME
    before = sorted(folder.rglob("*"))
    with pytest.raises(FolderError, match="lies in a quarantine"):
        export(lot.database, "tree", str(folder / target))
    assert sorted(folder.rglob("*")) == before
