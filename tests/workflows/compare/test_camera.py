"""How the work of compare is shared: by whole cameras, inside a camera, or not at all; always with the same rows."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from indexer.errors import EngineError
from indexer.execution import WorkerFailure
from indexer.store import scores
from indexer.workflows.compare import camera as comparing
from indexer.workflows.compare import inputs, searcher, small_cameras, workload
from tests.support.index import BIKE, BIRD, CAR, GHOST, SECOND_BIRD, Index, name, picture, prepared

SCENES = [(), (BIRD,), (BIKE,), (CAR,), (CAR, BIRD), (GHOST,), (BIRD, SECOND_BIRD), (BIKE, CAR)]


@dataclass
class Told:
    """Two workers that are this process, and what they were asked to do."""

    workers: int = 2
    asked: list[str] = field(default_factory=list)
    losing: str = ""

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        """The results, or `WorkerFailure` for the function that loses its workers."""
        for item in items:
            self.asked.append(function.__name__)
            yield (
                WorkerFailure("ended the process that worked on it (signal SIGKILL)")
                if function.__name__ == self.losing
                else (function(item))
            )


@prepared
def lots(index: Index) -> None:
    """Three cameras that see the same scenes again and again, and one of another size in between."""
    for camera in ("east", "gate", "west"):
        for minute in range(24):
            height = 80 if minute % 11 == 5 else 64
            scene = SCENES[minute * 5 % len(SCENES)]
            index.put(name(minute, camera), picture(*scene, height=height, stamp=minute % 7))
    index.ingest()


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little there is to do, workers get it."""
    monkeypatch.setattr(comparing, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(small_cameras, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(searcher, "PAIRS_WORTH_SENDING", 0)


def copied(lots: Index, open_index: Callable[..., Index]) -> Index:
    """A copy of the index."""
    return open_index(lots.folder, copy_of=lots.database)


def compared(lots: Index, open_index: Callable[..., Index], told: Told | None) -> tuple[Index, Any]:
    """A copy of the index after compare, and its report."""
    copy = copied(lots, open_index)
    return copy, copy.compare(spread=told)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("largest", "work"), [(1000, "decide_cameras"), (0, "match_each")])
def test_shared_work_leaves_the_rows_of_undivided_work(
    lots: Index, open_index: Callable[..., Index], monkeypatch: pytest.MonkeyPatch, largest: int, work: str
) -> None:
    """Whether workers are given whole cameras or searches, every table and the report are as without workers."""
    monkeypatch.setattr(small_cameras, "MAX_IMAGES", largest)
    told = Told()
    alone, expected = compared(lots, open_index, None)
    shared, found = compared(lots, open_index, told)
    assert work in told.asked
    assert found == expected
    assert shared.dump(without=("runs",)) == alone.dump(without=("runs",))


@pytest.mark.usefixtures("eager")
def test_recorded_pairs_are_not_scored_again_by_a_worker(lots: Index, open_index: Callable[..., Index]) -> None:
    """A camera that is decided again under another limit uses what is recorded, also where one worker decides it."""
    lots.compare()
    lots.make_profile("wide", max_score=2000.0)
    before = set(lots.rows("SELECT * FROM scores"))
    alone, shared, told = copied(lots, open_index), copied(lots, open_index), Told()
    assert shared.compare(profile="wide", spread=told) == alone.compare(profile="wide")
    assert told.asked == ["decide_cameras"]
    assert before <= set(shared.rows("SELECT * FROM scores"))


@pytest.mark.usefixtures("eager")
def test_spoiled_thumbnail_of_a_camera_that_a_worker_decides(lots: Index, open_index: Callable[..., Index]) -> None:
    """The camera is decided after all, its thumbnail made again; the others do not notice."""
    alone, _ = compared(lots, open_index, None)
    lots.execute("UPDATE thumbnails SET data = substr(data, 1, 200) WHERE image_id = 30")
    shared, report = compared(lots, open_index, Told())
    assert (shared.decisions(), report.held_back) == (alone.decisions(), [])


@pytest.mark.usefixtures("eager")
def test_worker_lost_over_a_whole_camera(lots: Index, open_index: Callable[..., Index]) -> None:
    """The camera is decided another way, which needs less memory, and the rows are the same."""
    alone, expected = compared(lots, open_index, None)
    shared, found = compared(lots, open_index, Told(losing="decide_cameras"))
    assert (found, shared.decisions(), shared.evidence()) == (expected, alone.decisions(), alone.evidence())


@pytest.mark.usefixtures("eager")
def test_cameras_of_large_pictures_are_not_sent_whole(lots: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """What counts is the memory that a camera's pictures take, not their number alone."""
    monkeypatch.setattr(inputs, "MAX_BUFFER_BYTES", 100_000)
    told = Told()
    lots.compare(spread=told)
    assert ("decide_cameras" in told.asked, len(lots.decisions())) == (False, 72)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize("work", ["match_each", "fill"])
def test_worker_lost_over_our_own_pixels(lots: Index, monkeypatch: pytest.MonkeyPatch, work: str) -> None:
    """The run ends with a sentence, and the next one comes to the end."""
    monkeypatch.setattr(small_cameras, "MAX_IMAGES", 0)
    with pytest.raises(EngineError, match="signal SIGKILL"):
        lots.compare(spread=Told(losing=work))
    lots.compare(spread=Told())
    assert len(lots.decisions()) == 72


def test_few_images_are_decided_without_workers(lots: Index) -> None:
    """What is done before workers are ready is not sent to any."""
    told = Told()
    lots.compare(spread=told)
    assert (told.asked, workload.should_start_workers(lots.database)) == ([], False)


def test_much_work_is_known_before_pixels_are_loaded(lots: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers may get ready as soon as the index is open, if enough is undecided; afterwards nothing is."""
    monkeypatch.setattr(workload, "MAX_SERIAL_IMAGES", 71)
    assert workload.should_start_workers(lots.database)
    lots.compare()
    assert not workload.should_start_workers(lots.database)


def test_unchanged_images_ask_for_no_recorded_scores(lots: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of recorded scores the memory is asked once for a new image and for a new keeper, not for all that is there."""
    lots.compare()
    asked: list[int] = []
    listing, listing_together = comparing.scores.list_scores, comparing.scores.list_scores_of

    def counted(session: Any, image_id: int, *, scoring_id: int) -> Any:
        asked.append(image_id)
        return listing(session, image_id, scoring_id=scoring_id)

    def counted_together(session: Any, image_ids: Sequence[int], *, scoring_id: int) -> Any:
        asked.extend(image_ids)
        return listing_together(session, image_ids, scoring_id=scoring_id)

    monkeypatch.setattr(comparing.scores, "list_scores", counted)
    monkeypatch.setattr(comparing.scores, "list_scores_of", counted_together)
    lots.put(name(0.5, "gate"), picture((10, 20, 14, 90)))
    lots.ingest()
    lots.compare()
    assert 0 < len(asked) <= 2
    assert set(asked) == {73}


def test_recorded_scores_are_loaded_together(
    lots: Index, open_index: Callable[..., Index], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera of which some images were compared before is decided as at once, and with no query for each image."""
    monkeypatch.setattr(small_cameras, "MAX_IMAGES", 0)
    monkeypatch.setattr(inputs, "SCORES_AT_ONCE", 5)
    whole, divided = copied(lots, open_index), copied(lots, open_index)
    whole.compare()
    divided.compare()
    calls = list[int]()
    for index in (whole, divided):
        for minute in range(24, 36):
            index.put(name(minute, "gate"), picture(*SCENES[minute % len(SCENES)], stamp=minute))
        index.ingest()
    real = scores.list_scores
    monkeypatch.setattr(scores, "list_scores", lambda *a, **how: calls.append(1) or real(*a, **how))
    divided.compare()
    assert len(calls) < 12
    monkeypatch.setattr(inputs, "MAX_KEPT_SCORES", 0)
    whole.compare()
    assert len(calls) >= 12
    assert divided.dump(without=("runs",)) == whole.dump(without=("runs",))
