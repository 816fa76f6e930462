"""The executor of a cluster, on a real scheduler with real workers: what other executors have no occasion for."""

import gc
import importlib
import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer import __version__
from indexer.errors import EngineError
from indexer.execution import ActorLostError, RemoteExecutor, ResourceLimits, WorkerFailure
from tests.support.apart import MARK, left_behind, until
from tests.support.clusters import Cluster, started
from tests.support.worker_functions import (
    Counted,
    Register,
    Sink,
    die_at_three,
    die_twice,
    hang_at_three,
    is_there_in_time,
    slow_at_first,
    spin_where_named,
    square,
    take_memory,
    whoami,
    whoami_slowly,
    worker_process,
)

pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
from indexer.execution.dask_cluster import cluster

ALONE = "--no-nanny"
"""The option of a worker that nobody starts again: half of the processes."""
ALLOWED_FAILURES = "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES"
LIMITS = ResourceLimits(memory_bytes=2**28, time_s=1.0)
KILLED = WorkerFailure("ended the process that worked on it (signal SIGKILL)")
ENDED = WorkerFailure("ended every process that worked on it")
LATE = WorkerFailure("took longer than 1 s")
TOO_LARGE = WorkerFailure("needed more memory than it may have")


@pytest.fixture(scope="module")
def threads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster with one worker, of three threads."""
    with started(tmp_path_factory.mktemp("threads"), workers=0) as machines:
        machines.add_worker(ALONE, "--nthreads", "3")
        machines.wait_for(1)
        yield machines


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of two workers, whose scheduler allows no task to end one."""
    with started(tmp_path_factory.mktemp("strict"), settings={ALLOWED_FAILURES: "0"}) as machines:
        yield machines


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """The same without workers."""
    with started(tmp_path_factory.mktemp("scheduler"), workers=0, settings={ALLOWED_FAILURES: "0"}) as machines:
        yield machines


@pytest.fixture
def machines(scheduler: Cluster) -> Iterator[Cluster]:
    """A cluster to which a test adds workers, which end with it."""
    yield scheduler
    scheduler.kill_workers()


@pytest.mark.parametrize("max_batch", [1, 4])
def test_an_item_with_limits_leaves_its_worker_alone(threads: Cluster, max_batch: int) -> None:
    """Items that kill, hang or take too much cost themselves, and a worker of several threads is the same after it."""
    with cluster(threads.address, workers=2, resource_limits=LIMITS, max_batch=max_batch) as spread:
        assert spread.workers == 3
        (before,) = set(spread(worker_process, range(12)))
        assert list(spread(die_at_three, [*range(9), 3])) == [0, 1, 2, KILLED, 4, 5, 6, 7, 8, KILLED]
        assert list(spread(hang_at_three, [*range(9), 3])) == [0, 1, 2, LATE, 4, 5, 6, 7, 8, LATE]
        assert list(spread(take_memory, [1, 4096, 2])) == [2**20, TOO_LARGE, 2**21]
        assert set(spread(worker_process, range(12))) == {before}


def test_each_thread_has_its_guard(threads: Cluster) -> None:
    """Items with limits run at the same time, in one process for each thread; items without run in the worker."""
    with cluster(threads.address, workers=2, resource_limits=ResourceLimits(time_s=20.0)) as spread:
        guards = set(spread(whoami_slowly, range(60)))
    with cluster(threads.address, workers=2) as spread:
        (worker,) = set(spread(whoami, range(12)))
    assert len(guards) == 3
    assert worker not in guards


@pytest.mark.parametrize("patience", ["strict", "dask_cluster"])
def test_whatever_the_scheduler_allows(request: pytest.FixtureRequest, patience: str) -> None:
    """An item without limits that ends its workers is given up alone, whatever the scheduler's own patience is."""
    with cluster(request.getfixturevalue(patience).address, workers=2, max_batch=3) as spread:
        expected = [number if number != 3 else ENDED for number in range(30)]
        assert list(spread(die_at_three, range(30))) == expected


def test_an_item_whose_workers_die_of_something_else(strict: Cluster, tmp_path: Path) -> None:
    """An item is given up only after it ended its worker each time that it was alone."""
    with cluster(strict.address, workers=2) as spread:
        assert list(spread(die_twice, [str(tmp_path / "deaths")])) == [True]


