"""What a person was asked about cameras, and what they said, as the runs of `ingest`, `relocate` and `camera confirm`
store it."""

import json
import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from indexer.domain.paths import relocated
from indexer.store.tables import RunRow

HELD_KEY = "held_back"
"""The key under which a run of `ingest` stores the cameras that were held back, with their folders."""
WORDS_KEY = "held_back_words"
"""The key of the words in names that held a camera back, by camera."""
ANSWERED_KEY = "answered"
"""The key of the cameras that were held back once, and by this ingest of their folders are not any more."""
KNOWN_KEY = "held_back_known"
"""The key of the cameras that were held back for images which the index had: only a word ends such a question."""
ASKED_AFTER_KEY = "held_back_after"
"""The key of the last run before each question of a run that goes on, by camera; a later run may answer it."""
_ASKING, _ANSWERING = ("ingest", "watch", "relocate"), ("camera confirm",)
_CAMERA_KEY, _CONFIRMED_KEY, _UNDONE_KEY, _ASKED_KEY = "camera", "words", "undone", "asked_of"


@dataclass(frozen=True)
class HeldCounts:
    """What held a camera back: folders of every ingest that did, and the words that the last one showed."""

    folders: tuple[str, ...] = ()
    words: tuple[str, ...] = ()


def list_held(session: Session) -> dict[str, HeldCounts]:
    """What held cameras back, by name. A run that goes on asked when it did, not when it began."""
    events = [
        (counts.get(ASKED_AFTER_KEY, {}).get(camera, run_id), run_id, camera, counts)
        for run_id, counts in _iter_counts(session, _ASKING, key=HELD_KEY)
        for camera in counts[HELD_KEY]
    ]
    held: dict[str, HeldCounts] = {}
    for _, _, camera, counts in sorted(events, key=lambda event: event[:2]):
        before = held.get(camera, HeldCounts())
        words = counts.get(WORDS_KEY, {}).get(camera, ())
        held[camera] = HeldCounts((*before.folders, *map(_read, counts[HELD_KEY][camera])), tuple(map(_read, words)))
    return held


@dataclass(frozen=True)
class OpenQuestion:
    """A question that nobody answered yet: the folders of the camera that was held back; and whether only a word ends
    it, as it is about images that the index has."""

    folders: tuple[str, ...]
    is_of_known: bool = False


def list_open_questions(session: Session) -> dict[str, OpenQuestion]:
    """The question of each camera that an ingest held back and that nobody answered since, by name.

    A confirmation that is taken back opens the question that it answered again.
    """
    events = list[tuple[int, int, str, OpenQuestion | None]]()  # run, order in it, camera, question; None: an answer
    for run_id, counts in _iter_counts(session, _ASKING, key=ANSWERED_KEY):
        events += [(run_id, 0, camera, None) for camera in counts[ANSWERED_KEY]]
    for run_id, counts in _iter_counts(session, _ASKING, key=HELD_KEY):
        known, after = counts.get(KNOWN_KEY, ()), counts.get(ASKED_AFTER_KEY, {})
        for camera, folders in counts[HELD_KEY].items():
            question = OpenQuestion(tuple(map(_read, folders)), camera in known)
            events.append((after.get(camera, run_id), 1, camera, question))
    asked = dict[str, OpenQuestion]()
    for run_id, counts in _iter_counts(session, _ANSWERING, key=_CAMERA_KEY):
        camera = counts[_CAMERA_KEY]
        folders = tuple(map(_read, counts.get(_ASKED_KEY, ())))
        asked[camera] = OpenQuestion(folders, is_of_known=True) if folders else asked.get(camera, OpenQuestion(()))
        is_asked_again = counts.get(_UNDONE_KEY) and asked[camera].folders
        if is_asked_again or not counts.get(_UNDONE_KEY):
            events.append((run_id, 0, camera, asked[camera] if is_asked_again else None))
    questions = dict[str, OpenQuestion]()
    for _, _, camera, change in sorted(events, key=lambda event: event[:2]):
        if change is None:
            questions.pop(camera, None)
        else:
            questions[camera] = change
    return questions


