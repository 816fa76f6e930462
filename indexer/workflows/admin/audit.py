"""audit: questions about past decisions, ready-made or in SQL. The database keeps them from writing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.errors import UsageProblem
from indexer.store import audit_queries
from indexer.store.audit_queries import Audit
from indexer.store.database import Database
from indexer.store.query_result import QueryResult


@dataclass(frozen=True)
class Question:
    """A ready-made query with its parameters, or a person's own SQL."""

    name: str | None
    parameters: Mapping[str, str]
    sql: str | None


def question(name: str | None, parameters: Sequence[str], *, sql: str | None) -> Question | None:
    """What a person asks; None: to be told what can be asked."""
    if sql is not None:
        if name is not None:
            raise UsageProblem("give either the name of a ready-made query or --sql, not both")
        return Question(None, {}, sql)
    if name is None:
        return None
    pairs = [one.partition("=") for one in parameters]
    for key, equals, _value in pairs:
        if not equals:
            raise UsageProblem(f"parameter {key!r} is not KEY=VALUE")
    audit_queries.get_audit(name)
    return Question(name, {key: value for key, _equals, value in pairs}, None)


def list_questions() -> list[Audit]:
    """The ready-made queries."""
    return audit_queries.list_audits()


def ask(database: Database, asked: Question) -> QueryResult:
    """The answer, which is the caller's to close."""
    if asked.sql is not None:
        return audit_queries.run_sql(database, asked.sql)
    assert asked.name is not None
    return audit_queries.run_audit(database, asked.name, asked.parameters)
