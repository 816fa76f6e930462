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


HOURS = tuple(f"c/2024-05-01/{hour}/20240501_{hour}3000.jpg" for hour in (12, 13))
CHANNELS = tuple(
    f"c/2024-05-01/{channel}/{1714555800 + 10800 * n}{channel}7.jpg" for n in range(3) for channel in ("02", "03")
)


@pytest.mark.parametrize("together", [True, False])
def test_channels_that_come_later(index: Index, together: bool) -> None:
    """Channels do not join the camera of known hours, whether their images come together or one by one; later images
    of the hours and of the channels go on as before."""
    put(index, *HOURS)
    assert held(index) == {}
    put(index, *CHANNELS)
    for file in () if together else CHANNELS:
        index.ingest(index.folder / file)
    assert held(index) == {}
    later = "c/2024-05-01/14/20240501_143000.jpg", "c/2024-05-01/02/1714588200027.jpg"
    put(index, *later)
    report = index.ingest(*(index.folder / file for file in later))
    assert (report.names.held, report.names.reread_folders) == ((), ())
    expected = dict.fromkeys([*HOURS, later[0]], "c") | {file: f"c/{file[13:15]}" for file in [*CHANNELS, later[1]]}
    assert cameras(index) == expected
