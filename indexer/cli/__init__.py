"""What a person meets: words, tables, JSON, progress, exit codes. The only floor, with manage.py, that knows typer
and rich.

It decides nothing: it shows reports that workflows return, and turns problems into one sentence and an exit code.

Decision: `manage.py` holds the commands and their options and nothing else; how a report looks lives here, because a
file of three hundred lines cannot hold both, and `--help` must not load what only a running command needs.
"""
