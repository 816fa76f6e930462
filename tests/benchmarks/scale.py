"""How long commands take on an index of a million images, and on one of 50 000 with real thumbnails, on SQLite and on
PostgreSQL.

`command` is the whole command, from the start of its process to its end; `inside` the same work in this process, from
the opening of the index. Of each there are the best of the rounds from start to end, and the median of the seconds on
the processor, those of the server included: it counts them for all its databases, so nothing else may ask it. Both
indexes are made of rows alone (`tests.benchmarks.rows`) and go to PostgreSQL by `db copy`; one camera has files on the
disk, as large as its rows say and with nothing in them: what is known is not opened. PostgreSQL is that of
`INDEXER_TEST_POSTGRES`; without it, SQLite is measured alone.
"""

import os
import re
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from itertools import islice
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np

from indexer.imaging.thumbnails import encode
from indexer.store import audit_queries
from indexer.store.database import Database
from indexer.store.query_result import QueryResult
from indexer.store.schema import open_database
from indexer.workflows.admin import copy_index, status
from indexer.workflows.removal import prune
from indexer.workflows.review import explain
from tests.benchmarks import rows
from tests.benchmarks.cameras import Camera, Painter
from tests.benchmarks.filling import fill_index
from tests.benchmarks.measuring import ROOT, manage, processor_s_with_ended, rounded, tree_of
from tests.support import databases
from tests.support.databases import SERVER, Server

_DRAWN = 200  # real thumbnails, taken in turn
_CAMERA = 9  # the one with files on the disk; of 20 cameras it has 1.9 % of the images
_QUALITY = (cv2.IMWRITE_JPEG_QUALITY, 90)
MANY = "1 000 000 images"
"""The name of the larger index, whatever its size is."""
_LONG_S = 5.0  # what takes longer is asked once

Question = tuple[Sequence[str], Callable[[Database], object]]
"""A command's words, and its work."""


def measure(
    folder: Path, *, images: int = 1_000_000, real: int = 50_000, fresh: int = 100, rounds: int = 3, every: int = 1
) -> dict[str, Any]:
    """Seconds of every command on both indexes and both databases; of the questions only each `every`-th is asked.

    An index of 0 images is left out.
    """
    drawn = drawn_thumbnails(folder / "drawn.db", height=960)
    flat = encode(np.full((240, 320), 128, np.uint8))
    mean_kb = sum(map(len, drawn)) / len(drawn) / 1000
    sizes = {
        MANY: (images, [flat]),
        f"{real:,} images with thumbnails of {mean_kb:.0f} kB".replace(",", " "): (real, drawn),
    }
    found = {
        f"{name}: {question}": seconds
        for name, (count, thumbnails) in sizes.items()
        if count
        for question, seconds in _measure(
            folder / f"{count}", count, thumbnails, fresh=fresh, rounds=rounds, every=every
        ).items()
    }
    asked = [taken for name, taken in found.items() if re.match(f"{MANY}: (explain|audit) ", name)]
    keys = [key for key in next(iter(asked), {}) if key.endswith("command_processor_s")]
    slowest = {key: max(taken[key] for taken in asked) for key in keys}
    return found | ({f"{MANY}: the slowest of these": slowest} if slowest else {})


def _measure(
    folder: Path, count: int, thumbnails: Sequence[bytes], *, fresh: int, rounds: int, every: int
) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    folder.mkdir()
    tree, index = folder / "frames", folder / "index.db"
    rows.fill_rows(index, count, thumbnails=thumbnails, folder=str(tree), height=960)
    _write_known(tree, count)
    with _places(index) as places:
        for kind, (place, reader) in places.items():
            for question, taken in _ask_all(place, reader, folder, count, rounds=rounds, every=every):
                found.setdefault(question, {}).update({f"{kind} {way}_s": taken[way] for way in taken})
            for question, seconds in _take_in(place, folder, tree, partial(_write_new, tree, count, fresh)):
                found.setdefault(question, {})[f"{kind} command_s"] = seconds
    return found


@contextmanager
def _places(index: Path) -> Iterator[dict[str, tuple[str, str]]]:
    """The index on SQLite, and a copy of it on the server if there is one: as its owner, and as who only reads it."""
    on_sqlite = (str(index), str(index))
    if not SERVER:
        yield {"SQLite": on_sqlite}
        return
    with closing(Server(SERVER)) as server:
        place = server.place(index.parent)
        copy_index.copy(str(index), place, clock=lambda: datetime.now(UTC))
        with closing(open_database(place)) as database, closing(server.reader(database)) as reader:
            asking = reader.url.render_as_string(hide_password=False)
        yield {"SQLite": on_sqlite, "PostgreSQL": (place, asking)}


def _ask_all(
    place: str, reader: str, folder: Path, count: int, *, rounds: int, every: int
) -> Iterator[tuple[str, dict[str, float]]]:
    """Each question with the best time of its command and of its work."""
    for name, (words, act) in islice(_questions(count).items(), 0, None, every):
        asked = reader if "--sql" in words else place
        ways: Mapping[str, Callable[[], object]] = {
            "command": partial(manage, "--db", asked, *words, folder=folder, fails=words[0] == "prune"),
            "inside": partial(_inside, asked, act),
        }
        seconds: dict[str, list[float]] = {key: [] for way in ways for key in (way, f"{way}_processor")}
        for number in range(rounds):
            if number and seconds["command"][0] > _LONG_S:
                break
            for way, ask in ways.items():
                begin, begin_processor = time.perf_counter(), _processor_s(place)
                ask()
                seconds[way].append(time.perf_counter() - begin)
                seconds[f"{way}_processor"].append(_processor_s(place) - begin_processor)
        yield (
            name,
            {
                key: rounded(median(taken) if key.endswith("_processor") else min(taken))
                for key, taken in seconds.items()
            },
        )


