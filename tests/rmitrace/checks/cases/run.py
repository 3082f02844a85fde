"""Short runs, written call by call as a recorder writes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import decoders
from rmitrace.capture import OpenOptions, open_capture

PDEV, DATA, REQ, RSP, PARAMS = 0x88001000, 0x88002000, 0x88003000, 0x88004000, 0x88005000
RD, REC, RUN, VDEV, PORT, AUX = 0x88010000, 0x88011000, 0x88012000, 0x88013000, 0x88014000, 0x88015000
NONE, RESPONSE, ERROR = 0, 1, 2
"""RmiDevCommStatus."""
REQ_CACHE, RSP_CACHE, SEND, WAIT, RESET, MULTI, STREAM_WAIT = (1 << i for i in range(7))
"""RmiDevCommExitFlags."""
NEW, NEEDS_KEY, HAS_KEY, READY = 0, 1, 2, 3
INPUT, REALM, REC_ERROR, RTT, UNSUPPORTED, DEVICE, BUSY, GLOBAL, INCOMPLETE, BLOCKED, GRANULE = (
    *(1, 2, 3, 4, 5, 6), *(10, 11, 13, 14, 16))  # fmt: skip
"""RmiStatusCode."""
CONTINUE, DONATE, RECLAIM, CANCEL = 0, 1 << 8, 2 << 8, 1 << 10
"""Bits of x0 beside RMI_INCOMPLETE."""


GET_VERSION, VERSION = bytes.fromhex("10840000"), bytes.fromhex("1004000000010012")
"""DSP0274: the request that begins every connection, and the answer of a device that speaks 1.2."""
GET_DIGESTS = bytes.fromhex("12810000")


class Run:
    """Calls as a recorder writes them; registers by the names of the revision's tables."""

    def __init__(self, revision: str = "1.1-alp17") -> None:
        self.revision = revision
        self.lines: list[str] = []
        self.clock = 1000.0
        self.call("VERSION", req=0x10000 if revision < "2" else 0x20000)

    @property
    def two(self) -> bool:
        return self.revision >= "2"

    def call(
        self,
        name: str,
        status: int | None = 0,
        outs: tuple[int, ...] = (),
        before: dict | None = None,
        after: dict | None = None,
        kinds: dict | None = None,
        us: float = 10.0,
        **args: int,
    ) -> Run:
        """``status`` is x0, None for a call that never returns; ``kinds``: structure of a page; ``us``: how long it takes."""
        command = decoders.command("RMI_" + name, self.revision)
        assert command is not None, name
        regs = {a.name: a.reg for a in command.args}
        x = [command.fid, *[0] * 7]
        for key, value in args.items():
            x[regs[key]] = value
        return self.raw(x, None if status is None else (status, *outs, 0, 0), before, after, kinds, us)

    def raw(
        self,
        x: list[int],
        out: tuple[int, ...] | None = (0, 0),
        before: dict | None = None,
        after: dict | None = None,
        kinds: dict | None = None,
        us: float = 10.0,
    ) -> Run:
        """A call by its registers."""
        pages = {f"0x{k:x}": v.hex() for k, v in (before or {}).items()}
        later = {f"0x{k:x}": v.hex() for k, v in (after or {}).items()}
        named = {DATA: "RmiDevCommData", REQ: "DevCommReqBuf", RSP: "DevCommRspBuf", **(kinds or {})}
        row = {
            "seq": len(self.lines), "t": self.clock, "dur_us": us, "fid": hex(x[0]), "in": [hex(v) for v in x],
            "mem_in": pages, "mem": later, "log": "",
            "regions": {f"0x{k:x}": v for k, v in named.items() if f"0x{k:x}" in pages or f"0x{k:x}" in later},
        }  # fmt: skip
        if out is not None:
            row["out"] = [hex(v) for v in out]
        self.lines.append(json.dumps(row))
        self.clock += 0.001 + us / 1e6
        return self

    def wait(self, seconds: float) -> Run:
        self.clock += seconds
        return self

    def given(self, name: str, struct: str, fields: dict[str, int | bytes] | bytes, status: int = 0, **args: int) -> Run:
        """A call with a parameter page at PARAMS."""
        data = fields if isinstance(fields, bytes) else page(struct, self.revision, fields)
        pointer = "run_ptr" if struct == "RmiRecRun" else "params_ptr"
        return self.call(name, status, before={PARAMS: data}, kinds={PARAMS: struct}, **{pointer: PARAMS}, **args)

    # what many runs have in common

    def delegate(self, *pages: int) -> Run:
        for p in pages:
            self.call("GRANULE_RANGE_DELEGATE", outs=(p + 4096,), base=p, top=p + 4096) if self.two else self.call(
                "GRANULE_DELEGATE", addr=p
            )
        return self

    def undelegate(self, p: int, status: int = 0) -> Run:
        if self.two:
            return self.call("GRANULE_RANGE_UNDELEGATE", status, outs=(p + 4096,), base=p, top=p + 4096)
        return self.call("GRANULE_UNDELEGATE", status, addr=p)

    def create(self, pdev: int = PDEV) -> Run:
        return self.delegate(pdev).call("PDEV_CREATE", pdev_ptr=pdev, params_ptr=PARAMS)

    def state(self, value: int, pdev: int = PDEV) -> Run:
        return self.call("PDEV_GET_STATE", outs=(value,), pdev_ptr=pdev)

    def key(self, status: int = 0, pdev: int = PDEV) -> Run:
        return self.call("PDEV_SET_PUBKEY", status, pdev_ptr=pdev, params_ptr=PARAMS)

    def comm(self, status: int = NONE, flags: int = 0, *, rsp_len: int = 0, req_len: int = 4, protocol: int = 0,
             cache: tuple[int, int, int] = (0, 0, 0), result: int = 0, rsp: int = RSP, pdev: int = PDEV, vdev: int = 0,
             delay: int = 0, timeout: int = 0, request: bytes = GET_VERSION) -> Run:  # fmt: skip
        """A communicate call with its shared page; ``rsp_len`` -1 is a response of no bytes."""
        page = bytearray(0x1000)
        page[0] = status
        for at, value in ((8, REQ), (16, rsp), (24, rsp_len if status != RESPONSE or rsp_len else len(VERSION))):
            page[at : at + 8] = max(value, 0).to_bytes(8, "little")
        before = {DATA: bytes(page), RSP: VERSION}
        offset, size, kind = cache
        for at, value in ((0, flags), (0x18, offset), (0x20, size), (0x28, kind), (0x30, protocol), (0x38, delay),
                          (0x40, req_len), (0x48, timeout)):  # fmt: skip
            page[0x800 + at : 0x808 + at] = value.to_bytes(8, "little")
        after = {DATA: bytes(page), REQ: request}
        if vdev:
            return self.call("VDEV_COMMUNICATE", result, before=before, after=after, rd=RD, pdev_ptr=pdev, vdev_ptr=vdev,
                             data_ptr=DATA)  # fmt: skip
        return self.call("PDEV_COMMUNICATE", result, before=before, after=after, pdev_ptr=pdev, data_ptr=DATA)

    def behind(self) -> Run:
        """So many calls that what is not done by now was not done."""
        for _ in range(60):
            self.call("FEATURES", index=0)
        return self

    def write(self, folder: Path) -> Path:
        path = folder / "run.calls.jsonl"
        path.write_text("\n".join(self.lines) + "\n")
        return path

    def rules(self, folder: Path) -> set[str]:
        return {f.rule for f in open_capture([str(self.write(folder))], OpenOptions(abi=self.revision)).findings}


