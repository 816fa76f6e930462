"""camera: the cameras of an index, where their images come from, and what a person said of them."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from indexer.domain.naming.rules import NamingRule
from indexer.errors import CameraError, FolderError
from indexer.escaping import command_line, printable
from indexer.store import camera_sources, cameras, confirmations, naming_rules, timezones
from indexer.store.database import Database
from indexer.workflows.context import Clock
from indexer.workflows.ingest.known_cameras import KnownCameras
from indexer.workflows.runs.run import record_run


@dataclass(frozen=True)
class CameraListing:
    """A camera. `sources`: the folders that its images come from. `timezone`: the one stored for them; None: UTC.

    `confirmed`: a person said that images of all these folders are of this camera.
    """

    camera: str
    images: int
    first_captured_at: datetime | None
    last_captured_at: datetime | None
    sources: tuple[str, ...]
    confirmed: bool
    timezone: str | None


@dataclass(frozen=True)
class Confirmation:
    """What a person confirmed: images of all these folders are of one camera. `undone`: they took it back."""

    camera: str
    folders: tuple[str, ...]
    undone: bool = False


def list_cameras(database: Database) -> list[CameraListing]:
    """All cameras, by name."""
    with database.read() as session:
        summaries = {summary.camera: summary for summary in cameras.list_summaries(session)}
        sources = camera_sources.list_sources(session)
        zones = timezones.list_timezones(session)
    listings = []
    for camera, known in sorted(sources.items()):
        summary = summaries.get(camera)
        listings.append(
            CameraListing(
                camera,
                0 if summary is None else summary.images,
                None if summary is None else summary.first_captured_at,
                None if summary is None else summary.last_captured_at,
                tuple(source.source for source in known),
                any(source.is_confirmed for source in known)
                and all(source.is_confirmed or source.is_root for source in known),
                zones.get(camera),
            )
        )
    return listings


def list_rules(database: Database) -> list[NamingRule]:
    """What is stored of each folder, by folder."""
    with database.read() as session:
        return list(naming_rules.list_rules(session).values())


def forget_rule(database: Database, folder: str, *, clock: Clock) -> NamingRule:
    """Deletes what is stored of a folder: the rule of a folder above holds for it, else what its names say.

    Raises `FolderError` if there is none, or if the images keep the rules of an earlier version.
    """
    path = os.path.realpath(folder)
    rule = _get_rule({rule.folder: rule for rule in list_rules(database)}, path)
    arguments = {"forget": printable(path)}
    with record_run(database, "camera rules", arguments=arguments, clock=clock) as run, database.write() as session:
        run.counts = {"rules": int(naming_rules.delete_rule(session, path))}
    return rule


def _get_rule(rules: Mapping[str, NamingRule], folder: str) -> NamingRule:
    if folder not in rules:
        raise FolderError(f"nothing is stored of {folder!r}; it is of: {', '.join(map(repr, rules)) or 'none yet'}")
    if rules[folder].is_earlier:
        raise FolderError(
            f"{folder!r} is named by the rules of an earlier version, and its cameras would be split; to give those "
            f"of today to its images, too: {command_line('ingest', '--new-rules', names=[folder])}"
        )
    return rules[folder]


def confirm_camera(database: Database, camera: str, *, clock: Clock) -> Confirmation:
    """Stores that all images of this name are of one camera, in the folders that are known or were held back.

    Raises `CameraError` if no ingest held such a camera back, and the index has none.
    """
    known = KnownCameras(database, [camera])
    with database.read() as session:
        held = confirmations.list_held(session)
    shown = held.get(camera, confirmations.HeldCounts())
    folders = known.recorded(camera) | set(shown.folders)
    folders |= known.times(camera, without_ids=set(), without_paths=()).spans.keys()
    if not folders:
        names = ", ".join(map(repr, sorted(held))) or "none"
        raise CameraError(f"there is no camera {camera!r}, and no ingest held it back; held back are: {names}")
    arguments = {"camera": camera}
    with record_run(database, "camera confirm", arguments=arguments, clock=clock) as run, database.write() as session:
        camera_sources.add_sources(session, [(camera, folder) for folder in folders], is_confirmed=True)
        number = camera_sources.confirm_sources(session, camera)
        run.counts = confirmations.confirmation_counts(camera, folders=number, shown=shown)
    return Confirmation(camera, tuple(sorted(folders)))


def undo_confirmation(database: Database, camera: str, *, clock: Clock) -> Confirmation:
    """Takes back that all images of this name are of one camera; those in the index keep it until they are renamed.

    Raises `CameraError` if nobody confirmed such a camera.
    """
    with database.read() as session:
        sources = camera_sources.list_sources(session)
    confirmed = {
        name: tuple(source.source for source in known if source.is_confirmed) for name, known in sources.items()
    }
    if not confirmed.get(camera):
        names = ", ".join(repr(name) for name, folders in sorted(confirmed.items()) if folders) or "none"
        raise CameraError(f"nobody confirmed a camera {camera!r}; confirmed are: {names}")
    arguments = {"camera": camera, "undo": True}
    with record_run(database, "camera confirm", arguments=arguments, clock=clock) as run, database.write() as session:
        run.counts = confirmations.undo_counts(camera, folders=camera_sources.unconfirm_sources(session, camera))
    return Confirmation(camera, confirmed[camera], undone=True)
