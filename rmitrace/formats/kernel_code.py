"""Kernels as object code: Numba compiles one (see kernel_build), for the types it is called with, once. From then on the system
loads it, as a library that its linker made of it; where there is no linker, or such a library cannot be loaded, llvmlite does.

Importing Numba takes longer than most sources are read in, llvmlite some 50 ms, a library less than 1 ms. A kernel takes arrays
of one dimension and integers, gives back integers or flags, and must not raise: there is nobody who would take it. Of an array
it has the address alone, so how long one is has to be told; indices are not checked, and division by zero gives 0. While one
runs other threads do.
"""

from __future__ import annotations

import ctypes
import json
import os
import threading
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec, source_hash
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Kernel = Callable[..., Any]
Array = npt.NDArray[Any]
Kinds = tuple[str, ...]
"""Types of arguments: q a signed number, Q an unsigned one, * and the letter of its type an array."""
SUFFIX, LIBRARY = ".code", ".so"
_TYPES = {"q": ctypes.c_int64, "Q": ctypes.c_uint64}
_COMPILING = threading.Lock()


class Code(NamedTuple):
    """What is kept of a kernel.

    symbol   the function in the object
    results  a letter each: q signed, Q unsigned, ? flag; several: they are returned as a tuple
    several  see results
    object   the object file
    library  the digest of the library beside it, '' where there is none
    """

    symbol: str
    results: str
    several: bool
    object: bytes
    library: str = ""


class Compiled:
    """A kernel that may be called.

    place  the folder where code is kept, None: nowhere
    made   has another process make it and waits for that, where that can be; with the types of the arguments
    """

    def __init__(
        self, function: Kernel, steps: tuple[Kernel, ...], place: Path | None, made: Callable[[Kinds], None] | None = None
    ) -> None:
        self.function, self.steps, self.place, self._made = function, steps, place, made
        self._entries: dict[Kinds, Kernel] = {}

    def __call__(self, *args: Any) -> Any:
        """What the kernel gives back."""
        kinds: list[str] = []
        given: list[int] = []
        for value in args:
            if isinstance(value, np.ndarray):
                if value.ndim != 1 or not value.flags.c_contiguous:
                    raise TypeError("a kernel takes arrays of one dimension without gaps")
                kinds.append(_ARRAYS[value.dtype.char])
                given.append(_address(value))
            else:
                kinds.append("Q" if isinstance(value, np.uint64) else "q")
                given.append(int(value))
        entry = self._entries.get(tuple(kinds))
        if entry is None:
            with _COMPILING:  # by whichever thread comes first
                entry = self._entries.get(tuple(kinds)) or self._enter(tuple(kinds))
                self._entries[tuple(kinds)] = entry
        return entry(given)

    def _enter(self, kinds: Kinds) -> Kernel:
        code = self.kept(kinds)
        if code is None and self._made is not None:
            self._made(kinds)
            code = self.kept(kinds)
        return _callable(code or self.make(kinds), kinds, self._path(kinds))

    def _path(self, kinds: Kinds) -> Path | None:
        name = digest(" ".join([*kinds, *_machine()]).encode())[:20]
        return None if self.place is None else self.place / f"{self.function.__name__}-{name}{SUFFIX}"

    def kept(self, kinds: Kinds) -> Code | None:
        """The code for arguments of such types, None where it is not kept or not whole."""
        path = self._path(kinds)
        return None if path is None else _kept(path)

    def make(self, kinds: Kinds) -> Code:
        """Compile it, and keep it where there is a place."""
        from .kernel_build import build, linked

        code, path = build(self.function, self.steps, kinds), self._path(kinds)
        return code if path is None else _keep(path, code, linked(code))


_ARRAYS = {char: f"*{char}" for char in np.typecodes["AllInteger"]} | {"?": "*B"}
"""How kinds of arrays are written, by the letter of their type; flags are bytes."""
_HEAD = object.__basicsize__
_at = ctypes.c_size_t.from_address


def _near(array: Array) -> int:
    """Where the values of an array are: that stands behind the head of the object (PyArrayObject, which is numpy's ABI)."""
    return _at(id(array) + _HEAD).value


def _far(array: Array) -> int:
    """The same as numpy says, which takes eight times as long: more than a small kernel."""
    return array.ctypes.data


