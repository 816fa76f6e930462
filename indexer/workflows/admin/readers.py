"""db make-reader: a role of a server that may only read an index, which is who puts a person's own questions."""

from collections.abc import Callable

from indexer.store import reader_roles
from indexer.store.database import Database
from indexer.store.reader_roles import Reader

NOT_NEEDED = "not needed"


def make_reader(database: Database, name: str, *, ask_password: Callable[[], str]) -> Reader:
    """The role, made or brought to what it should be; its password is asked for only where one is needed.

    An index of SQLite needs none: it is opened for reading alone.
    """
    if database.path is not None:
        return Reader(name, NOT_NEEDED, database.name)
    reader_roles.check_reader(database, name)
    return reader_roles.make_reader(database, name, password=ask_password())
