"""One emulated machine: boot it, type at its console, talk to QEMU's monitor, take files out over a raw disk."""

from __future__ import annotations

import contextlib
import re
import select
import socket
import subprocess
import time
from pathlib import Path
from typing import Self

DISK = 64 << 20
"""Bytes of the disk over which files come out."""


class GuestError(Exception):
    """The guest did not do what it was told; the message has the end of its console."""


class Guest:
    """A running guest. Its console is a shell without echo; ``console`` is all that it printed."""

    def __init__(
        self, qemu: str, kernel: Path, initrd: Path, folder: Path, *, cpu: str = "cortex-a76", smp: int = 2, memory: str = "1G",
        append: str = "", options: tuple[str, ...] = (), machine: str = "virt,virtualization=on,gic-version=3",
    ) -> None:  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.disk = folder / "disk.img"
        with self.disk.open("wb") as f:
            f.truncate(DISK)
        self.log = folder / "qemu.log"
        ports = {n: folder / f"{n}.sock" for n in ("serial", "monitor")}
        for p in ports.values():
            p.unlink(missing_ok=True)
        command = [
            qemu, "-M", machine, "-cpu", cpu, "-smp", str(smp), "-m", memory, "-nographic", "-nodefaults", "-no-reboot",
            "-kernel", str(kernel), "-initrd", str(initrd), "-append", f"console=ttyAMA0 quiet panic=-1 {append}",
            "-drive", f"file={self.disk},format=raw,if=none,id=d0", "-device", "virtio-blk-pci,drive=d0", "-D", str(self.log),
            "-monitor", f"unix:{ports['monitor']},server=on,wait=off", "-serial", f"unix:{ports['serial']},server=on,wait=on",
            *options,
        ]  # fmt: skip
        self.command = command
        self.errors = (folder / "qemu.err").open("wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.errors, stderr=self.errors)
        self.console = ""
        self.serial = self._connect(ports["serial"])
        self.monitor = self._connect(ports["monitor"])
        self._count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _connect(self, path: Path) -> socket.socket:
        for _ in range(200):
            s = socket.socket(socket.AF_UNIX)
            with contextlib.suppress(OSError):
                s.connect(str(path))
                return s
            s.close()
            if self.process.poll() is not None:
                break
            time.sleep(0.05)
        raise GuestError(f"QEMU does not start: {(self.folder / 'qemu.err').read_text(errors='replace')[-2000:]}")

    def _read(self, until: re.Pattern[str], start: int, seconds: float) -> re.Match[str]:
        end = time.monotonic() + seconds
        while True:
            found = until.search(self.console, start)
            if found:
                return found
            left = end - time.monotonic()
            ready, _, _ = select.select([self.serial], [], [], max(0, min(left, 1)))
            if ready:
                data = self.serial.recv(65536)
                if not data:
                    raise GuestError(f"the guest is gone: ...{self.console[-3000:]}")
                self.console += data.decode("utf-8", "replace").replace("\r", "")
            elif left <= 0:
                raise GuestError(f"nothing like {until.pattern!r} after {seconds} s: ...{self.console[-3000:]}")

    def wait(self, pattern: str, seconds: float = 120, start: int = 0) -> re.Match[str]:
        """Wait until the console has printed this (a regular expression)."""
        return self._read(re.compile(pattern), start, seconds)

    def boot(self, seconds: float = 240) -> None:
        """Wait for the shell."""
        self.wait("guest is up: ", seconds)

    def send(self, text: str) -> int:
        """Type a line; returns where in ``console`` what follows begins."""
        at = len(self.console)
        self.serial.sendall(text.encode() + b"\n")
        return at

    def run(self, command: str, seconds: float = 120, check: bool = True) -> str:
        """Run a shell command and give what it printed. Raises GuestError where its status is not 0 (and ``check``)."""
        self._count += 1
        mark = f"=={self._count}=="
        at = self.send(f"{command}\necho \"$?\" '{mark}'")
        found = self.wait(rf"(?m)(\d+) {mark}$", seconds, at)
        if check and found[1] != "0":
            raise GuestError(f"status {found[1]} of {command!r}: {self.console[at : found.start()][-3000:]}")
        return self.console[at : found.start()]

    def take(self, path: str, seconds: float = 120) -> bytes:
        """A file of the guest."""
        size = int(self.run(f"wc -c < '{path}' && dd if='{path}' of=/dev/vda bs=64k 2>/dev/null && sync", seconds).split()[0])
        with self.disk.open("rb") as f:
            return f.read(size)

    def hmp(self, command: str) -> str:
        """Say something to QEMU's monitor; what it answers."""
        self.monitor.settimeout(30)
        self.monitor.sendall(command.encode() + b"\n")
        answer = ""
        while not answer.rstrip().endswith("(qemu)") or command.split()[0] not in answer:
            data = self.monitor.recv(65536)
            if not data:
                break
            answer += data.decode("utf-8", "replace")
        return answer

    def stop(self) -> None:
        """End it."""
        with contextlib.suppress(OSError):
            self.process.kill()
        self.process.wait()
        for s in (self.serial, self.monitor):
            s.close()
        self.errors.close()
