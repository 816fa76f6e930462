"""The command `demo`."""

import typer

from indexer.cli.options import Json, open_session


def demo(context: typer.Context, json: Json = False) -> None:
    """Do the whole job on sample frames, in a temporary folder."""
    from indexer.cli.demonstration import run_demo

    with open_session(context, json=json) as session:
        run_demo(session)
