"""Makes `revision_NNNN.sql`: an index as the last commit with that revision of the schema left it.

    python tests/store/old/make_revisions.py [NNNN...]

Each commit runs from a worktree of its own, with the libraries of this environment. It ingests and compares the frames
of `tests/support/old_frames.py`. The folder they lay in is written as /srv/site in the dump. No commit
has 0001, 0002, 0014, 0017, 0018 or 0019 as its newest revision. 0006 is that of the last program before the redesign.
"""

import os
import runpy
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FRAMES = runpy.run_path(str(ROOT / "tests" / "support" / "old_frames.py"))


def git(*words: str) -> str:
    """What git answers."""
    return subprocess.run(["git", "-C", ROOT, *words], check=True, capture_output=True, text=True).stdout.strip()


def list_commits() -> dict[int, list[str]]:
    """The commits with each revision of the schema, the last one first, by the number of its newest migration."""
    commits: dict[int, list[str]] = {}
    for commit in git("rev-list", "HEAD").split():
        names = git("ls-tree", "--name-only", commit, "migrations/versions/").split()
        numbers = {int(Path(name).name[:4]) for name in names if name.endswith(".py")}
        if numbers and len(numbers) == max(numbers):  # none is missing, as on a branch
            commits.setdefault(max(numbers), []).append(commit)
    return commits


def make(commit: str, *, revision: str) -> None:
    """Writes the dump of a revision, as a commit makes it."""
    site = Path(os.path.realpath(tempfile.mkdtemp()))
    checkout = site / "checkout"
    git("worktree", "add", "--detach", str(checkout), commit)
    try:
        lot = site / "lot"
        FRAMES["write_frames"](lot)
        environment = os.environ | {"HOME": str(site), "INDEXER_STATE": "off", "INDEXER_DB": str(site / "indexer.db")}
        for words in (["ingest", str(lot)], ["compare"]):
            command = [sys.executable, str(checkout / "manage.py"), *words]
            subprocess.run(command, cwd=site, env=environment, check=True, stdout=subprocess.DEVNULL)
    finally:
        git("worktree", "remove", "--force", str(checkout))
    with closing(sqlite3.connect(site / "indexer.db")) as connection:
        (stored,) = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        assert stored == revision
        columns = {row[1] for row in connection.execute("PRAGMA table_info(runs)")}
        for column, value in {"username": "ada", "hostname": "camera-server"}.items():
            if column in columns:
                connection.execute(f"UPDATE runs SET {column} = ?", (value,))
        lines = [line.replace(str(site), "/srv/site") for line in connection.iterdump()]
    (Path(__file__).parent / f"revision_{revision}.sql").write_text("\n".join(lines) + "\n", encoding="utf-8")


def main() -> None:
    """Makes the dumps of the revisions that are typed, else of all."""
    commits = list_commits()
    for revision in sys.argv[1:] or [f"{number:04}" for number in sorted(commits)]:
        for commit in commits[int(revision)]:
            with suppress(subprocess.CalledProcessError):  # a commit in the middle of some work
                make(commit, revision=revision)
                break


if __name__ == "__main__":
    main()
