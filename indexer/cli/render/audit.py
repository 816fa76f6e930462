"""The list of audit queries as text."""

from collections.abc import Sequence

from rich.console import Console

from indexer.store.audit_queries import Audit


def render_audits(console: Console, queries: Sequence[Audit]) -> None:
    """Prints the ready-made audit queries."""
    width = max(len(audit.name) for audit in queries)
    for audit in queries:
        parameters = [f"{parameter.name}={parameter.default or '…'}" for parameter in audit.parameters]
        asked = f"  [{' '.join(parameters)}]" if parameters else ""
        if console.is_terminal:
            console.print(audit.name)
            console.print(f"  {audit.title}{asked}")
        else:
            console.print(f"{audit.name:<{width}}  {audit.title}{asked}")
