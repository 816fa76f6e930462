"""rescue: the index is lost, and the quarantine alone brings every file back."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from indexer.errors import FolderError
from indexer.files import io_steps
from indexer.files.manifest import MANIFEST_NAME
from indexer.store.database import Database
from indexer.workflows.removal.rescue import rescue
from tests.support.index import BIRD, CAR, Index, name, picture
from tests.support.own_files import OWN_FILES

ROOT = Path(__file__).resolve().parents[2]
ODD = f"-{os.fsdecode(bytes([0xE9]))} \n/{name(3)}"
VICTIMS = {name(1): picture(), f"day/{name(2)}": picture(BIRD), ODD: picture(stamp=3)}

Tree = dict[str, tuple[bytes, int]]


@pytest.fixture
def lot(database: Database, tmp_path: Path) -> Index:
    """A keeper and three that it stands for, one of them in a folder whose name is no text."""
    (tmp_path / "site" / "frames").mkdir(parents=True)
    index = Index(database, tmp_path / "site" / "frames")
    for file, content in {name(0): picture(), **VICTIMS}.items():
        index.put(file, content)
    index.ingest()
    index.compare()
    return index


@pytest.fixture
def before(lot: Index) -> Tree:
    """All files as they were; now three lie in quarantine, and the index is gone."""
    tree = lot.tree()
    assert lot.prune().removed == 3
    lot.database.close()
    shutil.rmtree(Path(str(lot.database.path)).parent)
    return tree


@pytest.fixture
def quarantine(lot: Index, before: Tree) -> Path:
    """Where the three lie."""
    return lot.folder.parent / ".indexer-quarantine"


def manifest_of(quarantine: Path) -> Path:
    """The one manifest there."""
    [found] = quarantine.rglob(MANIFEST_NAME)
    return found


def say(manifest: Path, change: Callable[[list[str]], list[str]]) -> None:
    """Writes the lines of the manifest again."""
    lines = [line for line in manifest.read_text(encoding="ascii").split("\n") if line]
    manifest.write_text("".join(f"\n{line}" for line in change(lines)), encoding="ascii")


def lie(**words: Any) -> Callable[[list[str]], list[str]]:
    """Makes the first line say something else."""
    return lambda lines: [json.dumps(json.loads(lines[0]) | words), *lines[1:]]


def test_command_brings_all_back(lot: Index, before: Tree, quarantine: Path, own_home: Path) -> None:
    """With the index deleted `manage.py rescue` brings every file back, byte for byte, with times and odd names."""
    line = [sys.executable, str(ROOT / "manage.py"), "rescue", str(quarantine), "--yes"]
    done = subprocess.run(line, cwd=own_home, capture_output=True, text=True, timeout=60)
    assert (done.returncode, lot.tree()) == (0, before), done.stderr
    assert {path.name for path in quarantine.iterdir()} == OWN_FILES - {MANIFEST_NAME}
    assert [path for path in own_home.rglob("*") if path.name.startswith("indexer.db")] == []


def test_quarantine_that_was_moved(lot: Index, before: Tree, quarantine: Path, tmp_path: Path) -> None:
    """A quarantine that lies elsewhere by now, as after a mount under another name, gives back as much."""
    quarantine.rename(tmp_path / "backup")
    assert rescue(str(tmp_path / "backup"), below=str(lot.folder)).restored == 3
    assert lot.tree() == before


def test_one_run_of_a_quarantine(lot: Index, before: Tree, quarantine: Path) -> None:
    """The folder of one run may be named instead of the quarantine."""
    [run] = quarantine.glob("run-*")
    assert (rescue(str(run)).restored, lot.tree()) == (3, before)


@pytest.mark.parametrize("cut_off", [1, 40, 200])
def test_torn_line_spoils_itself_alone(lot: Index, before: Tree, quarantine: Path, cut_off: int) -> None:
    """A last line that a cut left unfinished costs that file alone, and it stays where it is."""
    manifest = manifest_of(quarantine)
    os.truncate(manifest, manifest.stat().st_size - cut_off)
    assert rescue(str(quarantine)).restored == 2
    assert sorted(lot.tree().values()) == sorted(before.values())
    [left] = [path for path in quarantine.rglob("*") if path.is_file() and path.name not in OWN_FILES]
    assert left.name == Path(ODD).name


def test_line_after_a_torn_one_is_read(lot: Index, before: Tree, quarantine: Path) -> None:
    """A part of a line in the middle of the manifest, left by a cut before the run went on, spoils no other."""
    say(manifest_of(quarantine), lambda lines: [lines[0], lines[1][:50], *lines[1:]])
    assert (rescue(str(quarantine)).restored, lot.tree()) == (3, before)


@pytest.mark.parametrize(
    "lie_of",
    [
        lie(place="../../frames/" + name(0)),
        lie(place="../.."),
        lie(place="/etc/passwd"),
        lie(place=5),
        lie(path=5),
        lie(path="relative.png"),
        lie(path="/a\0b"),
        lie(path="/\ud800"),
        lie(size_bytes="9"),
        lambda lines: ["[" * 100_000, '["place"]', "???", *lines[1:]],
    ],
)
def test_line_that_lies_is_not_believed(lot: Index, before: Tree, quarantine: Path, lie_of: Any) -> None:
    """A line that points out of its run's folder, or makes no sense, moves nothing; the others' files come back."""
    say(manifest_of(quarantine), lie_of)
    assert rescue(str(quarantine)).restored == 2
    assert sorted(lot.tree().values()) == sorted(before.values())
    assert lot.tree()[f"frames/{name(0)}"] == before[f"frames/{name(0)}"]


def test_changed_file_stays(lot: Index, before: Tree, quarantine: Path) -> None:
    """A file in quarantine that is not what was put there stays there."""
    [place] = quarantine.rglob(name(1))
    place.write_bytes(picture()[:-1] + b"?")
    assert [path for path, _ in rescue(str(quarantine)).failures] == [str(lot.folder / name(1))]
    assert place.read_bytes() == picture()[:-1] + b"?"


def test_occupied_path_stays(lot: Index, before: Tree, quarantine: Path) -> None:
    """What lies where a file was stays, and the file stays in quarantine until that is moved away."""
    mine = lot.put(name(1), picture(CAR))
    report = rescue(str(quarantine))
    assert (report.restored, [path for path, _ in report.failures]) == (2, [str(mine)])
    assert mine.read_bytes() == picture(CAR)
    mine.unlink()
    assert (rescue(str(quarantine)).restored, lot.tree()) == (1, before)


class Cut(BaseException):
    """The power goes."""


@pytest.mark.parametrize("two_disks", [False, True])
@pytest.mark.parametrize("step", ["link", "unlink", "sync_folder", "copy_bytes"])
def test_cut_rescue_is_finished_by_the_next(
    lot: Index, before: Tree, quarantine: Path, monkeypatch: pytest.MonkeyPatch, step: str, two_disks: bool
) -> None:
    """Cut after any step, a second rescue brings back the rest, also the file that was under way."""
    if two_disks:
        monkeypatch.setattr(io_steps, "link", across(io_steps.link))
    real = getattr(io_steps, step)

    def cutting(*given: Any, **more: Any) -> None:
        real(*given, **more)
        raise Cut

    with monkeypatch.context() as until_the_cut:
        until_the_cut.setattr(io_steps, step, cutting)
        try:
            rescue(str(quarantine))
        except Cut:
            assert not before.keys() <= lot.tree().keys()
    rescue(str(quarantine)) if list(quarantine.glob("run-*/*/*")) else None
    assert lot.tree() == before


def across(real: Callable[..., Any]) -> Callable[..., Any]:
    """A move that another disk refuses."""

    def instead(source: str, target: str, **more: Any) -> Any:
        if os.path.dirname(source) != os.path.dirname(target):
            raise OSError(18, os.strerror(18), source)
        return real(source, target, **more)

    return instead


def test_place_that_was_given_twice(lot: Index, before: Tree, quarantine: Path) -> None:
    """Where two indexes after one another used one place, the line that was written last holds."""
    say(manifest_of(quarantine), lambda lines: [*lie(path="/nowhere/1.png")(lines), lines[0]])
    assert (rescue(str(quarantine)).failures, lot.tree()) == ([], before)


def test_nothing_to_rescue(tmp_path: Path) -> None:
    """A folder without a manifest, or a missing one, is refused."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(FolderError):
            rescue(str(folder))


def test_index_that_was_not_lost_notes_the_return(lot: Index) -> None:
    """After a rescue the next ingest of an index that still exists finds the files back."""
    before = lot.tree()
    lot.prune()
    rescue(str(lot.folder.parent / ".indexer-quarantine"))
    lot.ingest()
    assert (lot.tree(), {state for _, state in lot.removals()}) == (before, {"restored"})
    assert {state for _, state, _ in lot.states()} == {"ready"}
