"""The brake: a plan that is more likely a mistake than a finding takes nothing of its camera until a person insists."""

from pathlib import Path

import pytest

from indexer.domain.removal import MIN_GUARDED_IMAGES
from indexer.store.database import Database
from tests.support.command import Run
from tests.support.index import CAR, Index, Mark, name, picture

BAYS: list[Mark] = [(left, 20, 14, 90) for left in (10, 30, 50, 70)]


@pytest.fixture
def site(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Index:
    """An index that commands find, with an empty folder."""
    monkeypatch.setenv("INDEXER_DB", str(database.path))
    (tmp_path / "site" / "frames").mkdir(parents=True)
    return Index(database, tmp_path / "site" / "frames")


def shoot(site: Index, camera: str, *, alike: int, others: tuple[Mark, ...] = (), since: int = 0) -> None:
    """Frames of an empty place, one after the other, then one for each of these cars; decided."""
    for minute in range(since, since + alike):
        site.put(name(minute, camera), picture(stamp=minute % 150, height=64 + 2 * (minute >= 150)))
    for minute, car in enumerate(others):
        site.put(name(10_000 + minute, camera), picture(car))
    site.ingest()
    site.compare()


def present(site: Index) -> dict[str, int]:
    """The number of files of each camera in the folder."""
    cameras = [file.name.split("-")[0] for file in site.folder.iterdir()]
    return {camera: cameras.count(camera) for camera in sorted(set(cameras))}


def test_camera_that_would_all_go_is_held_back_whole(site: Index, run: Run) -> None:
    """Above 99 % not one file of the camera goes, the others' go, and the exit code is 1 with the flag to type."""
    shoot(site, "stuck", alike=101)
    shoot(site, "yard", alike=30, others=(CAR,))
    answer = run("prune", "--yes")
    assert (answer.code, present(site)) == (1, {"stuck": 101, "yard": 2})
    assert "camera 'stuck' is held back: 99.01% of its images would go, more than 99.00%" in answer.out
    assert "manage.py prune --max-share 1" in answer.out
    again = run("prune", "--yes", "--json")
    assert (again.code, present(site)["stuck"]) == (1, 101)
    assert list(again.document["held_back"]) == ["stuck"]


def test_a_person_may_insist(site: Index, run: Run) -> None:
    """`--max-share 1` lets the camera through, all but its keeper, which nothing can take."""
    shoot(site, "stuck", alike=101)
    for _ in range(2):
        assert (run("prune", "--yes", "--max-share", 1).code, present(site)) == (0, {"stuck": 1})


def test_the_share_itself_passes(site: Index, run: Run) -> None:
    """Exactly 99 % is no reason to stop; one frame more is."""
    shoot(site, "gate", alike=100)
    assert (run("prune", "--yes").code, present(site)) == (0, {"gate": 1})


def test_a_person_may_be_stricter(site: Index, run: Run) -> None:
    """A smaller `--max-share` holds back what the default lets go, in the plan that is shown as well."""
    shoot(site, "gate", alike=30, others=(CAR,))
    shown = run("prune", "--dry-run", "--max-share", 0.5)
    assert "camera 'gate' is held back: 93.55% of its images would go, more than 50.00%" in shown.out
    quiet = run("prune", "--dry-run", "--max-share", 0.5, "--quiet")
    assert (shown.code, quiet.code, quiet.out, "camera 'gate' is held back" in quiet.err) == (1, 1, "", True)
    assert (run("prune", "--yes", "--max-share", 0.5).code, present(site)) == (1, {"gate": 31})


@pytest.mark.parametrize(("alike", "left", "code"), [(MIN_GUARDED_IMAGES - 1, 1, 0), (MIN_GUARDED_IMAGES, 20, 1)])
def test_small_cameras_are_exempt(site: Index, run: Run, alike: int, left: int, code: int) -> None:
    """Of fewer than 20 images a share says nothing."""
    shoot(site, "gate", alike=alike)
    answer = run("prune", "--yes", "--max-share", 0.9)
    assert (answer.code, present(site)) == (code, {"gate": left})


def test_a_camera_is_measured_by_its_own_history(site: Index, run: Run) -> None:
    """A camera that kept a fifth before is held back when it would keep less than a fiftieth, below 99 % as that is."""
    shoot(site, "gate", alike=21, others=tuple(BAYS))
    assert (run("prune", "--yes").code, present(site)) == (0, {"gate": 5})
    for old in site.folder.iterdir():  # a season later: other frames, and a place where nothing happens
        old.unlink()
    shoot(site, "gate", alike=60, since=30)
    held = run("prune", "--yes")
    assert (held.code, present(site)) == (1, {"gate": 60})
    assert "98.33% of its images would go, and never more than 80.00% did before" in held.out
    assert (run("prune", "--yes", "--max-share", 0.99).code, present(site)) == (0, {"gate": 1})


def test_a_camera_that_was_always_dull_goes_on(site: Index, run: Run) -> None:
    """Where earlier prunes took nearly everything, the next may too."""
    shoot(site, "gate", alike=21)
    assert (run("prune", "--yes").code, present(site)) == (0, {"gate": 1})
    shoot(site, "gate", alike=30, since=60)
    assert (run("prune", "--yes").code, present(site)) == (0, {"gate": 1})


def test_every_camera_has_a_history_of_its_own(site: Index, run: Run) -> None:
    """What an earlier prune took of one camera says nothing of another."""
    shoot(site, "lively", alike=21, others=tuple(BAYS))
    assert run("prune", "--yes").code == 0
    shoot(site, "dull", alike=60)
    assert (run("prune", "--yes").code, present(site)) == (0, {"dull": 1, "lively": 5})
