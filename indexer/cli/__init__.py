"""The command line: commands and their options, reports as text and as JSON, progress, exit codes.

Only this package knows typer and rich. It decides nothing: a command reads its options, calls one workflow and shows
the report that comes back; errors become one sentence and an exit code in `indexer.cli.main`.

Decision 0001: the text of reports is in `render`, apart from `commands`, so that `--help` loads little.
"""
