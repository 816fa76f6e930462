"""What is on the pages: plain values, gathered elsewhere. Links are relative to the folder of the report."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

Points = tuple[tuple[int, int], ...]
"""Corners of an outline, in thousandths of a picture's width and height."""


@dataclass(frozen=True)
class Site:
    """What every page says of the report. `key` tells reports apart where a browser keeps what was typed."""

    index: str
    version: str
    made_at: datetime
    key: str
    borderline: int


@dataclass(frozen=True)
class PageNumber:
    """Which of several pages, and how their files are named: `first`, then `{stem}-2.html` and so on."""

    number: int
    count: int
    first: str
    stem: str

    def file(self, number: int) -> str:
        """The file of one of them."""
        return self.first if number == 1 else f"{self.stem}-{number}.html"

    @property
    def before(self) -> str | None:
        """The file of the page before."""
        return self.file(self.number - 1) if self.number > 1 else None

    @property
    def after(self) -> str | None:
        """The file of the next page."""
        return self.file(self.number + 1) if self.number < self.count else None


@dataclass(frozen=True)
class PictureLink:
    """A small picture; `from_index`: the prepared grey one, as the file is gone or changed. No href: none is left."""

    href: str | None
    width: int
    height: int
    from_index: bool = False


@dataclass(frozen=True)
class ImageView:
    """An image on a page; `state` as in the index."""

    id: int
    camera: str
    path: str
    captured_at: datetime | None
    state: str
    width: int | None
    height: int | None
    size_bytes: int
    picture: PictureLink


@dataclass(frozen=True)
class Hour:
    """What a camera took in one hour of the day (UTC), and how much of it is kept."""

    taken: int = 0
    kept: int = 0


@dataclass(frozen=True)
class CameraCard:
    """A camera in numbers; `folder` holds its pages."""

    name: str
    folder: str
    profile: str
    images: int
    kept: int
    duplicates: int
    undecided: int
    unreadable: int
    missing: int
    removed: int
    size_bytes: int
    first_captured_at: datetime | None
    last_captured_at: datetime | None
    hours: tuple[Hour, ...] = (Hour(),) * 24

    @property
    def taken(self) -> int:
        """Images that were decided, removed ones included."""
        return self.kept + self.duplicates + self.removed

    @property
    def kept_share(self) -> float | None:
        """Part of those that is kept; None where nothing is decided."""
        return self.kept / self.taken if self.taken else None


@dataclass(frozen=True)
class Overview:
    """The first page."""

    site: Site
    page: PageNumber
    cards: tuple[CameraCard, ...]
    total: CameraCard
    cameras: int


@dataclass(frozen=True)
class Member:
    """A duplicate in a strip, with where its pair is shown."""

    shown: ImageView
    score: float | None
    reason: str
    pair_href: str


@dataclass(frozen=True)
class DuplicateGroup:
    """A keeper and its duplicates, or those from `start` on."""

    head: ImageView
    reason: str
    members: tuple[Member, ...]
    start: int
    total: int
    removed: int = 0


@dataclass(frozen=True)
class SweepPoint:
    """What a limit would keep."""

    max_score: float
    min_contour_area: float
    kept: int
    duplicates: int
    size_bytes: int
    current: bool


@dataclass(frozen=True)
class Sweep:
    """What other limits would keep of a camera's images, or why that is not told."""

    points: tuple[SweepPoint, ...] = ()
    why_not: str | None = None


@dataclass(frozen=True)
class ListedImage:
    """An image that is only named."""

    id: int
    path: str
    reason: str | None


@dataclass(frozen=True)
class ImageListing:
    """Images that are only named, the first of them; `command` lists all."""

    title: str
    total: int
    rows: tuple[ListedImage, ...]
    command: str


@dataclass(frozen=True)
class IgnoredAreas:
    """What scores do not see of a camera's frames: the border, in per cent (left, top, right, bottom), so many
    rectangles, and perhaps a drawing; `overlay` shows all of it, laid over the picture `under`."""

    border: tuple[int, int, int, int]
    under: PictureLink | None
    overlay: str | None = None
    rectangles: int = 0
    drawn: bool = False


@dataclass(frozen=True)
class CameraDetails:
    """What else is to be said of a camera."""

    parameters: tuple[tuple[str, str], ...]
    ignored: IgnoredAreas
    sweep: Sweep
    listings: tuple[ImageListing, ...]


@dataclass(frozen=True)
class StripPage:
    """A page of a camera's film strip; the first one says more (`about`)."""

    site: Site
    page: PageNumber
    card: CameraCard
    families: tuple[DuplicateGroup, ...]
    about: CameraDetails | None


@dataclass(frozen=True)
class Outline:
    """A region that changed; `counts`: large enough to be part of the score."""

    points: Points
    counts: bool


@dataclass(frozen=True)
class RemovalView:
    """What was done to the file of a duplicate."""

    state: str
    run_id: int
    place: str | None
    removed_at: datetime | None
    ended_at: datetime | None


def pair_key(image_id: int, other_id: int) -> str:
    """What a pair is called in addresses."""
    return f"pair-{image_id}-{other_id}"


@dataclass(frozen=True)
class PairView:
    """A duplicate beside its keeper, or two kept images.

    `stored_paths` and `content_hashes` are as the database has them. `verdict` is what a person has said of it already.
    """

    image: ImageView
    other: ImageView
    duplicate: bool
    score: float | None
    max_score: float
    profile: str
    reason: str
    decided_by: str
    decided_at: datetime
    run_id: int
    strip_href: str
    stored_paths: tuple[str, str]
    content_hashes: tuple[str, str]
    largest_contour: float | None = None
    contour_count: int | None = None
    changed_fraction: float | None = None
    outlines: tuple[Outline, ...] = ()
    unlisted: int = 0
    difference: str | None = None
    why_no_outlines: str | None = None
    removal: RemovalView | None = None
    verdict: str | None = None

    @property
    def key(self) -> str:
        """What it is called in addresses."""
        return pair_key(self.image.id, self.other.id)

    @property
    def apart(self) -> timedelta | None:
        """How long after the other image this one was taken."""
        if self.image.captured_at is None or self.other.captured_at is None:
            return None
        return self.image.captured_at - self.other.captured_at


@dataclass(frozen=True)
class PairsPage:
    """Pairs of one camera, or the borderline ones of all (`card` None)."""

    site: Site
    page: PageNumber
    card: CameraCard | None
    pairs: tuple[PairView, ...] = field(default=())
