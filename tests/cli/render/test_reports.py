"""Reports as text: their sentences, and that no name breaks them."""

import io
import os
from collections import Counter
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from indexer.cli.render import removal
from indexer.cli.render.compare import render_compare, render_compare_failures
from indexer.cli.render.ingest import render_ingest, render_ingest_failures
from indexer.cli.render.removal import TypedPrune, render_dry_run, render_prune, render_recover, render_restore
from indexer.cli.render.tables import MAX_ROWS
from indexer.domain.removal import BlockedCamera, CameraPlan, ExclusionReason, IndexedFile, Plan, RemovalCandidate
from indexer.escaping import printable
from indexer.workflows.compare.compare import CameraResult, CompareReport
from indexer.workflows.ingest.outcomes import IngestOutcome, IngestReport
from indexer.workflows.removal.prune import PruneReport
from indexer.workflows.removal.purge import PurgeReport
from indexer.workflows.removal.recover import RecoverReport
from indexer.workflows.removal.restore import RestoreReport


def said(tell: object, report: object, *, width: int = 120) -> str:
    """A report as text."""
    console = Console(file=io.StringIO(), width=width, markup=False, highlight=False, emoji=False, soft_wrap=True)
    tell(console, report)  # type: ignore[operator]
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())  # type: ignore[attr-defined]


@given(st.binary(max_size=60))
def test_any_path_can_be_shown(raw: bytes) -> None:
    """Any bytes that a disk can hold are shown on one line of printable signs, as text that any file can take."""
    shown = printable(os.fsdecode(raw))
    assert shown.isprintable()
    shown.encode()


@given(st.text(max_size=60).filter(str.isprintable))
def test_plain_names_are_shown_as_they_are(name: str) -> None:
    """A name that can be shown is shown unchanged."""
    assert printable(name) == name


def test_ingested() -> None:
    """Every path is in one count, in the order of the outcomes, and what could not be read is named with its reason."""
    report = IngestReport(
        10,
        Counter({IngestOutcome.SKIPPED: 2, IngestOutcome.TOO_SMALL: 1, IngestOutcome.ADDED: 7}),
        Counter({"Permission denied": 1, "symbolic link": 1}),
        refused=[("/lot/[red]1.jpg", "Permission denied")],
        undecided=7,
    )
    assert said(render_ingest, report).splitlines() == [
        "10 files seen: 7 added, 1 too small, 2 skipped.",
        "  skipped 1: Permission denied",
        "  skipped 1: symbolic link",
        "  /lot/[red]1.jpg: Permission denied",
        "7 images are not decided yet. Next: manage.py compare",
    ]


def test_skipped_endings_are_named() -> None:
    """The endings of files that are no images are counted, the most frequent first, a few by name."""
    endings = Counter({".heic": 30, ".txt": 2, "": 1, ".x\n": 1} | {f".{number:02}": 1 for number in range(10)})
    report = IngestReport(
        44, Counter({IngestOutcome.SKIPPED: 44}), Counter({"not an image name": 44}), endings=endings, flat=2
    )
    assert said(render_ingest, report).splitlines()[1:] == [
        "  skipped 44: not an image name (.heic 30, .txt 2, none 1, .00 1, .01 1, .02 1, .03 1, .04 1, .05 1, .06 1, "
        "and 4 other endings)",
        "  2 images show nothing, one grey level alone: no score makes them duplicates. See: manage.py audit flat",
    ]


def test_ingested_beside_system_folders() -> None:
    """Folders that were not walked are named with their numbers, the most frequent first, and what lies there still or
    did; cameras that look the same are made distinguishable."""
    report = IngestReport(
        3,
        Counter({IngestOutcome.SKIPPED: 3}),
        Counter({"hidden or system folder": 3}),
        folders=Counter({".Trash\n": 1, "@eaDir": 2}),
        missing=5,
        unwalked=4,
        in_system_folders=6,
        alike=[("T\u00fcr", "Tu\u0308r")],
    )
    lines = said(render_ingest, report).splitlines()
    assert lines[2].startswith(r"    not walked: '@eaDir' (2), '.Trash\n' (1); ")
    assert lines[3].startswith("  1 image of earlier runs is not there any more")
    assert lines[4].startswith("  4 images of earlier runs lie in such folders: they are missing from now on")
    assert lines[6].startswith("6 images lie in hidden folders, bins, snapshots or the like")
    assert lines[7].startswith(r"2 cameras look the same, 'T\xfcr', 'Tu\u0308r'; ")


