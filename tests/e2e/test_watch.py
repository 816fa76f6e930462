"""The command `watch` in a process of its own: how it ends, what it tells, and what a kill leaves."""

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from indexer.store.schema import open_database
from indexer.workflows.runs.run import open_run, record_run
from tests.support.apart import rows, started, until
from tests.support.command import Run, draw

SHORT = ("--every", "0.2", "--settle", "0.3", "--grace", "2")
READY = "SELECT COUNT(*) FROM audit_decisions WHERE state = 'ready' AND verdict IS NOT NULL"


@contextmanager
def watching(folder: Path, *words: str, **more: Any) -> Iterator["subprocess.Popen[str]"]:
    """A watch of the folder `cams` at work, which is killed at the end if it has not ended."""
    (folder / "cams").mkdir(exist_ok=True)
    open_database(str(folder / "i.db"), create=True).close()
    with started("--db", "i.db", "watch", "cams", *SHORT, "--processes", 1, *words, folder=folder, **more) as process:
        yield process


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_in_order(tmp_path: Path, number: int, code: int) -> None:
    """SIGTERM ends a watch with exit code 0, Ctrl-C with 130; what came before is in the index, and the run is done."""
    with watching(tmp_path, "--no-compare") as process:
        draw(tmp_path / "cams" / "gate_2026_03_01__12_00_00.png")
        until(lambda: rows(tmp_path / "i.db", "SELECT COUNT(*) FROM images") == [(1,)])
        process.send_signal(number)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (code, "")
    assert out == "1 file taken in: 1 added; 0 images were decided.\n"
    assert rows(tmp_path / "i.db", "SELECT command, outcome FROM runs") == [("watch", "done")]


def test_the_service_manager_gets_states(tmp_path: Path) -> None:
    """A watch that systemd started says that it is ready, also while another command has the index; that it is alive,
    and what it did."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(60)
        with ExitStack() as stack:
            other = stack.enter_context(closing(open_database(str(tmp_path / "i.db"), create=True)))
            with record_run(other, "prune", arguments={}, clock=partial(datetime.now, UTC)):
                stack.enter_context(watching(tmp_path, "--no-compare", env={"NOTIFY_SOCKET": str(tmp_path / "notify")}))
                states = [manager.recv(1000).decode()]
            draw(tmp_path / "cams" / "gate_2026_03_01__12_00_00.png")
            while not {"STATUS=1 file taken in, 0 waiting", "WATCHDOG=1"} <= set(states):
                states.append(manager.recv(1000).decode())
    assert states[0] == "READY=1"


def test_a_kill_loses_nothing(tmp_path: Path) -> None:
    """After a kill at any time the next watch takes in and decides the rest, each file once."""
    pictures = [draw(tmp_path / "new" / f"gate_2026_03_01__12_{n:02}_00.png", cars=[n % 5]) for n in range(20)]
    with watching(tmp_path):
        for path in pictures:
            path.rename(tmp_path / "cams" / path.name)
            time.sleep(0.02)
        until(lambda: rows(tmp_path / "i.db", READY)[0][0] > 0)
    with watching(tmp_path):
        until(lambda: rows(tmp_path / "i.db", READY) == [(20,)])
    assert rows(tmp_path / "i.db", "SELECT COUNT(*), COUNT(DISTINCT path) FROM images") == [(20, 20)]


def test_another_watch_of_a_folder_is_named(tmp_path: Path, run: Run) -> None:
    """A watch of a part of what another one watches says so, and works; one of another folder says nothing."""
    (tmp_path / "cams" / "gate").mkdir(parents=True)
    (tmp_path / "other").mkdir()
    clock, arguments = partial(datetime.now, UTC), {"paths": [str((tmp_path / "cams").resolve())]}
    with (
        closing(open_database(str(tmp_path / "i.db"), create=True)) as other,
        open_run(other, "watch", arguments=arguments, clock=clock, by_camera=True),
    ):
        overlapping = run("--db", tmp_path / "i.db", "watch", tmp_path / "cams" / "gate", "--once")
        apart = run("--db", tmp_path / "i.db", "watch", tmp_path / "other", "--once")
    assert (overlapping.code, apart.code, apart.err) == (0, 0, "")
    assert overlapping.err.startswith("indexer: another watch is at work on ")


def test_a_file_and_a_folder_that_is_missing_are_refused(tmp_path: Path, run: Run) -> None:
    """Only folders that are there can be watched, and the grace time is not shorter than the settle time."""
    picture = draw(tmp_path / "a.png")
    assert run("watch", picture).sentence.endswith("is a file; name folders, or take it in with ingest")
    assert run("watch", tmp_path / "nowhere").code == 1
    (tmp_path / ".hidden").mkdir()
    assert run("watch", tmp_path, tmp_path / ".hidden").sentence.endswith("watch it by a command of its own")
    assert run("watch", tmp_path, "--settle", 5, "--grace", 1).code == 2
