"""Comparing the cameras that got images."""

from indexer.domain.descriptions import Limits
from indexer.execution import serial
from indexer.workflows.compare.thumbnail_cache import ThumbnailCache
from indexer.workflows.context import ComparisonContext
from indexer.workflows.runs.run import record_run
from indexer.workflows.watch.decide import decide_cameras
from tests.support.databases import on_sqlite
from tests.support.index import Index, name, picture


@on_sqlite
def test_a_camera_that_has_no_image_any_more_is_done(index: Index) -> None:
    """Each camera has a result, also one that was forgotten since it got its image: else it would be due for ever."""
    index.put(name(0), picture())
    index.ingest()
    with (
        serial() as executor,
        record_run(index.database, "watch", arguments={}, clock=index.clock) as run,
    ):
        context = ComparisonContext(index.database, executor, Limits(), index.clock)
        results = [*decide_cameras(context, ["gone", "gate"], run=run, cache=ThumbnailCache())]
    assert [(result.camera, result.decided, result.problem) for result in results] == [
        ("gone", 0, None),
        ("gate", 1, None),
    ]
