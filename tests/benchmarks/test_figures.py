"""Every figure can be taken: once each, so small that the numbers say nothing."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from tests.benchmarks.figures import BARS, SMALL, measure
from tests.benchmarks.job import has_czkawka

LACKS_CZKAWKA = pytest.mark.skipif(not has_czkawka(), reason="needs the package czkawka: pip install '.[benchmark]'")

LACKS_DASK = pytest.mark.skipif(find_spec("distributed") is None, reason="needs Dask: pip install distributed")
LACKS_NETWORK = pytest.mark.skipif(
    find_spec("onnxruntime") is None, reason="needs onnxruntime: pip install '.[learned]'"
)
LACKS = {"job": [LACKS_CZKAWKA], "cluster": [LACKS_DASK], "learned": [LACKS_NETWORK]}
QUICK = {"ingest", "part", "storage"}  # the others are drills


def list_figures() -> list[Any]:
    """All figures, with what keeps one from being taken here or by default."""
    slow = pytest.mark.drill
    return [pytest.param(name, marks=[*([] if name in QUICK else [slow]), *LACKS.get(name, [])]) for name in SMALL]


@pytest.mark.parametrize("figure", list_figures())
def test_figure_can_be_taken(figure: str, tmp_path: Path) -> None:
    """The figure gives the numbers that its bars look at, and none differ where none may."""
    result = measure(figure, tmp_path, small=True)
    found = {bar.what: bar.value(result) for bar in BARS if bar.figure == figure}
    assert result
    assert not found or any(value is not None for value in found.values())
    exact = [bar for bar in BARS if bar.figure == figure and bar.keys[-1] == "differences"]
    assert {bar.value(result) for bar in exact} <= {0.0, None}


def test_missing_package_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without czkawka there is no figure and a sentence that says what to install."""
    monkeypatch.setattr("tests.benchmarks.job.has_czkawka", lambda: False)
    assert "pip install '.[benchmark]'" in measure("job", tmp_path, small=True)["missing"]
