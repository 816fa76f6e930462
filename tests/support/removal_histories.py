"""Random histories of files that several indexes remove, and an oracle that asks of every content ever removed.

    python removal_histories.py SCRATCH FIRST_SEED HISTORIES STEPS     # prints a line per history that lost something

Two indexes work on the same folder. They prune into the default quarantine, into others and for good, restore (with
pins, held back, or neither), rescue, purge, adopt, forget and shrink; they are restored from backups, made anew, cut
off at any step of `indexer.files.io_steps`, and their lock files are deleted. A person adds, copies and moves files,
pins, ingests the folder above, renames a folder and tells both indexes, one or none (`relocate`), and says that a
quarantine is gone. Where mounts are allowed the folder has a second name, a bind mount, that reports another device now
and then, as an overlay does.

The oracle: a content that the tool removed is there itself, or one that the journal of any index ever named as its
keeper lies outside of all quarantines. A person destroys nothing in these histories, and takes no file away from the
tree whose record names it: a record is looked for above a file, so nothing stands for what was carried off.
"""

import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import event

from indexer.domain.descriptions import Limits
from indexer.errors import IndexerError
from indexer.execution import local_executor
from indexer.files import io_steps
from indexer.files.markers import QUARANTINE_NAME, is_quarantine
from indexer.store import schema
from indexer.store.database import Database
from indexer.store.schema import open_database
from indexer.workflows.admin import forget, shrink
from indexer.workflows.admin.camera import confirm_camera
from indexer.workflows.compare import compare
from indexer.workflows.context import ComparisonContext, no_progress
from indexer.workflows.ingest import ingest
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.removal import adopt, prune, purge, recover, relocate, rescue, restore
from indexer.workflows.removal.remove_file import RemovalOptions
from indexer.workflows.review import pin
from tests.support.databases import ReplayedMigrations
from tests.support.index import BIRD, CAR, SECOND_BIRD, THIRD_BIRD, name, picture
from tests.support.own_files import OWN_FILES
from tests.support.removal_scene import ticking

NAMES = [*(f"{folder}{name(minute)}" for folder in ("", "day/", "night/") for minute in range(6)), "latest.png"]
_FOLDERS = ("frames", "photos")
_FSYNC = os.fsync


class Cut(BaseException):
    """The end of the process, as far as the code under test can tell."""


@cache
def contents() -> tuple[bytes, ...]:
    """Pictures of one place; the later ones are preferred, as they are larger, and like some of the earlier ones."""
    small = [picture(stamp=stamp) for stamp in range(4)]
    small += [picture(BIRD, stamp=stamp) for stamp in range(3)]
    small += [picture(BIRD, SECOND_BIRD), picture(BIRD, SECOND_BIRD, THIRD_BIRD), picture(CAR), picture(CAR, stamp=1)]
    return (*small, picture(height=128, width=192), picture(BIRD, height=128, width=192))


@dataclass
class World:
    """A folder of frames in `site`, its mirror if there is one, two indexes and what the oracle remembers."""

    home: Path
    rng: random.Random
    mirror: bool
    clock: Callable[[], Any]
    witnesses: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    backups: dict[str, bytes] = field(default_factory=dict)
    opened: dict[str, Database] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=lambda: {"site": "frames", "far": "frames"})

    @property
    def site(self) -> Path:
        return self.home / "site"

    @property
    def frames(self) -> Path:
        return self.site / self.names["site"]

    def index(self, label: str) -> Database:
        """One of the indexes, opened if need be."""
        if label not in self.opened:
            path = self.home / label / "indexer.db"
            path.parent.mkdir(exist_ok=True)
            self.opened[label] = open_database(str(path), create=True)
            engine_of = self.opened[label].engine
            engine_of.dispose()
            event.listen(engine_of, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))
        return self.opened[label]

    def close(self, label: str) -> Path:
        """Lets go of an index; its file."""
        if label in self.opened:
            self.opened.pop(label).close()
        return self.home / label / "indexer.db"

    @property
    def far(self) -> Path:
        """A second folder of frames, in a tree of its own."""
        return self.home / "far" / self.names["far"]

    def free_name(self) -> Path:
        """Where a file may be put."""
        return (self.far if self.rng.random() < 0.25 else self.frames) / self.rng.choice(NAMES)

    def tree(self, path: Path) -> Path:
        """The tree that a file is in."""
        far = self.home / "far"
        return far if path.is_relative_to(far) else self.site

    def files(self) -> Iterator[Path]:
        """Every image outside of quarantines, by its own name and not by the mirror's."""
        for tree in (self.site, self.home / "far"):
            for folder in _FOLDERS:  # a restore may have made the one anew that was renamed
                yield from _images(tree / folder, quarantined=False)

    def quarantines(self) -> list[Path]:
        """The folders that files are removed to."""
        found = [self.site / QUARANTINE_NAME, self.home / "bin", self.site / "bin"]
        found += [self.site / folder / QUARANTINE_NAME for folder in _FOLDERS]
        found += [self.home / "far" / QUARANTINE_NAME]
        return [folder for folder in found if folder.is_dir()]


