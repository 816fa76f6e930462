"""System folders: known by name, in any letter case; what people call their cameras is none."""

import pytest

from indexer.files.system_folders import (
    LISTED_NAMES,
    NAME_PREFIXES,
    find_system_folder,
    is_in_separate_system_folder,
    is_system_folder,
)

OTHERS = [
    ".Trashes",
    ".Trash-501",
    ".hidden",
    ".config",
    "...",
    "..data",
    "TRASH~1",
    "TRASHE~1",
    "TRASH-~1",
    "RECYCL~1",
    "SYSTEM~1",
    "SYSTE~10",
    "LOST_F~1",
    "DROPBO~1.CAC",
    "SNAPSH~1",
    "#Recycle",
    "#RECYCLE",
    "@recycle",
    "@EADIR",
    "@eaDIR",
    "__macosx",
    "Lost+Found",
    "Recycled",
    "recycler",
    "$Recycle.Bin",
    "$recycle.bin.",
    "~SNAPSHOT",
    "#recycle-2",
    "@Recycle_old",
    "@snapshots",
    "#snapshots",
    "@tmp_cloudsync",
    "$Deleted",
    "@GMT-2021.03.27-04.00.00",
    "found.000",
    "FOUND.012",
    "Trash",
    "trash-1000",
    "Trash_2",
    "RecycleBin",
    "recycle",
    "Recycle.Bin",
    "_recycle_bin",
    "_NAS_Recycle_RAID_2",
    ":2eTrash",
    ":2eAppleDouble",
]
SPACED = [
    "SYSTEM VOLUME INFORMATION",
    "System Volume Information ",
    "Recycle Bin",
    "Network Recycle Bin 1",
    "trash can",
]
NAMES = sorted({*LISTED_NAMES, *OTHERS, *SPACED})

CAMERAS = [
    "gate",
    "gate-2",
    "#1",
    "#2",
    "@gate",
    "@home",
    "@",
    "~gate",
    "$5",
    "_gate",
    "snapshots",
    "snapshot",
    "Snapshot",
    "thumbs",
    "thumbnails",
    "cache",
    "tmp",
    "work",
    "backup",
    "versions",
    "recycling-centre",
    "recycler-yard",
    "trash1",
    "trashy",
    "2021-03-27",
    "27",
    "gate~1",
    "GATE01~1",
    "found",
    "found.jpg",
    "GMT-2021",
    "@template",
    "#binary",
    "system",
    "network",
    "temporary",
    "_snapshots",
    "lost",
    "Ünïcode",
    "annex",
    "objects",
    "streams",
    "deleted",
]


@pytest.mark.parametrize("name", NAMES)
def test_names_of_systems_are_known(name: str) -> None:
    """A listed name, another of its family, its short form and any hidden name is known, in any letter case."""
    assert (is_system_folder(name), is_system_folder(name.swapcase())) == (True, True)


@pytest.mark.parametrize("name", CAMERAS)
def test_names_of_cameras_are_none(name: str) -> None:
    """What people call a folder of images is no system folder, also where the word is near one."""
    assert not is_system_folder(name)


@pytest.mark.parametrize("name", NAMES)
def test_beginnings_cover_every_plain_name(name: str) -> None:
    """A name that begins with a letter or digit, and is no short one, has a beginning that the query goes by."""
    plain = name[0].isascii() and name[0].isalnum() and "~" not in name
    assert not plain or name.lower().startswith(NAME_PREFIXES)


def test_folder_is_looked_for_beneath_the_root() -> None:
    """The outermost system folder beneath the root counts, not those above it, nor the file's own name."""
    path = "/data/.pool/lot/.snapshot/daily/#recycle/a.png"
    assert find_system_folder(path, root="/data") == find_system_folder(path, root="/") == "/data/.pool"
    assert find_system_folder(path, root="/data/.pool") == "/data/.pool/lot/.snapshot"
    assert find_system_folder(path, root="/data/.pool/lot/.snapshot") == "/data/.pool/lot/.snapshot/daily/#recycle"
    assert find_system_folder(path, root="/data/.pool/lot/.snapshot/daily/#recycle") is None
    assert find_system_folder(path, root="/other") is None
    assert find_system_folder("/data/lot/.a.png", root="/data") is None


def test_files_are_apart_where_only_one_lies_in_a_system_folder() -> None:
    """A path is apart from another if it lies in a system folder and the other does not lie in the same one."""
    live, copy, deeper = "/lot/gate/a.png", "/lot/.snapshot/daily/a.png", "/lot/.snapshot/daily/gate/b.png"
    assert (
        is_in_separate_system_folder(copy, live),
        is_in_separate_system_folder(live, copy),
        is_in_separate_system_folder(copy, deeper),
        is_in_separate_system_folder(deeper, copy),
    ) == (
        True,
        False,
        False,
        False,
    )
    assert is_in_separate_system_folder("/lot/.snapshot/a.png", "/lot/.snapshots/a.png")
    assert not is_in_separate_system_folder("/.pool/lot/a.png", "/.pool/lot/gate/b.png")
