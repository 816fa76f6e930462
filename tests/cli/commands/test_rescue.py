"""rescue at the command line: nothing is written that was not shown and agreed to."""

import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

import pytest

from indexer.files.manifest import MANIFEST_NAME, Entry
from tests.support.command import Run, draw


@pytest.fixture
def quarantine(own_home: Path) -> Path:
    """A quarantine with a dozen images; the manifest says of two that they came from elsewhere."""
    run_folder = own_home / "site" / ".indexer-quarantine" / "run-1"
    for number in range(12):
        data = draw(run_folder / str(number) / f"{number}.png", cars=[number % 5]).read_bytes()
        folder = own_home / ("elsewhere" if number < 2 else "site/frames")
        entry = Entry(str(folder / f"{number}.png"), len(data), sha256(data).hexdigest(), "/k.png", "2026-01-01")
        with (run_folder / MANIFEST_NAME).open("a") as manifest:
            manifest.write("\n" + json.dumps({"place": f"{number}/{number}.png", **asdict(entry)}))
    return run_folder.parent


def count(folder: Path) -> int:
    return len(list(folder.glob("*.png")))


@pytest.mark.parametrize("json_too", [(), ("--json",)])
def test_nobody_to_ask(run: Run, quarantine: Path, own_home: Path, json_too: tuple[str, ...]) -> None:
    """Where nobody can answer, what would be written is shown and nothing is: exit code 2."""
    answer = run("rescue", quarantine, *json_too)
    assert (answer.code, "type --yes" in answer.sentence) == (2, True)
    shown = answer.out.splitlines()
    if not json_too:  # a program gets the document alone
        assert f"would be written below {own_home}/site:" in shown[0]
        assert sum(line.startswith(f"  {own_home}/site/frames/") for line in shown) == 10
    assert not (own_home / "site" / "frames").exists()
    assert count(quarantine / "run-1" / "5") == 1


def test_list_is_cut(run: Run, quarantine: Path, own_home: Path) -> None:
    """Of many files the first are shown by name, and a sentence shows how many more there are."""
    answer = run("rescue", quarantine, "--below", own_home)
    assert answer.out.splitlines()[0].startswith("12 files, ")
    assert answer.out.splitlines()[-1] == "  and 2 more files"


def test_a_missing_folder_is_named(run: Run, quarantine: Path, own_home: Path) -> None:
    """If the folder that the images were in is not there, the plan says so, and what to type if it was renamed: a
    command that needs no index."""
    lines = run("rescue", quarantine, "--below", own_home / "site").out.splitlines()
    folder = own_home / "site" / "frames"
    assert any(f"{folder} does not exist" in line for line in lines)
    assert any(f"rescue {quarantine} --into NEW" in line and str(own_home) in line for line in lines)
    assert not any("relocate" in line for line in lines)


def test_a_renamed_parent_is_named(run: Run, quarantine: Path, own_home: Path) -> None:
    """If the folder above the quarantine was renamed, each reason names the option that brings the files back."""
    site = quarantine.parent.rename(own_home / "renamed")
    moved = site / ".indexer-quarantine"
    answer = run("rescue", moved, "--yes", "--json")
    reasons = {reason for _, reason in answer.document["failures"]}
    assert (answer.code, len(reasons)) == (1, 1)
    assert f"{own_home}' was renamed or moved: manage.py rescue {moved} --into NEW" in reasons.pop()
    back = run("rescue", moved, "--yes", "--into", own_home)
    assert (back.code, "relocate" in back.out, count(own_home / "site" / "frames")) == (0, False, 10)


def test_yes(run: Run, quarantine: Path, own_home: Path) -> None:
    """`--yes` answers; what may not be written is reported with its reason, in words and in JSON: exit code 1."""
    answer = run("rescue", quarantine, "--yes", "--json")
    assert (answer.code, answer.document["restored"], len(answer.document["failures"])) == (1, 10, 2)
    assert count(own_home / "site" / "frames") == 10
    assert not (own_home / "elsewhere").exists()
    again = run("rescue", quarantine, "--yes", "--into", own_home / "new")
    assert (again.code, count(own_home / "new" / "elsewhere")) == (0, 2)  # where it lies among all that is named


def test_nothing_to_agree_to(run: Run, quarantine: Path, own_home: Path) -> None:
    """Where nothing may be written nobody is asked: the reasons are reported."""
    answer = run("rescue", quarantine, "--below", own_home / "third")
    assert (answer.code, answer.out.splitlines()[0]) == (1, "0 files brought back.")
    assert not (own_home / "third").exists()


def test_a_quarantine_is_no_target(run: Run, quarantine: Path) -> None:
    """Whether a folder is a quarantine, the disk says and not its name: exit code 1, and nothing is moved."""
    for option, folder in (("--into", quarantine), ("--below", quarantine / "run-1")):
        answer = run("rescue", quarantine, "--yes", option, folder)
        assert (answer.code, "lies in a quarantine; name a folder outside of it" in answer.sentence) == (1, True)
    assert count(quarantine / "run-1" / "5") == 1
