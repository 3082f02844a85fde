"""Refused commands on memory, Realms and RECs."""

from __future__ import annotations

from .run import (
    BUSY,
    DATA,
    GLOBAL,
    INPUT,
    PARAMS,
    PDEV,
    PORT,
    RD,
    REALM,
    REC,
    REC_ERROR,
    RUN,
    VDEV,
    Case,
    Run,
    begun,
    page,
    ready,
)

MMIO, PSCI_EXIT, RIPAS_EXIT = 1, 3, 4
"""RmiRecEnterFlags emul_mmio; RmiRecExitReason."""
ACTIVE = "2.0-bet3"


def realm(revision: str = "1.1-alp17") -> Run:
    run = Run(revision)
    if run.two:
        run.call("RMM_ACTIVATE")
    return run.delegate(RD, REC).call("REALM_CREATE", rd=RD, params_ptr=PARAMS)


def with_rec() -> Run:
    return realm().call("REC_CREATE", rd=RD, rec_ptr=REC, params_ptr=PARAMS)


def ran(reason: int, **fields: int) -> Run:
    """A REC that came back with an exit reason."""
    run = with_rec().call("REALM_ACTIVATE", rd=RD)
    out = page("RmiRecRun", run.revision, {"exit.exit_reason": reason, **{f"exit.{k}": v for k, v in fields.items()}})
    return run.call("REC_ENTER", before={RUN: bytes(4096)}, after={RUN: out}, kinds={RUN: "RmiRecRun"}, rec_ptr=REC, run_ptr=RUN)


def entered(run: Run, flags: int, status: int = 0) -> Run:
    return run.given("REC_ENTER", "RmiRecRun", {"enter.flags": flags}, status, rec_ptr=REC)


def ripas(base: int, top: int, status: int = 0) -> Run:
    """An answer to a REC that asks for 0x40000000 to 0x40002000."""
    return ran(RIPAS_EXIT, ripas_base=0x40000000, ripas_top=0x40002000).call(
        "RTT_SET_RIPAS", status, outs=(top,), rd=RD, rec_ptr=REC, base=base, top=top
    )


def with_vdev() -> Run:
    run = ready().delegate(RD, VDEV).call("REALM_CREATE", rd=RD, params_ptr=PARAMS)
    return run.call("VDEV_CREATE", rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV, params_ptr=PARAMS)


def destroyed() -> Run:
    return begun().call("PDEV_STOP", pdev_ptr=PDEV).comm().state(7).call("PDEV_DESTROY", pdev_ptr=PDEV)


def part(*tops: int) -> Run:
    """A range of four granules, done by calls that stop at ``tops``."""
    run, base = Run(ACTIVE), PDEV
    for top in tops:
        run.call("GRANULE_RANGE_DELEGATE", outs=(top,), base=base, top=PDEV + 0x4000)
        base = top
    return run.call("FEATURES", index=0)


def leaked(status: int) -> Run:
    """A page is undelegated, with that result, and then used for parameters."""
    run = Run().delegate(PARAMS, PDEV).undelegate(PARAMS, status)
    return run.call("PDEV_CREATE", status, pdev_ptr=PDEV, params_ptr=PARAMS)


def built(status: int, **fields: int) -> Run:
    """RMI_REALM_CREATE with its page: 40 bits of IPA, one start table."""
    fields = {"s2sz": 40, "rtt_base": REC, "rtt_num_start": 1, **fields}
    return Run().delegate(RD, REC).given("REALM_CREATE", "RmiRealmParams", fields, status, rd=RD)


