"""Manifests of unknown origin: whatever is in one, reading it ends soon, in little memory, and stays in its folder."""

import json
import os
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from indexer.files.manifest import MANIFEST_NAME, Entry, append_entry, is_manifest, read, read_first_entries

ENTRY = Entry("/lot/1.png", 1, "0" * 64, "/lot/0.png", "2026-01-01", "1" * 64, "i" * 32, "r" * 32)
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow]


@pytest.fixture
def run_folder(tmp_path: Path) -> Path:
    """One run of a quarantine with a file at `7/1.png`, and a file outside of it."""
    folder = tmp_path / "q" / "run-1"
    (folder / "7").mkdir(parents=True)
    (folder / "7" / "1.png").write_bytes(b"?")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "1.png").write_bytes(b"?")
    return folder


def line(place: object = "7/1.png", **words: Any) -> bytes:
    """A line of a manifest, with its line break."""
    return b"\n" + json.dumps({"place": place, **asdict(ENTRY), **words}).encode()


def write(run_folder: Path, data: bytes) -> Path:
    path = run_folder / MANIFEST_NAME
    path.write_bytes(data)
    return path


def test_what_was_noted_is_read(run_folder: Path) -> None:
    """A line that was written is read again; of two of one place the last one holds."""
    place = str(run_folder / "7" / "1.png")
    append_entry(place, replace(ENTRY, path="/lot/old.png"))
    append_entry(place, ENTRY)
    assert read(str(run_folder.parent)).entries == {place: ENTRY}
    assert read(str(run_folder)).entries == {place: ENTRY}
    assert [found for found, _ in read_first_entries(str(run_folder.parent))] == [place]


def test_lines_of_earlier_versions_are_read(run_folder: Path) -> None:
    """A line without the words that were added later is read."""
    old = {"place": "7/1.png"} | {key: asdict(ENTRY)[key] for key in list(asdict(ENTRY))[:5]}
    write(run_folder, b"\n" + json.dumps(old).encode())
    [entry] = read(str(run_folder)).entries.values()
    assert (entry.path, entry.keeper_hash, entry.run_token) == ("/lot/1.png", "", "")


