"""What all writing commands share: one at a time, what a cut left open is settled first, and the run is remembered."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from typing import Any

from indexer.store import runs
from indexer.store.database import Database
from indexer.store.locking import writer_lock
from indexer.workflows.settle import Settled, settle_removals
from indexer.workflows.watching import Clock


@dataclass
class Run:
    """A run under way: its number, and the counts that are written when it ends."""

    id: int
    settled: Settled
    counts: dict[str, Any] = field(default_factory=dict)


@contextmanager
def writing(database: Database, command: str, *, arguments: Mapping[str, Any], clock: Clock) -> Iterator[Run]:
    """A run of a writing command: its row is there from the beginning and tells at the end how it went."""
    with writer_lock(database, command=command, since=clock()):
        settled = settle_removals(database, clock=clock)
        with database.write() as session:
            run = Run(runs.start_run(session, command, arguments=arguments, at=clock()), settled)
        outcome = "failed"
        try:
            yield run
            outcome = "done"
        except KeyboardInterrupt:
            outcome = "interrupted"
            raise
        finally:
            counts = run.counts | ({"settled": told} if (told := _told(settled)) else {})
            # Ctrl-C that comes only now interrupts nothing: the work is done, and its report is worth showing.
            with suppress(KeyboardInterrupt) if outcome == "done" else nullcontext(), database.write() as session:
                runs.finish_run(session, run.id, outcome=outcome, counts=counts, at=clock())


def _told(settled: Settled) -> dict[str, int]:
    """What was settled before the run's own work, if anything was, as it is remembered."""
    numbers = {"finished": settled.finished, "undone": settled.undone, "left_open": len(settled.left_open)}
    return {name: number for name, number in numbers.items() if number}
