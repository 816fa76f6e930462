"""Whether the disk of a SQLite index supports what SQLite needs: locks on ranges of a file, and memory shared in one.

SQLite's errors do not say so. If the system refuses a lock, SQLite says that the database is locked, as if by another
program; if it refuses the log's shared memory, SQLite says that the disk has an error
(https://www.sqlite.org/wal.html, 2.2; https://www.sqlite.org/howtocorrupt.html, 2.1). So both are tried on a probe file
beside the index. Not on the index itself: closing a descriptor of that file would drop the locks that SQLite has on it.
"""

import fcntl
import mmap
import os
import tempfile
from contextlib import suppress
from pathlib import Path

_LOCK_OFFSET = 0x40000000  # where SQLite locks, beyond the end of most files: some disks refuse locks there
_LOCKED_BYTES = 512
_SHARED_BYTES = 32768
DISK_ADVICE = "keep the index on a local disk (--db PATH), or use PostgreSQL"


def find_disk_limitation(path: Path) -> str | None:
    """What the disk of an index cannot do, as a clause with advice for people.

    None if it can do both, or if no probe file can be made beside the index.
    """
    try:
        descriptor, probe = tempfile.mkstemp(prefix=".indexer-probe-", dir=path.parent)
    except OSError:
        return None
    try:
        return _find_limitation(descriptor)
    finally:
        os.close(descriptor)
        with suppress(OSError):
            os.unlink(probe)


def _find_limitation(descriptor: int) -> str | None:
    try:
        # No other program knows the file: if it is "locked", the disk has no locks.
        fcntl.lockf(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, _LOCKED_BYTES, _LOCK_OFFSET)
    except OSError as problem:
        return f"the disk of its folder cannot lock files (fcntl: {problem.strerror}), as SQLite must; {DISK_ADVICE}"
    try:
        os.ftruncate(descriptor, _SHARED_BYTES)
    except OSError:
        return None
    try:
        mmap.mmap(descriptor, _SHARED_BYTES, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE).close()
    except OSError as problem:
        return (
            f"the disk of its folder cannot share memory through a file (mmap: {problem.strerror}), as SQLite's log "
            f"must; {DISK_ADVICE}"
        )
    return None
