"""Kernels whose code is not there yet, made by other processes at the same time: the one that is asked for, and those that
are needed behind it. This process does not import Numba then.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType

from .kernel_code import Kernel, Kinds

BEHIND = ("rmitrace.formats.record_pack_kernel:take", "rmitrace.capture.unpacking_kernel:unpack",
          "rmitrace.capture.pairing_kernel:pair", "rmitrace.capture.encoding_kernel:pack")  # fmt: skip
"""What every big source needs behind its scanner, in that order: packed columns and pairs. One process makes them, as they have
steps in common. The module says with which KINDS a kernel is called."""
on_wait: Callable[[], None] | None = None
"""Called before a wait of some seconds."""


class _Worker:
    """A process that makes some kernels, one after the other."""

    def __init__(self, jobs: Sequence[str]) -> None:
        import subprocess

        from .kernel_build import UNOPTIMISED

        root = str(Path(__file__).parents[2])
        paths = os.pathsep.join([root, *filter(None, sys.path)])
        # -P: modules come from where they come from here, not from the folder that the user is in
        # process_group: Ctrl-C is for this process, which may go on with what was read
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "rmitrace.formats.kernel_build", *jobs],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            process_group=0, env=os.environ | UNOPTIMISED | {"PYTHONPATH": paths},
        )  # fmt: skip
        self._done: set[str] = set()
        atexit.register(self.end)

    def wait(self, job: str) -> None:
        """Return when a kernel is made, or when it cannot be."""
        assert self._process.stdout is not None
        while job not in self._done:
            line = self._process.stdout.readline()
            if not line:
                self.end()
                return
            self._done.add(line.strip())

    def end(self) -> None:
        """What it has not made it does not make any more."""
        self._process.kill()
        self._process.wait()


_MAKING: dict[str, _Worker] = {}
"""The process that makes each kernel."""


def make(function: Kernel, steps: tuple[Kernel, ...], kinds: Kinds, *, behind: bool, cores: int) -> None:
    """Have a kernel made, and wait for it; ``behind``: those that pack and pair records are made, too. Where that cannot be it
    returns at once, or later: the caller has to look."""
    module = sys.modules.get(function.__module__)
    if module is None or not _told(module, function, steps):
        return
    job = f"{function.__module__}:{function.__name__} {' '.join(kinds)}"
    if job not in _MAKING:
        groups = [[job], _missing(job) if behind else []]
        if cores < 2:
            groups = [[job for group in groups for job in group]]
        try:
            for group in filter(None, groups):
                _MAKING.update(dict.fromkeys(group, _Worker(group)))
        except OSError:
            return
    if on_wait is not None:
        on_wait()
    _MAKING[job].wait(job)


def _told(module: ModuleType, function: Kernel, steps: tuple[Kernel, ...]) -> bool:
    """Whether another process finds the same kernel by its name."""
    named = module.__name__ != "__main__" and getattr(module, function.__name__, None) is function
    return bool(sys.executable) and named and getattr(module, "STEPS", None) == steps


def _missing(job: str) -> list[str]:
    """Those kernels that are needed behind one and that there is no code of yet, as jobs."""
    from .kernels import compiled

    found = []
    for name in BEHIND:
        module_name, _, function = name.partition(":")
        module = import_module(module_name)
        one = f"{name} {module.KINDS}"
        if one == job or one in _MAKING:
            continue
        if compiled(getattr(module, function), module.STEPS).kept(tuple(module.KINDS.split())) is None:
            found.append(one)
    return found
