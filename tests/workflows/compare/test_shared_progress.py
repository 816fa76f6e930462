"""How far workers are: told by a file, to a bar that never goes back and ends where the work does."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.execution import local_executor
from indexer.workflows.compare import compare, shared_progress
from indexer.workflows.compare.shared_progress import ProgressSlot, reporting, watched
from tests.support.index import Index, name, picture


def test_steps_within_a_task_are_seen() -> None:
    """What a task tells moves the bar, and its end tells the rest, whatever it told before."""
    steps: list[int] = []
    with watched(2, steps.append, live=False) as watch:
        with reporting(watch.slots[1]) as advance:
            advance(3)
            advance(4)
        watch.look()
        watch.finish(1, 10)
        watch.look()
        watch.look()
        watch.finish(0, 5)
    assert steps == [7, 3, 5]


def test_a_worker_that_cannot_see_the_file_goes_on(tmp_path: Path) -> None:
    """On another machine, or without a slot, a task tells nobody, and makes no file."""
    for slot in (None, ProgressSlot(str(tmp_path / "away"), 0)):
        with reporting(slot) as advance:
            advance(1)
    assert not (tmp_path / "away").exists()


def test_the_bar_moves_within_a_camera(index: Index, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    """While a worker decides a camera, the bar of compare is told of its images before the camera is done."""
    monkeypatch.setattr(shared_progress, "LOOK_INTERVAL_S", 0.001)
    steps_by_stage: dict[str, list[int]] = {}

    def progress(stage: str, total: int | None):  # type: ignore[no-untyped-def]
        steps = steps_by_stage.setdefault(f"{stage}: {total}", [])
        return steps.append

    for camera in ("gate", "yard"):
        for minute in range(40):
            index.put(name(minute, camera), picture(stamp=minute))
    index.ingest()
    with local_executor(1) as executor:
        index.compare(spread=executor, progress=progress, live=True)
    steps = steps_by_stage["comparing 2 cameras: 80"]
    assert sum(steps) == 80
    assert len(steps) > 2
    assert len(index.decisions()) == 80


def test_compiling_is_a_stage_of_its_own(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """If the search must be compiled first, the bar says so, and not that it compares."""
    stages: list[str] = []

    def progress(stage: str, _total: int | None) -> Callable[[int], None]:
        stages.append(stage)
        return lambda _count: None

    for answer, expected in ((False, True), (True, False)):
        monkeypatch.setattr(compare, "should_start_workers", lambda _database: True)
        monkeypatch.setattr(compare, "is_compiled", lambda answer=answer: answer)
        index.put(name(0, "gate" if answer else "yard"), picture())
        index.ingest()
        stages.clear()
        index.compare(progress=progress)
        assert any(stage.startswith("compiling") for stage in stages) is expected
