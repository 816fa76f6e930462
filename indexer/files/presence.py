"""Which files are missing, asked once for each folder and not once for each file: a network disk answers slowly."""

import os
from collections import defaultdict
from collections.abc import Iterable


def find_missing(paths: Iterable[str]) -> set[str]:
    """Those of these absolute paths at which nothing is.

    Of a folder that cannot be listed, all files count as there.
    """
    by_folder = defaultdict[str, set[str]](set)
    for path in paths:
        by_folder[os.path.dirname(path)].add(path)
    missing = set[str]()
    for folder, of_folder in by_folder.items():
        try:
            names = set(os.listdir(folder))
        except (FileNotFoundError, NotADirectoryError):
            missing |= of_folder
        except OSError:
            continue
        else:
            # A disk may give a name in another form than it was asked for: what is not listed is asked for.
            missing |= {path for path in of_folder if os.path.basename(path) not in names and not os.path.lexists(path)}
    return missing
