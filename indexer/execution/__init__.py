"""How work is spread over processes and machines: executors, which are called like `map`.

They promise that

- results come in the order of the items;
- the number of items in flight is bounded, for any number of items; and
- no worker that they started outlives the block.

They know neither pictures nor the database. Workers get only plain values.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from indexer.execution.executor import IN_FLIGHT as IN_FLIGHT
from indexer.execution.executor import UNLIMITED as UNLIMITED
from indexer.execution.executor import ActorLostError as ActorLostError
from indexer.execution.executor import ParallelMap as ParallelMap
from indexer.execution.executor import PendingResult as PendingResult
from indexer.execution.executor import RemoteActor as RemoteActor
from indexer.execution.executor import RemoteExecutor as RemoteExecutor
from indexer.execution.executor import ResourceLimits as ResourceLimits
from indexer.execution.executor import WorkerFailure as WorkerFailure
from indexer.execution.executor import map_files as map_files
from indexer.execution.executor import map_path as map_path
from indexer.execution.executor import serial as serial
from indexer.execution.executor import threads as threads

if TYPE_CHECKING:
    from indexer.execution.process_pool import local_executor as local_executor
    from indexer.execution.process_pool import processes as processes
    from indexer.execution.remote_call import run_limited as run_limited

_LOADED_LATE = {"local_executor": "process_pool", "processes": "process_pool", "run_limited": "remote_call"}


def __getattr__(name: str) -> Any:
    """Loads what starts processes with the first command that needs it: most need none, and it takes long to load."""
    if name in _LOADED_LATE:
        return getattr(import_module(f"{__name__}.{_LOADED_LATE[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
