"""The whole job through a scheduler and workers started from the command line: the rows of the serial run."""

import os
import signal
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from indexer.execution import RemoteExecutor, ResourceLimits
from indexer.execution.path_mapping import parse_path_mapping
from indexer.workflows.compare import camera as comparing
from indexer.workflows.compare import remote_searcher, small_cameras
from tests.support.clusters import ROOT, Cluster, started
from tests.support.databases import on_sqlite
from tests.support.index import BIKE, BIRD, CAR, GHOST, Index, name, picture
from tests.support.worker_functions import worker_process
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
    monkeypatch.setattr(remote_searcher, "MIN_PAIRS_TO_SEND", 256)
    monkeypatch.setattr(remote_searcher, "MAX_IMAGES_PER_TASK", 50)


HARMFUL = """
import os, signal, sys, time
sys.path.append("{root}")
from indexer.workflows import image_files
read = image_files.read_indexed
def read_indexed(path, **more):
    if os.path.basename(path) == "{hanging}":
        time.sleep(600)
    if os.path.basename(path) == "{killing}":
        os.kill(os.getpid(), signal.SIGKILL)
    return read(path, **more)
image_files.read_indexed = read_indexed
"""
"""Makes a worker hang, or dies, where it reads a certain file."""


@on_sqlite
@pytest.mark.parametrize("profile", ["original", "colour"])
def test_files_that_harm_a_worker_in_compare(index: Index, tmp_path: Path, profile: str) -> None:
    """A file that hangs or kills where compare reads it holds its camera back, and is named; workers live on."""
    from indexer.execution.dask_cluster import cluster

    cameras = ("east", "west", "yard")
    for camera in cameras:
        for minute, marks in enumerate([(), (BIRD,), (BIKE,), (CAR,)]):
            index.put(name(minute, camera), picture(*marks, stamp=minute))
    index.ingest()
    (tmp_path / "harmful").mkdir()
    (tmp_path / "harmful" / "sitecustomize.py").write_text(
        HARMFUL.format(root=ROOT, hanging=name(2, "east"), killing=name(1, "west"))
    )
    with started(tmp_path, workers=0) as machines:
        machines.add_worker(import_path=tmp_path / "harmful")
        machines.wait_for(1)
        with cluster(machines.address, workers=2, file_limits=ResourceLimits(2**30, 2.0)) as spread:
            (before,) = set(spread(worker_process, range(3)))
            report = index.compare(spread=spread, profile=profile)
            assert set(spread(worker_process, range(3))) == {before}
    assert {camera.camera: camera.problem for camera in report.cameras} == {
        "east": f"'{index.folder / name(2, 'east')}': decoding it took longer than 2 s; run ingest again",
        "west": f"'{index.folder / name(1, 'west')}': decoding it ended the process that worked on it "
        "(signal SIGKILL); run ingest again",
        "yard": None,
    }


class Watched:
    """An executor that counts its results and its calls of actors, and lets something happen at one of either."""

    def __init__(self, executor: RemoteExecutor, *, at_result: int = 0, at_call: int = 0, happens: Callable[[], Any]):
        self._executor = executor
        self._at_result = at_result
        self._at_call = at_call
        self._happens = happens
        self.workers = executor.workers
        self.map_path = executor.map_path
        self.map_files = executor.map_files
        self.file_limits = executor.file_limits
        self.actor_workers = executor.actor_workers
        self.results = self.calls = 0

    def __call__(self, function: Callable[[Any], Any], items: Iterable[Any], /) -> Iterator[Any]:
        """The results."""
        for result in self._executor(function, items):
            self.results += 1
            if self.results == self._at_result:
                self._happens()
            yield result

    def start_actor(self, slot: str, factory: Callable[..., Any], /, *arguments: Any) -> "Any":
        """An actor whose calls are counted."""
        return WatchedActor(self, self._executor.start_actor(slot, factory, *arguments))

    def count_call(self) -> None:
        """One more call of an actor is under way."""
        self.calls += 1
        if self.calls == self._at_call:
            self._happens()


class WatchedActor:
    """An actor that tells of its calls."""

    def __init__(self, watched: Watched, actor: Any) -> None:
        self._watched = watched
        self._actor = actor

    def call(self, method: Any, argument: Any) -> Any:
        """The pending result."""
        pending = self._actor.call(method, argument)
        self._watched.count_call()
        return pending

    def close(self) -> None:
        """Frees the actor."""
        self._actor.close()


def replace_worker(machines: Cluster) -> None:
    """Kills a worker with its nanny, so that it does not come back, and adds one of two threads."""
    os.killpg(machines.workers.pop(0).pid, signal.SIGKILL)
    machines.add_worker("--nthreads", "2")


@on_sqlite
def test_the_rows_of_the_serial_run(site: Path, open_index: Callable[..., Index], tmp_path: Path) -> None:
    """With a worker killed and one added in the middle of ingest, and again of compare, every row is as without."""
    from indexer.execution.dask_cluster import cluster

    alone, shared = open_index(site), open_index(site)
    expected = alone.ingest(), alone.compare()
    with started(tmp_path) as machines:
        limits = ResourceLimits(2**32, 60)
        with cluster(machines.address, workers=2, max_batch=8, resource_limits=limits) as spread:
            watched = Watched(spread, at_result=100, happens=lambda: replace_worker(machines))
            ingested = shared.ingest(spread=watched)
            assert watched.results > 100
        with cluster(machines.address, workers=2) as spread:
            watched = Watched(spread, at_result=1, happens=lambda: replace_worker(machines))
            reports = ingested, shared.compare(spread=watched)
            assert watched.results >= 1
    assert reports == expected
    assert shared.dump(without=("runs",)) == alone.dump(without=("runs",))


@on_sqlite
def test_a_worker_killed_in_the_middle_of_a_large_camera(
    site: Path, open_index: Callable[..., Index], tmp_path: Path
) -> None:
    """A worker that is killed with its images while it searches, and one added, change no row."""
    from indexer.execution.dask_cluster import cluster

    alone, shared = open_index(site), open_index(site)
    alone.ingest()
    shared.ingest()
    expected = alone.compare()
    with started(tmp_path) as machines, cluster(machines.address, workers=2) as spread:
        watched = Watched(spread, at_call=7, happens=lambda: replace_worker(machines))
        assert shared.compare(spread=watched) == expected
        assert watched.calls > 7
    assert shared.dump(without=("runs",)) == alone.dump(without=("runs",))


@on_sqlite
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
