"""Who is at work on an index, in the words that a command is told which came second."""

from indexer.errors import DatabaseError

UNKNOWN_HOLDER = "another command"


def describe_holder(command: str, *, process: object, host: str, since: str) -> str:
    """The command that holds a right to write."""
    return f"{command!r} (process {process} on {host}, since {since})"


def in_use_error(database: str, by: str) -> DatabaseError:
    """The refusal of a command that came second."""
    return DatabaseError(f"database {database} is being written by {by}; wait for it")
