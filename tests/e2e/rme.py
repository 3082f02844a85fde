"""A device connect under your own firmware: boots it in QEMU with RME, records with the script, keeps the UART, opens both.

Not part of the tests: firmware (TF-A with TF-RMM, as one flash image) is yours, and so is a kernel with a CCA host driver.
Without one it is Debian's newest arm64 kernel, and --load pdevgen brings a module that connects a device by the calls of RMI
2.0. What comes out is FOLDER/run.dat (the host's SMCs and DOE bytes) and FOLDER/uart.log (firmware, RMM and kernel, as far
as they share that UART; FOLDER/uart1.log has the second one).

  make e2e-rme FIRMWARE=flash.bin KERNEL=Image RME_OPTIONS="--connect 'echo tsm0 > /sys/...' --spdm-port 2323"
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

HERE = Path(__file__).parent
MACHINE, CPU = "virt,secure=on,virtualization=on,gic-version=3,acpi=off", "max,x-rme=on,pauth-impdef=on"
"""EL3 for TF-A, R-EL2 for the RMM."""


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"rmitrace_e2e_{name}", HERE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def parser() -> argparse.ArgumentParser:
    """The options."""
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--firmware", type=Path, required=True, help="flash image with BL1, FIP and RMM, given to -bios")
    p.add_argument("--kernel", type=Path, help="arm64 Image with tracing, breakpoints and virtio-blk (default: Debian's)")
    p.add_argument("--modules", type=Path, help="folder with the kernel's modules, for virtio-blk and those of --load")
    p.add_argument(
        "--load", action="append", default=[],
        help="a module to load in the guest; with Debian's kernel also pdevgen or smcgen of this folder; may be repeated",
    )  # fmt: skip
    p.add_argument("--busybox", type=Path, help="static busybox for arm64 (default: Debian's)")
    p.add_argument("--qemu", default="qemu-system-aarch64", help="a QEMU with x-rme (8.1 or newer)")
    p.add_argument("--connect", default="true", help="shell command in the guest that connects the device")
    p.add_argument(
        "--spdm-port", type=int, help="add an NVMe device whose DOE mailbox an SPDM responder on this port answers (9.1)"
    )
    p.add_argument("--device", action="append", default=[], help="further -device options; may be repeated")
    p.add_argument("--add", type=Path, action="append", default=[], help="a file for the guest's root folder; may be repeated")
    p.add_argument("--machine", default=MACHINE, help="QEMU's -machine (default %(default)s)")
    p.add_argument("--cpu", default=CPU, help="QEMU's -cpu (default %(default)s)")
    p.add_argument("--memory", default="4G")
    p.add_argument(
        "--initrd-at", type=lambda text: int(text, 0), metavar="ADDRESS",
        help="put the initramfs into memory there: for firmware that has the kernel in it and asks QEMU for none (0x50000000)",
    )  # fmt: skip
    p.add_argument("--append", default="", help="further words of the kernel's command line")
    p.add_argument("--seconds", type=float, default=900, help="how long the boot may take")
    p.add_argument("--folder", type=Path, default=Path("e2e-rme"), help="where the results go")
    return p


def machine(args: argparse.Namespace) -> dict[str, object]:
    """What a Guest of this kind is started with."""
    options = ["-bios", str(args.firmware), "-serial", f"file:{args.folder / 'uart1.log'}"]
    if args.spdm_port is not None:
        backing = args.folder / "nvme.img"
        options += ["-drive", f"file={backing},format=raw,if=none,id=spdm0"]
        options += ["-device", "pcie-root-port,id=rp0,slot=0"]
        options += ["-device", f"nvme,bus=rp0,drive=spdm0,serial=rmitrace,spdm_port={args.spdm_port}"]
    for d in args.device:
        options += ["-device", d]
    append = args.append
    if args.initrd_at is not None:
        initrd = args.folder / "initrd.img"
        options += ["-device", f"loader,file={initrd},addr={args.initrd_at:#x},force-raw=on"]
        append = f"initrd={args.initrd_at:#x},{initrd.stat().st_size:#x} {append}"
    return {
        "cpu": args.cpu, "smp": 2, "memory": args.memory, "append": append, "options": tuple(options),
        "machine": args.machine,
    }  # fmt: skip


def main() -> int:
    args = parser().parse_args()
    for path in (args.firmware, args.kernel, *args.add):
        if path is not None and not path.is_file():
            sys.exit(f"{path}: no such file")
    from rmitrace.record.script import script

    debian, guest, image = (_load(n) for n in ("debian", "guest", "image"))
    args.folder.mkdir(parents=True, exist_ok=True)
    own = {}
    if args.kernel is None:
        kernel = debian.kernel("trixie-backports")
        args.kernel, args.modules = kernel.image, args.modules or kernel.modules
        names = [n for n in args.load if (HERE / n / "Kbuild").exists()]
        own = {n: debian.build_module(kernel, HERE / n).read_bytes() for n in names}
    mods = image.modules(args.modules, ("virtio_pci", "virtio_blk", *args.load)) if args.modules else {}
    mods |= own
    busybox = args.busybox.read_bytes() if args.busybox else debian.busybox(debian.kernel("trixie"))
    initrd = args.folder / "initrd.img"
    initrd.write_bytes(
        image.initramfs(busybox, mods, {"record.sh": script().encode("ascii")} | {f.name: f.read_bytes() for f in args.add})
    )
    if args.spdm_port is not None:
        with (args.folder / "nvme.img").open("wb") as f:
            f.truncate(64 << 20)
    try:
        with guest.Guest(args.qemu, args.kernel, initrd, args.folder, **machine(args)) as g:
            try:
                g.boot(args.seconds)
                g.run("cat >/tmp/connect.sh <<'X'\n" + args.connect + "\nX")
                print(g.run("sh /record.sh --buffers -o /tmp/run.dat -- sh /tmp/connect.sh", args.seconds))
                (args.folder / "run.dat").write_bytes(g.take("/tmp/run.dat", args.seconds))
            finally:
                (args.folder / "uart.log").write_text(g.console)
    except guest.GuestError as e:
        sys.exit(f"{str(e).partition(': ...')[0]}; what it printed is in {args.folder / 'uart.log'}")
    files = [str(args.folder / n) for n in ("run.dat", "uart.log")]
    print(f"rmitrace view {' '.join(files)}", flush=True)
    return subprocess.run([sys.executable, "-m", "rmitrace", "view", "--text", *files], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
