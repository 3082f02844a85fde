"""What a source tells of the state of things at any call: granules, Realms, RECs, devices, streams, operations, the RMM.

Nothing is followed before it is asked for, and a device only where it is asked about: the questions come from a few calls
that failed, not from all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from .columns import I64, U64, Columns
from .devices import GONE, History, Snapshot, pdev_history, vdev_history
from .events import NEVER, Events
from .granules import Granules
from .operations import Operations
from .pages import WITH_MEMORY, field, params
from .streams import Connects, Stream, stream_next
from .table import Devices

if TYPE_CHECKING:
    from ..capture.model import Capture

_PDEV = ("PDEV_CREATE", "PDEV_COMMUNICATE", "PDEV_GET_STATE", "PDEV_SET_PUBKEY", "PDEV_STOP", "PDEV_DESTROY", "PDEV_ABORT",
         "PDEV_IDE_KEY_REFRESH", "PDEV_IDE_RESET")  # fmt: skip
_STREAM = ("PDEV_STREAM_DISCONNECT", "PDEV_STREAM_COMPLETE", "PDEV_STREAM_KEY_REFRESH", "PDEV_STREAM_KEY_PURGE")
_VDEV = ("VDEV_CREATE", "VDEV_COMMUNICATE", "VDEV_GET_STATE", "VDEV_LOCK", "VDEV_START", "VDEV_UNLOCK", "VDEV_DESTROY",
         "VDEV_ABORT", "VDEV_GET_MEASUREMENTS", "VDEV_GET_INTERFACE_REPORT")  # fmt: skip
_NO_ACTIVE_RMM = ("RMI_VERSION", "RMI_FEATURES", "RMI_RMM_CONFIG_GET", "RMI_RMM_CONFIG_SET", "RMI_GRANULE_TRACKING_GET",
                  "RMI_RMM_ACTIVATE", "RMI_RMM_STATE_GET", "RMI_RMM_DEACTIVATE")  # fmt: skip
_MADE_OF = {"PDEV_CREATE": ("pdev_ptr",), "VDEV_CREATE": ("vdev_ptr",), "REC_CREATE": ("rec_ptr", "rec"), "REALM_CREATE": ("rd",)}
"""Commands that make an object, and the argument that has the address of its granule."""
_MOST_EVENTS = 100_000
"""Calls on one device that are followed."""
_HISTORIES = 256
"""Devices of a kind whose courses are kept: those that were asked about last."""
_MOST_STREAMS = 64
_AT_ONCE = 1 << 14
_CONNECT, _LATER = 0, 1


class Owner(NamedTuple):
    """Who a VDEV or REC was made for: the call, the Realm, the PDEV (0 for a REC)."""

    call: int
    rd: int
    pdev: int


class _Vdevs(NamedTuple):
    """The VDEVs that were made, in order: address, call, Realm, PDEV, and the call that destroyed it (NEVER: none)."""

    address: U64
    made: I64
    rd: U64
    pdev: U64
    gone: I64


class World:
    """What one source tells."""

    def __init__(self, capture: Capture, source: int) -> None:
        self.capture = capture
        self.source = source
        self.columns = Columns(capture, source)
        self._pdev = lru_cache(_HISTORIES)(self._pdev_history)
        self._vdev = lru_cache(_HISTORIES)(self._vdev_history)

    @cached_property
    def granules(self) -> Granules:
        """The states of the granules."""
        return Granules(self.capture, self.columns)

    @cached_property
    def operations(self) -> Operations:
        """The stateful operations."""
        return Operations(self.capture, self.columns)

    # -- the RMM

    def active(self, seq: int) -> tuple[bool | None, int]:
        """Whether the RMM is active when a call is made, and the call that tells it (-1 none)."""
        rows, end = self.columns.done("RMM_ACTIVATE")
        off, off_end = self.columns.done("RMM_DEACTIVATE")
        on_at = int(end[end < seq][-1]) if len(rows) and (end < seq).any() else -1
        off_at = int(off_end[off_end < seq][-1]) if len(off) and (off_end < seq).any() else -1
        if on_at > off_at:
            return True, on_at
        if off_at >= 0:
            return False, off_at
        proof = self._needs_active(seq)
        if proof >= 0:
            return True, proof
        return (False, -1) if self.columns.from_the_start else (None, -1)

    @cached_property
    def _worked(self) -> int:
        """The first call that worked and could not have without an active RMM, -1 where there is none."""
        c, names = self.capture.calls, self.capture.names
        idle = [i for i, n in enumerate(names) if n in _NO_ACTIVE_RMM]
        ok = self.capture.statuses.index("RMI_SUCCESS") if "RMI_SUCCESS" in self.capture.statuses else -2
        for _, rows in self.columns.rows.pieces():
            hit = rows[(c.status[rows] == ok) & ~np.isin(c.name[rows], idle)]
            if len(hit):
                return int(hit[0])
        return -1

    def _needs_active(self, seq: int) -> int:
        return self._worked if 0 <= self._worked < seq else -1

    def making(self, address: int, seq: int) -> int | None:
        """The stateful command that makes an object of a granule and is not finished when a call is made."""
        begun = self._makings.before(address, seq)
        if begun is None:
            return None
        handle = self.operations.handle(begun[1])
        open_ = self.operations.at(handle, seq) if handle is not None else None
        return begun[1] if open_ is not None and open_.command == begun[1] else None

    @cached_property
    def _makings(self) -> Events:
        """The stateful commands that make an object, by the granule that it is made of; the code is 0."""
        begun = self.operations.commands
        parts = []
        for command, args in _MADE_OF.items():
            for part in self.columns.parts((command,), *args):
                mine = part.known & np.isin(part.rows, begun, assume_unique=True)
                parts.append((part.value[mine], part.rows[mine], 0))
        return Events(*parts)

    @cached_property
    def has_devices(self) -> int:
        """Where the first command on a device that worked was through, -1 where none did."""
        found: list[tuple[int, int]] = []
        for command in ("PDEV_CREATE", "PDEV_GET_STATE", "PDEV_AUX_COUNT", "VDEV_CREATE"):
            part = next((p for p in self.columns.parts((command,)) if p.ok.any()), None)
            if part is not None:
                at = int(np.argmax(part.ok))
                found.append((int(part.rows[at]), int(part.end[at])))
        return min(found)[1] if found else -1

    # -- Realms and RECs

    @cached_property
    def _realms(self) -> Events:
        parts = []
        for code, command in enumerate(("REALM_CREATE", "REALM_ACTIVATE", "REALM_TERMINATE", "REALM_DESTROY")):
            _rows, end, rd, known = self.columns.done_with((command,), "rd")
            parts.append((rd[known], end[known], code))
        return Events(*parts)

    def realm(self, rd: int, seq: int) -> tuple[str | None, int]:
        """NEW, ACTIVE, TERMINATED or destroyed, and the call that tells it; None where nothing does."""
        found = self._realms.before(rd, seq)
        return ("NEW", "ACTIVE", "TERMINATED", GONE)[found[0]] if found is not None else None, found[1] if found else -1

    def realm_created(self, rd: int, seq: int) -> int | None:
        """The call that made a Realm which exists when a call is made."""
        made = [q for code, q in self._realms.of(rd) if code == 0 and q < seq]
        return made[-1] if made and self.realm(rd, seq)[0] != GONE else None

    def realm_params(self, rd: int, seq: int) -> tuple[int, int] | None:
        """s2sz and rtt_level_start of a Realm, where its parameter page was recorded."""
        call = self.realm_created(rd, seq)
        page = params(self.capture, self.command_of(call), "RmiRealmParams") if call is not None else None
        size, level = field(page, "s2sz"), field(page, "rtt_level_start")
        if size is None or level is None:
            return None
        return size, level - (1 << 64) if level >> 63 else level

    def command_of(self, call: int) -> int:
        """The command that an RMI_OP_* call works for, or the call itself."""
        parent = int(self.capture.calls.parent[call])
        return parent if parent >= 0 else call

    @cached_property
    def _recs(self) -> tuple[Events, dict[int, Owner]]:
        _rows, end, rec, known = self.columns.done_with(("REC_CREATE",), "rec", "rec_ptr")
        rd = self.columns.done_with(("REC_CREATE",), "rd").value
        _gone, gone_end, old, old_known = self.columns.done_with(("REC_DESTROY",), "rec", "rec_ptr")
        owners = {int(q): Owner(int(q), int(d), 0) for q, d in zip(end.tolist(), rd.tolist(), strict=True)}
        return Events((rec[known], end[known], 1), (old[old_known], gone_end[old_known], 0)), owners

    def rec(self, rec: int, seq: int) -> Owner | None:
        """Who made a REC that exists when a call is made, None where that is not known."""
        found = self._recs[0].before(rec, seq)
        return self._recs[1].get(found[1]) if found is not None and found[0] else None

    @cached_property
    def _first_entries(self) -> dict[int, int]:
        """The first RMI_REC_ENTER of each REC that worked."""
        found: dict[int, int] = {}
        for rows, rec in self._entries(None):
            values, at = np.unique(rec, return_index=True)
            found = dict(zip(values.tolist(), rows[at].tolist(), strict=True)) | found
        return found

    def _entries(self, before: int | None) -> Iterator[tuple[I64, U64]]:
        """The RMI_REC_ENTER calls that worked and their RECs, some at a time; backwards from a call where one is told."""
        every = self.columns.of("REC_ENTER")
        stop = len(every) if before is None else int(np.searchsorted(every, before))
        starts = range(0, stop, _AT_ONCE)
        for start in starts if before is None else reversed(starts):
            rows = every[start : min(start + _AT_ONCE, stop)]
            rows = rows[self.columns.succeeded(rows)[0]]
            rec, known = self.columns.arg(rows, "rec_ptr", "rec")
            yield rows[known], rec[known]

    def last_entry(self, rec: int, seq: int) -> int:
        """The last RMI_REC_ENTER of a REC before a call, -1 where there is none."""
        if self._first_entries.get(rec, NEVER) >= seq:
            return -1
        mine = (rows[of == np.uint64(rec)] for rows, of in self._entries(seq))
        return next((int(rows[-1]) for rows in mine if len(rows)), -1)

    def entered(self, rec: int, seq: int) -> bool:
        """Whether a REC was entered before a call."""
        return self._first_entries.get(rec, NEVER) < seq

    def was_rec(self, rec: int, seq: int) -> bool:
        """Whether a REC lived there and was destroyed before a call."""
        found = self._recs[0].before(rec, seq)
        return found is not None and not found[0]

    @cached_property
    def _recs_by_realm(self) -> Events:
        """The calls that made RECs, by the Realm; the code is 0."""
        owners = self._recs[1].values()
        return Events((np.array([o.rd for o in owners], dtype=np.uint64), np.array([o.call for o in owners], dtype=np.int64), 0))

    @cached_property
    def _rec_of(self) -> dict[int, int]:
        """The REC that a call made."""
        events = self._recs[0]
        made = np.flatnonzero(events.code == 1)
        return dict(zip(events.seq[made].tolist(), events.key[made].tolist(), strict=True))

    def recs_of(self, rd: int, seq: int) -> int:
        """How many RECs of a Realm were made before a call."""
        return sum(call < seq for _, call in self._recs_by_realm.of(rd))

    def living_recs(self, rd: int, seq: int) -> list[tuple[int, int]]:
        """The RECs of a Realm that exist when a call is made: address, and the call that made it; by address."""
        made = [(self._rec_of[c], c) for _, c in self._recs_by_realm.of(rd) if c < seq and c in self._rec_of]
        return sorted((a, c) for a, c in made if self._recs[0].before(a, seq) == (1, c))

    def tables(self, rd: int, seq: int) -> list[int]:
        """The RMI_RTT_CREATE calls whose table still exists when a call is made (64 are looked at)."""
        rows, _end, of, _ = self.columns.done_with(("RTT_CREATE",), "rd")
        _, _, table, known = self.columns.done_with(("RTT_CREATE",), "rtt")
        mine = np.flatnonzero(known & (of == np.uint64(rd)) & (rows < seq))[-64:]
        state = ((int(rows[i]), self.granules.at(int(table[i]), seq)) for i in mine.tolist())
        return [row for row, s in state if s is not None and s.state == "RTT"]

    # -- devices

    def pdev_creations(self, address: int) -> list[int]:
        """The RMI_PDEV_CREATE calls that made a PDEV."""
        rows, _end, value, _ = self.columns.done_with(("PDEV_CREATE",), "pdev_ptr")
        return [int(r) for r in rows[value == np.uint64(address)].tolist()]

    def pdev(self, address: int, seq: int) -> Snapshot:
        """A PDEV when a call is made."""
        return self._pdev(address).at(seq)

    def _pdev_history(self, address: int) -> History:
        return pdev_history(self.capture, self._rows(self.pdevs, address))

    def vdev(self, address: int, seq: int) -> Snapshot:
        """A VDEV when a call is made."""
        return self._vdev(address).at(seq)

    def _vdev_history(self, address: int) -> History:
        return vdev_history(self.capture, self._rows(self.vdevs, address))

    def _rows(self, devices: Devices, address: int) -> Iterator[tuple[int, str, bool, str, int | None]]:
        t = devices.of(address)
        statuses = [*self.capture.statuses, ""]
        status = self.capture.calls.status[t.seq[:_MOST_EVENTS]]
        state = [None if v < 0 else v for v in t.state.tolist()]
        for i in np.flatnonzero((t.state < 0) & t.ok & t.is_a(devices.reads))[:_MOST_EVENTS].tolist():
            value, known = self.capture.regs(t.seq[i : i + 1], 1, out=True)
            state[i] = int(value[0]) if known[0] else None
        table = zip(t.seq.tolist(), t.command.tolist(), t.ok.tolist(), status.tolist(), state, strict=False)
        return ((q, t.commands[c], ok, statuses[s], v) for q, c, ok, s, v in table)

    @cached_property
    def pdevs(self) -> Devices:
        """Every call on a PDEV."""
        connects = ("PDEV_STREAM_CONNECT", *self._connects.on(named=True))
        named = ((_PDEV, "pdev_ptr"), (_STREAM, "pdev_1_ptr"), (_STREAM, "pdev_2_ptr"))
        return Devices(self.capture, self.columns, named, "PDEV_GET_STATE", connects)

    @cached_property
    def vdevs(self) -> Devices:
        """Every call on a VDEV."""
        return Devices(self.capture, self.columns, ((_VDEV, "vdev_ptr"),), "VDEV_GET_STATE")

    @cached_property
    def _made_vdevs(self) -> _Vdevs:
        _rows, end, address, known = self.columns.done_with(("VDEV_CREATE",), "vdev_ptr")
        rd, pdev = (self.columns.done_with(("VDEV_CREATE",), name).value for name in ("rd", "pdev_ptr"))
        _gone, gone_end, old, _known = self.columns.done_with(("VDEV_DESTROY",), "vdev_ptr")
        address, made = address[known], end[known]
        return _Vdevs(address, made, rd[known], pdev[known], Events((old, gone_end, 0)).behind(address, made))

    def living_vdevs(
        self, seq: int, *, pdev: int | None = None, rd: int | None = None, vdev: int | None = None
    ) -> list[tuple[int, Owner]]:
        """The VDEVs that exist when a call is made: all, those of a PDEV or of a Realm, or the one at an address."""
        v = self._made_vdevs
        living = (v.made < seq) & (seq <= v.gone)
        for column, value in ((v.pdev, pdev), (v.rd, rd), (v.address, vdev)):
            if value is not None:
                living &= column == np.uint64(value)
        at = np.flatnonzero(living)
        columns = (c[at].tolist() for c in (v.address, v.made, v.rd, v.pdev))
        return [(a, Owner(q, d, p)) for a, q, d, p in zip(*columns, strict=True)]

    # -- streams

    @cached_property
    def _connects(self) -> Connects:
        """The STREAM_CONNECTs that succeeded, with their PDEVs as far as these are known."""
        rows, _end, handle, known = self.columns.done_with(("PDEV_STREAM_CONNECT",), "stream_hnd", out=True)
        later, _end, hands, _known = self.columns.with_arg(_STREAM, "stream_hnd")
        use = np.where(known, Events((hands, later, 0)).behind(handle, rows), NEVER)
        used = np.flatnonzero(use != NEVER)
        ends = np.zeros((2, len(rows)), dtype=np.uint64)
        for k, name in enumerate(("pdev_1_ptr", "pdev_2_ptr")):
            ends[k, used] = self.columns.arg(use[used], name)[0]
        types: dict[int, int | None] = {}
        if any(s.format in WITH_MEMORY for s in self.capture.sources):
            for i, row in enumerate(rows.tolist()):
                page = params(self.capture, row, "RmiPdevStreamParams")
                types[row] = field(page, "stream_type")
                if (one := field(page, "pdev_1")) is not None:
                    ends[:, i] = one, field(page, "pdev_2") or 0
                elif use[i] == NEVER and (two := field(page, "pdev_2")) is not None:
                    ends[1, i] = two
        return Connects(rows, known, ends[0], ends[1], types)

    @cached_property
    def _streams(self) -> Events:
        """What happened to streams, by handle: that it was connected, and what came later."""
        rows, _end, handle, known = self.columns.done_with(("PDEV_STREAM_CONNECT",), "stream_hnd", out=True)
        later, _end, hands, _ = self.columns.done_with(_STREAM, "stream_hnd")
        return Events((handle[known], rows[known], _CONNECT), (hands, later, _LATER))

    @cached_property
    def _handles_of(self) -> Events:
        """The STREAM_CONNECTs that gave a handle, by the PDEVs that take part; the code is 0."""
        return Events((*self._connects.on(gave=True), 0))

    def stream(self, handle: int, seq: int) -> Stream | None:
        """The stream with a handle when a call is made, None where no call made one."""
        events = self._streams
        a, b = events.span(handle)
        b = a + int(np.searchsorted(events.seq[a:b], seq, "left"))
        made = np.flatnonzero(events.code[a:b] == _CONNECT)
        if not len(made):
            return None
        at = a + int(made[-1])
        found = self._connects.of(int(events.seq[at]))
        for q in events.seq[at + 1 : b].tolist():
            found = found._replace(state=stream_next(found.state, self.capture.name_text(q)), call=q)
        return found

    def streams_of(self, pdev: int, seq: int) -> list[Stream]:
        """The streams that a PDEV takes part in and that are not disconnected when a call is made (of those that it was
        given before, the last 64 are looked at)."""
        events = self._handles_of
        a, b = events.span(pdev)
        b = a + int(np.searchsorted(events.seq[a:b], seq, "left"))
        calls = events.seq[max(a, b - _MOST_STREAMS) : b]
        handles, _known = self.columns.arg(calls, "stream_hnd", out=True)
        found = (self.stream(int(h), seq) for h in dict.fromkeys(handles.tolist()))
        return [s for s in found if s is not None and s.state != "DISCONNECTED" and pdev in (s.pdev_1, s.pdev_2)]
