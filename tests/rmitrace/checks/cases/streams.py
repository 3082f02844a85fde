"""IDE streams and stateful operations of 2.0."""

from __future__ import annotations

from .run import (
    AUX,
    BUSY,
    CANCEL,
    CONTINUE,
    DATA,
    DEVICE,
    DONATE,
    ERROR,
    INCOMPLETE,
    INPUT,
    NONE,
    PARAMS,
    PDEV,
    PORT,
    RD,
    READY,
    RECLAIM,
    REQ,
    SEND,
    STREAM_WAIT,
    UNSUPPORTED,
    VDEV,
    Case,
    Run,
    begun,
    page,
    ready,
)

BET1, BET3 = "2.0-bet1", "2.0-bet3"
HANDLE, STREAM = 7, 0x21
FOUR = 4 << 2
"""RmiOpMemDonateReq in x2: four granules ([15:2])."""


def pair(revision: str = BET1) -> Run:
    """An endpoint and a root port, both READY (a root port has no SPDM: NEW leads to READY)."""
    return ready(revision).create(PORT).comm(pdev=PORT).state(READY, PORT)


def connect(run: Run, status: int = 0, kind: int = 1) -> Run:
    """RMI_PDEV_STREAM_CONNECT of a stream (1 is NCOH)."""
    data = page("RmiPdevStreamParams", run.revision, {"stream_type": kind, "pdev_1": PDEV, "pdev_2": PORT})
    return run.call(
        "PDEV_STREAM_CONNECT", status, (STREAM,), {PARAMS: data}, kinds={PARAMS: "RmiPdevStreamParams"}, params_ptr=PARAMS
    )


def stream(run: Run, name: str, status: int = 0, handle: int = STREAM) -> Run:
    return run.call(f"PDEV_STREAM_{name}", status, pdev_1_ptr=PDEV, pdev_2_ptr=PORT, stream_hnd=handle)


def both(run: Run) -> Run:
    """Both ends are communicated to their end: the root port waits once for the endpoint."""
    return run.comm(NONE, STREAM_WAIT, pdev=PORT).comm(pdev=PDEV).comm(pdev=PORT)


def connected(revision: str = BET1) -> Run:
    return stream(both(connect(pair(revision))), "COMPLETE")


def bind(run: Run, status: int = 0) -> Run:
    run.delegate(RD, VDEV).call("REALM_CREATE", rd=RD, params_ptr=PARAMS)
    return run.call("VDEV_CREATE", status, rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV, params_ptr=PARAMS)


def stop(run: Run, status: int = 0) -> Run:
    return run.call("PDEV_STOP", status, pdev_ptr=PDEV)


def failed() -> Run:
    """A stream operation in which the endpoint came to ERROR (5)."""
    return connect(pair()).comm(NONE, SEND).comm(ERROR).state(5)


def refresh(*counts: int) -> Run:
    """refresh_count before and after a key refresh that was completed (x1 state, x2 type, x3 and x4 the counters)."""
    run = connected(BET3)
    run.call("PDEV_STREAM_INFO", outs=(2, 1, counts[0], 0), pdev_1_ptr=PDEV, pdev_2_ptr=PORT, stream_hnd=STREAM)
    stream(both(stream(run, "KEY_REFRESH")), "COMPLETE")
    return run.call("PDEV_STREAM_INFO", outs=(2, 1, counts[1], 0), pdev_1_ptr=PDEV, pdev_2_ptr=PORT, stream_hnd=STREAM)


def unlocked(*keys: str) -> Run:
    """A VDEV that waits for a key refresh (5) behind its unlock, and what is done with the stream then."""
    run = bind(connected()).comm(vdev=VDEV).call("VDEV_UNLOCK", rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV).comm(vdev=VDEV)
    run.call("VDEV_GET_STATE", outs=(5,), vdev_ptr=VDEV)
    for name in keys:
        stream(both(stream(run, name)), "COMPLETE")
    return run


# stateful operations


def pending(wants: int = CONTINUE, command: str = "PDEV_CREATE") -> Run:
    """A command that answered RMI_INCOMPLETE."""
    run = Run(BET3).call("RMM_ACTIVATE").delegate(PDEV, AUX, AUX + 0x1000)
    args = {"pdev_ptr": PDEV} | ({"params_ptr": PARAMS} if command.endswith("CREATE") else {})
    return run.call(command, INCOMPLETE | wants, (HANDLE, FOUR), **args)


def op(run: Run, name: str, status: int = 0, outs: tuple[int, ...] = (), handle: int = HANDLE, **args: int) -> Run:
    return run.call(f"OP_{name}", status, outs, handle=handle, **args)


def donated(count: int, status: int) -> Run:
    """RMI_OP_MEM_DONATE of so many granules (bits [9:0] of an entry count them)."""
    listed = b"".join((AUX + 4096 * i | 1).to_bytes(8, "little") for i in range(count))
    run = pending(DONATE)
    return run.call(
        "OP_MEM_DONATE", status, (count if not status else 0, 0), {REQ: listed}, handle=HANDLE, list_addr=REQ, list_count=count
    )


