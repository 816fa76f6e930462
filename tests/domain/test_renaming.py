"""What an image is called after it was named again, or moved: who said it, and how long that holds."""

from datetime import UTC, datetime
from itertools import product

import pytest

from indexer.domain.names import Naming
from indexer.domain.renaming import naming_after_move, naming_with_options

EARLIER = datetime(2021, 3, 27, 12, tzinfo=UTC)
LATER = datetime(2021, 3, 28, 12, tzinfo=UTC)
CAMERA_SOURCES = ["option", "pattern", "name", "folder"]
TIME_SOURCES = ["pattern", "name", "exif", "mtime", None]


def naming(which: str, camera_source: str, captured_at_source: str | None) -> Naming:
    """What the index knows ("known") or what is read or asked now ("now")."""
    at = EARLIER if which == "known" else LATER
    return Naming(which, camera_source, None if captured_at_source is None else at, captured_at_source)


@pytest.mark.parametrize(("source", "heard"), [("option", True), ("pattern", True), ("name", False), ("folder", False)])
def test_rename_takes_only_a_given_camera(source: str, heard: bool) -> None:
    """A run with --camera or --pattern changes the camera if these say one, and then nothing else."""
    for known_source in CAMERA_SOURCES:
        known, asked = naming("known", known_source, "name"), naming("now", source, "name")
        camera = ("now", source) if heard else ("known", known_source)
        assert naming_with_options(known, asked) == Naming(*camera, EARLIER, "name")


@pytest.mark.parametrize(("source", "heard"), [("pattern", True), ("name", False), ("exif", False), ("mtime", False)])
def test_rename_takes_only_a_given_time(source: str, heard: bool) -> None:
    """A pattern that reads a time changes the time; a name, EXIF or mtime beside it changes nothing."""
    for known_source in TIME_SOURCES:
        known, asked = naming("known", "name", known_source), naming("now", "folder", source)
        at = (LATER, source) if heard else (known.captured_at, known_source)
        assert naming_with_options(known, asked) == Naming("known", "name", *at)


@pytest.mark.parametrize(("known_source", "read_source"), list(product(CAMERA_SOURCES, CAMERA_SOURCES)))
def test_move_keeps_a_given_camera(known_source: str, read_source: str) -> None:
    """At another path the camera is read again, unless a person said it and says nothing else now."""
    said = {"option", "pattern"}
    stays = known_source in said and read_source not in said
    camera = ("known", known_source) if stays else ("now", read_source)
    assert naming_after_move(naming("known", known_source, "name"), naming("now", read_source, "name")) == Naming(
        *camera, LATER, "name"
    )


@pytest.mark.parametrize(("known_source", "read_source"), list(product(TIME_SOURCES, TIME_SOURCES)))
def test_move_keeps_a_given_or_first_known_time(known_source: str | None, read_source: str | None) -> None:
    """At another path the time is read again; a pattern's time stays, and of two mtimes the one first seen."""
    stays = known_source == "pattern" and read_source != "pattern"
    stays |= known_source == "mtime" and read_source in ("mtime", None)
    known, read = naming("known", "name", known_source), naming("now", "folder", read_source)
    kept = known if stays else read
    assert naming_after_move(known, read) == Naming("now", "folder", kept.captured_at, kept.captured_at_source)


def test_nothing_new_is_nothing_changed() -> None:
    """The same naming again changes nothing, whatever its sources."""
    for camera_source, captured_at_source in product(CAMERA_SOURCES, TIME_SOURCES):
        known = naming("known", camera_source, captured_at_source)
        assert naming_with_options(known, known) == known
        assert naming_after_move(known, known) == known


def test_a_move_renames_no_camera_between_nfd_and_nfc() -> None:
    """A camera that an earlier version took in NFD keeps its name, also where a move reads it in NFC."""
    known, read = naming("Tu\u0308r", "name", "name"), naming("T\u00fcr", "name", "name")
    assert naming_after_move(known, read).camera == "Tu\u0308r"
    assert naming_after_move(known, naming("T\u00fcr", "option", "name")).camera == "T\u00fcr"
