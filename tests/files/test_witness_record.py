"""The record of witnesses: read by whoever comes, by whatever index, and never fooled by a torn or foreign line."""

import json
import os
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.files.markers import QUARANTINE_NAME
from indexer.files.witness_record import (
    RECORD_NAME,
    WitnessLine,
    WitnessRecords,
    append,
    append_failed,
    iter_removed_contents,
    list_last_removals,
    list_record_folders,
    list_removals,
    read_lines,
)

CONTENTS = [sha256(bytes([number])).hexdigest() for number in range(4)]


def line(removed: int = 0, witness: int = 1, *, path: str = "/gone/0.png") -> WitnessLine:
    """A line about two of the contents, each one byte."""
    return WitnessLine("removed", CONTENTS[removed], 1, path, CONTENTS[witness], "/w.png", "i" * 32, "r" * 32, "2026")


def holding(folder: Path, witness: int = 1) -> list[str]:
    """The paths for which a content stands, as a new reader finds them."""
    records = WitnessRecords({CONTENTS[witness]})
    return [one.removed_path for _, one in records.list_in_force([str(folder)], content_hash=CONTENTS[witness])]


def test_line_holds_until_its_file_is_back(tmp_path: Path) -> None:
    """A line holds while the content is not at its path, whatever else is there, and until a line ends it."""
    path = tmp_path / "a.png"
    append(str(tmp_path), line(path=str(path)))
    assert holding(tmp_path) == [str(path)]
    path.write_bytes(b"?")
    assert holding(tmp_path) == [str(path)]
    path.write_bytes(bytes([0]))
    assert holding(tmp_path) == []
    path.unlink()
    assert holding(tmp_path) == [str(path)]
    append(str(tmp_path), replace(line(path=str(path)), event="restored", witness_hash=""))
    assert holding(tmp_path) == []
    append(str(tmp_path), line(path=str(path)))
    assert (holding(tmp_path), holding(tmp_path, 2)) == ([str(path)], [])


def test_contents_are_listed_without_parsing(tmp_path: Path) -> None:
    """The content of each line is listed, in order; what is no hash is left out, and without a record there is none."""
    assert list(iter_removed_contents(str(tmp_path))) == []
    append(str(tmp_path), line(0), line(2), replace(line(0), event="restored"))
    with (tmp_path / RECORD_NAME).open("ab") as file:
        file.write(b'\n{"removed_hash": "\0\0' + b"0" * 62 + b'"}\n\xff\n' + b"x" * 200_000)
    append(str(tmp_path), line(3))
    assert list(iter_removed_contents(str(tmp_path))) == [CONTENTS[number] for number in (0, 2, 0, 3)]


def test_a_removal_that_failed_holds_nothing(tmp_path: Path) -> None:
    """A removal that failed counts as never begun: what held before it holds again, and what did not does not."""
    path, folder = str(tmp_path / "a.png"), str(tmp_path)
    first, second = line(path=path), replace(line(witness=2, path=path), run_token="s" * 32)
    append(folder, first, second)
    assert (holding(tmp_path), holding(tmp_path, 2)) == ([], [path])
    append(folder, replace(second, event="failed"))
    assert (holding(tmp_path), holding(tmp_path, 2)) == ([path], [])
    assert list_removals(folder) == [first]
    append(folder, replace(first, event="restored"), second, replace(second, event="failed"))
    assert (holding(tmp_path), holding(tmp_path, 2), list_removals(folder)) == ([], [], [])
    assert list_last_removals([folder], contents={CONTENTS[0]}) == [(folder, first)]


def test_a_failure_is_written_where_its_removal_is(tmp_path: Path) -> None:
    """Only records that have the removal, not ended, get the line about its failure, however often it is written."""
    outer, inner = (tmp_path / folder / QUARANTINE_NAME for folder in (".", "frames"))
    other, failed = line(path="/gone/0.png"), line(path=str(tmp_path / "frames" / "a.png"))
    for folder, lines in ((outer, [other]), (inner, [other, failed])):
        folder.mkdir(parents=True)
        append(str(folder), *lines)
    before = (outer / RECORD_NAME).read_bytes()
    for _ in range(2):
        append_failed(replace(failed, event="failed"))
    assert (outer / RECORD_NAME).read_bytes() == before
    assert list(read_lines(str(inner))) == [other, failed, replace(failed, event="failed")]


def test_no_record_says_nothing(tmp_path: Path) -> None:
    """Where there is no record nothing is forbidden."""
    assert (holding(tmp_path), holding(tmp_path / "nowhere")) == ([], [])


