"""`run`: one command takes in, compares and, if the file says so, removes; one document and one exit code."""

from pathlib import Path

import pytest

from indexer.cli.session import CommandSession
from indexer.domain import removal
from indexer.errors import DatabaseError
from indexer.workflows.compare import compare
from indexer.workflows.removal import prune
from tests.support.command import Run, draw

FILE = """\
folders = ["lot", {path = "yard", camera = "south", timezone = "Asia/Tokyo"}]
processes = 1
[profiles]
south = "plain"
"""


@pytest.fixture
def site(lot: Path) -> Path:
    """A folder with a file, the folder `lot` of six frames, and `yard` of two that are the same."""
    home = lot.parent
    (home / "indexer.toml").write_text(FILE)
    for minute in (0, 1):
        draw(home / "yard" / f"x_2026_03_01__12_0{minute}_00.png", cars=(2,))
    return home


def images(folder: Path) -> dict[str, bytes]:
    """The images of both folders with their bytes."""
    return {path.name: path.read_bytes() for name in ("lot", "yard") for path in (folder / name).iterdir()}


def test_nothing_is_removed_unless_the_file_says_so(run: Run, site: Path) -> None:
    """Both folders are taken in, each named as the file says, and decided by its camera's profile; no file goes."""
    before = images(site)
    answer = run("run", "--json")
    document = answer.document
    assert (answer.code, answer.err) == (0, "")
    assert [report["outcomes"] for report in document["ingest"]] == [{"added": 6}, {"added": 2}]
    decided = {item["camera"]: (item["profile"], item["duplicates"]) for item in document["compare"]["cameras"]}
    assert decided == {"gate": ("balanced", 3), "south": ("plain", 1)}
    assert document["prune"] is None
    assert images(site) == before
    assert run("explain", "x_2026_03_01__12_00_00.png", "--json").document["captured_at"].startswith("2026-03-01T03")


