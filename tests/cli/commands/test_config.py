"""`config show`: what holds and where it comes from; the command line counts before the environment before the file."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Run, draw

FILE = """\
index = "postgresql+psycopg://ada:secret@host/lot"
folders = ["lot", {path = "yard", timezone = "Asia/Tokyo"}]
timezone = "Europe/Berlin"
processes = 2
[limits]
max_seconds = 30
[run]
prune = true
[[record]]
camera = "gate"
source = "rtsp://u:secret@10.0.0.7/1?token=secret"
"""


def shown(document: Any) -> dict[str, tuple[Any, str, str | None]]:
    """The settings by name: value, source, and where it is."""
    return {item["name"]: (item["value"], item["source"], item["where"]) for item in document["settings"]}


def test_each_setting_has_its_source(run: Run, own_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting comes from the command line, else from the environment, else from the file, else it is the default."""
    file = own_home / "indexer.toml"
    file.write_text(FILE)
    monkeypatch.setenv("INDEXER_PROCESSES", "3")
    document = run("config", "show", "--json").document
    settings = shown(document)
    assert document["file"] == str(file)
    assert settings["index"] == ("postgresql+psycopg://ada:***@host/lot", "file", str(file))
    assert settings["processes"] == (3, "environment", "INDEXER_PROCESSES")
    assert settings["limits.max_seconds"] == (30, "file", str(file))
    assert settings["limits.max_bytes"] == (512 * 2**20, "default", None)
    assert settings["run.prune"] == (True, "file", str(file))
    folders = [{"path": f"{own_home}/lot"}, {"path": f"{own_home}/yard", "timezone": "Asia/Tokyo"}]
    assert settings["folders"] == (folders, "file", str(file))
    assert settings["profiles"] == ({}, "default", None)
    monkeypatch.setenv("INDEXER_DB", "other.db")
    assert shown(run("config", "show", "--json").document)["index"][1:] == ("environment", "INDEXER_DB")
    typed = shown(run("--db", "typed.db", "config", "show", "--json").document)["index"]
    assert typed == (f"{own_home}/typed.db", "command line", "--db")


def test_passwords_are_not_shown(run: Run, own_home: Path) -> None:
    """Neither as text nor as JSON is a password or a token of the file shown, nor in an error about its line."""
    (own_home / "indexer.toml").write_text(FILE)
    for words in (("config", "show"), ("config", "show", "--json")):
        answer = run(*words)
        assert answer.code == 0
        assert "10.0.0.7" in answer.out
        assert "secret" not in answer.out + answer.err


USERS = [
    "u:zqa'wvk", 'u:zqa\\"wvk', "u:zqa wvk", "ada@corp:zqawvk", "u:zqa@wvk", "u:zqa/wvk", "u:zqa?wvk", "u:zqa:wvk",
    "u:'zqawvk'", "u:zqawvk with wvk@home", "u:" + 20 * "wvk",
]  # fmt: skip
HIDDEN = [(scheme, user) for scheme in ("rtsp", "postgresql+psycopg") for user in USERS] + [("rtsp", "zqawvk")]


@pytest.mark.parametrize(("scheme", "user"), HIDDEN)
def test_no_form_of_a_password_is_shown(run: Run, own_home: Path, scheme: str, user: str) -> None:
    """Whatever is in the user part of an address: neither the settings nor an error show a piece of the password."""
    address = f"{scheme}://{user}@10.0.0.7/d?password=zqa'wvk&token=zqawvk"
    key = 'index = "{}"' if scheme != "rtsp" else '[[record]]\ncamera = "gate"\nsource = "{}"'
    (own_home / "indexer.toml").write_text(key.format(address))
    for words in (("config", "show"), ("config", "show", "--json")):
        answer = run(*words)
        assert (answer.code, "10.0.0.7/d" in answer.out) == (0, True)
        assert [piece for piece in ("zqa", "wvk") if piece in answer.out + answer.err] == []
    for text in ('record = ["door={}"]', 'run = "{}"', 'prune = "{}"', '"{}" = 1', '[run]\nprune = "{}"'):
        (own_home / "indexer.toml").write_text(text.format(address))
        answer = run("config", "show", "--json")
        assert answer.code == 2
        assert [piece for piece in ("zqa", "wvk") if piece in answer.out + answer.err] == []


