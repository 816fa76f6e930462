"""The ready-made queries: each answers what its title says, in SQL that both databases speak."""

import itertools
import re
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert

from indexer.domain.descriptions import Thumbnail
from indexer.domain.evidence import Evidence
from indexer.domain.images import ImageState
from indexer.domain.names import name_image
from indexer.domain.removal import RemovalCandidate, RemovalState
from indexer.domain.selection import Decision, Reason
from indexer.errors import ImageError, UsageError
from indexer.store import audit_queries, decisions, images, pins, profiles, removals, runs, scores, thumbnails
from indexer.store.audit_queries import Audit, AuditParameter
from indexer.store.database import Database
from indexer.store.schema import open_database
from indexer.store.scores import PairEvidence
from indexer.store.tables import VerdictRow
from tests.benchmarks.rows import fill_rows
from tests.support.databases import Maker, execute, on_sqlite, rows

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
NOON_TEXT, LATER_TEXT = "2026-01-01 12:00:00.000000", "2026-01-02 03:04:05.678901"
ODD = "/frames/caf\udce9.jpg"

Add = Callable[..., int]
Decide = Callable[..., None]
Flag = Callable[..., RemovalCandidate]
Remove = Callable[..., int]

COLUMNS = {
    "borderline": "camera decided score max_score over_limit path other_path profile closeness largest_contour "
    "min_contour_area changed_fraction state",
    "families": "camera keeper_path duplicates removed duplicates_size_bytes first_captured_at last_captured_at "
    "keeper_id",
    "flat": "camera path captured_at image_id",
    "gaps": "camera from_at to_at length_s reason video_path source",
    "history": "image_id happened_at event reason other_path score max_score profile decided_by held_until run_id",
    "quiet": "camera from_at to_at length_s frames every_s witness_path worst_score worst_at max_score profile "
    "video_path span_id source",
    "recordings": "camera started_at seen_until length_s ended reason frames_read frames_stored frames_missed "
    "frames_damaged source recording_id",
    "removals": "run_id removed_at state camera path keeper_path score max_score profile reason size_bytes "
    "quarantine_path restored_at purged_at problem closeness largest_contour changed_fraction content_hash keeper_hash "
    "username hostname",
    "retention": "camera hour images kept share_kept",
    "runs": "run_id command started_at finished_at outcome counts arguments version username hostname",
    "shown": "camera day hours frames_stored frames_read",
    "timeless": "camera path captured_at time_from camera_from image_id",
    "twins": "camera apart_s image_a_path image_b_path captured_a_at captured_b_at image_a_id image_b_id",
    "twins_across_cameras": "content_hash camera path captured_at size_bytes image_id",
    "unlikely_times": "camera path captured_at time_from image_id",
    "unreadable": "camera state reason path width height size_bytes image_id",
    "unwitnessed": "camera path state quarantine_path keeper_path keeper_state keeper_reason removed_at run_id "
    "image_id",
    "videos": "camera path started_at time_from duration_s frames_read frames_stored kept state reason missing "
    "size_bytes video_id",
}


def ask(database: Database, name: str, columns: str, **parameters: str) -> list[Any]:
    """These columns of an answer: tuples, or values if it is one column."""
    with audit_queries.run_audit(database, name, parameters) as table:
        places = [table.columns.index(column) for column in columns.split()]
        rows = [tuple(row[place] for place in places) for row in table]
    return [row[0] for row in rows] if len(places) == 1 else rows


def ask_all(database: Database, name: str, **parameters: str) -> list[tuple[Any, ...]]:
    """A whole answer."""
    with audit_queries.run_audit(database, name, parameters) as table:
        return list(table)


def time_of(name: str) -> datetime | None:
    return name_image(f"/frames/{name}.png", root="/frames", mtime_ns=0).captured_at


def record(database: Database, *pairs: tuple[int, int, float], profile: str = "balanced", largest: float = 0) -> None:
    with database.write() as session:
        scoring_id = profiles.get_profile(session, profile).scoring_id
        found = [PairEvidence(a, b, Evidence(score, largest or score, 1, 0.5)) for a, b, score in pairs]
        scores.add_scores(session, found, scoring_id=scoring_id, run_id=1)


