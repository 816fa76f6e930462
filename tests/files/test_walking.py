"""Walking: every path once, in one order, no link followed, nothing unreadable passed over in silence."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.errors import FolderError
from indexer.files.walking import (
    APPLE_DOUBLE,
    IMAGE_SUFFIXES,
    QUARANTINE_NAME,
    REPORT_FOLDER,
    REPORT_MARKER,
    SYSTEM_FOLDER,
    UNFINISHED,
    Candidate,
    Skipped,
    list_outermost_folders,
    suffix_of,
    walk,
)

ODD_NAMES = [
    "two words.jpg",
    "line\nbreak.jpg",
    "Zürich 東京.png",
    os.fsdecode(b"caf\xe9.bmp"),
    "-rf.webp",
    "x" * 251 + ".tif",
    "?*[a]'\"\\.JPEG",
]


def made(path: Path, *, content: bytes = b"12345", mtime_ns: int = 1_000_000_007) -> str:
    """A file, its folders included."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, ns=(mtime_ns, mtime_ns))
    return str(path)


def candidate(path: str, root: Path) -> Candidate:
    return Candidate(path, str(root), 5, 1_000_000_007)


def in_order(found: Iterable[Candidate | Skipped]) -> list[Candidate | Skipped]:
    """What a walk found, by path."""
    return sorted(found, key=lambda one: one.path)


def failing(call: Callable[..., object], path: str, problem: OSError) -> Callable[..., object]:
    """The call, which fails for one path."""

    def instead(given: str, **more: object) -> object:
        if given == path:
            raise problem
        return call(given, **more)

    return instead


def test_files_come_in_byte_order(tmp_path: Path) -> None:
    """Files of a folder come in the byte order of their names, then its folders in theirs."""
    root = tmp_path / "lot"
    names = ["B.png", "a.jpg", "é.jpg", "a/2.png", "a/b/1.png", "é/3.png"]
    paths = [made(root / name) for name in reversed(names)][::-1]
    assert list(walk([str(root)])) == [candidate(path, root) for path in paths]


@pytest.mark.parametrize("suffix", sorted(IMAGE_SUFFIXES))
def test_suffixes_in_any_letter_case(tmp_path: Path, suffix: str) -> None:
    """Each of the seven suffixes makes a candidate, in any letter case."""
    root = tmp_path / "lot"
    paths = [made(root / f"1{suffix.upper()}"), made(root / f"2{suffix.title()}"), made(root / f"3{suffix}")]
    assert list(walk([str(root)])) == [candidate(path, root) for path in paths]


def test_what_is_no_candidate_is_skipped_with_its_reason(tmp_path: Path) -> None:
    """Other names, links to files and folders, and what is no regular file are each told with a reason."""
    root = tmp_path / "lot"
    image, text, folder = made(root / "a.png"), made(root / "notes.txt"), made(tmp_path / "other" / "b.png")
    (root / "link.png").symlink_to(image)
    (root / "broken.png").symlink_to("nowhere")
    (root / "other").symlink_to(Path(folder).parent)
    os.mkfifo(root / "pipe.png")
    assert list(walk([str(root)])) == [
        candidate(image, root),
        Skipped(str(root / "broken.png"), "symbolic link"),
        Skipped(str(root / "link.png"), "symbolic link"),
        Skipped(text, "not an image name"),
        Skipped(str(root / "other"), "symbolic link"),
        Skipped(str(root / "pipe.png"), "not a regular file"),
    ]


@pytest.mark.parametrize("name", [".png", "..jpg", "png", "a.png.txt", "a.", "a.jpg~", "a.pn g", "a.ſpng"])
def test_names_that_are_no_images(tmp_path: Path, name: str) -> None:
    """A suffix alone, behind dots or in the middle of a name makes no candidate, in a folder or as an argument."""
    path = made(tmp_path / "lot" / name)
    assert list(walk([str(tmp_path / "lot")])) == list(walk([path])) == [Skipped(path, "not an image name")]


