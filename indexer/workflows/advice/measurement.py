"""The work on one frame of a camera in a worker: read the file, measure it, shrink it.

Tasks and results are frozen dataclasses of plain values. A bad file is a result, never an exception. The module does
not know cameras, times, or what is a fault.

Decision 0055: the condition of a frame is measured by advise, not at ingest.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from indexer.domain.advice.measurements import Condition
from indexer.domain.descriptions import Limits
from indexer.files.reading import os_error_message
from indexer.imaging.condition import frame_for_condition, grey_for_comparison, measure_condition
from indexer.imaging.decoding import refusal
from indexer.imaging.headers import read_header
from indexer.workflows.image_files import read_indexed


@dataclass(frozen=True)
class ConditionTask:
    """An indexed image that is to be measured."""

    image_id: int
    path: str
    content_hash: str
    limits: Limits


@dataclass(frozen=True)
class ConditionResult:
    """The measures of an image, and the frame in grey, (H, W), uint8; or the problem that prevented them.

    `exif_time`, `exif_offset`: as in `indexer.imaging.headers.Header`.
    """

    image_id: int
    condition: Condition | None
    grey: NDArray[np.uint8] | None
    problem: str | None = None
    exif_time: str | None = None
    exif_offset: str | None = None


def measure_file(task: ConditionTask) -> ConditionResult:
    """The measures of an indexed image, if its file still has the indexed content.

    Never raises because of the file's content: a problem is part of the result.
    """
    try:
        data = read_indexed(task.path, content_hash=task.content_hash, limits=task.limits)
        header = read_header(data, limits=task.limits)
        frame = frame_for_condition(data, header)
        return ConditionResult(
            task.image_id,
            measure_condition(frame),
            grey_for_comparison(frame),
            exif_time=header.exif_time,
            exif_offset=header.exif_offset,
        )
    except OSError as problem:
        return ConditionResult(task.image_id, None, None, os_error_message(problem))
    except Exception as problem:
        return ConditionResult(task.image_id, None, None, str(refusal(problem)))
