"""status on the command line: the exit code of --check."""

from pathlib import Path

from tests.support.command import Run


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