def ended(status: int, reclaimed: bool) -> Run:
    """A create that took memory and then ended with a status."""
    run = op(pending(DONATE), "MEM_DONATE", INCOMPLETE, (2, 0), list_addr=REQ, list_count=2)
    if reclaimed:
        op(run, "MEM_RECLAIM", INCOMPLETE, (2, 0), list_addr=REQ, list_count=2)
    return op(run, "CONTINUE", status)


def reclaimed(back: int) -> Run:
    """A destroy that gives two ranges back, of which the host undelegates some."""
    run = pending().call("OP_CONTINUE", handle=HANDLE).call("PDEV_DESTROY", INCOMPLETE | RECLAIM, (HANDLE,), pdev_ptr=PDEV)
    run.call("OP_MEM_RECLAIM", INCOMPLETE, (2,), handle=HANDLE, list_addr=REQ, list_count=2).call("OP_CONTINUE", handle=HANDLE)
    for i in range(back):
        run.undelegate(AUX + 4096 * i)
    return run


def busy(times: int, apart: float = 0.0) -> Run:
    run = begun(BET3)
    for _ in range(times):
        run.call("PDEV_CREATE", BUSY, pdev_ptr=PORT, params_ptr=PARAMS).wait(apart)
    return run


CASES: dict[str, Case] = {
    "RMI-BLOCKED": Case(
        lambda: begun("2.0-bet3").call("PDEV_CREATE", 14, pdev_ptr=DATA, params_ptr=REQ), lambda: begun("2.0-bet3")
    ),
    "OP-HANDLE": Case(lambda: begun("2.0-bet3").call("OP_CONTINUE", 1, handle=7), lambda: begun("2.0-bet3")),
    "STREAM-PDEV": Case(lambda: connect(begun(BET1).create(PORT), INPUT), lambda: connect(pair())),
    "STREAM-TYPE": Case(lambda: connect(pair(), UNSUPPORTED, kind=2), lambda: connect(pair(), kind=1)),
    "STREAM-EARLY": Case(
        lambda: stream(connect(pair()).comm(NONE, STREAM_WAIT, pdev=PORT), "COMPLETE", INPUT), lambda: connected()
    ),
    "STREAM-HANDLE": Case(
        lambda: stream(connected(), "DISCONNECT", INPUT, handle=STREAM + 1), lambda: stream(connected(), "DISCONNECT")
    ),
    "STREAM-WRONG-STATE": Case(
        lambda: stream(connected(), "COMPLETE", DEVICE), lambda: stream(both(stream(connected(), "DISCONNECT")), "COMPLETE")
    ),
    "STREAM-VDEVS": Case(lambda: stream(bind(connected()), "DISCONNECT", DEVICE), lambda: stream(connected(), "DISCONNECT")),
    "STREAM-STUCK": Case(lambda: stream(failed(), "COMPLETE", INPUT), lambda: failed()),
    "KEY-PURGE-UNSUPPORTED": Case(
        lambda: stream(connected(), "KEY_PURGE", UNSUPPORTED), lambda: stream(connected(), "KEY_PURGE")
    ),
    "VDEV-NO-STREAM": Case(lambda: bind(pair(), DEVICE), lambda: bind(connected())),
    "STOP-STREAM-LIVE": Case(
        lambda: stop(connected(), DEVICE), lambda: stop(stream(both(stream(connected(), "DISCONNECT")), "COMPLETE"))
    ),
    "STREAM-NOT-COMPLETED": Case(lambda: both(connect(pair())).behind(), lambda: connected().behind()),
    "STREAM-COUNT": Case(lambda: refresh(0, 0), lambda: refresh(0, 1)),
    "KEY-REFRESH-ORDER": Case(lambda: unlocked("KEY_PURGE"), lambda: unlocked("KEY_REFRESH", "KEY_PURGE")),
    # operations
    "OP-WRONG-CALL": Case(lambda: op(pending(DONATE), "CONTINUE", INPUT), lambda: op(pending(CONTINUE), "CONTINUE", INPUT)),
    "OP-CANCEL": Case(lambda: op(pending(), "CANCEL", INPUT), lambda: op(pending(CANCEL), "CANCEL")),
    "OP-DONATE-LIST": Case(lambda: donated(5, INPUT), lambda: donated(4, 0)),
    "OP-NEVER-CONTINUED": Case(lambda: pending().behind(), lambda: op(pending(), "CONTINUE").behind()),
    "OP-DONATED-FREED": Case(lambda: ended(INPUT, reclaimed=False), lambda: ended(INPUT, reclaimed=True)),
    "OP-RECLAIM-LOST": Case(lambda: reclaimed(1), lambda: reclaimed(2)),
    "RMI-BUSY-STORM": Case(lambda: busy(3, apart=0.6), lambda: busy(3, apart=0.1)),
}
