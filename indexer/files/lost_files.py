"""Whether the file of a removal that was cut off is lost to the index: at none of its names, and nothing can tell why.

A recovery waits while a quarantine, a folder or a record is not there, as its disk may be away. If somebody deleted it,
only a person can end that.
"""

import os

from indexer.files.absence import is_absent, is_folder_absent
from indexer.files.moving import aside_path
from indexer.files.quarantine import is_quarantine_missing
from indexer.files.witness_record import is_recorded_near


def is_lost(path: str, *, aside: str | None, quarantine_path: str | None) -> bool:
    """Whether a file is certainly at none of its names, and its quarantine or, of a deletion, its record is not there.

    `path` is where the file was, `aside` its second name while it is deleted. `quarantine_path` is None for a deletion.
    """
    names = [path, aside, quarantine_path, None if quarantine_path is None else aside_path(quarantine_path)]
    if not all(name is None or is_absent(name) for name in names):
        return False
    if quarantine_path is not None:
        return is_quarantine_missing(quarantine_path)
    return is_folder_absent(os.path.dirname(path)) or not is_recorded_near(path)
