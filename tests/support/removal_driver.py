"""Works prune, restore and purge into a wall at every point that there is, and tells what is left: facts, no verdicts.

    python removal_driver.py SCRATCH      # writes SCRATCH/trials.json

A point is a public function of `indexer.files.io_steps`, a function of the journal that writes, or a commit. While the
middle one of a few files is under way, the process is killed before or after the point, or the point fails; another
process then settles, reruns, and runs a third time. Every trial begins with the same files at the same paths.

What comes after a fault depends on what the fault left (`state`, and files that are still open). Of kills that leave
the same, one is made (`kills`); after faults that leave the same, the later runs are made once (`afterwards`): 584
trials leave some 170 states. What is killed runs in forks of this process, which has no connection open then, but its
SQL compiled: that is half of the time. What fails runs in this process, without the 30 ms that a fork takes.
"""

import ast
import errno
import gc
import inspect
import json
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from indexer.errors import IndexerError
from indexer.files import io_steps
from indexer.store import removals
from indexer.store.database import Database
from indexer.workflows.removal import prune, purge, restore
from tests.support.disks import KINDS
from tests.support.removal_scene import (
    CHANGED,
    FILES,
    MIDDLE,
    MTIME_NS,
    Clock,
    Scene,
    delete_now,
    facts,
    in_a_fork,
    make,
    name,
    open_files,
    prune_now,
    purge_now,
    restore_now,
    standing,
    state,
)

Patch = pytest.MonkeyPatch
Known = dict[str, list[dict[str, Any]]]
"""The later runs, by what a fault left."""

CODES = {errno.EACCES: sqlite3.SQLITE_READONLY, errno.ENOSPC: sqlite3.SQLITE_FULL}
FAULTS = ("kill before", "kill after", "EACCES", "ENOSPC", "EIO", "EIO again")
"""What happens at a point; the last: there, and each time the point is met again for the same file."""
ERRORS = FAULTS[2:]
EVERYWHERE = ("kill before", "kill after", "EIO")
"""What happens on every disk; the others elsewhere only at points where they did not happen to the same command."""


def journal_writers() -> list[str]:
    """The public functions of the journal that change it, found in the code."""
    changes = {"insert", "update", "delete"}
    return sorted(
        name
        for name, function in inspect.getmembers(removals, inspect.isfunction)
        if function.__module__ == removals.__name__ and not name.startswith("_")
        if changes
        & {node.id for node in ast.walk(ast.parse(inspect.getsource(function))) if isinstance(node, ast.Name)}
    )


@cache
def points() -> list[str]:
    """Every point, found in the code: a new step or writer is struck, or the suite says that it is not."""
    touching = [name for name, _ in inspect.getmembers(io_steps, inspect.isfunction) if not name.startswith("_")]
    return [*touching, *journal_writers(), "commit"]


def refusing(call: Callable[..., Any], number: int) -> Callable[..., Any]:
    """A call that works within one folder only."""

    def instead(source: str, target: str, **more: Any) -> Any:
        if os.path.dirname(source) == os.path.dirname(target):
            return call(source, target, **more)
        raise OSError(number, os.strerror(number), source)

    return instead


def plain(_scene: Scene, _patch: Patch) -> None:
    """Nothing is in the way."""


def two_disks(_scene: Scene, patch: Patch) -> None:
    """The quarantine is on another disk."""
    for call in ("link", "rename"):
        patch.setattr(os, call, refusing(getattr(os, call), errno.EXDEV))


def no_hard_links(_scene: Scene, patch: Patch) -> None:
    """The file system knows no second names."""
    patch.setattr(os, "link", refusing(os.link, errno.EPERM))


def renumbered(_scene: Scene, patch: Patch) -> None:
    """A file has another inode number under another name."""
    KINDS["only the new name is renumbered"].play(patch)


def numbers_of_paths(_scene: Scene, patch: Patch) -> None:
    """The inode number is made of the path, and there are no second names."""
    KINDS["numbers of paths, no links"].play(patch)


def copied(_scene: Scene, patch: Patch) -> None:
    """The inode number is made of the path, and files neither get second names nor go to other folders."""
    KINDS["numbers of paths, copies"].play(patch)


_COARSE_NS = 3 * 10**9
assert 0 < MTIME_NS % _COARSE_NS <= 2 * 10**9, "the time of the frames is none that is cut"


def times_lost(scene: Scene, patch: Patch) -> None:
    """There are no second names, and a rename cuts the time, to less than it was."""
    patch.setattr(scene, "tolerance_ns", 10**9)  # until it is set again
    real = os.rename

    def instead(source: str, target: str) -> None:
        real(source, target)
        mtime_ns = os.stat(target).st_mtime_ns // _COARSE_NS * _COARSE_NS
        os.utime(target, ns=(mtime_ns, mtime_ns))

    no_hard_links(scene, patch)
    patch.setattr(os, "rename", instead)


