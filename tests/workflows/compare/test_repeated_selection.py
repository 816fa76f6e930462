"""One camera decided again and again: every walk as if it were the first, with what the earlier ones found."""

from dataclasses import replace
from typing import Any

from indexer.domain.evidence import ScoringParameters
from indexer.domain.profiles import BALANCED
from indexer.store import cameras, profiles
from indexer.workflows.compare.camera_task import CameraTask, decide_from_scratch
from indexer.workflows.compare.inputs import read_camera_tasks
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture


def task_of(index: Index, *changes: dict[str, Any]) -> CameraTask:
    """The one camera of an index, to be decided under `balanced` with some numbers changed, once for each."""
    for minute, marks in enumerate([(), (BIRD,), (BIKE,), (CAR,), (CAR, BIRD), (BIKE,), ()]):
        index.put(name(minute), picture(*marks, stamp=minute))
    index.ingest()
    with index.database.read() as session:
        stored = profiles.get_profile(session, BALANCED.name)
        (camera_id,) = cameras.list_cameras(session).values()
    measures = [replace(stored.profile.scoring_parameters, **change) for change in changes]
    with index.database.read() as session:
        task = read_camera_tasks(session, [camera_id], stored, measures).get(camera_id)
    assert task is not None
    return task


def test_what_one_walk_found_serves_the_next(index: Index) -> None:
    """Under the same measure a second walk decides the same and scores nothing, if all that was met is recorded."""
    first, second = decide_from_scratch(task_of(index, {"record_limit": 1e9}, {"record_limit": 1e9})).selections
    assert (second.decisions, second.scored, second.evidence) == (first.decisions, 0, ())
    assert first.scored == len(first.evidence) > 6


def test_walks_do_not_disturb_each_other(index: Index) -> None:
    """Under several measures, in any order, each walk decides what it decides alone."""
    changes = [{"max_score": 8000.0}, {"max_score": 1000.0}, {"min_contour_area": 100.0}, {"max_score": 8000.0}]
    task = task_of(index, *changes)
    together = [decided.decisions for decided in decide_from_scratch(task).selections]
    alone = [
        decide_from_scratch(replace(task, parameter_sets=(measure,))).selections[0].decisions
        for measure in task.parameter_sets
    ]
    assert together == alone
    assert len({sum(decision.keeps for decision in decided) for decided in together}) > 1


def test_nothing_is_looked_at_where_nothing_can_be_similar(index: Index) -> None:
    """At the limit 0 every image is kept that has no equal; where nothing is to be recorded no pixel is asked for."""
    task = replace(task_of(index, {"max_score": 0.0, "record_limit": -1.0}), thumbnails={})
    (decided,) = decide_from_scratch(task).selections
    assert ([decision.keeps for decision in decided.decisions], decided.scored) == ([True] * 7, 0)


def test_blind() -> None:
    """A measure is blind only if no pair can be similar and none is to be recorded."""
    measure = ScoringParameters(30, 2, 1000.0, native=False, max_score=0.0, record_limit=-1.0)
    assert measure.ignores_all_pairs
    assert not replace(measure, max_score=1.0).ignores_all_pairs
    assert not replace(measure, record_limit=0.0).ignores_all_pairs
