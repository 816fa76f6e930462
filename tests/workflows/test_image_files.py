"""Describing: one reading of the file, one outcome for whatever it holds."""

import errno
import hashlib
import os
import pickle
from collections import Counter
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from indexer.domain.descriptions import FileDescription, Limits, Thumbnail, ThumbnailRecipe
from indexer.domain.masks import Mask
from indexer.imaging import file_description
from indexer.imaging.decoding import decode_grey
from indexer.imaging.headers import ImageRefusedError, read_header
from indexer.imaging.original_profile import preprocess_native
from indexer.imaging.preprocessing import preprocess, resize_area
from indexer.imaging.sharpness import sharpness
from indexer.imaging.thumbnails import decode, encode
from indexer.workflows.image_files import (
    DescribeTask,
    ThumbnailResult,
    ThumbnailTask,
    describe_file,
    read_native,
    recreate_thumbnail,
)

BALANCED = ThumbnailRecipe(digest="balanced", work_width=320, contrast=True, mask=Mask((5, 10, 5, 0)))
WIDE = ThumbnailRecipe(digest="wide", work_width=480, contrast=False, mask=Mask((0, 0, 0, 0)))
RECIPES = (BALANCED, WIDE)


def frame(height: int = 480, width: int = 640) -> np.ndarray:
    """A picture with detail in every part."""
    return cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8), (5, 5), 0)


def write(path: Path, image: np.ndarray) -> str:
    """The picture in a file; its path."""
    assert cv2.imwrite(str(path), image)
    return str(path)


def described(
    path: str | Path, *, recipes: tuple[ThumbnailRecipe, ...] = RECIPES, limits: Limits | None = None
) -> FileDescription:
    """What a worker says of the file, after the way to it and back."""
    task = DescribeTask(path=str(path), recipes=recipes, limits=limits or Limits())
    return pickle.loads(pickle.dumps(describe_file(pickle.loads(pickle.dumps(task)))))


def digest(path: str) -> str:
    """The file's sha256."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def expected_thumbnail(data: bytes, recipe: ThumbnailRecipe, *, size: tuple[int, int]) -> Thumbnail:
    """The thumbnail made step by step."""
    grey = decode_grey(data, header=read_header(data, limits=Limits()), work_width=recipe.work_width)
    image = preprocess(resize_area(grey, size=size), contrast=recipe.contrast, mask=recipe.mask)
    return Thumbnail(recipe.digest, *size, encode(image))


@pytest.mark.parametrize("name", ["a.png", "a.jpg"])
def test_a_good_file_is_described_in_full(name: str, tmp_path: Path) -> None:
    """Facts of the file, size, sharpness at 320 wide, and a thumbnail of each recipe from its own decoding."""
    path = write(tmp_path / name, frame(960, 1280))
    data, status = Path(path).read_bytes(), Path(path).stat()
    grey = decode_grey(data, header=read_header(data, limits=Limits()), work_width=320)
    assert described(path) == FileDescription(
        path=path,
        size_bytes=status.st_size,
        mtime_ns=status.st_mtime_ns,
        content_hash=digest(path),
        state="ready",
        width=1280,
        height=960,
        sharpness=sharpness(resize_area(grey, size=(240, 320))),
        thumbnails=(
            expected_thumbnail(data, BALANCED, size=(240, 320)),
            expected_thumbnail(data, WIDE, size=(360, 480)),
        ),
    )


def test_the_recipes_change_nothing_else(tmp_path: Path) -> None:
    """Without recipes, or with others, all but the thumbnails is the same."""
    path = write(tmp_path / "a.jpg", frame(960, 1280))
    whole = described(path)
    assert described(path, recipes=()) == replace(whole, thumbnails=())
    assert described(path, recipes=(WIDE,)) == replace(whole, thumbnails=whole.thumbnails[1:])


def test_the_height_comes_from_the_true_size(tmp_path: Path) -> None:
    """A JPEG decoded at a half, whose size rounds up, has the thumbnail shape of its full size."""
    seen = described(write(tmp_path / "a.jpg", frame(1288, 1281)), recipes=(BALANCED,))
    assert [(made.height, made.width) for made in seen.thumbnails] == [(322, 320)]


def test_a_frame_is_decoded_once_per_reduction(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Recipes that need the same reduction share one decoded picture."""
    calls: list[int | None] = []

    def counted(data: bytes, *, header: object, work_width: int | None, **more: object) -> np.ndarray:
        calls.append(work_width)
        return decode_grey(data, header=header, work_width=work_width, **more)

    monkeypatch.setattr(file_description, "decode_grey", counted)
    path = write(tmp_path / "a.jpg", frame(960, 1280))
    described(path, recipes=(BALANCED, replace(BALANCED, digest="plain", contrast=False), WIDE))
    assert calls == [320, 480]


