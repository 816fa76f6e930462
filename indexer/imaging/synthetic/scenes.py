"""Synthetic frames of fixed cameras with known truth: three locations, objects that come and go, and the light.

For the demo and the tests. It promises that the same arguments give the same picture. Two frames with the same objects
at the same positions under similar light have a score below the usual limit of 1000; a new car or walker gives a score
above it (tests/imaging/synthetic/test_scenes.py). The module reads no file, and all its random numbers come from its
seeds. It does not know file names, cameras, times or limits. What happens in front of the camera is in
`indexer.imaging.synthetic.scenario`.
"""

import functools
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
from numpy.typing import ArrayLike, NDArray

Colour = tuple[int, int, int]
"""(blue, green, red), 0 to 255, as OpenCV orders them."""

_WIDTH, _HEIGHT = 640, 480  # all coordinates are pixels of this frame, whatever the size drawn
_HORIZON_PX = 120
_FOCAL_PX, _DROP_PX = 620, 3120  # of one metre, one metre away: its width, and how far the ground is below the horizon


@dataclass(frozen=True)
class Thing:
    """A car or a walker in front of the camera.

    Attributes
    ----------
    kind : 'car' (seen from behind), 'passing' (a car seen from its side) or 'walker'
    x, y, size : float
        Centre, and the width of a car or the height of a walker, in pixels of a 640 x 480 frame.
    colour : (blue, green, red)
        Of the paint or the jacket.
    """

    kind: Literal["car", "passing", "walker"]
    x: float
    y: float
    size: float
    colour: Colour = (235, 238, 240)


@dataclass(frozen=True)
class Light:
    """How the scene is lit, and the noise of the sensor.

    Attributes
    ----------
    brightness : float
        Factor on all grey levels; 1 is the normal brightness of the tint.
    tint : 'day', 'dusk' or 'infrared'
        Infrared is a grey picture of low contrast, lit from the camera and dark at its edges.
    sun : (x, y) or None
        Centre of a patch of sunlight between clouds, in pixels of a 640 x 480 frame.
    noise : float
        Standard deviation of the sensor noise, in grey levels.
    """

    brightness: float = 1.0
    tint: Literal["day", "dusk", "infrared"] = "day"
    sun: tuple[float, float] | None = None
    noise: float = 2.5


@dataclass(frozen=True)
class Scene:
    """The location that a camera sees, and the size of its frames in pixels.

    `seed` determines the trees, the textures and the cars that never leave.
    """

    location: Literal["lot", "gate", "road"] = "lot"
    seed: int = 0
    width: int = _WIDTH
    height: int = _HEIGHT


DAYLIGHT = Light()


def draw(
    scene: Scene, *, things: tuple[Thing, ...] = (), light: Light = DAYLIGHT, blur_px: float = 0.0, seed: int = 0
) -> NDArray[np.uint8]:
    """The picture that a camera takes of the scene.

    Parameters
    ----------
    scene, light
    things : tuple of Thing
        The objects in the scene, in addition to those of the location. An object lower in the picture is nearer.
    blur_px : float, at least 0
        Standard deviation of the blur of a lens out of focus, in pixels of a 640 x 480 frame.
    seed : int, at least 0
        Seed of the sensor noise. Use another seed for each picture, as no two pictures of a camera are equal.

    Returns
    -------
    (scene.height, scene.width, 3), uint8, blue-green-red
    """
    image = _background(scene.location, scene.seed).copy()
    for thing in sorted(things, key=lambda thing: thing.y):
        _draw_thing(image, thing, has_shadow=light.tint != "infrared")
    if blur_px:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), blur_px), dtype=np.uint8)
    lit = _lit(image, light)
    if (scene.height, scene.width) != (_HEIGHT, _WIDTH):  # OpenCV wants (width, height)
        lit = np.asarray(cv2.resize(lit, (scene.width, scene.height), interpolation=cv2.INTER_AREA), np.float32)
    noise = np.random.default_rng(seed).standard_normal(lit.shape[:2], dtype=np.float32)
    lit += (light.noise * noise)[..., None]
    return np.clip(lit, 0, 255).astype(np.uint8)


def encode(image: NDArray[np.uint8], *, format: Literal["jpg", "png"] = "jpg", quality: int = 90) -> bytes:
    """The bytes of an image file.

    Parameters
    ----------
    image : (H, W) or (H, W, 3), uint8
    quality : int, 0 to 100
        Of a JPEG; a PNG loses nothing.
    """
    options = [cv2.IMWRITE_JPEG_QUALITY, quality] if format == "jpg" else [cv2.IMWRITE_PNG_COMPRESSION, 1]
    return cv2.imencode(f".{format}", image, options)[1].tobytes()


