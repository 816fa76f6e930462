"""rescue of a quarantine that anybody made: it writes only images, only where a person allows, and loses nothing."""

import json
import os
import shutil
import stat
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from indexer.domain.descriptions import Limits
from indexer.errors import IndexerError, UsageError
from indexer.files.folder_lock import LOCK_NAME
from indexer.files.manifest import MANIFEST_NAME, Entry
from indexer.files.markers import QUARANTINE_MARKER, QUARANTINE_NAME
from indexer.files.witness_record import RECORD_NAME
from indexer.workflows.removal import rescue as work
from indexer.workflows.removal.rescue import execute_plan, rescue
from indexer.workflows.removal.rescue_plan import plan_rescue
from tests.support.index import picture
from tests.support.own_files import OWN_FILES

IMAGE = picture()
Snapshot = dict[str, tuple[object, ...]]


class Stick:
    """A folder with a quarantine that somebody made, and a folder of the system beside it."""

    def __init__(self, home: Path, *, name: str = QUARANTINE_NAME) -> None:
        self.home, self.folder, self.outside = home, home / "stick", home / "system"
        self.run = self.folder / name / "run-1"
        self.run.mkdir(parents=True)
        self.outside.mkdir()
        (self.outside / "a.png").write_bytes(IMAGE)
        self.quarantine = self.run.parent

    def put(self, place: str, data: bytes = IMAGE) -> Path:
        """A file in the quarantine."""
        path = self.run / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        return path

    def say(self, place: str, path: Path | str, data: bytes = IMAGE, *, keeper: Path | str = "/k.png") -> None:
        """Adds a line to the manifest."""
        entry = Entry(str(path), len(data), sha256(data).hexdigest(), str(keeper), "2026-01-01")
        with (self.run / MANIFEST_NAME).open("a") as manifest:
            manifest.write("\n" + json.dumps({"place": place, **asdict(entry)}))


@pytest.fixture
def stick(tmp_path: Path) -> Stick:
    return Stick(tmp_path)


def snapshot(folder: Path) -> Snapshot:
    """All that is at and below a folder: kinds, modes, bytes and where links lead."""
    found: Snapshot = {}
    for path in [folder, *folder.rglob("*")]:
        status = path.lstat()
        content: object = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path)] = (status.st_mode, status.st_uid, content)
    return found


