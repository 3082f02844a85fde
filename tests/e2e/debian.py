"""Debian's packages for the guests: kernels of a suite, their headers, busybox. Nothing of this system is changed: apt keeps
its lists in the cache folder, with this system's own mirror and keys."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

CACHE = Path(os.environ.get("RMITRACE_E2E_CACHE") or Path.home() / ".cache" / "rmitrace-e2e")
_KEYS = "/usr/share/keyrings/debian-archive-keyring.gpg"
_KERNEL = re.compile(r"linux-(?:image|binary|modules|headers|kbuild)-\d[\w.+~-]*$")


def _run(argv: list[str], cwd: Path | None = None) -> str:
    done = subprocess.run(argv, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(argv[:2])} ...: {done.stderr.strip()[-2000:]}")
    return done.stdout


def mirror() -> str:
    """The mirror that this system takes its packages from."""
    for line in _run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(ORIGIN) $(LABEL)"]).splitlines():
        uri, _, rest = line.partition(" ")
        if rest == "Debian Debian":
            return uri
    raise RuntimeError("apt has no lists of Debian's packages: apt-get update")


@dataclass(frozen=True)
class Suite:
    """One suite ('trixie', 'trixie-backports') with lists of its own for arm64 and this machine's architecture."""

    name: str
    host: str

    @property
    def folder(self) -> Path:
        return CACHE / self.name

    def _options(self) -> list[str]:
        f = self.folder
        pairs = {
            "Dir::Etc::sourcelist": f / "sources.list", "Dir::Etc::sourceparts": "/dev/null", "Dir::State": f / "state",
            "Dir::State::status": f / "status", "Dir::Cache": f / "cache", "APT::Architecture": "arm64",
            "Acquire::Languages": "none", "Acquire::Retries": "3", "APT::Sandbox::User": "root",
        }  # fmt: skip
        out = [x for k, v in pairs.items() for x in ("-o", f"{k}={v}")]
        return [*out, "-o", "APT::Architectures::=arm64", "-o", f"APT::Architectures::={self.host}"]

    def update(self) -> None:
        """Fetch the lists, where there are none yet."""
        f = self.folder
        if (f / "updated").exists():
            return
        for d in ("state/lists/partial", "cache/archives/partial", "deb"):
            (f / d).mkdir(parents=True, exist_ok=True)
        (f / "status").touch()
        suites = sorted({self.name, self.name.removesuffix("-backports")})
        (f / "sources.list").write_text(
            "".join(f"deb [arch=arm64,{self.host} signed-by={_KEYS}] {mirror()} {s} main\n" for s in suites)
        )
        _run(["apt-get", *self._options(), "update", "-q"])
        (f / "updated").touch()

    def _release(self) -> list[str]:
        return ["-t", self.name]

    def depends(self, package: str, wanted: re.Pattern[str] = _KERNEL) -> list[str]:
        """The packages (of kernels) that one needs."""
        kept = self.folder / "deb" / f"{package.replace(':', '_')}.show"  # apt-cache takes seconds
        if not kept.exists():
            kept.write_text(_run(["apt-cache", *self._options(), *self._release(), "show", "--no-all-versions", package]))
        found = re.findall(r"(?m)^(?:Pre-)?Depends: (.*)$", kept.read_text())
        names = [d.split("|")[0].split("(")[0].strip() for line in found for d in line.split(",")]
        return [n for n in names if wanted.match(n)]

    def unpack(self, *packages: str) -> Path:
        """The packages and the kernel packages that they need, unpacked into one tree; its folder."""
        self.update()
        root = self.folder / "root"
        todo, seen = list(packages), set()
        while todo:
            name = todo.pop()
            if name in seen or name.endswith("-unsigned"):
                continue
            seen.add(name)
            mark = self.folder / "deb" / (name.replace(":", "_") + ".done")
            todo += self.depends(name) if _KERNEL.match(name) else []
            if mark.exists():
                continue
            plain = name.split(":")[0]
            wanted = f"{plain}:{self.host}" if plain.startswith("linux-kbuild-") else name
            _run(["apt-get", *self._options(), *self._release(), "download", "-q", wanted], self.folder / "deb")
            deb = max((self.folder / "deb").glob(f"{plain}_*.deb"), key=lambda p: p.stat().st_mtime)
            root.mkdir(exist_ok=True)
            _run(["dpkg-deb", "-x", str(deb), str(root)])
            deb.unlink()
            mark.touch()
        return root


@dataclass(frozen=True)
class Kernel:
    """A kernel of Debian: its release name, its image, where its modules are, and the tree that it was unpacked into."""

    release: str
    image: Path
    modules: Path
    root: Path
    suite: Suite


