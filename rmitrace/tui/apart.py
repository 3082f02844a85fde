"""What takes long of a long capture in processes of their own: the screen has its processor for itself, and the memory that they
take is given back when they end.

One follows objects, then one checks, another says why calls failed. Each opens the capture through its index, and what it found
out it leaves beside that: who shows it, or goes on with it, maps the file. Where that cannot be, one process follows and checks,
and writes the tables and the findings as pickles onto its standard output. It reads nothing but what its parent gives it, and the
parent nothing but what it wrote. It ends when its standard input is closed: also when its parent is killed.
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
from functools import partial
from queue import SimpleQueue
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from ..capture import Capture, OpenOptions, distinct, open_capture
from ..capture.index.later import CHECKED, FOLLOWED
from ..capture.packed import Column
from ..lifecycle.table import SequenceTable, StateTable
from ..listing import passing
from . import digits
from .memory import frugal, give_back

if TYPE_CHECKING:
    from ..diagnose import Diagnosis

_NICE = 10
"""What works for the screen has what the screen, with its filters and searches, leaves of the processors."""
_CODE = "from rmitrace.tui.apart import {0}; {0}()"
_BY_ITSELF = ("ts", "dur", "_by_object", "_reach")
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

    def next(self) -> Any:
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


class Apart:
    """Follows objects, and checks."""

    def __init__(self, paths: list[str], options: OpenOptions, *, followed: bool = False) -> None:
        """``followed``: only checks. Raises OSError where it cannot be started."""
        self._start = partial(Helper, paths=paths, options=options)
        self._helper = self._start("check" if followed else "follow")
        self._lock = Lock()
        self._ended = self._kept = False

    def follow(self, capture: Capture) -> bool:
        """Wait for what the objects went through and tell the capture; False where it does not come."""
        told = self._helper.next()
        if told is None or told[0] != len(capture):
            return False
        if told[1] is None:
            self._kept = self._has(capture, FOLLOWED)
            return self._kept
        sequences, states = _table(SequenceTable, told[1]), _table(StateTable, told[2])
        sequences.ts, sequences.dur = capture.calls.ts, capture.calls.dur
        states.ts = capture.calls.ts
        capture.learn(followed=(sequences, states))
        return True

    def check(self, capture: Capture) -> bool:
        """Wait for the findings and tell the capture; False where they do not come."""
        if self._kept:
            with self._lock, suppress(OSError):
                self._helper.end()
                if not self._ended:
                    self._helper = self._start("check")
        told = self._helper.next()
        if told is None or told[0] != len(capture):
            return False
        if told[1] is None:
            return self._has(capture, CHECKED)
        capture.learn(checked=told[1])
        return True

    @staticmethod
    def _has(capture: Capture, part: str) -> bool:
        """Whether a capture has a part that another process left beside the index."""
        if capture.keeper is not None:
            capture.keeper.look(capture)
        return capture.worked_out(part)

    def end(self) -> None:
        """Stop it, whatever it is doing."""
        with self._lock:
            self._ended = True
            self._helper.end()


class Explainer(Helper):
    """Says why calls failed."""

    def __init__(self, paths: list[str], options: OpenOptions) -> None:
        """Raises OSError where it cannot be started."""
        super().__init__("explain", paths, options)

    def why(self, calls: int, seq: int) -> Diagnosis | None:
        """Why a call of a capture of so many failed. Raises OSError where no answer comes."""
        self._ask(seq)
        told = self.next()
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


def _opened() -> Capture:
    """The capture that the parent names, read in the time that the screen leaves, and with little memory."""
    os.nice(_NICE)
    frugal()
    paths, options = _asked().get()
    return open_capture(paths, options)


def _keeps(capture: Capture, part: str) -> bool:
    """Whether a part that was worked out is kept beside the index now."""
    if capture.keeper is None:
        return False
    capture.keeper.learn(capture)
    return capture.keeper.keeps(part)


def follow() -> None:
    """What the process does that follows: it keeps the tables, or writes them and checks."""
    capture = _opened()
    tables = capture.sequences, capture.states
    if _keeps(capture, FOLLOWED):
        _tell((len(capture), None))
        os._exit(0)  # the interpreter would wait for who reads what is asked
    _tell((len(capture), _columns(tables[0]), _columns(tables[1])))
    give_back()
    _check(capture)


def check() -> None:
    """What the process does that checks: it keeps the findings, or writes them."""
    _check(_opened())


def _check(capture: Capture) -> None:
    for kernels in (passing, distinct, digits):  # of filters and searches
        kernels.prepare(len(capture))
    capture.conversations.decode()
    found = capture.findings
    capture.worlds.clear()  # what is kept of a file is looked through to be written again
    give_back()
    _tell((len(capture), None if _keeps(capture, CHECKED) else found))
    os._exit(0)


def explain() -> None:
    """What the process does that says why calls failed: it is asked for one after another."""
    frugal()
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
