"""Kernels compiled by Numba: imported only where one is. As a program it compiles those that it is given as
``MODULE:FUNCTION KINDS``, and repeats each when it is kept.

Numba types and lowers; it optimises nothing (NUMBA_OPT), as it would do that again for every step and for every function
that calls one. All of it is done once, at the end, by llvmlite.
"""

from __future__ import annotations

import ctypes
import gc
import os
import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from .kernel_code import Code, Kernel, Kinds, target

_ENTRY = "rmitrace_entry"
_LINKING_S = 10
UNOPTIMISED = {"NUMBA_OPT": "0"}
"""What Numba is told, in the environment: it looks there when it is imported."""


def build(function: Kernel, steps: tuple[Kernel, ...], kinds: Kinds) -> Code:
    """A kernel for arguments of such types as object code."""
    for name, value in UNOPTIMISED.items():
        os.environ.setdefault(name, value)
    import numba
    from llvmlite import binding
    from numba import types
    from numba.extending import register_jitable

    from . import kernel_intrinsics  # noqa: F401 - makes them known to Numba

    for step in steps:
        if step not in _KNOWN:
            _KNOWN.add(step)
            register_jitable(no_cfunc_wrapper=True, no_rewrites=True)(step)  # nobody calls a step but kernels
    numbers = {"q": types.int64, "Q": types.uint64}
    taken = [types.CPointer(numba.from_dtype(np.dtype(k[1:]))) if k[0] == "*" else numbers[k] for k in kinds]
    inner = numba.njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True, no_rewrites=True)(function)
    inner.compile(tuple(taken))
    given = inner.overloads[inner.signatures[0]].signature.return_type
    several = isinstance(given, types.BaseTuple)
    results = "".join(_result(t) for t in (given if several else (given,)) if t != types.none)
    entry = _entry(inner, len(kinds), len(results), several)
    compiled = numba.cfunc(types.void(*taken, types.CPointer(types.int64)), error_model="numpy")(entry)
    module = binding.parse_assembly(compiled.inspect_llvm())
    _close(module)
    _optimise(module, compiled.native_name)
    return Code(compiled.native_name, results, several, target().emit_object(module))


def linked(code: Code) -> bytes:
    """The object as a library, b"" where the system has no linker, or none that can."""
    linker = shutil.which("ld")
    if linker is None:
        return b""
    try:
        with TemporaryDirectory(prefix="rmitrace-") as folder:
            given, made = Path(folder, "kernel.o"), Path(folder, "kernel.so")
            given.write_bytes(code.object)
            command = [linker, "-shared", "-s", "-z", "noexecstack", "-o", str(made), str(given)]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_LINKING_S)
            return made.read_bytes() if done.returncode == 0 else b""
    except (OSError, subprocess.SubprocessError):
        return b""


def _close(module: Any) -> None:
    """Put what ends the process in the place of Numba's functions, which report an error: nothing but the C library is called
    from outside."""
    from llvmlite import binding

    process = ctypes.CDLL(None)
    needs = [f.name for f in module.functions if f.is_declaration and not f.name.startswith("llvm.")]
    ends = "".join(
        f'define void @"{name}"() {{\n  call void @abort()\n  unreachable\n}}\n'
        for name in needs
        if name.startswith("Py") or not hasattr(process, name)
    )
    module.link_in(binding.parse_assembly(f"declare void @abort()\n{ends}"))


def _optimise(module: Any, entry: str) -> None:
    """Inline and optimise; nothing but the entry is called from elsewhere."""
    from llvmlite import binding

    for part in (*module.functions, *module.global_variables):
        if not part.is_declaration and part.name != entry and not part.name.startswith("llvm."):
            part.linkage = "internal"
    tuning = binding.create_pipeline_tuning_options(speed_level=3)
    tuning.loop_vectorization = True
    tuning.loop_unrolling = tuning.loop_interleaving = False  # it is memory that loops wait for: twice the code for nothing
    builder = binding.create_pass_builder(target(), tuning)
    builder.getModulePassManager().run(module, builder)


_KNOWN: set[Kernel] = set()
"""Steps that Numba was told of."""


def _result(kind: Any) -> str:
    from numba import types

    return "?" if isinstance(kind, types.Boolean) else "q" if kind.signed else "Q"


def _entry(inner: Kernel, count: int, results: int, several: bool) -> Kernel:
    """A function with a place for the results around one that returns them."""
    given = ", ".join(f"a{i}" for i in range(count))
    lines = [f"def {_ENTRY}({given}, out):", f"    r = inner({given})"]
    lines += [f"    out[{i}] = r{f'[{i}]' if several else ''}" for i in range(results)]
    space: dict[str, Any] = {"inner": inner}
    exec("\n".join([*lines, "    return"]), space)
    return space[_ENTRY]  # type: ignore[no-any-return]


def main(jobs: list[str]) -> None:
    """Compile kernels for others to load."""
    from .kernels import compiled

    gc.disable()  # this process ends soon: nothing is worth looking for what could be thrown away
    for job in jobs:
        name, *kinds = job.split()
        module_name, _, function = name.partition(":")
        module = import_module(module_name)
        compiled(getattr(module, function), module.STEPS).make(tuple(kinds))
        print(job, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
