"""Which image a label means: by number, by path, or by a unique name; a label of no image is refused or reported."""

import os
from pathlib import Path

import pytest

from indexer.domain.csv_files import PairLabel, StateLabel
from indexer.errors import LabelError
from indexer.workflows.tuning.label_matching import Labels, match_labels, read_labels
from tests.support.index import BIKE, CAR, Index, name, picture


@pytest.fixture
def index(index: Index) -> Index:
    """Images 1 to 3 of `gate`, 4 of `yard` in a folder of its own, with the name of the first."""
    for minute, marks in enumerate([(), (BIKE,), (CAR,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.put(f"yard/{name(0)}", picture(CAR, BIKE))
    index.ingest(index.folder / "yard", camera="yard")
    return index


def states(index: Index, *labels: tuple[str, ...], camera: str | None = None) -> Labels:
    """What image labels come to; each is an image, a state, and a camera perhaps."""
    listed = [StateLabel(line, *label, *(None,) * (3 - len(label))) for line, label in enumerate(labels, start=2)]
    return match_labels(index.database, listed, camera=camera)


def pairs(index: Index, *labels: tuple[str, str, str]) -> Labels:
    """What pair labels come to."""
    listed = [PairLabel(line, *label) for line, label in enumerate(labels, start=2)]  # type: ignore[arg-type]
    return match_labels(index.database, listed, camera=None)


def test_names(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """An image is found by its number, its path, its path from here, and the name of its file."""
    monkeypatch.chdir(index.folder / "yard")
    found = states(index, ("1", "a"), (str(index.folder / name(1)), "b"), (name(2), "c"), (f"./{name(0)}", "d"))
    assert found == Labels(states={"gate": {1: "a", 2: "b", 3: "c"}, "yard": {4: "d"}})


def test_camera_tells_names_apart(index: Index) -> None:
    """A name that two files bear is refused with both, unless the camera is said."""
    assert states(index, (name(0), "a", "yard"), (name(0), "b", "gate")).states == {"yard": {4: "a"}, "gate": {1: "b"}}
    with pytest.raises(LabelError, match=rf"line 3: '{name(0)}' may mean 2 images, .*{name(0)}.* and .*yard.*camera"):
        states(index, ("2", "a"), (name(0), "b"))


def test_what_is_there_goes_first(index: Index) -> None:
    """A name means the present image, though another that is gone bore it; of two rows of a path the newer."""
    (index.folder / "yard" / name(0)).unlink()
    index.put(name(3), picture())
    index.put(name(1), picture(BIKE, stamp=3))
    index.ingest()
    ids = [image_id for (image_id,) in index.rows("SELECT id FROM images WHERE state = 'ready' ORDER BY path")]
    found = states(index, *((name(minute), "a") for minute in range(4)))
    assert list(found.states["gate"]) == ids
    assert 4 not in ids


def test_unknown_images(index: Index) -> None:
    """Labels of images that are not in the index are reported; a pair counts only with both of its images."""
    assert states(index, ("1", "a"), ("99", "a"), ("nowhere.jpg", "b")).unknown == ["99", "nowhere.jpg"]
    found = pairs(index, ("1", "2", "same"), ("1", "x.jpg", "same"))
    assert (found.pairs, found.unknown) == ({"gate": [(1, 2, "same")]}, ["x.jpg"])
    with pytest.raises(LabelError, match=r"none of the labelled images is in the index, for example not 'x\.jpg'"):
        states(index, ("x.jpg", "a"))


def test_one_camera(index: Index) -> None:
    """Where a camera is named, only its labels count; one without any is refused."""
    assert states(index, ("1", "a"), ("4", "b"), camera="yard").states == {"yard": {4: "b"}}
    with pytest.raises(LabelError, match="none of the labelled images of camera 'yard'"):
        states(index, ("1", "a"), camera="yard")


def test_labels_that_contradict(index: Index) -> None:
    """An image with two states, or a pair judged both ways, is refused with both lines; said twice it counts once."""
    assert states(index, ("1", "a"), ("1", "a")).states == {"gate": {1: "a"}}
    assert pairs(index, ("1", "2", "same"), ("2", "1", "same")).pairs == {"gate": [(1, 2, "same")]}
    with pytest.raises(LabelError, match="line 3 says 'b', but line 2 says 'a' of the same"):
        states(index, ("1", "a"), (str(index.folder / name(0)), "b"))
    with pytest.raises(LabelError, match="line 3 says 'different', but line 2 says 'same' of the same"):
        pairs(index, ("1", "2", "same"), ("2", "1", "different"))


def test_pairs_that_are_none(index: Index) -> None:
    """An image with itself, or with one of another camera, is refused."""
    with pytest.raises(LabelError, match=f"line 2: '1' and '{index.folder / name(0)}' are one image"):
        pairs(index, ("1", str(index.folder / name(0)), "same"))
    with pytest.raises(LabelError, match="line 2: '1' is of camera 'gate' and '4' of 'yard'"):
        pairs(index, ("1", "4", "same"))


def test_read_labels(tmp_path: Path) -> None:
    """A file as spreadsheets write it is read, names that are not UTF-8 included; a slip names file and line."""
    file = tmp_path / "labels.csv"
    file.write_bytes(b"\xef\xbb\xbfimage,state\r\ncaf\xe9.jpg,empty\r\n")
    assert read_labels(str(file)) == [StateLabel(2, os.fsdecode(b"caf\xe9.jpg"), "empty", None)]
    file.write_text("image,state\nx\n")
    with pytest.raises(LabelError, match=r"labels\.csv', line 2: 1 values"):
        read_labels(str(file))
    file.write_text("image,state\n")
    with pytest.raises(LabelError, match=r"labels\.csv' has no label"):
        read_labels(str(file))
