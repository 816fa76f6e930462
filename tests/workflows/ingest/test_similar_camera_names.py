"""Cameras whose names look the same: one where only the form of an accent differs, else told."""

import unicodedata

from indexer.workflows.admin.status import status
from tests.support.index import CAR, NOON_MS, Index, picture

NFC, NFD = (unicodedata.normalize(form, "T\u00fcr") for form in ("NFC", "NFD"))


def put_doors(index: Index) -> None:
    """Two images of one door, named in NFD and in NFC."""
    for minute, door in enumerate((NFD, NFC)):
        index.put(f"{door}-{NOON_MS + minute * 60_000}.png", picture(stamp=minute))


def test_twins_in_nfc_and_nfd_are_one_camera(index: Index) -> None:
    """Files in both forms are of one camera, under their own paths, and nothing is reported."""
    put_doors(index)
    assert index.ingest().alike == []
    assert index.rows("SELECT camera, images FROM audit_cameras") == [(NFC, 2)]
    assert {file.split("-")[0] for file, _, _ in index.states()} == {NFC, NFD}
    index.compare()
    assert index.prune().removed == 1


def test_camera_of_an_earlier_version_in_nfd(index: Index) -> None:
    """Its images keep their camera, and later ones get it too, until a person says another."""
    put_doors(index)
    index.ingest()
    index.execute("UPDATE cameras SET name = ?", NFD)
    third = index.put(f"{NFD}-{NOON_MS + 120_000}.png", picture(CAR))
    report = index.ingest()
    assert (dict(report.outcomes), report.alike) == ({"added": 1, "unchanged": 2}, [])
    assert status(index.database).alike == ()
    assert index.rows("SELECT camera, images FROM audit_cameras") == [(NFD, 3)]
    third.touch()
    third.rename(third.with_name(f"{NFD}-{NOON_MS + 180_000}.png"))
    assert dict(index.ingest(camera=NFD).outcomes) == {"moved": 1, "renamed": 2}
    assert index.rows("SELECT camera, images FROM audit_cameras WHERE images > 0") == [(NFC, 3)]


def test_names_that_differ_in_case_alone_are_reported(index: Index) -> None:
    """They are two cameras, and both commands say that they look the same."""
    for minute, camera in enumerate(("Cam1", "cam1", "cam2")):
        index.put(f"{camera}-{NOON_MS + minute * 60_000}.png", picture(stamp=minute))
    assert index.ingest().alike == [("Cam1", "cam1")]
    assert status(index.database).alike == (("Cam1", "cam1"),)
