"""explain: what was decided of an image and why, and what one pair shows."""

import os
from contextlib import chdir
from datetime import timedelta

import pytest

from indexer.domain.images import Criterion
from indexer.errors import ImageError
from indexer.store import removals
from indexer.workflows.review.explain import PairDetails, explain_image, explain_pair
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture, prepared


@prepared
def street(index: Index) -> None:
    """A camera that was decided: an empty place, a bird, a bike, a car, a copy, another view; and another camera."""
    for minute, marks in enumerate([(), (BIRD,), (BIKE,), (CAR,)]):
        index.put(name(minute), picture(*marks))
    index.put(name(4), picture())
    index.put(name(5), picture(width=128))
    index.put(name(0, "yard"), picture())
    index.ingest()
    index.compare()


def pair(index: Index, minute_a: float, minute_b: float) -> PairDetails:
    """What is said of two files of the first camera."""
    return explain_pair(index.database, *(str(index.folder / name(minute)) for minute in (minute_a, minute_b)))


def test_duplicate_is_explained_by_its_keeper(street: Index) -> None:
    """A duplicate names keeper, score, limit, profile and run."""
    story = explain_image(street.database, str(street.folder / name(1)))
    found = story.decision
    assert found is not None
    assert (found.verdict, found.reason, found.keeper_path) == ("duplicate", "similar", str(street.folder / name(0)))
    assert (found.score, found.max_score, found.profile, found.run_id) == (0.0, 1000.0, "balanced", 2)


def test_why_the_keeper_was_preferred(street: Index) -> None:
    """A duplicate tells what ranks its keeper above it, and when that was taken."""
    found = explain_image(street.database, str(street.folder / name(1))).decision
    assert found is not None
    assert (found.preferred_for, found.native) == (Criterion.TIME, False)
    story = explain_image(street.database, "2")
    assert story.captured_at is not None
    assert found.keeper_captured_at == story.captured_at - timedelta(minutes=1)


def test_a_pin_is_named_only_if_nothing_else_ranks_the_keeper_above(street: Index) -> None:
    """A keeper that is pinned as that of removed images was preferred for what it shows; one that a person pinned, and
    nothing else puts above, for the pin."""
    street.prune()
    told = [explain_image(street.database, str(street.folder / name(minute))).decision for minute in (1, 4)]
    street.restore(pin=False)
    street.unpin(name(1))
    street.pin(name(4))
    street.compare()
    told.append(explain_image(street.database, str(street.folder / name(0))).decision)
    assert [decision and decision.preferred_for for decision in told] == [
        Criterion.TIME,
        Criterion.TIME,
        Criterion.PINNED,
    ]


def test_neighbour_is_the_kept_image_most_like_it(street: Index) -> None:
    """A kept image shows which kept one on record is most like it; a duplicate, and one without records, none."""
    found = [explain_image(street.database, str(street.folder / name(minute))).neighbour for minute in (0, 2, 3, 1)]
    told = [near and (street.file(near.path), near.kept, round(near.score)) for near in found]
    assert told == [(name(2), True, 3279), (name(0), True, 3279), None, None]