@pytest.mark.parametrize("name", ["a.jpg.part", "a.PART", "b.tmp", "gate.jpg.crdownload"])
def test_unfinished_files_are_reported(tmp_path: Path, name: str) -> None:
    """What a transfer has not finished is skipped as that, in a folder or as an argument."""
    path = made(tmp_path / "lot" / name)
    assert list(walk([str(tmp_path / "lot")])) == list(walk([path])) == [Skipped(path, UNFINISHED)]


@pytest.mark.parametrize(
    ("name", "ending"),
    [
        ("a.HEIC", ".heic"),
        ("a.tar.gz", ".gz"),
        ("README", ""),
        (".gitignore", ""),
        ("a.", "."),
        ("a.b" + "c" * 40, ""),
        (os.fsdecode(b"a.\xff"), os.fsdecode(b".\xff")),
    ],
)
def test_the_ending_of_a_name(name: str, ending: str) -> None:
    """The last suffix in small letters; none of a name without one, of a hidden one, or where it is a sentence."""
    assert suffix_of(f"/lot.d/{name}") == ending


def test_quarantine_is_never_entered(tmp_path: Path) -> None:
    """What lies in a folder of the quarantine's name is not seen at any depth, and not walked on demand either."""
    root = tmp_path / "lot"
    kept = made(root / "deep" / "a.png")
    removed = [made(root / QUARANTINE_NAME / "1" / "b.png"), made(root / "deep" / QUARANTINE_NAME / "c.png")]
    assert list(walk([str(root)])) == [candidate(kept, root)]
    for argument in [*removed, str(root / QUARANTINE_NAME)]:
        with pytest.raises(FolderError):
            walk([argument])


def test_file_arguments(tmp_path: Path) -> None:
    """A file argument has its folder as root; a link or another name given as a file is skipped; each comes once."""
    image, text, link = made(tmp_path / "a.png"), made(tmp_path / "notes.txt"), tmp_path / "link.png"
    link.symlink_to(image)
    paths = [image, text, str(link), str(tmp_path / "home" / ".." / "a.png")]
    assert list(walk(paths)) == [
        candidate(image, tmp_path),
        Skipped(text, "not an image name"),
        Skipped(str(link), "symbolic link"),
    ]
    assert list_outermost_folders(paths) == ()