def judge(database: Database, verdict: str, *pair: int) -> None:
    a, b = sorted(pair)
    row = {"image_a_id": a, "image_b_id": b, "verdict": verdict, "judged_by": "Ada", "judged_at": LATER, "run_id": 1}
    with database.write() as session:
        session.execute(insert(VerdictRow).values(**row))


def test_every_audit_has_a_title() -> None:
    """The ready-made queries come by name, each with one sentence that says what it shows."""
    audits = audit_queries.list_audits()
    assert [audit.name for audit in audits] == sorted(COLUMNS)
    assert all(re.fullmatch(r"[A-Z][^.]*\.", audit.title) for audit in audits)


def test_parameters_are_read() -> None:
    """The parameters of a query are those that its SQL uses, with what they are and their defaults."""
    assert audit_queries.get_audit("removals").parameters == (
        AuditParameter("run", "only those of the run with this number", None, False),
        AuditParameter("limit", "at most so many rows", "1000", False),
    )
    assert audit_queries.get_audit("history").parameters == (
        AuditParameter("image", "the image's number, or its path", None, True),
    )
    for audit in audit_queries.list_audits():
        assert {parameter.name for parameter in audit.parameters} == set(re.findall(r":(\w+)", audit.sql))


@pytest.mark.parametrize("name", COLUMNS)
def test_every_audit_has_its_columns(database: Database, add: Add, name: str) -> None:
    """Each ready-made query runs, on an index that holds next to nothing, and has the columns that it is known by."""
    add("/frames/1.jpg")
    parameters = {"image": "1"} if name == "history" else {}
    with audit_queries.run_audit(database, name, parameters) as table:
        assert table.columns == tuple(COLUMNS[name].split())
        assert table.main_columns
        assert {*table.main_columns} <= {*table.columns}


@pytest.mark.parametrize("audit", audit_queries.list_audits(), ids=lambda audit: audit.name)
def test_audits_speak_plain_sql(audit: Audit) -> None:
    """No ready-made query uses a word that only one of the two databases knows."""
    only_one = (
        r"(?i)strftime|julianday|datetime\(|date\(|extract\(|date_trunc|::|ilike|ifnull|group_concat|total\(|glob"
    )
    assert re.findall(only_one, audit.sql) == []


def test_unknown_audit() -> None:
    """A name that is not there is answered with those that are."""
    with pytest.raises(UsageError, match=f"there is no audit 'nope'; the audits are: {', '.join(sorted(COLUMNS))}"):
        audit_queries.get_audit("nope")


@pytest.mark.parametrize(
    ("name", "parameters", "said"),
    [
        ("runs", {"run": "1"}, "audit runs has no parameter 'run'; it has limit"),
        ("unwitnessed", {"run": "1"}, "audit unwitnessed has no parameter 'run'; it has none"),
        ("runs", {"limit": "many"}, "audit runs: limit is 'many'; give a whole number"),
        ("runs", {"limit": "-1"}, "audit runs: limit is '-1'; give a whole number"),
        ("runs", {"limit": ""}, "audit runs: limit is ''; give a whole number"),
        ("removals", {"run": "1; DROP"}, "audit removals: run is '1; DROP'; give a whole number"),
        (
            "history",
            {},
            "audit history needs the image's number, or its path; type: manage.py audit history image=VALUE",
        ),
        ("history", {"image": "/frames/0.jpg"}, "image '/frames/0.jpg' is not in the index"),
        ("borderline", {"side": "left"}, "audit borderline: side is 'left'; give removed, kept or both"),
    ],
)
def test_parameters_that_do_not_fit(database: Database, name: str, parameters: dict[str, str], said: str) -> None:
    """A parameter that is unknown, missing or senseless is one sentence that names it."""
    with pytest.raises((UsageError, ImageError), match=f"^{re.escape(said)}"):
        audit_queries.run_audit(database, name, parameters)


