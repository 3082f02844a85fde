"""Object code that is loaded without LLVM: it does what the function does, and what is not known is left to LLVM."""

from __future__ import annotations

import json
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rmitrace.formats import kernel_code, kernel_loader
from rmitrace.formats.kernel_code import Compiled

ROOT = Path(__file__).parents[3]
_TABLE = np.array([3, 1, 4, 1, 5, 9, 2, 6], dtype=np.int64)
MACHINE = 18
"""Offset of e_machine in an ELF header (System V ABI, Object Files)."""


def cleared(out: Any, value: Any) -> Any:
    """A loop that is compiled into a call of memset, a table, and another function."""
    for i in range(len(out)):
        out[i] = 0
    return looked_up(value) + len(out)


def looked_up(value: Any) -> Any:
    return _TABLE[value & 7]


STEPS = (looked_up,)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, str]:
    """The object of cleared(), and the name of its function."""
    place = tmp_path_factory.mktemp("code")
    Compiled(cleared, STEPS, place)(np.ones(9, dtype=np.uint8), 2)
    head, _, data = next(place.iterdir()).read_bytes().partition(b"\n")
    return data, json.loads(head)["symbol"]


def used(monkeypatch: pytest.MonkeyPatch, by_llvm: bool, place: Path) -> tuple[Any, list[int]]:
    asked: list[str] = []
    by = kernel_code._by_llvm
    monkeypatch.setattr(kernel_code, "_by_llvm", lambda code: asked.append(code.symbol) or by(code))
    if by_llvm:
        monkeypatch.setattr(kernel_loader, "load", lambda *_: None)
    room = np.full(100_000, 7, dtype=np.uint8)
    found = Compiled(cleared, STEPS, place)(room, 13)
    assert bool(asked) == by_llvm
    return found, np.unique(room).tolist()


def test_the_same_with_and_without_llvm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: tuple[bytes, str]) -> None:
    if kernel_loader.load(*made, kernel_code._elsewhere) is None:
        pytest.skip("the objects of this machine are left to LLVM")
    with monkeypatch.context() as m:
        assert used(m, False, tmp_path) == (100_009, [0])  # _TABLE[13 & 7] is 9
    assert used(monkeypatch, True, tmp_path) == (100_009, [0])


def test_what_is_no_such_object_is_left_to_llvm(made: tuple[bytes, str]) -> None:
    data, symbol = made
    arm = data[:MACHINE] + (183).to_bytes(2, "little") + data[MACHINE + 2 :]
    for other in (b"", b"\x7fELF", arm, data.replace(b"\x7fELF", b"\x7fELG", 1)):
        assert kernel_loader.load(other, symbol, kernel_code._elsewhere) is None
    assert kernel_loader.load(data, "another", kernel_code._elsewhere) is None


def test_a_kind_of_reference_that_is_not_known_is_left_to_llvm(made: tuple[bytes, str]) -> None:
    data, symbol = made
    (sections_at,) = struct.unpack_from("<Q", data, 40)  # e_shoff
    (count,) = struct.unpack_from("<H", data, 60)  # e_shnum
    out, changed = bytearray(data), 0
    for i in range(count):
        _, kind, _, _, at, size, _, into, _, _ = struct.unpack_from("<IIQQQQIIQQ", data, sections_at + 64 * i)
        allocated = struct.unpack_from("<Q", data, sections_at + 64 * into + 8)[0] & 2
        if kind == 4 and allocated and size:  # SHT_RELA: r_offset, r_info with the type in its low half, r_addend
            out[at + 8] = 250
            changed += 1
    assert changed
    assert kernel_loader.load(bytes(out), symbol, kernel_code._elsewhere) is None


def test_an_object_that_is_cut_is_never_run(made: tuple[bytes, str]) -> None:
    data, symbol = made
    for stop in range(0, len(data), 7):
        kernel_loader.load(data[:stop], symbol, kernel_code._elsewhere)  # whatever it gives, it does not raise


def test_kept_code_runs_without_llvm(tmp_path: Path, made: tuple[bytes, str]) -> None:
    if kernel_loader.load(*made, kernel_code._elsewhere) is None:
        pytest.skip("the objects of this machine are left to LLVM")
    program = (
        "import sys; from pathlib import Path; sys.path[:0] = sys.argv[2:]\n"
        "from tests.rmitrace.formats.test_kernel_code import doubled\n"
        "from rmitrace.formats.kernel_code import Compiled\n"
        "print(Compiled(doubled, (), Path(sys.argv[1]))(21), {'llvmlite', 'numba'} & set(sys.modules) != set())\n"
    )
    told = []
    for _ in range(2):
        command = [sys.executable, "-c", program, str(tmp_path), str(ROOT)]
        told.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split())
    assert told == [["42", "True"], ["42", "False"]]
