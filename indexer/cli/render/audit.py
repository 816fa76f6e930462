"""The list of audit queries as text, and the number of rows of a result."""

from collections.abc import Sequence

from rich.console import Console

from indexer.store.audit_queries import Audit
from indexer.store.query_result import QueryResult as Rows


def render_audits(console: Console, queries: Sequence[Audit]) -> None:
    """Prints the ready-made audit queries."""
    width = max(len(audit.name) for audit in queries)
    for audit in queries:
        parameters = [f"{parameter.name}={parameter.default or '…'}" for parameter in audit.parameters]
        console.print(f"{audit.name:<{width}}  {audit.title}{'  [' + ' '.join(parameters) + ']' if parameters else ''}")


def render_row_count(console: Console, table: Rows) -> None:
    """Prints the number of rows, for people, when the rows themselves go to JSON."""
    console.print(f"{len(table)} rows.")
