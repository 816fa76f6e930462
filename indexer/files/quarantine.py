"""Where a removed file goes: a path in quarantine that no other file has or will get.

It promises that new folders are synced to the disk before they are used and are closed to others, and that only what is
empty is removed again; the marker, the lock and the record of a quarantine stay. A new folder's parent is synced before
anything is put into the folder. It moves no file and does not know why one moves: the path that it returns is written
into the journal first.
"""

import itertools
import os
import stat
from contextlib import suppress

from indexer.files import io_steps
from indexer.files.absence import is_absent, is_folder_absent
from indexer.files.beneath import OpenQuarantinePath
from indexer.files.filesystems import is_mount_point
from indexer.files.manifest import MANIFEST_NAME
from indexer.files.markers import QUARANTINE_MARKER, QUARANTINE_NAME, is_quarantine, is_run
from indexer.files.moving import aside_path, discard_partial
from indexer.files.owners import Owner
from indexer.files.refusals import FOLDERS, SYNCING_BYTES, SYNCING_NAMES, translate_refusal

_MARKER_TEXT = (
    b"Files that indexer removed lie here: see manage.py restore, purge and rescue. Nothing walks this folder.\n"
)


def quarantine_folder(root: str, *, override: str | None = None) -> str:
    """The path of the quarantine for files that are removed from below `root`; creates nothing.

    With `override` it is that folder; if the folder holds other files, it is a folder with the usual name in it.
    Without `override` it lies beside the root if it is on the same device and may be written to, else inside the root.
    """
    if override is not None:
        real = os.path.realpath(override)
        return real if _can_be_quarantine(real) else os.path.join(real, QUARANTINE_NAME)
    real = os.path.realpath(root)  # its records are searched from the real paths of files
    beside = os.path.join(os.path.dirname(real), QUARANTINE_NAME)
    return beside if _can_rename_into(beside, root=real) else os.path.join(real, QUARANTINE_NAME)


def _can_be_quarantine(folder: str) -> bool:
    """Whether a folder may be marked as a quarantine: it is one, does not exist, or holds nothing but runs of one."""
    if not os.path.isdir(folder) or is_quarantine(folder):
        return True
    return all(is_run(os.path.join(folder, name)) for name in os.listdir(folder))


def prepare_quarantine(folder: str, *, owner: Owner | None = None) -> None:
    """Makes a quarantine with its marker if it is missing, and syncs both before a file is put into it.

    A new marker names the owner. A crash may leave a part of it. Raises `OSError` if the quarantine cannot be made.
    """
    marker = os.path.join(folder, QUARANTINE_MARKER)
    if os.path.lexists(marker):
        return
    make_synced_folders(folder)
    with translate_refusal(SYNCING_BYTES, marker):
        io_steps.append(marker, _MARKER_TEXT if owner is None else _MARKER_TEXT + owner.line)
    with translate_refusal(SYNCING_NAMES, marker):
        io_steps.sync_folder(marker)


def quarantine_of(path: str) -> str:
    """The quarantine that a path from `reserve_quarantine_path` lies in.

    If the run's folder was moved out of its quarantine, it is the run's folder.
    """
    run_folder = os.path.dirname(os.path.dirname(path))
    folder = os.path.dirname(run_folder)
    return folder if is_quarantine(folder) or not is_run(run_folder) else run_folder


def is_quarantine_mounted(path: str) -> bool:
    """Whether the very quarantine that a path was made in can be reached. If not, its disk is probably not mounted.

    The folder of the run shows it, because it stays as long as something is left of the run's files. The marker does
    not: at an empty mount point a later command makes another quarantine of the same path.
    """
    return os.path.isdir(os.path.dirname(os.path.dirname(path)))


def is_quarantine_missing(path: str) -> bool:
    """Whether a file in quarantine cannot be reached because what its run put there is not there as a whole.

    False also if that cannot be found out, as without the right to look into the quarantine: see
    `indexer.files.absence.find_read_refusal`.
    """
    return is_folder_absent(os.path.dirname(os.path.dirname(path))) and is_absent(path)


