"""Refused commands on VDEVs (1.1 where not said otherwise: NEW 0, UNLOCKED 1, LOCKED 2, STARTED 3, ERROR 4)."""

from __future__ import annotations

from .run import (
    DEVICE,
    GRANULE,
    INPUT,
    NEEDS_KEY,
    NONE,
    PARAMS,
    PDEV,
    PORT,
    RD,
    READY,
    REALM,
    RESPONSE,
    RSP_CACHE,
    SEND,
    VDEV,
    Case,
    Run,
    begun,
    ready,
)

UNLOCKED, LOCKED = 1, 2
GOOD = {"flags": 7, "pdev_id": 0x100, "rid_base": 0x100, "rid_top": 0x108}


def realm(run: Run) -> Run:
    return run.delegate(RD, VDEV).call("REALM_CREATE", rd=RD, params_ptr=PARAMS)


def bind(run: Run, status: int = 0, vdev: int = VDEV, **fields: int) -> Run:
    """RMI_VDEV_CREATE with its page."""
    fields = {"tdi_id": 0x100, **fields}
    return run.given("VDEV_CREATE", "RmiVdevParams", fields, status, rd=RD, pdev_ptr=PDEV, vdev_ptr=vdev)


def assigned(run: Run | None = None) -> Run:
    """A PDEV with its routing ids, READY, and a Realm."""
    run = run or Run()
    run.delegate(PDEV).given("PDEV_CREATE", "RmiPdevParams", GOOD, pdev_ptr=PDEV)
    run.comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 1)).comm().state(NEEDS_KEY).key().comm().state(READY)
    return realm(run)


def bound(revision: str = "1.1-alp17") -> Run:
    """A VDEV in UNLOCKED."""
    return seen(do(bind(assigned() if revision < "2" else realm(ready(revision))), "COMMUNICATE"), UNLOCKED)


def do(run: Run, name: str, status: int = 0, outs: tuple[int, ...] = (), rd: int = RD, pdev: int = PDEV) -> Run:
    """A command on the VDEV."""
    if name == "COMMUNICATE":
        return run.comm(vdev=VDEV, result=status)
    return run.call(f"VDEV_{name}", status, outs, rd=rd, pdev_ptr=pdev, vdev_ptr=VDEV)


def seen(run: Run, state: int) -> Run:
    return run.call("VDEV_GET_STATE", outs=(state,), vdev_ptr=VDEV)


def locked() -> Run:
    return seen(do(do(bound(), "LOCK"), "COMMUNICATE"), LOCKED)


def mapped(status: int) -> Run:
    """An unlock that 2.0 answers with the page that is still mapped in x1."""
    run = seen(do(do(bound("2.0-bet1"), "LOCK"), "COMMUNICATE"), LOCKED)
    return do(run, "UNLOCK", status, (0x40000000,))


CASES: dict[str, Case] = {
    "VDEV-PDEV-NOT-READY": Case(lambda: bind(realm(begun().comm().state(NEEDS_KEY)), DEVICE), lambda: bind(realm(ready()))),
    "VDEV-NO-DA": Case(lambda: bind(realm(ready()), REALM), lambda: bind(realm(ready()))),
    "VDEV-IDS": Case(lambda: bind(assigned(), INPUT, tdi_id=0x108), lambda: bind(assigned(), INPUT, tdi_id=0x107)),
    "VDEV-WRONG-STATE": Case(lambda: do(bound(), "START", DEVICE), lambda: do(locked(), "START")),
    "VDEV-DESTROY-STATE": Case(lambda: do(locked(), "DESTROY", DEVICE), lambda: do(bound(), "DESTROY")),
    "VDEV-BUSY": Case(
        lambda: do(do(bound(), "LOCK"), "LOCK", DEVICE), lambda: do(seen(do(do(bound(), "LOCK"), "COMMUNICATE"), LOCKED), "START")
    ),
    "VDEV-COMM-STRAY": Case(lambda: do(locked(), "COMMUNICATE", DEVICE), lambda: do(do(locked(), "START"), "COMMUNICATE")),
    "VDEV-MAPPED": Case(lambda: mapped(GRANULE), lambda: mapped(0)),
    "VDEV-OWNER": Case(
        lambda: do(bound().create(PORT), "LOCK", DEVICE, pdev=PORT), lambda: do(bound().create(PORT), "LOCK", pdev=PDEV)
    ),
}
