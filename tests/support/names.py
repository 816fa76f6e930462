"""Whole trees of paths, named without a file: as an ingest into an empty index names them."""

from collections.abc import Mapping, Sequence

from indexer.domain.names import Naming
from indexer.domain.naming.rules import NamingRule, RuleBook
from indexer.domain.naming.tree import PathFile, name_tree


def named_tree(root: str, files: Sequence[str], *, scheme: str | None = None, **rule: object) -> Mapping[str, Naming]:
    """The naming of each of these files below a root, by file."""
    paths = [PathFile(f"{root}/{file}", 0) for file in files]
    book = RuleBook({root: NamingRule(root, scheme=scheme, **rule)})  # type: ignore[arg-type]
    names = name_tree(paths, siblings=(), rules=book).with_assigned_names({})
    return {file: names[f"{root}/{file}"].naming(mtime_ns=0) for file in files}
