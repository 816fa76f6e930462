"""The page on cameras and times: its table of makers is that of the program, and its patterns do what they say."""

import re
import shlex
from pathlib import Path

from indexer.domain.names import name_image
from indexer.domain.naming.patterns import GROUPS, compile_pattern
from indexer.domain.naming.schemes import SCHEMES

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