def test_after_the_end(dask_cluster: Cluster) -> None:
    """An executor whose connection has ended says so in one sentence."""
    with cluster(dask_cluster.address, workers=2) as spread:
        worker = spread.actor_workers()[0]
        actor = spread.start_actor(worker, Register, 1)
        results = spread(square, range(1000))
        assert next(results) == 0
    for use in (
        lambda: spread.start_actor(worker, Register, 1),
        lambda: actor.call(Register.add, 2).result(),
        lambda: list(results),
        lambda: list(spread(square, range(3))),
        spread.actor_workers,
    ):
        with pytest.raises(EngineError, match="the scheduler of the cluster is gone"):
            use()
    actor.close()


def test_an_actor_at_a_busy_worker(machines: Cluster, tmp_path: Path) -> None:
    """A call of an actor that is not made yet does not wait, so that other workers get theirs."""
    machines.add_worker(ALONE)
    with cluster(machines.address, workers=2) as spread:
        results = spread(is_there_in_time, [str(tmp_path), str(tmp_path / "called")])
        next(results)
        pending = spread.start_actor(spread.actor_workers()[0], Register, 1).call(Register.add, 2)
        (tmp_path / "called").touch()
        assert list(results) == [True]
        assert pending.result()[1] == [1, 2]


def test_workers_without_nannies(machines: Cluster) -> None:
    """Where nobody starts dead workers again the others do the work, while there are any."""
    for _ in range(4):
        machines.add_worker(ALONE)
    machines.wait_for(4)
    with cluster(machines.address, workers=2) as spread:
        expected = [number if number != 3 else ENDED for number in range(60)]
        assert list(spread(die_at_three, range(60))) == expected


def test_workers_that_are_killed_and_added(strict: Cluster) -> None:
    """A worker that is killed with its nanny costs no item, whatever the scheduler allows, and a new one joins."""
    strict.wait_for(2)
    with cluster(strict.address, workers=2, resource_limits=ResourceLimits(time_s=60), max_batch=2) as spread:
        results = []
        for result in spread(slow_at_first, range(200)):
            results.append(result)
            if len(results) == 60:
                os.killpg(strict.workers.pop(0).pid, signal.SIGKILL)
                strict.add_worker()
        assert results == list(range(200))


def test_a_worker_that_comes_late(machines: Cluster) -> None:
    """Where nobody is there work waits for the first worker, for so long, and then ends with one sentence."""
    with cluster(machines.address, workers=2, no_worker_timeout_s=0.5) as spread:
        assert list(spread(square, [])) == []
        with pytest.raises(EngineError, match=r"no worker for 0.5 s"):
            list(spread(square, range(3)))
        with pytest.raises(EngineError, match=r"no worker for 0.5 s"):
            spread.actor_workers()
    with cluster(machines.address, workers=2) as spread:
        results = spread(square, range(30))
        adding = threading.Timer(0.5, machines.add_worker, [ALONE])
        adding.start()
        assert list(results) == [number * number for number in range(30)]
        adding.join()


def test_workers_that_all_go(machines: Cluster) -> None:
    """Where the last worker ends in the middle the run ends with one sentence."""
    machines.add_worker(ALONE)
    machines.wait_for(1)
    with cluster(machines.address, workers=2, no_worker_timeout_s=1) as spread:
        results = spread(square, range(1000))
        assert next(results) == 0
        os.killpg(machines.workers[0].pid, signal.SIGKILL)
        with pytest.raises(EngineError, match=r"no worker for 1 s"):
            list(results)


@pytest.mark.parametrize("lost_by", [signal.SIGKILL, signal.SIGSTOP])
def test_a_scheduler_that_goes_away(tmp_path: Path, lost_by: signal.Signals) -> None:
    """The run ends with one sentence if the scheduler dies or stops answering, also where it waits for an actor."""
    with (
        started(tmp_path, workers=0) as machines,
        cluster(machines.address, workers=2, scheduler_timeout_s=1) as spread,
    ):
        machines.add_worker(ALONE)
        actor = spread.start_actor(spread.actor_workers()[0], Register, 1)
        actor.call(Register.add, 2).result()
        pending, results = actor.call(Register.wait, 600), spread(square, range(1000))
        assert next(results) == 0
        os.killpg(machines.scheduler.pid, lost_by)
        for use in (
            lambda: list(results),
            pending.result,
            lambda: actor.call(Register.add, 3).result(),
            spread.actor_workers,
            lambda: spread.start_actor("tcp://127.0.0.1:1", Register, 1).call(Register.add, 2).result(),
            lambda: list(spread(square, range(3))),
        ):
            began = time.monotonic()
            with pytest.raises(EngineError, match=r"^the scheduler of the cluster is gone"):
                use()
            assert time.monotonic() - began < 25  # it waits a second, and not the 30 of a user


