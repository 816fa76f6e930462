"""The labels of a person in a CSV: the state that an image shows, or a verdict on a pair.

It promises that every label has the number of its line, and that a file in neither form is refused with the line and
the reason. It does not know which image a name means.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from indexer.errors import LabelError

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
    verdict: Literal["same", "different"]


def parse_labels(lines: Iterable[str]) -> list[StateLabel] | list[PairLabel]:
    """The labels of a CSV, all in one form; the header line says which. Other columns are ignored.

    Raises
    ------
    LabelError
        If the header has neither form, or a line makes no sense.
    """
    rows = _rows(lines)
    line, header = next(rows, (1, []))
    header = [name.strip().lower() for name in header]
    if {"image", "state"} <= set(header):
        return [_state_label(line, _cells(row, header, line=line)) for line, row in rows]
    if {"image_a", "image_b", "verdict"} <= set(header):
        return [_pair_label(line, _cells(row, header, line=line)) for line, row in rows]
    raise LabelError(f"line {line}: {','.join(header)!a} does not say what the columns are; begin with {_FORMS}")


def _rows(lines: Iterable[str]) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the number of its last line."""
    reader = csv.reader(lines, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as problem:
        raise LabelError(f"line {reader.line_num}: {problem}; is this a CSV with commas?") from problem


def _cells(row: list[str], header: list[str], *, line: int) -> dict[str, str]:
    if len(row) != len(header):
        raise LabelError(
            f"line {line}: {len(row)} values for {len(header)} columns; put values with a comma in double quotes"
        )
    if any("\0" in cell for cell in row):
        raise LabelError(f"line {line}: it holds the character NUL, which no path and no state has")
    return dict(zip(header, row, strict=True))


def _state_label(line: int, cells: Mapping[str, str]) -> StateLabel:
    state = cells["state"].strip()
    if not cells["image"] or not state:
        raise LabelError(f"line {line}: {'the state' if cells['image'] else 'the image'} is empty")
    return StateLabel(line, cells["image"], state, cells.get("camera", "").strip() or None)


def _pair_label(line: int, cells: Mapping[str, str]) -> PairLabel:
    verdict = cells["verdict"].strip().lower()
    if verdict != "same" and verdict != "different":
        raise LabelError(f"line {line}: the verdict {cells['verdict']!a} is neither same nor different")
    if not cells["image_a"] or not cells["image_b"]:
        raise LabelError(f"line {line}: an image is empty")
    return PairLabel(line, cells["image_a"], cells["image_b"], "same" if verdict == "same" else "different")