def test_neighbour_of_an_only_keeper_is_what_it_stands_for(index: Index) -> None:
    """Where no other kept image is on record it is one of its duplicates."""
    for minute, marks in enumerate([(), (BIRD,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.compare()
    near = explain_image(index.database, "1").neighbour
    assert near is not None
    assert (near.image_id, index.file(near.path), near.kept, near.score) == (2, name(1), False, 0.0)


def test_keeper_says_for_how_many_it_stands(street: Index) -> None:
    """A keeper counts the images that name it."""
    assert explain_image(street.database, "1").stands_for == 2


def test_history_of_a_removed_file(street: Index) -> None:
    """The history has all decisions, newest first, and all events of the file, oldest first."""
    street.prune()
    street.restore(street.folder / name(1))
    street.compare()
    story = explain_image(street.database, str(street.folder / name(1)))
    assert [(told.verdict, told.reason, told.superseded_at is None) for told in story.decisions] == [
        ("keep", "pinned", True),
        ("duplicate", "similar", False),
    ]
    assert [(removal.state, street.file(removal.keeper_path)) for removal in story.removals] == [("restored", name(0))]
    assert (story.pinned_by_person, story.state) == (True, "ready")


def test_recorded_pair_is_shown_as_recorded(street: Index) -> None:
    """A recorded pair is read from the table, in either order, and not computed."""
    story = pair(street, 0, 2)
    [recorded] = story.recorded
    assert (recorded.profile, recorded.evidence.score, story.computed) == ("balanced", pytest.approx(3278.873), None)
    assert pair(street, 2, 0).recorded == story.recorded


def test_other_pair_is_computed(street: Index) -> None:
    """A pair that is not recorded is computed from the thumbnails, and written nowhere."""
    before = street.dump()
    story = pair(street, 0, 3)
    assert (story.recorded, story.why_not) == ((), None)
    assert story.computed is not None
    assert story.computed.score > 4000
    assert street.dump() == before


@pytest.mark.parametrize(("other", "why"), [(0, "one and the same"), (4, "bytes are equal"), (5, "shapes differ")])
def test_pair_that_has_no_score_says_why(street: Index, other: int, why: str) -> None:
    """The same image, equal bytes and another aspect have no score, in words."""
    story = pair(street, 0, other)
    assert (story.computed, why in str(story.why_not)) == (None, True)


def test_pair_of_two_cameras_says_why(street: Index) -> None:
    """Images of different cameras are not compared, in words."""
    story = explain_pair(street.database, "1", str(street.folder / name(0, "yard")))
    assert (story.computed, "different cameras" in str(story.why_not)) == (None, True)


def test_missing_thumbnails_say_why(street: Index) -> None:
    """Without thumbnails of the profile in force the answer is what to type; `original` has none at all."""
    street.compare(profile="original")
    assert pair(street, 0, 3).why_not == "the profile original caches nothing"
    street.compare(profile="plain", camera="yard")
    assert "run compare" in str(pair(street, 0, 3).why_not)


def test_path_with_several_rows_means_the_one_that_is_there(street: Index) -> None:
    """Of the rows of one path the present one is explained."""
    street.put(name(0), picture(CAR, BIKE))
    street.ingest()
    story = explain_image(street.database, str(street.folder / name(0)))
    assert (story.state, story.id) == ("ready", 8)


def test_unknown_image_is_refused(street: Index) -> None:
    """An image that is not in the index is refused by name."""
    with pytest.raises(ImageError, match="nowhere"):
        explain_image(street.database, "nowhere.png")


def test_twins_are_labelled_and_decided_like_others(index: Index) -> None:
    """A capture names its twins under the other form of name, and is no duplicate for that."""
    epoch, text, later = name(0), "gate_2021_06_16__12_00_01.png", "gate_2021_06_16__12_00_02.png"
    for file, marks in {epoch: (), text: (CAR,), later: (CAR, BIRD)}.items():
        index.put(file, picture(*marks))
    index.ingest()
    index.compare()
    twins = {file: explain_image(index.database, str(index.folder / file)).twins for file in (epoch, text, later)}
    assert {file: [(index.file(twin.path), twin.apart_s) for twin in found] for file, found in twins.items()} == {
        epoch: [(text, 1.0)],
        text: [(epoch, 1.0)],
        later: [],
    }
    assert [index.decisions()[file][0] for file in (epoch, text)] == ["keep", "keep"]


def test_a_file_in_quarantine_is_found(street: Index) -> None:
    """The path of a file in quarantine, also from within its folder, means the image that it was; and a file of
    another program there means none."""
    street.prune()
    with street.database.read() as session:
        (removal, *_) = removals.list_away(session)
    assert removal.quarantine_path is not None
    folder, file = os.path.split(removal.quarantine_path)
    assert explain_image(street.database, removal.quarantine_path).path == removal.path
    with chdir(folder):
        assert explain_image(street.database, file).path == removal.path
    with pytest.raises(ImageError, match="is not in the index"):
        explain_image(street.database, f"{folder}/other.png")
