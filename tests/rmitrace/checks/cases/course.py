"""What was begun and not brought to its end, versions and function ids, storms and long times."""

from __future__ import annotations

from .run import (
    DATA,
    INPUT,
    NEEDS_KEY,
    NONE,
    PARAMS,
    PDEV,
    RD,
    REC,
    RESPONSE,
    RUN,
    SEND,
    UNSUPPORTED,
    VDEV,
    Case,
    Run,
    begun,
    page,
    ready,
)


def stop(run: Run) -> Run:
    return run.call("PDEV_STOP", pdev_ptr=PDEV)


def asked(answered: bool) -> Run:
    """A REC that exits with VDEV_REQUEST (8) and is entered again."""
    run = Run().delegate(RD, REC).call("REALM_CREATE", rd=RD, params_ptr=PARAMS)
    run.call("REC_CREATE", rd=RD, rec_ptr=REC, params_ptr=PARAMS).call("REALM_ACTIVATE", rd=RD)
    out = page("RmiRecRun", run.revision, {"exit.exit_reason": 8})
    for reason in (out, bytes(4096)):
        run.call("REC_ENTER", before={RUN: bytes(4096)}, after={RUN: reason}, kinds={RUN: "RmiRecRun"}, rec_ptr=REC, run_ptr=RUN)
        if answered:
            run.call("VDEV_COMPLETE", rec_ptr=REC, vdev_ptr=VDEV)
    return run


def unlock(returns: bool, state: int = 2) -> Run:
    """A VDEV is unlocked from LOCKED (2) or STARTED (3)."""
    run = ready().delegate(RD, VDEV).call("REALM_CREATE", rd=RD, params_ptr=PARAMS)
    run.call("VDEV_CREATE", rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV, params_ptr=PARAMS)
    run.call("VDEV_GET_STATE", outs=(state,), vdev_ptr=VDEV).call("VDEV_UNLOCK", rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV)
    return run.call("VDEV_COMMUNICATE", 0 if returns else None, rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV, data_ptr=DATA)


def version(status: int, revision: str = "2.0-bet3") -> Run:
    """RMI_VERSION with a status, and a command behind it."""
    run = Run(revision)
    run.lines.clear()
    return run.call("VERSION", status, (0x10000, 0x10000), req=0x20000).delegate(PDEV)


def features(bit: int) -> Run:
    """The register of 1.1 with or without DA (bit 42), and a command on a device that is refused."""
    return Run().call("FEATURES", outs=(bit << 42,), index=0).call("PDEV_AUX_COUNT", UNSUPPORTED, flags=7)


def same(times: int, step: int = 0) -> Run:
    run = Run()
    for i in range(times):
        run.call("PDEV_GET_STATE", INPUT, pdev_ptr=PDEV + i * step)
    return run


CASES: dict[str, Case] = {
    "FID-UNKNOWN": Case(lambda: begun().call("PDEV_STOP", (1 << 64) - 1, pdev_ptr=PDEV), lambda: begun()),
    "VERSION-PROVES-NOTHING": Case(lambda: begun(), lambda: Run()),
    "RESULT-BITS": Case(lambda: begun().call("PDEV_STOP", 1 << 40, pdev_ptr=PDEV), lambda: begun()),
    "RTT-PROBING": Case(  # RMI_RTT_READ_ENTRY succeeds wherever a walk ends: no probing gives it that status
        lambda: Run().call("RTT_DESTROY", 0x204, rd=PDEV, ipa=0, level=3),
        lambda: Run().call("RTT_READ_ENTRY", 0x204, rd=PDEV, ipa=0, level=3),
    ),
    "PDEV-NEVER-COMMUNICATED": Case(lambda: begun().behind(), lambda: begun().comm().behind()),
    "KEY-NOT-USED": Case(
        lambda: begun().comm().state(NEEDS_KEY).key().behind(), lambda: begun().comm().state(NEEDS_KEY).key().comm().behind()
    ),
    "STOP-NOT-COMMUNICATED": Case(lambda: stop(ready()).behind(), lambda: stop(ready()).comm().behind()),
    "DISCONNECT-NO-DESTROY": Case(
        lambda: stop(ready()).comm().state(7).behind(),
        lambda: stop(ready()).comm().state(7).call("PDEV_DESTROY", pdev_ptr=PDEV).behind(),
    ),
    "VDEV-UNLOCK-HANGS": Case(lambda: unlock(returns=False), lambda: unlock(returns=False, state=3)),
    "VDEV-ABORT-FORM": Case(
        lambda: unlock(returns=True).call("VDEV_ABORT", rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV), lambda: unlock(returns=True)
    ),
    "VDEV-REQUEST-IGNORED": Case(lambda: asked(answered=False), lambda: asked(answered=True)),
    "VERSION-REFUSED": Case(lambda: version(INPUT), lambda: version(0)),
    "DA-MISSING": Case(lambda: features(0), lambda: features(1)),
    "FID-OTHER-REVISION": Case(
        lambda: begun("2.0-bet3").raw([0xC4000151, PDEV], ((1 << 64) - 1,)),  # RMI_GRANULE_DELEGATE of 1.x
        lambda: begun("2.0-bet3").call("PDEV_STOP", (1 << 64) - 1, pdev_ptr=PDEV),
    ),
    "RESERVED-BITS": Case(
        lambda: Run().call("PDEV_AUX_COUNT", outs=(2,), flags=1 << 40 | 7),
        lambda: Run().call("PDEV_AUX_COUNT", outs=(2,), flags=7),
    ),
    "CALL-REPEATED": Case(lambda: same(100), lambda: same(100, step=0x1000)),
    "LONG-GAP": Case(lambda: begun().comm(NONE, SEND).wait(1.5).comm(RESPONSE), lambda: begun().comm(NONE, SEND).comm(RESPONSE)),
    "SLOW-CALL": Case(
        lambda: begun().call("PDEV_STOP", us=6e6, pdev_ptr=PDEV), lambda: begun().call("PDEV_STOP", us=4e6, pdev_ptr=PDEV)
    ),
}