def test_files_are_removed_if_the_file_says_so(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With `prune = true` the duplicates go whole to the quarantine of the file; the others stay as they are. Nobody is
    asked, even on a terminal."""
    monkeypatch.setattr(CommandSession, "is_interactive", property(lambda _: True))
    (site / "indexer.toml").write_text(FILE + '[run]\nprune = true\nquarantine = "away"\n')
    before = images(site)
    assert run("run", "--no-prune", "--json").document["prune"] is None
    assert images(site) == before
    answer = run("run", "--json")
    assert (answer.document["prune"]["removed"], answer.err) == (4, "")
    left = images(site)
    assert (len(left), left.items() <= before.items()) == (4, True)
    moved = {path.read_bytes() for path in (site / "away").rglob("*.png")}
    assert moved == {before[name] for name in before.keys() - left.keys()}
    again = run("run", "--json")
    assert (again.code, again.document["prune"]["run_id"], again.document["profiles"]) == (0, None, [])
    assert images(site) == left


def test_the_index_is_that_of_the_single_commands(run: Run, site: Path) -> None:
    """`run` makes the rows, decisions and scores that `ingest` and `compare` make, and removes what `prune` plans."""
    facts = (
        "SELECT path, root, state, captured_at, captured_at_source, content_hash, mtime_ns FROM images ORDER BY path",
        "SELECT path, verdict, keeper_path, score, reason, profile FROM audit_decisions ORDER BY path",
        "SELECT image_a_path, image_b_path, score FROM audit_scores ORDER BY image_a_path, image_b_path",
    )

    def rows(*options: str) -> list[list[list[object]]]:
        return [run(*options, "audit", "--sql", sql, "--json").document["rows"] for sql in facts]

    assert run("run").code == 0
    other = ("--db", "other.db")
    for words in (
        ("ingest", "lot", "--also-here"),
        ("ingest", "yard", "--also-here"),
        ("profile", "use", "plain", "--camera", "south"),
        ("compare",),
    ):
        assert run(*other, *words).code == 0, words
    assert rows() == rows(*other)
    before = images(site)
    planned = {
        Path(item["victim"]["path"]).name for item in run(*other, "prune", "--dry-run", "--json").document["victims"]
    }
    (site / "indexer.toml").write_text(FILE + "[run]\nprune = true\n")
    assert run("run", "--json").document["prune"]["removed"] == len(planned) > 0
    assert before.keys() - images(site).keys() == planned


def test_a_camera_that_would_lose_too_much_is_held_back(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`max_share` of the file holds: the camera's files stay, and the exit code says that a person must look."""
    monkeypatch.setattr(removal, "MIN_GUARDED_IMAGES", 2)
    (site / "indexer.toml").write_text(FILE + "[run]\nprune = true\nmax_share = 0.4\n")
    before = images(site)
    answer = run("run", "--json")
    assert answer.code == 1
    assert answer.document["prune"]["held_back"].keys() == {"gate", "south"}
    assert answer.err != ""
    assert images(site) == before


def test_text_has_each_step(run: Run, site: Path) -> None:
    """People read what each step did, and not which command would be the next step."""
    (site / "indexer.toml").write_text(FILE + "[run]\nprune = true\n")
    out = run("run").out
    assert (
        out.index("6 files seen") < out.index("2 files seen") < out.index("duplicates") < out.index("4 files removed")
    )
    assert "Next:" not in out
    quiet = run("run", "--quiet")
    assert (quiet.code, quiet.out, quiet.err) == (0, "", "")


def test_what_is_missing_is_named(run: Run, own_home: Path) -> None:
    """Without a file, without folders, and with a folder that is not there, nothing is written; a folder that nobody
    typed is named with the file that lists it."""
    assert "there is no indexer.toml here or above" in run("run").sentence
    (own_home / "indexer.toml").write_text("processes = 1\n")
    answer = run("run")
    assert (answer.code, "has no folders; write a line such as: folders =" in answer.sentence) == (2, True)
    (own_home / "lot").mkdir()
    (own_home / "indexer.toml").write_text('folders = ["lot", {path = "away", timezone = "UTC"}]')
    draw(own_home / "lot" / "gate_2026_03_01__12_00_00.png")
    answer = run("run")
    named = [str(own_home / name) in answer.sentence for name in ("away", "indexer.toml", "lot")]
    assert (answer.code, named) == (1, [True, True, False])
    assert not (own_home / "indexer.db").exists()


def test_profiles_and_cameras_that_are_not_there(run: Run, site: Path) -> None:
    """A profile that does not exist is refused; a camera that the index does not have is a warning."""
    file = site / "indexer.toml"
    file.write_text(FILE + 'north = "plain"\n')
    answer = run("run", "--json")
    assert (answer.code, answer.document["unknown_cameras"], "'north'" in answer.err) == (0, ["north"], True)


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("text", ['gate = "nonsense"\n', "[run]\nprune = true\n"])
def test_an_unknown_profile_is_refused_before_anything_is_written(
    run: Run, site: Path, text: str, is_known: bool
) -> None:
    """A profile that no index has ends the command before a folder is taken in, with an index and without one."""
    if is_known:
        assert run("ingest", "lot", "--processes", 1).code == 0
    (site / "indexer.toml").write_text(('profile = "nonsense"\n' if "prune" in text else "") + FILE + text)
    before = images(site)
    answer = run("run", "--json")
    assert (answer.code, "there is no profile 'nonsense'" in answer.document["error"]) == (1, True)
    assert images(site) == before
    assert (site / "indexer.db").exists() is is_known
    if is_known:
        assert run("audit", "--sql", "SELECT count(*) FROM images", "--json").document["rows"] == [[6]]


@pytest.mark.parametrize("how", ["", ', timezone = "UTC"', ", pattern = '(?P<camera>nowhere)'"])
def test_a_folder_without_images_stops_no_other_one(run: Run, site: Path, how: str) -> None:
    """What is empty, alone or beside others, or has no name that the pattern matches, is left alone and named; the
    others are taken in, compared and pruned."""
    (site / "new").mkdir()
    if "pattern" in how:
        draw(site / "new" / "x.png")
    folders = f'folders = [{{path = "new"{how}}}, "lot"]\nprocesses = 1\n[run]\nprune = true\n'
    (site / "indexer.toml").write_text(folders)
    answer = run("run", "--json")
    assert (answer.code, answer.document["prune"]["removed"]) == (1, 3)
    refused = [item for report in answer.document["ingest"] for item in report["refused"]]
    assert [path for path, _ in refused] == [str(site / "new")]
    assert len(list((site / "lot").iterdir())) == 3
    assert str(site / "new") in answer.err
    (site / "indexer.toml").write_text(f'folders = [{{path = "new"{how}}}]')
    assert run("run").code == 1


def test_another_index_is_refused_before_anything_is_written(
    run: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another index has images of one of the folders, no folder is taken in, and nobody is asked, even on a
    terminal; `--also-here` is the answer."""
    assert run("--db", "other.db", "ingest", "yard", "--processes", 1).code == 0
    monkeypatch.setattr(CommandSession, "is_interactive", property(lambda _: True))
    answer = run("run", "--json")
    assert (answer.code, "--also-here" in answer.document["error"], "[y/N]" in answer.err) == (2, True, False)
    assert not (site / "indexer.db").exists()
    assert run("run", "--also-here").code == 0


@pytest.mark.parametrize("is_known", [False, True])
@pytest.mark.parametrize("quarantine", ["lot/away", "indexer.toml"])
def test_a_bad_quarantine_is_refused_before_anything_is_written(
    run: Run, site: Path, quarantine: str, is_known: bool
) -> None:
    """A quarantine inside a folder of images, or that is a file, ends the command before a folder is taken in."""
    if is_known:
        assert run("ingest", "yard", "--processes", 1).code == 0
    (site / "indexer.toml").write_text(FILE + f'[run]\nprune = true\nquarantine = "{quarantine}"\n')
    before = images(site)
    answer = run("run", "--json")
    assert (answer.code, "the quarantine" in answer.document["error"], images(site)) == (1, True, before)
    assert (site / "indexer.db").exists() is is_known
    if is_known:
        assert run("audit", "--sql", "SELECT count(*) FROM images", "--json").document["rows"] == [[2]]
    assert run("run", "--no-prune").code == 0


def test_what_was_done_before_an_error_is_in_the_document(
    run: Run, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a later step ends the command, its one document has the reports of the steps before, and the error."""
    (site / "indexer.toml").write_text(FILE + "[run]\nprune = true\n")
    whole = dict.fromkeys(run("run", "--no-prune", "--json").document)

    def fail(*_: object, **__: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(prune, "prune", fail)
    document = run("run", "--json").document
    assert (document["error"], document["exit_code"], document["prune"]) == ("the disk is full", 1, None)
    assert [report["outcomes"] for report in document["ingest"]] == [{"unchanged": 6}, {"unchanged": 2}]
    assert len(document["compare"]["cameras"]) == 2
    assert document.keys() == whole.keys()
    monkeypatch.setattr(compare, "compare", fail)
    document = run("run", "--json").document
    assert ([len(report["outcomes"]) for report in document["ingest"]], document["compare"]) == ([1, 1], None)


def test_one_index_wherever_it_is_typed(run: Run, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that names no index means the one beside the file, from its folder and from one below."""
    monkeypatch.chdir(site / "lot")
    first = run("run", "--json")
    monkeypatch.chdir(site)
    again = run("run", "--json")
    assert (first.code, again.code) == (0, 0)
    assert [report["outcomes"] for report in again.document["ingest"]] == [{"unchanged": 6}, {"unchanged": 2}]
    assert [path.relative_to(site) for path in site.rglob("*.db")] == [Path("indexer.db")]
    monkeypatch.chdir("/")
    shown = run("--config", site / "indexer.toml", "config", "show", "--json").document["settings"]
    assert next(item for item in shown if item["name"] == "index") == {
        "name": "index",
        "value": f"{site}/indexer.db",
        "source": "file",
        "where": f"{site}/indexer.toml",
    }
