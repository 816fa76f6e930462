"""audit: questions about past decisions, ready-made or in SQL. The database keeps them from writing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.errors import UsageError
from indexer.store import audit_queries
from indexer.store.audit_queries import Audit
from indexer.store.database import Database
from indexer.store.query_result import QueryResult


@dataclass(frozen=True)
class AuditQuery:
    """A ready-made query with its parameters, or a person's own SQL."""

    name: str | None
    parameters: Mapping[str, str]
    sql: str | None


def parse_query(name: str | None, parameters: Sequence[str], *, sql: str | None) -> AuditQuery | None:
    """The query that a person asked for; None if nothing was asked: the caller then lists what can be asked.

    Raises `UsageError` for a name together with SQL, for an unknown name, and for a parameter that is not KEY=VALUE.
    """
    if sql is not None:
        if name is not None:
            raise UsageError("give either the name of a ready-made query or --sql, not both")
        return AuditQuery(None, {}, sql)
    if name is None:
        return None
    audit = audit_queries.get_audit(name)
    has_sides = any(parameter.name == "side" for parameter in audit.parameters)
    values = dict[str, str]()
    for parameter in parameters:
        key, equals, value = parameter.partition("=")
        if not equals and has_sides and key in audit_queries.SIDES:
            key, value = "side", key
        elif not equals:
            words = f", and not one of {', '.join(audit_queries.SIDES)}" if has_sides else ""
            raise UsageError(f"parameter {key!r} is not KEY=VALUE{words}")
        values[key] = value
    return AuditQuery(name, values, None)


def list_audits() -> list[Audit]:
    """The ready-made queries."""
    return audit_queries.list_audits()


def run_query(database: Database, query: AuditQuery, *, everything: bool = False) -> QueryResult:
    """The result, which the caller must close; `everything`: without the limits that ready-made queries have."""
    if query.sql is not None:
        return audit_queries.run_sql(database, query.sql)
    assert query.name is not None
    return audit_queries.run_audit(database, query.name, query.parameters, everything=everything)
