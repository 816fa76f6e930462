"""The small pictures of a report: one per image, named by its content hash, from the best source there is.

It promises that

- a picture that is in the folder already is not made again;
- a file which is gone or changed costs its picture in colour and nothing else; and
- no more than a page's pictures are in memory.

The sources, best first: the image file at its path, or in quarantine if it was removed; the preview that `prune`
stored; a cached thumbnail, which is grey and marked as such.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from indexer.domain.descriptions import Limits
from indexer.domain.images import ImageState
from indexer.domain.profiles import Preparation
from indexer.domain.zones import local_time
from indexer.execution import ParallelMap, WorkerFailure
from indexer.imaging.previews import PREVIEW_WIDTH, preview_of_thumbnail
from indexer.store import previews, report_queries
from indexer.store.database import Database
from indexer.store.report_queries import ImageFacts, RemovalFacts
from indexer.web.view_models import ImageView, PictureLink
from indexer.workflows.context import Advance
from indexer.workflows.image_files import PreviewTask, load_preview


class PictureStore(Protocol):
    """Where pictures are put, by file name: a folder, or the memory of a server."""

    def reuse(self, name: str) -> bool:
        """Whether there is such a picture; it stays."""
        ...

    def find(self, name: str) -> bytes | None:
        """What is there under a name; None if there is nothing."""
        ...

    def write(self, name: str, data: bytes) -> None:
        """Puts a picture there, or replaces the one of that name."""
        ...


@dataclass
class PictureCounts:
    """How many pictures came from where: the folder, image files, or the index (stored previews and thumbnails)."""

    reused: int = 0
    from_files: int = 0
    from_index: int = 0
    none: int = 0


@dataclass(frozen=True)
class LocalTimes:
    """How times are shown: in the zone stored for a camera, else in that of this machine if `local`, else in UTC."""

    timezones: Mapping[str, str]
    local: bool = False

    def of(self, time: datetime | None, *, camera: str) -> datetime | None:
        """A time of a camera as it is shown."""
        return None if time is None else local_time(time, timezone=self.timezones.get(camera), local=self.local)


@dataclass
class ReportPictures:
    """Makes the pictures of images; `executor` reads files with limits on memory and time. `width`: of a picture from a
    file, in pixels, at most."""

    database: Database
    out: PictureStore
    executor: ParallelMap
    limits: Limits
    local: LocalTimes
    width: int = PREVIEW_WIDTH
    counts: PictureCounts = field(default_factory=PictureCounts)
    _grey: set[str] = field(default_factory=set)

    def image_view(self, facts: ImageFacts) -> ImageView:
        """An image with the link to its picture; without `make` before it, the picture may be missing."""
        width = min(self.width, facts.width or self.width)
        height = max(1, round(width * facts.height / facts.width)) if facts.width and facts.height else width * 9 // 16
        href = next((name for name in _file_names(facts) if self.out.reuse(name)), None)
        picture = PictureLink(href, width, height, from_index=href == _file_names(facts)[1])
        return ImageView(
            id=facts.id,
            camera=facts.camera,
            path=facts.path,
            captured_at=self.local.of(facts.captured_at, camera=facts.camera),
            state=str(facts.state),
            width=facts.width,
            height=facts.height,
            size_bytes=facts.size_bytes,
            picture=picture,
        )

    def make(self, images: Sequence[ImageFacts], removals: dict[int, RemovalFacts], *, advance: Advance) -> None:
        """Makes the pictures that are missing in the folder; `removals` by image id."""
        missing = [facts for facts in images if not self.out.reuse(_file_names(facts)[0])]
        self.counts.reused += len(images) - len(missing)
        advance(len(images) - len(missing))
        unreadable: list[ImageFacts] = []
        located = [(facts, path) for facts in missing if (path := find_path(facts, removals.get(facts.id))) is not None]
        tasks = (PreviewTask(path, facts.content_hash, self.limits, self.width) for facts, path in located)
        for (facts, _), result in zip(located, self.executor(load_preview, tasks), strict=True):
            if isinstance(result, WorkerFailure) or result.preview is None:
                unreadable.append(facts)
            else:
                self.out.write(_file_names(facts)[0], result.preview.data)
                self.counts.from_files += 1
                advance(1)
        located_ids = {facts.id for facts, _ in located}
        self._make_from_index(
            [*unreadable, *(facts for facts in missing if facts.id not in located_ids)], advance=advance
        )

    def _make_from_index(self, images: Sequence[ImageFacts], *, advance: Advance) -> None:
        with self.database.read() as session:
            stored_pictures = previews.load_pictures(session, [facts.id for facts in images])
            without_picture = [
                facts
                for facts in images
                if facts.id not in stored_pictures and not self.out.reuse(_file_names(facts)[1])
            ]
            cached_thumbnails = report_queries.load_any_thumbnails(session, [facts.id for facts in without_picture])
        for facts in images:
            colour_name, grey_name = _file_names(facts)
            if facts.id in stored_pictures:
                self.out.write(colour_name, stored_pictures[facts.id].data)
                self.counts.from_index += 1
            elif self.out.reuse(grey_name):
                self.counts.reused += 1
            elif (
                facts.id in cached_thumbnails
                and (picture := _find_thumbnail_picture(*cached_thumbnails[facts.id])) is not None
            ):
                self.out.write(grey_name, picture)
                self.counts.from_index += 1
            else:
                self.counts.none += 1
            advance(1)


def _find_thumbnail_picture(thumbnail: bytes, preparation: Preparation) -> bytes | None:
    """A thumbnail as a JPEG; None if it is corrupt, which `db check` and `compare` report."""
    try:
        features = preparation.has_features
        return preview_of_thumbnail(thumbnail, planes=preparation.planes, features=features).data
    except ValueError:
        return None


def _file_names(facts: ImageFacts) -> tuple[str, str]:
    """The file names of the picture in colour and of the grey one from a thumbnail."""
    stem = f"pictures/{facts.content_hash[:2]}/{facts.content_hash}"
    return f"{stem}.jpg", f"{stem}-index.jpg"


def find_path(facts: ImageFacts, removal: RemovalFacts | None) -> str | None:
    """The path where the file should be now; None if there is none."""
    if facts.state is ImageState.READY:
        return facts.path
    return (
        removal.quarantine_path
        if facts.state is ImageState.REMOVED and removal is not None and removal.state == "quarantined"
        else None
    )
