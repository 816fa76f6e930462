"""Fifty kills within a few thousand files."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.kill_runs import Work, fight, of_compare, of_ingest
from tests.support.video_kill_runs import fight_for_videos, record


@pytest.mark.drill
@pytest.mark.parametrize(("make", "cameras", "share", "least"), [(of_ingest, 4, 0.4, 25), (of_compare, 20, 0.8, 10)])
def test_fifty_kills(
    tmp_path: Path,
    make: Callable[..., Work],
    cameras: int,
    share: float,
    least: int,
    record_property: Callable[[str, object], None],
) -> None:
    """Fifty kills within a few thousand files, some of them after a part was stored, leave the same index as none."""
    work = make(tmp_path, frames=3000, size=(480, 640), cameras=cameras)
    bout = fight(tmp_path, work, kills=50, share=share, seed=50)
    record_property("bout", bout)
    print(bout)  # noqa: T201 - the figures of the drill, shown with -rP
    assert (bout.kills, bout.with_progress > least) == (50, True)


@pytest.mark.drill
def test_fifty_kills_of_videos(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """Fifty kills within thirty videos leave the same frames, rows and spans as none."""
    record(tmp_path / "videos", cameras=3, videos=10, seconds=40)
    bout = fight_for_videos(tmp_path, kills=50, seed=50)
    record_property("bout", bout)
    print(bout)  # noqa: T201 - the figures of the drill, shown with -rP
    assert (bout.kills, bout.with_progress > 15) == (50, True)
