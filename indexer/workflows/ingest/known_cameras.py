"""The cameras of the index that the names of an ingest may belong to: the sources and the times of their images.

It promises that a source is what the path of an image says, whatever an earlier version stored of it: a folder that was
ingested is no source of all that lies below. Where the stored sources tell it, no image is looked up.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType

from indexer.domain.names import USER_SOURCES
from indexer.domain.naming.cameras import CameraClaim, KnownSource, TimeSpan
from indexer.domain.naming.tree import source_of_known
from indexer.domain.paths import lies_at_or_below, lies_below
from indexer.store import camera_sources, confirmations, image_folders, video_names
from indexer.store.camera_sources import CapturedImage
from indexer.store.database import Database


@dataclass(frozen=True)
class KnownTimes:
    """The times of the present images of a camera by source, and the sources whose images a person named.

    These are sources of one camera, and so are the new sources of images that moved out of confirmed ones. `by_folder`:
    the sources whose images have the camera from the name of their folder.
    """

    spans: dict[str, TimeSpan] = field(default_factory=dict)
    named_by_person: frozenset[str] = frozenset()
    by_folder: frozenset[str] = frozenset()
    examples: Mapping[str, str] = field(default_factory=dict)
    """The first path of each source."""


class KnownCameras:
    """Those of some cameras that the index has; `database`: None if there is no index yet.

    `renamed_folders`: the folders below which all images are named again, except those that a person named; with
    `includes_confirmed` these, too.
    """

    def __init__(
        self,
        database: Database | None,
        cameras: Collection[str],
        *,
        renamed_folders: Collection[str] = (),
        includes_confirmed: bool = False,
    ) -> None:
        self._database = database
        self._renamed_folders = renamed_folders
        self._includes_confirmed = includes_confirmed
        self._sources: Mapping[str, Collection[KnownSource]] = {}
        self._confirmed_words: Mapping[str, frozenset[str]] | None = None
        self._undone_words: Mapping[str, frozenset[str]] | None = None
        self._undone: frozenset[str] | None = None
        self._images = lru_cache(maxsize=1)(self._read_images)  # of the camera read last, as all of these
        self._videos = lru_cache(maxsize=1)(self._read_videos)
        self._frames = lru_cache(maxsize=1)(self._read_frames)
        if database is not None:
            with database.read() as session:
                self._sources = camera_sources.list_sources(session, cameras)

    def __contains__(self, camera: str) -> bool:
        return camera in self._sources

    def sources_by_camera(self, claims: Collection[CameraClaim]) -> dict[str, set[str]]:
        """The sources of the cameras with a name of these claims that keep their names.

        A camera whose images are all named again, and come from several sources, is none: by the rules of today they
        are several cameras.
        """
        by_camera = {}
        for camera in sorted(self._sources.keys() & set[str]().union(*(claim.possible_names for claim in claims))):
            kept, renamed = self._split(camera)
            sources = kept | renamed if len(kept | renamed) == 1 else kept
            if sources or not renamed:
                by_camera[camera] = sources
        claims_by_name = defaultdict[str, list[CameraClaim]](list)
        for claim in claims:
            for name in claim.names:
                claims_by_name[name].append(claim)
        for camera, sources in by_camera.items():
            others = [claim for claim in claims_by_name[camera] if claim.source not in sources]
            sources |= {claim.source for claim in others if self._is_former(claim, camera, sources)}
        return by_camera

    def _is_former(self, claim: CameraClaim, camera: str, sources: Set[str]) -> bool:
        """Whether a camera has the source of a claim by another spelling, as it was stored at first."""
        if claim.camera_source == "option":
            return bool(sources) and all(lies_below(source, claim.source) for source in sources)
        if not claim.former_sources & sources:
            return False
        return any(source_of_known(path, {claim.source}) == claim.source for path, _, _ in self._iter_named(camera))

    def owners(self, sources: Collection[str], *, levels: Collection[str]) -> dict[str, str]:
        """The camera of each of these sources whose folder gave its images their camera, whatever it is called now.

        `levels`: the sources that are cameras because a person said their level. A source of several cameras, or one
        whose images are named again, is left out.
        """
        if self._database is None:
            return {}
        with self._database.read() as session:
            cameras = camera_sources.list_cameras_of(
                session, [source for source in sources if not self._is_renamed(source)]
            )
        by_source = {
            source: [
                one
                for one in names
                if (self._is_named_by_person if source in levels else self._is_named_by)(one, source)
            ]
            for source, names in cameras.items()
        }
        owners = {source: names[0] for source, names in by_source.items() if len(names) == 1}
        self.include(owners.values())
        return owners

    def include(self, cameras: Iterable[str]) -> None:
        """Adds cameras of the index to those that the names may belong to."""
        added = set(cameras)
        if added and self._database is not None:
            with self._database.read() as session:
                self._sources = {**self._sources, **camera_sources.list_sources(session, added)}

    def _is_named_by(self, camera: str, source: str) -> bool:
        """Whether a source itself gave its images this camera: no person, and no name that all their files have."""
        return any(
            (is_by_folder or not lies_at_or_below(path, source)) and source_of_known(path, {source}) == source
            for path, is_by_person, is_by_folder in self._iter_named(camera)
            if not is_by_person
        )

    def _is_named_by_person(self, camera: str, source: str) -> bool:
        """Whether a person said that images below a folder are of this camera."""
        return any(is_by_person and lies_below(path, source) for path, is_by_person, _ in self._iter_named(camera))

    def may_be_several(self, camera: str, new_sources: Set[str], *, by_earlier_rules: bool) -> bool:
        """Whether new images from these sources may be of another camera of that name, so that times must be compared.

        `by_earlier_rules`: what the camera has already stays together.
        """
        if camera not in self._sources:
            return len(new_sources) > 1
        if by_earlier_rules and new_sources <= self.recorded(camera):
            return False
        every = new_sources | self.recorded(camera)
        return self._is_unrecorded(camera) or (len(every) > 1 and not every <= self.confirmed(camera))

    def recorded(self, camera: str) -> set[str]:
        """The stored sources of a camera, without folders that an earlier version stored."""
        return {source.source for source in self._sources.get(camera, ()) if not source.is_root}

    def confirmed(self, camera: str) -> set[str]:
        """Those of which a person said that their images are of this camera."""
        known = self._sources.get(camera, ())
        return {source.source for source in known if source.is_confirmed and not source.is_root}

    def confirmed_words(self, camera: str) -> frozenset[str]:
        """The words in names of which a person said that they are no cameras of their own."""
        if self._confirmed_words is None:
            self._confirmed_words = {}
            if self._database is not None:
                with self._database.read() as session:
                    self._confirmed_words = confirmations.list_confirmed_words(session)
        return self._confirmed_words.get(camera, frozenset())

    def undone_words(self, camera: str) -> frozenset[str]:
        """The words in names of which a person took back that they are no cameras of their own."""
        if self._undone_words is None:
            self._undone_words = {}
            if self._database is not None:
                with self._database.read() as session:
                    self._undone_words = confirmations.list_undone_words(session)
        return self._undone_words.get(camera, frozenset())

    def is_undone(self, camera: str) -> bool:
        """Whether a person took back that a camera is one, and did not confirm it since."""
        if self._undone is None:
            self._undone = frozenset()
            if self._database is not None:
                with self._database.read() as session:
                    self._undone = confirmations.list_undone(session)
        return camera in self._undone

    def recent_paths(self, camera: str, source: str, *, limit: int) -> list[str]:
        """The paths of images and videos of a source among those that a camera got last."""
        if self._database is None or camera not in self._sources:
            return []
        with self._database.read() as session:
            paths = camera_sources.list_recent_paths(session, camera, limit=limit)
            paths += video_names.list_recent_paths(session, camera, limit=limit)
        return [path for path in paths if self._is_of_source(path, camera, source)]

    def list_paths(self, camera: str, source: str) -> list[str]:
        """The paths of all images and videos of a source that a camera has, of removed images, too."""
        paths = [image.path for image in self._images(camera) if not image.is_missing]
        paths += [path for path, _ in self._videos(camera)]
        return [path for path in paths if self._is_of_source(path, camera, source)]

    def written_ns(self, camera: str) -> dict[str, int]:
        """When the files of a camera's images were last written, by path."""
        if self._database is None:
            return {}
        with self._database.read() as session:
            return camera_sources.list_written_ns(session, camera)

    def replaced_paths(self, camera: str) -> set[str]:
        """The paths of images of a camera whose files have another content now."""
        if self._database is None or camera not in self._sources:
            return set()
        with self._database.read() as session:
            return camera_sources.list_replaced_paths(session, camera)

    def _is_of_source(self, path: str, camera: str, source: str) -> bool:
        return source_of_known(path, self.recorded(camera)) == source

    def roots(self) -> set[str]:
        """The folders that were named when the images of the index were ingested."""
        if self._database is None:
            return set()
        with self._database.read() as session:
            return set(image_folders.list_roots(session))

    def times(
        self,
        camera: str,
        *,
        without_ids: Set[int],
        without_paths: Collection[str],
        moved: Mapping[int, str] = MappingProxyType({}),
        new_times: Mapping[str, datetime | None] = MappingProxyType({}),
    ) -> KnownTimes:
        """The times of the present images of a camera, without some that are gone or that get another name.

        `moved`: the new sources of images whose files moved, by id; these count there. `new_times`: the times that
        images will have, by path, where they may change; None: unknown. Removed images count where one
        is left, or where one moved to: they show when the camera was there. A frame of a video counts where the video
        lies, and with it all of the time that the video shows.
        """
        recorded = self.recorded(camera)
        present: dict[str, TimeSpan] = defaultdict(TimeSpan)
        removed: dict[str, TimeSpan] = defaultdict(TimeSpan)
        by_person, by_folder, moved_from = set(), set[str](), set[tuple[str, str]]()
        examples: dict[str, str] = {}
        videos_of_frames, spans_of_videos = self._frames(camera)
        for image in self._images(camera):
            path = videos_of_frames.get(image.image_id, image.path)
            old = source_of_known(path, recorded)
            source = moved.get(image.image_id, old)
            if image.image_id in moved:
                moved_from.add((old, source))
            elif image.is_missing or image.image_id in without_ids or path in without_paths:
                continue
            else:
                examples[source] = min(path, examples.get(source, path))
            (removed if image.is_removed else present)[source].add(new_times.get(image.path, image.captured_at))
            by_person |= {source} if image.is_by_person else set()
            by_folder |= {source} if image.is_by_folder and not image.is_by_person else set()
        for path, start, end in spans_of_videos:
            if path not in without_paths:
                present[source_of_known(path, recorded)].join(TimeSpan(start, start if end is None else end))
        _join_removed(present, removed, moved_from)
        by_person |= {new for old, new in moved_from if old in self.confirmed(camera)}
        return KnownTimes(dict(present), frozenset(by_person & present.keys()), frozenset(by_folder), examples)

    def _split(self, camera: str) -> tuple[set[str], set[str]]:
        """The sources of a camera in two sets: of images that keep their names, and of images that are named again."""
        kept, renamed = set[str](), set[str]()
        confirmed = set() if self._includes_confirmed else self.confirmed(camera)
        for source in self.recorded(camera):
            (renamed if source not in confirmed and self._is_renamed(source) else kept).add(source)
        if self._is_unrecorded(camera):
            recorded = self.recorded(camera)
            for image in self._images(camera):
                is_renamed = (self._includes_confirmed or not image.is_by_person) and self._is_renamed(image.path)
                (renamed if is_renamed else kept).add(source_of_known(image.path, recorded))
        return kept, renamed

    def _is_renamed(self, path: str) -> bool:
        return any(lies_at_or_below(path, folder) for folder in self._renamed_folders)

    def _is_unrecorded(self, camera: str) -> bool:
        """Whether a camera has images whose sources are not stored."""
        known = self._sources[camera]
        return not known or any(source.is_root for source in known)

    def _iter_named(self, camera: str) -> Iterator[tuple[str, bool, bool]]:
        """The path of each image and video of a camera, and whether a person, and whether its folder, says it."""
        yield from ((image.path, image.is_by_person, image.is_by_folder) for image in self._images(camera))
        yield from ((path, by in USER_SOURCES, by == "folder") for path, by in self._videos(camera))

    def _read_images(self, camera: str) -> list[CapturedImage]:
        if self._database is None:
            return []
        with self._database.read() as session:
            return list(camera_sources.iter_images(session, camera))

    def _read_videos(self, camera: str) -> list[tuple[str, str]]:
        """The path of each video of a camera, and where its camera comes from."""
        if self._database is None:
            return []
        with self._database.read() as session:
            return list(video_names.iter_paths(session, camera))

    def _read_frames(self, camera: str) -> tuple[dict[int, str], list[tuple[str, datetime, datetime | None]]]:
        """The path of the video of each frame, by the frame's id, and the times of each video of a camera."""
        if self._database is None:
            return {}, []
        with self._database.read() as session:
            return video_names.list_frame_videos(session, camera), video_names.list_spans(session, camera)


def _join_removed(
    present: Mapping[str, TimeSpan], removed: Mapping[str, TimeSpan], moved_from: Set[tuple[str, str]]
) -> None:
    """Adds the times of removed images where one is left, or where one moved to: pairs of an old and a new source."""
    for source, span in present.items():
        for old in {source, *(old for old, new in moved_from if new == source)}:
            span.join(removed.get(old, TimeSpan()))
