"""Proposed commands: bash takes from them exactly the words that were put in, whatever these are."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.escaping import command_line, printable

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
