"""db adopt: what a quarantine holds of runs that an index does not know is taken in, and works as its own."""

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import FolderError
from indexer.files.markers import QUARANTINE_NAME
from indexer.workflows.admin.status import status
from indexer.workflows.removal.adopt import adopt
from indexer.workflows.removal.purge import PurgeSelection, close_gone
from indexer.workflows.review.explain import explain_image
from tests.support.index import CAR, Index, name, picture, prepared

KEEPER, VICTIM, OTHER = name(0), name(1), name(2)


@prepared
def lot(index: Index) -> None:
    """A camera that was decided: a keeper, and two that it stands for, one a copy."""
    for file, content in {KEEPER: picture(), VICTIM: picture(stamp=1), OTHER: picture()}.items():
        index.put(file, content)
    index.ingest()
    index.pin(KEEPER)
    index.compare()
    index.unpin(KEEPER)


def quarantine(lot: Index) -> str:
    """Where the removed files lie."""
    return str(lot.folder.parent / QUARANTINE_NAME)


def unknown(index: Index) -> list[tuple[str, int]]:
    """What status says of runs that an index does not know."""
    return [(one.folder, one.runs) for one in status(index.database).unknown_runs]


@pytest.mark.parametrize("from_backup", [True, False])
def test_adopted_files_come_back_and_their_keepers_are_pinned(
    lot: Index, others: Callable[..., Index], from_backup: bool
) -> None:
    """After adopting, a restored or a new index knows the removals, pins their keepers and brings the files back."""
    before, second = lot.tree(), others(lot, copy=from_backup)
    lot.prune()
    second.ingest()
    assert (unknown(lot), unknown(second)) == ([], [(quarantine(lot), 1)])
    report = adopt(second.database, quarantine(lot), clock=second.clock)
    assert (report.adopted, report.runs, report.failures) == (2, 1, [])
    assert unknown(second) == []
    told = "SELECT path, keeper_path, state, content_hash FROM audit_removals ORDER BY path"
    assert second.rows(told) == lot.rows(told)
    second.put(name(3), picture(height=128, width=192))
    second.ingest()
    second.compare()
    assert second.decisions()[KEEPER][0] == "keep"
    (second.folder / name(3)).unlink()
    assert (second.restore(pin=False).restored, lot.tree()) == (2, before)
    second.ingest()
    assert {state for file, state, _ in second.states() if file in (VICTIM, OTHER)} == {"ready"}
    assert second.compare().held_back == []


def test_adopted_files_can_be_purged(lot: Index, others: Callable[..., Index]) -> None:
    """purge frees what was adopted, and the journal says so."""
    second = others(lot)
    lot.prune()
    second.ingest()
    adopt(second.database, quarantine(lot), clock=second.clock)
    assert second.purge().purged == 2
    assert [state for _, state in second.removals()] == ["purged", "purged"]
    assert list(Path(quarantine(lot)).rglob("*.png")) == []


def test_a_second_time_there_is_nothing_to_adopt(lot: Index, others: Callable[..., Index]) -> None:
    """What is known is not taken in again, by this index or by the one that removed it."""
    second = others(lot, copy=True)
    lot.prune()
    second.ingest()
    adopt(second.database, quarantine(lot), clock=second.clock)
    for index in (second, lot):
        before = index.dump(without=("runs",))
        assert adopt(index.database, quarantine(lot), clock=index.clock).adopted == 0
        assert index.dump(without=("runs",)) == before


