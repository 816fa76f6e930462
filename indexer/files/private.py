"""The tool's own files and folders: closed to others whatever the umask, and never somebody else's by a link.

It holds how such a file is made, opened and replaced, and which rights a new one gets. Whoever writes a file that is
no image calls it: records, locks, the log, a report, a new index, the demo.

Decision: the last name of a path counts. A folder on the way may be a link, as people put `/data` on another disk; the
file itself may not, and one that is written to has one name. A new file is its owner's alone, as thumbnails show what
private images show. In a folder with the setgid bit, which people set to share what lies there, its group has the same
rights. Rights of what exists are never changed. In a folder that all may write to, a file of another user is refused;
elsewhere only people who were let in could have put it there. Enforced by tests/files/test_private.py.
"""

import errno
import os
import secrets
import stat
from contextlib import suppress

_OPEN_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # not blocking: a pipe in a file's place does not stop us
_CREATE_FLAGS = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS = 100


def mode_of_new(folder: str, *, is_folder: bool = False) -> int:
    """The rights of a new file, or a new folder, in a folder: its owner's; its group's too where setgid says so."""
    shared = os.stat(folder or os.curdir).st_mode & stat.S_ISGID
    if is_folder:
        return stat.S_ISGID | 0o770 if shared else 0o700
    return 0o660 if shared else 0o600


def create_file(path: str, *, mode: int | None = None, flags: int = os.O_RDWR) -> int:
    """Descriptor of a new file, whose rights are `mode` or `mode_of_new`; raises `FileExistsError` if a name is there,
    be it a link that leads nowhere."""
    mode = mode_of_new(os.path.dirname(path)) if mode is None else mode
    descriptor = os.open(path, flags | _CREATE_FLAGS, mode)
    _set_mode(descriptor, mode)
    return descriptor


def open_file(path: str, *, flags: int, mode: int | None = None, single_link: bool = True) -> int:
    """Descriptor of a file of ours, made as by `create_file` if it is not there, never cut short.

    Raises `OSError` where a link, a pipe, another user's file or (`single_link`) a second name is in its place.
    """
    for _ in range(_ATTEMPTS):
        try:
            descriptor = os.open(path, flags | _OPEN_FLAGS)
        except FileNotFoundError:
            with suppress(FileExistsError):  # another command made it meanwhile
                return create_file(path, mode=mode, flags=flags)
            continue
        except OSError as problem:
            if problem.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, "it is a symbolic link; take the link away", path) from problem
            raise
        try:
            _require_ours(descriptor, path, single_link=single_link)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
    raise OSError(errno.EBUSY, "it comes and goes; another program is at work on it", path)


def make_folder(path: str) -> None:
    """Make a folder that is not there, with the rights of `mode_of_new`."""
    mode = mode_of_new(os.path.dirname(path), is_folder=True)
    os.mkdir(path, stat.S_IMODE(mode) & 0o777)
    with suppress(PermissionError):  # a umask that leaves its owner nothing
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            _set_mode(descriptor, mode)
        finally:
            os.close(descriptor)


def make_folders(path: str) -> None:
    """Make a folder and those above it where they are missing."""
    if os.path.isdir(path):
        return
    make_folders(os.path.dirname(path) or os.curdir)
    with suppress(FileExistsError):
        make_folder(path)


def write_new(path: str, data: bytes) -> None:
    """Write a file that was not there; what could be written of it is taken away again if not all could."""
    descriptor = create_file(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


def replace(path: str, data: bytes, *, partial: str) -> None:
    """Put a whole file in the place of the one of that name, be it a link, which goes; a cut leaves the old one.

    It grows under the name `partial`, in the same folder, where a cut may leave some of it.
    """
    with suppress(FileNotFoundError):
        os.unlink(partial)
    write_new(partial, data)
    try:
        os.replace(partial, path)
    except OSError:
        with suppress(OSError):
            os.unlink(partial)
        raise


def _set_mode(descriptor: int, mode: int) -> None:
    """Gives what was just made its rights, whatever the umask took, as well as the file system can."""
    if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
        with suppress(OSError):
            os.fchmod(descriptor, mode)


def _require_ours(descriptor: int, path: str, *, single_link: bool) -> None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file; move it away", path)
    if single_link and status.st_nlink > 1:
        raise OSError(errno.EMLINK, "it has a second name (a hard link); put a copy in its place", path)
    folder = os.stat(os.path.dirname(path) or os.curdir)
    is_foreign = folder.st_mode & stat.S_IWOTH and status.st_uid not in {os.geteuid(), folder.st_uid, 0}
    if is_foreign and status.st_uid != _owner_of_new(os.path.dirname(path)):
        raise OSError(errno.EPERM, "it is another user's, in a folder that all may write to; move it away", path)


def _owner_of_new(folder: str) -> int | None:
    """Whose a file of ours is in a folder: a server may make its administrators, or all, somebody else."""
    probe = os.path.join(folder, f".indexer-probe-{secrets.token_hex(8)}")
    try:
        descriptor = create_file(probe)
    except OSError:
        return None
    try:
        return os.fstat(descriptor).st_uid
    finally:
        os.close(descriptor)
        with suppress(OSError):
            os.unlink(probe)
