"""What takes long of a long capture in processes of their own: the screen has its processor for itself, and the memory that they
take is given back when they end.

One follows objects and checks, another says why calls failed. Each opens the capture through its index and writes what it found
as pickles onto its standard output. It reads nothing but what its parent gives it, and the parent nothing but what it wrote. It
ends when its standard input is closed: also when its parent is killed.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import fields, replace
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

import numpy as np

from ..capture import Capture, OpenOptions, open_capture
from ..capture.packed import Column
from ..capture.records import Finding
from ..lifecycle.table import SequenceTable, StateTable

if TYPE_CHECKING:
    from ..diagnose import Diagnosis

_NICE = 10
"""What works for the screen has what the screen, with its filters and searches, leaves of the processors."""
_CODE = "from rmitrace.tui.apart import {0}; {0}()"
_BY_ITSELF = ("ts", "dur", "_by_object")
"""Fields of tables that are of the capture, or are made of the others."""
_PACKED = ("step_first", "step_last", "step_count")
"""Fields that are long, and looked at for what is on the screen."""


class Helper:
    """A process that works for a capture; ``work`` is what it does, a function of this module."""

    def __init__(self, work: str, paths: list[str], options: OpenOptions) -> None:
        """Raises OSError where it cannot be started."""
        path = os.pathsep.join(p for p in sys.path if p)
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _CODE.format(work)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        with suppress(BrokenPipeError):
            self._ask((paths, replace(options, progress=None, stop=None)))

    def _ask(self, what: Any) -> None:
        assert self._process.stdin is not None
        if self._process.stdin.closed:
            raise OSError("ended")
        pickle.dump(what, self._process.stdin)
        self._process.stdin.flush()

    def _next(self) -> Any:
        """What it says next; None where it ended."""
        assert self._process.stdout is not None
        try:
            return pickle.load(self._process.stdout)
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            return None

    def end(self) -> None:
        """Stop it, whatever it is doing."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdin is not None
        with suppress(OSError):
            self._process.stdin.close()


class Apart(Helper):
    """Follows objects and checks."""

    def __init__(self, paths: list[str], options: OpenOptions) -> None:
        """Raises OSError where it cannot be started."""
        super().__init__("work", paths, options)

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


class Explainer(Helper):
    """Says why calls failed."""

    def __init__(self, paths: list[str], options: OpenOptions) -> None:
        """Raises OSError where it cannot be started."""
        super().__init__("explain", paths, options)

    def why(self, calls: int, seq: int) -> Diagnosis | None:
        """Why a call of a capture of so many failed. Raises OSError where no answer comes."""
        self._ask(seq)
        told = self._next()
        if told is None or told[0] != calls:
            raise OSError("no answer")
        found: Diagnosis | None = told[1]
        return found


def _asked() -> SimpleQueue[Any]:
    """What the parent asks, as it comes; the process ends with its parent, whatever it is doing then."""
    asked: SimpleQueue[Any] = SimpleQueue()

    def read() -> None:
        with suppress(EOFError, OSError, pickle.UnpicklingError):
            while True:
                asked.put(pickle.load(sys.stdin.buffer))
        os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    return asked


def _tell(what: Any) -> None:
    pickle.dump(what, sys.stdout.buffer, pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.flush()


def work() -> None:
    """What the process does that follows and checks: it writes the tables first, then the findings."""
    os.nice(_NICE)
    paths, options = _asked().get()
    capture = open_capture(paths, options)
    _tell((len(capture), _columns(capture.sequences), _columns(capture.states)))
    capture.conversations.decode()
    _tell(capture.findings)
    os._exit(0)  # the interpreter would wait for who reads what is asked


def explain() -> None:
    """What the process does that says why calls failed: it is asked for one after another."""
    asked = _asked()
    paths, options = asked.get()
    capture = open_capture(paths, options)
    while True:
        seq = asked.get()
        _tell((len(capture), capture.why(seq) if 0 <= seq < len(capture) else None))


def _columns(table: SequenceTable | StateTable) -> dict[str, Any]:
    """A table as it is written: packed columns, and those to be packed, as arrays with their type; a text that is there again and
    again once."""
    out: dict[str, Any] = {}
    texts: dict[str, str] = {}
    for f in fields(table):
        value = getattr(table, f.name)
        if f.name in _BY_ITSELF:
            continue
        if isinstance(value, Column) or f.name in _PACKED:
            value = value.dtype.str, np.asarray(value)
        elif isinstance(value, Mapping):
            value = {k: texts.setdefault(v, v) for k, v in value.items()}
        out[f.name] = value
    return out


def _table(kind: Any, columns: dict[str, Any]) -> Any:
    return kind(**{name: Column(*v) if isinstance(v, tuple) else v for name, v in columns.items()})