def _images(folder: Path, *, quarantined: bool) -> Iterator[Path]:
    for inside, folders, files in os.walk(folder):
        folders.sort()  # a history must not depend on the disk
        if not quarantined:
            folders[:] = [one for one in folders if not is_quarantine(os.path.join(inside, one))]
        yield from (Path(inside, file) for file in sorted(files) if file not in OWN_FILES)


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lost(world: World) -> list[str]:
    """The contents that were removed, are nowhere, and have no witness in its place."""
    for label in ("a", "b"):
        path = world.home / label / "indexer.db"
        if path.exists():
            with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.OperationalError):
                query = "SELECT content_hash, keeper_hash FROM removals WHERE state <> 'failed'"
                for removed, keeper in connection.execute(query):
                    world.witnesses[removed].add(keeper)
    home = {_hash(path) for path in world.files()}
    for removed in home & world.witnesses.keys():
        del world.witnesses[removed]
    there = home | {
        _hash(path) for folder in (world.site, world.home / "bin", world.home / "far") for path in _all(world, folder)
    }
    return [removed for removed, keepers in world.witnesses.items() if removed not in there and not keepers & home]


def _all(world: World, folder: Path) -> Iterator[Path]:
    mirror = f"{world.site}/mirror"
    return (path for path in _images(folder, quarantined=True) if not str(path).startswith(mirror))


# --- what can happen


def put(world: World) -> None:
    """Some new files, or new pictures of names whose own are elsewhere in their tree too."""
    for _ in range(world.rng.randrange(1, 5)):
        path, data = world.free_name(), world.rng.choice(contents())
        if path.exists():
            others = [_hash(other) for other in world.files() if world.tree(other) == world.tree(path)]
            if others.count(_hash(path)) < 2:
                continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)  # not into it: it may have a second name
        path.write_bytes(data)


def copy(world: World) -> None:
    """A copy of a file at a free name, with its time or a new one, or a hard link of it."""
    files, target = list(world.files()), world.free_name()
    if files and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        world.rng.choice([shutil.copy2, shutil.copyfile, os.link])(world.rng.choice(files), target)


def move(world: World) -> None:
    """A file gets another name in its tree."""
    target = world.free_name()
    files = [path for path in world.files() if world.tree(path) == world.tree(target)]
    if files and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        world.rng.choice(files).rename(target)


def decide(world: World) -> None:
    """ingest and compare of the folder, of the one above, or of its second name."""
    _decide(world, world.rng.choice("ab"))


def _decide(world: World, label: str) -> None:
    database = world.index(label)
    paths = [world.frames] * 6 + [world.frames / "day"] + [world.site / "mirror" if world.mirror else world.site]
    path = world.rng.choice(paths)
    chosen = [str(path if path.is_dir() else world.frames)]
    if world.far.is_dir() and world.rng.random() < 0.4:
        chosen = [*chosen, str(world.far)] if world.rng.random() < 0.7 else [str(world.far)]
    camera = world.rng.choice(["gate", "gate", "other"]) if path.name == "mirror" else None
    profile = world.rng.choice([None, None, None, "plain", "balanced"])
    with local_executor(1) as spread:
        for _ in range(2):  # what is held back at first is confirmed
            found = discover(chosen, camera=camera)
            report = ingest.ingest(database, found, executor=spread, limits=Limits(), clock=world.clock)
            if not report.names.held:
                break
            for held in report.names.held:
                confirm_camera(database, held.camera, clock=world.clock)
        means = ComparisonContext(database, spread, Limits(), world.clock, no_progress)
        compare.compare(means, profile=profile)


