"""Reads a person's labels from a file and finds the image of the index that each name means.

It promises that a name which may mean several images is refused, and that labels of images which the index does not
have are reported, not dropped. It knows no decisions.
"""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from indexer.domain.csv_files import PairLabel, StateLabel, parse_labels
from indexer.domain.evaluation import LabelledPair
from indexer.domain.images import ImageState
from indexer.domain.plurals import counted
from indexer.errors import LabelError
from indexer.files.given_files import read_user_list
from indexer.store.database import Database
from indexer.store.image_names import NamedImage, iter_named_images

_ABSENCE_RANK = {ImageState.REMOVED: 1, ImageState.MISSING: 2}


@dataclass
class Labels:
    """Labels by camera, as states by image id or as judged pairs; `unknown` are names without an image in the index."""

    states: dict[str, dict[int, str]] = field(default_factory=dict)
    pairs: dict[str, list[LabelledPair]] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)

    @property
    def cameras(self) -> list[str]:
        """The cameras with labels, by name."""
        return sorted(self.states or self.pairs)


def read_labels(path: str) -> list[StateLabel] | list[PairLabel]:
    """The labels in a CSV file.

    Raises
    ------
    LabelError
        If the file cannot be read, is malformed or holds no label.
    """
    try:
        labels = parse_labels(read_user_list(path))
    except LabelError as problem:
        raise LabelError(f"{path!r}, {problem}") from problem
    except OSError as problem:
        raise LabelError(f"{path!r} cannot be read: {problem.strerror}; name a CSV file") from problem
    if not labels:
        raise LabelError(f"{path!r} has no label below its first line")
    return labels


def match_labels(database: Database, labels: Sequence[StateLabel | PairLabel], *, camera: str | None) -> Labels:
    """The labels of images that the index has, of one camera or of all.

    Raises
    ------
    LabelError
        If a name may mean several images, labels contradict each other, or no label is left.
    """
    names = _NameIndex(database, (name for label in labels for name in _names_of(label)))
    matched = Labels()
    lines: dict[tuple[int, ...], tuple[int, str]] = {}
    for label in labels:
        images = [names.find(name, camera=_camera_of(label), line=label.line) for name in _names_of(label)]
        matched.unknown += [name for name, image in zip(_names_of(label), images, strict=True) if image is None]
        known = [image for image in images if image is not None]
        if len(known) == len(images) and (camera is None or known[0].camera == camera):
            _add_label(label, known, matched, lines)
    if not matched.cameras:
        where = "" if camera is None else f" of camera {camera!r}"
        raise LabelError(
            f"none of the labelled images{where} is in the index, for example not {_names_of(labels[0])[0]!r}; "
            "name them by path, by number, or by a file name that is unique"
        )
    return matched


def _add_label(
    label: StateLabel | PairLabel,
    images: Sequence[NamedImage],
    matched: Labels,
    lines: dict[tuple[int, ...], tuple[int, str]],
) -> None:
    """Adds a label, unless an earlier line holds the same; raises `LabelError` if an earlier line contradicts it."""
    value = label.state if isinstance(label, StateLabel) else label.verdict
    key = tuple(sorted(image.id for image in images))
    first_line, first_value = lines.setdefault(key, (label.line, value))
    if first_value != value:
        raise LabelError(f"line {label.line} says {value!r}, but line {first_line} says {first_value!r} of the same")
    if first_line != label.line:
        return
    first = images[0]
    if isinstance(label, StateLabel):
        matched.states.setdefault(first.camera, {})[first.id] = label.state
        return
    second = images[1]
    if first.id == second.id:
        raise LabelError(f"line {label.line}: {label.image_a!r} and {label.image_b!r} are one image")
    if first.camera != second.camera:
        raise LabelError(
            f"line {label.line}: {label.image_a!r} is of camera {first.camera!r} and {label.image_b!r} of "
            f"{second.camera!r}; only images of one camera are compared"
        )
    matched.pairs.setdefault(first.camera, []).append((first.id, second.id, label.verdict))


def _names_of(label: StateLabel | PairLabel) -> tuple[str, ...]:
    return (label.image,) if isinstance(label, StateLabel) else (label.image_a, label.image_b)


def _camera_of(label: StateLabel | PairLabel) -> str | None:
    return label.camera if isinstance(label, StateLabel) else None


class _NameIndex:
    """The images that some names may mean. A name is an image id, a path or a file name."""

    def __init__(self, database: Database, names: Iterable[str]) -> None:
        unique_names = set(names)
        self._paths = {name: _stored_path(name) for name in unique_names}
        lookup_names = unique_names | set(self._paths.values())
        self._images_by_name: dict[str, list[NamedImage]] = {}
        with database.read() as session:
            for image in iter_named_images(session):
                for name in (str(image.id), image.path, os.path.basename(image.path)):
                    if name in lookup_names:
                        self._images_by_name.setdefault(name, []).append(image)

    def find(self, name: str, *, camera: str | None, line: int) -> NamedImage | None:
        """The image that a name means; None if there is none.

        An image id goes before a path, a path before a file name. A present image goes before a removed one, a removed
        one before a missing one.

        Raises `LabelError` if the name may mean images of several paths.
        """
        candidates = [*self._images_by_name.get(name, []), *self._images_by_name.get(self._paths[name], [])]
        images = [image for image in candidates if camera is None or image.camera == camera]
        numbered = [image for image in images if str(image.id) == name]
        at_path = [image for image in images if image.path == self._paths[name]]
        by_path = {image.path: image for image in sorted(numbered or at_path or images, key=_absence_key, reverse=True)}
        min_absence = min((_absence_key(image)[0] for image in by_path.values()), default=0)
        best = sorted(image for image in by_path.values() if _absence_key(image)[0] == min_absence)
        if len(best) > 1:
            raise LabelError(
                f"line {line}: {name!r} may mean {counted(len(best), 'image')}, {best[0].path!r} and {best[1].path!r}; "
                "give the path, or say the camera in a column camera"
            )
        return best[0] if best else None


def _absence_key(image: NamedImage) -> tuple[int, int]:
    """Sort key: present images first, then removed ones, then missing ones; of equal ones the newest first."""
    return _ABSENCE_RANK.get(image.state, 0), -image.id


def _stored_path(name: str) -> str:
    """The path of a file as ingest stores it: absolute, links of folders resolved."""
    folder, base = os.path.split(os.path.abspath(name))
    return os.path.join(os.path.realpath(folder), base)
