"""At 80 x 24: what commands print fits its lines, names what is undecided, and ends with the next step."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from indexer.cli.word_wrap import cell_count
from tests.support.command import draw, in_home, run_here
from tests.support.forked_commands import ForkedCommands

COLUMNS, ROWS = 80, 24
UNDECIDED = re.compile(r"\d images? (is|are) not decided yet\. Next: manage\.py compare")
Lines = Callable[..., list[str]]


@pytest.fixture(scope="module")
def lines(busy: Path, forked: ForkedCommands) -> Lines:
    """Runs a command on a terminal of 80 x 24: the lines that it shows, without colours and empty ones.

    The commands of these tests change nothing: what one showed is remembered for all tests.
    """

    @cache
    def answer(*words: str) -> list[str]:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        with pytest.MonkeyPatch.context() as environment:
            for name in ("COLUMNS", "LINES"):
                environment.delenv(name, raising=False)
            environment.setenv("TERM", "dumb")
            forked.start(*words, streams=(theirs,) * 3, folder=busy)
        os.close(theirs)
        shown = _read(ours, forked)
        os.close(ours)
        assert forked.wait() == int("--check" in words), shown
        return [line for line in shown.replace("\r\n", "\n").split("\n") if line.strip()]

    return answer


def _read(terminal: int, process: ForkedCommands) -> str:
    shown = b""
    while True:
        ready, _, _ = select.select([terminal], [], [], 0.1)
        if not ready and process.poll() is not None:
            return shown.decode()
        try:
            shown += os.read(terminal, 65536) if ready else b""
        except OSError:  # Linux says EIO when the other side is closed
            return shown.decode()


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with two cameras in a deep folder: decided, removed, judged, with a broken and an undecided file."""
    home = tmp_path_factory.mktemp("busy")
    with in_home(home):
        _fill(home / "a folder with a long name" / "of one site" / "and its frames")
    return home


def _fill(folder: Path) -> None:
    for camera in ("north-gate", "yard"):
        for minute, cars in enumerate([(), (), (1,), (1,), (1, 3), ()]):
            draw(folder / camera / f"{camera}_2026_03_01__12_0{minute}_00.png", cars=cars)
    (folder / "yard" / "yard_2026_03_01__12_09_00.png").write_bytes(b"broken")
    names = [f"yard_2026_03_01__12_0{minute}_00.png" for minute in (0, 2)]
    assert run_here("ingest", folder, "--processes", 1) == 0
    assert run_here("compare", "--processes", 1) == 0
    assert run_here("prune", "--yes", "--camera", "yard") == 0
    assert run_here("pin", "north-gate_2026_03_01__12_04_00.png", names[0]) == 0
    assert run_here("verdict", *names, "different", "--by", "Ada", "--note", "two cars, seen from the far side") == 0
    draw(folder / "yard" / "yard_2026_03_01__13_00_00.png", cars=(0, 2))
    Path("site.toml").write_text(f'index = "run.db"\nfolders = ["{folder}"]\nprocesses = 1\n')
    assert run_here("ingest", folder, "--processes", 1) == 0


@pytest.mark.parametrize(
    "words",
    [
        ["status"],
        ["status", "--check", "--silent-after", "3"],
        ["pin", "list"],
        ["audit"],
        ["audit", "borderline"],
        ["audit", "removals"],
        ["audit", "runs"],
        ["audit", "retention"],
        ["profile", "list"],
        ["sweep", "--processes", "1"],
        ["verdict", "list"],
        ["prune", "--dry-run"],
        ["explain", "1"],
        ["camera", "list"],
        ["camera", "schemes"],
        ["camera", "rules"],
        ["ingest", "--dry-run", "--new-rules", "."],
        ["config", "show"],
        ["--config", "site.toml", "config", "show"],
        ["db", "check", "--files"],
        ["export", "csv", "kept.csv"],
        [
            "--config",
            "site.toml",
            "run",
            "--no-prune",
            "--also-here",
        ],  # of an index of its own; with ingest and compare
    ],
    ids=" ".join,
)
def test_lines_fit(lines: Lines, words: list[str]) -> None:
    """No line is wider than the terminal, but where one word alone is, or a command that must stay whole."""
    shown = lines(*words)
    assert shown
    too_long = [line for line in shown if cell_count(line.rstrip()) > COLUMNS]
    assert [line for line in too_long if cell_count(without_long_words(line)) > COLUMNS] == []


def without_long_words(line: str) -> str:
    """A line without the commands and the paths in it, which stay whole so that they can be copied."""
    return " ".join(word for word in re.sub(r"manage\.py .*", "", line).split() if "/" not in word)


def test_paths_that_a_sentence_has_are_skipped_and_no_more() -> None:
    """A long line with a path or a command is measured without these words; what is left must fit."""
    long = "a sentence with many short words " * 3
    assert without_long_words(f"see /a/b/{'c' * 90}: manage.py status") == "see"
    assert cell_count(without_long_words(f"{long}/a/b manage.py status")) > COLUMNS


def test_no_table_is_broken(lines: Lines) -> None:
    """What has few columns has one line for each row: status is a table that fits."""
    status = lines("status")
    assert [line.split()[0] for line in status if line.startswith((" north", " yard"))] == ["north-gate", "yard"]