def remove(world: World) -> None:
    """prune, by any of its ways, most often of what was just decided."""
    label = world.rng.choice("ab")
    if world.rng.random() < 0.6:
        _decide(world, label)
    database = world.index(label)
    quarantine = world.rng.choice([None, None, str(world.home / "bin"), str(world.site / "bin")])
    included = world.rng.random() < 0.5
    manner = RemovalOptions(world.rng.random() < 0.4, quarantine, 1.0, include_restored=included)
    shown = prune.plan(database, max_share=1.0, include_restored=included)
    prune.prune(database, shown, options=manner, camera=None, clock=world.clock)


def bring_back(world: World) -> None:
    """restore of everything, of what would be kept, or of one file: with pins, held back, or neither."""
    database = world.index(world.rng.choice("ab"))
    with database.read() as session:
        waiting = [removal.path for removal in restore.removals.list_quarantined(session)]
    if waiting:
        everything, would_keep = world.rng.choice([(True, False), (True, False), (False, True), (False, False)])
        paths = () if everything or would_keep else (world.rng.choice(waiting),)
        wanted = restore.RestoreSelection(everything=everything, names=paths, would_keep=would_keep)
        pinned, hold = world.rng.choice([(True, False), (False, True), (False, False)])
        restore.restore(database, wanted, pin=pinned, hold=hold, clock=world.clock)


def free(world: World) -> None:
    """purge of everything."""
    purge.purge(world.index(world.rng.choice("ab")), purge.PurgeSelection(), clock=world.clock)


def close_gone(world: World) -> None:
    """A person says that the quarantines that are not there are gone."""
    gone = purge.PurgeSelection(gone=True)
    purge.close_gone(world.index(world.rng.choice("ab")), gone, clock=world.clock)


def rename_folder(world: World) -> None:
    """A person renames a folder of frames, and tells both indexes, one or none."""
    tree = world.rng.choice(["far"] if world.mirror else ["site", "site", "far"])
    old = world.frames if tree == "site" else world.far
    new = old.with_name("photos" if old.name == "frames" else "frames")
    if old.is_dir() and not new.exists():
        old.rename(new)
        world.names[tree] = new.name
        for label in world.rng.choice(["ab", "ba", "a", "b", ""]):
            relocate.relocate(world.index(label), str(old), str(new), clock=world.clock)


def drop_from_index(world: World) -> None:
    """An index forgets a folder, a file or a camera."""
    files = list(world.files())
    folders = [world.frames, world.frames / "day", *(world.rng.choices(files) if files else [])]
    by_camera = world.rng.random() < 0.3
    scope = forget.parse_scope(
        None if by_camera else str(world.rng.choice(folders)), camera="gate" if by_camera else None
    )
    forget.forget(world.index(world.rng.choice("ab")), scope, clock=world.clock)


def free_pictures(world: World) -> None:
    """An index frees the pictures of all that was removed."""
    shrink.shrink(world.index(world.rng.choice("ab")), removed_before=world.clock(), clock=world.clock)


def save(world: World) -> None:
    """rescue of a quarantine."""
    if folders := world.quarantines():
        rescue.rescue(str(world.rng.choice(folders)), below=str(world.home))


def take_in(world: World) -> None:
    """db adopt of a quarantine."""
    if folders := world.quarantines():
        adopt.adopt(world.index(world.rng.choice("ab")), str(world.rng.choice(folders)), clock=world.clock)


def back_up(world: World) -> None:
    """A backup of an index."""
    label = world.rng.choice("ab")
    path = world.close(label)
    if path.exists():
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        world.backups[label] = path.read_bytes()


