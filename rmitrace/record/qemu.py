"""Recording with QEMU's own log: which options its version has, and where in a kernel the SMC instructions are."""

from __future__ import annotations

import gzip
import os
import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SMC = b"\x03\x00\x00\xd4"
"""``smc #0``, 0xd4000003, little-endian."""
_ADDRESS_BITS = {1: (48, 39), 2: (47, 48, 36), 3: (48, 42)}
"""VA_BITS_MIN by the page size in an Image's flags (4K, 16K, 64K), as far as a kernel may be configured (arch/arm64/Kconfig)."""
_FOR_MODULES, _FOR_MODULES_BEFORE_6_6 = 2 << 30, 128 << 20
"""Where a kernel lies that was booted with nokaslr (KIMAGE_VADDR, arch/arm64/include/asm/memory.h): behind so many bytes for
modules at the end of the linear map."""
_MAX_IMAGE = 256 << 20
_FLAGS, _IMAGE_MAGIC = 24, slice(56, 60)
"""Of an Image's header (Documentation/arch/arm64/booting.rst)."""
_TIMEOUT = 20


class NoQemu(Exception):
    """There is no such QEMU, or it does not say its version; the message is one line."""


@dataclass(frozen=True, slots=True)
class Qemu:
    """A QEMU program.

    version  (11, 1, 3)
    psci     it has the trace event arm_psci_call: x0..x3 of each SMC that QEMU's own PSCI answers
    """

    program: str
    version: tuple[int, ...]
    psci: bool


def running() -> list[str]:
    """The programs of the aarch64 machines that QEMU runs here, by /proc."""
    found = set()
    for p in Path("/proc").glob("[0-9]*/exe"):
        try:
            target = os.readlink(p)
        except OSError:
            continue
        if os.path.basename(target).startswith("qemu-system-aarch64") and os.path.exists(target):
            found.add(target)
    return sorted(found)


def ask(program: str) -> Qemu:
    """What a QEMU can do, by its own words. Raises NoQemu."""
    try:
        said = _output([program, "--version"])
        events = _output([program, "-trace", "help"])
    except (OSError, subprocess.SubprocessError) as e:
        raise NoQemu(f"{program}: {getattr(e, 'strerror', None) or 'does not answer'}") from None
    found = re.search(r"version (\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?", said)
    if found is None:
        raise NoQemu(f"{program}: does not say that it is QEMU")
    return Qemu(program, tuple(int(x) for x in found.groups() if x), re.search(r"^arm_psci_call$", events, re.M) is not None)


def _output(argv: list[str]) -> str:
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, timeout=_TIMEOUT, check=False)
    return done.stdout[: 4 << 20].decode("utf-8", "replace")


def _image(path: Path) -> bytes:
    with path.open("rb") as f:
        data = f.read(_MAX_IMAGE)
    if data[:2] == b"\x1f\x8b":
        with gzip.open(path) as g:
            data = g.read(_MAX_IMAGE)
    if data[_IMAGE_MAGIC] != b"ARMd":
        raise ValueError("no arm64 kernel Image (nor gzip of one)")
    return data


def smc_addresses(image: Path) -> list[int]:
    """Where the SMC instructions of an arm64 kernel (Image, or gzip of one) may be that was booted with nokaslr: each at the
    few places where a kernel of its version and page size may lie. Raises ValueError for another file."""
    data = _image(image)
    found, at = [], data.find(SMC)
    while at >= 0:
        if at % 4 == 0:
            found.append(at)
        at = data.find(SMC, at + 1)
    said = re.search(rb"Linux version (\d{1,3})\.(\d{1,3})", data)
    old = said is not None and (int(said[1]), int(said[2])) < (6, 6)
    behind = _FOR_MODULES_BEFORE_6_6 if old else _FOR_MODULES
    bits = _ADDRESS_BITS.get(data[_FLAGS] >> 1 & 3, (48,))
    return [(1 << 64) - (1 << b - 1) + behind + at for b in bits for at in found]


def dfilter(addresses: Iterable[int]) -> str:
    """``-dfilter`` for an instruction and the one behind it, at each address."""
    return ",".join(f"0x{a:x}+8" for a in addresses)


def options(qemu: Qemu, log: str, addresses: Iterable[int] = ()) -> list[str]:
    """The options with which this QEMU logs SMCs into a file: all registers where the addresses of the SMCs are known
    (the kernel booted with nokaslr), else as much as its version tells."""
    where = dfilter(addresses)
    if where:
        one = ["-accel", "tcg,one-insn-per-tb=on"] if qemu.version >= (8, 1) else ["-singlestep"]
        return ["-d", "int,cpu,nochain", "-dfilter", where, *one, "-D", log]
    if qemu.psci:
        return ["-trace", "arm_psci_call", "-msg", "timestamp=on", "-D", log]
    return ["-d", "int", "-D", log]


def monitor(qemu: Qemu, log: str, all_registers: bool) -> tuple[list[str], list[str]]:
    """What to say to the monitor of a QEMU that runs already, to log SMCs from then on, and to end that.

    all_registers  it was started with ``-dfilter`` (without that the log would be of every instruction)
    """
    file = [f"logfile {log}"]
    if all_registers:
        one = "one-insn-per-tb" if qemu.version >= (8, 1) else "singlestep"
        return [*file, f"{one} on", "log int,cpu,nochain"], ["log none", f"{one} off"]
    if qemu.psci:
        return [*file, "trace-event arm_psci_call on"], ["trace-event arm_psci_call off"]
    return [*file, "log int"], ["log none"]
