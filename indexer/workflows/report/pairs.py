"""The pairs of a report: the outlines of what changed between two images, and a picture of their difference.

It promises that the outlines are those that the decision's own profile counts. It never opens an image file,
and what an earlier report found of a pair is not searched again.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from indexer.domain.evidence import ScoringParameters
from indexer.domain.profiles import Preparation
from indexer.domain.similarity import closeness
from indexer.errors import ProfileError
from indexer.execution import ParallelMap
from indexer.imaging.change_regions import Changes, Region, changes, ignored_edges
from indexer.imaging.headers import ImageRefusedError
from indexer.imaging.preprocessing import thumbnail_height
from indexer.imaging.thumbnails import decode
from indexer.store import profiles, report_queries, thumbnails
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.store.report_queries import ImageFacts, PairFacts, RemovalFacts
from indexer.web.view_models import ImageView, Outline, PairView, Points, RemovalView
from indexer.workflows.context import unwrap
from indexer.workflows.profile_parameters import mask_parameters
from indexer.workflows.report.pictures import PictureStore, ReportPictures

MAX_CORNERS = 400
"""Corners of all outlines of a pair. An outline that exceeds this is shown as its box, so that a page stays small."""
_BATCH_SIZE = 50  # pairs whose thumbnails are in memory at once


@dataclass(frozen=True)
class ChangesTask:
    """The thumbnails of a pair, as PNG, and how it is scored."""

    thumbnails: tuple[bytes, bytes]
    scoring: ScoringParameters


@dataclass(frozen=True)
class _PairInputs:
    """What the views of pairs are made of; the mappings are by image id, `stored_profiles` by profile id."""

    facts: dict[int, ImageFacts]
    views: dict[int, ImageView]
    removals: dict[int, RemovalFacts]
    strip_hrefs: dict[int, str]
    stored_profiles: dict[int, StoredProfile]


@dataclass(frozen=True)
class _ShownChanges:
    """What is shown of the changes of a pair: the outlines, how many regions have none, and the difference picture."""

    outlines: tuple[Outline, ...]
    unlisted: int
    href: str


def find_changes(task: ChangesTask) -> Changes | None:
    """What changed between two thumbnails; None if their shapes differ or one is corrupt."""
    try:
        image_a, image_b = map(decode, task.thumbnails)
        return changes(image_a, image_b, scoring=task.scoring)
    except ValueError:
        return None


def load_pair_views(
    pictures: ReportPictures,
    executor: ParallelMap,
    pairs: Sequence[PairFacts],
    *,
    strip_hrefs: dict[int, str],
    make_pictures: bool = False,
) -> Iterator[PairView]:
    """The views of pairs, in order, as the index knows their images now; also writes their difference pictures.

    `make_pictures`: those of the images are made first, else they are there already.
    """
    ids = list({image_id for pair in pairs for image_id in (pair.image_id, pair.other_id)})
    with pictures.database.read() as session:
        facts = report_queries.load_images(session, ids)
        removals = report_queries.load_removals(session, ids)
        # Read again each time: a profile may have been added meanwhile.
        stored_profiles = {profile.id: profile for profile in profiles.list_profiles(session)}
    if make_pictures:
        pictures.make(list(facts.values()), removals, advance=lambda _count: None)
    views = {image_id: pictures.image_view(image_facts) for image_id, image_facts in facts.items()}
    inputs = _PairInputs(facts, views, removals, strip_hrefs, stored_profiles)
    for start in range(0, len(pairs), _BATCH_SIZE):
        chunk = pairs[start : start + _BATCH_SIZE]
        shown = _shown_changes(pictures.database, pictures.out, executor, chunk, inputs=inputs)
        for index, pair in enumerate(chunk):
            yield _view(pair, shown.get(index), inputs=inputs)


def _shown_changes(
    database: Database, out: PictureStore, executor: ParallelMap, pairs: Sequence[PairFacts], *, inputs: _PairInputs
) -> dict[int, _ShownChanges]:
    """The changes of pairs, by the index of the pair; those that are not in the store are found and put there.

    Identical pairs, pairs at native size and pairs without two thumbnails that fit have none.
    """
    shown, missing = dict[int, _ShownChanges](), list[int]()
    for index, pair in enumerate(pairs):
        profile = inputs.stored_profiles[pair.profile_id].profile
        if profile.preparation.native or pair.reason == "identical":
            continue
        stored = _read_changes(out, _difference_stem(pair, inputs=inputs))
        if stored is None:
            missing.append(index)
        else:
            shown[index] = stored
    tasks = _tasks(database, {index: pairs[index] for index in missing}, inputs=inputs)
    for index, found in zip(tasks, map(unwrap, executor(find_changes, tasks.values())), strict=True):
        if found is not None:
            shown[index] = _write_changes(out, _difference_stem(pairs[index], inputs=inputs), found)
    return shown


def _difference_stem(pair: PairFacts, *, inputs: _PairInputs) -> str:
    """The name of the files of a difference without their ends: a hash of all that it depends on."""
    image, other = inputs.facts[pair.image_id], inputs.facts[pair.other_id]
    digest = inputs.stored_profiles[pair.profile_id].profile.scoring.digest
    name = hashlib.sha256(f"{image.content_hash} {other.content_hash} {digest}".encode()).hexdigest()[:32]
    return f"differences/{name[:2]}/{name}"


def _read_changes(out: PictureStore, stem: str) -> _ShownChanges | None:
    """Changes that an earlier report found; None if there are none, or if they cannot be read."""
    if not out.reuse(f"{stem}.png") or not out.reuse(f"{stem}.json"):
        return None
    try:
        outlines, unlisted = json.loads(out.find(f"{stem}.json") or b"")
        listed = tuple(Outline(tuple((int(x), int(y)) for x, y in points), bool(counts)) for points, counts in outlines)
        return _ShownChanges(listed, int(unlisted), f"{stem}.png")
    except (ValueError, TypeError):
        return None


def _write_changes(out: PictureStore, stem: str, found: Changes) -> _ShownChanges:
    outlines, unlisted = change_outlines(found)
    out.write(f"{stem}.png", found.difference)
    text = json.dumps([[[outline.points, outline.counts] for outline in outlines], unlisted])
    out.write(f"{stem}.json", text.encode())
    return _ShownChanges(outlines, unlisted, f"{stem}.png")


def _tasks(database: Database, pairs: Mapping[int, PairFacts], *, inputs: _PairInputs) -> dict[int, ChangesTask]:
    """The tasks that find the changes of pairs, by the index of the pair; pairs without both thumbnails have none."""
    tasks = dict[int, ChangesTask]()
    with database.read() as session:
        for profile_id in {pair.profile_id for pair in pairs.values()}:
            stored = inputs.stored_profiles[profile_id]
            chosen = {index: pair for index, pair in pairs.items() if pair.profile_id == profile_id}
            ids = list({image_id for pair in chosen.values() for image_id in (pair.image_id, pair.other_id)})
            data = thumbnails.load_thumbnails(session, ids, preparation_id=stored.preparation_id)
            for index, pair in chosen.items():
                if pair.image_id in data and pair.other_id in data:
                    scoring = stored.profile.scoring_parameters
                    tasks[index] = ChangesTask((data[pair.image_id], data[pair.other_id]), scoring)
    return tasks


def _view(facts: PairFacts, shown: _ShownChanges | None, *, inputs: _PairInputs) -> PairView:
    image, other = inputs.facts[facts.image_id], inputs.facts[facts.other_id]
    stored = inputs.stored_profiles[facts.profile_id]
    removal = inputs.removals.get(facts.image_id)
    return PairView(
        image=inputs.views[facts.image_id],
        other=inputs.views[facts.other_id],
        duplicate=facts.duplicate,
        score=facts.score,
        max_score=stored.profile.max_score,
        profile=stored.profile.name,
        reason=facts.reason,
        decided_by=facts.decided_by,
        decided_at=facts.decided_at,
        run_id=facts.run_id,
        # An image whose decision was superseded meanwhile is in no film strip.
        strip_href=inputs.strip_hrefs.get(facts.other_id, "index.html"),
        stored_paths=(image.stored_path, other.stored_path),
        content_hashes=(image.content_hash, other.content_hash),
        largest_contour=facts.largest_contour,
        contour_count=facts.contour_count,
        changed_fraction=facts.changed_fraction,
        closeness=_closeness(facts, stored),
        distance=facts.distance,
        changed_area=facts.changed_area,
        max_distance=stored.profile.scoring.max_distance,
        veto_distance=stored.profile.scoring.veto_distance,
        min_contour_area=stored.profile.scoring.min_contour_area,
        outlines=() if shown is None else shown.outlines,
        ignored_edges=() if shown is None else _ignored_edges(image, stored.profile.preparation),
        unlisted=0 if shown is None else shown.unlisted,
        difference=None if shown is None else shown.href,
        why_no_outlines=_why_no_outlines(facts, shown, stored=stored),
        removal=None
        if removal is None
        else RemovalView(removal.state, removal.run_id, removal.quarantine_path, removal.removed_at, removal.ended_at),
        verdict=facts.verdict,
    )


def _ignored_edges(image: ImageFacts, preparation: Preparation) -> tuple[Points, ...]:
    """The edges of what a preparation ignores in an image; nothing if the size of the image is not known."""
    width = preparation.work_width
    if width is None or not image.width or not image.height:
        return ()
    return _edge_points(preparation, thumbnail_height(width=image.width, height=image.height, work_width=width), width)


@lru_cache(maxsize=64)
def _edge_points(preparation: Preparation, height: int, width: int) -> tuple[Points, ...]:
    """The edges of what a preparation ignores in thumbnails of this size; nothing if its mask image is corrupt."""
    try:
        edges = ignored_edges(mask_parameters(preparation), height=height, width=width)
    except (ProfileError, ImageRefusedError):
        return ()
    return tuple(_thousandths(edge) for edge in edges)


def _closeness(facts: PairFacts, stored: StoredProfile) -> float | None:
    """How close the pair is to the limit; None if no score decided."""
    if facts.score is None or facts.largest_contour is None or facts.reason == "verdict":
        return None
    profile = stored.profile
    return closeness(
        facts.score,
        facts.largest_contour,
        max_score=profile.max_score,
        min_contour_area=profile.scoring.min_contour_area,
        distance=facts.distance,
        max_distance=profile.scoring.max_distance,
    )


def change_outlines(pair_changes: Changes) -> tuple[tuple[Outline, ...], int]:
    """The outlines to draw, as boxes from `MAX_CORNERS` corners on, and how many regions are not listed."""
    outlines, corners = list[Outline](), 0
    for region in pair_changes.regions:
        points = _points(region)
        if corners + len(points) > MAX_CORNERS:
            points = _box(points)
        corners += len(points)
        outlines.append(Outline(points, region.counts))
    return tuple(outlines), pair_changes.unlisted


def _points(region: Region) -> Points:
    return _thousandths(region.points)


def _thousandths(points: tuple[tuple[float, float], ...]) -> Points:
    return tuple((round(x * 1000), round(y * 1000)) for x, y in points)


def _box(points: Points) -> Points:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _why_no_outlines(facts: PairFacts, shown: _ShownChanges | None, *, stored: StoredProfile) -> str | None:
    """Why no region is outlined; None if some are."""
    if facts.reason == "identical":
        return "The bytes of both files are equal: nothing differs."
    if stored.profile.preparation.native:
        return (
            f"Nothing is outlined: the profile {stored.profile.name} compares whole files and keeps no prepared images."
        )
    if shown is None:
        return "Nothing is outlined: the index has no prepared images of this pair that fit each other."
    return None if shown.outlines else "Nothing differs by more than the threshold."
