"""Rules over calls and shared pages: for each a short run that fires it, and the same run without the fault."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import decoders
from rmitrace.capture import open_capture

PDEV, DATA, REQ, RSP = 0x88001000, 0x88002000, 0x88003000, 0x88004000
NONE, RESPONSE, ERROR = 0, 1, 2
SEND, RSP_CACHE, WAIT, MULTI = 4, 2, 8, 32
NEW, NEEDS_KEY, HAS_KEY, READY = 0, 1, 2, 3


class Run:
    """Calls as a recorder writes them; registers by the names of the revision's tables."""

    def __init__(self, revision: str = "1.1-alp17") -> None:
        self.revision = revision
        self.lines: list[str] = []
        self.call("VERSION", req=0x10000 if revision < "2" else 0x20000)

    def call(
        self,
        name: str,
        status: int = 0,
        outs: tuple[int, ...] = (),
        before: dict | None = None,
        after: dict | None = None,
        **args: int,
    ) -> Run:
        command = decoders.command("RMI_" + name, self.revision)
        assert command is not None
        regs = {a.name: a.reg for a in command.args}
        x = [command.fid, *[0] * 7]
        for key, value in args.items():
            x[regs[key]] = value
        pages = {f"0x{k:x}": v.hex() for k, v in (before or {}).items()}
        later = {f"0x{k:x}": v.hex() for k, v in (after or {}).items()}
        kinds = {f"0x{DATA:x}": "RmiDevCommData", f"0x{REQ:x}": "DevCommReqBuf", f"0x{RSP:x}": "DevCommRspBuf"}
        self.lines.append(json.dumps({
            "seq": len(self.lines), "t": 1000 + len(self.lines) * 0.001, "dur_us": 10.0, "fid": hex(command.fid),
            "in": [hex(v) for v in x], "out": [hex(v) for v in (status, *outs, 0, 0)], "mem_in": pages, "mem": later,
            "regions": {k: v for k, v in kinds.items() if k in pages or k in later}, "log": "",
        }))  # fmt: skip
        return self

    def create(self) -> Run:
        self.call("GRANULE_DELEGATE", addr=PDEV) if self.revision < "2" else self.call(
            "GRANULE_RANGE_DELEGATE", outs=(PDEV + 0x1000,), base=PDEV, top=PDEV + 0x1000
        )
        return self.call("PDEV_CREATE", pdev_ptr=PDEV, params_ptr=0x88005000)

    def state(self, value: int) -> Run:
        return self.call("PDEV_GET_STATE", outs=(value,), pdev_ptr=PDEV)

    def comm(self, status: int = NONE, flags: int = 0, *, rsp_len: int = 0, req_len: int = 4, protocol: int = 0,
             cache: tuple[int, int, int] = (0, 0, 0), result: int = 0, rsp: int = RSP) -> Run:  # fmt: skip
        page = bytearray(0x1000)
        page[0] = status
        for at, value in ((8, REQ), (16, rsp), (24, rsp_len if status != RESPONSE or rsp_len else 8)):
            page[at : at + 8] = value.to_bytes(8, "little")
        if status == RESPONSE and rsp_len < 0:
            page[24:32] = bytes(8)
        before = {DATA: bytes(page), RSP: b"\x12\x04" + bytes(6)}
        offset, size, kind = cache
        for at, value in ((0, flags), (0x18, offset), (0x20, size), (0x28, kind), (0x30, protocol), (0x40, req_len)):
            page[0x800 + at : 0x808 + at] = value.to_bytes(8, "little")
        return self.call("PDEV_COMMUNICATE", result, before=before, after={DATA: bytes(page), REQ: bytes(range(64))},
                         pdev_ptr=PDEV, data_ptr=DATA)  # fmt: skip

    def rules(self, folder: Path) -> set[str]:
        path = folder / "run.calls.jsonl"
        path.write_text("\n".join(self.lines) + "\n")
        return {f.rule for f in open_capture([str(path)]).findings}


def begun(revision: str = "1.1-alp17") -> Run:
    return Run(revision).create().state(NEW)


