"""``rmitrace record``: make a capture, on this machine, over ssh, or with QEMU's log."""

from __future__ import annotations

import argparse
import os
import platform
import shlex
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from ..display import safe
from . import common

_PASSED = ("for", "doe_function", "buffer_size", "clock")
_FLAGS = ("buffers", "kvm", "no_breakpoints", "dry_run", "clean")


def add_parser(sub: Any) -> None:
    """Add the sub-command."""
    p = sub.add_parser(
        "record",
        help="make a capture: here, on another machine, or with QEMU",
        usage="rmitrace record [-o FILE] [--for SECONDS] [--buffers] [options] [-- COMMAND...]\n"
        "       rmitrace record --remote USER@HOST [...]  |  --script  |  --qemu [PROGRAM] [...]",
        description="Record every SMC of an arm64 Linux host with its registers into one file that rmitrace, trace-cmd and "
        "KernelShark open. It works on stock kernels, as root: hardware breakpoints around the SMC instructions, else probes, "
        "whatever the kernel allows; what will be missing is said. Nothing is installed, and everything is taken away at the "
        "end, also after a kill.",
        epilog=common.example_text(
            ("sudo rmitrace record", "until Ctrl-C, on this arm64 machine"),
            (
                "sudo rmitrace record --buffers -o run.dat -- sh -c 'echo tsm0 > .../tsm/connect'",
                "a device connect, with its SPDM",
            ),
            ("rmitrace record --remote root@board", "on another machine, over ssh; Ctrl-C brings the capture"),
            ("rmitrace record --script > record.sh", "for a machine without Python: sh record.sh"),
            ("sudo rmitrace record --dry-run", "what would be done"),
            ("rmitrace record --qemu -- qemu-system-aarch64 ...", "by QEMU's own log, without the guest"),
            ("rmitrace view run.dat", "then look at it"),
        )
        + "\n\ndocs/capturing.md says what each way shows and misses.",
    )
    p.add_argument("-o", "--output", metavar="FILE", help="the capture (default rmitrace-HOST-TIME.dat)")
    p.add_argument("--for", metavar="SECONDS", help="how long (30 or 30s); without it and without COMMAND until Ctrl-C")
    p.add_argument("--buffers", action="store_true", help="also the bytes of DOE requests and responses (SPDM)")
    p.add_argument("--kvm", action="store_true", help="also the events of KVM: entries and exits of guests (many)")
    p.add_argument("--doe-function", metavar="NAME", help="a further function that carries SPDM, with the arguments of pci_doe()")
    p.add_argument("--buffer-size", metavar="KB", help="of the trace buffer of each CPU (default 4096)")
    p.add_argument("--clock", metavar="NAME", help="trace clock (default mono; another one leaves out the breakpoints)")
    p.add_argument("--no-breakpoints", action="store_true", help="do not use hardware breakpoints")
    p.add_argument("--dry-run", action="store_true", help="print what would be done")
    p.add_argument("--clean", action="store_true", help="take away what a killed run left behind, and end")
    where = p.add_argument_group("where")
    only = where.add_mutually_exclusive_group()
    only.add_argument("--script", action="store_true", help="print a shell script that does it all, for machines without Python")
    only.add_argument("--remote", metavar="USER@HOST", help="on that machine, over ssh; only a shell and root are needed there")
    only.add_argument(
        "--qemu", nargs="?", const="", metavar="PROGRAM",
        help="the options with which this QEMU (default: the one that runs, else qemu-system-aarch64) logs SMCs; with COMMAND, a "
        "QEMU command line, run it with them and say what was logged",
    )  # fmt: skip
    where.add_argument("--sudo", action="store_true", help="with --remote: become root there by sudo (without a password)")
    where.add_argument("--ssh", metavar="COMMAND", default="ssh", help="with --remote: ssh and its options, 'ssh -p 2222'")
    where.add_argument(
        "--kernel", metavar="IMAGE", help="with --qemu: the guest's kernel, booted with nokaslr: log all registers (slow)"
    )
    p.add_argument("command_", nargs=argparse.REMAINDER, metavar="-- COMMAND...", help="record while this runs")
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print the script or the options, or record."""
    what = args.command_[1:] if args.command_[:1] == ["--"] else args.command_
    if args.script:
        from ..record.script import script

        print(script(), end="")
        return 0
    if args.qemu is not None:
        return _qemu(args, what)
    return _remote(args, what) if args.remote else _here(args, what)


def options_of(args: argparse.Namespace) -> list[str]:
    """The script's options for these arguments."""
    out = []
    for name in _PASSED:
        if (value := getattr(args, name)) is not None:
            out += [f"--{name.replace('_', '-')}", value]
    return out + [f"--{name.replace('_', '-')}" for name in _FLAGS if getattr(args, name)]


