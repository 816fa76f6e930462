"""An index with a folder of frames beside it, worked through the workflows alone and read back with plain SQL."""

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from copy import copy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.domain.descriptions import Limits
from indexer.domain.removal import Plan
from indexer.domain.verdicts import VerdictValue
from indexer.execution import ParallelMap, local_executor
from indexer.store.database import Database
from indexer.store.schema import open_database
from indexer.store.tables import Base
from indexer.workflows.admin.profile import make_profile
from indexer.workflows.compare.compare import CompareReport, compare
from indexer.workflows.context import Clock, ComparisonContext, Progress, no_progress
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.ingest import ingest
from indexer.workflows.ingest.outcomes import IngestReport
from indexer.workflows.removal.prune import PruneReport, plan, prune
from indexer.workflows.removal.purge import PurgeReport, PurgeSelection, purge
from indexer.workflows.removal.remove_file import RemovalOptions
from indexer.workflows.removal.restore import RestoreReport, parse_selection, restore
from indexer.workflows.review.pin import PinReport, parse_unpin, pin, unpin
from indexer.workflows.review.verdict import VerdictReport, set_verdict, undo_verdict
from tests.support import databases
from tests.support.databases import Maker
from tests.support.own_files import OWN_FILES

NOON_MS = 1_623_844_800_000
_MTIME_NS = 1_600_000_000_000_000_000

Mark = tuple[int, int, int, int]
"""A square on a picture: left, top and side in pixels of a 96 x 64 frame, and grey levels added."""

CAR: Mark = (40, 30, 14, 90)
"""Beyond the record limit of both built-in profiles."""
BIKE: Mark = (70, 40, 6, 90)
"""Beyond the limit, within the record limit."""
BIRD: Mark = (20, 40, 2, 90)
"""Too small to count."""
SECOND_BIRD: Mark = (23, 40, 2, 90)
"""Beside the first: one bird is similar to none and to two, but two are not similar to none."""
THIRD_BIRD: Mark = (26, 40, 2, 90)
GHOST: Mark = (40, 30, 14, 35)
"""Seen by `balanced`, not by `plain`."""


class Ticking:
    """A clock that ticks a second each time it is asked."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The next second."""
        self.now += timedelta(seconds=1)
        return self.now


def picture(*marks: Mark, height: int = 64, width: int = 96, stamp: int = 0) -> bytes:
    """A tiny PNG of one place with squares on it; another `stamp` gives other bytes and shows the same."""
    image = np.random.default_rng(7).integers(96, 104, (64, 96)).astype(np.float64)
    for left, top, side, levels in marks:
        image[top : top + side, left : left + side] += levels
    image = cv2.resize(image, (width, height), interpolation=cv2.INTER_NEAREST)
    image[0, 0] = 96 + stamp  # under the mask
    return cv2.imencode(".png", image.astype(np.uint8))[1].tobytes()


def noise(*, height: int = 64, width: int = 64, seed: int = 0) -> NDArray[np.uint8]:
    """A picture without any meaning: (height, width), uint8."""
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def name(minute: float, camera: str = "gate", suffix: str = "png") -> str:
    """A file name of the original data set's first form."""
    return f"{camera}-{NOON_MS + round(minute * 60_000)}.{suffix}"


