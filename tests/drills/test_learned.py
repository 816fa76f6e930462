"""The profile `learned` with its network: killed at any moment, and on clusters whose workers are of another kind."""

from collections.abc import Callable
from pathlib import Path

import pytest

from indexer.errors import EngineError
from indexer.imaging.network import weights
from indexer.store import profiles
from tests.support.brute_force import assert_promises
from tests.support.clusters import ROOT, started
from tests.support.index import BIKE, BIRD, CAR, Index, name, picture
from tests.support.kill_runs import Work, fight, of_compare_with_features, of_ingest_with_features

for library in ("onnx", "onnxruntime", weights.PACKAGE):
    pytest.importorskip(library, reason=f"needs {library}, of the extra `learned`")

OTHER_MACHINES = {
    "importlib.util.find_spec = lambda name, *more: None if name == 'onnxruntime' else find_spec(name, *more)": (
        r"features need onnxruntime, not installed here; type: pip install "
    ),
    "import cv2; cv2.GaussianBlur = lambda image, *_: image": "differ from those of the command",
}
"""What makes a worker unlike the command, by a program that it executes first; and what is said of it."""


@pytest.mark.drill
@pytest.mark.parametrize("make", [of_ingest_with_features, of_compare_with_features])
def test_kills_while_features_are_made(
    tmp_path: Path, make: Callable[..., Work], record_property: Callable[[str, object], None]
) -> None:
    """Twelve kills within some hundred files leave the same rows, features and distances as none."""
    work = make(tmp_path, frames=160, size=(360, 640))
    bout = fight(tmp_path, work, kills=12, share=0.9, seed=26)
    record_property("bout", bout)
    print(bout)  # noqa: T201 - the figures of the drill, shown with -rP
    assert (bout.kills, bout.with_progress > 1) == (12, True)


def put_frames(index: Index) -> None:
    """Frames of two cameras, taken in without features."""
    for camera in ("east", "west"):
        for minute, marks in enumerate([(), (BIRD,), (BIKE,), (CAR,)]):
            index.put(name(minute, camera), picture(*marks, stamp=minute))
    index.ingest()


@pytest.mark.drill
def test_workers_of_one_kind_make_the_features_of_the_command(index: Index, tmp_path: Path) -> None:
    """On a cluster the rows are those of one process, whose thumbnails are the same, too."""
    pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    from indexer.execution.dask_cluster import cluster

    put_frames(index)
    index.compare(profile="learned")
    stored = "SELECT image_id, preparation_id, data FROM thumbnails ORDER BY image_id, preparation_id"
    expected = index.rows(stored), index.decisions()
    index.compare(profile="balanced")
    index.execute("DELETE FROM thumbnails WHERE height > 300")
    with started(tmp_path, workers=2) as machines, cluster(machines.address, workers=2) as spread:
        index.compare(spread=spread, profile="learned")
    assert (index.rows(stored), index.decisions()) == expected
    assert_promises(index.rows, "learned")


@pytest.mark.drill
@pytest.mark.parametrize("program", OTHER_MACHINES, ids=["without the extra", "other features"])
def test_workers_of_another_kind_are_refused(index: Index, tmp_path: Path, program: str) -> None:
    """A worker that lacks the extra, or makes other features, ends the run with a sentence; nothing is stored."""
    pytest.importorskip("distributed", reason="needs Dask: pip install distributed")
    from indexer.execution.dask_cluster import cluster

    put_frames(index)
    (tmp_path / "other").mkdir()
    first = f"import importlib.util, sys; sys.path.append({str(ROOT)!r}); find_spec = importlib.util.find_spec\n"
    (tmp_path / "other" / "sitecustomize.py").write_text(first + program)
    before = index.rows("SELECT image_id, data FROM thumbnails ORDER BY image_id")
    with started(tmp_path, workers=0) as machines:
        machines.add_worker(import_path=tmp_path / "other")
        machines.wait_for(1)
        with cluster(machines.address, workers=1) as spread:
            with pytest.raises(EngineError, match=OTHER_MACHINES[program]):
                index.compare(spread=spread, profile="learned")
            with index.database.write() as session:
                profiles.activate(session, "learned")
            index.put(name(5), picture(CAR))
            with pytest.raises(EngineError, match=OTHER_MACHINES[program]):
                index.ingest(spread=spread)
    assert index.rows("SELECT image_id, data FROM thumbnails ORDER BY image_id") == before
    assert index.rows("SELECT COUNT(*) FROM images WHERE camera_id > 2") == [(0,)]
