"""How many decisions and recorded scores differ from plain brute force: every one of a small index, a sample of the
pairs of a large one.

What is checked of a sampled pair of a large index: two keepers differ; a duplicate differs from every keeper above it
and nearer than its own, and from its own it does not; the score recorded of a pair is its score, and one that must have
been met is recorded if its score is at most the record limit. The large camera's keepers must also be as many as the
states that it was made to show.
"""

import random
from bisect import bisect_left
from pathlib import Path
from typing import Any

from tests.benchmarks import plain
from tests.benchmarks.cameras import Camera, many
from tests.benchmarks.filling import fill_index
from tests.benchmarks.measuring import SAMPLES, manage

_POOL = 4000  # keepers whose thumbnails are held decoded
_EACH = 100  # of those, met by one image; beside them its own keeper and those nearest in time


def measure(
    folder: Path,
    *,
    frames: int = 4000,
    cameras: int = 30,
    single: int = 4000,
    images: int = 30_000,
    fresh: float = 0.1,
    pairs: int = 1_000_000,
    with_samples: bool = True,
    processes: int = 2,
) -> dict[str, Any]:
    """Pairs checked and rows that differ: of made-up cameras, of the sample frames, of pairs of one large camera."""
    database = folder / "small.db"
    fill_index(database, many(cameras, frames=frames), processes=processes)
    found: dict[str, Any] = {"made up": _all_of(database, processes=processes)}
    database = folder / "single.db"
    fill_index(database, [Camera(frames=single, busy=0.5, fresh=0.1)], processes=processes)
    found["one camera"] = _all_of(database, processes=processes)
    if with_samples and SAMPLES.is_dir():
        database = folder / "samples.db"
        manage("--db", database, "ingest", SAMPLES, "--processes", processes, folder=folder)
        found["sample frames"] = _all_of(database, processes=processes)
    camera = Camera(frames=images, busy=max(0.5, fresh), fresh=fresh)
    database = folder / "large.db"
    fill_index(database, [camera], processes=processes)
    manage("--db", database, "compare", "--processes", processes, folder=folder)
    found["large"] = {"images": images} | sampled(database, pairs=pairs)
    found["large"]["keepers_too_many"] = found["large"]["keepers"] - camera.keepers
    return found


def _all_of(database: Path, *, processes: int) -> dict[str, Any]:
    """Compares an index and holds all of its answers to brute force."""
    manage("--db", database, "compare", "--processes", processes, folder=database.parent)
    expected, said = plain.brute_force(database), plain.say(database)
    return {
        "images": len(expected.decisions),
        "pairs": expected.pairs,
        "recorded": len(expected.recorded),
        "differences": plain.differences(expected, said),
    }


def sampled(database: Path, *, pairs: int, seed: int = 0) -> dict[str, Any]:
    """So many pairs of the first camera of an index, and how many of them the index answers wrongly."""
    chance = random.Random(seed)
    said = plain.say(database)
    wrong = {"decisions": 0, "scores": 0}
    checked = 0
    with plain.Index(database) as index:
        frames = next(index.cameras())
        keepers = [frame for frame in frames if said.decisions[frame.id][0] == "keep"]
        by_id = {frame.id: frame for frame in keepers}
        by_time = sorted(keepers, key=lambda frame: frame.time_us or 0)
        pool = chance.sample(keepers, min(_POOL, len(keepers)))
        held = {frame.id: index.pixels(frame.id) for frame in pool}
        while checked < pairs:
            frame = chance.choice(keepers if chance.random() < 0.5 else frames)
            near = bisect_left(by_time, frame.time_us or 0, key=lambda keeper: keeper.time_us or 0)
            own = by_id.get(said.decisions[frame.id][1] or 0)
            partners = {*chance.sample(pool, min(_EACH, len(pool))), *by_time[max(0, near - 5) : near + 5]}
            image = index.pixels(frame.id)
            for partner in (partners | {own or frame}) - {frame}:
                shown = held[partner.id] if partner.id in held else index.pixels(partner.id)
                _check(frame, partner, plain.evidence(image, shown), said, by_id, wrong)
                checked += 1
    return {"pairs": checked, "keepers": len(keepers), "differences": wrong}


def _check(
    frame: plain.Frame,
    keeper: plain.Frame,
    found: plain.Evidence,
    said: plain.Answers,
    by_id: dict[int, plain.Frame],
    wrong: dict[str, int],
) -> None:
    """Counts what an index says wrongly of one pair of an image and a keeper."""
    _, own, score, _ = said.decisions[frame.id]
    alike = found[0] < plain.MAX_SCORE
    if own == keeper.id:
        met = True
        wrong["decisions"] += not alike or score != found[0]
    else:
        nearest = None if own is None else by_id.get(own)
        nearer = nearest is None or _nearness(frame, keeper) < _nearness(frame, nearest)
        met = nearer and (own is None or keeper.rank < frame.rank)
        wrong["decisions"] += met and alike
    recorded = said.recorded.get(plain.pair_of(frame, keeper))
    missing = recorded is None and met and found[0] <= plain.RECORD_LIMIT
    wrong["scores"] += missing or (recorded is not None and recorded != found)


def _nearness(frame: plain.Frame, keeper: plain.Frame) -> tuple[Any, ...]:
    return frame.distance_us(keeper), keeper.rank
