"""A call for a cluster worker and its execution there: a function applied to some items, or a method of an actor.

A call is bytes. Unpickling them executes it, so a task of Dask is `pickle.loads` with these bytes, and no process in
between needs any part of indexer, in particular not the scheduler. It promises that a worker with another version of
indexer refuses a call. The module does not know Dask.
"""

import hashlib
import pickle
import threading
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Generic

import indexer
from indexer import __version__
from indexer.errors import EngineError
from indexer.execution.executor import UNLIMITED, Item, ResourceLimits, Result, State, WorkerFailure
from indexer.execution.guard import (
    OUT_OF_MEMORY,
    CallOutcome,
    Guard,
    UnusableWorkerError,
    load_call,
    picklable,
    process_name,
)


def pack_call(function: Callable[[Item], Result], items: Sequence[Item], *, limits: ResourceLimits) -> bytes:
    """A pickled call; unpickling it on a worker executes it and gives the `CallOutcome`.

    With limits, the items run in the guard of the worker's thread. Unpickling raises `UnusableWorkerError` on a worker
    with another version of indexer, or without the function.
    """
    payload = pickle.dumps((function, tuple(items)))
    return _pack(_run_on_worker, payload, len(items), function.__module__, limits)


def pack_actor(factory: Callable[..., State], *arguments: Any) -> bytes:
    """The pickled creation of an actor; unpickling it on a worker gives its `ActorState`.

    Raises `UnusableWorkerError` there as a call does, or if the factory raises.
    """
    return _pack(_create_actor, factory, arguments)


def _pack(function: Callable[..., Any], *arguments: Any) -> bytes:
    return pickle.dumps(_RunsWhenUnpickled(pickle.dumps((function, arguments))))


class _RunsWhenUnpickled:
    """Bytes whose unpickling runs the call. The version is checked before the function of the call is loaded."""

    def __init__(self, payload: bytes) -> None:
        self._payload = payload

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
        return unpack_on_worker, (own_version(), self._payload)


@cache
def own_version() -> str:
    """The version of this indexer, with a digest of its source files: two checkouts may have one version number."""
    return f"{__version__} (sources {digest_sources(Path(indexer.__file__).parent)[:8]})"


def digest_sources(package: Path) -> str:
    """The SHA-256, as hexadecimal digits, of the names and bytes of the Python files of a package."""
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\0{path.stat().st_size}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()


def unpack_on_worker(version: str, payload: bytes) -> Any:
    """What a pickled call of `version` gives; raises `UnusableWorkerError` if this is another one."""
    if version != own_version():
        reason = f"has indexer {own_version()}, and this is {version}"
        raise UnusableWorkerError(f"{reason}; install the same indexer on every worker")
    function, arguments = load_call(payload)
    return function(*arguments)


def _run_on_worker(payload: bytes, item_count: int, module: str, limits: ResourceLimits) -> CallOutcome:
    """Applies a pickled function, of this module, to its items, in the process of a worker or in its guard."""
    if limits == UNLIMITED:
        return _run_in_worker_process(*load_call(payload))
    if not hasattr(_thread, "guard"):
        _thread.guard = Guard(module)
    guard: Guard = _thread.guard
    return guard.run(payload, item_count, limits)


def run_limited(function: Callable[[Item], Result], item: Item, limits: ResourceLimits) -> Result | WorkerFailure:
    """The function's result for one item of a method of an actor, in the guard of this thread if there are limits;
    raises what the function raises."""
    payload = pickle.dumps((function, (item,)))
    outcome = _run_on_worker(payload, 1, function.__module__, limits)
    if outcome.problem is not None:
        raise outcome.problem
    (result,) = outcome.results
    if isinstance(result, WorkerFailure):
        return result
    unpickled: Result = pickle.loads(result)
    return unpickled


def _create_actor(factory: Callable[..., State], arguments: Sequence[Any]) -> "ActorState[State]":
    try:
        return ActorState(factory(*arguments))
    except Exception as problem:
        raise UnusableWorkerError(
            f"cannot make a {factory.__name__} ({type(problem).__name__}: {problem})"
        ) from problem


class ActorState(Generic[State]):
    """An actor in the process of its worker."""

    def __init__(self, state: State) -> None:
        self._state = state

    def execute_method(self, payload: bytes) -> CallOutcome:
        """The outcome of a pickled method of the state and its one argument."""
        method, arguments = load_call(payload)
        return _run_in_worker_process(lambda argument: method(self._state, argument), arguments)


def require_usable(problem: Exception | None) -> None:
    """Raises what a call raised on a worker, if it raised; an `EngineError` where the worker cannot execute calls."""
    if isinstance(problem, UnusableWorkerError):
        raise EngineError(str(problem)) from problem
    if problem is not None:
        raise problem


def _run_in_worker_process(function: Callable[[Item], Result], items: Sequence[Item]) -> CallOutcome:
    results: list[bytes | WorkerFailure] = []
    for item in items:
        try:
            results.append(pickle.dumps(function(item)))
        except MemoryError:
            results.append(OUT_OF_MEMORY)
        except EngineError as problem:  # of this machine, as of its full disk
            return CallOutcome(results, EngineError(f"{problem} ({process_name()})"))
        except Exception as problem:
            return CallOutcome(results, picklable(problem))
    return CallOutcome(results)


_thread = threading.local()
