"""Decisions: one is current per image, the others stay as history, and `prune` gets every reason against a removal."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from indexer.domain.images import ImageState
from indexer.domain.names import Naming
from indexer.domain.removal import ExclusionReason, IndexedFile, RemovalCandidate
from indexer.domain.selection import Decision, Reason
from indexer.domain.verdicts import Judgement
from indexer.errors import DatabaseError
from indexer.store import decisions, images, open_images, pins, ranked_images, verdicts
from indexer.store.cameras import list_cameras
from indexer.store.database import Database
from indexer.store.tables import DecisionRow, VerdictRow

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 2, tzinfo=UTC)

Add = Callable[..., int]
Decide = Callable[..., None]
Flag = Callable[..., RemovalCandidate]


def current(database: Database, camera: str = "gate") -> dict[int, Decision]:
    with database.read() as session:
        found = ranked_images.list_decisions(session, list_cameras(session)[camera])
        return {found.decision(position).image_id: found.decision(position) for position in range(len(found))}


def judge(database: Database, run_id: int, verdict: str, *pair: int) -> None:
    a, b = sorted(pair)
    row = {"image_a_id": a, "image_b_id": b, "verdict": verdict, "judged_by": "Ada", "judged_at": NOON}
    with database.write() as session:
        session.execute(insert(VerdictRow).values(**row, run_id=run_id))


def test_decisions_come_back(database: Database, add: Add, decide: Decide) -> None:
    """What was decided of each image of a camera comes back as it was."""
    a, b, c, d, e = (add(f"/frames/{number}.jpg") for number in range(5))
    decided = [
        Decision(a, Reason.NEW),
        Decision(b, Reason.SIMILAR, a, 999.5),
        Decision(c, Reason.IDENTICAL, a, 0.0),
        Decision(d, Reason.VERDICT, a),
        Decision(e, Reason.PINNED),
    ]
    decide(*decided)
    assert current(database) == {decision.image_id: decision for decision in decided}


def test_decisions_name_who_decided(database: Database, add: Add, decide: Decide) -> None:
    """A decision was made by `compare`, or by the person whose verdict it rests on."""
    a, b = add("/frames/1.jpg"), add("/frames/2.jpg")
    decide(Decision(a, Reason.NEW), Decision(b, Reason.VERDICT, a), judged_by={b: "Ada"})
    with database.read() as session:
        rows = session.execute(select(DecisionRow.image_id, DecisionRow.decided_by)).all()
    assert [tuple(row) for row in rows] == [(a, "compare"), (b, "Ada")]


def test_a_new_decision_supersedes(database: Database, add: Add, decide: Decide) -> None:
    """A new decision takes the place of the one that held, which stays as a row with the time it ceased to hold."""
    a, b = add("/frames/1.jpg"), add("/frames/2.jpg")
    decide(Decision(a, Reason.NEW), Decision(b, Reason.NEW))
    decide(Decision(b, Reason.SIMILAR, a, 1.0), at=LATER)
    assert current(database) == {a: Decision(a, Reason.NEW), b: Decision(b, Reason.SIMILAR, a, 1.0)}
    with database.read() as session:
        columns = select(DecisionRow.image_id, DecisionRow.verdict, DecisionRow.superseded_at)
        rows = session.execute(columns.order_by(DecisionRow.id))
        assert [tuple(row) for row in rows] == [(a, "keep", None), (b, "keep", LATER), (b, "duplicate", None)]


def test_a_decision_is_taken_back(database: Database, add: Add, decide: Decide) -> None:
    """Taking back leaves the images undecided and the others as they were; once is enough."""
    a, b = add("/frames/1.jpg"), add("/frames/2.jpg")
    decide(Decision(a, Reason.NEW), Decision(b, Reason.NEW))
    with database.write() as session:
        decisions.supersede(session, [b, 999], at=LATER)
        decisions.supersede(session, [b], at=datetime(2027, 1, 1, tzinfo=UTC))
        assert open_images.count_undecided(session) == 1
        ends = session.scalars(select(DecisionRow.superseded_at).order_by(DecisionRow.id)).all()
    assert (set(current(database)), ends) == ({a}, [None, LATER])


def test_many_decisions_at_once(database: Database, add: Add, decide: Decide) -> None:
    """More decisions than SQLite takes in one statement are taken back at once."""
    image_id = add("/frames/1.jpg")
    decide(Decision(image_id, Reason.NEW))
    with database.write() as session:
        decisions.supersede(session, [*range(100_000, 140_000), image_id], at=LATER)
    assert current(database) == {}


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ({}, "(?i)unique"),
        ({"verdict": "maybe"}, "ck_decisions_verdict"),
        ({"reason": "because"}, "ck_decisions_reason"),
        ({"verdict": "duplicate", "reason": "similar"}, "ck_decisions_keeper"),
        ({"keeper_id": 2}, "ck_decisions_keeper"),
        ({"verdict": "duplicate", "reason": "similar", "keeper_id": 1}, "ck_decisions_other"),
        ({"image_id": 999}, "(?i)foreign key"),
        ({"decided_by": None}, "(?i)not.null"),
    ],
)
def test_the_database_refuses(
    database: Database, add: Add, decide: Decide, run_id: int, values: dict[str, Any], constraint: str
) -> None:
    """The database refuses two decisions that hold, a duplicate without another image as keeper, unknown words."""
    first, second = add("/frames/1.jpg"), add("/frames/2.jpg")
    decide(Decision(first, Reason.NEW))
    row = {"image_id": second if values else first, "profile_id": 1, "verdict": "keep", "reason": "new"}
    row |= {"decided_by": "compare", "decided_at": NOON, "run_id": run_id} | values
    row |= {"image_id": first, "superseded_at": NOON} if values.get("keeper_id") == 1 else {}
    with pytest.raises(DatabaseError, match=constraint), database.write() as session:
        session.execute(insert(DecisionRow).values(**row))


def test_only_present_images_are_decided(database: Database, add: Add, decide: Decide) -> None:
    """Decisions of a camera are those of its ready images; removed ones and other cameras' are not among them."""
    a, b, c = add("/frames/1.jpg"), add("/frames/2.jpg"), add("/frames/3.jpg", camera="lot")
    decide(*(Decision(image_id, Reason.NEW) for image_id in (a, b, c)))
    with database.write() as session:
        images.set_state(session, [b], ImageState.REMOVED)
    assert (set(current(database)), set(current(database, "lot"))) == ({a}, {c})