def test_left_out_for_a_bin_is_not_settled_by_compare() -> None:
    """Only what compare settles is sent there."""
    bin_alone, both = (
        {str(ExclusionReason.KEEPER_APART): 2},
        {str(ExclusionReason.KEEPER_APART): 2, str(ExclusionReason.PINNED): 1},
    )
    advice = [
        [line for line in said(render_prune, PruneReport(left_out=one)).splitlines() if "To settle" in line]
        for one in (bin_alone, both)
    ]
    assert [len(lines) for lines in advice] == [1, 2]
    assert "manage.py ingest FOLDER, then manage.py compare" in advice[0][0]


def test_compared() -> None:
    """A camera that was held back is named with the reason beside the table of the others."""
    report = CompareReport(
        "plain", [CameraResult("a", "plain", 3, 2, 1, 3, 2, 1), CameraResult("b\n", "plain", 2, problem="no file")]
    )
    lines = said(render_compare, report).splitlines()
    assert lines[0] == "The profile plain is the active one from now on."
    assert " ".join(lines[2].split()) == "camera profile images kept duplicates decided pairs scored recorded"
    assert lines[4].split() == ["a", "plain", "3", "2", "1", "3", "2", "1"]
    assert lines[-2:] == [
        r"camera 'b\n' was left as it was: no file",
        "No file was removed. Next: manage.py prune --dry-run",
    ]


def test_numbers_of_a_run_are_in_no_later_run() -> None:
    """Where columns or cameras of compare are not shown, no run is proposed that would show other numbers as these."""
    cameras = [CameraResult(f"camera {number:03}", "balanced", 30, 2, 28, 30, 20, 10) for number in range(MAX_ROWS + 1)]
    lines = said(render_compare, CompareReport(None, cameras), width=80).splitlines()
    many = f"These are {MAX_ROWS} of {MAX_ROWS + 1} cameras, those with new decisions first"
    assert lines[-4].startswith("Not shown here: ")
    assert lines[-3:-1] == [
        "The next run with --json shows all of it.",
        f"{many}; the next run with --json shows all of them.",
    ]


def test_pruned() -> None:
    """What was removed, where it lies, what was left alone, and how to undo it."""
    report = PruneReport(
        run_id=7,
        removed=2,
        size_bytes=1500,
        hard_links=1,
        outdated=1,
        failures=[("/a", "gone")],
        left_out={"its keeper is missing": 3},
        quarantines=Counter({"/q": 2}),
        held_back={"gate": "all of it would go"},
    )
    assert said(render_prune, report).splitlines() == [
        "2 files removed, 1.5 kB, by run 7.",
        "  2 lie in /q",
        "  1 left alone: the same file on disk as their keeper (hard links)",
        "  1 left alone: their decision changed after the plan was shown",
        "  3 left out, each because its keeper is missing",
        "  To settle these: manage.py compare",
        "camera 'gate' is held back: all of it would go",
        "  If that is right: manage.py prune --max-share 1",
        "  /a: gone",
        "To undo: manage.py restore --run 7   To free the space: manage.py purge --run 7",
    ]


def test_the_report_repeats_no_sentence_of_the_plan() -> None:
    """After a plan was shown, the report of the removal repeats no sentence of it, unless something changed."""
    left_out, held_back = {str(ExclusionReason.HELD_BACK): 4}, {"gate": "all of it would go"}
    shown = Plan(
        (), (), {ExclusionReason.HELD_BACK: 4}, (BlockedCamera(CameraPlan("gate", 30, 30, 1), "all of it would go"),)
    )
    for report, expected in (
        (PruneReport(1, 2, 1500, left_out=left_out, held_back=held_back), 1),
        (PruneReport(1, 2, 1500, left_out={str(ExclusionReason.HELD_BACK): 5}, held_back=held_back), 3),
    ):
        assert len(said(partial(render_prune, shown=shown), report).splitlines()) == expected