def test_retention(database: Database, add: Add, decide: Decide) -> None:
    """Kept images by camera and hour, removed ones counted among the images, missing and undecided ones not."""
    one, other, night, timeless, gone, missing = (
        add(f"/frames/{number}.jpg", at=at) for number, at in enumerate([NOON, NOON, LATER, None, NOON, NOON])
    )
    add("/frames/undecided.jpg")
    keep = (Decision(image_id, Reason.NEW) for image_id in (one, night, timeless, missing))
    decide(*keep, *(Decision(image_id, Reason.SIMILAR, one, 1.0) for image_id in (other, gone)))
    with database.write() as session:
        images.set_state(session, [gone], ImageState.REMOVED)
        images.set_state(session, [missing], ImageState.MISSING)
    assert ask_all(database, "retention") == [
        ("gate", "03", 1, 1, 1.0),
        ("gate", "12", 3, 1, 0.333),
        ("gate", "unknown", 1, 1, 1.0),
    ]


def test_families(database: Database, add: Add, decide: Decide) -> None:
    """Keepers by the number of their duplicates, the most first, removed ones counted apart."""
    small, big = add("/frames/a.jpg"), add("/frames/b.jpg")
    first, second, third = add("/frames/1.jpg"), add("/frames/2.jpg"), add("/frames/3.jpg", at=LATER)
    pairs = [(first, small), (second, big), (third, big)]
    decide(Decision(small, "new"), Decision(big, "new"), *(Decision(a, "similar", b, 1.0) for a, b in pairs))
    with database.write() as session:
        images.set_state(session, [third], ImageState.REMOVED)
    rows = ask_all(database, "families")
    assert rows == [
        ("gate", "/frames/b.jpg", 2, 1, 2000, NOON_TEXT, LATER_TEXT, big),
        ("gate", "/frames/a.jpg", 1, 0, 1000, NOON_TEXT, NOON_TEXT, small),
    ]
    assert ask_all(database, "families", limit="1") == rows[:1]


def test_borderline(database: Database, add: Add, decide: Decide) -> None:
    """First all duplicates, the closest to the limit first, then kept pairs; none that a score did not decide."""
    k1, k2, k3, near, far, judged = (add(f"/frames/{name}.jpg") for name in ("k1", "k2", "k3", "near", "far", "judged"))
    similar = [Decision(near, "similar", k1, 0.0), Decision(far, "similar", k2, 0.0)]
    decide(*(Decision(keeper, "new") for keeper in (k1, k2, k3)), *similar, Decision(judged, "verdict", k1))
    record(database, (k1, k2, 1005.0), (k1, k3, 2000.0), (k2, k3, 1001.0))
    record(database, (k1, near, 0.0), largest=990.0)
    record(database, (far, k2, 0.0), largest=300.0)
    record(database, (near, far, 1000.0), (k1, judged, 999.0), (k2, near, 1000.0))
    record(database, (k1, k2, 1000.5), profile="plain")
    judge(database, "different", k2, k3)
    duplicates = [
        ("duplicate", 0.99, 990.0, "/frames/near.jpg", "/frames/k1.jpg", "ready"),
        ("duplicate", 0.3, 300.0, "/frames/far.jpg", "/frames/k2.jpg", "ready"),
    ]
    kept = [
        ("both kept", 1.005, 1005.0, "/frames/k1.jpg", "/frames/k2.jpg", "ready"),
        ("both kept", 2.0, 2000.0, "/frames/k1.jpg", "/frames/k3.jpg", "ready"),
    ]
    columns = "decided closeness largest_contour path other_path state"
    assert ask(database, "borderline", columns) == duplicates + kept
    assert ask(database, "borderline", columns, side="both", limit="1") == [duplicates[0], kept[0]]
    assert ask(database, "borderline", columns, side="removed") == duplicates
    assert ask(database, "borderline", columns, side="kept") == kept
    assert ask_all(database, "borderline", camera="nowhere") == []
    assert ask(database, "borderline", "camera", side="removed", camera="gate") == ["gate"] * len(duplicates)


