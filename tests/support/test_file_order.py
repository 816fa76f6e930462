"""The order of the test files: it names files that exist, and leaves no test out."""

from pathlib import Path

from tests.support.file_order import LONG, longest_first

TESTS = Path(__file__).resolve().parents[1]


def test_long_files_exist() -> None:
    """A file that is renamed keeps its place in the order."""
    assert [name for name in LONG if not (TESTS / name).is_file()] == []


def test_order() -> None:
    """Long files come first, then those of many tests; tests of one file keep their order."""
    files = ["a.py", "b.py", LONG[1], "b.py", LONG[0], LONG[1]]
    assert [files[number] for number in longest_first(files)] == [LONG[0], LONG[1], LONG[1], "b.py", "b.py", "a.py"]
    assert longest_first(files) == [4, 2, 5, 1, 3, 0]
