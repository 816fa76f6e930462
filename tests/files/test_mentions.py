"""Which indexes a quarantine names, and of which folder: by its marker, its manifests and its record."""

from dataclasses import replace
from pathlib import Path

import pytest

from indexer.files import manifest, witness_record
from indexer.files.manifest import Entry
from indexer.files.mentions import Mention, iter_mentions
from indexer.files.owners import Owner
from indexer.files.quarantine import prepare_quarantine, reserve_quarantine_path
from indexer.files.witness_record import WitnessLine

A, B = "aa" * 16, "bb" * 16
AT = "2026-01-01T12:00:00+00:00"


@pytest.fixture
def quarantine(tmp_path: Path) -> str:
    """An empty quarantine."""
    folder = str(tmp_path / ".indexer-quarantine")
    prepare_quarantine(folder)
    return folder


def line(removed: str, witness: str, *, index_id: str = A) -> WitnessLine:
    """A line of a record."""
    return WitnessLine("removed", "0" * 64, 1, removed, "1" * 64, witness, index_id, "t", AT)


def folders(quarantine: str, *, holder: str) -> set[str]:
    """The folders of the mentions."""
    return {one.folder for one in iter_mentions(quarantine, parent_folder=holder, owners=())}


@pytest.mark.parametrize(
    ("removed", "witness", "said"),
    [
        ("/data/lot/1.png", "/data/lot/0.png", {"/data/lot"}),
        ("/data/lot/deep/1.png", "/data/gate/0.png", {"/data/lot", "/data/gate"}),
        ("/data/1.png", "/data/lot/0.png", {"/data", "/data/lot"}),
        ("/else/lot/1.png", "/data/lot/0.png", {"/data/lot"}),
        ("/else/lot/1.png", "/else/0.png", {"/data"}),
        ("/data-2/lot/1.png", "/data-2/0.png", {"/data"}),
    ],
)
def test_a_line_speaks_of_the_folder_that_was_taken_in(
    quarantine: str, removed: str, witness: str, said: set[str]
) -> None:
    """It is the one beside the quarantine that leads to the images; of images elsewhere, any that lies there."""
    witness_record.append(quarantine, line(removed, witness))
    assert folders(quarantine, holder="/data") == said
    assert {one.at for one in iter_mentions(quarantine, parent_folder="/data", owners=())} == {AT}


def test_quarantine_of_the_root(quarantine: str) -> None:
    """Also where the quarantine lies in the root of all folders."""
    witness_record.append(quarantine, line("/lot/1.png", "/lot/0.png"))
    assert folders(quarantine, holder="/") == {"/lot"}


def test_owner_tells_its_root(quarantine: str) -> None:
    """An owner in the marker says itself what it took in; of another place, any folder beside the quarantine."""
    owners = [Owner(A, root, "/x.db", "ada", "box") for root in ("/data", "/data/lot/deep", "/else", "/data-2")]
    told = [mention.folder for mention in iter_mentions(quarantine, parent_folder="/data", owners=owners)]
    assert told == ["/data", "/data/lot/deep", "/data", "/data"]


def test_manifests_name_their_indexes(quarantine: str) -> None:
    """Each run's first entry names its index, in the quarantine and where one run was copied out of it."""
    entry = Entry("/data/lot/1.png", 1, "0" * 64, "/data/lot/0.png", AT, "1" * 64, A, "t")
    for number, index_id in enumerate((A, B, "")):
        place = reserve_quarantine_path(quarantine, run=f"run-0123abcd-{number}", name="1", basename="1.png")
        manifest.append_entry(place, replace(entry, index_id=index_id))
    mentions = list(iter_mentions(quarantine, parent_folder="/data", owners=()))
    assert mentions == [Mention(index_id, "/data/lot", "t", AT) for index_id in (A, B, "")]
    assert list(iter_mentions(f"{quarantine}/run-0123abcd-1", parent_folder="/data", owners=())) == [mentions[1]]


def test_record_that_is_no_file(quarantine: str) -> None:
    """A folder in the place of the record tells nothing."""
    Path(quarantine, witness_record.RECORD_NAME).mkdir()
    assert folders(quarantine, holder="/data") == set()


@pytest.mark.parametrize("spoiled", [b"", b"\n\n{", b'\n{"event": "removed"}', b"\n" + b"x" * (1 << 18)])
def test_damaged_lines_name_nobody(quarantine: str, spoiled: bytes) -> None:
    """Lines that a cut or somebody else left are passed over, and the others are read."""
    Path(quarantine, witness_record.RECORD_NAME).write_bytes(spoiled)
    witness_record.append(quarantine, line("/data/lot/1.png", "/data/lot/0.png"))
    assert folders(quarantine, holder="/data") == {"/data/lot"}
