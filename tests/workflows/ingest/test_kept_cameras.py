"""Cameras of an index that read names by earlier rules: later files keep them until a person asks for today's rules."""

import pytest

from tests.support.index import Index, picture
from tests.workflows.ingest.test_naming import cameras


def put(index: Index, *files: str) -> None:
    """Files that all differ."""
    for file in files:
        index.put(file, picture(stamp=index.writes))


def record_as(index: Index, camera: str, source: str, *files: str, by: str = "folder") -> None:
    """Makes the index one that read these files as of a camera, by the folder or the name, with this source."""
    put(index, *files)
    for file in files:
        index.ingest(index.folder / file, camera=camera)
    index.execute("UPDATE images SET camera_source = ? WHERE camera_source = 'option'", by)
    index.execute("DELETE FROM camera_sources WHERE camera_id IN (SELECT id FROM cameras WHERE name = ?)", camera)
    index.execute(
        "INSERT INTO camera_sources (camera_id, source) SELECT id, ? FROM cameras WHERE name = ?",
        str(index.folder / source) if source else str(index.folder),
        camera,
    )
    index.execute("DELETE FROM naming_rules")


def test_a_name_that_is_read_otherwise_now(index: Index) -> None:
    """Files with the address of a known camera keep the name before the time that the index calls it by; another
    address is another camera; `--new-rules` names all by their addresses."""
    name = "202405{:02}/north_202405{:02}_120000_ACCC8E{:06}.jpg".format
    record_as(index, "north", "", name(1, 1, 1), by="name")
    put(index, name(1, 1, 2), name(2, 2, 1), name(3, 3, 1))
    for _ in range(2):
        report = index.ingest()
        assert report.names.held == ()
    assert cameras(index) == {
        name(1, 1, 1): "north",
        name(2, 2, 1): "north",
        name(3, 3, 1): "north",
        name(1, 1, 2): "ACCC8E000002",
    }
    index.ingest(is_new_rules=True)
    assert set(cameras(index).values()) == {"ACCC8E000001", "ACCC8E000002"}


@pytest.mark.parametrize(
    ("day", "later"),
    [
        ("2024/05/01 Wed", "2024/05/02 Thu"),
        ("2024-W18", "2024-W19"),
    ],
)
def test_a_folder_that_is_a_date_now(index: Index, day: str, later: str) -> None:
    """A folder that the index took for a camera keeps it; files of another one do not join it."""
    camera = day.rpartition("/")[2]
    record_as(index, camera, f"gate/{day}", f"gate/{day}/IMG_0001.jpg")
    put(index, f"gate/{day}/IMG_0002.jpg")
    assert index.ingest().names.held == ()
    put(index, f"gate/{day}/IMG_0003.jpg", f"gate/{later}/IMG_0004.jpg")
    assert index.ingest().names.held == ()
    assert [camera for _, camera in sorted(cameras(index).items())] == [camera] * 3 + ["gate"]
    index.ingest(is_new_rules=True)
    assert set(cameras(index).values()) == {"gate"}


def test_a_folder_below_dates_that_are_read_now(index: Index) -> None:
    """So does a camera whose folder lies below one that is a date now."""
    record_as(index, "2024134/gate", "2024134/gate", "2024134/gate/IMG_0001.jpg")
    put(index, "2024134/gate/IMG_0002.jpg", "2024135/gate/IMG_0003.jpg")
    assert index.ingest().names.held == ()
    assert [camera for _, camera in sorted(cameras(index).items())] == ["2024134/gate"] * 2 + ["gate"]


def test_two_cameras_that_claim_the_same_now(index: Index) -> None:
    """Where known files of one folder are of two cameras, a new one is of neither."""
    for number in (1, 2):
        record_as(index, f"north{number}", "", f"north{number}_2024050{number}_120000_ACCC8E000001.jpg", by="name")
    put(index, "20240503_120000_ACCC8E000001.jpg")
    index.ingest()
    assert cameras(index)["20240503_120000_ACCC8E000001.jpg"] == "ACCC8E000001"


def test_a_channel_that_only_its_siblings_tell(index: Index) -> None:
    """A camera whose folder may be an hour, too, gets no files from outside that folder."""
    put(index, *(f"c/2024-05-01/{channel}/17145666{channel}123.jpg" for channel in ("01", "02")))
    index.ingest()
    put(index, "c/2024-05-02/1714653041123.jpg")
    assert index.ingest().names.held == ()
    assert sorted(cameras(index).values()) == ["c", "c/01", "c/02"]


def test_a_person_s_word_on_single_files_is_no_rule(index: Index) -> None:
    """Files beside one whose camera a person said keep their own."""
    put(index, "20240501_120000_ACCC8E000001.jpg", "20240502_120000_ACCC8E000001.jpg")
    index.ingest(index.folder / "20240501_120000_ACCC8E000001.jpg", camera="door")
    index.ingest()
    assert cameras(index)["20240502_120000_ACCC8E000001.jpg"] == "ACCC8E000001"


def test_a_channel_keeps_its_camera(index: Index) -> None:
    """A camera of a channel is known again where the folder of its format counted."""
    file = "AMC/2024-05-01/00{}/jpg/12/30/4{}[M][0@0][0].jpg".format
    record_as(index, "AMC", "AMC/*/001/jpg", file(1, 1))
    put(index, file(1, 2), file(2, 1))
    assert index.ingest().names.held == ()
    assert cameras(index) == {file(1, 1): "AMC", file(1, 2): "AMC", file(2, 1): "AMC/002"}
