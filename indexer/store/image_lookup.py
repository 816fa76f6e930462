"""Which images a person means: by number, by path, by a file name that only one image has, or by a glob.

The path of a file in quarantine means the image whose file was moved there.

It promises that an image is never guessed: what several images answer to is refused, with their paths. Images that were
removed are found too, as their rows stay.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.domain.images import ImageState
from indexer.domain.plurals import counted
from indexer.errors import ImageError
from indexer.escaping import command_line
from indexer.store.tables import ImageRow, RemovalRow

_MAX_ID_DIGITS = 18  # integers in a database have 64 bits
_MAX_NAMED = 5
_GLOB = re.compile(r"[*?\[]")
_STATE_ORDER = {ImageState.MISSING: 2, ImageState.REMOVED: 1}


@dataclass(frozen=True)
class _Candidate:
    """A row of an image that may be meant."""

    id: int
    path: str
    state: str

    @property
    def order(self) -> tuple[int, int]:
        """Of several rows with one path: one whose file is present, then one that was removed, then the newest."""
        return _STATE_ORDER.get(ImageState(self.state), 0), -self.id


def get_image_id(session: Session, name: str) -> int:
    """The id of the one image that a person names; raises `ImageError` if there is none, or if there are several."""
    matches = _list_matches(session, name)
    if len(matches) == 1:
        return matches[0].id
    if not matches:
        raise _unknown_error(name)
    paths = ", ".join(repr(match.path) for match in matches[:_MAX_NAMED])
    more = f" and {len(matches) - _MAX_NAMED} more" if len(matches) > _MAX_NAMED else ""
    raise ImageError(
        f"{name!r} may be {counted(len(matches), 'image')}: {paths}{more}; name one of them by its path, or by its "
        f"number ({matches[0].id}, …)"
    )


def list_image_ids(session: Session, names: Sequence[str]) -> list[int]:
    """The ids of the images that these names mean, each once; a glob may mean several.

    Raises `ImageError` for a name of no image, or a name that is no glob and means several.
    """
    ids = dict[int, None]()
    for name in names:
        matches = _list_matches(session, name)
        if len(matches) > 1 and _GLOB.search(name):
            ids |= dict.fromkeys(match.id for match in matches)
        else:
            ids[get_image_id(session, name)] = None
    return list(ids)


def matches_name(path: str, name: str) -> bool:
    """Whether an absolute path is what a person named: the file name alone, or a glob.

    A glob without a slash is of the file name. With one it is of the whole path, from the working directory on, and a
    star stays within its folder.
    """
    if os.sep not in name:
        base = os.path.basename(path)
        return base == name or (_GLOB.search(name) is not None and fnmatchcase(base, name))
    parts, patterns = path.split(os.sep), _absolute(name).split(os.sep)
    return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def _list_matches(session: Session, name: str) -> list[_Candidate]:
    """The images that a name means, one for each path: the first way of naming that any image answers to."""
    if name.isdecimal() and len(name) <= _MAX_ID_DIGITS and (image := session.get(ImageRow, int(name))) is not None:
        return [_Candidate(image.id, image.path, image.state)]
    query = select(ImageRow.id, ImageRow.path, ImageRow.state)
    exact = [
        _Candidate(row.id, row.path, row.state)
        for row in session.execute(query.where(ImageRow.path == _absolute(name)))
    ]
    if exact:
        return [min(exact, key=lambda candidate: candidate.order)]
    if os.sep in name or os.path.lexists(name):  # the journal has no index of these paths
        moved = query.join(RemovalRow, RemovalRow.image_id == ImageRow.id)
        for row in session.execute(moved.where(RemovalRow.quarantine_path == _absolute(name)).limit(1)):
            return [_Candidate(row.id, row.path, row.state)]
    if os.sep in name and not _GLOB.search(name):
        return []
    base = os.path.basename(name)
    similar = query.where(ImageRow.path.like(f"%/{_like_pattern(base)}", escape="\\"))
    best = dict[str, _Candidate]()
    for row in session.execute(similar):
        candidate = _Candidate(row.id, row.path, row.state)
        if matches_name(candidate.path, name):
            known = best.get(candidate.path, candidate)
            best[candidate.path] = min(known, candidate, key=lambda one: one.order)
    present = [candidate for candidate in best.values() if candidate.state != ImageState.MISSING]
    named_exactly = [candidate for candidate in best.values() if os.path.basename(candidate.path) == name]
    return sorted(named_exactly or present or list(best.values()), key=lambda candidate: candidate.path)


def _absolute(name: str) -> str:
    """The path that a name means, as the index has it: the folders resolved, the file itself not."""
    folder, base = os.path.split(os.path.abspath(name))
    return os.path.join(os.path.realpath(folder), base)


def _like_pattern(base: str) -> str:
    """A pattern of SQL that every path matches whose file name matches `base`, be that a name or a glob.

    A file name that is not UTF-8 is stored as a file URI, so only what is plain ASCII there counts.
    """
    plain = re.sub(r"\[[^\]]*\]?|[*?]|[^A-Za-z0-9._-]", "*", base)
    return re.sub(r"\*+", "%", plain.replace("_", r"\_"))


def _unknown_error(name: str) -> ImageError:
    if os.path.isdir(name):
        return ImageError(f"{name!r} is a folder; name an image in it")
    add = command_line("ingest", "FOLDER")
    return ImageError(f"image {name!r} is not in the index; to add it: {add}; or name one by path, file name or number")
