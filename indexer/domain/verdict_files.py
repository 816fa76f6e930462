"""A file of verdicts: CSV, one verdict per line, as a report page or a spreadsheet writes it.

Columns are read by name, in any order: `image_a`, `image_b` (numbers or paths), `verdict` (`same` or `different`).
Optional are `by`, `note`, and `path_a`, `path_b`, `hash_a`, `hash_b`: the paths and content hashes of the two images in
the index that the file was made from. They reveal a file of another index. Quoting follows RFC 4180. The module does
not know which images there are.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexer.domain.verdicts import VERDICT_VALUES, VerdictValue, is_storable_text
from indexer.errors import VerdictError

REQUIRED = ("image_a", "image_b", "verdict")
OPTIONAL = ("by", "note", "path_a", "path_b", "hash_a", "hash_b")


@dataclass(frozen=True)
class VerdictLine:
    """One verdict of a file; `number` is the line on which it begins. Empty optional columns are None."""

    number: int
    image_a: str
    image_b: str
    verdict: VerdictValue
    by: str | None = None
    note: str | None = None
    path_a: str | None = None
    path_b: str | None = None
    hash_a: str | None = None
    hash_b: str | None = None


@dataclass(frozen=True)
class BadLine:
    """A line without a valid verdict, and the reason."""

    number: int
    problem: str


def parse_verdict_lines(content: bytes) -> list[VerdictLine | BadLine]:
    """The verdict, or the problem, of each line below the header; empty lines are skipped.

    Raises
    ------
    VerdictError
        If the content is not UTF-8, or the header is wrong.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise VerdictError(f"it is not UTF-8 text (byte {problem.start}); save it as CSV in UTF-8") from None
    records = _records(text)
    header = next(records, (1, []))[1]
    if isinstance(header, str):
        raise VerdictError(f"line 1: {header}")
    _require_columns(header)
    return [_parse_line(number, record, header=header) for number, record in records if record]


def _records(text: str) -> Iterator[tuple[int, list[str] | str]]:
    """The records of a CSV, each with the number of the line on which it begins; the last may be an error message."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        number = reader.line_num + 1
        try:
            yield number, next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield number, f"it is no CSV from here on: {problem}"
            return


def _require_columns(header: Sequence[str]) -> None:
    known = (*REQUIRED, *OPTIONAL)
    missing = [name for name in REQUIRED if name not in header]
    unknown = [name for name in header if name not in known]
    problem = None
    if missing:
        problem = f"the column {missing[0]} is missing"
    elif unknown:
        problem = f"there is a column {unknown[0]!a}"
    elif len(set(header)) < len(header):
        problem = "a column is there twice"
    if problem is not None:
        raise VerdictError(
            f"{problem}; the first line must name the columns {','.join(REQUIRED)}, and may name {','.join(OPTIONAL)}"
        )


def _parse_line(number: int, record: list[str] | str, *, header: Sequence[str]) -> VerdictLine | BadLine:
    if isinstance(record, str):
        return BadLine(number, record)
    if len(record) != len(header):
        return BadLine(number, f"it has {len(record)} columns, and the first line {len(header)}")
    if not all(map(is_storable_text, record)):
        return BadLine(number, "it holds the character NUL")
    cells = dict(zip(header, record, strict=True))
    optional = {name: cells.get(name) or None for name in OPTIONAL}
    for verdict in VERDICT_VALUES:
        if verdict == cells["verdict"]:
            return VerdictLine(number, cells["image_a"], cells["image_b"], verdict, **optional)
    return BadLine(number, f"the verdict is {cells['verdict']!a}; say {' or '.join(VERDICT_VALUES)}")
