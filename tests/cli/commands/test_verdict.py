"""The command `verdict`, from its words to the decision that names the person."""

import getpass
from pathlib import Path

import pytest

from indexer.cli.commands import verdict
from indexer.cli.commands.verdict import ImportVerdicts, SetVerdict, UndoVerdict, parse_request
from indexer.errors import UsageError
from tests.support.command import Run, draw


@pytest.mark.parametrize(
    ("words", "file", "asked"),
    [
        (["a", "b", "same"], None, SetVerdict("a", "b", "same")),
        (["./list", "2", "different"], None, SetVerdict("./list", "2", "different")),
        (["undo", "a", "same"], None, UndoVerdict("a", "same")),
        (["list"], None, None),
        ([], "x.csv", ImportVerdicts("x.csv")),
    ],
)
def test_words_are_read(words: list[str], file: str | None, asked: object) -> None:
    """Two images and a judgement, undo and two images, list, or a file: each is what it says."""
    assert parse_request(words, file=file, signed=False) == asked


@pytest.mark.parametrize(
    ("words", "file", "signed"),
    [
        ([], None, False),
        (["a", "b"], None, False),
        (["a", "b", "maybe"], None, False),
        (["a", "b", "c", "same"], None, False),
        (["list", "a"], None, False),
        (["list", "a", "same"], None, False),
        (["undo", "a"], None, False),
        (["undo", "a", "b"], None, True),
        (["list"], None, True),
        (["list"], "x.csv", False),
    ],
)
def test_words_that_are_none(words: list[str], file: str | None, signed: bool) -> None:
    """Words that say nothing are refused with what can be said."""
    with pytest.raises(UsageError, match=r"manage\.py verdict|--from with|--by and --note"):
        parse_request(words, file=file, signed=signed)


def test_a_person_decides(run: Run, decided: Path) -> None:
    """A verdict `same` makes the next compare decide, and the decision names the person who gave it."""
    given = run("verdict", 1, 3, "same", "--by", "Ada Lovelace", "--note", "the car is parked")
    paths = [f"{decided}/gate_2026_03_01__12_0{minute}_00.png" for minute in (0, 2)]
    assert given.out.splitlines() == [
        f"recorded: {paths[0]} and {paths[1]}: same, says Ada Lovelace (the car is parked)",
        "This counts from the next compare on.",
    ]
    assert run("compare", "--processes", 1).code == 0
    sql = "SELECT reason, decided_by FROM audit_decisions WHERE reason = 'verdict'"
    assert run("audit", "--sql", sql, "--json").document["rows"] == [["verdict", "Ada Lovelace"]]
    assert "same, says Ada Lovelace since" in run("explain", 3, 1).out
    assert "as judged" in run("verdict", "list").out


def test_two_pinned_images_stay_whatever_is_judged(run: Run, decided: Path) -> None:
    """A verdict `same` on two pinned images removes none, and says so at once; keepers of removed images are pinned."""
    stays = "Images 1 and 3 are both pinned, so both are kept although they are the same."
    assert run("prune", "--yes").code == 0  # 1 and 3 stand for what went
    assert stays in run("verdict", 1, 3, "same").out
    assert stays in run("verdict", 3, 1, "same", "--json").err
    assert run("compare", "--processes", 1).code == 0
    sql = "SELECT DISTINCT decision FROM audit_decisions WHERE image_id IN (1, 3)"
    assert run("audit", "--sql", sql, "--json").document["rows"] == [["keep"]]
    assert "both pinned" not in run("verdict", 1, 3, "different").out


def test_the_person_at_the_terminal(run: Run, decided: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --by it is the login name, or a person where the system knows none."""
    monkeypatch.setattr(getpass, "getuser", lambda: "grace")
    assert run("verdict", 1, 3, "same", "--json").document["recorded"][0]["by"] == "grace"

    def nobody() -> str:
        raise OSError("No username set in the environment")

    monkeypatch.setattr(getpass, "getuser", nobody)
    assert verdict.login_name() == "a person"


def test_a_file_with_bad_lines(run: Run, decided: Path, own_home: Path) -> None:
    """Of many bad lines the first ten are named, JSON names all, the exit code is 1 and nothing is written."""
    (own_home / "said.csv").write_text(
        "image_a,image_b,verdict\n" + "".join(f"1,{99 + line},same\n" for line in range(13))
    )
    answer = run("verdict", "--from", "said.csv")
    lines = answer.out.splitlines()
    assert (answer.code, lines[0]) == (1, "Nothing was written, as 13 lines cannot be followed:")
    assert lines[1].startswith("  line 2: image '99' is not in the index")
    assert (len(lines), "3 more" in lines[-1]) == (12, True)
    assert len(run("verdict", "--from", "said.csv", "--json").document["refused"]) == 13
    assert run("verdict", "list").out == "There is no verdict. Next: manage.py verdict A B same\n"


def test_a_file_that_is_not_there(run: Run, decided: Path) -> None:
    """A file that cannot be read is one sentence with its name."""
    answer = run("verdict", "--from", "nowhere.csv")
    assert (answer.code, "nowhere.csv" in answer.sentence) == (1, True)


def test_a_removed_image_says_how_to_come_back(run: Run, decided: Path) -> None:
    """A verdict on a removed image names the command that brings it back, and that command works."""
    assert run("prune", "--yes").code == 0
    told = run("verdict", 2, 1, "different").out.splitlines()
    assert told[1] == "A verdict on these images counts when they are back:"
    assert told[2].startswith(
        f"  {decided}/gate_2026_03_01__12_01_00.png: removed; bring it back with: manage.py restore "
    )
    assert run(*told[2].partition("manage.py ")[2].split()).code == 0


def test_contradictions_are_reported(run: Run, decided: Path) -> None:
    """What contradicts what is told in numbers when it is given, and compare says where to look."""
    run("verdict", 1, 2, "same")
    run("verdict", 2, 3, "same")
    told = [
        "These verdicts contradict each other; take one back with: manage.py verdict undo A B",
        "  1 same 2 same 3, but 1 different 3",
    ]
    assert run("verdict", 3, 1, "different").out.splitlines()[1:3] == told
    assert run("verdict", "list").out.splitlines()[-2:] == told
    compared = run("compare", "--processes", 1)
    assert "camera 'gate': 1 verdict is contradicted. See: manage.py verdict list" in compared.out.splitlines()
    assert compared.code == 0


def test_twins_are_reported(run: Run, own_home: Path) -> None:
    """`explain` names the twins of an image, says of a pair that it is one, and the audit lists it once."""
    for file in ("gate-1772366400250.png", "gate_2026_03_01__12_00_00.png"):
        draw(own_home / "lot" / file)
    assert run("ingest", "lot", "--processes", 1).code == 0
    twin = f"  twin of 2: {own_home}/lot/gate_2026_03_01__12_00_00.png, ready, 0.25 s apart"
    assert twin in run("explain", 1).out.splitlines()
    pair = run("explain", 2, 1).out.splitlines()
    assert (
        pair[pair.index("the pair:") + 1] == "  twins: taken 0.25 s apart, one named by the epoch, one by date and time"
    )
    assert len(run("audit", "twins", "--json").document["rows"]) == 1
