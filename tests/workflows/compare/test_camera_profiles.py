"""Profiles of single cameras: from `profile use` to `prune`, what is ignored, and what ingest prepares."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from indexer.domain.removal import ExclusionReason
from indexer.errors import CameraError, ProfileError, UsageError
from indexer.workflows.admin.profile import ProfileUse, list_profiles, show_profile, use_profile
from indexer.workflows.admin.status import status
from tests.support.index import BIRD, CAR, Index, name, picture, prepared

ROUND_THE_CAR = "35,35,30,45"
"""The square of CAR on a 96 x 64 frame, with room for the blur."""


def use(index: Index, profile: str | None, camera: str = "gate") -> ProfileUse:
    """Gives a camera a profile of its own, or back."""
    return use_profile(index.database, profile, camera=camera, active=profile is None, clock=index.clock)


@prepared
def two(index: Index) -> None:
    """Two cameras that were decided, each with an empty place, a bird and a car; and a profile that ignores the car."""
    for camera in ("gate", "yard"):
        for minute, marks in enumerate([(), (BIRD,), (CAR,)]):
            index.put(name(minute, camera), picture(*marks, stamp=len(camera) + (camera == "yard")))
    index.ingest()
    index.compare()
    index.make_profile("blind", base="plain", ignore=[ROUND_THE_CAR])


def test_only_that_camera_is_decided_again(two: Index) -> None:
    """A camera with its own profile is decided again by it at the next compare, the other not at all."""
    assert use(two, "blind") == ProfileUse("gate", "blind", True, "balanced", True)
    gate, yard = two.compare().cameras
    assert (gate.profile, gate.decided, gate.kept) == ("blind", 3, 1)
    assert (yard.profile, yard.decided, yard.kept) == ("balanced", 0, 2)
    assert two.compare().counts["decided"] == 0


def test_back_to_the_active_profile(two: Index) -> None:
    """Given back, a camera has the decisions that it had, and follows the active profile again."""
    before = two.decisions()
    use(two, "blind")
    two.compare()
    assert two.decisions() != before
    assert use(two, None) == ProfileUse("gate", "balanced", False, "blind", True)
    two.compare()
    assert two.decisions() == before
    assert [camera.profile for camera in two.compare(profile="plain").cameras] == ["plain", "plain"]


def test_prune_waits_for_compare(two: Index) -> None:
    """What was decided under the earlier profile is left out of the plan until compare has decided under the new."""
    use(two, "blind")
    plan = two.plan()
    assert ([item.camera for item in plan.victims], plan.left_out) == (["yard"], {ExclusionReason.OTHER_PROFILE: 1})
    two.compare()
    assert (sorted(item.camera for item in two.plan().victims), two.plan().left_out) == (["gate", "gate", "yard"], {})
    assert two.prune().removed == 3
    assert two.rows("SELECT camera, profile FROM audit_removals ORDER BY camera, path") == [
        ("gate", "blind"),
        ("gate", "blind"),
        ("yard", "balanced"),
    ]


def test_who_uses_what_is_shown(two: Index) -> None:
    """The list of profiles and the status name the cameras that have their own."""
    assert status(two.database).own_profiles == {}
    use(two, "blind")
    assert status(two.database).own_profiles == {"gate": "blind"}
    assert {one.profile.name: one.cameras for one in list_profiles(two.database) if one.cameras} == {"blind": ("gate",)}


def test_it_is_a_run(two: Index) -> None:
    """Each use is remembered with its words; one that changes nothing says so."""
    assert [use(two, "blind").changed, use(two, "blind").changed, use(two, None).changed] == [True, False, True]
    found = two.rows("SELECT arguments, outcome, counts FROM runs WHERE command = 'profile use' ORDER BY id")
    assert found[:2] == [
        ('{"active": false, "camera": "gate", "name": "blind"}', "done", '{"changed": 1}'),
        ('{"active": false, "camera": "gate", "name": "blind"}', "done", '{"changed": 0}'),
    ]


def test_what_cannot_be_meant_is_refused(two: Index) -> None:
    """An unknown camera or profile is refused with those there are, and both or neither of name and --active."""
    before = two.dump()
    with pytest.raises(CameraError, match="no camera 'nope'; there are: 'gate', 'yard'"):
        use(two, "blind", "nope")
    with pytest.raises(ProfileError, match="there are balanced, plain, original, colour, learned, blind"):
        use(two, "nope")
    for profile, active in ((None, False), ("blind", True)):
        with pytest.raises(UsageError, match=r"or --active: manage.py profile use NAME"):
            use_profile(two.database, profile, camera="gate", active=active, clock=two.clock)
    assert two.dump() == before


def preparations(index: Index, camera: str) -> list[tuple[str, int]]:
    """The digests of the preparations of a camera's thumbnails, with how many there are."""
    return index.rows(
        "SELECT p.digest, count(*) FROM thumbnails t JOIN preparations p ON p.id = t.preparation_id "
        "JOIN images i ON i.id = t.image_id JOIN cameras c ON c.id = i.camera_id WHERE c.name = ? GROUP BY 1",
        camera,
    )


