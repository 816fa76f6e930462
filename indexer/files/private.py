"""The tool's own files and folders: closed to others whatever the umask, and never another user's file behind a link.

It makes, opens and replaces such files, and sets the rights of new ones. Everything that writes a file that is no image
calls it: records, locks, the log, a report, a new index, the demo.

Decision 0010: the last name of a path counts; a new file is its owner's alone.
"""

import errno
import os
import secrets
import stat
from contextlib import suppress

_OPEN_FLAGS = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # not blocking: a pipe in place of a file does not stop us
_CREATE_FLAGS = os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_ATTEMPTS = 100


def mode_of_new(folder: str, *, is_folder: bool = False) -> int:
    """The mode of a new file or folder in `folder`: rights for its owner, and for its group if `folder` has setgid."""
    shared = os.stat(folder or os.curdir).st_mode & stat.S_ISGID
    if is_folder:
        return stat.S_ISGID | 0o770 if shared else 0o700
    return 0o660 if shared else 0o600


def mode_like(folder: str) -> int:
    """The mode of a folder for another one in it; if all may write to it, only its owner may write to the other."""
    mode = stat.S_IMODE(os.stat(folder or os.curdir).st_mode)
    return mode & 0o755 if mode & stat.S_IWOTH else mode


def create_file(path: str, *, mode: int | None = None, flags: int = os.O_RDWR, follow_owner: bool = False) -> int:
    """Descriptor of a new file with the rights `mode`, or those of `mode_of_new`.

    `follow_owner`: if root makes it, it becomes that of the owner of its folder.

    Raises `FileExistsError` if the name exists, even as a link that leads nowhere; another `OSError` if the disk
    refuses.
    """
    mode = mode_of_new(os.path.dirname(path)) if mode is None else mode
    descriptor = os.open(path, flags | _CREATE_FLAGS, mode)
    if follow_owner:
        _set_owner(descriptor, os.path.dirname(path))
    _set_mode(descriptor, mode)
    return descriptor


def open_file(
    path: str, *, flags: int, mode: int | None = None, single_link: bool = True, follow_owner: bool = False
) -> int:
    """Descriptor of one of the tool's own files. A missing file is made as by `create_file`; none is truncated.

    Raises `OSError` if the file is a link, a pipe or another user's, or, with `single_link`, if it has a second name.
    """
    for _ in range(_ATTEMPTS):
        try:
            descriptor = os.open(path, flags | _OPEN_FLAGS)
        except FileNotFoundError:
            with suppress(FileExistsError):  # another command made it meanwhile
                return create_file(path, mode=mode, flags=flags, follow_owner=follow_owner)
            continue
        except OSError as problem:
            if problem.errno == errno.ELOOP:
                raise OSError(errno.ELOOP, "it is a symbolic link; remove the link", path) from problem
            raise
        try:
            _require_ours(descriptor, path, single_link=single_link)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor
    raise OSError(errno.EBUSY, "another program makes and removes it again and again; try again later", path)


def make_folder(path: str, *, mode: int | None = None, follow_owner: bool = False) -> None:
    """Makes a folder that does not exist, with the rights `mode`, or those of `mode_of_new`.

    `follow_owner`: if root makes it, it becomes that of the owner of the folder above. Raises `OSError` if the disk
    refuses.
    """
    mode = mode_of_new(os.path.dirname(path), is_folder=True) if mode is None else mode
    os.mkdir(path, stat.S_IMODE(mode) & 0o777)
    with suppress(PermissionError):  # a umask that leaves its owner no rights
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            # Whoever may write to the folder above may have put another one there meanwhile; an empty one does no harm.
            if follow_owner and not os.listdir(descriptor):
                _set_owner(descriptor, os.path.dirname(path))
            _set_mode(descriptor, mode)
        finally:
            os.close(descriptor)


def make_folders(path: str) -> None:
    """Makes a folder and its missing parents, each as `make_folder` does; an existing folder stays as it is."""
    if os.path.isdir(path):
        return
    make_folders(os.path.dirname(path) or os.curdir)
    with suppress(FileExistsError):
        make_folder(path)


def write_new(path: str, data: bytes) -> None:
    """Writes a file that did not exist. If not all of it can be written, the part is deleted again.

    Raises `OSError` as `create_file`, or if the disk is full.
    """
    descriptor = create_file(path)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
    except BaseException:
        with suppress(OSError):
            os.unlink(path)
        raise


def replace(path: str, data: bytes, *, partial: str) -> None:
    """Replaces the file or link at `path` by a whole new file. A crash leaves the old file or the new one.

    The data is first written to the path `partial` in the same folder. A crash may leave a part of it there. Raises
    `OSError` if the disk refuses.
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


def _set_owner(descriptor: int, folder: str) -> None:
    """Gives what root has made in `folder` to the owner and the group of that folder, as far as the disk can."""
    if os.geteuid() == 0:
        status = os.stat(folder or os.curdir)
        with suppress(OSError):
            os.fchown(descriptor, status.st_uid, status.st_gid)


def _set_mode(descriptor: int, mode: int) -> None:
    """Sets the mode of a new file or folder, whatever the umask, as far as the file system can."""
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
        raise OSError(
            errno.EPERM, "it belongs to another user, in a folder that everybody may write to; move it away", path
        )


def _owner_of_new(folder: str) -> int | None:
    """The owner that one of our new files gets in `folder`; None if no file can be made there.

    A server may map administrators, or all users, to somebody else.
    """
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
