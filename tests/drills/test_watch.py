"""A watch for long: a soak, a flood, kills at random, a full disk, and a disk that is unmounted and comes back."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from indexer.store.database import Database
from indexer.store.schema import open_database
from indexer.workflows.admin.status import status
from tests.support.apart import answer, rows, shoot, started, until
from tests.support.command import command
from tests.support.databases import on_postgresql
from tests.support.mounts import small_disk
from tests.support.videos import make_video, numbered_frame

SHORT = ("--every", "0.5", "--settle", "0.5", "--grace", "5")
READY = "SELECT COUNT(*) FROM images WHERE state = 'ready'"
DECIDED = "SELECT COUNT(*) FROM audit_decisions WHERE state = 'ready' AND verdict IS NOT NULL"
UNDECIDED = "SELECT COUNT(*) FROM audit_decisions WHERE state = 'ready' AND verdict IS NULL"
TWICE = "SELECT image_id FROM decisions WHERE superseded_at IS NULL GROUP BY image_id HAVING COUNT(*) > 1"
SOAK_S = 1800.0


@contextmanager
def watching(folder: Path, *options: str, database: str = "i.db", **more: Any) -> Iterator["subprocess.Popen[str]"]:
    """A watch of the folder `cams` at work, killed at the end."""
    (folder / "cams").mkdir(exist_ok=True)
    open_database(str(folder / database), create=True).close()
    words = ("--db", database, "watch", "cams", *SHORT, "--processes", 1, *options)
    with (
        (folder / "said").open("a") as said,
        started(*words, folder=folder, stdout=subprocess.DEVNULL, stderr=said, **more) as process,
    ):
        yield process


def is_idle() -> bool:
    """Whether the machine has no more to do than it has processors: else times show how much more."""
    return os.getloadavg()[0] <= (os.cpu_count() or 1)


def fill(path: Path) -> None:
    """Writes a file until its disk is full."""
    with suppress(OSError), path.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def require_all(folder: Path, *, database: str = "i.db", suffix: str = "png") -> None:
    """Every file is in the index with the bytes that it has, ready and decided once."""
    index = folder / database
    files = {str(path.resolve()): path.read_bytes() for path in folder.rglob(f"cams/**/*.{suffix}")}
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}
    assert dict(rows(index, "SELECT path, content_hash FROM images WHERE state = 'ready'")) == hashes
    assert rows(index, "SELECT path FROM images WHERE state NOT IN ('ready', 'missing')") == []
    assert (rows(index, DECIDED), rows(index, TWICE)) == ([(len(hashes),)], [])
    assert rows(index, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.drill
def test_kills_at_random(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Thirty kills while files arrive in place, in pieces: the last watch has every file, once, whole and decided."""
    rng, kills = np.random.default_rng(22), 0
    pictures = list(shoot(tmp_path / "made", cameras=5, frames=120).glob("*.png"))
    waiting = iter(pictures)
    while kills < 30:
        with watching(tmp_path):
            end_s = time.monotonic() + rng.uniform(0.5, 6)
            while time.monotonic() < end_s:
                for path in (picture for _, picture in zip(range(2), waiting, strict=False)):
                    with (tmp_path / "cams" / path.name).open("wb", buffering=0) as file:
                        content = path.read_bytes()
                        file.write(content[:1000])
                        time.sleep(0.05)
                        file.write(content[1000:])
                time.sleep(0.05)
            kills += 1
    for path in waiting:
        shutil.copy(path, tmp_path / "cams")
    with watching(tmp_path):
        until(lambda: rows(tmp_path / "i.db", DECIDED) == [(len(pictures),)], timeout_s=300)
    require_all(tmp_path)
    record_property("kills", kills)


