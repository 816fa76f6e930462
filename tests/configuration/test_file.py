"""The configuration file: where it is found, what it says, and which line is wrong."""

import os
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.configuration.file import (
    Configuration,
    ConfiguredFolder,
    ConfiguredSource,
    find_configuration,
    find_line,
    read_configuration,
)
from indexer.configuration.form import iter_keys
from indexer.errors import ConfigurationError

EVERYTHING = """\
index = "frames.db"
folders = [
    "lot",
    {path = "../yard", pattern = "(?P<camera>x)", timezone = "Asia/Tokyo"},
    {path = "road", camera = "road"},
    {path = "tree", camera_level = 2},
    {path = "gate", scheme = "axis"},
]
timezone = "Europe/Berlin"
frames = "stills"
processes = 2
engine = "dask"
scheduler = "tcp://10.0.0.1:8786"
profile = "plain"

[limits]
max_pixels = 1
max_bytes = 2
max_memory_mb = 3
max_seconds = 4

[profiles]
gate = "night"
"yard 2" = "plain"

[run]
prune = true
max_share = 0.5
quarantine = "/srv/quarantine"

[[record]]
camera = "gate"
source = "rtsp://u:secret@10.0.0.7/1"
"""


def write(folder: Path, text: str | bytes) -> str:
    """A file of that content."""
    path = folder / "indexer.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return str(path)


def test_everything_is_read(tmp_path: Path) -> None:
    """Each key arrives with its value; a path begins at the folder of the file, whatever the working directory is."""
    path = write(tmp_path, EVERYTHING)
    limits = {"max_pixels": 1, "max_bytes": 2, "max_memory_mb": 3, "max_seconds": 4}
    folders = (
        ConfiguredFolder(f"{tmp_path}/lot"),
        ConfiguredFolder(f"{tmp_path.parent}/yard", pattern="(?P<camera>x)", timezone="Asia/Tokyo"),
        ConfiguredFolder(f"{tmp_path}/road", camera="road"),
        ConfiguredFolder(f"{tmp_path}/tree", camera_level=2),
        ConfiguredFolder(f"{tmp_path}/gate", scheme="axis"),
    )
    assert read_configuration(path) == Configuration(
        path=path,
        index=f"{tmp_path}/frames.db",
        folders=folders,
        timezone="Europe/Berlin",
        frames=f"{tmp_path}/stills",
        processes=2,
        engine="dask",
        scheduler="tcp://10.0.0.1:8786",
        profile="plain",
        profiles={"gate": "night", "yard 2": "plain"},
        prune=True,
        max_share=0.5,
        quarantine="/srv/quarantine",
        record=(ConfiguredSource("gate", "rtsp://u:secret@10.0.0.7/1"),),
        **limits,
    )


def test_addresses_and_the_home_folder(tmp_path: Path, own_home: Path) -> None:
    """The address of a server stays as it is; `~` is the home folder."""
    configuration = read_configuration(write(tmp_path, 'index = "postgresql+psycopg://h/d"\nfolders = ["~/lot"]\n'))
    assert configuration.index == "postgresql+psycopg://h/d"
    assert configuration.folders == (ConfiguredFolder(f"{own_home}/lot"),)


