"""compare: the expected decisions on real frames, whatever the order, and evidence that is used again."""

import csv
import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from indexer.domain.evidence import ScoringParameters
from indexer.domain.masks import Mask
from indexer.errors import IndexerError
from indexer.execution import ParallelMap, processes
from indexer.imaging.matching import evidence_of_pair
from indexer.imaging.original_profile import preprocess_native
from indexer.workflows.compare import camera as comparing
from indexer.workflows.compare import searcher, small_cameras
from tests.support.databases import on_sqlite
from tests.support.index import BIKE, BIRD, CAR, GHOST, Index, name, picture, prepared

Watch = Callable[[], AbstractContextManager[list[str]]]
Frames = Callable[[str], Index]

KEEP = ("keep", None, None)
SHAPELESS = ("runs", "decisions", "profiles", "scorings", "preparations")  # tables that a switch of profile may touch


def expected_decisions(shared_data: Path, profile: str) -> dict[str, tuple[str, str | None, float | None]]:
    """What the separately written brute force decides of the real frames."""
    with (shared_data / "expected" / f"decisions_{profile}.csv").open() as file:
        return {
            row["file"]: (row["verdict"], row["keeper"] or None, float(row["score"]) if row["score"] else None)
            for row in csv.DictReader(file)
        }


def original_scores(shared_data: Path) -> dict[frozenset[str], float]:
    """What the original script's own functions give for pairs of the real frames."""
    with (shared_data / "expected" / "original_scores.csv").open() as file:
        return {frozenset((row["file_a"], row["file_b"])): float(row["score"]) for row in csv.DictReader(file)}


