"""The images of one camera, and its previous decisions, by column: as few objects as a camera of a million allows.

It promises the ranks of `indexer.domain.images`, and the `Image` and `Decision` objects that lists of them would hold;
each is made when it is asked for. It does not know the decision rule.

Decision 0003: numpy here, though the rest of this package is plain Python.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Self, overload

import numpy as np
from numpy.typing import NDArray

from indexer.domain.decisions import Decision, Reason
from indexer.domain.images import Image

ImageKey = tuple[int, str]
"""The id and the content hash of an image. SQLite gives the id of a forgotten image to a new one."""

IndexArray = NDArray[np.int64]
"""Indices of images in rank order, 0 the highest rank."""

NO_TIME = np.iinfo(np.int64).min
"""The time value of an image without a capture time."""
NO_IMAGE = -1
"""In the place of an index or a position."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class CameraImages(Sequence[Image]):
    """Images of one camera. All columns have the same length N.

    Attributes
    ----------
    ids : (N,) int64
    times_us : (N,) int64
        Capture times in microseconds since 1970; `NO_TIME` if unknown.
    widths, heights : (N,) int64
        Pixels of the file.
    sharpness : (N,) float64
    pinned, flat : (N,) bool
    system_folders : (N,) int64
    thumbnail_heights, thumbnail_widths : (N,) int64
        Both 0 for an image without a thumbnail.
    content_hashes, paths : sequence of str
    """

    def __init__(
        self,
        *,
        ids: Iterable[int],
        times_us: IndexArray,
        widths: Iterable[int],
        heights: Iterable[int],
        sharpness: Iterable[float],
        pinned: Iterable[bool],
        flat: Iterable[bool],
        system_folders: Iterable[int],
        thumbnail_heights: Iterable[int],
        thumbnail_widths: Iterable[int],
        content_hashes: Sequence[str],
        paths: Sequence[str],
        images: list[Image | None] | None = None,
    ) -> None:
        self.ids = _integers(ids)
        self.times_us = times_us
        self.widths, self.heights = _integers(widths), _integers(heights)
        self.sharpness = np.asarray(sharpness, dtype=np.float64)
        self.pinned, self.flat = np.asarray(pinned, dtype=bool), np.asarray(flat, dtype=bool)
        self.system_folders = _integers(system_folders)
        self.thumbnail_heights, self.thumbnail_widths = _integers(thumbnail_heights), _integers(thumbnail_widths)
        self.content_hashes, self.paths = content_hashes, paths
        # Those that were asked for:
        self._images: list[Image | None] = [None] * len(self.ids) if images is None else images

    @classmethod
    def of(cls, images: Iterable[Image]) -> "CameraImages":
        """The columns of image objects; they themselves if they are columns already."""
        if isinstance(images, CameraImages):
            return images
        given = list(images)
        return cls(
            ids=[image.id for image in given],
            times_us=_integers([NO_TIME if image.captured_us is None else image.captured_us for image in given]),
            widths=[image.width for image in given],
            heights=[image.height for image in given],
            sharpness=[image.sharpness for image in given],
            pinned=[image.pinned for image in given],
            flat=[image.flat for image in given],
            system_folders=[image.system_folders for image in given],
            thumbnail_heights=[(image.shape or (0, 0))[0] for image in given],
            thumbnail_widths=[(image.shape or (0, 0))[1] for image in given],
            content_hashes=[image.content_hash for image in given],
            paths=[image.path for image in given],
            images=[*given],
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __add__(self, other: "CameraImages") -> "CameraImages":
        """The images of both."""
        names = (
            *("ids", "times_us", "widths", "heights", "sharpness", "pinned", "flat", "system_folders"),
            *("thumbnail_heights", "thumbnail_widths"),
        )
        return CameraImages(
            **{name: np.concatenate([getattr(self, name), getattr(other, name)]) for name in names},
            content_hashes=[*self.content_hashes, *other.content_hashes],
            paths=[*self.paths, *other.paths],
            images=[*self._images, *other._images],
        )

    @overload
    def __getitem__(self, index: int) -> Image: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Image]: ...

    def __getitem__(self, index: int | slice) -> Image | Sequence[Image]:
        if isinstance(index, slice):
            return [self[number] for number in range(*index.indices(len(self)))]
        image = self._images[index]
        if image is None:
            image = self._images[index] = self._make(index)
        return image

    def ranked(self) -> "CameraImages":
        """The images in the order of `Image.rank`, the highest first."""
        _, exponents = np.frexp(self.sharpness)
        is_untimed = self.times_us == NO_TIME
        keys = (
            np.where(is_untimed, 0, self.times_us),
            is_untimed,
            self.system_folders,
            -exponents,
            -self.widths * self.heights,
            ~self.pinned,
        )
        order = np.lexsort(keys)  # the last key counts first
        is_tied = np.full(len(order) + 1, fill_value=False)  # with the one before it
        if len(order) > 1:
            is_tied[1:-1] = np.all([key[order[1:]] == key[order[:-1]] for key in keys], axis=0)
        (begins,) = np.nonzero(~is_tied[:-1] & is_tied[1:])
        (ends,) = np.nonzero(is_tied[:-1] & ~is_tied[1:])
        for begin, end in zip(begins.tolist(), (ends + 1).tolist(), strict=True):
            order[begin:end] = sorted(order[begin:end].tolist(), key=self._last_criteria)
        return self._take(order)

    def image_keys(self) -> list[ImageKey]:
        """The key of each image, in order."""
        return list(zip(self.ids.tolist(), self.content_hashes, strict=True))

    def image_key(self, index: int) -> ImageKey:
        """The key of one image."""
        return int(self.ids[index]), self.content_hashes[index]

    def without_thumbnail(self) -> list[Image]:
        """The images without a thumbnail."""
        return [self[index] for index in np.flatnonzero(self.thumbnail_heights == 0).tolist()]

    def count_thumbnail_shapes(self) -> dict[tuple[int, int], int]:
        """How many thumbnails have each (height, width)."""
        return _count_pairs(self.thumbnail_heights, self.thumbnail_widths)

    def count_sizes(self) -> dict[tuple[int, int], int]:
        """How many image files have each (height, width)."""
        return _count_pairs(self.heights, self.widths)

    def thumbnail_shape_groups(self) -> IndexArray:
        """A number for each image, (N,), int64, that is equal for thumbnails of equal shape."""
        return self.thumbnail_heights << 32 | self.thumbnail_widths

    def _last_criteria(self, index: int) -> tuple[str, bytes]:
        return self.content_hashes[index], os.fsencode(self.paths[index])

    def _take(self, order: IndexArray) -> "CameraImages":
        places = order.tolist()
        return CameraImages(
            ids=self.ids[order],
            times_us=self.times_us[order],
            widths=self.widths[order],
            heights=self.heights[order],
            sharpness=self.sharpness[order],
            pinned=self.pinned[order],
            flat=self.flat[order],
            system_folders=self.system_folders[order],
            thumbnail_heights=self.thumbnail_heights[order],
            thumbnail_widths=self.thumbnail_widths[order],
            content_hashes=[self.content_hashes[place] for place in places],
            paths=[self.paths[place] for place in places],
            images=[self._images[place] for place in places],
        )

    def _make(self, index: int) -> Image:
        time_us = int(self.times_us[index])
        shape = int(self.thumbnail_heights[index]), int(self.thumbnail_widths[index])
        return Image(
            int(self.ids[index]),
            self.paths[index],
            int(self.widths[index]),
            int(self.heights[index]),
            float(self.sharpness[index]),
            self.content_hashes[index],
            None if time_us == NO_TIME else _EPOCH + timedelta(microseconds=time_us),
            pinned=bool(self.pinned[index]),
            shape=None if shape == (0, 0) else shape,
            flat=bool(self.flat[index]),
            system_folders=int(self.system_folders[index]),
        )