CASES = {
    # rule: the run that fires it, the run that does not
    "COMM-FIRST-STATUS": (lambda: begun().comm(RESPONSE, SEND), lambda: begun().comm(NONE, SEND)),
    "COMM-REQUEST-LOST": (lambda: begun().comm(NONE, SEND).comm(NONE), lambda: begun().comm(NONE, SEND).comm(RESPONSE)),
    "COMM-RSP-LEN": (
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, rsp_len=5000),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, rsp_len=4096),
    ),
    "COMM-RSP-UNASKED": (
        lambda: begun().comm(NONE, RSP_CACHE, cache=(0, 8, 1)).comm(RESPONSE),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE),
    ),
    "COMM-FLAGS": (lambda: begun().comm(NONE, SEND | WAIT), lambda: begun().comm(NONE, SEND | MULTI)),
    "COMM-REQUEST-BAD": (lambda: begun().comm(NONE, SEND, req_len=4097), lambda: begun().comm(NONE, SEND, req_len=4096)),
    "COMM-CACHE-RANGE": (
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(4000, 97, 1)),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(4000, 96, 1)),
    ),
    "COMM-CACHE-OBJECT": (
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 2)),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 1)),
    ),
    "COMM-CACHE-STALE": (
        lambda: begun().comm(NONE, RSP_CACHE, cache=(0, 8, 1)),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 1)),
    ),
    "COMM-AFTER-END": (lambda: begun().comm().comm(), lambda: begun().comm(NONE, SEND).comm(RESPONSE)),
    "COMM-PAGES-ALIAS": (lambda: begun().comm(rsp=REQ), lambda: begun().comm()),
    "COMM-PROTOCOL": (lambda: begun().comm(NONE, SEND, protocol=1), lambda: begun().comm(NONE, SEND)),
    "COMM-LEFT-OPEN": (
        lambda: begun().comm(NONE, SEND).call("PDEV_STOP", pdev_ptr=PDEV),
        lambda: begun().comm().call("PDEV_STOP", pdev_ptr=PDEV),
    ),
    "COMM-NOT-REACHED": (lambda: begun().comm().state(NEW), lambda: begun().comm(NONE, SEND).state(NEW)),
    "COMM-NO-CERTIFICATE": (
        lambda: begun().comm().state(NEEDS_KEY),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 1)).comm().state(NEEDS_KEY),
    ),
    "COMM-FAILED": (
        lambda: begun().comm(NONE, SEND).comm(RESPONSE).state(8),
        lambda: begun().comm(NONE, SEND).comm(RESPONSE).state(NEEDS_KEY),
    ),
    "COMM-ERROR-IGNORED": (
        lambda: begun().comm(NONE, SEND).comm(ERROR).state(NEEDS_KEY),
        lambda: begun().comm(NONE, SEND).comm(ERROR).state(8),
    ),
    "COMM-AFTER-ABORT": (
        lambda: begun().comm(NONE, SEND).call("PDEV_ABORT", pdev_ptr=PDEV).comm(RESPONSE),
        lambda: begun().comm(NONE, SEND).call("PDEV_ABORT", pdev_ptr=PDEV).comm(),
    ),
    "COMM-ABANDONED": (
        lambda: begun("2.0-bet1").comm(NONE, SEND).call("PDEV_ABORT", pdev_ptr=PDEV),
        lambda: begun("2.0-bet1").comm(NONE, SEND),
    ),
    "COMM-LIVELOCK": (lambda: repeated(5), lambda: repeated(4)),
    "STATE-UNEXPLAINED": (lambda: begun().state(READY), lambda: begun().comm().state(NEEDS_KEY)),
    "KEY-WRONG-STATE": (
        lambda: begun().call("PDEV_SET_PUBKEY", 6, pdev_ptr=PDEV, params_ptr=DATA),
        lambda: begun().comm().state(NEEDS_KEY).call("PDEV_SET_PUBKEY", pdev_ptr=PDEV, params_ptr=DATA),
    ),
    "COMM-NEEDS-KEY": (lambda: begun().comm().state(NEEDS_KEY).comm(result=6), lambda: begun().comm().state(NEEDS_KEY)),
    "DESTROY-NOT-STOPPED": (lambda: begun().call("PDEV_DESTROY", 6, pdev_ptr=PDEV), lambda: begun()),
    "CREATE-TWICE": (lambda: begun().call("PDEV_CREATE", 1, pdev_ptr=PDEV, params_ptr=DATA), lambda: begun()),
    "CREATE-NOT-DELEGATED": (lambda: Run().call("PDEV_CREATE", 1, pdev_ptr=PDEV, params_ptr=DATA), lambda: begun()),
    "DELEGATE-TWICE": (lambda: begun().call("GRANULE_DELEGATE", 1, addr=PDEV), lambda: begun()),
    "UNDELEGATE-LIVE": (lambda: begun().call("GRANULE_UNDELEGATE", 1, addr=PDEV), lambda: begun()),
    "ADDRESS-UNALIGNED": (
        lambda: Run().call("GRANULE_DELEGATE", 1, addr=PDEV + 1),
        lambda: Run().call("GRANULE_DELEGATE", addr=PDEV),
    ),
    "NOT-AN-OBJECT": (lambda: Run().call("PDEV_GET_STATE", 1, pdev_ptr=PDEV), lambda: begun()),
    "AUX-COUNT-RANGE": (
        lambda: Run().call("PDEV_AUX_COUNT", outs=(33,), flags=7),
        lambda: Run().call("PDEV_AUX_COUNT", outs=(32,), flags=7),
    ),
    "AUX-FLAGS": (
        lambda: Run().call("PDEV_AUX_COUNT", outs=(2,), flags=7).call("PDEV_AUX_COUNT", outs=(3,), flags=7),
        lambda: Run().call("PDEV_AUX_COUNT", outs=(2,), flags=7).call("PDEV_AUX_COUNT", outs=(3,), flags=3),
    ),
    "RANGE-NO-PROGRESS": (
        lambda: Run("2.0-bet3").call("GRANULE_RANGE_DELEGATE", outs=(PDEV,), base=PDEV, top=PDEV + 0x1000),
        lambda: Run("2.0-bet3").call("GRANULE_RANGE_DELEGATE", outs=(PDEV + 0x1000,), base=PDEV, top=PDEV + 0x1000),
    ),
    "RMM-NOT-ACTIVE": (lambda: Run("2.0-bet3").call("REALM_ACTIVATE", 11, rd=PDEV), lambda: begun("2.0-bet3")),
    "RMI-BLOCKED": (lambda: begun("2.0-bet3").call("PDEV_CREATE", 14, pdev_ptr=DATA, params_ptr=REQ), lambda: begun("2.0-bet3")),
    "OP-HANDLE": (lambda: begun("2.0-bet3").call("OP_CONTINUE", 1, handle=7), lambda: begun("2.0-bet3")),
    "COMM-BUSY": (lambda: begun().comm(result=10), lambda: begun().comm()),
    "ABORT-NOTHING": (lambda: begun().comm().state(NEEDS_KEY).call("PDEV_ABORT", 6, pdev_ptr=PDEV), lambda: begun()),
    "FID-UNKNOWN": (lambda: begun().call("PDEV_STOP", (1 << 64) - 1, pdev_ptr=PDEV), lambda: begun()),
    "VERSION-PROVES-NOTHING": (lambda: begun(), lambda: Run()),
    "RTT-PROBING": (lambda: Run().call("RTT_READ_ENTRY", 0x204, rd=PDEV, ipa=0, level=3), lambda: Run()),
    "RESULT-BITS": (lambda: begun().call("PDEV_STOP", 1 << 40, pdev_ptr=PDEV), lambda: begun()),
}


def repeated(times: int) -> Run:
    run = begun().comm(NONE, SEND)
    for _ in range(times - 1):
        run.comm(RESPONSE, SEND)
    return run


@pytest.mark.parametrize("rule", CASES)
def test_fires(rule: str, tmp_path: Path) -> None:
    bad, _ = CASES[rule]
    assert rule in bad().rules(tmp_path)


@pytest.mark.parametrize("rule", CASES)
def test_is_silent(rule: str, tmp_path: Path) -> None:
    _, good = CASES[rule]
    assert rule not in good().rules(tmp_path)
