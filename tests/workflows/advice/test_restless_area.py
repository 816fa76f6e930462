"""advise on a flag: it is found where little is kept, and what passes by at one place is no flag."""

from datetime import UTC, datetime, timedelta

import cv2
import numpy as np

from indexer.domain.descriptions import Limits
from indexer.execution import serial
from indexer.imaging.synthetic.scenes import Scene, Thing, draw, encode
from indexer.workflows.advice.advise import advise
from indexer.workflows.context import ComparisonContext
from tests.imaging.test_restless_areas import flag
from tests.support.databases import on_sqlite
from tests.support.index import Index

BEGIN = datetime(2026, 5, 14, 9, tzinfo=UTC)
COUNT = 60


def put_frames(index: Index, *, poses: int) -> None:
    """Frames of a camera two minutes apart: a flag in one of some poses, another one each time, and each fifth time
    one of six walkers on the same path; decided."""
    scene = Scene("lot", seed=1)
    for number in range(COUNT):
        walker = (Thing("walker", 200 + 40 * (number // 5 % 6), 330, 90),) if number % 5 == 0 else ()
        frame = draw(scene, things=walker, seed=number)
        flag(frame, (420, 100, 130, 90), number % poses)
        small = np.asarray(cv2.resize(frame, (320, 240), interpolation=cv2.INTER_AREA), np.uint8)
        time = BEGIN + number * timedelta(minutes=2)
        index.put(f"gate_{time:%Y_%m_%d__%H_%M_%S}.jpg", encode(small))
    index.ingest()
    index.compare()


def restless_areas(index: Index) -> list[tuple[int, int, int, tuple[tuple[float, ...], ...]]]:
    """Images, those that are kept, those that would be, and the regions of each finding."""
    with serial() as executor:
        report = advise(ComparisonContext(index.database, executor, Limits(), index.clock))
    findings = [one.finding for camera in report.cameras for one in camera.findings]
    return [
        (
            int(finding.evidence["images"]),
            int(finding.evidence["kept"]),
            int(finding.evidence["kept_without"]),
            finding.regions,
        )
        for finding in findings
        if finding.kind == "restless_area"
    ]


@on_sqlite
def test_flag_is_found_where_little_is_kept(index: Index) -> None:
    """A flag that returns to the same poses makes few images differ, and yet most of those that are kept. When it is
    ignored, so many are kept as was said; walkers on one path are no flag."""
    put_frames(index, poses=10)
    ((images, kept, kept_without, regions),) = restless_areas(index)
    assert images == COUNT
    assert 2 * kept_without <= kept < 0.4 * images
    ((left, top, width, height),) = regions
    assert left + width > 65
    assert top + height < 45
    assert width * height < 25 * 22
    index.make_profile("calm", ignore=[f"{left},{top},{width},{height}"])
    index.compare(profile="calm")
    assert [verdict for verdict, _, _ in index.decisions().values()].count("keep") == kept_without
    assert restless_areas(index) == []
