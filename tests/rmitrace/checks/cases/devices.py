"""Refused commands on PDEVs, and what stands in the parameter pages of commands that were taken."""

from __future__ import annotations

from .run import (
    AUX,
    DATA,
    DEVICE,
    ERROR,
    INPUT,
    NEEDS_KEY,
    NONE,
    PARAMS,
    PDEV,
    PORT,
    RD,
    READY,
    RESPONSE,
    RSP_CACHE,
    SEND,
    VDEV,
    Case,
    Run,
    begun,
    page,
    ready,
)

GOOD_1 = {"flags": 7, "pdev_id": 0x100, "rid_base": 0x100, "rid_top": 0x108, "hash_algo": 0}
"""RmiPdevParams of 1.1 as Linux RFC v2 fills them: spdm, ncoh_ide and ncoh_addr; device 01:00.0."""
GOOD_2 = {"flags": 1, "routing_id": 0, "rid_base": 0x100, "rid_top": 0x108}
"""The same of 2.0: spdm, category on-chip or off-chip endpoint."""


def created(status: int = 0, revision: str = "1.1-alp17", run: Run | None = None, pdev: int = PDEV, **fields: int | bytes) -> Run:
    """RMI_PDEV_CREATE with a good page, but for some fields."""
    run = run or Run(revision)
    good = GOOD_2 if run.two else GOOD_1
    return run.delegate(pdev).given("PDEV_CREATE", "RmiPdevParams", {**good, **fields}, status, pdev_ptr=pdev)


def counted(run: Run, count: int = 2, flags: int = 7) -> Run:
    return run.call("PDEV_AUX_COUNT", outs=(count,), flags=flags)


def aux(*pages: int, delegated: tuple[int, ...] = (AUX, AUX + 0x1000), asked: int = 2, status: int = INPUT) -> Run:
    """RMI_PDEV_CREATE with auxiliary granules."""
    run = counted(Run().delegate(*delegated), asked)
    return created(status, run=run, num_aux=len(pages), aux=numbers(*pages))


def numbers(*values: int) -> bytes:
    return b"".join(v.to_bytes(8, "little") for v in values)


def ranges(*values: int) -> dict[str, int | bytes]:
    return {"ncoh_num_addr_range": len(values) // 2, "ncoh_addr_range": numbers(*values)}


def keyed(status: int, **fields: int) -> Run:
    """RMI_PDEV_SET_PUBKEY of an RSA key (algo 0)."""
    run = begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 1)).comm().state(NEEDS_KEY)
    return run.given("PDEV_SET_PUBKEY", "RmiPublicKeyParams", {"key_len": 384, **fields}, status, pdev_ptr=PDEV)


def stop(run: Run, status: int = 0) -> Run:
    return run.call("PDEV_STOP", status, pdev_ptr=PDEV)


def with_vdev() -> Run:
    run = ready().delegate(RD, VDEV).call("REALM_CREATE", rd=RD, params_ptr=PARAMS)
    return run.call("VDEV_CREATE", rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV, params_ptr=PARAMS)