def test_judgements_of_a_camera(database: Database, add: Add, run_id: int) -> None:
    """The verdicts that hold in a camera come by pair; withdrawn ones and other cameras' do not."""
    a, b, c = (add(f"/frames/{number}.jpg") for number in range(3))
    judge(database, run_id, "same", a, b)
    judge(database, run_id, "different", a, c)
    judge(database, run_id, "same", b, c)
    judge(database, run_id, "same", add("/frames/8.jpg", camera="lot"), add("/frames/9.jpg", camera="lot"))
    with database.write() as session:
        session.execute(update(VerdictRow).where(VerdictRow.image_a_id == b).values(withdrawn_at=LATER))
        found = verdicts.list_judgements(session, list_cameras(session)["gate"])
    assert found == {(a, b): Judgement("same", "Ada"), (a, c): Judgement("different", "Ada")}


def test_a_flagged_image_comes_with_its_keeper(database: Database, add: Add, decide: Decide) -> None:
    """A duplicate comes with all that a removal needs to know of it and of its keeper."""
    keeper = add("/frames/1.jpg", content_hash="k", size_bytes=11)
    victim = add("/frames/2.jpg", content_hash="v", size_bytes=22, at=LATER)
    decide(Decision(keeper, Reason.NEW), Decision(victim, Reason.SIMILAR, keeper, 900.0))
    with database.read() as session:
        (found,) = decisions.list_removal_candidates(session)
    assert replace(found, decision_id=0) == RemovalCandidate(
        decision_id=0,
        camera="gate",
        victim=IndexedFile(victim, "/frames/2.jpg", "/frames", 22, "v"),
        keeper=IndexedFile(keeper, "/frames/1.jpg", "/frames", 11, "k"),
        score=900.0,
        max_score=1000.0,
        profile="balanced",
        captured_at=LATER,
        keeper_present=True,
        keeper_kept=True,
        profile_in_force=True,
        pinned=False,
        judged=False,
    )