def contents(folder: Path) -> set[bytes]:
    """The bytes of all images below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.read_bytes() for path in files if path.name not in OWN_FILES}


OUT: dict[str, Callable[[Stick], str]] = {
    "elsewhere": lambda stick: str(stick.outside / "b.png"),
    "up": lambda stick: f"{stick.folder}/frames/../../system/b.png",
    "up at once": lambda stick: f"{stick.folder}/../system/b.png",
    "proc": lambda stick: f"/proc/self/root{stick.outside}/b.png",
    "proc, below": lambda stick: f"{stick.folder}/proc/b.png",
    "a link": lambda stick: f"{stick.folder}/link/b.png",
    "a link on the way": lambda stick: f"{stick.folder}/link/deep/b.png",
    "begins alike": lambda stick: f"{stick.folder}-b/b.png",
    "the folder itself": lambda stick: str(stick.folder),
    "two slashes": lambda stick: f"/{stick.outside}/b.png",
    "long": lambda stick: f"{stick.folder}/{'n' * 300}/b.png",
    "long name": lambda stick: f"{stick.folder}/{'n' * 300}.png",
    "long path": lambda stick: f"{stick.folder}/{'n/' * 3000}b.png",
}


@pytest.mark.parametrize("path", OUT)
@pytest.mark.parametrize("option", [{}, {"below": "stick"}])
def test_nothing_is_written_elsewhere(stick: Stick, path: str, option: dict[str, str]) -> None:
    """A path that is not below the folder of the quarantine, or a link or the disk leads from there, is refused with
    its reason; the file stays, and nothing outside changes."""
    (stick.folder / "link").symlink_to(stick.outside)
    (stick.folder / "proc").symlink_to(f"/proc/self/root{stick.outside}")
    place = stick.put("1/b.png")
    stick.say("1/b.png", OUT[path](stick))
    before, folders = snapshot(stick.outside), sorted(os.listdir(stick.home))
    report = rescue(str(stick.quarantine), **{key: str(stick.home / name) for key, name in option.items()})
    assert (report.restored, len(report.failures)) == (0, 1)
    assert place.read_bytes() == IMAGE
    assert snapshot(stick.outside) == before
    assert sorted(os.listdir(stick.home)) == folders


@pytest.mark.parametrize("place", ["2/a.png", "../../../system/a.png", "/etc/a.png", "2", ".", "..", "1/../2/a.png"])
def test_nothing_is_taken_from_elsewhere(stick: Stick, place: str) -> None:
    """A place that a link, or its name, leads out of the run gives nothing: the file there stays where it is."""
    stick.put("1/b.png")
    stick.say("1/b.png", stick.folder / "b.png")
    (stick.run / "2").symlink_to(stick.outside)
    stick.say(place, stick.folder / "stolen.png")
    before = snapshot(stick.outside)
    assert rescue(str(stick.quarantine)).restored == 1
    assert snapshot(stick.outside) == before
    assert not (stick.folder / "stolen.png").exists()


def test_place_that_becomes_a_link_after_it_was_asked(stick: Stick) -> None:
    """What a person agreed to is looked at once more: a link put there in the meantime is not followed."""
    stick.put("1/a.png")
    stick.say("1/a.png", stick.folder / "frames" / "a.png")
    plan = plan_rescue(str(stick.quarantine))
    shutil.rmtree(stick.run / "1")
    (stick.run / "1").symlink_to(stick.outside)
    (stick.folder / "frames").symlink_to(stick.outside)
    before = snapshot(stick.outside)
    assert execute_plan(plan, limits=Limits()).restored == 0
    assert snapshot(stick.outside) == before


@pytest.mark.parametrize("moment", ["check_image", "is_same_directory_entry", "move_no_replace"])
def test_folders_exchanged_for_links_meanwhile(stick: Stick, monkeypatch: pytest.MonkeyPatch, moment: str) -> None:
    """Whoever puts links in the place of folders while a file moves leads it nowhere else."""
    stick.put("1/b.png")
    (stick.folder / "frames").mkdir()
    stick.say("1/b.png", stick.folder / "frames" / "b.png")
    real, done = getattr(work, moment), list[int]()

    def exchanging(*given: Any, **more: Any) -> Any:
        if not done:
            done.append(1)
            for folder in (stick.run / "1", stick.folder / "frames"):
                folder.rename(f"{folder}-away")
                folder.symlink_to(stick.outside)
        return real(*given, **more)

    monkeypatch.setattr(work, moment, exchanging)
    before = snapshot(stick.outside)
    rescue(str(stick.quarantine))
    assert done
    assert snapshot(stick.outside) == before
    assert IMAGE in contents(stick.folder)


@pytest.mark.parametrize(
    ("name", "target", "data"),
    [
        ("x.png", "evil", IMAGE),
        ("evil", "x.png", IMAGE),
        ("x.png", ".png", IMAGE),
        ("x.png", "x.png.sh", IMAGE),
        ("x.png", "x.png", b"* * * * * root touch /tmp/owned\n"),
        ("x.png", "x.png", b""),
        ("x.jpg", "x.jpg", b"#!/bin/sh\n" + IMAGE),
        ("x.gif", "x.gif", b"GIF89a" + bytes(100)),
    ],
)
def test_only_images_are_written(stick: Stick, name: str, target: str, data: bytes) -> None:
    """What has not the name of an image, here or there, or no header of one, stays in the quarantine; no folder is
    made for it."""
    place = stick.put(f"1/{name}", data)
    stick.say(f"1/{name}", stick.folder / "new" / target, data)
    report = rescue(str(stick.quarantine))
    assert (report.restored, len(report.failures)) == (0, 1)
    assert place.read_bytes() == data
    assert not (stick.folder / "new").exists()


def test_file_of_other_bytes_makes_no_folder(stick: Stick) -> None:
    """The bytes are compared before anything is written."""
    place = stick.put("1/b.png", picture(stamp=5))
    stick.say("1/b.png", stick.folder / "new" / "b.png")
    assert rescue(str(stick.quarantine)).restored == 0
    assert place.exists()
    assert not (stick.folder / "new").exists()


def test_file_over_the_limit_is_not_read(stick: Stick) -> None:
    """A file that is larger than ingest would read stays; it is not taken into memory."""
    place = stick.put("1/b.png")
    os.truncate(place, 1 << 40)
    entry = Entry(str(stick.folder / "b.png"), 1 << 40, "0" * 64, "/k", "2026")
    (stick.run / MANIFEST_NAME).write_text("\n" + json.dumps({"place": "1/b.png", **asdict(entry)}))
    [(_, why)] = rescue(str(stick.quarantine)).failures
    assert "INDEXER_MAX_BYTES" in why
    assert place.exists()


@pytest.mark.parametrize("bits", [stat.S_ISUID, stat.S_ISGID, stat.S_ISVTX | stat.S_ISUID])
@pytest.mark.parametrize("is_writable", [True, False])
def test_special_bits_are_not_carried_over(
    stick: Stick, monkeypatch: pytest.MonkeyPatch, bits: int, is_writable: bool
) -> None:
    """A file comes back with its rights to read and write, and without setuid, setgid and sticky bits."""
    place = stick.put("1/b.png")
    place.chmod(0o640 | bits)
    os.utime(place, ns=(1, 1_600_000_000_123_456_789))
    stick.say("1/b.png", stick.folder / "b.png")
    real = os.access
    monkeypatch.setattr(
        os,
        "access",
        lambda path, mode, **how: (is_writable or QUARANTINE_NAME not in str(path)) and real(path, mode, **how),
    )
    assert rescue(str(stick.quarantine)).failures == []
    status = (stick.folder / "b.png").stat()
    assert (stat.S_IMODE(status.st_mode), status.st_mtime_ns) == (0o640, 1_600_000_000_123_456_789)
    assert ((stick.folder / "b.png").read_bytes(), place.exists()) == (IMAGE, not is_writable)


def test_special_bits_of_another_name_stay(stick: Stick) -> None:
    """A file outside that the one in quarantine is a second name of keeps its mode and its bytes."""
    (stick.outside / "a.png").chmod(0o4755)
    (stick.run / "1").mkdir()
    (stick.run / "1" / "a.png").hardlink_to(stick.outside / "a.png")
    stick.say("1/a.png", stick.folder / "a.png")
    before = snapshot(stick.outside)
    assert rescue(str(stick.quarantine)).restored == 1
    assert snapshot(stick.outside) == before
    assert stat.S_IMODE((stick.folder / "a.png").stat().st_mode) == 0o755


def test_quarantine_of_another_name_needs_an_option(tmp_path: Path) -> None:
    """What was made elsewhere, or renamed, or copied out, says nothing of where files may go; a person does."""
    stick = Stick(tmp_path, name="bin")
    (stick.quarantine / QUARANTINE_MARKER).touch()
    frames = tmp_path / "lot" / "frames"
    stick.put("1/b.png")
    stick.say("1/b.png", frames / "b.png")
    [(_, why)] = rescue(str(stick.quarantine)).failures
    assert "--below FOLDER" in why
    assert not frames.exists()
    assert rescue(str(stick.quarantine), below=str(tmp_path / "lot")).failures == []
    assert (frames / "b.png").read_bytes() == IMAGE


def test_link_to_the_quarantine_lies_beside_the_images(stick: Stick) -> None:
    """Where `.indexer-quarantine` is a link to another disk, the folder that holds the link is that of the images."""
    lot = stick.home / "lot"
    lot.mkdir()
    (lot / QUARANTINE_NAME).symlink_to(stick.quarantine)
    stick.put("1/b.png")
    stick.say("1/b.png", lot / "b.png")
    assert rescue(str(lot / QUARANTINE_NAME)).failures == []
    assert (lot / "b.png").read_bytes() == IMAGE


def test_below_by_another_name(stick: Stick) -> None:
    """`--below` may name a folder by a link, and the manifest by either name: the person's link is followed."""
    (stick.home / "link").symlink_to(stick.outside)
    for number, folder in enumerate((stick.outside, stick.home / "link")):
        stick.put(f"{number}/{number}.png")
        stick.say(f"{number}/{number}.png", folder / f"{number}.png")
    assert rescue(str(stick.quarantine), below=str(stick.home / "link")).failures == []
    assert sorted(os.listdir(stick.outside)) == ["0.png", "1.png", "a.png"]


