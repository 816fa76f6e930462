"""Small pictures: what the file shows, no larger than asked, and a reason where there is none."""

import hashlib
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from indexer.domain.descriptions import Limits, Preview
from indexer.imaging.decoding import viewing_reduction
from indexer.imaging.headers import Header, ImageRefusedError
from indexer.imaging.previews import make_preview, preview_of_thumbnail
from indexer.imaging.synthetic import scenes
from indexer.imaging.thumbnails import encode
from indexer.workflows.image_files import PreviewResult, PreviewTask, load_preview

FRAME = scenes.draw(scenes.Scene("gate", width=1280, height=720))


def shown(picture: Preview) -> np.ndarray:
    """What a viewer shows of it, after its size was found to be as said."""
    image = cv2.imdecode(np.frombuffer(picture.data, np.uint8), cv2.IMREAD_COLOR)
    assert image.shape == (picture.height, picture.width, 3)
    assert picture.data[:2] == b"\xff\xd8"
    return image


def asked(path: Path, *, content: bytes, limits: Limits | None = None) -> PreviewResult:
    """What a worker answers of a file, after the way to it and back; `content` is what was indexed."""
    task = PreviewTask(str(path), hashlib.sha256(content).hexdigest(), limits or Limits())
    return pickle.loads(pickle.dumps(load_preview(pickle.loads(pickle.dumps(task)))))


