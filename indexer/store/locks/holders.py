"""Who holds a lock on an index, as text for the error message of a second command."""

from indexer.errors import DatabaseError

UNKNOWN_HOLDER = "another command"


def describe_holder(command: str, *, process: object, host: str, since: str) -> str:
    """The command that holds a lock, as text."""
    return f"{command!r} (process {process} on {host}, since {since})"


def in_use_error(database: str, by: str) -> DatabaseError:
    """The error for a second command, which must wait."""
    return DatabaseError(f"database {database} is being written by {by}; wait for it")
