"""A change of the verdict on a pair: what held before, and what holds after; and its form in JSON.

It promises that every change has a reverse, so that undoing is a change like any other, and that a value from a browser
or a file becomes a change only if it is whole and in range. It does not know where verdicts are stored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from indexer.domain.verdicts import VERDICT_VALUES, Pair, VerdictValue, is_storable_text
from indexer.errors import VerdictError

MAX_NAME_CHARS, MAX_NOTE_CHARS = 100, 500
MAX_CHANGES = 200
"""The most changes in one transaction of a browser."""

MAX_ID = 2**63 - 1
_HASH_DIGITS = 64


@dataclass(frozen=True)
class PersonVerdict:
    """What a person says of a pair."""

    verdict: VerdictValue
    by: str
    note: str | None = None


@dataclass(frozen=True)
class VerdictChange:
    """A change of the verdict on a pair.

    `content_hashes`: of the two images as the person saw them, in the order of `pair`. `before`: the verdict that the
    person saw; None for none. `after`: the one to record; None to withdraw the one before.
    """

    pair: Pair
    content_hashes: tuple[str, str]
    before: PersonVerdict | None
    after: PersonVerdict | None

    @property
    def reverse(self) -> "VerdictChange":
        """The change that undoes this one."""
        return replace(self, before=self.after, after=self.before)


def parse_changes(value: Any) -> list[VerdictChange]:
    """The changes in a list that came as JSON, at least one; raises `VerdictError` if it is no such list."""
    if not isinstance(value, list) or not 1 <= len(value) <= MAX_CHANGES:
        raise VerdictError(f"there must be 1 to {MAX_CHANGES} changes")
    changes = [parse_change(item) for item in value]
    if len({change.pair for change in changes}) < len(changes):
        raise VerdictError("a pair is in the changes twice")
    return changes


def parse_change(value: Any) -> VerdictChange:
    """One change that came as JSON; raises `VerdictError` if it is none."""
    if not isinstance(value, Mapping):
        raise VerdictError("a change is no JSON object")
    pair: Any = value.get("pair")
    hashes: Any = value.get("hashes")
    if not _is_pair_of(pair, int) or not 0 < pair[0] < pair[1] <= MAX_ID:
        raise VerdictError(f"pair {pair!r} is not two numbers of images, the smaller first")
    if not _is_pair_of(hashes, str) or any(len(text) != _HASH_DIGITS for text in hashes):
        raise VerdictError("the hashes are not two SHA-256 in hex")
    before, after = (_parse_verdict(value.get(name)) for name in ("before", "after"))
    if before == after:
        raise VerdictError("the change changes nothing")
    return VerdictChange((pair[0], pair[1]), (hashes[0], hashes[1]), before, after)


def to_json(change: VerdictChange) -> dict[str, Any]:
    """The change as `parse_change` reads it."""
    return {
        "pair": list(change.pair),
        "hashes": list(change.content_hashes),
        "before": verdict_to_json(change.before),
        "after": verdict_to_json(change.after),
    }


def verdict_to_json(verdict: PersonVerdict | None) -> dict[str, Any] | None:
    """A verdict as JSON; None for none."""
    return None if verdict is None else {"verdict": verdict.verdict, "by": verdict.by, "note": verdict.note}


def _is_pair_of(value: Any, kind: type) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(item) is kind for item in value)


def _parse_verdict(value: Any) -> PersonVerdict | None:
    if value is None:
        return None
    if not isinstance(value, Mapping) or value.get("verdict") not in VERDICT_VALUES:
        raise VerdictError(f"a verdict is one of {', '.join(VERDICT_VALUES)}")
    by, note = value.get("by"), value.get("note") or None
    if not isinstance(by, str) or not by.strip() or len(by) > MAX_NAME_CHARS:
        raise VerdictError(f"nobody's name is given, or one of more than {MAX_NAME_CHARS} characters")
    if note is not None and (not isinstance(note, str) or len(note) > MAX_NOTE_CHARS):
        raise VerdictError(f"the note is no text of at most {MAX_NOTE_CHARS} characters")
    if not is_storable_text(by) or not is_storable_text(note or ""):
        raise VerdictError("the name or the note has characters that cannot be stored")
    return PersonVerdict(value["verdict"], by.strip(), note)
