"""export: hands over what was kept or removed, with the reasons, in a format that other tools read.

It promises that

- the index is only read;
- nothing that exists is overwritten;
- the target is complete or not there; and
- Ctrl-C ends it at once.

Files of a tree are second names (hard links) or checked copies, and no transaction is open while they are made. Formats
that are one file open no image.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from indexer.domain.exports import ExportedImage, ExportNames, Status
from indexer.errors import FolderError, ImageError, UsageError
from indexer.escaping import command_line
from indexer.files import io_steps, new_output, private
from indexer.files.markers import find_quarantine
from indexer.files.verification import ContentDigest, MismatchError
from indexer.store import cameras, exports, open_images
from indexer.store.database import Database, Session
from indexer.workflows.context import Progress, no_progress
from indexer.workflows.export.formats import FILE_FORMATS, NO_FILE, CsvRows, find_writer
from indexer.workflows.export.spool import ImageSpool
from indexer.workflows.ingested_folders import find_ingested_parent
from indexer.workflows.removal.returned_files import count_recorded_returns

TREE_FORMATS = ("tree", "imagefolder")
FORMATS = (*FILE_FORMATS, *TREE_FORMATS)
METADATA_NAME = "metadata.csv"
_IMAGES = "images"
_SPLIT = "train"  # the part of a data set that `datasets` makes of it


@dataclass
class ExportReport:
    """What was exported. `left_out`: numbers of images that the format cannot hold, by reason. `failures`: path and
    reason of each file that could not be exported. `undecided`, `waiting`, `held_back`: present images that are neither
    kept nor removed, as they are not decided, or duplicates that were not removed yet, or that came back.
    """

    target: str
    format: str
    exported: int = 0
    left_out: Counter[str] = field(default_factory=Counter)
    failures: list[tuple[str, str]] = field(default_factory=list)
    undecided: int = 0
    waiting: int = 0
    held_back: int = 0


def export(
    database: Database,
    name: str,
    target: str,
    *,
    which: str = "kept",
    camera: str | None = None,
    copies: bool = False,
    progress: Progress = no_progress,
) -> ExportReport:
    """Writes what was kept, removed or both to a new file or folder. `copies`: of trees, copy and do not link.

    Raises
    ------
    UsageError
        If there is no such format or choice.
    CameraError
        If the camera is not in the index.
    ImageError
        If there is nothing to export.
    FolderError
        If the target exists or cannot be written, if files cannot be linked to it, or if the tree would lie in a folder
        that was ingested.
    """
    _require_choices(name, which, copies=copies)
    is_tree = name in TREE_FORMATS
    if is_tree and find_quarantine(target) is not None:
        raise FolderError(f"{target!r} lies in a quarantine, where only removed files may lie; name a folder outside")
    if is_tree and (root := find_ingested_parent(database, target)) is not None:
        raise FolderError(
            f"{target!r} lies inside {root!r}, and the next ingest would take the files in again; name a folder outside"
        )
    report = ExportReport(os.path.abspath(target), name)
    if not is_tree:
        writer = find_writer(name, target=new_output.free_target(target))
        with (
            _reading(database, report, which=which, camera=camera) as (images, total),
            new_output.new_file(target) as file,
        ):
            report.exported = writer(file, _with_progress(images, progress, total=total), report.left_out)
        return report
    with new_output.new_folder(target) as folder, tempfile.TemporaryFile(dir=folder) as file:
        rows = ImageSpool(file)
        with _reading(database, report, which=which, camera=camera) as (images, total):
            rows.add_all(images)
        _fill_tree(_with_progress(rows, progress, total=total), folder, report, copies=copies)
    return report


@contextmanager
def _reading(
    database: Database, report: ExportReport, *, which: str, camera: str | None
) -> Iterator[tuple[Iterable[ExportedImage], int]]:
    """The images to export and their number, at one point in time, until the end of the block.

    Counts those that are not decided, and those that wait. Raises `CameraError` and `ImageError` as `export`.
    """
    with database.long_read() as session:
        camera_id = None if camera is None else cameras.get_camera(session, camera)
        report.undecided = open_images.count_undecided(session, camera_id=camera_id)
        returned = count_recorded_returns(session, camera=camera)
        report.waiting = exports.count_duplicates(session, camera_id=camera_id, held_back=False) - returned
        report.held_back = exports.count_duplicates(session, camera_id=camera_id, held_back=True) + returned
        total = sum(exports.count_images(session, status, camera_id=camera_id) for status in _CHOICES[which])
        if not total:
            raise ImageError(
                f"there is nothing to export: no image is {' or '.join(_CHOICES[which])}{_next_step(report)}"
            )
        with closing(_images(session, which, camera_id=camera_id)) as images:
            yield images, total


_CHOICES: dict[str, tuple[Status, ...]] = {"kept": ("kept",), "removed": ("removed",), "all": ("kept", "removed")}


def _require_choices(name: str, which: str, *, copies: bool) -> None:
    if name not in FORMATS:
        raise UsageError(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    if which not in _CHOICES:
        raise UsageError(f"--which is {which!r}; give kept, removed or all")
    if copies and name not in TREE_FORMATS:
        raise UsageError(f"--copy is for {' and '.join(TREE_FORMATS)}; leave it out")


def _next_step(report: ExportReport) -> str:
    if report.undecided:
        return f"; first: {command_line('compare')}"
    if report.waiting:
        return f"; first: {command_line('prune')}"
    return f"; first: {command_line('prune', '--include-restored')}" if report.held_back else ""


def _images(session: Session, which: str, *, camera_id: int | None) -> Generator[ExportedImage, None, None]:
    for status in _CHOICES[which]:
        yield from exports.iter_images(session, status, camera_id=camera_id)


def _with_progress(
    images: Iterable[ExportedImage], progress: Progress, *, total: int
) -> Generator[ExportedImage, None, None]:
    advance = progress("exporting", total)
    for image in images:
        yield image
        advance(1)


def _fill_tree(images: Iterable[ExportedImage], folder: str, report: ExportReport, *, copies: bool) -> None:
    """Fills a new folder with the files, and with a CSV that describes them."""
    names, rows = ExportNames(), CsvRows("file_name")
    is_data_set = report.format == "imagefolder"
    base = os.path.join(folder, _SPLIT) if is_data_set else folder
    private.make_folders(base)
    with os.fdopen(private.create_file(os.path.join(base, METADATA_NAME)), "wb") as metadata:
        metadata.write(rows.head)
        for image in images:
            if image.file is None:
                report.left_out[NO_FILE] += 1
                continue
            name = _numbered(image) if is_data_set else f"{_IMAGES}/{names.add(image)}"
            try:
                _put_file(image, os.path.join(base, name), copies=copies)
            except MismatchError as problem:
                report.failures.append((image.file, problem.reason))
                continue
            metadata.write(rows.row(image, name))
            report.exported += 1
        metadata.flush()
        io_steps.sync_file(metadata.fileno())


def _numbered(image: ExportedImage) -> str:
    """A name that no reader of data sets takes for anything else, such as that of a part named `test`."""
    suffix = os.path.splitext(image.path)[1].lower()
    return f"{image.image_id}{suffix if suffix.isascii() and suffix.isprintable() else ''}"


def _put_file(image: ExportedImage, path: str, *, copies: bool) -> None:
    """Puts a file into the tree."""
    private.make_folders(os.path.dirname(path))
    source, expected = image.file or "", ContentDigest(image.size_bytes, image.content_hash)
    try:
        if copies:
            new_output.copy_file(source, path, expected=expected)
        else:
            new_output.link_file(source, path, mtime_ns=image.mtime_ns, expected=expected)
    except new_output.NoHardLinkError as problem:
        raise FolderError(f"{problem}; add --copy to export copies") from problem
