"""Whether the disk of a SQLite index can do what SQLite needs: lock ranges of a file, and share memory through one.

SQLite does not tell: where the system refuses a lock it says that the database is locked, as by another program, and
where it refuses the shared memory of the log that the disk has an error (https://www.sqlite.org/wal.html, 2.2;
https://www.sqlite.org/howtocorrupt.html, 2.1). So the disk is asked, by a file of its own beside the index: closing a
descriptor of the index itself would drop the locks that SQLite has on it.
"""

import fcntl
import mmap
import os
import tempfile
from contextlib import suppress
from pathlib import Path

_LOCK_OFFSET = 0x40000000  # where SQLite locks, beyond what most files hold: some disks know no locks out there
_LOCKED_BYTES = 512
_SHARED_BYTES = 32768
DISK_ADVICE = "keep the index on a local disk (--db PATH), or use PostgreSQL"


def find_disk_limitation(path: Path) -> str | None:
    """What the disk of an index cannot do, and what a person can; None if it can, or nobody can tell."""
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
        # Nobody else knows the file: whoever says now that it is locked has no locks.
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
