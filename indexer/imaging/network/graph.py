"""The graph of the network, as ONNX: EfficientNet-Lite0 up to its first block with a stride of 16.

It promises the network of the paper with the batch normalization folded into the convolutions. The padding is explicit
(as TensorFlow pads, one more below and to the right): with `auto_pad` the results of two libraries had nothing in
common. The graph is made once and kept in the user's cache, and made again if it is not whole.

Source: Liu, "Higher accuracy on vision models with EfficientNet-Lite" (2020); Tan and Le, "EfficientNet" (2019).
"""

import hashlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from indexer.domain.feature_layout import CHANNELS, GRID
from indexer.imaging.network.weights import DIGEST, Weights, parse_weights, read_weights_file
from indexer.imaging.private_cache import read_cached, users_cache, write_cached

if TYPE_CHECKING:
    from onnx import NodeProto, TensorProto

INPUT_PX = 448
"""Height and width of the input: (1, 3, 448, 448), float32, RGB."""
_NORMALIZATION_FLOOR = 1e-3
_OPSET, _IR_VERSION = 13, 8  # old enough for every onnxruntime of the extra


@dataclass(frozen=True)
class _Block:
    """An inverted residual block: its kernel and stride, and whether its input is added to its output."""

    kernel: int
    stride: int
    expands: bool = True
    adds_input: bool = False


_BLOCKS = (
    _Block(3, 1, expands=False),
    _Block(3, 2),
    _Block(3, 1, adds_input=True),
    _Block(5, 2),
    _Block(5, 1, adds_input=True),
    _Block(3, 2),
)


def load_graph() -> bytes:
    """The graph from the user's cache, else made now, and kept if the disk allows it.

    Raises `MissingLibraryError` and `EngineError` as `indexer.imaging.network.weights.read_weights_file`.
    """
    with suppress(OSError, RuntimeError):
        cached = read_cached(_cached_path())
        if cached is not None:
            return cached
    graph = build_graph(parse_weights(read_weights_file()))
    with suppress(OSError, RuntimeError):
        write_cached(_cached_path(), graph)
    return graph


def build_graph(weights: Weights) -> bytes:
    """The graph, serialized. Its only input is `image` (`INPUT_PX`), its only output `features`: (1, 80, 28, 28)."""
    from onnx import TensorProto, helper

    builder = _Builder(weights)
    features = builder.build()
    graph = helper.make_graph(
        builder.nodes,
        "features",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, [1, 3, INPUT_PX, INPUT_PX])],
        [helper.make_tensor_value_info(features, TensorProto.FLOAT, [1, CHANNELS, GRID, GRID])],
        builder.tensors,
    )
    opset = [helper.make_opsetid("", _OPSET)]
    model = helper.make_model(graph, opset_imports=opset, ir_version=_IR_VERSION, producer_name="indexer")
    return bytes(model.SerializeToString())


def _cached_path() -> Path:
    """The file of the graph, in a folder that names the weights and the code that makes it."""
    here = Path(__file__).parent
    sources = b"".join((here / name).read_bytes() for name in ("graph.py", "weights.py"))
    digest = hashlib.sha256(DIGEST.encode() + sources).hexdigest()[:16]
    return users_cache() / "indexer" / f"network-{digest}" / "graph.onnx"


class _Builder:
    """The nodes and tensors of the graph, in order."""

    def __init__(self, weights: Weights) -> None:
        self.nodes: list[NodeProto] = []
        self.tensors: list[TensorProto] = []
        self._weights = weights
        self._size = INPUT_PX

    def build(self) -> str:
        """Adds all nodes and returns the name of the output."""
        self._add_tensor("lowest", np.array(0, dtype=np.float32))
        self._add_tensor("highest", np.array(6, dtype=np.float32))
        value = self._convolution("image", "_conv_stem", "_bn0", kernel=3, stride=2, clipped=True)
        for number, block in enumerate(_BLOCKS):
            value = self._block(value, f"_blocks.{number}.", block, is_last=number == len(_BLOCKS) - 1)
        return value

    def _block(self, value: str, prefix: str, block: _Block, *, is_last: bool) -> str:
        entering = value
        if block.expands:
            value = self._convolution(value, f"{prefix}_expand_conv", f"{prefix}_bn0", clipped=True)
        value = self._convolution(
            value,
            f"{prefix}_depthwise_conv",
            f"{prefix}_bn1",
            kernel=block.kernel,
            stride=block.stride,
            is_depthwise=True,
            clipped=True,
        )
        output = "features" if is_last else None
        value = self._convolution(value, f"{prefix}_project_conv", f"{prefix}_bn2", output=output)
        if block.adds_input:
            self._add_node("Add", [value, entering], f"{prefix}sum")
            value = f"{prefix}sum"
        return value

    def _convolution(
        self,
        value: str,
        name: str,
        normalization: str,
        *,
        kernel: int = 1,
        stride: int = 1,
        is_depthwise: bool = False,
        clipped: bool = False,
        output: str | None = None,
    ) -> str:
        """Adds a convolution with its batch normalization, and the clipping to 0 to 6; returns the name of the
        result."""
        kernels, offsets = self._folded(name, normalization)
        self._add_tensor(f"{name}.kernels", kernels)
        self._add_tensor(f"{name}.offsets", offsets)
        convolved = output or f"{name}.result"
        before, after = _padding(self._size, kernel=kernel, stride=stride)
        self._size = -(-self._size // stride)
        self._add_node(
            "Conv",
            [value, f"{name}.kernels", f"{name}.offsets"],
            convolved,
            kernel_shape=[kernel, kernel],
            strides=[stride, stride],
            pads=[before, before, after, after],
            group=len(kernels) if is_depthwise else 1,
        )
        if not clipped:
            return convolved
        self._add_node("Clip", [convolved, "lowest", "highest"], f"{name}.clipped")
        return f"{name}.clipped"

    def _folded(self, name: str, normalization: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """The kernels of a convolution and the offsets of its outputs, with the normalization in them."""
        scale, shift, mean, variance = (
            self._weights[f"{normalization}.{part}"].astype(np.float64)
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = scale / np.sqrt(variance + _NORMALIZATION_FLOOR)
        kernels = self._weights[f"{name}.weight"] * gain[:, np.newaxis, np.newaxis, np.newaxis]
        return np.ascontiguousarray(kernels, dtype=np.float32), (shift - mean * gain).astype(np.float32)

    def _add_tensor(self, name: str, array: NDArray[np.float32]) -> None:
        from onnx import numpy_helper

        self.tensors.append(numpy_helper.from_array(array, name))

    def _add_node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> None:
        from onnx import helper

        self.nodes.append(helper.make_node(operator, inputs, [output], **attributes))


def _padding(size: int, *, kernel: int, stride: int) -> tuple[int, int]:
    """Rows (and columns) of zeros before and after, so that the output has size / stride of them, rounded up."""
    total = max(0, (-(-size // stride) - 1) * stride + kernel - size)
    return total // 2, total - total // 2