def page(struct: str, revision: str, fields: dict[str, int | bytes]) -> bytes:
    """A page of a structure; a field by its dotted path, integers as wide as it is."""
    out = bytearray(4096)
    tree = decoders.decode_struct(struct, bytes(out), revision=revision)
    for name, value in fields.items():
        node = tree.find(name)
        assert node is not None, name
        assert node.offset is not None, name
        data = value.to_bytes(node.size, "little") if isinstance(value, int) else value
        out[node.offset : node.offset + len(data)] = data
    return bytes(out)


def begun(revision: str = "1.1-alp17") -> Run:
    """A PDEV in NEW."""
    return Run(revision).create().state(NEW)


def ready(revision: str = "1.1-alp17", run: Run | None = None, pdev: int = PDEV) -> Run:
    """A PDEV in READY, with the certificate in the host's hands."""
    run = run or Run(revision)
    run.create(pdev).comm(NONE, SEND, pdev=pdev).comm(RESPONSE, RSP_CACHE, cache=(0, 8, 1), pdev=pdev).comm(pdev=pdev)
    return run.state(NEEDS_KEY, pdev).key(pdev=pdev).comm(pdev=pdev).state(READY, pdev)


class Case(NamedTuple):
    """The run that fires a rule, and one that does not: the same without the fault."""

    fires: Callable[[], Run]
    silent: Callable[[], Run]