@dataclass
class Index:
    """An index and a folder of frames; every verb of the tool with few words."""

    database: Database
    folder: Path
    clock: Clock = field(default_factory=Ticking)
    writes: int = 0

    def __post_init__(self) -> None:
        self.folder = self.folder.resolve()  # as ingest stores it

    def put(self, file: str, content: bytes, *, mtime_s: int | None = None) -> Path:
        """Writes a file below the folder; every writing has a modification time of its own."""
        path = self.folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.writes += 1
        mtime_ns = _MTIME_NS + (self.writes if mtime_s is None else mtime_s) * 1_000_000_000
        os.utime(path, ns=(mtime_ns, mtime_ns))
        return path

    def ingest(
        self, *paths: Path | str, spread: ParallelMap | None = None, progress: Progress = no_progress, **how: Any
    ) -> IngestReport:
        """Takes in the named paths, else the folder."""
        found = discover([str(path) for path in paths or (self.folder,)], **how)
        with _engine(spread) as chosen:
            return ingest(self.database, found, executor=chosen, limits=Limits(), clock=self.clock, progress=progress)

    def compare(
        self, *, spread: ParallelMap | None = None, progress: Progress = no_progress, live: bool = False, **how: Any
    ) -> CompareReport:
        """Decides what is new."""
        with _engine(spread) as chosen:
            return compare(ComparisonContext(self.database, chosen, Limits(), self.clock, progress, live), **how)

    def plan(self, **how: Any) -> Plan:
        """What prune would take away."""
        return plan(self.database, **how)

    def prune(
        self, shown: Plan | None = None, *, camera: str | None = None, permanent: bool = False, **how: Any
    ) -> PruneReport:
        """Takes away what is planned now, or was shown before."""
        chosen = self.plan(camera=camera) if shown is None else shown
        return prune(self.database, chosen, options=RemovalOptions(permanent, **how), camera=camera, clock=self.clock)

    def restore(self, *paths: Path | str, run_id: int | None = None, pin: bool = True) -> RestoreReport:
        """Brings back what is named, else everything."""
        everything = not paths and run_id is None
        wanted = parse_selection([str(path) for path in paths], everything=everything, run_id=run_id)
        return restore(self.database, wanted, pin=pin, clock=self.clock)

    def undo_run(self, run_id: int | None = None) -> RestoreReport:
        """Undoes a run, or all: the files are held back."""
        wanted = parse_selection([], everything=run_id is None, run_id=run_id)
        return restore(self.database, wanted, pin=False, hold=True, clock=self.clock)

    def restore_would_keep(self) -> RestoreReport:
        """Brings back what the profile in force would have kept."""
        wanted = parse_selection([], everything=False, run_id=None, would_keep=True)
        return restore(self.database, wanted, pin=False, hold=True, clock=self.clock)

    def purge(self, older_than_days: float | None = None) -> PurgeReport:
        """Deletes what lies in quarantine."""
        return purge(self.database, PurgeSelection(older_than_days=older_than_days), clock=self.clock)

    def pin(self, *files: str) -> PinReport:
        """Pins files of the folder."""
        return pin(self.database, [str(self.folder / file) for file in files], clock=self.clock)

    def unpin(self, *files: str) -> PinReport:
        """Takes pins back."""
        return unpin(self.database, parse_unpin([str(self.folder / file) for file in files]), clock=self.clock)

    def judge(
        self, file_a: str, file_b: str, verdict: VerdictValue, *, by: str = "Ada", note: str | None = None
    ) -> VerdictReport:
        """Says what two files of the folder show."""
        names = (str(self.folder / file) for file in (file_a, file_b))
        return set_verdict(self.database, *names, verdict, by=by, note=note, clock=self.clock)

    def undo(self, file_a: str, file_b: str) -> VerdictReport:
        """Takes back what was said of two files."""
        names = (str(self.folder / file) for file in (file_a, file_b))
        return undo_verdict(self.database, *names, clock=self.clock)

    def make_profile(self, profile: str, *, base: str = "balanced", **changes: Any) -> None:
        """Makes a profile."""
        make_profile(self.database, profile, base=base, changes=changes, clock=self.clock)

    def rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query answers, asked past the tool."""
        return databases.rows(self.database, sql, *values)

    def execute(self, sql: str, *values: Any) -> None:
        """Changes the database past the tool."""
        databases.execute(self.database, sql, *values)

    def states(self) -> list[tuple[str, str, str | None]]:
        """File, state and reason of every image row, oldest first."""
        found = self.rows("SELECT path, state, state_reason FROM images ORDER BY id")
        return [(self.file(path), state, reason) for path, state, reason in found]

    def decisions(self) -> dict[str, tuple[str, str | None, float | None]]:
        """Verdict, keeper and score of every ready image that is decided, by file."""
        found = self.rows("SELECT path, verdict, keeper_path, score FROM audit_decisions WHERE state = 'ready'")
        return {
            self.file(path): (verdict, keeper and self.file(keeper), score) for path, verdict, keeper, score in found
        }

    def evidence(self, scoring: str = "balanced") -> dict[frozenset[str], tuple[float, float, int, float]]:
        """The recorded evidence by pair of files."""
        found = self.rows(
            "SELECT image_a_path, image_b_path, score, largest_contour, contour_count, changed_fraction "
            "FROM audit_scores WHERE scoring = ?",
            scoring,
        )
        return {frozenset((self.file(path_a), self.file(path_b))): tuple(rest) for path_a, path_b, *rest in found}

    def removals(self) -> list[tuple[str, str]]:
        """File and state of every row of the journal, oldest first."""
        found = self.rows("SELECT removal.path, removal.state FROM removals AS removal ORDER BY removal.id")
        return [(self.file(path), state) for path, state in found]

    def dump(self, *, without: tuple[str, ...] = ()) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table but the identity, which no two indexes share. Columns are as in the models."""
        columns = {
            name: ", ".join(f'"{column.name}"' for column in table.c) for name, table in Base.metadata.tables.items()
        }
        return {
            table: sorted(self.rows(f"SELECT {columns[table]} FROM {table}"), key=repr)
            for table in columns
            if table not in {"index_identity", *without}
        }

    def tree(self) -> dict[str, tuple[bytes, int]]:
        """Bytes and modification time of every image in the folder and the quarantine beside it."""
        site = self.folder.parent
        return {
            str(path.relative_to(site)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in site.rglob("*")
            if path.is_file() and not path.is_symlink() and path.name not in OWN_FILES
        }

    def file(self, path: str) -> str:
        """A path as it stands in the folder."""
        return os.path.relpath(path, self.folder)


def _engine(spread: ParallelMap | None) -> AbstractContextManager[ParallelMap]:
    return local_executor(1) if spread is None else _lent(spread)


@contextmanager
def _lent(spread: ParallelMap) -> Iterator[ParallelMap]:
    yield spread


@pytest.fixture
def index(database: Database, tmp_path: Path) -> Index:
    """An empty index with an empty folder."""
    folder = tmp_path / "site" / "frames"
    folder.mkdir(parents=True)
    return Index(database, folder)


@dataclass(frozen=True)
class Prepared:
    """An index as a test's fixture left it, with its site: `files` is a copy of that, `site` where it was."""

    rows: Any
    files: Path
    site: str
    clock: Clock
    writes: int


class PreparedIndexes:
    """Indexes that the fixtures of several tests fill alike: each is filled once, and copied after that."""

    def __init__(self, maker: Maker, home: Path) -> None:
        self._maker = maker
        self._home = home
        self._prepared: dict[str, Prepared] = {}

    def fill(self, index: Index, fill: Callable[[Index], object]) -> None:
        """Does to an empty index what `fill` does, which touches nothing outside of the site: folder and quarantine."""
        key, site = f"{fill.__module__}.{fill.__qualname__}", index.folder.parent
        if key not in self._prepared:
            fill(index)
            home = self._home / str(len(self._prepared))
            shutil.copytree(site, home / "files")
            kept = self._maker.snapshot(index.database, home)
            self._prepared[key] = Prepared(kept, home / "files", str(site), copy(index.clock), index.writes)
            return
        prepared = self._prepared[key]
        moved = (prepared.site, str(site))
        shutil.copytree(prepared.files, site, dirs_exist_ok=True)
        for path in (path for own in OWN_FILES for path in site.rglob(own)):
            path.write_text(path.read_text().replace(*moved))
        self._maker.restore(index.database, prepared.rows, moved=moved)
        index.clock, index.writes = copy(prepared.clock), prepared.writes


@pytest.fixture(scope="session")
def prepared_by_kind() -> dict[str, PreparedIndexes]:
    """What `prepared_indexes` gives, by the kind of the maker: made once, not again for every file."""
    return {}


@pytest.fixture(scope="session")
def prepared_indexes(
    maker: Maker, prepared_by_kind: dict[str, PreparedIndexes], tmp_path_factory: pytest.TempPathFactory
) -> PreparedIndexes:
    """The indexes that fixtures made by `prepared` share."""
    if maker.kind not in prepared_by_kind:
        prepared_by_kind[maker.kind] = PreparedIndexes(maker, tmp_path_factory.mktemp("prepared"))
    return prepared_by_kind[maker.kind]


def prepared(fill: Callable[[Index], object]) -> Any:
    """A fixture with the name of `fill`: an index of the test's own, filled by it, or copied from one that was."""

    @pytest.fixture(name=fill.__name__)
    def filled(index: Index, prepared_indexes: PreparedIndexes) -> Index:
        prepared_indexes.fill(index, fill)
        return index

    return filled


@pytest.fixture
def open_index(maker: Maker, tmp_path: Path) -> Iterator[Callable[..., Index]]:
    """Opens indexes of the test's own: new, or copies of others."""
    opened: list[Database] = []

    def make(folder: Path, *, copy_of: Database | None = None) -> Index:
        opened.append(maker.new(tmp_path) if copy_of is None else maker.copy(copy_of, tmp_path))
        return Index(opened[-1], folder)

    yield make
    for database in opened:
        maker.drop(database)


@pytest.fixture
def others(maker: Maker, tmp_path: Path) -> Iterator[Callable[..., Index]]:
    """Makes other indexes of the same folder: new ones, and copies of others as from a backup."""
    made: list[Database] = []

    def make(lot: Index, *, copy: bool = False) -> Index:
        made.append(maker.copy(lot.database, tmp_path) if copy else open_database(maker.place(tmp_path), create=True))
        return Index(made[-1], lot.folder)

    yield make
    for database in made:
        maker.drop(database)


@pytest.fixture(scope="session")
def compared_by_kind() -> dict[str, dict[str, Database]]:
    """The indexes of `compared_frames` by the kind of the maker and the stage: made once, not again for every file."""
    return {}


@pytest.fixture(scope="session")
def compared_frames(
    maker: Maker, compared_by_kind: dict[str, dict[str, Database]], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[Path, str], Database]:
    """Gives an index of the real frames after `ingest`, or after `compare` with a profile; each is made once."""
    folder = tmp_path_factory.mktemp("compared")
    made = compared_by_kind.setdefault(maker.kind, {})

    def make(frames: Path, stage: str) -> Database:
        if stage not in made:
            database = maker.new(folder) if stage == "ingest" else maker.copy(make(frames, "ingest"), folder)
            index = Index(database, frames)
            index.ingest() if stage == "ingest" else index.compare(profile=stage)
            database.close()
            made[stage] = database
        return made[stage]

    return make


@pytest.fixture
def frames_index(
    shared_data: Path, compared_frames: Callable[[Path, str], Database], open_index: Callable[..., Index]
) -> Callable[..., Index]:
    """Opens an index of the real frames after `ingest`, or after `compare` with a profile."""

    def make(stage: str) -> Index:
        frames = shared_data / "frames"
        return open_index(frames, copy_of=compared_frames(frames, stage))

    return make


_watched: list[str] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "open" and _watched is not None and isinstance(arguments[0], str | bytes):
        _watched.append(os.fsdecode(arguments[0]))


sys.addaudithook(_watch)  # every open of this process, whoever asks for it; such a hook cannot be taken out again


@pytest.fixture
def opened_images() -> Callable[[], AbstractContextManager[list[str]]]:
    """Watches which image files are opened."""

    @contextmanager
    def watch() -> Iterator[list[str]]:
        global _watched
        _watched, seen = [], []
        try:
            yield seen
        finally:
            seen += [path for path in _watched if path.endswith((".png", ".jpg"))]
            _watched = None

    return watch