def device(path: Path) -> None:
    """The device that never ends, under another name."""
    try:
        os.mknod(path, 0o600 | 0o020000, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only an administrator may make a device")


KINDS: dict[str, Callable[[Path], object]] = {
    "pipe": os.mkfifo,
    "device": device,
    "folder": lambda path: path.mkdir(),
    "link to a device": lambda path: path.symlink_to("/dev/zero"),
    "link to a manifest": lambda path: path.symlink_to(write(path.parents[2] / "outside", line())),
    "link to itself": lambda path: path.symlink_to(path),
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
    "line that never ends": lambda path: (path.touch(), os.truncate(path, 1 << 42)),
    "line that never ends, after a good one": lambda path: (
        path.write_bytes(line() + b"\n"),
        os.truncate(path, 1 << 40),
    ),
    "line breaks": lambda path: path.write_bytes(b"\n" * (1 << 24)),
    "lines that say nothing": lambda path: path.write_bytes(b"{}\n" * (1 << 22)),
    "long lines that say nothing": lambda path: path.write_bytes((b'{"place": ' + b"[" * 120_000 + b"\n") * 100),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_manifest_is_refused(run_folder: Path, kind: str) -> None:
    """A pipe, a device, a folder, a link, or a file without end is reported, at once and in little memory."""
    KINDS[kind](run_folder / MANIFEST_NAME)
    began, descriptors = time.thread_time(), len(os.listdir("/proc/self/fd"))
    contents = read(str(run_folder.parent))
    heads = read_first_entries(str(run_folder.parent))
    took_s = time.thread_time() - began  # of the processor: nothing is waited for, whatever else runs
    tracemalloc.start()
    try:
        read(str(run_folder.parent))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert contents.entries == {}
    assert [path for path, _ in contents.refused] == [str(run_folder / MANIFEST_NAME)]
    assert len(heads) == ("good" in kind)
    assert peak < 32 << 20
    assert took_s < 2
    assert len(os.listdir("/proc/self/fd")) == descriptors


def test_many_lines_cost_no_memory(run_folder: Path) -> None:
    """Memory is that of the files that are there, whatever number of places is named."""
    (run_folder / "8").mkdir()
    (run_folder / "8" / ".indexer-aside-last-look").write_bytes(b"?")
    many = (line(f"{number % 9}/{number}.png", path=f"/lot/{number}.png") for number in range(10_000))
    write(run_folder, line() + b"".join(many) + line("8/last.png"))
    tracemalloc.start()
    try:
        contents = read(str(run_folder))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert list(contents.entries) == [str(run_folder / "7" / "1.png"), str(run_folder / "8" / "last.png")]
    assert peak < 16 << 20


def test_place_behind_a_link_is_refused(run_folder: Path) -> None:
    """A place whose folder is a link, to inside or outside of the run, is reported and not given."""
    (run_folder / "8").symlink_to("7")
    (run_folder / "9").symlink_to(run_folder.parents[1] / "outside")
    write(run_folder, line("8/1.png") + line("9/1.png") + line())
    contents = read(str(run_folder))
    assert list(contents.entries) == [str(run_folder / "7" / "1.png")]
    assert [path for path, _ in contents.refused] == [str(run_folder / "8" / "1.png"), str(run_folder / "9" / "1.png")]


def test_links_to_runs_are_not_followed(run_folder: Path, tmp_path: Path) -> None:
    """A run that a link leads to is not looked into."""
    write(run_folder, line())
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "run-2").symlink_to(run_folder)
    assert read(str(tmp_path / "other")).entries == {}


PIECES = ["..", ".", "", "/", "7", "1.png", "run-1", "outside", "\0", "\ud800", "proc", "n" * 300, "\n", "é"]
hostile = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=5).map("/".join),
    st.text(max_size=20),
    st.none(),
    st.integers(),
    st.just([]),
)
lines = st.builds(
    line,
    hostile,
    path=st.one_of(hostile, hostile.map(lambda text: f"/{text}")),
    size_bytes=st.one_of(st.integers(), st.booleans(), st.floats(), st.text(max_size=3)),
    keeper_path=hostile,
    removed_at=hostile,
    more=st.integers(0, 1),
) | st.builds(
    line,
    hostile,
    path=st.one_of(hostile, hostile.map(lambda text: f"/{text}")),
    size_bytes=st.integers(-1, 1 << 70),
    keeper_path=st.text(max_size=5),
)


@settings(deadline=None, max_examples=300, suppress_health_check=QUIET)
@given(data=st.lists(st.one_of(lines, st.binary(max_size=200)), max_size=6).map(b"".join))
@example(data=line("../../outside/1.png") + line("..") + line("/etc/passwd") + line("7/../../run-1/7/1.png"))
@example(data=line("7/1.png") + b"\n[" + b"[" * 100_000)
@example(data=b'\n{"place": "7/1.png", "size_bytes": ' + b"9" * 100_000 + b"}")
@example(data=line().decode().encode("utf-16"))
def test_any_bytes(run_folder: Path, data: bytes) -> None:
    """Whatever a manifest holds, reading it raises nothing, and gives only files in folders of its own run."""
    path = write(run_folder, data)
    contents = read(str(run_folder.parent))
    for place, entry in contents.entries.items():
        assert os.path.normpath(place) == place
        assert Path(place).parent.parent == run_folder
        assert os.path.lexists(place)
        assert os.path.isabs(entry.path)
        assert 0 <= entry.size_bytes < 1 << 63
        os.fsencode(entry.path + entry.keeper_path + place)
    assert all(place.startswith(f"{run_folder}/") for place, _ in read_first_entries(str(run_folder.parent)))
    is_manifest(str(path))


def test_appending_to_a_pipe_is_refused(run_folder: Path) -> None:
    """A pipe that somebody reads is no manifest: a line that went into it would be lost."""
    path = run_folder / MANIFEST_NAME
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        with pytest.raises(OSError, match="no regular file"):
            append_entry(str(run_folder / "7" / "1.png"), ENTRY)
    finally:
        os.close(reading)