@pytest.mark.parametrize("limit", range(1, 8))
@pytest.mark.parametrize("score", [0.0, 990.0])
def test_borderline_is_cut_where_it_is_asked_to_be(
    database: Database, add: Add, decide: Decide, limit: int, score: float
) -> None:
    """So many rows of a side are the first of all its rows, also where pairs are as close and where profiles share
    them."""
    keepers = [add(f"/frames/{number}.jpg") for number in range(4)]
    similar = [add(f"/frames/similar {number}.jpg") for number in range(5)]
    decide(*(Decision(keeper, "new") for keeper in keepers[:3]))
    decide(*(Decision(one, "similar", keepers[0], score) for one in similar), Decision(keepers[3], "new"))
    record(database, *((keepers[0], one, score) for one in similar[:3]), largest=995.0)
    record(database, *((keepers[0], one, score) for one in similar[3:]), largest=991.0)
    record(database, *((a, b, 1010.0) for a, b in itertools.combinations(keepers, 2)))
    rows = ask_all(database, "borderline")
    assert len(rows) == 11
    assert ask_all(database, "borderline", limit=str(limit)) == rows[:5][:limit] + rows[5:][:limit]
    assert ask_all(database, "borderline", limit=str(limit), side="removed") == rows[:5][:limit]


def test_borderline_beyond_pairs_that_are_not_shown(database: Database, add: Add, decide: Decide) -> None:
    """However many pairs next to the limit nobody decided, those behind them are found."""
    k1, k2, k3, similar = (add(f"/frames/{name}.jpg") for name in ("k1", "k2", "k3", "similar"))
    decide(*(Decision(keeper, "new") for keeper in (k1, k2, k3)), Decision(similar, "similar", k1, 500.0))
    record(database, (k1, k2, 1500.0), (k1, k3, 1600.0), (k1, similar, 500.0))
    shown = ask_all(database, "borderline")
    assert len(shown) == 3
    undecided = itertools.combinations([add(f"/frames/undecided {number}.jpg") for number in range(66)], 2)
    record(database, *((a, b, 999.0 if (a + b) % 2 else 1001.0) for a, b in undecided))
    counts = rows(database, "SELECT COUNT(*) FROM scores WHERE score BETWEEN 990 AND 1010 GROUP BY score")
    assert min(counts) > (1020 + 1,)
    assert ask_all(database, "borderline") == shown
    assert ask_all(database, "borderline", limit="1") == shown[:2]


def test_removals(database: Database, flagged: Flag, remove: Remove) -> None:
    """The files that were taken away, of all runs or of one, the last one first, also within a run."""
    with database.write() as session:
        prune = runs.start_run(session, "prune", arguments={}, at=LATER)
    first, second, third = flagged("1"), flagged("2"), flagged("3")
    remove(first)
    remove(third, RemovalState.DELETED, run=prune, at=NOON)
    remove(second, run=prune, at=LATER)
    of_run = [
        (prune, LATER_TEXT, "quarantined", second.victim.path, second.keeper.path, 900.0, 1000.0, "balanced"),
        (prune, NOON_TEXT, "deleted", third.victim.path, third.keeper.path, 900.0, 1000.0, "balanced"),
    ]
    columns = "run_id removed_at state path keeper_path score max_score profile"
    assert ask(database, "removals", columns, run=str(prune)) == of_run
    assert ask(database, "removals", columns)[:2] == of_run
    assert ask(database, "removals", "run_id") == [prune, prune, 1]


def test_timeless(database: Database, add: Add) -> None:
    """Present images whose time is unknown or only the file's, non-UTF-8 paths as they are stored."""
    add("/frames/1.jpg")
    add("/frames/2.jpg", source="mtime")
    add(ODD, at=None, source=None)
    add("/frames/4.jpg", at=None, source=None, state="damaged", state_reason="ends early", sharpness=None)
    assert ask(database, "timeless", "path captured_at time_from") == [
        ("/frames/2.jpg", NOON_TEXT, "mtime"),
        ("file:///frames/caf%E9.jpg", None, "unknown"),
    ]


