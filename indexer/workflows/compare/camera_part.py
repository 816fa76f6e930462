"""Decides a camera of which little changed, from the images that the change concerns.

It promises the decisions, evidence and counts of `indexer.workflows.compare.camera`, to the last row. It reads the open
images, all keepers, and the duplicates that something new concerns. A duplicate that nothing concerns influences
nothing: its decision stands, and no image is ever compared with it. So it is not read, and neither is its thumbnail.

Which duplicates are concerned is known only when the keepers are decided. So the part is decided, the duplicates that
its new and its lost keepers concern are added, and it is decided again, until none are missing. Pairs that were
compared once are not compared again.

Decision 0046: one rule for a part and the whole; the part grows until nothing is missing.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.camera_images import NO_TIME, CameraImages, DecisionColumns, ImageKey
from indexer.domain.descriptions import Thumbnail
from indexer.domain.keeper_index import IndexArray
from indexer.domain.reach import OpeningKeeper, placements, rank_classes
from indexer.domain.selection import Selection
from indexer.domain.verdicts import contradictions
from indexer.errors import DatabaseError
from indexer.execution import serial, threads
from indexer.imaging.image_buffer import view
from indexer.imaging.matching import Match
from indexer.imaging.signatures import can_prove, encode_signature, signature_of, signature_shape
from indexer.store import concerned_images, open_images, ranked_images, signatures, thumbnails, verdicts
from indexer.store.bulk import chunks
from indexer.store.database import Session
from indexer.store.profiles import StoredProfile
from indexer.store.system_folders import count_in_system_folders
from indexer.workflows.compare.decider import Decider, KnownPairs
from indexer.workflows.compare.inputs import score_loader, signature_loader, thumbnail_loader
from indexer.workflows.compare.prepared_images import ThumbnailSource, make_thumbnails
from indexer.workflows.compare.result_writer import CameraResult, ResultWriter
from indexer.workflows.compare.searcher import LocalSearcher, Searcher, SearchRequest
from indexer.workflows.compare.sieve import MIN_KEEPERS, SievedSearcher
from indexer.workflows.compare.thumbnail_cache import ThumbnailCache
from indexer.workflows.compare.workload import MAX_SERIAL_IMAGES
from indexer.workflows.context import ComparisonContext
from indexer.workflows.profile_parameters import thumbnail_recipe
from indexer.workflows.runs.run import ActiveRun

MIN_IMAGES = 1000
"""Cameras with fewer images are read whole, which takes as long."""
MAX_PART_IMAGES = 200_000
"""A larger part is not decided: the camera is read whole, once."""
PAGE_SIZE = 500


@dataclass(frozen=True)
class CameraPart:
    """Images of a camera and their current decisions. `open_ids` are those that made the camera change."""

    images: CameraImages
    decisions: DecisionColumns
    open_ids: list[int]
    ready_count: int

    def extended(self, images: CameraImages, current: DecisionColumns) -> "CameraPart":
        """The part with more images."""
        return CameraPart(self.images + images, self.decisions + current, self.open_ids, self.ready_count)


class RememberingSearcher:
    """A searcher of this process that remembers the match of each search, by image id and the ids of the keepers."""

    def __init__(self, searcher: LocalSearcher, ranked: CameraImages, matches: dict[tuple[int, bytes], Match]) -> None:
        self._searcher = searcher
        self._ids = ranked.ids
        self._matches = matches

    @property
    def workers(self) -> int:
        """One: this process."""
        return self._searcher.workers

    def search_local(self, index: int, others: IndexArray) -> Match:
        """The match of one search."""
        key = int(self._ids[index]), self._ids[others].tobytes()
        match = self._matches.get(key)
        if match is None:
            match = self._matches[key] = self._searcher.search_local(index, others)
        return match

    def search_many(self, requests: Sequence[SearchRequest]) -> Iterable[Match]:
        """The matches of searches, in order."""
        return [self.search_local(index, others) for index, others in requests]

    def prove(self, index: int, others: IndexArray) -> NDArray[np.bool_]:
        """Which of `others` are proved, without their pixels, to be above the record limit: (M,), bool."""
        return self._searcher.prove(index, others)

    def drop(self, index: int) -> None:
        """Does nothing: the image may be needed when the part is decided again."""

    def close(self) -> None:
        """Does nothing."""


def decide_part(
    context: ComparisonContext,
    stored: StoredProfile,
    *,
    name: str,
    camera_id: int,
    run: ActiveRun,
    cache: ThumbnailCache,
) -> CameraResult | None:
    """Decides a camera from a part of its images; None if it must be read whole.

    Raises `PixelsUnavailableError` and `CorruptThumbnailsError` as the thumbnails of the part.
    """
    with context.database.read() as session:
        part = _read_part(session, camera_id, stored)
        judgements = {} if part is None else verdicts.list_judgements(session, camera_id)
    open_ids = [] if part is None else part.open_ids
    known_pairs = KnownPairs(judgements, score_loader(context.database, stored, in_advance=open_ids))
    matches, expanded = dict[tuple[int, bytes], Match](), set[int]()
    while part is not None:
        part = _with_thumbnails(context, stored, part, name=name)
        selection = Selection(part.images, previous=part.decisions, profile_id=stored.id)
        kept_ids = part.decisions.kept_ids()
        decider = _decide(context, stored, selection, known_pairs, kept_ids=kept_ids, matches=matches, cache=cache)
        more_ids = _list_missing(context, selection, part, camera_id=camera_id, expanded=expanded)
        if not more_ids:
            writer = ResultWriter(context, run, stored, judgements)
            changed_count = _write(context, writer, part, selection, decider, camera_id=camera_id)
            with suppress(DatabaseError):  # as on a full disk: the decisions are written, and no command needs these
                _add_signatures(context, stored, selection, cache)
            return CameraResult(
                camera=name,
                profile=stored.profile.name,
                images=part.ready_count,
                kept=selection.kept_count,
                duplicates=part.ready_count - selection.kept_count,
                decided=changed_count,
                scored=decider.scored,
                recorded=writer.recorded,
                contradictions=contradictions(judgements),
            )
        with context.database.read() as session:
            part = _extend(session, part, more_ids, stored)
    return None


def _read_part(session: Session, camera_id: int, stored: StoredProfile) -> CameraPart | None:
    """The open images, all keepers, and the duplicates whose keeper or pin changed; None if that is not enough."""
    ready_count = concerned_images.count_ready(session, camera_id)
    open_ids = open_images.list_open(session, camera_id, limit=MAX_SERIAL_IMAGES + 1)
    if (
        stored.profile.preparation.native
        or ready_count < MIN_IMAGES
        or len(open_ids) > MAX_SERIAL_IMAGES
        or concerned_images.has_unplaced(session, camera_id)
        or count_in_system_folders(session)
    ):
        return None
    broken_ids = concerned_images.list_broken_keepers(session, camera_id)
    image_ids = {
        *open_ids,
        *concerned_images.list_kept(session, camera_id),
        *concerned_images.list_ready(session, camera_id, broken_ids),
        *concerned_images.list_duplicates_of(session, camera_id, broken_ids),
        *concerned_images.list_pinned_duplicates(session, camera_id),
    }
    empty = CameraPart(CameraImages.of([]), DecisionColumns.of({}), open_ids, ready_count)
    part = _extend(session, empty, image_ids, stored)
    if part is None or (part.decisions.profile_ids != stored.id).any():
        return None
    return part


def _extend(session: Session, part: CameraPart, image_ids: set[int], stored: StoredProfile) -> CameraPart | None:
    if len(part.images) + len(image_ids) > MAX_PART_IMAGES:
        return None
    ids = sorted(image_ids)
    images = ranked_images.list_images(session, ids, preparation_id=stored.preparation_id, page_size=PAGE_SIZE)
    return part.extended(images, ranked_images.list_decisions_of(session, ids, page_size=PAGE_SIZE))


def _with_thumbnails(context: ComparisonContext, stored: StoredProfile, part: CameraPart, *, name: str) -> CameraPart:
    """The part, after the thumbnails that it lacks were made."""
    recipe, lacking = thumbnail_recipe(stored.profile.preparation), part.images.without_thumbnail()
    if recipe is None or not lacking:
        return part

    def save(batch: Sequence[tuple[int, Thumbnail]]) -> None:
        with context.database.write() as session:
            thumbnails.add_thumbnails(session, batch)

    advance = context.progress(f"preparing {name}", len(lacking))
    make_thumbnails(lacking, recipe, limits=context.limits, executor=context.executor, save=save, advance=advance)
    ids = part.images.ids.tolist()
    with context.database.read() as session:
        images = ranked_images.list_images(session, ids, preparation_id=stored.preparation_id, page_size=PAGE_SIZE)
    return CameraPart(images, part.decisions, part.open_ids, part.ready_count)


def _decide(
    context: ComparisonContext,
    stored: StoredProfile,
    selection: Selection,
    known_pairs: KnownPairs,
    *,
    kept_ids: set[int],
    matches: dict[tuple[int, bytes], Match],
    cache: ThumbnailCache,
) -> Decider:
    """Decides every image of a part, in this process. `kept_ids`: the images that were kept before."""
    buffer = cache.reserve(selection.ranked, preparation_id=stored.preparation_id)
    scoring = stored.profile.scoring_parameters
    with serial() as executor, threads() as decoding_executor:
        source = ThumbnailSource(
            selection.ranked,
            buffer,
            fetch=thumbnail_loader(context.database, stored),
            executor=decoding_executor,
            upcoming=selection.iter_open,
            cache=cache.slots(stored.preparation_id),
        )
        local_searcher = LocalSearcher(source, scoring=scoring, executor=executor)
        if len(kept_ids) >= MIN_KEEPERS and can_prove(scoring):
            shapes = _signature_shapes(selection.ranked, kept_ids, planes=scoring.planes)
            cache.signatures.reserve(shapes, preparation_id=stored.preparation_id)
            local_searcher = SievedSearcher(
                source,
                scoring=scoring,
                executor=executor,
                ranked=selection.ranked,
                signatures=cache.signatures,
                fetch=signature_loader(context.database, stored),
            )
        searcher: Searcher = RememberingSearcher(local_searcher, selection.ranked, matches)
        decider = Decider(selection, known_pairs, searcher=searcher, scoring=scoring)
        for _ in decider.decide_all():
            pass
    return decider


def _signature_shapes(images: CameraImages, kept_ids: set[int], *, planes: int) -> dict[ImageKey, tuple[int, int]]:
    """The (height, width) of the signature of each image in `kept_ids`."""
    thumbnail_shapes = zip(images.thumbnail_heights.tolist(), images.thumbnail_widths.tolist(), strict=True)
    return {
        key: signature_shape(shape, planes=planes)
        for key, shape in zip(images.image_keys(), thumbnail_shapes, strict=True)
        if key[0] in kept_ids
    }


def _add_signatures(
    context: ComparisonContext, stored: StoredProfile, selection: Selection, cache: ThumbnailCache
) -> None:
    """Stores the signatures of those keepers whose thumbnails had to be decoded, so that they need not be next time."""
    scoring, slots = stored.profile.scoring_parameters, cache.slots(stored.preparation_id)
    kept_ids = set(selection.kept_ids)
    if len(kept_ids) < MIN_KEEPERS or not can_prove(scoring):
        return
    decoded = {key[0]: slots[key] for key in selection.ranked.image_keys() if key[0] in kept_ids and key in slots}
    with context.database.read() as session:
        lacking_ids = signatures.list_without_signature(session, list(decoded), preparation_id=stored.preparation_id)
    for ids in chunks(lacking_ids):
        made = {
            image_id: encode_signature(signature_of(view(decoded[image_id]), planes=scoring.planes)) for image_id in ids
        }
        with context.database.write() as session:
            signatures.add_signatures(session, made, preparation_id=stored.preparation_id)


def _list_missing(
    context: ComparisonContext, selection: Selection, part: CameraPart, *, camera_id: int, expanded: set[int]
) -> set[int]:
    """The duplicates outside the part that its new, pinned or lost keepers concern.

    `expanded`: the keepers of which they were listed before; it is added to.
    """
    ranked = selection.ranked
    lost_ids = part.decisions.kept_ids() - selection.standing_keeper_ids - expanded
    opening = [index for index in selection.opening_keepers if int(ranked.ids[index]) not in expanded]
    classes = rank_classes(ranked)
    keepers = [
        OpeningKeeper(
            None if ranked.pinned[index] else int(classes[index]),
            None if ranked.times_us[index] == NO_TIME else int(ranked.times_us[index]),
        )
        for index in opening
    ]
    expanded |= lost_ids | set(ranked.ids[np.array(opening, dtype=np.int64)].tolist())
    with context.database.read() as session:
        concerned_ids = {
            *concerned_images.list_duplicates_of(session, camera_id, sorted(lost_ids)),
            *concerned_images.list_concerned(session, camera_id, keepers),
        }
    return concerned_ids - set(ranked.ids.tolist())


def _write(
    context: ComparisonContext,
    writer: ResultWriter,
    part: CameraPart,
    selection: Selection,
    decider: Decider,
    *,
    camera_id: int,
) -> int:
    """Writes the evidence and the decisions of a part; returns the number of changed decisions."""
    places = placements(selection.ranked, selection.new_decisions, camera_id=camera_id)
    evidence = decider.take_evidence()
    changed_count = writer.write(evidence, selection.new_decisions, placements=places, previous=part.decisions)
    standing_ids = set(part.open_ids) & set(part.decisions.image_ids.tolist())
    if standing_ids:
        with context.database.write() as session:
            open_images.close_images(session, sorted(standing_ids))
    return changed_count
