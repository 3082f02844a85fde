"""Guests for the end-to-end tests. They are run by ``make test-e2e`` only: each boots a kernel of Debian in QEMU."""

from __future__ import annotations

import importlib.util
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SUITES = tuple(os.environ.get("RMITRACE_E2E_SUITES", "trixie trixie-backports").split())
"""Suites of Debian whose newest arm64 kernel is tested."""
collect_ignore_glob = [] if "RMITRACE_E2E" in os.environ else ["test_*.py"]
TOOLS = ("qemu-system-aarch64", "aarch64-linux-gnu-gcc", "apt-get", "dpkg-deb", "make", "ssh", "ssh-keygen", "trace-cmd")


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
    items[:] = [item for item in items if not item.path.is_relative_to(HERE) or _is_for(item)]
    for item in items:
        if not item.path.is_relative_to(HERE):
            continue
        if missing and "CI" not in os.environ:
            item.add_marker(pytest.mark.skip(f"missing: {', '.join(missing)}"))
        if suite := _suite(item):
            item.add_marker(pytest.mark.xdist_group(suite))  # the tests of one kernel share one guest


def _suite(item: pytest.Item) -> str | None:
    """The suite of the kernel that a test is run on; None for one that needs no kernel."""
    return item.callspec.params.get("kernel") if hasattr(item, "callspec") else None


def _is_for(item: pytest.Item) -> bool:
    """Whether a test is to be run on its kernel: what one kernel shows is marked ``one_kernel`` with the place in SUITES."""
    one = item.get_closest_marker("one_kernel")
    return one is None or _suite(item) in (None, SUITES[one.args[0]])


@pytest.fixture(scope="session")
def e2e() -> Any:
    """The helper modules of this folder: debian, guest, image, opened, qemulog, rme."""
    names = ("debian", "guest", "image", "opened", "qemulog", "rme")
    return SimpleNamespace(**{n: _load(n) for n in names})


@pytest.fixture(scope="session", params=SUITES)
def kernel(request: pytest.FixtureRequest, e2e: Any) -> Any:
    """The newest kernel of each suite."""
    return e2e.debian.kernel(request.param)


@pytest.fixture(scope="session")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The key that opens the guest over ssh; the public one is beside it."""
    path = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


def has_more(kernel: Any) -> bool:
    """Whether the guest of this kernel has ssh servers and Python too: one is enough."""
    return bool(kernel.suite.name == SUITES[-1])


@pytest.fixture(scope="session")
def initrd(kernel: Any, key: Path, e2e: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An initramfs with busybox, the recorder as --script prints it, and the module that makes SMCs."""
    from rmitrace.record.script import script

    module = e2e.debian.build_module(kernel, HERE / "smcgen")
    mods = e2e.image.modules(kernel.modules, ("virtio_pci", "virtio_blk", "virtio_net"))
    extra = {"record.sh": script().encode("ascii"), "smcgen.ko": module.read_bytes()}
    extra |= {name: (HERE / name).read_bytes() for name in ("state.sh", "kill.sh")}
    extra["kvmrun"] = e2e.debian.build_program(HERE / "kvmrun.c").read_bytes()
    if has_more(kernel):
        openssh = ("usr/sbin/sshd", "usr/lib/openssh/sshd-session", "usr/lib/openssh/sshd-auth")
        extra |= e2e.image.programs(e2e.debian.sshd(kernel), ["usr/sbin/dropbear", *openssh])
        extra |= {"root/.ssh/authorized_keys": key.with_suffix(".pub").read_bytes(), "etc/dropbear/README": b""}
        extra |= {"etc/ssh/key": key.read_bytes(), "etc/ssh/sshd_config": b"HostKey /run/key\nUsePAM no\nPort 2222\n"}
        extra["etc/passwd"] = b"root::0:0:root:/root:/bin/sh\nsshd:*:100:100::/run/sshd:/bin/false\n"
        extra["etc/shells"] = b"/bin/sh\n"
        extra |= e2e.image.python(*e2e.debian.python(kernel))
        extra |= {
            f"usr/lib/python3/dist-packages/{p.relative_to(ROOT)}": p.read_bytes()
            for package in ("rmitrace", "decoders")
            for p in (ROOT / package).rglob("*")
            if p.is_file() and "__pycache__" not in p.parts
        }
    path = tmp_path_factory.mktemp("initrd") / "initrd.img"
    path.write_bytes(e2e.image.initramfs(e2e.debian.busybox(kernel), mods, extra))
    return path


@pytest.fixture(scope="session")
def guest(kernel: Any, initrd: Path, e2e: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """A booted guest whose SMCs QEMU can log with all registers, with the module in it."""
    from rmitrace.record import qemu

    found = qemu.ask("qemu-system-aarch64")
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        ports = [s.getsockname()[1] for s in (one, two)]
    addresses = [a for a in qemu.smc_addresses(kernel.image) if a >> 32 == 0xFFFF8000]  # 48 bits; fewer are quicker
    options = (
        "-accel", "tcg,thread=single", "-dfilter", qemu.dfilter(addresses),
        "-netdev", f"user,id=n0,restrict=on,hostfwd=tcp:127.0.0.1:{ports[0]}-:22,hostfwd=tcp:127.0.0.1:{ports[1]}-:2222",
        "-device", "virtio-net-pci,netdev=n0,romfile=",
    )  # fmt: skip
    one = "one-insn-per-tb" if found.version >= (8, 1) else "singlestep"
    folder = tmp_path_factory.mktemp("guest")
    with e2e.guest.Guest("qemu-system-aarch64", kernel.image, initrd, folder, append="nokaslr", options=options) as g:
        g.boot()
        g.run("insmod /smcgen.ko")
        g.ports, g.more = dict(zip(("dropbear", "openssh"), ports, strict=True)), has_more(kernel)
        g.log_on = lambda: (g.hmp(f"{one} on"), g.hmp("log int,cpu,nochain"))
        g.log_off = lambda: (g.hmp("log none"), g.hmp(f"{one} off"))
        yield g
