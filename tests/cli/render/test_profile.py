"""Profiles as they read to a person and to a program."""

import base64
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.support.command import Run


@pytest.fixture
def tree(own_home: Path) -> Path:
    """A drawing whose left quarter is to be ignored."""
    image = np.full((30, 40), 255, np.uint8)
    image[:, :10] = 0
    cv2.imwrite("tree.png", image)
    return own_home / "tree.png"


def test_what_is_ignored_is_shown_readably(run: Run, decided: Path, tree: Path) -> None:
    """A rectangle a line, a drawing by size and share, and the cameras that have the profile; nothing in base64."""
    answer = run(
        "profile", "make", "mine", "--ignore", "70,0,30,12.5", "--ignore", "0,90,9,10", "--ignore-picture", tree
    )
    assert answer.code == 0, answer.err
    run("profile", "use", "mine", "--camera", "gate")
    shown = [line.strip() for line in run("profile", "show", "mine").out.splitlines()]
    assert shown[0] == "profile mine"
    assert shown[4:7] == [
        "ignore = 0,90,9,10",
        "ignore = 70,0,30,12.5",
        "ignore_picture = 40 x 30 pixels, 25.0% ignored",
    ]
    assert shown[-1] == "cameras = gate"
    assert run("profile", "list").out.rstrip().endswith("2 rectangles, picture   gate")


def test_chroma_is_shown_where_there_is_some(run: Run, decided: Path) -> None:
    """`profile make --base colour` takes it over, 0 makes `balanced` of it, and the list tells it of those that have
    it."""
    run("profile", "make", "mine", "--base", "colour", "--chroma", "3")
    run("profile", "make", "grey", "--base", "colour", "--chroma", "0")
    shown = {name: run("profile", "show", name).out.splitlines() for name in ("balanced", "colour", "mine", "grey")}
    assert [[line for line in shown[name] if "chroma" in line] for name in ("balanced", "colour", "mine", "grey")] == [
        [],
        ["  chroma = 2"],
        ["  chroma = 3"],
        [],
    ]
    assert shown["grey"][1:] == shown["balanced"][1:]
    ends = {line.split()[0]: line.split()[-1] for line in run("profile", "list").out.splitlines()[3:] if line.strip()}
    without = dict.fromkeys(("balanced", "plain", "original", "grey"), "1000")
    assert ends == {**without, "colour": "2", "mine": "3", "learned": "0.35,0.6"}


def test_a_program_can_make_it_again(run: Run, decided: Path, tree: Path) -> None:
    """The JSON of a profile has the drawing itself; given back as a file, it makes a profile with the same digest."""
    run("profile", "make", "mine", "--ignore-picture", tree)
    answer = run("profile", "show", "mine", "--json")
    found = answer.document["profile"]["scoring"]["preparation"]["ignore_picture"]
    assert (found["width"], found["height"], found["ignored_px"]) == (40, 30, 300)
    tree.write_bytes(base64.b64decode(found["png"]))
    again = run("profile", "make", "again", "--ignore-picture", tree).out
    assert again.splitlines()[1:] == run("profile", "show", "mine").out.splitlines()[1:]


def test_status_names_profiles_only_where_some_camera_has_its_own(run: Run, decided: Path) -> None:
    """The column is there while it says something; JSON always has the field."""
    assert "profile\n" not in run("status").out.splitlines()[2] + "\n"
    run("profile", "use", "plain", "--camera", "gate")
    lines = run("status").out.splitlines()
    assert (lines[2].split()[-1], lines[4].split()[-1]) == ("profile", "plain")
    assert run("status", "--json").document["own_profiles"] == {"gate": "plain"}


def test_use_says_what_to_type_next(run: Run, decided: Path) -> None:
    """Each use says which profile decides the camera, and what to type if that is another than before."""
    said = "camera gate is decided by its own profile plain, from the next compare on.\nNext: manage.py compare\n"
    assert run("profile", "use", "plain", "--camera", "gate").out == said
    assert run("profile", "use", "plain", "--camera", "gate").out == (
        "camera gate was decided by its own profile plain already.\n"
    )


def test_a_drawing_without_rights_is_refused(run_apart: Run, decided: Path, tree: Path) -> None:
    """A drawing that may not be read costs one sentence."""
    tree.chmod(0)
    answer = run_apart("profile", "make", "mine", "--ignore-picture", "tree.png")
    assert (answer.code, answer.out) == (1, "")
    assert "the picture 'tree.png' cannot be read: Permission denied; give a PNG" in answer.sentence


def test_a_limit_that_changes_nothing_points_to_the_area(run: Run, decided: Path) -> None:
    """A profile whose limit no score lies below says what decides as it does, and the command for smaller changes."""
    out = run("profile", "make", "half", "--max-score", 500).out
    assert "It decides as balanced does." in out
    assert "profile make NAME --base balanced --max-score 500 --min-contour-area 500" in out
    assert "decides as" not in run("profile", "make", "quarter", "--max-score", 250, "--min-contour-area", 250).out
    out = run("profile", "make", "dim", "--threshold", 20, "--max-score", 500).out
    assert "decides as" not in out
    assert "No score lies between 0 and min_contour_area (1000)" in out
    assert "profile make NAME --base dim --max-score 500 --min-contour-area 500" in out
