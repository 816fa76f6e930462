"""What is seen of a person survives every way to write a picture down, or the picture is refused with the reason."""

import io
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexer.errors import ProfileError
from indexer.execution import local_executor
from indexer.imaging.formats import reads_avif
from indexer.store import profiles
from indexer.workflows.admin.profile import make_profile, use_profile
from indexer.workflows.review.explain import load_pair
from tests.support.databases import on_sqlite
from tests.support.index import Index, name

Scene = NDArray[np.float64]
"""(H, W), from 0 (black) to 1."""
Writer = Callable[[Scene], bytes]

EMPTY, PERSON = (0, 1, 4), (2, 3)
"""Frames by their minute."""


@cache
def scene(minute: int) -> Scene:
    """A yard with some boxes, a little noise, and on some frames a person, a sixth of the range brighter."""
    boxes = np.random.default_rng(5)
    seen = cv2.resize(boxes.uniform(0.25, 0.6, (5, 8)), (320, 192), interpolation=cv2.INTER_CUBIC)
    seen[150:190, 20:60], seen[20:60, 250:300] = 0.02, 0.72
    seen += np.random.default_rng(minute).normal(0, 0.004, seen.shape)
    if minute in PERSON:
        seen[70:150, 130 + 50 * (minute - 2) : 165 + 50 * (minute - 2)] += 0.17
    return np.clip(seen, 0, 1)


def whole(seen: Scene, *, base: float = 0, span: float = 65535) -> NDArray[np.uint16]:
    """The scene in 16-bit values from `base` on."""
    return np.clip(np.rint(base + span * seen), 0, 65535).astype(np.uint16)


def bytes8(seen: Scene) -> NDArray[np.uint8]:
    """The scene in 8-bit values."""
    return np.rint(255 * seen).astype(np.uint8)


def by_opencv(suffix: str, values: NDArray[np.generic]) -> bytes:
    """A file that OpenCV writes."""
    return cv2.imencode(suffix, values)[1].tobytes()


def by_pillow(image_format: str, image: Image.Image, *more: Image.Image, **how: object) -> bytes:
    """A file that Pillow writes, with further frames or pages if there are any."""
    file = io.BytesIO()
    image.save(file, image_format, **({"save_all": True, "append_images": more} if more else {}), **how)
    return file.getvalue()


def grey(seen: Scene) -> Image.Image:
    """The scene in 8-bit grey, as Pillow has it."""
    return Image.fromarray(bytes8(seen))


def colours(seen: Scene) -> Image.Image:
    """The scene in 8-bit colours, as Pillow has it."""
    return grey(seen).convert("RGB")


def two_tone(seen: Scene) -> Image.Image:
    """The scene in black and white, as Pillow has it."""
    return Image.fromarray(cv2.GaussianBlur(seen, (15, 15), 0) > 0.45)


def in_opacity(seen: Scene, mode: str = "RGBA") -> Image.Image:
    """One colour, and the scene in its opacity alone."""
    flat = Image.new("L", (320, 192), 40)
    return Image.merge(mode, [flat] * (len(mode) - 1) + [grey(seen)])


