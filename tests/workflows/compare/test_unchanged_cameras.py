"""Cameras in which nothing changed are found with one query and cost nothing more."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event

from indexer.store.cameras import list_cameras
from indexer.store.unchanged_cameras import list_unchanged_cameras
from indexer.workflows.admin.profile import use_profile
from indexer.workflows.compare import small_cameras
from tests.support.databases import on_postgresql
from tests.support.index import BIRD, CAR, Index, name, picture, prepared
from tests.workflows.runs.test_concurrent_commands import at_work


@prepared
def lots(index: Index) -> None:
    """Three cameras that were decided, each with an empty place, a bird and a car."""
    fill(index, "east", "gate", "west")
    index.compare()


def fill(index: Index, *cameras: str) -> None:
    """Three frames of each camera, taken in."""
    for number, camera in enumerate(cameras):
        for minute, marks in enumerate([(), (BIRD,), (CAR,)]):
            index.put(name(minute, camera), picture(*marks, stamp=number))
    index.ingest()


def standing(index: Index) -> dict[str, tuple[int, int]]:
    """The cameras in which every decision stands, by name, with their images and how many of them are kept."""
    with index.database.read() as session:
        names = {number: camera for camera, number in list_cameras(session).items()}
        return {names[number]: tuple(found) for number, found in list_unchanged_cameras(session).items()}


@contextmanager
def counted(index: Index) -> Iterator[list[str]]:
    """The statements that are sent within the block, and each commit."""
    sent: list[str] = []

    def listen(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        sent.append(statement)

    def commit(_connection: Any) -> None:
        sent.append("COMMIT")

    event.listen(index.database.engine, "before_cursor_execute", listen)
    event.listen(index.database.engine, "commit", commit)
    try:
        yield sent
    finally:
        event.remove(index.database.engine, "before_cursor_execute", listen)
        event.remove(index.database.engine, "commit", commit)


def test_what_was_just_decided_stands(lots: Index) -> None:
    """After compare every camera stands, with what is decided in it; before, none did."""
    assert standing(lots) == dict.fromkeys(("east", "gate", "west"), (3, 2))
    lots.put(name(0, "new"), picture())
    lots.ingest()
    assert standing(lots).keys() == {"east", "gate", "west"}


def vanish(index: Index, file: str) -> None:
    """A file that is gone."""
    (index.folder / file).unlink()
    index.ingest()


def removed_and_back(index: Index) -> None:
    """A duplicate that was taken away and came back, and is not pinned."""
    index.prune()
    index.compare()
    assert "gate" in standing(index)
    index.restore(index.folder / name(1), pin=False)


def own_profile(index: Index) -> None:
    """A profile of the camera's own."""
    use_profile(index.database, "plain", camera="gate", active=False, clock=index.clock)


CHANGES: dict[str, Callable[[Index], object]] = {
    "a new image": lambda lots: (lots.put(name(9), picture(CAR, stamp=9)), lots.ingest()),
    "other bytes": lambda lots: (lots.put(name(1), picture(CAR, stamp=9)), lots.ingest()),
    "a keeper that is gone": lambda lots: vanish(lots, name(0)),
    "a pinned duplicate": lambda lots: lots.pin(name(1)),
    "a pinned keeper": lambda lots: lots.pin(name(2)),
    "a pin taken back": lambda lots: (lots.pin(name(2)), lots.compare(), lots.unpin(name(2))),
    "the same, of two keepers": lambda lots: lots.judge(name(0), name(2), "same"),
    "different, of a duplicate": lambda lots: lots.judge(name(0), name(1), "different"),
    "a verdict taken back": lambda lots: (
        lots.judge(name(0), name(1), "different"),
        lots.compare(),
        lots.undo(name(0), name(1)),
    ),
    "another camera": lambda lots: lots.ingest(lots.folder / name(0), camera="gate2"),
    "an image from another camera": lambda lots: lots.ingest(lots.folder / name(0, "far"), camera="gate"),
    "another time": lambda lots: lots.ingest(lots.folder / name(1), pattern=r"-16(?P<timestamp>\d{10})\d\.png$"),
    "a return": removed_and_back,
    "a profile of its own": own_profile,
    "a thumbnail that is lost": lambda lots: lots.execute(
        "DELETE FROM thumbnails WHERE image_id = (SELECT MIN(id) FROM images WHERE path LIKE '%gate%')"
    ),
    "a keeper that a person decided otherwise past the tool": lambda lots: lots.execute(
        "UPDATE decisions SET superseded_at = decided_at WHERE image_id = (SELECT keeper_id FROM decisions "
        "JOIN images ON images.id = image_id WHERE path LIKE '%gate%' AND keeper_id IS NOT NULL)"
    ),
}


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_changes_a_decision_is_looked_at(lots: Index, change: str) -> None:
    """A camera whose facts changed stands no more, and the next compare decides it as if it looked at all."""
    lots.put(name(0, "far"), picture(stamp=7))
    lots.ingest()
    lots.compare()
    CHANGES[change](lots)
    assert "gate" not in standing(lots)
    assert {"east", "west"} <= standing(lots).keys()
    lots.compare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_cameras, "list_unchanged_cameras", lambda *_words, **_more: {})
        assert lots.compare().counts["decided"] == 0
    assert "gate" in standing(lots)


