"""The profile `learned`: features beside the thumbnails, from ingest to the reasons that are told.

The network is a stub (`tests/support/stub_network.py`), except where a test says so.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest

from indexer.domain.csv_files import StateLabel
from indexer.domain.descriptions import Limits
from indexer.domain.feature_layout import feature_rows
from indexer.errors import EngineError, IndexerError, MissingLibraryError, ProfileError
from indexer.execution import processes, serial
from indexer.imaging import matching
from indexer.imaging.network import weights
from indexer.imaging.thumbnails import decode
from indexer.store import profiles
from indexer.store.borderline import list_borderline
from indexer.workflows.admin.forget import forget, parse_scope
from indexer.workflows.compare import camera_part, sieve
from indexer.workflows.context import ComparisonContext
from indexer.workflows.record.usable_cameras import require_thumbnails
from indexer.workflows.report.report import report
from indexer.workflows.review.explain import explain_image, explain_pair
from indexer.workflows.review.pair_picture import PictureSource
from indexer.workflows.tuning.evaluate import evaluate
from indexer.workflows.tuning.sweep import sweep
from tests.support.brute_force import assert_promises
from tests.support.databases import on_sqlite
from tests.support.index import BIKE, BIRD, CAR, GHOST, Index, name, picture
from tests.support.stub_network import stubbed_network
from tests.workflows.review.test_pair_picture import drawn

SHADOW = (40, 30, 14, 60)
"""Between the two distances, and beyond the limit of the score."""
SPOT = (41, 30, 2, 110)
"""Between the two distances, and too small to count."""
SCENES = {"ghost": GHOST, "car": CAR, "shadow": SHADOW, "spot": SPOT}
"""By camera, what it shows in the second of two pictures."""
WITHOUT = "indexer.imaging.network.weights.find_spec"


@pytest.fixture
def stubbed() -> Iterator[None]:
    """The stub instead of the network."""
    with stubbed_network():
        yield


@contextmanager
def lacking_extra(problem: IndexerError | None = None) -> Iterator[None]:
    """The stub as it would be without the extra, or with another problem: it makes no features."""
    problem = problem or MissingLibraryError("pip install")
    with ExitStack() as patches:
        for lacking in ("required_features.require_network", "profile_parameters.own_recipe"):
            patches.enter_context(mock.patch(f"indexer.workflows.{lacking}", side_effect=problem))
        yield


def put_scenes(index: Index) -> list[str]:
    """Two pictures of each camera; the names of the files."""
    files = {
        name(minute, camera): marks for camera, mark in SCENES.items() for minute, marks in ((0, ()), (1, (mark,)))
    }
    for file, marks in files.items():
        index.put(file, picture(*marks))
    return list(files)


def filled(index: Index, *, profile: str = "learned") -> Index:
    """An index of these pictures, decided by the profile."""
    put_scenes(index)
    index.ingest()
    index.compare(profile=profile)
    return index


def kept_of(index: Index) -> dict[str, int]:
    """How many images of each camera are kept."""
    found = index.rows("SELECT camera, COUNT(*) FROM audit_decisions WHERE verdict = 'keep' GROUP BY camera")
    return dict(found)  # type: ignore[arg-type]


def pair_of(index: Index, camera: str) -> tuple[str, str]:
    """The two images of a camera, by path."""
    return str(index.folder / name(0, camera)), str(index.folder / name(1, camera))


def context_of(index: Index, executor: object) -> ComparisonContext:
    return ComparisonContext(index.database, executor, Limits(), index.clock)  # type: ignore[arg-type]


@pytest.mark.usefixtures("stubbed")
def test_distance_decides_beside_the_score(index: Index) -> None:
    """A change that the features call alike is a duplicate whatever its area; one that they call different is kept
    whatever its area; in between the area decides."""
    filled(index)
    assert_promises(index.rows, "learned")
    assert kept_of(index) == {"ghost": 1, "car": 2, "shadow": 2, "spot": 1}
    evidence = {
        camera: (score, distance, area)
        for camera, score, distance, area in index.rows(
            "SELECT camera, score, distance, changed_area FROM audit_scores"
        )
    }
    score, distance, area = evidence["ghost"]
    assert (score, distance < 0.35, area > 1000) == (0.0, True, True)
    score, distance, area = evidence["spot"]
    assert (0.35 < distance < 0.6, score == area < 1000) == (True, True)
    assert "car" not in evidence  # the whole frame is above the record limit
    index.compare(profile="balanced")
    assert kept_of(index) == {"ghost": 2, "car": 2, "shadow": 2, "spot": 1}


@pytest.mark.usefixtures("stubbed")
def test_features_are_made_once(index: Index) -> None:
    """They are made at ingest where the profile in force has them, else by compare, and never again."""
    index.put(name(0), picture())
    index.ingest()
    with mock.patch("indexer.imaging.file_description.make_features") as made:
        made.side_effect = RuntimeError
        assert index.compare(profile="balanced").held_back == []
    index.compare(profile="learned")
    index.put(name(1), picture(CAR))
    index.ingest()
    with mock.patch("indexer.imaging.file_description.make_features") as made:
        made.side_effect = RuntimeError
        assert index.compare().held_back == []
        assert index.compare(profile="balanced").held_back == []
        assert index.compare(profile="learned").held_back == []
    stored = index.rows(
        "SELECT height, width, data FROM thumbnails JOIN preparations ON preparations.id = preparation_id "
        "WHERE parameters LIKE '%features%'"
    )
    assert len(stored) == 2
    for height, width, data in stored:
        assert decode(data).shape == (height, width) == (213 + feature_rows(320), 320)


@on_sqlite
@pytest.mark.usefixtures("stubbed")
def test_part_of_a_camera_and_signatures(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """A camera that is decided from a part, with more keepers than signatures begin with, is decided as a whole one."""
    monkeypatch.setattr(camera_part, "MIN_IMAGES", 2)
    monkeypatch.setattr(camera_part, "MIN_KEEPERS", 1)
    monkeypatch.setattr(sieve, "MIN_CANDIDATES", 1)
    monkeypatch.setattr(matching, "PAIRS_BEFORE_COMPILED", 0)
    for minute, marks in enumerate([(), (GHOST,), (CAR,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.compare(profile="learned")
    for minute, marks in enumerate([(SHADOW,), (SPOT,), (), (CAR,), (BIKE,), (BIRD, CAR)], start=10):
        index.put(name(minute), picture(*marks, stamp=1))
        index.ingest()
        index.compare()
        assert_promises(index.rows, "learned")
    assert index.rows("SELECT COUNT(*) FROM signatures") == [(0,)]


@pytest.mark.usefixtures("stubbed")
def test_sweep_tries_other_distances(index: Index) -> None:
    """Each distance keeps what compare keeps with it, and that in force is always among them."""
    filled(index)
    with serial() as executor:
        swept = sweep(context_of(index, executor), max_distances=[0.0, 0.05, 0.5])
    kept = {row.max_distance: row.kept for row in swept.totals if row.max_score == 1000.0}
    assert kept.keys() == {0.0, 0.05, 0.35, 0.5}
    assert [row.max_distance for row in swept.totals if row.current] == [0.35]
    for distance, expected in kept.items():
        index.make_profile(f"d{distance}", base="learned", max_distance=distance)
        assert index.compare(profile=f"d{distance}").counts["kept"] == expected
    assert kept == {0.0: 7, 0.05: 7, 0.35: 6, 0.5: 5}


def test_sweep_of_distances_needs_features(index: Index) -> None:
    """Where no profile in force has features, there is nothing to try, and one sentence says so."""
    index.put(name(0), picture())
    index.ingest()
    with serial() as executor, pytest.raises(ProfileError, match="no camera here has a profile with features"):
        sweep(context_of(index, executor), max_distances=[0.2])


@pytest.mark.usefixtures("stubbed")
def test_details_have_the_distance(index: Index) -> None:
    """The distance and the area that it outranks are in the details of an image, of a pair, and of close decisions."""
    filled(index)
    ghost = next(
        decision
        for path in pair_of(index, "ghost")
        if (decision := explain_image(index.database, path).decision) is not None and decision.keeper_id is not None
    )
    assert ghost.distance is not None
    assert ghost.changed_area is not None
    assert (ghost.score, ghost.closeness, ghost.changed_area > 1000) == (0.0, ghost.distance / 0.35, True)
    pair = explain_pair(index.database, *pair_of(index, "car"))
    assert pair.computed is not None
    assert (pair.computed.score, pair.computed.distance or 0) == (307_200.0, pytest.approx(0.93, abs=0.1))
    with index.database.read() as session:
        assert len(list_borderline(session, limit=5, camera_id=None)) == 2


@on_sqlite
@pytest.mark.usefixtures("stubbed")
def test_thumbnail_is_shown_as_one_frame(index: Index, tmp_path: Path) -> None:
    """Where there is nothing left but the thumbnail, people see its frame, without the features below; and the pair is
    shaded where the features differ."""
    filled(index)
    index.execute("DELETE FROM thumbnails WHERE height < 300")
    for path in index.folder.iterdir():
        path.unlink()
    shown = drawn(index, tmp_path / "out.png", *(os.path.basename(path) for path in pair_of(index, "car")))
    assert (shown.left.source, shown.right.source) == (PictureSource.THUMBNAIL, PictureSource.THUMBNAIL)
    pixels = cv2.imread(str(tmp_path / "out.png")).astype(int)
    assert pixels.shape[0] < 450
    greener = pixels[:, :, 1] - pixels[:, :, 2] == 40
    assert greener[:, 984:].sum() > 100
    assert not greener[:, :984].any()
    with serial() as here:
        made = report(context_of(index, here), guarded_executor=here, folder=str(tmp_path / "pages"))
    assert made.pictures.from_index + made.pictures.reused == 2 * len(SCENES)
    shapes = {cv2.imread(str(path)).shape for path in (tmp_path / "pages" / "pictures").rglob("*.jpg")}
    assert shapes == {(213, 320, 3)}
    texts = "".join(path.read_text() for path in (tmp_path / "pages").rglob("*.html"))
    assert "alike below 0.35" in texts


@on_sqlite
@pytest.mark.usefixtures("stubbed")
def test_forgotten_images_take_their_features_along(index: Index) -> None:
    """After `forget` a new image with the id of a forgotten one is compared by its own features."""
    index.put("batch1/" + name(0), picture())
    index.put("batch2/" + name(1), picture(GHOST))
    index.ingest()
    index.compare(profile="learned")
    forget(index.database, parse_scope(str(index.folder / "batch2"), camera=None), clock=index.clock)
    index.put("batch3/" + name(2), picture(CAR))
    index.ingest(index.folder / "batch3")
    index.compare()
    assert_promises(index.rows, "learned")
    assert {file: verdict[0] for file, verdict in index.decisions().items()} == {
        "batch1/" + name(0): "keep",
        "batch3/" + name(2): "keep",
    }


def test_missing_extra_is_named_before_any_work(index: Index) -> None:
    """Without the extra the profile is listed; compare and ingest say what to install, and write nothing."""
    index.put(name(0), picture())
    index.ingest()
    with index.database.read() as session:
        assert "learned" in {stored.profile.name for stored in profiles.list_profiles(session)}
    before = index.dump(without=("runs",))
    with mock.patch(WITHOUT, return_value=None):
        with pytest.raises(MissingLibraryError, match="pip install onnx onnxruntime"):
            index.compare(profile="learned")
        assert index.dump(without=("runs",)) == before
        index.compare()
        with index.database.write() as session:
            profiles.activate(session, "learned")
        index.put(name(1), picture(CAR))
        with pytest.raises(MissingLibraryError, match="pip install onnx onnxruntime"):
            index.ingest()
        index.compare(profile="balanced")  # the way back needs no extra
    assert index.rows("SELECT COUNT(*) FROM images") == [(1,)]
    assert index.rows("SELECT name FROM profiles WHERE active") == [("balanced",)]


@pytest.mark.usefixtures("stubbed")
def test_stored_features_need_no_extra(index: Index) -> None:
    """Where no feature is to be made, compare and evaluate need no extra, and decide as with it; another image that
    has none needs it again."""
    filled(index)
    kept, labels = kept_of(index), [StateLabel(2, name(0, "ghost"), "empty", "ghost")]
    index.compare(profile="balanced")
    with lacking_extra(), serial() as executor:
        (tried,) = evaluate(context_of(index, executor), labels, profile_names=["learned"]).evaluations
        index.compare(profile="learned")
        assert (kept_of(index), tried.total is not None) == (kept, True)
        with index.database.write() as session:
            profiles.activate(session, "balanced")
        index.put(name(5, "ghost"), picture(CAR))
        index.ingest()
        before = index.dump(without=("runs",))
        with pytest.raises(MissingLibraryError, match="pip install"):
            evaluate(context_of(index, executor), labels, profile_names=["learned"])
        with pytest.raises(MissingLibraryError, match="pip install"):
            index.compare(profile="learned")
        assert index.dump(without=("runs",)) == before


@on_sqlite
@pytest.mark.usefixtures("stubbed")
@pytest.mark.parametrize("problem", [MissingLibraryError("pip install"), EngineError("the weights are others")])
def test_removed_images_wait_for_the_network(index: Index, problem: IndexerError) -> None:
    """What removed images would be by a profile whose features they lack is left for a compare that can make them."""
    index.put(name(0), picture())
    index.put(name(1), picture(BIRD))
    index.ingest()
    index.compare(profile="plain")
    index.prune()
    index.compare(profile="learned")
    judged = "SELECT COUNT(*) FROM reconsidered"
    index.execute("DELETE FROM thumbnails WHERE image_id = (SELECT image_id FROM removals)")
    index.execute("DELETE FROM reconsidered")
    with lacking_extra(problem):
        index.compare()
    assert index.rows(judged) == [(0,)]
    index.compare()
    assert index.rows(judged) == [(1,)]


def test_live_cameras_are_refused(index: Index) -> None:
    """Frames of live cameras get no features, so such a camera is refused before it is opened."""
    with index.database.write() as session:
        profiles.activate(session, "learned")
    with pytest.raises(ProfileError, match="whose features record does not make"):
        require_thumbnails(index.database, ["gate"])


@on_sqlite
@pytest.mark.parametrize("workers", [1, 2])
def test_the_network_itself(index: Index, workers: int) -> None:
    """From files to decisions with the real network, in this process and in workers, alike."""
    for library in ("onnx", "onnxruntime", weights.PACKAGE):
        pytest.importorskip(library, reason=f"needs {library}, of the extra `learned`")
    with index.database.write() as session:
        profiles.activate(session, "learned")
    files = put_scenes(index)
    with nullcontext(None) if workers == 1 else processes(workers) as executor:
        index.ingest(spread=executor)
        index.compare(spread=executor)
    assert_promises(index.rows, "learned")
    thumbnails = index.rows("SELECT image_id, data FROM thumbnails ORDER BY image_id")
    assert len(thumbnails) == len(files)
    assert len({np.asarray(decode(data)[-196:]).tobytes() for _, data in thumbnails}) > 1


@on_sqlite
def test_worker_that_makes_other_features_ends_the_run(index: Index) -> None:
    """A worker whose probe pictures give another digest makes no features: one sentence, and nothing is stored."""
    index.put(name(0), picture())
    with stubbed_network(), mock.patch("indexer.imaging.file_description.prove", side_effect=EngineError("differ")):
        with index.database.write() as session:
            profiles.activate(session, "learned")
        with pytest.raises(EngineError, match="differ"):
            index.ingest()
    assert index.rows("SELECT COUNT(*) FROM images") == [(0,)]