def truncated(data: bytes, *, share: float) -> bytes:
    """The first part of a file, as a cut transfer leaves it; `share` from 0 to 1."""
    return data[: int(len(data) * share)]


def _lit(image: NDArray[np.uint8], light: Light) -> NDArray[np.float32]:
    """The scene under its light: (480, 640, 3), float32, before noise and clipping."""
    if light.tint == "infrared":
        # Leaves and cloth are bright in the near infrared: green has a large weight, blue and red a negative one.
        grey = image.astype(np.float32) @ np.array([-0.1, 1.3, -0.2], np.float32)
        return (40.0 + 0.4 * grey)[..., None] * _colour_cast("infrared") * light.brightness
    lit = image * (_colour_cast(light.tint) * np.float32(light.brightness))
    return lit if light.sun is None else lit * (1 + 0.5 * _glow(*light.sun, sigma_px=95.0))


def _glow(x: float, y: float, *, sigma_px: float) -> NDArray[np.float32]:
    """A round patch that falls smoothly from 1 at its centre to 0: (480, 640, 1), float32."""
    across = np.exp(-(((np.arange(_WIDTH) - x) / sigma_px) ** 2) / 2)
    down = np.exp(-(((np.arange(_HEIGHT) - y) / sigma_px) ** 2) / 2)
    return np.outer(down, across).astype(np.float32)[..., None]


@functools.cache
def _colour_cast(tint: str) -> NDArray[np.float32]:
    """Factor per pixel and colour; its shape broadcasts to (480, 640, 3). Infrared is a lamp near the ground."""
    if tint == "infrared":
        return (0.3 + 0.7 * _glow(320, 300, sigma_px=220.0)) * np.ones(3, np.float32)
    if tint == "day":
        return np.ones(3, np.float32)
    warm = np.exp(-(((np.arange(_HEIGHT) - _HORIZON_PX) / 70.0) ** 2))[:, None, None]
    return ((1 - warm) * (0.74, 0.58, 0.55) + warm * (0.55, 0.60, 0.80)).astype(np.float32)


_Shape = tuple[tuple[Colour | str, ArrayLike], ...]
"""Parts from back to front: a colour (fixed, or a shade of the object's) and an outline in fractions of its box."""


def _disc(x: float, y: float, across: float, down: float) -> NDArray[np.float64]:
    """Outline of an ellipse with these semi-axes: (24, 2)."""
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    return np.stack([x + across * np.cos(angle), y + down * np.sin(angle)], axis=1)


def _box(left: float, top: float, right: float, bottom: float) -> NDArray[np.float64]:
    """Outline of a rectangle: (4, 2)."""
    return np.array([(left, top), (right, top), (right, bottom), (left, bottom)])