def test_relative_and_linked_arguments_become_real_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Paths are built on the real path of the argument, however it was written."""
    root = tmp_path / "lot"
    path = made(root / "a.png")
    (tmp_path / "link").symlink_to(root)
    monkeypatch.chdir(root)
    for argument in [".", "../lot/", str(tmp_path / "link"), "a.png", "../link/a.png"]:
        assert list(walk([argument])) == [candidate(path, root)]


def test_overlapping_arguments_give_every_path_once(tmp_path: Path) -> None:
    """A folder, its subfolder, a file of it and a link to it give every path once, with the outermost root."""
    root = tmp_path / "lot"
    paths = [made(root / "a.png"), made(root / "sub" / "b.png"), made(root / "sub-2" / "c.png")]
    (tmp_path / "link").symlink_to(root / "sub")
    arguments = [paths[0], str(root / "sub"), str(tmp_path / "link"), str(root), str(root), str(root / "sub-2")]
    assert set(walk(arguments)) == {candidate(path, root) for path in paths}
    assert len(list(walk(arguments))) == 3
    assert list_outermost_folders(arguments) == (str(root),)


def test_roots_keep_the_order_given(tmp_path: Path) -> None:
    """Folders side by side are roots in the order given, also where one's name begins with the other's."""
    for name in ("lot", "lot-2", "a"):
        (tmp_path / name).mkdir()
    assert list_outermost_folders([str(tmp_path / name) for name in ("lot-2", "lot", "a", "lot")]) == tuple(
        str(tmp_path / name) for name in ("lot-2", "lot", "a")
    )


@pytest.mark.parametrize(
    ("problem", "reason"),
    [
        (PermissionError(13, "Permission denied"), "Permission denied"),
        (FileNotFoundError(2, "No such file or directory"), "gone while walking"),
        (OSError(5, "Input/output error"), "Input/output error"),
    ],
)
def test_unlistable_folder_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, problem: OSError, reason: str
) -> None:
    """A folder that cannot be listed is skipped with its reason; the walk goes on, subfolders named apart included."""
    root = tmp_path / "lot"
    named, other = made(root / "closed" / "open" / "a.png"), made(root / "z" / "b.png")
    monkeypatch.setattr(os, "scandir", failing(os.scandir, str(root / "closed"), problem))
    assert list(walk([str(root / "closed" / "open"), str(root)])) == [
        Skipped(str(root / "closed"), reason),
        candidate(other, root),
        candidate(named, root / "closed" / "open"),
    ]


def test_files_that_vanish_while_walking_are_reported(tmp_path: Path) -> None:
    """A file or folder gone between listing and looking costs that path alone."""
    root = tmp_path / "lot"
    files = [made(root / "a.png"), made(root / "b.png"), made(root / "c.png"), made(root / "sub" / "d.png")]
    walking = walk([str(root)])
    first = next(walking)
    for gone in (files[1], files[3]):
        Path(gone).unlink()
    Path(files[3]).parent.rmdir()
    assert [first, *walking] == [
        candidate(files[0], root),
        Skipped(files[1], "gone while walking"),
        candidate(files[2], root),
        Skipped(str(root / "sub"), "gone while walking"),
    ]


@pytest.mark.parametrize("argument", ["missing", "", "nul\0.png", "\ud800", "a.png/", "a.png/b.png", "x" * 300])
def test_unusable_arguments_are_refused_at_once(tmp_path: Path, argument: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """An argument that names nothing is refused before anything is walked, with its value in the message."""
    monkeypatch.chdir(tmp_path)
    made(tmp_path / "a.png")
    for call in (walk, list_outermost_folders):
        with pytest.raises(FolderError) as caught:
            call([".", argument])
        assert repr(argument) in str(caught.value)


def test_folder_argument_that_cannot_be_listed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder argument without the right to list it is refused at once."""
    closed = str(tmp_path / "home")
    monkeypatch.setattr(os, "scandir", failing(os.scandir, closed, PermissionError(13, "Permission denied")))
    with pytest.raises(FolderError):
        walk([str(tmp_path), closed])


def test_deep_folders_are_walked(tmp_path: Path) -> None:
    """Folders nested deeper than Python's stack are walked to the bottom."""
    root = bottom = str(tmp_path / "lot")
    os.mkdir(root)
    for _ in range(1500):
        bottom += "/d"
        os.mkdir(bottom)
    path = made(Path(bottom, "a.png"))
    assert list(walk([root])) == list(walk([path, root])) == [candidate(path, Path(root))]
    os.unlink(path)
    os.removedirs(bottom)  # too deep for the clean-up of pytest


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names_survive(tmp_path: Path, name: str) -> None:
    """Spaces, newlines, unicode, bytes that are no UTF-8, leading dashes and 255 bytes come back unchanged."""
    root = tmp_path / name.rpartition(".")[0]
    path = made(root / name)
    assert list(walk([str(root)])) == list(walk([path])) == [candidate(path, root)]
    assert os.listdir(os.fsencode(root)) == [os.fsencode(name)]


def _files_beneath(path: str) -> set[str]:
    if not os.path.isdir(path):
        return {path}
    return {os.path.join(folder, name) for folder, _, names in os.walk(path) for name in names}


name_parts = st.sampled_from(["a", "b", "B.png", "a.png", "ä.jpg", "x.txt", "-", "c d", "\udce9.png"])


@settings(max_examples=40, deadline=None)
@given(trees=st.sets(st.lists(name_parts, min_size=1, max_size=3).map(tuple), max_size=8), data=st.data())
def test_every_path_is_answered_once(
    tmp_path_factory: pytest.TempPathFactory, trees: set[tuple[str, ...]], data: st.DataObject
) -> None:
    """Whatever folders and files are named in whatever order, each file beneath them is answered exactly once."""
    root = tmp_path_factory.mktemp("tree")
    for *folders, name in trees:
        made(root.joinpath(*(f"{folder}.d" for folder in folders), name))
    everything = sorted(str(path) for path in [root, *root.rglob("*")])
    arguments = data.draw(st.lists(st.sampled_from(everything)))
    answered = [found.path for found in walk(arguments)]
    assert sorted(answered) == sorted(set().union(*map(_files_beneath, arguments)))