@pytest.mark.drill
def test_twenty_thousand_files_at_once(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """A flood that fills the kernel's queue is taken in and decided, nothing is lost, and the watch goes on."""
    made = shoot(tmp_path / "made", cameras=20, frames=1000)
    with watching(tmp_path) as process:
        until(lambda: list(tmp_path.glob("i.db.run*")), timeout_s=300)
        process.send_signal(signal.SIGSTOP)  # so that nobody reads the 40 000 reports: the queue holds 16 384
        for path in made.glob("*.png"):
            shutil.copyfile(path, tmp_path / "cams" / path.name)
        process.send_signal(signal.SIGCONT)
        until(lambda: rows(tmp_path / "i.db", DECIDED) == [(20_000,)], timeout_s=3000)
        draw_one = next(made.glob("*.png"))
        shutil.copyfile(draw_one, tmp_path / "cams" / "last_20260101_000000.png")
        until(lambda: rows(tmp_path / "i.db", DECIDED) == [(20_001,)], timeout_s=300)
    require_all(tmp_path)


@pytest.mark.drill
def test_a_full_disk(tmp_path: Path) -> None:
    """An index on a full disk of 4 MB is written again when there is space, and nothing is lost."""
    made = list(shoot(tmp_path / "made", cameras=2, frames=60).glob("*.png"))
    with small_disk(tmp_path / "disk", "4m"):
        (tmp_path / "cams").mkdir()
        index = tmp_path / "disk" / "i.db"
        open_database(str(index), create=True).close()
        filler = tmp_path / "disk" / "filler"
        words = ("--db", index, "watch", "cams", *SHORT, "--processes", 1)
        with (
            (tmp_path / "said").open("w") as said,
            started(*words, folder=tmp_path, stdout=subprocess.DEVNULL, stderr=said) as process,
        ):
            until(lambda: list(index.parent.glob("i.db.run*")))
            fill(filler)
            for path in made:
                shutil.copyfile(path, tmp_path / "cams" / path.name)
            until(lambda: "tried again" in (tmp_path / "said").read_text(), timeout_s=120)
            assert process.poll() is None
            filler.unlink()
            until(lambda: rows(index, DECIDED) == [(len(made),)], timeout_s=300)
        assert (tmp_path / "said").read_text().count("tried again") == 1
        assert rows(index, "PRAGMA integrity_check") == [("ok",)]


@pytest.mark.drill
def test_a_disk_that_is_unmounted_and_comes_back(tmp_path: Path) -> None:
    """While the watched disk is away nothing is marked missing; what is on it when it is back is taken in."""
    made = sorted(shoot(tmp_path / "made", cameras=1, frames=20).glob("*.png"))
    with watching(tmp_path):
        with small_disk(tmp_path / "cams", "20m"):
            for path in made[:10]:
                shutil.copyfile(path, tmp_path / "cams" / path.name)
            until(lambda: rows(tmp_path / "i.db", DECIDED) == [(10,)], timeout_s=120)
        time.sleep(2)
        assert rows(tmp_path / "i.db", READY) == [(10,)]
        with small_disk(tmp_path / "cams", "20m"):
            for path in made:
                shutil.copyfile(path, tmp_path / "cams" / path.name)
            until(lambda: rows(tmp_path / "i.db", DECIDED) == [(20,)], timeout_s=120)


@pytest.mark.drill
def test_stops_at_random(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Forty stops in every phase, half of them to all processes as a service manager does: each ends in order and in
    time, no run counts as cut off, and no good file is recorded as a bad one."""
    rng, took_s = np.random.default_rng(23), list[float]()
    pictures = list(shoot(tmp_path / "made", cameras=5, frames=240, size=(1080, 1920), suffix="jpg").glob("*.jpg"))
    waiting = iter(pictures)
    (tmp_path / "cams").mkdir()
    while len(took_s) < 40:
        for path in (picture for _, picture in zip(range(30), waiting, strict=False)):
            shutil.copy2(path, tmp_path / "cams")  # its old time says that nobody writes to it
        with watching(tmp_path, start_new_session=True) as process:
            until(lambda: list(tmp_path.glob("i.db.run*")), timeout_s=120)
            time.sleep(rng.uniform(0, 3))
            stop_s = time.monotonic()
            (os.killpg if len(took_s) % 2 else os.kill)(process.pid, signal.SIGTERM)
            assert process.wait(30) == 0
            took_s.append(time.monotonic() - stop_s)
    with watching(tmp_path):
        until(lambda: rows(tmp_path / "i.db", DECIDED) == [(len(pictures),)], timeout_s=300)
    require_all(tmp_path, suffix="jpg")
    assert rows(tmp_path / "i.db", "SELECT DISTINCT outcome FROM runs WHERE id <= 40") == [("done",)]
    record_property("seconds to the end: median, longest", (float(np.median(took_s)), max(took_s)))
    print(sorted(took_s))  # noqa: T201 - the figures of the drill, shown with -rP
    assert not is_idle() or max(took_s) < 10


@pytest.mark.drill
@pytest.mark.parametrize("words", [(), ("--poll",)], ids=["reported", "polled"])
def test_a_name_overwritten_every_second(tmp_path: Path, words: tuple[str, ...]) -> None:
    """A camera that writes one name again and again, in place and in pieces: its pictures are taken in, none half."""
    made = sorted(shoot(tmp_path / "made", cameras=1, frames=60).glob("*.png"))
    with watching(tmp_path, *words):
        until(lambda: list(tmp_path.glob("i.db.run*")), timeout_s=120)
        for path in made:
            content, start_s = path.read_bytes(), time.monotonic()
            with (tmp_path / "cams" / "gate.png").open("wb", buffering=0) as file:
                file.write(content[:500])
                time.sleep(0.2)
                file.write(content[500:])
            time.sleep(max(0.0, start_s + 1 - time.monotonic()))
        last = hashlib.sha256(made[-1].read_bytes()).hexdigest()
        until(lambda: rows(tmp_path / "i.db", "SELECT content_hash FROM images WHERE state = 'ready'") == [(last,)])
    hashes = {hashlib.sha256(path.read_bytes()).hexdigest() for path in made}
    taken = rows(tmp_path / "i.db", "SELECT content_hash, state_reason FROM images")
    assert {content for content, _ in taken} <= hashes
    assert {reason for _, reason in taken} <= {None, "replaced"}
    print(len(taken), "of", len(made))  # noqa: T201 - the figure of the drill, shown with -rP
    if is_idle():  # else a batch may take longer than a second, and a file is never seen at rest
        assert len(taken) >= (2 if words else 50)


@pytest.mark.drill
@pytest.mark.parametrize("words", [(), ("--poll",)], ids=["reported", "polled"])
def test_moves_between_disks(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Files and folders that are moved from another disk, which copies and deletes them, are taken in whole."""
    made = list(shoot(tmp_path / "made", cameras=10, frames=20).glob("*.png"))
    with small_disk(tmp_path / "other", "64m"), watching(tmp_path, *words):
        until(lambda: list(tmp_path.glob("i.db.run*")), timeout_s=120)
        for path in made:
            folder = tmp_path / "other" / path.stem.partition("-")[0]  # in two folders at once, a camera may be two
            folder.mkdir(exist_ok=True)
            shutil.copy2(path, folder)
        for folder in sorted((tmp_path / "other").iterdir())[::2]:
            subprocess.run(["mv", folder, tmp_path / "cams"], check=True)
        rest = [str(path) for path in (tmp_path / "other").glob("*/*.png")]
        subprocess.run(["mv", *rest, tmp_path / "cams"], check=True)
        until(lambda: rows(tmp_path / "i.db", DECIDED) == [(len(made),)], timeout_s=120)
    require_all(tmp_path)


@pytest.mark.drill
def test_a_full_disk_of_the_cameras(tmp_path: Path) -> None:
    """Files that a full disk cut off are recorded as damaged after the grace time, never as images; each is taken in
    when it was written again."""
    made = list(shoot(tmp_path / "made", cameras=2, frames=60, size=(240, 320)).glob("*.png"))
    with small_disk(tmp_path / "cams", "1m"), watching(tmp_path):
        until(lambda: list(tmp_path.glob("i.db.run*")), timeout_s=120)
        refused = []
        for path in made:
            try:
                shutil.copyfile(path, tmp_path / "cams" / path.name)
            except OSError:
                refused.append(path)
        assert refused
        cut = {str((tmp_path / "cams" / path.name).resolve()) for path in refused}
        states = "SELECT path FROM images WHERE state IN ('damaged', 'unreadable')"
        until(lambda: {path for (path,) in rows(tmp_path / "i.db", states)} == cut, timeout_s=60)
        subprocess.run(["mount", "-o", "remount,size=64m", tmp_path / "cams"], check=True)
        for path in refused:
            shutil.copyfile(path, tmp_path / "cams" / path.name)
        until(lambda: rows(tmp_path / "i.db", DECIDED) == [(len(made),)], timeout_s=120)
        require_all(tmp_path)


@pytest.mark.drill
def test_rights_that_come_later(tmp_path: Path) -> None:
    """A watch says once which folder it cannot read, and takes in each file and folder when it can."""
    made = sorted(shoot(tmp_path / "made", cameras=4, frames=1).glob("*.png"))
    setpriv = shutil.which("setpriv")
    if os.geteuid() != 0 or setpriv is None:
        pytest.skip("needs root and setpriv, for a watch that the rights of files bind")
    for part in ("cams", "index"):
        (tmp_path / part).mkdir()
    for part, mode in (("closed", 0o000), ("names", 0o400)):
        (tmp_path / "cams" / part).mkdir()
        path = made.pop()
        shutil.copyfile(path, tmp_path / "cams" / part / path.name)
        (tmp_path / "cams" / part).chmod(mode)
    secret = tmp_path / "cams" / made[0].name
    shutil.copyfile(made[0], secret)
    secret.chmod(0o000)
    shutil.copyfile(made[1], tmp_path / "cams" / made[1].name)
    index = tmp_path / "index" / "i.db"
    open_database(str(index), create=True).close()
    words = command("--db", index, "watch", tmp_path / "cams", *SHORT, "--processes", 1)
    line = [setpriv, "--bounding-set=-all", "--inh-caps=-all", *words]  # root that may do what the owner may
    with (
        (tmp_path / "said").open("w") as said,
        subprocess.Popen(line, cwd=tmp_path / "index", stdout=subprocess.DEVNULL, stderr=said) as process,
        ExitStack() as stack,
    ):
        stack.callback(process.kill)
        until(lambda: rows(index, DECIDED) == [(1,)], timeout_s=120)
        until(lambda: "Permission denied" in (tmp_path / "said").read_text(), timeout_s=60)
        secret.chmod(0o644)
        for part in ("closed", "names"):
            (tmp_path / "cams" / part).chmod(0o755)
        until(lambda: rows(index, DECIDED) == [(4,)], timeout_s=120)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    lines = (tmp_path / "said").read_text().splitlines()
    print(*lines, sep="\n")  # noqa: T201 - what it said, shown with -rP
    assert sum("cannot be read" in line for line in lines) == 1


def at_work(database: Database) -> set[str]:
    """The folders that `status` shows as watched now."""
    return {folder for watch in status(database).watches if watch.is_running for folder in watch.folders}


@pytest.mark.drill
@on_postgresql
def test_two_hosts_on_one_server(tmp_path: Path, database: Database, record_property: Callable[..., None]) -> None:
    """Two watches of different cameras into one index of a server, each killed and started again: no file is lost, and
    none is decided twice; `status` names both while they are at work."""
    rng = np.random.default_rng(24)
    url = database.url.render_as_string(hide_password=False)
    made = list(shoot(tmp_path / "made", cameras=6, frames=60).glob("*.png"))
    folders = {half: tmp_path / f"host{half}" for half in range(2)}
    for folder in folders.values():
        folder.mkdir()
    waiting, kills = iter(made), 0
    while kills < 12:
        with ExitStack() as stack:
            for folder in folders.values():
                words = ("--db", url, "watch", folder, *SHORT, "--processes", 1)
                stack.enter_context(started(*words, folder=tmp_path, stdout=subprocess.DEVNULL))
            end_s = time.monotonic() + rng.uniform(2, 6)
            while time.monotonic() < end_s:
                for path in (picture for _, picture in zip(range(2), waiting, strict=False)):
                    shutil.copyfile(path, folders[int(path.name[3:5]) % 2] / path.name)
                time.sleep(0.1)
            kills += 2
    for path in waiting:
        shutil.copyfile(path, folders[int(path.name[3:5]) % 2] / path.name)
    with ExitStack() as stack:
        for folder in folders.values():
            words = ("--db", url, "watch", folder, *SHORT, "--processes", 1)
            stack.enter_context(started(*words, folder=tmp_path, stdout=subprocess.DEVNULL))
        until(lambda: rows(database, DECIDED) == [(len(made),)], timeout_s=300)
        resolved = {str(folder.resolve()) for folder in folders.values()}
        until(lambda: at_work(database) == resolved, timeout_s=120)
    hashes = {
        str(path.resolve()): hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders.values()
        for path in folder.iterdir()
    }
    assert dict(rows(database, "SELECT path, content_hash FROM images WHERE state = 'ready'")) == hashes
    assert rows(database, TWICE) == []
    record_property("kills", kills)


@pytest.mark.drill
def test_kills_while_videos_are_read(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Twenty kills while videos are read and images arrive: in the end each video is read whole, once, each of its
    frames is stored or counted, every image is there, and nothing is left of what was cut off."""
    rng = np.random.default_rng(25)
    pictures = iter(sorted(shoot(tmp_path / "made", cameras=2, frames=100).glob("*.png")))
    (tmp_path / "cams").mkdir()
    for number in range(8):
        video = tmp_path / ("cams" if number < 7 else "made") / f"gate{number % 3}_20260101_{number:02}0000.mp4"
        pictures_of_video = [numbered_frame(number * 1000 + second // 5) for second in range(300)]
        make_video(video, rate=5, keyframe_every=5, pictures=pictures_of_video)
        os.utime(video, (1e9 + number, 1e9))
    read = "SELECT COUNT(*) FROM videos WHERE state = 'read' AND missing_reason IS NULL"
    progress = list[int]()
    for _ in range(20):
        with watching(tmp_path, "--frames", "frames"):
            end_s = time.monotonic() + rng.uniform(1, 5)
            while time.monotonic() < end_s:
                for path in (picture for _, picture in zip(range(1), pictures, strict=False)):
                    shutil.copyfile(path, tmp_path / "cams" / path.name)
                time.sleep(0.2)
        progress.append(rows(tmp_path / "i.db", read)[0][0])
    for path in pictures:
        shutil.copyfile(path, tmp_path / "cams" / path.name)
    video.rename(tmp_path / "cams" / video.name)  # the last watch has a video to read, whatever the others read
    with watching(tmp_path, "--frames", "frames") as process:
        until(lambda: rows(tmp_path / "i.db", read) == [(8,)], timeout_s=300)
        until(lambda: rows(tmp_path / "i.db", UNDECIDED) == [(0,)], timeout_s=120)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    index = tmp_path / "i.db"
    assert rows(index, "SELECT COUNT(*) FROM videos WHERE missing_reason IS NULL") == [(8,)]
    assert rows(index, "SELECT DISTINCT frames_read FROM videos WHERE missing_reason IS NULL") == [(60,)]
    stored = {str(path.resolve()) for path in (tmp_path / "frames").rglob("*.jpg")}
    images = {path for (path,) in rows(index, "SELECT path FROM images WHERE state = 'ready'")}
    assert images == stored | {str(path.resolve()) for path in (tmp_path / "cams").glob("*.png")}
    counted = "SELECT video_id, SUM(frames) FROM spans WHERE video_id IS NOT NULL GROUP BY video_id"
    spans = dict(rows(index, counted))
    for video_id, frames_read, frames_stored in rows(
        index, "SELECT id, frames_read, frames_stored FROM videos WHERE missing_reason IS NULL"
    ):
        assert frames_stored + spans.get(video_id, 0) == frames_read
    assert (rows(index, TWICE), list((tmp_path / "frames").glob(".indexer-partial"))) == ([], [])
    record_property("videos read after each kill", progress)
    print(progress)  # noqa: T201 - the figures of the drill, shown with -rP


@pytest.mark.drill
def test_a_full_disk_of_frames(tmp_path: Path) -> None:
    """A video whose frames find no space is read when there is space; images go on, and it is said once."""
    made = list(shoot(tmp_path / "made", cameras=1, frames=10).glob("*.png"))
    (tmp_path / "cams").mkdir()
    rng = np.random.default_rng(26)
    scenes = [rng.integers(0, 256, (240, 320, 3), np.uint8) for _ in range(40)]
    with small_disk(tmp_path / "frames", "1m"), watching(tmp_path, "--frames", "frames"):
        video = make_video(tmp_path / "made" / "gate_20260101_000000.mp4", rate=1, keyframe_every=1, pictures=scenes)
        os.utime(video, (1e9, 1e9))
        video.rename(tmp_path / "cams" / video.name)
        until(lambda: "No space left" in (tmp_path / "said").read_text(), timeout_s=120)
        for path in made:
            shutil.copyfile(path, tmp_path / "cams" / path.name)
        until(lambda: rows(tmp_path / "i.db", DECIDED) == [(10,)], timeout_s=60)
        time.sleep(20)  # some attempts more
        lines = (tmp_path / "said").read_text().splitlines()
        assert len(lines) == 1, lines
        assert list((tmp_path / "frames").rglob("*.jpg")) == []
        subprocess.run(["mount", "-o", "remount,size=64m", tmp_path / "frames"], check=True)
        until(lambda: rows(tmp_path / "i.db", "SELECT frames_stored FROM videos") == [(40,)], timeout_s=120)


@pytest.mark.drill
def test_images_beside_a_long_video(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """While a video of two hours is read, an image a second of other cameras is decided as fast as by a watch beside
    it that reads none: at the same time, as the machine may have other work."""
    made = sorted(shoot(tmp_path / "made", cameras=2, frames=30).glob("*.png"))
    video = make_video(tmp_path / "made" / "gate_20260101_000000.mp4", frames=7200, rate=1, keyframe_every=1)
    os.utime(video, (1e9, 1e9))
    closed_s, in_hand = dict[str, float](), 0
    alone, beside = tmp_path / "alone", tmp_path / "beside"
    for folder in (alone, beside):
        (folder / "cams").mkdir(parents=True)
    with watching(alone, "--frames", "frames"), watching(beside, "--frames", "frames"):
        until(lambda: [*alone.glob("i.db.run*")] and [*beside.glob("i.db.run*")], timeout_s=300)
        video.rename(beside / "cams" / video.name)
        until(lambda: _partial_frames(beside), timeout_s=300)
        for path in made:
            for folder in (alone, beside):
                shutil.copyfile(path, folder / "cams" / path.name)
                closed_s[str((folder / "cams" / path.name).resolve())] = time.time()
            in_hand += bool(_partial_frames(beside))
            time.sleep(1)
        until(lambda: closed_s.keys() == (decided(alone) | decided(beside)).keys() & closed_s.keys(), timeout_s=300)
        times = decided(alone) | decided(beside)
    delays = {
        folder.name: sorted(times[path] - at for path, at in closed_s.items() if Path(path).is_relative_to(folder))
        for folder in (alone, beside)
    }
    figures = {phase: (float(np.median(each)), each[int(0.95 * (len(each) - 1))]) for phase, each in delays.items()}
    record_property("median and 95th percentile; images while the video was read", (figures, in_hand))
    print(figures, in_hand)  # noqa: T201 - the figures of the drill, shown with -rP
    assert in_hand >= len(made) // 2
    assert figures["beside"][0] < 2 * figures["alone"][0] + 1


def _partial_frames(folder: Path) -> list[Path]:
    """The frames of videos that are being read."""
    return [*(folder / "frames").glob(".indexer-partial/**/*.jpg")]


def decided(folder: Path) -> dict[str, float]:
    """When each image of a watch was decided first, in seconds since 1970, by path."""
    sql = """SELECT i.path, (julianday(MIN(d.decided_at)) - 2440587.5) * 86400.0 FROM images i
        JOIN decisions d ON d.image_id = i.id GROUP BY i.path"""
    return dict(rows(folder / "i.db", sql))


@dataclass(frozen=True)
class Figures:
    """What a command costs at a moment, all its processes together."""

    seconds: int
    files: int
    processes: int
    resident_kb: int
    descriptors: int


@pytest.mark.drill
@pytest.mark.parametrize("a_second", [1, 5])
def test_soak(tmp_path: Path, record_property: Callable[[str, object], None], a_second: int) -> None:
    """Half an hour of frames of 20 cameras, most of them removed again by prune: after the first five minutes the
    memory and the descriptors of all processes stay as they are, and no file is lost."""
    made = [cv2.imread(str(path)) for path in sorted(shoot(tmp_path / "made", cameras=20, frames=20).glob("*.png"))]
    figures, number = list[Figures](), 0
    with watching(tmp_path) as process:
        until(lambda: list(tmp_path.glob("i.db.run*")), timeout_s=300)
        start_s = time.monotonic()
        while (now_s := time.monotonic() - start_s) < SOAK_S:
            frame, camera = made[20 * (number % 20) + number // 20 % 20], number % 20
            frame[0, 4:8, 0] = list(number.to_bytes(4, "big"))  # under the mask: no two files are equal
            path = tmp_path / "cams" / f"cam{camera:02}-{1_700_000_000_000 + number * 1000}.png"
            path.write_bytes(cv2.imencode(".png", frame)[1].tobytes())
            number += 1
            if now_s // 30 > len(figures):
                figures.append(_figures_of(process.pid, int(now_s), number))
                print(figures[-1])  # noqa: T201 - the figures of the drill, shown with -rP
                if len(figures) % 10 == 0:
                    words = ("--db", "i.db", "prune", "--yes")
                    assert answer(*words, folder=tmp_path, timeout_s=SOAK_S).code == 0
            time.sleep(max(0.0, start_s + number / a_second - time.monotonic()))
        until(lambda: rows(tmp_path / "i.db", "SELECT COUNT(*) FROM images")[0][0] >= number, timeout_s=300)
        until(lambda: rows(tmp_path / "i.db", UNDECIDED) == [(0,)], timeout_s=300)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    record_property("figures", figures)
    assert rows(tmp_path / "i.db", "SELECT COUNT(*), COUNT(DISTINCT path) FROM images") == [(number, number)]
    assert rows(tmp_path / "i.db", TWICE) == []
    settled = [each for each in figures if each.seconds > 300]
    before, after = settled[: len(settled) // 2], settled[len(settled) // 2 :]
    kb, descriptors = (
        [[getattr(each, fact) for each in part] for part in (before, after)] for fact in ("resident_kb", "descriptors")
    )
    assert np.median(kb[1]) < 1.03 * np.median(kb[0])
    assert min(descriptors[1]) <= min(descriptors[0])
    assert max(descriptors[1]) <= max(descriptors[0]) + 4  # those of a batch at work


def _figures_of(number: int, seconds: int, files: int) -> Figures:
    """What a process and all below it cost now."""
    family = [number]
    for one in family:
        for children in Path(f"/proc/{one}/task").glob("*/children"):
            family.extend(map(int, children.read_text().split()))
    resident_kb = descriptors = 0
    for one in family:
        with suppress(FileNotFoundError, ProcessLookupError):
            resident_kb += _resident_kb(one)
            descriptors += len(list(Path(f"/proc/{one}/fd").iterdir()))
    return Figures(seconds, files, len(family), resident_kb, descriptors)


def _resident_kb(number: int) -> int:
    lines = Path(f"/proc/{number}/status").read_text().splitlines()
    return next((int(line.split()[1]) for line in lines if line.startswith("VmRSS")), 0)
