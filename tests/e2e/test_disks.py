"""Disks that lack a property: a file goes and comes back whole, or stays where it is and one sentence says why."""

import os
import re

import pytest

from indexer.workflows.removal.recover import recover
from indexer.workflows.removal.rescue import rescue
from tests.support.disks import COARSE_NS, KINDS, Kind
from tests.support.index import BIRD, Index, name, picture, prepared

KEEPER, COPY, BIRDS = name(0), f"day/{name(1)}", f"day/{name(2)}"
FILES = {KEEPER: picture(), COPY: picture(), BIRDS: picture(BIRD)}
BARE = re.compile(r"^(The file is not the one|[A-Z][a-z]+( [a-z/]+)*$)|try again when|its space and its health")
"""What helps nobody: the system's bare words, and advice that is beside the point."""


@prepared
def lot(index: Index) -> None:
    """A keeper and two that it stands for, decided, on an ordinary disk; the index lies elsewhere."""
    for file, content in FILES.items():
        index.put(file, content)
    index.ingest()
    index.compare()


@pytest.fixture(params=[label for label, kind in KINDS.items() if kind.says is None])
def working(request: pytest.FixtureRequest) -> Kind:
    """A kind of disk on which files can be moved."""
    return KINDS[request.param]


@pytest.fixture(params=[label for label, kind in KINDS.items() if kind.says is not None])
def lacking(request: pytest.FixtureRequest) -> Kind:
    """A kind of disk on which files cannot be moved."""
    return KINDS[request.param]


def images(index: Index) -> dict[str, bytes]:
    """The bytes of every file below the folder that has the name of an image."""
    return {str(path.relative_to(index.folder)): path.read_bytes() for path in index.folder.rglob("*.png")}


def times(index: Index) -> dict[str, int]:
    """The time of every image below the folder, as coarse as FAT keeps it."""
    return {
        str(path.relative_to(index.folder)): path.stat().st_mtime_ns // COARSE_NS
        for path in index.folder.rglob("*.png")
    }


def quarantined(index: Index) -> list[bytes]:
    """The bytes of every image in quarantine."""
    return sorted(path.read_bytes() for path in (index.folder.parent / ".indexer-quarantine").rglob("*.png"))


def test_files_go_and_come_back(lot: Index, working: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prune puts both files into quarantine, restore brings them back with bytes and times, and once more."""
    before = times(lot)
    working.play(monkeypatch)
    for _ in range(2):
        report = lot.prune()
        assert (report.removed, report.failures, report.protected) == (2, [], [])
        assert images(lot) == {KEEPER: FILES[KEEPER]}
        assert quarantined(lot) == sorted([FILES[COPY], FILES[BIRDS]])
        assert lot.restore(pin=False).failures == []
        assert (images(lot), times(lot), quarantined(lot)) == (FILES, before, [])
        lot.compare()


def test_purge_frees_the_space(lot: Index, working: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Purge deletes what lies in quarantine, and the keeper stays."""
    working.play(monkeypatch)
    assert lot.prune().removed == 2
    report = lot.purge()
    assert (report.purged, report.skipped) == (2, [])
    assert (images(lot), quarantined(lot)) == ({KEEPER: FILES[KEEPER]}, [])


def test_permanent_deletes_the_two(lot: Index, working: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Prune that deletes at once deletes the two and leaves the keeper."""
    working.play(monkeypatch)
    assert (lot.prune(permanent=True).removed, images(lot)) == (2, {KEEPER: FILES[KEEPER]})
    assert quarantined(lot) == []


def test_rescue_brings_them_back(lot: Index, working: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the index the quarantine alone brings both back."""
    working.play(monkeypatch)
    assert lot.prune().removed == 2
    report = rescue(str(lot.folder.parent / ".indexer-quarantine"))
    assert (report.restored, report.failures) == (2, [])
    assert (images(lot), quarantined(lot)) == (FILES, [])


def test_nothing_is_open_afterwards(lot: Index, working: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a prune there, and one that goes back, there is nothing to recover."""
    working.play(monkeypatch)
    lot.prune()
    lot.restore(pin=False)
    report = recover(lot.database, nobody_else=False, clock=lot.clock)
    assert (report.finished, report.undone, report.left_open) == (0, 0, ())


@pytest.mark.parametrize("permanent", [False, True])
def test_disk_that_lacks_what_it_takes(
    lot: Index, lacking: Kind, monkeypatch: pytest.MonkeyPatch, permanent: bool
) -> None:
    """Every file is where it was, nothing stays open, and one sentence names the property and what to do."""
    with monkeypatch.context() as patch:
        lacking.play(patch)
        for _ in range(2):
            report = lot.prune(permanent=permanent)
            if report.removed:  # a file that is deleted at once needs another name in its own folder alone
                assert permanent
                return
            assert images(lot) == FILES
            assert quarantined(lot) == []
            assert len(report.failures) == 2
            for _, reason in report.failures:
                assert lacking.says is not None
                assert lacking.says in reason
                assert "another disk" in reason
                assert not BARE.search(reason), reason
    report = lot.prune()
    assert (report.removed, report.failures) == (2, [])


def test_quarantine_is_stuck_on_such_a_disk(lot: Index, lacking: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    """What lies in quarantine stays there, whole, where it cannot be moved back, and the reason is a sentence."""
    assert lot.prune().removed == 2
    with monkeypatch.context() as patch:
        lacking.play(patch)
        came_back = lot.restore(pin=False)
        rescued = rescue(str(lot.folder.parent / ".indexer-quarantine")) if came_back.failures else None
        for _, reason in [*came_back.failures, *(rescued.failures if rescued else [])]:
            assert not BARE.search(reason), reason
    assert sorted([*images(lot).values(), *quarantined(lot)]) == sorted(FILES.values())
    lot.restore(pin=False) if quarantined(lot) else None
    assert (images(lot), quarantined(lot)) == (FILES, [])


def test_summer_time(lot: Index) -> None:
    """Files whose times all moved by an hour are reported, and nothing is decided again, before and after prune."""

    def shift() -> None:
        for path in lot.folder.rglob("*.png"):
            mtime_ns = path.stat().st_mtime_ns + 3600 * 10**9
            os.utime(path, ns=(mtime_ns, mtime_ns))

    shift()
    before = lot.dump(without=("runs", "images"))
    report = lot.ingest()
    assert (dict(report.outcomes), report.retimed, report.undecided) == ({"unchanged": 3}, 3, 0)
    assert lot.dump(without=("runs", "images")) == before
    assert lot.ingest().retimed == 0
    shift()
    shifted = times(lot)
    assert lot.prune().removed == 2
    assert lot.restore(pin=False).failures == []
    assert (images(lot), times(lot)) == (FILES, shifted)
    assert lot.ingest().retimed == 3


def test_kinds_are_many() -> None:
    """Of disks that work otherwise there are a dozen kinds, and some that do not work."""
    assert len([kind for kind in KINDS.values() if kind.says is None]) >= 12
    assert len([kind for kind in KINDS.values() if kind.says is not None]) >= 4
