"""Stores which folders the images of each camera come from, each folder once in a run."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from indexer.domain.names import USER_SOURCES, Naming, PathNaming
from indexer.store import camera_sources
from indexer.store.database import Session


@dataclass(frozen=True)
class SourceRecorder:
    """What this run stored already; a batch that brings no new folder costs no statement."""

    _recorded: set[tuple[str, str, bool]] = field(default_factory=set)

    def add(self, session: Session, names: Iterable[tuple[PathNaming, Naming]]) -> None:
        """Adds the folder of each path to the camera that its image has in the end, unless the index has it by another
        source."""
        sources = {
            (
                naming.camera,
                path.source if path.camera == naming.camera else path.folder,
                naming.camera_source in USER_SOURCES,
            )
            for path, naming in names
            if not (path.is_kept and path.camera == naming.camera)
        }
        new = sources - self._recorded
        for is_confirmed in (False, True):
            pairs = [(camera, source) for camera, source, by_person in new if by_person == is_confirmed]
            if pairs:
                camera_sources.add_sources(session, pairs, is_confirmed=is_confirmed)
        self._recorded.update(new)

    def forget(self) -> None:
        """Forgets what was stored: a transaction was rolled back."""
        self._recorded.clear()
