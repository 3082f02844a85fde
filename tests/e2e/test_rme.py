"""The command line of ``make e2e-rme``; what it boots is the user's own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


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


def test_missing_files_are_named() -> None:
    argv = [sys.executable, str(HERE / "rme.py"), "--firmware", "/nowhere/flash.bin", "--kernel", "/nowhere/Image"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == "/nowhere/flash.bin: no such file\n"
