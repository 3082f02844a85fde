"""PDEVs, VDEVs and IDE streams: from the calls on them to states, and to sequences with their steps and outcome.

The calls are followed by a kernel (devices_kernel), which is given some of them at a time as columns of numbers.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from ..capture.shelf import Shelf
from ..formats import kernels
from . import devices_kernel
from . import ledger_kernel as k
from .columns import Columns
from .course import course, followed
from .devices_kernel import FEW, MANY
from .failures import Failures
from .granules_kernel import SIZE
from .ledger import Ledger, settled
from .members import Found, number_type, ranges
from .operations import operations
from .table import PREFIXES, StateTable
from .whys import Whys

if TYPE_CHECKING:
    from ..capture.model import Capture

I64 = npt.NDArray[np.int64]

_BYTES = 100
"""Bytes of a source for each call that is followed, as far as kernels go: compiling takes as long as following a million and a
half."""
_GROWING = {"device": k.DEVICE, "address": 1, "table": 1, "seq": k.SEQUENCE, "step": k.STEP_SIZE, "member": 2, "change": k.CHANGE,
            "fault": k.FAULT, "span": 3}  # fmt: skip
"""The arrays that a kernel fills in, with the numbers of each thing in them."""
_FLUSHED = {"member": k.MEMBERS, "change": k.CHANGES, "fault": k.FAULTS, "span": k.SPANS}
"""Those that are emptied after each part of the calls, and where it stands how much is in them."""
_FIRST = 1 << 11
"""Things for which there is room at first."""


def follow_devices(capture: Capture, source: int, reasons: Callable[[int, int], str]) -> tuple[Found, StateTable]:
    """The sequences and states of the devices in one source, and in those that show the same run; ``reasons``: what was said
    between two calls."""
    tracker = DeviceTracker(capture, source)
    tracker.run()
    return tracker.tables(reasons)


class DeviceTracker:
    """Follows the devices of one source.

    compile   whether the kernel is compiled; None: where that is repaid
    """

    def __init__(self, capture: Capture, source: int, compile: bool | None = None) -> None:
        self._capture, self._source, self._compile = capture, source, compile
        self._columns = Columns(capture, source)
        self._kernel: Any = None
        """Compiled; before it is, the arrays are lists, which are faster then."""
        self._count = followed(capture)
        self._now: Any = [0] * k.NOW
        self._now[k.DEVICES] = 1
        self._now[k.AFTER] = self._now[k.CREATING] = self._now[k.STREAM_OPEN] = -1
        self._now[k.SPREAD] = secrets.randbits(61) | 1
        self._now[k.ONE] = int(capture.revision.at(source).device.startswith("1."))
        self._loose: Any = [-1] * SIZE
        self._arrays: dict[str, Any] = {name: [0] * (size * _FIRST) for name, size in _GROWING.items()}
        self._arrays["member"] *= 16  # the more a call can add, the more often it is asked whether there is room
        self._arrays["device"][k.STATE], self._arrays["device"][k.DRAFT] = -1, -1  # of nobody
        self._arrays["device"][k.TYPE] = PREFIXES.index("stream")
        self._out: dict[str, list[Any]] = {name: [] for name in _FLUSHED}
        self._members: list[tuple[Any, Any]] = []
        self._shelf = Shelf()
        self._begun: Any = None
        """Which calls others work for, None where none do."""
        if not operations(capture).none:
            self._begun = np.zeros(len(capture), dtype=bool)
            self._begun[operations(capture).commands] = True
        self._number = number_type(len(capture))

    def run(self) -> None:
        """Follow all calls."""
        for device, granule in course(self._capture, self._source):
            rows = np.sort(np.concatenate([device, granule]), kind="stable") if len(granule) else device
            if len(rows):
                self._part(rows, granule)

    def _part(self, rows: I64, granule: I64) -> None:
        if self._kernel is None and self._repaid():
            self._kernel = kernels.compiled(devices_kernel.follow, devices_kernel.STEPS)
            self._now, self._loose = (np.array(a, dtype=np.int64) for a in (self._now, self._loose))
            self._arrays = {n: np.array(a, dtype=self._dtype(n)) for n, a in self._arrays.items()}
        columns = [*self._columns.of(rows), self._columns.rules()]
        kernel = self._kernel
        if kernel is None:
            kernel, columns = devices_kernel.follow, [c.tolist() for c in columns]
        at, begin = 0, 0
        while True:
            room = (len(a) for name, a in self._arrays.items() if name != "address")
            at = kernel(begin, len(rows), *columns, self._now, *self._arrays.values(), self._loose, *room)
            if at == len(rows):
                break
            begin = self._grow(at)
        self._flush(granule)

    def _repaid(self) -> bool:
        if self._compile is not None:
            return self._compile
        return kernels.repaid(self._count * _BYTES, devices_kernel.follow, devices_kernel.STEPS)

    def _dtype(self, name: str) -> Any:
        return np.dtype(np.int64) if name in ("address", "span") else self._number

    def _grow(self, at: int) -> int:
        """Make room in the arrays that may have too little for a call; from where on the kernel is to go on."""
        begin = at
        for name, count in (
            ("device", k.DEVICES), ("seq", k.SEQUENCES), ("step", k.STEPS_SO_FAR), ("member", k.MEMBERS), ("change", k.CHANGES),
            ("fault", k.FAULTS), ("span", k.SPANS)
        ):  # fmt: skip
            used, size = int(self._now[count]), len(self._arrays[name]) // _GROWING[name]
            if used + (MANY if name == "member" else FEW) > size:
                self._double(name)
                if name == "device":
                    self._double("address")
        if (self._now[k.DEVICES] + FEW) * 2 > len(self._arrays["table"]):
            size = 2 * len(self._arrays["table"])
            self._arrays["table"] = [0] * size if self._kernel is None else np.zeros(size, dtype=self._number)
            begin = -1 - at
        return begin

    def _double(self, name: str) -> None:
        array = self._arrays[name]
        if isinstance(array, list):
            array += [0] * len(array)
        else:
            self._arrays[name] = np.concatenate([array, np.zeros_like(array)])

    def _flush(self, granule: I64) -> None:
        """Take what the calls of a part added out of the arrays, those that work for them and those within them too."""
        found = {}
        for name, count in _FLUSHED.items():
            size = _GROWING[name]
            used = np.array(self._arrays[name][: int(self._now[count]) * size], dtype=self._dtype(name))
            found[name] = used.reshape(-1, size)
            self._now[count] = 0
        for name in ("change", "fault"):
            if len(found[name]):
                self._out[name].append(found[name])
        step, call = found["member"].T
        of, begin, end = (c.astype(np.int64) for c in found["span"].T)
        start: Any = np.searchsorted(granule, begin)
        size = np.searchsorted(granule, end) - start
        within = granule[ranges(start, size)].astype(self._number)
        self._add(np.concatenate([step, np.repeat(of, size).astype(self._number)]), np.concatenate([call, within]))

    def _add(self, step: Any, call: Any) -> None:
        """Keep calls with the steps that they are in, and those that work for them."""
        self._members.append((self._shelf.put(step), self._shelf.put(call)))
        if self._begun is not None:
            at = np.flatnonzero(self._begun[call])
            child, parent = operations(self._capture).children_of(call[at].astype(np.int64))
            self._members.append((self._shelf.put(step[at[parent]]), self._shelf.put(child.astype(self._number))))

    # -- what was found

    def _all(self, name: str) -> Any:
        found = self._out.pop(name)
        return np.concatenate(found) if found else np.zeros((0, _GROWING[name]), dtype=self._number)

    def _array(self, name: str, count: int) -> Any:
        """An array that a kernel filled in, a row of each thing in it; it is used up."""
        size = _GROWING[name]
        return np.asarray(self._arrays.pop(name)[: int(self._now[count]) * size], dtype=self._dtype(name)).reshape(-1, size)

    def tables(self, reasons: Callable[[int, int], str]) -> tuple[Found, StateTable]:
        """The sequences, and the states in the order in which they changed; ``reasons``: what was said between two calls. What
        was followed is used up."""
        device, seq, step = (self._array(*a) for a in (("device", k.DEVICES), ("seq", k.SEQUENCES), ("step", k.STEPS_SO_FAR)))
        address = self._array("address", k.DEVICES)[:, 0].view(np.uint64)
        words, states = self._columns.words, self._columns.states
        object_ = seq[:, k.OBJECT]
        ledger = Ledger(
            words, self._source, seq[:, k.KIND], device[object_, k.TYPE], address[object_], seq[:, k.OUTCOME],
            step[:, k.OF], step[:, k.NAME], step[:, k.STEP_OUTCOME],
        )  # fmt: skip
        table, place, number = settled(ledger)
        failures = Failures(self._capture, self._source, self._all("fault"), words, states, address, reasons)
        sequences, first = failures.sequences()
        kept = place[sequences] >= 0
        table.why = Whys(place[sequences[kept]], first[kept], failures.of_sequence)
        steps, at = failures.steps()
        table.step_why = Whys(number[steps], at, failures.of_step)
        change = self._all("change")
        of = change[:, k.CHANGED]
        changes = StateTable(
            list(states), device[of, k.TYPE].astype(np.uint8), address[of].copy(), change[:, k.CALL].astype(np.int64),
            change[:, k.FROM].astype(np.int16), change[:, k.TO].astype(np.int16), change[:, k.INFERRED] != 0,
        )  # fmt: skip
        return Found(table, number, self._members), changes