def was_taken_out(path: str) -> bool:
    """Whether somebody else took a file out of its quarantine, while the disk itself is still mounted.

    The run's folder shows that: a quarantine may be a mount point, which exists and is empty without its disk.
    """
    # An interrupted purge leaves the file under its second name.
    if not is_quarantine_mounted(path) or os.path.lexists(aside_path(path)):
        return False
    try:
        os.lstat(path)
    except OSError as problem:
        return isinstance(problem, FileNotFoundError)
    return False


def reserve_quarantine_path(folder: str, *, run: str, name: str, basename: str, synced: set[str] | None = None) -> str:
    """A free path `<folder>/<run>/<name>[-k]/<basename>` in a new folder that no other caller gets.

    The caller writes the path into the journal next. `synced` has the folders that this process has synced already, and
    is extended, so that each is synced once. A crash leaves an empty folder: see `release_quarantine_path`. Raises
    `OSError` if a folder cannot be made or synced.
    """
    synced = set() if synced is None else synced
    run_folder = os.path.join(folder, run)
    make_synced_folders(run_folder)
    for number in itertools.count(1):
        file_folder = os.path.join(run_folder, name if number == 1 else f"{name}-{number}")
        with suppress(FileExistsError), translate_refusal(FOLDERS, file_folder):
            io_steps.make_folder(file_folder)
            break
    # All three, new or not: an earlier process may have made one and crashed before it synced it.
    for parent in (file_folder, run_folder, folder):
        if parent not in synced:
            with translate_refusal(SYNCING_NAMES, parent):
                io_steps.sync_folder(parent)
    synced |= {run_folder, folder}
    return os.path.join(file_folder, basename)


def release_quarantine_path(path: str) -> None:
    """Removes the folder of a path without a file, and the run's folder if it is then empty.

    A manifest that is alone in the run's folder is removed, too, because no file that it names is there any more. The
    quarantine itself stays, because its contents protect other files. What cannot be removed stays. A crash leaves
    empty folders.
    """
    folder = os.path.dirname(path)
    run_folder = os.path.dirname(folder)
    release_open_path(OpenQuarantinePath(path, folder, run_folder, run_folder))


def release_open_path(path: OpenQuarantinePath) -> None:
    """As `release_quarantine_path`, for a path whose folders are open."""
    with suppress(OSError):
        discard_partial(path.file)
    with suppress(OSError):
        io_steps.remove_empty_folder(path.folder)
        if os.listdir(path.run_folder) == [MANIFEST_NAME]:
            io_steps.unlink(os.path.join(path.run_folder, MANIFEST_NAME))
    with suppress(OSError):
        io_steps.remove_empty_folder(path.run_folder_entry)


def make_synced_folders(path: str, *, closed: bool = True) -> None:
    """Makes a folder and its missing parents, each synced, so that it can hold a moved file.

    They are closed to others, or have the rights of the folder above. A crash leaves some of them, empty. Raises
    `OSError` if one cannot be made or synced.
    """
    if os.path.isdir(path):
        return
    make_synced_folders(os.path.dirname(path) or os.curdir, closed=closed)
    with suppress(FileExistsError), translate_refusal(FOLDERS, path):
        io_steps.make_folder(path, closed=closed)
    with translate_refusal(SYNCING_NAMES, path):
        io_steps.sync_folder(path)


def _can_rename_into(folder: str, *, root: str) -> bool:
    """Whether the folder is a real folder, or can be made, and files of the root can be renamed into it."""
    try:
        existing = folder if os.path.lexists(folder) else os.path.dirname(folder)
        status, root_status = os.lstat(existing), os.lstat(root)
    except OSError:
        return False
    # A bind mount is on one device with its parent, but no file can be renamed between the two.
    is_same_mount = stat.S_ISDIR(status.st_mode) and status.st_dev == root_status.st_dev and not is_mount_point(root)
    return is_same_mount and os.access(
        existing, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids
    )
