"""A simulation: what compare would decide of cameras under scoring parameters that are not in force.

It promises the decisions of `compare` under a profile with these parameters, for the present images, with the current
verdicts and pins; that nothing is written, so that it can run while another command writes; and that image files are
opened only with `read_files`. It does not know what the decisions are used for.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Generic, TypeVar

from indexer.domain.camera_images import CameraImages
from indexer.domain.descriptions import Thumbnail
from indexer.domain.evidence import Evidence, ScoringParameters
from indexer.domain.images import Image
from indexer.domain.plurals import counted
from indexer.domain.selection import Decision, Selection
from indexer.escaping import command_line
from indexer.execution import ParallelMap, WorkerFailure, serial
from indexer.imaging.image_buffer import ImageBuffer
from indexer.store import ranked_images, scores, thumbnails, verdicts
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.camera_task import MAX_IMAGES, CameraTask, camera_groups, map_cameras
from indexer.workflows.compare.inputs import buffer_capacity_bytes, prepared_images, read_camera_tasks
from indexer.workflows.compare.prepared_images import (
    CorruptThumbnailsError,
    PixelsUnavailableError,
    PreparedImages,
    make_thumbnails,
)
from indexer.workflows.compare.repeated_selection import RepeatedSelection
from indexer.workflows.compare.workload import MAX_SERIAL_IMAGES
from indexer.workflows.context import ComparisonContext
from indexer.workflows.profile_parameters import thumbnail_recipe

Result = TypeVar("Result")

_CORRUPT_THUMBNAIL = (
    "cannot be read; compare makes it again when it next decides the camera from scratch, as under a profile that is "
    f"new, which is made with: {command_line('profile', 'make', 'NAME')}"
)


@dataclass(frozen=True)
class Case:
    """A camera, how many present images it has, a profile, and the scoring parameters to try, in order. These apply to
    images that are preprocessed as that profile says. `with_removed`: as if nothing of it had been removed."""

    camera: str
    camera_id: int
    images: int
    stored: StoredProfile
    parameter_sets: tuple[ScoringParameters, ...]
    with_removed: bool = False

    @property
    def is_small(self) -> bool:
        """Whether the camera is small enough to be one worker's task."""
        return 0 < self.images <= MAX_IMAGES and not self.stored.profile.preparation.native


Summarize = Callable[[Case, Sequence[Decision]], Result]
"""Makes the result that a caller needs from the decisions on a camera under one set of scoring parameters."""


@dataclass(frozen=True)
class SimulationResult(Generic[Result]):
    """The results of a case, one for each of its parameter sets, in order; `problem` says why there are none."""

    case: Case
    results: tuple[Result, ...] = ()
    problem: str | None = None


def simulate_cases(
    context: ComparisonContext, cases: Sequence[Case], summarize: Summarize[Result], *, read_files: bool
) -> Iterator[SimulationResult[Result]]:
    """The result of each case, those of small cameras first. `read_files`: whether thumbnails that are not cached, and
    images at native size, may be made from the image files."""
    work = sum(case.images * len(case.parameter_sets) for case in cases)
    with serial() as serial_executor:
        executor = serial_executor if work <= MAX_SERIAL_IMAGES else context.executor
        done = set[int]()
        for number, result in _simulate_small_cases(context, cases, summarize, executor=executor):
            done.add(number)
            yield result
        for number, case in enumerate(cases):
            if number not in done:
                yield _CaseSimulation(context, case, read_files=read_files, executor=executor).run(summarize)


def _simulate_small_cases(
    context: ComparisonContext, cases: Sequence[Case], summarize: Summarize[Result], *, executor: ParallelMap
) -> Iterator[tuple[int, SimulationResult[Result]]]:
    """The results of small cameras with all thumbnails cached, each decided by one worker; with the case's number."""
    small = [(number, case) for number, case in enumerate(cases) if case.is_small]
    advance = context.progress(f"trying {counted(len(small), 'camera')}", sum(case.images for _, case in small))
    for group in map_cameras(executor, _case_tasks(context.database, small)):
        for number, task, result in group:
            if not isinstance(result, WorkerFailure) and not result.corrupt_image_ids:
                case = cases[number]
                yield (
                    number,
                    SimulationResult(
                        case, tuple(summarize(case, selection.decisions) for selection in result.selections)
                    ),
                )
            advance(len(task.images))


def _case_tasks(database: Database, small: Sequence[tuple[int, Case]]) -> Iterator[list[tuple[int, CameraTask]]]:
    """The tasks of cases whose thumbnails are all cached, with the numbers of the cases, in groups."""
    for group in camera_groups(
        small,
        count_images=lambda numbered_case: numbered_case[1].images,
        group_key=lambda numbered_case: (
            numbered_case[1].stored.id,
            numbered_case[1].parameter_sets,
            numbered_case[1].with_removed,
        ),
    ):
        first_case = group[0][1]
        with database.read() as session:
            tasks = read_camera_tasks(
                session,
                [case.camera_id for _, case in group],
                first_case.stored,
                first_case.parameter_sets,
                with_removed=first_case.with_removed,
            )
        yield [(number, tasks[case.camera_id]) for number, case in group if case.camera_id in tasks]