MISTAKES: list[tuple[str, str]] = [
    ('indx = "x"', "line 1: there is no key 'indx'; is it index?"),
    ("\n# x\nnothing_like_it = 1", "line 3: there is no key 'nothing_like_it'; there are index, folders, "),
    ("[run]\nprune = true\n\nmax_shar = 1", "line 4: there is no key 'max_shar' in [run]; is it max_share?"),
    ("prune = true", "line 1: there is no key 'prune'; write it below [run]"),
    ('camera = "a"', "line 1: there is no key 'camera'; write it below [[folders]] or [[record]]"),
    ('[run]\nindex = "a"', "line 2: there is no key 'index' in [run]; write it above the first line in brackets"),
    ("[run]\nlimits = 1", "line 2: there is no key 'limits' in [run]; write its keys below [limits]"),
    ('[limits]\nrecord = "x"', "line 2: there is no key 'record' in [limits]; write its keys below [[record]]"),
    ("[[record]]\nprune = true", "line 2: there is no key 'prune' in [[record]]; write it below [run]"),
    ('[run]\nprune = "yes"', "line 2: prune is 'yes'; give true or false"),
    ("[run]\nmax_share = 1.5", "line 2: max_share is 1.5; give a number from 0 to 1"),
    ("[run]\nmax_share = nan", "line 2: max_share is nan; give a number from 0 to 1"),
    ("processes = true", "line 1: processes is true; give a whole number above 0"),
    ("processes = 0", "line 1: processes is 0; give a whole number above 0"),
    ("processes = 2.0", "line 1: processes is 2.0; give a whole number above 0"),
    ("index = 1979-05-27", "line 1: index is a time; give a text in quotes"),
    ('index = ""', "line 1: index is ''; give a text in quotes that is not empty"),
    ('folders = [""]', "line 1: an item of folders is ''; give a text in quotes that is not empty"),
    ('engine = "threads"', 'line 1: engine is \'threads\'; give "processes" or "dask"'),
    ('folders = "lot"', "line 1: folders is 'lot'; give a list in square brackets"),
    (
        'timezone = "UTC"\nfolders = [\n  "lot",\n  7,\n]',
        "line 2: an item of folders is 7; give a text in quotes that is not empty, or a table",
    ),
    (
        '[[folders]]\npath = "a"\n[[folders]]\npatern = "b"',
        "line 4: there is no key 'patern' in [[folders]]; is it pattern?",
    ),
    ('[[folders]]\ncamera = "a"', "line 1: the key path is missing in [[folders]]"),
    ("record = [3]", "line 1: 3 is there instead of a table; write its keys below [[record]]"),
    ('[record]\ncamera = "a"', "line 1: record is a table; write its keys below [[record]]"),
    ('timezone = "UTC"\n[folders]\npath = "a"', "line 2: folders is a table; write its keys below [[folders]]"),
    ("profiles = 3", "line 1: 3 is there instead of a table; write its keys below [profiles]"),
    ("[profiles]\ngate = 3", "line 2: gate is 3; give a text in quotes"),
    ('[[record]]\ncamera = "a"', "line 1: the key source is missing in [[record]]"),
    ('folders = [\n  "lot",\n  {path = "a", patern = "b"},\n]', "line 3: there is no key 'patern' in [[folders]]"),
    ("[profiles]\nrun = 'plain'\n[run]\nprune = 1", "line 4: prune is 1; give true or false"),
    ("index = " + 20_000 * "[", " is not valid TOML: its lists or tables are too deep"),
    ("index = [1", " is not valid TOML: unclosed array"),
    ("a = 1\na = 2\n", " is not valid TOML: cannot overwrite a value (at line 2, column 6)"),
]


@pytest.mark.parametrize(("text", "sentence"), MISTAKES)
def test_mistakes_are_refused_with_their_line(tmp_path: Path, text: str, sentence: str) -> None:
    """An unknown key and a value of the wrong kind are refused, with the line and with what to write."""
    path = write(tmp_path, text)
    with pytest.raises(ConfigurationError) as problem:
        read_configuration(path)
    assert sentence in str(problem.value)
    assert str(problem.value).startswith(repr(path))


def test_files_that_are_no_text(tmp_path: Path) -> None:
    """Bytes that are no UTF-8, a huge file, a folder and a missing file are refused with the path."""
    with pytest.raises(ConfigurationError, match="line 2: it is not UTF-8"):
        read_configuration(write(tmp_path, b"# a\n# \xff\n"))
    with pytest.raises(ConfigurationError, match="has more than 65536 bytes"):
        read_configuration(write(tmp_path, "#" * 65_537))
    for path in (tmp_path, tmp_path / "missing.toml"):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            read_configuration(str(path))


def test_a_mark_of_the_encoding_is_no_mistake(tmp_path: Path) -> None:
    """Editors of Windows begin a file in UTF-8 with a byte order mark, and end its lines with a return."""
    path = write(tmp_path, b'\xef\xbb\xbf# caf\xc3\xa9\r\nprofile = "plain"\r\n')
    assert read_configuration(path).profile == "plain"
    with pytest.raises(ConfigurationError, match="line 1: there is no key 'profil'; is it profile"):
        read_configuration(write(tmp_path, b'\xef\xbb\xbfprofil = "plain"'))


VALUES: dict[str, Any] = {"index": '"x"', "processes": "3", "timezone": '"UTC"', "profile": '"plain"'}


@given(st.permutations(sorted(VALUES)), st.lists(st.sampled_from(["", "# = [", "#", "   "]), min_size=4, max_size=4))
def test_lines_are_those_of_the_keys(order: list[str], between: list[str]) -> None:
    """Whatever stands between the keys, the line that is found for each is the one that it stands on."""
    lines = [line for key, blank in zip(order, between, strict=True) for line in (blank, f"{key} = {VALUES[key]}")]
    found = {key: find_line("\n".join(lines), (key,)) for key in order}
    assert {key: lines[number - 1].split(" ")[0] for key, number in found.items()} == {key: key for key in order}