def _processor_s(place: str) -> float:
    """Seconds on the processor: of this process, of all that it started and that ended, and of the server."""
    own = [resource.getrusage(whose) for whose in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    server = [] if "://" not in place else tree_of(_server_process(place))
    return sum(usage.ru_utime + usage.ru_stime for usage in own) + sum(map(processor_s_with_ended, server))


@cache
def _server_process(place: str) -> int:
    """The process of a server on this machine that starts the others."""
    with closing(open_database(place)) as database:
        ((backend,),) = databases.rows(database, "SELECT pg_backend_pid()")
        return int(Path(f"/proc/{backend}/stat").read_text().rpartition(")")[2].split()[1])


def _inside(place: str, act: Callable[[Database], object]) -> None:
    with closing(open_database(place)) as database:
        answer = act(database)
        if isinstance(answer, QueryResult):
            answer.close()


def _questions(count: int) -> dict[str, Question]:
    """What only reads: a kept image, a duplicate, the pair of both, every ready-made audit, the documented queries."""
    kept, duplicate = str(count // 2), str(count // 2 + 1)
    asked: dict[str, Question] = {
        "status": (["status"], status.status),
        "explain A": (["explain", duplicate], lambda index: explain.explain_image(index, duplicate)),
        "explain A B": (["explain", kept, duplicate], lambda index: explain.explain_pair(index, kept, duplicate)),
    }
    for audit in audit_queries.list_audits():
        given = {"image": duplicate} if audit.name == "history" else {}
        words = [f"{name}={value}" for name, value in given.items()]
        work = partial(audit_queries.run_audit, name=audit.name, parameters=given)
        asked[f"audit {audit.name}"] = (["audit", audit.name, *words], work)
    one_camera = {"camera": f"c{_CAMERA:02}"}
    work = partial(audit_queries.run_audit, name="twins", parameters=one_camera)
    asked["audit twins camera=…"] = (["audit", "twins", f"camera={one_camera['camera']}"], work)
    page = (ROOT / "docs" / "audits.md").read_text()
    queries = re.findall(r"^```sql\n(.*?)^```$", page, flags=re.DOTALL | re.MULTILINE)
    for number, query in enumerate(queries, start=1):
        asked[f"README query {number}"] = (["audit", "--sql", query], partial(audit_queries.run_sql, sql=query))
    return asked | {"prune --dry-run": (["prune", "--dry-run"], prune.plan)}


def _take_in(place: str, folder: Path, tree: Path, write_new: Callable[[], list[Path]]) -> Iterator[tuple[str, float]]:
    """Seconds of taking in and deciding new files among many known ones; each once, as it changes the index."""
    camera = f"c{_CAMERA:02}"
    manage("--db", place, "compare", "--camera", camera, folder=folder)  # until now its decisions were made up
    new = write_new()
    for name, words in (
        (f"ingest of {len(new)} new files among many known", ("ingest", tree / camera)),
        ("ingest again, nothing new", ("ingest", tree / camera)),
        (f"compare of these {len(new)}", ("compare", "--camera", camera)),
    ):
        yield name, rounded(manage("--db", place, *words, folder=folder).seconds)
    for path in new:
        path.unlink()


def _write_known(tree: Path, count: int) -> None:
    """The files of one camera, as large as the index says, with nothing in them."""
    (tree / f"c{_CAMERA:02}").mkdir(parents=True)
    for capture in rows.captures(_CAMERA, rows.sizes(count, 20)[_CAMERA]):
        if rows.state_of(capture) in {"ready", "unreadable"}:
            path = rows.path_of(capture, folder=str(tree))
            with open(path, "wb") as file:  # noqa: PTH123 - many
                file.truncate(rows.SIZE_BYTES)
            os.utime(path, ns=(rows.mtime_ns_of(capture),) * 2)


def _write_new(tree: Path, count: int, fresh: int) -> list[Path]:
    """So many frames of the camera, a minute apart, after all others; every twentieth shows something new."""
    painter = Painter(Camera(frames=fresh, height=960, fresh=0.05))
    first = rows.FIRST + timedelta(days=366)
    written = []
    for number in range(fresh):
        capture = rows.Capture(first + timedelta(minutes=number), _CAMERA, count + number, True)
        path = Path(rows.path_of(capture, folder=str(tree)))
        path.write_bytes(cv2.imencode(".jpg", painter.frame(number), _QUALITY)[1].tobytes())
        written.append(path)
    return written


def drawn_thumbnails(path: Path, *, height: int = 720) -> list[bytes]:
    """Thumbnails as frames 1280 wide and so high have them."""
    fill_index(path, [Camera(frames=_DRAWN, height=height)])
    with closing(open_database(str(path))) as database:
        return [data for (data,) in databases.rows(database, "SELECT data FROM thumbnails ORDER BY image_id")]