@pytest.mark.parametrize(
    "change",
    [
        lambda lots: vanish(lots, name(1)),
        lambda lots: lots.judge(name(0), name(1), "same"),
        lambda lots: lots.make_profile("other", max_score=5.0),
        lambda lots: lots.compare(profile="balanced"),
    ],
    ids=["a duplicate that is gone", "a word for what is decided", "a profile that nobody uses", "the same profile"],
)
def test_the_report_of_an_unchanged_camera_is_that_of_a_walk(lots: Index, change: Callable[[Index], object]) -> None:
    """What compare says of cameras that it passes over is what it says when it walks them down."""
    change(lots)
    lots.compare()
    found = lots.compare()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(small_cameras, "list_unchanged_cameras", lambda *_words, **_more: {})
        assert lots.compare() == found
    assert [camera.camera for camera in found.cameras] == ["east", "gate", "west"]


def test_contradicted_verdicts_are_reported_for_unchanged_cameras(lots: Index) -> None:
    """Verdicts that contradict each other are reported each time, also where nothing else is to do."""
    for pair, word in (((0, 1), "same"), ((1, 2), "same"), ((0, 2), "different")):
        lots.judge(name(pair[0]), name(pair[1]), word)
    lots.compare()
    assert [bool(camera.contradictions) for camera in lots.compare().cameras] == [False, True, False]


@pytest.mark.parametrize("profile", ["original", "plain"])
def test_a_camera_stands_under_any_profile(lots: Index, profile: str) -> None:
    """What another profile decided stands under that one alone, be it one that caches nothing."""
    assert standing(lots) != {}
    lots.compare(profile=profile)
    assert standing(lots).keys() == {"east", "gate", "west"}
    lots.compare(profile="balanced")
    assert standing(lots).keys() == {"east", "gate", "west"}


def test_statements_do_not_grow_with_unchanged_cameras(index: Index) -> None:
    """To pass over thirty cameras asks the database no more than to pass over three."""
    taken = []
    for cameras in (3, 30):
        fill(index, *(f"c{number:02}" for number in range(cameras)))
        index.compare()
        with counted(index) as sent:
            assert index.compare().counts == {
                **dict.fromkeys(("decided", "scored", "recorded", "not_recorded", "held_back"), 0),
                "images": 3 * cameras,
                "kept": 2 * cameras,
                "duplicates": cameras,
            }
        taken.append(len(sent))
    assert taken[0] == taken[1]


def test_statements_do_not_grow_with_new_small_cameras(index: Index) -> None:
    """Cameras of a few images that are new are read, decided and written together."""
    taken = []
    for cameras in (range(1), range(1, 4), range(4, 34)):
        fill(index, *(f"c{number:02}" for number in cameras))
        with counted(index) as sent:
            assert index.compare().counts["decided"] == 3 * len(cameras)
        taken.append(len(sent))
    assert taken[0] < taken[1] == taken[2]  # at first there is no camera to be left as it is


@on_postgresql
def test_an_unchanged_camera_of_others_is_held_back(lots: Index) -> None:
    """A camera that others are at work on is named, whether or not something is new in it so far."""
    with at_work(lots, "gate"):
        report = lots.compare()
    assert [camera.camera for camera in report.held_back] == ["gate"]
