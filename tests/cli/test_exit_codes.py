"""The exit codes of all commands: 2 if the words alone are wrong, 1 if the disk or the index does not allow it."""

import os
from pathlib import Path

import pytest

from indexer.cli.json_documents.by_command import DOCUMENTS
from tests.support.command import Run

WORDS = [
    "ingest",
    "ingest lot --timezone Nowhere",
    "watch",
    "watch lot --every x",
    "record",
    "record gate",
    "compare --processes 0",
    "run --no-such",
    "prune",  # asks, and nobody can answer
    "prune --max-share 2",
    "restore",
    "rescue",
    "rescue lot --below a --into b",
    "recover x",
    "purge",
    "purge --all --gone",
    "relocate lot",
    "relocate lot lot",
    "forget",
    "status --silent-after x",
    "explain",
    "explain --at yesterday --camera gate",
    "verdict 1 2",
    "pin",
    "unpin",
    "sweep --max-score x",
    "evaluate",
    "report",
    "review --port x",
    "advise --days x",
    "advise dismiss",
    "audit nothing",
    "audit removals limit=x",
    "export nothing kept.csv",
    "export csv",
    "demo x",
    "profile make",
    "profile use plain",
    "profile show",
    "profile list x",
    "camera confirm",
    "camera list x",
    "camera rules x",
    "camera schemes x",
    "db backup",
    "db adopt",
    "db copy indexer.db",
    "db shrink --removed-before never",
    "db make-reader",
    "db upgrade x",
    "db check x",
    "config show x",
    "config completion cmd",
]
WORLD = [
    "ingest nowhere",
    "watch nowhere --once",
    "compare --profile nothing",
    "compare --camera nobody",
    "prune --camera nobody",
    "prune --yes --quarantine taken.txt",
    "prune --yes --quarantine lot/inside",
    "restore --run 99",
    "rescue nowhere --yes",
    "purge --camera nobody --yes",
    "purge --run 99 --yes",
    "relocate lot nowhere",
    "forget --camera nobody",
    "explain nobody.png",
    "verdict 1 99 same",
    "pin nobody.png",
    "sweep --camera nobody",
    "sweep --max-distance 0.5",
    "evaluate nowhere.csv",
    "report taken.txt",
    "report lot/pages",
    "advise --camera nobody",
    "advise dismiss 99",
    "audit history image=99",
    "export csv taken.txt",
    "export tree lot/inside",
    "profile make plain",
    "profile show nothing",
    "profile use plain --camera nobody",
    "camera confirm nobody",
    "db backup taken.txt",
    "db backup lot",
    "db backup nowhere/copy.db",
    "db adopt nowhere",
    "db copy nowhere.db copy.db",
    "db copy indexer.db taken.txt",
    "--db nowhere.db status",
]


@pytest.mark.parametrize(("lines", "code"), [(WORDS, 2), (WORLD, 1)], ids=["words", "world"])
def test_exit_codes(run: Run, decided: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], code: int) -> None:
    """A wrong command ends with 2, one that the disk or the index does not allow with 1; no file is changed."""
    (decided.parent / "taken.txt").write_text("mine")
    before = {path: path.read_bytes() for path in decided.parent.rglob("*.*") if path.suffix in {".png", ".txt"}}
    with Path(os.devnull).open() as nobody:
        monkeypatch.setattr("sys.stdin", nobody)
        answers = {line: run(*line.split()) for line in lines}
    assert {line: (answer.code, answer.err) for line, answer in answers.items() if answer.code != code} == {}
    assert all(answer.sentence.startswith("indexer: ") for answer in answers.values())
    assert before == {
        path: path.read_bytes() for path in decided.parent.rglob("*.*") if path.suffix in {".png", ".txt"}
    }


def test_every_command_has_a_case() -> None:
    """Each command is in the table: one that is added must say how it refuses wrong words."""
    commands = {" ".join(word for word in name.split() if word.islower() and word[0] != "-") for name in DOCUMENTS}
    tested = {part for line in WORDS for part in (" ".join(line.split()[:1]), " ".join(line.split()[:2]))}
    assert commands - tested - {"verdict list", "pin list", "advise list", "advise picture"} == set()
