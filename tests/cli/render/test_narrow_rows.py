"""Results of queries at 80 columns: at most two lines a row, what matters first, and nothing missing without a word."""

import io
import re

import pytest
from rich.console import Console

from indexer.cli.render import query_rows
from indexer.cli.render.tables import print_table
from indexer.cli.word_wrap import cell_count
from indexer.store.audit_queries import Audit, list_audits
from indexer.store.query_result import QueryResult

FOLDER = "/srv/archive/2024/parking-north/2024-05-01"
TIME = "2024-05-01 12:30:45.000000"
WIDTH = 80


def shown(columns: tuple[str, ...], *rows: tuple[object, ...], main: tuple[str, ...] = ()) -> list[str]:
    """The lines of a result on a terminal of 80 columns, without the heads of a table."""
    stream = io.StringIO()
    console = Console(file=stream, width=WIDTH, force_terminal=True, color_system=None, soft_wrap=True)
    with QueryResult(columns) as table:
        table.main_columns = main
        for row in rows:
            table.add(row)
        query_rows.write_rows(console, table)
    return stream.getvalue().splitlines()


def value(column: str, number: int) -> object:
    """A value as long as those of a large index."""
    name = f"parking-north_2024-05-01_12-30-{number:02}.jpg"
    if column.endswith("path"):
        return f"/srv/archive/2024/parking-{column}/2024-05-01/{name}"
    if column.endswith("_at") or column in {"held_until", "seen_until"}:
        return TIME
    if column in {"reason", "problem", "event", "detail", "counts", "arguments"}:
        return "a reason of many words that says what was wrong with the file, and where it was"
    words = {"camera": "parking-north-gate", "state": "quarantined", "decided": "duplicate", "content_hash": "6f" * 32}
    return words.get(column, number)


@pytest.mark.parametrize("audit", list_audits(), ids=lambda audit: audit.name)
def test_rows_of_every_audit_have_two_lines(audit: Audit) -> None:
    """No line is too wide, no row has more than two, and every column is shown or named below."""
    more = tuple(f"another_{number}" for number in range(12))  # so that no audit fits as it is
    columns = (*audit.main_columns, *more)
    number_rows = 5
    lines = shown(
        columns,
        *(tuple(value(column, row) for column in columns) for row in range(number_rows)),
        main=audit.main_columns,
    )
    rule = next(number for number, line in enumerate(lines) if line.startswith(" \u2500"))
    end = next(number for number, line in enumerate(lines) if line.startswith("Not shown here: "))
    assert [line for line in lines[:end] if cell_count(line) > WIDTH] == []
    assert end - rule - 1 <= 2 * number_rows
    words = " ".join(lines).replace(",", " ").replace(".", " ").split()
    assert [column for column in columns if column not in words] == []
    assert "--csv and --json have all of it." in lines
    assert lines[rule - 2].split()[0] in audit.main_columns or lines[rule - 1].split()[0] in audit.main_columns


def test_an_image_and_its_keeper_stand_below_each_other() -> None:
    """What matters most comes first; both paths begin at the folder that holds them; times are those of UTC."""
    columns = ("run_id", "removed_at", "state", "path", "keeper_path", "hostname", "username", "score", "max_score")
    names = [f"parking-north_2024-05-01_12-3{number}-45.jpg" for number in range(2)]
    row = (7, TIME, "quarantined", *(f"{FOLDER}/{name}" for name in names), "a host", "ada", 0, 1000.0)
    assert shown(columns, row, main=("run_id", "state", "path", "keeper_path", "removed_at"))[:5] == [
        f"All paths lie below {FOLDER}",
        " run_id   state         path",
        "                        keeper_path",
        " " + "\u2500" * 77,
        f"      7   quarantined   {names[0]}",
    ]
    lines = shown(columns, row, main=("run_id", "removed_at", "path", "keeper_path", "state"))
    assert lines[4] == f"      7   2024-05-01 12:30:45   {names[0]}"
    assert lines[-1] == "Times are UTC."


