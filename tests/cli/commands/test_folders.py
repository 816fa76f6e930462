"""relocate, forget, pin list and what is held back, at the command line: nothing changes that was not agreed to."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.command import Run

FRAME = "gate_2026_03_01__12_0{}_00.png"


@pytest.mark.parametrize("command", [("relocate", "lot", "parking"), ("forget", "lot")])
def test_nobody_to_ask(run: Run, decided: Path, command: tuple[str, ...]) -> None:
    """Where nobody can answer, the plan is shown and nothing changes: exit code 2. A dry run is code 0."""
    if command[0] == "relocate":
        decided.rename(decided.with_name("parking"))
    before = run("status", "--json").document
    answer = run(*command)
    assert (answer.code, "type --yes" in answer.sentence, "6 images" in answer.out) == (2, True, True)
    assert run(*command, "--dry-run").code == 0
    assert run("status", "--json").document == before


def test_pictures_go_only_with_a_yes(run: Run, decided: Path) -> None:
    """`db shrink` says what it would delete, and deletes nothing where nobody can answer; it asks only if something
    would go. Of an image without a thumbnail `explain --picture` says what gives it one."""
    run("prune", "--yes")
    now = datetime.now(UTC).isoformat()
    answer = run("db", "shrink", "--removed-before", now)
    assert (answer.code, "type --yes" in answer.sentence, "3 thumbnails" in answer.out) == (2, True, True)
    planned = run("db", "shrink", "--removed-before", now, "--dry-run", "--json").document
    assert (planned["thumbnails"], planned["in_quarantine"]) == (3, 3)
    assert run("db", "shrink", "--removed-before", now, "--yes", "--json").document["thumbnails"] == 3
    assert run("db", "shrink", "--removed-before", now).code == 0
    removed = FRAME.format(5)
    told = run("explain", removed, "--picture", decided.parent / "pair.png").out
    assert "has no thumbnail any more; restore it, and run compare" in " ".join(told.split())


def test_relocated_and_forgotten(run: Run, decided: Path) -> None:
    """After a folder was renamed, the index knows its images by their new paths; forgotten, it knows none."""
    parking = decided.with_name("parking")
    decided.rename(parking)
    assert run("relocate", "lot", "parking", "--yes").code == 0
    assert run("explain", parking / FRAME.format(0), "--json").code == 0
    assert run("explain", decided / FRAME.format(0)).code == 1
    assert run("forget", "parking", "--yes").code == 0
    assert run("status", "--json").document["cameras"] == []
    assert len(list(parking.glob("*.png"))) == 6


def test_a_relocation_counts_removed_images_as_such(run: Run, decided: Path) -> None:
    """The plan counts the images that are there; where more have a new path, as some were removed, this is said."""
    removed = run("prune", "--yes", "--json").document["removed"]
    decided.rename(decided.with_name("parking"))
    shown = run("relocate", "lot", "parking", "--yes").out.splitlines()
    assert shown[1] == f"  {6 - removed} images, {6 - removed} of them there"
    assert shown[-1].startswith(f"6 images (also removed and missing ones) and {removed} rows of the journal")


def test_an_undone_run_is_held_back(run: Run, decided: Path) -> None:
    """`restore --run` pins nothing; prune takes what came back only with --include-restored."""
    pruned = run("prune", "--yes", "--json").document
    run_id = pruned["run_id"]
    answer = run("restore", "--run", run_id, "--json").document
    assert (answer["restored"], answer["pinned"], answer["held_back"]) == (pruned["removed"], False, True)
    assert run("pin", "list", "--json").document == {"pins": []}
    assert run("status", "--json").document["held_back_files"] == pruned["removed"]
    assert run("prune", "--yes", "--json").document["removed"] == 0
    assert len(list(decided.glob("*.png"))) == 6
    again = run("prune", "--yes", "--include-restored", "--json").document
    assert again["removed"] == pruned["removed"]


def test_a_path_is_pinned_and_a_file_named_list_can_be(run: Run, decided: Path) -> None:
    """`restore PATH` pins; `pin list` shows the pins; `./list` is a file of that name."""
    run("prune", "--yes")
    assert run("restore", decided / FRAME.format(5), "--json").document["pinned"] is True
    assert [pin["reason"] for pin in run("pin", "list", "--json").document["pins"]] == ["restore", "restore"]
    assert "list" in run("pin", "./list").sentence
    assert run("unpin", "--all").code == 0
    assert run("pin", "list", "--json").document == {"pins": []}


def test_ingest_of_a_renamed_folder_proposes_to_relocate_it(decided: Path, run: Run) -> None:
    """If a camera is held back, as its images seem to come from two folders, the one that is gone is named first."""
    decided.rename(decided.with_name("renamed"))
    out = run("ingest", decided.with_name("renamed"), "--processes", 1).out
    assert -1 < out.find(f"manage.py relocate {decided} NEW") < out.find("camera confirm")
