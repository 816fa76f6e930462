"""Which files that arrive are complete: never too early, never lost, never one folder before all others."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.domain.arrivals import Arrivals, ArrivalTimes, Signature

TIMES = ArrivalTimes(settle_s=2, grace_s=20, retries_s=(2, 4, 8))
A, B = (10, 1), (20, 2)


def due(arrivals: Arrivals, now_s: float, looks: dict[str, Signature | None]) -> list[str]:
    """The files that are complete now, as each looks."""
    return [path for path in arrivals.iter_due(now_s=now_s) if arrivals.check(path, looks.get(path), now_s=now_s)]


def test_a_closed_file_is_complete_at_once() -> None:
    """A file that was closed, or renamed, is given out at once, and once, however often it was closed."""
    arrivals = Arrivals(TIMES)
    for _ in range(3):
        arrivals.note_closed("a", folder="x", now_s=0)
    assert due(arrivals, 0, {"a": A}) == ["a"]
    assert due(arrivals, 100, {"a": A}) == []
    assert (arrivals.finish("a"), len(arrivals), arrivals.next_due_s) == (3, 0, None)


def test_a_file_that_was_found_must_look_the_same_twice() -> None:
    """A file whose closing nobody saw is given out after it looked the same for the settle time."""
    arrivals = Arrivals(TIMES)
    arrivals.note_seen("a", A, folder="x", now_s=0)
    assert due(arrivals, 1, {"a": A}) == []
    assert due(arrivals, 2, {"a": B}) == []
    assert due(arrivals, 3.9, {"a": B}) == []
    assert due(arrivals, 4, {"a": B}) == ["a"]


def test_a_file_that_is_reported_while_it_is_taken_in_waits_again() -> None:
    """What was reported after a file was given out is not forgotten when that is taken in."""
    arrivals = Arrivals(TIMES)
    arrivals.note_closed("a", folder="x", now_s=0)
    assert due(arrivals, 0, {"a": A}) == ["a"]
    arrivals.note_closed("a", folder="x", now_s=1)
    assert (arrivals.finish("a"), "a" in arrivals) == (0, True)
    assert due(arrivals, 1, {"a": B}) == ["a"]
    assert (arrivals.finish("a"), len(arrivals)) == (2, 0)


def test_an_old_file_is_complete_at_the_first_look() -> None:
    """A file of which is known that it did not change for long need not be looked at twice."""
    arrivals = Arrivals(TIMES)
    arrivals.note_seen("a", A, folder="x", now_s=0, still_s=1000)
    assert due(arrivals, 0, {"a": A}) == ["a"]
    assert not arrivals.is_young("a", now_s=0)


def test_an_open_file_waits_until_it_is_closed_or_still_for_the_grace_time() -> None:
    """A file that was made here is not given out before its closing, unless it does not change for the grace time."""
    arrivals = Arrivals(TIMES)
    arrivals.note_created("a", folder="x", now_s=0)
    arrivals.note_created("b", folder="x", now_s=0)
    assert due(arrivals, 2, {"a": A, "b": A}) == []
    assert due(arrivals, 21, {"a": A, "b": A}) == []
    arrivals.note_closed("a", folder="x", now_s=21)
    assert due(arrivals, 21, {"a": A}) == ["a"]
    assert due(arrivals, 22, {"b": A}) == ["b"]


def test_a_slow_file_waits_for_the_grace_time() -> None:
    """A file with the name of an unfinished one, and a video that nobody saw closed, wait for the grace time."""
    arrivals = Arrivals(TIMES)
    arrivals.note_closed("a", folder="x", now_s=0, is_slow=True)
    arrivals.note_seen("b", A, folder="x", now_s=0, is_slow=True)
    assert due(arrivals, 0, {"a": A, "b": A}) == []
    assert due(arrivals, 19, {"a": A, "b": A}) == []
    assert sorted(due(arrivals, 20, {"a": A, "b": A})) == ["a", "b"]


def test_a_file_that_is_written_again_after_its_closing_is_open() -> None:
    """A file that changed after it was closed and looked at must settle again."""
    arrivals = Arrivals(TIMES)
    arrivals.note_closed("a", folder="x", now_s=0)
    assert due(arrivals, 0, {"a": A}) == ["a"]
    arrivals.put_back("a", now_s=0)
    assert due(arrivals, 2, {"a": B}) == []
    assert due(arrivals, 4, {"a": B}) == ["a"]


def test_attempts_have_growing_pauses() -> None:
    """A file that is put back is given out again after longer and longer pauses, for ever, and grows old."""
    arrivals, times = Arrivals(TIMES), []
    arrivals.note_closed("a", folder="x", now_s=0)
    for now_s in range(40):
        for path in due(arrivals, now_s, {"a": A}):
            times.append((now_s, arrivals.is_young(path, now_s=now_s)))
            arrivals.put_back(path, now_s=now_s)
    assert times == [(0, True), (2, True), (6, True), (14, True), (22, False), (30, False), (38, False)]


def test_a_refused_file_is_not_unfinished() -> None:
    """A file that was refused waits on, and does not count as unfinished until it is written again."""
    arrivals = Arrivals(TIMES)
    arrivals.note_closed("a", folder="x", now_s=0)
    assert due(arrivals, 0, {"a": A}) == ["a"]
    arrivals.put_back("a", now_s=0, is_refused=True)
    assert (len(arrivals), arrivals.has_unfinished) == (1, False)
    arrivals.note_closed("a", folder="x", now_s=1)
    assert (due(arrivals, 1, {"a": B}), arrivals.has_unfinished) == (["a"], True)


def test_a_file_that_is_gone_is_forgotten() -> None:
    """A file that was renamed or deleted waits no more, whether that was reported or seen."""
    arrivals = Arrivals(TIMES)
    arrivals.note_closed("a", folder="x", now_s=0)
    arrivals.note_closed("b", folder="x", now_s=0)
    arrivals.note_gone("a")
    assert due(arrivals, 0, {}) == []
    assert len(arrivals) == 0


def test_more_than_the_most_are_looked_for_later() -> None:
    """Beyond the largest number of files nothing is noted but that something was left out."""
    arrivals = Arrivals(TIMES, max_paths=2)
    for path in "abc":
        arrivals.note_seen(path, A, folder="x", now_s=0)
    arrivals.note_closed("b", folder="x", now_s=0)
    assert (len(arrivals), "c" in arrivals, arrivals.is_incomplete) == (2, False, True)
    assert due(arrivals, 0, {"b": A}) == ["b"]


def test_a_flood_keeps_no_other_folder_waiting() -> None:
    """The files of several folders come in turn, in each folder those that wait longest first."""
    arrivals = Arrivals(TIMES)
    for number in range(1000):
        arrivals.note_closed(f"flood/{number}", folder="flood", now_s=0)
    for number in range(3):
        arrivals.note_closed(f"other/{number}", folder="other", now_s=number / 10)
    given_out = due(arrivals, 1, {f"{folder}/{n}": A for folder in ("flood", "other") for n in range(1000)})
    assert given_out[:7] == ["flood/0", "other/0", "flood/1", "other/1", "flood/2", "other/2", "flood/3"]
    assert len(given_out) == 1003


class Scene:
    """Files as their writers leave them, what is noted of them, and the index that takes the complete ones."""

    def __init__(self, *, is_reported: bool) -> None:
        self.arrivals, self.is_reported, self.now_s = Arrivals(TIMES), is_reported, 0.0
        self.looks: dict[str, Signature] = {}
        self.index: dict[str, Signature] = {}
        self.open_files: set[str] = set()
        self.changed_s: dict[str, float] = {}
        self.writes = 0

    def write(self, path: str) -> None:
        """Opens a file, or writes on."""
        if path not in self.looks and self.is_reported:
            self.arrivals.note_created(path, folder=path, now_s=self.now_s)
        self.writes += 1
        self.open_files.add(path)
        self.looks[path], self.changed_s[path] = (self.writes, self.writes), self.now_s

    def close(self, path: str) -> None:
        """Closes a file that is open."""
        if path in self.open_files and self.is_reported:
            self.arrivals.note_closed(path, folder=path, now_s=self.now_s)
        self.open_files.discard(path)

    def rename(self, path: str) -> None:
        """Renames a file that is closed."""
        if path in self.looks and path not in self.open_files:
            new = path.upper()
            self.looks[new], self.changed_s[new] = self.looks.pop(path), self.now_s
            if self.is_reported:
                self.arrivals.note_gone(path)
                self.arrivals.note_closed(new, folder=path, now_s=self.now_s)

    def delete(self, path: str) -> None:
        """Deletes a file, which nobody reports."""
        self.looks.pop(path, None)
        self.open_files.discard(path)

    def look(self, _path: str = "") -> None:
        """Looks at the folder."""
        for path, signature in self.looks.items():
            if self.index.get(path) != signature:
                self.arrivals.note_seen(path, signature, folder=path, now_s=self.now_s)

    def take(self) -> None:
        """Takes what is complete, which no writer may have open."""
        for path in self.arrivals.iter_due(now_s=self.now_s):
            if self.arrivals.check(path, self.looks.get(path), now_s=self.now_s):
                still_s = self.now_s - self.changed_s[path]
                assert path not in self.open_files or still_s >= TIMES.settle_s
                self.index[path] = self.looks[path]
                self.arrivals.finish(path)


STEPS = st.lists(
    st.tuples(
        st.sampled_from([Scene.write, Scene.close, Scene.rename, Scene.delete, Scene.look]),
        st.sampled_from("abc"),
        st.floats(0, 7, allow_nan=False),
    ),
    max_size=60,
)


@settings(deadline=None)
@given(steps=STEPS, is_reported=st.booleans())
def test_every_file_is_taken_as_it_is_in_the_end(
    steps: list[tuple[Callable[[Scene, str], None], str, float]], is_reported: bool
) -> None:
    """Whatever is written, reported or lost: after the last write each file is taken as it is, and none while it is
    open, unless it did not change for the settle time."""
    scene = Scene(is_reported=is_reported)
    for step, path, pause_s in steps:
        scene.now_s += pause_s
        step(scene, path)
        scene.take()
    scene.look()  # as each rescan does
    for _ in range(4):
        scene.now_s += TIMES.grace_s
        scene.take()
    assert {path: scene.index.get(path) for path in scene.looks} == scene.looks
    assert len(scene.arrivals) == 0
