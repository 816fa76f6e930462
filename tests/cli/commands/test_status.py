"""status on the command line: the exit code of --check."""

from pathlib import Path

from tests.support.command import Run, draw


def test_exit_code(run: Run, decided: Path) -> None:
    """Without --check status ends with 0 whatever there is; with it a job reads the exit code, and --quiet says why."""
    assert run("status", "--check", "--silent-after", 0, "--quiet").code == 0
    answer = run("status", "--check", "--json")
    assert (answer.code, [one["camera"] for one in answer.document["check"]["silent"]]) == (1, ["gate"])
    quiet = run("status", "--check", "--quiet")
    assert (quiet.code, quiet.out) == (1, "")
    assert "camera 'gate' is silent" in quiet.err
    assert run("status").code == 0
    assert run("status", "--silent-after", 3).code == 2


def test_check_and_quiet_print_only_what_needs_a_person(decided: Path, run: Run) -> None:
    """A nightly mail has the undecided and the held-back files, and nothing that needs nobody."""
    assert run("prune", "--yes").code == 0
    assert run("restore", "--all").code == 0
    answer = run("status", "--check", "--quiet", "--silent-after", "0")
    lines = answer.err.splitlines()
    assert (answer.code, answer.out, len(lines)) == (1, "", 2)
    assert "prune --include-restored" in lines[0]
    assert lines[1] == "Something here needs a person."


def test_a_renamed_folder_is_named_without_its_quarantine(run: Run, own_home: Path) -> None:
    """Who renamed the folder above images and quarantine reads of `relocate`, and not of files that were deleted."""
    for minute in range(3):
        draw(own_home / "site" / "lot" / f"gate_2026_03_01__12_0{minute}_00.png")
    for words in (["ingest", "site/lot", "--processes", 1], ["compare"], ["prune", "--yes", "--max-share", 1]):
        assert run(*words).code == 0
    (own_home / "site").rename(own_home / "yard")
    told = " ".join(run("status").out.split())
    assert ("relocate" in told, "purge --gone" in told) == (True, False)
    assert "purge --gone" not in " ".join(run("status", "--check", "--quiet").err.split())
