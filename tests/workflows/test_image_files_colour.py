"""Describing with colour: what lies below the grey plane of a thumbnail, and that the grey plane is as ever."""

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from indexer.domain.descriptions import Limits, ThumbnailRecipe
from indexer.imaging.decoding import decode_grey
from indexer.imaging.headers import read_header
from indexer.imaging.preprocessing import resize_area
from indexer.imaging.thumbnails import decode
from indexer.workflows.image_files import DescribeTask, describe_file
from tests.workflows.test_image_files import BALANCED, described, frame, write

COLOURED = replace(BALANCED, digest="colour", chroma=2)


def planes_of(path: str | Path, recipe: ThumbnailRecipe = COLOURED) -> list[np.ndarray]:
    """Grey, blueness and redness of a file's thumbnail."""
    (made,) = described(path, recipes=(recipe,)).thumbnails
    image = decode(made.data)
    assert image.shape == (made.height, made.width)
    return np.split(image, 3)


def grey_of(image: np.ndarray) -> int:
    """The grey level that the decoder makes of a picture of one colour."""
    data = cv2.imencode(".png", image)[1].tobytes()
    return int(decode_grey(data, header=read_header(data, limits=Limits()), work_width=None)[0, 0])


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
@pytest.mark.parametrize("size", [(480, 640), (960, 1280), (2161, 3001)])
def test_colour_lies_below_grey(name: str, size: tuple[int, int], tmp_path: Path) -> None:
    """The first plane is the thumbnail without colour, to the bit; the others are Cb and Cr of the file, nearly."""
    image = cv2.resize(frame(12, 16), size[::-1], interpolation=cv2.INTER_LINEAR)
    path = write(tmp_path / name, image)
    grey, *chroma = planes_of(path)
    assert np.array_equal(grey, decode(described(path, recipes=(BALANCED,)).thumbnails[0].data))
    small = cv2.cvtColor(resize_area(image, size=grey.shape), cv2.COLOR_BGR2YCrCb).astype(float)
    for plane, wanted in zip(chroma, (small[:, :, 2], small[:, :, 1]), strict=True):
        seen = plane > 0
        expected = np.clip(128 + 2 * (wanted - np.median(wanted[seen])), 1, 254)
        assert seen.mean() > 0.75
        assert np.quantile(np.abs(plane - expected)[seen & (plane < 255)], 0.99) < 16


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.bmp", "a.tif"])
def test_a_grey_file_has_no_colour(name: str, tmp_path: Path) -> None:
    """Of one channel, or of three equal ones, nothing is on its planes of colour, and its grey is as ever."""
    grey = cv2.cvtColor(frame(), cv2.COLOR_BGR2GRAY)
    for number, image in enumerate([grey, cv2.cvtColor(grey, cv2.COLOR_GRAY2BGR)]):
        if name == "a.webp" and number == 0:
            continue  # has three channels always
        path = write(tmp_path / f"{number}{name}", image)
        first, *chroma = planes_of(path)
        assert np.array_equal(first, decode(described(path, recipes=(BALANCED,)).thumbnails[0].data))
        assert [set(np.unique(plane)) for plane in chroma] == [{0, 128}] * 2


def test_a_palette_is_colour(tmp_path: Path) -> None:
    """A PNG with a palette has the colours of its palette, as one with three channels has."""
    image = np.kron(frame(6, 8) // 64 * 64, np.ones((80, 80, 1), np.uint8))
    path = str(tmp_path / "palette.png")
    picture = Image.fromarray(image[:, :, ::-1]).quantize(256)
    picture.save(path)
    with Image.open(path) as saved:
        assert saved.mode == "P"
    whole = write(tmp_path / "whole.png", np.asarray(picture.convert("RGB"))[:, :, ::-1])
    assert all(np.array_equal(*pair) for pair in zip(planes_of(path), planes_of(whole), strict=True))


def test_a_turned_picture_has_its_colours_where_it_has_its_grey(shared_data: Path) -> None:
    """One scene in four orientations has nearly the same planes of colour."""
    files = [shared_data / "malformed" / f"Landscape_{orientation}.jpg" for orientation in (1, 3, 6, 8)]
    first, *turned = [np.vstack(planes_of(file)[1:]).astype(float) for file in files]
    assert all(np.corrcoef(first.flat, planes.flat)[0, 1] > 0.98 for planes in turned)


def test_deep_values_on_a_scale_have_no_colour(tmp_path: Path) -> None:
    """What levels bring to grey is grey, and with it a picture of 16 bits is not refused."""
    values = np.random.default_rng(0).integers(29_000, 31_000, (240, 320), np.uint16)
    path = write(tmp_path / "deep.png", values)
    recipe = replace(COLOURED, levels=(29_000, 31_000))
    task = DescribeTask(path, (recipe,), Limits(), levels=recipe.levels)
    grey, *chroma = np.split(decode(describe_file(task).thumbnails[0].data), 3)
    assert len(np.unique(grey)) > 50
    assert [set(np.unique(plane)) for plane in chroma] == [{0, 128}] * 2


def test_a_picture_is_flat_if_all_of_its_planes_are(tmp_path: Path) -> None:
    """Of one grey level and one colour there is nothing to tell by it; of two colours of that grey there is."""
    one = np.full((240, 320, 3), (50, 44, 196), np.uint8)
    greens = (np.full((240, 320, 3), (40, level, 40), np.uint8) for level in range(256))
    two = next(green for green in greens if grey_of(green) == grey_of(one))
    two[100:200, 100:200] = one[0, 0]
    flat = {}
    for name, image in (("one", one), ("two", two)):
        path = write(tmp_path / f"{name}.png", image)
        flat[name] = [
            made.flat for made in described(path, recipes=(replace(BALANCED, contrast=False), COLOURED)).thumbnails
        ]
    assert flat == {"one": [True, True], "two": [True, False]}


def test_samples_are_read_in_colour_if_they_are_in_grey(shared_data: Path) -> None:
    """No malformed or odd sample changes its state, or the reason of it, where colour is looked at."""
    files = [path for path in sorted((shared_data / "malformed").iterdir()) if path.is_file()]
    outcomes = [
        [(seen.state, seen.state_reason, seen.width) for seen in (described(file, recipes=(recipe,)) for file in files)]
        for recipe in (BALANCED, COLOURED)
    ]
    assert len(files) > 20
    assert outcomes[0] == outcomes[1]
