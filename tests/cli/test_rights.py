"""Rights: what shows private pictures is its owner's alone, or its group's in a setgid folder, whatever the umask."""

import os
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from indexer.files import markers
from indexer.workflows.admin import status
from tests.support.command import Run, make_lot
from tests.support.own_files import OWN_FILES

PRECIOUS = "the only copy of something\n"


@pytest.fixture(params=[0, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    """The umask that a command may have been started with."""
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.fixture(params=[0o755, 0o2775], ids=["plain", "setgid"])
def home(request: pytest.FixtureRequest, own_home: Path) -> Path:
    """The folder of the index and of the images: plain, or one that a group shares."""
    if os.geteuid() == 0:
        os.chown(own_home, -1, 4242)
    own_home.chmod(request.param)
    return own_home


def rights(path: Path) -> str:
    """The rights of what is at a path itself, as `ls` shows them."""
    return stat.filemode(path.lstat().st_mode)


def made(folder: Path) -> dict[str, str]:
    """The rights of a folder and of everything in it but images that were moved there."""
    inside = [path for path in sorted(folder.rglob("*")) if path.is_dir() or path.name in OWN_FILES or _is_page(folder)]
    return {str(path): rights(path) for path in [folder, *inside]}


def _is_page(folder: Path) -> bool:
    return folder.name != markers.QUARANTINE_NAME


def expected(shared: bool, *paths: str | Path) -> dict[str, str]:
    """The rights that these should have."""
    file, folder = ("-rw-rw----", "drwxrws---") if shared else ("-rw-------", "drwx------")
    return {str(path): folder if Path(path).is_dir() else file for path in paths}


def test_rights_of_all_that_is_made(home: Path, umask: int, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Index, its log and locks, a copy, a report, a drawing, a quarantine's own files and the log of errors are closed
    to others; in a setgid folder the group of that folder has the same rights, and all are of that group."""
    shared = bool(home.stat().st_mode & stat.S_ISGID)
    lot = make_lot(home / "lot")
    for picture in lot.iterdir():
        picture.chmod(0o644)
    assert run("ingest", lot, "--processes", 1).code == 0
    with closing(sqlite3.connect("indexer.db")) as reader:  # while it reads, the log stays
        reader.execute("SELECT COUNT(*) FROM images").fetchone()
        for words in (
            ["compare", "--processes", 1],
            ["prune", "--yes"],
            ["explain", 2, "--picture", "why.png"],
            ["report", "pages/new", "--processes", 1],
            ["db", "copy", "indexer.db", "copy.db"],
        ):
            assert run(*words).code == 0
        monkeypatch.setattr(status, "status", lambda _, **_more: 1 / 0)
        assert run("status").code == 3
        names = [f"indexer.db{ending}" for ending in ("", "-wal", "-shm", ".lock")]
        names += ["copy.db", "copy.db.lock", "why.png", "indexer.log"]
        assert {name: rights(Path(name)) for name in names} == expected(shared, *names)
    folders = (home / "pages", home / ".indexer-quarantine")
    for folder in folders:
        assert len(made(folder)) > 5
        assert made(folder) == expected(shared, *made(folder))
    quarantined = [path for path in folders[1].rglob("*.png")]
    assert [rights(path) for path in quarantined] == ["-rw-r--r--"] * 3
    if shared:
        ours = [*map(Path, names[:1]), *(Path(path) for folder in folders for path in made(folder))]
        assert {path.stat().st_gid for path in ours} == {home.stat().st_gid}


@pytest.mark.parametrize("chosen", [0o600, 0o640, 0o660, 0o644])
def test_rights_of_an_index_are_a_persons(home: Path, umask: int, run: Run, chosen: int) -> None:
    """The rights of an index that is there stay, and its log has them; who may write to it can take its lock."""
    lot = make_lot(home / "lot")
    assert run("ingest", lot, "--processes", 1).code == 0
    Path("indexer.db").chmod(chosen)
    Path("indexer.db.lock").unlink()
    with closing(sqlite3.connect("indexer.db")) as reader:
        reader.execute("SELECT COUNT(*) FROM images").fetchone()
        assert run("pin", 1).code == 0
        there = [stat.S_IMODE(Path(f"indexer.db{ending}").stat().st_mode) for ending in ("", "-wal", "-shm")]
    assert there == [chosen] * 3
    shared = bool(home.stat().st_mode & stat.S_ISGID) or chosen == 0o660
    assert stat.S_IMODE(Path("indexer.db.lock").stat().st_mode) == (0o660 if shared else 0o600)


@pytest.mark.parametrize("umask", [0], indirect=True)  # others may do most
def test_rights_of_the_demo(own_home: Path, umask: int, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that the demo leaves in the folder for temporary files is closed to others."""
    monkeypatch.setattr("tempfile.tempdir", str(own_home))
    folder = Path(run("demo", "--json").document["folder"])
    there = [path for path in (folder, *folder.rglob("*"))]
    assert len(there) > 20
    assert {path: rights(path)[4:] for path in there} == {path: "------" for path in there}


@pytest.mark.parametrize("ending", [".lock", "-wal", "-shm", "-journal"])
@pytest.mark.parametrize("kind", ["symbolic", "hard", "nowhere"])
def test_links_beside_an_index(own_home: Path, lot: Path, run: Run, ending: str, kind: str) -> None:
    """A link of the name of a file beside the index is refused; what it leads to is as it was, or not made."""
    precious = own_home / "precious.txt"
    precious.write_text(PRECIOUS)
    assert run("ingest", lot, "--processes", 1).code == 0
    beside = Path(f"indexer.db{ending}")
    beside.unlink(missing_ok=True)
    if kind == "hard":
        os.link(precious, beside)
    else:
        beside.symlink_to(precious if kind == "symbolic" else own_home / "missing")
    for words in (["compare", "--processes", 1], ["pin", 1], ["ingest", lot, "--processes", 1]):
        assert run(*words).code == 1
    assert (precious.read_text(), (own_home / "missing").exists()) == (PRECIOUS, False)


@pytest.mark.parametrize("kind", [os.symlink, os.link, None])
def test_links_in_place_of_the_log(
    own_home: Path, tmp_path: Path, lot: Path, run: Run, monkeypatch: pytest.MonkeyPatch, kind: object
) -> None:
    """A traceback goes into no file that a link leads to; it goes to the folder for temporary files."""
    precious, temporary = tmp_path / "precious.txt", tmp_path / "temporary"
    temporary.mkdir()
    precious.write_text(PRECIOUS)
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    assert run("ingest", lot, "--processes", 1).code == 0
    for folder in (own_home, temporary):
        if callable(kind):
            kind(precious, folder / "indexer.log")
        else:
            os.mkfifo(folder / "indexer.log")
    monkeypatch.setattr(status, "status", lambda _, **_more: 1 / 0)
    answer = run("status")
    assert (answer.code, precious.read_text()) == (3, PRECIOUS)
    (log,) = temporary.glob("indexer-*.log")
    assert "ZeroDivisionError" in log.read_text()
    assert str(log) in answer.sentence
    assert rights(log) == "-rw-------"


@pytest.mark.parametrize("inside", ["index.html", "style.css", ".indexer-report", "index.html.part"])
@pytest.mark.parametrize("kind", [os.symlink, os.link])
def test_links_inside_a_report(own_home: Path, decided: Path, run: Run, inside: str, kind: object) -> None:
    """A second report replaces a link among the pages of the first; the file that it leads to is as it was."""
    precious = own_home / "precious.txt"
    precious.write_text(PRECIOUS)
    assert run("report", "pages", "--processes", 1).code == 0
    (own_home / "pages" / inside).unlink(missing_ok=True)
    assert callable(kind)
    kind(precious, own_home / "pages" / inside)
    second = run("report", "pages", "--processes", 1)
    assert second.code == (1 if inside == ".indexer-report" and kind is os.symlink else 0)
    assert precious.read_text() == PRECIOUS


@pytest.mark.parametrize("inside", ["pictures", "cameras"])
def test_folders_that_lead_out_of_a_report(own_home: Path, decided: Path, run: Run, inside: str) -> None:
    """A folder of a report that leads elsewhere is refused: nothing is written, taken over or dropped there."""
    assert run("report", "pages", "--processes", 1).code == 0
    (own_home / "pages" / inside).rename(own_home / "elsewhere")
    (own_home / "pages" / inside).symlink_to(own_home / "elsewhere")
    before = {path: path.read_bytes() for path in (own_home / "elsewhere").rglob("*") if path.is_file()}
    answer = run("report", "pages", "--processes", 1)
    assert (answer.code, "leads out of" in answer.err) == (1, True)
    assert {path: path.read_bytes() for path in (own_home / "elsewhere").rglob("*") if path.is_file()} == before


def test_pictures_that_are_links(own_home: Path, decided: Path, run: Run) -> None:
    """A picture of an earlier report that is a link now is made again, and what it led to is as it was."""
    precious = own_home / "precious.txt"
    precious.write_text(PRECIOUS)
    assert run("report", "pages", "--processes", 1).code == 0
    pictures = [path for path in (own_home / "pages" / "pictures").rglob("*") if path.is_file()]
    for path in pictures:
        path.unlink()
        path.symlink_to(precious)
    assert run("report", "pages", "--processes", 1).code == 0
    assert pictures
    assert [path.is_symlink() for path in pictures] == [False] * len(pictures)
    assert precious.read_text() == PRECIOUS
