"""The formats of an export that are one file. Each writes images one after the other and holds none of them.

It promises that every image is written, or counted with the reason why the format cannot hold it.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import IO, Any

from indexer.domain.csv_lines import CsvLines
from indexer.domain.exports import ExportedImage
from indexer.domain.paths import lies_below
from indexer.store.columns import stored_text

NO_FILE = "their file was deleted"
NOT_UTF8 = "their path is not UTF-8"
NO_LINE = "a line cannot hold their path"
OUTSIDE = "they lie outside the folder of the list"

ROW_KEYS = (
    "image_id", "path", "file", "camera", "captured_at", "width", "height", "size_bytes", "sha256", "status", "reason",
    "keeper_path", "score", "max_score", "profile", "decided_by", "decided_at",
)  # fmt: skip
"""The columns of a CSV, and the keys of a JSON line: the fields of `ExportedImage`."""

LeftOut = Counter[str]
"""Numbers of images that a format cannot hold, by reason."""
WriteImages = Callable[[IO[bytes], Iterable[ExportedImage], LeftOut], int]
"""Writes images to a file; returns their number, and counts those that were left out."""


def row_of(image: ExportedImage) -> dict[str, Any]:
    """The image as a row: times in ISO 8601, in UTC."""
    values = (value.isoformat() if isinstance(value, datetime) else value for value in image[: len(ROW_KEYS)])
    return dict(zip(ROW_KEYS, values, strict=True))


class CsvRows:
    """Rows of images as CSV in UTF-8 (RFC 4180), each with further columns before it.

    A path that is not UTF-8 is a file URI (RFC 8089), as in audits.
    """

    def __init__(self, *columns: str) -> None:
        self._lines = CsvLines()
        self.head = self._lines.line([*columns, *ROW_KEYS]).encode()

    def row(self, image: ExportedImage, *values: str) -> bytes:
        """The line of an image; `values` are those of the further columns."""
        paths = {name: stored_text(path) for name in _PATHS if (path := getattr(image, name)) is not None}
        return self._lines.line([*values, *(row_of(image) | paths).values()]).encode()


def write_nul(file: IO[bytes], images: Iterable[ExportedImage], left_out: LeftOut) -> int:
    """Writes the path of each file, byte for byte, with a NUL after it."""
    return _write_each(file, _with_file(images, left_out), lambda image: os.fsencode(image.file or "") + b"\0")


def write_csv(file: IO[bytes], images: Iterable[ExportedImage], left_out: LeftOut) -> int:
    """Writes a CSV with the columns `ROW_KEYS`, as `CsvRows` says."""
    rows = CsvRows()
    file.write(rows.head)
    return _write_each(file, images, rows.row)


def write_json_lines(file: IO[bytes], images: Iterable[ExportedImage], left_out: LeftOut) -> int:
    """Writes one JSON object per line. Bytes of a path that are no UTF-8 are lone surrogates, as in `--json`."""
    return _write_each(file, images, lambda image: _json(row_of(image)) + b"\n")


def write_coco(file: IO[bytes], images: Iterable[ExportedImage], left_out: LeftOut) -> int:
    """Writes the JSON object of COCO, with images and without annotations."""
    heads = {"info": {"description": "exported by indexer"}, "licenses": [], "annotations": [], "categories": []}
    return _write_object(file, heads, "images", map(_coco_image, _with_file(images, left_out)))


def write_fiftyone(file: IO[bytes], images: Iterable[ExportedImage], left_out: LeftOut, *, name: str) -> int:
    """Writes the JSON object that `fiftyone.Dataset.from_json` loads; `name` is that of the data set."""
    heads = {"name": name, "media_type": "image", "sample_fields": {}, "info": {"source": "indexer"}}
    readable = _without(_with_file(images, left_out), left_out, NOT_UTF8, lambda image: not _is_utf8(image.file))
    return _write_object(file, heads, "samples", map(_fiftyone_sample, readable))


def write_dvc(file: IO[bytes], images: Iterable[ExportedImage], left_out: LeftOut, *, folder: str) -> int:
    """Writes a line for each file: its path below `folder`, the real path of the folder that the list lies in."""
    with_file = _with_file(images, left_out)
    inside = _without(with_file, left_out, OUTSIDE, lambda image: not lies_below(image.file or "", folder))
    lines = _without(inside, left_out, NO_LINE, lambda image: "\n" in (image.file or ""))
    return _write_each(file, lines, lambda image: _line_for_dvc(os.path.relpath(image.file or "", folder)))


def _line_for_dvc(path: str) -> bytes:
    """The line of a path, which `xargs dvc add` must not take for an option."""
    return os.fsencode(f"./{path}" if path.startswith("-") else path) + b"\n"


_FILE_FORMATS: Mapping[str, WriteImages] = {
    "nul": write_nul,
    "csv": write_csv,
    "jsonl": write_json_lines,
    "coco": write_coco,
}
FILE_FORMATS = (*_FILE_FORMATS, "fiftyone", "dvc")
"""The formats that are one file."""
_PATHS = ("path", "file", "keeper_path")


def find_writer(name: str, *, target: str) -> WriteImages:
    """The function that writes a format of `FILE_FORMATS` to a target."""
    if name == "fiftyone":
        return partial(write_fiftyone, name=os.path.splitext(os.path.basename(target))[0])
    if name == "dvc":
        return partial(write_dvc, folder=os.path.realpath(os.path.dirname(target) or os.curdir))
    return _FILE_FORMATS[name]


def _with_file(images: Iterable[ExportedImage], left_out: LeftOut) -> Iterator[ExportedImage]:
    return _without(images, left_out, NO_FILE, lambda image: image.file is None)


def _without(
    images: Iterable[ExportedImage], left_out: LeftOut, reason: str, is_left_out: Callable[[ExportedImage], bool]
) -> Iterator[ExportedImage]:
    """Yields the images that a format can hold, and counts the others."""
    for image in images:
        if is_left_out(image):
            left_out[reason] += 1
        else:
            yield image


def _write_each(file: IO[bytes], images: Iterable[ExportedImage], to_bytes: Callable[[ExportedImage], bytes]) -> int:
    number = 0
    for image in images:
        file.write(to_bytes(image))
        number += 1
    return number


def _write_object(file: IO[bytes], heads: Mapping[str, Any], key: str, items: Iterable[Mapping[str, Any]]) -> int:
    """Writes a JSON object with `heads` and, under `key`, a list of the items, one per line."""
    file.write(_json(heads)[:-1] + b", " + _json(key) + b": [")
    number = 0
    for item in items:
        file.write((b",\n" if number else b"\n") + _json(item))
        number += 1
    file.write(b"\n]}\n")
    return number


def _coco_image(image: ExportedImage) -> dict[str, Any]:
    known = {"id": image.image_id, "file_name": image.file, "width": image.width, "height": image.height}
    return known | {"date_captured": row_of(image)["captured_at"], "camera": image.camera, **_why(image)}


def _fiftyone_sample(image: ExportedImage) -> dict[str, Any]:
    row = row_of(image)
    fields = {name: row[name] for name in ("image_id", "camera", "captured_at", "sha256")}
    return {"filepath": image.file, "tags": [image.status], **fields, **_why(image)}


def _why(image: ExportedImage) -> dict[str, Any]:
    """The decision of an image, for formats that have no columns of their own for it."""
    return {name: getattr(image, name) for name in ("status", "reason", "score", "profile")}


def _is_utf8(path: str | None) -> bool:
    try:
        (path or "").encode()
    except UnicodeEncodeError:
        return False
    return True


def _json(value: Any) -> bytes:
    return json.dumps(value).encode("ascii")
