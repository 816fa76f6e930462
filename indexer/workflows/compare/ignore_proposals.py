"""Proposals for cameras of which compare keeps much: ignore a small area in which nearly all kept images differ.

It promises that the number of kept images is what `compare` would decide with the area ignored, to the image; that
nothing is written and no image file is opened; and that it costs little beside the comparison: it scores some pairs of
the cameras that keep most, and decides a few images once where these pairs show such an area.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from indexer.domain.masks import Rectangle
from indexer.errors import IndexerError
from indexer.imaging.concentration import NEARLY_ALL, AreaSearch, ImagePair, concentration
from indexer.imaging.thumbnails import decode
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.workflows.compare.camera import CameraResult
from indexer.workflows.compare.wider_mask import NewestImages, free_profile_name
from indexer.workflows.profile_parameters import mask_parameters

MIN_KEPT = 5
MIN_KEPT_SHARE = 0.4
"""Kept images of a camera, and their share of all its images: below either there is little to gain."""
_MAX_CAMERAS = 20
"""Cameras that one run examines: those that keep most."""
_MAX_PAIRS = 24
_MAX_STILL_KEPT_SHARE = 0.5
"""Largest share of the kept images that may still be kept with the area ignored: above it, the area is not the reason
why they are kept."""


@dataclass(frozen=True)
class IgnoreProposal:
    """An area of a camera's frames that is worth a look.

    `rectangles`: per cent, as `profile make --ignore` takes them; `share`: their part of the frame, 0 to 1. Of `pairs`
    of successive kept images that differ, `decided` are similar with the area ignored, and of the others, which differ
    elsewhere, too, `touching` have such a change that reaches into the area. Of `images`, the newest of the
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
    touching: int = 0


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
        proposal = find_proposal(database, camera, camera_ids[camera], stored)
        if proposal is not None:
            yield proposal


def find_proposal(
    database: Database,
    camera: str,
    camera_id: int,
    stored: StoredProfile,
    *,
    search: AreaSearch = NEARLY_ALL,
    min_kept_share: float = MIN_KEPT_SHARE,
) -> IgnoreProposal | None:
    """The proposal for one camera by its current decisions; None if there is none, or if it keeps too little.

    `search`: how the area is looked for. `min_kept_share`: share of its images that it must keep at least, 0 to 1.
    """
    if stored.profile.preparation.native:
        return None
    try:
        finder = _ProposalFinder(database, camera, camera_id, stored)
        return finder.find_proposal(search) if finder.keeps_much(min_kept_share) else None
    except (IndexerError, ValueError):  # corrupt or changed: not reported here
        return None


class _ProposalFinder:
    """Looks for an area in a camera's newest images by their current decisions."""

    def __init__(self, database: Database, camera: str, camera_id: int, stored: StoredProfile) -> None:
        self._database, self._camera, self._stored = database, camera, stored
        self._newest = NewestImages(database, camera, camera_id, stored)
        self._kept = self._newest.kept

    def keeps_much(self, min_share: float) -> bool:
        """Whether so much is kept that there is something to gain: at least this share of the images."""
        return len(self._kept) >= max(MIN_KEPT, min_share * len(self._newest.images))

    def find_proposal(self, search: AreaSearch) -> IgnoreProposal | None:
        """The area that is worth a look; None if there is none."""
        mask = mask_parameters(self._stored.profile.preparation)
        scoring = self._stored.profile.scoring_parameters
        area = concentration(self._sample_pairs(), scoring=scoring, mask=mask, search=search)
        if area is None:
            return None
        wider_mask = replace(mask, rectangles=(*mask.rectangles, *area.rectangles))
        kept_with = sum(decision.keeps for decision in self._newest.decide_with(wider_mask))
        if kept_with > _MAX_STILL_KEPT_SHARE * len(self._kept):
            return None
        return IgnoreProposal(
            camera=self._camera,
            profile=self._stored.profile.name,
            name=free_profile_name(self._database, self._camera),
            rectangles=area.rectangles,
            ignored_already=self._stored.profile.preparation.ignore,
            share=area.share,
            pairs=area.pairs,
            decided=area.decided,
            touching=area.touching,
            images=len(self._newest.images),
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
        data = self._newest.load_thumbnails([image for pair in chosen for image in pair])
        thumbnails = {image_id: decode(png) for image_id, png in data.items()}  # most belong to two pairs
        return [(thumbnails[image.id], thumbnails[other.id]) for image, other in chosen]
