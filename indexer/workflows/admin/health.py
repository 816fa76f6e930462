"""db: the schema and the health of the database itself."""

from contextlib import closing

from indexer.store import schema
from indexer.store.database import Database
from indexer.store.schema import Health


def upgrade(name: str) -> Health:
    """Upgrades the database at that URL or path to the schema of this version, and checks it."""
    schema.upgrade_database(name)
    with closing(schema.open_database(name)) as database:
        return check(database)


def check(database: Database) -> Health:
    """What is wrong with the database, if anything."""
    return schema.check_database(database)
