"""How the list of audit queries is shown, and how much one of them answered."""

from collections.abc import Sequence

from rich.console import Console

from indexer.store.audit_queries import Audit
from indexer.store.query_result import QueryResult as Rows


def render_audits(console: Console, known: Sequence[Audit]) -> None:
    """The ready-made audit queries."""
    width = max(len(audit.name) for audit in known)
    for audit in known:
        words = [f"{one.name}={one.default or '…'}" for one in audit.parameters]
        console.print(f"{audit.name:<{width}}  {audit.title}{'  [' + ' '.join(words) + ']' if words else ''}")


def render_row_count(console: Console, table: Rows) -> None:
    """How much a query answered, beside a document that has it."""
    console.print(f"{len(table)} rows.")
