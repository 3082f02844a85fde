"""Following objects and checking a long capture in a process of its own: the screen has its processor for itself, and the
memory that it takes is given back when it ends.

The other process opens the capture through its index and writes what it found as pickles onto its standard output: the tables
first, the findings behind them. It reads nothing but what its parent gave it, and the parent nothing but what it wrote.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import numpy as np

from ..capture import Capture, OpenOptions, open_capture
from ..capture.packed import Column
from ..capture.records import Finding
from ..lifecycle.table import SequenceTable, StateTable

_NICE = 5
_CODE = "from rmitrace.tui.apart import work; work()"
_BY_ITSELF = ("ts", "dur", "_by_object")
"""Fields of tables that are of the capture, or are made of the others."""


class Apart:
    """The process that works for a capture."""

    def __init__(self, paths: list[str], options: OpenOptions) -> None:
        """Raises OSError where it cannot be started."""
        path = os.pathsep.join(p for p in sys.path if p)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            pickle.dump((paths, replace(options, progress=None, stop=None)), self._process.stdin)
            self._process.stdin.close()

    def follow(self, capture: Capture) -> bool:
        """Wait for what the objects went through and tell the capture; False where it does not come."""
        told = self._next()
        if told is None or told[0] != len(capture):
            return False
        sequences, states = _table(SequenceTable, told[1]), _table(StateTable, told[2])
        sequences.ts, sequences.dur = capture.calls.ts, capture.calls.dur
        states.ts = capture.calls.ts
        capture.learn(followed=(sequences, states))
        return True

    def check(self, capture: Capture) -> bool:
        """Wait for the findings and tell the capture; False where they do not come."""
        found: list[Finding] | None = self._next()
        if found is not None:
            capture.learn(checked=found)
        return found is not None

    def _next(self) -> Any:
        assert self._process.stdout is not None
        try:
            return pickle.load(self._process.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            return None

    def end(self) -> None:
        """Stop it, whatever it is doing."""
        self._process.kill()
        self._process.wait()


def work() -> None:
    """What the other process does."""
    os.nice(_NICE)
    paths, options = pickle.load(sys.stdin.buffer)
    out = sys.stdout.buffer
    capture = open_capture(paths, options)
    pickle.dump((len(capture), _columns(capture.sequences), _columns(capture.states)), out, pickle.HIGHEST_PROTOCOL)
    out.flush()
    capture.conversations.decode()
    pickle.dump(capture.findings, out, pickle.HIGHEST_PROTOCOL)
    out.flush()


def _columns(table: SequenceTable | StateTable) -> dict[str, Any]:
    """A table as it is written: packed columns as arrays."""
    values = {f.name: getattr(table, f.name) for f in fields(table) if f.name not in _BY_ITSELF}
    return {name: (v.dtype.str, np.asarray(v)) if isinstance(v, Column) else v for name, v in values.items()}


def _table(kind: Any, columns: dict[str, Any]) -> Any:
    return kind(**{name: Column(*v) if isinstance(v, tuple) else v for name, v in columns.items()})
