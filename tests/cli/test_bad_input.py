"""Bad input: one sentence that says what was wrong and what to type, exit code 1 or 2, nothing half done."""

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.cli.app import app
from indexer.cli.main import main
from indexer.store.database import Database
from tests.support.command import Answer, Run, draw, make_lot


def everything_in(folder: Path) -> dict[str, bytes]:
    """The files below a folder with their bytes; SQLite's own files beside a database do not count."""
    return {
        str(path): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm", ".lock"))
    }


def refused(answer: Answer, *, code: int, words: str) -> None:
    """Holds if a command was refused in one sentence that holds these words."""
    assert (answer.code, answer.out) == (code, "")
    assert words in answer.sentence
    assert answer.sentence.startswith("indexer: ")
    assert "Traceback" not in answer.err


INGEST = [
    (["nowhere"], 1, "Cannot walk 'nowhere'"),
    (["empty"], 1, "there is no image in 'empty'"),
    (["texts"], 1, "there is no image in 'texts' (not an image name: 2)"),
    (["lot", "nowhere"], 1, "Cannot walk 'nowhere'"),
    (["lot/.indexer-quarantine"], 1, "restore"),
    (["lot", "--pattern", r"(?P<camera>zebra)\d+"], 1, "matches none of 6 images"),
    (["lot", "--pattern", r"gate"], 2, "has no group named 'camera' or 'timestamp'"),
    (["lot", "--pattern", r"(?P<camera>["], 2, "is not a regular expression"),
    (["lot", "--processes", "0"], 2, "--processes"),
    (["lot", "--processes", "many"], 2, "--processes"),
    (["lot", "--depth", "3"], 2, "there is no option '--depth'; see: manage.py"),
    ([], 2, "PATH is missing; see: manage.py ingest --help"),
]


@pytest.mark.parametrize(("words", "code", "said"), INGEST)
def test_ingest_refuses(run: Run, lot: Path, own_home: Path, words: list[str], code: int, said: str) -> None:
    """An ingest that cannot be meant leaves no index behind and touches no file."""
    (lot / ".indexer-quarantine").mkdir()
    (own_home / "empty").mkdir()
    (own_home / "texts").mkdir()
    for name in ("a.txt", "b.md"):
        (own_home / "texts" / name).write_text("no image")
    before = everything_in(own_home)
    refused(run("ingest", *words), code=code, words=said)
    assert everything_in(own_home) == before


