"""The commands that help to choose a limit: `sweep` and `evaluate`."""

from typing import Annotated

import typer

from indexer.cli.options import Camera, Json, Processes, open_session

Limits = Annotated[str | None, typer.Option("--max-score", metavar="A,B", help="Limits to try.")]


def sweep(
    context: typer.Context,
    max_score: Limits = None,
    min_contour_area: Annotated[str | None, typer.Option(metavar="A,B", help="Minimum areas to try.")] = None,
    max_distance: Annotated[
        str | None, typer.Option(metavar="A,B", help="Distances to try, for profiles with features.")
    ] = None,
    with_removed: Annotated[
        bool, typer.Option("--with-removed", help="Count as if no image had been removed.")
    ] = False,
    camera: Camera = None,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Show what other limits would keep and remove."""
    with open_session(context, json=json) as session:
        with session.database() as database, session.engine(processes, database) as executor:
            from indexer.cli.json_documents.comparison import SweepDocument
            from indexer.cli.render import tuning
            from indexer.domain.score_bounds import parse_numbers
            from indexer.workflows.context import ComparisonContext
            from indexer.workflows.tuning import sweep as workflow

            limits = None if max_score is None else parse_numbers(max_score)
            areas = None if min_contour_area is None else parse_numbers(min_contour_area)
            distances = None if max_distance is None else parse_numbers(max_distance)
            comparison = ComparisonContext(database, executor, session.limits, session.clock, session.progress)
            report = workflow.sweep(
                comparison,
                max_scores=limits,
                min_contour_areas=areas,
                max_distances=distances,
                camera=camera,
                with_removed=with_removed,
            )
        session.show(report, tuning.render_sweep, form=SweepDocument)


def evaluate(
    context: typer.Context,
    labels: Annotated[
        str, typer.Argument(metavar="LABELS.csv", help="image,state[,camera] or image_a,image_b,verdict.")
    ],
    profile: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Use what this profile would decide. May be repeated.")
    ] = None,
    max_score: Limits = None,
    camera: Camera = None,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Compare decisions with the labels of a person."""
    with open_session(context, json=json) as session:
        with session.database() as database, session.engine(processes, database) as executor:
            from indexer.cli.json_documents.comparison import EvaluateDocument
            from indexer.cli.render import tuning
            from indexer.domain.score_bounds import parse_numbers
            from indexer.workflows.context import ComparisonContext
            from indexer.workflows.tuning import evaluate as workflow
            from indexer.workflows.tuning.label_matching import read_labels

            limits = None if max_score is None else parse_numbers(max_score)
            comparison = ComparisonContext(database, executor, session.limits, session.clock, session.progress)
            label_list = read_labels(labels)
            report = workflow.evaluate(
                comparison, label_list, profile_names=profile or (), max_scores=limits, camera=camera
            )
        session.show(
            report,
            tuning.render_evaluation,
            form=EvaluateDocument,
            failed=bool(report.problems),
            render_failure=tuning.render_evaluation_failures,
        )
    raise typer.Exit(1 if report.problems else 0)
