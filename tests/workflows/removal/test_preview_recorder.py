"""Prune stores a preview of each removed image and of its keeper, and no removal depends on it."""

from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import cv2
import numpy as np
import pytest

from indexer.domain.descriptions import Limits, Preview
from indexer.imaging.previews import make_preview
from indexer.store import previews
from indexer.workflows.removal import preview_recorder, remove_file
from tests.support.databases import fill_up
from tests.support.index import BIRD, CAR, SECOND_BIRD, Index, name, picture, prepared

KEEPER, VICTIMS, OTHER = name(0), (name(1), name(2)), name(3)


def coloured(*marks: tuple[int, int, int, int]) -> bytes:
    """A PNG of the place, bluish."""
    grey = cv2.imdecode(np.frombuffer(picture(*marks), np.uint8), cv2.IMREAD_GRAYSCALE)
    return cv2.imencode(".png", np.dstack([grey + 40, grey, grey]))[1].tobytes()


FILES = {KEEPER: coloured(), VICTIMS[0]: coloured(BIRD), VICTIMS[1]: coloured(SECOND_BIRD), OTHER: coloured(CAR)}
PICTURES = {file: make_preview(content, limits=Limits()) for file, content in FILES.items() if file != OTHER}


@prepared
def lot(index: Index) -> None:
    """A camera that was decided: two duplicates of one keeper, and another keeper."""
    for file, content in FILES.items():
        index.put(file, content)
    index.ingest()
    index.compare()


def kept(index: Index) -> dict[str, Preview]:
    """The stored pictures, by file."""
    paths = dict(index.rows("SELECT id, path FROM images"))
    with index.database.read() as session:
        return {index.file(paths[key]): value for key, value in previews.load_pictures(session, [*paths]).items()}


@pytest.mark.parametrize("permanent", [False, True])
def test_pictures_show_what_went_and_what_stands_for_it(lot: Index, permanent: bool) -> None:
    """Victims and their keeper have a picture as their files showed, in colour; who stands for nobody has none."""
    lot.prune(permanent=permanent)
    assert kept(lot) == PICTURES
    image = cv2.imdecode(np.frombuffer(kept(lot)[VICTIMS[0]].data, np.uint8), cv2.IMREAD_COLOR)
    assert image[30, 30, 0] - image[30, 30, 2] == pytest.approx(40, abs=4)


def test_no_file_is_read_once_more(lot: Index, opened_images: Callable[[], AbstractContextManager[list[str]]]) -> None:
    """Each victim is opened once and its keeper once for each, as they were when nobody kept pictures."""
    with opened_images() as opened:
        lot.prune()
    assert Counter(map(lot.file, opened)) == {KEEPER: 2, VICTIMS[0]: 1, VICTIMS[1]: 1}
    assert len(kept(lot)) == 3


def test_each_picture_is_made_once(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper's picture is made for its first victim alone, and none of them again when they go a second time."""
    made: list[bytes] = []
    make = preview_recorder.find_preview
    monkeypatch.setattr(
        preview_recorder, "find_preview", lambda data, *, limits: made.append(data) or make(data, limits=limits)
    )
    lot.prune()
    assert made == [FILES[file] for file in (KEEPER, *VICTIMS)]
    lot.restore(pin=False)
    lot.compare()
    assert (lot.prune().removed, len(made), kept(lot)) == (2, 3, PICTURES)


@pytest.mark.parametrize("limits", [Limits(max_pixels=10), Limits(max_bytes=10)])
def test_a_picture_that_cannot_be_made_stops_nothing(lot: Index, limits: Limits) -> None:
    """Files that are over the limits by now go as planned, without a picture, and nothing is called a failure."""
    report = lot.prune(limits=limits)
    assert (report.removed, report.failures, kept(lot)) == (2, [], {})


@pytest.mark.parametrize("cap", ["MAX_PREVIEW_PIXELS", "MAX_PREVIEW_BYTES"])
def test_no_picture_is_made_of_what_no_camera_takes(lot: Index, monkeypatch: pytest.MonkeyPatch, cap: str) -> None:
    """However wide the limits of intake, this process decodes no giants; their files go as planned."""
    monkeypatch.setattr(preview_recorder, cap, 1000)
    assert (lot.prune(limits=Limits(max_pixels=2**60, max_bytes=2**60)).removed, kept(lot)) == (2, {})


def test_whatever_the_decoder_does_stops_nothing(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A decoder that runs out of memory costs the pictures alone."""

    def fail(*_given: object, **_more: object) -> None:
        raise MemoryError

    monkeypatch.setattr("indexer.imaging.previews.decode_colour", fail)
    assert (lot.prune().removed, kept(lot)) == (2, {})


def test_a_file_that_stays_leaves_no_picture_of_other_bytes(lot: Index) -> None:
    """Of a file that is not what the index knows there is no picture; the keeper's, which is, harms nobody."""
    lot.put(VICTIMS[0], coloured(CAR, BIRD))
    (lot.folder / VICTIMS[1]).unlink()
    report = lot.prune()
    assert (report.removed, len(report.failures)) == (0, 2)
    assert kept(lot) == {KEEPER: PICTURES[KEEPER]}


@pytest.mark.parametrize("spoiled", ["keeper", "first victim"])
def test_a_database_that_takes_no_picture_stops_nothing(lot: Index, spoiled: str) -> None:
    """Every file goes, with its rows in the journal; only the pictures of one transaction are given up."""
    ids = dict(lot.rows("SELECT path, id FROM images"))
    image_id = ids[str(lot.folder / (KEEPER if spoiled == "keeper" else VICTIMS[0]))]
    fill_up(lot.database, "pictures", f"NEW.image_id = {image_id}")
    report = lot.prune()
    assert (report.removed, report.failures) == (2, [])
    assert lot.removals() == [(VICTIMS[0], "quarantined"), (VICTIMS[1], "quarantined")]
    assert kept(lot) == {VICTIMS[1]: PICTURES[VICTIMS[1]]}


def test_pictures_are_written_with_the_row_before_the_act(lot: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the file is touched its picture and its keeper's are in the index, and so is the journal's row."""
    seen: list[tuple[set[str], list[tuple[str, str]]]] = []
    move = remove_file.move_no_replace

    def look(*given: str, **more: Any) -> None:
        seen.append((set(kept(lot)), lot.removals()))
        move(*given, **more)

    monkeypatch.setattr(remove_file, "move_no_replace", look)
    lot.prune()
    assert seen[0] == ({KEEPER, VICTIMS[0]}, [(VICTIMS[0], "planned")])
