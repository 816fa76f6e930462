"""What files that the index has say of a new name that cannot decide alone."""

from collections.abc import Collection, Iterable
from datetime import UTC, datetime

import pytest

from indexer.domain.naming.known_files import KnownSibling
from indexer.domain.naming.rules import NamingRule, RuleBook
from indexer.domain.naming.tree import PathFile, Surroundings, TreeNames, name_tree


class Known(Surroundings):
    """Files that an index has."""

    def __init__(self, *files: KnownSibling) -> None:
        self.files = files

    def list_known(self, folder: str, texts: Collection[str]) -> Iterable[KnownSibling]:
        """All of them."""
        del folder, texts
        return self.files


def known(name: str, time: str | None = None, *, is_by_folder: bool = False) -> KnownSibling:
    """A file that an index has, with the time of its name, if it was read."""
    return KnownSibling(
        f"/x/{name}", 0, None if time is None else datetime.fromisoformat(f"{time}+00:00"), is_by_folder
    )


def tree(name: str, *files: KnownSibling, zone: str | None = None, written: str | None = None) -> TreeNames:
    """A lone new file in an index that has these files."""
    mtime_ns = 0 if written is None else int(datetime.fromisoformat(f"{written}+00:00").timestamp()) * 10**9
    rules = RuleBook({"/x": NamingRule("/x", timezone=zone)})
    return name_tree([PathFile(f"/x/{name}", mtime_ns)], siblings=(), rules=rules, surroundings=Known(*files))


@pytest.mark.parametrize(
    ("name", "files", "time"),
    [
        ("g_01-06-2024_120000.jpg", [known("g_13-05-2024_120000.jpg", "2024-05-13 12:00")], "2024-06-01 12:00"),
        ("g_01-06-2024_120000.jpg", [known("g_02-05-2024_120000.jpg", "2024-05-02 12:00")], "2024-06-01 12:00"),
        ("g_01-06-2024_120000.jpg", [known("g_02-05-2024_120000.jpg", "2024-02-05 12:00")], "2024-01-06 12:00"),
        ("g_01-06-2024_120000.jpg", [known("g_02-05-2024_120000.jpg")], None),
        (
            "g_01-06-2024_120000.jpg",
            [
                known("g_02-05-2024_120000.jpg", "2024-05-02 12:00"),
                known("g_05-13-2024_120000.jpg", "2024-05-13 12:00"),
            ],
            None,
        ),
        ("image1714566645.jpg", [known("image1714566705.jpg", "2024-05-01 12:31:45")], "2024-05-01 12:30"),
        (
            "2024-05-01_1230.jpg",
            [known(f"2024-05-01_{hour}45.jpg", f"2024-05-01 {hour}:45") for hour in (10, 11)],
            "2024-05-01 12:30",
        ),
        ("2024-05-01_1230.jpg", [known("2024-05-01_1045.jpg")], None),
        (
            "05-04-24_120000.jpg",
            [known(f"0{n}-04-24_120000.jpg", f"2024-04-0{n} 12:00") for n in (1, 2, 3)],
            "2024-04-05 12:00",
        ),
    ],
)
def test_time_of_a_lone_file(name: str, files: list[KnownSibling], time: str | None) -> None:
    """A lone name has the meaning that names of the index have; where these contradict each other, it has none."""
    naming = tree(name, *files).claimed[f"/x/{name}"]
    assert (naming.moment and f"{naming.moment:%F %H:%M}", naming.is_unread) == (time, time is None)


def test_the_zone_of_the_folder_counts() -> None:
    """The time that the index has is compared in the time zone of the folder."""
    file = known("g_02-05-2024_120000.jpg", "2024-05-02 10:00")
    name = "g_01-06-2024_120000.jpg"
    assert tree(name, file, zone="Europe/Berlin").claimed[f"/x/{name}"].moment == datetime(2024, 6, 1, 12)
    assert tree(name, file).claimed[f"/x/{name}"].moment is None


@pytest.mark.parametrize(
    ("written", "time"),
    [("2024-05-01 12:31", datetime(2024, 5, 1, 12, 30, 45, tzinfo=UTC)), ("2024-05-02 00:00", None)],
)
def test_a_lone_number_of_ten_digits(written: str, time: datetime | None) -> None:
    """Ten digits alone are seconds since 1970 if the file was written then."""
    assert tree("image1714566645.jpg", written=written).claimed["/x/image1714566645.jpg"].moment == time


@pytest.mark.parametrize("name", ["gate-1714566705.jpg", "gate_240501_123145.jpg"])
def test_a_folder_keeps_its_camera(name: str) -> None:
    """Where known names with a text before such a number have the camera of their folder, new ones have it, too, and
    the folder is reported."""
    alone = tree(name, written="2024-05-01 12:32")
    assert alone.claimed[f"/x/{name}"].camera == "gate"
    kept = tree(
        name, known(name.replace("6705", "6645").replace("3145", "3045"), is_by_folder=True), written="2024-05-01 12:32"
    )
    assert (kept.claimed[f"/x/{name}"].camera, kept.reread_folders) == ("x", ("/x",))
