"""The command `record` in a process of its own: how it ends, what a kill leaves, clocks that step, and passwords."""

import json
import signal
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from indexer.store.database import Database, parse_database
from indexer.store.locks.writer_lock import writer_lock
from indexer.store.schema import open_database
from indexer.workflows.runs.lock_wait import LockWait
from tests.support.apart import rows, started, until
from tests.support.command import Run
from tests.support.live_cameras import scene, web_camera
from tests.support.record_runs import accounted, count, made_in, recording, require_no_loss

FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1")


def test_a_kill_loses_no_file(tmp_path: Path) -> None:
    """After a kill the next record goes on, until SIGTERM to all its processes ends it in order with exit code 0: files
    equal rows, no process and no part is left, and the password is nowhere."""
    require_no_loss(tmp_path, kills=1)
    assert rows(tmp_path / "i.db", "SELECT outcome FROM runs ORDER BY id") == [("interrupted",), ("done",)]


@pytest.mark.skipif(not FAKETIME.exists(), reason="there is no libfaketime; apt-get install faketime")
def test_a_clock_that_steps(tmp_path: Path) -> None:
    """Forward an hour, and back: the recording ends, and the next one has the new time. Ctrl-C ends it in order, with
    exit code 130."""
    clock = tmp_path / "clock"
    clock.write_text("+0")
    fake = {
        "LD_PRELOAD": str(FAKETIME),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }
    with web_camera() as camera, recording(tmp_path, camera, "--duration", "30s", env=fake) as process:
        until(lambda: count(tmp_path, "SELECT COALESCE(SUM(frames_read), 0) FROM recordings") >= 3)
        for number, step in enumerate(("+3600", "+0"), start=2):
            clock.write_text(step)
            until(lambda number=number: count(tmp_path, "SELECT COUNT(*) FROM recordings") == number)  # type: ignore[misc]
            camera.picture = scene(60 * number)
            until(lambda number=number: count(tmp_path, "SELECT COUNT(*) FROM images") == number)  # type: ignore[misc]
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
        assert process.returncode == 130
    accounted(tmp_path)
    ended = rows(tmp_path / "i.db", "SELECT ended_because, SUBSTR(detail, 1, 41) FROM recordings ORDER BY id")
    assert ended == [
        ("clock", "the clock of the machine went forward by "),
        ("clock", "the clock of the machine went back by 360"),
        ("stopped", "the command ended"),
    ]
    told = "SELECT length_s, SUBSTR(detail, 1, 35) FROM audit_spans WHERE reason = 'gap' ORDER BY span_id"
    gaps = rows(tmp_path / "i.db", told)
    assert gaps == [(0.0, "the clock of the machine went forwa"), (0.0, "the clock of the machine went back ")]
    ((hours,),) = rows(tmp_path / "i.db", "SELECT MAX(length_s) FROM audit_recordings")
    assert hours < 600, "no recording goes across a step"


def test_a_sources_file_that_others_may_read(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a password it is refused before anything is made; without one it is taken."""
    monkeypatch.chdir(tmp_path)
    sources = tmp_path / "cameras.conf"
    sources.write_text("gate = rtsp://me:secret@127.0.0.1:1/x\n")
    sources.chmod(0o640)
    answer = run("record", "--sources", "cameras.conf", "--frames", "frames", "--duration", "1s")
    assert answer.code == 1
    assert "chmod 600" in answer.err
    assert "secret" not in answer.err + answer.out
    assert made_in(tmp_path) == ["cameras.conf"]
    sources.write_text("gate = rtsp://127.0.0.1:1/x\n")
    answer = run("record", "--sources", "cameras.conf", "--frames", "frames", "--duration", "0.2s")
    assert (answer.code, "camera 'gate': no frame came" in answer.out + answer.err) == (1, True)
    assert f"Recording 1 camera into {tmp_path / 'frames'}." in answer.out


def test_sources_of_the_configuration(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a source on the command line, those of indexer.toml are recorded into its folder for frames.

    At the end another command has the index: the exit code is 1, the frames without rows are counted, and have files.
    """
    monkeypatch.chdir(tmp_path)
    file, stored = tmp_path / "indexer.toml", tmp_path / "stored"
    with web_camera(password="me:secret") as camera, ExitStack() as stack:
        source = camera.address("stream")
        file.write_text(f'index = "i.db"\nframes = "stored"\n[[record]]\ncamera = "gate"\nsource = "{source}"\n')
        file.chmod(0o640)
        answer = run("record", "--duration", "1s")
        assert (answer.code, "chmod 600" in answer.err, "secret" in answer.err) == (1, True, False)
        file.chmod(0o600)
        open_database(str(tmp_path / "i.db"), create=True).close()
        words = ("record", "--min-free", "0", "--every", "0.2", "--json")
        process = stack.enter_context(started(*words, folder=tmp_path))
        until(lambda: count(tmp_path, "SELECT COUNT(*) FROM images") == 1)
        assert rows(tmp_path / "i.db", "SELECT name FROM cameras") == [("gate",)]
        database = stack.enter_context(closing(Database(parse_database(str(tmp_path / "i.db")))))
        lock = partial(writer_lock, database, command="prune", since=datetime.now(UTC), by_camera=False)
        LockWait(30.0, 30.0, pauses_s=(0.001,)).enter(stack, lock)
        camera.picture = scene(60)
        until(lambda: len(list(stored.rglob("*.jpg"))) == 2)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["unwritten"], "secret" in out + err) == (1, 1, False)
    assert len(list((stored / "gate").rglob("*.jpg"))) == 2
    assert [path.name for path in stored.iterdir()] == ["gate"]


def test_no_folder_for_frames(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a folder for frames it says how to name one."""
    monkeypatch.chdir(tmp_path)
    answer = run("record", "gate=rtsp://127.0.0.1:1/x")
    assert (answer.code, "--frames FOLDER" in answer.err) == (2, True)


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ((), "no source"),
        (("gate=rtsp://me:secret@127.0.0.1:port/x",), "not a valid URL"),
        (("gate=video.mp4",), "ingest"),
        (("gate=rtsp://127.0.0.1/x", "--min-free", "much"), "--min-free"),
        (("gate=rtsp://127.0.0.1/x", "--duration", "0s"), "--duration"),
        (("gate=rtsp://127.0.0.1/x", "--transport", "http"), "--transport"),
        (("gate=rtsp://127.0.0.1/x", "--every", "0"), "--every"),
    ],
)
def test_usage(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], problem: str) -> None:
    """What cannot be meant is refused, with what to type; nothing is made."""
    monkeypatch.chdir(tmp_path)
    answer = run("record", *words, "--frames", "frames")
    assert (answer.code, problem in answer.err) == (2, True), answer
    assert "secret" not in answer.err
    assert made_in(tmp_path) == []
