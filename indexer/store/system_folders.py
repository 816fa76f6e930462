"""How many images of an index lie in system folders, which earlier versions ingested."""

from itertools import zip_longest

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.files.system_folders import NAME_PREFIXES, find_system_folder
from indexer.store import runs
from indexer.store.tables import ImageRow

COUNTS_KEY = "in_system_folders"
"""The key under which the counts of an ingest run hold this number."""


def count_in_system_folders(session: Session, *, before: int | None = None) -> int:
    """The number of ready images that lie in a system folder below the folder that was ingested.

    Ingest does not add such images any more. So if the last ingest (or the last one before the run `before`) counted 0,
    the result is 0 without reading paths.
    """
    last_counts = runs.find_last_counts(session, command="ingest", before=before)
    if last_counts is not None and last_counts.get(COUNTS_KEY) == 0:
        return 0
    # The index on paths alone serves the inner query.
    candidate_ids = select(ImageRow.id).where(_may_be_in_system_folder(session))
    query = select(ImageRow.path, ImageRow.root).where(
        ImageRow.id.in_(candidate_ids), ImageRow.state == ImageState.READY
    )
    return sum(find_system_folder(path, root=root) is not None for path, root in session.execute(query))


def _may_be_in_system_folder(session: Session) -> ColumnElement[bool]:
    """A condition that holds for every path with a system folder in it, and for few other paths."""
    odd_start, short_name = "/[^a-zA-Z0-9]", "~[0-9]"
    prefix_columns = zip_longest(*NAME_PREFIXES, fillvalue="")
    listed_prefix = "/" + "".join(
        f"[{''.join(sorted({*letters, *(letter.upper() for letter in letters)}))}]" for letters in prefix_columns
    )
    if session.get_bind().dialect.name == "sqlite":
        return or_(*(ImageRow.path.op("GLOB")(f"*{pattern}*") for pattern in (odd_start, short_name, listed_prefix)))
    return ImageRow.path.op("~")("|".join((odd_start, short_name, listed_prefix)))
