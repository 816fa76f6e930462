"""Whatever happens to a folder and its index, the decisions are those of the rule applied from scratch."""

import itertools
from contextlib import suppress
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.errors import FolderError, VerdictError
from indexer.store.unchanged_cameras import list_unchanged_cameras
from indexer.workflows.compare import small_cameras
from indexer.workflows.review.verdict import set_verdict, undo_verdict
from tests.support.brute_force import assert_promises
from tests.support.databases import Maker, on_postgresql, on_sqlite
from tests.support.index import BIRD, CAR, GHOST, SECOND_BIRD, THIRD_BIRD, Index, name, picture
from tests.support.stub_network import stubbed_network

PICTURES = (
    picture(),
    picture(stamp=1),
    picture(BIRD),
    picture(BIRD, SECOND_BIRD),
    picture(BIRD, SECOND_BIRD, THIRD_BIRD),
    picture(CAR),
    picture(GHOST),
    picture(height=128, width=192),
    picture(CAR, height=128, width=192),
    picture(width=128),
)
FILES = (
    *(name(minute) for minute in (0, 1, 2, 4, 7, 7.5)),
    *(name(minute, "yard") for minute in (0, 3)),
    "timeless/a.png",
    "timeless/b.png",
)

numbers = st.integers(0, 9)
places = st.tuples(numbers, numbers)
"""A file, and the picture that it shows."""
verdict = st.tuples(st.sampled_from(["same", "different", "undo"]), numbers, numbers)
step = st.one_of(
    st.tuples(st.sampled_from(["pin", "unpin"]), numbers),
    st.tuples(st.sampled_from(["prune", "restore", "restore without pin"])),
    st.tuples(st.just("add"), st.lists(places, min_size=1, max_size=3)),
    st.tuples(st.sampled_from(["change", "move"]), numbers, numbers),
    st.tuples(st.sampled_from(["vanish", "rename", "retime", "restore", "restore without pin"]), numbers),
    st.tuples(st.sampled_from(["balanced", "plain", "colour", "learned"])),
    verdict,
)
steps = st.lists(st.tuples(step, st.sampled_from([True, True, False])), min_size=2, max_size=12)
"""What happens, and whether compare runs after it."""
first = st.lists(places, min_size=4, max_size=9)

fresh = itertools.count()


class History:
    """A folder and its index, and one method for each thing that can happen to them."""

    def __init__(self, index: Index) -> None:
        self.index = index
        self.profile = "balanced"

    def there(self, number: int) -> str | None:
        """A file that is there, and not in a quarantine."""
        files = sorted(file for file in FILES if (self.index.folder / file).exists())
        return files[number % len(files)] if files else None

    def ingest(self, *files: str, **how: Any) -> None:
        """Takes in some files, or the folder as it is."""
        try:
            self.index.ingest(*(self.index.folder / file for file in files), **how)
        except FolderError:
            assert self.there(0) is None

    def compare(self, profile: str | None = None) -> None:
        """Decides, and holds the decisions against the rule; a second time there is nothing left to do, whether cameras
        are passed over as unchanged or walked down."""
        self.profile = profile or self.profile
        assert self.index.compare(profile=profile).held_back == []
        assert_promises(self.index.rows, self.profile)
        assert self.index.compare().counts["decided"] == 0
        with self.index.database.read() as session:
            standing = sum(camera.images for camera in list_unchanged_cameras(session).values())
        assert standing == len(self.index.decisions())
        with mock.patch.object(small_cameras, "list_unchanged_cameras", return_value={}):
            assert self.index.compare().counts["decided"] == 0

    def add(self, places: list[tuple[int, int]]) -> None:
        """New files, or new bytes in known ones, taken in one by one."""
        for file, shown in places:
            self.index.put(FILES[file], PICTURES[shown])
        self.ingest(*dict.fromkeys(FILES[file] for file, _ in places))

    def change(self, number: int, shown: int) -> None:
        """Other bytes at a path."""
        if file := self.there(number):
            self.index.put(file, PICTURES[shown])
            self.ingest()

    def move(self, number: int, place: int) -> None:
        """A file that goes to another place, free or not."""
        if (file := self.there(number)) and file != FILES[place]:
            self.index.put(FILES[place], (self.index.folder / file).read_bytes())
            (self.index.folder / file).unlink()
            self.ingest()

    def vanish(self, number: int) -> None:
        """A file that is gone."""
        if file := self.there(number):
            (self.index.folder / file).unlink()
            self.ingest()

    def pin(self, number: int) -> None:
        """A person's word for an image."""
        if file := self.there(number):
            self.index.pin(file)

    def unpin(self, number: int) -> None:
        """The word taken back."""
        if file := self.there(number):
            self.index.unpin(file)

    def judge(self, word: Any, number: int, other: int) -> None:
        """A person's word on two images that the index knows, present or not, or that word taken back."""
        known = [image_id for (image_id,) in self.index.rows("SELECT id FROM images ORDER BY id")]
        pair = [str(known[one % len(known)]) for one in (number, other)]
        removed = self.removed()
        with suppress(VerdictError):  # one image, two cameras, nothing to undo
            if word == "undo":
                undo_verdict(self.index.database, *pair, clock=self.index.clock)
            else:
                set_verdict(self.index.database, *pair, word, by="Ada", note=None, clock=self.index.clock)
        assert self.removed() == removed

    def removed(self) -> list[tuple[Any, ...]]:
        """What is decided of the removed images."""
        return self.index.rows("SELECT * FROM audit_decisions WHERE state = 'removed' ORDER BY image_id")

    def rename(self, number: int) -> None:
        """A file that is said to be of another camera."""
        if file := self.there(number):
            self.ingest(file, camera="yard")

    def retime(self, number: int) -> None:
        """A file that is said to be of another time."""
        if (file := self.there(number)) and "-" in file:
            self.ingest(file, pattern=r"-16(?P<timestamp>\d{10})\d\.png$")

    def prune(self) -> None:
        """What is planned goes to quarantine, whole."""
        before = sorted(content for content, _ in self.index.tree().values())
        assert self.index.prune().failures == []
        assert sorted(content for content, _ in self.index.tree().values()) == before

    def restore(self, number: int | None = None, *, pin: bool = True) -> None:
        """One file or all come back, unless another lies there."""
        waiting = [path for (path,) in self.index.rows("SELECT path FROM audit_removals WHERE state = 'quarantined'")]
        if number is None:
            self.index.restore(pin=pin)
        elif waiting:
            self.index.restore(waiting[number % len(waiting)], pin=pin)

    def take(self, step: str, *what: Any) -> None:
        """Does what a step says."""
        if step in ("balanced", "plain", "colour", "learned"):
            self.compare(step)
        elif step in ("same", "different", "undo"):
            self.judge(step, *what)
        elif step == "restore without pin":
            self.restore(*what, pin=False)
        else:
            getattr(self, step)(*what)


