"""The shared page of the communicate calls, and what transactions lead to (section 3 of the communicate step: who sets what)."""

from __future__ import annotations

from .run import (
    ERROR,
    GET_DIGESTS,
    MULTI,
    NEEDS_KEY,
    NEW,
    NONE,
    PARAMS,
    PDEV,
    PORT,
    RD,
    READY,
    REQ,
    RESPONSE,
    RSP_CACHE,
    SEND,
    STREAM_WAIT,
    VDEV,
    WAIT,
    Case,
    Run,
    begun,
    ready,
)


def streaming(*flags: tuple[int, int]) -> Run:
    """A stream of 2.0 that is being connected; then PDEV and flags of the exits of communicate calls."""
    run = ready("2.0-bet3").create(PORT).comm(pdev=PORT).state(READY, PORT)
    run.given("PDEV_STREAM_CONNECT", "RmiPdevStreamParams", {"stream_type": 1, "pdev_1": PDEV, "pdev_2": PORT})
    for pdev, f in flags:
        run.comm(NONE, f, pdev=pdev)
    return run


def repeated(times: int) -> Run:
    """The same request again and again."""
    run = begun().comm(NONE, SEND, request=GET_DIGESTS)
    for _ in range(times - 1):
        run.comm(RESPONSE, SEND, request=GET_DIGESTS)
    return run


def many(times: int) -> Run:
    """A transaction of so many calls."""
    run = begun().comm(NONE, SEND)
    for _ in range(times - 1):
        run.comm(RESPONSE, SEND)
    return run


def refreshed(inside: bool) -> Run:
    """A key refresh of a PDEV whose VDEV is locked, inside of it or behind it."""
    run = ready().delegate(RD, VDEV).call("REALM_CREATE", rd=RD, params_ptr=PARAMS)
    run.call("VDEV_CREATE", rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV, params_ptr=PARAMS).comm(vdev=VDEV)
    run.call("PDEV_IDE_KEY_REFRESH", pdev_ptr=PDEV).comm(NONE, SEND)
    if inside:
        return run.comm(vdev=VDEV).comm(RESPONSE)
    return run.comm(RESPONSE).comm(vdev=VDEV)


def stopped(sends: int) -> Run:
    """A PDEV that was READY is stopped, with so many requests to the device (1.1: STOPPING is 6, STOPPED is 7)."""
    run = ready().call("PDEV_STOP", pdev_ptr=PDEV).comm(NONE, SEND)
    for _ in range(sends - 1):
        run.comm(RESPONSE, SEND)
    return run.comm(RESPONSE).state(7)


CASES: dict[str, Case] = {
    "COMM-FIRST-STATUS": Case(lambda: begun().comm(RESPONSE, SEND), lambda: begun().comm(NONE, SEND)),
    "COMM-REQUEST-LOST": Case(lambda: begun().comm(NONE, SEND).comm(NONE), lambda: begun().comm(NONE, SEND).comm(RESPONSE)),
    "COMM-RSP-LEN": Case(
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, rsp_len=5000),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, rsp_len=4096),
    ),
    "COMM-RSP-UNASKED": Case(
        lambda: begun().comm(NONE, RSP_CACHE, cache=(0, 8, 1)).comm(RESPONSE),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE),
    ),
    "COMM-FLAGS": Case(lambda: begun().comm(NONE, SEND | WAIT), lambda: begun().comm(NONE, SEND | MULTI)),
    "COMM-REQUEST-BAD": Case(lambda: begun().comm(NONE, SEND, req_len=4097), lambda: begun().comm(NONE, SEND, req_len=4096)),
    "COMM-CACHE-RANGE": Case(
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(4000, 97, 1)),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(4000, 96, 1)),
    ),
    "COMM-CACHE-OBJECT": Case(
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 2)),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 1)),
    ),
    "COMM-CACHE-STALE": Case(
        lambda: begun().comm(NONE, RSP_CACHE, cache=(0, 8, 1)),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 1)),
    ),
    "COMM-AFTER-END": Case(lambda: begun().comm().comm(), lambda: begun().comm(NONE, SEND).comm(RESPONSE)),
    "COMM-PAGES-ALIAS": Case(lambda: begun().comm(rsp=REQ), lambda: begun().comm()),
    "COMM-PROTOCOL": Case(lambda: begun().comm(NONE, SEND, protocol=1), lambda: begun().comm(NONE, SEND)),
    "COMM-LEFT-OPEN": Case(
        lambda: begun().comm(NONE, SEND).call("PDEV_STOP", pdev_ptr=PDEV),
        lambda: begun().comm().call("PDEV_STOP", pdev_ptr=PDEV),
    ),
    "COMM-NOT-REACHED": Case(lambda: begun().comm().state(NEW), lambda: begun().comm(NONE, SEND).state(NEW)),
    "COMM-NO-CERTIFICATE": Case(
        lambda: begun().comm().state(NEEDS_KEY),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 1)).comm().state(NEEDS_KEY),
    ),
    "COMM-FAILED": Case(
        lambda: begun().comm(NONE, SEND).comm(RESPONSE).state(8),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE).state(NEEDS_KEY),
    ),
    "COMM-ERROR-IGNORED": Case(
        lambda: begun().comm(NONE, SEND).comm(ERROR).state(NEEDS_KEY),
        lambda: begun().comm(NONE, SEND).comm(ERROR).state(8),
    ),
    "COMM-AFTER-ABORT": Case(
        lambda: begun().comm(NONE, SEND).call("PDEV_ABORT", pdev_ptr=PDEV).comm(RESPONSE),
        lambda: begun().comm(NONE, SEND).call("PDEV_ABORT", pdev_ptr=PDEV).comm(),
    ),
    "COMM-ABANDONED": Case(
        lambda: begun("2.0-bet1").comm(NONE, SEND).call("PDEV_ABORT", pdev_ptr=PDEV),
        lambda: begun("2.0-bet1").comm(NONE, SEND),
    ),
    "COMM-LIVELOCK": Case(lambda: repeated(5), lambda: repeated(4)),
    "STATE-UNEXPLAINED": Case(lambda: begun().state(READY), lambda: begun().comm().state(NEEDS_KEY)),
    "COMM-LATE": Case(
        lambda: begun().comm(NONE, SEND, timeout=1000).wait(1.1).comm(RESPONSE),
        lambda: begun().comm(NONE, SEND, timeout=1000).wait(0.9).comm(RESPONSE),
    ),
    "COMM-ENDLESS": Case(lambda: many(101), lambda: many(100)),
    "COMM-INTERLEAVED": Case(lambda: refreshed(True), lambda: refreshed(False)),
    "STOP-NO-TEARDOWN": Case(lambda: stopped(1), lambda: stopped(2)),
    "STREAM-PEER-FORGOTTEN": Case(
        lambda: streaming(*[(PORT, STREAM_WAIT)] * 3),
        lambda: streaming((PORT, STREAM_WAIT), (PDEV, SEND), (PORT, STREAM_WAIT), (PDEV, STREAM_WAIT), (PORT, 0)),
    ),
    "STREAM-DEADLOCK": Case(
        lambda: streaming(*[(PORT, STREAM_WAIT), (PDEV, STREAM_WAIT)] * 3),
        lambda: streaming((PORT, STREAM_WAIT), (PDEV, STREAM_WAIT), (PORT, 0), (PDEV, 0)),
    ),
}