OTHERS = [
    (["status", "--depth"], 2, "there is no option '--depth'; see: manage.py"),
    (["examine"], 2, "there is no command 'examine'"),
    (["compare", "--profile", "nope"], 1, "there is no profile 'nope'"),
    (["compare", "--camera", "nope"], 1, "nope"),
    (["prune", "--camera", "nope", "--dry-run"], 1, "nope"),
    (["prune"], 2, "type --yes to act, or --dry-run to look"),
    (["purge"], 2, "--all, --older-than DAYS, or --gone"),
    (["purge", "--older-than", "-1"], 2, "--older-than"),
    (["restore"], 2, "--all, --run ID"),
    (["restore", "--all", "lot/1.png"], 2, "--all, --run ID"),
    (["restore", "--run", "99"], 1, "there is no run 99"),
    (["restore", "lot/nope.png"], 1, "is in quarantine"),
    (["explain", "nope.png"], 1, "nope.png"),
    (["explain", "999"], 1, "999"),
    (["explain", "1", "nope.png"], 1, "nope.png"),
    (["explain", "1", "--picture", "lot/gate_2026_03_01__12_00_00.png"], 1, "exists already"),
    (["explain", "1", "2", "--picture", "nope/out.png"], 1, "'nope/out.png' cannot be written: No such file"),
    (["explain", "1", "--picture", "out.jpg"], 2, "type --picture NAME.png"),
    (["explain", "nope.png", "--picture", "out.png"], 1, "nope.png"),
    (["pin", "1", "nope.png"], 1, "nope.png"),
    (["unpin", "nope.png"], 1, "nope.png"),
    (["profile", "show", "nope"], 1, "there is no profile 'nope'"),
    (["profile", "make", "mine", "--max-score", "-1"], 1, "max score -1.0"),
    (["profile", "make", "mine", "--mask", "1,2,3"], 1, "--mask 5,10,5,0"),
    (["profile", "make", "mine", "--ignore", "1,2,3"], 1, "--ignore 70,0,30,12.5"),
    (["profile", "make", "mine", "--ignore", "-1,0,5,5"], 1, "does not lie within"),
    (["profile", "make", "mine", "--ignore", "0,0,100,100"], 1, "the whole frame would be ignored"),
    (["profile", "make", "mine", "--ignore-picture", "nope.png"], 1, "'nope.png' cannot be read: No such file"),
    (["profile", "make", "mine", "--ignore-picture", "lot"], 1, "'lot' cannot be read: Is a directory; give a PNG"),
    (["profile", "make", "mine", "--ignore-picture", "indexer.db"], 1, "cannot be read: no valid image header"),
    (["profile", "use", "plain"], 2, "--camera is missing; see: manage.py profile use --help"),
    (["profile", "use", "--camera", "gate"], 2, "or --active: manage.py profile use NAME --camera CAMERA"),
    (
        ["profile", "use", "plain", "--active", "--camera", "gate"],
        2,
        "or --active: manage.py profile use NAME --camera CAMERA",
    ),
    (["profile", "use", "nope", "--camera", "gate"], 1, "there is no profile 'nope'; there are balanced"),
    (["profile", "use", "plain", "--camera", "nope"], 1, "there is no camera 'nope'; there are: 'gate'"),
    (["profile", "make", "mine", "--base", "nope"], 1, "there is no profile 'nope'"),
    (["profile", "make", "balanced"], 1, "'balanced' exists and is never changed"),
    (["profile", "make", "mine/yours"], 1, "profile name 'mine/yours'"),
    (["audit", "nope"], 2, "there is no audit 'nope'"),
    (["audit", "families", "nope=1"], 2, "no parameter 'nope'"),
    (["audit", "history"], 2, "audit history needs"),
    (["audit", "families", "--sql", "SELECT 1"], 2, "not both"),
    (["audit", "--sql", "DELETE FROM images"], 2, "only reads"),
    (["audit", "--sql", "SELEKT 1"], 2, "cannot be run"),
]