def test_wide_signs_take_two_cells() -> None:
    """A keeper stands exactly below its image, and what is broken fits, also where signs take two cells each."""
    columns = ("camera", "path", "keeper_path", "note")
    lines = shown(columns, ("駐車場", f"{FOLDER}/{'a' * 40}", f"{FOLDER}/{'b' * 40}", "more" * 5), main=columns[:3])
    begins = [cell_count(line[: line.index(sign)]) for sign in ("aaa", "bbb") for line in lines if sign in line]
    assert len(begins) == 2
    assert begins[0] == begins[1]
    alike = [(f"{FOLDER}/{'駐' * 40}{number}{'車' * 40}.jpg", "more" * 5) for number in range(2)]
    assert [line for line in shown(("path", "note"), *alike, main=("path",)) if cell_count(line) > WIDTH] == []


def test_columns_of_an_own_query_are_never_left_out() -> None:
    """Where a person's own query has too many columns for two lines, each row is a paragraph with all of them."""
    columns = tuple(f"column_{number}" for number in range(20))
    lines = shown(columns, tuple(range(20)))
    assert " ".join(lines).split() == [word for number in range(20) for word in (f"column_{number}", str(number))]
    paths = ("path", "keeper_path")
    lines = shown((*paths, *columns), (f"{FOLDER}/{'a' * 100}.jpg", "/other/b.jpg", *range(20)))
    assert [line for line in lines if cell_count(line) > WIDTH] == []


def test_texts_beside_no_other_wide_value_have_two_lines() -> None:
    """A long reason goes on in a second line, and what is still too long ends with a sign that says so."""
    text = "a reason of many words that says what was wrong, "
    assert shown(("image_id", "reason"), (1, text * 2))[2:] == [
        "        1   a reason of many words that says what was wrong, a reason of many",
        "            words that says what was wrong,",
    ]
    *_, last, below = shown(("image_id", "reason"), (1, text * 9))
    assert last.endswith("\u2026")
    assert below == "--csv and --json have all of it."


def test_short_file_names_leave_room_for_no_more_columns() -> None:
    """Where short names are alike and paths long, the columns beside them leave enough cells: no line is too wide."""
    columns = ("camera", "removed_at", "detail", "path")
    rows = [("StationA", TIME, "folder or mtime", f"/a/Station{place}/DCIM/100RECNX/1.JPG") for place in "AB"]
    assert [line for line in shown(columns, *rows, main=columns) if cell_count(line) > WIDTH] == []


@pytest.mark.parametrize("column", ["camera", "profile"])
@pytest.mark.parametrize(
    "name", [f"{'north gate ' * 5}{{}}", f"site {{}}/{'192.168.1.108_' * 4}main", f"{'x' * 70}{{}}"]
)
def test_long_names_stay_apart(column: str, name: str) -> None:
    """Names of cameras and profiles that differ in one sign are never shown as one; and numbers stay beside them."""
    stream = io.StringIO()
    heads = (column, "images", "kept", "duplicates", "undecided")
    rows = [(name.format(place), 1_000_000, 900_000, 100_000, 7) for place in "AB"]
    print_table(Console(file=stream, width=WIDTH, soft_wrap=True), heads, rows, what="rows", first=heads)
    text = stream.getvalue()
    first, second = re.split(r"^ +1000000 +900000 +100000 +7 ", text.partition("--json")[0], flags=re.MULTILINE)[1:]
    assert first.strip() != second.strip()


@pytest.mark.parametrize("width", [10, WIDTH])
def test_no_row_is_an_empty_table(width: int) -> None:
    """A table without rows shows its heads, however narrow the terminal is."""
    stream = io.StringIO()
    heads = tuple(f"column_{number}" for number in range(12))
    print_table(Console(file=stream, width=width, soft_wrap=True), heads, [], what="rows", first=heads, paths=heads)
    assert heads[0] in stream.getvalue()
