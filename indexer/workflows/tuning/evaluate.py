"""evaluate: how good decisions are against a person's labels (`indexer.domain.evaluation` says what is counted).

It judges the decisions that hold, or what `compare` would decide of the present images under other profiles and limits.
It promises that the index stays as it is; what a profile has not cached is read from the image files.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

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
from indexer.domain.labels import PairLabel, StateLabel
from indexer.domain.score_bounds import validated_numbers
from indexer.domain.selection import Decision
from indexer.store import cameras, decisions, profiles
from indexer.workflows.context import ComparisonContext
from indexer.workflows.profile_parameters import trial_scoring_parameters
from indexer.workflows.tuning.label_matching import Labels, match_labels
from indexer.workflows.tuning.simulation import Case, SimulationResult, simulate_cases

Value = TypeVar("Value")


@dataclass(frozen=True)
class CameraEvaluation:
    """How good the decisions on one camera are; `problem` says why there are no figures."""

    camera: str
    figures: Metrics | None
    problem: str | None = None


@dataclass(frozen=True)
class Evaluation:
    """How good one way of deciding is, camera by camera and in all.

    `profile` None: the decisions that hold; "in force": each camera's own profile where they have several. `max_score`
    None: the decisions that hold, or each profile's own limit where they differ.
    """

    profile: str | None
    max_score: float | None
    cameras: tuple[CameraEvaluation, ...]
    total: Metrics | None


@dataclass(frozen=True)
class EvaluationReport:
    """How good each way of deciding is; `unknown` are the labelled images that the index does not have."""

    evaluations: tuple[Evaluation, ...]
    unknown: tuple[str, ...]

    @property
    def problems(self) -> list[tuple[Evaluation, CameraEvaluation]]:
        """The cameras without figures, and under what."""
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
    """How good the decisions are: those that hold, or those under each of the named profiles at each of the limits."""
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
    """How good the decisions that hold are."""
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
    """How good the decisions under one profile are, or under that in force for each camera, at each limit; without any,
    at the profile's own."""
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
        return [
            Case(
                camera,
                camera_ids[camera],
                present.get(camera, 0),
                stored := named_profile or in_force[camera],
                trial_scoring_parameters(stored, max_scores=limits or [stored.profile.max_score]),
            )
            for camera in labels.cameras
        ]


def _camera_evaluation(outcome: SimulationResult[Metrics], limit: float | None) -> CameraEvaluation:
    """The figures of a case at one of its limits; None: it has one alone."""
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
    """The one value that there is, if all are the same."""
    return next(iter(values)) if len(values) == 1 else None
