"""Records packed by the kernel are in the columns byte for byte as those that were put there by themselves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture.encoding_fast import Repaid
from rmitrace.capture.packed import Column
from rmitrace.capture.records import COLUMNS, N_REGS, Records
from rmitrace.capture.registers import Registers
from rmitrace.formats import kernels, record_pack
from rmitrace.formats import record_pack_kernel as kernel
from rmitrace.formats.kernel_code import Compiled
from rmitrace.formats.record_pack import RecordPacker

FULL = 64


def as_it_stands(*args: Any) -> Any:
    with np.errstate(over="ignore"):
        return kernel.take(*args)


@pytest.fixture(scope="module")
def machine() -> Compiled:
    return kernels.compiled(kernel.take, kernel.STEPS)


def made(n: int, seed: int) -> Records:
    """Records of all ranges: times before 1970, none known, CPUs and pids of -1, registers of every kind."""
    random = np.random.default_rng(seed)
    values: dict[str, Any] = {
        "offset": np.cumsum(random.integers(1, 400, n)) + random.integers(0, 2**40),
        "length": random.integers(0, 2**31 - 1, n) if seed % 3 else np.full(n, 80),
        "ts": random.choice([-(2**63), -1, 0, 10**15, 10**15 + 7000], n) + random.integers(0, 50, n) * (1000 if seed % 2 else 1),
        "cpu": random.integers(-1, 3, n),
        "pid": random.integers(-1, 2**22, n),
        "kind": random.integers(0, 9, n),
        "name": random.integers(-1, 40, n),
        "known": random.choice([0, 1, 0xFF, 0x3FFFF, 0xFFFFFFFF], n),
    }
    regs = np.zeros((n, N_REGS), dtype=np.uint64)
    regs[:, 0] = random.choice([0xC4000150, 0xC4000151, 0x84000000], n)
    regs[:, 1] = random.integers(0, 2**64, n, dtype=np.uint64)
    regs[:, 2] = random.integers(0, 2**36, n) << 12
    regs[:, 3] = np.where(random.random(n) < 0.1, random.integers(0, 4096, n), 0)
    regs[:, 4] = random.choice(regs[:, :4].ravel(), n) if n else 0
    return Records(**{k: values[k].astype(t) for k, t in COLUMNS.items()}, regs=regs)


def empty() -> tuple[dict[str, Column], Registers]:
    return {name: Column(t) for name, t in COLUMNS.items()}, Registers()


def bytes_of(columns: dict[str, Column], regs: Registers) -> list[list[bytes]]:
    return [list(c.packed()) for c in (*columns.values(), *regs.columns)]


def alone(parts: list[Records]) -> list[list[bytes]]:
    columns, regs = empty()
    for part in parts:
        for name, column in columns.items():
            column.append(getattr(part, name))
        regs.append(part.regs)
    return bytes_of(columns, regs)


def by_event(part: Records, packer: RecordPacker) -> None:
    """The same records, of which each is of an event of its own, numbered from the last one."""
    n = len(part)
    columns = (part.offset, part.length, part.ts, part.cpu, part.pid, np.arange(n, dtype=np.int32)[::-1].copy())
    tables = tuple(getattr(part, name)[::-1].copy() for name in ("kind", "name", "known"))
    room = np.append(part.regs.reshape(-1), np.full(5, 9, dtype=np.uint64))  # there may be more room than records
    packer.add_by_event(n, columns, tables, room)


def packed(parts: list[Records], take: Any, begun_after: int, events: bool) -> list[list[bytes]]:
    columns, regs = empty()
    packer = RecordPacker(columns, regs, take)
    count = 0
    for i, part in enumerate(parts):
        if i < begun_after:
            for name, column in columns.items():
                column.append(getattr(part, name))
            regs.append(part.regs)
        else:
            assert packer.ready(len(part))
            (by_event(part, packer) if events and i % 2 else packer.add(part))
        count += len(part)
        assert len(columns["offset"]) + packer.waiting == count
    packer.flush()
    return bytes_of(columns, regs)


SIZES = st.lists(st.sampled_from([0, 1, 2, 30, FULL - 1, FULL, FULL + 1, 3 * FULL, 200]), max_size=8)


@given(SIZES, st.integers(0, 1000), st.integers(0, 3), st.booleans())
@settings(max_examples=60, deadline=None)
def test_compiled(machine: Compiled, sizes: list[int], seed: int, begun_after: int, events: bool) -> None:
    parts = [made(n, seed + i) for i, n in enumerate(sizes)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Column, "PIECE", FULL)
        assert packed(parts, machine, begun_after, events) == alone(parts)
    assert set(machine._entries) <= {tuple(kernel.KINDS.split())}  # as which it is made before it is asked for


@pytest.mark.parametrize("events", [False, True])
def test_as_it_stands(events: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Column, "PIECE", FULL)
    parts = [made(n, i) for i, n in enumerate((5, 70, 0, 63, 130))]
    assert packed(parts, as_it_stands, 1, events) == alone(parts)


def test_few_records_go_into_the_columns_by_themselves(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record_pack, "_REPAID", Repaid(kernel.take, kernel.STEPS))
    assert not RecordPacker(*empty()).ready(100)
