"""Undoing a run pins nothing and decides nothing anew; what came back is held back until a person includes it."""

import random
from collections.abc import Callable

import pytest

from indexer.errors import UsageError
from indexer.workflows.admin.status import status
from indexer.workflows.removal import restore as restore_workflow
from indexer.workflows.removal.removal_plan import largest_shares, plan
from indexer.workflows.removal.restore import parse_selection
from tests.support.index import BIKE, BIRD, CAR, SECOND_BIRD, Index, name, picture, prepared

KEEPER, COPY, BIRDS, OTHER = name(0), name(1), name(2), name(3)
HELD_BACK = "it is held back, as it came back after its removal"


@prepared
def lot(index: Index) -> None:
    """A camera that was decided: a keeper with a copy and a picture that shows the same, and another keeper."""
    for file, content in {
        KEEPER: picture(),
        COPY: picture(),
        BIRDS: picture(BIRD),
        OTHER: picture(CAR),
    }.items():
        index.put(file, content)
    index.ingest()
    index.compare()


def planned(index: Index, *, include_restored: bool = False) -> tuple[set[str], dict[str, int]]:
    """The files of the plan, and what it leaves out."""
    made = plan(index.database, include_restored=include_restored)
    return {index.file(item.victim.path) for item in made.victims}, {str(why): n for why, n in made.left_out.items()}


def pins(index: Index) -> int:
    """The number of pins that hold."""
    return int(index.rows("SELECT COUNT(*) FROM pins WHERE unpinned_at IS NULL")[0][0])


@pytest.mark.parametrize("by_run", [True, False])
@pytest.mark.parametrize("compared", [True, False])
def test_undo_leaves_pins_and_decisions_as_before(lot: Index, by_run: bool, compared: bool) -> None:
    """After prune and its undoing the files, the pins and every current decision are what they were, row for row; also
    after a compare in between that had nothing new to decide."""
    current = "SELECT image_id, verdict, keeper_id, score FROM decisions WHERE superseded_at IS NULL ORDER BY image_id"
    tree, decisions = lot.tree(), lot.rows(current)
    run_id = lot.prune().run_id
    if compared:
        lot.ingest()
        lot.compare()
    report = lot.undo_run(run_id if by_run else None)
    assert (report.restored, report.pinned, report.held_back) == (2, False, True)
    assert (lot.tree(), lot.rows(current), pins(lot)) == (tree, decisions, 0)
    assert planned(lot) == (set(), {HELD_BACK: 2})
    lot.compare()
    assert (lot.rows(current), planned(lot)) == (decisions, (set(), {HELD_BACK: 2}))


def test_a_plan_counts_files_that_are_held_back_and_not_decided(lot: Index) -> None:
    """A file that came back and must be decided again is counted as held back, of its camera alone."""
    lot.undo_run(lot.prune().run_id)
    lot.judge(BIRDS, KEEPER, "different")
    lot.undo(BIRDS, KEEPER)
    lot.execute("UPDATE decisions SET superseded_at = decided_at WHERE keeper_id IS NOT NULL")
    made = plan(lot.database, camera="gate")
    assert (made.left_out, made.undecided) == ({HELD_BACK: 2}, 2)
    assert plan(lot.database, include_restored=True).left_out == {}
    lot.pin(BIRDS)
    assert (planned(lot)[1], status(lot.database).held_back_files) == ({HELD_BACK: 1}, 1)


def test_an_undone_prune_raises_no_limit(index: Index) -> None:
    """What a later plan may take is not measured by a prune whose files all came back."""
    for minute in range(40):
        index.put(name(minute), picture(CAR if minute < 2 else BIRD, stamp=minute))
    index.ingest()
    index.compare()
    run_id = index.prune().run_id
    assert largest_shares(index.database) == {"gate": 38 / 40}
    index.undo_run(run_id)
    assert largest_shares(index.database) == {}


def test_what_came_back_is_held_back_until_it_is_included(lot: Index) -> None:
    """A plan counts and leaves out what came back; prune takes it only if it is told to, and then whole."""
    before = lot.tree()
    lot.undo_run(lot.prune().run_id)
    assert planned(lot) == (set(), {HELD_BACK: 2})
    assert (lot.prune().removed, lot.tree()) == (0, before)
    assert status(lot.database).held_back_files == 2
    shown = plan(lot.database, include_restored=True)
    assert lot.prune(shown, include_restored=True).removed == 2
    assert sorted(lot.tree().values()) == sorted(before.values())
    assert status(lot.database).held_back_files == 0


def test_a_plan_that_included_is_not_enough(lot: Index) -> None:
    """A plan that includes held-back files takes none of them unless the run itself includes them."""
    lot.undo_run(lot.prune().run_id)
    assert (lot.prune(plan(lot.database, include_restored=True)).removed, planned(lot)[1]) == (0, {HELD_BACK: 2})


def test_a_new_duplicate_is_not_held_back(lot: Index) -> None:
    """Only the files that came back are held back."""
    lot.undo_run(lot.prune().run_id)
    lot.put(name(4), picture(CAR))
    lot.ingest()
    lot.compare()
    assert planned(lot) == ({name(4)}, {HELD_BACK: 2})


def test_a_file_that_is_restored_by_its_path_is_pinned_and_not_held_back(lot: Index) -> None:
    """Restoring a path pins the file and its keeper; without a pin a later prune takes it, also if it was undone."""
    lot.undo_run(lot.prune().run_id)
    lot.prune(plan(lot.database, include_restored=True), include_restored=True)
    lot.restore(lot.folder / COPY)
    lot.restore(lot.folder / BIRDS, pin=False)
    lot.compare()
    assert (planned(lot), pins(lot), status(lot.database).pins) == (({BIRDS}, {}), 2, 2)


