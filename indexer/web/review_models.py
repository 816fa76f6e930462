"""The contents of the pages of a review as plain values, built elsewhere."""

from dataclasses import dataclass

from indexer.web.view_models import ImageView, Site


@dataclass(frozen=True)
class ReviewedCamera:
    """A camera in the navigation of a review."""

    id: int
    name: str


@dataclass(frozen=True)
class ReviewPage:
    """The page of a review; its pairs come later. `by`: the name of the person who started it, or None.

    `shows_judged`: pairs that have a verdict are judged again, as those of a contradiction.
    """

    site: Site
    title: str
    total: int
    by: str | None
    read_only: bool
    cameras: tuple[ReviewedCamera, ...]
    shows_judged: bool = False


@dataclass(frozen=True)
class AreaPage:
    """The page on which the ignored areas of a camera are drawn.

    `image` is drawn on, first as its small picture, then as the one in full size at the address `native`. `overlay`:
    the address of a picture of what is ignored already. `drawing_size`: (height, width) in pixels of what a person
    paints. `images` are tried, of which `kept` are kept now.
    `proposed`: what advise proposes to ignore, (left, top, width, height) in per cent; it is drawn at the start.
    """

    site: Site
    camera_id: int
    camera: str
    profile: str
    image: ImageView
    native: str
    overlay: str
    drawing_size: tuple[int, int]
    images: int
    kept: int
    proposed: tuple[tuple[float, float, float, float], ...] = ()
