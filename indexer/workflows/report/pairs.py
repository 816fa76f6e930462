"""The pairs of a report: the outlines of what changed between two images, and a picture of their difference.

It promises that the outlines are those that the decision's own profile counts. It never opens an image file.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from indexer.domain.evidence import ScoringParameters
from indexer.domain.similarity import closeness
from indexer.execution import ParallelMap
from indexer.files.output_folder import OutputFolder
from indexer.imaging.change_regions import Changes, Region, changes
from indexer.imaging.thumbnails import decode
from indexer.store import thumbnails
from indexer.store.database import Database
from indexer.store.profiles import StoredProfile
from indexer.store.report_queries import ImageFacts, PairFacts, RemovalFacts
from indexer.web.view_models import ImageView, Outline, PairView, Points, RemovalView
from indexer.workflows.context import unwrap

MAX_CORNERS = 400
"""Corners of all outlines of a pair. An outline that exceeds this is shown as its box, so that a page stays small."""
_BATCH_SIZE = 50  # pairs whose thumbnails are in memory at once


@dataclass(frozen=True)
class ChangesTask:
    """The thumbnails of a pair, as PNG, and how it is scored."""

    thumbnails: tuple[bytes, bytes]
    scoring: ScoringParameters


@dataclass(frozen=True)
class PairInputs:
    """What the views of some pairs are made of; the mappings are by image id."""

    pairs: tuple[PairFacts, ...]
    facts: dict[int, ImageFacts]
    views: dict[int, ImageView]
    removals: dict[int, RemovalFacts]
    strip_hrefs: dict[int, str]


def find_changes(task: ChangesTask) -> Changes | None:
    """What changed between two thumbnails; None if their shapes differ or one is corrupt."""
    try:
        image_a, image_b = map(decode, task.thumbnails)
        return changes(image_a, image_b, scoring=task.scoring)
    except ValueError:
        return None


def pair_views(
    database: Database,
    out: OutputFolder,
    executor: ParallelMap,
    *,
    profiles: dict[int, StoredProfile],
    inputs: PairInputs,
) -> Iterator[PairView]:
    """The views of pairs, in order; also writes their difference pictures into `out`. `profiles` by id."""
    for start in range(0, len(inputs.pairs), _BATCH_SIZE):
        chunk = inputs.pairs[start : start + _BATCH_SIZE]
        tasks = _tasks(database, chunk, profiles=profiles)
        changes_by_index = dict(zip(tasks, map(unwrap, executor(find_changes, tasks.values())), strict=True))
        for index, facts in enumerate(chunk):
            yield _view(facts, changes_by_index.get(index), out=out, stored=profiles[facts.profile_id], inputs=inputs)


def _tasks(
    database: Database, pairs: Sequence[PairFacts], *, profiles: dict[int, StoredProfile]
) -> dict[int, ChangesTask]:
    """The tasks that find changes, by the index of the pair. Identical pairs, pairs at native size and pairs without
    both thumbnails have none."""
    tasks = dict[int, ChangesTask]()
    with database.read() as session:
        for profile_id in {pair.profile_id for pair in pairs}:
            profile = profiles[profile_id]
            if profile.profile.preparation.native:
                continue
            chosen = {index: pair for index, pair in enumerate(pairs) if pair.profile_id == profile_id}
            ids = list({image_id for pair in chosen.values() for image_id in (pair.image_id, pair.other_id)})
            data = thumbnails.load_thumbnails(session, ids, preparation_id=profile.preparation_id)
            for index, pair in chosen.items():
                if pair.image_id in data and pair.other_id in data and pair.reason != "identical":
                    scoring = profile.profile.scoring_parameters
                    tasks[index] = ChangesTask((data[pair.image_id], data[pair.other_id]), scoring)
    return tasks


def _view(
    facts: PairFacts, pair_changes: Changes | None, *, out: OutputFolder, stored: StoredProfile, inputs: PairInputs
) -> PairView:
    image, other = inputs.facts[facts.image_id], inputs.facts[facts.other_id]
    difference = (
        None
        if pair_changes is None
        else _difference(out, image, other, scoring_digest=stored.profile.scoring.digest, data=pair_changes.difference)
    )
    outlines, unlisted = ((), 0) if pair_changes is None else change_outlines(pair_changes)
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
        min_contour_area=stored.profile.scoring.min_contour_area,
        outlines=outlines,
        unlisted=unlisted,
        difference=difference,
        why_no_outlines=_why_no_outlines(facts, pair_changes, stored=stored),
        removal=None
        if removal is None
        else RemovalView(removal.state, removal.run_id, removal.quarantine_path, removal.removed_at, removal.ended_at),
        verdict=facts.verdict,
    )


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
    )


def _difference(out: OutputFolder, image: ImageFacts, other: ImageFacts, *, scoring_digest: str, data: bytes) -> str:
    """The name of the difference picture's file: a hash of its inputs. It is written unless it is there."""
    key = f"{image.content_hash} {other.content_hash} {scoring_digest}"
    name = hashlib.sha256(key.encode()).hexdigest()[:32]
    href = f"differences/{name[:2]}/{name}.png"
    if not out.reuse(href):
        out.write(href, data)
    return href


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
    return tuple((round(x * 1000), round(y * 1000)) for x, y in region.points)


def _box(points: Points) -> Points:
    xs, ys = [x for x, _ in points], [y for _, y in points]
    left, top, right, bottom = min(xs), min(ys), max(xs), max(ys)
    return (left, top), (right, top), (right, bottom), (left, bottom)


def _why_no_outlines(facts: PairFacts, pair_changes: Changes | None, *, stored: StoredProfile) -> str | None:
    """Why no region is outlined; None if some are."""
    if facts.reason == "identical":
        return "The bytes of both files are equal: nothing differs."
    if stored.profile.preparation.native:
        return (
            f"Nothing is outlined: the profile {stored.profile.name} compares whole files and keeps no prepared images."
        )
    if pair_changes is None:
        return "Nothing is outlined: the index has no prepared images of this pair that fit each other."
    return None if pair_changes.regions else "Nothing differs by more than the threshold."
