"""``make e2e-rme``: its command line, and a whole run with stand-ins for what is the user's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
FIRMWARE = Path("/usr/share/qemu-efi-aarch64/QEMU_EFI.fd")
CONNECT = """
echo c4000150 20000 >/sys/module/smcgen/parameters/smc12
echo 'SMC_RMI_VERSION                   20000 > ffffffffffffffff' >/dev/ttyAMA0
echo c4000175 43500000 43502000 >/sys/module/smcgen/parameters/smc12
echo 'SMC_RMI_PDEV_COMMUNICATE          43500000 43502000 > ffffffffffffffff' >/dev/ttyAMA0
"""
"""A device connect in which a shell prints what the RMM would: rows as TF-RMM has them, of the calls that are made."""


@pytest.fixture(scope="module")
def rme(e2e: Any) -> Any:
    return e2e.rme


def test_machine_has_rme_firmware_and_a_responder(rme: Any, tmp_path: Path) -> None:
    argv = ["--firmware", "flash.bin", "--kernel", "Image", "--spdm-port", "2323", "--folder", str(tmp_path), "--device", "edu"]
    m = rme.machine(rme.parser().parse_args(argv))
    assert m["cpu"].startswith("max,x-rme=on")
    assert m["machine"].startswith("virt,secure=on,virtualization=on")  # EL3 for TF-A, R-EL2 for the RMM
    options = list(m["options"])
    assert options[options.index("-bios") + 1] == "flash.bin"
    assert f"file:{tmp_path}/uart1.log" in options
    nvme = next(o for o in options if o.startswith("nvme,"))
    assert {"spdm_port=2323", "bus=rp0"} <= set(nvme.split(","))
    assert options[-2:] == ["-device", "edu"]


def test_without_a_responder_there_is_no_device(rme: Any) -> None:
    m = rme.machine(rme.parser().parse_args(["--firmware", "f", "--kernel", "k"]))
    assert not [o for o in m["options"] if "nvme" in o]


def test_firmware_with_the_kernel_in_it_finds_the_initramfs_in_memory(rme: Any, tmp_path: Path) -> None:
    (tmp_path / "initrd.img").write_bytes(bytes(4097))
    argv = ["--firmware", "f", "--folder", str(tmp_path), "--initrd-at", "0x50000000", "--append", "loglevel=7"]
    m = rme.machine(rme.parser().parse_args(argv))
    assert m["append"] == "initrd=0x50000000,0x1001 loglevel=7"  # arm64: address, size in bytes
    assert f"loader,file={tmp_path}/initrd.img,addr=0x50000000,force-raw=on" in m["options"]


def test_missing_files_are_named() -> None:
    argv = [sys.executable, str(HERE / "rme.py"), "--firmware", "/nowhere/flash.bin", "--kernel", "/nowhere/Image"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "/nowhere/flash.bin: no such file\n"


@pytest.mark.one_kernel(0)
def test_whole_run_with_stand_ins(kernel: Any, e2e: Any, tmp_path: Path) -> None:
    """UEFI boots the kernel in place of TF-A, and the machine has no RME; the rest is as with real ones."""
    module = e2e.debian.build_module(kernel, HERE / "smcgen")
    mods = tmp_path / "modules"
    mods.mkdir()
    for name, data in e2e.image.modules(kernel.modules, ("virtio_pci", "virtio_blk")).items():
        (mods / f"{name}.ko").write_bytes(data)
    (mods / module.name).write_bytes(module.read_bytes())
    (tmp_path / "connect.sh").write_text(CONNECT)
    out = tmp_path / "out"
    options = {
        "firmware": FIRMWARE, "kernel": kernel.image, "modules": mods, "load": "smcgen", "cpu": "cortex-a76", "memory": "1G",
        "machine": "virt,virtualization=on,gic-version=3,acpi=off", "add": tmp_path / "connect.sh", "connect": "sh /connect.sh",
        "folder": out, "seconds": 300,
    }  # fmt: skip
    argv = [sys.executable, str(HERE / "rme.py"), *(f"--{n}={v}" for n, v in options.items())]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "uart.log has no times, placed in 0 by 2 calls that both show" in done.stdout
    assert "# 2 calls, 2 failed" in done.stdout  # each one call of both files, answered -1 by QEMU
    assert "UEFI firmware" in (out / "uart.log").read_text()
