"""Proposals for cameras of which compare keeps much: ignore a small area in which nearly all kept images differ.

It promises that the number of kept images is what `compare` would decide with the area ignored, to the image; that
nothing is written and no image file is opened; and that it costs little beside the comparison: it scores some pairs of
the cameras that keep most, and decides a few images once where these pairs show such an area.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from indexer.domain.camera_images import CameraImages
from indexer.domain.images import Image
from indexer.domain.masks import Mask, Rectangle
from indexer.domain.selection import Decision
from indexer.errors import IndexerError
from indexer.imaging.concentration import ImagePair, concentration
from indexer.imaging.masks import masked_planes
from indexer.imaging.thumbnails import decode, encode
from indexer.store import decisions, profiles, ranked_images, thumbnails
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.camera import CameraResult
from indexer.workflows.compare.camera_task import CameraTask, decide_from_scratch
from indexer.workflows.profile_parameters import mask_parameters, trial_scoring_parameters

MIN_KEPT = 5
MIN_KEPT_SHARE = 0.4
"""Kept images of a camera, and their share of all its images: below either there is little to gain."""
_MAX_CAMERAS = 20
"""Cameras that one run examines: those that keep most."""
_MAX_PAIRS = 24
_MAX_IMAGES = 400
"""Images of a camera that are decided again: the newest."""
_MAX_STILL_KEPT_SHARE = 0.5
"""Largest share of the kept images that may still be kept with the area ignored: above it, the area is not the reason
why they are kept."""
_INVALID_NAME_CHARS = re.compile(r"[^A-Za-z0-9._-]+|^[^A-Za-z0-9]+")
_MAX_NAME_LENGTH = 50


@dataclass(frozen=True)
class IgnoreProposal:
    """An area of a camera's frames that is worth a look.

    `rectangles`: per cent, as `profile make --ignore` takes them; `share`: their part of the frame, 0 to 1. Of `pairs`
    of successive kept images that differ, `decided` are similar with the area ignored. Of `images`, the newest of the
    camera, `kept` are kept now and `kept_with` would be. No profile has the name `name`. `ignored_already` are the
    rectangles of the profile in force; a new profile must name them as well.
    """

    camera: str
    profile: str
    name: str
    rectangles: tuple[Rectangle, ...]
    ignored_already: tuple[Rectangle, ...]
    share: float
    pairs: int
    decided: int
    images: int
    kept: int
    kept_with: int


def propose(
    database: Database,
    results: Sequence[CameraResult],
    camera_ids: Mapping[str, int],
    in_force: Mapping[str, StoredProfile],
) -> Iterator[IgnoreProposal]:
    """The proposals for cameras in which `results` has new decisions, by name."""
    candidates = [
        result for result in results if result.decided and result.kept >= max(MIN_KEPT, MIN_KEPT_SHARE * result.images)
    ]
    most_kept = sorted(candidates, key=lambda result: (-result.kept, result.camera))[:_MAX_CAMERAS]
    for camera in sorted(result.camera for result in most_kept):
        stored = in_force[camera]
        if not stored.profile.preparation.native:
            try:
                proposal = _ProposalFinder(database, camera, camera_ids[camera], stored).find_proposal()
            except (IndexerError, ValueError):  # corrupt or changed: not reported here
                continue
            if proposal is not None:
                yield proposal


class _ProposalFinder:
    """Looks for an area in a camera's newest images by their current decisions."""

    def __init__(self, database: Database, camera: str, camera_id: int, stored: StoredProfile) -> None:
        self._database, self._camera, self._stored = database, camera, stored
        with database.read() as session:
            present = ranked_images.list_present(session, camera_id, preparation_id=stored.preparation_id)
            current = ranked_images.list_decisions(session, camera_id)
            self._judgements = decisions.list_judgements(session, camera_id)
        by_time = sorted((image for image in present if image.shape is not None), key=_time_key)
        self._images = by_time[-_MAX_IMAGES:]
        kept_ids = current.kept_ids()
        self._kept = [image for image in self._images if image.id in kept_ids]

    def find_proposal(self) -> IgnoreProposal | None:
        """The area that is worth a look; None if there is none."""
        mask = mask_parameters(self._stored.profile.preparation)
        area = concentration(self._sample_pairs(), scoring=self._stored.profile.scoring_parameters, mask=mask)
        if area is None:
            return None
        wider_mask = replace(mask, rectangles=(*mask.rectangles, *area.rectangles))
        kept_with = sum(decision.keeps for decision in self._decide_with(wider_mask))
        if kept_with > _MAX_STILL_KEPT_SHARE * len(self._kept):
            return None
        return IgnoreProposal(
            camera=self._camera,
            profile=self._stored.profile.name,
            name=self._free_name(),
            rectangles=area.rectangles,
            ignored_already=self._stored.profile.preparation.ignore,
            share=area.share,
            pairs=area.pairs,
            decided=area.decided,
            images=len(self._images),
            kept=len(self._kept),
            kept_with=kept_with,
        )

    def _sample_pairs(self) -> list[ImagePair]:
        """Some pairs of successive kept images, spread over time, all of the commonest shape; none if too few."""
        shapes = [image.shape for image in self._kept]
        commonest = max(shapes, key=shapes.count, default=None)
        pairs = list(pairwise([image for image in self._kept if image.shape == commonest]))
        chosen = (
            [pairs[number * len(pairs) // _MAX_PAIRS] for number in range(_MAX_PAIRS)]
            if len(pairs) > _MAX_PAIRS
            else pairs
        )
        if len(chosen) < MIN_KEPT - 1:
            return []
        data = self._load_thumbnails([image for pair in chosen for image in pair])
        return [(decode(data[image.id]), decode(data[other.id])) for image, other in chosen]

    def _decide_with(self, mask: Mask) -> tuple[Decision, ...]:
        """What compare would decide of the images with `mask`. Preprocessing paints the mask last, so painting a wider
        mask over a thumbnail gives the thumbnail of the wider mask."""
        parameter_sets = trial_scoring_parameters(self._stored, max_scores=[self._stored.profile.max_score])
        planes = self._stored.profile.preparation.planes
        painted = {
            image_id: encode(masked_planes(decode(data), mask=mask, planes=planes))
            for image_id, data in self._load_thumbnails(self._images).items()
        }
        min_contour_area = self._stored.profile.scoring.min_contour_area
        result = decide_from_scratch(
            CameraTask(CameraImages.of(self._images), painted, self._judgements, {}, min_contour_area, parameter_sets)
        )
        return result.selections[0].decisions

    def _load_thumbnails(self, needed: Sequence[Image]) -> Mapping[int, bytes]:
        ids = list(dict.fromkeys(image.id for image in needed))
        with self._database.read() as session:
            loaded = thumbnails.load_thumbnails(session, ids, preparation_id=self._stored.preparation_id)
        if len(loaded) < len(ids):
            raise ValueError("a thumbnail went meanwhile")
        return loaded

    def _free_name(self) -> str:
        """A name that no profile has."""
        stem = f"{_INVALID_NAME_CHARS.sub('-', self._camera).strip('-.')[:_MAX_NAME_LENGTH] or 'camera'}-ignoring"
        with self._database.read() as session:
            used_names = {stored.profile.name for stored in profiles.list_profiles(session)}
        names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, len(used_names) + 2))
        return next(name for name in names if name not in used_names)


def _time_key(image: Image) -> tuple[bool, float, int]:
    """Images without a time come first."""
    return image.captured_at is not None, image.captured_us or 0, image.id
