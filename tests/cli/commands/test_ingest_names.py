"""`ingest --dry-run` and `camera`: names are shown before anything is made, and a person's answer is taken."""

import errno
import os
import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.support.command import Run, draw


def test_dry_run_makes_no_index(run: Run, lot: Path) -> None:
    """A dry run where there is no index shows cameras and times, and makes no file."""
    before = sorted(lot.parent.rglob("*"))
    answer = run("ingest", lot, "--dry-run", "--json")
    [camera] = answer.document["cameras"]
    assert (answer.code, camera["camera"], camera["files"], camera["first"]) == (
        0,
        "gate",
        6,
        "2026-03-01T12:00:00+00:00",
    )
    assert sorted(lot.parent.rglob("*")) == before
    assert "gate" in run("ingest", lot, "--dry-run").out


def test_held_camera_is_confirmed(run: Run, own_home: Path) -> None:
    """A camera that may be two ends with exit code 1, dry or not, until it is confirmed."""
    for folder, minute in (("a", 0), ("a", 2), ("b", 1)):
        draw(own_home / "lot" / folder / f"gate_2026_03_01__12_0{minute}_00.png")
    assert run("ingest", "lot", "--dry-run").code == 1
    answer = run("ingest", "lot", "--processes", 1, "--json")
    assert (answer.code, answer.document["outcomes"]) == (1, {"skipped": 3})
    assert [held["camera"] for held in answer.document["names"]["held"]] == ["gate"]
    assert run("camera", "confirm", "gates").code == 1
    assert run("camera", "confirm", "gate").code == 0
    assert run("ingest", "lot", "--processes", 1).code == 0
    [camera] = run("camera", "list", "--json").document
    assert (camera["camera"], camera["images"], camera["confirmed"]) == ("gate", 3, True)


def test_what_is_proposed_for_several_cameras_joins_no_places(run: Run, own_home: Path) -> None:
    """Two stations whose cards have the same two words: the command that is proposed makes four cameras of them."""
    for station in ("StationF", "StationG"):
        for minute, card in enumerate(("101NORTH", "102SOUTH", "101NORTH", "102SOUTH")):
            draw(own_home / "cards" / station / "DCIM" / card / f"RCNX000{minute // 2}.png")
    held = " ".join(run("ingest", "cards", "--processes", 1).out.split())
    proposed = re.findall(r"several: \S+ (ingest --pattern '[^']+' \S+)", held)
    assert len(proposed) == 2
    assert proposed[0] == proposed[1]
    assert run(*shlex.split(proposed[0]), "--processes", 1).code == 0
    cameras = [camera["camera"] for camera in run("camera", "list", "--json").document]
    assert cameras == ["StationF/NORTH", "StationF/SOUTH", "StationG/NORTH", "StationG/SOUTH"]


def test_stored_zone_is_shown(run: Run, lot: Path) -> None:
    """Times are shown in the zone that is stored for the folder, and stay UTC in JSON."""
    assert run("ingest", lot, "--timezone", "Europe/Berlin", "--processes", 1).code == 0
    assert "captured 2026-03-01 12:00:00 Europe/Berlin" in run("explain", 1).out
    assert "2026-03-01 12:05:00" in run("status").out
    assert run("explain", 1, "--json").document["captured_at"] == "2026-03-01T11:00:00+00:00"
    [rule] = run("camera", "rules", "--json").document
    assert (rule["folder"], rule["timezone"]) == (str(lot), "Europe/Berlin")


def test_usage(run: Run, lot: Path) -> None:
    """Two answers to one question, an unknown scheme and an unknown zone are refused with exit code 2."""
    for words in (
        ["--camera", "x", "--camera-level", "1"],
        ["--pattern", "(?P<camera>x)", "--scheme", "dahua"],
        ["--scheme", "nonsense"],
        ["--timezone", "Nowhere"],
    ):
        assert run("ingest", lot, *words).code == 2


def test_dry_run_says_what_ingest_would_skip(run: Run, lot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run counts the files that ingest would leave alone, names what cannot be read, and ends as ingest would."""
    closed, list_folder = str(lot / "closed"), os.scandir
    os.mkdir(closed)
    for name in ("gate.mp4", "notes.txt"):
        (lot / name).write_bytes(b"")

    def refuse(path: Any) -> Any:
        if path == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return list_folder(path)

    monkeypatch.setattr(os, "scandir", refuse)
    shown = run("ingest", lot, "--dry-run", "--json")
    done = run("ingest", lot, "--json", "--processes", 1)
    for key in ("skipped", "endings", "refused"):
        assert shown.document[key] == done.document[key]
    assert (shown.code, done.code, sum(shown.document["skipped"].values())) == (1, 1, 3)
    assert [path for path, _ in shown.document["refused"]] == [closed]
