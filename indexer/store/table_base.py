"""What all descriptions of tables share: names of constraints, column types, and database indexes of some rows."""

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import Double, Index, MetaData, text
from sqlalchemy.orm import DeclarativeBase

from indexer.store.columns import PlainText, UtcDateTime

NAMING_CONVENTION = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}


class PartialIndex(Index):
    """A database index of the rows for which a condition holds; `where_postgresql` if a server writes it otherwise.

    SQLAlchemy's own way, `postgresql_where`, loads the dialect of PostgreSQL and its drivers as soon as the index is
    described, in every command. Here that waits until somebody asks, which only the tests and the migrations do.
    """

    inherit_cache = True

    def __init__(
        self, name: str, *columns: str, where: str, where_postgresql: str | None = None, unique: bool = False
    ) -> None:
        super().__init__(name, *columns, unique=unique)
        self._conditions = {"sqlite": where, "postgresql": where_postgresql or where}

    @property
    def dialect_options(self) -> Any:
        """The options by dialect, with the condition."""
        options = super().dialect_options
        for dialect, condition in self._conditions.items():
            options[dialect]["where"] = text(condition)
        return options


class Base(DeclarativeBase):
    """What all tables share: names for every constraint, and the column types for str, float and datetime."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)
    type_annotation_map: ClassVar = {str: PlainText(), float: Double(), datetime: UtcDateTime()}
