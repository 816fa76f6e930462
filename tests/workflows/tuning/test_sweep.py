"""sweep: what compare would decide at other limits and areas, without opening an image or writing a row."""

import random
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.domain.descriptions import Limits
from indexer.domain.score_bounds import usual_trials
from indexer.errors import CameraError
from indexer.execution import serial
from indexer.store.locks.writer_lock import writer_lock
from indexer.workflows.compare import searcher, simulation
from indexer.workflows.context import ComparisonContext
from indexer.workflows.tuning.sweep import CameraSweep, SweepReport, sweep
from tests.support.databases import Maker, on_postgresql, on_sqlite
from tests.support.index import BIKE, BIRD, CAR, SECOND_BIRD, Index, Mark, name, picture, prepared
from tests.workflows.compare.test_camera import Told
from tests.workflows.compare.test_incremental import new_history

Watch = Callable[[], AbstractContextManager[list[str]]]
Frames = Callable[[str], Index]
Row = tuple[float, float, int, int, int]

VAN: Mark = (10, 25, 9, 90)
SCENES = [(), (BIRD,), (BIKE,), (CAR,), (CAR, BIRD), (VAN,), (BIKE, VAN), (BIRD, SECOND_BIRD), (VAN, CAR)]
LIMITS = [0.0, 900.0, 1000.0, 2000.0, 4000.0, 12_000.0]
AREAS = [0.0, 700.0, 1000.0, 2500.0]


def swept(index: Index, told: Told | None = None, **how: Any) -> SweepReport:
    """What a sweep says."""
    with serial() as here:
        return sweep(ComparisonContext(index.database, told or here, Limits(), index.clock), **how)


def rows(camera: CameraSweep) -> list[Row]:
    """What was tried on a camera, by limit and area."""
    return [(row.max_score, row.min_contour_area, row.kept, row.duplicates, row.size_bytes) for row in camera.rows]


def decided_by_compare(index: Index, limits: Sequence[float], areas: Sequence[float]) -> dict[str, list[Row]]:
    """What compare decides of each camera under a profile of each limit and area."""
    found: dict[str, list[Row]] = {}
    for number, (area, limit) in enumerate((area, limit) for area in areas for limit in limits):
        index.make_profile(f"tried-{number}", max_score=limit, min_contour_area=area)
        index.compare(profile=f"tried-{number}")
        for camera, kept, duplicates, size_bytes in index.rows(
            "SELECT camera, COUNT(CASE WHEN verdict = 'keep' THEN 1 END), "
            "COUNT(CASE WHEN verdict = 'duplicate' THEN 1 END), "
            "SUM(CASE WHEN verdict = 'duplicate' THEN file_size ELSE 0 END) "
            "FROM audit_decisions WHERE state = 'ready' GROUP BY camera"
        ):
            found.setdefault(camera, []).append((limit, area, kept, duplicates, size_bytes))
    return found


def judge(index: Index, image_a_id: int, image_b_id: int, verdict: str) -> None:
    """A person's verdict on a pair."""
    index.execute(
        "INSERT INTO verdicts (image_a_id, image_b_id, verdict, judged_by, judged_at, run_id) "
        "VALUES (?, ?, ?, 'Ada', '2026-01-01 00:00:00.000000', 1)",
        min(image_a_id, image_b_id),
        max(image_a_id, image_b_id),
        verdict,
    )


@prepared
def lots(index: Index) -> None:
    """Two cameras that see the same scenes again and again, one image pinned, two pairs judged; compared."""
    for camera in ("gate", "yard"):
        for minute in range(20):
            height = 80 if minute % 11 == 5 else 64
            index.put(name(minute, camera), picture(*SCENES[minute * 5 % len(SCENES)], height=height, stamp=minute % 7))
    index.ingest()
    index.pin(name(9, "gate"))
    judge(index, 1, 4, "same")
    judge(index, 21, 30, "different")
    index.compare()


