"""The contents of the pages as plain values, built elsewhere. Links are relative to the folder of the report."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

Points = tuple[tuple[int, int], ...]
"""Corners of an outline, in thousandths of a picture's width and height."""


@dataclass(frozen=True)
class Site:
    """What every page says about the report. The browser stores the verdicts of a report under its `key`.

    `paths`: whether whole paths are shown; else only the names of files.
    """

    index: str
    version: str
    made_at: datetime
    key: str
    borderline: int
    paths: bool = False


@dataclass(frozen=True)
class PageNumber:
    """The number of a page among several, and their file names: `first`, then `{stem}-2.html` and so on."""

    number: int
    count: int
    first: str
    stem: str

    def file(self, number: int) -> str:
        """The file name of a page."""
        return self.first if number == 1 else f"{self.stem}-{number}.html"

    @property
    def before(self) -> str | None:
        """The file name of the previous page; None on the first page."""
        return self.file(self.number - 1) if self.number > 1 else None

    @property
    def after(self) -> str | None:
        """The file name of the next page; None on the last page."""
        return self.file(self.number + 1) if self.number < self.count else None


@dataclass(frozen=True)
class PictureLink:
    """A small picture, with its size in pixels.

    `from_index`: it is the grey thumbnail, because the file is gone or changed. `href` is None if there is no picture
    any more.
    """

    href: str | None
    width: int
    height: int
    from_index: bool = False


@dataclass(frozen=True)
class ImageView:
    """An image on a page; `state` is its state in the index."""

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
    """How many images a camera took in one hour of the day, as times are shown, and how many of them are kept."""

    taken: int = 0
    kept: int = 0


@dataclass(frozen=True)
class CameraCard:
    """The numbers of a camera, or of all cameras together; `folder` holds the pages of the camera, `picture` is that of
    its newest kept image."""

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
    picture: PictureLink | None = None

    @property
    def taken(self) -> int:
        """Images that were decided, removed ones included."""
        return self.kept + self.duplicates + self.removed

    @property
    def kept_share(self) -> float | None:
        """The share of `taken` that is kept, 0 to 1; None if no image is decided."""
        return self.kept / self.taken if self.taken else None


@dataclass(frozen=True)
class NextStep:
    """What a person may do next: a sentence, and what to type."""

    sentence: str
    command: str


@dataclass(frozen=True)
class Overview:
    """A page of the overview."""

    site: Site
    page: PageNumber
    cards: tuple[CameraCard, ...]
    total: CameraCard
    cameras: int
    next_steps: tuple[NextStep, ...] = ()


@dataclass(frozen=True)
class Member:
    """A duplicate in a strip, with the link to its pair."""

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
    """The result of one limit with one minimum area; `current`: these are in force."""

    max_score: float
    min_contour_area: float
    kept: int
    duplicates: int
    size_bytes: int
    current: bool


@dataclass(frozen=True)
class Sweep:
    """What other limits would keep of a camera's images; `why_not`: why this is not shown."""

    points: tuple[SweepPoint, ...] = ()
    why_not: str | None = None


@dataclass(frozen=True)
class ListedImage:
    """An image that is only listed, without a picture."""

    id: int
    path: str
    reason: str | None


@dataclass(frozen=True)
class ImageListing:
    """The first images of a list without pictures; `command` is what a person types to list all."""

    title: str
    total: int
    rows: tuple[ListedImage, ...]
    command: str


@dataclass(frozen=True)
class IgnoredAreas:
    """The parts of a camera's frames that scores ignore.

    They are the border (left, top, right, bottom, in per cent), a number of rectangles, and a drawing if `drawn`.
    `overlay` is the link of a picture that shows all of them; it is laid over the picture `under`.
    """

    border: tuple[int, int, int, int]
    under: PictureLink | None
    overlay: str | None = None
    rectangles: int = 0
    drawn: bool = False


@dataclass(frozen=True)
class ActivityOverlay:
    """Where things come and go, in `pairs` of kept images that follow each other: the link of an overlay for the
    picture `under`. `never_share`: share of the frame in which nothing did, 0 to 1."""

    under: PictureLink
    overlay: str
    pairs: int
    never_share: float


