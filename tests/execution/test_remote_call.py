"""Calls that a cluster worker unpickles: what they give, and which workers refuse them."""

import os
import pickle
import socket
from pathlib import Path
from typing import Any

import pytest

import indexer
from indexer.errors import EngineError
from indexer.execution import UNLIMITED, ResourceLimits, WorkerFailure
from indexer.execution.guard import CallOutcome, UnusableWorkerError
from indexer.execution.remote_call import (
    ActorState,
    digest_sources,
    own_version,
    pack_actor,
    pack_call,
    require_usable,
    unpack_on_worker,
)
from tests.support.worker_functions import die_at_three, lack_memory_at_three, refuse_three, square, whoami


def executed(function: Any, items: list[Any], limits: ResourceLimits = UNLIMITED) -> list[Any]:
    """The results of a call, and the exception of its function, if there is one."""
    outcome: CallOutcome = pickle.loads(pack_call(function, items, limits=limits))
    results = [pickle.loads(result) if isinstance(result, bytes) else result for result in outcome.results]
    return results if outcome.problem is None else [*results, repr(outcome.problem)]


def test_results() -> None:
    """Results come in order, up to an exception of the function; a lack of memory costs its item."""
    assert executed(square, [1, 2, 3]) == [1, 4, 9]
    assert executed(refuse_three, [1, 3, 2]) == [1, "ValueError('not 3')"]
    failure = WorkerFailure("needed more memory than it may have")
    assert executed(lack_memory_at_three, [1, 3, 2]) == [1, failure, 2]


def test_items_with_limits_run_in_the_guard() -> None:
    """Only items with limits get a process of their own, one for all limits."""
    own, first, same, other = (
        executed(whoami, [0], ResourceLimits(time_s=time_s)) for time_s in (None, 20.0, 20.0, 30.0)
    )
    assert own == executed(whoami, [0])
    assert first == same == other
    assert len({*own, *first}) == 2
    killed = WorkerFailure("ended the process that worked on it (signal SIGKILL)")
    assert executed(die_at_three, [1, 3, 2], ResourceLimits(time_s=20.0)) == [1, killed, 2]


def test_another_version() -> None:
    """A worker with another version of indexer refuses what it is sent, unread."""
    with pytest.raises(UnusableWorkerError) as problem:
        unpack_on_worker("9.9", b"nothing that could be unpickled")
    assert str(problem.value) == (
        f"a worker of the cluster has indexer {own_version()}, and this is 9.9; "
        f"install the same indexer on every worker (process {os.getpid()} on {socket.gethostname()})"
    )
    assert str(pickle.loads(pickle.dumps(problem.value))) == str(problem.value)


def test_version_is_of_the_sources(tmp_path: Path) -> None:
    """Another file, name or byte in the package makes another version, though its number is the same."""
    digests = [digest_sources(tmp_path)]
    for name, text in (("a.py", "1"), ("a.py", "2"), ("inner/b.py", ""), ("inner/c.py", "2")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        digests.append(digest_sources(tmp_path))
    assert len(set(digests)) == len(digests)
    (tmp_path / "inner" / "c.py").unlink()
    (tmp_path / "inner" / "notes.txt").write_text("not a source")
    assert digest_sources(tmp_path) == digests[-2]
    assert own_version() == (f"{indexer.__version__} (sources {digest_sources(Path(indexer.__file__).parent)[:8]})")


def test_an_error_of_the_machine_names_it() -> None:
    """What a worker says of its own machine, as of a full disk, names the machine; here that is an error of ours."""
    actor: ActorState[list[int]] = pickle.loads(pack_actor(list))
    outcome = actor.execute_method(pickle.dumps((fill_the_disk, (1,))))
    with pytest.raises(EngineError) as problem:
        require_usable(outcome.problem)
    assert str(problem.value) == f"the disk is full (process {os.getpid()} on {socket.gethostname()})"


def test_a_worker_that_cannot_start_a_guard() -> None:
    """A method that cannot be carried out on its worker ends the run with one sentence."""
    actor: ActorState[list[int]] = pickle.loads(pack_actor(list))
    outcome = actor.execute_method(pickle.dumps((start_no_guard, (1,))))
    with pytest.raises(EngineError, match=r"^a worker of the cluster cannot start a process \(process "):
        require_usable(outcome.problem)


def fill_the_disk(_state: list[int], _number: int) -> int:
    """As on a machine with a full disk."""
    raise EngineError("the disk is full")


def start_no_guard(_state: list[int], _number: int) -> int:
    """As on a machine that starts no processes."""
    raise UnusableWorkerError("cannot start a process")


def test_a_worker_without_the_function() -> None:
    """A worker that cannot load the function says so."""
    packed = pack_call(square, [1], limits=UNLIMITED)
    with pytest.raises(UnusableWorkerError, match=r"No module named 'tests.support.walker_functions'"):
        pickle.loads(packed.replace(b"tests.support.worker_functions", b"tests.support.walker_functions"))


class Sum:
    """A sum that grows."""

    def __init__(self, start: int) -> None:
        self.value = start

    def add(self, number: int) -> int:
        """The sum with this number."""
        self.value += refuse_three(number)
        return self.value


def test_an_actor() -> None:
    """An actor keeps what its methods leave, also after an exception."""
    actor: ActorState[Sum] = pickle.loads(pack_actor(Sum, 10))
    outcomes = [actor.execute_method(pickle.dumps((Sum.add, (number,)))) for number in (1, 3, 2)]
    assert [[pickle.loads(result) for result in outcome.results] for outcome in outcomes] == [[11], [], [13]]  # type: ignore[arg-type]
    assert [repr(outcome.problem) for outcome in outcomes] == ["None", "ValueError('not 3')", "None"]


def test_an_actor_that_cannot_be_made() -> None:
    """A worker where an actor cannot be made says why."""
    with pytest.raises(UnusableWorkerError, match=r"cannot make a open \(FileNotFoundError: .*'/nowhere'\) \(process "):
        pickle.loads(pack_actor(open, "/nowhere"))
