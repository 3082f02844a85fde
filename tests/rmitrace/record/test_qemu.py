"""QEMU's options by version, and SMC instructions found in a kernel."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from rmitrace.record import qemu


def program(folder: Path, version: str, events: str = "") -> str:
    """Something that answers as a QEMU does."""
    path = folder / "qemu-system-aarch64"
    path.write_text(
        f'#!/bin/sh\ncase $1 in --version) echo "QEMU emulator version {version}" ;; -trace) printf "{events}" ;; esac\n'
    )
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("said", "version", "one"),
    [
        ("7.2.22 (Debian 1:7.2+dfsg-7+deb12u18)", (7, 2, 22), ["-singlestep"]),
        ("8.0.5", (8, 0, 5), ["-singlestep"]),
        ("8.1.0", (8, 1, 0), ["-accel", "tcg,one-insn-per-tb=on"]),  # the option came with 8.1 (its about/deprecated)
        ("11.1.3 (Debian 1:11.1.3+ds-1)", (11, 1, 3), ["-accel", "tcg,one-insn-per-tb=on"]),
    ],
)
def test_options_by_version(tmp_path: Path, said: str, version: tuple[int, ...], one: list[str]) -> None:
    found = qemu.ask(program(tmp_path, said))
    assert (found.version, found.psci) == (version, False)
    assert qemu.options(found, "x.log", [0xFFFF80008004A640]) == [
        "-d", "int,cpu,nochain", "-dfilter", "0xffff80008004a640+8", *one, "-D", "x.log",
    ]  # fmt: skip
    assert qemu.options(found, "x.log") == ["-d", "int", "-D", "x.log"]


def test_the_trace_event_is_used_where_it_is(tmp_path: Path) -> None:
    found = qemu.ask(program(tmp_path, "11.1.3", "arm_powerctl_set_cpu_on\\narm_psci_call\\n"))
    assert qemu.options(found, "x.log")[:2] == ["-trace", "arm_psci_call"]


@pytest.mark.parametrize(
    ("said", "events", "registers", "on", "off"),
    [
        ("7.2.22", "", False, ["log int"], ["log none"]),
        ("7.2.22", "", True, ["singlestep on", "log int,cpu,nochain"], ["log none", "singlestep off"]),
        ("10.0.13", "", True, ["one-insn-per-tb on", "log int,cpu,nochain"], ["log none", "one-insn-per-tb off"]),
        ("11.1.3", "arm_psci_call\\n", False, ["trace-event arm_psci_call on"], ["trace-event arm_psci_call off"]),
    ],
)
def test_what_the_monitor_is_told(tmp_path: Path, said: str, events: str, registers: bool, on: list[str], off: list[str]) -> None:
    """Commands of the human monitor (QEMU's hmp-commands.hx)."""
    found = qemu.ask(program(tmp_path, said, events))
    assert qemu.monitor(found, "/x.log", registers) == (["logfile /x.log", *on], off)


def test_what_is_no_qemu(tmp_path: Path) -> None:
    with pytest.raises(qemu.NoQemu, match="No such file"):
        qemu.ask(str(tmp_path / "nothing"))
    with pytest.raises(qemu.NoQemu, match="does not say that it is QEMU"):
        qemu.ask("/bin/true")


def image(words: dict[int, bytes], flags: int = 0xA) -> bytes:
    data = bytearray(4096)
    data[24] = flags
    data[56:60] = b"ARMd"  # magic of Documentation/arch/arm64/booting.rst
    for at, word in words.items():
        data[at : at + 4] = word
    return bytes(data)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_smc_instructions_of_a_kernel(tmp_path: Path, pack: type[bytes]) -> None:
    smc, hvc = b"\x03\x00\x00\xd4", b"\x02\x00\x00\xd4"
    path = tmp_path / "Image"
    path.write_bytes(pack(image({0x100: smc, 0x202: smc, 0x300: hvc, 0xFFC: smc})))  # 0x202 is no place of an instruction
    assert [hex(a) for a in qemu.smc_addresses(path)] == [  # -2**47 and 2 GiB (VA_BITS_MIN 48), -2**38 (39)
        "0xffff800080000100", "0xffff800080000ffc", "0xffffffc080000100", "0xffffffc080000ffc",
    ]  # fmt: skip


def test_kernel_that_has_less_for_modules(tmp_path: Path) -> None:
    path = tmp_path / "Image"
    path.write_bytes(image({0x100: b"\x03\x00\x00\xd4"}) + b"\0Linux version 6.1.0-50-arm64 (debian-kernel@...\0")
    assert qemu.smc_addresses(path)[0] == 0xFFFF800008000100


def test_kernel_with_pages_of_16_kib(tmp_path: Path) -> None:
    """The flags of Debian's arm64-16k kernels, and where one was seen to run."""
    path = tmp_path / "Image"
    path.write_bytes(image({0x100: b"\x03\x00\x00\xd4"}, flags=0xC))
    assert qemu.smc_addresses(path)[0] == 0xFFFFC00080000100


def test_another_file_is_no_kernel(tmp_path: Path) -> None:
    path = tmp_path / "bzImage"
    path.write_bytes(b"\x03\x00\x00\xd4" * 100)
    with pytest.raises(ValueError, match="no arm64 kernel"):
        qemu.smc_addresses(path)
