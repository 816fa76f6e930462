"""Which executor does the work: its options, the choice from options and settings, and the executor itself.

It loads neither Dask nor any other heavy library until an executor is made.
"""

import re
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.errors import UsageError
from indexer.settings import Settings

if TYPE_CHECKING:
    from indexer.execution import ParallelMap, ResourceLimits
    from indexer.execution.path_mapping import PathMapping

Engine = Annotated[
    str | None, typer.Option(metavar="NAME", help="Who does the work: processes (of this machine) or dask.")
]
Scheduler = Annotated[
    str | None,
    typer.Option(
        metavar="ADDRESS", help="Address of a Dask cluster: tcp://HOST:PORT. If not given, workers start here."
    ),
]
MapPath = Annotated[
    list[str] | None,
    typer.Option(metavar="FROM=TO", help="Workers of the cluster see folder FROM as TO. May be repeated."),
]

_ADDRESS = re.compile(r"(?:(?:tcp|tls|ws|wss)://)?(?:\[[0-9A-Fa-f:.%]+\]|[^\s/:\[\]]+):\d{1,5}")


@dataclass(frozen=True)
class EngineOptions:
    """What a person typed about the executor."""

    processes: int | None
    engine: str | None = None
    scheduler: str | None = None
    map_path: tuple[str, ...] = ()


@dataclass(frozen=True)
class EngineChoice:
    """The chosen executor: `number` processes of this machine, or a cluster, at `address` or of `number` processes."""

    number: int
    on_cluster: bool
    address: str | None
    mounts: "PathMapping"

    def cluster(
        self,
        *,
        resource_limits: "ResourceLimits",
        file_limits: "ResourceLimits",
        max_batch: int,
        in_flight: int,
    ) -> "AbstractContextManager[ParallelMap]":
        """The executor of the cluster."""
        from indexer.execution.dask_cluster import cluster

        return cluster(
            self.address,
            workers=self.number,
            resource_limits=resource_limits,
            file_limits=file_limits,
            max_batch=max_batch,
            in_flight=in_flight,
            path_mapping=self.mounts,
        )


def choose_engine(options: EngineOptions, settings: Settings) -> EngineChoice:
    """The choice from the typed options, else from the settings; an address alone chooses the cluster.

    Raises `UsageError` for an unknown engine, for options that do not go together, and for a malformed value.
    """
    from indexer.execution.path_mapping import parse_path_mapping

    typed = "dask" if options.engine is None and options.scheduler is not None else options.engine
    engine = typed or settings.engine or ("dask" if settings.scheduler else "processes")
    if engine not in {"processes", "dask"}:
        name = "INDEXER_ENGINE" if typed is None else "--engine"
        raise UsageError(f"{name} is {engine!r}; give processes or dask")
    if engine == "processes":
        for name, value in (("--scheduler", options.scheduler), ("--map-path", options.map_path)):
            if value:
                raise UsageError(f"{name} is for a cluster; add --engine dask, or leave it out")
    address = _address(options.scheduler or settings.scheduler) if engine == "dask" else None
    if address is not None and options.processes is not None:
        raise UsageError(
            f"--processes is for workers started here, and {address} has workers of its own; leave one of the two out"
        )
    number = settings.processes if options.processes is None else options.processes
    return EngineChoice(number, engine == "dask", address, parse_path_mapping(options.map_path))


def _address(text: str | None) -> str | None:
    if not text:
        return None
    if not _ADDRESS.fullmatch(text):
        raise UsageError(f"{text!r} is not the address of a scheduler; give one such as tcp://10.0.0.1:8786")
    return text if "://" in text else f"tcp://{text}"
