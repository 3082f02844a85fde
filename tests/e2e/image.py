"""A guest's initramfs: busybox, some modules of its kernel and what a test adds, written as a cpio archive (newc)."""

from __future__ import annotations

import lzma
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path

LIBRARIES = "usr/lib/aarch64-linux-gnu"
LOADER = "ld-linux-aarch64.so.1"

INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /bin /sbin /proc /sys /dev /tmp /run /etc
/bin/busybox --install -s /bin
mount -t proc none /proc
mount -t sysfs none /sys
mount -t devtmpfs none /dev
mount -t tmpfs none /tmp
mount -t tmpfs none /run
for m in $(cat /modules/order); do insmod "/modules/$m" || echo "no module $m"; done
export PS1=
stty -echo 2>/dev/null
echo "guest is up: $(uname -r)"
cd /tmp
while :; do setsid cttyhack sh; done
"""


def _entry(name: str, data: bytes, mode: int, number: int) -> bytes:
    name_ = name.encode() + b"\0"
    fields = (number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name_), 0)
    head = b"070701" + b"".join(b"%08X" % f for f in fields) + name_
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def cpio(files: dict[str, tuple[bytes, int]]) -> bytes:
    """An archive of files: path without a leading slash -> (content, mode); folders are made where they are needed."""
    folders = sorted({str(p) for name in files for p in Path(name).parents if str(p) != "."}, key=lambda p: (p.count("/"), p))
    parts = [_entry(f, b"", 0o040755, i + 1) for i, f in enumerate(folders)]
    parts += [_entry(n, data, 0o100000 | mode, 1000 + i) for i, (n, (data, mode)) in enumerate(files.items())]
    return b"".join([*parts, _entry("TRAILER!!!", b"", 0, 0)])


def modules(folder: Path, wanted: tuple[str, ...]) -> dict[str, bytes]:
    """The kernel modules of these names and those they need, in the order in which they go in; what is built in is left out."""
    there = {f.name.partition(".ko")[0].replace("-", "_"): f for f in folder.rglob("*.ko*")}
    out: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name in out or name not in there:
            return
        data = there[name].read_bytes()
        data = lzma.decompress(data) if there[name].suffix == ".xz" else data
        found = re.search(rb"\0depends=([\w,-]*)\0", data)
        for need in found[1].decode().replace("-", "_").split(",") if found else ():
            add(need)
        out[name] = data

    for name in wanted:
        add(name)
    return out


def programs(root: Path, names: Iterable[str]) -> dict[str, bytes]:
    """Programs by path out of a tree, with the shared libraries that they need as far as the tree has them."""
    out: dict[str, bytes] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in out or not (root / name).exists():
            continue
        out[name] = (root / name).read_bytes()
        said = subprocess.run(["aarch64-linux-gnu-objdump", "-p", str(root / name)], capture_output=True, text=True, check=True)
        todo += [f"{LIBRARIES}/{n}" for n in re.findall(r"NEEDED\s+(\S+)", said.stdout)]
    out[f"lib/{LOADER}"] = (root / LIBRARIES / LOADER).read_bytes()
    return out


def python(root: Path, name: str) -> dict[str, bytes]:
    """A Python of Debian (python3.13) out of a tree: the program, its standard library."""
    library = root / "usr/lib" / name
    out = programs(root, [f"usr/bin/{name}", *(str(p.relative_to(root)) for p in (library / "lib-dynload").glob("*.so"))])
    left_out = {"test", "idlelib", "ensurepip", "pydoc_data", "lib2to3", "turtledemo"}
    for p in library.rglob("*.py"):
        if p.is_file() and not left_out & set(p.relative_to(library).parts):
            out[str(p.relative_to(root))] = p.read_bytes()
    return out


def initramfs(busybox: bytes, mods: dict[str, bytes], extra: dict[str, bytes]) -> bytes:
    """The archive for one guest; ``extra`` are executable files by path."""
    files = {"init": (INIT.encode(), 0o755), "bin/busybox": (busybox, 0o755)}
    files |= {f"modules/{n}.ko": (data, 0o644) for n, data in mods.items()}
    files["modules/order"] = ("".join(f"{n}.ko\n" for n in mods).encode(), 0o644)
    files |= {n: (data, 0o755) for n, data in extra.items()}
    return cpio(files)
