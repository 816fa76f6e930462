"""`--json`: exactly one JSON document on stdout, errors on stderr, whatever the command and its end; `--quiet`."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from indexer.cli.app import app
from indexer.cli.json_documents.admin import ErrorDocument
from indexer.cli.json_documents.by_command import DOCUMENTS
from indexer.cli.render.notes import describe_undecided
from tests.support.command import Run, draw
from tests.support.json_forms import value_problems
from tests.support.live_cameras import web_camera
from tests.support.videos import make_video

WORDS = [
    ("ingest", "lot"),
    ("ingest", "lot", "--dry-run"),
    ("camera", "list"),
    ("camera", "rules"),
    ("camera", "schemes"),
    ("camera", "rules", "--forget", "lot"),
    ("camera", "confirm", "gate"),
    ("compare",),
    ("compare", "--profile", "plain"),
    ("compare", "--profile", "balanced"),
    ("run",),
    ("config", "show"),
    ("config", "completion", "bash"),
    ("status",),
    ("status", "--check", "--silent-after", "0"),
    ("sweep", "--max-score", "500,4000", "--min-contour-area", "100"),
    ("evaluate", "labels.csv"),
    ("evaluate", "labels.csv", "--profile", "plain", "--max-score", "500"),
    ("report", "pages"),
    ("explain", "1"),
    ("explain", "1", "4"),
    ("explain", "1", "4", "--picture", "pair.png"),
    ("verdict", "1", "4", "different"),
    ("verdict", "list"),
    ("verdict", "undo", "4", "1"),
    ("pin", "4"),
    ("pin", "list"),
    ("unpin", "4"),
    ("advise",),
    ("advise", "list"),
    ("advise", "picture", "gate", "map.png"),
    ("audit",),
    ("audit", "families"),
    ("audit", "--sql", "SELECT path, captured_at FROM audit_decisions"),
    ("profile", "list"),
    ("profile", "show", "plain"),
    ("profile", "make", "mine", "--max-score", "2000", "--ignore", "70,0,30,12.5", "--ignore", "0,90,20,10"),
    ("profile", "use", "mine", "--camera", "gate"),
    ("status",),
    ("profile", "list"),
    ("profile", "use", "--active", "--camera", "gate"),
    ("export", "csv", "kept.csv"),
    ("prune", "--dry-run"),
    ("prune", "--yes"),
    ("restore", "--all"),
    ("compare",),
    ("unpin", "--all"),
    ("compare",),
    ("prune", "--yes", "--include-restored"),
    ("recover",),
    ("db", "adopt", ".indexer-quarantine"),
    ("rescue", ".indexer-quarantine", "--yes"),
    ("ingest", "lot"),
    ("purge", "--all", "--dry-run"),
    ("restore", "--all", "--dry-run"),
    ("purge", "--all", "--yes"),
    ("purge", "--gone", "--yes"),
    ("relocate", "lot", "parking", "--dry-run"),
    ("relocate", "lot", "parking", "--yes"),
    ("forget", "parking", "--dry-run"),
    ("forget", "parking", "--yes"),
    ("db", "shrink", "--removed-before", "2026-01-01", "--dry-run"),
    ("db", "shrink", "--removed-before", "2026-01-01"),
    ("review", "--no-open"),
    ("db", "check"),
    ("db", "check", "--hashes"),
    ("db", "upgrade"),
    ("db", "backup", "backup.db"),
    ("db", "copy", "indexer.db", "moved.db"),
    ("db", "make-reader", "ada"),
    ("watch", "clips", "--once"),
    ("record", "live=CAMERA", "--frames", "live", "--every", "0.1", "--min-free", "0", "--duration", "3s"),
    ("ingest", "clips", "--frames", "frames", "--dry-run"),
    ("ingest", "clips", "--frames", "frames"),
    ("explain", "--at", "2021-06-16T12:00:01", "--camera", "pond"),
    ("status",),
    ("explain", "pond-1623844800000.jpg"),
    ("demo",),
]


FORMS = {
    ("explain", "--at", "2021-06-16T12:00:01", "--camera", "pond"): "explain --at",
    ("ingest", "clips", "--frames", "frames", "--dry-run"): "ingest --dry-run",
    ("explain", "1"): "explain A",
    ("explain", "pond-1623844800000.jpg"): "explain A",
    ("explain", "1", "4"): "explain A B",
    ("explain", "1", "4", "--picture", "pair.png"): "explain --picture",
    ("audit", "families"): "audit NAME",
    ("prune", "--dry-run"): "prune --dry-run",
    ("purge", "--all", "--dry-run"): "purge --dry-run",
    ("restore", "--all", "--dry-run"): "restore --dry-run",
    ("ingest", "lot", "--dry-run"): "ingest --dry-run",
    ("verdict", "list"): "verdict list",
    ("relocate", "lot", "parking", "--dry-run"): "relocate --dry-run",
    ("forget", "parking", "--dry-run"): "forget --dry-run",
    ("db", "shrink", "--removed-before", "2026-01-01", "--dry-run"): "db shrink --dry-run",
}


def form_of(words: tuple[str, ...]) -> Any:
    """The form of the document that a command must write."""
    names = [FORMS.get(words, ""), "audit --sql" if "--sql" in words else "", " ".join(words[:2]), words[0]]
    return next(DOCUMENTS[name] for name in names if name in DOCUMENTS)


@pytest.fixture
def sent(run: Run) -> Iterator[Run]:
    """Runs a command, with the address of a live camera where one is named."""
    with web_camera() as camera:
        address = camera.address("stream")
        yield lambda *words: run(*(str(word).replace("CAMERA", address) for word in words))


def commands_of() -> Iterator[tuple[str, ...]]:
    """All commands that manage.py knows."""
    for name, command in typer.main.get_command(app).commands.items():
        subcommands = getattr(command, "commands", None)
        yield from [(name,)] if subcommands is None else ((name, below) for below in subcommands)


def make_clips(folder: Path) -> None:
    """A video of a camera named `pond`, in the folder `clips`."""
    (folder / "clips").mkdir()
    make_video(folder / "clips" / "pond_20210616_120000.mp4", frames=10, rate=5, keyframe_every=5)


def test_every_command(sent: Run, lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command puts one document on stdout, in the form that is written down. On stderr there is nothing but
    warnings: prune warns of images that are not decided."""
    monkeypatch.setenv("INDEXER_PROCESSES", "1")
    make_clips(lot.parent)
    (lot.parent / "indexer.toml").write_text('folders = ["lot"]\n[run]\nprune = false\n')
    (lot.parent / "labels.csv").write_text("image,state\n1,empty\n2,empty\n3,car\n")
    for words in WORDS:
        if "parking" in words and lot.exists():
            lot.rename(lot.with_name("parking"))
        answer = sent(*words, "--json")
        assert answer.code == 0, answer
        assert list(value_problems(answer.document, form_of(words))) == [], words
        undecided = answer.document["undecided"] if words == ("prune", "--yes") else 0
        assert answer.err.splitlines() == [f"indexer: {describe_undecided(undecided)}"] * bool(undecided), words
    shutil.rmtree(answer.document["folder"])  # of the demo, which leaves it to be looked at
    assert set(commands_of()) <= {words[:count] for words in WORDS for count in (1, 2)}


