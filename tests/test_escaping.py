"""Proposed commands: bash takes from them exactly the words that were put in, whatever these are."""

import ast
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from indexer.escaping import command_line, page_command, printable, repeat_options, without_passwords

PRINT = 'printf "%s\\0" "$@" >> "$PASTED"\n'
SIGNS = st.characters(exclude_characters="\0", exclude_categories=["Cs"])
NAMES = st.text(SIGNS | st.sampled_from([*"'\"`$!;-\\\n\x1b", chr(0xDC80), chr(0xDCFF)]), min_size=1, max_size=12)
NAMES |= st.text(st.sampled_from("'\"`$!;-\\&|*~{}() ab"), min_size=1, max_size=12)  # of what a shell reads by itself


def taken(folder: Path, lines: Sequence[str]) -> list[str]:
    """The words that a program called manage.py is given when these lines are pasted into bash in an empty folder."""
    program, output, scratch = folder / "manage.py", folder / "words", folder / "scratch"
    program.write_text(f"#!/bin/bash\n{PRINT}")
    program.chmod(0o755)
    output.write_bytes(b"")
    scratch.mkdir(exist_ok=True)
    told = {**os.environ, "PASTED": str(output), "PATH": f"{folder}:{os.environ['PATH']}"}
    script = b"\n".join(os.fsencode(line) for line in lines)
    subprocess.run(["bash", "--norc"], input=script, cwd=scratch, env=told, capture_output=True, check=True, timeout=60)
    assert list(scratch.iterdir()) == []
    return [os.fsdecode(word) for word in output.read_bytes().split(b"\0")[:-1]]


@settings(deadline=None, max_examples=25)
@given(words=st.lists(NAMES, min_size=1, max_size=30))
def test_bash_takes_the_very_words(tmp_path_factory: pytest.TempPathFactory, words: list[str]) -> None:
    """Whatever a name is, bash runs nothing of it and hands on the name itself; what is shown is safe to show."""
    lines = [command_line("restore", word) for word in words]
    assert [printable(line) for line in lines] == lines
    folder = tmp_path_factory.mktemp("bash")
    assert taken(folder, lines) == [given for word in words for given in ("restore", word)]


@given(name=st.text(max_size=40) | st.binary(max_size=40).map(os.fsdecode))
@example(name="Hütte/\u65e5\u672c/e\u0301 \U0001f600.jpg")
@example(name="\u202egnp\u2066\u200f\u200b\ufeff\u2028\x9b\x1b[31m\udce9\n.jpg")
def test_names_in_sentences_are_shown_as_they_are(name: str) -> None:
    """A name in a message keeps every character that can be shown, of any alphabet; control characters, direction marks
    and lone bytes are escaped, so that the whole message is one line and nothing in it acts on the terminal."""
    message = f"nothing from {name!r} is in quarantine"
    assert printable(message) == message
    assert ast.literal_eval(message.removeprefix("nothing from ").removesuffix(" is in quarantine")) == name
    if name.isprintable() and not set("\\'\"") & set(name):
        assert message == f"nothing from '{name}' is in quarantine"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        (command_line("compare"), "manage.py compare"),
        (command_line("restore", names=["/data/a b.png"]), "manage.py restore '/data/a b.png'"),
        (command_line("restore", names=["-rf"]), "manage.py restore -- -rf"),
        (command_line("restore", names=["a\n\udce9.png"]), r"manage.py restore $'a\x0a\xe9.png'"),
        (command_line("restore", names=["it's.png"]), 'manage.py restore "it\'s.png"'),
        (command_line("restore", names=["$(id)'"]), "manage.py restore '$(id)'\"'\"''"),
    ],
)
def test_how_commands_read(line: str, shown: str) -> None:
    """Ordinary names are shown as they are; others in the form that reads best and is exact."""
    assert line == shown


def test_commands_on_pages_name_no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that others may read proposes commands by the name that was typed, and does not name the index."""
    monkeypatch.setattr("sys.argv", ["/opt/venv/bin/indexer"])
    repeat_options("--db", "postgresql://ada:secret@host/lot")
    try:
        assert page_command("verdict", "--from", "verdicts.csv") == "indexer verdict --from verdicts.csv"
    finally:
        repeat_options()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("'postgresql://ada:se'cret@h/d' is closed", "'postgresql://ada:***@h/d' is closed"),
        ("postgresql://ada:se cret@h/d", "postgresql://ada:***@h/d"),
        ("postgresql://ada:se/cret@h/d", "postgresql://ada:***@h/d"),
        ("postgresql://ada@corp:secret@h/d", "postgresql://ada@corp:***@h/d"),
        ("type --db postgresql://ada@h/d, or a@b", "type --db postgresql://ada@h/d, or a@b"),
        ("'rtsp://token@h/1' and rtsp://u:p@i/2", "'rtsp://***@h/1' and rtsp://***@i/2"),
        ("'postgresql://h/d?password=a'b&sslmode=x'", "'postgresql://h/d?password=***&sslmode=x'"),
        ("'postgresql://h/d?password=a'b'; try", "'postgresql://h/d?password=***'; try"),
        ("see https://h:80/a, or tcp://10.0.0.1:8786; ada@h", "see https://h:80/a, or tcp://10.0.0.1:***@h"),
    ],
)
def test_texts_without_passwords(text: str, shown: str) -> None:
    """A message keeps its words and the users of databases, and loses passwords, whatever signs these have."""
    assert without_passwords(text) == shown