events = st.lists(
    st.tuples(
        st.sampled_from(["removed", "failed", "restored", "torn", "foreign"]),
        *[st.integers(0, 3)] * 2,
        st.integers(0, 1),
    ),
    max_size=12,
)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=events, cut=st.integers(1, 300))
def test_any_lines_are_read_as_written(tmp_path: Path, events: list[tuple[str, int, int, int]], cut: int) -> None:
    """Whatever was written, in whatever order, cut or by others: a reader that follows and one that comes late agree
    with what the whole lines say."""
    record = tmp_path / RECORD_NAME
    record.unlink(missing_ok=True)
    following = WitnessRecords(set(CONTENTS))
    holders: dict[tuple[str, str], list[str]] = {}
    for event, removed, witness, place in events:
        said = replace(line(removed, witness, path=f"/gone/{place}.png"), run_token=f"run {witness}")
        text = "\n" + json.dumps(asdict(said))
        if event == "torn":
            with record.open("a") as file:
                file.write(text[: min(cut, len(text) - 2)])
        elif event == "foreign":
            with record.open("a") as file:
                file.write('\n{"witness_hash": "' + CONTENTS[witness] + '", "event": "removed"}\n[]\n' + "x" * 200_000)
        else:
            append(str(tmp_path), replace(said, event=event))  # type: ignore[arg-type]
            others = [holder for holder in holders.get(said.key, []) if holder != said.witness_hash]
            holders[said.key] = {"removed": [*others, said.witness_hash], "failed": others}.get(event, [])
        for content in CONTENTS:
            expected = {key for key, of_file in holders.items() if of_file[-1:] == [content]}
            for reader in (following, WitnessRecords({content})):
                found = reader.list_in_force([str(tmp_path)], content_hash=content)
                assert {one.key for _, one in found} == expected
                assert {one.witness_hash for _, one in found} <= {content}


def test_another_record_in_its_place_is_read(tmp_path: Path) -> None:
    """A record that was replaced, as by a backup of the disk, is read from its beginning."""
    records = WitnessRecords({CONTENTS[1], CONTENTS[2]})
    append(str(tmp_path), line())
    assert len(records.list_in_force([str(tmp_path)], content_hash=CONTENTS[1])) == 1
    (tmp_path / RECORD_NAME).rename(tmp_path / "old")
    append(str(tmp_path), line(0, 2))
    assert records.list_in_force([str(tmp_path)], content_hash=CONTENTS[1]) == []
    assert len(records.list_in_force([str(tmp_path)], content_hash=CONTENTS[2])) == 1


@pytest.mark.parametrize("kind", ["pipe", "link", "folder"])
def test_what_is_no_record_is_refused(tmp_path: Path, kind: str) -> None:
    """A pipe, a link or a folder of its name cannot be read: nobody can tell then, and nobody waits."""
    path = tmp_path / RECORD_NAME
    {"pipe": os.mkfifo, "link": lambda one: one.symlink_to("/dev/zero"), "folder": Path.mkdir}[kind](path)
    with pytest.raises(OSError):  # noqa: PT011 - the number differs between systems
        holding(tmp_path)


def test_line_without_an_end_is_refused(tmp_path: Path) -> None:
    """A record with a line that does not end cannot be read: nobody can tell what it says. Nobody reads all of it."""
    append(str(tmp_path), line())
    os.truncate(tmp_path / RECORD_NAME, 1 << 42)
    with pytest.raises(OSError, match="does not end"):
        holding(tmp_path)


def test_records_of_all_folders_above_are_found(tmp_path: Path) -> None:
    """The quarantines in every folder above a file are found, by their real paths, also through links."""
    folders = [tmp_path / "a", tmp_path / "a/b", tmp_path / "a/b/c"]
    for folder in folders:
        (folder / QUARANTINE_NAME).mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    expected = [str(folder / QUARANTINE_NAME) for folder in folders]
    found = list_record_folders([str(tmp_path / "link/c/1.png")])
    assert [folder for folder in found if folder.startswith(str(tmp_path))] == sorted(expected)


def test_link_in_the_place_of_a_quarantine(tmp_path: Path) -> None:
    """A link to a quarantine elsewhere is followed; one to another folder says nothing; one to nowhere is refused."""
    (tmp_path / "disk" / QUARANTINE_NAME).mkdir(parents=True)
    (tmp_path / "lot").mkdir()
    (tmp_path / "lot" / QUARANTINE_NAME).symlink_to(tmp_path / "disk" / QUARANTINE_NAME)
    file = str(tmp_path / "lot" / "1.png")
    assert str(tmp_path / "disk" / QUARANTINE_NAME) in list_record_folders([file])
    (tmp_path / "lot" / QUARANTINE_NAME).unlink()
    (tmp_path / "lot" / QUARANTINE_NAME).symlink_to(tmp_path / "disk")
    assert str(tmp_path / "disk") not in list_record_folders([file])
    (tmp_path / "disk").rename(tmp_path / "away")
    with pytest.raises(OSError, match="leads nowhere"):
        list_record_folders([file])
