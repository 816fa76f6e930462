"""Folders that a system or a program keeps beside people's files: bins, snapshots, versions, thumbnails, caches.

They hold copies, mostly of files that are, or were, in a folder nearby. The system makes and deletes these copies by
itself, so no copy there may stand for an image. Every hidden folder counts as a system folder, and so does every name
listed here. Letter case, and spaces and dots at the end, do not matter. The module looks at names only, and never at
the disk.

Decision 0011: plain words that people give to folders of cameras are not listed.
"""

import os
import re
import unicodedata
from functools import lru_cache

_NAMES = {
    "RECYCLER": "Windows NT to XP, on NTFS: the bin of a drive.",
    "RECYCLED": "Windows 95 to XP, on FAT: the bin of a drive.",
    "$RECYCLE.BIN": "Windows since Vista: the bin of a drive, a folder per user in it.",
    "System Volume Information": "Windows: restore points and shadow copies of a drive.",
    "$Extend": "NTFS: what the file system keeps of itself; deleted files in `$Deleted`.",
    "$RmMetadata": "NTFS: logs of transactions, below `$Extend`.",
    "lost+found": "ext2 to ext4: files whose names fsck lost.",
    "Network Trash Folder": "AppleShare: the bin of a shared volume.",
    "Network Recycle Bin": "QNAP, older systems: the bin of all shares; a number follows for further volumes.",
    "Temporary Items": "AppleShare: files that programs have open.",
    "TheVolumeSettingsFolder": "AppleShare: settings of a shared volume.",
    "TheFindByContentFolder": "Mac OS 9: the index of a volume.",
    "Cleanup At Startup": "Mac OS 9: temporary files until the next start.",
    "Trash Can": "Several NAS and Haiku: the bin.",
    "trashbox": "Buffalo: the bin of a share.",
    "files_trashbin": "Nextcloud and ownCloud: the bin of a user, in the data folder of the server.",
    "files_versions": "Nextcloud and ownCloud: earlier versions, in the data folder of the server.",
    "_NAS_Recycle_RAID": "Thecus: the bin of a volume.",
    "__MACOSX": "Archives made on macOS: AppleDouble files of what they hold.",
    "Backups.backupdb": "macOS, Time Machine: all backups of a disk.",
    "_gsdata_": "GoodSync: saved copies and history.",
    "#recycle": "Synology: the bin of a share.",
    "#snapshot": "Synology: the snapshots of a share, where they are made visible.",
    "#work": "Synology: files that a package has under way.",
    "@Recycle": "QNAP: the bin of a share.",
    "@Recently-Snapshot": "QNAP: the snapshots of a share.",
    "@eaDir": "Synology: thumbnails, in a folder per file that is named like it.",
    "@tmp": "Synology: files that are being written.",
    "@__thumb": "QNAP: thumbnails.",
    "@Transcode": "QNAP: pictures and videos in other sizes.",
    "@appstore": "Synology: packages.",
    "@database": "Synology: databases of packages.",
    "@download": "Synology: unfinished downloads.",
    "@img_bkp_cache": "Synology, Hyper Backup: what waits to be sent.",
    "@quarantine": "Synology, antivirus: what was found.",
    "@sharebin": "Synology: shares that were deleted.",
    "@sharesnap": "Synology: the snapshots of all shares.",
    "@SynologyDrive": "Synology Drive: versions of files.",
    "@cloudsync": "Synology, Cloud Sync: what waits to be sent.",
    "~snapshot": "NetApp: the snapshots of a share, as Windows sees them.",
}
"""Names that do not begin with a dot, with the system that makes them."""

_HIDDEN_NAMES = {
    ".Trash": "macOS, and the freedesktop.org bin of a volume that several users share.",
    ".Trashes": "macOS: the bin of a volume.",
    ".Trash-1000": "freedesktop.org: the bin of a volume for one user, by number.",
    ".recycle": "Samba (vfs_recycle): the bin of a share.",
    ".snapshot": "NetApp, Isilon, Ceph and others: the snapshots of a folder.",
    ".snapshots": "Snapper on btrfs: the snapshots of a subvolume.",
    ".zfs": "ZFS: the snapshots of a data set.",
    ".stversions": "Syncthing: earlier versions.",
    ".stfolder": "Syncthing: what tells that a disk is there.",
    ".sync": "Resilio Sync: its state, and deleted files in `Archive`.",
    ".debris": "MEGA: deleted files.",
    ".dropbox.cache": "Dropbox: earlier versions and deleted files.",
    ".git": "Git; git-annex keeps all files of a repository in `annex`.",
    ".dvc": "DVC: all files of a repository, named by their digests.",
    ".dtrash": "digiKam: the bin of an album collection.",
    ".picasaoriginals": "Picasa: pictures before they were edited.",
    ".cache": "freedesktop.org: caches, thumbnails among them.",
    ".thumbnails": "freedesktop.org and Android: thumbnails.",
    ".@__thumb": "QNAP: thumbnails.",
    ".streams": "QNAP: alternate data streams of files.",
    ".AppleDouble": "Netatalk: resource forks, under the names of the files.",
    ".TemporaryItems": "macOS: files that programs have open.",
    ".fseventsd": "macOS: the log of changes of a volume.",
    ".Spotlight-V100": "macOS: the index of a volume.",
    ".DocumentRevisions-V100": "macOS: earlier versions of documents.",
}
"""Known hidden names; any other hidden folder counts, too. These have short names on FAT (`TRASH~1`)."""

