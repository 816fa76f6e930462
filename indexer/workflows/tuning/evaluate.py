"""evaluate: how good decisions are against a person's labels (`indexer.domain.evaluation` defines what is counted).

It evaluates the current decisions, or what `compare` would decide of the present images under other profiles and
limits. It promises not to change the index. What a profile has not cached is read from the image files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from indexer.domain.csv_files import PairLabel, StateLabel
from indexer.domain.evaluation import (
    Keepers,
    Metrics,
    PairMetrics,
    StateMetrics,
    pair_metrics,
    state_metrics,
    sum_pair_metrics,
    sum_state_metrics,
)
from indexer.domain.score_bounds import validated_numbers
from indexer.domain.selection import Decision
from indexer.store import cameras, decisions, profiles
from indexer.workflows.compare.simulation import Case, SimulationResult, simulate_cases
from indexer.workflows.context import ComparisonContext
from indexer.workflows.profile_parameters import trial_scoring_parameters
from indexer.workflows.required_features import require_missing_features
from indexer.workflows.tuning.label_matching import Labels, match_labels

Value = TypeVar("Value")


@dataclass(frozen=True)
class CameraEvaluation:
    """The metrics of the decisions on one camera; `problem` says why there are none."""

    camera: str
    figures: Metrics | None
    problem: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """The metrics of the decisions under one profile and limit, by camera and in total.

    `profile` is None for the current decisions, and "in force" if the cameras have different profiles. `max_score` is
    None for the current decisions, and where each camera's own limit is used and these differ.
    """

    profile: str | None
    max_score: float | None
    cameras: tuple[CameraEvaluation, ...]
    total: Metrics | None


@dataclass(frozen=True)
class EvaluationReport:
    """One evaluation per profile and limit; `unknown` are the labelled images that the index does not have."""

    evaluations: tuple[Evaluation, ...]
    unknown: tuple[str, ...]

    @property
    def problems(self) -> list[tuple[Evaluation, CameraEvaluation]]:
        """The cameras without metrics, each with its evaluation."""
        return [
            (evaluation, camera)
            for evaluation in self.evaluations
            for camera in evaluation.cameras
            if camera.problem is not None
        ]


def evaluate(
    context: ComparisonContext,
    labels: Sequence[StateLabel | PairLabel],
    *,
    profile_names: Sequence[str] = (),
    max_scores: Sequence[float] | None = None,
    camera: str | None = None,
) -> EvaluationReport:
    """Evaluates the current decisions, or those under each of the named profiles at each of the limits.

    Without `profile_names`, `max_scores` are tried under the profiles in force. Without `max_scores`, each profile is
    tried at its own limit.

    Raises
    ------
    ImageError, ProfileError
        If there is no such camera, or no such profile.
    MissingLibraryError
        If features are to be made, and the extra is not installed.
    LabelError
        If the labels do not fit the index.
    UsageError
        If a limit is not a number from 0 up.
    """
    if camera is not None:
        with context.database.read() as session:
            cameras.get_camera(session, camera)
    matched = match_labels(context.database, labels, camera=camera)
    if not profile_names and max_scores is None:
        return EvaluationReport((_evaluate_current(context, matched),), tuple(matched.unknown))
    limits = validated_numbers(max_scores or ())
    names: Sequence[str | None] = profile_names or [None]
    evaluations = tuple(
        evaluation for name in names for evaluation in _evaluate_profile(context, matched, name, limits=limits)
    )
    return EvaluationReport(evaluations, tuple(matched.unknown))


def _evaluate_current(context: ComparisonContext, labels: Labels) -> Evaluation:
    """The metrics of the current decisions."""
    with context.database.read() as session:
        keepers = {camera: decisions.list_keepers(session, camera) for camera in labels.cameras}
    evaluations = [
        CameraEvaluation(name, _camera_metrics(labels, name, camera_keepers))
        for name, camera_keepers in keepers.items()
    ]
    return _evaluation(None, None, evaluations)


def _evaluate_profile(
    context: ComparisonContext, labels: Labels, name: str | None, *, limits: Sequence[float]
) -> list[Evaluation]:
    """The metrics of the decisions under one profile, or (`name` None) under that in force for each camera: one
    evaluation per limit; without limits, one at the profile's own."""
    cases = _cases(context, labels, name, limits=limits)

    def case_metrics(case: Case, decided: Sequence[Decision]) -> Metrics:
        return _camera_metrics(labels, case.camera, {decision.image_id: decision.keeper_id for decision in decided})

    outcomes = sorted(
        simulate_cases(context, cases, case_metrics, read_files=True), key=lambda outcome: outcome.case.camera
    )
    profile_name = _single_value({case.stored.profile.name for case in cases}) or "in force"
    tried_limits: Sequence[float | None] = limits or [_single_value({case.stored.profile.max_score for case in cases})]
    return [
        _evaluation(profile_name, limit, [_camera_evaluation(outcome, limit) for outcome in outcomes])
        for limit in tried_limits
    ]


def _cases(context: ComparisonContext, labels: Labels, name: str | None, *, limits: Sequence[float]) -> list[Case]:
    with context.database.read() as session:
        camera_ids, present = cameras.list_cameras(session), cameras.count_present(session)
        named_profile = None if name is None else profiles.get_profile(session, name)
        in_force = profiles.list_in_force(session, labels.cameras)
        tried = {camera_ids[camera]: named_profile or in_force[camera] for camera in labels.cameras}
        require_missing_features(session, tried)
        return [
            Case(
                camera,
                camera_ids[camera],
                present.get(camera, 0),
                stored := tried[camera_ids[camera]],
                trial_scoring_parameters(stored, max_scores=limits or [stored.profile.max_score]),
            )
            for camera in labels.cameras
        ]


def _camera_evaluation(outcome: SimulationResult[Metrics], limit: float | None) -> CameraEvaluation:
    """The metrics of a case at one of its limits; `limit` None: at its only one."""
    results = zip(outcome.case.parameter_sets, outcome.results, strict=outcome.problem is None)
    figures = next((result for scoring, result in results if limit in (None, scoring.max_score)), None)
    return CameraEvaluation(outcome.case.camera, figures, outcome.problem)


def _camera_metrics(labels: Labels, camera: str, keepers: Keepers) -> Metrics:
    if camera in labels.states:
        return state_metrics(labels.states[camera], keepers)
    return pair_metrics(labels.pairs[camera], keepers)


def _evaluation(profile: str | None, max_score: float | None, evaluations: Sequence[CameraEvaluation]) -> Evaluation:
    states = {
        evaluation.camera: evaluation.figures
        for evaluation in evaluations
        if isinstance(evaluation.figures, StateMetrics)
    }
    pairs = {
        evaluation.camera: evaluation.figures
        for evaluation in evaluations
        if isinstance(evaluation.figures, PairMetrics)
    }
    total = sum_state_metrics(states) if states else sum_pair_metrics(pairs) if pairs else None
    return Evaluation(profile, max_score, tuple(evaluations), total)


def _single_value(values: set[Value]) -> Value | None:
    """The only value of a set; None if there are several or none."""
    return next(iter(values)) if len(values) == 1 else None
