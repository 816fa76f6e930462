"""evaluate: figures of the decisions that hold, and of those under other profiles and limits; the index stays as it
is."""

import csv
from collections.abc import Callable
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest

from indexer.cli.render import tuning
from indexer.domain.csv_files import PairLabel, StateLabel
from indexer.domain.descriptions import Limits
from indexer.domain.evaluation import PairMetrics, StateMetrics
from indexer.errors import CameraError, ProfileError
from indexer.execution import serial
from indexer.imaging.network import weights
from indexer.store import profiles
from indexer.workflows.compare import searcher, simulation
from indexer.workflows.context import ComparisonContext
from indexer.workflows.tuning.evaluate import Evaluation, EvaluationReport, evaluate
from tests.cli.render.test_reports import said
from tests.support.databases import on_sqlite
from tests.support.index import BIRD, CAR, Index, Mark, name, picture, prepared
from tests.workflows.compare.test_camera import Told

Frames = Callable[[str], Index]

PAGE = Path(__file__).resolve().parents[3] / "docs" / "profiles.md"
GHOST: Mark = (12, 20, 14, 35)
"""Seen by `balanced`, not by `plain`; not where the car is."""
LABELS = [StateLabel(line, str(line), state, None) for line, state in enumerate(["empty", "empty", "car", "ghost"], 1)]


@prepared
def street(index: Index) -> None:
    """An empty place, one bird in it, a car, and a ghost that only `balanced` sees; decided by `plain`."""
    for minute, marks in enumerate([(), (BIRD,), (CAR,), (GHOST,)]):
        index.put(name(minute), picture(*marks))
    index.ingest()
    index.compare(profile="plain")


def evaluated(index: Index, labels: Any = LABELS, told: Told | None = None, **how: Any) -> EvaluationReport:
    """What an evaluation says."""
    with serial() as here:
        return evaluate(ComparisonContext(index.database, told or here, Limits(), index.clock), labels, **how)


def figures(one: Evaluation) -> dict[str, Any]:
    """The figures of each camera."""
    assert one.total is not None
    return {camera.camera: camera.figures for camera in one.cameras}


def test_decisions_that_hold(street: Index) -> None:
    """Without more words the decisions in the index are judged."""
    (one,) = evaluated(street).evaluations
    assert (one.profile, one.max_score) == (None, None)
    assert one.total == StateMetrics(4, 0, 2, 2, 2, 1, 0.5, 3, ("gate: ghost",), 0)
    assert figures(one) == {"gate": StateMetrics(4, 0, 2, 2, 2, 1, 0.5, 3, ("ghost",), 0)}


def test_removed_images_keep_their_decision(street: Index) -> None:
    """What was taken away is judged by the decision that took it; what is not decided is counted as that."""
    expected = evaluated(street)
    street.prune()
    assert evaluated(street) == expected
    street.put(name(4), picture(CAR, BIRD))
    street.ingest()
    (one,) = evaluated(street, [*LABELS, StateLabel(5, name(4), "car", None)]).evaluations
    assert figures(one)["gate"] == StateMetrics(4, 1, 2, 2, 2, 1, 0.5, 3, ("ghost",), 0)


def test_other_profiles(street: Index) -> None:
    """Under other profiles what compare would decide is judged: thumbnails are made, pictures read, nothing is
    written."""
    street.execute("DELETE FROM thumbnails WHERE image_id IN (2, 3)")
    before = street.dump()
    report = evaluated(street, profile_names=["balanced", "plain", "original"])
    assert [(one.profile, one.max_score) for one in report.evaluations] == [
        ("balanced", 1000.0),
        ("plain", 1000.0),
        ("original", 1000.0),
    ]
    assert [one.total.states_lost for one in report.evaluations if isinstance(one.total, StateMetrics)] == [
        (),
        ("gate: ghost",),
        ("gate: empty", "gate: ghost"),  # in native pixels nothing on so small a picture counts
    ]
    assert street.dump() == before