@dataclass(frozen=True)
class VideoNumbers:
    """What became of the videos of a camera, and of their frames; `command` is what a person types to list them."""

    videos: int
    broken: int
    missing: int
    frames_read: int
    frames_stored: int
    spans: int
    gaps: int
    command: str


@dataclass(frozen=True)
class FindingView:
    """A finding of advise that is open: what is wrong, what to do, and the images that show it.

    `commands`: what a person types, one after the other, if it is more than one. `regions`: (left, top, width, height)
    in per cent of the frame; empty: all of it.
    """

    id: int
    kind: str
    since: datetime | None
    what: str
    advice: str
    commands: tuple[str, ...]
    regions: tuple[tuple[float, float, float, float], ...]
    images: tuple[ImageView, ...]


@dataclass(frozen=True)
class CameraDetails:
    """Further facts about a camera; `videos`: None if it has none. `dismiss`: what a person types to dismiss a
    finding."""

    parameters: tuple[tuple[str, str], ...]
    ignored: IgnoredAreas
    sweep: Sweep
    listings: tuple[ImageListing, ...]
    videos: VideoNumbers | None = None
    findings: tuple[FindingView, ...] = ()
    dismiss: str = ""
    activity: ActivityOverlay | None = None


@dataclass(frozen=True)
class StripPage:
    """A page of a camera's film strip; only the first page has the camera's details (`about`).

    `jumps`: for each page of the strip, when its first image was taken, and the link to it.
    """

    site: Site
    page: PageNumber
    card: CameraCard
    families: tuple[DuplicateGroup, ...]
    about: CameraDetails | None
    jumps: tuple[tuple[datetime | None, str], ...] = ()


@dataclass(frozen=True)
class Outline:
    """A region that changed; `counts`: large enough to be part of the score."""

    points: Points
    counts: bool


@dataclass(frozen=True)
class RemovalView:
    """What happened to the file of a removed duplicate."""

    state: str
    run_id: int
    place: str | None
    removed_at: datetime | None
    ended_at: datetime | None


def pair_key(image_id: int, other_id: int) -> str:
    """The name of a pair in the addresses of pages."""
    return f"pair-{image_id}-{other_id}"


@dataclass(frozen=True)
class PairView:
    """A duplicate beside its keeper, or two kept images.

    `stored_paths` and `content_hashes` are those of the database. `verdict` is the verdict of a person that holds, or
    None.
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
    closeness: float | None = None
    distance: float | None = None
    changed_area: float | None = None
    max_distance: float = 0.0
    veto_distance: float = 0.0
    min_contour_area: float = 0.0
    outlines: tuple[Outline, ...] = ()
    ignored_edges: tuple[Points, ...] = ()
    unlisted: int = 0
    difference: str | None = None
    why_no_outlines: str | None = None
    removal: RemovalView | None = None
    verdict: str | None = None

    @property
    def key(self) -> str:
        """The pair's name in the addresses of pages."""
        return pair_key(self.image.id, self.other.id)

    @property
    def apart(self) -> timedelta | None:
        """The time from the other image to this one; negative if this one is earlier, None if a time is unknown."""
        if self.image.captured_at is None or self.other.captured_at is None:
            return None
        return self.image.captured_at - self.other.captured_at


@dataclass(frozen=True)
class PairsPage:
    """Pairs of one camera, or the borderline ones of all (`card` None); `total`: how many there are on all pages, of
    which `start` are on earlier ones."""

    site: Site
    page: PageNumber
    card: CameraCard | None
    pairs: tuple[PairView, ...] = field(default=())
    total: int = 0
    start: int = 0

    @property
    def listing(self) -> str:
        """The name of the list of pairs that this is a page of."""
        return "borderline" if self.card is None else self.card.folder


@dataclass(frozen=True)
class OneFilePage:
    """A whole report as one file: the cameras, and the pairs that are closest to the limit. Pictures are data URIs."""

    site: Site
    overview: Overview
    pairs: PairsPage
    style: str
    script: str
