"""Which files cannot be used. Folders are listed, and few files are asked for: a network disk answers slowly."""

import os
from collections import defaultdict
from collections.abc import Iterable

from indexer.files.verification import MismatchError, regular_status


def find_problems(paths: Iterable[str]) -> dict[str, MismatchError]:
    """What is wrong with those of these absolute paths at which nothing is, or at which the system does not look.

    The problems are those that `regular_status` raises.
    """
    by_folder = defaultdict[str, set[str]](set)
    for path in paths:
        by_folder[os.path.dirname(path)].add(path)
    problems = dict[str, MismatchError]()
    for folder, of_folder in by_folder.items():
        try:
            os.lstat(os.path.join(folder, os.curdir))  # a folder may be listed without the right to look at its files
            names = set(os.listdir(folder))
        except OSError:
            names = set()
        # A disk may give a name in another form than it was asked for: what is not listed is asked for.
        for path in of_folder:
            if os.path.basename(path) not in names:
                try:
                    regular_status(path)
                except MismatchError as problem:
                    problems[path] = problem
    return problems
