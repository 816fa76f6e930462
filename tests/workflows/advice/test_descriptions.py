"""Findings in words: a command is only proposed if it changes something."""

from datetime import UTC, datetime

import pytest

from indexer.domain.advice.findings import CameraFinding, Kind
from indexer.workflows.advice.descriptions import describe_finding

GLARE = {"hours_utc": "16", "days": 4, "bright_share": 0.9, "images": 64, "kept": 18, "base": "balanced", "name": "new"}


@pytest.mark.parametrize(("kept_with", "is_proposed"), [(18, False), (12, True)])
def test_ignoring_glare(kept_with: int, is_proposed: bool) -> None:
    """Ignoring a part of the view is proposed if another number of images would be kept, and not if it is the same."""
    finding = CameraFinding(
        Kind.GLARE,
        datetime(2026, 5, 1, tzinfo=UTC),
        None,
        1.0,
        evidence={**GLARE, "kept_with": kept_with},
        regions=((66.7, 0.0, 33.3, 25.0),),
    )
    commands = describe_finding(finding, "gate").commands
    assert [command.split()[1] for command in commands] == (["profile", "profile", "compare"] if is_proposed else [])


def test_names_with_summer_time() -> None:
    """Names in a time zone with summer time are no clock to set: their zone is to be named."""
    evidence = {"hours": 1, "images": 40, "all": 1, "summer_time": 1}
    finding = CameraFinding(Kind.CLOCK, datetime(2026, 5, 1, tzinfo=UTC), None, 1.0, evidence=evidence)
    assert "--timezone" in describe_finding(finding, "gate").advice


@pytest.mark.parametrize(("brightness", "is_black"), [(2.0, True), (60.0, False)])
def test_black_view(brightness: float, is_black: bool) -> None:
    """A view that is black at hours at which it usually is not may be covered, or the lamp failed."""
    evidence = {"main_share": 1.0, "frames": 22, "brightness": brightness}
    finding = CameraFinding(Kind.BLOCKED, datetime(2026, 5, 1, tzinfo=UTC), None, 1.0, evidence=evidence)
    assert ("lamp" in describe_finding(finding, "gate").advice) == is_black
