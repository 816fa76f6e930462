"""The page on cameras and times: its table of makers is that of the program, and its patterns do what they say."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

from indexer.domain.names import name_image
from indexer.domain.naming.patterns import GROUPS, compile_pattern
from indexer.domain.naming.rules import RuleBook
from indexer.domain.naming.schemes import SCHEMES
from indexer.domain.naming.tree import PathFile, name_tree

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "naming.md").read_text(encoding="utf-8")
MARKS = "<!-- made from indexer/domain/naming/schemes.py -->\n", "<!-- until here -->"


def table() -> str:
    """The table of makers as Markdown."""
    rows = [
        f"| `{scheme.name}` | {scheme.maker} | `{scheme.example}` | {scheme.camera} | {scheme.captured_at or 'EXIF'} |"
        for scheme in SCHEMES
    ]
    heads = ["| scheme | maker | example | camera | time |", "|---|---|---|---|---|"]
    return "\n".join([*heads, *rows]) + "\n"


def test_table_of_makers() -> None:
    """The page has the table as the program has it."""
    shown = PAGE.partition(MARKS[0])[2].partition(MARKS[1])[0]
    assert shown == table(), f"\n\nThe table should be:\n{table()}"


def test_every_group_is_explained() -> None:
    """The page names every group that a pattern may have."""
    section = PAGE.partition("## Patterns")[2].partition("## An index")[0]
    assert {name for name in GROUPS if f"`{name}`" not in section} == set()


def test_patterns_of_the_page() -> None:
    """Each pattern that the page shows reads the name that stands above it."""
    steps = re.findall(
        r"^# ([^:\n]+?\.jpg)(?:: camera (\S+))?\n(python manage\.py ingest .*)$", PAGE, flags=re.MULTILINE
    )
    assert len(steps) == 2
    for path, camera, command in steps:
        pattern = compile_pattern(shlex.split(command)[-1])
        named = name_image(f"/data/{path}", root="/data", mtime_ns=0, pattern=pattern)
        assert (named.camera, named.captured_at_source) == (camera or "gate", "pattern")
        assert f"{named.captured_at:%F %T}" == "2021-03-27 13:53:37"


def test_examples_of_hours_and_channels() -> None:
    """Each example of folders of two digits gets the answer that the page gives."""
    section = PAGE.partition("### Two digits below a date")[2].partition("### Later files")[0]
    rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]
    assert len(rows) == 9
    for files, answer in rows:
        shown = re.findall(r"`([^`]+)`(?: \((\d\d):(\d\d)\))?", files)
        midnight_s = int(datetime(2024, 5, 1, tzinfo=UTC).timestamp())
        seconds = [midnight_s + 3600 * int(hour) + 60 * int(minute) if hour else 0 for _, hour, minute in shown]
        paths = [PathFile(f"/c/2024-05-01/{shown[at][0]}", second * 10**9) for at, second in enumerate(seconds)]
        tree = name_tree(paths, siblings=(), rules=RuleBook({}))
        assert bool(tree.unclear_folders) == (answer == "held back"), files
        if answer != "held back":
            cameras = {naming.camera for naming in tree.with_assigned_names({}).values()}
            assert cameras == set(re.findall(r"`([^`]+)`", answer)), files
