"""The shared page of the communicate calls, call by call: what the host wrote against what the RMM asked for before it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .. import diagnose
from ..capture.records import NO_TIME, Finding
from ..diagnose.pages import (
    ERROR,
    GOES_ON,
    MULTI,
    NONE,
    REQ_CACHE,
    REQ_SEND,
    RESPONSE,
    RSP_CACHE,
    RSP_WAIT,
    Exchange,
    exchange,
)
from ..diagnose.table import Table
from . import communicate_rules as rules
from .finding import found, some
from .rule import Check, Rule
from .transactions import device_tables

if TYPE_CHECKING:
    from ..capture.model import Capture

_GRANULE = 4096
_RESENT = 4
"""Times that the same request is sent and nothing is said."""
_SHOWN = 10
"""Findings of one rule; one more counts the others."""
_OBJECTS = {0: "VCA", 1: "CERTIFICATE", 2: "MEASUREMENTS", 3: "INTERFACE_REPORT"}
_GET_VERSION = 0x84
_OPENS = ("CREATE", "SET_PUBKEY", "IDE_KEY_REFRESH", "IDE_RESET", "STOP", "LOCK", "START", "UNLOCK", "GET_MEASUREMENTS",
          "GET_INTERFACE_REPORT", "STREAM_CONNECT", "STREAM_DISCONNECT", "STREAM_KEY_REFRESH", "STREAM_KEY_PURGE")  # fmt: skip


@dataclass(slots=True)
class Step:
    """A communicate call with its page. ``opened``: the command that began its transaction, where that is the call before
    it on this device (state read back apart); ``before``: the step before it in the same transaction."""

    seq: int
    page: Exchange
    ok: bool
    opened: str = ""
    before: Step | None = None
    aborted: bool = False


@dataclass(slots=True)
class Course:
    """What was done to one device, in order: communicate calls with their pages, other commands, states read back."""

    kind: str
    device: str
    steps: list[Step] = field(default_factory=list)
    events: list[tuple[str, int, bool, int, Step | None]] = field(default_factory=list)
    """Command without its prefix, call, ok, state read back (-1), step."""


def courses(capture: Capture) -> Iterator[Course]:
    """The devices of sources with memory, each with its calls."""
    for source, kind, t in device_tables(capture):
        if capture.sources[source].format != "calls-jsonl":
            continue
        yield from _courses(capture, kind, t)


def _courses(capture: Capture, kind: str, t: Table) -> Iterator[Course]:
    prefix = kind.upper() + "_"
    course: Course | None = None
    last: Step | None = None
    opened, aborted = "", False
    for i in range(len(t)):
        if t.first[i] or course is None:
            if course is not None and course.steps:
                yield course
            course, last, opened, aborted = Course(kind, f"{kind}:0x{int(t.key[i]):x}"), None, "", False
        command, seq, ok = t.commands[t.command[i]].removeprefix(prefix), int(t.seq[i]), bool(t.ok[i])
        step = None
        if command == "COMMUNICATE":
            page = exchange(capture, seq)
            if page is not None:
                step = Step(seq, page, ok, opened, None if opened else last, aborted)
                course.steps.append(step)
                aborted = False
                if ok:
                    last, opened = step, ""
        elif ok and command in _OPENS:
            opened, last = command, None
        elif ok and command in ("ABORT", "STREAM_COMPLETE", "DESTROY"):
            opened, last, aborted = "", None, command == "ABORT"
        course.events.append((command, seq, ok, int(t.state[i]), step))
    if course is not None and course.steps:
        yield course


def pages(capture: Capture) -> Iterable[Finding]:
    """What the host wrote, what the RMM answered, and where the transactions led."""
    return some((f for c in courses(capture) for f in _one_device(capture, c)), _SHOWN)


def _one_device(capture: Capture, c: Course) -> Iterator[Finding]:
    for s in c.steps:
        yield from _enter(capture, c, s)
    yield from _exits(capture, c)
    yield from _course(capture, c)


def _enter(capture: Capture, c: Course, s: Step) -> Iterator[Finding]:
    p = s.page
    word = {NONE: "NONE", RESPONSE: "RESPONSE", ERROR: "ERROR"}.get(p.status or 0, str(p.status))

    def at(rule: Rule, text: str, *calls: int) -> Finding:
        return found(rule, capture, f"{capture.name_text(s.seq)} (call {s.seq}) of {c.device} {text}", [s.seq, *calls])

    told = capture.status_text(s.seq) == "RMI_ERROR_INPUT" and p.rsp_len  # a refused command, of which that is the cause
    if p.status == RESPONSE and p.rsp_len is not None and not 1 <= p.rsp_len <= _GRANULE and not told:
        yield at(rules.RSP_LEN, f"brings a response of {p.rsp_len} bytes")
    pages = [a for a in (p.data_ptr, p.req_addr, p.rsp_addr) if a]
    if len(set(pages)) != len(pages):
        yield at(rules.PAGES_ALIAS, "names 0x" + ", 0x".join(f"{a:x}" for a in pages) + " as shared page, request and response")
    if s.opened and p.status not in (NONE, None):
        yield at(rules.FIRST_STATUS, f"is the first after RMI_{c.kind.upper()}_{s.opened} and has status {word}")
    if s.aborted and p.status == RESPONSE and capture.revision.device.startswith("1."):
        yield at(rules.AFTER_ABORT, "brings a response after the abort")
    b = s.before
    if b is None or b.page.flags is None:
        return
    flags = b.page.flags
    if not flags & GOES_ON:
        if s.ok:  # else it is a refused command
            yield at(rules.AFTER_END, f"follows call {b.seq}, whose exit had no flags left", b.seq)
        return
    if flags & REQ_SEND and p.status == NONE:
        yield at(rules.REQUEST_LOST, f"has status NONE, call {b.seq} asked to send {b.page.req_len} bytes", b.seq)
    if p.status == RESPONSE and not flags & (REQ_SEND | RSP_WAIT):
        yield at(rules.RSP_UNASKED, f"has status RESPONSE, and call {b.seq} neither sent nor waited", b.seq)
    yield from _late(capture, c, s, b)
    yield from _early(capture, c, b)


def _early(capture: Capture, c: Course, b: Step) -> Iterator[Finding]:
    """The request leaves the host before req_delay (microseconds) is over, where another source shows when it left."""
    end = capture.calls.ts[b.seq] + max(int(capture.calls.dur[b.seq]), 0)
    sent = [p for m in capture.conversations.by_call.get(b.seq, ()) if m.direction == "request" for p in m.also]
    for p in sent:
        if b.page.req_delay and p.ts_ns is not None and capture.calls.ts[b.seq] != NO_TIME and p.ts_ns - end >= 0:
            waited = (p.ts_ns - int(end)) // 1000
            if waited < b.page.req_delay:
                text = f"the request of call {b.seq} of {c.device} left after {waited} us, req_delay is {b.page.req_delay} us"
                yield found(rules.EARLY, capture, text, [b.seq])


def _late(capture: Capture, c: Course, s: Step, b: Step) -> Iterator[Finding]:
    ts, dur = capture.calls.ts, capture.calls.dur
    if s.page.status != RESPONSE or not b.page.rsp_timeout or ts[s.seq] == NO_TIME or ts[b.seq] == NO_TIME:
        return
    took = int(ts[s.seq]) - int(ts[b.seq]) - max(int(dur[b.seq]), 0)
    if took > b.page.rsp_timeout * 1_000_000:
        text = f"the response to call {b.seq} of {c.device} came after {took / 1e6:.0f} ms, rsp_timeout is {b.page.rsp_timeout}"
        yield found(rules.LATE, capture, text, [s.seq, b.seq])


def _exits(capture: Capture, c: Course) -> Iterator[Finding]:
    sent: dict[bytes, list[int]] = {}
    for s in c.steps:
        p = s.page
        if p.flags is None:
            continue
        yield from _exit(capture, c, s, p, p.flags)
        if p.flags & REQ_SEND and p.request:
            sent.setdefault(p.request, []).append(s.seq)
    for request, calls in sent.items():
        # a GET_VERSION begins every connection; what is one byte of header and no more is told from no other
        if len(calls) > _RESENT and request[1:2] != bytes((_GET_VERSION,)):
            text = f"{c.device} is sent the same {len(request)} bytes {len(calls)} times"
            yield found(rules.LIVELOCK, capture, text, calls)


def _exit(capture: Capture, c: Course, s: Step, p: Exchange, flags: int) -> Iterator[Finding]:
    def at(rule: Rule, text: str) -> Finding:
        return found(rule, capture, f"{capture.name_text(s.seq)} (call {s.seq}) of {c.device} {text}", [s.seq])

    if flags & REQ_SEND and flags & RSP_WAIT:
        yield at(rules.FLAGS, "has req_send and rsp_wait")
    if flags & MULTI and not flags & REQ_SEND:
        yield at(rules.FLAGS, "has multi without req_send")
    if flags & REQ_SEND and not 1 <= p.req_len <= _GRANULE:
        yield at(rules.REQUEST_BAD, f"asks to send {p.req_len} bytes")
    if flags & REQ_SEND and p.protocol > 1:
        yield at(rules.REQUEST_BAD, f"asks to send with protocol {p.protocol}")
    for bit, name, (offset, size) in ((REQ_CACHE, "req", p.req_cache), (RSP_CACHE, "rsp", p.rsp_cache)):
        if flags & bit and (not size or offset + size > _GRANULE):
            yield at(rules.CACHE_RANGE, f"asks to cache {size} bytes at {offset} of the {name} buffer")
    if flags & (REQ_CACHE | RSP_CACHE) and p.object not in ((0, 1) if c.kind == "pdev" else (2, 3)):
        yield at(rules.CACHE_OBJECT, f"asks to cache for object {_OBJECTS.get(p.object, p.object)}")
    if flags & RSP_CACHE and p.status == NONE and (s.opened or (s.before is not None and not _had_response(s))):
        yield at(rules.CACHE_STALE, "asks to cache response bytes, and none were handed in")
    if flags & REQ_SEND and c.kind == "pdev" and p.protocol == 1 and s.opened == "CREATE":
        yield at(rules.PROTOCOL, "asks to send a secured message in state NEW")


def _had_response(s: Step) -> bool:
    """Whether a response was handed in since the last request was sent."""
    step: Step | None = s
    for _ in range(8):
        if step is None:
            return False
        if step.page.status == RESPONSE:
            return True
        before = step.before
        if before is not None and before.page.flags is not None and before.page.flags & REQ_SEND:
            return False
        step = before
    return False


def _course(capture: Capture, c: Course) -> Iterator[Finding]:
    names = diagnose.devices.states(capture, f"Rmi{c.kind.title()}State", f"RMI_{c.kind.upper()}_")
    two = capture.revision.device.startswith("2.")
    last: Step | None = None
    state, sends, stopping = "", 0, ""
    certificate = False
    for command, seq, ok, read, step in c.events:
        if step is not None and ok:
            last = step
            flags = step.page.flags or 0
            sends += bool(flags & REQ_SEND)
            certificate |= bool(flags & RSP_CACHE and step.page.object == 1)
            continue
        if read >= 0:
            now = names.get(read, "")
            yield from _arrived(capture, c, state, now, last, seq, two, stopping)
            if now == "NEEDS_KEY" and state == "NEW" and c.kind == "pdev" and not certificate and last is not None:
                text = f"{c.device} is in NEEDS_KEY (call {seq}) and no certificate was cached since it was made"
                yield found(rules.NO_CERTIFICATE, capture, text, [seq, last.seq], object=c.device)
            if now == "STOPPED" and stopping == "READY" and not two and sends == 1 and last is not None:
                text = f"{c.device} was READY and got one request while it was stopped"
                yield found(rules.NO_TEARDOWN, capture, text, [last.seq, seq], object=c.device)
            state = now or state
            continue
        if command in _OPENS and last is not None and last.page.over is False and command != "CREATE":
            text = f"RMI_{c.kind.upper()}_{command} (call {seq}) of {c.device} while call {last.seq} asks for more"
            severity = None if capture.calls.failed[seq] else "warning"
            yield found(rules.LEFT_OPEN, capture, text, [seq, last.seq], object=c.device, severity=severity)
        if command == "CREATE" and ok:
            state, certificate, last = "NEW", False, None
        if command == "STOP" and ok:
            stopping, sends = state, 0
        if command in ("ABORT", *_OPENS) and ok:
            last = None


def _arrived(
    capture: Capture, c: Course, before: str, now: str, last: Step | None, seq: int, two: bool, stopping: str
) -> Iterator[Finding]:
    """A state that was read back behind a transaction that is over, or that the host reported as failed."""
    if last is None or c.kind != "pdev":
        return
    if last.page.status == ERROR and now not in ("ERROR", "STOPPED", "") and last.page.over:
        text = f"{c.device} is {now} (call {seq}) after the host reported ERROR in call {last.seq}"
        yield found(rules.ERROR_IGNORED, capture, text, [last.seq, seq], object=c.device)
        return
    stays = ("NEW", "HAS_KEY") if two else ("NEW", "HAS_KEY", "COMMUNICATING", "IDE_RESETTING", "STOPPING")
    if last.page.over and now == before and now in stays and last.page.status != ERROR and not (two and stopping):
        text = f"the transaction of {c.device} was over in call {last.seq}, and its state is still {now} (call {seq})"
        yield found(rules.NOT_REACHED, capture, text, [seq, last.seq], object=c.device)


CHECKS = (Check(pages, rules.PAGE_RULES),)