def changed(scene: Scene, _patch: Patch) -> None:
    """The middle file has other bytes by now, of the same number and time."""
    (scene.root / name(MIDDLE)).write_bytes(CHANGED)
    os.utime(scene.root / name(MIDDLE), ns=(MTIME_NS, MTIME_NS))


@dataclass(frozen=True)
class Scenario:
    """A command on a scene: where it starts, what it calls for each file, and what is special about the disk."""

    stage: str
    run: Callable[[Database, Clock], int]
    each: tuple[Any, str]
    setting: Callable[[Scene, Patch], None] = plain


_PRUNE, _RESTORE, _PURGE = (prune, "remove_file"), (restore, "_restore_file"), (purge, "_purge_file")
SCENARIOS = {
    "prune": Scenario("decided", prune_now, _PRUNE),
    "prune, two disks": Scenario("decided", prune_now, _PRUNE, two_disks),
    "prune, no hard links": Scenario("decided", prune_now, _PRUNE, no_hard_links),
    "prune, changed file": Scenario("decided", prune_now, _PRUNE, changed),
    "prune, renumbered": Scenario("decided", prune_now, _PRUNE, renumbered),
    "prune, numbers of paths": Scenario("decided", prune_now, _PRUNE, numbers_of_paths),
    "prune, numbers of paths, copies": Scenario("decided", prune_now, _PRUNE, copied),
    "prune, times lost": Scenario("decided", prune_now, _PRUNE, times_lost),
    "prune --permanent": Scenario("decided", delete_now, _PRUNE),
    "prune --permanent, renumbered": Scenario("decided", delete_now, _PRUNE, renumbered),
    "restore": Scenario("quarantined", restore_now, _RESTORE),
    "restore, two disks": Scenario("quarantined", restore_now, _RESTORE, two_disks),
    "restore, renumbered": Scenario("quarantined", restore_now, _RESTORE, renumbered),
    "purge": Scenario("quarantined", purge_now, _PURGE),
    "purge, renumbered": Scenario("quarantined", purge_now, _PURGE, renumbered),
}


@dataclass
class Wall:
    """Counts the points that are met while the middle file is under way, and strikes at one of them."""

    strike_at: int | None = None
    fault: str = ""
    met: list[str] = field(default_factory=list)
    look: Callable[[], str] | None = None
    states: list[tuple[str, str]] = field(default_factory=list)
    files: int = 0
    under_way: bool = False

    def build(self, scenario: Scenario, patch: Patch) -> None:
        """Puts itself around the points and around the work on each file."""
        for point in points():
            where: Any = Session if point == "commit" else io_steps if hasattr(io_steps, point) else removals
            patch.setattr(where, point, self._around(point, getattr(where, point)))
        module, function = scenario.each
        patch.setattr(module, function, self._counting(getattr(module, function)))

    def _counting(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*given: Any, **more: Any) -> Any:
            self.under_way = self.files == int(MIDDLE)
            self.files += 1
            try:
                return real(*given, **more)
            finally:
                self.under_way = False

        return instead

    def _around(self, point: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*given: Any, **more: Any) -> Any:
            if not self.under_way:
                return real(*given, **more)
            self.met.append(point)
            if self.look is not None:
                return self._looking(partial(real, *given, **more), self.look)
            if not self._strikes(point):
                return real(*given, **more)
            if self.fault == "kill before":
                os.kill(os.getpid(), signal.SIGKILL)
            if self.fault != "kill after":
                raise failure(point, getattr(errno, self.fault.split()[0]))
            try:
                return real(*given, **more)
            finally:
                os.kill(os.getpid(), signal.SIGKILL)

        return instead

    def _looking(self, real: Callable[[], Any], look: Callable[[], str]) -> Any:
        before = look()
        try:
            return real()
        finally:
            self.states.append((before, look()))

    def _strikes(self, point: str) -> bool:
        if self.strike_at is None or len(self.met) <= self.strike_at:
            return False
        here = len(self.met) - 1 == self.strike_at
        return here or (self.fault.endswith("again") and self.met[self.strike_at] == point)


def failure(point: str, number: int) -> Exception:
    """What the system says at a step, or the database at a write."""
    if hasattr(io_steps, point):
        return OSError(number, os.strerror(number))
    said = sqlite3.OperationalError(os.strerror(number))
    said.sqlite_errorcode = CODES.get(number, sqlite3.SQLITE_IOERR)
    return OperationalError("", {}, said)