def test_reports_are_not_walked(tmp_path: Path) -> None:
    """The pictures of a report are no images: its folder is skipped whole, and said so."""
    root = tmp_path / "lot"
    kept = made(root / "a.png")
    made(root / "pages" / "pictures" / "b.png")
    (root / "pages" / REPORT_MARKER).touch()
    assert list(walk([str(root)])) == [candidate(kept, root), Skipped(str(root / "pages"), REPORT_FOLDER)]


SYSTEM_FOLDERS = [
    *[
        "#recycle",
        ".Trash-1000",
        ".Trashes",
        ".snapshot",
        ".snapshots",
        ".zfs",
        "@eaDir",
        ".stversions",
        ".stfolder",
        ".git",
        ".dvc",
        "__MACOSX",
        "lost+found",
    ],
    *[
        "@Recently-Snapshot",
        "#snapshot",
        "~snapshot",
        "$RECYCLE.BIN",
        "RECYCLER",
        "Recycled",
        "@Recycle",
        ".@__thumb",
        "@__thumb",
        "@tmp",
        "#work",
    ],
    *[
        ".AppleDouble",
        ".dtrash",
        ".sync",
        ".dropbox.cache",
        ".TemporaryItems",
        ".fseventsd",
        ".Spotlight-V100",
        ".cache",
        ".thumbnails",
    ],
    *[
        "@Transcode",
        ".streams",
        "TRASH~1",
        "SYSTEM~1",
        "#RECYCLE",
        "@EADIR",
        "$Recycle.Bin",
        "found.000",
        "@GMT-2021.03.27-04.00.00",
    ],
    *[
        "System Volume Information",
        "Network Trash Folder",
        "Temporary Items",
        "Network Recycle Bin 1",
        ".any\udce9thing",
    ],
]


@pytest.mark.parametrize("name", SYSTEM_FOLDERS)
def test_system_folder_is_walked_only_if_it_is_named(tmp_path: Path, name: str) -> None:
    """A bin, a snapshot or a hidden folder is skipped and told, at any depth; named itself, alone or with the folder
    above it, it is walked as a root of its own, but for such folders within."""
    root = tmp_path / "lot"
    live, copy = made(root / "gate" / "a.png"), made(root / "gate" / name / "files" / "a.png")
    inner = made(root / "gate" / name / "files" / "~snapshot" / "b.png")
    system = root / "gate" / name
    skipped = Skipped(os.path.dirname(inner), SYSTEM_FOLDER)
    assert in_order(walk([str(root)])) == in_order([candidate(live, root), Skipped(str(system), SYSTEM_FOLDER)])
    assert list(walk([str(system)])) == [candidate(copy, system), skipped]
    both = [candidate(live, root), candidate(copy, system), skipped]
    assert list(walk([str(root), str(system)])) == list(walk([str(system), str(root)])) == both
    assert list(walk([copy])) == [candidate(copy, Path(copy).parent)]


def test_a_folder_within_a_named_system_folder(tmp_path: Path) -> None:
    """A folder that is named is walked, also where a folder above it is a system folder that is not."""
    root = tmp_path / "lot"
    live, copy = made(root / "a.png"), made(root / "~snapshot" / "daily" / "a.png")
    made(root / "~snapshot" / "hourly" / "a.png")
    assert list(walk([str(root), str(root / "~snapshot" / "daily")])) == [
        candidate(live, root),
        Skipped(str(root / "~snapshot"), SYSTEM_FOLDER),
        candidate(copy, root / "~snapshot" / "daily"),
    ]


@pytest.mark.parametrize("name", ["._a.png", "._.jpg", "._a.txt"])
def test_apple_double_files_are_no_images(tmp_path: Path, name: str) -> None:
    """What macOS keeps beside a file under its name is skipped with its own reason, in a folder or as an argument."""
    path = made(tmp_path / "lot" / name)
    assert list(walk([str(tmp_path / "lot")])) == list(walk([path])) == [Skipped(path, APPLE_DOUBLE)]
