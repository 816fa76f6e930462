"""Starts the command line of indexer: `python -m indexer`, `manage.py`, and the script `indexer` of an installation."""

import gc
import sys


def run() -> int:
    """The exit code of the command that was typed."""
    gc.disable()  # until the command begins (`indexer.cli.session`): importing makes no garbage, and takes a third less
    try:
        from indexer.cli.app import app
        from indexer.cli.main import main
    except ModuleNotFoundError as problem:
        if problem.name is None or problem.name.startswith("indexer"):
            raise
        where = f"{sys.executable} has no package {problem.name}"
        how = "type source .venv/bin/activate first, or install indexer: pip install -e ."
        print(f"indexer: {where}; {how}", file=sys.stderr)  # noqa: T201 - nothing else is loaded
        return 1

    return main(app, sys.argv[1:])


if __name__ == "__main__":
    sys.exit(run())
