"""What every test may lean on: sample data if it is there, a home of its own, and an index made by the migrations."""

import gc
import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import hypothesis
import pytest
from sqlalchemy import Connection, Engine, event

from indexer.store import schema
from indexer.store.database import Database
from indexer.store.transfer import new_index
from tests.support.clusters import Cluster, started
from tests.support.databases import (
    POSTGRESQL,
    REVERSED,
    SERVER,
    SERVER_OR_SKIP,
    SQLITE,
    Files,
    Maker,
    ReplayedMigrations,
    Server,
    on_both,
)
from tests.support.file_order import longest_first
from tests.support.further_cases import list_further_cases

hypothesis.settings.register_profile("suite", suppress_health_check=[hypothesis.HealthCheck.too_slow], deadline=None)
hypothesis.settings.load_profile("suite")  # a machine that is busy is no fault of a test
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options of this test suite."""
    parser.addoption("--update-docs", action="store_true", help="write what differs into the pages of docs/")


def pytest_configure() -> None:
    """What is compiled is kept, whatever the environment says: hundreds of processes are started, and each would
    compile what it imports. No library reports the tests to its makers."""
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # tests load onnxruntime themselves


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Ctrl-C reaches this process and those it starts, also where the suite was started deaf to it, in background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What is played once for many tests is not listed among the indexes that the person used, either."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("INDEXER_STATE", str(tmp_path_factory.mktemp("state") / "indexer"))
        yield


@pytest.fixture(scope="session", autouse=True)
def unsynced() -> Iterator[None]:
    """Nothing that this process writes waits for a disk, sixty times a test on SQLite: no test takes the power away."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda descriptor: os.fstat(descriptor) and None)
        event.listen(Engine, "engine_connect", _leave_unsynced)
        yield
        event.remove(Engine, "engine_connect", _leave_unsynced)


def _leave_unsynced(connection: Connection) -> None:
    pooled = connection.connection
    if isinstance(pooled.dbapi_connection, sqlite3.Connection) and "unsynced" not in pooled.info:
        pooled.info["unsynced"] = True
        with suppress(sqlite3.Error):  # of a damaged database, which the test itself will meet
            pooled.dbapi_connection.execute("PRAGMA synchronous = OFF")


@pytest.fixture(scope="session", autouse=True)
def reversed_rows() -> Iterator[None]:
    """On request SQLite gives the tool rows the other way round where it asks for no order: who relies on one fails."""
    if not REVERSED:
        yield
        return
    event.listen(Engine, "engine_connect", _reverse_rows)
    yield
    event.remove(Engine, "engine_connect", _reverse_rows)


def _reverse_rows(connection: Connection) -> None:
    pooled = connection.connection
    if isinstance(pooled.dbapi_connection, sqlite3.Connection) and "reversed" not in pooled.info:
        pooled.info["reversed"] = True
        with suppress(sqlite3.Error):  # of a damaged database, which the test itself will meet
            pooled.dbapi_connection.execute("PRAGMA reverse_unordered_selects = ON")


@pytest.fixture(scope="session", autouse=True)
def replayed_migrations() -> Iterator[None]:
    """A new index is made by what the migrations did for the first one of this process."""
    with pytest.MonkeyPatch.context() as patch:
        replayed = ReplayedMigrations(schema.migrate)
        patch.setattr(schema, "migrate", replayed)
        patch.setattr(new_index, "migrate", replayed)
        yield


