"""Review servers in processes of their own, killed at random while verdicts are sent to them."""

import http.client
import itertools
import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.command import command
from tests.support.index import BIRD, name, picture

START_S = 60


@dataclass
class ReviewProcess:
    """A server in a process of its own, and a client that has its cookie."""

    process: "subprocess.Popen[str]"
    port: int
    cookie: str

    def post(self, path: str, body: Any) -> Any:
        """What the server answers; raises `OSError` or `HTTPException` if it does not."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as connection:
            headers = {
                "Origin": f"http://127.0.0.1:{self.port}",
                "Content-Type": "application/json",
                "X-Indexer": "1",
                "Cookie": self.cookie,
            }
            connection.request("POST", path, json.dumps(body), headers)
            answer = connection.getresponse()
            self.cookie = (answer.getheader("Set-Cookie") or self.cookie).split(";")[0]
            document = json.loads(answer.read())
            assert answer.status == 200, document
            return document


@contextmanager
def review_process(folder: Path, *words: str) -> Iterator[ReviewProcess]:
    """A server of the index in a folder, killed at the end of the block if it still runs."""
    words = ("review", "--no-open", "--port", "0", "--by", "Ada", "--processes", "1", *words)
    process = subprocess.Popen(command(*words), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("http://127.0.0.1:"), (line, process.stderr and process.stderr.read())
        address, _, token = line.strip().partition("/#t=")
        server = ReviewProcess(process, int(address.rpartition(":")[2]), "")
        server.post("/enter", {"token": token})
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)
        process.communicate()


def make_compared(folder: Path, *, images: int) -> None:
    """An index in a folder: so many images of one camera, and two of another that a session has to show."""
    (folder / "lot").mkdir()
    for minute in range(images):
        (folder / "lot" / name(minute)).write_bytes(picture(*((BIRD,) if minute % 2 else ()), stamp=minute))
    for minute, marks in enumerate([(), (BIRD,)]):
        (folder / "lot" / name(minute, "yard")).write_bytes(picture(*marks))
    for words in (("ingest", "lot"), ("compare",)):
        subprocess.run(command(*words), cwd=folder, check=True, capture_output=True)


def all_changes(index: Path, count: int) -> list[dict[str, Any]]:
    """Verdicts on so many pairs of the images of the first camera, as a page sends them."""
    query = "SELECT images.id, content_hash FROM images JOIN cameras ON cameras.id = camera_id WHERE name = 'gate'"
    with closing(sqlite3.connect(index)) as connection:
        images = connection.execute(f"{query} ORDER BY images.id").fetchall()
    pairs = itertools.islice(itertools.combinations(images, 2), count)
    return [
        {
            "pair": [a, b],
            "hashes": [hash_a, hash_b],
            "before": None,
            "after": {"verdict": ("same", "different")[(a + b) % 2], "by": "Ada", "note": None},
        }
        for (a, hash_a), (b, hash_b) in pairs
    ]


def send_with_kills(folder: Path, changes: Sequence[dict[str, Any]], *, kills: int, seed: int) -> int:
    """Sends changes one after the other, each again until it is answered, to servers of which so many are killed.

    Returns how many of them were killed while they had a request.
    """
    chance, todo, within = random.Random(seed), list(changes), 0
    for number in range(kills + 1):
        with review_process(folder) as server:
            timer = threading.Timer(chance.uniform(0.05, 0.8), server.process.kill)
            if number < kills:
                timer.start()
            while todo:
                try:
                    assert server.post("/verdict", {"changes": [todo[0]]})["state"] in {"recorded", "waiting"}
                except (OSError, http.client.HTTPException):
                    within += 1
                    break
                todo.pop(0)
            timer.cancel()
            if number == kills or not todo:
                server.process.send_signal(signal.SIGINT)
                assert server.process.wait(START_S) == 0
    assert todo == []
    return within


def rows_of(folder: Path) -> list[tuple[Any, ...]]:
    """Every verdict of the index in a folder, withdrawn ones too."""
    with closing(sqlite3.connect(folder / "indexer.db")) as connection:
        query = "SELECT image_a_id, image_b_id, verdict, judged_by FROM verdicts ORDER BY 1, 2"
        return connection.execute(query).fetchall()