def move_keeper(database: Database, item: RemovalCandidate) -> None:
    with database.write() as session:
        images.rename_image(session, item.keeper.image_id, naming=Naming("lot", "option", NOON, "name"))


def lose_keeper(database: Database, item: RemovalCandidate) -> None:
    with database.write() as session:
        images.set_state(session, [item.keeper.image_id], ImageState.MISSING)


def undecide_keeper(database: Database, item: RemovalCandidate) -> None:
    with database.write() as session:
        decisions.supersede(session, [item.keeper.image_id], at=LATER)


def pin_victim(database: Database, item: RemovalCandidate) -> None:
    with database.write() as session:
        pins.add_pin(session, item.victim.image_id, reason="pin", at=LATER, run_id=1)


@pytest.mark.parametrize(
    ("happen", "left_out"),
    [
        (lambda database, item: None, None),
        (move_keeper, ExclusionReason.KEEPER_GONE),
        (lose_keeper, ExclusionReason.KEEPER_GONE),
        (undecide_keeper, ExclusionReason.KEEPER_UNDECIDED),
        (pin_victim, ExclusionReason.PINNED),
        (
            lambda database, item: judge(database, 1, "different", item.victim.image_id, item.keeper.image_id),
            ExclusionReason.VERDICT,
        ),
        (lambda database, item: judge(database, 1, "same", item.victim.image_id, item.keeper.image_id), None),
    ],
)
def test_what_speaks_against_a_removal(
    database: Database,
    flagged: Flag,
    happen: Callable[[Database, RemovalCandidate], None],
    left_out: ExclusionReason | None,
) -> None:
    """A keeper that is gone or undecided, a pin, a verdict `different`: each is returned with the duplicate."""
    item = flagged()
    happen(database, item)
    with database.read() as session:
        assert [found.exclusion_reason for found in decisions.list_removal_candidates(session)] == [left_out]


@pytest.mark.parametrize(
    ("decided", "profile"), [(lambda other: ("similar", other, 1.0), "balanced"), (lambda other: ("new",), "plain")]
)
def test_a_keeper_must_be_kept_by_the_same_profile(
    database: Database, add: Add, decide: Decide, flagged: Flag, decided: Callable[[int], Any], profile: str
) -> None:
    """A keeper that is a duplicate now, or was decided under another profile since, stands for nothing."""
    item, other = flagged(), add("/frames/other.jpg")
    decide(Decision(item.keeper.image_id, *decided(other)), profile=profile)
    with database.read() as session:
        found = {one.victim.image_id: one.exclusion_reason for one in decisions.list_removal_candidates(session)}
    assert found[item.victim.image_id] is ExclusionReason.KEEPER_UNDECIDED


def test_flagged_are_present_and_in_order(database: Database, flagged: Flag) -> None:
    """Duplicates come by camera and time, removed ones not at all, and one camera's alone if asked for."""
    late, early = flagged("1", at=LATER), flagged("2", at=NOON)
    lot, gone = flagged("3", camera="a lot"), flagged("4")
    with database.write() as session:
        images.set_state(session, [gone.victim.image_id], ImageState.REMOVED)
        everyone = decisions.list_removal_candidates(session)
        assert everyone == [lot, early, late]
        assert [decisions.list_removal_candidates(session, camera=name) for name in ("a lot", "nowhere")] == [[lot], []]
