"""The check of exactness sees what is wrong: an index that was tampered with does not pass."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.benchmarks import plain
from tests.benchmarks.cameras import Camera
from tests.benchmarks.exact import sampled
from tests.benchmarks.filling import fill_index
from tests.benchmarks.measuring import manage

CAMERA = Camera("gate", 80, busy=0.8, fresh=0.3)


@pytest.fixture(scope="module")
def compared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of one camera that the command has decided."""
    path = tmp_path_factory.mktemp("compared") / "index.db"
    fill_index(path, [CAMERA])
    manage("--db", path, "compare", "--processes", 1, folder=path.parent)
    return path


@pytest.fixture
def index(compared: Path, tmp_path: Path) -> Path:
    """A copy of it to be tampered with."""
    with closing(sqlite3.connect(compared)) as source, closing(sqlite3.connect(tmp_path / "index.db")) as target:
        source.backup(target)
    return tmp_path / "index.db"


def tamper(index: Path, sql: str) -> None:
    """Changes the index past the tool."""
    with closing(sqlite3.connect(index)) as connection, connection:
        assert connection.execute(sql).rowcount > 0


def test_an_exact_index_passes(index: Path) -> None:
    """Of an index as the command left it every sampled pair is right, and it keeps one image of every state."""
    found = sampled(index, pairs=2000)
    assert found["differences"] == {"decisions": 0, "scores": 0}
    assert (found["keepers"], found["pairs"] >= 2000) == (CAMERA.keepers, True)
    assert plain.differences(plain.brute_force(index), plain.say(index)) == {"decisions": 0, "scores": 0}


@pytest.mark.parametrize(
    ("sql", "wrong"),
    [
        ("UPDATE scores SET score = score + 0.5", "scores"),
        ("UPDATE scores SET changed_fraction = changed_fraction * 1.0000000001 WHERE score > 0", "scores"),
        ("DELETE FROM scores WHERE score >= 1000", "scores"),
        ("UPDATE decisions SET score = score + 1 WHERE verdict = 'duplicate'", "decisions"),
        ("UPDATE decisions SET verdict = 'keep', keeper_id = NULL, reason = 'new', score = NULL", "decisions"),
    ],
)
def test_what_is_wrong_is_counted(index: Path, sql: str, wrong: str) -> None:
    """A score that is other or missing and a wrong decision are found, by the sample and by brute force."""
    tamper(index, sql)
    assert sampled(index, pairs=2000)["differences"][wrong] > 0
    assert plain.differences(plain.brute_force(index), plain.say(index))[wrong] > 0


def test_a_far_witness_is_counted(index: Path) -> None:
    """A duplicate that names another keeper than the nearest similar one is found."""
    tamper(
        index,
        "UPDATE decisions SET keeper_id = (SELECT MAX(image_id) FROM decisions WHERE verdict = 'keep') "
        "WHERE verdict = 'duplicate' AND image_id < 30",
    )
    assert sampled(index, pairs=2000)["differences"]["decisions"] > 0