@pytest.fixture(params=["whole cameras", "inside cameras"])
def two_processes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[ParallelMap | None]:
    """Two workers that last as long as the test and get all there is, however little; None where there are none."""
    if request.param == "none":
        yield None
        return
    monkeypatch.setattr(comparing, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(small_cameras, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(searcher, "PAIRS_WORTH_SENDING", 0)
    if request.param == "inside cameras":
        monkeypatch.setattr(small_cameras, "MAX_IMAGES", 0)
    with processes(2) as spread:
        yield spread


@prepared
def street(index: Index) -> None:
    """A camera that was decided: an empty place, a bird, a bike, a car twice, and a copy."""
    for minute, marks in enumerate([(), (BIRD,), (BIKE,), (CAR,), (CAR, BIRD)]):
        index.put(name(minute), picture(*marks))
    index.put(name(5), picture())
    index.ingest()
    index.compare()


@pytest.mark.parametrize("profile", ["balanced", "plain"])
def test_real_frames_are_decided_as_expected(frames_index: Frames, shared_data: Path, profile: str) -> None:
    """The decisions on the sample frames are those of the separately written brute force, row by row."""
    assert frames_index(profile).decisions() == expected_decisions(shared_data, profile)


def test_original_scores_every_pair_as_the_script_did(shared_data: Path) -> None:
    """The profile `original` gives the 152 numbers of the original script, to the last bit."""
    measure = ScoringParameters(45, 2, 1000.0, native=True, max_score=1000.0, record_limit=4000.0)
    expected = original_scores(shared_data)
    images = {
        file: preprocess_native((shared_data / "frames" / file).read_bytes(), mask=Mask((5, 10, 5, 0)))
        for file in sorted(set().union(*expected))
    }
    found = {pair: evidence_of_pair(*(images[file] for file in pair), scoring=measure).score for pair in expected}
    assert (len(found), found) == (152, expected)


def test_original_records_the_script_s_scores(frames_index: Frames, shared_data: Path) -> None:
    """Of the pairs that `compare` met and recorded under `original`, every one has the script's number."""
    recorded = {pair: found[0] for pair, found in frames_index("original").evidence("original").items()}
    common = {pair: score for pair, score in original_scores(shared_data).items() if pair in recorded}
    assert len(common) > 20
    assert {pair: recorded[pair] for pair in common} == common


def in_batches(index: Index, files: list[str], *, spread: ParallelMap | None = None) -> None:
    """Ingests the files in ten batches of random sizes, in this order, and compares after each."""
    cuts = sorted(random.Random(len(files)).sample(range(1, len(files)), 9))
    for first, last in zip([0, *cuts], [*cuts, len(files)], strict=True):
        index.ingest(*(index.folder / file for file in files[first:last]), spread=spread)
        index.compare(spread=spread)


@on_sqlite
@pytest.mark.parametrize(
    ("two_processes", "seed"), [("whole cameras", None), ("inside cameras", 2), ("none", 1)], indirect=["two_processes"]
)
def test_order_batches_and_workers_change_nothing(
    frames_index: Frames, open_index: Callable[..., Index], two_processes: ParallelMap | None, seed: int | None
) -> None:
    """Ten batches in any order, on one or two processes, decide what one batch decides, on equal evidence."""
    whole = frames_index("balanced")
    files = sorted((path.name for path in whole.folder.iterdir()), reverse=True)
    if seed is not None:
        random.Random(seed).shuffle(files)
    index = open_index(whole.folder)
    in_batches(index, files, spread=two_processes)
    assert index.decisions() == whole.decisions()
    both = index.evidence().keys() & whole.evidence().keys()
    assert len(both) > 100
    assert {pair: index.evidence()[pair] for pair in both} == {pair: whole.evidence()[pair] for pair in both}


@on_sqlite
@pytest.mark.parametrize(
    ("two_processes", "profile"),
    [("whole cameras", "balanced"), ("inside cameras", "balanced"), ("inside cameras", "original")],
    indirect=["two_processes"],
)
def test_two_processes_meet_the_pairs_of_the_serial_walk(
    frames_index: Frames, two_processes: ParallelMap, profile: str
) -> None:
    """Within one batch two processes record exactly what one does, to the last row, and count the same."""
    serial, parallel = frames_index("ingest"), frames_index("ingest")
    expected = serial.compare(profile=profile)
    found = parallel.compare(profile=profile, spread=two_processes)
    assert found == expected
    assert parallel.dump(without=("runs",)) == serial.dump(without=("runs",))


def test_rerun_opens_and_writes_nothing(frames_index: Frames, opened_images: Watch) -> None:
    """A second ingest and compare open no image file and leave nothing new in the database but their run rows."""
    index = frames_index("balanced")
    before = index.dump()
    with opened_images() as opened:
        ingested, compared = index.ingest(), index.compare()
    after = index.dump()
    assert (opened, dict(ingested.outcomes)) == ([], {"unchanged": 246})
    assert (compared.counts["decided"], compared.counts["scored"]) == (0, 0)
    assert {table for table in after if after[table] != before[table]} == {"runs"}
    assert [row for row in before["runs"] if row not in after["runs"]] == []


def test_real_evidence_serves_another_limit(frames_index: Frames, opened_images: Watch) -> None:
    """Another maximum keeps every recorded row as it is and opens no image; only unrecorded pairs are scored."""
    index = frames_index("balanced")
    index.make_profile("wide", max_score=2000.0)
    before = index.dump()
    with opened_images() as opened:
        index.compare(profile="wide")
    after = index.dump()
    assert opened == []
    assert set(before["scores"]) <= set(after["scores"])
    assert after["thumbnails"] == before["thumbnails"]


def test_another_limit_scores_no_recorded_pair(street: Index, opened_images: Watch) -> None:
    """Where every pair that it needs is recorded, another maximum scores nothing at all."""
    street.execute("DELETE FROM decisions WHERE image_id IN (4, 5)")
    street.execute("UPDATE images SET state = 'missing' WHERE id IN (4, 5)")
    street.make_profile("wide", max_score=3500.0)
    with opened_images() as opened:
        report = street.compare(profile="wide")
    assert (opened, report.counts["scored"]) == ([], 0)
    assert street.decisions()[name(1)] == ("duplicate", name(2), pytest.approx(3278.873))


def test_another_least_area_uses_the_thumbnails(street: Index, opened_images: Watch) -> None:
    """Another minimum area scores again from the cached thumbnails, without opening an image."""
    street.make_profile("fine", min_contour_area=100.0)
    before = street.dump()["thumbnails"]
    with opened_images() as opened:
        report = street.compare(profile="fine")
    assert (opened, report.counts["decided"], report.counts["scored"] > 0) == ([], 6, True)
    assert street.dump()["thumbnails"] == before


@pytest.mark.parametrize("changes", [{"work_width": 160}, {"mask": "20,20,20,20"}])
def test_another_preparation_reads_each_file_once(street: Index, opened_images: Watch, changes: dict[str, int]) -> None:
    """Another width or mask makes the missing thumbnails from the files, once, and only once."""
    street.make_profile("other", **changes)
    with opened_images() as opened:
        street.compare(profile="other")
        street.compare()
    assert sorted(map(street.file, opened)) == sorted(street.decisions())
    assert street.rows("SELECT preparation_id, count(*) FROM thumbnails GROUP BY 1")[0][1] == 6


def test_changed_file_holds_its_camera_back(street: Index) -> None:
    """A file that is not what was indexed leaves its camera's decisions as they are; other cameras are decided."""
    street.put(name(0, "yard"), picture())
    street.ingest()
    street.compare()
    before = street.decisions()
    street.put(name(1), picture(BIRD, stamp=1))
    street.make_profile("other", work_width=160, max_score=50_000.0)
    gate, yard = street.compare(profile="other").cameras
    assert (gate.decided, "not what was indexed" in str(gate.problem), yard.decided) == (0, True, 1)
    assert street.decisions() == before
    street.ingest()
    assert [camera.problem for camera in street.compare().cameras] == [None, None]


def test_missing_file_holds_back_what_reads_files(street: Index) -> None:
    """`original` reads the files themselves: one that is gone holds the camera back, by name."""
    (street.folder / name(3)).unlink()
    before = street.decisions()
    [gate] = street.compare(profile="original").cameras
    assert name(3) in str(gate.problem)
    assert street.decisions() == before


def test_switching_back_gives_the_first_decisions(index: Index) -> None:
    """A profile gives its decisions again after others were in force, whatever came between."""
    for minute, marks in enumerate([(), (GHOST,), (CAR,), (BIKE,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    seen = []
    for profile in ("balanced", "plain", "balanced", "original", "balanced"):
        assert index.compare(profile=profile).activated == (None if not seen else profile)
        seen.append(index.decisions())
    assert seen[0] == seen[2] == seen[4] != seen[1]


def test_profile_stays_in_force(index: Index) -> None:
    """The profile once given to compare decides what comes later, and ingest prepares for it."""
    index.put(name(0), picture())
    index.ingest()
    index.compare(profile="plain")
    index.put(name(1), picture(GHOST))
    index.ingest()
    assert [camera.profile for camera in index.compare().cameras] == ["plain"]
    assert index.decisions() == {name(0): KEEP, name(1): ("duplicate", name(0), 0.0)}


def test_camera_with_a_profile_of_its_own(street: Index) -> None:
    """A camera's own profile decides it, whichever is active."""
    street.execute("UPDATE cameras SET profile_id = (SELECT id FROM profiles WHERE name = 'plain')")
    report = street.compare()
    assert [camera.profile for camera in report.cameras] == ["plain"]
    assert {profile for (profile,) in street.rows("SELECT profile FROM audit_decisions")} == {"plain"}


def test_another_aspect_is_another_view(index: Index) -> None:
    """Images of one camera whose thumbnails differ in shape are never duplicates; other sizes of one shape are."""
    for minute, (height, width) in enumerate([(64, 96), (64, 128), (128, 192), (96, 64)]):
        index.put(name(minute), picture(height=height, width=width))
    index.ingest()
    index.compare()
    assert index.decisions() == {
        name(0): ("duplicate", name(2), 0.0),
        name(1): KEEP,
        name(2): KEEP,
        name(3): KEEP,
    }


def test_original_compares_across_sizes(index: Index) -> None:
    """In the profile `original` any two sizes of a camera are comparable, the larger shrunk to the smaller."""
    for minute, (height, width) in enumerate([(64, 96), (128, 192), (64, 128)]):
        index.put(name(minute), picture(height=height, width=width))
    index.ingest()
    index.compare(profile="original")
    assert index.decisions() == {
        name(0): ("duplicate", name(1), 0.0),
        name(1): KEEP,
        name(2): ("duplicate", name(1), 0.0),
    }


def test_identical_copies_need_no_score(index: Index) -> None:
    """Byte-equal images of one camera are duplicates with score 0 and no evidence; of two cameras they are not."""
    for file in (name(0), name(1), name(0, "yard")):
        index.put(file, picture())
    index.ingest()
    report = index.compare()
    found = index.rows("SELECT path, verdict, score, reason FROM audit_decisions ORDER BY path")
    assert [(index.file(path), *rest) for path, *rest in found] == [
        (name(0), "keep", None, "new"),
        (name(1), "duplicate", 0.0, "identical"),
        (name(0, "yard"), "keep", None, "new"),
    ]
    assert (report.counts["scored"], index.evidence()) == (0, {})


@pytest.mark.parametrize("profile", ["balanced", "original"])
def test_verdicts_outrank_everything(index: Index, profile: str) -> None:
    """What a person said of a pair outranks equal bytes, shape and score, and the decision says who."""
    large = picture(height=128, width=192)
    for minute, content in {0: large, 9: large, 1: picture(CAR), 2: picture(width=128)}.items():
        index.put(name(minute), content)
    index.ingest()
    ids = {index.file(path): image_id for path, image_id in index.rows("SELECT path, id FROM images")}
    for minute, verdict in ((9, "different"), (1, "same"), (2, "same")):
        index.execute(
            "INSERT INTO verdicts (image_a_id, image_b_id, verdict, judged_by, judged_at, run_id) "
            "VALUES (?, ?, ?, 'Ana', '2026-01-01 00:00:00', 1)",
            *sorted((ids[name(0)], ids[name(minute)])),
            verdict,
        )
    index.compare(profile=profile)
    assert index.decisions() == {
        name(0): KEEP,
        name(9): KEEP,
        name(1): ("duplicate", name(0), None),
        name(2): ("duplicate", name(0), None),
    }
    found = index.rows("SELECT reason, decided_by FROM audit_decisions ORDER BY 1, 2")
    assert found == [("new", "compare")] * 2 + [("verdict", "Ana")] * 2


def test_what_a_cut_walk_scored_is_kept(frames_index: Frames, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut off inside a camera, its scores so far stay, its decisions do not change, and no pair is scored again."""
    monkeypatch.setattr(small_cameras, "MAX_IMAGES", 0)
    index = frames_index("ingest")
    done = []

    def interrupting(_stage: str, _total: int | None) -> Callable[[int], None]:
        def advance(count: int) -> None:
            done.append(count)
            if len(done) == 55:
                raise KeyboardInterrupt

        return advance

    with pytest.raises(KeyboardInterrupt):
        index.compare(progress=interrupting)
    kept = index.dump()["scores"]
    assert (len(kept) > 0, index.decisions()) == (True, {})
    whole = frames_index("ingest")
    recorded = whole.compare().counts["recorded"]
    assert index.compare().counts["recorded"] == recorded - len(kept)
    assert (set(kept) <= set(index.dump()["scores"]), index.decisions()) == (True, whole.decisions())


def test_empty_index_has_nothing_to_compare(index: Index) -> None:
    """Comparing an index without images is done at once, and is a run."""
    assert index.compare().cameras == []
    assert index.rows("SELECT command, outcome FROM audit_runs") == [("compare", "done")]


@pytest.mark.parametrize("asked", [{"camera": "nowhere"}, {"profile": "unknown"}])
def test_unknown_names_are_refused_before_a_run(street: Index, asked: dict[str, str]) -> None:
    """An unknown camera or profile is refused by name, and nothing is written."""
    before = street.dump()
    with pytest.raises(IndexerError, match=r"nowhere|unknown"):
        street.compare(**asked)
    assert street.dump() == before


def test_one_camera_alone(street: Index) -> None:
    """With a camera's name the others are left undecided."""
    street.put(name(0, "yard"), picture())
    street.put(name(6), picture(CAR))
    street.ingest()
    assert [result.camera for result in street.compare(camera="yard").cameras] == ["yard"]
    assert (name(6) in street.decisions(), street.decisions()[name(0, "yard")]) == (False, KEEP)
