"""A trial: what compare would decide of cameras under measures that nobody has adopted.

It promises the decisions of `compare` under a profile of these numbers, for the present images with the verdicts and
pins that hold; that nothing is written, so that it works beside a writer; and that image files are opened only where
that is asked for. It does not know what the decisions are wanted for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from indexer.domain.images import Image
from indexer.domain.selection import Decision, Selection
from indexer.escaping import command_line
from indexer.execution import Lost, Map, serial
from indexer.imaging.file_description import Thumbnail
from indexer.imaging.image_buffer import Shelf
from indexer.imaging.matching import Measure
from indexer.imaging.scoring import Evidence
from indexer.store import decisions, images, scores, thumbnails
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.camera import Means
from indexer.workflows.compare.camera_task import LARGEST, CameraTask, groups, hand_out
from indexer.workflows.compare.inputs import prepared_images, read_tasks, room_of
from indexer.workflows.compare.prepared_images import HeldBack, PreparedImages, Spoiled, make_thumbnails
from indexer.workflows.compare.repeated_selection import Series
from indexer.workflows.compare.workload import WORTH_WORKERS
from indexer.workflows.profile_parameters import thumbnail_recipe

Result = TypeVar("Result")

_SPOILED = (
    "cannot be read; compare makes it again when it next decides the camera from scratch, as under a profile that is "
    f"new, which is made with: {command_line('profile', 'make', 'NAME')}"
)


@dataclass(frozen=True)
class Case:
    """A camera, how many present images it has, a profile, and the measures to try, which prepare as that profile
    does; in this order."""

    camera: str
    camera_id: int
    images: int
    stored: StoredProfile
    measures: tuple[Measure, ...]

    @property
    def is_small(self) -> bool:
        """Whether the camera is small enough to be one worker's task."""
        return 0 < self.images <= LARGEST and not self.stored.profile.preparation.native


Told = Callable[[Case, Sequence[Decision]], Result]
"""What is wanted of the decisions on a camera under one measure."""


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """What came of a case: what was wanted of its decisions, for each measure in order; or why there are none."""

    case: Case
    results: tuple[Result, ...] = ()
    problem: str | None = None


def try_cases(means: Means, cases: Sequence[Case], told: Told[Result], *, files: bool) -> Iterator[Outcome[Result]]:
    """What comes of each case, those of small cameras first. `files`: what is not cached may be read from the image
    files."""
    work = sum(case.images * len(case.measures) for case in cases)
    with serial() as here:
        spread = here if work <= WORTH_WORKERS else means.spread
        done = set[int]()
        for number, outcome in _try_whole(means, cases, told, spread=spread):
            done.add(number)
            yield outcome
        for number, case in enumerate(cases):
            if number not in done:
                yield _Trial(means, case, files=files, spread=spread).outcome(told)


def _try_whole(
    means: Means, cases: Sequence[Case], told: Told[Result], *, spread: Map
) -> Iterator[tuple[int, Outcome[Result]]]:
    """What comes of small cameras of which all is cached, each decided by one worker; with the case's number."""
    small = [(number, case) for number, case in enumerate(cases) if case.is_small]
    advance = means.progress(f"trying {len(small)} cameras", sum(case.images for _, case in small))
    for group in hand_out(spread, _tasks(means.database, small)):
        for number, task, answer in group:
            if not isinstance(answer, Lost) and not answer.spoiled:
                case = cases[number]
                yield number, Outcome(case, tuple(told(case, decided.decisions) for decided in answer.decided))
            advance(len(task.images))


def _tasks(database: Database, small: Sequence[tuple[int, Case]]) -> Iterator[list[tuple[int, CameraTask]]]:
    """The tasks of cases of which all is cached, with the numbers of the cases, a few at a time."""
    for group in groups(small, images=lambda one: one[1].images, alike=lambda one: (one[1].stored.id, one[1].measures)):
        first = group[0][1]
        with database.read() as session:
            found = read_tasks(session, [case.camera_id for _, case in group], first.stored, first.measures)
        yield [(number, found[case.camera_id]) for number, case in group if case.camera_id in found]


