"""The plan of a removal: who goes, who is left out and why, and that somebody always stays."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.domain.removal import CameraPlan, ExclusionReason, IndexedFile, Plan, RemovalCandidate, plan_removal


def file_of(image_id: int, *, size_bytes: int = 100) -> IndexedFile:
    return IndexedFile(image_id, f"/data/lot/{image_id}.png", "/data/lot", size_bytes, f"{image_id:02}")


def flagged(victim_id: int, keeper_id: int = 0, **more: Any) -> RemovalCandidate:
    """A duplicate that may go, but for what is said of it."""
    size_bytes = more.pop("size_bytes", 100)
    sound: dict[str, Any] = {
        "camera": "lot",
        "score": 10.0,
        "max_score": 1000.0,
        "profile": "balanced",
        "captured_at": None,
        "keeper_present": True,
        "keeper_kept": True,
        "profile_in_force": True,
        "pinned": False,
        "judged": False,
    }
    victim = file_of(victim_id, size_bytes=size_bytes)
    return RemovalCandidate(decision_id=victim_id, victim=victim, keeper=file_of(keeper_id), **(sound | more))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, None),
        ({"score": None}, None),
        ({"keeper_present": False}, ExclusionReason.KEEPER_GONE),
        ({"keeper_kept": False}, ExclusionReason.KEEPER_UNDECIDED),
        ({"profile_in_force": False}, ExclusionReason.OTHER_PROFILE),
        ({"pinned": True}, ExclusionReason.PINNED),
        ({"judged": True}, ExclusionReason.VERDICT),
        ({"in_system_folder": True}, ExclusionReason.IN_SYSTEM_FOLDER),
        ({"in_system_folder": True, "keeper_apart": True}, ExclusionReason.KEEPER_APART),
        ({"keeper_present": False, "keeper_kept": False, "pinned": True, "judged": True}, ExclusionReason.KEEPER_GONE),
    ],
    ids=[
        "sound",
        "by-verdict",
        "keeper-gone",
        "keeper-undecided",
        "other-profile",
        "pinned",
        "judged",
        "in-bin",
        "keeper-in-bin",
        "all-at-once",
    ],
)
def test_doubtful_duplicate_is_left_out(change: dict[str, Any], why: ExclusionReason | None) -> None:
    """Anything that speaks against a decision keeps its file out of the plan, counted under one reason."""
    item = flagged(1, **change)
    expected = Plan((item,), (CameraPlan("lot", 4, 1, 100),), {}) if why is None else Plan((), (), {why: 1})
    assert item.exclusion_reason is why
    assert plan_removal([item], image_counts={"lot": 4}) == expected


def test_plan_adds_up_per_camera() -> None:
    """Victims keep their order; cameras come by name, each with its present images, victims, bytes and share."""
    items = [
        flagged(1, camera="yard", size_bytes=5),
        flagged(2, camera="gate", size_bytes=7),
        flagged(3, camera="yard", pinned=True),
        flagged(4, camera="yard", size_bytes=6),
        flagged(5, camera="roof", pinned=True),
        flagged(6, camera="roof", keeper_kept=False),
    ]
    plan = plan_removal(iter(items), image_counts={"yard": 8, "gate": 2, "roof": 3, "dark": 0})
    assert plan == Plan(
        (items[0], items[1], items[3]),
        (CameraPlan("gate", 2, 1, 7), CameraPlan("yard", 8, 2, 11)),
        {ExclusionReason.PINNED: 2, ExclusionReason.KEEPER_UNDECIDED: 1},
    )
    assert plan.size_bytes == 18
    assert [camera.share for camera in plan.cameras] == [0.5, 0.25]


def test_nothing_flagged_is_an_empty_plan() -> None:
    """Without duplicates there is nothing to take away, nothing left out, and no camera in the plan."""
    assert plan_removal([], image_counts={"lot": 3}) == Plan((), (), {})
    assert CameraPlan("lot", 0, 0, 0).share == 0.0


@given(
    st.lists(st.tuples(st.sampled_from(["keep", "flag", "none", "gone"]), st.integers(0, 9)), min_size=1, max_size=10)
)
def test_last_image_is_never_planned(camera: list[tuple[str, int]]) -> None:
    """Whatever the decisions of a camera are, every planned file has a present keeper that is not itself planned."""
    states = [state for state, _ in camera]
    present = sum(state != "gone" for state in states)
    items = [
        flagged(victim, keeper, keeper_present=states[keeper] != "gone", keeper_kept=states[keeper] == "keep")
        for victim, (state, number) in enumerate(camera)
        if state == "flag" and (keeper := number % len(camera)) != victim
    ]
    plan = plan_removal(items, image_counts={"lot": present})
    going = {item.victim.image_id for item in plan.victims}
    assert [item for item in plan.victims if states[item.keeper.image_id] != "keep"] == []
    assert len(going) < max(present, 1)
    assert len(plan.victims) + sum(plan.left_out.values()) == len(items)
