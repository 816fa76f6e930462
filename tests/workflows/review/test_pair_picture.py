"""explain --picture: what is drawn beside what, from what, and that nothing is written over."""

import os
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from indexer.domain.descriptions import Limits
from indexer.errors import DatabaseError, PictureError, UsageError
from indexer.imaging.change_regions import ORANGE
from indexer.imaging.side_by_side import PANEL_WIDTH, Captions, side_by_side
from indexer.workflows.review import pair_picture
from indexer.workflows.review.explain import explain_pair
from indexer.workflows.review.pair_picture import Illustration, PictureSource, illustrate
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture, prepared

EMPTY, BIRDS, BIKES, CARS, WIDE, YARD = name(0), name(1), name(2), name(3), name(4), name(0, "yard")


@prepared
def street(index: Index) -> None:
    """A camera that was decided: an empty place, a bird (its duplicate), a bike, a car, another view; and another."""
    contents = {EMPTY: (), BIRDS: (BIRD,), BIKES: (BIKE,), CARS: (CAR,)}
    for file, marks in contents.items():
        index.put(file, picture(*marks, height=256, width=384))
    index.put(WIDE, picture(width=128))
    index.put(YARD, picture())
    index.ingest()
    index.compare()


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A file that is not there."""
    return tmp_path / "out.png"


def drawn(index: Index, out: Path, *files: str) -> Illustration:
    """Draws one or two files of the folder."""
    name_a, name_b = [str(index.folder / file) for file in files] + [None] * (2 - len(files))
    words = lambda found: Captions(f"image {found.left.image_id}", "", below=(str(found.score),))  # noqa: E731
    return illustrate(index.database, name_a, name_b, out=str(out), limits=Limits(), make_captions=words)  # type: ignore[arg-type]


def shown(index: Index, found: Illustration) -> tuple[str, PictureSource, str, PictureSource]:
    """What is drawn on the left and on the right, and from what."""
    left, right = found.left, found.right
    return index.file(left.path), left.source, index.file(right.path), right.source


def pixels(path: Path) -> np.ndarray:
    """The picture in a file: (H, W, 3), red, green, blue."""
    return cv2.imread(str(path))[:, :, ::-1]


def marked(path: Path) -> np.ndarray:
    """The columns in which something is orange."""
    return np.flatnonzero((np.abs(pixels(path).astype(int) - ORANGE).max(axis=2) < 12).any(axis=0))


@pytest.mark.parametrize(("file", "beside"), [(BIRDS, EMPTY), (BIKES, EMPTY), (EMPTY, BIKES)])
def test_an_image_is_drawn_beside_its_keeper_or_its_like(street: Index, out: Path, file: str, beside: str) -> None:
    """A duplicate stands beside its keeper, a kept image beside the kept one most like it; the index is not touched."""
    before = street.dump()
    found = drawn(street, out, file)
    assert shown(street, found) == (file, PictureSource.FILE, beside, PictureSource.FILE)
    assert pixels(out).shape[1] == 3 * PANEL_WIDTH + 4 * 12
    assert street.dump() == before


def test_a_removal_is_drawn_by_the_profile_that_decided_it(street: Index, out: Path) -> None:
    """Under a later profile, by which the two would differ, a removed image shows what its own profile saw."""
    street.prune()
    street.make_profile("strict", min_contour_area=1.0, max_score=1.0)
    street.compare(profile="strict")
    for number, files in enumerate([(BIRDS,), (BIRDS, EMPTY), (EMPTY, BIRDS)]):
        found = drawn(street, out.with_name(f"{number}.png"), *files)
        assert (found.profile, found.by_decision, found.score, found.max_score) == ("balanced", True, 0.0, 1000.0)
    found = drawn(street, out, BIRDS, BIKES)
    assert (found.profile, found.by_decision) == ("strict", False)


def test_a_pair_is_drawn_as_named_with_its_change_marked(street: Index, out: Path) -> None:
    """The score is that of the pair, and what changed is outlined in all three panels where it is."""
    found = drawn(street, out, CARS, EMPTY)
    assert (shown(street, found), found.why_not) == ((CARS, PictureSource.FILE, EMPTY, PictureSource.FILE), None)
    computed = explain_pair(street.database, str(street.folder / CARS), str(street.folder / EMPTY)).computed
    assert computed is not None
    assert found.score == computed.score
    columns = marked(out) - 12
    panels = [columns[(columns >= start) & (columns < start + PANEL_WIDTH)] - start for start in (0, 492, 984)]
    middle_of_car = 47 / 96 * PANEL_WIDTH
    assert [(panel.min() + panel.max()) / 2 for panel in panels] == [pytest.approx(middle_of_car, abs=5)] * 3


def test_pictures_come_from_the_best_source_that_is_left(street: Index, out: Path, tmp_path: Path) -> None:
    """From the file where it is, from quarantine, then from what prune kept, then from the thumbnail, then not."""
    street.prune()
    sources = [shown(street, drawn(street, tmp_path / "1.png", BIRDS))[1]]
    street.purge()
    sources.append(shown(street, drawn(street, tmp_path / "2.png", BIRDS))[1])
    street.execute("DELETE FROM pictures")
    sources.append(shown(street, drawn(street, tmp_path / "3.png", BIRDS))[1])
    assert sources == [PictureSource.QUARANTINE, PictureSource.STORED, PictureSource.THUMBNAIL]
    street.execute("DELETE FROM thumbnails")
    with pytest.raises(PictureError, match="image 2 has no picture"):
        drawn(street, out, BIRDS)
    assert not out.exists()


def test_other_bytes_are_never_shown_for_an_image(street: Index, out: Path) -> None:
    """A file that is not what was indexed is passed over for the thumbnail."""
    (street.folder / BIRDS).write_bytes(picture(CAR))
    assert shown(street, drawn(street, out, BIRDS))[:2] == (BIRDS, PictureSource.THUMBNAIL)


@pytest.mark.parametrize(("other", "why"), [(WIDE, "shapes differ"), (YARD, "different cameras")])
def test_a_pair_that_cannot_be_compared_is_drawn_without_outlines(
    street: Index, out: Path, other: str, why: str
) -> None:
    """Two pictures and no difference, with the reason."""
    found = drawn(street, out, EMPTY, other)
    assert (found.score, why in str(found.why_not)) == (None, True)
    assert pixels(out).shape[1] == 2 * PANEL_WIDTH + 3 * 12
    assert len(marked(out)) == 0


def test_the_profile_original_compares_the_files(street: Index, out: Path, tmp_path: Path) -> None:
    """At native size what differs is found in the files, in native pixels, other aspects too; without a file, not."""
    street.compare(profile="original")
    found = drawn(street, out, CARS, EMPTY)
    assert (found.native, found.why_not) == (True, None)
    assert found.score == pytest.approx((14 * 4 + 3) ** 2, rel=0.05)
    assert drawn(street, tmp_path / "wide.png", WIDE, EMPTY).why_not is None
    (street.folder / CARS).unlink()
    missing = drawn(street, tmp_path / "missing.png", CARS, EMPTY)
    assert (missing.score, "not both are there" in str(missing.why_not)) == (None, True)


def test_an_image_with_nothing_to_stand_beside_is_refused(street: Index, out: Path) -> None:
    """Without a keeper and without anything on record the sentence says what to type."""
    with pytest.raises(PictureError, match=r"manage.py explain 6 B --picture OUT.png"):
        drawn(street, out, YARD)
    assert not out.exists()


@pytest.mark.parametrize("there", ["file", "folder", "link"])
def test_nothing_is_written_over(street: Index, out: Path, there: str) -> None:
    """Whatever has the name keeps it, a link that leads nowhere too, and no file comes to be elsewhere."""
    make = {"file": lambda: out.write_bytes(b"mine"), "folder": out.mkdir, "link": lambda: out.symlink_to("nowhere")}
    make[there]()
    with pytest.raises(PictureError, match="exists already"):
        drawn(street, out, BIRDS)
    assert os.listdir(out.parent).count("nowhere") == 0
    assert not out.is_file() or out.read_bytes() == b"mine"


def test_a_name_that_comes_to_be_meanwhile_is_not_written_over(
    street: Index, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also a file that is made while the picture is drawn stays as it is."""

    def beside(*pictures: Any, **how: Any) -> bytes:
        out.write_bytes(b"mine")
        return side_by_side(*pictures, **how)

    monkeypatch.setattr(pair_picture, "side_by_side", beside)
    with pytest.raises(PictureError, match="File exists"):
        drawn(street, out, BIRDS)
    assert out.read_bytes() == b"mine"