_BLACK, _GLASS, _GREY, _RED, _WHITE = (30, 30, 32), (84, 70, 58), (150, 150, 150), (50, 50, 205), (214, 218, 220)
_SHAPES: dict[str, _Shape] = {
    "car": (
        *((_BLACK, _box(x, 0.75, x + 0.17, 1.0)) for x in (0.08, 0.75)),
        ("pale", [(0.2, 0.06), (0.27, 0.0), (0.73, 0.0), (0.8, 0.06), (0.93, 0.46), (0.07, 0.46)]),
        (_GLASS, [(0.25, 0.12), (0.75, 0.12), (0.84, 0.41), (0.16, 0.41)]),
        ("paint", [(0.05, 0.45), (0.95, 0.45), (1, 0.55), (1, 0.8), (0.96, 0.87), (0.04, 0.87), (0, 0.8), (0, 0.55)]),
        ("dark", [(0.01, 0.72), (0.99, 0.72), (0.96, 0.89), (0.04, 0.89)]),
        *((_RED, _box(x, 0.52, x + 0.17, 0.63)) for x in (0.03, 0.8)),
        (_GREY, _box(0.38, 0.62, 0.62, 0.71)),
    ),
    "passing": (
        ("pale", [(0.18, 0.48), (0.31, 0.05), (0.36, 0.0), (0.66, 0.0), (0.71, 0.05), (0.85, 0.48)]),
        (_GLASS, [(0.24, 0.46), (0.34, 0.1), (0.5, 0.1), (0.5, 0.46)]),
        (_GLASS, [(0.53, 0.46), (0.53, 0.1), (0.66, 0.1), (0.78, 0.46)]),
        ("paint", [(0.01, 0.5), (0.16, 0.44), (0.85, 0.44), (0.97, 0.53), (1, 0.6), (0.99, 0.8), (0.01, 0.8)]),
        ("dark", _box(0.01, 0.72, 0.99, 0.83)),
        (_RED, _box(0.0, 0.54, 0.03, 0.64)),
        *((_BLACK, _disc(x, 0.82, 0.085, 0.18)) for x in (0.21, 0.79)),
        *((_GREY, _disc(x, 0.82, 0.042, 0.09)) for x in (0.21, 0.79)),
    ),
    "walker": (
        ((66, 52, 46), [(0.3, 0.52), (0.6, 0.52), (0.42, 1.0), (0.16, 1.0)]),
        ((84, 66, 58), [(0.42, 0.52), (0.74, 0.52), (0.94, 1.0), (0.68, 1.0)]),
        ("dark", [(0.28, 0.19), (0.4, 0.24), (0.22, 0.54), (0.06, 0.5)]),
        ("paint", [(0.27, 0.19), (0.36, 0.16), (0.66, 0.16), (0.76, 0.19), (0.76, 0.56), (0.26, 0.56)]),
        ("dark", [(0.64, 0.2), (0.78, 0.19), (0.98, 0.48), (0.84, 0.53)]),
        ((140, 172, 214), _disc(0.51, 0.085, 0.17, 0.08)),
        ((40, 50, 66), [(0.33, 0.08), (0.38, 0.02), (0.52, 0.0), (0.65, 0.02), (0.7, 0.08), (0.5, 0.055)]),
    ),
}
_BOX = {"car": (1.0, 0.82), "passing": (1.0, 0.36), "walker": (0.36, 1.0)}  # width and height, as fractions of the size
_SHADES = {"paint": 1.0, "dark": 0.7, "pale": 1.12}  # factor on the object's colour


def _fill(image: NDArray[np.uint8], outline: ArrayLike, colour: Colour) -> None:
    """Paints a polygon, given in pixels of a 640 x 480 frame, with smooth edges."""
    points = np.rint(np.asarray(outline, np.float64) * (image.shape[1] / _WIDTH) * 16).astype(np.int32)
    cv2.fillPoly(image, [points], colour, cv2.LINE_AA, shift=4)


def _shade(colour: Colour, *, factor: float) -> Colour:
    """The colour, darker or paler by a factor."""
    blue, green, red = (min(255, round(level * factor)) for level in colour)
    return blue, green, red


def _draw_thing(image: NDArray[np.uint8], thing: Thing, *, has_shadow: bool = True) -> None:
    """Paints one object, and the shadow to its right."""
    box = np.array(_BOX[thing.kind]) * thing.size
    corner = (thing.x, thing.y) - box / 2
    if has_shadow:
        shaded, right, low = image.copy(), thing.x + box[0] * 0.12, thing.y + box[1] * 0.47
        _fill(shaded, _disc(right, low, box[0] * 0.58, thing.size * 0.09), (0, 0, 0))
        cv2.addWeighted(image, 0.55, shaded, 0.45, 0, dst=image)
    for paint, outline in _SHAPES[thing.kind]:
        colour = _shade(thing.colour, factor=_SHADES[paint]) if isinstance(paint, str) else paint
        _fill(image, corner + np.asarray(outline) * box, colour)


def _ground(points_m: ArrayLike) -> NDArray[np.float64]:
    """Pixel coordinates of points on the ground, given in metres to the right and ahead of the camera: (N, 2)."""
    right, ahead = np.asarray(points_m, np.float64).T
    return np.stack([_WIDTH / 2 + _FOCAL_PX * right / ahead, _HORIZON_PX + _DROP_PX / ahead], axis=1)


