"""Kernels made by other processes, and what happens where that cannot be."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rmitrace.capture import encoding_kernel
from rmitrace.formats import kernel_workers, kernels
from tests.rmitrace.formats.test_kernel_code import ROOT

STEPS: tuple[Any, ...] = ()


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "rmitrace" / "kernels"


def less(a: Any, b: Any) -> Any:
    return a - b


def made(cache: Path) -> list[str]:
    return sorted(p.name.partition("-")[0] for p in cache.glob("*/*.code"))


def test_a_kernel_is_made_elsewhere(cache: Path) -> None:
    """This process never imports Numba, not even for what it needs behind the first kernel."""
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]\n"
        "from rmitrace.formats import kernels, kernel_workers\n"
        "kernel_workers.on_wait = lambda: print('waiting')\n"
        "from tests.rmitrace.formats.test_kernel_workers import less, STEPS\n"
        "for _ in range(2): print(kernels.compiled.__wrapped__(less, STEPS)(7, 2))\n"
        "print('numba' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, str(ROOT)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=cache.parents[1])
    assert (done.stdout.split(), done.stderr) == (["waiting", "5", "5", "False"], "")
    assert made(cache) == ["less"]


def test_what_is_needed_behind_it_is_made_too(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_workers, "BEHIND", ("rmitrace.capture.encoding_kernel:pack",))
    monkeypatch.setattr(kernel_workers, "_MAKING", {})
    kernels.compiled.cache_clear()
    assert kernels.compiled(less, STEPS, behind=True)(9, 4) == 5
    (job,) = [job for job in kernel_workers._MAKING if "pack" in job]
    kernel_workers._MAKING[job].wait(job)
    assert made(cache) == ["less", "pack"]
    pack = kernels.compiled(encoding_kernel.pack, encoding_kernel.STEPS)
    assert pack.kept(tuple(encoding_kernel.KINDS.split())) is not None
    kernels.compiled.cache_clear()


@pytest.mark.parametrize("program", ["", "/nothing", "/bin/false"])
def test_without_another_process_it_is_made_here(cache: Path, monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(sys, "executable", program)
    assert kernels.compiled.__wrapped__(less, STEPS)(np.uint64(2**64 - 1), np.uint64(1)) == 2**64 - 2
    assert made(cache) == ["less"]


def test_modules_of_the_folder_one_is_in_are_not_run(cache: Path, tmp_path: Path) -> None:
    for name in ("numba", "json", "rmitrace", "decoders"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    program = (
        "from rmitrace.capture import encoding_kernel as k\n"
        "from rmitrace.formats.kernel_workers import make\n"
        "make(k.pack, k.STEPS, tuple(k.KINDS.split()), behind=False, cores=1)\n"
    )
    subprocess.run([sys.executable, "-P", "-c", program], check=True, cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert made(cache) == ["pack"]
    assert not (tmp_path / "ran").exists()