def test_below_leaves_the_rest(stick: Stick) -> None:
    """Of a quarantine with files of several folders those below the named one come back."""
    for number in range(2):
        stick.put(f"{number}/{number}.png")
        stick.say(f"{number}/{number}.png", stick.folder / f"day-{number}" / f"{number}.png")
    report = rescue(str(stick.quarantine), below=str(stick.folder / "day-1"))
    assert (report.restored, [path for path, _ in report.failures]) == (1, [str(stick.folder / "day-0" / "0.png")])
    assert (stick.folder / "day-1" / "1.png").exists()
    assert (stick.run / "0" / "0.png").exists()


def test_into_keeps_the_paths_below_the_common_folder(stick: Stick) -> None:
    """`--into` puts all files below its folder, by their paths in the innermost folder that they had in common."""
    for number, path in enumerate(("/lost/lot/day/a.png", "/lost/lot/night/b.png", "/lost/lot/c.png")):
        stick.put(f"{number}/{number}.png", picture(stamp=number))
        stick.say(f"{number}/{number}.png", path, picture(stamp=number))
    target = stick.home / "new"
    assert rescue(str(stick.quarantine), into=str(target)).failures == []
    found = {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*.png")}
    assert found == {"day/a.png": picture(), "night/b.png": picture(stamp=1), "c.png": picture(stamp=2)}
    assert not os.path.lexists("/lost")


@pytest.mark.parametrize(
    "path", ["/x/../../system/b.png", "/x/./b.png", "/../b.png", f"/{'n' * 300}/b.png", "/link/b.png"]
)
def test_into_leads_nowhere_else(stick: Stick, path: str) -> None:
    """No path leads out of the folder that `--into` names."""
    (stick.home / "new").mkdir()
    (stick.home / "new" / "link").symlink_to(stick.outside)
    for place, said in (("1/b.png", path), ("2/c.png", "/c.png")):
        stick.put(place)
        stick.say(place, said)
    before = snapshot(stick.outside)
    assert rescue(str(stick.quarantine), into=str(stick.home / "new")).restored == 1
    assert snapshot(stick.outside) == before
    assert (stick.home / "new" / "c.png").exists()


@pytest.mark.parametrize(
    "options",
    [{"below": "/a", "into": "/a"}, {"below": ""}, {"into": ""}, {"into": "/a\0b"}],
)
def test_options_that_make_no_sense(stick: Stick, options: dict[str, str]) -> None:
    """Both options at once, or one without a name: a sentence, and nothing is moved."""
    place = stick.put("1/b.png")
    stick.say("1/b.png", stick.folder / "b.png")
    with pytest.raises(UsageError):
        rescue(str(stick.quarantine), **options)
    assert place.exists()


def test_records_and_locks_elsewhere_are_not_touched(stick: Stick) -> None:
    """The keeper that a manifest names leads to no record or lock outside of the folder, by its path or by a link."""
    for folder in (stick.outside / QUARANTINE_NAME, stick.home / "far" / QUARANTINE_NAME):
        folder.mkdir(parents=True)
        (folder / RECORD_NAME).write_bytes(b"")
    (stick.folder / "frames").mkdir()
    (stick.folder / "frames" / QUARANTINE_NAME).symlink_to(stick.home / "far" / QUARANTINE_NAME)
    stick.put("1/b.png")
    stick.say("1/b.png", stick.folder / "frames" / "b.png", keeper=stick.outside / "a.png")
    before = snapshot(stick.outside), snapshot(stick.home / "far")
    assert rescue(str(stick.quarantine)).failures == []
    assert (snapshot(stick.outside), snapshot(stick.home / "far")) == before


@pytest.mark.parametrize("name", [LOCK_NAME, RECORD_NAME])
@pytest.mark.parametrize("kind", ["link", "pipe", "folder"])
def test_own_files_that_are_none(stick: Stick, name: str, kind: str) -> None:
    """A lock or a record that is a link, a pipe or a folder stops nobody for ever and leads nowhere."""
    path = stick.quarantine / name
    {"link": lambda: path.symlink_to(stick.outside / "new"), "pipe": lambda: os.mkfifo(path), "folder": path.mkdir}[
        kind
    ]()
    stick.put("1/b.png")
    stick.say("1/b.png", stick.folder / "b.png")
    rescue(str(stick.quarantine))
    assert os.listdir(stick.outside) == ["a.png"]
    assert contents(stick.folder) == {IMAGE}


FOLDERS = ["frames", "frames/day", "other"]
links = st.dictionaries(
    st.sampled_from([*FOLDERS, f"{QUARANTINE_NAME}/run-1/1", f"{QUARANTINE_NAME}/run-1/2", f"{QUARANTINE_NAME}/run-2"]),
    st.sampled_from(["../system", "system", ".", "frames", QUARANTINE_NAME, "/", "nowhere", "../../../../system"]),
    max_size=3,
)
places = st.sampled_from(["1/a.png", "2/a.png", "2/b.png", "1/a.sh", "../a.png", "../../frames/a.png", "1/../2/a.png"])
paths = st.sampled_from(
    [
        *(f"stick/{folder}/{name}" for folder in FOLDERS for name in ("a.png", "b.png", "a.sh")),
        "system/a.png",
        "system/b.png",
        "stick/../system/b.png",
        "stick/.indexer-quarantine/run-1/1/a.png",
        "stick/.indexer-quarantine/run-9/1/a.png",
    ]
)
kinds = st.sampled_from([IMAGE, picture(stamp=1), b"no image"])


@settings(deadline=None, max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    links=links,
    present=st.dictionaries(places.filter(lambda place: ".." not in place), kinds, max_size=3),
    there=st.dictionaries(paths.filter(lambda path: path.startswith("stick/f")), kinds, max_size=2),
    said=st.lists(st.tuples(places, paths, kinds), max_size=4),
    option=st.sampled_from([{}, {"below": "stick"}, {"below": "stick/frames"}, {"into": "stick/other"}]),
)
@example({"frames": "../system"}, {"1/a.png": IMAGE}, {}, [("1/a.png", "stick/frames/b.png", IMAGE)], {})
@example({f"{QUARANTINE_NAME}/run-1/2": "../../../../system"}, {}, {}, [("2/a.png", "stick/frames/b.png", IMAGE)], {})
@example(
    {"frames": "../system"},
    {"1/a.png": IMAGE},
    {},
    [("1/a.png", "stick/frames/a.png", IMAGE)],
    {"below": "stick/frames"},
)
@example(
    {"frames": "../system"},
    {"1/a.png": IMAGE},
    {},
    [("1/a.png", "stick/frames/b.png", IMAGE)],
    {"below": "stick/frames"},
)
def test_any_tree(
    tmp_path: Path,
    links: dict[str, str],
    present: dict[str, bytes],
    there: dict[str, bytes],
    said: list[tuple[str, str, bytes]],
    option: dict[str, str],
) -> None:
    """In whatever tree, with whatever links and manifest: nothing outside of the folder changes, no file in it is
    changed or gone, and what lay in the quarantine is there or where a person may find it. A link that a person names
    as the folder for files is the folder that it leads to: files may come there, and none that is there changes."""
    shutil.rmtree(tmp_path / "world", ignore_errors=True)
    stick = Stick(tmp_path / "world")
    made = {stick.folder / name: target for name, target in links.items()}
    made |= {stick.run / name: data for name, data in present.items()}
    made |= {stick.home / name: data for name, data in there.items()}
    for path, what in made.items():
        if not any(parent.is_symlink() for parent in [path, *path.parents]) and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.symlink_to(what) if isinstance(what, str) else path.write_bytes(what)
    for place, target, data in said:
        stick.say(place, stick.home / target, data)
    outside = snapshot(stick.outside)
    inside = {path: found for path, found in snapshot(stick.folder).items() if QUARANTINE_NAME not in path}
    before = contents(stick.folder)
    with suppress(IndexerError):
        rescue(str(stick.quarantine), **{key: str(stick.home / name) for key, name in option.items()})
    named = os.path.realpath(stick.home / next(iter(option.values()), "stick"))
    after = snapshot(stick.outside)
    changed = {path: found for path, found in after.items() if path in outside or not path.startswith(f"{named}/")}
    assert changed == outside
    assert sorted(os.listdir(stick.home)) == ["stick", "system"]
    after = snapshot(stick.folder)
    assert {path: after.get(path) for path in inside} == inside
    # A person may name a link: a copy whose bytes lie already where it leads is not needed in the quarantine any more.
    assert contents(stick.folder) <= before <= contents(stick.folder) | contents(stick.outside)
    new = [Path(path) for path in after.keys() - inside.keys() if QUARANTINE_NAME not in path and Path(path).is_file()]
    assert all(path.suffix == ".png" and path.read_bytes() != b"no image" for path in new if path.name not in OWN_FILES)
