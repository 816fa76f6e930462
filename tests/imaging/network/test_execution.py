"""The network itself: its graph is that of the paper, it is kept, and what it gives is the same again."""

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from indexer.domain.descriptions import FeatureRecipe
from indexer.domain.feature_layout import CHANNELS, GRID, MEASURE, NEUTRAL
from indexer.domain.masks import Mask
from indexer.errors import EngineError
from indexer.imaging.features import distance_of
from indexer.imaging.network import execution, graph, weights
from indexer.imaging.network.execution import make_features, own_recipe, prove, require_network
from indexer.imaging.network.graph import INPUT_PX, build_graph, load_graph
from indexer.imaging.network.weights import Weights, parse_weights, read_weights_file
from tests.support.command import ROOT

for library in ("onnx", "onnxruntime", weights.PACKAGE):
    pytest.importorskip(library, reason=f"needs {library}, of the extra `learned`")

NOTHING = Mask((0, 0, 0, 0), (), None)


@pytest.fixture(scope="module")
def arrays() -> Weights:
    """The weights of the package."""
    return parse_weights(read_weights_file())


def scene(seed: int = 0, *, car: bool = False) -> NDArray[np.uint8]:
    """A road, with some noise: (360, 640, 3), uint8."""
    random = np.random.default_rng(seed)
    image = np.full((360, 640, 3), (110, 120, 118), np.uint8)
    image[:, 200:440] = (70, 70, 72)
    if car:
        cv2.rectangle(image, (280, 150), (350, 230), (30, 40, 180), -1)
        cv2.rectangle(image, (290, 165), (340, 190), (200, 190, 180), -1)
    return (image + random.integers(0, 4, image.shape)).astype(np.uint8)


def largest(image_a: NDArray[np.uint8], image_b: NDArray[np.uint8]) -> float:
    """The distance of two pictures."""
    a, b = (make_features(image, mask=NOTHING).astype(int) for image in (image_a, image_b))
    return distance_of(int(((a - b) ** 2).sum(axis=2).max()))


def test_features_of_a_picture() -> None:
    """They have 80 numbers in each of 28 x 28 cells, each a vector of one length, and are the same a second time."""
    features = make_features(scene(), mask=NOTHING)
    assert (features.shape, features.dtype) == ((GRID, GRID, CHANNELS), np.uint8)
    lengths = np.sqrt(((features[1:].astype(int) - NEUTRAL) ** 2).sum(axis=2))
    assert np.allclose(lengths, 127, atol=3)
    assert np.array_equal(features, make_features(scene(), mask=NOTHING))


def test_noise_is_near_and_a_car_is_far() -> None:
    """Other noise is far below the limit of the profile, and a car is above it."""
    assert largest(scene(1), scene(2)) < 0.2
    assert largest(scene(1), scene(2, car=True)) > 0.35


def reference_map(arrays: Weights, image: NDArray[np.float32]) -> NDArray[np.float64]:
    """The first layer of the network by numpy alone, from its definition: (32, 224, 224)."""
    padded = np.pad(image[0].astype(np.float64), ((0, 0), (0, 1), (0, 1)))
    kernels = arrays["_conv_stem.weight"].astype(np.float64)
    out = np.zeros((32, INPUT_PX // 2, INPUT_PX // 2))
    for y in range(3):
        for x in range(3):
            window = padded[:, y : y + INPUT_PX : 2, x : x + INPUT_PX : 2]
            out += np.einsum("oc,chw->ohw", kernels[:, :, y, x], window)
    scale, shift, mean, variance = (
        arrays[f"_bn0.{part}"].astype(np.float64)[:, None, None]
        for part in ("weight", "bias", "running_mean", "running_var")
    )
    return np.clip((out - mean) / np.sqrt(variance + 1e-3) * scale + shift, 0, 6)


def test_graph_is_the_network(arrays: Weights) -> None:
    """The first layer gives what its definition gives, with batch normalization and padding as TensorFlow's; the last
    has no clipping, and its size is that of the grid."""
    import onnx
    import onnxruntime

    model = onnx.load_from_string(build_graph(arrays))
    onnx.checker.check_model(model)
    model.graph.output.append(
        onnx.helper.make_tensor_value_info("_conv_stem.clipped", onnx.TensorProto.FLOAT, [1, 32, 224, 224])
    )
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    image = np.random.default_rng(3).normal(size=(1, 3, INPUT_PX, INPUT_PX)).astype(np.float32)
    features, first = session.run(None, {"image": image})
    assert np.allclose(first[0], reference_map(arrays, image), atol=1e-4)
    assert features.shape == (1, CHANNELS, GRID, GRID)
    assert features.min() < 0


def test_graph_and_opencv_agree(arrays: Weights, tmp_path: Path) -> None:
    """With explicit padding another library gives the same features, up to the last bits."""
    import onnxruntime

    path = tmp_path / "graph.onnx"
    path.write_bytes(build_graph(arrays))
    image = np.random.default_rng(4).normal(size=(1, 3, INPUT_PX, INPUT_PX)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    net = cv2.dnn.readNetFromONNX(str(path))
    net.setInput(image)
    assert np.allclose(session.run(None, {"image": image})[0], net.forward(), atol=1e-3)


def test_graph_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is made once and read after that; a part of it, as a crash of the disk leaves, is made again."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = load_graph()
    (kept,) = tmp_path.rglob("graph.onnx")
    assert kept.stat().st_mode & 0o077 == kept.parent.stat().st_mode & 0o077 == 0
    with monkeypatch.context() as patch:
        patch.setattr(graph, "build_graph", lambda _: pytest.fail("made again"))
        assert load_graph() == made
    kept.write_bytes(kept.read_bytes()[:-1])
    assert load_graph() == made
    assert list(kept.parent.iterdir()) == [kept]


def test_cache_of_another_user_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that others may write to is not trusted: the graph is made each time."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    made = load_graph()
    (kept,) = tmp_path.rglob("graph.onnx")
    kept.parent.chmod(0o777)
    kept.write_bytes(b"planted")
    assert load_graph() == made
    assert kept.read_bytes() == b"planted"


def test_worker_with_other_features_is_refused() -> None:
    """A process proves that its features are those of the command, before it makes any."""
    recipe = own_recipe(MEASURE)
    prove(recipe)
    with pytest.raises(EngineError, match="differ from those of the command"):
        prove(FeatureRecipe(MEASURE, "0" * 64))


def test_worker_without_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker on which the extra is not installed says so, and on which machine."""
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    monkeypatch.setattr(execution.socket, "gethostname", lambda: "node7")
    with pytest.raises(EngineError, match=r"pip install onnx.*node7"):
        prove(FeatureRecipe(MEASURE, "0" * 64))


def test_measure_of_another_version_is_refused() -> None:
    """Features of a later version are not made by this one."""
    with pytest.raises(EngineError, match="of another version"):
        require_network("resnet-1")


def test_onnxruntime_reports_nothing_to_its_makers(tmp_path: Path) -> None:
    """It collects no facts of the machine and no number of the user: the graph is all that is written for the user."""
    program = "from indexer.imaging.network.execution import own_recipe; own_recipe(" + repr(MEASURE) + ")"
    folders = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path)}
    environment = {"PATH": os.environ["PATH"], **folders}  # without CI, where it reports nothing anyway
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment, timeout=120, check=True)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["graph.onnx"]
