"""Several commands at once on one server: each works on its cameras, and the rows are those of one after the other."""

from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from indexer.store.database import Database
from indexer.store.schema import open_database
from tests.support.apart import answer, facts, shoot, started
from tests.support.command import Answer
from tests.support.databases import Maker, on_postgresql

pytestmark = [on_postgresql]

CAMERAS, FRAMES = 4, 30


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Two folders with the frames of two cameras each."""
    shoot(tmp_path / "frames", cameras=CAMERAS, frames=FRAMES)
    places = [tmp_path / "west", tmp_path / "east"]
    for number, place in enumerate(places):
        place.mkdir()
        for camera in range(number, CAMERAS, 2):
            for file in (tmp_path / "frames").glob(f"cam{camera:02}-*"):
                file.rename(place / file.name)
    return places


@pytest.fixture
def indexes(maker: Maker, tmp_path: Path) -> Iterator[list[Database]]:
    """Two empty indexes."""
    made = [maker.new(tmp_path), maker.new(tmp_path)]
    yield made
    for database in made:
        maker.drop(database)


def address(database: Database) -> str:
    """The URL that a person types."""
    return database.url.render_as_string(hide_password=False)


def together(folder: Path, *lines: list[object]) -> list[Answer]:
    """What commands say that start at the same time."""
    with ExitStack() as stack:
        processes = [stack.enter_context(started(*line, folder=folder)) for line in lines]
        said = [process.communicate(timeout=120) for process in processes]
        return [Answer(process.returncode, *one) for process, one in zip(processes, said, strict=True)]


def one_after_the_other(database: Database, folders: list[Path], *, folder: Path) -> None:
    """Takes in all folders and decides, alone."""
    lines = [["--db", address(database), "ingest", place] for place in folders]
    for line in [*lines, ["--db", address(database), "compare"]]:
        assert answer(*line, folder=folder).code == 0


def test_two_hosts_make_the_rows_of_one(indexes: list[Database], folders: list[Path], tmp_path: Path) -> None:
    """Two that ingest, and then compare, different cameras at once both do their work: the rows are those of one."""
    one, two = indexes
    one_after_the_other(one, folders, folder=tmp_path)
    db = ["--db", address(two)]
    took = together(tmp_path, *([*db, "ingest", place, "--processes", 1] for place in folders))
    assert [(end.code, end.err) for end in took] == [(0, "")] * 2
    for pair in ((0, 1), (2, 3)):
        decided = together(tmp_path, *([*db, "compare", "--camera", f"cam{camera:02}"] for camera in pair))
        assert [(end.code, end.err) for end in decided] == [(0, "")] * 2
    assert facts(two) == facts(one)


def test_two_on_the_same_cameras(indexes: list[Database], folders: list[Path], tmp_path: Path) -> None:
    """Two commands on the same cameras decide each camera once; the later one is refused and may be run again."""
    one, two = indexes
    one_after_the_other(one, folders, folder=tmp_path)
    db = ["--db", address(two)]
    took = together(tmp_path, *([[*db, "ingest", *folders]] * 2))
    assert {end.code for end in took} <= {0, 1}
    assert [end for end in took if end.code and "'ingest' (process" not in end.out] == []
    assert answer(*db, "ingest", *folders, folder=tmp_path).code == 0
    decided = together(tmp_path, *([[*db, "compare"]] * 2))
    assert [end for end in decided if end.code and "'compare' (process" not in end.out] == []
    assert answer(*db, "compare", folder=tmp_path).code == 0
    assert facts(two) == facts(one)


def test_two_hosts_make_one_index(maker: Maker, folders: list[Path], tmp_path: Path) -> None:
    """Where there is no index yet, two that start together make one and work in it."""
    place = maker.place(tmp_path)
    took = together(tmp_path, *(["--db", place, "ingest", folder, "--processes", 1] for folder in folders))
    assert [(end.code, end.err) for end in took] == [(0, "")] * 2
    with closing(open_database(place)) as database, closing(maker.reader(database)) as reader:
        asking = address(reader)
    sql = "SELECT COUNT(*), COUNT(DISTINCT camera_id) FROM images"
    counted = answer("--db", asking, "audit", "--sql", sql, folder=tmp_path)
    assert counted.out.split()[-2:] == ["120", "4"]


def test_two_watches(folders: list[Path], indexes: list[Database], tmp_path: Path) -> None:
    """Two watches of different folders into one index make the rows that ingest and compare make alone."""
    lines = [["--db", address(indexes[0]), "watch", place, "--once", "--processes", 1] for place in folders]
    assert [said.code for said in together(tmp_path, *lines)] == [0, 0]
    one_after_the_other(indexes[1], folders, folder=tmp_path)
    assert facts(indexes[0]) == facts(indexes[1])