class _CaseSimulation:
    """Simulates a case that is not one worker's task: a large camera, one at native size, one with missing or corrupt
    thumbnails, or one whose worker failed."""

    def __init__(self, context: ComparisonContext, case: Case, *, read_files: bool, executor: ParallelMap) -> None:
        self._context = context
        self._case = case
        self._stored = case.stored
        self._read_files = read_files
        self._executor = executor
        self._made_thumbnails: dict[int, Thumbnail] = {}

    def run(self, summarize: Summarize[Result]) -> SimulationResult[Result]:
        """The result of the case; its `problem` if pixels are unavailable."""
        try:
            while True:
                try:
                    return SimulationResult(
                        self._case, tuple(summarize(self._case, decided) for decided in self._iter_decisions())
                    )
                except CorruptThumbnailsError as problem:
                    self._make_thumbnails(problem.image_ids, reason=_CORRUPT_THUMBNAIL)
        except PixelsUnavailableError as problem:
            return SimulationResult(
                self._case, problem=f"{problem}; run ingest again" if self._read_files else str(problem)
            )

    def _iter_decisions(self) -> Iterator[Sequence[Decision]]:
        """The decisions under each of the parameter sets, in order."""
        present = self._list_present_with_thumbnails()
        with self._context.database.read() as session:
            judgements = verdicts.list_judgements(session, self._case.camera_id)
        min_contour_area = self._stored.profile.scoring.min_contour_area
        repeated = RepeatedSelection(
            present, judgements, lookup_recorded=self._load_evidence, recorded_area=min_contour_area
        )
        advance = self._context.progress(f"trying {self._case.camera}", len(present) * len(self._case.parameter_sets))
        for scoring in self._case.parameter_sets:
            # One buffer per set: its space is that of the images kept under one set.
            with ImageBuffer(buffer_capacity_bytes(self._stored, present), shared=True) as buffer:
                prepare_images = partial(self._prepare_images, buffer)
                yield repeated.decide(scoring, prepare_images, executor=self._executor, advance=advance).decisions

    def _list_present_with_thumbnails(self) -> CameraImages:
        """The present images; those without a thumbnail get one, if files may be read.

        Raises `PixelsUnavailableError` if pixels are needed that may not or cannot be read.
        """
        if self._stored.profile.preparation.native and not self._read_files:
            raise PixelsUnavailableError(
                f"the profile {self._stored.profile.name} compares whole images and has no thumbnails, so the images "
                "would have to be opened; use: "
                f"{command_line('evaluate', 'LABELS.csv', '--max-score', 'A,B')}"
            )
        present = self._list_present()
        without_thumbnail = [image.id for image in present.without_thumbnail()]
        if without_thumbnail and not self._stored.profile.preparation.native:
            self._make_thumbnails(without_thumbnail, reason=f"is missing; first: {command_line('compare')}")
        return self._list_present()

    def _list_present(self) -> CameraImages:
        with self._context.database.read() as session:
            present = ranked_images.list_present(
                session,
                self._case.camera_id,
                preparation_id=self._stored.preparation_id,
                with_removed=self._case.with_removed,
            )
        if not self._made_thumbnails:
            return present
        return CameraImages.of([self._with_made_thumbnail(image) for image in present])

    def _with_made_thumbnail(self, image: Image) -> Image:
        thumbnail = self._made_thumbnails.get(image.id)
        return (
            image
            if thumbnail is None
            else replace(image, shape=(thumbnail.height, thumbnail.width), flat=thumbnail.flat)
        )

    def _make_thumbnails(self, image_ids: Sequence[int], *, reason: str) -> None:
        """Makes thumbnails from the files, if these may be read; they are kept in memory and not in the index.

        Raises `PixelsUnavailableError` if files may not be read, or if some cannot be.
        """
        recipe, more = thumbnail_recipe(self._stored.profile.preparation), len(image_ids) - 1
        if not self._read_files or recipe is None:
            raise PixelsUnavailableError(
                f"the thumbnail of image {image_ids[0]}{f' (and of {more} more)' if more else ''} under the profile "
                f"{self._stored.profile.name} {reason}"
            )
        id_set = set(image_ids)
        without_thumbnail = [image for image in self._list_present() if image.id in id_set]
        advance = self._context.progress(f"preparing {self._case.camera}", len(without_thumbnail))
        make_thumbnails(
            without_thumbnail,
            recipe,
            limits=self._context.limits,
            executor=self._executor,
            save=self._made_thumbnails.update,
            advance=advance,
        )

    def _prepare_images(self, buffer: ImageBuffer, selection: Selection) -> PreparedImages:
        """The prepared images of a selection."""
        return prepared_images(
            self._stored,
            selection,
            buffer,
            fetch=self._load_thumbnails,
            limits=self._context.limits,
            executor=self._executor,
        )

    def _load_thumbnails(self, image_ids: Sequence[int]) -> dict[int, bytes]:
        """Thumbnails as PNG by image id: those made here, else those cached."""
        made = {
            image_id: self._made_thumbnails[image_id].data
            for image_id in image_ids
            if image_id in self._made_thumbnails
        }
        cached = [image_id for image_id in image_ids if image_id not in made]
        with self._context.database.read() as session:
            return thumbnails.load_thumbnails(session, cached, preparation_id=self._stored.preparation_id) | made

    def _load_evidence(self, image_id: int) -> dict[int, Evidence]:
        with self._context.database.read() as session:
            return scores.list_image_evidence(session, image_id, scoring_id=self._stored.scoring_id)