def _here(args: argparse.Namespace, what: list[str]) -> int:
    from ..record.script import script

    if platform.system() != "Linux" or platform.machine() != "aarch64":
        raise common.UserError(
            f"this machine is {platform.system()} on {platform.machine()}, and SMCs are made by arm64 Linux: "
            "use --remote USER@HOST, or --script and run it there"
        )
    if os.geteuid() != 0:
        again = shlex.quote(os.path.abspath(sys.argv[0])) if os.path.basename(sys.argv[0]) == "rmitrace" else "rmitrace"
        raise common.UserError(f"must be root to trace the kernel: sudo {safe(again)} record ...")  # sudo may have another PATH
    # in memory, so that nothing is left where this is killed; the shell reads all of it before it runs any
    with os.fdopen(os.memfd_create("rmitrace"), "w") as f:
        f.write(script())
        f.flush()
        output = ["-o", args.output] if args.output else []
        argv = ["sh", f"/proc/self/fd/{f.fileno()}", *output, *options_of(args), *(["--", *what] if what else [])]
        with subprocess.Popen(argv, pass_fds=[f.fileno()]) as p:
            while True:
                try:
                    return p.wait()
                except KeyboardInterrupt:
                    continue  # the script has it too, and ends the recording


def _remote(args: argparse.Namespace, what: list[str]) -> int:
    from ..record import remote

    if args.remote.startswith("-"):
        raise common.UserError(f"--remote {args.remote!r} is no host")
    to = remote.Remote(args.remote, tuple(shlex.split(args.ssh)) or ("ssh",), args.sudo)
    if args.dry_run or args.clean:
        return 2 if remote.record(to, options_of(args), what, sys.stdout.buffer) else 0
    path = args.output or f"rmitrace-{socket.gethostname()}-{time.strftime('%Y%m%d-%H%M%S')}.dat"
    with open(path, "wb") as f:
        status = remote.record(to, options_of(args), what, f)
    if not remote.is_whole(path):
        os.unlink(path)
        raise common.UserError(f"nothing came back from {args.remote} (ssh ended with status {status})")
    if status:
        print(f"rmitrace: the recording ended with status {status}; {safe(path)} may not be whole", file=sys.stderr)
    print(f"{safe(path)}: {os.path.getsize(path)} bytes; open it with: rmitrace view {safe(shlex.quote(path))}")
    return 2 if status else 0


def _qemu(args: argparse.Namespace, what: list[str]) -> int:
    from ..record import qemu

    program = args.qemu or (what[0] if what else next(iter(qemu.running()), "qemu-system-aarch64"))
    log = args.output or "qemu.log"
    try:
        found = qemu.ask(program)
        addresses = []
        if args.kernel:
            addresses = qemu.smc_addresses(Path(args.kernel))
    except qemu.NoQemu as e:
        raise common.UserError(str(e)) from None
    except ValueError as e:
        raise common.UserError(f"{args.kernel}: {e}") from None
    extra = qemu.options(found, log, addresses)
    if not what or args.dry_run:
        version = ".".join(str(v) for v in found.version)
        on, off = qemu.monitor(found, os.path.abspath(log), bool(addresses))
        print(f"# {safe(program)} is QEMU {version}; add to its command line:")
        print(shlex.join(extra))
        print("# " + _what_is_seen(found.psci, bool(addresses)))
        print(f"# or, once it runs{' (started with that -dfilter)' if addresses else ''}, say to its monitor:")
        print("\n".join(map(safe, on)))
        print("# and to end it:")
        print("\n".join(off))
        print(f"# then: rmitrace view {safe(shlex.quote(log))}")
        return 0
    if shutil.which(what[0]) is None:
        raise common.UserError(f"{what[0]}: no such program")
    status = subprocess.run([*what, *extra], check=False).returncode
    if status:
        print(f"rmitrace: QEMU ended with status {status}", file=sys.stderr)
    return _summary(log)


def _what_is_seen(psci: bool, all_registers: bool) -> str:
    if all_registers:
        return "all registers of every SMC before and after, no time; boot the kernel with nokaslr; ten times slower"
    if psci:
        return "x0 to x3 of every SMC with the time, no results; only where QEMU's own PSCI answers (no firmware at EL3)"
    return "that an SMC was made, and where; no registers (for those give --kernel IMAGE and boot it with nokaslr)"


def _summary(log: str) -> int:
    """Say what QEMU logged."""
    from ..capture import CaptureError, open_capture

    try:
        capture = open_capture([log])
    except CaptureError as e:
        raise common.UserError(str(e)) from None
    print(f"{safe(log)}: {len(capture.calls)} SMCs; open it with: rmitrace view {safe(shlex.quote(log))}")
    return 0