def test_files_that_were_only_away_are_adopted_again(lot: Index) -> None:
    """What a person closed as gone while its disk was away is in quarantine again, and comes back byte for byte; a file
    that was changed meanwhile stays closed."""
    before = lot.tree()
    lot.prune()
    disk = Path(quarantine(lot)).rename(lot.folder.parent / "disk")
    assert close_gone(lot.database, PurgeSelection(gone=True), clock=lot.clock).gone == 2
    shutil.copytree(disk, quarantine(lot), dirs_exist_ok=True)
    shutil.rmtree(disk)
    [changed] = Path(quarantine(lot)).rglob(OTHER)
    whole = changed.read_bytes()
    changed.write_bytes(picture(CAR))
    report = adopt(lot.database, quarantine(lot), clock=lot.clock)
    assert (report.adopted, len(report.failures)) == (1, 1)
    assert sorted(lot.removals()) == [(VICTIM, "quarantined"), (OTHER, "purged")]
    changed.write_bytes(whole)
    assert adopt(lot.database, quarantine(lot), clock=lot.clock).adopted == 1
    assert lot.undo_run().restored == 2
    assert {file: content for file, (content, _) in lot.tree().items()} == {
        file: content for file, (content, _) in before.items()
    }


def move_away(lot: Index, place: Path) -> None:
    """The file is not in quarantine any more."""
    place.unlink()


def change(lot: Index, place: Path) -> None:
    """The file in quarantine has other bytes."""
    place.write_bytes(picture(CAR))


def come_back(lot: Index, place: Path) -> None:
    """A copy of it lies at its path."""
    shutil.copy2(place, lot.folder / VICTIM)


@pytest.mark.parametrize(
    ("harm", "why"), [(move_away, None), (change, "in quarantine: "), (come_back, "something is at its path")]
)
def test_what_is_not_as_the_manifest_says_is_left(
    lot: Index, others: Callable[..., Index], harm: Callable[[Index, Path], None], why: str | None
) -> None:
    """A file that is gone, changed, or back at its path is not adopted, and every file stays as it is."""
    second = others(lot)
    lot.prune()
    [place] = Path(quarantine(lot)).rglob(VICTIM)
    harm(lot, place)
    second.ingest()
    before = lot.tree()
    report = adopt(second.database, quarantine(lot), clock=second.clock)
    assert (report.adopted, len(report.failures)) == (1, 0 if why is None else 1)
    assert all(why is not None and why in said for _, said in report.failures)
    assert lot.tree() == before