@pytest.mark.parametrize("format", ["jpg", "png"])
@pytest.mark.parametrize("width", [320, 480, 1280])
def test_a_picture_shows_what_the_file_shows(format: str, width: int) -> None:
    """In colour, at the width asked for, its aspect kept, and within a few levels of the frame made smaller."""
    picture = make_preview(scenes.encode(FRAME, format=format), limits=Limits(), width=width)
    assert (picture.height, picture.width) == (width * 9 // 16, width)
    small = cv2.resize(FRAME, (width, picture.height), interpolation=cv2.INTER_AREA)
    assert np.abs(shown(picture).astype(int) - small).mean() < 4


def test_a_small_image_is_not_enlarged() -> None:
    """An image below the width keeps its size."""
    picture = make_preview(scenes.encode(FRAME[:100, :150]), limits=Limits())
    assert (picture.height, picture.width) == (100, 150)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_its_exif_says(tmp_path: Path, orientation: int) -> None:
    """A viewer that turns the file and one that is given the picture show the same, at the width of what is shown."""
    exif = Image.Exif()
    exif[274] = orientation
    path = tmp_path / "a.jpg"
    Image.fromarray(FRAME[:, :, ::-1]).resize((1600, 1200)).save(path, exif=exif, quality=95)
    picture = make_preview(path.read_bytes(), limits=Limits())
    height = 240 if orientation < 5 else 427
    assert (picture.height, picture.width) == (height, 320)
    turned = cv2.resize(cv2.imread(str(path)), (320, height), interpolation=cv2.INTER_AREA)
    assert np.abs(shown(picture).astype(int) - turned).mean() < 4


@pytest.mark.parametrize(
    ("format", "width", "orientation", "by"),
    [
        ("JPEG", 1280, 1, 4),
        ("JPEG", 1279, 1, 2),
        ("JPEG", 9000, 1, 8),
        ("JPEG", 300, 1, 1),
        ("PNG", 1280, 1, 1),
        ("JPEG", 1280, 6, 2),
        ("MPO", 2560, 1, 8),
    ],
)
def test_a_jpeg_is_decoded_no_smaller_than_it_is_shown(format: str, width: int, orientation: int, by: int) -> None:
    """The decoder's reduction leaves the width as shown, after the rotation, at what was asked for at least."""
    header = Header(format, width, width * 9 // 16, orientation, None, None)
    assert viewing_reduction(header, width=320) == by


@pytest.mark.parametrize(
    ("data", "limits", "state"),
    [
        (b"", Limits(), "unreadable"),
        (b"GIF89a", Limits(), "unreadable"),
        (scenes.truncated(scenes.encode(FRAME), share=0.6), Limits(), "damaged"),
        (scenes.encode(FRAME), Limits(max_pixels=1280 * 720 - 1), "unreadable"),
        (scenes.encode(FRAME), Limits(max_bytes=1000), "unreadable"),
        (scenes.encode(FRAME[:63]), Limits(), "too_small"),
    ],
)
def test_what_cannot_be_indexed_has_no_picture(data: bytes, limits: Limits, state: str) -> None:
    """A file without a header, over a limit, too small or not whole is refused as ingest refuses it."""
    with pytest.raises(ImageRefusedError) as caught:
        make_preview(data, limits=limits)
    assert caught.value.state == state


def test_a_decoder_that_contradicts_the_header_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture of another size than the header announces is refused, as ingest refuses it."""
    monkeypatch.setattr("indexer.imaging.previews.decode_colour", lambda _data, *, by: FRAME[:70])
    with pytest.raises(ImageRefusedError, match="the header says 1280 x 720, the decoder made 1280 x 70 at 1/1"):
        make_preview(scenes.encode(FRAME, format="png"), limits=Limits())


def test_a_thumbnail_gives_a_grey_picture_no_wider() -> None:
    """The stored thumbnail is shown as it is, and made smaller if it is wider."""
    grey = cv2.cvtColor(FRAME, cv2.COLOR_BGR2GRAY)
    for image, size in ((cv2.resize(grey, (160, 90)), (90, 160)), (grey, (180, 320))):
        picture = preview_of_thumbnail(encode(image))
        small = cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
        assert (picture.height, picture.width) == size
        assert np.abs(shown(picture).astype(int) - small[..., None]).mean() < 4


def test_of_several_planes_the_grey_one_is_shown() -> None:
    """The picture of a thumbnail with colour beneath is that of its grey plane."""
    grey = cv2.resize(cv2.cvtColor(FRAME, cv2.COLOR_BGR2GRAY), (320, 180))
    planes = np.vstack([grey, np.full((360, 320), 128, np.uint8)])
    assert preview_of_thumbnail(encode(planes), planes=3) == preview_of_thumbnail(encode(grey))


@pytest.mark.parametrize("data", [b"", b"\x89PNG", encode(FRAME[:, :, 0])[:-20]])
def test_a_spoiled_thumbnail_is_refused(data: bytes) -> None:
    """No part of a thumbnail is a picture."""
    with pytest.raises(ValueError, match="PNG"):
        preview_of_thumbnail(data)


def test_a_worker_gives_the_picture_of_the_indexed_bytes(tmp_path: Path) -> None:
    """Of a file that is what was indexed the answer is its small picture."""
    path, data = tmp_path / "a.jpg", scenes.encode(FRAME)
    path.write_bytes(data)
    assert asked(path, content=data) == PreviewResult(make_preview(data, limits=Limits()), None)


@pytest.mark.parametrize(
    ("there", "limits", "problem"),
    [
        (None, Limits(), "No such file"),
        (b"other", Limits(), "not what was indexed"),
        (b"same", Limits(), "no valid image header"),
        (b"same", Limits(max_bytes=3), "4 bytes are more than the limit of 3"),
    ],
)
def test_a_worker_says_why_there_is_no_picture(
    tmp_path: Path, there: bytes | None, limits: Limits, problem: str
) -> None:
    """A file that is gone, holds other bytes, is no picture or is too large is an answer, never an exception."""
    path = tmp_path / "a.jpg"
    if there is not None:
        path.write_bytes(there)
    answer = asked(path, content=b"same", limits=limits)
    assert answer.preview is None
    assert problem in str(answer.problem)


@pytest.mark.parametrize(("low", "high"), [(29300, 31800), (0, 900), (5, 6)])
def test_deep_values_are_shown_over_their_own_range(low: int, high: int) -> None:
    """A thermal picture that 8 bits would leave flat is shown from black to white; one of full 16 bits as it was."""
    values = np.linspace(low, high, 320 * 192).round().astype(np.uint16).reshape(192, 320)
    shown = cv2.imdecode(np.frombuffer(make_preview(png(values), limits=Limits()).data, np.uint8), cv2.IMREAD_COLOR)
    assert (shown.min() < 8, shown.max() > 247) == (True, True)
    full = np.linspace(0, 65535, 320 * 192).astype(np.uint16).reshape(192, 320)
    assert make_preview(png(full), limits=Limits()) == make_preview(png((full >> 8).astype(np.uint8)), limits=Limits())


def png(values: np.ndarray) -> bytes:
    """A PNG of these values."""
    return cv2.imencode(".png", values)[1].tobytes()
