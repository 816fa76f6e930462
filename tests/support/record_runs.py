"""The command `record` in processes of its own, and what must hold after it was killed again and again."""

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

from indexer.store.database import Database, parse_database
from indexer.store.schema import open_database
from tests.support import databases
from tests.support.apart import rows, started, until
from tests.support.live_cameras import RtspServer, WebCamera, pipeline, rtsp_server, scene, web_camera
from tests.support.recordings import require_accounted

OPTIONS = ("--frames", "frames", "--every", "0.2", "--min-free", "0", "--max-per-minute", "1000")
_SHOWN = ("cmdline", "environ")
"""What `ps` shows of a process."""


@contextmanager
def recording(
    folder: Path, camera: WebCamera, *words: str, others: Mapping[str, str] | None = None, **more: Any
) -> Iterator["subprocess.Popen[str]"]:
    """A record of a camera, `gate`, and of `others` at work, from a file with passwords; killed at the end if it has
    not ended."""
    sources = folder / "cameras.conf"
    lines = {"gate": camera.address("stream"), **(others or {})}
    sources.write_text("".join(["# cameras\n", *(f"{name} = {address}\n" for name, address in lines.items())]))
    sources.chmod(0o600)
    open_database(str(folder / "i.db"), create=True).close()
    words = ("--db", "i.db", "record", "--sources", "cameras.conf", *OPTIONS, *words)
    with started(*words, folder=folder, **more) as process:
        yield process


def count(folder: Path, sql: str) -> int:
    """The number that a query answers."""
    return int(rows(folder / "i.db", sql)[0][0])


def accounted(folder: Path) -> None:
    """All that must hold afterwards."""
    with closing(Database(parse_database(str(folder / "i.db")))) as database:
        require_accounted(partial(databases.rows, database), folder / "frames")


def made_in(folder: Path) -> list[str]:
    """The files and folders in a folder, but for the home of the tests."""
    return sorted(path.name for path in folder.iterdir() if path.name != "home")


def readers_of(folder: Path) -> list[int]:
    """The processes at work in a folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                is_here = os.readlink(entry / "cwd") == str(folder)
                state = (entry / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:
                continue
            found += [int(entry.name)] if is_here and state != "Z" else []
    return found


def require_no_loss(tmp_path: Path, *, kills: int) -> None:
    """A record is killed so often; the last one ends in order, by SIGTERM to all its processes.

    All is accounted for, no process is left, and the password of the camera is nowhere.
    """
    chance = random.Random(5)
    with web_camera(rate=20.0, password="me:secret") as camera:
        for number in range(kills):
            with recording(tmp_path, camera) as process:
                until(lambda number=number: count(tmp_path, "SELECT COUNT(*) FROM recordings") > number)  # type: ignore[misc]
                camera.picture = scene(10 + 50 * (number % 5))
                time.sleep(chance.uniform(0.0, 0.8))
                process.kill()
            until(lambda: not readers_of(tmp_path))
        with recording(tmp_path, camera, "--json", start_new_session=True) as process:
            until(lambda: count(tmp_path, "SELECT COUNT(*) FROM recordings") > kills)
            shown = [Path(f"/proc/{number}/{name}").read_bytes() for number in readers_of(tmp_path) for name in _SHOWN]
            os.killpg(process.pid, signal.SIGTERM)
            out, err = process.communicate(timeout=60)
    document = json.loads(out)
    assert (process.returncode, err, document["ended_by"]) == (0, "", "SIGTERM")
    assert [source["camera"] for source in document["sources"]] == ["gate"]
    until(lambda: not readers_of(tmp_path))
    assert len(shown) >= 2 * len(_SHOWN)
    assert b"secret" not in b"".join([out.encode(), *shown, (tmp_path / "i.db").read_bytes()])
    accounted(tmp_path)
    because = rows(tmp_path / "i.db", "SELECT ended_because FROM recordings ORDER BY id")
    assert because == [("cut_off",)] * kills + [("stopped",)]
    assert count(tmp_path, "SELECT COUNT(*) FROM spans WHERE reason = 'gap'") == kills


def require_no_loss_of_any(tmp_path: Path, *, kills: int, seed: int) -> dict[str, int]:
    """A record, a process that it started, or the server of its cameras is killed so often, at random.

    The last record ends in order, and all is accounted for. Returns how often each of them was killed.
    """
    chance, killed = random.Random(seed), dict.fromkeys(("record", "process", "server"), 0)
    streams = {"ball": pipeline(), "still": pipeline("pinwheel")}
    with web_camera(rate=20.0) as camera, rtsp_server(streams) as server:
        others = {name: server.address(name) for name in streams}
        while sum(killed.values()) < kills:
            with recording(tmp_path, camera, others=others, stdout=subprocess.DEVNULL, stderr=None) as process:
                before = count(tmp_path, "SELECT COUNT(*) FROM recordings")
                until(lambda before=before: count(tmp_path, "SELECT COUNT(*) FROM recordings") > before)  # type: ignore[misc]
                while process.poll() is None:
                    camera.picture = scene(10 + 50 * chance.randrange(5))
                    time.sleep(chance.uniform(0.05, 4.0))
                    _kill_one(tmp_path, process, server, chance=chance, killed=killed)
                assert process.returncode == -signal.SIGKILL
            until(lambda: not readers_of(tmp_path))
        with recording(tmp_path, camera, others=others) as process:
            last = count(tmp_path, "SELECT MAX(id) FROM recordings")
            going = f"SELECT COUNT(DISTINCT camera_id) FROM recordings WHERE ended_at IS NULL AND id > {last}"
            until(lambda: count(tmp_path, going) == 3, timeout_s=180)
            process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0
    accounted(tmp_path)
    until(lambda: not readers_of(tmp_path))
    return killed


def _kill_one(
    folder: Path, process: "subprocess.Popen[str]", server: RtspServer, *, chance: random.Random, killed: dict[str, int]
) -> None:
    victim = chance.choices(("record", "process", "server"), weights=(1, 3, 1))[0]
    started_ones = sorted(set(readers_of(folder)) - {process.pid})
    if victim == "record":
        process.kill()
        process.wait()
    elif victim == "server":
        server.signal(signal.SIGKILL)
        server.start()
    elif started_ones:
        with suppress(ProcessLookupError):
            os.kill(chance.choice(started_ones), signal.SIGKILL)
    killed[victim] += 1