_NAME_PATTERNS = re.compile(
    r"""
      [^a-z0-9]* (?:network[ _-]?)? recycle[rd]? (?:[ ._-]*bin)? (?:[ _-]*[0-9]+)? [^a-z0-9]*  # _Recycle Bin 2
    | [^a-z0-9]* (?:network[ _-]?)? trash (?:es|bin|box|[ _-]?can|[ _-]?folder)? (?:[ _-]+[0-9]+)? [^a-z0-9]*
    | _nas_recycle_.*                # Thecus: one for each volume
    | network\ recycle\ bin.*        # QNAP
    | found\.[0-9]{3}                # Windows: what chkdsk found
    | @gmt-[0-9.]+-[0-9.]+           # Samba: a snapshot, by its time
    """,
    re.VERBOSE,
)
"""Names with many variants."""

_MARKED_NAME = re.compile(
    r"""
    [#@$~] (?: .*[^a-z] )?
    (?: recycl | trash | snap | thumb | transcod | delet | (?:tmp|temp|cache|versions|bin|work) (?![a-z]) )
    """,
    re.VERBOSE,
)
"""A mark that NAS systems put before the names of their own folders, and a word for the contents."""

_SHORT_NAME = re.compile(r"(?P<stem>[^.~]{1,6})~(?P<number>[0-9]{1,6})(?:\..{0,3})?")
_DOT_OF_NETATALK = ":2e"
"""How Netatalk 2 writes a dot at the beginning of a name."""


@lru_cache(maxsize=4096)
def is_system_folder(name: str) -> bool:
    """Whether a folder of this name is hidden, or is one that a system or a program keeps for itself."""
    return _folded(name).startswith((".", _DOT_OF_NETATALK)) or is_listed_folder(name)


@lru_cache(maxsize=4096)
def is_listed_folder(name: str) -> bool:
    """Whether a folder of this name is one that a system or a program keeps for itself, and not only hidden."""
    folded = _folded(name)
    if folded in _FOLDED or _NAME_PATTERNS.fullmatch(folded) or _MARKED_NAME.match(folded):
        return True
    short = _SHORT_NAME.fullmatch(folded)
    return short is not None and _is_short_name(short["stem"], digits=len(short["number"]))


def find_system_folder(path: str, *, root: str) -> str | None:
    """The outermost system folder between a root and a path below it; None if there is none.

    The name of the root, and of the path itself, do not count. None also if the path is not below the root.
    """
    return _find_above(os.path.dirname(path), root.rstrip(os.sep) + os.sep)


def count_system_folders(path: str) -> int:
    """The number of system folders above a path; a bin in a hidden folder counts as two."""
    return sum(map(is_system_folder, os.path.dirname(path).split(os.sep)))


def is_in_separate_system_folder(path: str, other: str) -> bool:
    """Whether a path lies in a system folder that the other path does not lie in."""
    folder, other_folder = os.path.dirname(path), os.path.dirname(other)
    return (
        folder != other_folder and find_system_folder(path, root=os.path.commonpath((folder, other_folder))) is not None
    )


@lru_cache(maxsize=4096)
def _find_above(folder: str, beneath: str) -> str | None:
    if not folder.startswith(beneath):
        return None
    above = beneath.rstrip(os.sep)
    for name in folder.removeprefix(beneath).split(os.sep):
        above = f"{above}{os.sep}{name}"
        if is_system_folder(name):
            return above
    return None


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold().rstrip(" .") or name


def _is_short_name(stem: str, *, digits: int) -> bool:
    """Whether a name is FAT's short form of a listed one: its first letters, as many as the number leaves of eight."""
    stem_length = 7 - digits
    return any(stem == listed[:stem_length] for listed in _STEMS)


def _stem(name: str) -> str:
    """The beginning of a name's short form on FAT: no spaces, nothing from the last dot on, `_` for odd characters."""
    bare = name.lstrip(".").replace(" ", "")
    return re.sub(r"[+,;=\[\]]", "_", bare.rpartition(".")[0].replace(".", "") or bare)


_FOLDED = frozenset(map(_folded, (*_NAMES, *_HIDDEN_NAMES)))
_STEMS = frozenset(_stem(_folded(name)) for name in (*_NAMES, *_HIDDEN_NAMES))

NAME_PREFIXES = tuple(
    sorted({_folded(name)[:5] for name in _NAMES if name[0].isalnum()} | {"recyc", "trash", "netwo", "found"})
)
"""The first five characters, in small letters, of every such name that begins with a letter or digit.

Short names on FAT are not included.
"""

LISTED_NAMES = (*_NAMES, *_HIDDEN_NAMES)
"""Every name that is listed here, as its system writes it."""
