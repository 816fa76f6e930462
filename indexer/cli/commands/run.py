"""The command `run`: all that the configuration file says, for a nightly job."""

import os
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from indexer.cli.commands.ingest import AlsoHere, take_in
from indexer.cli.engine_options import EngineOptions
from indexer.cli.options import Json, Processes, open_session
from indexer.configuration.file import FILE_NAME, Configuration
from indexer.domain.paths import lies_at_or_below
from indexer.errors import ConfigurationError, FolderError, NothingToIngestError

if TYPE_CHECKING:
    from indexer.cli.session import CommandSession
    from indexer.settings import Settings
    from indexer.workflows.admin.configured_run import ConfiguredRun
    from indexer.workflows.ingest.discovery import IngestRequest
    from indexer.workflows.removal.prune import PruneReport


def run(
    context: typer.Context,
    no_prune: Annotated[
        bool, typer.Option("--no-prune", help="Remove no file, whatever the configuration says.")
    ] = False,
    also_here: AlsoHere = False,
    processes: Processes = None,
    json: Json = False,
) -> None:
    """Ingest, compare and, if the configuration says so, prune.

    Folders, names, profiles, and whether files are removed, are set in indexer.toml. It asks no question.
    """
    from indexer.cli.json_documents.configuration import RunDocument
    from indexer.cli.render.configuration import render_run
    from indexer.cli.render.removal import render_nothing

    with open_session(context, json=json) as session:
        report = _run_steps(session, EngineOptions(processes), prunes=not no_prune, also_here=also_here)
        for camera in report.unknown_cameras:
            session.warn(f"the camera {camera!r} of [profiles] in {report.configuration!r} is not in the index")
        session.show(report, render_nothing, form=RunDocument, failed=report.has_failed, render_failure=render_run)
    raise typer.Exit(1 if report.has_failed else 0)


def _run_steps(session: "CommandSession", options: EngineOptions, *, prunes: bool, also_here: bool) -> "ConfiguredRun":
    """Takes in, compares and prunes; shows the report of each step when it is done."""
    from indexer.cli.render.compare import render_compare
    from indexer.workflows.admin.configured_run import ConfiguredRun, use_profiles
    from indexer.workflows.compare.compare import compare
    from indexer.workflows.context import ComparisonContext

    configuration = session.settings.configuration
    report = ConfiguredRun(configuration.path or "")
    _ingest(session, report, options, prunes=prunes, also_here=also_here)
    with session.database() as database:
        uses, unknown = use_profiles(database, configuration.profiles, clock=session.clock)
        report.profile_uses, report.unknown_cameras = uses, unknown
        _keep(session, report)
        with session.engine(options, database) as executor:
            comparison = ComparisonContext(
                database, executor, session.limits, session.clock, session.progress, live=session.is_watched
            )
            report.compared = compare(comparison, profile=configuration.profile)
    session.show_step(report.compared, partial(render_compare, with_next=not configuration.prune))
    _keep(session, report)
    if configuration.prune and prunes:
        report.pruned = _prune(session, configuration)
    return report


def _keep(session: "CommandSession", run: "ConfiguredRun") -> None:
    """Keeps what the steps did so far, for the document of an error."""
    from indexer.cli.json_documents.configuration import RunDocument

    session.keep_document(run, form=RunDocument)


def _ingest(
    session: "CommandSession", run: "ConfiguredRun", options: EngineOptions, *, prunes: bool, also_here: bool
) -> None:
    """Takes in the folders of the configuration, and adds the reports to those of the run.

    Nothing is written before all folders were walked and checked.
    """
    from indexer.cli.render.ingest import render_ingest
    from indexer.cli.video_options import video_options
    from indexer.workflows.ingest.outcomes import IngestReport

    settings, configuration = session.settings, session.settings.configuration
    if not configuration.folders:
        raise ConfigurationError(f'{_missing_folders(session.settings)}; write a line such as: folders = ["FOLDER"]')
    videos = video_options(
        configuration.frames, database=settings.database, every=None, sample=None, time_s=settings.max_seconds
    )
    groups = _discover(configuration, frames_folder=None if videos is None else videos.frames_folder)
    _require_usable(session, groups, prunes=prunes, also_here=also_here)
    for request, empty in groups:
        report = IngestReport()
        if request is not None:
            report = take_in(session, request, options, videos, also_here=also_here)
        report.refused += empty
        run.ingests.append(report)
        session.show_step(report, partial(render_ingest, with_next=False))
        _keep(session, run)