class DecisionColumns:
    """Current decisions of images, at most one of each.

    Attributes
    ----------
    image_ids : (M,) int64, ascending
    keeper_ids : (M,) int64
        `NO_IMAGE` for an image that is kept.
    profile_ids : (M,) int64
    reach_classes : (M,) int64
        As they were noted; `NO_IMAGE` for an image that is kept, and where none was noted.
    reasons : sequence of M str
    scores : sequence of M float or None
    """

    def __init__(
        self,
        *,
        image_ids: Iterable[int],
        keeper_ids: Iterable[int],
        profile_ids: Iterable[int],
        reach_classes: Iterable[int],
        reasons: Sequence[str],
        scores: Sequence[float | None],
    ) -> None:
        self.image_ids, self.keeper_ids = _integers(image_ids), _integers(keeper_ids)
        self.profile_ids, self.reach_classes = _integers(profile_ids), _integers(reach_classes)
        self.reasons, self.scores = reasons, scores

    @classmethod
    def of(cls, decisions: Mapping[int, Decision]) -> Self:
        """The columns of decision objects, by image id; all by the profile with the id 0."""
        given = [decisions[image_id] for image_id in sorted(decisions)]
        return cls(
            image_ids=[decision.image_id for decision in given],
            keeper_ids=[NO_IMAGE if decision.keeper_id is None else decision.keeper_id for decision in given],
            profile_ids=[0] * len(given),
            reach_classes=[NO_IMAGE] * len(given),
            reasons=[decision.reason for decision in given],
            scores=[decision.score for decision in given],
        )

    def __len__(self) -> int:
        return len(self.image_ids)

    def __add__(self, other: "DecisionColumns") -> "DecisionColumns":
        """The decisions of both, which are on different images."""
        image_ids = np.concatenate([self.image_ids, other.image_ids])
        order = np.argsort(image_ids)
        reasons, scores = [*self.reasons, *other.reasons], [*self.scores, *other.scores]
        return DecisionColumns(
            image_ids=image_ids[order],
            keeper_ids=np.concatenate([self.keeper_ids, other.keeper_ids])[order],
            profile_ids=np.concatenate([self.profile_ids, other.profile_ids])[order],
            reach_classes=np.concatenate([self.reach_classes, other.reach_classes])[order],
            reasons=[reasons[position] for position in order.tolist()],
            scores=[scores[position] for position in order.tolist()],
        )

    def find(self, image_ids: IndexArray, *, profile_id: int | None = None) -> IndexArray:
        """The position of each image's decision, of this profile if one is named: (N,), int64, `NO_IMAGE` if it has
        none."""
        if not len(self):
            return np.full(len(image_ids), NO_IMAGE)
        positions = np.minimum(np.searchsorted(self.image_ids, image_ids), len(self) - 1)
        is_found = self.image_ids[positions] == image_ids
        if profile_id is not None:
            is_found &= self.profile_ids[positions] == profile_id
        return np.where(is_found, positions, NO_IMAGE)

    def is_pinned(self) -> NDArray[np.bool_]:
        """Which decisions follow from a pin: (M,), bool."""
        return np.fromiter((reason == Reason.PINNED for reason in self.reasons), dtype=bool, count=len(self))

    def kept_ids(self) -> set[int]:
        """The ids of the images that are kept."""
        return set(self.image_ids[self.keeper_ids == NO_IMAGE].tolist())

    def decision(self, position: int) -> Decision:
        """The decision at a position."""
        keeper_id = int(self.keeper_ids[position])
        return Decision(
            int(self.image_ids[position]),
            Reason(self.reasons[position]),
            None if keeper_id == NO_IMAGE else keeper_id,
            self.scores[position],
        )


def _integers(values: Iterable[int]) -> IndexArray:
    return np.asarray(values, dtype=np.int64)


def _count_pairs(firsts: IndexArray, seconds: IndexArray) -> dict[tuple[int, int], int]:
    values, counts = np.unique(firsts << 32 | seconds, return_counts=True)
    return {
        (value >> 32, value & 0xFFFFFFFF): count for value, count in zip(values.tolist(), counts.tolist(), strict=True)
    }
