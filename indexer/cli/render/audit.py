"""How the list of audit queries is shown, and how much one of them answered."""

from collections.abc import Sequence

from rich.console import Console

from indexer.store.audit_queries import Audit
from indexer.store.query_result import QueryResult as Rows


def render_audits(console: Console, queries: Sequence[Audit]) -> None:
    """The ready-made audit queries."""
    width = max(len(audit.name) for audit in queries)
    for audit in queries:
        parameters = [f"{parameter.name}={parameter.default or '…'}" for parameter in audit.parameters]
        console.print(f"{audit.name:<{width}}  {audit.title}{'  [' + ' '.join(parameters) + ']' if parameters else ''}")


def render_row_count(console: Console, table: Rows) -> None:
    """How much a query answered, beside a document that has it."""
    console.print(f"{len(table)} rows.")
