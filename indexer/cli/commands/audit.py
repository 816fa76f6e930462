"""The command `audit`."""

from typing import Annotated

import typer

from indexer.cli.options import Json, open_session
from indexer.errors import UsageError


def audit(
    context: typer.Context,
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Name of a ready-made query. If not given: list them.")
    ] = None,
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="Parameters of the query.")
    ] = None,
    sql: Annotated[str | None, typer.Option(metavar="QUERY", help="Your own query. It can only read.")] = None,
    csv: Annotated[bool, typer.Option("--csv", help="Write CSV to stdout: all rows, unless you name a limit.")] = False,
    json: Json = False,
) -> None:
    """Ask about past decisions: ready-made queries, or your own SQL."""
    from indexer.cli.json_documents.admin import AuditDocument
    from indexer.cli.render.audit import render_audits
    from indexer.workflows.admin import audit as workflow

    with open_session(context, json=json) as session:
        question = workflow.parse_query(name, parameters or (), sql=sql)
        if csv and (json or question is None):
            raise UsageError("--csv needs one query, and cannot be used with --json")
        if question is None:
            session.show(workflow.list_audits(), render_audits, form=list[AuditDocument])
            return
        with session.database() as database, workflow.run_query(database, question, everything=csv) as table:
            session.show_table(table, csv=csv)
