"""The connection to a Dask cluster: what it leaves there, and what it hides meanwhile."""

import logging
from itertools import islice

import pytest

from tests.support.clusters import Cluster
from tests.support.worker_functions import Register, square

pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
from indexer.execution.dask_cluster import cluster


def test_nothing_stays(dask_cluster: Cluster) -> None:
    """When the block ends, in the middle or at the end, the scheduler knows of no task of ours."""
    with cluster(dask_cluster.address, workers=2) as spread:
        actor = spread.start_actor(spread.actor_workers()[0], Register, 1)
        assert actor.call(Register.add, 2).result()[1] == [1, 2]
        assert list(islice(spread(square, range(1000)), 20)) == [number * number for number in range(20)]
    assert dask_cluster.tasks() == 0


def test_quiet_only_meanwhile(dask_cluster: Cluster) -> None:
    """What others log is kept away until the end of the block, and no longer."""
    before = logging.root.manager.disable
    with cluster(dask_cluster.address, workers=2):
        assert logging.root.manager.disable == logging.CRITICAL
    assert logging.root.manager.disable == before