def test_runs(database: Database, run_id: int) -> None:
    """Runs, the newest first; one without an outcome is running or was cut off."""
    with database.write() as session:
        second = runs.start_run(session, "compare", arguments={"profile": None}, at=LATER)
        runs.finish_run(session, second, outcome="done", counts={"kept": 3}, at=LATER)
    assert ask(database, "runs", "run_id command started_at outcome arguments counts") == [
        (second, "compare", LATER_TEXT, "done", '{"profile": null}', '{"kept": 3}'),
        (run_id, "ingest", NOON_TEXT, "running, or cut off", "{}", None),
    ]


def test_unlikely_times(database: Database, add: Add, run_id: int) -> None:
    """Present images with the time of a clock that was reset or runs ahead, whatever it was read from; `status` counts
    the same."""
    odd = [
        *(datetime(year, 1, 1, tzinfo=UTC) for year in (1601, 1970, 1980, 2000, 2027, 2107)),
        *(datetime(1989, 12, 31, 23, 59, 59, tzinfo=UTC), datetime(2000, 1, 31, 23, tzinfo=UTC)),
    ]
    fine = [datetime(1990, 1, 1, tzinfo=UTC), datetime(2000, 2, 1, tzinfo=UTC), datetime(2026, 12, 31, tzinfo=UTC)]
    for number, at in enumerate((*odd, *fine, None)):
        add(f"/frames/{number}.jpg", at=at, source=None if at is None else "mtime")
    add("/frames/a.jpg", at=odd[0], state="damaged", state_reason="ends early", sharpness=None)
    with database.write() as session:
        runs.finish_run(session, run_id, outcome="done", counts={}, at=LATER)
    assert ask(database, "unlikely_times", "path") == [f"/frames/{number}.jpg" for number in range(len(odd))]
    with database.read() as session:
        assert audit_queries.count_rows(session, "unlikely_times") == len(odd)


def test_flat(database: Database, add: Add) -> None:
    """Present images with nothing on their thumbnail."""
    ids = [add(f"/frames/{number}.jpg") for number in range(3)]
    with database.write() as session:
        digest = profiles.get_active_profile(session).profile.preparation.digest
        made = [(image_id, Thumbnail(digest, 1, 1, b"", flat=image_id != ids[1])) for image_id in ids]
        thumbnails.add_thumbnails(session, made)
        images.set_state(session, ids[2:], ImageState.MISSING)
        preparation_id = profiles.get_active_profile(session).preparation_id
        assert thumbnails.list_flat(session, ids, preparation_id=preparation_id) == [ids[0], ids[2]]
        assert thumbnails.list_flat(session, ids, preparation_id=preparation_id + 1) == []
    assert ask(database, "flat", "path") == ["/frames/0.jpg"]


def test_unreadable(database: Database, add: Add) -> None:
    """Files that could not be used, each with its reason."""
    add("/frames/0.jpg")
    nothing = {"width": None, "height": None, "sharpness": None}
    for number, state in enumerate(["unreadable", "too_small", "damaged"], 1):
        add(f"/frames/{number}.jpg", state=state, state_reason=f"because {number}", **nothing)
    assert ask(database, "unreadable", "state reason path size_bytes") == [
        ("damaged", "because 3", "/frames/3.jpg", 1000),
        ("too_small", "because 2", "/frames/2.jpg", 1000),
        ("unreadable", "because 1", "/frames/1.jpg", 1000),
    ]


def test_twins_across_cameras(database: Database, add: Add) -> None:
    """Equal files of two cameras; not those of one, nor of what is away."""
    for number, (camera, content) in enumerate(["ax", "bx", "ay", "ay", "az", "bz", "ax"]):
        add(f"/frames/{number}.jpg", camera=camera, content_hash=content)
    with database.write() as session:
        images.set_state(session, [6], ImageState.REMOVED)
    twins = [("x", "a", "/frames/0.jpg"), ("x", "a", "/frames/6.jpg"), ("x", "b", "/frames/1.jpg")]
    assert ask(database, "twins_across_cameras", "content_hash camera path") == twins


