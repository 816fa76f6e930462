"""What becomes of stored findings: continued, closed, dismissed for good, and told again if twice as strong."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from indexer.domain.advice.findings import CameraFinding, CannotTell, Examination, Kind
from indexer.domain.advice.ledger import StoredFinding, update_ledger
from indexer.domain.advice.measurements import LightClass

MONDAY = datetime(2026, 5, 11, tzinfo=UTC)
DAY = timedelta(days=1)
DIRT = CameraFinding(Kind.DIRTY, MONDAY, None, 2.0, regions=((0.0, 0.0, 20.0, 25.0),))
MOVE = CameraFinding(Kind.MOVED, MONDAY, None, 4.0)


def stored(finding: CameraFinding, number: int = 1, *, dismissed: bool = False) -> StoredFinding:
    """A finding of the index."""
    at = MONDAY + DAY if dismissed else None
    return StoredFinding(number, "gate", finding, MONDAY, 1, at, "Ada" if dismissed else None)


def update(
    known: list[StoredFinding],
    *findings: CameraFinding,
    untold: tuple[CannotTell, ...] = (),
    back_to: datetime = MONDAY,
):  # type: ignore[no-untyped-def]
    """What is written after an examination on Friday."""
    return update_ledger(known, Examination(findings, untold), reaches_back_to=back_to, at=MONDAY + 4 * DAY)


def test_the_same_again_writes_nothing() -> None:
    """An examination that finds the same changes nothing."""
    changes = update([stored(DIRT)], DIRT)
    assert (changes.added, changes.continued) == ((), {})


def test_continued_keeps_its_begin() -> None:
    """A finding that is seen again later keeps its first time, and gets its new strength."""
    changes = update([stored(DIRT)], replace(DIRT, since=MONDAY + 2 * DAY, strength=3.0))
    assert (changes.added, changes.continued) == ((), {1: replace(DIRT, strength=3.0)})


def test_other_part_of_the_frame_is_another_finding() -> None:
    """Dirt elsewhere is new; the old one was cleaned."""
    other = replace(DIRT, regions=((80.0, 75.0, 20.0, 25.0),))
    changes = update([stored(DIRT)], other)
    assert (changes.added, changes.continued) == ((other,), {1: replace(DIRT, until=MONDAY + 4 * DAY)})


def test_missed_is_closed_unless_unknown() -> None:
    """A finding ends when it is looked for and not seen; not when nothing could be told."""
    assert update([stored(DIRT)]).continued == {1: replace(DIRT, until=MONDAY + 4 * DAY)}
    assert update([stored(DIRT)], untold=(CannotTell(Kind.DIRTY, "too few"),)).continued == {}


def test_move_out_of_reach_stays() -> None:
    """A move before the frames that are looked at is not undone by frames that all lie in the new place."""
    assert update([stored(MOVE)], back_to=MONDAY + DAY).continued == {}
    assert update([stored(MOVE)], back_to=MONDAY - DAY).continued == {1: replace(MOVE, until=MONDAY + 4 * DAY)}


def test_dismissed_stays_dismissed_until_twice_as_strong() -> None:
    """A dismissed finding is not told again, unless it becomes twice as strong."""
    known = [stored(DIRT, dismissed=True)]
    weaker, stronger = replace(DIRT, strength=3.9), replace(DIRT, strength=4.0, since=MONDAY + 2 * DAY)
    assert update(known, weaker).added == ()
    assert update(known, weaker).continued == {}
    assert update(known, stronger).added == (stronger,)


def test_dismissed_sun_stays_dismissed_after_a_cloudy_week() -> None:
    """What comes with the place of a camera is not told again after it was gone; dirt that comes back is."""
    gone = {"since": MONDAY - 9 * DAY, "until": MONDAY - 7 * DAY}
    for kind, is_told in ((Kind.GLARE, False), (Kind.SWAYS, False), (Kind.DIRTY, True), (Kind.BLOCKED, True)):
        known = [stored(replace(DIRT, kind=kind, **gone), dismissed=True)]
        again = replace(DIRT, kind=kind)
        assert (update(known, again).added == (again,)) is is_told
        assert update(known, replace(again, strength=4.0)).added == (replace(again, strength=4.0),)


def test_two_moves_are_two() -> None:
    """A second move days later is a finding of its own."""
    second = replace(MOVE, since=MONDAY + 3 * DAY)
    assert update([stored(MOVE)], second).added == (second,)


def test_a_later_move_ends_one_that_is_out_of_reach() -> None:
    """Only the last move of a camera is open, also if the frames before the first one are out of reach."""
    second = replace(MOVE, since=MONDAY + 3 * DAY)
    changes = update([stored(MOVE)], second, back_to=MONDAY + DAY)
    assert changes.added == (second,)
    assert changes.continued == {1: replace(MOVE, until=second.since)}


def test_dismissed_returns_once() -> None:
    """A dismissed finding that became twice as strong is told again once, and then continued."""
    stronger = replace(DIRT, strength=4.0)
    known = [stored(replace(DIRT, until=MONDAY), dismissed=True), stored(stronger, 2)]
    assert (update(known, stronger).added, update(known, stronger).continued) == ((), {})


def test_other_light_does_not_keep_a_finding_open() -> None:
    """Dirt that was seen by day ends when it is not seen by day, also if too few frames show the night."""
    by_day = replace(DIRT, light_class=LightClass.COLOUR)
    few = {light: (CannotTell(Kind.DIRTY, "too few", light),) for light in LightClass}
    assert update([stored(by_day)], untold=few[LightClass.MONO]).continued == {
        1: replace(by_day, until=MONDAY + 4 * DAY)
    }
    assert update([stored(by_day)], untold=few[LightClass.COLOUR]).continued == {}


def test_a_finding_ends_after_it_began() -> None:
    """One that was dismissed, and is now seen twice as strong since earlier, ends no earlier than it began."""
    dismissed = stored(replace(DIRT, since=MONDAY + DAY), dismissed=True)
    changes = update([dismissed], replace(DIRT, strength=5.0))
    ended = changes.continued[1]
    assert (ended.since, ended.until) == (MONDAY + DAY, MONDAY + DAY)


def test_too_often_and_too_rare_are_two() -> None:
    """A dismissal of the one says nothing about the other."""
    too_often = CameraFinding(Kind.INTERVAL, MONDAY, None, 3.0)
    too_rare = CameraFinding(Kind.INTERVAL, MONDAY, None, 1.1, evidence={"kept_share": 0.95})
    assert update([stored(too_often, dismissed=True)], too_rare).added == (too_rare,)
