#!/usr/bin/env python3
"""The door: every command parses its words, calls one workflow, shows its report, and exits.

It loads nothing heavy until a command runs: `--help` answers in under 0.3 s (tests/cli/test_help.py).
"""

import os
import sys
from typing import Annotated

import typer

from indexer import __version__
from indexer.cli import main
from indexer.cli.commands import database as databases
from indexer.cli.commands import profile as profiles
from indexer.cli.commands import report as reports
from indexer.cli.commands import tuning, verdict
from indexer.cli.engine_options import Asked, Engine, MapPath, Scheduler
from indexer.cli.options import Camera, Json, Processes, enter
from indexer.settings import DEFAULT_DATABASE, read_settings

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False)
app.add_typer(profiles.app, name="profile")
app.add_typer(databases.app, name="db")

Paths = Annotated[list[str], typer.Argument(metavar="PATH", help="Folders (recursive) and image files.")]
Images = Annotated[list[str], typer.Argument(metavar="IMAGE", help="Images, by path or by number.")]


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"indexer {__version__}")
        raise typer.Exit


@app.callback()
def settings(
    context: typer.Context,
    db: Annotated[
        str | None,
        typer.Option(metavar="URL|PATH", help=f"The index. [env INDEXER_DB; default {DEFAULT_DATABASE}]"),
    ] = None,
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and exit.", is_eager=True, callback=_tell_version)
    ] = False,
) -> None:
    """Index the images of fixed cameras: find those that show nothing new, remove them safely, remember why."""
    context.obj = read_settings(os.environ | ({} if db is None else {"INDEXER_DB": db}), named=db is not None)


@app.command()
def ingest(
    context: typer.Context,
    paths: Paths,
    pattern: Annotated[
        str | None, typer.Option(metavar="REGEX", help="Groups (?P<camera>...), (?P<timestamp>...) name the images.")
    ] = None,
    camera: Annotated[str | None, typer.Option(metavar="NAME", help="All these images are of this camera.")] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Read files again that could not be used, or may have changed unseen.")
    ] = False,
    also_here: Annotated[
        bool, typer.Option("--also-here", help="Do not ask if another index has images of the folder.")
    ] = False,
    processes: Processes = None,
    engine: Engine = None,
    scheduler: Scheduler = None,
    map_path: MapPath = None,
    json: Json = False,
) -> None:
    """Take in files and folders of images."""
    from indexer.cli import ingest_index
    from indexer.cli.render import words
    from indexer.workflows.ingest import ingest as work
    from indexer.workflows.ingest.discovery import look

    asked = Asked(processes, engine, scheduler, tuple(map_path or ()))
    with enter(context, json=json) as page:
        looked = look(paths, camera=camera, pattern=pattern, again=again)
        opened = ingest_index.open_index(page, looked, also_here=also_here)
        with opened as (database, found), page.guarded_engine(asked) as spread:
            report = work.ingest(
                database, found, spread=spread, limits=page.limits, clock=page.clock, progress=page.progress
            )
        page.show(report, words.ingested)
    raise typer.Exit(1 if report.refused or report.held else 0)


@app.command()
def compare(
    context: typer.Context,
    profile: Annotated[
        str | None, typer.Option(metavar="NAME", help="Make this the active profile, and decide by it.")
    ] = None,
    camera: Camera = None,
    processes: Processes = None,
    engine: Engine = None,
    scheduler: Scheduler = None,
    map_path: MapPath = None,
    json: Json = False,
) -> None:
    """Score what is new and decide what is a duplicate of what."""
    asked = Asked(processes, engine, scheduler, tuple(map_path or ()))
    with enter(context, json=json) as page:
        with page.database() as database, page.engine(asked, database) as spread:
            from indexer.cli.render import words  # now, while the workers get ready
            from indexer.workflows.compare import compare as work

            means = work.Means(database, spread, page.limits, page.clock, page.progress)
            report = work.compare(means, profile=profile, camera=camera)
        page.show(report, words.compared)
    raise typer.Exit(1 if report.held_back else 0)


