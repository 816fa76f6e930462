"""The names that real cameras and recorders write: each row of names.csv, read together with its siblings."""

import csv
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from indexer.domain.naming.reading import read_path
from indexer.domain.naming.schemes import SCHEMES, Scheme
from tests.support.names import named_tree

ROWS = list(csv.DictReader((Path(__file__).parents[1] / "data" / "names.csv").read_text("utf-8").splitlines()))


def time_of(text: str) -> datetime | None:
    """The time of a row; None where none may be read from the name."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC) if text else None


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["scheme"])
def test_row(row: dict[str, str]) -> None:
    """Camera and time of each row are those that it means, whatever lies beside it."""
    files = [row["path_below_root"], *filter(None, row["siblings"].split(".jpg "))]
    files = [files[0], *(name if os.path.splitext(name)[1] else f"{name}.jpg" for name in files[1:])]
    naming = named_tree("/data/lot", files)[files[0]]
    camera = row["camera"].replace("<root>", "lot") or "lot"
    assert naming.camera == camera
    assert (naming.captured_at if naming.captured_at_source == "name" else None) == time_of(row["captured_at"])


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: scheme.name)
def test_example_of_a_scheme(scheme: Scheme) -> None:
    """The example of each maker is read as it means: by the general rules, and by `--scheme`."""
    siblings = {"motion": ["Yard/02-20240501124045-00.jpg"], "raspistill": ["Nest box/image1714566705.jpg"]}
    files = [scheme.example, *siblings.get(scheme.name, [])]
    for name in (None, scheme.name):
        naming = named_tree("/data/lot", files, scheme=name)[scheme.example]
        assert naming.camera == scheme.camera
        in_name = naming.captured_at if naming.captured_at_source in {"name", "pattern"} else None
        assert in_name == time_of(scheme.captured_at)


def test_reading_is_pure() -> None:
    """The same path is read the same way twice."""
    assert read_path("/data/x/2024/05/01/a.jpg") == read_path("/data/x/2024/05/01/a.jpg")