def test_new_keepers_are_met_by_what_came_back(lot: Index) -> None:
    """An image that was away while others were decided is decided again once it is back, as from scratch."""
    run_id = lot.prune().run_id
    lot.put(name(1.5), picture(BIRD, height=128, width=192))
    lot.ingest()
    lot.compare()
    lot.undo_run(run_id)
    lot.compare()
    assert lot.decisions()[BIRDS][:2] == ("duplicate", name(1.5))


def test_a_verdict_on_a_removed_image_is_followed(lot: Index) -> None:
    """A person's verdict on a removed image supersedes its decision once the image is back."""
    run_id = lot.prune().run_id
    lot.judge(BIRDS, KEEPER, "different")
    lot.undo_run(run_id)
    assert BIRDS not in lot.decisions()
    lot.compare()
    assert lot.decisions()[BIRDS][0] == "keep"


def test_a_pin_that_ended_meanwhile_is_followed(lot: Index, open_index: Callable[..., Index]) -> None:
    """If the keeper was ranked first by a pin that ended while its duplicate was away, both are decided again, as from
    scratch."""
    lot.pin(BIRDS)
    lot.compare()
    run_id = lot.prune().run_id
    lot.unpin(BIRDS)
    lot.undo_run(run_id)
    lot.compare()
    fresh = open_index(lot.folder)
    fresh.ingest()
    fresh.compare()
    assert lot.decisions() == fresh.decisions()


@pytest.mark.parametrize("act", ["decide", "judge", "pin"])
def test_an_earlier_run_that_acted_later_is_followed(lot: Index, act: str) -> None:
    """With several writers, what counts is when something was decided, judged or pinned, not which run began first."""
    run_id = lot.prune().run_id
    if act == "decide":
        lot.put(name(1.5), picture(BIRD, height=128, width=192))
        lot.ingest()
        lot.compare()
    elif act == "judge":
        lot.judge(BIRDS, KEEPER, "different")
    else:
        lot.pin(KEEPER)
    for table in ("decisions", "verdicts", "pins"):
        lot.execute(f"UPDATE {table} SET run_id = 1")
    lot.undo_run(run_id)
    assert BIRDS not in lot.decisions()


@pytest.mark.parametrize("seed", range(6))
def test_undone_runs_decide_as_from_scratch(open_index: Callable[..., Index], index: Index, seed: int) -> None:
    """Whatever was put, pruned, undone and decided in between, the decisions are those of an index made at the end."""
    rng = random.Random(seed)
    scenes = [(), (BIRD,), (BIRD, SECOND_BIRD), (CAR,), (BIKE,)]
    runs: list[int] = []
    for number in range(12):
        act = rng.choice(["put", "put", "put", "compare", "prune", "undo", "undo"])
        if act == "put":
            index.put(name(rng.randrange(60) + number / 100), picture(*rng.choice(scenes), stamp=number))
            index.ingest()
        elif act == "compare":
            index.compare()
        elif act == "prune":
            index.compare()
            shown = plan(index.database, include_restored=True)
            runs.append(index.prune(shown, include_restored=True).run_id)
        elif runs:
            index.undo_run(runs.pop(rng.randrange(len(runs))))
    index.undo_run()
    index.ingest()
    index.compare()
    fresh = open_index(index.folder)
    fresh.ingest()
    fresh.compare()
    assert index.decisions() == fresh.decisions()


def test_a_crash_in_the_middle_holds_back_too(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """What recovery brings to its end for a run that was being undone is held back, and keeps its decision."""
    before = lot.decisions()
    run_id = lot.prune().run_id

    def crash(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(restore_workflow.returns, "mark_returned", crash)
        with pytest.raises(KeyboardInterrupt):
            lot.undo_run(run_id)
    lot.ingest()
    lot.undo_run(run_id)
    assert (planned(lot), lot.decisions(), pins(lot)) == ((set(), {HELD_BACK: 2}), before, 0)


def test_restore_says_where_files_went_and_what_was_made(index: Index) -> None:
    """The report names each folder with its number of files, and a folder that was gone and was made anew."""
    index.put(f"day/{COPY}", picture())
    index.put(KEEPER, picture(height=128, width=192))
    index.ingest()
    index.compare()
    index.prune()
    (index.folder / "day").rmdir()
    report = index.undo_run()
    assert dict(report.folders) == {str(index.folder / "day"): 1}
    assert report.made_folders == [str(index.folder / "day")]


def test_one_way_to_say_what_comes_back() -> None:
    """Exactly one of all, a run, what would be kept, and paths is asked for."""
    for asked in ({}, {"everything": True, "would_keep": True}, {"run_id": 1, "would_keep": True}):
        with pytest.raises(UsageError):
            parse_selection([], **({"everything": False, "run_id": None} | asked))


def test_an_undo_decides_as_from_scratch(index: Index, open_index: Callable[..., Index]) -> None:
    """Where a keeper came after the removal that is undone, what came back is decided again, whatever was removed of
    other cameras meanwhile."""
    for minute in (0, 1):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    index.compare()
    index.prune()
    index.put(name(6), picture(BIRD))
    index.ingest()
    index.compare()
    run_id = index.prune().run_id
    assert run_id is not None
    index.put(name(5), picture(BIRD, SECOND_BIRD))
    for minute in (0, 1):
        index.put(name(minute, "yard"), picture(stamp=minute))
    index.ingest()
    index.compare()
    index.prune()
    index.undo_run(run_id)
    index.compare()
    scratch = open_index(index.folder)
    scratch.ingest()
    scratch.compare()
    assert {file: index.decisions()[file] for file in scratch.decisions()} == scratch.decisions()
