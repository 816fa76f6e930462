"""The cameras that benchmarks make up show what they say: the truth holds against plain OpenCV."""

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.benchmarks import plain
from tests.benchmarks.cameras import Camera, Painter, many, states
from tests.benchmarks.filling import fill_index, write_frames

BUSY = Camera("lot", 240, busy=0.8, fresh=0.4)


def prepared(camera: Camera) -> list[plain.Image]:
    """The prepared frames of a camera, drawn small as for an index."""
    painter = Painter(camera.small(), grey=True)
    return [plain.prepare_small(painter.frame(number)) for number in range(camera.frames)]


def jpeg(painter: Painter, number: int) -> plain.Image:
    """A frame, once through JPEG at full size and prepared."""
    data = cv2.imencode(".jpg", painter.frame(number), (cv2.IMWRITE_JPEG_QUALITY, 90))[1].tobytes()
    return plain.prepare(data, width=painter.camera.width)


def test_equal_cameras_give_equal_frames() -> None:
    """A frame is the same whatever was drawn before it, and another seed, name or number gives another."""
    first, second = Painter(BUSY), Painter(BUSY)
    assert np.array_equal([first.frame(number) for number in (3, 7)][1], second.frame(7))
    others = [Painter(Camera("lot", 240, seed=1)), Painter(Camera("gate", 240))]
    assert not any(np.array_equal(other.frame(7), second.frame(7)) for other in others)
    assert not np.array_equal(second.frame(8), second.frame(7))


@pytest.mark.parametrize("name", ["lot", "gate", "c01", "c02", "c03"])
def test_truth_is_what_plain_scoring_finds(name: str) -> None:
    """Frames of one state score below the limit, and frames of two states at it or above."""
    camera = Camera(name, 120, busy=0.8, fresh=0.4)
    images, truth = prepared(camera), states(camera)
    wrong = [
        (a, b)
        for a, b in itertools.combinations(range(camera.frames), 2)
        if (plain.evidence(images[a], images[b])[0] < plain.MAX_SCORE) != (truth[a] == truth[b])
    ]
    assert wrong == []


@pytest.mark.parametrize(("width", "height"), [(640, 360), (1280, 720)])
def test_truth_survives_files(width: int, height: int) -> None:
    """The same of frames that were saved as JPEG at full size."""
    painter = Painter(Camera("gate", 40, width, height, busy=0.9, fresh=0.4))
    images = [jpeg(painter, number) for number in range(40)]
    found = {
        (a, b): plain.evidence(images[a], images[b])[0] < plain.MAX_SCORE
        for a, b in itertools.combinations(range(40), 2)
    }
    assert found == {(a, b): painter.states[a] == painter.states[b] for a, b in found}


@pytest.mark.parametrize(("frames", "busy", "fresh"), [(1, 0.0, 0.0), (500, 0.3, 0.1), (3000, 0.9, 0.6)])
def test_share_of_new_states_is_as_asked(frames: int, busy: float, fresh: float) -> None:
    """Exactly so many states are shown, and about so many frames show something that is not parked."""
    camera = Camera("lot", frames, busy=busy, fresh=fresh)
    shown = states(camera)
    assert (len(shown), len(set(shown))) == (frames, camera.keepers)
    parked = {state.scene: state for state in reversed(shown)}  # a scene begins with what is parked alone
    assert sum(parked[state.scene] != state for state in shown) / frames == pytest.approx(busy, abs=0.07)


def test_two_states_never_have_the_same_stands() -> None:
    """Of twenty thousand states no two differ by light or scene alone."""
    shown = set(states(Camera("large", 100_000, busy=0.5, fresh=0.2)))
    assert (len(shown), len({state.stands for state in shown})) == (20_000, 20_000)


def test_more_new_than_busy_is_refused() -> None:
    """What cannot be made is said, not made otherwise."""
    with pytest.raises(ValueError, match="60% of the frames cannot be new where only 50% show anything"):
        states(Camera("lot", 100, busy=0.5, fresh=0.6))


def test_many_cameras_have_names_of_their_own() -> None:
    """No two cameras of a set have one name, and the frames are shared out."""
    cameras = many(30, frames=4000)
    assert (len({camera.name for camera in cameras}), {camera.frames for camera in cameras}) == (30, {133, 134})
    assert sum(camera.frames for camera in cameras) == 4000


def test_filled_index_is_decided_as_the_truth_says(tmp_path: Path) -> None:
    """An index filled straight keeps as many images as there are states, in every camera, and can be filled again."""
    cameras = [Camera("gate", 60, busy=0.8, fresh=0.3), Camera("lot", 40, busy=0.5, fresh=0.2)]
    assert fill_index(tmp_path / "index.db", cameras) == 100
    kept = [decision[0] for decision in plain.search(tmp_path / "index.db").decisions.values()].count("keep")
    assert kept == sum(camera.keepers for camera in cameras)
    assert fill_index(tmp_path / "index.db", [Camera("gate", 65, busy=0.8, fresh=0.3)], first=60) == 5


def test_files_are_named_like_the_frames(tmp_path: Path) -> None:
    """Every frame is a JPEG with its camera and time in its name, in one folder or a folder each."""
    camera = Camera("gate", 3, 320, 180, busy=0.5, fresh=0.3)
    (written, *_) = paths = write_frames(tmp_path, [camera], apart=True)
    assert written == tmp_path / "gate" / "gate-1623844800000.jpg"
    assert [cv2.imread(str(path)).shape for path in paths] == [(180, 320, 3)] * 3


def test_scores_reach_all_ranges() -> None:
    """Pairs of two states are met both within the record limit and far beyond it."""
    images, truth = prepared(BUSY), states(BUSY)
    found = [
        plain.evidence(images[a], images[b])[0]
        for a, b in itertools.combinations(range(100), 2)
        if truth[a] != truth[b]
    ]
    assert min(found) < plain.RECORD_LIMIT < 4 * plain.RECORD_LIMIT < max(found)
