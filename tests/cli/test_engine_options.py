"""--engine, --scheduler, --map-path: what fits together, and how a cluster's troubles end: in one sentence."""

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from indexer.cli.engine_options import EngineChoice, EngineOptions, choose_engine
from indexer.errors import UsageError
from indexer.execution.path_mapping import PathMapping
from indexer.settings import Settings
from tests.cli.test_interrupts import known_images, members, started, within
from tests.support.clusters import Cluster
from tests.support.clusters import started as cluster_started
from tests.support.command import Run, draw

__all__ = ["started"]

Start = Callable[..., "subprocess.Popen[str]"]
FRAMES = 150
PLAIN = Settings("indexer.db", 3)
AT = "tcp://10.0.0.1:8786"


@pytest.fixture
def big_lot(own_home: Path) -> Path:
    """A folder of frames, enough for a cluster to be lost in."""
    first = draw(own_home / "lot" / "gate_2026_03_01__00_00_00.png", size=(1200, 1600))
    for number in range(1, FRAMES):
        shutil.copy(first, first.with_name(f"gate_2026_03_01__{number // 60:02d}_{number % 60:02d}_00.png"))
    return first.parent


@pytest.mark.parametrize(
    ("asked", "settings", "expected"),
    [
        (EngineOptions(None), PLAIN, EngineChoice(3, False, None, PathMapping())),
        (EngineOptions(2, "dask"), PLAIN, EngineChoice(2, True, None, PathMapping())),
        (EngineOptions(None, None, "10.0.0.1:8786"), PLAIN, EngineChoice(3, True, AT, PathMapping())),
        (EngineOptions(None), Settings("", 3, scheduler=AT), EngineChoice(3, True, AT, PathMapping())),
        (
            EngineOptions(1, "processes"),
            Settings("", 3, engine="dask", scheduler=AT),
            EngineChoice(1, False, None, PathMapping()),
        ),
        (EngineOptions(None, "dask", AT, ("/a=/b",)), PLAIN, EngineChoice(3, True, AT, PathMapping((("/a", "/b"),)))),
    ],
)
def test_who_does_the_work(asked: EngineOptions, settings: Settings, expected: EngineChoice) -> None:
    """What is typed outranks the surroundings, and an address alone chooses the cluster."""
    assert choose_engine(asked, settings) == expected


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (EngineOptions(None, "spark"), "--engine is 'spark'; give processes or dask"),
        (EngineOptions(None, "processes", AT), "--scheduler is for a cluster; add --engine dask, or leave it out"),
        (
            EngineOptions(None, None, None, ("/a=/b",)),
            "--map-path is for a cluster; add --engine dask, or leave it out",
        ),
        (
            EngineOptions(2, "dask", AT),
            f"--processes is for workers started here, and {AT} has workers of its own; leave one of the two out",
        ),
        (
            EngineOptions(None, "dask", "tcp://here"),
            "'tcp://here' is not the address of a scheduler; give one such as " + AT,
        ),
    ],
)
def test_words_that_do_not_fit(asked: EngineOptions, words: str) -> None:
    """What makes no sense together is refused, with what to type instead."""
    with pytest.raises(UsageError) as problem:
        choose_engine(asked, PLAIN)
    assert str(problem.value) == words


def test_without_dask(lot: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Dask is not installed one sentence says how it comes."""
    monkeypatch.delitem(sys.modules, "indexer.execution.dask_cluster", raising=False)
    monkeypatch.setitem(sys.modules, "distributed", None)
    answer = run("ingest", lot, "--engine", "dask")
    assert (answer.code, answer.sentence) == (1, "indexer: Dask is not installed; type pip install distributed")


def test_a_cluster_of_this_machine(decided: Path, own_home: Path, started: Start) -> None:
    """Without an address workers are started here, find what processes find, say nothing, and end with the command."""
    for words in (["ingest", decided], ["compare"]):
        process = started("--db", "other.db", *words, "--engine", "dask", "--processes", 2)
        assert (process.communicate(timeout=120)[1], process.returncode) == ("", 0)
        assert within(60, lambda group=process.pid: members(group) == [])
    query = "SELECT path, verdict, keeper_path, score FROM audit_decisions ORDER BY path"
    with closing(sqlite3.connect("indexer.db")) as one, closing(sqlite3.connect("other.db")) as other:
        assert one.execute(query).fetchall() == other.execute(query).fetchall() != []


def test_no_scheduler(lot: Path, started: Start) -> None:
    """A scheduler that cannot be reached ends the run with one sentence."""
    pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    process = started("ingest", lot, "--scheduler", "127.0.0.1:9")
    err = process.communicate(timeout=60)[1]
    assert (process.returncode, err.count("\n")) == (1, 1)
    assert err.startswith("indexer: the scheduler at tcp://127.0.0.1:9 does not answer (")


@pytest.mark.parametrize("words", [b"", b"SSH-2.0-OpenSSH_9.2p1\r\n"])
def test_something_else_than_a_scheduler(lot: Path, started: Start, words: bytes) -> None:
    """Where something else listens, silent or in words of its own, the run ends with one sentence all the same."""
    pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    with socket.create_server(("127.0.0.1", 0)) as other:
        process = started("ingest", lot, "--scheduler", f"127.0.0.1:{other.getsockname()[1]}")
        other.settimeout(60)
        with other.accept()[0] as talk:
            talk.sendall(words)
            err = process.communicate(timeout=60)[1]
    assert (process.returncode, err.count("\n")) == (1, 1), err
    assert err.startswith("indexer: the scheduler at tcp://127.0.0.1:")


def test_a_scheduler_that_goes_away(big_lot: Path, own_home: Path, tmp_path: Path, started: Start) -> None:
    """A scheduler that ends in the middle ends the run with one sentence, and the same command goes on later."""
    pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    (tmp_path / "first").mkdir()
    with cluster_started(tmp_path / "first") as machines:
        process = started("ingest", big_lot, "--scheduler", machines.address)
        assert within(60, lambda: known_images(own_home / "indexer.db") > 0)
        os.killpg(machines.scheduler.pid, signal.SIGKILL)
        err = process.communicate(timeout=120)[1]
    words = "the scheduler of the cluster is gone; when it is back, the same command goes on where this one ended"
    assert (process.returncode, err) == (1, f"indexer: {words}\n")
    kept = known_images(own_home / "indexer.db")
    rest, _ = started("ingest", big_lot, "--processes", 2).communicate(timeout=120)
    assert rest.startswith(f"{FRAMES} files seen: {FRAMES - kept} added, {kept} unchanged.")


def test_interrupted(big_lot: Path, own_home: Path, dask_cluster: Cluster, started: Start) -> None:
    """Ctrl-C ends the run at once with 130 and one sentence; nothing of it stays on the cluster, which goes on."""
    process = started("ingest", big_lot, "--scheduler", dask_cluster.address)
    assert within(60, lambda: known_images(own_home / "indexer.db") > 0)
    os.killpg(process.pid, signal.SIGINT)
    err = process.communicate(timeout=60)[1]
    assert (process.returncode, err.count("\n")) == (130, 1)
    assert within(60, lambda: dask_cluster.tasks() == 0)
    kept = known_images(own_home / "indexer.db")
    process = started("ingest", big_lot, "--scheduler", dask_cluster.address)
    assert process.communicate(timeout=120)[0].startswith(
        f"{FRAMES} files seen: {FRAMES - kept} added, {kept} unchanged."
    )
