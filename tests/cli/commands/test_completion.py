"""`config completion`: the scripts are read by their shells, and a Tab gives commands and options."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command import ROOT, Run

READ_ONLY = {"bash": ["bash", "-n"], "zsh": ["zsh", "-n"], "fish": ["fish", "--no-execute"]}
TAB = """
source {script}
COMP_WORDS=({words}); COMP_CWORD={last}
_indexer_completion indexer
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def scripts(run: Run, own_home: Path) -> Path:
    """A folder with a program `indexer` that runs this checkout, and the script of bash."""
    program = own_home / "indexer"
    program.write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" -m indexer "$@"\n')
    program.chmod(0o755)
    (own_home / "bash.sh").write_text(run("config", "completion", "bash").out)
    return own_home


def press_tab(scripts: Path, *words: str) -> list[str]:
    """What bash offers for the last word."""
    code = TAB.format(script=scripts / "bash.sh", words=" ".join(f"'{word}'" for word in words), last=len(words) - 1)
    environment = os.environ | {"PATH": f"{scripts}:{os.environ['PATH']}"}
    done = subprocess.run(["bash", "-c", code], env=environment, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    return done.stdout.split()


def test_bash_completes(scripts: Path) -> None:
    """bash gets the commands that begin so, those of a group, and the options of a command."""
    assert press_tab(scripts, "indexer", "pr") == ["prune", "profile"]
    assert press_tab(scripts, "indexer", "profile", "") == ["list", "show", "make", "use"]
    assert {"--which", "--copy", "--json"} <= set(press_tab(scripts, "indexer", "export", "--"))


@pytest.mark.parametrize("shell", READ_ONLY)
def test_each_shell_reads_its_script(run: Run, own_home: Path, shell: str) -> None:
    """The script has no mistake that its shell finds."""
    answer = run("config", "completion", shell)
    assert (answer.code, "_INDEXER_COMPLETE" in answer.out) == (0, True)
    if shutil.which(shell) is None:
        pytest.skip(f"needs {shell}, which is not installed")
    (own_home / "script").write_text(answer.out)
    subprocess.run([*READ_ONLY[shell], own_home / "script"], check=True, capture_output=True, timeout=60)


def test_another_shell_is_refused(run: Run) -> None:
    """For a shell without a script the sentence names those that have one."""
    answer = run("config", "completion", "tcsh")
    assert (answer.code, answer.sentence) == (
        2,
        "indexer: there is no completion for 'tcsh'; give bash, zsh or fish",
    )