def test_trials_are_what_compare_decides(street: Index) -> None:
    """Each profile and limit is judged as `compare` under such a profile is; limits come in ascending order."""
    report = evaluated(street, profile_names=["balanced", "plain"], max_scores=[60_000.0, 0.0, 2000.0])
    assert len(report.evaluations) == 6
    for number, one in enumerate(report.evaluations):
        street.make_profile(f"tried-{number}", base=one.profile or "", max_score=one.max_score)
        street.compare(profile=f"tried-{number}")
        assert figures(evaluated(street).evaluations[0]) == figures(one)
    assert [one.max_score for one in report.evaluations[:3]] == [0.0, 2000.0, 60_000.0]


def test_limits_alone(street: Index) -> None:
    """Limits without a profile are those of the one in force."""
    (one,) = evaluated(street, max_scores=[1000]).evaluations
    assert (one.profile, one.max_score, figures(one)) == ("plain", 1000.0, figures(evaluated(street).evaluations[0]))


def test_pairs(street: Index) -> None:
    """Judged pairs are counted as pairs."""
    labels = [PairLabel(2, "1", "4", "different"), PairLabel(3, "1", "3", "same"), PairLabel(4, "2", "3", "different")]
    (one, other) = evaluated(street, labels, profile_names=["plain", "balanced"]).evaluations
    assert one.total == PairMetrics(3, 0, 1, 2, 1, 1)
    assert other.total == PairMetrics(3, 0, 1, 2, 0, 1)