def test_without_a_file(run: Run, own_home: Path) -> None:
    """Without a file all is the default; `--config off` says so where there is one."""
    document = run("config", "show", "--json").document
    assert document["file"] is None
    assert {setting[1] for setting in shown(document).values()} == {"default"}
    (own_home / "indexer.toml").write_text("nonsense = 1")
    assert run("config", "show").code == 2
    assert run("--config", "off", "config", "show", "--json").document["file"] is None
    assert "No file is used: --config or INDEXER_CONFIG is off" in run("--config", "off", "config", "show").out
    assert "no file is used, as --config or INDEXER_CONFIG is off" in run("--config", "off", "run").sentence


def test_a_wrong_file_keeps_nobody_from_help(run: Run, decided: Path) -> None:
    """With a file that has a mistake, help, completion and the rescue of removed files work; other commands refuse."""
    before = {path.name: path.read_bytes() for path in decided.iterdir()}
    assert run("prune", "--yes").code == 0
    (decided.parent / "indexer.toml").write_text("nonsense = 1")
    for words in (("--help",), ("ingest", "--help"), ("config", "show", "--help")):
        answer = run(*words)
        assert (answer.code, "Usage" in answer.out) == (0, True)
    answer = run("config", "completion", "bash")
    assert (answer.code, "'nonsense'" in answer.err) == (0, True)
    assert run("status").code == 2
    assert run("rescue", decided.parent / ".indexer-quarantine", "--yes").code == 0
    assert {path.name: path.read_bytes() for path in decided.iterdir()} == before