def _missing_folders(settings: "Settings") -> str:
    """Why there are no folders to take in."""
    path = settings.configuration.path
    if path is not None:
        return f"{path!r} has no folders"
    return (
        "no file is used, as --config or INDEXER_CONFIG is off"
        if settings.configuration.is_off
        else f"there is no {FILE_NAME} here or above"
    )


def _discover(
    configuration: Configuration, *, frames_folder: str | None
) -> "list[tuple[IngestRequest | None, list[tuple[str, str]]]]":
    """The request of each group of folders that are named alike, and its folders without images, with the reason.

    The request is None if there is nothing to take in. Raises `FolderError` for a folder that cannot be walked, and
    `NothingToIngestError` if there is nothing in any folder.
    """
    from indexer.cli.configured_naming import group_folders
    from indexer.workflows.ingest.discovery import discover

    groups: list[tuple[IngestRequest | None, list[tuple[str, str]]]] = []
    problem = NothingToIngestError("")
    for paths, naming in group_folders(configuration):
        try:
            request = discover(paths, frames_folder=frames_folder, **naming)
        except NothingToIngestError as nothing:
            problem = nothing
            groups.append((None, [(path, str(nothing)) for path in paths[:1]]))
            continue
        except FolderError as missing:
            raise FolderError(f"{missing} {configuration.path!r} lists it in folders.") from None
        empty = [path for path in paths if not _has_files(request, path)]
        groups.append((request, [(path, "there is no image in it") for path in empty]))
    if all(request is None for request, _ in groups):
        raise problem
    return groups


def _has_files(request: "IngestRequest", path: str) -> bool:
    """Whether a request has files of a folder, or the folder lies in another one that it has files of."""
    real = os.path.realpath(path)
    return any(lies_at_or_below(real, candidate.root) for candidate in (*request.candidates, *request.videos))


def _require_usable(
    session: "CommandSession",
    groups: "Sequence[tuple[IngestRequest | None, object]]",
    *,
    prunes: bool,
    also_here: bool,
) -> None:
    """Refuses what a later step would refuse: an unknown profile, a quarantine that no file can go to, or folders of
    which another index has images."""
    from indexer.cli.ingest_index import require_alone
    from indexer.store.schema import find_database
    from indexer.workflows.admin.configured_run import require_profiles
    from indexer.workflows.removal.prune import require_usable_quarantine

    configuration, requests = session.settings.configuration, [request for request, _ in groups if request is not None]
    names = [*configuration.profiles.values(), *filter(None, [configuration.profile])]
    with ExitStack() as stack:
        database = find_database(session.settings.database)
        if database is not None:
            stack.callback(database.close)
        require_profiles(database, names)
        if configuration.prune and prunes and configuration.quarantine is not None:
            folders = [folder for request in requests for folder in request.folders]
            require_usable_quarantine(configuration.quarantine, database=database, folders=folders)
        for request in requests if not also_here else ():
            require_alone(session, database, request)


def _prune(session: "CommandSession", configuration: Configuration) -> "PruneReport":
    """Removes what the decisions say, and shows the plan and the report."""
    from indexer.cli.render.removal import TypedPrune, render_plan, render_prune
    from indexer.workflows.removal import prune as workflow
    from indexer.workflows.removal.remove_file import RemovalOptions

    typed = TypedPrune(None, configuration.max_share, quarantine=configuration.quarantine)
    options = RemovalOptions(False, configuration.quarantine, configuration.max_share, session.limits, False)
    with session.database() as database:
        plan = workflow.plan(database, max_share=configuration.max_share)
        session.show_step(plan, partial(render_plan, typed=typed))
        report = workflow.prune(
            database, plan, options=options, camera=None, clock=session.clock, progress=session.progress
        )
    if plan.victims:
        session.show_step(report, partial(render_prune, shown=plan, typed=typed))
    return report
