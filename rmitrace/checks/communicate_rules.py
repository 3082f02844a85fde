"""The rules of the shared page of the communicate calls: what host and RMM write, and what each makes of the other's."""

from __future__ import annotations

from .rule import Rule

_ENTER, _EXIT = "DEN0137 RmiDevCommEnter", "DEN0137 RmiDevCommExit"


def _rule(id: str, severity: str, title: str, why: str, next: str, spec: str) -> Rule:
    return Rule(id, severity, title, why, next, spec, "memory")


FIRST_STATUS = _rule(
    "COMM-FIRST-STATUS", "error", "the first call of a transaction has a status other than NONE",
    "there is nothing to answer yet: the status of the last transaction was left over, and TF-RMM refuses it",
    "where the host clears the shared page between transactions", f"{_ENTER}; TF-RMM pdev.c",
)  # fmt: skip
REQUEST_LOST = _rule(
    "COMM-REQUEST-LOST", "error", "the RMM asked to send a request, and the host comes back with status NONE",
    "the request was lost; a debug build of TF-RMM stops at an assertion",
    "the host's loop: req_send has to end in RESPONSE or ERROR", f"{_ENTER}; TF-RMM dev_assign_el0_app.c",
)  # fmt: skip
RSP_LEN = _rule(
    "COMM-RSP-LEN", "error", "a response of 0 bytes or of more than a granule",
    "there is one granule for the response, and RESPONSE says that there is something in it",
    "the length that the transport returned", f"{_ENTER}; TF-RMM",
)  # fmt: skip
RSP_UNASKED = _rule(
    "COMM-RSP-UNASKED", "error", "status RESPONSE though nothing was sent or waited for",
    "the bytes are those of an older response",
    "the host's loop: RESPONSE only after req_send or rsp_wait", _ENTER,
)  # fmt: skip
FLAGS = _rule(
    "COMM-FLAGS", "error", "flags of the exit that exclude each other",
    "req_send and rsp_wait are never set together, and multi only with req_send: the firmware breaks the rule, or has another "
    "layout of the flags (1.1-alp14 has multi at bit 4)",
    "the revision of the firmware", _EXIT,
)  # fmt: skip
REQUEST_BAD = _rule(
    "COMM-REQUEST-BAD", "error", "req_send with a length or protocol that is none",
    "a request has 1 to 4096 bytes and protocol 0 or 1; another layout of the page puts the length at 0x38 (1.1-alp14)",
    "the revision of the firmware", _EXIT,
)  # fmt: skip
CACHE_RANGE = _rule(
    "COMM-CACHE-RANGE", "error", "bytes to cache that are empty or beyond the buffer",
    "the host would read outside of the buffer",
    "the cache fields of the exit", _EXIT,
)  # fmt: skip
CACHE_OBJECT = _rule(
    "COMM-CACHE-OBJECT", "error", "bytes are cached for an object that is not of this transaction",
    "VCA and CERTIFICATE come from the PDEV, MEASUREMENTS and INTERFACE_REPORT from a VDEV",
    "cache_obj_id; which object the call was made for", "DEN0137 RmiDevCommObject",
)  # fmt: skip
CACHE_HOLES = _rule(
    "COMM-CACHE-HOLES", "warning", "cached certificate bytes overlap or leave a hole",
    "the Realm later asks the RMM for a digest and the host for the bytes: one byte missing breaks attestation",
    "the offsets of the CERTIFICATE portions against the bytes that were appended", _EXIT,
)  # fmt: skip
CACHE_STALE = _rule(
    "COMM-CACHE-STALE", "warning", "response bytes are cached though no response was handed in",
    "they would be those of an older response",
    "the exit before it", _EXIT,
)  # fmt: skip
NO_CERTIFICATE = _rule(
    "COMM-NO-CERTIFICATE", "error", "NEEDS_KEY is reached and no certificate was cached",
    "the host has no key to set: it will set a wrong one",
    "rsp_cache and cache_obj_id in the exits of the first transaction", "DEN0137 RmiDevCommObject CERTIFICATE",
)  # fmt: skip
NOT_DER = _rule(
    "COMM-CACHE-NOT-DER", "warning", "the cached certificates are no sequence of DER",
    "a portion was missed, came twice, or was cached from the wrong buffer",
    "`rmitrace messages --tree` of the CERTIFICATE messages", "DSP0274 certificate chain; X.690",
)  # fmt: skip
AFTER_END = _rule(
    "COMM-AFTER-END", "error", "a further call after the transaction was over",
    "the exit had no flags left; the RMM refuses the call, TF-RMM of 1.1-alp16 also moves the PDEV to ERROR",
    "the end of the host's loop", "DEN0137 PDEV_COMMUNICATE comm_state; TF-RMM pdev.c",
)  # fmt: skip
LEFT_OPEN = _rule(
    "COMM-LEFT-OPEN", "error", "the host goes on with another command while the exit asks for more",
    "the transaction is left open, and the next step fails",
    "the flags that the host's loop ends on: rsp_reset alone, or stream_wait in a kernel of 1.1", _EXIT,
)  # fmt: skip
LATE = _rule(
    "COMM-LATE", "warning", "a response that came after rsp_timeout",
    "the host should have said ERROR; the unit is microseconds by the text and milliseconds in a comment of TF-RMM, the longer "
    "is taken",
    "how long the device took", _EXIT,
)  # fmt: skip
EARLY = _rule(
    "COMM-EARLY", "warning", "a request that was sent before req_delay was over",
    "the device is not ready for it",
    "whether the host sleeps req_delay microseconds", _EXIT,
)  # fmt: skip
PROTOCOL = _rule(
    "COMM-PROTOCOL", "error", "a secured message before there is a session, or a clear one inside of it",
    "the session is confused: SECURED comes with FINISH and after it, clear requests only before it (GET_VERSION ends it)",
    "the messages in order", "DSP0277; TF-RMM message order",
)  # fmt: skip
LIVELOCK = _rule(
    "COMM-LIVELOCK", "warning", "the same request is sent again and again",
    "the device answers Busy, or the host hands in a stale response",
    "the response to the first of them", "DEN0137 RmiDevCommExit",
)  # fmt: skip
ERROR_IGNORED = _rule(
    "COMM-ERROR-IGNORED", "error", "the host reported ERROR and the device is as if nothing had been",
    "the transaction has to fail: state ERROR, or STOPPED while it stops",
    "the firmware", "DEN0137 PDEV state machine",
)  # fmt: skip
PAGES_ALIAS = _rule(
    "COMM-PAGES-ALIAS", "error", "request, response and shared page are not three pages",
    "the answer overwrites the request or the shared page",
    "req_addr and rsp_addr", _ENTER,
)  # fmt: skip
NOT_REACHED = _rule(
    "COMM-NOT-REACHED", "error", "a transaction is over and the state is not the one that it leads to",
    "NEW leads to NEEDS_KEY with SPDM, HAS_KEY to READY, STOPPING to STOPPED: a step was lost, or the firmware is at fault",
    "the state before and after, and the commands in between", "DEN0137 PDEV state machine",
)  # fmt: skip
AFTER_ABORT = _rule(
    "COMM-AFTER-ABORT", "error", "a response is handed in after an abort",
    "in NEW and HAS_KEY an abort starts the transaction over: the next status is NONE",
    "the host's error path", "DEN0137 1.1 PDEV_ABORT",
)  # fmt: skip
NO_TEARDOWN = _rule(
    "STOP-NO-TEARDOWN", "warning", "a PDEV that was READY is stopped with one request only",
    "IDE keys are stopped and the session is ended by messages: they were lost before",
    "the device's session and IDE state", "TF-RMM message order",
)  # fmt: skip
STREAM_DEADLOCK = _rule(
    "STREAM-DEADLOCK", "error", "both PDEVs of a stream wait for each other",
    "each reports stream_wait alone, again and again: neither can go on",
    "the operation on both PDEVs", "DEN0137 2.0 RmiDevCommExitFlags stream_wait",
)  # fmt: skip
STREAM_PEER = _rule(
    "STREAM-PEER-FORGOTTEN", "error", "a PDEV waits for the other end of its stream, which is not communicated",
    "stream_wait says that the other PDEV has to be communicated first; a kernel of 1.1 does not know the bit",
    "the host's loop over both PDEVs", "DEN0137 2.0 RmiDevCommExitFlags stream_wait",
)  # fmt: skip

PAGE_RULES = (
    *(FIRST_STATUS, REQUEST_LOST, RSP_LEN, RSP_UNASKED, AFTER_END, AFTER_ABORT, PAGES_ALIAS, LATE, EARLY),  # what the host wrote
    *(FLAGS, REQUEST_BAD, CACHE_RANGE, CACHE_OBJECT, CACHE_STALE, LIVELOCK, PROTOCOL),  # what the RMM answered
    *(LEFT_OPEN, NO_CERTIFICATE, NOT_REACHED, ERROR_IGNORED, NO_TEARDOWN),  # where transactions lead
)
CACHED_RULES = (CACHE_HOLES, NOT_DER)
STREAM_RULES = (STREAM_DEADLOCK, STREAM_PEER)