def test_an_actor_for_a_worker_that_is_gone(machines: Cluster) -> None:
    """An actor whose worker is gone before it is made is lost, also if there was no worker at that moment."""
    machines.add_worker(ALONE)
    with cluster(machines.address, workers=2) as spread:
        (worker,) = spread.actor_workers()
        machines.kill_workers()
        pending = spread.start_actor(worker, Register, 1).call(Register.add, 2)
        machines.add_worker(ALONE)
        with pytest.raises(ActorLostError):
            pending.result()
        machines.wait_for(1)
        (other,) = spread.actor_workers()
        assert spread.start_actor(other, Register, 1).call(Register.add, 2).result()[1] == [1, 2]


def test_a_restart_by_another_client(tmp_path: Path) -> None:
    """If another client restarts the workers, the error says so, and not that the scheduler is gone."""
    from distributed import Client

    with started(tmp_path) as machines, cluster(machines.address, workers=2) as spread:
        results = spread(hang_at_three, range(10))
        assert [next(results) for _ in range(3)] == [0, 1, 2]
        with Client(machines.address, set_as_default=False) as other:
            other.restart()
        with pytest.raises(EngineError, match=r"^another client of the scheduler ended our tasks"):
            list(results)


def test_another_version(machines: Cluster, tmp_path: Path) -> None:
    """A worker with another version of indexer ends the run with one sentence, which names it."""
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "sitecustomize.py").write_text("import indexer\nindexer.__version__ = '9.9'\n")
    this = re.escape(__version__)
    words = (
        rf"^a worker of the cluster has indexer 9\.9 .*, and this is {this} .*; .* every worker \(process \d+ on .*\)$"
    )
    machines.add_worker(ALONE, import_path=tmp_path / "other")
    machines.wait_for(1)
    with cluster(machines.address, workers=2) as spread:
        with pytest.raises(EngineError, match=words):
            list(spread(square, range(3)))
        with pytest.raises(EngineError, match=words):
            spread.start_actor(spread.actor_workers()[0], Register, 1).call(Register.add, 2).result()


@pytest.mark.parametrize("limits", [ResourceLimits(), LIMITS])
def test_a_worker_without_the_function(
    dask_cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: ResourceLimits
) -> None:
    """A worker that cannot load what it is sent ends the run with one sentence."""
    (tmp_path / "module_of_nobody.py").write_text("def work(item): return item\n")
    monkeypatch.syspath_prepend(tmp_path)
    work = importlib.import_module("module_of_nobody").work
    with (
        cluster(dask_cluster.address, workers=2, resource_limits=limits) as spread,
        pytest.raises(EngineError) as problem,
    ):
        list(spread(work, range(3)))
    assert str(problem.value).startswith(
        "a worker of the cluster cannot load the work (ModuleNotFoundError: No module named 'module_of_nobody'); "
        "install the same indexer on every worker (process "
    )


def test_a_worker_without_indexer(machines: Cluster, tmp_path: Path) -> None:
    """A worker where indexer is not installed ends the run with one sentence."""
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "indexer.py").write_text("raise ImportError('not installed')\n")
    machines.add_worker(ALONE, import_path=tmp_path / "bare")
    machines.wait_for(1)
    with cluster(machines.address, workers=2) as spread, pytest.raises(EngineError) as problem:
        list(spread(square, range(3)))
    assert str(problem.value).endswith("; install the same indexer on every worker")


def test_bounded_in_flight(dask_cluster: Cluster) -> None:
    """While the first item is not done only so many others are asked for."""
    items = Counted(10_000)
    with cluster(dask_cluster.address, workers=2, in_flight=2, resource_limits=LIMITS) as spread:
        assert next(spread(hang_at_three, (number + 3 for number in items))) == LATE
    assert items.asked <= 4


