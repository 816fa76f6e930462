"""sweep: how many images other limits, and other minimum areas, would keep and remove.

It promises what `compare` would decide at each of them, to the image, from recorded evidence and cached thumbnails. No
image file is opened and nothing is written. A camera for which this is impossible has no rows, and a reason.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from indexer.domain.evidence import ScoringParameters
from indexer.domain.images import ImageState
from indexer.domain.score_bounds import numbers_to_try, usual_trials
from indexer.domain.selection import Decision
from indexer.errors import ProfileError
from indexer.store import cameras, open_images, profiles
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.simulation import Case, SimulationResult, Summarize, simulate_cases
from indexer.workflows.context import ComparisonContext
from indexer.workflows.profile_parameters import trial_scoring_parameters, tried_scoring_parameters


@dataclass(frozen=True)
class SweepRow:
    """How many images of a camera one limit and one minimum area would keep and remove, and the bytes that this would
    free. `current`: whether these two are in force. `removed_kept`: how many of the images that are removed by now it
    would keep; None: only present images were tried. `max_distance`: 0 where the profile has no features."""

    max_score: float
    min_contour_area: float
    kept: int
    duplicates: int
    size_bytes: int
    current: bool
    removed_kept: int | None = None
    max_distance: float = 0.0


@dataclass(frozen=True)
class CameraSweep:
    """The sweep of one camera: `max_score`, `min_contour_area` and `max_distance` are those in force. `problem` says
    why there are no rows. `images`: how many were tried. `removed_left_out`: how many removed images have no thumbnail
    and could not be tried; None: only present images were tried, or none."""

    camera: str
    profile: str
    max_score: float
    min_contour_area: float
    images: int
    rows: tuple[SweepRow, ...]
    problem: str | None
    max_distance: float = 0.0
    removed_left_out: int | None = None


@dataclass(frozen=True)
class SweepReport:
    """The sweep of each camera, its rows sorted by distance, area and limit, ascending. `totals` are the sums for each
    of these that was tried on every camera with rows. `undecided`: present images of these cameras that compare did
    not decide yet; the rows count them all the same."""

    cameras: tuple[CameraSweep, ...]
    totals: tuple[SweepRow, ...] = ()
    undecided: int = 0


@dataclass(frozen=True)
class _DecisionCounts:
    """How many images decisions keep and remove, and the bytes of those removed."""

    kept: int
    duplicates: int
    size_bytes: int
    removed_kept: int | None
    removed_left_out: int | None


def sweep(
    context: ComparisonContext,
    *,
    max_scores: Sequence[float] | None = None,
    min_contour_areas: Sequence[float] | None = None,
    max_distances: Sequence[float] | None = None,
    camera: str | None = None,
    with_removed: bool = False,
) -> SweepReport:
    """How many images these limits and areas would keep and remove. Those in force are always tried as well.

    `with_removed`: as if nothing had been removed; removed images without a thumbnail are left out, and counted.

    Without `max_scores` and `min_contour_areas`, smaller and larger ones than those in force are tried, no two of which
    decide alike (`usual_trials`); without one of the two, that in force. `max_distances` are tried with each of them,
    on cameras whose profile has features.

    Raises
    ------
    ImageError
        If there is no such camera.
    ProfileError
        If distances are to be tried, and no profile in force has features, or one is above its veto distance.
    UsageError
        If a limit, an area or a distance is not a number from 0 up.
    """
    with context.database.read() as session:
        camera_ids = cameras.list_cameras(session) if camera is None else {camera: cameras.get_camera(session, camera)}
        present = cameras.count_present(session, with_removed=with_removed)
        in_force = profiles.list_in_force(session, camera_ids)
        if max_distances and not any(stored.profile.preparation.has_features for stored in in_force.values()):
            raise ProfileError("no camera here has a profile with features, so there are no distances to try")
        undecided = open_images.count_undecided(session, camera_id=None if camera is None else camera_ids[camera])
    cases = [
        Case(
            name,
            camera_ids[name],
            present[name],
            stored,
            tuple(_with_distances(stored, _parameter_sets(stored, max_scores, min_contour_areas), max_distances)),
            with_removed=with_removed,
        )
        for name, stored in in_force.items()
        if name in present
    ]

    summarize = _make_counter(context.database, with_removed=with_removed)
    results = {result.case.camera: result for result in simulate_cases(context, cases, summarize, read_files=False)}
    camera_sweeps = tuple(_camera_sweep(results[case.camera]) for case in cases)
    totals = _totals([camera_sweep for camera_sweep in camera_sweeps if camera_sweep.problem is None])
    return SweepReport(camera_sweeps, totals, undecided)


def _make_counter(database: Database, *, with_removed: bool) -> Summarize[_DecisionCounts]:
    """A function that counts the decisions on a camera, and the bytes of what they would remove."""

    @lru_cache(maxsize=1)  # called for each parameter set of a camera
    def load_file_sizes(camera_id: int) -> tuple[dict[int, int], frozenset[int]]:
        """File sizes by image id, and the ids of the removed images."""
        with database.read() as session:
            sizes = cameras.list_file_sizes(session, camera_id)
            removed = cameras.list_file_sizes(session, camera_id, state=ImageState.REMOVED) if with_removed else {}
        return sizes | removed, frozenset(removed)

    def decision_counts(case: Case, decided: Sequence[Decision]) -> _DecisionCounts:
        sizes, removed_ids = load_file_sizes(case.camera_id)
        duplicates = [decision.image_id for decision in decided if not decision.keeps]
        # An image that is gone meanwhile frees nothing.
        size_bytes = sum(sizes.get(image_id, 0) for image_id in duplicates)
        kept = len(decided) - len(duplicates)
        if not with_removed:
            return _DecisionCounts(kept, len(duplicates), size_bytes, None, None)
        removed = [decision for decision in decided if decision.image_id in removed_ids]
        removed_kept = sum(decision.keeps for decision in removed)
        return _DecisionCounts(kept, len(duplicates), size_bytes, removed_kept, len(removed_ids) - len(removed))

    return decision_counts


def _parameter_sets(
    stored: StoredProfile, max_scores: Sequence[float] | None, min_contour_areas: Sequence[float] | None
) -> tuple[ScoringParameters, ...]:
    """Each area with each limit, including those in force; without any, the usual ones."""
    max_score, area = stored.profile.max_score, stored.profile.scoring.min_contour_area
    if max_scores is None and min_contour_areas is None:
        return tried_scoring_parameters(stored, usual_trials(max_score=max_score, min_contour_area=area))
    limits = numbers_to_try(max_scores, in_force=max_score)
    areas = numbers_to_try(min_contour_areas, in_force=area)
    return trial_scoring_parameters(stored, max_scores=limits, min_contour_areas=areas)


def _with_distances(
    stored: StoredProfile, parameter_sets: Sequence[ScoringParameters], max_distances: Sequence[float] | None
) -> Iterator[ScoringParameters]:
    """Each of these with each distance, including that in force, if the profile has features.

    Raises `ProfileError` for one above the veto distance.
    """
    in_force = stored.profile.scoring.max_distance
    tried = max_distances if stored.profile.preparation.has_features else None
    veto = stored.profile.scoring.veto_distance
    for distance in numbers_to_try(tried, in_force=in_force):
        if distance > veto:
            raise ProfileError(f"{distance:g} is above the veto distance {veto:g} of profile {stored.profile.name!r}")
        yield from (replace(scoring, max_distance=distance) for scoring in parameter_sets)


def _camera_sweep(result: SimulationResult[_DecisionCounts]) -> CameraSweep:
    profile = result.case.stored.profile
    in_force = (profile.scoring.max_distance, profile.scoring.min_contour_area, profile.max_score)
    rows = [
        SweepRow(
            scoring.max_score,
            scoring.min_contour_area,
            counts.kept,
            counts.duplicates,
            counts.size_bytes,
            current=(scoring.max_distance, scoring.min_contour_area, scoring.max_score) == in_force,
            removed_kept=counts.removed_kept,
            max_distance=scoring.max_distance,
        )
        for scoring, counts in zip(result.case.parameter_sets, result.results, strict=result.problem is None)
    ]
    left_out = next((counts.removed_left_out for counts in result.results), None)
    return CameraSweep(
        camera=result.case.camera,
        profile=profile.name,
        max_score=profile.max_score,
        min_contour_area=profile.scoring.min_contour_area,
        max_distance=profile.scoring.max_distance,
        images=result.case.images - (left_out or 0),
        removed_left_out=left_out,
        rows=tuple(sorted(rows, key=_row_key)),
        problem=result.problem,
    )


def _totals(camera_sweeps: Sequence[CameraSweep]) -> tuple[SweepRow, ...]:
    """The sums over all cameras, for each distance, area and limit that was tried on each of them."""
    by_numbers: dict[tuple[float, float, float], list[SweepRow]] = {}
    for row in (row for camera_sweep in camera_sweeps for row in camera_sweep.rows):
        by_numbers.setdefault(_row_key(row), []).append(row)
    return tuple(
        SweepRow(
            limit,
            area,
            sum(row.kept for row in rows),
            sum(row.duplicates for row in rows),
            sum(row.size_bytes for row in rows),
            current=all(row.current for row in rows),
            removed_kept=_sum_known([row.removed_kept for row in rows]),
            max_distance=distance,
        )
        for (distance, area, limit), rows in sorted(by_numbers.items())
        if len(rows) == len(camera_sweeps)
    )


def _row_key(row: SweepRow) -> tuple[float, float, float]:
    return row.max_distance, row.min_contour_area, row.max_score


def _sum_known(numbers: Sequence[int | None]) -> int | None:
    """The sum; None if a number is not known."""
    return None if None in numbers else sum(number or 0 for number in numbers)