_LEAF, _GRASS, _PATH, _ASPHALT = (70, 112, 74), (84, 138, 112), (142, 166, 178), (112, 110, 108)
_DOOR, _WALLS, _HOUSES = (70, 84, 110), ((164, 196, 212), (150, 160, 206), (196, 190, 176)), (40, 236, 440)
_LOCATIONS: dict[str, tuple[tuple[Colour, ArrayLike], ...]] = {
    "lot": (
        ((150, 178, 200), _box(60, 72, 350, 222)),
        ((84, 92, 120), _box(52, 62, 358, 78)),
        *((_GLASS, _box(x, y, x + 28, y + 30)) for x in range(80, 330, 52) for y in (94, 146)),
        (_DOOR, _box(190, 178, 222, 222)),
        (_LEAF, _box(360, 188, 640, 222)),
        (_PATH, _box(0, 222, 640, 232)),
        (_ASPHALT, _box(0, 232, 640, 480)),
        *((_WHITE, _ground(_box(x * 2.6 - 0.07, 17.5, x * 2.6 + 0.07, 23.0))) for x in range(-4, 5)),
        *((_WHITE, _ground(_box(x * 2.6 - 0.07, 8.4, x * 2.6 + 0.07, 12.4))) for x in range(-2, 3)),
    ),
    "gate": (
        (_PATH, [(264, 170), (376, 170), (560, 480), (80, 480)]),
        (_LEAF, _box(0, 168, 250, 210)),
        *((_GREY, _box(x, 164, x + 5, 252)) for x in range(4, 232, 19)),
        *((_GREY, _box(0, y, 236, y + 6)) for y in (176, 236)),
        *((_BLACK, _box(x, 160, x + 4, 258)) for x in range(262, 380, 13)),
        *((_BLACK, _box(256, y, 384, y + 6)) for y in (166, 206, 246)),
        *(((120, 140, 176), _box(x, 142, x + 24, 264)) for x in (234, 382)),
        *(((170, 180, 190), _box(x, 136, x + 32, 146)) for x in (230, 378)),
        ((140, 176, 196), _box(448, 124, 588, 286)),
        ((70, 80, 140), [(434, 126), (470, 88), (566, 88), (602, 126)]),
        (_GLASS, _box(466, 154, 518, 204)),
        (_DOOR, _box(536, 170, 572, 286)),
    ),
    "road": (
        *((wall, _box(x, 118, x + 150, 226)) for x, wall in zip(_HOUSES, _WALLS, strict=True)),
        *(((72, 76, 124), [(x - 12, 120), (x + 30, 66), (x + 120, 66), (x + 162, 120)]) for x in _HOUSES),
        *((_GLASS, _box(x + shift, 146, x + shift + 30, 180)) for x in _HOUSES for shift in (16, 104)),
        *((_DOOR, _box(x + 62, 164, x + 88, 226)) for x in _HOUSES),
        (_LEAF, _box(0, 222, 640, 246)),
        (_PATH, _box(0, 252, 640, 270)),
        (_ASPHALT, _box(0, 270, 640, 396)),
        *((_WHITE, _box(x, 330, x + 44, 335)) for x in range(-20, 640, 88)),
        (_PATH, _box(0, 396, 640, 440)),
    ),
}
_PAINTS: tuple[Colour, ...] = ((168, 160, 150), (120, 84, 60), (92, 112, 70), (90, 126, 168), (70, 64, 62))
_PARKED_CARS = {"lot": ((178.0, 262.0, 62.0), (506.0, 262.0, 62.0), (498.0, 408.0, 118.0)), "gate": (), "road": ()}


@functools.cache
def _background(location: str, seed: int) -> NDArray[np.uint8]:
    """The location without visiting objects: (480, 640, 3), uint8. The array is shared: callers must copy it."""
    random = np.random.default_rng(seed)
    sky = np.linspace((236, 190, 140), (236, 236, 236), 2 * _HEIGHT)[:, None]
    image = np.repeat(sky, 2 * _WIDTH, axis=1).astype(np.uint8)  # twice the size, for smooth edges
    for x in range(-10, 660, 9):  # the trees
        leaf, size = random.uniform(0.7, 1.2), random.uniform(14, 34)
        _fill(image, _disc(x, random.uniform(120, 170), size, size), _shade(_LEAF, factor=leaf))
    for colour, outline in ((_GRASS, _box(0, 170, 640, 480)), *_LOCATIONS[location]):
        _fill(image, outline, colour)
    for position, colour in zip(_PARKED_CARS[location], random.permutation(_PAINTS).tolist(), strict=False):
        _draw_thing(image, Thing("car", *position, colour))
    image = np.asarray(cv2.resize(image, (_WIDTH, _HEIGHT), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    grain = random.normal(0, 3, (_HEIGHT, _WIDTH)) + cv2.resize(random.normal(0, 4, (24, 32)), (_WIDTH, _HEIGHT))
    grain[:_HORIZON_PX] = 0  # the sky is smooth
    return np.clip(image + grain[..., None], 0, 255).astype(np.uint8)
