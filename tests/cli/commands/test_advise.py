"""The command `advise`: its exit code for a nightly job."""

from contextlib import closing
from pathlib import Path

from indexer.domain.advice.findings import CameraFinding, Kind
from indexer.store.schema import open_database
from tests.support.command import Run
from tests.support.findings import SINCE, add_finding


def test_check_of_the_list(run: Run, decided: Path) -> None:
    """`advise list --check` has exit code 1 while a finding is open, and 0 if a person dismissed it."""
    assert run("advise", "list", "--check").code == 0
    with closing(open_database(str(decided.parent / "indexer.db"))) as database:
        add_finding(database, CameraFinding(Kind.BLOCKED, SINCE, None, 2.0, {"covered_share": 0.3, "frames": 20}))
    assert [run("advise", "list", *words).code for words in ((), ("--check",))] == [0, 1]
    assert run("advise", "dismiss", 1, "--by", "Ada").code == 0
    assert [run("advise", "list", *words, "--check").code for words in ((), ("--all",))] == [0, 0]