class _Trial:
    """A case that is not one worker's task: large, at native size, or with thumbnails that must be made first."""

    def __init__(self, means: Means, case: Case, *, files: bool, spread: Map) -> None:
        self._means = means
        self._case = case
        self._stored = case.stored
        self._files = files
        self._spread = spread
        self._made: dict[int, Thumbnail] = {}

    def outcome(self, told: Told[Result]) -> Outcome[Result]:
        """What comes of the case."""
        try:
            while True:
                try:
                    return Outcome(self._case, tuple(told(self._case, decided) for decided in self._decided()))
                except Spoiled as problem:
                    self._make(problem.image_ids, why=_SPOILED)
        except HeldBack as problem:
            return Outcome(self._case, problem=f"{problem}; run ingest again" if self._files else str(problem))

    def _decided(self) -> Iterator[Sequence[Decision]]:
        """The decisions under each measure."""
        present = self._present()
        with self._means.database.read() as session:
            judgements = decisions.list_judgements(session, self._case.camera_id)
        area = self._stored.profile.scoring.min_contour_area
        series = Series(present, judgements, recorded=self._recorded, recorded_area=area)
        advance = self._means.progress(f"trying {self._case.camera}", len(present) * len(self._case.measures))
        for measure in self._case.measures:
            # A shelf for each: what it takes is room for the images kept under one measure.
            with Shelf(room_of(self._stored, present), shared=True) as shelf:
                prepared_for = partial(self._prepared, shelf)
                yield series.decide(measure, prepared_for, spread=self._spread, advance=advance).decisions

    def _present(self) -> list[Image]:
        """The present images; those without a thumbnail get one, if files may be read."""
        if self._stored.profile.preparation.native and not self._files:
            raise HeldBack(
                f"the profile {self._stored.profile.name} compares whole pictures and caches nothing, so nothing can "
                "be told without opening them; this does: "
                f"{command_line('evaluate', 'LABELS.csv', '--max-score', 'A,B')}"
            )
        bare = [image.id for image in self._with_shapes() if image.shape is None]
        if bare and not self._stored.profile.preparation.native:
            self._make(bare, why=f"is missing; first: {command_line('compare')}")
        return self._with_shapes()

    def _with_shapes(self) -> list[Image]:
        with self._means.database.read() as session:
            present = images.list_present(session, self._case.camera_id, preparation_id=self._stored.preparation_id)
        return [self._as_made(image) for image in present]

    def _as_made(self, image: Image) -> Image:
        made = self._made.get(image.id)
        return image if made is None else replace(image, shape=(made.height, made.width), flat=made.flat)

    def _make(self, image_ids: Sequence[int], *, why: str) -> None:
        """Makes thumbnails from the files, if these may be read; they stay in memory."""
        recipe, more = thumbnail_recipe(self._stored.profile.preparation), len(image_ids) - 1
        if not self._files or recipe is None:
            raise HeldBack(
                f"the thumbnail of image {image_ids[0]}{f' (and of {more} more)' if more else ''} under the profile "
                f"{self._stored.profile.name} {why}"
            )
        wanted = set(image_ids)
        bare = [image for image in self._with_shapes() if image.id in wanted]
        advance = self._means.progress(f"preparing {self._case.camera}", len(bare))
        make_thumbnails(
            bare, recipe, limits=self._means.limits, spread=self._spread, keep=self._made.update, advance=advance
        )

    def _prepared(self, shelf: Shelf, walk: Selection) -> PreparedImages:
        """The prepared images of a walk."""
        return prepared_images(
            self._stored, walk, shelf, fetch=self._fetch, limits=self._means.limits, spread=self._spread
        )

    def _fetch(self, image_ids: Sequence[int]) -> dict[int, bytes]:
        """Thumbnails by image id: those made here, else those cached."""
        made = {image_id: self._made[image_id].data for image_id in image_ids if image_id in self._made}
        cached = [image_id for image_id in image_ids if image_id not in made]
        with self._means.database.read() as session:
            return thumbnails.load_thumbnails(session, cached, preparation_id=self._stored.preparation_id) | made

    def _recorded(self, image_id: int) -> dict[int, Evidence]:
        with self._means.database.read() as session:
            return scores.list_image_evidence(session, image_id, scoring_id=self._stored.scoring_id)