def test_quiet(sent: Run, run: Run, lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --quiet every command says nothing at all; an error is said all the same."""
    monkeypatch.setenv("INDEXER_PROCESSES", "1")
    make_clips(lot.parent)
    (lot.parent / "indexer.toml").write_text('folders = ["lot"]\n[run]\nprune = false\n')
    (lot.parent / "labels.csv").write_text("image,state\n1,empty\n2,empty\n3,car\n")
    for words in WORDS[:-1]:
        if "parking" in words and lot.exists():
            lot.rename(lot.with_name("parking"))
        answer = sent(*words, "--quiet")
        assert (answer.code, answer.out, answer.err) == (0, "", ""), words
    answer = run("explain", "no such image", "--quiet")
    assert (answer.code, answer.err.startswith("indexer: ")) == (1, True)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["status"], 1),
        (["ingest", "nowhere"], 1),
        (["ingest"], 2),
        (["nonsense"], 2),
        (["ingest", "--nonsense", "x"], 2),
        (["purge"], 2),
        (["restore"], 2),
        (["ingest", "x", "--pattern", "x"], 2),
    ],
)
def test_problems(run: Run, own_home: Path, words: list[str], code: int) -> None:
    """A command that was refused says so in one document: the sentence and the exit code."""
    answer = run(*words, "--json")
    assert answer.document == {"error": answer.sentence.removeprefix("indexer: "), "exit_code": code}
    assert answer.code == code
    assert list(value_problems(answer.document, ErrorDocument)) == []


def test_answers(run: Run, decided: Path) -> None:
    """Times are ISO 8601 in UTC, numbers are numbers, and paths are as they are."""
    story = run("explain", "3", "--json").document
    assert (story["path"], story["camera"]) == (str(decided / "gate_2026_03_01__12_02_00.png"), "gate")
    assert story["captured_at"] == "2026-03-01T12:02:00+00:00"
    assert (story["width"], story["height"], story["decisions"][0]["verdict"]) == (640, 480, "keep")


def test_names_that_are_not_utf8(run: Run, own_home: Path) -> None:
    """A name with bytes that are no UTF-8 comes back from JSON as the very name, and shows in words as an escape."""
    folder = own_home / os.fsdecode(b"caf\xe9 \n")
    path = folder / os.fsdecode(b"gate\xff-1772366400000.png")
    folder.mkdir()
    draw(own_home / "plain.png").rename(path)
    assert run("ingest", own_home, "--processes", 1).code == 0
    assert run("explain", "1", "--json").document["path"] == os.fspath(path)
    shown = run("explain", path).out
    assert r"caf\udce9 \n/gate\udcff-1772366400000.png" in shown
    shown.encode()
