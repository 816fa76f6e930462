"""What every page of a report or a review says about it."""

import hashlib

from indexer import __version__
from indexer.web.view_models import Site
from indexer.workflows.context import ComparisonContext


def make_site(context: ComparisonContext, *, borderline: int, paths: bool) -> Site:
    """What every page says about a report that is made now."""
    name = context.database.name
    key = hashlib.sha256(name.encode(errors="surrogateescape")).hexdigest()[:16]
    return Site(name, __version__, context.clock(), key, borderline, paths)
