"""Names mean the same, whichever files of the folder come in one ingest."""

import pytest

from tests.support.databases import on_sqlite
from tests.support.index import Index
from tests.workflows.ingest.test_held_cameras import cameras, held, put

TIMES = "SELECT captured_at FROM images WHERE captured_at_source = 'name' ORDER BY captured_at"


@pytest.mark.parametrize(
    ("files", "times"),
    [
        (["cam/gate_13-05-2024_120000.jpg", "cam/n/gate_01-06-2024_120000.jpg"], ["2024-05-13", "2024-06-01"]),
        (["x/gate-1714566645.jpg", "x/gate-1714653045.jpg", "x/gate-1714739445.jpg"], ["2024-05-02", "2024-05-03"]),
    ],
)
def test_files_that_come_alone(index: Index, files: list[str], times: list[str]) -> None:
    """Files that are given one by one are of one camera, and are read as the known ones are."""
    for file in files:
        put(index, file)
        assert index.ingest(index.folder / file).names.held == ()
    assert [str(time)[:10] for (time,) in index.rows(TIMES)] == times
    assert len(set(cameras(index).values())) == 1


@on_sqlite
def test_the_folders_above_count(index: Index) -> None:
    """A subfolder is read as the known images of the camera in the folder above; its times hold nothing back."""
    put(index, "cam/gate_13-05-2024_120000.jpg")
    assert held(index) == {}
    put(index, "cam/n/gate_01-06-2024_120000.jpg")
    assert held(index, "cam/n") == {}
    assert set(cameras(index).values()) == {"gate"}
