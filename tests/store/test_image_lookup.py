"""What a person means by a name: number, path, unique file name, glob; never a guess."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event

from indexer.domain.images import ImageState
from indexer.errors import ImageError
from indexer.store import images
from indexer.store.database import Database
from indexer.store.image_lookup import get_image_id, list_image_ids

ODD = "caf\udce9 [1].jpg"


@pytest.fixture
def known(database: Database, add: Callable[..., int], own_home: Path) -> dict[str, int]:
    """Images of two folders, below the working directory: one removed, one missing, one with an odd name."""
    files = ("a/1.jpg", "a/2.jpg", "b/2.jpg", "b/3.jpg", "b/4_x.jpg", f"b/{ODD}", "b/gone.jpg")
    ids = {file: add(f"{own_home}/{file}") for file in files}
    with database.write() as session:
        images.set_state(session, [ids["b/3.jpg"]], ImageState.REMOVED)
        images.set_state(session, [ids["b/gone.jpg"]], ImageState.MISSING)
    return ids


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("a/1.jpg", "a/1.jpg"),
        ("1.jpg", "a/1.jpg"),
        ("3.jpg", "b/3.jpg"),
        ("gone.jpg", "b/gone.jpg"),
        ("4?x.jpg", "b/4_x.jpg"),
        ("[1]*", "a/1.jpg"),
        ("b/2*", "b/2.jpg"),
        ("./b/3.*", "b/3.jpg"),
        (ODD, f"b/{ODD}"),
        (f"b/{ODD}", f"b/{ODD}"),
        ("caf?*", f"b/{ODD}"),
    ],
)
def test_one_image(database: Database, known: dict[str, int], name: str, file: str) -> None:
    """A path, a file name that one image has, and a glob that one image matches name it, also once it is removed."""
    with database.read() as session:
        assert get_image_id(session, name) == known[file]
        assert get_image_id(session, str(known[file])) == known[file]


def test_a_file_name_alone_reads_no_journal(database: Database, known: dict[str, int]) -> None:
    """Only a path, or the name of a file that lies there, can be of a file in quarantine: for others the journal, which
    has no index of such paths, is not read for each line of a file of verdicts."""
    statements: list[str] = []
    with database.read() as session:
        event.listen(session.get_bind(), "before_cursor_execute", lambda *sent: statements.append(sent[2]))
        assert get_image_id(session, "1.jpg") == known["a/1.jpg"]
        assert [one for one in statements if "removals" in one] == []
        with pytest.raises(ImageError, match="is not in the index"):
            get_image_id(session, "quarantine/1.jpg")
        assert len([one for one in statements if "removals" in one]) == 1


@pytest.mark.parametrize("name", ["2.jpg", "*", "?.jpg", "a/*"])
def test_several_images_are_no_answer(database: Database, known: dict[str, int], name: str) -> None:
    """What several images answer to is refused, with their paths and a number to type."""
    with database.read() as session, pytest.raises(ImageError, match=r"images: .*/a/2\.jpg.*by its number"):
        get_image_id(session, name)


@pytest.mark.parametrize("name", ["5.jpg", "A/1.jpg", "1.JPG", "_.jpg", "%", "c/*.jpg", "*/1.jpg/*", "", "a"])
def test_no_image(database: Database, known: dict[str, int], name: str) -> None:
    """Nothing is taken for what it is not: another case, signs of SQL, a star across folders."""
    with database.read() as session, pytest.raises(ImageError, match="is not in the index"):
        get_image_id(session, name)


def test_a_folder_is_no_image(database: Database, known: dict[str, int], tmp_path: Path) -> None:
    """A person who names a folder is told so, and not that it is unknown."""
    with database.read() as session, pytest.raises(ImageError, match="is a folder; name an image in it"):
        get_image_id(session, str(tmp_path))


def test_globs_name_many(database: Database, known: dict[str, int]) -> None:
    """A list of names may have globs; each image is meant once; a file name of two images is refused here too."""
    with database.read() as session:
        ids = list_image_ids(session, ["?.jpg", "a/1.jpg", str(known["b/4_x.jpg"])])
        assert sorted(ids) == sorted(known[file] for file in ("a/1.jpg", "a/2.jpg", "b/2.jpg", "b/3.jpg", "b/4_x.jpg"))
        with pytest.raises(ImageError):
            list_image_ids(session, ["2.jpg"])
