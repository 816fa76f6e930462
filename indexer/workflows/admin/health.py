"""db: the schema and the health of the database itself."""

from contextlib import closing
from dataclasses import dataclass

from indexer.store import schema
from indexer.store.database import Database
from indexer.store.schema import Health
from indexer.workflows.admin.file_check import FileCheck, check_files
from indexer.workflows.context import Progress, no_progress


@dataclass(frozen=True)
class UpgradeReport(Health):
    """The result of a check after an upgrade; `backup`: where the index of before is; None: nowhere.

    `upgraded_from`: the revision of before; None if the index was new, or not older.
    """

    backup: str | None
    upgraded_from: str | None


def upgrade(name: str, *, make_backup: bool = True) -> UpgradeReport:
    """Upgrades the database at that URL or path to the schema of this version, and checks it.

    An index that is a file is first copied beside itself, if it is of an older version and `make_backup` is set. Raises
    `DatabaseError` and `UsageError` as `schema.upgrade_database`.
    """
    upgraded = schema.upgrade_database(name, make_backup=make_backup)
    with closing(schema.open_database(name)) as database:
        return UpgradeReport(
            **vars(schema.check_database(database)), backup=upgraded.backup, upgraded_from=upgraded.upgraded_from
        )


@dataclass(frozen=True)
class CheckReport(Health):
    """What is wrong with the database, and with the files that it names; `files`: None if they were not looked at."""

    files: FileCheck | None

    @property
    def found_nothing(self) -> bool:
        """Whether all is well."""
        return not self.problems and (self.files is None or not self.files.findings)


def check(
    database: Database, *, files: bool = False, hashes: bool = False, progress: Progress = no_progress
) -> CheckReport:
    """What is wrong with the database; with `files` also with the files, and with `hashes` with their bytes.

    Files are not looked at if the database is damaged, as its rows cannot be trusted.
    """
    health = schema.check_database(database)
    is_asked = (files or hashes) and not health.problems
    file_check = check_files(database, hashes=hashes, progress=progress) if is_asked else None
    return CheckReport(**vars(health), files=file_check)
