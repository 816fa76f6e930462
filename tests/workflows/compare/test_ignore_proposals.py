"""Where one small area keeps nearly all images of a camera apart, compare says so, and what ignoring it would keep."""

import shlex
from collections.abc import Callable

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.cli.render.proposals import render_proposals
from indexer.errors import ProfileError
from indexer.workflows.admin.profile import use_profile
from indexer.workflows.compare.ignore_proposals import IgnoreProposal
from tests.cli.render.test_reports import said
from tests.support.index import Index, name

Frame = NDArray[np.uint8]
HEIGHT, WIDTH = 360, 640


def place(minute: int) -> Frame:
    """A scene with blocks of grey, and the noise of a sensor: (HEIGHT, WIDTH), uint8."""
    blocks = np.random.default_rng(3).integers(60, 190, (9, 16), np.uint8)
    scene = cv2.resize(blocks, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC).astype(np.float64)
    scene += np.random.default_rng(minute).normal(0, 1.5, scene.shape)
    return np.clip(scene, 0, 255).astype(np.uint8)


def clock(minute: int) -> Frame:
    """A large clock at the bottom."""
    frame = place(minute)
    text = f"{minute // 60 + 7:02}:{minute * 7 % 60:02}:{minute * 13 % 60:02}"
    cv2.putText(frame, text, (330, 345), cv2.FONT_HERSHEY_SIMPLEX, 2.0, (250,), 6)
    return frame


def info_bar(minute: int) -> Frame:
    """The bar of a trail camera: temperature at its left end, time at its right."""
    frame = place(minute)
    cv2.rectangle(frame, (0, 320), (WIDTH, HEIGHT), (0,), -1)
    cv2.putText(frame, f"{minute * 3 % 40}C", (60, 352), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (250,), 4)
    cv2.putText(
        frame, f"{minute * 7 % 60:02}:{minute * 11 % 60:02}", (420, 352), cv2.FONT_HERSHEY_SIMPLEX, 1.2, (250,), 4
    )
    return frame


def thread(minute: int) -> Frame:
    """A spider's thread that swings before the lens, near the right border."""
    frame = place(minute)
    bend = 570 - minute * 5 % 28
    cv2.polylines(frame, [np.array([(590, 40), (bend, 180), (585, 350)], dtype=np.int32)], False, (255,), 7)
    return frame