HOSTILE: dict[str, Callable[[Path, Path, dict[str, Any]], object]] = {
    "place behind a link": lambda place, outside, _: (
        place.parent.rename(outside / "7"),
        place.parent.symlink_to(outside / "7"),
    ),
    "no name of an image": lambda _place, outside, said: said.update(path=str(outside / "cron.d" / "evil")),
    "path that leads up": lambda _place, outside, said: said.update(path=f"{outside}/../outside/evil.png"),
    "no image": lambda place, _, said: (
        place.write_bytes(b"root touch"),
        said.update(size_bytes=10, content_hash=sha256(b"root touch").hexdigest()),
    ),
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_a_stranger_says_is_not_taken_in(
    lot: Index, others: Callable[..., Index], tmp_path: Path, kind: str
) -> None:
    """A place behind a link, and what is no image by its path or by its bytes, gets no row that restore would obey."""
    second = others(lot)
    lot.prune()
    second.ingest()
    (tmp_path / "outside").mkdir()
    [manifest], [place] = Path(quarantine(lot)).rglob("manifest.jsonl"), Path(quarantine(lot)).rglob(VICTIM)
    said = [json.loads(line) for line in manifest.read_text().splitlines() if line]
    HOSTILE[kind](place, tmp_path / "outside", next(line for line in said if line["place"].endswith(VICTIM)))
    manifest.write_text("".join(f"\n{json.dumps(line)}" for line in said))
    report = adopt(second.database, quarantine(lot), clock=second.clock)
    assert (report.adopted, len(report.failures)) == (1, 1)
    assert [file for file, _ in second.removals()] == [OTHER]


def test_adopting_goes_on_where_it_stopped(lot: Index, others: Callable[..., Index]) -> None:
    """What could not be taken in the first time is the next time, though the run is known by then."""
    second = others(lot)
    lot.prune()
    second.ingest()
    [place] = Path(quarantine(lot)).rglob(VICTIM)
    content = place.read_bytes()
    place.write_bytes(picture(CAR))
    assert adopt(second.database, quarantine(lot), clock=second.clock).adopted == 1
    place.write_bytes(content)
    assert adopt(second.database, quarantine(lot), clock=second.clock).adopted == 1
    assert second.restore(pin=False).restored == 2


def test_adopted_file_can_be_asked_about(lot: Index, others: Callable[..., Index], tmp_path: Path) -> None:
    """What is not known of an adopted file, as nobody described it, ends no command: explain, pin and report tell the
    rest."""
    second = others(lot)
    lot.prune()
    second.ingest()
    adopt(second.database, quarantine(lot), clock=second.clock)
    for file in (VICTIM, OTHER):
        ((image_id,),) = second.rows("SELECT id FROM images WHERE path = ?", str(lot.folder / file))
        [decision] = explain_image(second.database, str(image_id)).decisions
        assert (decision.decided_by, decision.keeper_path) == ("db adopt", str(lot.folder / KEEPER))
    second.restore(pin=False)
    second.pin(VICTIM)
    second.ingest()
    second.compare()
    assert {file for file, decision in second.decisions().items() if decision[0] == "keep"} >= {VICTIM}


def test_file_without_its_keeper_is_left(lot: Index, others: Callable[..., Index]) -> None:
    """A file whose keeper the index does not know is left, with what to do."""
    second = others(lot)
    lot.prune()
    report = adopt(second.database, quarantine(lot), clock=second.clock)
    assert report.adopted == 0
    assert all("ingest its folder first" in why for _, why in report.failures)
    second.ingest()
    assert adopt(second.database, quarantine(lot), clock=second.clock).adopted == 2


@pytest.mark.parametrize("known", [True, False])
def test_runs_of_an_earlier_version(lot: Index, others: Callable[..., Index], known: bool) -> None:
    """Manifests without tokens are known by the number of their run and the place; a new index can adopt them."""
    lot.prune()
    [run] = Path(quarantine(lot)).glob("run-*")
    old = run.rename(run.with_name("run-4"))
    lines: list[dict[str, Any]] = [eval(line) for line in (old / "manifest.jsonl").read_text().splitlines() if line]
    for line in lines:
        for key in ("keeper_hash", "index_id", "run_token"):
            del line[key]
    (old / "manifest.jsonl").write_text("".join("\n" + str(line).replace("'", '"') for line in lines))
    lot.execute("UPDATE removals SET quarantine_path = replace(quarantine_path, ?, 'run-4')", run.name)
    index = lot if known else others(lot)
    index.ingest()
    assert unknown(index) == ([] if known else [(quarantine(lot), 1)])
    assert adopt(index.database, quarantine(lot), clock=index.clock).adopted == (0 if known else 2)
    assert index.restore(pin=False).restored == 2


def test_no_quarantine(lot: Index) -> None:
    """A folder that does not exist is refused."""
    with pytest.raises(FolderError):
        adopt(lot.database, str(lot.folder / "nowhere"), clock=lot.clock)


def test_run_folder_is_never_shared(lot: Index, others: Callable[..., Index]) -> None:
    """Two runs with one number, of an index and of its backup, have folders of their own, each with its token."""
    second = others(lot, copy=True)
    lot.prune()
    lot.restore(pin=False)
    lot.compare()
    kept = lot.prune().run_id
    second.put(name(5), picture(stamp=5))
    second.ingest()
    second.compare()
    while second.rows("SELECT MAX(id) FROM runs")[0][0] < kept - 1:
        second.pin(KEEPER)
    assert second.prune().run_id == kept
    folders = [path.name for path in Path(quarantine(lot)).glob("run-*")]
    assert len(folders) == 2
    assert len({name.split("-")[1] for name in folders}) == 1