@pytest.mark.parametrize(
    ("words", "first", "others"),
    [
        (
            ["profile", "list"],
            ["profile", "active", "threshold", "min_contour_area", "max_score"],
            ["work_width", "contrast", "mask", "distances", "chroma"],
        ),
        (["sweep", "--processes", "1"], ["camera", "max_score", "kept", "duplicates", "in force"], ["share", "freed"]),
        (
            ["sweep", "--processes", "1", "--min-contour-area", "500,1000", "--with-removed"],
            ["camera", "min_contour_area", "max_score", "kept", "duplicates", "in force"],
            ["share", "freed", "removed ones kept"],
        ),
        (
            ["verdict", "list"],
            ["a", "b", "verdict", "decided", "image a", "image b"],
            ["camera", "by", "note", "when"],
        ),
        (["pin", "list"], ["image", "camera", "set by"], ["run", "at"]),
        (["camera", "list"], ["camera", "images", "from"], ["first", "last", "time zone"]),
        (["camera", "schemes"], ["scheme", "maker", "example"], []),
        (
            ["ingest", "--dry-run", "--new-rules", "."],
            ["camera", "new", "first", "example"],
            ["files", "last", "folders", "time zone", "camera / time from"],
        ),
    ],
    ids=" ".join,
)
def test_rows_of_a_wide_table_have_two_lines(
    lines: Lines, words: list[str], first: list[str], others: list[str]
) -> None:
    """What matters most has columns of its own; the other columns are shown or named below, and none is lost."""
    shown = lines(*words)
    rule = next(number for number, line in enumerate(shown) if line.startswith(" \u2500"))
    end = next((n for n, line in enumerate(shown) if line.startswith("Not shown here: ")), rule)
    heads = " ".join(shown[:rule])
    named = " ".join(shown[end : end + 3]) if end > rule else ""
    assert [head for head in first if head not in heads] == []
    assert [head for head in others if head not in heads and head not in named] == []
    rows = [line for line in shown[rule + 1 : end] if line[1:3].strip()]
    assert end == rule or end - rule - 1 <= 2 * len(rows)


def test_a_row_of_an_audit_takes_two_lines(lines: Lines) -> None:
    """An image and its keeper stand below each other, from their common folder on; the other columns are named."""
    shown = lines("audit", "removals")
    assert " ".join(shown).count("a folder with a long name") == 1
    rule, end = (
        next(n for n, line in enumerate(shown) if line.startswith(start)) for start in (" \u2500", "Not shown")
    )
    rows = [line for line in shown[rule + 1 : end] if not line.startswith("  " * 5)]
    assert (end - rule - 1) == 2 * len(rows) > 0
    assert "--csv and --json have all of it." in shown


def test_paths_begin_at_the_common_folder(lines: Lines) -> None:
    """The folder that holds all paths is named once."""
    for words in (("verdict", "list"), ("pin", "list")):
        assert " ".join(lines(*words)).count("a folder with a long name") == 1


def test_a_long_setting_takes_several_lines(lines: Lines, busy: Path) -> None:
    """`config show` stays a table: a value that is too long goes on below itself, whole; others are one line."""
    shown = lines("--config", "site.toml", "config", "show")
    heads = next(line for line in shown if line.startswith(" setting"))
    start, end = heads.index("value"), heads.index("from")
    first = next(number for number, line in enumerate(shown) if line.startswith(" index "))
    last = next(number for number, line in enumerate(shown) if line.startswith(" engine "))
    value = "".join(line[start : end - 3].rstrip() for line in shown[first:last])
    assert (value.replace(" ", ""), shown[first][end:].strip()) == (str(busy / "run.db").replace(" ", ""), "file")
    assert [line.split() for line in shown if "max_seconds" in line] == [["limits.max_seconds", "120", "default"]]


def test_rules_of_a_folder_are_a_block(lines: Lines) -> None:
    """`camera rules` names a folder in a line, and below it each rule in a line of its own, under one another."""
    *folder, rule = lines("camera", "rules")
    assert " ".join(" ".join(folder).split()).endswith("a folder with a long name/of one site/and its frames")
    assert rule == "  time zone  UTC"


@pytest.mark.parametrize("words", [["status"], ["prune", "--dry-run"], ["sweep", "--processes", "1"]], ids=" ".join)
def test_undecided_images_are_named(lines: Lines, words: list[str]) -> None:
    """Wherever an image is not decided yet, that is said with the next step."""
    assert UNDECIDED.search(" ".join(lines(*words)))


def test_report_names_undecided_images(lines: Lines) -> None:
    """The report says it too, where it says what it wrote."""
    assert UNDECIDED.search(" ".join(lines("report", "pages", "--processes", "1")))


def test_a_dry_run_ends_with_what_to_do(lines: Lines) -> None:
    """After the plan: where to look, which cases are weakest, and how to act."""
    shown = " ".join(lines("prune", "--dry-run"))
    for step in ("manage.py report pages", "manage.py audit borderline removed", "To act: manage.py prune"):
        assert step in shown


def test_lines_of_commands_that_change_something_fit(lines: Lines) -> None:
    """compare and restore fit, too. This test is the last one of the file, as they change the index."""
    for words in (("compare", "--processes", "1"), ("restore", "--all")):
        shown = lines(*words)
        assert shown
        assert [line for line in shown if cell_count(without_long_words(line)) > COLUMNS] == []