def new_history(maker: Maker, folder: Path) -> History:
    """An empty folder and index."""
    home = folder / f"history-{next(fresh)}"
    (home / "site" / "frames").mkdir(parents=True)
    return History(Index(maker.new(home), home / "site" / "frames"))


often = settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])


seldom = settings(often, max_examples=2)  # on a server a history takes five times as long, and the rule is the same


def live(maker: Maker, folder: Path, first: list[tuple[int, int]], steps: list[tuple[Any, ...]]) -> None:
    """Takes a folder through a history, holding every compare against the rule."""
    history = new_history(maker, folder)
    try:
        with stubbed_network():
            history.add(first)
            history.compare()
            for (what, *how), then_compare in [*steps, (("compare",), False)]:
                history.take(what, *how)
                if then_compare:
                    history.compare()
    finally:
        maker.drop(history.index.database)


@on_sqlite
@often
@given(first=first, steps=steps)
def test_any_history_ends_in_the_decisions_of_the_rule(
    maker: Maker, tmp_path: Path, first: list[tuple[int, int]], steps: list[tuple[Any, ...]]
) -> None:
    """After any history, every compare gives witnesses, independence, and what a brute force from scratch gives."""
    live(maker, tmp_path, first, steps)


@on_postgresql
@seldom
@given(first=first, steps=steps)
def test_any_history_on_a_server(
    maker: Maker, tmp_path: Path, first: list[tuple[int, int]], steps: list[tuple[Any, ...]]
) -> None:
    """On a server histories end in the decisions of the rule, too."""
    live(maker, tmp_path, first, steps)


verdicts = st.lists(st.tuples(verdict, st.booleans()), min_size=2, max_size=16)


@on_sqlite
@settings(often, max_examples=5)
@given(first=first, steps=verdicts)
def test_any_verdicts_end_in_the_decisions_of_the_rule(
    maker: Maker, tmp_path: Path, first: list[tuple[int, int]], steps: list[tuple[Any, ...]]
) -> None:
    """Verdicts given, changed and taken back in any order decide what they would have decided from the start."""
    live(maker, tmp_path, first, steps)


@on_postgresql
@seldom
@given(first=first, steps=verdicts)
def test_any_verdicts_on_a_server(
    maker: Maker, tmp_path: Path, first: list[tuple[int, int]], steps: list[tuple[Any, ...]]
) -> None:
    """On a server verdicts decide what they would have decided from the start, too."""
    live(maker, tmp_path, first, steps)


@pytest.fixture
def decided_at_once(maker: Maker, tmp_path: Path) -> dict[str, Any]:
    """What one batch of ten files decides."""
    history = new_history(maker, tmp_path)
    for file in range(10):
        history.index.put(FILES[file], PICTURES[file], mtime_s=file)
    history.ingest()
    history.compare()
    decisions = history.index.decisions()
    maker.drop(history.index.database)
    return decisions


@on_sqlite
@settings(often, max_examples=4)
@given(places=st.permutations([(file, file) for file in range(10)]), cuts=st.sets(st.integers(1, 9)))
def test_batches_and_order_decide_nothing(
    maker: Maker,
    tmp_path: Path,
    decided_at_once: dict[str, Any],
    places: list[tuple[int, int]],
    cuts: set[int],
) -> None:
    """The same ten files in any order and any batches give the same decisions."""
    history = new_history(maker, tmp_path)
    try:
        for begin, end in itertools.pairwise([0, *sorted(cuts), 10]):
            for file, shown in places[begin:end]:
                history.index.put(FILES[file], PICTURES[shown], mtime_s=file)
            history.ingest(*(FILES[file] for file, _ in places[begin:end]))
            history.compare()
        assert history.index.decisions() == decided_at_once
    finally:
        maker.drop(history.index.database)