@pytest.fixture
def shared_data() -> Path:
    """The folder of real frames beside the project; the test skips, visibly, without it."""
    if not SHARED.is_dir():
        pytest.skip("needs the sample data (../shared/data), which is not here")
    return SHARED


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """No test writes into the folder it was started from, or reads the person's settings."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("INDEXER_STATE", str(tmp_path / "state"))
    for name in (
        "INDEXER_DB",
        "INDEXER_CONFIG",
        "INDEXER_PROCESSES",
        "INDEXER_ENGINE",
        "INDEXER_SCHEDULER",
        "INDEXER_MAX_PIXELS",
        "INDEXER_MAX_BYTES",
        "INDEXER_READER_PASSWORD",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(home)
    return home


@pytest.hookimpl(tryfirst=True)  # before tests are chosen by their marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Among several processes long files come first; in a single one the order stays as it is.

    A test of a workflow with several cases on both databases runs one of them on PostgreSQL; the others are drills.
    """
    files = [item.path.relative_to(Path(__file__).parent).as_posix() for item in items]
    workflows = [item for item, file in zip(items, files, strict=True) if file.startswith("workflows/")]
    for number in list_further_cases([(item.nodeid.partition("[")[0], _kind(item)) for item in workflows]):
        workflows[number].add_marker(pytest.mark.drill)
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = [items[number] for number in longest_first(files)]


def _kind(item: pytest.Item) -> str | None:
    """The database that a test runs on; None if it uses none, or one of each kind."""
    parameters = item.callspec.params if hasattr(item, "callspec") else {}
    return None if "other_maker" in parameters else parameters.get("maker")


def pytest_collection_finish() -> None:
    """What all tests share is not searched for garbage again and again: a sixth of the time of a test on SQLite."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What rests on a database runs on both in the store's and the workflows' tests; elsewhere on SQLite."""
    package = metafunc.definition.path.relative_to(Path(__file__).parent).parts[0]
    chosen = any(mark.args[0] == "maker" for mark in metafunc.definition.iter_markers("parametrize"))
    if package in {"store", "workflows"} and "maker" in metafunc.fixturenames and not chosen:
        metafunc.parametrize(*on_both.args, **on_both.kwargs)


@pytest.fixture(scope="session")
def makers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Maker]]:
    """Gives the maker of a kind, which is made once: a fixture with a parameter is made again for every file."""
    made: dict[str, Maker] = {}

    def get(kind: str) -> Maker:
        if kind not in made:
            made[kind] = Server(SERVER) if kind == POSTGRESQL else Files(tmp_path_factory.mktemp("databases"))
        return made[kind]

    yield get
    for maker in made.values():
        maker.close()


@pytest.fixture(scope="session")
def maker(request: pytest.FixtureRequest, makers: Callable[[str], Maker]) -> Maker:
    """Makes empty indexes, migrated once, on SQLite or on PostgreSQL."""
    return makers(getattr(request, "param", SQLITE))


@pytest.fixture(scope="session")
def migrated_file(makers: Callable[[str], Maker]) -> Path:
    """The file of an empty index, made once by the migrations; tests copy it."""
    made = makers(SQLITE)
    assert isinstance(made, Files)
    return made.template


@pytest.fixture(scope="session")
def dask_cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A scheduler and two workers, for all tests that need no others; they skip, visibly, without Dask."""
    pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    settings = {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "1"}  # a few seconds for each death
    with started(tmp_path_factory.mktemp("cluster"), settings=settings) as cluster:
        yield cluster


@pytest.fixture
def database(maker: Maker, tmp_path: Path) -> Iterator[Database]:
    """An empty index of the test's own."""
    opened = maker.new(tmp_path)
    yield opened
    maker.drop(opened)


@pytest.fixture
def reader(maker: Maker, database: Database) -> Iterator[Database]:
    """The test's own index, opened by who may only read."""
    opened = maker.reader(database)
    yield opened
    opened.close()


@pytest.fixture(scope="session", params=[SQLITE, SERVER_OR_SKIP])
def other_maker(request: pytest.FixtureRequest, makers: Callable[[str], Maker]) -> Maker:
    """The same again, for tests with two indexes, each of either kind."""
    return makers(request.param)


class Clock:
    """A clock that ticks a second each time it is asked."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The next second."""
        self.now += timedelta(seconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    """A clock of the test's own."""
    return Clock()
