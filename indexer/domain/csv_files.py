"""The CSV files of a person: labels that `evaluate` compares with, and verdicts as a report page writes them.

The first line names the columns, in any order. Quoting follows RFC 4180.

A file of labels has one of two forms. Either each line has an image and the state that it shows (`image`, `state`, and
optionally `camera`), or each line has a verdict on a pair (`image_a`, `image_b`, `verdict`). Column names may be in
capitals, and other columns are ignored. The first bad line refuses the whole file.

A file of verdicts has `image_a`, `image_b` (numbers or paths) and `verdict` (`same` or `different`). Optional are `by`,
`note`, and `path_a`, `path_b`, `hash_a`, `hash_b`: the paths and content hashes of the two images in the index that the
file was made from. With them, a file that was made from another index is recognised. Bad lines are returned together
with the good ones.

It promises that every label, verdict and problem has the number of its line. It does not know which images there are.
"""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from indexer.domain.verdicts import VERDICT_VALUES, VerdictValue, is_storable_text
from indexer.errors import LabelError, VerdictError

_STATE_COLUMNS = ("image", "state")
_PAIR_COLUMNS = ("image_a", "image_b", "verdict")
_OPTIONAL_COLUMNS = ("by", "note", "path_a", "path_b", "hash_a", "hash_b")  # of a file of verdicts
_FORMS = "image,state or image,state,camera or image_a,image_b,verdict"


@dataclass(frozen=True)
class StateLabel:
    """An image, as a person names it, and the state that it shows; its camera if the file says it, else None."""

    line: int
    image: str
    state: str
    camera: str | None


@dataclass(frozen=True)
class PairLabel:
    """Two images, as a person names them, and whether they show the same."""

    line: int
    image_a: str
    image_b: str
    verdict: VerdictValue


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


@dataclass(frozen=True)
class _Record:
    """One record of a CSV, which may span several lines. If `problem` says why it cannot be read, none follows it."""

    first_line: int
    last_line: int
    cells: list[str]
    problem: str | None = None


def parse_labels(content: bytes) -> list[StateLabel] | list[PairLabel]:
    """The labels of a CSV, in the order of its lines. All have the form that the header line names.

    Raises
    ------
    LabelError
        If the header has neither form, or a line has no valid label.
    """
    # File names may hold bytes that are not UTF-8; spreadsheets begin their files with a byte order mark.
    records = _label_records(content.decode("utf-8-sig", errors="surrogateescape"))
    first = next(records, _Record(1, 1, []))
    header = [name.strip().lower() for name in first.cells]
    if set(_STATE_COLUMNS) <= set(header):
        return [_state_label(record.last_line, _label_cells(record, header)) for record in records]
    if set(_PAIR_COLUMNS) <= set(header):
        return [_pair_label(record.last_line, _label_cells(record, header)) for record in records]
    raise LabelError(f"line {first.last_line}: {','.join(header)!r} does not name the columns; begin with {_FORMS}")


def parse_verdict_lines(content: bytes) -> list[VerdictLine | BadLine]:
    """One value for each line below the header, in order: its verdict, or its problem. Empty lines are skipped.

    Raises
    ------
    VerdictError
        If the content is not UTF-8, or the header lacks a column, repeats one, or names an unknown one.
    """
    try:
        records = _read_records(content.decode("utf-8-sig"))
    except UnicodeDecodeError as problem:
        raise VerdictError(f"it is not UTF-8 text (byte {problem.start}); save it as CSV in UTF-8") from None
    header = next(records, _Record(1, 1, []))
    if header.problem is not None:
        raise VerdictError(f"line 1: it is not valid CSV from here on: {header.problem}")
    _require_verdict_columns(header.cells)
    return [_parse_verdict(record, header.cells) for record in records if record.cells or record.problem]


def _read_records(text: str) -> Iterator[_Record]:
    """The records of a CSV, empty ones too. A record that cannot be read is the last, and has a `problem`."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        first_line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as problem:
            yield _Record(first_line, reader.line_num, [], str(problem))
            return
        yield _Record(first_line, reader.line_num, cells)


def _label_records(text: str) -> Iterator[_Record]:
    """The records that are not blank; raises `LabelError` for one that cannot be read."""
    for record in _read_records(text):
        if record.problem is not None:
            raise LabelError(f"line {record.last_line}: {record.problem}; is this a CSV with commas?")
        if any(cell.strip() for cell in record.cells):
            yield record


def _label_cells(record: _Record, header: Sequence[str]) -> dict[str, str]:
    if len(record.cells) != len(header):
        raise LabelError(
            f"line {record.last_line}: {len(record.cells)} values for {len(header)} columns; "
            "put values with a comma in double quotes"
        )
    if any("\0" in cell for cell in record.cells):
        raise LabelError(f"line {record.last_line}: it contains the character NUL, which is not allowed")
    return dict(zip(header, record.cells, strict=True))


def _state_label(line: int, cells: Mapping[str, str]) -> StateLabel:
    state = cells["state"].strip()
    if not cells["image"] or not state:
        raise LabelError(f"line {line}: the column {'state' if cells['image'] else 'image'} is empty")
    return StateLabel(line, cells["image"], state, cells.get("camera", "").strip() or None)


def _pair_label(line: int, cells: Mapping[str, str]) -> PairLabel:
    verdict = _find_verdict(cells["verdict"].strip().lower())
    if verdict is None:
        raise LabelError(f"line {line}: the verdict {cells['verdict']!r} is neither same nor different")
    if not cells["image_a"] or not cells["image_b"]:
        raise LabelError(f"line {line}: the column {'image_b' if cells['image_a'] else 'image_a'} is empty")
    return PairLabel(line, cells["image_a"], cells["image_b"], verdict)


def _require_verdict_columns(header: Sequence[str]) -> None:
    missing = [name for name in _PAIR_COLUMNS if name not in header]
    unknown = [name for name in header if name not in (*_PAIR_COLUMNS, *_OPTIONAL_COLUMNS)]
    problem = None
    if missing:
        problem = f"the column {missing[0]} is missing"
    elif unknown:
        problem = f"there is a column {unknown[0]!r}"
    elif len(set(header)) < len(header):
        problem = "a column is there twice"
    if problem is not None:
        raise VerdictError(
            f"{problem}; the first line must name the columns {','.join(_PAIR_COLUMNS)}, "
            f"and may name {','.join(_OPTIONAL_COLUMNS)}"
        )


def _parse_verdict(record: _Record, header: Sequence[str]) -> VerdictLine | BadLine:
    number = record.first_line
    if record.problem is not None:
        return BadLine(number, f"it is not valid CSV from here on: {record.problem}")
    if len(record.cells) != len(header):
        return BadLine(number, f"it has {len(record.cells)} columns, and the first line {len(header)}")
    if not all(map(is_storable_text, record.cells)):
        return BadLine(number, "it contains the character NUL")
    cells = dict(zip(header, record.cells, strict=True))
    verdict = _find_verdict(cells["verdict"])
    if verdict is None:
        return BadLine(number, f"the verdict is {cells['verdict']!r}; say {' or '.join(VERDICT_VALUES)}")
    optional = {name: cells.get(name) or None for name in _OPTIONAL_COLUMNS}
    return VerdictLine(number, cells["image_a"], cells["image_b"], verdict, **optional)


def _find_verdict(text: str) -> VerdictValue | None:
    """The verdict that a cell says; None if it says neither."""
    return next((verdict for verdict in VERDICT_VALUES if verdict == text), None)