def packed(seen: Scene, bits: int) -> bytes:
    """A TIFF in which each value takes so many bits, without a gap between them."""
    rows = ["".join(f"{value:0{bits}b}" for value in row) for row in whole(seen, span=2**bits - 1).tolist()]
    data = b"".join(int(row, 2).to_bytes(len(row) // 8, "big") for row in rows)
    height, width = seen.shape
    tags = {256: width, 257: height, 258: bits, 259: 1, 262: 1, 273: 8, 277: 1, 278: height, 279: len(data)}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + struct.pack("<H", len(tags)) + entries + bytes(4)


def first(seen: Scene) -> Image.Image:
    """A picture that shows nothing of the scene, to stand before it."""
    return colours(scene(0)) if seen is not scene(0) else colours(scene(1))


KEPT: dict[str, tuple[str, Writer]] = {
    "grey PNG": ("png", lambda seen: by_opencv(".png", bytes8(seen))),
    "16-bit PNG": ("png", lambda seen: by_opencv(".png", whole(seen))),
    "16-bit TIFF": ("tif", lambda seen: by_opencv(".tif", whole(seen))),
    "16-bit RGB PNG": ("png", lambda seen: by_opencv(".png", cv2.merge([whole(seen)] * 3))),
    "16-bit RGB TIFF": ("tif", lambda seen: by_opencv(".tif", cv2.merge([whole(seen)] * 3))),
    "16-bit big-endian TIFF": (
        "tif",
        lambda seen: by_pillow("TIFF", Image.frombytes("I;16B", (320, 192), whole(seen).astype(">u2").tobytes())),
    ),
    "10 bits to the left, PNG": ("png", lambda seen: by_opencv(".png", whole(seen, span=1023) << 6)),
    "12 bits to the left, TIFF": ("tif", lambda seen: by_opencv(".tif", whole(seen, span=4095) << 4)),
    "14 bits to the left, PNG": ("png", lambda seen: by_opencv(".png", whole(seen, span=16383) << 2)),
    "8 bits in 16, PNG": ("png", lambda seen: by_opencv(".png", bytes8(seen).astype(np.uint16) * 257)),
    "grey and opaque, PNG": ("png", lambda seen: by_pillow("PNG", grey(seen).convert("LA"))),
    "RGBA and opaque, PNG": ("png", lambda seen: by_pillow("PNG", colours(seen).convert("RGBA"))),
    "RGBA and opaque, WebP": ("webp", lambda seen: by_pillow("WEBP", colours(seen).convert("RGBA"), lossless=True)),
    "palette, PNG": ("png", lambda seen: by_pillow("PNG", colours(seen).quantize(64))),
    "1 bit, PNG": ("png", lambda seen: by_pillow("PNG", two_tone(seen))),
    "1 bit, TIFF": ("tif", lambda seen: by_pillow("TIFF", two_tone(seen))),
    "CMYK JPEG": ("jpg", lambda seen: by_pillow("JPEG", colours(seen).convert("CMYK"), quality=92)),
    "BMP": ("bmp", lambda seen: by_opencv(".bmp", bytes8(seen))),
    "JPEG named .jfif": ("jfif", lambda seen: by_pillow("JPEG", grey(seen), quality=92)),
    "MPO with another picture behind": ("mpo", lambda seen: by_pillow("MPO", colours(seen), first(seen))),
}
SHALLOW: dict[str, tuple[str, Writer]] = {
    "10 bits, PNG": ("png", lambda seen: by_opencv(".png", whole(seen, span=1023))),
    "12 bits, PNG": ("png", lambda seen: by_opencv(".png", whole(seen, span=4095))),
    "12 bits, TIFF": ("tif", lambda seen: by_opencv(".tif", whole(seen, span=4095))),
    "12 bits, RGB PNG": ("png", lambda seen: by_opencv(".png", cv2.merge([whole(seen, span=4095)] * 3))),
    "12 bits, RGB TIFF": ("tif", lambda seen: by_opencv(".tif", cv2.merge([whole(seen, span=4095)] * 3))),
    "14 bits, PNG": ("png", lambda seen: by_opencv(".png", whole(seen, span=16383))),
    "14 bits, big-endian TIFF": (
        "tif",
        lambda seen: by_pillow(
            "TIFF", Image.frombytes("I;16B", (320, 192), whole(seen, span=16383).astype(">u2").tobytes())
        ),
    ),
    "hundredths of a Kelvin, PNG": ("png", lambda seen: by_opencv(".png", whole(seen, base=29300, span=2500))),
    "hundredths of a Kelvin, TIFF": ("tif", lambda seen: by_opencv(".tif", whole(seen, base=29300, span=2500))),
    "tenths of a Kelvin, PNG": ("png", lambda seen: by_opencv(".png", whole(seen, base=2930, span=250))),
    "raw counts of a thermal camera, PNG": ("png", lambda seen: by_opencv(".png", whole(seen, base=7200, span=900))),
    "12 bits to the left, a narrow part of them": (
        "png",
        lambda seen: by_opencv(".png", whole(seen, base=2000, span=120) << 4),
    ),
    "12 bits with opacity": (
        "png",
        lambda seen: by_opencv(
            ".png", cv2.merge([whole(seen, span=4095)] * 3 + [np.full((192, 320), 65535, np.uint16)])
        ),
    ),
}
REFUSED: dict[str, tuple[str, Writer, str]] = {
    "float32 TIFF": ("tif", lambda seen: by_opencv(".tif", seen.astype(np.float32)), "floating point"),
    "float64 TIFF": ("tif", lambda seen: by_opencv(".tif", seen), "floating point"),
    "signed 16-bit TIFF": (
        "tif",
        lambda seen: by_opencv(".tif", whole(seen, span=4000).astype(np.int16)),
        "16 bits with a sign",
    ),
    "signed 32-bit TIFF": (
        "tif",
        lambda seen: by_opencv(".tif", whole(seen, span=4000).astype(np.int32)),
        "32 bits with a sign",
    ),
    "10 bits packed, TIFF": ("tif", lambda seen: packed(seen, 10), "values of 10 bits without a sign"),
    "12 bits packed, TIFF": ("tif", lambda seen: packed(seen, 12), "values of 12 bits without a sign"),
    "14 bits packed, TIFF": ("tif", lambda seen: packed(seen, 14), "values of 14 bits without a sign"),
    "all in the opacity, RGBA PNG": ("png", lambda seen: by_pillow("PNG", in_opacity(seen)), "opacity"),
    "all in the opacity, grey PNG": ("png", lambda seen: by_pillow("PNG", in_opacity(seen, "LA")), "opacity"),
    "all in the opacity, palette PNG": (
        "png",
        lambda seen: by_pillow("PNG", grey(seen).convert("P"), transparency=bytes(range(256))),
        "opacity",
    ),
    "all in the opacity, WebP": (
        "webp",
        lambda seen: by_pillow("WEBP", in_opacity(seen), lossless=True, exact=True),
        "opacity",
    ),
    "all in the opacity, RGBA TIFF": ("tif", lambda seen: by_pillow("TIFF", in_opacity(seen)), "opacity"),
    "all in the opacity, grey TIFF": ("tif", lambda seen: by_pillow("TIFF", in_opacity(seen, "LA")), "opacity"),
    "all in the opacity, 16-bit PNG": (
        "png",
        lambda seen: by_opencv(".png", cv2.merge([whole(scene(0) * 0)] * 3 + [whole(seen)])),
        "opacity",
    ),
    "animated PNG": ("png", lambda seen: by_pillow("PNG", first(seen), colours(seen)), "2 frames"),
    "animated WebP": ("webp", lambda seen: by_pillow("WEBP", first(seen), colours(seen)), "2 frames"),
    "TIFF of two pages": ("tif", lambda seen: by_pillow("TIFF", first(seen), colours(seen)), "several pages"),
    "TIFF of two pages of 12 bits": (
        "tif",
        lambda seen: cv2.imencodemulti(".tif", [whole(scene(0)), whole(seen)])[1].tobytes(),
        "several pages",
    ),
    "GIF by another name": ("png", lambda seen: by_pillow("GIF", grey(seen)), "a GIF picture, which is not read"),
    "JPEG 2000 by another name": (
        "jpg",
        lambda seen: by_pillow("JPEG2000", grey(seen)),
        "a JPEG 2000 picture, which is not read",
    ),
}
if reads_avif():
    KEPT["AVIF"] = "avif", lambda seen: by_pillow("AVIF", colours(seen), quality=90)
    REFUSED["AVIF sequence"] = "avif", lambda seen: by_pillow("AVIF", first(seen), colours(seen)), "2 frames"


def fill(index: Index, suffix: str, write: Writer) -> None:
    """Puts all frames there and takes them in."""
    for minute in (*EMPTY, *PERSON):
        index.put(name(minute, suffix=suffix), write(scene(minute)))
    index.ingest()


def duplicates(index: Index) -> dict[int, int]:
    """Each duplicate with its keeper, by their minutes."""
    index.compare()
    minutes = {name(minute, suffix=""): minute for minute in range(5)}
    return {
        minutes[f"{Path(file).stem}."]: minutes[f"{Path(keeper).stem}."]
        for file, (_, keeper, _) in index.decisions().items()
        if keeper is not None
    }


@on_sqlite
@pytest.mark.parametrize("kind", KEPT)
def test_a_person_is_seen(maker: object, index: Index, kind: str) -> None:
    """Frames with the person are kept, each for itself; of the empty ones one stands for the others."""
    fill(index, *KEPT[kind])
    assert index.rows("SELECT DISTINCT state FROM images") == [("ready",)]
    found = duplicates(index)
    assert set(found) < set(EMPTY), "a person went"
    assert len(found) == 2
    assert set(found.values()) < set(EMPTY)


@on_sqlite
@pytest.mark.parametrize("kind", SHALLOW)
def test_values_that_8_bits_cannot_hold_are_refused(maker: object, index: Index, kind: str) -> None:
    """What would be flat in 8 bits is unreadable, whatever the profile, and the reason names values and what to do."""
    fill(index, *SHALLOW[kind])
    states = index.rows("SELECT DISTINCT state FROM images")
    reasons = [reason for (reason,) in index.rows("SELECT state_reason FROM images")]
    assert states == [("unreadable",)]
    assert all("nearly flat in 8 bits" in reason and "--levels LOW,HIGH" in reason for reason in reasons)
    assert duplicates(index) == {}


@on_sqlite
@pytest.mark.parametrize("base", ["balanced", "plain", "original"])
@pytest.mark.parametrize("kind", SHALLOW)
def test_a_camera_has_a_scale_of_its_own(maker: object, index: Index, kind: str, base: str) -> None:
    """With the scale of its profile a camera's frames are looked at, the person is kept and an empty frame is not."""
    suffix, write = SHALLOW[kind]
    values = cv2.imdecode(np.frombuffer(write(scene(2)), np.uint8), cv2.IMREAD_ANYDEPTH)
    fill(index, suffix, write)
    levels = f"{values.min()},{values.max()}"
    changes = {"levels": levels} | ({} if base == "balanced" else {"threshold": 20})
    make_profile(index.database, "deep", base=base, changes=changes, clock=index.clock)
    use_profile(index.database, "deep", camera="gate", active=False, clock=index.clock)
    report = index.ingest(again=True)
    assert report.outcomes == {"changed": 5}
    found = duplicates(index)
    assert set(found) < set(EMPTY), "a person went"
    assert len(found) == 2


@on_sqlite
@pytest.mark.parametrize("kind", REFUSED)
def test_what_is_not_looked_at_is_refused(maker: object, index: Index, kind: str) -> None:
    """A picture whose content lies where nobody looks is unreadable, with the reason, and no duplicate."""
    suffix, write, reason = REFUSED[kind]
    fill(index, suffix, write)
    assert index.rows("SELECT DISTINCT state FROM images") == [("unreadable",)]
    assert all(reason in said for (said,) in index.rows("SELECT state_reason FROM images"))
    assert duplicates(index) == {}


@on_sqlite
def test_the_scale_is_the_same_whatever_the_order_and_the_workers(maker: object, index: Index) -> None:
    """Batches in any order give the thumbnails of one batch: nothing of a scale comes from the pictures themselves."""
    suffix, write = SHALLOW["hundredths of a Kelvin, PNG"]
    make_profile(index.database, "deep", base="balanced", changes={"levels": "29000,32000"}, clock=index.clock)
    index.compare(profile="deep")
    for minute in (4, 2, 0, 3, 1):
        index.put(name(minute, suffix=suffix), write(scene(minute)))
        index.ingest()
    thumbnails = "SELECT path, data FROM thumbnails JOIN images ON id = image_id ORDER BY path"
    backwards = index.rows(thumbnails)
    for minute in range(5):
        (index.folder / name(minute, suffix=suffix)).rename(index.folder / name(minute, "yard", suffix=suffix))
        index.put(name(minute, suffix=suffix), write(scene(minute)) + b"\0")
    index.ingest()
    assert [data for path, data in index.rows(thumbnails) if "gate" in path] == [data for _, data in backwards]


@on_sqlite
def test_values_outside_of_the_scale_are_not_clipped_unseen(maker: object, index: Index) -> None:
    """A frame of which more than a thousandth lies outside of the camera's scale is unreadable, with the share."""
    suffix, write = SHALLOW["hundredths of a Kelvin, PNG"]
    make_profile(index.database, "deep", base="balanced", changes={"levels": "29300,30900"}, clock=index.clock)
    index.compare(profile="deep")
    fill(index, suffix, write)
    reasons = [reason for (reason,) in index.rows("SELECT state_reason FROM images WHERE state = 'unreadable'")]
    assert reasons
    assert all("lie outside of the levels 29300,30900" in reason for reason in reasons)


@pytest.mark.parametrize("levels", ["5", "a,b", "7,7", "9,3", "-1,5", "0,65536", "1,2,3", ""])
def test_levels_that_make_no_sense_are_refused(index: Index, levels: str) -> None:
    """Black must be below white, both within 16 bits; one sentence says what was wrong."""
    with pytest.raises(ProfileError, match="levels"):
        make_profile(index.database, "deep", base="balanced", changes={"levels": levels}, clock=index.clock)


@on_sqlite
def test_full_levels_take_dark_frames_as_they_are(maker: object, index: Index) -> None:
    """With 0,65535 values are divided by 256 and nothing is refused: for a camera of full 16 bits at night."""
    make_profile(index.database, "full", base="balanced", changes={"levels": "0,65535"}, clock=index.clock)
    index.compare(profile="full")
    dark = whole(scene(0), span=900)
    index.put(name(0), by_opencv(".png", dark))
    assert index.ingest().outcomes == {"added": 1}
    (((data,),)) = index.rows("SELECT data FROM thumbnails")
    index.put(name(1, "yard"), by_opencv(".png", (dark >> 8).astype(np.uint8)))
    index.ingest()
    assert index.rows("SELECT DISTINCT data FROM thumbnails") == [(data,)]


@on_sqlite
def test_two_pictures_of_nothing_are_no_duplicates(maker: object, index: Index) -> None:
    """One grey level alone says nothing: such frames are counted and kept; only equal bytes stand for each other."""
    for minute, level in enumerate((0, 0, 90, 255)):
        index.put(name(minute), by_opencv(".png", np.full((192, 320), level, np.uint8)))
    index.put(name(4), by_opencv(".png", bytes8(scene(0))))
    assert index.ingest().flat == 4
    for _ in range(2):
        index.compare()
        decided = index.rows("SELECT verdict, reason FROM audit_decisions ORDER BY path")
        assert decided == [("keep", "new"), ("duplicate", "identical"), *[("keep", "new")] * 3]
    with index.database.read() as session:
        stored = profiles.get_active_profile(session)
        assert load_pair(session, stored, 3, 4)[1] == (
            "there is nothing to see on image 3, one grey level alone: only equal bytes make it like others"
        )
    index.put(name(5), by_opencv(".png", np.full((192, 320), 17, np.uint8)))
    index.ingest()
    index.compare()
    assert index.rows("SELECT COUNT(*) FROM audit_decisions WHERE verdict = 'duplicate'") == [(1,)]
    assert index.rows("SELECT COUNT(*) FROM scores") == [(0,)]


@on_sqlite
def test_a_judged_pair_of_nothing_goes_by_the_verdict(maker: object, index: Index) -> None:
    """A person's word outranks that there is nothing to see; under `original` pixels count as they did."""
    for minute, level in enumerate((0, 90)):
        index.put(name(minute), by_opencv(".png", np.full((192, 320), level, np.uint8)))
    index.ingest()
    index.compare()
    assert duplicates(index) == {}
    index.judge(name(0), name(1), "same")
    assert duplicates(index) == {1: 0}


@on_sqlite
def test_workers_together_decide_as_one(maker: object, index: Index) -> None:
    """Flat frames among others are decided the same, with the same evidence, whatever the number of workers."""
    for minute in range(40):
        content = np.full((192, 320), minute, np.uint8) if minute % 3 == 0 else bytes8(scene(minute % 5))
        index.put(name(minute), by_opencv(".png", content) + bytes([minute]))
    index.ingest()
    index.compare()
    alone = index.decisions()
    index.compare(profile="plain")
    with local_executor(2) as spread:
        index.compare(profile="balanced", spread=spread)
    assert index.decisions() == alone
    assert sum(keeper is None for _, keeper, _ in alone.values()) >= 14