def restore_backup(world: World) -> None:
    """The backup takes the place of the index, or of the other one."""
    if world.backups:
        label = world.rng.choice(sorted(world.backups))
        path = world.close(world.rng.choice([label, label, "a", "b"]))
        world.close("a")
        world.close("b")
        path.parent.mkdir(exist_ok=True)
        for suffix in ("-wal", "-shm"):
            Path(f"{path}{suffix}").unlink(missing_ok=True)
        path.write_bytes(world.backups[label])


def start_anew(world: World) -> None:
    """An index is lost."""
    shutil.rmtree(world.close(world.rng.choice("ab")).parent, ignore_errors=True)


def pin_one(world: World) -> None:
    """A person pins, or unpins, a file."""
    files = list(world.files())
    is_pin = world.rng.random() < 0.5
    if files:
        database, names = world.index(world.rng.choice("ab")), [str(world.rng.choice(files))]
        if is_pin:
            pin.pin(database, names, clock=world.clock)
        else:
            pin.unpin(database, pin.parse_unpin(names), clock=world.clock)


def recover_all(world: World) -> None:
    """recover."""
    recover.recover(world.index(world.rng.choice("ab")), nobody_else=world.rng.random() < 0.2, clock=world.clock)


def unlock(world: World) -> None:
    """Somebody deletes lock files."""
    for lock in [*world.home.glob("[ab]/indexer.db.lock"), *(folder / "lock" for folder in world.quarantines())]:
        lock.unlink(missing_ok=True)


ACTS: list[tuple[Callable[[World], None], int]] = [
    (put, 12),
    (copy, 4),
    (move, 4),
    (decide, 10),
    (remove, 22),
    (bring_back, 5),
    (free, 5),
    (save, 3),
    (take_in, 3),
    (back_up, 3),
    (restore_backup, 3),
    (start_anew, 1),
    (pin_one, 3),
    (recover_all, 2),
    (unlock, 1),
    (close_gone, 2),
    (rename_folder, 4),
    (drop_from_index, 3),
    (free_pictures, 1),
]


@contextmanager
def cut_off(rng: random.Random) -> Iterator[None]:
    """Ends what happens within the block at some step, before or after it; from then on no step touches the disk."""
    left, after = rng.randrange(1, 60), rng.random() < 0.5
    real = {
        point: getattr(io_steps, point)
        for point in dir(io_steps)
        if callable(getattr(io_steps, point)) and point[0] != "_"
    }

    def around(call: Callable[..., Any]) -> Callable[..., Any]:
        def instead(*given: Any, **more: Any) -> Any:
            nonlocal left
            left -= 1
            if left < 0 or (left == 0 and not after):
                raise Cut
            found = call(*given, **more)
            if left == 0:
                raise Cut
            return found

        return instead

    for point, call in real.items():
        setattr(io_steps, point, around(call))
    try:
        yield
    except Cut:
        pass
    finally:
        for point, call in real.items():
            setattr(io_steps, point, call)


@contextmanager
def other_device(mirror: Path) -> Iterator[None]:
    """What lies below the mirror reports another device, as behind an overlay, or a disk that is mounted twice."""
    real_lstat, real_stat, real_fstat = os.lstat, os.stat, os.fstat
    prefix = f"{mirror}/"

    def changed(status: os.stat_result) -> os.stat_result:
        values = list(status)
        values[2] = 987_654
        extra = {name: getattr(status, name) for name in ("st_atime_ns", "st_mtime_ns", "st_ctime_ns")}
        return os.stat_result(values, extra)

    def is_mirrored(path: Any) -> bool:
        if isinstance(path, str) and path.startswith("/proc/self/fd/"):  # a name in a folder that is open
            descriptor, _, inside = path.removeprefix("/proc/self/fd/").partition("/")
            path = f"{os.readlink(f'/proc/self/fd/{descriptor}')}/{inside}"
        return isinstance(path, str) and path.startswith(prefix)

    def lstat(path: Any, **more: Any) -> os.stat_result:
        found = real_lstat(path, **more)
        return changed(found) if is_mirrored(path) else found

    def stat(path: Any, **more: Any) -> os.stat_result:
        found = real_stat(path, **more)
        return changed(found) if is_mirrored(path) else found

    def fstat(descriptor: int) -> os.stat_result:
        found = real_fstat(descriptor)
        return changed(found) if is_mirrored(os.readlink(f"/proc/self/fd/{descriptor}")) else found

    os.lstat, os.stat, os.fstat = lstat, stat, fstat
    try:
        yield
    finally:
        os.lstat, os.stat, os.fstat = real_lstat, real_stat, real_fstat