def test_nearest_file_above_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of the working directory is taken, else that of the nearest folder above it."""
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    upper, lower = write(tmp_path, "processes = 1"), write(below.parent, "processes = 2")
    monkeypatch.chdir(below)
    assert find_configuration({}).path == lower
    os.unlink(lower)
    assert find_configuration({}) == replace(Configuration(), path=upper, processes=1)


def test_file_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """INDEXER_CONFIG names a file, or `off`; a file that is named must be there."""
    write(tmp_path, "processes = 1")
    other = tmp_path / "other.toml"
    other.write_text("processes = 2")
    monkeypatch.chdir(tmp_path)
    assert find_configuration({"INDEXER_CONFIG": "other.toml"}).processes == 2
    assert find_configuration({"INDEXER_CONFIG": "off"}) == Configuration(is_off=True)
    assert find_configuration({"INDEXER_CONFIG": ""}).processes == 1
    with pytest.raises(ConfigurationError, match=r"missing\.toml' cannot be read: No such file"):
        find_configuration({"INDEXER_CONFIG": "missing.toml"})
    with pytest.raises(ConfigurationError, match="--config is empty"):
        find_configuration({"INDEXER_CONFIG": ""}, is_typed=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
def test_file_of_another_user_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that another user put above the working directory is refused, unless it is named."""
    path = write(tmp_path, "processes = 1")
    os.chown(path, 12345, -1)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigurationError, match="belongs to another user; type --config"):
        find_configuration({})
    assert find_configuration({"INDEXER_CONFIG": path}).processes == 1


def test_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a working directory that was deleted there is no file."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert find_configuration({}) == Configuration()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a link to another user")
def test_link_of_another_user_is_not_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that another user made is refused, whoever owns the file that it leads to; one's own link is followed."""
    (tmp_path / "work").mkdir()
    (tmp_path / "mine.toml").write_text("processes = 1")
    link = tmp_path / "work" / "indexer.toml"
    link.symlink_to(tmp_path / "mine.toml")
    monkeypatch.chdir(tmp_path / "work")
    assert find_configuration({}).processes == 1
    os.lchown(link, 12345, -1)
    with pytest.raises(ConfigurationError, match="belongs to another user; type --config"):
        find_configuration({})


def test_file_that_cannot_be_looked_at(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A link that leads nowhere or to itself, and an error of the disk, are refused: they are not no file."""
    write(tmp_path, "processes = 1")
    below = tmp_path / "work"
    below.mkdir()
    monkeypatch.chdir(below)
    for target in ("nowhere.toml", "indexer.toml", "/dev/null/x"):
        (below / "indexer.toml").symlink_to(target)
        with pytest.raises(ConfigurationError, match="cannot be read"):
            find_configuration({})
        (below / "indexer.toml").unlink()
    usual = os.lstat

    def lstat(path: str) -> os.stat_result:
        if path == str(below / "indexer.toml"):
            raise PermissionError(13, "Permission denied")
        return usual(path)

    monkeypatch.setattr(os, "lstat", lstat)
    with pytest.raises(ConfigurationError, match=r"cannot be read \(Permission denied\)"):
        find_configuration({})


@pytest.mark.parametrize("scheme", ["sqlite", "sqlite+pysqlite"])
def test_address_of_a_file_begins_at_the_folder_of_the_file(tmp_path: Path, scheme: str) -> None:
    """A relative address of SQLite is a path of the file, as every other one; what is not clear is refused."""
    for name in ("frames.db", "../frames.db", "a b/frames.db"):
        written = read_configuration(write(tmp_path, f'index = "{scheme}:///{name}"'))
        assert written.index == os.path.normpath(f"{tmp_path}/{name}")
    for address in (f"{scheme}:////srv/frames.db", f"{scheme}:////srv/frames.db?timeout=1"):
        assert read_configuration(write(tmp_path, f'index = "{address}"')).index == address
    for address in ("frames.db?timeout=1", "file:frames.db?uri=true"):
        with pytest.raises(ConfigurationError, match="write only the path"):
            read_configuration(write(tmp_path, f'index = "{scheme}:///{address}"'))


def test_all_keys_are_tried() -> None:
    """The file with everything has each key that there is, so that none is left untested."""
    document = tomllib.loads(EVERYTHING)
    missing = {key for key in iter_keys() if not has_key(document, key.split("."))}
    assert missing == set()


def has_key(value: Any, keys: list[str]) -> bool:
    """Whether a document has a key, in any item of a list."""
    if isinstance(value, list):
        return any(has_key(item, keys) for item in value)
    return not keys or (isinstance(value, dict) and keys[0] in value and has_key(value[keys[0]], keys[1:]))
