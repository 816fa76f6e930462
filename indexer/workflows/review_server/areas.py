"""Ignored areas that a person draws on a page: what would be kept with them, and the profile that they become.

It promises that

- a drawn area is added to what the profile in force ignores and takes nothing from it;
- trying writes nothing; and
- the profile that decided before can be given back.
"""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any

from indexer.domain.advice.findings import Kind
from indexer.domain.masks import Mask, Rectangle
from indexer.domain.profiles import EncodedMaskImage, Profile, derive_profile
from indexer.errors import CameraError, ProfileError
from indexer.imaging.masks import ignored_area, mask_overlay
from indexer.store import cameras, findings, profiles, report_queries
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.store.report_queries import ImageFacts
from indexer.web import rendering
from indexer.web.review_models import AreaPage
from indexer.web.server.service import Json
from indexer.web.view_models import Site
from indexer.workflows.admin.profile import make_profile, use_profile
from indexer.workflows.compare.wider_mask import NewestImages, free_profile_name
from indexer.workflows.context import Clock
from indexer.workflows.profile_parameters import add_to_mask_image, mask_parameters
from indexer.workflows.review_server.pair_pages import PairPages
from indexer.workflows.review_server.recorder import VerdictRecorder

MAX_RECTANGLES = 50
_DRAWING_WIDTH = 320


@dataclass(frozen=True)
class _Drawn:
    """What a page sent: the camera, its profile in force, and the profile with the drawn area added."""

    camera: str
    camera_id: int
    stored: StoredProfile
    rectangles: tuple[Rectangle, ...]
    drawing: EncodedMaskImage | None
    mask: Mask


