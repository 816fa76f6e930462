"""Whether nothing is at a path, for certain.

`os.path.exists` and its like also say no if a folder on the way may not be searched, or if its disk does not answer.
Who takes that for a deletion gives up files that are there. Here only the answer of the disk that there is no such name
counts.
"""

import os
import stat


def is_absent(path: str) -> bool:
    """Whether there is certainly nothing at a path, not even a link; False if that cannot be found out."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def is_folder_absent(path: str) -> bool:
    """Whether there is certainly no folder at a path, links followed; False if that cannot be found out."""
    try:
        return not stat.S_ISDIR(os.stat(path).st_mode)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False


def find_read_refusal(path: str) -> str | None:
    """Why the system does not say whether something is at a path, such as a missing right; None if it does."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as problem:
        return problem.strerror or str(problem)
    return None
