"""The order in which several processes take the test files.

A process that met a long file last would work while the others wait. pytest-xdist itself takes files with many tests
first, and the longest files have few.
"""

from collections import Counter
from collections.abc import Sequence

LONG = (
    "e2e/test_faults.py",
    "benchmarks/test_figures.py",
    "e2e/test_removal_histories.py",
    "e2e/test_two_hosts.py",
    "e2e/test_killed.py",
    "workflows/compare/test_compare.py",
    "workflows/compare/test_incremental.py",
    "cli/test_engine_options.py",
    "execution/test_dask_executor.py",
    "e2e/test_hostile_files.py",
    "cli/render/test_query_rows.py",
    "e2e/test_hostile_words.py",
    "workflows/admin/test_copy_index.py",
    "e2e/test_index_disks.py",
    "cli/test_terminal.py",
    "cli/test_rights.py",
)
"""The files that take longest, the longest first, below this folder."""


def longest_first(files: Sequence[str]) -> list[int]:
    """The order of tests, as indices: those of `LONG` files, then of files with many tests, then of others.

    `files`: the file of each test, below the folder of all tests. Tests of one file keep their order.
    """
    counts, ranks = Counter(files), {name: rank for rank, name in enumerate(LONG)}
    return sorted(
        range(len(files)),
        key=lambda number: (ranks.get(files[number], len(ranks)), -counts[files[number]], files[number]),
    )
