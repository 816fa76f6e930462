"""The formats of `export`, each loaded by the library that it is for; one that is not installed skips, and says so.

`pip install -e '.[consumers]'` brings them. They are large, so no other test needs them.
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.store.schema import open_database
from indexer.workflows.export.export import export
from tests.support.command import make_lot
from tests.support.index import CAR, Index, name, picture


@pytest.fixture
def lot(tmp_path: Path) -> Iterator[Index]:
    """Kept and removed images of two cameras, one of them called `test`, one with a name of odd bytes."""
    folder = tmp_path / "lot"
    make_lot(folder)
    database = open_database(str(tmp_path / "indexer.db"), create=True)
    index = Index(database, folder)
    index.put(name(0, "test"), picture(CAR))
    index.put(os.fsdecode(b'odd\xff,\n"-1623844980000.png'), picture(CAR, stamp=5))
    index.ingest()
    index.compare()
    index.prune()
    yield index
    database.close()


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No library asks a server, or writes outside of the test's folder."""
    for variable in ("HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE", "FIFTYONE_DO_NOT_TRACK", "DVC_NO_ANALYTICS"):
        monkeypatch.setenv(variable, "1")
    monkeypatch.setenv("HF_HOME", str(tmp_path / "huggingface"))


@pytest.mark.drill
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("copies", [False, True])
def test_datasets(lot: Index, tmp_path: Path, copies: bool) -> None:
    """`datasets` loads the folder as one part: every image decodes, and has its camera, decision and reason."""
    datasets = pytest.importorskip("datasets", reason="needs datasets: pip install datasets")
    report = export(lot.database, "imagefolder", str(tmp_path / "set"), which="all", copies=copies)
    loaded = datasets.load_dataset("imagefolder", data_dir=str(tmp_path / "set"))
    assert list(loaded) == ["train"]
    rows = list(loaded["train"])
    assert len(rows) == report.exported == 8
    assert {row["camera"] for row in rows} >= {"gate", "test"}
    assert {row["status"] for row in rows} == {"kept", "removed"}
    assert all(row["image"].size == (row["width"], row["height"]) for row in rows)
    del loaded, rows
    gc.collect()  # files that the library leaves open are closed here, where a warning is none of ours


@pytest.mark.drill
@pytest.mark.filterwarnings("default")
def test_coco(lot: Index, tmp_path: Path) -> None:
    """`pycocotools` loads the list, and each name in it opens an image of the size that the list says."""
    coco = pytest.importorskip("pycocotools.coco", reason="needs pycocotools: pip install pycocotools")
    report = export(lot.database, "coco", str(tmp_path / "coco.json"))
    loaded = coco.COCO(str(tmp_path / "coco.json"))
    images = loaded.loadImgs(loaded.getImgIds())
    assert len(images) == report.exported
    assert all(os.path.isfile(image["file_name"]) and image["width"] > 0 for image in images)


@pytest.mark.drill
@pytest.mark.filterwarnings("default")
def test_fiftyone(lot: Index, tmp_path: Path) -> None:
    """FiftyOne makes a sample of each entry, as `Dataset.from_json` does; its own database is not asked for."""
    fiftyone = pytest.importorskip("fiftyone", reason="needs FiftyOne: pip install fiftyone")
    bson = pytest.importorskip("bson")
    report = export(lot.database, "fiftyone", str(tmp_path / "lot.json"), which="all")
    document = json.loads((tmp_path / "lot.json").read_bytes())
    samples = [fiftyone.Sample.from_dict(sample) for sample in document["samples"]]
    assert len(samples) == report.exported
    assert all(os.path.isfile(sample.filepath) and sample["camera"] for sample in samples)
    assert {tag for sample in samples for tag in sample.tags} == {"kept", "removed"}
    assert all(bson.encode(sample) for sample in document["samples"])


@pytest.mark.drill
@pytest.mark.filterwarnings("default")
def test_dvc(lot: Index, tmp_path: Path) -> None:
    """DVC takes in the files of the list, typed as the documentation says."""
    pytest.importorskip("dvc", reason="needs DVC: pip install dvc")
    report = export(lot.database, "dvc", str(lot.folder / "kept.txt"))
    dvc = f"{sys.executable} -m dvc"
    environment = os.environ | {"HOME": str(tmp_path)}
    for command in (f"{dvc} init -q --no-scm", f"xargs -d '\\n' {dvc} add -q < kept.txt"):
        subprocess.run(command, shell=True, cwd=lot.folder, env=environment, check=True, timeout=300)
    assert len(list(lot.folder.glob("?*.dvc"))) == report.exported
