"""Compiled kernels: what they take and give back, and that they are kept whole or made again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rmitrace.formats.kernel_code import LIBRARY, SUFFIX, Compiled, _far, _kept, _near

ROOT = Path(__file__).parents[3]


def kinds(values: Any, count: Any, last: Any, mask: Any) -> tuple[Any, Any, Any, Any]:
    """The sum of the values, the last number masked, its lowest bit, and how many values there are."""
    total = np.int64(0)
    for i in range(count):
        total += doubled(values[i])
    values[0] = 7
    return total, last & mask, last & mask & np.uint64(1) == np.uint64(1), count


def doubled(value: Any) -> Any:
    return value * 2


def nothing(out: Any, value: Any) -> None:
    out[0] = value


STEPS = (doubled,)


def test_arguments_and_results_are_those_of_the_function(tmp_path: Path) -> None:
    values = np.array([-1, -2, -3], dtype=np.int32)
    call = Compiled(kinds, STEPS, tmp_path)
    top = np.uint64(2**64 - 1)
    assert call(values, 3, top, np.uint64(2**63 + 1)) == (-12, 2**63 + 1, True, 3)
    assert values.tolist() == [7, -2, -3]
    flags = np.zeros(1, dtype=np.bool_)
    assert Compiled(nothing, (), None)(flags, True) is None
    assert flags[0]


def test_every_type_has_code_of_its_own(tmp_path: Path) -> None:
    call = Compiled(doubled, (), tmp_path)
    assert (call(-3), call(np.uint64(2**63 + 3)), call(4)) == (-6, 6, 8)
    assert len(list(tmp_path.glob(f"doubled-*{SUFFIX}"))) == 2


def test_arrays_with_gaps_are_refused() -> None:
    with pytest.raises(TypeError):
        Compiled(nothing, (), None)(np.zeros(4)[::2], 1)


@pytest.mark.parametrize("damage", [lambda d: d[:-1], lambda d: d[:40], lambda d: b"", lambda d: d[:-9] + b"x" + d[-8:]])
def test_damaged_code_is_made_again(tmp_path: Path, damage: Any) -> None:
    assert Compiled(doubled, (), tmp_path)(4) == 8
    (path,) = tmp_path.glob(f"*{SUFFIX}")
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    assert Compiled(doubled, (), tmp_path)(4) == 8
    assert _kept(path) is not None


def used(folder: Path, path: str) -> list[str]:
    """What a kernel gives back in a process of its own with such a $PATH, and what of the compiler is imported for that."""
    program = (
        "import sys; from pathlib import Path; sys.path[:0] = sys.argv[2:]\n"
        "from tests.rmitrace.formats.test_kernel_code import doubled\n"
        "from rmitrace.formats.kernel_code import Compiled\n"
        "print(Compiled(doubled, (), Path(sys.argv[1]))(21), *(m for m in ('numba', 'llvmlite') if m in sys.modules))\n"
    )
    env = os.environ | {"PYTHONHASHSEED": "0", "PATH": path}
    command = [sys.executable, "-c", program, str(folder), str(ROOT)]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=env).stdout.split()


@pytest.mark.skipif(shutil.which("ld") is None, reason="there is no linker")
def test_kept_code_runs_without_the_compiler(tmp_path: Path) -> None:
    path = os.environ["PATH"]
    assert [used(tmp_path, path) for _ in range(2)] == [["42", "numba", "llvmlite"], ["42"]]
    (library,) = tmp_path.glob(f"*{LIBRARY}")
    library.write_bytes(library.read_bytes()[:-1])
    assert used(tmp_path, path) == ["42", "llvmlite"]
    library.unlink()
    assert used(tmp_path, path) == ["42", "llvmlite"]


def test_without_a_linker(tmp_path: Path) -> None:
    assert [used(tmp_path, str(tmp_path)) for _ in range(2)] == [["42", "numba", "llvmlite"], ["42", "llvmlite"]]
    assert not list(tmp_path.glob(f"*{LIBRARY}"))


def test_addresses_are_those_of_numpy() -> None:
    room = np.arange(100, dtype=np.int64)
    for array in (room, room[3:], room.view(np.uint8), np.zeros(0, dtype=np.uint8), np.frombuffer(b"abc", dtype=np.uint8)):
        assert _near(array) == _far(array) == array.ctypes.data
