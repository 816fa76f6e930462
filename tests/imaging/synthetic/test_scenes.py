"""Synthetic scenes: what is drawn is what the project's score sees."""

import io
from dataclasses import replace
from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from indexer.domain.masks import Mask
from indexer.imaging.preprocessing import preprocess, resize_area
from indexer.imaging.scoring import area_unit, changed_area
from indexer.imaging.sharpness import sharpness
from indexer.imaging.synthetic.scenes import Light, Scene, Thing, draw, encode, truncated

MAX_SCORE = 1000
PLACES = ("lot", "gate", "road")
LIGHTS = (Light(), Light(tint="dusk"), Light(tint="infrared"))
CAR = Thing("car", 314, 300, 90)
WALKER = Thing("walker", 300, 330, 104, (150, 146, 140))

Profile = Literal["balanced", "plain"]


def grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A picture at the working size of 320, in grey."""
    levels = np.asarray(Image.fromarray(image[..., ::-1]).convert("L"))
    return resize_area(levels, size=(240, 320))


def score(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8], *, profile: Profile = "balanced") -> float:
    """What `compare` would say of two pictures under a built-in profile."""
    contrast = profile == "balanced"
    thumbnails = [preprocess(grey(image), contrast=contrast, mask=Mask((5, 10, 5, 0))) for image in (image_a, image_b)]
    threshold, unit = (30 if contrast else 45), area_unit(240, 320)
    return changed_area(*thumbnails, threshold=threshold, dilations=2, min_contour_area=1000, unit=unit).score


@pytest.mark.parametrize(("width", "height"), [(640, 480), (1280, 720), (320, 240)])
def test_picture_has_the_size_asked_for(width: int, height: int) -> None:
    """A picture is blue-green-red, 8 bit, of the scene's size."""
    image = draw(Scene("gate", width=width, height=height), things=(WALKER,))
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8


def test_same_seeds_give_the_same_picture() -> None:
    """Drawing twice gives the same picture, and drawing a thing leaves the place as it was."""
    before = draw(Scene("lot", seed=3), seed=7)
    draw(Scene("lot", seed=3), things=(CAR,), seed=7)
    assert np.array_equal(draw(Scene("lot", seed=3), seed=7), before)


@pytest.mark.parametrize("other", [{"scene": Scene("lot", seed=4)}, {"seed": 8}, {"light": Light(brightness=0.9)}])
def test_other_seeds_and_lights_give_another_picture(other: dict[str, object]) -> None:
    """The place's seed, the noise's seed and the light each make a difference."""
    asked: dict[str, object] = {"scene": Scene("lot", seed=3), "seed": 7} | other
    scene = asked.pop("scene")
    assert not np.array_equal(draw(scene, **asked), draw(Scene("lot", seed=3), seed=7))  # type: ignore[arg-type]


def test_infrared_is_a_grey_picture_of_low_contrast() -> None:
    """By infrared all three colours are equal, and the picture spreads over fewer levels than by day."""
    day, night = draw(Scene("gate")), draw(Scene("gate"), light=Light(tint="infrared"))
    assert np.array_equal(night, np.repeat(night[..., :1], 3, axis=2))
    assert night.std() < day.std() / 2


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("light", LIGHTS, ids=lambda light: light.tint)
def test_same_things_under_like_light_show_nothing_new(place: str, light: Light) -> None:
    """Sensor noise and a quarter more or less light change nothing under `balanced`."""
    scene = Scene(place, seed=1)  # type: ignore[arg-type]
    images = [
        draw(scene, things=(WALKER,), light=replace(light, brightness=brightness), seed=seed)
        for seed, brightness in enumerate((0.9, 1.12))
    ]
    assert score(*images) < MAX_SCORE


@pytest.mark.parametrize("thing", [CAR, WALKER, replace(CAR, kind="passing")], ids=lambda thing: thing.kind)
@pytest.mark.parametrize("light", LIGHTS, ids=lambda light: light.tint)
@pytest.mark.parametrize("place", PLACES)
def test_a_new_thing_goes_beyond_the_limit(place: str, light: Light, thing: Thing) -> None:
    """A car or a walker that came is new at every place under every light."""
    scene = Scene(place, seed=1)  # type: ignore[arg-type]
    assert score(draw(scene, light=light, seed=1), draw(scene, things=(thing,), light=light, seed=2)) >= MAX_SCORE


def test_plain_is_blind_to_a_walker_by_infrared() -> None:
    """Nothing of the walker differs by 45 levels, so `plain` scores 0 where `balanced` sees somebody."""
    night = Light(tint="infrared")
    empty, walked = draw(Scene("gate"), light=night, seed=1), draw(Scene("gate"), things=(WALKER,), light=night, seed=2)
    assert score(empty, walked, profile="plain") == 0
    assert score(empty, walked) >= MAX_SCORE


def test_wandering_sun_is_new_to_plain_alone() -> None:
    """A soft patch of sun that moves on counts as change under `plain` and not under `balanced`."""
    here, there = (draw(Scene("road"), light=Light(sun=(x, 330)), seed=int(x)) for x in (200.0, 450.0))
    assert score(here, there, profile="plain") >= MAX_SCORE
    assert score(here, there) < MAX_SCORE


@pytest.mark.parametrize("kind", ["car", "passing", "walker"])
def test_larger_thing_that_moves_scores_more(kind: Literal["car", "passing", "walker"]) -> None:
    """The same step of 200 pixels scores more the larger the thing that takes it."""
    scores = [
        score(*(draw(Scene("road"), things=(Thing(kind, x, 330, size),), seed=int(x)) for x in (220, 420)))
        for size in (60, 90, 120, 150)
    ]
    assert scores == sorted(set(scores))


def test_soft_picture_looks_alike_and_is_less_sharp() -> None:
    """A lens out of focus adds nothing new and costs at least one step of sharpness."""
    clear, soft = draw(Scene("lot"), seed=1), draw(Scene("lot"), blur_px=1.6, seed=2)
    assert score(clear, soft) < MAX_SCORE
    assert sharpness(grey(soft)) < sharpness(grey(clear)) / 2


def test_png_loses_nothing() -> None:
    """A PNG opens elsewhere as the very picture that was encoded."""
    image = draw(Scene("road"))
    opened = Image.open(io.BytesIO(encode(image, format="png")))
    assert opened.format == "PNG"
    assert np.array_equal(np.asarray(opened)[..., ::-1], image)


def test_jpeg_of_lower_quality_is_smaller() -> None:
    """A JPEG is one, and its size follows the quality."""
    image = draw(Scene("road"))
    fine, coarse = encode(image, format="jpg"), encode(image, format="jpg", quality=40)
    assert Image.open(io.BytesIO(fine)).format == "JPEG"
    assert len(coarse) < len(fine)


def test_truncated_keeps_the_first_part() -> None:
    """A cut file is the beginning of the whole one."""
    assert truncated(b"0123456789", share=0.35) == b"012"