@dataclass
class AreaDrawing:
    """Draws ignored areas of an index's cameras.

    Every method raises `CameraError` if there is no such camera, and `ProfileError` if what the page sent is no area,
    leaves nothing to look at, or if the profile in force is not the one that the page knows.
    """

    database: Database
    site: Site
    recorder: VerdictRecorder
    pages: PairPages
    clock: Clock

    def page(self, camera_id: int) -> str:
        """The HTML of the page on which areas of a camera are drawn.

        Raises `CameraError` if there is no such camera, or no present image of it to draw on.
        """
        camera, stored = self._get_camera(camera_id)
        newest = NewestImages(self.database, camera, camera_id, stored)
        frame = self._newest_frame(newest, camera)
        height = round((frame.height or 9) / (frame.width or 16) * _DRAWING_WIDTH)
        picture = stored.profile.preparation.ignore_picture
        size = (height, _DRAWING_WIDTH) if picture is None else (picture.height, picture.width)
        overlay = mask_overlay(mask_parameters(stored.profile.preparation), height=height, width=_DRAWING_WIDTH)
        name = hashlib.sha256(overlay).hexdigest()
        overlay_name = f"ignored/{name[:2]}/{name}.png"
        self.pages.cache.write(overlay_name, overlay)
        return rendering.render_area(
            AreaPage(
                self.site,
                camera_id,
                camera,
                stored.profile.name,
                image=self.pages.show_image(frame),
                native=f"native/{frame.id}/{frame.content_hash}",
                overlay=overlay_name,
                drawing_size=size,
                images=len(newest.images),
                kept=len(newest.kept),
                proposed=self._proposed(camera, base=stored.profile.name),
            )
        )

    def _proposed(self, camera: str, *, base: str) -> tuple[Rectangle, ...]:
        """What advise proposes to ignore beside the profile `base`; nothing if it found no such area, if that was
        dismissed, or if another profile is in force since."""
        with self.database.read() as session:
            stored = findings.list_findings(session, camera=camera)
        proposals = (one.finding for one in stored if one.finding.kind is Kind.RESTLESS_AREA)
        return tuple(region for finding in proposals if finding.evidence["base"] == base for region in finding.regions)

    def try_area(self, request: Json) -> dict[str, Any]:
        """How many of the newest images would be kept with a drawn area. Raises `ProfileError` if it cannot be used."""
        drawn = self._parse(request)
        newest = NewestImages(self.database, drawn.camera, drawn.camera_id, drawn.stored)
        if not newest.images:
            raise ProfileError("the camera is being decided by its new profile; try again in a moment")
        try:
            decided = newest.decide_with(drawn.mask)
        except ValueError as problem:
            raise ProfileError(f"it cannot be tried: {problem}; run compare first") from problem
        share = float(ignored_area(drawn.mask, height=480, width=640).mean())
        return {
            "images": len(newest.images),
            "kept": len(newest.kept),
            "kept_with": sum(decision.keeps for decision in decided),
            "ignored_share": share,
        }

    def save_area(self, request: Json) -> dict[str, Any]:
        """Makes the profile in force with a drawn area added, and makes it the camera's own."""
        with self.recorder.alone():  # so that of two areas drawn at the same time none is lost
            drawn = self._parse(request)
            preparation, before = drawn.stored.profile.preparation, drawn.stored.profile.name
            name = free_profile_name(self.database, drawn.camera)
            changes: dict[str, Any] = {}
            if drawn.rectangles:
                rectangles = (*preparation.ignore, *drawn.rectangles)
                changes["ignore"] = [",".join(map(repr, rectangle)) for rectangle in rectangles]
            make_profile(
                self.database,
                name,
                base=before,
                changes=changes,
                clock=self.clock,
                drawing=drawn.drawing,
                camera=drawn.camera,
            )
        own_before = before if drawn.camera in drawn.stored.cameras else None
        return {"camera": drawn.camera, "profile": name, "before": before, "own_before": own_before}

    def undo_area(self, request: Json) -> dict[str, Any]:
        """Gives a camera the profile that it had before one was saved: its own, or (None) the active one."""
        camera_id, saved, own_before = request.get("camera"), request.get("profile"), request.get("own_before")
        camera, stored = self._get_camera(camera_id)
        if stored.profile.name != saved:
            raise ProfileError(f"the camera is decided by {stored.profile.name!r} by now; load the page again")
        if own_before is not None and not isinstance(own_before, str):
            raise ProfileError("the profile before has no name")
        with self.recorder.alone():
            used = use_profile(self.database, own_before, camera=camera, active=own_before is None, clock=self.clock)
        return {"camera": used.camera, "profile": used.profile, "before": used.before}

    def _parse(self, request: Json) -> _Drawn:
        """What a page sent, checked; raises `ProfileError` if it is no area, `CameraError` for no camera."""
        camera_id = request.get("camera")
        camera, stored = self._get_camera(camera_id)
        assert isinstance(camera_id, int)
        preparation = stored.profile.preparation
        if preparation.native:
            raise ProfileError(f"the profile {stored.profile.name} compares whole pictures; draw under another one")
        rectangles = _parse_rectangles(request.get("rectangles"))
        drawing = _parse_drawing(request.get("drawing"), preparation.ignore_picture)
        if not rectangles and drawing is None:
            raise ProfileError("nothing is drawn yet")
        changed: dict[str, Any] = {"ignore_picture": drawing} if drawing is not None else {}
        if rectangles:
            changed["ignore"] = (*preparation.ignore, *rectangles)
        tried: Profile = derive_profile(stored.profile, name="tried", changes=changed)
        mask = mask_parameters(tried.preparation)
        if ignored_area(mask, height=480, width=640).all():
            raise ProfileError("the whole frame would be ignored; leave a part of it to compare")
        return _Drawn(camera, camera_id, stored, rectangles, drawing, mask)

    def _get_camera(self, camera_id: object) -> tuple[str, StoredProfile]:
        with self.database.read() as session:
            names = {id_: name for name, id_ in cameras.list_cameras(session).items()}
            if type(camera_id) is not int or camera_id not in names:
                raise CameraError(f"there is no camera {camera_id!r}")
            return names[camera_id], profiles.get_camera_profile(session, camera_id)

    def _newest_frame(self, newest: NewestImages, camera: str) -> ImageFacts:
        if newest.newest is None:
            raise CameraError(f"no image of camera {camera!r} is there to draw on")
        image_id = newest.newest.id
        with self.database.read() as session:
            return report_queries.load_images(session, [image_id])[image_id]


def _parse_rectangles(value: object) -> tuple[Rectangle, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > MAX_RECTANGLES:
        raise ProfileError(f"the rectangles are no list of at most {MAX_RECTANGLES}")
    rectangles = []
    for item in value:
        if not isinstance(item, list) or len(item) != 4 or not all(_is_per_cent(part) for part in item):
            raise ProfileError("a rectangle is not four numbers from 0 to 100")
        left, top, wide, high = (round(float(part), 2) for part in item)
        rectangles.append((left, top, wide, high))
    return tuple(rectangles)


def _is_per_cent(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 100


def _parse_drawing(value: object, existing: EncodedMaskImage | None) -> EncodedMaskImage | None:
    """The mask image of the profile with what was painted added; None if nothing was painted."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise ProfileError("the drawing is no text")
    try:
        return add_to_mask_image(existing, base64.b64decode(value, validate=True))
    except ValueError as problem:
        raise ProfileError("the drawing is no PNG in base64") from problem
