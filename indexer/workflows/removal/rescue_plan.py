"""What rescue would write and where, planned from the manifests before anybody is asked.

A manifest says where a file was, and may say anything. The plan promises that every target lies below one folder that
the person can have meant: the folder that holds `.indexer-quarantine`, or the one that `--below` or `--into` names. A
quarantine with another name was made elsewhere by `prune --quarantine`, or was moved: the folder that holds it says
nothing about where its files were, so it needs one of the two options. The plan looks at names alone and writes
nothing.
"""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from indexer.errors import FolderError, UsageError
from indexer.escaping import command_line
from indexer.files import manifest
from indexer.files.beneath import lies_beneath, split_path
from indexer.files.manifest import Entry, ManifestContents
from indexer.files.markers import QUARANTINE_NAME, find_quarantine
from indexer.files.quarantine import quarantine_of
from indexer.files.verification import MismatchError
from indexer.workflows.removal.missing_folders import find_missing_folder
from indexer.workflows.removal.quarantined_image import require_image_names


@dataclass(frozen=True)
class RescueItem:
    """One file that goes from its path in quarantine to a target below the `allowed` folder."""

    quarantine_path: str
    target: str
    allowed: str
    entry: Entry


@dataclass(frozen=True)
class RescuePlan:
    """What would be written, and what is refused and why, each by the path that its manifest names.

    `elsewhere`: what to type if the folder that all files were in was renamed or moved.
    """

    items: tuple[RescueItem, ...]
    refused: tuple[tuple[str, str], ...]
    elsewhere: str

    @property
    def size_bytes(self) -> int:
        """Bytes of all files, as their manifests say."""
        return sum(item.entry.size_bytes for item in self.items)

    @property
    def folders(self) -> list[str]:
        """The folders below which files would be written."""
        return sorted({item.allowed for item in self.items})

    @property
    def missing_folders(self) -> list[str]:
        """The outermost folders that do not exist and would be made anew."""
        targets = {os.path.dirname(item.target): item.target for item in self.items}
        return sorted({folder for path in targets.values() if (folder := find_missing_folder(path)) is not None})


TargetRule = Callable[[str, Entry], tuple[str, str]]
"""The target of a file, from its path in quarantine and its entry, and the allowed folder above it.

Raises `MismatchError`.
"""


def plan_rescue(folder: str, *, below: str | None = None, into: str | None = None) -> RescuePlan:
    """The plan for a quarantine.

    Raises `FolderError` if there is nothing to bring back, or if `below` or `into` lies in a quarantine. Raises
    `UsageError` if one of the two names no folder, or both are given.
    """
    if below is not None and into is not None:
        raise UsageError("--below and --into do not go together; --into puts all files below its folder anyway")
    if not os.path.isdir(folder):
        raise FolderError(f"there is no folder {folder!r}; name the quarantine, usually .indexer-quarantine")
    contents = manifest.read(os.path.realpath(folder))
    if not contents.entries and not contents.refused:
        raise FolderError(f"no manifest below {folder!r} names a file that is there; nothing can be brought back")
    find_target = _choose_target_rule(folder, contents, below=below, into=into)
    items, refused = [], list(contents.refused)
    for quarantine_path, entry in contents.entries.items():
        try:
            target, allowed = find_target(quarantine_path, entry)
            require_image_names(os.path.basename(quarantine_path), os.path.basename(target))
        except MismatchError as problem:
            refused.append((entry.path, problem.reason))
        else:
            items.append(RescueItem(quarantine_path, target, allowed, entry))
    return RescuePlan(tuple(items), tuple(refused), _describe_elsewhere(folder, contents))


def _describe_elsewhere(folder: str, contents: ManifestContents) -> str:
    """What to type, without an index, if the folder that all files were in was renamed or moved."""
    into = command_line("rescue", folder, "--into", "NEW")
    return f"if {contents.common_folder or os.sep!r} was renamed or moved: {into}"


def _choose_target_rule(folder: str, contents: ManifestContents, *, below: str | None, into: str | None) -> TargetRule:
    elsewhere = _describe_elsewhere(folder, contents)
    if into is not None:
        return partial(
            _target_into, allowed=_require_real_folder(into, "--into"), common=contents.common_folder or os.sep
        )
    if below is not None:
        real = _require_real_folder(below, "--below")
        spelled = (os.path.abspath(below), real)
        return partial(_target_below, allowed=real, spelled=spelled, elsewhere=elsewhere)
    return partial(_target_beside, named=os.path.abspath(folder), elsewhere=elsewhere)


def _require_real_folder(folder: str, option: str) -> str:
    """The real path of a folder that a person named."""
    if not folder or "\0" in folder:
        raise UsageError(f"{option} names no folder: {folder!r}")
    real = os.path.realpath(folder)
    if find_quarantine(real) is not None:
        raise FolderError(f"{option} {folder!r} lies in a quarantine; name a folder outside of it")
    return real


def _target_into(_quarantine_path: str, entry: Entry, *, allowed: str, common: str) -> tuple[str, str]:
    split_path(entry.path)
    target = os.path.join(allowed, os.path.relpath(entry.path, common))
    return _require_beneath(target, allowed), allowed


def _target_below(
    _quarantine_path: str, entry: Entry, *, allowed: str, spelled: tuple[str, ...], elsewhere: str
) -> tuple[str, str]:
    split_path(entry.path)
    start = next((folder for folder in spelled if lies_beneath(entry.path, folder)), None)
    if start is None:
        raise MismatchError(f"it was not below {allowed!r}; {elsewhere}")
    target = os.path.join(allowed, os.path.relpath(entry.path, start))
    return _require_beneath(target, allowed), allowed


def _target_beside(quarantine_path: str, entry: Entry, *, named: str, elsewhere: str) -> tuple[str, str]:
    """A target below the folder that holds the quarantine, if the quarantine has the name of one beside its images."""
    quarantine = quarantine_of(quarantine_path)
    if os.path.basename(named) == QUARANTINE_NAME and os.path.realpath(named) == quarantine:
        quarantine = named  # a link with that name lies beside the images, wherever it leads
    folder = os.path.dirname(quarantine)
    if os.path.basename(quarantine) != QUARANTINE_NAME or folder == os.sep:
        raise MismatchError(
            f"the quarantine {quarantine!r} does not say where its files belong, because its name is not "
            f"{QUARANTINE_NAME}; give --below FOLDER or --into FOLDER"
        )
    real = os.path.realpath(folder)
    return _target_below(quarantine_path, entry, allowed=real, spelled=(folder, real), elsewhere=elsewhere)


def _require_beneath(target: str, allowed: str) -> str:
    """The path, after a second check that it is plain and below the folder."""
    split_path(target)
    if not lies_beneath(target, allowed):
        raise MismatchError(f"it would not lie below {allowed!r}")
    return target
