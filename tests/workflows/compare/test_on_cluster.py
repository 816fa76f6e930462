"""The whole job through a scheduler and workers started from the command line: the rows of the serial run."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.execution import ResourceLimits
from indexer.execution.path_mapping import parse_path_mapping
from indexer.execution.task_scheduler import TaskScheduler
from indexer.workflows.compare import camera as comparing
from indexer.workflows.compare import remote_searcher, small_cameras
from tests.support.clusters import Cluster, started
from tests.support.index import BIKE, BIRD, CAR, GHOST, Index, name, picture
from tests.workflows.compare.test_camera import SCENES

distributed = pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
FRAMES = {"east": 60, "west": 60, "yard": 200}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Some hundred frames of a large camera and two small ones, and some files that are no pictures."""
    folder = tmp_path / "site" / "frames"
    folder.mkdir(parents=True)
    for camera, number in FRAMES.items():
        for minute in range(number):
            marks = (*SCENES[minute * 5 % len(SCENES)], (minute * 7 % 60 + 4, 8 + minute % 5, 8, 90))
            (folder / name(minute, camera)).write_bytes(picture(*marks, stamp=minute % 7))
        (folder / name(1000, camera)).write_bytes(b"no picture")
    return folder


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """The large camera is shared, the others go whole."""
    monkeypatch.setattr(comparing, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(small_cameras, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(small_cameras, "MAX_IMAGES", 100)
    monkeypatch.setattr(remote_searcher, "_PAIRS_WORTH_SENDING", 256)
    monkeypatch.setattr(remote_searcher, "_MAX_IMAGES_PER_TASK", 50)


def after(monkeypatch: pytest.MonkeyPatch, answers: int, happens: Callable[[], Any]) -> None:
    """Lets something happen once after so many answers of workers."""
    take, heard = TaskScheduler._record_answer, []

    def counted(self: TaskScheduler[Any, Any], answered: Any) -> None:
        heard.append(answered.key)
        if len(heard) == answers:
            happens()
        take(self, answered)

    monkeypatch.setattr(TaskScheduler, "_record_answer", counted)


def test_the_rows_of_the_serial_run(
    site: Path, open_index: Callable[..., Index], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a worker killed and one added in the middle of ingest, and again of compare, every row is as without."""
    from indexer.execution.dask_cluster import cluster

    alone, shared = open_index(site), open_index(site)
    expected = alone.ingest(), alone.compare()
    replacements = 0
    with started(tmp_path) as machines:

        def replaced() -> None:
            nonlocal replacements
            replacements += 1
            os.killpg(machines.workers.pop(0).pid, signal.SIGKILL)  # with its nanny: it does not come back
            machines.add_worker("--nthreads", "2")

        with cluster(machines.address, workers=2, max_batch=8, resource_limits=ResourceLimits(2**32, 60)) as spread:
            after(monkeypatch, 20, replaced)
            ingested = shared.ingest(spread=spread)
        with cluster(machines.address, workers=2) as spread:
            after(monkeypatch, 6, replaced)
            found = ingested, shared.compare(spread=spread)
    assert (found, replacements) == (expected, 2)
    assert shared.dump(without=("runs",)) == alone.dump(without=("runs",))


@pytest.mark.parametrize("profile", ["balanced", "colour", "original"])
def test_workers_that_see_the_files_elsewhere(
    index: Index, open_index: Callable[..., Index], dask_cluster: Cluster, tmp_path: Path, profile: str
) -> None:
    """Where workers open the files under other paths, the index holds the paths of this machine and the same rows."""
    from indexer.execution.dask_cluster import cluster

    for minute, marks in enumerate([(), (BIRD,), (BIKE,), (CAR,), (CAR, BIRD), (GHOST,), (BIRD,)]):
        index.put(name(minute), picture(*marks, stamp=minute))
    index.put(name(100), b"no picture")
    alone, shared = open_index(index.folder), index
    expected = alone.ingest(), alone.compare(profile=profile)
    elsewhere, real = tmp_path / "mnt", tmp_path / "real"
    elsewhere.symlink_to(index.folder.parent)
    mounts = parse_path_mapping([f"{index.folder.parent}={elsewhere}", f"{real}=/nowhere"])
    with cluster(dask_cluster.address, workers=2, path_mapping=mounts) as spread:
        assert (shared.ingest(spread=spread), shared.compare(profile=profile, spread=spread)) == expected
    assert shared.dump(without=("runs",)) == alone.dump(without=("runs",))