def test_twins(database: Database, add: Add) -> None:
    """Each pair once, the one named by the epoch first; what is missing is left out."""
    names = ["c20_2021_03_26__14_21_16", "c20-1616768476276", "c20-1616768477000", "c20_2021_03_26__14_21_18"]
    ids = [add(f"/frames/{name}.png", at=time_of(name)) for name in names]
    assert ask(database, "twins", "image_a_id image_b_id apart_s") == [
        (ids[1], ids[0], 0.276),
        (ids[2], ids[0], 1.0),
        (ids[2], ids[3], 1.0),
    ]
    with database.write() as session:
        images.set_state(session, [ids[0]], ImageState.MISSING)
        images.set_state(session, [ids[2]], ImageState.REMOVED)
    assert ask(database, "twins", "image_a_path image_b_path captured_a_at captured_b_at") == [
        (
            f"/frames/{names[2]}.png",
            f"/frames/{names[3]}.png",
            "2021-03-26 14:21:17.000000",
            "2021-03-26 14:21:18.000000",
        )
    ]


@pytest.mark.parametrize("state", RemovalState)
@pytest.mark.parametrize("keeper", [ImageState.READY, ImageState.MISSING, ImageState.REMOVED])
def test_unwitnessed(
    database: Database, flagged: Flag, remove: Remove, state: RemovalState, keeper: ImageState
) -> None:
    """The removed files whose keeper is gone are those that the store lists for `status`."""
    item = flagged()
    remove(item, state)
    with database.write() as session:
        images.set_state(session, [item.keeper.image_id], keeper)
        listed = [(one.path, one.state, one.keeper_state) for one in removals.list_unwitnessed(session)]
    assert ask(database, "unwitnessed", "path state keeper_state") == listed


def test_history(database: Database, flagged: Flag, remove: Remove, decide: Decide) -> None:
    """All that was decided of an image, what superseded it, and what happened to its file, in order."""
    item = flagged()
    image_id, keeper = item.victim.image_id, item.keeper
    removal_id = remove(item)
    judge(database, "different", image_id, keeper.image_id)
    with database.write() as session:
        removals.finish_act(session, removal_id, RemovalState.RESTORED, at=LATER)
        images.mark_present(session, image_id, path=item.victim.path)
        decisions.supersede(session, [image_id], at=LATER)
        pins.add_pin(session, image_id, reason="restore", at=LATER, run_id=1)
    decide(Decision(image_id, Reason.PINNED), at=datetime(2026, 2, 1, tzinfo=UTC))
    place = f"/quarantine/{image_id}.jpg"
    columns = "happened_at event reason other_path score decided_by held_until"
    assert ask(database, "history", columns, image=item.victim.path) == [
        (NOON_TEXT, "duplicate", "similar", keeper.path, 900.0, "compare", LATER_TEXT),
        (NOON_TEXT, "first seen", None, None, None, None, None),
        (NOON_TEXT, "quarantined", None, place, None, None, LATER_TEXT),
        (LATER_TEXT, "judged different", None, keeper.path, None, "Ada", None),
        (LATER_TEXT, "pinned", "restore", None, None, None, None),
        (LATER_TEXT, "restored", None, item.victim.path, None, None, None),
        ("2026-02-01 00:00:00.000000", "keep", "pinned", None, None, "compare", None),
    ]


def test_history_by_path_or_number(database: Database, add: Add, own_home: Path) -> None:
    """An image is named by number, by path, or by a path from where one stands, whatever its bytes are."""
    image_id = add(f"{own_home}/caf\udce9.jpg")
    add("/frames/2.jpg")
    for name in (str(image_id), f"{own_home}/caf\udce9.jpg", "caf\udce9.jpg", "./caf\udce9.jpg"):
        assert ask(database, "history", "image_id event", image=name) == [(image_id, "first seen")]