def _chosen() -> Callable[[Array], int]:
    some: list[Array] = [np.zeros(n, dtype=np.uint8) for n in (1, 1000)]
    return _near if all(_near(a) == _far(a) for a in [*some, some[1][7:], some[1].view(np.int64)]) else _far


_address = _chosen()


def digest(data: bytes) -> str:
    """Tells one text from another: as Python does its sources, without what hashlib loads."""
    return source_hash(data).hex()


_TELLING = ("model name", "flags", "CPU implementer", "CPU part", "CPU variant", "CPU revision", "Features")
"""What /proc/cpuinfo says of what a processor can do: x86, arm64."""


@cache
def _machine() -> tuple[str, ...]:
    """What object code depends on besides its source: the compiler, and the processor, of which all cores are alike."""
    compiler = find_spec("llvmlite")
    version = next((Path(p, "_version.py").read_text() for p in (compiler and compiler.submodule_search_locations) or ()), "")
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        one = file.read(1 << 14).partition("\n\n")[0].splitlines()
    return version, os.uname().machine, *(line for line in one if line.startswith(_TELLING))


# -- keeping


def _keep(path: Path, code: Code, library: bytes) -> Code:
    """Write a file with code, and the library where there is one; without it, it is compiled again."""
    code = code._replace(library=digest(library) if library else "")
    head = code._asdict() | {"object": digest(code.object)}
    files = {path: json.dumps(head).encode() + b"\n" + code.object}
    if library:
        files = {path.with_suffix(LIBRARY): library} | files
    for place, data in files.items():
        part = place.with_suffix(f".{os.getpid()}")
        try:
            part.write_bytes(data)
            part.replace(place)
        except OSError:
            part.unlink(missing_ok=True)
    return code


def _kept(path: Path) -> Code | None:
    """What _keep() wrote, None where there is nothing whole."""
    try:
        head, _, data = path.read_bytes().partition(b"\n")
        told = json.loads(head)
        if told["object"] != digest(data):
            return None
        return Code(**(told | {"object": data}))
    except (OSError, ValueError, KeyError, TypeError):
        return None


# -- calling


def _callable(code: Code, kinds: Kinds, path: Path | None) -> Kernel:
    address = _in_library(code, path) or _loaded(code)
    types: list[Any] = []
    for kind in kinds:
        types.append(ctypes.c_void_p if kind[0] == "*" else _TYPES[kind])
    native = ctypes.CFUNCTYPE(None, *types, ctypes.c_void_p)(address)
    results = ctypes.c_int64 * max(len(code.results), 1)

    def call(given: list[int]) -> Any:
        out = results()
        native(*given, ctypes.addressof(out))
        if not code.results:
            return None
        found = [_python(letter, value) for letter, value in zip(code.results, out, strict=False)]
        return tuple(found) if code.several else found[0]

    return call


@cache
def target() -> Any:
    """The processor that this runs on, for llvmlite."""
    from llvmlite import binding

    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    cpu, features = binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()
    machine = binding.Target.from_default_triple()
    return machine.create_target_machine(cpu=cpu, features=features, opt=3, reloc="pic", codemodel="small")


_ENGINES: list[Any] = []
"""They stay as long as the process: code lies in their memory."""


def _in_library(code: Code, path: Path | None) -> int:
    """The address of the function in the library beside kept code, 0 where there is none that can be loaded."""
    if not code.library or path is None:
        return 0
    library = path.with_suffix(LIBRARY)
    try:
        if digest(library.read_bytes()) != code.library:
            return 0
        return ctypes.cast(ctypes.CDLL(str(library))[code.symbol], ctypes.c_void_p).value or 0
    except (OSError, AttributeError):
        return 0


def _loaded(code: Code) -> int:
    """The address of the function of an object, which llvmlite puts into memory."""
    from llvmlite import binding

    engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target())
    engine.add_object_file(binding.ObjectFileRef.from_data(code.object))
    engine.finalize_object()
    _ENGINES.append(engine)
    return engine.get_function_address(code.symbol)  # type: ignore[no-any-return]


def _python(letter: str, value: int) -> Any:
    return value != 0 if letter == "?" else value & 0xFFFFFFFFFFFFFFFF if letter == "Q" else value