def test_a_dry_run_repeats_what_was_typed() -> None:
    """The commands that a plan proposes have the options of the plan, so that they show and remove the same."""
    typed = TypedPrune(camera="north side", max_share=1.0, include_restored=True)
    file = IndexedFile(1, "/lot/1.png", "/lot", 10, "ab")
    victim = RemovalCandidate(
        1, "north side", file, file, 0.0, 1000.0, "balanced", None, True, True, True, False, False
    )
    plan = Plan((victim,), (CameraPlan("north side", 30, 1, 10),))
    assert said(partial(render_dry_run, typed=typed), plan).splitlines()[-3:] == [
        "To look at them: manage.py report pages --camera 'north side'",
        "To see the weakest cases: manage.py audit borderline removed 'camera=north side'",
        "To act: manage.py prune --camera 'north side' --max-share 1 --include-restored",
    ]
    blocked = Plan((), (), {ExclusionReason.HELD_BACK: 4}, (BlockedCamera(CameraPlan("a", 30, 30, 1), "too many"),))
    said_of_it = said(partial(render_dry_run, typed=TypedPrune(camera="a", max_share=0.5)), blocked)
    assert "manage.py prune --camera a --max-share 0.5 --include-restored" in said_of_it
    assert "manage.py prune --camera a --max-share 1\n" in said_of_it + "\n"


def test_many_failures() -> None:
    """Of many files the first ten are named and the others counted."""
    report = RestoreReport(1, failures=[(f"/{number}", f"no {number}") for number in range(13)])
    lines = said(render_restore, report).splitlines()
    assert lines[0] == "1 file brought back. It and its keeper are pinned: no prune takes them again."
    assert lines[1:11] == [f"  /{number}: no {number}" for number in range(10)]
    assert lines[11:] == ["  and 3 more; --json names them all"]


def test_pruned_names_what_must_stay_and_why_it_stopped() -> None:
    """Files that must stay are counted and named with the reason, and so is why the run ended before its plan."""
    report = PruneReport(3, protected=[("/lot/1.jpg", "it is the last")], stopped="No space left on device; 2 more")
    assert said(render_prune, report).splitlines() == [
        "0 files removed, 0 bytes, by run 3.",
        "  1 must stay, whatever this index decided:",
        "  /lot/1.jpg: it is the last",
        "Stopped: No space left on device; 2 more.",
    ]
    report.failures.append(("/lot/2.jpg", "No space left on device"))
    assert said(render_prune, report).splitlines()[-2:] == ["  /lot/2.jpg: No space left on device", "Stopped: 2 more."]


def test_recovered_names_what_is_open() -> None:
    """What is open still is named, with what a person may say; where that does not help, or all is settled, nothing is
    asked."""
    reason = "another host may be at work on it; see: manage.py recover --nobody-else"
    open_still = RecoverReport(1, 2, (("/lot/1.jpg", reason),))
    assert said(render_recover, open_still).splitlines() == [
        "1 removal finished, 2 undone, 1 open still.",
        f"  /lot/1.jpg: {reason}",
        "If no other command is at work on these files, on any host: manage.py recover --nobody-else",
    ]
    lost = RecoverReport(0, 0, (("/lot/1.jpg", "its record is not there"),))
    assert "--nobody-else" not in said(render_recover, lost)
    assert said(render_recover, RecoverReport(0, 0, ())) == "0 removals finished, 0 undone, 0 open still."


@pytest.mark.parametrize(
    ("tell", "report"),
    [
        (removal.render_prune_failures, PruneReport(7, 2, failures=[("/a", "gone")], quarantines=Counter("q"))),
        (removal.render_restore_failures, RestoreReport(2, failures=[("/a", "gone")])),
        (removal.render_recover_failures, RecoverReport(2, 1, left_open=[("/a", "gone")])),
        (removal.render_purge_failures, PurgeReport(2, 1500, 1, skipped=[("/a", "gone")])),
        (render_ingest_failures, IngestReport(9, Counter({IngestOutcome.ADDED: 9}), refused=[("/a", "gone")])),
    ],
    ids=["prune", "restore", "recover", "purge", "ingest"],
)
def test_failures_alone(tell: object, report: object) -> None:
    """Beside JSON, where nothing but warnings and errors goes to stderr, only what failed is said."""
    assert said(tell, report).splitlines() == ["  /a: gone"]


def test_cameras_that_failed_alone() -> None:
    """The same of compare, by camera."""
    done, held = CameraResult("a", "plain", 3, 2, 1, 3, 2, 1), CameraResult("b", "plain", 2, problem="no file")
    assert said(render_compare_failures, CompareReport("plain", [done, held])).splitlines() == [
        "camera 'b' was left as it was: no file"
    ]