def test_a_turned_picture_is_described_as_shown(shared_data: Path) -> None:
    """One scene in four orientations has one size, one thumbnail shape and nearly one picture."""
    files = [shared_data / "malformed" / f"Landscape_{orientation}.jpg" for orientation in (1, 3, 6, 8)]
    seen = [described(file, recipes=(BALANCED,)) for file in files]
    assert [(one.state, one.width, one.height) for one in seen] == [("ready", 1800, 1200)] * 4
    images = [decode(one.thumbnails[0].data).astype(float) for one in seen]
    assert all(np.corrcoef(images[0].flat, image.flat)[0, 1] > 0.99 for image in images)


@pytest.mark.parametrize("content", [b"not an image", b"GIF" + bytes(100), b"P5 128 128 255 " + bytes(128 * 128)])
def test_no_image_is_a_state_with_a_reason(content: bytes, tmp_path: Path) -> None:
    """The content decides, whatever the name says; hash and size are known all the same."""
    path = tmp_path / "a.png"
    path.write_bytes(content)
    assert described(path) == FileDescription(
        path=str(path),
        size_bytes=len(content),
        mtime_ns=path.stat().st_mtime_ns,
        content_hash=digest(str(path)),
        state="unreadable",
        state_reason="no valid image header",
    )


def test_a_damaged_file_keeps_its_header(tmp_path: Path) -> None:
    """What the header says is remembered of a picture that cannot be used."""
    path = Path(write(tmp_path / "a.jpg", frame()))
    path.write_bytes(path.read_bytes()[:-400])
    seen = described(path)
    assert (seen.state, seen.state_reason) == ("damaged", "data ends early: the JPEG has no end marker")
    assert (seen.width, seen.height, seen.thumbnails) == (640, 480, ())


def test_a_small_picture_is_reported_with_its_size(tmp_path: Path) -> None:
    """A picture with a side under 64 pixels is too small, and one can read how small."""
    seen = described(write(tmp_path / "a.png", frame(6, 10)))
    assert (seen.state, seen.width, seen.height) == ("too_small", 10, 6)


@pytest.mark.parametrize(("height", "state"), [(256, "ready"), (257, "unreadable")])
def test_a_strip_is_unreadable_even_without_recipes(height: int, state: str, tmp_path: Path) -> None:
    """A picture whose thumbnail would be taller than four times its width is refused."""
    path = write(tmp_path / "a.png", frame(height, 64))
    assert described(path, recipes=()).state == state


def test_a_large_file_is_hashed_but_not_decoded(tmp_path: Path) -> None:
    """Above the limit of bytes a file has its hash and size and a reason."""
    path = write(tmp_path / "a.png", frame())
    os.truncate(path, 5_000_000)  # more than is read at once
    size = Path(path).stat().st_size
    seen = described(path, limits=Limits(max_bytes=size - 1))
    assert (seen.state, seen.state_reason) == ("unreadable", f"{size} bytes are more than the limit of {size - 1}")
    assert (seen.content_hash, seen.size_bytes) == (digest(path), size)


