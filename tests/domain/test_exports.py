"""The names of files in an exported tree: readable, never hidden, each of its own, whatever images are called."""

import os
import unicodedata
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.exports import MAX_NAME_BYTES, ExportedImage, ExportNames, safe_name

NAMES = st.binary(min_size=1, max_size=260).map(lambda name: os.fsdecode(name.replace(b"\0", b"x"))) | st.sampled_from(
    ["a.jpg", "A.jpg", "a-1.jpg", ".a.jpg", "..", ".", "__x", "caf\u00e9.jpg", "cafe\u0301.jpg", "%41.jpg", "a\n.jpg"]
)


def image(number: int, *, name: str = "a.jpg", camera: str = "gate") -> ExportedImage:
    """An image of that name and camera."""
    at = datetime(2026, 3, 1, tzinfo=UTC)
    return ExportedImage(
        number, f"/lot/{name}", f"/lot/{name}", camera, at, 640, 480, 9, "00", "kept", "new", None, None, 1000.0,
        "balanced", "compare", at, 0,
    )  # fmt: skip


@given(st.lists(st.tuples(NAMES, NAMES), max_size=12))
def test_no_two_files_get_one_name(pairs: list[tuple[str, str]]) -> None:
    """All paths differ, also on a disk that ignores case and accents; each is UTF-8, relative, and not hidden."""
    names = ExportNames()
    images = [
        image(number, name=os.path.basename(name) or "x", camera=camera) for number, (name, camera) in enumerate(pairs)
    ]
    paths = [names.add(one) for one in images]
    assert len({unicodedata.normalize("NFD", path).casefold() for path in paths}) == len(paths)
    for path in paths:
        parts = path.split("/")
        assert len(parts) == 2
        assert all(part and part[0] not in "._" and part.isprintable() for part in parts)
        assert path.encode().decode() == path
        assert max(len(part.encode()) for part in parts) <= MAX_NAME_BYTES + 20


@given(st.lists(st.tuples(NAMES, NAMES), max_size=6))
def test_names_are_the_same_again(pairs: list[tuple[str, str]]) -> None:
    """The same images in the same order get the same paths."""
    images = [
        image(number, name=os.path.basename(name) or "x", camera=camera) for number, (name, camera) in enumerate(pairs)
    ]
    first, second = ExportNames(), ExportNames()
    assert [first.add(one) for one in images] == [second.add(one) for one in images]


def test_plain_names_stay() -> None:
    """A name that every disk can hold stays as it is; what cannot be shown is written as its bytes."""
    assert safe_name("gate 1_2026.JPG") == "gate 1_2026.JPG"
    assert safe_name(os.fsdecode(b"caf\xe9/\n.jpg")) == "caf%E9%2F%0A.jpg"
    assert safe_name("..") == "%2E."
    assert len(safe_name("é" * 300 + ".jpg").encode()) <= MAX_NAME_BYTES
