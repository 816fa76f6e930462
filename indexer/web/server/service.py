"""What the server needs from the rest of the program: methods that take and give plain values.

The server knows no index: `indexer.workflows.review_server` implements this.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

Json = Mapping[str, Any]
"""A JSON object."""


@dataclass(frozen=True)
class Picture:
    """The bytes of a picture, and their media type."""

    data: bytes
    media_type: str


class ReviewService(Protocol):
    """The work behind the requests. Every method may be called from several threads at once, and may raise
    `IndexerError`, whose sentence is shown on the page."""

    def page(self) -> str:
        """The HTML of the page."""

    def area_page(self, camera_id: int) -> str:
        """The HTML of the page on which the ignored areas of a camera are drawn; raises `CameraError`."""

    def ahead(self, request: Json) -> Json:
        """The next pairs for a page, as HTML, which others do not get for a while."""

    def leave(self, request: Json) -> Json:
        """Gives the pairs of a page that is closed to others."""

    def pin(self, request: Json) -> Json:
        """Pins an image, so that it is always kept, or takes a person's pin back."""

    def pairs(self, request: Json) -> Json:
        """Named pairs as they are now, as HTML."""

    def alike(self, request: Json) -> Json:
        """All duplicates of a keeper that nobody judged, as HTML and as changes to send."""

    def change(self, request: Json) -> Json:
        """Records or withdraws verdicts, all or none; the answer says what holds now."""

    def try_area(self, request: Json) -> Json:
        """How many images of a camera would be kept with a drawn area."""

    def save_area(self, request: Json) -> Json:
        """Makes a drawn area the camera's own profile."""

    def undo_area(self, request: Json) -> Json:
        """Gives a camera the profile that it had before."""

    def picture(self, name: str) -> Picture | None:
        """A small picture or a difference by the name in its address; None if there is none. Returns at once."""

    def native(self, image_id: int, content_hash: str) -> Picture | None:
        """The picture of an image in full size; None if the index has no such content."""

    def status(self) -> Json:
        """What a page that just opened must know: progress, waiting verdicts, contradictions."""
