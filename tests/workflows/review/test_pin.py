"""pin and unpin: a person's word, and what it does to the next compare."""

import pytest

from indexer.errors import CameraError, ImageError, RunError, UsageError
from indexer.workflows.review.pin import PinReport, list_pins, parse_unpin, pin, unpin
from tests.support.index import BIRD, SECOND_BIRD, Index, name, picture, prepared


@prepared
def pair(index: Index) -> None:
    """Two images that show the same, decided."""
    index.put(name(0), picture())
    index.put(name(1), picture(BIRD))
    index.ingest()
    index.compare()


def reasons(index: Index) -> list[str]:
    """Why each image is what it is, in the order of files."""
    return [reason for (reason,) in index.rows("SELECT reason FROM audit_decisions ORDER BY path")]


def test_pinned_image_is_kept(pair: Index) -> None:
    """A pinned duplicate is kept from the next compare on and stands for what is similar to it."""
    pair.pin(name(1))
    pair.compare()
    assert pair.decisions() == {name(0): ("duplicate", name(1), 0.0), name(1): ("keep", None, None)}
    assert reasons(pair) == ["similar", "pinned"]


def test_pinned_images_do_not_flag_each_other(pair: Index) -> None:
    """Two pinned images are both kept, until one of them is unpinned."""
    pair.pin(name(0), name(1))
    pair.compare()
    assert reasons(pair) == ["pinned", "pinned"]
    pair.unpin(name(0))
    pair.compare()
    assert pair.decisions() == {name(0): ("duplicate", name(1), 0.0), name(1): ("keep", None, None)}


def test_pinned_keeper_takes_over_what_is_nearer_to_it(index: Index) -> None:
    """A keeper that a pin raises above a duplicate becomes its witness where it is similar and nearer in time."""
    for minute, marks in {0: (), 9: (BIRD,), 10: (BIRD, SECOND_BIRD)}.items():
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.compare()
    assert index.decisions()[name(9)] == ("duplicate", name(0), 0.0)
    index.pin(name(10))
    index.compare()
    assert index.decisions() == {
        name(0): ("keep", None, None),
        name(9): ("duplicate", name(10), 0.0),
        name(10): ("keep", None, None),
    }


def test_unpinned_image_is_decided_as_before(pair: Index) -> None:
    """A pin taken back leaves the decisions that would be there without it."""
    before = pair.decisions()
    pair.pin(name(1))
    pair.compare()
    pair.unpin(name(1))
    pair.compare()
    assert (pair.decisions(), reasons(pair)) == (before, ["new", "similar"])


def test_pinning_twice_changes_nothing(pair: Index) -> None:
    """What is pinned already, or not at all, is reported and left; history is kept."""
    path = str(pair.folder / name(0))
    assert pair.pin(name(0)) == PinReport([path], [])
    assert pair.pin(name(0)) == PinReport([], [path])
    assert pair.unpin(name(0)) == PinReport([path], [])
    assert pair.unpin(name(0)) == PinReport([], [path])
    assert pair.rows("SELECT image_id, reason, unpinned_at IS NULL FROM pins") == [(1, "pin", 0)]


def test_image_is_named_by_number_too(pair: Index) -> None:
    """An image's number stands for its path."""
    assert pin(pair.database, ["2"], clock=pair.clock).changed == [str(pair.folder / name(1))]


def test_images_are_named_by_file_name_and_glob(pair: Index) -> None:
    """A file name that one image has names it, a glob all that match."""
    paths = [str(pair.folder / name(minute)) for minute in (0, 1)]
    assert pin(pair.database, [name(1)], clock=pair.clock).changed == paths[1:]
    found = pin(pair.database, ["gate-*"], clock=pair.clock)
    assert (found.changed, found.unchanged) == (paths[:1], paths[1:])


def test_keeper_of_removed_images_stays_pinned(pair: Index) -> None:
    """Taking a person's pin back does not free an image that stands for a removed one."""
    pair.pin(name(0))
    pair.prune()
    pair.unpin(name(0))
    pair.put(name(2), picture(height=128, width=192))
    pair.ingest()
    pair.compare()
    assert pair.decisions() == {name(0): ("keep", None, None), name(2): ("duplicate", name(0), 0.0)}


@pytest.mark.parametrize("file", [name(1), "nowhere.png"])
def test_image_that_is_not_there_is_not_pinned(pair: Index, file: str) -> None:
    """A removed or unknown image is refused with what to type, all of the request with it, and no run is left."""
    pair.prune()
    before = pair.dump()
    with pytest.raises(ImageError, match=r"manage\.py"):
        pair.pin(name(0), file)
    assert pair.dump() == before


def pinned(index: Index) -> list[tuple[str, str, int]]:
    """File, reason and run of every pin that is listed."""
    return [(index.file(pin.path), pin.reason, pin.run_id) for pin in list_pins(index.database).pins]


def test_pins_are_listed_and_taken_back_in_bulk(pair: Index) -> None:
    """The list has every pin that a person set, with the command and its run; a run, a camera or all are taken back."""
    run_id = pair.prune().run_id
    assert pinned(pair) == []
    pair.restore(pair.folder / name(1))
    restore_id = run_id + 1
    assert pinned(pair) == [(name(0), "restore", restore_id), (name(1), "restore", restore_id)]
    assert len(unpin(pair.database, parse_unpin([], run_id=restore_id), clock=pair.clock).changed) == 2
    for selection in (parse_unpin([], camera="gate"), parse_unpin([], everything=True)):
        pair.pin(name(0))
        assert unpin(pair.database, selection, clock=pair.clock) == PinReport([str(pair.folder / name(0))], [])
        assert pinned(pair) == []


def test_one_way_to_say_which_pins(pair: Index) -> None:
    """Exactly one of images, a run, a camera and all is asked for; a run or camera that is unknown is refused."""
    for names, more in ((["1"], {"everything": True}), ([], {}), ([], {"run_id": 1, "camera": "gate"})):
        with pytest.raises(UsageError):
            parse_unpin(names, **more)
    for selection, error in ((parse_unpin([], run_id=99), RunError), (parse_unpin([], camera="no"), CameraError)):
        with pytest.raises(error):
            unpin(pair.database, selection, clock=pair.clock)