def relocated_questions(session: Session, *, old: str, new: str) -> dict[str, Any]:
    """What a run of `relocate` stores of the open questions about a folder that became another one.

    A camera whose folders are one by that is answered. Others are asked about with their folders of now.
    """
    held, answered, asked = list_held(session), list[str](), dict[str, tuple[Sequence[str], Sequence[str]]]()
    of_known = list[str]()
    for camera, question in list_open_questions(session).items():
        folders = tuple(dict.fromkeys(relocated(folder, old=old, new=new) for folder in question.folders))
        words = held[camera].words if camera in held else ()
        if folders == question.folders:
            continue
        if len(folders) == 1 and not words:
            answered.append(camera)
        else:
            asked[camera] = folders, words
            of_known += [camera] if question.is_of_known else []
    return held_counts(asked, of_known=of_known) | ({ANSWERED_KEY: answered} if answered else {})


def find_last_run(session: Session) -> int:
    """The number of the last run; 0 if there is none."""
    return session.scalar(select(func.max(RunRow.id))) or 0


def list_confirmed_words(session: Session) -> dict[str, frozenset[str]]:
    """The words in names of which a person said that they are no cameras of their own, by camera."""
    words: dict[str, frozenset[str]] = {}
    for _, counts in _iter_counts(session, _ANSWERING, key=_CAMERA_KEY):
        camera = counts[_CAMERA_KEY]
        confirmed = map(_read, counts.get(_CONFIRMED_KEY, ()))
        words[camera] = frozenset() if counts.get(_UNDONE_KEY) else words.get(camera, frozenset()).union(confirmed)
    return words


def list_undone_words(session: Session) -> dict[str, frozenset[str]]:
    """The words in names of which a person took back that they are no cameras of their own, by camera."""
    words: dict[str, frozenset[str]] = {}
    undone: dict[str, frozenset[str]] = {}
    for _, counts in _iter_counts(session, _ANSWERING, key=_CAMERA_KEY):
        camera, confirmed = counts[_CAMERA_KEY], frozenset(map(_read, counts.get(_CONFIRMED_KEY, ())))
        if counts.get(_UNDONE_KEY):
            undone[camera] = undone.get(camera, frozenset()) | words.pop(camera, frozenset())
        else:
            words[camera] = words.get(camera, frozenset()) | confirmed
            undone[camera] = undone.get(camera, frozenset()) - confirmed
    return undone


def list_undone(session: Session) -> frozenset[str]:
    """The cameras whose last confirmation a person took back."""
    last = {
        counts[_CAMERA_KEY]: bool(counts.get(_UNDONE_KEY))
        for _, counts in _iter_counts(session, _ANSWERING, key=_CAMERA_KEY)
    }
    return frozenset(camera for camera, is_undone in last.items() if is_undone)


def _iter_counts(session: Session, commands: Collection[str], *, key: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The number and the counts of each run that has this key, oldest first."""
    query = select(RunRow.id, RunRow.counts).where(RunRow.command.in_(commands), RunRow.counts.contains(f'"{key}"'))
    for run_id, counts in session.execute(query.order_by(RunRow.id)):
        known = json.loads(counts or "{}")
        if key in known:
            yield run_id, known


def held_counts(
    held: Mapping[str, tuple[Sequence[str], Sequence[str]]], *, of_known: Collection[str] = ()
) -> dict[str, Any]:
    """What a run stores of cameras that were held back: their folders and words, by name; and those held back for
    images that the index had."""
    if not held:
        return {}
    words = {camera: list(map(_stored, words)) for camera, (_, words) in held.items() if words}
    folders = {camera: list(map(_stored, folders)) for camera, (folders, _) in held.items()}
    counts = {HELD_KEY: folders} | ({WORDS_KEY: words} if words else {})
    return counts | ({KNOWN_KEY: sorted(of_known)} if of_known else {})


def confirmation_counts(camera: str, *, folders: int, shown: HeldCounts) -> dict[str, Any]:
    """What a run stores of a confirmation; `shown`: what held the camera back."""
    counts: dict[str, Any] = {"folders": folders, _CAMERA_KEY: camera}
    counts[_CONFIRMED_KEY] = sorted(map(_stored, shown.words))
    return counts | ({_ASKED_KEY: sorted(set(map(_stored, shown.folders)))} if shown.words else {})


def undo_counts(camera: str, *, folders: int) -> dict[str, Any]:
    """What a run stores of a confirmation that is taken back."""
    return {"folders": folders, _CAMERA_KEY: camera, _UNDONE_KEY: True}


def _stored(text: str) -> str:
    """A path as JSON can hold it on every database; `_read` gives it back."""
    return os.fsencode(text).decode("latin-1")


def _read(text: str) -> str:
    return os.fsdecode(text.encode("latin-1"))