@pytest.fixture(scope="module")
def decided_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an index in it that was compared, for commands that must not change it."""
    folder = tmp_path_factory.mktemp("decided")
    make_lot(folder / "lot")
    database = f"--db={folder / 'indexer.db'}"
    assert main(app, [database, "ingest", str(folder / "lot"), "--processes", "1"]) == 0
    assert main(app, [database, "compare", "--processes", "1"]) == 0
    return folder


@pytest.mark.parametrize(("words", "code", "said"), OTHERS)
def test_commands_refuse(
    run: Run, decided_once: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], code: int, said: str
) -> None:
    """A command that cannot be meant says so in one sentence and changes neither the index nor a file."""
    monkeypatch.chdir(decided_once)
    before = dump(decided_once / "indexer.db"), everything_in(decided_once / "lot")
    refused(Answer(*_without_plan(run(*words))), code=code, words=said)
    assert (dump(decided_once / "indexer.db"), everything_in(decided_once / "lot")) == before


def _without_plan(answer: Answer) -> tuple[int, str, str]:
    """The answer without the plan that `prune` shows before it asks."""
    return answer.code, "" if "to remove" in answer.out else answer.out, answer.err


def dump(database: Path) -> list[str]:
    """All that a database holds, as SQL."""
    reader = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
    lines = list(reader.iterdump())
    reader.close()
    return lines


def a_folder(path: Path) -> None:
    """A folder where the database should be."""
    path.mkdir()


def of_another_program(path: Path) -> None:
    """A healthy SQLite file with tables of its own."""
    other = sqlite3.connect(path)
    other.execute("CREATE TABLE songs (title TEXT)")
    other.commit()
    other.close()


def no_database(path: Path) -> None:
    """A file of something else."""
    path.write_bytes(b"These are not the pages you are looking for. " * 50)


def cut_short(path: Path) -> None:
    """The first page of an index and nothing more."""
    path.write_bytes(path.read_bytes()[:4096])


def stamped(revision: str) -> Callable[[Path], None]:
    """Makes an index of another revision."""

    def stamp(path: Path) -> None:
        writer = sqlite3.connect(path)
        writer.execute("UPDATE alembic_version SET version_num = ?", (revision,))
        writer.commit()
        writer.close()

    return stamp


DATABASES = [
    (a_folder, False, "is a folder"),
    (of_another_program, False, "belongs to another program"),
    (no_database, False, "damaged or no SQLite"),
    (cut_short, True, "damaged or no SQLite"),
    (stamped("0001"), True, "db upgrade"),
    (stamped("9999"), True, "newer version of indexer"),
    (stamped("cafe"), True, "belongs to another program"),
]


@pytest.mark.parametrize("words", [["status"], ["ingest", "lot"], ["compare"]])
@pytest.mark.parametrize(("spoil", "ours", "said"), DATABASES)
def test_bad_database(
    run: Run, lot: Path, migrated_file: Path, spoil: Callable[[Path], None], ours: bool, said: str, words: list[str]
) -> None:
    """A database that is none, or none of this version, is refused by readers and writers and left as it is."""
    path = lot.parent / "other.db"
    if ours:
        shutil.copy(migrated_file, path)
    spoil(path)
    before = everything_in(path.parent)
    refused(run("--db", path, *words), code=1, words=said)
    assert everything_in(path.parent) == before


@pytest.mark.parametrize(
    "words", [["status"], ["compare"], ["prune", "--dry-run"], ["db", "check"], ["profile", "list"]]
)
def test_missing_database(run: Run, own_home: Path, words: list[str]) -> None:
    """No reader makes a database; the sentence says how one is made."""
    refused(run(*words), code=1, words="no index at")
    assert everything_in(own_home) == {}


@pytest.mark.parametrize(
    ("url", "code", "said"),
    [
        ("nowhere/indexer.db", 1, "the folder"),
        ("sqlite://", 2, "give a path"),
        ("nonsense://x", 1, "no driver"),
        ("://", 2, "cannot be read"),
    ],
)
def test_bad_url(run: Run, lot: Path, url: str, code: int, said: str) -> None:
    """A database that cannot be reached is refused with what to type instead."""
    refused(run("--db", url, "ingest", lot), code=code, words=said)


def test_password_is_not_shown(run: Run, lot: Path) -> None:
    """A password in a URL is in no sentence."""
    answer = run("--db", "nonsense://me:secret@host/db", "ingest", lot)
    assert "secret" not in answer.out + answer.err


def test_read_only_database(run_apart: Run, lot: Path, database: Database) -> None:
    """A database that may not be written to is refused in one sentence."""
    assert database.path is not None
    database.close()
    database.path.chmod(0o444)
    database.path.parent.chmod(0o555)
    answer = run_apart("--db", database.path, "ingest", lot, "--processes", 1)
    refused(answer, code=1, words="check the rights of")


def test_folder_without_rights(run_apart: Run, lot: Path, own_home: Path) -> None:
    """A folder that may not be read is refused, and no index is made."""
    lot.chmod(0)
    refused(run_apart("ingest", lot, cwd=own_home), code=1, words="Permission denied")
    lot.chmod(0o755)
    assert not (own_home / "indexer.db").exists()


def test_file_without_rights(run_apart: Run, lot: Path, own_home: Path) -> None:
    """An image that may not be read costs that image: it is named, the others are taken in, the exit code is 1."""
    (lot / "gate_2026_03_01__12_02_00.png").chmod(0)
    answer = run_apart("ingest", lot, "--processes", 1, cwd=own_home)
    assert answer.code == 1
    assert answer.out.startswith("6 files seen: 5 added, 1 skipped.")
    assert "gate_2026_03_01__12_02_00.png" in answer.out


def test_subfolder_without_rights(run_apart: Run, lot: Path, own_home: Path) -> None:
    """A folder below the named one that may not be listed is named, and the exit code is 1."""
    draw(lot / "locked" / "gate_2026_03_01__13_00_00.png")
    (lot / "locked").chmod(0)
    answer = run_apart("ingest", lot, "--processes", 1, cwd=own_home)
    (lot / "locked").chmod(0o755)
    assert answer.code == 1
    assert answer.out.startswith("7 files seen: 6 added, 1 skipped.")
    assert "lot/locked: Permission denied" in answer.out


@pytest.mark.parametrize("value", ["none", "0", "-3", "1.5"])
def test_settings_from_the_environment(run: Run, monkeypatch: pytest.MonkeyPatch, lot: Path, value: str) -> None:
    """A number in the environment that is none is refused before anything is done."""
    monkeypatch.setenv("INDEXER_PROCESSES", value)
    refused(run("ingest", lot), code=2, words="INDEXER_PROCESSES")