def test_ingest_prepares_for_the_camera_s_own_profile(two: Index, opened_images) -> None:  # type: ignore[no-untyped-def]
    """New files are prepared as the profile in force for their camera says, once; compare opens none of them."""
    use(two, "blind")
    two.compare()
    before = {camera: dict(preparations(two, camera)) for camera in ("gate", "yard")}
    for camera in before:
        two.put(name(9, camera), picture(CAR, BIRD, stamp=20 + len(camera) + (camera == "yard")))
    two.ingest()
    with opened_images() as opened:
        two.compare()
    blind, usual = (show_profile(two.database, one).profile.preparation.digest for one in ("blind", "balanced"))
    after = {camera: dict(preparations(two, camera)) for camera in before}
    assert opened == []
    assert after == {
        "gate": before["gate"] | {blind: before["gate"][blind] + 1},
        "yard": {usual: before["yard"][usual] + 1},
    }


@pytest.mark.parametrize(("ignore", "kept"), [(None, 2), ([ROUND_THE_CAR], 1)])
def test_a_native_profile_ignores_too(two: Index, ignore: list[str] | None, kept: int) -> None:
    """A profile on whole images sees the car, unless a rectangle says to ignore it."""
    two.make_profile("native", base="original", min_contour_area=10.0, max_score=50.0, ignore=ignore)
    use(two, "native")
    [gate] = two.compare(camera="gate").cameras
    assert (gate.profile, gate.kept) == ("native", kept)


def drawn(path: Path, ignored: np.ndarray) -> str:
    """A drawing in a file."""
    cv2.imwrite(str(path), np.where(ignored, 0, 255).astype(np.uint8))
    return str(path)


def test_a_drawing_is_kept_in_the_profile(two: Index, tmp_path: Path) -> None:
    """A profile with a drawing needs its file no more, and decides as one with the same rectangle."""
    black = np.zeros((100, 100), bool)
    black[35:80, 35:65] = True
    path = drawn(tmp_path / "tree.png", black)
    two.make_profile("tree", base="plain", ignore_picture=path)
    Path(path).unlink()
    use(two, "tree")
    assert [(camera.profile, camera.kept) for camera in two.compare().cameras] == [("tree", 1), ("balanced", 2)]
    found = show_profile(two.database, "tree").profile.preparation.ignore_picture
    assert found is not None
    assert (found.width, found.height, found.ignored_share) == (100, 100, 0.135)


def test_a_senseless_drawing_is_refused(two: Index, tmp_path: Path) -> None:
    """A drawing that ignores nothing, all, or all together with the rest is refused, and nothing is written."""
    nothing, half = np.zeros((8, 8), bool), np.arange(64).reshape(8, 8) % 8 < 4
    before = two.dump()
    for ignored, more, said in (
        (nothing, {}, "the picture ignores none of its 8 x 8 pixels"),
        (~nothing, {}, "the picture ignores all of its 8 x 8 pixels"),
        (half, {"ignore": ["50,0,50,100"]}, "the whole frame would be ignored"),
    ):
        with pytest.raises(ProfileError, match=said):
            two.make_profile("mine", ignore_picture=drawn(tmp_path / "drawing.png", ignored), **more)
    assert two.dump() == before


def test_a_spoiled_drawing_is_blamed_on_no_image(two: Index, tmp_path: Path) -> None:
    """Where the index has lost a drawing, both ingest and compare say so and no image is marked."""
    black = np.arange(64).reshape(8, 8) < 20
    two.make_profile("tree", ignore_picture=drawn(tmp_path / "tree.png", black))
    use(two, "tree")
    two.execute("UPDATE preparations SET parameters = replace(parameters, 'iVBORw0K', 'iVBORwAA')")
    two.put(name(9), picture(BIRD, stamp=50))
    for verb in (two.ingest, two.compare):
        with pytest.raises(ProfileError, match="spoiled in the index"):
            verb()
    assert {state for _, state, _ in two.states()} == {"ready"}
