"""db make-reader: a role on a server that may only read an index; a person's own SQL queries run under it."""

from collections.abc import Callable

from indexer.store import reader_roles
from indexer.store.database import Database
from indexer.store.reader_roles import Reader

NOT_NEEDED = "not needed"


def make_reader(database: Database, name: str, *, ask_password: Callable[[], str]) -> Reader:
    """The role, created or corrected; its password is asked for only if one is needed.

    An index on SQLite needs no role: it is opened read-only.
    """
    if database.path is not None:
        return Reader(name, NOT_NEEDED, database.name)
    reader_roles.check_reader(database, name)
    return reader_roles.make_reader(database, name, password=ask_password())