def test_all_commands_use_the_index_of_the_file(run: Run, lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command in a folder below the file works with the index that the file names, beside the file."""
    (lot.parent / "indexer.toml").write_text('index = "kept/frames.db"\nprocesses = 1\n')
    (lot.parent / "kept").mkdir()
    monkeypatch.chdir(lot)
    assert run("ingest", ".").code == 0
    assert (lot.parent / "kept" / "frames.db").is_file()
    assert not (lot / "indexer.db").exists()
    assert run("status", "--json").document["database"] == str(lot.parent / "kept" / "frames.db")


def test_proposed_commands_repeat_the_file_that_was_typed(run: Run, lot: Path) -> None:
    """A command that a message proposes has the `--config` that was typed."""
    (lot.parent / "mine.toml").write_text("processes = 1\n")
    assert "manage.py --config mine.toml compare" in run("--config", "mine.toml", "ingest", lot).out
    assert "stands before the command" in run("status", "--config", "mine.toml").err


def test_ingest_names_images_as_the_file_says(run: Run, lot: Path) -> None:
    """`ingest` reads names and times as the file says of the folder; what is typed counts before it."""
    (lot.parent / "indexer.toml").write_text('processes = 1\nfolders = [{path = "lot", timezone = "Asia/Tokyo"}]\n')
    assert run("ingest", "lot").code == 0
    name = "gate_2026_03_01__12_00_00.png"
    assert run("explain", name, "--json").document["captured_at"] == "2026-03-01T03:00:00+00:00"
    assert run("ingest", "lot", "--timezone", "UTC", "--camera", "south").code == 0
    document = run("explain", name, "--json").document
    assert (document["captured_at"], document["camera"]) == ("2026-03-01T12:00:00+00:00", "south")


def test_folders_that_the_file_names_differently(run: Run, lot: Path) -> None:
    """Folders with different names in the file cannot be ingested at once, and a zone that is none is refused."""
    file = lot.parent / "indexer.toml"
    (lot.parent / "yard").mkdir()
    file.write_text('folders = ["lot", {path = "yard", timezone = "Asia/Tokyo"}]')
    assert "type one command for each folder" in run("ingest", "lot", "yard").sentence
    file.write_text('folders = [{path = "lot", timezone = "Nowhere"}]')
    answer = run("ingest", "lot")
    assert (answer.code, str(file) in answer.err, "Nowhere" in answer.err) == (2, True, True)


def camera_of(run: Run, name: str) -> str:
    """The camera that the index has for an image."""
    return str(run("explain", name, "--json").document["camera"])


HOW = ["pattern = '^(?P<camera>[^/]+)/'", "camera_level = 1", "pattern = '^(?P<camera>[^/]+)/.*'\ntimezone = 'UTC'"]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("words", [("ingest",), ("watch", "--once", "--settle", 0, "--no-compare")])
def test_names_of_a_folder_below_begin_at_the_folder_of_the_file(
    run: Run, own_home: Path, how: str, words: tuple[object, ...]
) -> None:
    """Level and pattern are read from the folder that the file says them of, also if a folder below it is named: each
    camera stays one of its own."""
    (own_home / "indexer.toml").write_text(f"processes = 1\n[[folders]]\npath = 'lot'\n{how}\n")
    for camera in ("gateA", "gateB"):
        for hour in (12, 13):
            draw(own_home / "lot" / camera / "2026-03-01" / f"{camera[-1]}_2026_03_01__{hour}_00_00.png")
        assert run(*words, own_home / "lot" / camera).code == 0
        assert (
            run("ingest", own_home / "lot" / camera / "2026-03-01" / f"{camera[-1]}_2026_03_01__13_00_00.png").code == 0
        )
    names = [f"{letter}_2026_03_01__{hour}_00_00.png" for letter in "AB" for hour in (12, 13)]
    assert [camera_of(run, name) for name in names] == ["gateA", "gateA", "gateB", "gateB"]
    assert run("ingest", "lot").code == 0
    assert [camera_of(run, name) for name in names] == ["gateA", "gateA", "gateB", "gateB"]
    assert run(*words, own_home / "lot" / "gateB").code == 0


NESTED = [
    """timezone = "Europe/Berlin"\nfolders = [{path = "lot/yard", timezone = "UTC"}, "lot"]""",
    """folders = ["lot", {path = "lot/yard", camera = "yard"}]""",
    """folders = ["lot", {path = "lot/yard/../../lot", camera = "yard"}]""",
    """folders = [{path = "lot", camera_level = 1}, {path = "lot/yard", camera_level = 1}]""",
]


@pytest.mark.parametrize("text", NESTED)
@pytest.mark.parametrize("words", [("run",), ("ingest", "lot"), ("config", "show")])
def test_folders_that_contradict_each_other(run: Run, lot: Path, text: str, words: tuple[str, ...]) -> None:
    """A folder in another one of the file, with other names, is refused before anything is written."""
    (lot.parent / "indexer.toml").write_text(text)
    draw(lot / "yard" / "x_2026_03_01__12_00_00.png")
    answer = run(*words)
    assert (answer.code, "both say how its images are named" in answer.sentence) == (2, True)
    assert not (lot.parent / "indexer.db").exists()


@pytest.mark.parametrize("words", [("ingest", "lot"), ("config", "show")])
def test_a_zone_that_does_not_exist(run: Run, lot: Path, words: tuple[str, ...]) -> None:
    """The general time zone is checked, also if the file lists no folder, and nothing is written."""
    (lot.parent / "indexer.toml").write_text('timezone = "Mars/Olympus"')
    answer = run(*words)
    assert (answer.code, "there is no time zone 'Mars/Olympus'" in answer.sentence) == (2, True)
    assert "indexer.toml': there is no" in answer.sentence
    assert not (lot.parent / "indexer.db").exists()


def test_a_folder_in_another_one_named_alike(run: Run, lot: Path) -> None:
    """A folder that lies in another one of the file is no contradiction if the file says the same of both."""
    (lot.parent / "indexer.toml").write_text('timezone = "Asia/Tokyo"\nprocesses = 1\nfolders = ["lot/yard", "lot"]')
    draw(lot / "yard" / "x_2026_03_01__12_00_00.png")
    assert run("run").code == 0
    assert run("explain", "x_2026_03_01__12_00_00.png", "--json").document["captured_at"].startswith("2026-03-01T03")


def test_the_general_zone_replaces_no_other_one(run: Run, lot: Path) -> None:
    """A zone that the index remembers holds for a folder that the file does not list; one without a zone gets the
    general one."""
    name, other = "gate_2026_03_01__12_00_00.png", "x_2026_03_01__12_00_00.png"
    assert run("ingest", "lot", "--timezone", "Asia/Tokyo", "--processes", 1).code == 0
    (lot.parent / "indexer.toml").write_text('timezone = "Europe/Berlin"\nprocesses = 1\n')
    draw(lot.parent / "yard" / other)
    for words in (("lot",), ("yard",), ("lot", "yard"), (".",)):
        assert run("ingest", *words).code == 0
        assert run("explain", name, "--json").document["captured_at"] == "2026-03-01T03:00:00+00:00"
    assert run("explain", other, "--json").document["captured_at"] == "2026-03-01T11:00:00+00:00"


def test_defaults_are_shown(run: Run, own_home: Path) -> None:
    """A setting that nobody made has the value that holds; where none does, the text says so."""
    settings = shown(run("config", "show", "--json").document)
    values = {name: settings[name][0] for name in ("engine", "run.prune", "run.max_share", "profile")}
    assert values == {"engine": "processes", "run.prune": False, "run.max_share": 0.99, "profile": None}
    assert "the active one of the index" in run("config", "show").out
    (own_home / "indexer.toml").write_text('scheduler = "tcp://10.0.0.1:8786"\n')
    assert shown(run("config", "show", "--json").document)["engine"] == ("dask", "default", None)