def gate(minute: int) -> Frame:
    """Vehicles, each of another size and grey, at one small gate."""
    frame = place(minute)
    size, grey = 50 + minute * 17 % 40, (20, 250, 130, 220)[minute % 4]
    cv2.rectangle(frame, (300, 200), (300 + size, 200 + size // 2), (grey,), -1)
    return frame


def road(minute: int) -> Frame:
    """Vehicles that cross the whole frame."""
    frame = place(minute)
    cv2.rectangle(
        frame,
        (40 + minute * 43 % 500, 90 + minute * 37 % 200),
        (120 + minute * 43 % 500, 150 + minute * 37 % 200),
        (250,),
        -1,
    )
    return frame


def clock_and_road(minute: int) -> Frame:
    """A clock, and something else in every frame."""
    return np.maximum(clock(minute), road(minute))


def still(minute: int) -> Frame:
    """Nothing but noise."""
    return place(minute)


def filled(
    index: Index, scene: Callable[[int], Frame], *, frames: int = 12, camera: str = "gate"
) -> list[IgnoreProposal]:
    """What compare proposes for a camera that took such frames."""
    for minute in range(frames):
        index.put(name(minute, camera), cv2.imencode(".png", scene(minute))[1].tobytes())
    index.ingest()
    return index.compare().proposals


def covers(rectangle: tuple[float, float, float, float], *, x: float, y: float) -> bool:
    """Whether a point, in per cent, lies within."""
    left, top, wide, high = rectangle
    return left <= x <= left + wide and top <= y <= top + high


def test_an_area_is_proposed_beside_colour(index: Index) -> None:
    """Under a profile of three planes the area is that of the frame, and compare keeps what was told."""
    filled(index, clock)
    (proposal,) = index.compare(profile="colour").proposals
    assert any(covers(rectangle, x=75, y=93) for rectangle in proposal.rectangles)
    rectangles = [",".join(map(str, rectangle)) for rectangle in proposal.rectangles]
    index.make_profile(proposal.name, base="colour", ignore=rectangles)
    assert index.compare(profile=proposal.name).counts["kept"] == proposal.kept_with < proposal.kept


@pytest.mark.parametrize(
    ("scene", "inside"),
    [(clock, (75, 93)), (info_bar, (80, 94)), (thread, (90, 50)), (gate, (50, 58))],
    ids=["clock", "info bar", "thread", "gate"],
)
def test_a_small_area_is_proposed(index: Index, scene: Callable[[int], Frame], inside: tuple[float, float]) -> None:
    """What is proposed is small, lies where the change is, and keeps what compare keeps when it is followed."""
    (proposal,) = filled(index, scene)
    assert (proposal.camera, proposal.profile, proposal.images) == ("gate", "balanced", 12)
    assert any(covers(rectangle, x=inside[0], y=inside[1]) for rectangle in proposal.rectangles)
    assert 0 < proposal.share <= 0.15
    assert proposal.decided >= 0.8 * proposal.pairs
    assert proposal.kept >= 5
    assert proposal.kept == sum(verdict == "keep" for verdict, _, _ in index.decisions().values())
    rectangles = [",".join(map(str, rectangle)) for rectangle in proposal.rectangles]
    index.make_profile(proposal.name, base=proposal.profile, ignore=rectangles)
    use_profile(index.database, proposal.name, camera="gate", active=False, clock=index.clock)
    after = index.compare()
    assert (after.counts["kept"], after.proposals) == (proposal.kept_with, [])
    assert proposal.kept_with <= proposal.kept / 2


@pytest.mark.parametrize(
    "scene", [road, clock_and_road, still], ids=["cars all over the frame", "a clock and cars", "nothing new"]
)
def test_what_lies_elsewhere_is_no_small_area(index: Index, scene: Callable[[int], Frame]) -> None:
    """Where images differ all over the frame, or not at all, nothing is proposed."""
    assert filled(index, scene) == []


def test_few_kept_images_are_not_worth_a_proposal(index: Index) -> None:
    """Four kept images are too few to say what keeps them apart, and so are a few of many."""
    assert filled(index, clock, frames=4) == []
    assert filled(index, lambda minute: clock(minute) if minute < 6 else place(minute), frames=40, camera="yard") == []


def test_a_proposal_changes_nothing(index: Index) -> None:
    """Looking writes no row, makes no profile, and is done only for what was decided just now."""
    filled(index, clock)
    before = index.dump(without=("runs",))
    assert index.compare().proposals == []
    assert index.dump(without=("runs",)) == before


def test_an_area_that_is_ignored_already_stays_ignored(index: Index) -> None:
    """The commands name the rectangles of the profile in force as well, which a new profile does not take over."""
    index.make_profile("mine", ignore=["0,0,20,20"])
    for minute in range(12):
        index.put(name(minute), cv2.imencode(".png", clock(minute))[1].tobytes())
    index.ingest()
    (proposal,) = index.compare(profile="mine").proposals
    assert (proposal.profile, proposal.ignored_already) == ("mine", ((0.0, 0.0, 20.0, 20.0),))
    words = said(render_proposals, [proposal])
    assert words.count("--ignore") == 2
    assert "--ignore 0,0,20,20 --ignore" in words


def test_names_are_free_and_commands_are_quoted(index: Index) -> None:
    """A camera of any name gets a profile's name that can be made, and commands that a shell takes."""
    index.make_profile("front-door-ignoring", max_score=5.0)
    for minute in range(12):
        index.put(name(minute), cv2.imencode(".png", clock(minute))[1].tobytes())
    index.ingest(camera="front door; rm")
    (proposal,) = index.compare().proposals
    with pytest.raises(ProfileError):
        index.make_profile("front door; rm")
    index.make_profile(proposal.name, max_score=7.0)
    assert proposal.name == "front-door-rm-ignoring"
    lines = [line.strip() for line in said(render_proposals, [proposal]).splitlines()]
    use = next(line for line in lines if line.startswith("manage.py profile use"))
    assert shlex.split(use) == ["manage.py", "profile", "use", proposal.name, "--camera", "front door; rm"]


def test_verdicts_and_pins_count_in_what_would_be_kept(index: Index) -> None:
    """What would be kept is reported with a person's pins and verdicts."""
    for minute in range(12):
        index.put(name(minute), cv2.imencode(".png", clock(minute))[1].tobytes())
    index.ingest()
    index.pin(name(3), name(5))
    index.judge(name(8), name(9), "different")
    (proposal,) = index.compare().proposals
    index.make_profile(proposal.name, ignore=[",".join(map(str, one)) for one in proposal.rectangles])
    assert index.compare(profile=proposal.name).counts["kept"] == proposal.kept_with
    assert proposal.kept_with >= 2


def test_a_spoiled_thumbnail_is_no_end_of_a_comparison(index: Index) -> None:
    """Where pictures cannot be read nothing is proposed; what was decided stays decided."""
    filled(index, clock)
    index.execute("UPDATE thumbnails SET data = substr(data, 1, 100) WHERE image_id = 1")
    index.put(name(99), cv2.imencode(".png", clock(99))[1].tobytes())
    index.ingest()
    report = index.compare()
    assert report.counts["decided"] == 1
