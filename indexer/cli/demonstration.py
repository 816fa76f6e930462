"""The demo: the whole job on frames made here, with what a newcomer should understand after each step."""

import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from indexer.cli.render.compare import render_compare
from indexer.cli.render.explain import render_image
from indexer.cli.render.ingest import render_ingest
from indexer.cli.render.removal import render_plan, render_prune
from indexer.cli.session import CommandSession
from indexer.escaping import command_line, quoted
from indexer.execution import Map, serial
from indexer.store.database import Database
from indexer.store.image_details import ImageDetails
from indexer.store.schema import open_database
from indexer.workflows.admin import demo
from indexer.workflows.admin.demo import DemoFrame
from indexer.workflows.compare import compare
from indexer.workflows.compare.compare import CompareReport
from indexer.workflows.ingest import ingest
from indexer.workflows.ingest.discovery import discover
from indexer.workflows.ingest.ingest import IngestReport
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
    """Runs the demo and shows it."""
    folder = Path(tempfile.mkdtemp(prefix="indexer-demo-"))
    name = str(folder / "indexer.db")
    session.console.print(
        "1. Three fixed cameras, made up: a parking lot, a road in the sun, a gate at dusk and at night."
    )
    frames = demo.write_frames(folder / "frames")
    session.console.print(f"   {len(frames)} files in {folder / 'frames'}\n")
    database = open_database(name, create=True)
    with serial() as spread:
        result = _do_steps(session, database, spread, folder=folder, frames=frames)
    database.close()
    session.show(result, _render_next_steps)


def _do_steps(
    session: CommandSession, database: Database, spread: Map, *, folder: Path, frames: list[DemoFrame]
) -> DemoResult:
    """The steps, one after the other, each followed by what it means."""
    say = session.console.print
    say("2. ingest: every file is read once; camera and time come from its name, a small prepared picture is kept.")
    found = discover([str(folder / "frames")])
    ingested = ingest.ingest(database, found, executor=spread, limits=session.limits, clock=session.clock)
    render_ingest(session.console, ingested)

    say("\n3. compare: a picture that shows nothing new is a duplicate, and names the kept picture that stands for it.")
    means = compare.ComparisonContext(database, spread, session.limits, session.clock)
    compared = compare.compare(means)
    render_compare(session.console, compared)
    lost = _lost_by_plain(database, means, frames)
    say("   The same with the profile plain (no local contrast) would take these for nothing new:")
    for what in lost:
        say(f"   - {what}")

    say("\n4. explain: why a picture is a duplicate, and of which.")
    plan = prune.plan(database)
    blurred = next(item.victim.path for item in plan.victims if item.victim.path in _soft(frames))
    render_image(session.console, explain.explain_image(database, blurred))
    say("   It came first, but it is out of focus: the clear picture after it is kept in its place.")

    say("\n5. prune: the plan, then each file is checked again with its keeper and moved to quarantine, not deleted.")
    render_plan(session.console, plan)
    pruned = prune.prune(
        database, plan, options=RemovalOptions(limits=session.limits), camera=None, clock=session.clock
    )
    render_prune(session.console, pruned)
    explained = explain.explain_image(database, blurred)
    return DemoResult(
        folder=str(folder),
        database=database.name,
        frames=len(frames),
        new_frames=sum(frame.new for frame in frames),
        ingested=ingested,
        compared=compared,
        lost_by_plain=tuple(lost),
        pruned=pruned,
        explained=explained,
    )


def _soft(frames: list[DemoFrame]) -> set[str]:
    """The frames that a person would call out of focus."""
    return {frame.path for frame in frames if "focus" in frame.what}


def _lost_by_plain(database: Database, means: compare.ComparisonContext, frames: list[DemoFrame]) -> list[str]:
    """What the frames show that the profile plain takes for nothing new, though it is."""
    compare.compare(means, profile="plain")
    flagged = {item.victim.path for item in prune.plan(database).victims}
    compare.compare(means, profile="balanced")
    return [
        f"{frame.camera}: {frame.what}"
        for frame in frames
        if frame.new and frame.path in flagged and frame.path not in _soft(frames)
    ]


def _render_next_steps(console: Console, result: DemoResult) -> None:
    """What to type next."""

    def here(*words: str) -> str:
        return f"python {command_line('--db', result.database, *words)}"

    console.print(
        f"\nOf {result.frames} files {result.new_frames} showed something new, {result.pruned.removed} are in "
        f"quarantine, and {result.ingested.outcomes['damaged']} is broken and was left alone."
    )
    console.print("Go on with:")
    console.print(f"   {here('status')}")
    console.print(f"   {here('explain', result.explained.path)}")
    console.print(f"   {here('report', result.folder + '/pages')}")
    console.print(f"   {here('audit', 'families')}")
    console.print(f"   {here('restore', '--run', str(result.pruned.run_id))}")
    console.print(f"When you have seen enough: rm -r {quoted(result.folder)}")
    console.print(f"With your own frames, step by step: python {command_line('ingest', 'FOLDER')}")
