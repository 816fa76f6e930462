"""Cameras made up for measuring: any number of frames, made fast, with known truth.

A camera looks at a place where things are parked for a while (a *scene*) and others come and go in front of them.
What stands where is the frame's `ImageState`: frames of one state show the same, and two states differ by one thing
at least, whose area is above the usual limit (tests/benchmarks/test_cameras.py holds that against plain OpenCV).
Light, noise and a bird too small to count differ from frame to frame.

It promises that equal cameras give equal frames whatever is drawn in between, and that exactly `Camera.keepers` states
are shown. It does not know what a score is, nor where frames are kept (`tests.benchmarks.filling`). The pictures of
`indexer.imaging.synthetic.scenes` look better and take ten times as long.
"""

import math
from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]

FIRST_MS = 1_623_844_800_000
MINUTE_MS = 60_000

_COLUMNS, _ROWS = 8, 5
_LEFT, _TOP, _ACROSS, _DOWN = 0.08, 0.16, 0.105, 0.156  # the grid of stands inside the usual mask, in shares
_LOOKS = 6
_LIGHTS = 4
_SCENE_FRAMES = 500  # things stay parked at most so long
_ROOM = 48  # pixels by which the noise is larger than the frame
_NOISE_MEAN = 64.0


@dataclass(frozen=True)
class Camera:
    """A camera to be made up.

    Attributes
    ----------
    busy : float, 0 to 1
        Share of the frames in which something stands that is not parked.
    fresh : float, 0 to 1
        Share of the frames that show a state for the first time: of 100 000 frames with 0.2, 20 000 are keepers.
    """

    name: str = "c01"
    frames: int = 1000
    width: int = 1280
    height: int = 720
    busy: float = 0.5
    fresh: float = 0.1
    seed: int = 0

    @property
    def keepers(self) -> int:
        """The number of states that are shown."""
        return min(self.frames, max(1, round(self.frames * self.fresh)))

    def file_name(self, number: int) -> str:
        """The name of a frame's file: a frame a minute."""
        return f"{self.name}-{FIRST_MS + number * MINUTE_MS}.jpg"

    def small(self, width: int = 320) -> "Camera":
        """The same camera at another width."""
        return Camera(
            self.name, self.frames, width, round(self.height * width / self.width), self.busy, self.fresh, self.seed
        )


@dataclass(frozen=True)
class State:
    """What stands where: the number of the scene, and the stands that are taken, of things parked and visiting."""

    scene: int
    stands: frozenset[int]


Kinds = tuple[tuple[float, float], ...]
"""How busy cameras are, and which share of their frames is new."""

MIXED: Kinds = ((0.95, 0.9), (0.3, 0.05), (0.9, 0.5), (0.5, 0.15), (0.8, 0.7), (0.7, 0.3))
"""From quiet to busy: 43 % of the frames are kept."""
BUSY: Kinds = ((1.0, 0.95), (0.9, 0.65), (0.95, 0.8), (0.8, 0.5), (0.9, 0.7), (0.6, 0.3))
"""As busy as the sample frames: 65 % are kept."""


def many(
    count: int, *, frames: int, width: int = 1280, height: int = 720, seed: int = 0, kinds: Kinds = MIXED
) -> list[Camera]:
    """So many cameras of these kinds that take so many frames together."""
    return [
        Camera(
            f"c{number + 1:02}",
            frames // count + (number < frames % count),
            width,
            height,
            *kinds[number % len(kinds)],
            seed,
        )
        for number in range(count)
    ]


