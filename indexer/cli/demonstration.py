"""The demo: all steps on frames that it makes, each with an explanation for a newcomer."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from indexer.cli.json_documents.admin import DemoDocument
from indexer.cli.render.compare import render_compare
from indexer.cli.render.explain import render_image
from indexer.cli.render.ingest import render_ingest
from indexer.cli.render.removal import render_plan, render_prune
from indexer.cli.session import CommandSession
from indexer.domain.plurals import counted
from indexer.escaping import command_line, quoted, with_interpreter
from indexer.execution import ParallelMap, serial
from indexer.store.database import Database
from indexer.store.image_details import ImageDetails
from indexer.store.schema import open_database
from indexer.workflows.admin import demo
from indexer.workflows.admin.demo import DemoFrame
from indexer.workflows.compare import compare
from indexer.workflows.compare.compare import CompareReport
from indexer.workflows.context import ComparisonContext
from indexer.workflows.ingest import ingest
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.outcomes import IngestReport
from indexer.workflows.removal import prune
from indexer.workflows.removal.prune import PruneReport
from indexer.workflows.removal.remove_file import RemovalOptions
from indexer.workflows.review import explain


@dataclass(frozen=True)
class DemoResult:
    """What the demo did, and where it left its files."""

    folder: str
    database: str
    frames: int
    new_frames: int
    ingested: IngestReport
    compared: CompareReport
    lost_by_plain: tuple[str, ...]
    pruned: PruneReport
    explained: ImageDetails


def run_demo(session: CommandSession) -> None:
    """Runs the demo and prints its result."""
    folder = Path(tempfile.mkdtemp(prefix="indexer-demo-"))
    name = str(folder / "indexer.db")
    session.console.print(
        "1. Three fixed cameras, made up: a parking lot, a road in the sun, a gate at dusk and at night."
    )
    frames = demo.write_frames(folder / "frames")
    session.console.print(f"   {counted(len(frames), 'file')} in {folder / 'frames'}\n")
    database = open_database(name, create=True)
    with serial() as executor:
        result = _do_steps(session, database, executor, folder=folder, frames=frames)
    database.close()
    session.show(result, _render_next_steps, form=DemoDocument)


def _do_steps(
    session: CommandSession, database: Database, executor: ParallelMap, *, folder: Path, frames: list[DemoFrame]
) -> DemoResult:
    """Runs the steps, each followed by an explanation."""
    show = session.console.print
    show("2. ingest: every file is read once; camera and time come from its name, a small prepared picture is kept.")
    request = discover([str(folder / "frames")])
    ingested = ingest.ingest(database, request, executor=executor, limits=session.limits, clock=session.clock)
    render_ingest(session.console, ingested)

    show(
        "\n3. compare: a picture that shows nothing new is a duplicate, and names the kept picture that stands for it."
    )
    comparison = ComparisonContext(database, executor, session.limits, session.clock)
    compared = compare.compare(comparison)
    render_compare(session.console, compared)
    lost_by_plain = _lost_by_plain(database, comparison, frames)
    show("   The same with the profile plain (no local contrast) would take these for nothing new:")
    for description in lost_by_plain:
        show(f"   - {description}")

    show("\n4. explain: why a picture is a duplicate, and of which.")
    plan = prune.plan(database)
    blurred = next(item.victim.path for item in plan.victims if item.victim.path in _out_of_focus(frames))
    render_image(session.console, explain.explain_image(database, blurred))
    show("   It came first, but it is out of focus: the clear picture after it is kept in its place.")

    show("\n5. prune: the plan, then each file is checked again with its keeper and moved to quarantine, not deleted.")
    render_plan(session.console, plan)
    options = RemovalOptions(limits=session.limits)
    pruned = prune.prune(database, plan, options=options, camera=None, clock=session.clock)
    render_prune(session.console, pruned, shown=plan)
    explained = explain.explain_image(database, blurred)
    return DemoResult(
        folder=str(folder),
        database=database.name,
        frames=len(frames),
        new_frames=sum(frame.new for frame in frames),
        ingested=ingested,
        compared=compared,
        lost_by_plain=tuple(lost_by_plain),
        pruned=pruned,
        explained=explained,
    )


def _out_of_focus(frames: list[DemoFrame]) -> set[str]:
    """The frames that a person would call out of focus."""
    return {frame.path for frame in frames if "focus" in frame.what}


def _lost_by_plain(database: Database, comparison: ComparisonContext, frames: list[DemoFrame]) -> list[str]:
    """What the frames show that are new, but that the profile plain takes for nothing new."""
    compare.compare(comparison, profile="plain")
    flagged = {item.victim.path for item in prune.plan(database).victims}
    compare.compare(comparison, profile="balanced")
    return [
        f"{frame.camera}: {frame.what}"
        for frame in frames
        if frame.new and frame.path in flagged and frame.path not in _out_of_focus(frames)
    ]


def _render_next_steps(console: Console, result: DemoResult) -> None:
    """Prints what to type next."""

    def command_here(*words: str) -> str:
        return with_interpreter(command_line("--db", result.database, *words))

    console.print(
        f"\nOf {counted(result.frames, 'file')} {result.new_frames} showed something new, "
        f"{result.pruned.removed} are in "
        f"quarantine, and {result.ingested.outcomes['damaged']} is broken and was left alone."
    )
    console.print("Go on with:")
    console.print(f"   {command_here('status')}")
    console.print(f"   {command_here('explain', result.explained.path)}")
    console.print(f"   {command_here('report', result.folder + '/pages')}")
    console.print(f"   {command_here('audit', 'families')}")
    console.print(f"   {command_here('restore', '--run', str(result.pruned.run_id))}")
    console.print(f"When you have seen enough: rm -r {quoted(result.folder)}")
    console.print(f"With your own frames, step by step: {with_interpreter(command_line('ingest', 'FOLDER'))}")