def test_a_full_disk_leaves_no_part_of_a_picture(street: Index, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What could be written is taken away again, and the sentence says what was wrong."""
    full = Path("/dev/full")
    monkeypatch.setattr(os, "fdopen", lambda descriptor, mode: (os.close(descriptor), full.open(mode))[1])
    with pytest.raises(PictureError, match="No space left"):
        drawn(street, out, BIRDS)
    assert not out.exists()


def test_only_a_png_may_be_named(street: Index, tmp_path: Path) -> None:
    """A name that promises another format is refused."""
    with pytest.raises(UsageError, match=r"--picture NAME.png"):
        drawn(street, tmp_path / "out.jpg", BIRDS)


def test_a_spoiled_picture_is_damage(street: Index, out: Path) -> None:
    """A stored picture that cannot be decoded is reported as a damaged database."""
    street.prune()
    street.purge()
    street.execute("UPDATE pictures SET data = ?", b"\0")
    with pytest.raises(DatabaseError, match="not a picture"):
        drawn(street, out, BIRDS)


def test_no_picture_where_an_ingest_would_look(street: Index) -> None:
    """A picture drawn among the images would be the next one: it is refused, and nothing is there."""
    before = street.tree()
    with pytest.raises(PictureError, match="the next ingest would take the picture in"):
        drawn(street, street.folder / "why.png", BIRDS)
    assert street.tree() == before
