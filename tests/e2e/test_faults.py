"""The fault harness: prune, restore and purge are refused at every point where they touch disk or journal, and killed
in every state between.

The trials are run by `removal_driver.py`; here they are judged, and written as a table.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import removal_driver
from tests.support.removal_driver import ERRORS, FAULTS, SCENARIOS, kills, points
from tests.support.removal_scene import FRAMES, MIDDLE

ROOT = Path(__file__).resolve().parents[2]
LAST = {"prune": "quarantined", "prune --permanent": "deleted", "restore": "restored", "purge": "purged"}
"""What the journal says of every file when a command has done its work, by the first words of the scenario."""

ELSEWHERE = "as on another disk"
CHANGES_NOTHING = {
    *("open_lock", "take_lock", "release", "open_to_read", "read_bytes", "read_hash", "sync_file", "sync_folder"),
    *removal_driver.journal_writers(),
}
"""Points after which a killed process leaves what it left before: what is written to the journal is not committed."""

Trial = dict[str, Any]
Stage = dict[str, Any]


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """A folder in memory where there is one: the harness waits for thousands of syncs otherwise."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    made = Path(tempfile.mkdtemp(prefix="indexer-faults-", dir=memory))
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="module")
def trials(folder: Path) -> list[Trial]:
    """Every scenario with every fault at every point that it meets."""
    surroundings = os.environ | {"PYTHONPATH": str(ROOT)}
    line = [sys.executable, removal_driver.__file__, str(folder)]
    done = subprocess.run(line, env=surroundings, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stderr[-3000:]
    trials: list[Trial] = json.loads((folder / "trials.json").read_text())
    return trials


@pytest.fixture(params=SCENARIOS)
def scenario(request: pytest.FixtureRequest, trials: list[Trial]) -> list[Trial]:
    """The trials of one scenario."""
    return [trial for trial in trials if trial["scenario"] == request.param]


def named(trial: Trial) -> str:
    """A trial in words."""
    return f"{trial['scenario']}: {trial['fault']} at {trial['point']} ({trial['number']}), {trial['ended']}"


def last(trial: Trial) -> str:
    """What the journal says of every file when the command of this trial has done its work."""
    return LAST[trial["scenario"].split(",")[0]]


def is_accounted(stage: Stage, label: str) -> bool:
    """Whether a frame lies in exactly the one place that the journal and the index say."""
    state, pending = stage["journal"][label]
    places, where = stage["places"][label], stage["journal_place"][label]
    expected = {"quarantined": [where], "deleted": [], "purged": [], "restored": ["home"], "failed": ["home"]}
    expected[None] = ["home"]  # not tried
    is_removed = stage["images"][label] == "removed"
    return pending is None and places == expected.get(state) and is_removed == (places != ["home"])


def is_settled(stage: Stage) -> bool:
    """Whether every frame but the keeper is accounted."""
    return all(is_accounted(stage, label) for label in FRAMES if label != "keeper")


def has_lost(trial: Trial, stage: Stage) -> list[str]:
    """The frames that lie nowhere, other than what the command was told to delete and began to."""
    deletes = last(trial) in ("deleted", "purged")
    may_go = {"quarantined", "planned", "deleted", "purged"} if deletes else set()
    return [
        label
        for label, places in stage["places"].items()
        if not places and (label == "keeper" or stage["journal"][label][0] not in may_go)
    ]


def table(trials: list[Trial]) -> str:
    """Point x fault -> outcome: what the journal says of the file after the fault, and after the next run."""
    rows: dict[tuple[str, str], dict[str, str]] = {}
    for trial in trials:
        point = (trial["scenario"], f"{trial['number']} {trial['point']}")
        rows.setdefault(point, {})[trial["fault"]] = outcome(trial)
    told = [" | ".join([*point, *(row.get(fault, ELSEWHERE) for fault in FAULTS)]) for point, row in rows.items()]
    return "\n".join([" | ".join(["scenario", "point", *FAULTS]), *told])


def outcome(trial: Trial) -> str:
    """How the struck command ended, where the middle file was then, and what the next run made of it."""
    struck, rerun, _ = trial["stages"]
    found = {place if place == "home" else "quarantine" for place in struck["places"][MIDDLE]}
    places = "+".join(sorted(found)) or "gone"
    return f"{trial['ended'].split(':')[0]}, {places} > {rerun['journal'][MIDDLE][0]}"


def test_every_point_is_struck(trials: list[Trial]) -> None:
    """Every step and every write of the journal that the code has is met, and every error happens at it."""
    struck = {(trial["point"], trial["fault"]) for trial in trials if trial["fault"] in ERRORS}
    assert struck == {(point, error) for point in points() for error in ERRORS}


def test_every_change_is_cut(trials: list[Trial]) -> None:
    """Every command is killed before its first point, and after every point that changes the disk or the index."""
    before = [(trial["scenario"], trial["number"]) for trial in trials if trial["fault"] == "kill before"]
    after = {trial["point"] for trial in trials if trial["fault"] == "kill after"}
    assert before == [(scenario, 0) for scenario in SCENARIOS if scenario in {*LAST, "prune, changed file"}]
    assert after == set(points()) - CHANGES_NOTHING


def test_a_kill_for_each_state() -> None:
    """Of moments in a row with the same state the first is chosen, whether a point made the state or what follows."""
    assert kills([("a", "a"), ("a", "b"), ("b", "b"), ("c", "a")]) == {
        (0, "kill before"),
        (1, "kill after"),
        (3, "kill before"),
        (3, "kill after"),
    }


@pytest.mark.parametrize("first", LAST)
def test_every_call_is_struck(trials: list[Trial], first: str) -> None:
    """Of every command each call of each point is met, from the first to the last one."""
    of_first = [trial for trial in trials if trial["scenario"] == first]
    # Where a link is refused another way is taken, with calls of its own.
    on_its_way = (trial["met"] for trial in of_first if trial["ended"] == "done" and trial["point"] != "link")
    calls = max(on_its_way, key=len)
    assert list(dict.fromkeys((trial["number"], trial["point"]) for trial in of_first)) == list(enumerate(calls))


def test_nothing_is_lost(scenario: list[Trial]) -> None:
    """Right after the fault, after the next run and after the third every frame is somewhere, whole, with its time."""
    lost = [
        (named(trial), number, has_lost(trial, stage))
        for trial in scenario
        for number, stage in enumerate(trial["stages"])
        if has_lost(trial, stage)
    ]
    assert lost == []


def test_records_have_the_removals_that_happened(scenario: list[Trial]) -> None:
    """As soon as the journal has no open act, the records beside the images have what was removed once, and no removal
    that failed."""
    for trial in scenario:
        for stage in trial["stages"]:
            settled = [label for label, (_, pending) in stage["journal"].items() if not pending]
            removed = [label for label in settled if stage["journal"][label][0] not in (None, "failed")]
            assert [label for label in stage["recorded"] if label in settled] == removed, (named(trial), stage)


def test_kept_frames_stay(scenario: list[Trial]) -> None:
    """The keeper is never touched, and neither are the files whose turn comes after the one that was cut."""
    for trial in scenario:
        assert all(stage["places"]["keeper"] == ["home"] for stage in trial["stages"]), named(trial)
        if trial["ended"] == "killed":
            begun = "home" if trial["scenario"].startswith("prune") else "quarantine"
            assert [begun in place for place in trial["stages"][0]["places"]["2"]] == [True], named(trial)


def test_next_run_finishes(scenario: list[Trial]) -> None:
    """After the next run every frame is in one place, the journal says which, and the work is done."""
    for trial in scenario:
        rerun = trial["stages"][1]
        refused = MIDDLE if "changed" in trial["scenario"] else None
        expected = {label: "failed" if label == refused else last(trial) for label in FRAMES if label != "keeper"}
        assert {label: rerun["journal"][label][0] for label in expected} == expected, named(trial)
        assert all(is_accounted(rerun, label) for label in expected), (named(trial), rerun)
        assert rerun["ended"] == ("1 failed" if refused else "done"), named(trial)


def test_no_remains(scenario: list[Trial]) -> None:
    """After the next run nothing is left of copies that were cut in the middle."""
    assert [named(trial) for trial in scenario if trial["stages"][1]["strangers"]] == []


def test_third_run_does_nothing(scenario: list[Trial]) -> None:
    """A third run touches neither a file nor the index; of what it refuses again, it says so again."""
    for trial in scenario:
        _, rerun, third = trial["stages"]
        assert (third["tree"], third["places"], third["ended"]) == (rerun["tree"], rerun["places"], rerun["ended"])
        if "changed" not in trial["scenario"]:
            assert third["index"] == rerun["index"], named(trial)


def test_failing_step_costs_its_file(scenario: list[Trial]) -> None:
    """A step that the disk refuses costs the file under way at most; the others are done in the same run."""
    writes = {*removal_driver.journal_writers(), "commit"}
    for trial in scenario:
        if not trial["fault"].startswith("kill") and trial["point"] not in writes:
            assert trial["ended"] in ("done", "1 failed"), named(trial)
            others = {label: state for label, (state, _) in trial["stages"][0]["journal"].items() if label in "02"}
            assert others["0"] == last(trial), named(trial)
            # A disk that is full ends a prune in order: what was not tried has no row yet.
            is_full = trial["fault"] == "ENOSPC" and trial["ended"] == "1 failed" and "prune" in trial["scenario"]
            assert others["2"] in ({None, last(trial)} if is_full else {last(trial)}), named(trial)
            # What failed once was undone at once; what went on failing may have to wait for the next command.
            assert trial["fault"].endswith("again") or is_settled(trial["stages"][0]), (
                named(trial),
                trial["stages"][0],
            )


def test_failing_journal_ends_the_run(scenario: list[Trial]) -> None:
    """A journal that cannot be written ends the command with one sentence, and with no file moved unwritten."""
    writes = {*removal_driver.journal_writers(), "commit"}
    for trial in scenario:
        if not trial["fault"].startswith("kill") and trial["point"] in writes:
            assert trial["ended"].startswith("stopped: database "), named(trial)
            assert "\n" not in trial["ended"], named(trial)
            struck = trial["stages"][0]
            assert struck["journal"][MIDDLE][1] or len(struck["places"][MIDDLE]) == 1, named(trial)


def test_table_tells_every_trial(trials: list[Trial], folder: Path) -> None:
    """The table has a row for every point of every scenario and a word for every fault; it is written beside."""
    lines = table(trials).splitlines()
    assert {line.count(" | ") for line in lines} == {len(FAULTS) + 1}
    assert sum(cell != ELSEWHERE for line in lines[1:] for cell in line.split(" | ")[2:]) == len(trials)
    (folder / "table.txt").write_text("\n".join(lines))
