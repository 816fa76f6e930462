"""audit: questions about past decisions, ready-made or in SQL. The database keeps them from writing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from indexer.errors import UsageProblem
from indexer.store import auditing
from indexer.store.auditing import Audit, Table
from indexer.store.database import Database

_MOST_ROWS = 100_000  # of a person's own query: an endless one must not fill the memory


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
    auditing.get_audit(name)
    return Question(name, {key: value for key, _equals, value in pairs}, None)


def list_questions() -> list[Audit]:
    """The ready-made queries."""
    return auditing.list_audits()


def ask(database: Database, asked: Question) -> Table:
    """The answer."""
    if asked.sql is not None:
        answer = auditing.run_sql(database, asked.sql, max_rows=_MOST_ROWS + 1)
        if len(answer.rows) > _MOST_ROWS:
            raise UsageProblem(f"the answer has more than {_MOST_ROWS} rows; count, group, or add LIMIT and OFFSET")
        return answer
    assert asked.name is not None
    return auditing.run_audit(database, asked.name, asked.parameters)