def test_a_limit_that_cuts_is_reported(database: Database, run_id: int) -> None:
    """A result says whether its limit cut it, and how many rows there are; without a limit of its own none holds."""
    with database.write() as session:
        for _ in range(4):
            runs.start_run(session, "compare", arguments={}, at=LATER)
    for limit, told in {"3": (3, False, 5), "5": (5, True, 5), "6": (5, True, 5)}.items():
        with audit_queries.run_audit(database, "runs", {"limit": limit}) as table:
            assert (len(table), table.complete, table.total) == told
    with database.write() as session:
        for _ in range(50):
            runs.start_run(session, "compare", arguments={}, at=LATER)
    for everything, told in {False: (50, False, 55), True: (55, True, 55)}.items():
        with audit_queries.run_audit(database, "runs", {}, everything=everything) as table:
            assert (len(table), table.complete, table.total) == told
    with audit_queries.run_audit(database, "runs", {"limit": "7"}, everything=True) as table:
        assert (len(table), table.complete, table.total) == (7, False, 55)


@pytest.mark.parametrize("ends", [datetime(2027, 1, 2, tzinfo=UTC), None])
def test_a_run_of_two_years_is_right(database: Database, add: Add, run_id: int, ends: datetime | None) -> None:
    """An image of a watch that goes on past the new year, or went on, is of no wrong clock."""
    at = datetime.now(UTC) if ends is None else ends
    add("/frames/new_year.jpg", at=at)
    add("/frames/ahead.jpg", at=at.replace(year=at.year + 1, day=1))
    if ends is not None:
        with database.write() as session:
            runs.finish_run(session, run_id, outcome="done", counts={}, at=ends)
    assert ask(database, "unlikely_times", "path") == ["/frames/ahead.jpg"]


PLAIN = {
    "families": """
        SELECT camera.name, keeper.path, COUNT(*), COUNT(CASE WHEN image.state = 'removed' THEN 1 END),
               SUM(image.file_size), MIN(image.captured_at), MAX(image.captured_at), keeper.id
        FROM decisions AS decision
        JOIN images AS image ON image.id = decision.image_id
        JOIN images AS keeper ON keeper.id = decision.keeper_id
        JOIN cameras AS camera ON camera.id = image.camera_id
        WHERE decision.superseded_at IS NULL AND image.state IN ('ready', 'removed')
        GROUP BY camera.name, keeper.path, keeper.id
        ORDER BY COUNT(*) DESC, camera.name, keeper.path
        LIMIT 50
    """,
    "retention": """
        SELECT camera.name, substr(image.captured_at, 12, 2), COUNT(*), SUM(decision.verdict = 'keep'),
               ROUND(1.0 * SUM(decision.verdict = 'keep') / COUNT(*), 3)
        FROM images AS image
        JOIN cameras AS camera ON camera.id = image.camera_id
        JOIN decisions AS decision ON decision.image_id = image.id AND decision.superseded_at IS NULL
        WHERE image.state IN ('ready', 'removed')
        GROUP BY camera.name, substr(image.captured_at, 12, 2)
        ORDER BY camera.name, substr(image.captured_at, 12, 2)
    """,
}
"""The same answers from every image, one by one."""
CHANGES = (
    "UPDATE decisions SET superseded_at = decided_at WHERE image_id % 11 = 0",
    "UPDATE decisions SET of_camera_id = NULL, rank_class = NULL, reach_class = NULL WHERE image_id % 7 = 0",
    "UPDATE images SET state = 'missing' WHERE id % 13 = 0",
    "UPDATE images SET state = 'removed' WHERE id % 17 = 0",
    "UPDATE images SET captured_at = NULL WHERE id % 19 = 0",
)


@on_sqlite
@pytest.mark.parametrize("audit", PLAIN)
def test_what_indexes_count_is_what_is_there(maker: Maker, tmp_path: Path, audit: str) -> None:
    """Undecided, missing and removed images, and decisions of earlier versions, count as if each image was read."""
    fill_rows(tmp_path / "rows.db", 2000, cameras=5)
    with closing(open_database(str(tmp_path / "rows.db"))) as database:
        for change in CHANGES:
            execute(database, change)
        expected = [
            tuple("unknown" if value is None else value for value in row) for row in rows(database, PLAIN[audit])
        ]
        if audit == "retention":
            expected.sort(key=lambda row: row[:2])
        found = ask_all(database, audit)
    assert found == expected
    assert len(found) >= 50
