"""Rules on how often a camera takes images: so often that nearly all are duplicates, or too seldom to follow anything.

They rest on the decisions of compare, and so cover removed images, too.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from statistics import median

from indexer.domain.advice.findings import Answer, CameraFinding, CannotTell, Kind
from indexer.domain.advice.measurements import Capture, MeasuredFrame
from indexer.domain.plurals import counted

_MIN_DECIDED = 200
_MAX_DUPLICATES = 0.99
_STEPS = (1, 2, 5)
_MAX_STEP = 1000
_MIN_SCENES_LEFT = 0.9
_MAX_KEPT = 0.9
_MIN_PAIRS = 10  # of neighbours that both show a thing
_MIN_THINGS = 3  # blocks of 8 x 8 pixels
_MAX_SHARING = 0.05  # of these pairs


def examine_interval(images: Sequence[Capture], *, keepers: Mapping[int, int]) -> Iterator[Answer]:
    """Whether the camera takes images so often that nearly all of them are duplicates.

    Parameters
    ----------
    images : of Capture
        Of one camera, by time.
    keepers : of int by int
        The keeper of each decided image by image id; of a kept image, itself.
    """
    decided = [image for image in images if image.image_id in keepers]
    if len(decided) < _MIN_DECIDED:
        decisions = counted(len(decided), "image was", "images were")
        yield CannotTell(Kind.INTERVAL, f"{decisions} decided, at least {_MIN_DECIDED} must be")
        return
    scenes = [keepers[image.image_id] for image in decided]
    share = 1 - sum(scene == image.image_id for scene, image in zip(scenes, decided, strict=True)) / len(decided)
    if share <= _MAX_DUPLICATES:
        return
    interval_s = _interval_s(decided)
    step, scenes_left = longest_step(scenes)
    yield CameraFinding(
        Kind.INTERVAL,
        since=decided[0].captured_at,
        until=None,
        strength=(1 - _MAX_DUPLICATES) / max(1 - share, 1e-4),
        evidence={
            "duplicate_share": round(share, 4),
            "interval_s": round(interval_s, 1),
            "images": len(decided),
            "scenes": len(set(scenes)),
            "longer_interval_s": round(step * interval_s, 1),
            "scenes_left": scenes_left,
        },
        image_ids=(decided[-1].image_id,),
    )


def longest_step(scenes: Sequence[int]) -> tuple[int, int]:
    """How few of the images would do: every so many-th one, and how many scenes these still show.

    Of the steps 1, 2, 5, 10, 20 ... the longest one with which at least nine of ten scenes are left, whichever image is
    the first.

    Parameters
    ----------
    scenes : of int
        What each image shows, by time; at least one.
    """
    number = len(set(scenes))
    best = 1, number
    for step in (digit * 10**power for power in range(4) for digit in _STEPS):
        if step > min(_MAX_STEP, len(scenes)):
            break
        left = min(len(set(scenes[begin::step])) for begin in range(step))
        if left < _MIN_SCENES_LEFT * number:
            break
        best = step, left
    return best


def examine_sparseness(
    pairs: Sequence[tuple[MeasuredFrame, MeasuredFrame]], images: Sequence[Capture], *, keepers: Mapping[int, int]
) -> Iterator[Answer]:
    """Whether the camera takes images so seldom that nothing which comes is there on two of them.

    Parameters
    ----------
    pairs : of two MeasuredFrame
        Neighbours in time, compared with the reference of their camera.
    images, keepers
        As in `examine_interval`.
    """
    decided = [image for image in images if image.image_id in keepers]
    if len(decided) < _MIN_DECIDED:  # `examine_interval` says so
        return
    kept_share = sum(keepers[image.image_id] == image.image_id for image in decided) / len(decided)
    things = [(_things(one), _things(other)) for one, other in pairs]
    busy = [(one, other) for one, other in things if min(one.bit_count(), other.bit_count()) >= _MIN_THINGS]
    if kept_share <= _MAX_KEPT or len(busy) < _MIN_PAIRS:
        return
    sharing = sum((one & other) > 0 for one, other in busy) / len(busy)
    if sharing > _MAX_SHARING:
        return
    yield CameraFinding(
        Kind.INTERVAL,
        since=decided[0].captured_at,
        until=None,
        strength=kept_share / _MAX_KEPT,
        evidence={
            "kept_share": round(kept_share, 4),
            "interval_s": round(_interval_s(decided), 1),
            "images": len(decided),
            "pairs": len(busy),
            "sharing_share": round(sharing, 3),
        },
        image_ids=(pairs[-1][0].image_id, pairs[-1][1].image_id),
    )


def _things(frame: MeasuredFrame) -> int:
    return 0 if frame.comparison is None else frame.comparison.things


def _interval_s(images: Sequence[Capture]) -> float:
    return median((end.captured_at - begin.captured_at).total_seconds() for begin, end in pairwise(images))