def test_workers_change_nothing(street: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """However the work is shared, the figures are the same."""
    expected = evaluated(street, profile_names=["balanced", "original"], max_scores=[0.0, 5000.0])
    monkeypatch.setattr(simulation, "MAX_SERIAL_IMAGES", 0)
    monkeypatch.setattr(searcher, "PAIRS_WORTH_SENDING", 0)
    told = Told()
    assert evaluated(street, told=told, profile_names=["balanced", "original"], max_scores=[0.0, 5000.0]) == expected
    assert {"decide_cameras", "match_each"} <= set(told.asked)


def test_spoiled_thumbnail(street: Index) -> None:
    """A damaged thumbnail is made again from its file, for the time of the trial."""
    expected = evaluated(street, profile_names=["balanced"])
    street.execute("UPDATE thumbnails SET data = substr(data, 1, 200) WHERE image_id = 2")
    before = street.dump()
    assert evaluated(street, profile_names=["balanced"]) == expected
    assert street.dump() == before


@pytest.mark.parametrize("profile", ["balanced", "original"])
def test_file_that_cannot_be_read(street: Index, profile: str) -> None:
    """A camera whose files are not what was indexed has no figures but a reason; the decisions that hold have."""
    street.execute("DELETE FROM thumbnails")
    (street.folder / name(2)).unlink()
    report = evaluated(street, profile_names=[profile])
    ((one, camera),) = report.problems
    assert (one.total, camera.figures, camera.camera) == (None, None, "gate")
    assert camera.problem == f"'{street.folder / name(2)}': No such file or directory; run ingest again"
    assert evaluated(street).problems == []


def test_names_that_do_not_exist(street: Index) -> None:
    """A profile or a camera that there is not is refused."""
    with pytest.raises(ProfileError, match="no profile 'x'"):
        evaluated(street, profile_names=["x"])
    with pytest.raises(CameraError, match="no camera 'x'"):
        evaluated(street, camera="x")


def labels_of(shared_data: Path) -> list[StateLabel]:
    """The labels of the three labelled cameras: empty, or the number of the visit."""
    with (shared_data / "manifest.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["camera"] in ("c01", "c02", "c07")]
    labels: list[StateLabel] = []
    for camera, frames in groupby(rows, key=lambda row: row["camera"]):
        visits = 0
        for present, run in groupby(frames, key=lambda row: row["object_present"]):
            visits += present == "1"
            state = f"visit {visits}" if present == "1" else "empty"
            labels += [StateLabel(len(labels) + 2, row["file"], state, camera) for row in run]
    return labels


@on_sqlite
def test_table_of_the_documentation(frames_index: Frames, shared_data: Path) -> None:
    """The table in docs/profiles.md is what the command prints for the labelled sample frames."""
    for library in ("onnx", "onnxruntime", weights.PACKAGE):
        if find_spec(library) is None:
            pytest.skip(f"needs {library}, of the extra `learned`")
    names = ["balanced", "plain", "colour", "learned", "original"]
    report = evaluated(frames_index("balanced"), labels_of(shared_data), profile_names=names, max_scores=[1000])
    printed = [line.split() for line in said(tuning.render_evaluation, report).splitlines() if line.strip()]
    section = PAGE.read_text(encoding="utf-8").partition("## How good the decisions are\n")[2]
    shown = section.partition("```text\n")[2].partition("```")[0]
    assert [line.split() for line in shown.splitlines()] == printed


@on_sqlite
def test_wrong_removals_by_limit(frames_index: Frames, shared_data: Path) -> None:
    """What docs/profiles.md says of other limits: wrong removals, duplicates, states lost."""
    report = evaluated(
        frames_index("balanced"),
        labels_of(shared_data),
        profile_names=["balanced", "plain"],
        max_scores=[1500, 2000, 4000],
    )
    found = {(one.profile, one.max_score): one.total for one in report.evaluations}
    assert {key: (one.wrong_removals, one.duplicates, one.states_lost) for key, one in found.items()} == {
        ("balanced", 1500.0): (2, 71, ()),
        ("balanced", 2000.0): (2, 70, ()),
        ("balanced", 4000.0): (21, 78, ("c07: empty",)),
        ("plain", 1500.0): (20, 76, ("c07: empty",)),
        ("plain", 2000.0): (22, 77, ("c07: empty",)),
        ("plain", 4000.0): (23, 83, ("c07: empty",)),
    }


@on_sqlite
def test_real_frames(frames_index: Frames, shared_data: Path) -> None:
    """On the labelled sample frames no built-in profile loses a visit, and balanced removes the fewest wrongly."""
    report = evaluated(
        frames_index("balanced"), labels_of(shared_data), profile_names=["balanced", "plain", "colour", "original"]
    )
    totals = {one.profile: one.total for one in report.evaluations}
    assert report.unknown == ()
    assert {profile: (total.images, total.states, total.states_lost) for profile, total in totals.items()} == {
        profile: (145, 15, ()) for profile in ("balanced", "plain", "colour", "original")
    }
    assert {profile: (total.wrong_removals, total.duplicates) for profile, total in totals.items()} == {
        "balanced": (2, 67),
        "plain": (6, 72),
        "colour": (2, 67),
        "original": (6, 66),
    }


@on_sqlite
def test_features_on_sample_frames_without_labels(index: Index, shared_data: Path) -> None:
    """`learned` keeps one or two of the frames in which only the light changes, and a hand before the lens."""
    for library in ("onnx", "onnxruntime", weights.PACKAGE):
        if find_spec(library) is None:
            pytest.skip(f"needs {library}, of the extra `learned`")
    with index.database.write() as session:
        profiles.activate(session, "learned")
    for camera in ("c04", "c06"):
        for path in sorted((shared_data / "frames").glob(f"{camera}*")):
            index.put(path.name, path.read_bytes())
    index.ingest()
    index.compare()
    decisions = index.decisions()
    kept = {
        camera: [file for file, (verdict, *_) in decisions.items() if file[:3] == camera and verdict == "keep"]
        for camera in ("c04", "c06")
    }
    hand = sorted(file for file in decisions if file[:3] == "c04")[-5:]
    assert len(kept["c06"]) in (1, 2)
    assert set(hand) & set(kept["c04"])
