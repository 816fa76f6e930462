"""The list of audit queries as text."""

from collections.abc import Sequence

from rich.console import Console

from indexer.store.audit_queries import Audit


def render_audits(console: Console, queries: Sequence[Audit]) -> None:
    """Prints the ready-made audit queries."""
    width = max(len(audit.name) for audit in queries)
    for audit in queries:
        parameters = [f"{parameter.name}={parameter.default or '…'}" for parameter in audit.parameters]
        console.print(f"{audit.name:<{width}}  {audit.title}{'  [' + ' '.join(parameters) + ']' if parameters else ''}")
