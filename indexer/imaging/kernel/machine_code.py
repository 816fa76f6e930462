"""The machine code of the kernel: compiled once on a machine, stored as an object file, loaded without numba.

Loading takes some milliseconds; importing numba to do the same takes half a second. It promises that only code of this
source, this processor and these versions is loaded, whole and from a folder that nobody else may write to. It does not
know what the functions do, nor how they are called.

Decision 0053: machine code is stored as object files.
"""

import ctypes
import hashlib
import platform
import re
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from indexer.imaging.private_cache import read_cached, write_cached

_SYMBOL = "indexer_kernel"
_RUNTIME = re.compile(r"^declare (.*@(?:NRT_(?!\w*[Aa]lloc)|numba_)\w+\(.*)$", re.MULTILINE)
_ALLOCATE = re.compile(r"^declare (?:noalias )?(\S+) @NRT_Allocate\(i64[^)]*\).*$", re.MULTILINE)
_GIVE = r"""declare \1 @malloc(i64)
define \1 @NRT_Allocate(i64 %size) {
  %place = call \1 @malloc(i64 %size)
  ret \1 %place
}"""
_FREE = re.compile(r"^declare void @NRT_Free\((\S+?)(?: [^)]*)?\).*$", re.MULTILINE)
_TAKE = r"""declare void @free(\1)
define void @NRT_Free(\1 %place) {
  call void @free(\1 %place)
  ret void
}"""
_engines: list[Any] = []  # their code is freed with them


def load(name: str, *, folder: Path, compiles: bool) -> int | None:
    """The address of the function `name` of `indexer.imaging.kernel.entry_points` in this process.

    If its code is not in the folder, it is compiled first, which takes seconds, or without `compiles` None is returned.

    Raises
    ------
    ImportError
        If there is no numba, or no llvmlite.
    OSError
        If the folder cannot be used.
    RuntimeError
        If the code cannot be made, or cannot be loaded.
    """
    path = _path(name, folder)
    data = read_cached(path)
    if data is None:
        if not compiles:
            return None
        data = _compile(name)
        with suppress(OSError):  # as on a full disk: it is compiled again the next time
            write_cached(path, data)
    return _load_object(data)


def is_stored(name: str, *, folder: Path) -> bool:
    """Whether whole code of the function for this machine is in the folder; raises `ImportError` and `OSError`."""
    return read_cached(_path(name, folder)) is not None


def _path(name: str, folder: Path) -> Path:
    return folder / f"{name}-{_digest_of_machine()}.o"


def _digest_of_machine() -> str:
    """A digest of all that the code depends on beside its source."""
    from llvmlite import binding

    features = binding.get_host_cpu_features().flatten()
    versions = platform.python_version(), version("numba"), version("llvmlite")
    parts = (platform.machine(), binding.get_host_cpu_name(), features, *versions)
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _target_machine() -> Any:
    """The processor of this machine, as numba's own loader describes it."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_default_triple()
    return target.create_target_machine(
        cpu=binding.get_host_cpu_name(),
        features=binding.get_host_cpu_features().flatten(),
        opt=3,
        reloc="static" if target.name.startswith("x86") else "default",
        codemodel="jitdefault",
        jit=True,
    )


def _compile(name: str) -> bytes:
    """The object file of a function; raises `RuntimeError` if its code refers to what another process may not have."""
    from llvmlite import binding
    from numba.core.errors import NumbaError

    from indexer.imaging.kernel import entry_points

    try:
        function = entry_points.compiled(name)
    except NumbaError as problem:
        raise RuntimeError(f"the code of {name} cannot be compiled: {problem}") from problem
    module = binding.parse_assembly(_without_runtime(function.inspect_llvm()))
    module.get_function(function.native_name).name = _SYMBOL
    referred = {one.name for one in (*module.functions, *module.global_variables) if one.is_declaration}
    unknown = sorted(one for one in referred if not one.startswith("llvm.") and not _is_in_every_process(one))
    if unknown:  # loading it would end the process
        raise RuntimeError(f"the code of {name} refers to {', '.join(unknown)}")
    data: bytes = _target_machine().emit_object(module)
    return data


def _without_runtime(assembly: str) -> str:
    """The assembly of a function, with functions in place of those of numba's runtime.

    Two give memory for a copy of a row whose source may overlap it, and take it back; here malloc and free do. The
    others free arrays and raise exceptions. They end the process: the functions of the kernel own no array and raise
    nothing, but the compiler cannot know. What makes arrays is left as it is, and so refused.
    """
    assembly = _ALLOCATE.sub(_GIVE, assembly)
    assembly = _FREE.sub(_TAKE, assembly)
    return _RUNTIME.sub(r"define \1 {\n  call void @abort()\n  unreachable\n}", assembly) + "\ndeclare void @abort()\n"


def _is_in_every_process(symbol: str) -> bool:
    return hasattr(ctypes.CDLL(None), symbol)


def _load_object(data: bytes) -> int:
    from llvmlite import binding

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), _target_machine())
    engine.add_object_file(binding.ObjectFileRef.from_data(data))
    engine.finalize_object()
    _engines.append(engine)
    return int(engine.get_function_address(_SYMBOL))