def live(world: World, number_of_steps: int) -> list[str]:
    """Lives a history; what was lost first, and after which acts, if anything was."""
    acts, weights = zip(*ACTS, strict=True)
    for _ in range(number_of_steps):
        act = world.rng.choices(acts, weights)[0]
        cut = world.rng.random() < 0.12
        doubled = world.mirror and world.rng.random() < 0.3
        world.said.append(f"{act.__name__}{', cut' * cut}{', other device' * doubled}")
        ending = cut_off(world.rng) if cut else nullcontext()
        seeing = other_device(world.site / "mirror") if doubled else nullcontext()
        try:
            with ending, seeing:
                act(world)
        except IndexerError as problem:
            world.said[-1] += f" ({problem})"
        except Exception as problem:
            return [f"crashed with {problem!r} after: {'; '.join(world.said)}"]
        if cut:
            world.close("a")
            world.close("b")
        if gone := lost(world):
            return [f"lost {gone} after: {'; '.join(world.said)}"]
    return []


@contextmanager
def mirrored(folder: Path) -> Iterator[bool]:
    """Whether `site/mirror` is a bind mount of `site/frames`, until the block ends."""
    frames, mirror = folder / "site" / "frames", folder / "site" / "mirror"
    for made in (frames, mirror):
        made.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["mount", "--bind", frames, mirror], capture_output=True, check=False)
    try:
        yield done.returncode == 0
    finally:
        if done.returncode == 0:
            subprocess.run(["umount", "-l", mirror], check=True)  # a cut may have left a descriptor open


def clear(folder: Path) -> None:
    """Empties a world but for its mount."""
    frames = folder / "site" / "frames"
    if (renamed := folder / "site" / "photos").is_dir():
        shutil.rmtree(frames, ignore_errors=True)  # that a restore or a rescue made anew
        renamed.rename(frames)
    for path in folder.iterdir():
        if path.name != "site":
            shutil.rmtree(path)
    for path in [*(folder / "site").iterdir(), *(folder / "site" / "frames").iterdir()]:
        if path.name not in {"frames", "mirror"}:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def run(folder: Path, *, first_seed: int, histories: int, number_of_steps: int) -> tuple[list[str], int]:
    """What was lost in histories of consecutive seeds, each told with its seed; the number of removals."""
    folder.mkdir(parents=True, exist_ok=True)
    told, removals = [], 0
    os.fsync = lambda _descriptor: None  # type: ignore[assignment]
    try:
        with mirrored(folder) as mirror:
            for seed in range(first_seed, first_seed + histories):
                clear(folder)
                world = World(folder.resolve(), random.Random(seed), mirror and seed % 4 == 0, ticking(0))
                for what in live(world, number_of_steps):
                    told.append(f"seed {seed}: {what}")
                    sys.stdout.write(f"{told[-1]}\n")
                    sys.stdout.flush()
                for label in "ab":
                    removals += _count_removals(world.close(label))
                if (seed - first_seed + 1) % 100 == 0:
                    sys.stdout.write(f"seeds {first_seed} to {seed}: {removals} removals, {len(told)} losses\n")
                    sys.stdout.flush()
    finally:
        os.fsync = _FSYNC
    return told, removals


def _count_removals(path: Path) -> int:
    if not path.exists():
        return 0
    with closing(sqlite3.connect(path)) as connection, suppress(sqlite3.OperationalError):
        return int(connection.execute("SELECT COUNT(*) FROM removals WHERE state <> 'failed'").fetchone()[0])
    return 0


if __name__ == "__main__":
    schema.migrate = ReplayedMigrations(schema.migrate)
    seed, number, length = map(int, sys.argv[2:5])
    losses, removed = run(Path(sys.argv[1]), first_seed=seed, histories=number, number_of_steps=length)
    sys.stdout.write(
        f"{number} histories of {length} steps from seed {seed}: {removed} removals, {len(losses)} losses\n"
    )
    sys.exit(bool(losses))
