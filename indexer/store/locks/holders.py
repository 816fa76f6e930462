"""Which command has the lock of an index, as text for the error message of a second command."""

from indexer.errors import IndexInUseError

UNKNOWN_HOLDER = "another command"


def describe_holder(command: str, *, process: object, host: str, since: str) -> str:
    """The command that has a lock, with its process, host and start, as text."""
    return f"{command!r} (process {process} on {host}, since {since})"


def in_use_error(database: str, by: str, *, is_batch: bool = False) -> IndexInUseError:
    """The error for a second command; `by` is the text for the command that has the lock."""
    message = f"database {database} is being written by {by}; wait for it"
    return IndexInUseError(message, holder=by, is_batch=is_batch)
