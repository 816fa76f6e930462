"""Quarantine: where files go, in places that nobody shares and that leave nothing behind."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.files.quarantine import (
    make_synced_folders,
    quarantine_folder,
    release_quarantine_path,
    reserve_quarantine_path,
)
from indexer.files.walking import QUARANTINE_NAME


def test_quarantine_is_beside_the_root(lot: Path) -> None:
    """The quarantine lies beside the root, is not made by asking, and gives way to an override."""
    assert quarantine_folder(str(lot)) == str(lot.parent / QUARANTINE_NAME)
    assert quarantine_folder(str(lot), override="bin") == str(Path.cwd() / "bin")
    assert quarantine_folder("/") == f"/{QUARANTINE_NAME}"
    assert not (lot.parent / QUARANTINE_NAME).exists()


def _no_rights(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode, **_: Path(path) != lot.parent)


def _other_device(lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.lstat
    away = os.stat_result((*real(lot)[:2], 99_999, *real(lot)[3:]))
    monkeypatch.setattr(os, "lstat", lambda path, **_: away if Path(path) == lot else real(path))


@pytest.mark.parametrize(
    "obstacle",
    [
        _no_rights,
        _other_device,
        lambda lot, _: (lot.parent / QUARANTINE_NAME).symlink_to(lot),
        lambda lot, _: (lot.parent / QUARANTINE_NAME).touch(),
    ],
)
def test_quarantine_moves_inside_the_root(
    lot: Path, monkeypatch: pytest.MonkeyPatch, obstacle: Callable[[Path, pytest.MonkeyPatch], None]
) -> None:
    """Without the rights, on another device, or with something else of that name there, it lies inside the root."""
    obstacle(lot, monkeypatch)
    assert quarantine_folder(str(lot)) == str(lot / QUARANTINE_NAME)


def test_quarantine_places_are_never_shared(lot: Path) -> None:
    """Every call gives a new folder, also for the same run and name; forgetting them leaves what they did not make."""
    folder = str(lot / "new" / QUARANTINE_NAME)
    places = [reserve_quarantine_path(folder, run="3", name="7", basename="1.png") for _ in range(3)]
    assert places == [f"{folder}/3/{name}/1.png" for name in ("7", "7-2", "7-3")]
    assert [os.listdir(os.path.dirname(place)) for place in places] == [[], [], []]
    Path(places[1]).write_bytes(b"kept")
    for place in [*places, places[0]]:
        release_quarantine_path(place)
    assert Path(places[1]).read_bytes() == b"kept"
    assert os.listdir(f"{folder}/3") == ["7-2"]
    os.unlink(places[1])
    release_quarantine_path(places[1])
    assert os.listdir(folder) == []


def test_quarantine_is_closed_to_others(lot: Path) -> None:
    """The folders made for a quarantined file, and for one that comes back, are for the owner alone."""
    place = Path(reserve_quarantine_path(str(lot / "q"), run="3", name="7", basename="1.png"))
    make_synced_folders(str(lot / "c" / "d"))
    make_synced_folders(str(lot / "c" / "d"))
    assert [folder.stat().st_mode & 0o777 for folder in list(place.parents)[:3]] == [0o700] * 3
    assert [folder.stat().st_mode & 0o777 for folder in (lot / "c" / "d", lot / "c")] == [0o700] * 2


def test_place_in_a_folder_of_ones_own(lot: Path) -> None:
    """A quarantine that a person named stays when it is empty."""
    place = reserve_quarantine_path(str(lot / "b"), run="3", name="7", basename="1.png")
    release_quarantine_path(place)
    assert os.listdir(lot / "b") == []


def test_no_place_where_a_file_is_in_the_way(lot: Path) -> None:
    """A file in the place of the quarantine is left alone and told."""
    before = (lot / "a" / "1.png").read_bytes()
    with pytest.raises(NotADirectoryError):
        reserve_quarantine_path(str(lot / "a" / "1.png"), run="3", name="7", basename="1.png")
    assert (lot / "a" / "1.png").read_bytes() == before