CASES: dict[str, Case] = {
    "COMM-NEEDS-KEY": Case(lambda: begun().comm().state(NEEDS_KEY).comm(result=6), lambda: begun().comm().state(NEEDS_KEY)),
    "COMM-BUSY": Case(lambda: begun().comm(result=10), lambda: begun().comm()),
    "KEY-WRONG-STATE": Case(
        lambda: begun().call("PDEV_SET_PUBKEY", 6, pdev_ptr=PDEV, params_ptr=DATA),
        lambda: begun().comm().state(NEEDS_KEY).call("PDEV_SET_PUBKEY", pdev_ptr=PDEV, params_ptr=DATA),
    ),
    "DESTROY-NOT-STOPPED": Case(lambda: begun().call("PDEV_DESTROY", 6, pdev_ptr=PDEV), lambda: begun()),
    "ABORT-NOTHING": Case(lambda: begun().comm().state(NEEDS_KEY).call("PDEV_ABORT", 6, pdev_ptr=PDEV), lambda: begun()),
    "AUX-COUNT-RANGE": Case(
        lambda: Run().call("PDEV_AUX_COUNT", outs=(33,), flags=7),
        lambda: Run().call("PDEV_AUX_COUNT", outs=(32,), flags=7),
    ),
    "AUX-FLAGS": Case(
        lambda: Run().call("PDEV_AUX_COUNT", outs=(2,), flags=7).call("PDEV_AUX_COUNT", outs=(3,), flags=7),
        lambda: Run().call("PDEV_AUX_COUNT", outs=(2,), flags=7).call("PDEV_AUX_COUNT", outs=(3,), flags=3),
    ),
    "AUX-LIST": Case(lambda: aux(AUX, AUX), lambda: aux(AUX, AUX + 0x1000)),
    "AUX-COUNT": Case(lambda: aux(AUX, asked=2), lambda: aux(AUX, asked=1)),
    "PDEV-FLAGS": Case(lambda: created(INPUT, flags=7 | 1 << 3), lambda: created(INPUT)),
    "PDEV-STREAM-ID": Case(lambda: created(INPUT, ncoh_ide_sid=32), lambda: created(INPUT, ncoh_ide_sid=31)),
    "PDEV-PARAMS": Case(
        lambda: created(INPUT, rid_base=0x108, rid_top=0x108), lambda: created(INPUT, rid_base=0x100, rid_top=0x101)
    ),
    "PDEV-LIMITS": Case(
        lambda: created(INPUT, "2.0-bet1", max_vdevs_order=10), lambda: created(INPUT, "2.0-bet1", max_vdevs_order=4)
    ),
    "KEY-LENGTH": Case(lambda: keyed(INPUT, key_len=385), lambda: keyed(INPUT, key_len=384)),
    "KEY-TOO-LONG": Case(lambda: keyed(INPUT, key_len=1025), lambda: keyed(INPUT, key_len=1024)),
    "COMM-NOTHING-OPEN": Case(lambda: ready().comm(result=DEVICE), lambda: stop(ready()).comm()),
    "STOP-WITH-VDEVS": Case(
        lambda: stop(with_vdev(), DEVICE),
        lambda: stop(with_vdev().call("VDEV_DESTROY", rd=RD, pdev_ptr=PDEV, vdev_ptr=VDEV)),
    ),
    "STOP-WRONG-STATE": Case(lambda: stop(stop(ready()).state(6), DEVICE), lambda: stop(ready())),
    "STOP-UNFINISHED": Case(
        lambda: stop(begun("2.0-bet1").comm(NONE, SEND), DEVICE), lambda: stop(begun("2.0-bet1").comm().state(READY))
    ),
    "STOP-AFTER-FAILURE": Case(
        lambda: stop(begun("2.0-bet1").comm(NONE, SEND).comm(ERROR).state(5), DEVICE),
        lambda: stop(begun("2.0-bet1").comm(NONE, SEND).comm(ERROR).state(5).call("PDEV_ABORT", pdev_ptr=PDEV)),
    ),
    # what was taken
    "PDEV-RID-RANGE": Case(lambda: created(rid_base=0x200, rid_top=0x208), lambda: created(rid_base=0x100, rid_top=0x101)),
    "PDEV-ID-TWICE": Case(
        lambda: created(run=created(), pdev=PORT, pdev_id=0x104, rid_base=0x104, rid_top=0x10C),
        lambda: created(run=created(), pdev=PORT, pdev_id=0x108, rid_base=0x108, rid_top=0x10C),
    ),
    "PDEV-ADDR-RANGE": Case(
        lambda: created(**ranges(0x40000000, 0x40002000, 0x40001000, 0x40003000)),
        lambda: created(**ranges(0x40000000, 0x40002000, 0x40002000, 0x40003000)),
    ),
    "PARAMS-OTHER-LAYOUT": Case(
        lambda: (
            Run("2.0-bet3")
            .delegate(PDEV)
            .given(
                "PDEV_CREATE", "RmiPdevParams", page("RmiPdevParams", "1.1-alp17", {**GOOD_1, "aux": numbers(AUX)}), pdev_ptr=PDEV
            )
        ),
        lambda: created(revision="2.0-bet3"),
    ),
    "AUX-COUNT-NO-SPDM": Case(
        lambda: Run().call("PDEV_AUX_COUNT", None, flags=6), lambda: Run().call("PDEV_AUX_COUNT", outs=(2,), flags=7)
    ),
    "RESERVED-FIELDS": Case(
        lambda: (
            Run()
            .delegate(PDEV)
            .given(
                "PDEV_CREATE",
                "RmiPdevParams",
                page("RmiPdevParams", "1.1-alp17", GOOD_1)[:0x70] + b"\x01" + bytes(0xF8F),
                pdev_ptr=PDEV,
            )
        ),
        lambda: created(),
    ),
}