@app.command()
def prune(
    context: typer.Context,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan and stop.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    permanent: Annotated[bool, typer.Option("--permanent", help="Delete at once instead of moving.")] = False,
    camera: Camera = None,
    quarantine: Annotated[str | None, typer.Option(metavar="FOLDER", help="Where removed files go.")] = None,
    max_share: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="SHARE", help="Hold a camera back if more of it would go. [default: 0.99]"),
    ] = None,
    json: Json = False,
) -> None:
    """Show the plan, ask, then move duplicates to quarantine."""
    from indexer.cli.render import words
    from indexer.workflows.removal import prune as work
    from indexer.workflows.removal.remove_file import Manner

    with enter(context, json=json) as page, page.database() as database:
        plan = work.plan(database, camera=camera, max_share=max_share)
        if dry_run:
            page.show(plan, words.planned)
            return
        words.planned(page.words, plan)
        act = "DELETE THESE FILES FOR GOOD" if permanent else "Move these files to quarantine"
        if plan.victims and not yes:
            page.ask(f"{act}?", instead="type --yes to act, or --dry-run to look")
        manner = Manner(permanent, quarantine, max_share, page.limits)
        report = work.prune(database, plan, manner=manner, camera=camera, clock=page.clock, progress=page.progress)
        page.show(report, words.pruned)
    raise typer.Exit(1 if report.failures or report.held_back or report.stopped else 0)


@app.command()
def restore(
    context: typer.Context,
    paths: Annotated[list[str] | None, typer.Argument(metavar="PATH", help="Where the files were.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All that lie in quarantine.")] = False,
    run: Annotated[
        int | None, typer.Option(min=1, max=10**18, metavar="ID", help="Those that this run took away.")
    ] = None,
    no_pin: Annotated[bool, typer.Option("--no-pin", help="Let a later prune take them again.")] = False,
    json: Json = False,
) -> None:
    """Bring quarantined files back to where they were."""
    from indexer.cli.render import words
    from indexer.workflows.removal import restore as work

    wanted = work.wish(paths or (), everything=everything, run_id=run)
    with enter(context, json=json) as page, page.database() as database:
        report = work.restore(database, wanted, pin=not no_pin, clock=page.clock, progress=page.progress)
        page.show(report, words.restored)
    raise typer.Exit(1 if report.failures else 0)


