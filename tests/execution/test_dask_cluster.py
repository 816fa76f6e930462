"""The engine of many machines, on a real scheduler with real workers: what other engines have no occasion for."""

import logging
import threading
from itertools import islice
from pathlib import Path

import pytest

from indexer.errors import EngineError
from indexer.execution import ResourceLimits, WorkerFailure
from tests.support.clusters import Cluster, started
from tests.support.worker_functions import die_at_three, hang_at_three, square, whoami

pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
from indexer.execution.dask_cluster import cluster

KILLED = WorkerFailure("ended the process that worked on it (3 times)")


def test_nothing_stays(dask_cluster: Cluster) -> None:
    """When the block ends, in the middle or at the end, the scheduler knows of no task of ours."""
    with cluster(dask_cluster.address, workers=2) as spread:
        assert list(islice(spread(square, range(1000)), 20)) == [number * number for number in range(20)]
    assert dask_cluster.tasks() == 0


def test_quiet_only_meanwhile(dask_cluster: Cluster) -> None:
    """What others log is kept away until the end of the block, and no longer."""
    before = logging.root.manager.disable
    with cluster(dask_cluster.address, workers=2):
        assert logging.root.manager.disable == logging.CRITICAL
    assert logging.root.manager.disable == before


@pytest.mark.parametrize("allowed", ["0", "20"])
def test_whatever_the_scheduler_allows(tmp_path: Path, allowed: str) -> None:
    """An item is given up after three deaths, whether the scheduler's own patience is shorter or longer."""
    settings = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": allowed}
    with started(tmp_path, settings=settings) as machines, cluster(machines.address, workers=2) as spread:
        assert list(spread(die_at_three, range(6))) == [0, 1, 2, KILLED, 4, 5]


def test_workers_without_nannies(tmp_path: Path) -> None:
    """Where nobody starts dead workers again the others do the work, while there are any."""
    with started(tmp_path, workers=0) as machines:
        for _ in range(5):
            machines.add_worker("--no-nanny")
        machines.wait_for(5)
        with cluster(machines.address, workers=2) as spread:
            assert list(spread(die_at_three, range(60))) == [number if number != 3 else KILLED for number in range(60)]


def test_workers_of_several_threads(tmp_path: Path) -> None:
    """A worker of several threads does several items at once, and one that hangs costs itself."""
    with started(tmp_path, workers=0) as machines:
        machines.add_worker("--nthreads", "3")
        machines.wait_for(1)
        with cluster(machines.address, workers=2, resource_limits=ResourceLimits(time_s=0.5), max_batch=4) as spread:
            assert spread.workers == 3
            assert len(set(spread(whoami, range(12)))) == 1
            lost = WorkerFailure("took longer than 0.5 s")
            assert list(spread(hang_at_three, range(9))) == [number if number != 3 else lost for number in range(9)]


def test_a_worker_that_comes_late(tmp_path: Path) -> None:
    """Where nobody is there work waits for the first worker, for so long, and then ends with one sentence."""
    with started(tmp_path, workers=0) as machines:
        with cluster(machines.address, workers=2, no_worker_timeout_s=0.5) as spread:
            assert list(spread(square, [])) == []
            with pytest.raises(EngineError, match=r"no worker for 0.5 s"):
                list(spread(square, range(3)))
        with cluster(machines.address, workers=2) as spread:
            threading.Timer(0.5, machines.add_worker).start()
            assert list(spread(square, range(30))) == [number * number for number in range(30)]


def test_a_worker_without_indexer(dask_cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that cannot load what it is sent ends the run with one sentence."""
    monkeypatch.setattr("indexer.execution.task_scheduler.pack_task", lambda *_, **__: b"cindexer_of_nobody\nwork\n.")
    with cluster(dask_cluster.address, workers=2) as spread, pytest.raises(EngineError) as problem:
        list(spread(square, range(3)))
    assert str(problem.value) == (
        "a worker of the cluster cannot load the work (ModuleNotFoundError: No module named 'indexer_of_nobody'); "
        "install the same indexer on every worker"
    )


def test_seats(dask_cluster: Cluster) -> None:
    """What has the number of an earlier item goes to the same worker."""
    with cluster(dask_cluster.address, workers=2) as spread:
        first = list(spread.map_with_affinity(whoami, [(0, 0), (1, 0)]))
        assert len(set(first)) == 2
        assert list(spread.map_with_affinity(whoami, [(1, 0), (0, 0), (3, 0)])) == [first[1], first[0], first[1]]
