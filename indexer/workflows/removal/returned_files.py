"""Files that came back after their removal: no plan takes them until a person includes them.

The index knows the files that it brought back itself, or saw again. It may not know of a removal: if it is new, if it
was restored from a backup, or if it forgot the camera. Then the records beside the images name the removed files, as
long as these records exist. The module writes nothing.
"""

import os
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from indexer.domain.removal import IndexedFile, RemovalCandidate
from indexer.files.witness_record import (
    WitnessLine,
    iter_removed_contents,
    list_last_removals,
    list_record_folders,
)
from indexer.store import decisions, image_folders, images, removals, runs
from indexer.store.database import Session

AT_ONCE = 10_000
"""How many duplicates, or contents of a record, are held in memory: some 5 MB."""


def hold_back_recorded(session: Session, candidates: Sequence[RemovalCandidate]) -> list[RemovalCandidate]:
    """The candidates; those that a run removed once which this index does not know are held back.

    Of these, a file that is not there did not come back: it has `is_removed`, and no plan takes it either.
    """
    removable = {item.victim.image_id: item.victim for item in candidates if item.exclusion_reason is None}
    removed = _list_removed(session, list(removable.values()))
    there = {image_id: os.path.lexists(path) for image_id, path in removed.items()}
    return [
        item
        if (is_there := there.get(item.victim.image_id)) is None
        else replace(item, held_back=is_there, is_removed=not is_there)
        for item in candidates
    ]


def count_held_back(session: Session, *, at_once: int = AT_ONCE) -> int:
    """The number of present images that no plan takes, as they came back and are not decided as kept."""
    return removals.count_held_back(session) + count_recorded_returns(session, at_once=at_once)


def count_recorded_returns(session: Session, *, camera: str | None = None, at_once: int = AT_ONCE) -> int:
    """The number of duplicates, of one camera or of all, that only the records beside the images say to be back.

    It does not read all that a plan needs: mostly no record names any of the images. In memory are at most `at_once`
    duplicates, or contents of a record, and the duplicates whose content a record names.
    """
    removed = _list_removed(session, _list_recorded_duplicates(session, at_once=at_once))
    returned_ids = [image_id for image_id, path in removed.items() if os.path.lexists(path)]
    recorded = decisions.list_removal_candidates_among(session, sorted(returned_ids))
    return sum(item.exclusion_reason is None and camera in (None, item.camera) for item in recorded)


def _list_recorded_duplicates(session: Session, *, at_once: int) -> list[IndexedFile]:
    """The duplicates that may be among those that came back: at least all with a content that a record names.

    A few duplicates are read as they are. Of many, only those are whose content is in a record: it is read first, and
    the index is asked for a number of contents at a time.
    """
    if decisions.count_duplicates(session, most=at_once + 1) <= at_once:
        return decisions.list_duplicate_files(session)
    folders = image_folders.list_present_folders(session)
    files = dict[int, IndexedFile]()
    for contents in _iter_removed_contents(folders, at_once=at_once):
        files |= {file.image_id: file for file in decisions.list_duplicate_files(session, contents=contents)}
    return list(files.values())


def _iter_removed_contents(folders: Collection[str], *, at_once: int) -> Iterator[list[str]]:
    """Yields the hashes of the removed contents in all records near these folders, each batch sorted and without
    repeats.

    A record that cannot be read names none: no file is removed then.
    """
    with suppress(OSError):
        for record in list_record_folders(os.path.join(folder, "image") for folder in folders):
            batch = set[str]()
            with suppress(OSError):
                for content_hash in iter_removed_contents(record):
                    batch.add(content_hash)
                    if len(batch) == at_once:
                        yield sorted(batch)
                        batch.clear()
            yield sorted(batch)


def _list_removed(session: Session, files: Sequence[IndexedFile]) -> dict[int, str]:
    """The images that a run removed once which this index does not know, by the records beside them: path by id.

    They may have come back since. A record that cannot be read names none: no file is removed then.
    """
    paths = {os.path.dirname(file.path): file.path for file in files}
    try:
        folders = list_record_folders(paths.values()) if paths else []
    except OSError:
        return {}
    lines: dict[str, list[tuple[str, WitnessLine]]] = {}
    for folder, line in list_last_removals(folders, contents={file.content_hash for file in files}):
        lines.setdefault(line.removed_hash, []).append((folder, line))
    tokens = {
        file.image_id: run_tokens
        for file in files
        if (run_tokens := _list_tokens(file.path, lines.get(file.content_hash, [])))
    }
    if not tokens:
        return {}
    known, first_runs = runs.list_tokens(session), images.list_first_runs(session, list(tokens))
    removed_ids = removals.list_removed_images(session, list(tokens))

    def is_known(image_id: int, token: str) -> bool:
        """Whether the index knows the removal.

        There is one special case: the index has the run, and the run saw the image, but the journal has no row for it.
        Then an earlier version made the run. It wrote the record first and was cut off, so nothing was removed, and the
        removal counts as known.
        """
        return token in known and (image_id in removed_ids or first_runs.get(image_id, known[token]) < known[token])

    return {
        file.image_id: file.path
        for file in files
        if not all(is_known(file.image_id, token) for token in tokens.get(file.image_id, ()))
    }


def _list_tokens(path: str, lines: Sequence[tuple[str, WitnessLine]]) -> set[str]:
    """The runs that removed the file at a path, by their tokens; `lines` are about its content.

    The folder of a record may have been moved, with the images: the paths are then compared from that folder on.
    """
    return {
        line.run_token
        for folder, line in lines
        if line.removed_path == path or line.removed_path.endswith(f"/{os.path.relpath(path, os.path.dirname(folder))}")
    }