@app.command()
def rescue(
    context: typer.Context,
    quarantine: Annotated[str, typer.Argument(metavar="FOLDER", help="The quarantine, or one run in it.")],
    below: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Bring back what was below this folder, and nothing else.")
    ] = None,
    into: Annotated[
        str | None, typer.Option(metavar="FOLDER", help="Put all files into this folder, whatever their paths were.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Bring back all files of a quarantine whose index is lost."""
    from indexer.cli.render import words
    from indexer.workflows.removal import rescue as work
    from indexer.workflows.removal.rescue_plan import plan_rescue

    with enter(context, json=json) as page:
        plan = plan_rescue(quarantine, below=below, into=into)
        words.rescue_planned(page.words, plan)
        if plan.returns and not yes:
            page.ask("Bring these files back?", instead="type --yes to bring these files back")
        report = work.carry_out(plan, limits=page.limits, progress=page.progress)
        page.show(report, words.restored)
    raise typer.Exit(1 if report.failures else 0)


@app.command()
def recover(
    context: typer.Context,
    nobody_else: Annotated[
        bool, typer.Option("--nobody-else", help="No other command is at work on these files, on any host.")
    ] = False,
    json: Json = False,
) -> None:
    """Finish or undo removals that were cut off."""
    from indexer.cli.render import words
    from indexer.workflows.removal import recover as work

    with enter(context, json=json) as page, page.database() as database:
        report = work.recover(database, nobody_else=nobody_else, clock=page.clock)
        page.show(report, words.recovered)
    raise typer.Exit(1 if report.left_open else 0)


@app.command()
def purge(
    context: typer.Context,
    everything: Annotated[bool, typer.Option("--all", help="All that lie in quarantine.")] = False,
    older_than: Annotated[
        float | None, typer.Option(min=0, max=100_000, metavar="DAYS", help="Those removed longer ago than this.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    json: Json = False,
) -> None:
    """Free the space of quarantined files, for good."""
    from indexer.cli.render import words
    from indexer.workflows.removal import purge as work

    work.require_choice(everything=everything, older_than_days=older_than)
    with enter(context, json=json) as page, page.database() as database:
        chosen = work.list_purgeable(database, older_than_days=older_than, clock=page.clock)
        if chosen and not yes:
            page.ask(f"DELETE {len(chosen)} QUARANTINED FILES FOR GOOD?", instead="type --yes to delete them")
        shown = {removal.id for removal in chosen}
        report = work.purge(database, older_than_days=older_than, clock=page.clock, shown=shown, progress=page.progress)
        page.show(report, words.purged)
    raise typer.Exit(1 if report.skipped else 0)


@app.command()
def status(context: typer.Context, json: Json = False) -> None:
    """Show what is in the index, per camera."""
    from indexer.cli.render import words
    from indexer.workflows.admin import status as work

    with enter(context, json=json) as page, page.database() as database:
        page.show(work.status(database), words.stated)


@app.command()
def explain(
    context: typer.Context,
    image: Annotated[str, typer.Argument(metavar="A", help="An image, by path or by number.")],
    other: Annotated[str | None, typer.Argument(metavar="B", help="Another one: the evidence of the pair.")] = None,
    picture: Annotated[
        str | None, typer.Option(metavar="OUT.png", help="Draw it beside B, its keeper or its like, into a new file.")
    ] = None,
    json: Json = False,
) -> None:
    """Tell why an image was kept or flagged, or what one pair shows."""
    from indexer.cli.render import explain as stories
    from indexer.workflows.review import explain as work
    from indexer.workflows.review.pair_picture import illustrate

    with enter(context, json=json) as page, page.database() as database:
        if picture is not None:
            drawn = illustrate(database, image, other, out=picture, limits=page.limits, words=stories.captions)
            page.show(drawn, stories.illustrated)
        elif other is None:
            page.show(work.explain_image(database, image), stories.image)
        else:
            page.show(work.explain_pair(database, image, other), stories.pair)


app.command()(verdict.verdict)


@app.command()
def pin(context: typer.Context, images: Images, json: Json = False) -> None:
    """Keep these images, whatever they show."""
    from indexer.cli.render import words
    from indexer.workflows.review import pin as work

    with enter(context, json=json) as page, page.database() as database:
        page.show(work.pin(database, images, clock=page.clock), words.pinned)


@app.command()
def unpin(context: typer.Context, images: Images, json: Json = False) -> None:
    """Take pins back."""
    from indexer.cli.render import words
    from indexer.workflows.review import pin as work

    with enter(context, json=json) as page, page.database() as database:
        page.show(work.unpin(database, images, clock=page.clock), words.pinned)


app.command()(tuning.sweep)
app.command()(tuning.evaluate)
app.command()(reports.report)


@app.command()
def audit(
    context: typer.Context,
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="A ready-made query; none: list them.")] = None,
    parameters: Annotated[
        list[str] | None, typer.Argument(metavar="KEY=VALUE", help="What the query asks for.")
    ] = None,
    sql: Annotated[str | None, typer.Option(metavar="QUERY", help="Your own query; it can only read.")] = None,
    json: Json = False,
) -> None:
    """Ask about past decisions: ready-made queries, or your own SQL."""
    from indexer.cli.render import words
    from indexer.workflows.admin import audit as work

    with enter(context, json=json) as page:
        question = work.question(name, parameters or (), sql=sql)
        if question is None:
            page.show(work.list_questions(), words.audits)
            return
        with page.database() as database, work.ask(database, question) as table:
            page.show_table(table)


@app.command()
def demo(context: typer.Context, json: Json = False) -> None:
    """Do the whole job on sample frames, in a temporary folder."""
    from indexer.cli.commands import demo as tour

    with enter(context, json=json) as page:
        tour.give(page)


if __name__ == "__main__":
    sys.exit(main.run(app, sys.argv[1:]))