def kernel(suite: str) -> Kernel:
    """The newest arm64 kernel of a suite."""
    s = Suite(suite, _run(["dpkg", "--print-architecture"]).strip())
    s.update()
    (name,) = (n for n in s.depends("linux-image-arm64") if n.startswith("linux-image-"))
    root = s.unpack(name, "busybox-static")
    release = name.removeprefix("linux-image-")
    places = (root / "boot" / f"vmlinuz-{release}", root / "usr/lib/modules" / release / "vmlinuz")
    image = next(p for p in places if p.exists())
    modules = next(p for p in (root / "lib/modules" / release, root / "usr/lib/modules" / release) if p.exists())
    return Kernel(release, image, modules, root, s)


_DROPBEAR = "dropbear-bin libgmp10 libtomcrypt1 libtommath1"
_OPENSSH = (
    "openssh-server libaudit1 libcap-ng0 libcom-err2 libgssapi-krb5-2 libk5crypto3 libkeyutils1 libkrb5-3 libkrb5support0 "
    "libpam0g libpcre2-8-0 libselinux1 libsqlite3-0 libssl3t64 libwrap0 libwtmpdb0 libzstd1"
)


def sshd(k: Kernel) -> Path:
    """The tree with ssh servers for the guest, dropbear and OpenSSH, and all that they need."""
    return k.suite.unpack("libc6", "libcrypt1", "zlib1g", *_DROPBEAR.split(), *_OPENSSH.split())


def python(k: Kernel) -> tuple[Path, str]:
    """The tree with the suite's Python for the guest, and its name (python3.13)."""
    k.suite.update()
    name = next(iter(k.suite.depends("python3-minimal", re.compile(r"python3\.\d+(?=-minimal)"))))
    plain = name.removesuffix("-minimal")
    return k.suite.unpack(name, f"lib{name}", f"lib{plain}-stdlib", "libc6", "libexpat1", "zlib1g"), plain


def busybox(k: Kernel) -> bytes:
    """A static busybox for the guest."""
    return next(p for p in (k.root / "usr/bin/busybox", k.root / "bin/busybox") if p.exists()).read_bytes()


_CC = """#!/bin/sh
# the kernel was made by another compiler: say what this one calls it
for a; do shift; case $a in -fmin-function-alignment=*) a=-falign-functions=${a#*=} ;; esac; set -- "$@" "$a"; done
exec aarch64-linux-gnu-gcc "$@"
"""


def build_module(k: Kernel, source: Path) -> Path:
    """Build an external module against the headers of a kernel; the .ko."""
    files = {f.name: f.read_bytes() for f in sorted(source.iterdir()) if f.is_file()}
    out = k.suite.folder / f"{source.name}-{k.release}-{hashlib.sha256(repr(files).encode()).hexdigest()[:16]}"
    ko = out / f"{source.name}.ko"
    if ko.exists():
        return ko
    root = k.suite.unpack(f"linux-headers-{k.release}")
    out.mkdir(exist_ok=True)
    for name, content in files.items():
        (out / name).write_bytes(content)
    cc = out / "cc"
    cc.write_text(_CC)
    cc.chmod(0o755)
    headers = root / "usr/src" / f"linux-headers-{k.release}"
    common = next((root / "usr/src").glob(f"linux-headers-{k.release.rsplit('-', 1)[0]}*-common")) / "Makefile"
    _make_modpost_run(k, headers / "scripts/mod")
    _run(
        [
            "make", "-C", str(headers), "-f", str(common), f"KBUILD_OUTPUT={headers}", "ARCH=arm64", f"CC={cc}",
            "CROSS_COMPILE=aarch64-linux-gnu-", "CONFIG_DEBUG_INFO_BTF=", "CONFIG_DEBUG_INFO_BTF_MODULES=", f"M={out}", "modules",
        ]
    )  # fmt: skip
    return ko


def build_program(source: Path) -> Path:
    """Build a program for the guest that needs no library; the file."""
    out = CACHE / f"{source.stem}-{hashlib.sha256(source.read_bytes()).hexdigest()[:16]}"
    flags = "-std=gnu11 -O1 -ffreestanding -fno-stack-protector -mno-outline-atomics -static -nostdlib -no-pie"
    if not out.exists():
        _run(["aarch64-linux-gnu-gcc", *flags.split(), "-o", str(out), str(source)])
    return out


def _make_modpost_run(k: Kernel, folder: Path) -> None:
    """Where modpost needs a newer C library than this system has, run it with the suite's own."""
    for tool in folder.resolve().glob("modpost*"):
        if tool.suffix == ".real" or tool.read_bytes()[:4] != b"\x7fELF":
            continue
        said = subprocess.run([str(tool), "-?"], capture_output=True, text=True, check=False).stderr
        if "GLIBC_" not in said:
            continue
        libc = k.suite.unpack(f"libc6:{k.suite.host}") / "usr/lib"
        loader = next(libc.glob("*/ld-linux*.so.*"))
        real = tool.with_name(tool.name + ".real")
        tool.rename(real)
        tool.write_text(f'#!/bin/sh\nexec {loader} --library-path {loader.parent} {real} "$@"\n')
        tool.chmod(0o755)