def copied(lots: Index, open_index: Callable[..., Index]) -> Index:
    """A copy of the index."""
    return open_index(lots.folder, copy_of=lots.database)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    """However little there is to do, workers get it."""
    monkeypatch.setattr(simulation, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(searcher, "PAIRS_WORTH_SENDING", 0)


@on_sqlite
def test_equals_compare_on_real_frames(frames_index: Frames) -> None:
    """At six limits the sweep tells, for every camera of the sample frames, what compare decides."""
    limits = [0.0, 500.0, 1000.0, 1234.5, 8000.0, 200_000.0]
    index = frames_index("balanced")
    report = swept(index, max_scores=limits)
    assert {camera.camera: rows(camera) for camera in report.cameras} == decided_by_compare(index, limits, [1000.0])


scenes = st.lists(
    st.tuples(st.integers(0, 19), st.sampled_from(["gate", "yard"]), st.integers(0, 8), st.integers(0, 2)),
    min_size=2,
    max_size=12,
)
pairs = st.lists(st.tuples(st.integers(0, 11), st.integers(0, 11), st.sampled_from(["same", "different"])), max_size=3)


often = settings(deadline=None, max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
any_index = given(
    scenes=scenes,
    judged=pairs,
    pinned=st.none() | st.integers(0, 11),
    limits=st.lists(st.sampled_from(LIMITS), min_size=1, max_size=3),
    areas=st.lists(st.sampled_from(AREAS), min_size=1, max_size=2),
    compared=st.booleans(),
)


@on_sqlite
@often
@any_index
def test_equals_compare(maker: Maker, tmp_path: Path, **drawn: Any) -> None:
    """Whatever the cameras show, with or without evidence, a sweep reports what compare decides at each limit and
    area."""
    assert_equals_compare(maker, tmp_path, **drawn)


@on_postgresql
@settings(often, max_examples=3)
@any_index
def test_equals_compare_on_a_server(maker: Maker, tmp_path: Path, **drawn: Any) -> None:
    """On a server, too, a sweep reports what compare decides."""
    assert_equals_compare(maker, tmp_path, **drawn)


def assert_equals_compare(
    maker: Maker,
    tmp_path: Path,
    *,
    scenes: list[tuple[int, str, int, int]],
    judged: list[tuple[int, int, str]],
    pinned: int | None,
    limits: list[float],
    areas: list[float],
    compared: bool,
) -> None:
    """Fills an index, and asserts that a sweep of it reports what compare decides."""
    index = new_history(maker, tmp_path).index
    try:
        files = list({name(minute, camera): (scene, stamp) for minute, camera, scene, stamp in scenes}.items())
        for file, (scene, stamp) in files:
            index.put(file, picture(*SCENES[scene], stamp=stamp))
        index.ingest()
        for a, b, verdict in {frozenset(pair[:2]): pair for pair in judged}.values():
            cameras = [files[number % len(files)][0][:4] for number in (a, b)]
            if a % len(files) != b % len(files) and cameras[0] == cameras[1]:
                judge_files(index, files[a % len(files)][0], files[b % len(files)][0], verdict)
        if pinned is not None:
            index.pin(files[pinned % len(files)][0])
        if compared:
            index.compare()
        report = swept(index, max_scores=limits, min_contour_areas=areas)
        tried_limits, tried_areas = sorted({*limits, 1000.0}), sorted({*areas, 1000.0})
        found = {camera.camera: rows(camera) for camera in report.cameras}
        assert found == decided_by_compare(index, tried_limits, tried_areas)
    finally:
        maker.drop(index.database)


def judge_files(index: Index, file_a: str, file_b: str, verdict: str) -> None:
    """A person's verdict on two files, unless there is one."""
    ids = [
        index.rows("SELECT id FROM images WHERE path = ?", str(index.folder / file))[0][0] for file in (file_a, file_b)
    ]
    if not index.rows("SELECT 1 FROM verdicts WHERE image_a_id = ? AND image_b_id = ?", min(ids), max(ids)):
        judge(index, *ids, verdict)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(("largest", "work"), [(1000, "decide_cameras"), (0, "match_each")])
def test_shared_work_tells_the_same(lots: Index, monkeypatch: pytest.MonkeyPatch, largest: int, work: str) -> None:
    """Whether workers are given whole cameras or searches, the report is that without workers."""
    expected = swept(lots, max_scores=LIMITS, min_contour_areas=AREAS)
    monkeypatch.setattr(simulation, "MAX_IMAGES", largest)
    told = Told()
    assert swept(lots, told, max_scores=LIMITS, min_contour_areas=AREAS) == expected
    assert work in told.asked


@pytest.mark.usefixtures("eager")
def test_worker_lost_over_a_camera(lots: Index) -> None:
    """The camera is tried another way, which needs less memory."""
    assert swept(lots, Told(losing="decide_cameras")) == swept(lots)


def test_opens_no_image_and_writes_nothing(lots: Index, opened_images: Watch) -> None:
    """With every image file gone the sweep says the same, and the database is what it was."""
    expected, before = swept(lots, min_contour_areas=AREAS), lots.dump()
    for path in lots.folder.iterdir():
        path.unlink()
    with opened_images() as opened:
        assert swept(lots, min_contour_areas=AREAS) == expected
    assert (opened, lots.dump()) == ([], before)


def test_works_beside_a_writer(lots: Index) -> None:
    """While another command writes, the sweep says what it said."""
    expected = swept(lots)
    with writer_lock(lots.database, command="ingest", since=lots.clock()), lots.database.write():
        assert swept(lots) == expected


def test_limits_in_force_are_marked(lots: Index) -> None:
    """The limit and the area in force are among what is tried, whatever is named, and marked; there is one total."""
    report = swept(lots, max_scores=[5000.0], min_contour_areas=[10.0])
    current = [(row.max_score, row.min_contour_area) for camera in report.cameras for row in camera.rows if row.current]
    assert current == [(1000.0, 1000.0)] * 2
    assert [(row.max_score, row.min_contour_area, row.current) for row in report.totals] == [
        (1000.0, 10.0, False),
        (5000.0, 10.0, False),
        (1000.0, 1000.0, True),
        (5000.0, 1000.0, False),
    ]
    gate, yard = report.cameras
    sums = [tuple(map(sum, zip(*pair, strict=True))) for pair in zip(rows(gate), rows(yard), strict=True)]
    assert [(row.kept, row.duplicates, row.size_bytes) for row in report.totals] == [total[2:] for total in sums]


def test_without_options_no_two_rows_decide_alike(lots: Index) -> None:
    """What is tried when nothing is named differs from row to row, from stricter to looser than what is in force."""
    for camera in swept(lots).cameras:
        tried = [(row.min_contour_area, row.max_score) for row in camera.rows]
        assert tried == usual_trials(max_score=1000.0, min_contour_area=1000.0)
        assert [row.current for row in camera.rows].count(True) == 1
        similar = [row for row in camera.rows if row.max_score > 0]
        assert [row.kept for row in similar] == sorted((row.kept for row in similar), reverse=True)


def test_one_camera(lots: Index) -> None:
    """One camera alone is tried where it is named; one that there is not is refused."""
    assert swept(lots, camera="yard").cameras == swept(lots).cameras[1:]
    with pytest.raises(CameraError, match="no camera 'roof'"):
        swept(lots, camera="roof")


def test_native_camera_is_left_out(lots: Index) -> None:
    """A profile that caches nothing cannot be swept; what does it instead is named."""
    lots.compare(profile="original")
    (gate, _) = swept(lots).cameras
    assert (gate.camera, gate.profile, gate.images, gate.rows) == ("gate", "original", 20, ())
    assert gate.problem is not None
    assert "has no thumbnails" in gate.problem
    assert "manage.py evaluate" in gate.problem


def test_missing_thumbnails(lots: Index, open_index: Callable[..., Index]) -> None:
    """A camera without thumbnails is left out until compare has made them; the others are reported."""
    expected = swept(lots)
    copy = copied(lots, open_index)
    copy.execute("DELETE FROM thumbnails WHERE image_id IN (3, 7)")
    gate, yard = swept(copy).cameras
    assert yard == expected.cameras[1]
    assert gate.problem == (
        "the thumbnail of image 3 (and of 1 more) under the profile balanced is missing; first: manage.py compare"
    )
    copy.compare()
    assert swept(copy) == expected


def test_spoiled_thumbnail(lots: Index, open_index: Callable[..., Index]) -> None:
    """A camera with a damaged thumbnail is left out; what the reason says to type makes it whole."""
    expected = swept(lots)
    copy = copied(lots, open_index)
    copy.execute("UPDATE thumbnails SET data = substr(data, 1, 200) WHERE image_id = 25")
    gate, yard = swept(copy).cameras
    assert (gate, yard.rows) == (expected.cameras[0], ())
    assert yard.problem is not None
    assert yard.problem.startswith("the thumbnail of image 25 under the profile balanced cannot be read; compare makes")
    copy.make_profile("again", max_score=1000.0, record_limit=5000.0)
    copy.compare(profile="again")
    assert [rows(camera) for camera in swept(copy).cameras] == [rows(camera) for camera in expected.cameras]


def test_empty_index(index: Index) -> None:
    """Where nothing was taken in there is nothing to tell."""
    assert swept(index) == SweepReport(())


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many pairs each walk scored."""
    scored: list[int] = []
    decide = simulation.RepeatedSelection.decide

    def counted(self: Any, *what: Any, **how: Any) -> Any:
        decided = decide(self, *what, **how)
        scored.append(decided.scored)
        return decided

    monkeypatch.setattr(simulation.RepeatedSelection, "decide", counted)
    return scored


def test_what_was_recorded_is_not_scored_again(lots: Index, asked: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit in force, where all evidence is recorded, fewer pairs are scored than compare did; at 0 none is."""
    monkeypatch.setattr(simulation, "MAX_IMAGES", 0)
    scored = sum(camera.scored for camera in lots.compare(profile="plain").cameras)
    recorded = len(lots.evidence("plain"))
    asked.clear()  # compare decides small cameras in the same way
    swept(lots, max_scores=[0.0])
    assert asked[1::2] == [0, 0]
    assert 0 < sum(asked) <= scored - recorded


@on_sqlite
def test_order_of_images_changes_nothing(lots: Index, open_index: Callable[..., Index]) -> None:
    """An index that took in the same files in another order gives the same report."""
    files = [name(minute, camera) for camera in ("yard", "gate") for minute in range(20)]
    plain, other = open_index(lots.folder), open_index(lots.folder)
    plain.ingest()
    random.Random(5).shuffle(files)
    for file in files:
        other.ingest(lots.folder / file)
    assert swept(other) == swept(plain)
