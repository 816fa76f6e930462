"""Where things come and go in front of a camera, for its page: from the thumbnails of its newest kept images.

It promises that no image file is opened, and that what is in the folder already is not made again.
"""

import hashlib
from itertools import pairwise

from indexer import __version__
from indexer.errors import IndexerError
from indexer.files.output_folder import OutputFolder
from indexer.imaging.activity_map import activity_overlay, clear_share, count_activity
from indexer.imaging.thumbnails import decode
from indexer.store.profiles import StoredProfile
from indexer.web.view_models import ActivityOverlay, CameraCard, PictureLink
from indexer.workflows.compare.wider_mask import NewestImages
from indexer.workflows.context import ComparisonContext

_MAX_PAIRS = 200


def find_activity(
    context: ComparisonContext,
    camera_id: int,
    *,
    out: OutputFolder,
    card: CameraCard,
    stored: StoredProfile,
    newest: PictureLink | None,
) -> ActivityOverlay | None:
    """The overlay for the newest picture, written into `out`; None if there is no picture, or too few thumbnails."""
    if newest is None or newest.href is None or stored.profile.preparation.native:
        return None
    images = NewestImages(context.database, card.name, camera_id, stored)
    shapes = [image.shape for image in images.kept]
    shape = max(shapes, key=shapes.count, default=None)
    kept = [image for image in images.kept if image.shape == shape][-_MAX_PAIRS - 1 :]
    if len(kept) < 2:
        return None
    facts = repr((__version__, stored.profile.digest, newest.height, newest.width, [image.id for image in kept]))
    name = f"{card.folder}/activity-{hashlib.sha256(facts.encode()).hexdigest()[:32]}.png"
    data = out.find(name)
    if data is None:
        try:
            thumbnails = images.load_thumbnails(kept)
            pictures = [decode(thumbnails[image.id]) for image in kept]
            height = stored.profile.scoring_parameters.frame_height(*pictures[0].shape)
            greys = [picture[:height] for picture in pictures]
            activity = count_activity(list(pairwise(greys)))
        except (IndexerError, ValueError):  # corrupt, or gone meanwhile: compare reports it
            return None
        data = activity_overlay(activity, height=newest.height, width=newest.width)
        out.write(name, data)
    return ActivityOverlay(newest, name, pairs=len(kept) - 1, never_share=clear_share(data))
