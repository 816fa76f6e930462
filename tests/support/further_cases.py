"""Which cases of a test need not run on the second database each time: they differ in what the first one has shown.

The SQL is that of the store, whose tests run on both databases in all cases. A test of a workflow meets the same SQL in
each of its cases; on a server a case takes two to five times as long.
"""

from collections.abc import Sequence

from tests.support.databases import POSTGRESQL, SQLITE


def list_further_cases(cases: Sequence[tuple[str, str | None]]) -> list[int]:
    """The cases on PostgreSQL, as indices, of which an earlier one of the same test is, if the test is on SQLite too.

    `cases`: the test and the database of each, which is None if it uses none, or several.
    """
    on_sqlite = {test for test, kind in cases if kind == SQLITE}
    on_postgresql: set[str] = set()
    further = []
    for number, (test, kind) in enumerate(cases):
        if kind == POSTGRESQL and test in on_sqlite:
            further.extend([number] if test in on_postgresql else [])
            on_postgresql.add(test)
    return further
