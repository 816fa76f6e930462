"""The answers of the rules about one camera, put together."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from indexer.domain.advice.findings import CameraFinding, Examination, Kind
from indexer.domain.advice.measurements import LightClass

NOON = datetime(2026, 5, 11, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BAG = CameraFinding(Kind.BLOCKED, NOON, NOON + 2 * HOUR, 2.0, light_class=LightClass.COLOUR)


def test_one_finding_for_times_that_meet() -> None:
    """What two rules or two lights find at times that meet is one finding, the strongest, over all of the time."""
    longer = replace(BAG, since=NOON + HOUR, until=NOON + 3 * HOUR, strength=3.0, light_class=None)
    lasting = replace(BAG, since=NOON + HOUR, until=None)
    assert Examination.of([longer, BAG]).findings == (replace(longer, since=NOON),)
    assert Examination.of([BAG, lasting]).findings == (replace(BAG, until=None),)


def test_two_findings_for_times_apart_and_other_parts() -> None:
    """What is over before it begins again is two findings; so is dirt in two parts of the view."""
    later = replace(BAG, since=NOON + 3 * HOUR, until=NOON + 4 * HOUR)
    left, right = (CameraFinding(Kind.DIRTY, NOON, None, 2.0, regions=((x, 0.0, 10.0, 10.0),)) for x in (0.0, 80.0))
    assert Examination.of([later, BAG]).findings == (BAG, later)
    assert Examination.of([left, right]).findings == (left, right)


DROP = CameraFinding(
    Kind.DIRTY,
    NOON,
    NOON + 6 * HOUR,
    2.0,
    light_class=LightClass.COLOUR,
    regions=((0.0, 0.0, 20.0, 50.0),),
    last_seen=NOON + 5 * HOUR,
)
"""A drop that was last seen in daylight an hour before the lens was clear."""


def test_one_finding_for_a_drop_by_day_and_by_night() -> None:
    """Dirt whose parts meet in two lights is one finding. It was over when the lens was first clear in any light, if
    nothing was seen in the other light later on."""
    by_night = replace(
        DROP, since=NOON + HOUR, until=NOON + 30 * HOUR, light_class=LightClass.MONO, regions=((0.0, 25.0, 20.0, 25.0),)
    )
    gone, still_there = (replace(by_night, last_seen=NOON + hours * HOUR) for hours in (4, 9))
    assert Examination.of([DROP, gone]).findings == (DROP,)
    assert Examination.of([DROP, still_there]).findings == (replace(DROP, until=NOON + 30 * HOUR),)
    in_one_light = replace(gone, light_class=LightClass.COLOUR)
    assert len(Examination.of([DROP, in_one_light]).findings) == 2
