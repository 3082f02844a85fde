"""The kernel over simple trace files, compiled and not, gives what reading record by record gives, whatever the bytes."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rmitrace.capture.records import COLUMNS, Kind, Records
from rmitrace.formats import kernels, qemu_simple_binary, qemu_simple_kernel
from rmitrace.formats.base import ReadOptions
from rmitrace.formats.qemu_simple_binary import read_with

from .test_qemu_simple import HEADER, event, mapping

CAPTURES = Path(__file__).parents[3] / "captures" / "qemu"
KERNELS = (qemu_simple_kernel.compiled(), qemu_simple_kernel.scan)
DROPPED = 2**64 - 2


def everything(records: Records) -> Any:
    columns = {c: np.asarray(getattr(records, c)).tolist() for c in (*COLUMNS, "regs") if c != "name"}
    names = [records.names[i] if i >= 0 else None for i in np.asarray(records.name).tolist()]
    return columns, names, records.findings, records.facts


def check(data: bytes) -> Records:
    plain = read_with(None, data, 0, len(data), ReadOptions())
    for kernel in KERNELS:
        assert everything(read_with(kernel, data, 0, len(data), ReadOptions())) == everything(plain)
    return plain


RECORDS = st.one_of(
    st.builds(
        event, st.sampled_from([1, 1, 1, 2, 3, 70_000, DROPPED]), st.integers(0, 2**64 - 1), *[st.integers(0, 2**64 - 1)] * 5
    ),
    st.builds(event, st.sampled_from([1, 2, 3]), st.just(5), st.integers(0, 9)),
    st.builds(mapping, st.integers(1, 4), st.sampled_from([b"arm_psci_call", b"arm_cpu_reset", b"other"])),
)


@given(st.lists(RECORDS, max_size=30), st.integers(0, 60))
@settings(max_examples=100, deadline=None)
def test_any_records(records: list[bytes], cut: int) -> None:
    """Names that come later or change, dropped events, wrong sizes, and the last record cut."""
    data = HEADER + mapping(1, b"arm_psci_call") + b"".join(records)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(qemu_simple_binary, "BATCH", 5)
        patch.setattr(qemu_simple_binary, "_TELL", 100)
        check(data[: max(len(data) - cut, len(HEADER))])


def test_damaged_bytes() -> None:
    rng = random.Random(9)
    calls = [event(1, 1000 * i, 0xC4000150 + i, i, 0, 0, i % 3) for i in range(80)]
    data = HEADER + mapping(1, b"arm_psci_call") + mapping(2, b"arm_cpu_reset") + b"".join(calls) + event(2, 5, 1)
    for _ in range(200):
        out = bytearray(data)
        for _ in range(rng.choice((1, 3))):
            out[rng.randrange(24, len(out))] ^= 1 << rng.randrange(8)
        check(bytes(out))


def test_many_records_and_a_real_file() -> None:
    """Every call once, by counting the bytes: 64 and 72 of each pair."""
    pairs = b"".join(event(7, i, 1, 2, 3, 4) + event(1, i, 0xC4000178, i, 0, 0, 1) for i in range(40_000))
    data = HEADER + mapping(1, b"arm_psci_call") + mapping(7, b"pci_cfg_read") + pairs
    records = read_with(KERNELS[0], data, 0, len(data), ReadOptions())
    first = len(data) - len(pairs)
    assert np.array_equal(records.offset, first + 64 + np.arange(40_000) * (64 + 72))
    assert np.array_equal(records.regs[:, 1], np.arange(40_000))
    assert records.facts["lines"] == 80_002
    assert records.facts["events"] == {"arm_psci_call": 40_000}
    check((CAPTURES / "simple.trace").read_bytes())


def test_the_other_byte_order_is_read_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "repaid", lambda *_: True)
    data = b"\xff" * 8 + struct.pack(">QQ", 0xF2B177CB0AA429B4, 4) + struct.pack(">QQI", 0, 5, 13) + b"arm_psci_call"
    data += struct.pack(">QQQII5Q", 1, 5, 1000, 24 + 40, 77, 0xC4000150, 1, 2, 3, 0)
    records = qemu_simple_binary.read(data, 0, len(data), ReadOptions())
    assert (records.kind.tolist(), int(records.regs[0, 0])) == ([Kind.ENTER], 0xC4000150)