def run(scene: Scene, scenario: Scenario, *, start: int) -> str:
    """How a command ended."""
    try:
        with closing(scene.database):
            failed = scenario.run(scene.database, standing(start))
    except IndexerError as problem:
        return f"stopped: {problem}"
    except Exception as problem:
        return f"crashed: {problem!r}"
    return f"{failed} failed" if failed else "done"


def struck(scene: Scene, scenario: Scenario, wall: Wall, known: Known) -> dict[str, Any]:
    """How a command ended that ran into the wall, what it met, and if it lives what is left."""
    with Patch.context() as patch:
        scenario.setting(scene, patch)
        wall.build(scenario, patch)
        ended = run(scene, scenario, start=1000)
        wall.strike_at, wall.files = None, FILES
        return {"met": wall.met, "ended": ended, **afterwards(scene, scenario, known)}


def restarted(scene: Scene, scenario: Scenario, known: Known) -> dict[str, Any]:
    """What a process leaves that comes after one that was killed."""
    with Patch.context() as patch:
        if scenario.setting is not changed:
            scenario.setting(scene, patch)
        return {"ended": "killed", **afterwards(scene, scenario, known)}


def afterwards(scene: Scene, scenario: Scenario, known: Known) -> dict[str, Any]:
    """What is left after the fault, and how a second and a third run ended and what they left.

    The later runs are those of `known`, if what is left is known: the same files, rows and open files, on such a disk.
    """
    left = repr((scenario.run.__name__, scenario.setting.__name__, state(scene), open_files(scene)))
    stages = [facts(scene)]
    if left in known:
        return {"left": left, "stages": [*stages, *known[left]]}
    for start in (2000, 3000):
        stages.append({"ended": run(scene, scenario, start=start), **facts(scene)})
    return {"left": left, "stages": stages}


def undisturbed(scene: Scene, scenario: Scenario) -> dict[str, Any]:
    """The points that a command meets which nothing strikes, and the state before and after each."""
    wall = Wall(look=partial(state, scene))
    with Patch.context() as patch:
        scenario.setting(scene, patch)
        wall.build(scenario, patch)
        run(scene, scenario, start=1000)
    return {"met": wall.met, "states": wall.states}


def kills(states: Sequence[Sequence[str]]) -> set[tuple[int, str]]:
    """The number of a point and "kill before" or "kill after": one of them for each state that a command passes.

    `states`: the state before and after each point. Of several moments with one state in a row the first is taken.
    """
    moments = [
        ((number, f"kill {when}"), state)
        for number, pair in enumerate(states)
        for when, state in zip(("before", "after"), pair, strict=True)
    ]
    return {
        moment for (moment, state), (_, last) in zip(moments, [(None, None), *moments], strict=False) if state != last
    }


def strikes(scene: Scene) -> Iterator[tuple[str, int, str, str]]:
    """Scenario, number, point and fault of every trial; what two scenarios have in common is struck in the first.

    An ordinary disk meets every error at every call, and a kill in every state that the disk and the index are in.
    """
    seen, struck_at = set(), set()
    for label, scenario in SCENARIOS.items():
        scene.reset(scenario.stage)
        passed = undisturbed(scene, scenario)
        met, killed = passed["met"], kills(passed["states"])
        for number, point in enumerate(met):
            # As far as the next point, too: by then both have had the same answer at this one.
            way = (scenario.stage, scenario.run, scenario.setting is changed, number, *met[: number + 2])
            if way not in seen:
                for fault in (fault for fault in FAULTS if fault in ERRORS or (number, fault) in killed):
                    once = (scenario.run, point, fault)
                    if fault in EVERYWHERE or scenario.setting is plain or once not in struck_at:
                        struck_at.add(once)
                        yield label, number, point, fault
            seen.add(way)


def trial(scene: Scene, known: Known, strike: tuple[str, int, str, str]) -> dict[str, Any]:
    """What came of one fault at one point; the later runs are noted in `known`."""
    label, number, point, fault = strike
    scenario = SCENARIOS[label]
    scene.reset(scenario.stage)
    strike_here = partial(struck, scene, scenario, Wall(number, fault), known)
    if fault in ERRORS:
        answer = strike_here()
        gc.collect()  # a cycle with an exception in it keeps files open
    else:
        answer = in_a_fork(strike_here) or in_a_fork(partial(restarted, scene, scenario, known))
    known.setdefault(answer.pop("left"), answer["stages"][1:])
    return {"scenario": label, "number": number, "point": point, "fault": fault} | answer


def main(folder: Path) -> None:
    """Writes every trial."""
    scene, known = Scene(folder.resolve()), Known()
    make(scene)
    points()
    gc.freeze()  # a collection in a fork would copy all pages that it shares
    gc.disable()
    made = [trial(scene, known, strike) for strike in list(strikes(scene))]
    (folder / "trials.json").write_text(json.dumps(made))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