def test_a_worker_that_is_killed_while_a_file_hangs(tmp_path: Path) -> None:
    """No process of a killed worker is there after the time limit of its item."""
    with started(tmp_path, settings={MARK: str(tmp_path)}) as machines:
        with cluster(machines.address, workers=2, resource_limits=ResourceLimits(time_s=6.0)) as spread:
            workers = set(spread(worker_process, range(40)))
            assert len(workers) == 2
            (tmp_path / "spinning").mkdir()
            results = spread(spin_where_named, ["", *[str(tmp_path / "spinning")] * 2])
            assert next(results) == ""
            until(lambda: len(list((tmp_path / "spinning").iterdir())) == 2)  # both hang
            assert len(left_behind(tmp_path)) >= 11  # per worker: a nanny, two that the library keeps, a guard
            for process in [*(nanny.pid for nanny in machines.workers), *workers, machines.scheduler.pid]:
                os.kill(process, signal.SIGKILL)  # and nothing that the workers started
            with pytest.raises(EngineError):
                list(results)
        assert until(lambda: left_behind(tmp_path) == [], timeout_s=60)


def test_actors_keep_their_state(dask_cluster: Cluster) -> None:
    """An actor lives in the worker that was asked for, and what a method raises is raised here."""
    with cluster(dask_cluster.address, workers=2) as spread:
        assert isinstance(spread, RemoteExecutor)
        slots = spread.actor_workers()
        actors = [spread.start_actor(slot, Register, number) for number, slot in enumerate(slots)]
        results = [actor.call(Register.add, 7).result() for actor in actors]
        assert [numbers for _, numbers in results] == [[0, 7], [1, 7]]
        assert len({process for process, _ in results}) == 2
        pending = [actor.call(Register.add, 8) for actor in actors]
        assert [call.result()[1] for call in pending] == [[0, 7, 8], [1, 7, 8]]
        with pytest.raises(ValueError, match="not 3"):
            actors[0].call(Register.add, 3).result()
        for actor in actors:
            actor.close()
        assert until(lambda: dask_cluster.tasks() == 0, timeout_s=60)


@pytest.fixture
def without_garbage_collector() -> Iterator[None]:
    """This process without its garbage collector."""
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_garbage_collector")
def test_a_closed_actor_is_freed(dask_cluster: Cluster) -> None:
    """What was sent to an actor is not kept here; what it holds is freed when it is closed, also after an exception."""
    data = bytes(10 * 2**20)
    with cluster(dask_cluster.address, workers=2) as spread:
        actor = spread.start_actor(spread.actor_workers()[0], Sink)
        process, _ = actor.call(Sink.take, data).result()
        before = resident_bytes()
        for _ in range(20):
            assert actor.call(Sink.take, data).result() == (process, len(data))
        assert resident_bytes() - before < 8 * len(data)
        with pytest.raises(ValueError, match="no bytes"):
            actor.call(Sink.take, b"").result()
        assert deleted_files(process)
        actor.close()
        assert until(lambda: not deleted_files(process), timeout_s=60)
        assert dask_cluster.tasks() == 0


def resident_bytes() -> int:
    """The memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def deleted_files(process: int) -> list[Path]:
    """The open files of a process that have no name any more."""
    names = [Path(os.readlink(entry)) for entry in Path(f"/proc/{process}/fd").iterdir() if entry.is_symlink()]
    return [path for path in names if path.name.endswith("(deleted)")]


@pytest.mark.parametrize("busy", [True, False])
def test_an_actor_whose_worker_is_killed(dask_cluster: Cluster, tmp_path: Path, busy: bool) -> None:
    """It is lost, busy or idle, and one that is made in its place is not."""
    with cluster(dask_cluster.address, workers=2) as spread:
        slot = spread.actor_workers()[0]
        actor = spread.start_actor(slot, Register, 1)
        process, _ = actor.call(Register.add, 2).result()
        pending = actor.call(Register.hang, str(tmp_path / "hangs")) if busy else None
        assert not busy or until((tmp_path / "hangs").exists)
        os.kill(process, signal.SIGKILL)
        if pending is not None:
            with pytest.raises(ActorLostError):
                pending.result()
        assert busy or until(lambda: slot not in spread.actor_workers())
        with pytest.raises(ActorLostError):
            actor.call(Register.add, 3).result()
        (worker, *_) = [worker for worker in spread.actor_workers() if worker != slot]
        assert spread.start_actor(worker, Register, 1).call(Register.add, 2).result()[1] == [1, 2]
    dask_cluster.wait_for(2)
