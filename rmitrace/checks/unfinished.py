"""What was begun with a device and not brought to its end, as far as the capture goes on behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from .. import diagnose
from ..capture.records import Finding
from ..diagnose.columns import I64, INCOMPLETE_CONSOLES, U64
from ..diagnose.devices import states
from ..diagnose.events import NEVER, Events
from ..diagnose.table import Devices, Table
from .finding import found, some
from .rule import Check, Rule
from .transactions import device_kinds, device_tables

if TYPE_CHECKING:
    from ..capture.model import Capture

BEHIND = 50
"""RMI calls of the same source that have to follow before something is said to be missing: captures end somewhere."""

NEVER_COMMUNICATED = Rule(
    "PDEV-NEVER-COMMUNICATED",
    "warning",
    "a PDEV was made and never communicated with",
    "it stays in NEW with its first transaction pending for ever",
    "why the host's connect stops behind RMI_PDEV_CREATE",
    "DEN0137 PDEV state machine",
)
KEY_NOT_USED = Rule(
    "KEY-NOT-USED",
    "warning",
    "a key was set and no communicate call follows",
    "the PDEV stays in HAS_KEY: there is no session",
    "why the host's connect stops behind RMI_PDEV_SET_PUBKEY",
    "DEN0137 PDEV state machine",
)
STOP_NOT_COMMUNICATED = Rule(
    "STOP-NOT-COMMUNICATED",
    "warning",
    "RMI_PDEV_STOP succeeded and no communicate call follows",
    "IDE stays up, the PDEV never gets to STOPPED, and RMI_PDEV_DESTROY is refused",
    "why the host's disconnect stops behind RMI_PDEV_STOP",
    "DEN0137 PDEV state machine",
)
NO_DESTROY = Rule(
    "DISCONNECT-NO-DESTROY",
    "warning",
    "a disconnect that ends without RMI_PDEV_DESTROY",
    "the PDEV and its granules stay with the RMM; the next connect of the device finds its id in use",
    "the stop: where it fails, the kernel leaves everything behind it",
    "DEN0137 PDEV_DESTROY; Linux disconnect path",
)
UNLOCK_HANGS = Rule(
    "VDEV-UNLOCK-HANGS",
    "warning",
    "RMI_VDEV_COMMUNICATE never returns after an unlock from LOCKED",
    "a debug build of TF-RMM at 1.1-alp16 stops at an assertion that only STARTED can be unlocked",
    "the console of the RMM",
    "TF-RMM pdev.c",
)
ABORT_FORM = Rule(
    "VDEV-ABORT-FORM",
    "note",
    "RMI_VDEV_ABORT has one of its two argument lists",
    "1.1 drafts have (vdev_ptr) and (rd, pdev_ptr, vdev_ptr): a firmware of the other one reads rd as the VDEV",
    "the drafts that kernel and firmware are of",
    "DEN0137 1.1-alp14, 1.1-alp17 VDEV_ABORT",
)
STREAM_NOT_COMPLETED = Rule(
    "STREAM-NOT-COMPLETED",
    "warning",
    "a stream operation was begun and never completed",
    "both PDEVs stay busy, and the stream is never connected: the next stream call is refused",
    "the communicate calls of both ends, and RMI_PDEV_STREAM_COMPLETE",
    "DEN0137 2.0 PDEV_STREAM state machine",
)
KEY_ORDER = Rule(
    "KEY-REFRESH-ORDER",
    "error",
    "a VDEV that waits for a key refresh gets a key purge first, or none of both",
    "KEY_REFRESH, then KEY_PURGE: without them the VDEV is never UNLOCKED",
    "the host's unbind: RMI_PDEV_STREAM_KEY_REFRESH comes first",
    "DEN0137 2.0 VDEV state machine, VDEV_KROU",
)
STREAM_COUNT = Rule(
    "STREAM-COUNT",
    "error",
    "a counter of the stream did not rise after its operation was completed",
    "the refresh or purge did not happen, and nobody said so",
    "RMI_PDEV_STREAM_INFO before and after",
    "DEN0137 2.0-bet3 PDEV_STREAM_INFO",
)
VDEV_REQUEST = Rule(
    "VDEV-REQUEST-IGNORED",
    "error",
    "a REC asked for a VDEV and was entered again without an answer",
    "the Realm's request fails or hangs: RMI_VDEV_COMPLETE answers it",
    "the host's handling of exit reason VDEV_REQUEST",
    "DEN0137 to 2.0-bet1 REC exit VDEV_REQUEST; TF-RMM run.c",
)


def behind(capture: Capture, source: int, seq: int) -> bool:
    """Whether the capture goes on long enough behind a call."""
    return seq < diagnose.world(capture, source).columns.last_but(BEHIND)


_OF_DEVICES = (NEVER_COMMUNICATED, KEY_NOT_USED, STOP_NOT_COMMUNICATED, NO_DESTROY)


def devices(capture: Capture) -> Iterable[Finding]:
    """PDEV-NEVER-COMMUNICATED, KEY-NOT-USED, STOP-NOT-COMMUNICATED, DISCONNECT-NO-DESTROY."""
    every = [f for s, kind, t in device_tables(capture) if kind == "pdev" for f in _devices(capture, s, t)]
    return some(f for rule in _OF_DEVICES for f in every if f.rule == rule.id)


def _devices(capture: Capture, source: int, t: Table) -> Iterator[Finding]:
    life = t.lives(t.is_a("PDEV_CREATE", "PDEV_DESTROY") & t.ok)
    comm = t.is_a("PDEV_COMMUNICATE")
    for rule, command in (
        (NEVER_COMMUNICATED, "PDEV_CREATE"),
        (KEY_NOT_USED, "PDEV_SET_PUBKEY"),
        (STOP_NOT_COMMUNICATED, "PDEV_STOP"),
    ):
        rows = np.flatnonzero(t.is_a(command) & t.ok)
        for i in rows[t.next(comm, life, rows) < 0].tolist():
            seq = int(t.seq[i])
            if behind(capture, source, seq):
                name = f"pdev:0x{int(t.key[i]):x}"
                yield found(
                    rule, capture, f"no RMI_PDEV_COMMUNICATE of {name} after {capture.name_text(seq)} (call {seq})", [seq]
                )
    # a stop, whatever it returned, is the beginning of a disconnect
    device = [i for i, s in enumerate(capture.statuses) if s == "RMI_ERROR_DEVICE"]
    is_stop, creates = t.is_a("PDEV_STOP"), t.is_a("PDEV_CREATE")
    stops = np.flatnonzero(is_stop)
    stops = stops[t.ok[stops] | np.isin(capture.calls.status[t.seq[stops]], device)]
    stops = stops[t.next(is_stop, life, stops) < 0]
    stops = stops[t.next(t.is_a("PDEV_DESTROY") & t.ok, t.lives(creates & t.ok), stops) < 0]
    made_again = t.next(creates, t.lives(np.zeros(len(t), dtype=bool)), stops) >= 0
    for i, again in zip(stops.tolist(), made_again.tolist(), strict=True):
        seq = int(t.seq[i])
        if again or behind(capture, source, seq):
            name = f"pdev:0x{int(t.key[i]):x}"
            yield found(NO_DESTROY, capture, f"{name} is stopped (call {seq}) and never destroyed", [seq])


def vdevs(capture: Capture) -> Iterable[Finding]:
    """VDEV-UNLOCK-HANGS, VDEV-ABORT-FORM."""
    if not capture.revision.device.startswith("1."):
        return ()
    return some(f for s, kind, devices in device_kinds(capture) if kind == "vdev" for f in _vdevs(capture, s, devices))


def _vdevs(capture: Capture, source: int, devices: Devices) -> Iterator[Finding]:
    for t in devices.parts():
        yield from _hung(capture, source, t)
    rows = diagnose.world(capture, source).columns.of("VDEV_ABORT")
    if len(rows):
        second, known = capture.regs(rows, 2)
        one = bool((known & (second == 0)).any())
        text = f"RMI_VDEV_ABORT with {'one argument, the form of 1.1-alp14' if one else 'three arguments, the form of 1.1-alp17'}"
        yield found(ABORT_FORM, capture, text, rows.tolist(), object="")


def _hung(capture: Capture, source: int, t: Table) -> Iterator[Finding]:
    locked = next((v for v, n in states(capture, "RmiVdevState", "RMI_VDEV_").items() if n == "LOCKED"), -2)
    life = t.lives(t.is_a("VDEV_CREATE") & t.ok)
    hung = np.flatnonzero(t.is_a("VDEV_COMMUNICATE"))
    if capture.sources[source].format in INCOMPLETE_CONSOLES:  # prints the row of a call when it returns
        hung = hung[:0]
    hung = hung[capture.calls.exit[t.seq[hung]] < 0]
    unlock = t.last(t.is_a("VDEV_UNLOCK") & t.ok, life, hung)
    hung, unlock = hung[unlock >= 0], unlock[unlock >= 0]
    before = t.last(t.state >= 0, life, unlock)
    for i, opened, read in zip(hung.tolist(), unlock.tolist(), before.tolist(), strict=True):
        if read >= 0 and t.state[read] == locked:
            calls = [int(t.seq[i]), int(t.seq[opened])]
            text = f"RMI_VDEV_COMMUNICATE (call {calls[0]}) never returns; the VDEV was unlocked from LOCKED in call {calls[1]}"
            yield found(UNLOCK_HANGS, capture, text, calls)


def streams(capture: Capture) -> Iterable[Finding]:
    """STREAM-NOT-COMPLETED, KEY-REFRESH-ORDER, STREAM-COUNT."""
    return some(f for s in diagnose.runs(capture) for f in _streams(capture, s))


_BEGIN = ("PDEV_STREAM_CONNECT", "PDEV_STREAM_DISCONNECT", "PDEV_STREAM_KEY_REFRESH", "PDEV_STREAM_KEY_PURGE")


def _streams(capture: Capture, source: int) -> Iterator[Finding]:
    world = diagnose.world(capture, source)
    columns = world.columns
    begun, _end, asked, _known = columns.done_with(_BEGIN, "stream_hnd")
    if not len(begun):
        return
    _rows, _end, given, told = columns.done_with(_BEGIN, "stream_hnd", out=True)
    handle = np.where(told & (asked == 0), given, asked)
    complete, _end, closes, _known = columns.done_with(("PDEV_STREAM_COMPLETE",), "stream_hnd")
    done = Events((closes, complete, 0))
    ended, again = done.behind(handle, begun), Events((handle, begun, 0)).behind(handle, begun)
    for k in np.flatnonzero(ended >= again).tolist():
        seq = int(begun[k])
        if again[k] != NEVER or behind(capture, source, seq):
            text = f"{capture.name_text(seq)} (call {seq}) is never followed by RMI_PDEV_STREAM_COMPLETE"
            yield found(STREAM_NOT_COMPLETED, capture, text, [seq])
    yield from _counters(capture, source, begun, handle, done)
    yield from _key_order(capture, source, begun)


def _counters(capture: Capture, source: int, begun: I64, handle: U64, done: Events) -> Iterator[Finding]:
    """The calls of RMI_PDEV_STREAM_INFO, one after the other for the same stream; ``done``: the completions by handle."""
    columns = diagnose.world(capture, source).columns
    info, _end, of, _known = columns.done_with(("PDEV_STREAM_INFO",), "stream_hnd")
    if len(info) < 2:
        return
    names = capture.calls.name[begun]
    for name, command in (("refresh_count", "RMI_PDEV_STREAM_KEY_REFRESH"), ("purge_count", "RMI_PDEV_STREAM_KEY_PURGE")):
        _rows, _end, count, known = columns.done_with(("PDEV_STREAM_INFO",), name, out=True)
        same = np.flatnonzero((of[1:] == of[:-1]) & known[1:] & known[:-1] & (count[1:] <= count[:-1]))
        a, b, stream = info[same], info[same + 1], of[same]
        mine = names == (capture.names.index(command) if command in capture.names else -1)
        did = Events((handle[mine], begun[mine], 0)).behind(stream, a)
        ended = done.behind(stream, did)
        for k in np.flatnonzero((did < b) & (ended < b)).tolist():
            now, was, first = int(count[same[k] + 1]), int(count[same[k]]), int(did[k])
            text = f"{name} is {now} (call {int(b[k])}) after {command} (call {first}) was completed; it was {was}"
            yield found(STREAM_COUNT, capture, text, [int(b[k]), first, int(a[k])])


def _key_order(capture: Capture, source: int, begun: I64) -> Iterator[Finding]:
    """The VDEVs in KEY_REFRESH, and what is done with the streams of their PDEV next."""
    world = diagnose.world(capture, source)
    numbers = states(capture, "RmiVdevState", "RMI_VDEV_")
    waiting = next((v for v, n in numbers.items() if n == "KEY_REFRESH"), -2)
    wanted = [i for i, n in enumerate(capture.names) if n.endswith(("KEY_REFRESH", "KEY_PURGE"))]
    keys = begun[np.isin(capture.calls.name[begun], wanted)]
    waits = ((int(t.key[i]), int(t.seq[i])) for t in world.vdevs.parts() for i in np.flatnonzero(t.state == waiting).tolist())
    for address, seq in waits:
        owner = next((o for _, o in world.living_vdevs(seq, vdev=address)), None)
        next_ = int(np.searchsorted(keys, seq, "right"))
        later = keys[next_ : next_ + _LATER]
        first, known = world.columns.arg(later, "pdev_1_ptr")
        mine = later[known & (first == np.uint64(owner.pdev))].tolist() if owner is not None else later.tolist()
        device = f"vdev:0x{address:x}"
        if mine and capture.name_text(mine[0]).endswith("KEY_PURGE"):
            text = f"{device} waits for a key refresh (call {seq}), and RMI_PDEV_STREAM_KEY_PURGE (call {mine[0]}) comes first"
            yield found(KEY_ORDER, capture, text, [mine[0], seq], object=device)
        elif not mine and behind(capture, source, seq):
            yield found(
                KEY_ORDER, capture, f"{device} waits for a key refresh (call {seq}) that never comes", [seq], object=device
            )


_LATER = 16
"""Key operations that are looked at behind a VDEV that waits for one."""
_REASON_REQUEST = 8


def requests(capture: Capture) -> Iterable[Finding]:
    """VDEV-REQUEST-IGNORED: an exit for a VDEV request, and the REC is entered again with nothing in between."""
    if capture.revision.device == "2.0-bet3" and not any(n == "RMI_VDEV_COMPLETE" for n in capture.names):
        return ()
    return some(f for s in diagnose.runs(capture) for f in _requests(capture, s))


def _requests(capture: Capture, source: int) -> Iterator[Finding]:
    if capture.sources[source].format not in diagnose.pages.WITH_MEMORY:
        return
    columns = diagnose.world(capture, source).columns
    rows, _end = columns.done("REC_ENTER")
    answers = columns.of("VDEV_COMPLETE", "VDEV_VALIDATE_MAPPING", "RTT_DEV_VALIDATE")
    rec, known = columns.arg(rows, "rec_ptr", "rec")
    order = np.lexsort((rows, rec))
    for a, b in zip(order[:-1].tolist(), order[1:].tolist(), strict=True):
        if rec[a] != rec[b] or not known[a] or np.searchsorted(answers, rows[a]) != np.searchsorted(answers, rows[b]):
            continue
        if diagnose.pages.exit_reason(capture, int(rows[a])) == _REASON_REQUEST:
            text = f"rec:0x{int(rec[a]):x} asked for a VDEV in call {int(rows[a])} and is entered again in call {int(rows[b])}"
            yield found(VDEV_REQUEST, capture, text, [int(rows[b]), int(rows[a])])


CHECKS = (
    Check(devices, _OF_DEVICES),
    Check(vdevs, (UNLOCK_HANGS, ABORT_FORM)),
    Check(streams, (STREAM_NOT_COMPLETED, KEY_ORDER, STREAM_COUNT)),
    Check(requests, (VDEV_REQUEST,)),
)