@pytest.mark.parametrize(("problem", "state"), [(RuntimeError("boom"), "damaged"), (MemoryError(), "unreadable")])
def test_an_unexpected_exception_costs_one_file(
    problem: Exception, state: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is raised inside becomes the state of this file."""

    def failing(*_: object, **__: object) -> None:
        raise problem

    monkeypatch.setattr(file_description, "preprocess", failing)
    seen = described(write(tmp_path / "a.png", frame()))
    assert (seen.state, seen.width, seen.height, seen.thumbnails) == (state, 640, 480, ())


def test_a_path_that_is_no_file_is_a_problem(tmp_path: Path) -> None:
    """Missing, folder, link, pipe: a few words, everything else unknown, and never waiting."""
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to(write(tmp_path / "a.png", frame()))
    os.mkfifo(tmp_path / "pipe.png")
    words = dict.fromkeys(["folder.png", "link.png", "pipe.png"], "not a regular file")
    for name, problem in (words | {"none.png": "No such file or directory"}).items():
        path = str(tmp_path / name)
        assert described(path) == FileDescription(path=path, problem=problem)


def test_a_file_without_rights_is_a_problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that may not be read is reported as the system says it (root may read all, so the system is played)."""

    def forbidden(path: str, _: int) -> int:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    monkeypatch.setattr(os, "open", forbidden)
    path = str(tmp_path / "a.png")
    assert describe_file(DescribeTask(path, RECIPES, Limits())) == FileDescription(
        path=path, problem="Permission denied"
    )


@pytest.mark.parametrize(
    "name", [b"with space.png", b"new\nline.png", "ümlaut 猫.png".encode(), b"-dash.png", b"\xff\xfe.png"]
)
def test_any_name_is_opened(name: bytes, tmp_path: Path) -> None:
    """Spaces, newlines, unicode, leading dashes and bytes that are no UTF-8 reach the file."""
    path = os.fsdecode(os.path.join(os.fsencode(tmp_path), name))
    Path(path).write_bytes(cv2.imencode(".png", frame())[1].tobytes())
    seen = described(path)
    assert (seen.path, seen.state) == (path, "ready")


@pytest.mark.parametrize("change", ["grows", "shrinks", "is touched"])
def test_a_file_that_changes_under_the_reader_is_a_problem(
    change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A camera that is still writing gets no row made of two states."""
    path = write(tmp_path / "a.png", frame())
    read = os.read

    def changing(descriptor: int, size: int) -> bytes:
        monkeypatch.setattr(os, "read", read)
        if change == "is touched":
            os.utime(path, ns=(1, 1))
        else:
            os.truncate(path, Path(path).stat().st_size + (10 if change == "grows" else -10))
        return read(descriptor, size)

    monkeypatch.setattr(os, "read", changing)
    assert describe_file(DescribeTask(path, RECIPES, Limits())) == FileDescription(
        path=path, problem="the file changed while it was read"
    )


def test_the_bytes_are_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is opened a single time, and closed again."""
    path = write(tmp_path / "a.jpg", frame())
    opened, real = [], os.open
    monkeypatch.setattr(os, "open", lambda *given: opened.append(given[0]) or real(*given))
    before = len(os.listdir("/dev/fd"))
    describe_file(DescribeTask(path, RECIPES, Limits()))
    assert (opened, len(os.listdir("/dev/fd"))) == ([path], before)


def test_a_missing_thumbnail_is_what_describing_makes(tmp_path: Path) -> None:
    """A thumbnail prepared later equals the one of the first reading."""
    path = write(tmp_path / "a.jpg", frame(960, 1280))
    for recipe, thumbnail in zip(RECIPES, described(path).thumbnails, strict=True):
        task = ThumbnailTask(7, path, digest(path), recipe, Limits())
        assert recreate_thumbnail(task) == ThumbnailResult(7, thumbnail, None)


def test_preparing_again_says_why_it_cannot(tmp_path: Path) -> None:
    """A file that is gone, changed or bad has no thumbnail but a reason."""
    path = write(tmp_path / "a.png", frame())
    bad = tmp_path / "bad.png"
    bad.write_bytes(b"x")
    cases = [
        (str(tmp_path / "none.png"), "", "No such file or directory"),
        (path, digest(str(bad)), "the file is not what was indexed"),
        (str(bad), digest(str(bad)), "unreadable: no valid image header"),
    ]
    for file, content_hash, problem in cases:
        task = ThumbnailTask(7, file, content_hash, BALANCED, Limits())
        assert recreate_thumbnail(task) == ThumbnailResult(7, None, problem)


def test_a_native_image_is_read_after_its_hash_is_checked(tmp_path: Path) -> None:
    """The profile `original` gets the whole picture of exactly the indexed bytes, or an exception."""
    path = write(tmp_path / "a.jpg", frame())
    image = read_native(path, content_hash=digest(path), mask=Mask((5, 10, 5, 0)), limits=Limits())
    assert np.array_equal(image, preprocess_native(Path(path).read_bytes(), mask=Mask((5, 10, 5, 0))))
    with pytest.raises(OSError, match="the file is not what was indexed"):
        read_native(path, content_hash="0" * 64, mask=Mask((5, 10, 5, 0)), limits=Limits())
    with pytest.raises(ImageRefusedError, match="more than the limit"):
        read_native(path, content_hash=digest(path), mask=Mask((5, 10, 5, 0)), limits=Limits(max_pixels=1))


@pytest.mark.parametrize(
    ("problem", "state"),
    [(cv2.error("cvtColor"), "damaged"), (MemoryError(), "unreadable"), (ValueError("x"), "damaged")],
)
def test_a_native_image_whose_decoder_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: Exception, state: str
) -> None:
    """Whatever a decoder raises is a refusal of the picture, and never ends a run."""
    path = write(tmp_path / "a.jpg", frame())

    def fail(*_given: object) -> None:
        raise problem

    monkeypatch.setattr(cv2, "cvtColor", fail)
    with pytest.raises(ImageRefusedError) as refused:
        read_native(path, content_hash=digest(path), mask=Mask((0, 0, 0, 0)), limits=Limits())
    assert refused.value.state == state


def test_a_refusal_survives_the_way_from_a_worker() -> None:
    """A refused image crosses between processes with its state and reason."""
    refused = pickle.loads(pickle.dumps(ImageRefusedError("damaged", "half of it")))
    assert (refused.state, refused.reason, str(refused)) == ("damaged", "half of it", "damaged: half of it")


def test_every_malformed_sample_has_one_outcome(shared_data: Path) -> None:
    """Each file of the folder ends in a state with a reason, and nothing is raised."""
    seen = {file.name: described(file) for file in sorted((shared_data / "malformed").iterdir())}
    assert all(one.problem is None and (one.state == "ready") == (one.state_reason is None) for one in seen.values())
    assert {name for name, one in seen.items() if one.state == "damaged"} == {
        "broken_data_stream.png",
        "truncated_end_chunk.png",
        "truncated_image.png",
        "truncated_jpeg.jpg",
    }
    assert Counter(one.state for one in seen.values()).keys() == {"ready", "damaged", "unreadable", "too_small"}


def test_every_sample_frame_is_ready(shared_data: Path) -> None:
    """Real frames are all usable, at the size that their manifest says."""
    files = sorted((shared_data / "frames").iterdir())[::8]
    assert {described(file, recipes=(BALANCED,)).state for file in files} == {"ready"}
