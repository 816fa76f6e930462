"""advise: a camera is looked at, what is wrong with it is stored, continued, dismissed, and drawn."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import cv2
import numpy as np
import pytest
from PIL.Image import Exif, fromarray

from indexer.domain.descriptions import Limits
from indexer.errors import CameraError, FindingError, PictureError
from indexer.execution import serial
from indexer.imaging.synthetic.scenes import Scene, Thing, draw, encode
from indexer.store import captured_images
from indexer.store.forgetting import ForgetScope
from indexer.workflows.admin.forget import forget
from indexer.workflows.admin.status import status
from indexer.workflows.advice.advise import AdviceReport, advise
from indexer.workflows.advice.listing import dismiss_finding, list_findings
from indexer.workflows.advice.picture import draw_camera
from indexer.workflows.context import ComparisonContext
from tests.support.camera_days import shifted
from tests.support.databases import on_sqlite
from tests.support.index import Index, name, picture
from tests.support.video_rows import NOON, add_video_rows

BEGIN = datetime(2026, 5, 14, 9, tzinfo=UTC)
MOVED_AT = BEGIN + 15 * timedelta(minutes=5)


def put_frames(index: Index, *, count: int = 30, moved_from: int | None = 15, camera: str = "gate") -> None:
    """Frames of a camera five minutes apart, with a walker in every third; it lies 9 px further right from one on."""
    scene = Scene("gate", seed=1, width=320, height=240)
    for number in range(count):
        walker = (Thing("walker", 200 + 8 * number, 330, 90),) if number % 3 == 0 else ()
        picture = draw(scene, things=walker, seed=number)
        if moved_from is not None and number >= moved_from:
            picture = shifted(picture, right=9)
        time = BEGIN + number * timedelta(minutes=5)
        index.put(f"{camera}_{time:%Y_%m_%d__%H_%M_%S}.jpg", encode(picture))
    index.ingest()


def look(index: Index, *, camera: str | None = None) -> AdviceReport:
    """Looks at the cameras."""
    with serial() as executor:
        return advise(ComparisonContext(index.database, executor, Limits(), index.clock), camera=camera)


def test_moved_camera_is_found_and_stored(index: Index) -> None:
    """A camera that was moved is found since the very frame; the view for audits has it, by its camera and its run. No
    file and no other row changes."""
    put_frames(index)
    before, rows = index.tree(), index.dump(without=("runs", "findings"))
    (gate,) = look(index).cameras
    assert [(stored.finding.kind, stored.finding.since) for stored in gate.findings] == [("moved", MOVED_AT)]
    assert (gate.images, gate.frames, gate.unusable) == (30, 30, 0)
    assert status(index.database).findings == {"gate": 1}
    (row,) = index.rows("SELECT camera, kind, until, dismissed_at, region FROM audit_findings")
    assert row == ("gate", "moved", None, None, "")
    assert (index.tree(), index.dump(without=("runs", "findings"))) == (before, rows)


def test_rerun_writes_only_its_run(index: Index) -> None:
    """Looking changes no file, no decision and no score; looking again changes nothing but the table of runs."""
    put_frames(index)
    index.compare()
    before_look, files = index.dump(without=("runs", "findings")), index.tree()
    look(index)
    assert before_look["decisions"] != []
    assert (index.dump(without=("runs", "findings")), index.tree()) == (before_look, files)
    before = index.dump(without=("runs",))
    look(index)
    assert index.dump(without=("runs",)) == before


def test_quiet_camera_and_unreadable_file(index: Index) -> None:
    """A camera that stands still has no finding; a file that is gone is counted, and is no error."""
    put_frames(index, moved_from=None)
    next(index.folder.iterdir()).unlink()
    (gate,) = look(index).cameras
    assert (gate.findings, gate.frames, gate.unusable) == ((), 29, 1)


def test_few_frames_cannot_tell(index: Index) -> None:
    """Of a few frames nothing is told, and the report says what is missing."""
    put_frames(index, count=8, moved_from=4)
    (gate,) = look(index).cameras
    assert gate.findings == ()
    assert {"moved", "sways", "blurred", "dirty", "blocked"} <= {str(answer.kind) for answer in gate.untold}


def test_dismissal_lasts(index: Index) -> None:
    """A dismissed finding needs no person and is not told again; the list of all has it with who said so, and why."""
    put_frames(index)
    report = look(index)
    assert report.needs_person
    (finding,) = report.cameras[0].findings
    assert dismiss_finding(index.database, finding.id, by="Ada", note="on purpose", clock=index.clock).changed
    assert not dismiss_finding(index.database, finding.id, by="Bob", note=None, clock=index.clock).changed
    again = look(index)
    assert (again.needs_person, again.cameras[0].findings) == (False, ())
    assert list_findings(index.database).findings == ()
    (past,) = list_findings(index.database, with_past=True).findings
    assert (past.dismissed_by, past.note) == ("Ada", "on purpose")


def test_unknown_names_are_refused(index: Index) -> None:
    """A camera or a finding that does not exist is refused, and nothing is written."""
    put_frames(index, count=1)
    before = index.dump()
    with pytest.raises(CameraError, match="no camera 'lot'"):
        look(index, camera="lot")
    with pytest.raises(FindingError, match="no finding 7"):
        dismiss_finding(index.database, 7, by="Ada", note=None, clock=index.clock)
    assert index.dump() == before


def test_findings_go_with_their_camera(index: Index) -> None:
    """What was found about a camera is forgotten with it."""
    put_frames(index)
    look(index)
    forget(index.database, ForgetScope(camera="gate"), clock=index.clock)
    assert index.rows("SELECT COUNT(*) FROM findings") == [(0,)]


def test_times_of_a_live_camera_are_no_silence(index: Index) -> None:
    """The index knows when frames of a video were looked at and not stored."""
    image = index.put(name(0), picture())
    index.ingest()
    add_video_rows(index.database, index.folder / "gate.mp4", image=image)
    with index.database.read() as session:
        looked_at = captured_images.list_looked_at(session, 1, since=datetime(2000, 1, 1, tzinfo=UTC))
        later = captured_images.list_looked_at(session, 1, since=datetime(2100, 1, 1, tzinfo=UTC))
    assert looked_at == [(NOON + timedelta(seconds=1), NOON + timedelta(seconds=8))]
    assert later == []


@on_sqlite
def test_clock_by_exif(index: Index) -> None:
    """Copies have no time of their own; names that are two hours ahead of EXIF for some frames show that the clock is
    wrong. EXIF without an offset is read in the zone of the names, in which clocks go forward that night."""
    local, begin = ZoneInfo("Europe/Paris"), datetime(2026, 3, 28, 23, 10, tzinfo=UTC)
    plain, scene = Exif(), Scene("gate", seed=1, width=160, height=120)
    for number in range(40):
        time = begin + number * timedelta(minutes=5)
        taken = time + timedelta(hours=2) if number >= 25 else time
        plain[306] = f"{time.astimezone(local):%Y:%m:%d %H:%M:%S}"
        jpeg = BytesIO()
        fromarray(draw(scene, seed=number)[:, :, ::-1]).save(jpeg, "JPEG", exif=plain)
        index.put(f"gate_{taken.astimezone(local):%Y_%m_%d__%H_%M_%S}.jpg", jpeg.getvalue(), mtime_s=9)
    index.ingest(timezone="Europe/Paris")
    (gate,) = look(index).cameras
    (clock,) = [one.finding for one in gate.findings if one.finding.kind == "clock"]
    assert (clock.since, clock.until) == (begin + timedelta(minutes=245), None)
    assert clock.evidence == {"hours": 2, "images": 15, "all": 0, "exif": 1}
    assert "clock" not in {str(answer.kind) for answer in gate.untold}


@on_sqlite
def test_picture(index: Index, tmp_path: Path) -> None:
    """The picture shows orange where the walker went, and is not written over."""
    put_frames(index, moved_from=None)
    out = tmp_path / "map.png"
    with serial() as executor:
        context = ComparisonContext(index.database, executor, Limits(), index.clock)
        drawn = draw_camera(context, "gate", out=str(out))
        data = out.read_bytes()
        with pytest.raises(PictureError, match="exists already"):
            draw_camera(context, "gate", out=str(out))
    assert drawn.pairs == 29
    assert drawn.never_share > 0.5
    assert out.read_bytes() == data
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR).astype(int)
    assert ((picture[:, :, 2] - picture[:, :, 0]) > 40).mean() > 0.002


@on_sqlite
def test_real_cameras(frames_index: Callable[..., Index]) -> None:
    """Of the sample cameras only the one that sways has a finding, and that is no move."""
    cameras = look(frames_index("balanced")).cameras
    found = {camera.camera: {str(one.finding.kind) for one in camera.findings} for camera in cameras}
    assert found == {name: {"sways"} if name == "c02" else set() for name in found}
    assert len(found) == 8
    ((sways,),) = [camera.findings for camera in cameras if camera.findings]
    evidence = sways.finding.evidence
    assert (evidence["limit"], evidence["images"]) == (2000, 48)
    assert 0 < int(evidence["kept_with"]) <= int(evidence["kept"])