CASES: dict[str, Case] = {
    "CREATE-TWICE": Case(lambda: begun().call("PDEV_CREATE", 1, pdev_ptr=PDEV, params_ptr=DATA), lambda: begun()),
    "CREATE-NOT-DELEGATED": Case(lambda: Run().call("PDEV_CREATE", 1, pdev_ptr=PDEV, params_ptr=DATA), lambda: begun()),
    "DELEGATE-TWICE": Case(lambda: begun().call("GRANULE_DELEGATE", 1, addr=PDEV), lambda: begun()),
    "UNDELEGATE-LIVE": Case(lambda: begun().call("GRANULE_UNDELEGATE", 1, addr=PDEV), lambda: begun()),
    "ADDRESS-UNALIGNED": Case(
        lambda: Run().call("GRANULE_DELEGATE", 1, addr=PDEV + 1),
        lambda: Run().call("GRANULE_DELEGATE", addr=PDEV),
    ),
    "NOT-AN-OBJECT": Case(lambda: Run().call("PDEV_GET_STATE", 1, pdev_ptr=PDEV), lambda: begun()),
    "RANGE-NO-PROGRESS": Case(
        lambda: Run("2.0-bet3").call("GRANULE_RANGE_DELEGATE", outs=(PDEV,), base=PDEV, top=PDEV + 0x1000),
        lambda: Run("2.0-bet3").call("GRANULE_RANGE_DELEGATE", outs=(PDEV + 0x1000,), base=PDEV, top=PDEV + 0x1000),
    ),
    "RMM-NOT-ACTIVE": Case(lambda: Run("2.0-bet3").call("REALM_ACTIVATE", 11, rd=PDEV), lambda: begun("2.0-bet3")),
    "ADDRESS-ALIAS": Case(lambda: built(INPUT, rtt_base=RD), lambda: built(INPUT)),
    "REALM-PARAMS": Case(lambda: built(INPUT, hash_algo=9), lambda: built(INPUT)),
    "TABLE-RANGE": Case(
        lambda: realm().call("RTT_INIT_RIPAS", INPUT, rd=RD, base=0x2000, top=0x2000),
        lambda: realm().call("RTT_INIT_RIPAS", INPUT, rd=RD, base=0x2000, top=0x2001),
    ),
    "UNDELEGATE-NOT-DELEGATED": Case(
        lambda: Run().delegate(PDEV).undelegate(PDEV).undelegate(PDEV, INPUT), lambda: begun().undelegate(PDEV, INPUT)
    ),
    "CALL-REFUSED": Case(
        lambda: Run().delegate(PDEV).call("PDEV_CREATE", INPUT, pdev_ptr=PDEV, params_ptr=PARAMS),
        lambda: Run().delegate(PDEV).call("PDEV_CREATE", BUSY, pdev_ptr=PDEV, params_ptr=PARAMS),
    ),
    "PAGE-DELEGATED": Case(
        lambda: Run().delegate(PDEV, PARAMS).call("PDEV_CREATE", INPUT, pdev_ptr=PDEV, params_ptr=PARAMS),
        lambda: Run().delegate(PDEV).call("PDEV_CREATE", INPUT, pdev_ptr=PDEV, params_ptr=PARAMS),
    ),
    "USE-AFTER-DESTROY": Case(
        lambda: destroyed().call("PDEV_GET_STATE", INPUT, pdev_ptr=PDEV),
        lambda: destroyed().call("PDEV_GET_STATE", INPUT, pdev_ptr=PORT),
    ),
    "RMM-ALREADY-ACTIVE": Case(
        lambda: Run(ACTIVE).call("RMM_ACTIVATE").call("RMM_ACTIVATE", GLOBAL), lambda: Run(ACTIVE).call("RMM_ACTIVATE")
    ),
    "REALM-WRONG-STATE": Case(
        lambda: realm().call("REALM_ACTIVATE", rd=RD).call("REALM_ACTIVATE", REALM, rd=RD),
        lambda: realm().call("REALM_ACTIVATE", rd=RD),
    ),
    "REALM-NOT-EMPTY": Case(
        lambda: with_rec().call("REALM_DESTROY", REALM, rd=RD),
        lambda: with_rec().call("REC_DESTROY", rec_ptr=REC).call("REALM_DESTROY", rd=RD),
    ),
    "REALM-HAS-VDEV": Case(
        lambda: with_vdev().call("REALM_DESTROY", REALM, rd=RD), lambda: with_rec().call("REALM_DESTROY", REALM, rd=RD)
    ),
    "REC-ENTRY": Case(lambda: entered(ran(PSCI_EXIT), MMIO, REC_ERROR), lambda: entered(ran(0), MMIO)),
    "REC-REQUEST": Case(lambda: ripas(0x40001000, 0x40002000, INPUT), lambda: ripas(0x40000000, 0x40002000)),
    "COMPLETE-REFUSED": Case(
        lambda: ran(RIPAS_EXIT).call("PSCI_COMPLETE", INPUT, calling_rec_ptr=REC, target_rec_ptr=RUN),
        lambda: ran(PSCI_EXIT).call("PSCI_COMPLETE", calling_rec_ptr=REC, target_rec_ptr=RUN),
    ),
    "RANGE-NOT-FINISHED": Case(lambda: part(PDEV + 0x1000), lambda: part(PDEV + 0x1000, PDEV + 0x4000)),
    "LEAKED-PAGE-USED": Case(lambda: leaked(INPUT), lambda: leaked(0)),
    "GRANULE-NOT-RETURNED": Case(
        lambda: destroyed().delegate(RD).undelegate(RD).behind(), lambda: destroyed().undelegate(PDEV).behind()
    ),
}