def states(camera: Camera) -> list[State]:
    """The state of every frame: the truth about which frames show the same."""
    if camera.busy < camera.fresh:
        raise ValueError(f"{camera.fresh:.0%} of the frames cannot be new where only {camera.busy:.0%} show anything")
    random = _random(camera, "states")
    keepers = camera.keepers
    scenes = max(1, min(keepers // 10, math.ceil(camera.frames / _SCENE_FRAMES)))
    begins = [camera.frames * scene // scenes for scene in range(scenes)]
    others = sorted(set(range(camera.frames)) - set(begins))
    visits = set(random.choice(others, keepers - scenes, replace=False).tolist()) if keepers > scenes else set()
    again = (camera.busy * camera.frames - len(visits)) / max(1, camera.frames - keepers)
    used: set[frozenset[int]] = set()
    shown: list[State] = []
    for scene, (begin, end) in enumerate(zip(begins, [*begins[1:], camera.frames], strict=True)):
        parked = _unused(random, used, frozenset(), most=3)
        seen: list[State] = []
        for number in range(begin, end):
            if number in visits:
                seen.append(State(scene, _unused(random, used, parked, most=2)))
                shown.append(seen[-1])
            elif seen and random.random() < again:  # what came last is still there, or an earlier one is back
                shown.append(seen[-1] if random.random() < 0.7 else seen[random.integers(len(seen))])
            else:
                shown.append(State(scene, parked))
    return shown


def _unused(
    random: np.random.Generator, used: set[frozenset[int]], parked: frozenset[int], *, most: int
) -> frozenset[int]:
    """Stands that were never taken together before: those parked and one to `most` more; more where these run out."""
    free = sorted(set(range(_COLUMNS * _ROWS)) - parked)
    for attempt in range(10_000):
        visiting = random.choice(free, random.integers(1, most + 1 + attempt // 20), replace=False)
        taken = parked | frozenset(visiting.tolist())
        if taken not in used:
            used.add(taken)
            return taken
    raise ValueError("the place has no more states to show; ask for fewer new ones")


def _random(camera: Camera, purpose: str) -> np.random.Generator:
    """Random numbers of one camera for one purpose; its size takes no part, so that it shows the same at any."""
    return np.random.default_rng([camera.seed, *purpose.encode(), *camera.name.encode()])


class Painter:
    """Draws the frames of one camera: the background and every thing once, then only copies, light and noise."""

    def __init__(self, camera: Camera, *, grey: bool = False) -> None:
        self.camera = camera
        self.states = states(camera)
        self._random = _random(camera, "place")
        place = _place(self._random, camera.height, camera.width)
        tilts = [_tilt(self._random, camera.height, camera.width) for _ in range(_LIGHTS)]
        lit = [np.clip(place * tilt[..., None], 0, 255).astype(np.uint8) for tilt in tilts]
        self._lit = [cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)[..., None] for image in lit] if grey else lit
        shape = (camera.height + _ROOM, camera.width + _ROOM)
        # A large picture's noise is averaged away when it is shrunk: a small one is drawn with what would be left.
        spread = 4.0 * max(1.0, camera.width / 640) ** 0.5 if not grey else 1.7
        noise = self._random.normal(_NOISE_MEAN, spread, shape).clip(0, 255).astype(np.uint8)
        self._noise = np.repeat(noise[..., None], self._lit[0].shape[2], axis=2)
        self._sprites: dict[tuple[int, int, int], tuple[int, int, Image]] = {}
        self._sizes = self._random.uniform(0.45, 0.85, (_COLUMNS * _ROWS, 2))

    @cached_property
    def _chances(self) -> NDArray[np.float64]:
        """Six numbers from 0 to 1 for every frame."""
        return _random(self.camera, "frames").random((self.camera.frames, 6))

    def frame(self, number: int) -> Image:
        """A frame, (H, W, 3) in blue-green-red, or (H, W) where the painter was made grey."""
        camera, state = self.camera, self.states[number]
        gain, down, right, bird, bird_x, bird_y = self._chances[number]
        light = (number // 97) % _LIGHTS
        image = self._lit[light].copy()
        for stand in state.stands:
            top, left, sprite = self._sprite(stand, (state.scene * 7 + stand * 3) % _LOOKS, light)
            image[top : top + sprite.shape[0], left : left + sprite.shape[1]] = sprite
        if bird < 0.3:
            top, left = int(bird_y * camera.height * 0.9), int(bird_x * camera.width * 0.9)
            image[top : top + max(1, camera.height // 150), left : left + max(1, camera.width // 160)] = 30
        brightness = 0.97 + 0.1 * math.sin(number / 229) + 0.04 * (gain - 0.5)
        top, left = int(down * _ROOM), int(right * _ROOM)
        noise = self._noise[top : top + camera.height, left : left + camera.width]
        taken = cv2.addWeighted(image, brightness, noise, 1.0, -_NOISE_MEAN)
        return np.asarray(taken, dtype=np.uint8)

    def _sprite(self, stand: int, look: int, light: int) -> tuple[int, int, Image]:
        """A thing on its stand with the background around it: top, left, pixels."""
        if (stand, look, light) not in self._sprites:
            height, width = self.camera.height, self.camera.width
            row, column = divmod(stand, _COLUMNS)
            top, left = int((_TOP + row * _DOWN) * height), int((_LEFT + column * _ACROSS) * width)
            box = self._lit[light][top : top + int(_DOWN * height), left : left + int(_ACROSS * width)].copy()
            self._sprites[stand, look, light] = (top, left, _thing(box, self._sizes[stand], look=look))
        return self._sprites[stand, look, light]


def _place(random: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """A background: broad patches, houses and lines, and texture; (H, W, 3), float32, 60 to 190."""
    image = cv2.resize(random.uniform(90, 150, (5, 7, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    for _ in range(14):
        points = random.uniform(-0.05, 1.05, (1, 2)) + random.uniform(-0.16, 0.16, (4, 2))
        hull = cv2.convexHull((points * (width, height)).astype(np.int32))
        cv2.fillConvexPoly(image, hull, random.uniform(70, 175, 3).tolist(), cv2.LINE_AA)
    for side, spread in ((24, 6.0), (120, 4.0)):  # the same texture at every size
        grain = random.normal(0, spread, (side, side * 4 // 3))
        image = image + cv2.resize(grain, (width, height), interpolation=cv2.INTER_LINEAR)[..., None]
    return np.clip(image, 60, 190).astype(np.float32)


def _tilt(random: np.random.Generator, height: int, width: int) -> NDArray[np.float32]:
    """How light falls on the place, as a smooth factor around 1: (H, W), float32."""
    return np.asarray(
        cv2.resize(random.uniform(0.93, 1.07, (2, 3)), (width, height), interpolation=cv2.INTER_LINEAR), np.float32
    )


def _thing(box: Image, size: NDArray[np.float64], *, look: int) -> Image:
    """A thing painted into its box: dark or bright, with a roof of the other kind on some."""
    height, width = box.shape[:2]
    down, across = int(height * size[0]), int(width * size[1])
    top, left = (height - down) // 2, (width - across) // 2
    body, roof = ((18, 24, 30), (60, 60, 60)) if look % 2 else ((238, 236, 230), (200, 196, 190))
    cv2.rectangle(box, (left, top), (left + across - 1, top + down - 1), body, -1)
    if look >= 2:
        inset = (across // (look + 2), down // (look + 2))
        corner = (left + across - 1 - inset[0], top + down - 1 - inset[1])
        cv2.rectangle(box, (left + inset[0], top + inset[1]), corner, roof, -1)
    return box
