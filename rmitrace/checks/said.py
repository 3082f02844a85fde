"""What was said around a call: by the firmware in its log, to and by the device."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from ..capture.messages.facts import name_and_facts

if TYPE_CHECKING:
    from ..capture.marks import Mark
    from ..capture.messages import Message
    from ..capture.model import Capture

_TELLING = ("rmm", "spdm", "crash", "assert")
"""Kinds of marks that can say why a call failed."""
_WORDS = ("fail", "error", "assert", "exception", "panic", "invalid", "unable", "unsupported", "timeout", "mismatch")
_MOST = 3
_STATUS = re.compile(r"\b(?:0x)?([48]00[1-6]00[0-9a-fA-F]{2})u?\b")
_LIBSPDM = {
    0x80010001: "INVALID_PARAMETER",
    0x80010002: "UNSUPPORTED_CAP: a capability that one side lacks",
    0x80010003: "INVALID_STATE_LOCAL: not in the state for it",
    0x80010004: "INVALID_STATE_PEER: the device is not in the state for it",
    0x80010005: "INVALID_MSG_FIELD: a field of the device's message is not valid",
    0x80010006: "INVALID_MSG_SIZE: the size of the device's message is not valid",
    0x80010007: "NEGOTIATION_FAIL: no version or algorithm in common",
    0x80010008: "BUSY_PEER",
    0x80010009: "NOT_READY_PEER",
    0x8001000A: "ERROR_PEER: the device answered with ERROR",
    0x8001000B: "RESYNCH_PEER",
    0x8001000C: "BUFFER_FULL",
    0x8001000D: "BUFFER_TOO_SMALL",
    0x8001000E: "SESSION_NUMBER_EXCEED",
    0x8001000F: "SESSION_MSG_ERROR: a secured message that does not decrypt",
    0x80020000: "CRYPTO_ERROR",
    0x80020001: "VERIF_FAIL: a signature, digest or tag does not verify",
    0x80020002: "SEQUENCE_NUMBER_OVERFLOW",
    0x40020003: "VERIF_NO_AUTHORITY: the chain does not end in a root that is trusted",
    0x80030000: "INVALID_CERT: a certificate that is malformed",
    0x80040000: "SEND_FAIL: the request could not be sent",
    0x80040001: "RECEIVE_FAIL: no response came back",
    0x80050000: "MEAS_INVALID_INDEX",
    0x80050001: "MEAS_INTERNAL_ERROR",
    0x80060000: "LOW_ENTROPY",
}
"""LIBSPDM_STATUS_* of libspdm's spdm_return_status.h: severity [31:28], source [23:16], code [15:0]."""


def log(capture: Capture, first: int, last: int) -> str:
    """The telling lines of the source of a call, from behind the call before ``first`` up to ``last``; empty where there are
    none. A console prints the row of a call when it returns: what the call said stands in front of it."""
    source = int(capture.calls.source[first])
    marks = _marks(capture, source)
    places = [m.before_call for m in marks]
    found = marks[bisect_left(places, first) : bisect_left(places, last + 1)]
    lines = [m.text.strip().splitlines()[0][:160] for m in found[:_MOST] if m.text.strip()]
    lines += _recorded(capture, first, last) if not lines else []
    return " / ".join(explained(line) for line in lines[:_MOST])


def explained(line: str) -> str:
    """A line of a log with the libspdm status in it named."""
    match = _STATUS.search(line)
    name = _LIBSPDM.get(int(match[1], 16)) if match else None
    return f"{line} ({name})" if name else line


def _marks(capture: Capture, source: int) -> list[Mark]:
    """The telling lines of the sources that show the run of a source, by the calls before which they stand."""
    found = capture.marks().of(_TELLING, capture.together(source))
    return sorted((m for m in found if any(w in m.text.lower() for w in _WORDS)), key=lambda m: m.before_call)


def _recorded(capture: Capture, first: int, last: int) -> list[str]:
    """The firmware's own lines where a recorder kept them with each call."""
    source = int(capture.calls.source[first])
    if capture.sources[source].format != "calls-jsonl":
        return []
    out = []
    for seq in range(first, min(last, first + 8) + 1):
        record = int(capture.calls.exit[seq])
        if int(capture.calls.source[seq]) == source and record >= 0:
            text = capture.detail(source, record, True).fields.get("log", "")
            out += [t.strip()[:160] for t in text.splitlines() if any(w in t.lower() for w in _WORDS) and "SMC_R" not in t]
    return out


def messages(capture: Capture, seq: int) -> tuple[Message | None, Message | None]:
    """The request and the response of a communicate call, decoded."""
    found = capture.messages_of(seq)
    request = next((m for m in found if m.direction == "request"), None)
    return request, next((m for m in found if m.direction == "response"), None)


def exchange(capture: Capture, seq: int) -> str:
    """'CHALLENGE was answered with CHALLENGE_AUTH', empty where the messages of a call are not known."""
    request, response = messages(capture, seq)
    if request is None:
        return "" if response is None else f"the device said {name_and_facts(response)}"
    if response is None:
        return f"{name_and_facts(request)} was not answered"
    return f"{name_and_facts(request)} was answered with {name_and_facts(response)}"
