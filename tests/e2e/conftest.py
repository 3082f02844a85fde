"""Guests for the end-to-end tests. They are run by ``make test-e2e`` only: each boots a kernel of Debian in QEMU."""

from __future__ import annotations

import importlib.util
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

HERE = Path(__file__).parent
SUITES = tuple(os.environ.get("RMITRACE_E2E_SUITES", "trixie trixie-backports").split())
"""Suites of Debian whose newest arm64 kernel is tested."""
collect_ignore_glob = [] if "RMITRACE_E2E" in os.environ else ["test_*.py"]
TOOLS = ("qemu-system-aarch64", "aarch64-linux-gnu-gcc", "apt-get", "dpkg-deb", "make")


def _load(name: str) -> ModuleType:
    """A module of this folder (tests are no package)."""
    full = f"rmitrace_e2e_{name}"
    if full not in sys.modules:
        spec = importlib.util.spec_from_file_location(full, HERE / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[full] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules[full]


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = [t for t in TOOLS if shutil.which(t) is None]
    for item in items:
        if not item.path.is_relative_to(HERE):
            continue
        if missing and "CI" not in os.environ:
            item.add_marker(pytest.mark.skip(f"missing: {', '.join(missing)}"))
        if suite := getattr(item, "callspec", None) and item.callspec.params.get("kernel"):  # type: ignore[attr-defined]
            item.add_marker(pytest.mark.xdist_group(suite))  # the tests of one kernel share one guest


@pytest.fixture(scope="session")
def e2e() -> Any:
    """The helper modules of this folder: debian, guest, image, qemulog."""
    names = ("debian", "guest", "image", "qemulog", "rme")
    return SimpleNamespace(**{n: _load(n) for n in names})


@pytest.fixture(scope="module", params=SUITES)
def kernel(request: pytest.FixtureRequest, e2e: Any) -> Any:
    """The newest kernel of each suite."""
    return e2e.debian.kernel(request.param)


@pytest.fixture(scope="module")
def initrd(kernel: Any, e2e: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initramfs with busybox, the recorder as --script prints it, and the module that makes SMCs."""
    from rmitrace.record.script import script

    module = e2e.debian.build_module(kernel, HERE / "smcgen")
    mods = e2e.image.modules(kernel.modules, ("virtio_pci", "virtio_blk"))
    extra = {"record.sh": script().encode("ascii"), "smcgen.ko": module.read_bytes()}
    extra |= {name: (HERE / name).read_bytes() for name in ("state.sh", "kill.sh")}
    path = tmp_path_factory.mktemp("initrd") / "initrd.img"
    path.write_bytes(e2e.image.initramfs(e2e.debian.busybox(kernel), mods, extra))
    return path


@pytest.fixture(scope="module")
def guest(kernel: Any, initrd: Path, e2e: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A booted guest whose SMCs QEMU can log with all registers, with the module in it."""
    from rmitrace.record import qemu

    found = qemu.ask("qemu-system-aarch64")
    addresses = [base + o for base in qemu.BASES for o in qemu.smc_offsets(kernel.image)]
    options = ("-accel", "tcg,thread=single", "-dfilter", qemu.dfilter(addresses))
    one = "one-insn-per-tb" if found.version >= (8, 1) else "singlestep"
    folder = tmp_path_factory.mktemp("guest")
    with e2e.guest.Guest("qemu-system-aarch64", kernel.image, initrd, folder, append="nokaslr", options=options) as g:
        g.boot()
        g.run("insmod /smcgen.ko")
        g.log_on = lambda: (g.hmp(f"{one} on"), g.hmp("log int,cpu,nochain"))
        g.log_off = lambda: (g.hmp("log none"), g.hmp(f"{one} off"))
        yield g
