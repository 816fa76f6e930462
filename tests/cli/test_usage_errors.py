"""Words that do not fit a command: sentences of our own, whichever version of the library parses them."""

from pathlib import Path

import pytest

from tests.support.command import Run


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["ingest"], "PATH is missing; see: manage.py ingest --help"),
        (["profile", "use", "x"], "--camera is missing; see: manage.py profile use --help"),
        (["compare", "--to", "out"], "there is no option '--to'; see: manage.py compare --help"),
        (["ingst"], "there is no command 'ingst' (is it ingest?); see: manage.py --help"),
        (["profile", "mak"], "there is no command 'mak' (is it make?); see: manage.py profile --help"),
        (["zzz"], "there is no command 'zzz'; see: manage.py --help"),
        (["--nope", "status"], "there is no option '--nope'; see: manage.py --help"),
        (
            ["compare", "--profle", "x"],
            "there is no option '--profle' (is it --profile?); see: manage.py compare --help",
        ),
        (["compare", "--camera"], "--camera needs a value"),
        (["status", "--json=1"], "--json takes no value"),
        (["status", "caf\udce9"], r"that is more than the command takes: 'caf\udce9'; see: manage.py status --help"),
        (
            ["compare", "--processes", "0"],
            "--processes is '0'; give a whole number from 1 up; see: manage.py compare --help",
        ),
        (
            ["compare", "--processes=x"],
            "--processes is 'x'; give a whole number from 1 up; see: manage.py compare --help",
        ),
        (
            ["prune", "--max-share", "2"],
            "--max-share is '2'; give a number from 0 to 1; see: manage.py prune --help",
        ),
        (
            ["profile", "make", "x", "--max-score", "much"],
            "--max-score is 'much'; give a number; see: manage.py profile make --help",
        ),
    ],
)
def test_sentences(run: Run, own_home: Path, words: list[str], sentence: str) -> None:
    """What was wrong, with the word, what would be right, and where to read on."""
    answer = run(*words)
    assert (answer.code, answer.out) == (2, "")
    assert answer.sentence.startswith(f"indexer: {sentence}")


def test_an_option_that_stands_before_the_command(run: Run) -> None:
    """`--db` after the command is refused with the way to type it."""
    assert "--db stands before the command, as in: manage.py --db PATH db check" in run("db", "check", "--db", "x").err


def test_proposed_commands_have_the_index_that_was_typed(lot: Path, own_home: Path, run: Run) -> None:
    """What a message proposes is pasted, and goes to the index of the command that proposed it."""
    (own_home / "my own").mkdir()
    path = own_home / "my own" / "index.db"
    out = run("--db", path, "ingest", lot, "--processes", 1).out
    assert out.splitlines()[-1].endswith(f"Next: manage.py --db '{path}' compare")
    assert f"see: manage.py --db '{path}' compare --help" in run("--db", path, "compare", "--nope").err
    assert "--db" not in run("compare", "--nope").err


def test_a_program_of_several_words_is_named_once(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Started as `python -m indexer`, the program says what to type next with that name, and the command after it."""
    monkeypatch.setattr("indexer.escaping.program_name", lambda: "python -m indexer")
    monkeypatch.setattr("indexer.cli.main.program_name", lambda: "python -m indexer")
    assert run("db", "copy", "one").sentence.endswith("see: python -m indexer db copy --help")
