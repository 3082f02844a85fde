"""Recorded runs: samples of captures/ that fire a rule, and recordings of which one thing is changed.

What the changes should lead to follows from the recorded run: it is a good one.
"""

from __future__ import annotations

import json
import lzma
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from rmitrace.capture import OpenOptions, open_capture
from tests.rmitrace.capture.messages import runs
from tests.rmitrace.capture.messages.test_decoding import secret
from tests.rmitrace.formats import trace_dat_build as build
from tests.rmitrace.formats.test_ftrace_reader import BACK, LINE
from tests.rmitrace.formats.test_trace_dat_reader import ENTER, EXIT, enter, trace
from tests.rmitrace.formats.test_trace_dat_reader import page as rings

from .run import Case

NOMINAL = f"rmm/{runs.RUN}.calls.jsonl.xz"
OLD, HEAD = "rmm/tf-rmm-alp16-nominal.calls.jsonl.xz", "rmm/tf-rmm-head-errors.log.xz"
FIRST_REQUEST, CERTIFICATE = 65, (79, 81)
"""Calls of the recording: which asks for GET_VERSION to be sent, and which have parts of the certificate chain cached."""


@dataclass(frozen=True)
class Sources:
    """Files of captures/ by name, and files that are written."""

    samples: tuple[str, ...] = ()
    written: dict[str, bytes] = field(default_factory=dict)
    keys: str | None = None

    def rules(self, folder: Path) -> set[str]:
        written = [str(runs.write(folder, name, data)) for name, data in self.written.items()]
        return set(_found(self.samples, (), self.keys) if not written else _found.__wrapped__(self.samples, written, self.keys))


@cache
def _found(samples: tuple[str, ...], written: Sequence[str], keys: str | None) -> frozenset[str]:
    paths = [str(runs.CAPTURES / s) for s in samples] + list(written)
    return frozenset(f.rule for f in open_capture(paths, OpenOptions(keys=keys)).findings)


def sample(fires: str, silent: str = NOMINAL) -> Case:
    return Case(lambda: Sources((fires,)), lambda: Sources((silent,)))


def recording(change: Callable[[list[dict]], list[dict]], *samples: str) -> Sources:
    """The recorded run with a change of its calls."""
    rows = [json.loads(line) for line in runs.recording()]
    return Sources(samples, {"run.calls.jsonl": "\n".join(json.dumps(r) for r in change(rows)).encode()})


def delayed(us: int) -> Callable[[list[dict]], list[dict]]:
    """req_delay (RmiDevCommExit 0x38) of the first request; the packet left at once."""

    def change(rows: list[dict]) -> list[dict]:
        row = rows[FIRST_REQUEST]
        page = row["in"][2]
        data = bytearray.fromhex(row["mem"][page]).ljust(4096, b"\0")
        data[0x838:0x840] = us.to_bytes(8, "little")
        row["mem"][page] = data.hex()
        return rows

    return change


def cached(first: int = 0x30, missing: int = 0) -> Callable[[list[dict]], list[dict]]:
    """The first byte of the chain as the host keeps it (0x30 is a DER SEQUENCE), behind the header of the chain; ``missing``:
    bytes by which rsp_cache_len (RmiDevCommExit 0x20) of the first part is too short."""

    def change(rows: list[dict]) -> list[dict]:
        row = rows[CERTIFICATE[0]]
        if missing:
            data = bytearray.fromhex(row["mem"][row["in"][2]]).ljust(4096, b"\0")
            data[0x820:0x828] = (int.from_bytes(data[0x820:0x828], "little") - missing).to_bytes(8, "little")
            row["mem"][row["in"][2]] = data.hex()
            return rows
        page = bytes.fromhex(row["mem"][row["in"][2]]).ljust(4096, b"\0")
        rsp, offset = page[0x10:0x18], int.from_bytes(page[0x818:0x820], "little")
        address = hex(int.from_bytes(rsp, "little"))
        for side in ("mem_in", "mem"):
            if address in row[side]:
                data = bytearray.fromhex(row[side][address])
                data[offset] = first
                row[side][address] = data.hex()
        return rows

    return change


def console() -> bytes:
    return b"".join(runs.console())


def one_way() -> bytes:
    """The console as if the root port had got the keys of one direction only: of ``dir`` and of EL3's keyset bit 1 is RX."""
    sent = re.compile(rb"rootport dir: 2|firme_ide_\w+: ecam/keyset/handle: 0x[0-9a-f]+/0x[0-9a-f]*[014589cd]/")
    lines = [line for line in runs.console() if not sent.search(line)]
    return b"".join(lines).replace(b"EL3_IDE_KEY_PROG: Root Port RX/TX", b"EL3_IDE_KEY_PROG: Root Port RX")


def keys(log: bytes) -> Sources:
    return Sources((f"spdm/{runs.RUN}.pcap",), {"uart.log": log}, secret())


def el3(status: int, times: int = 1) -> Sources:
    """Calls of the RMM to EL3 to program a key (0xC40001B7), as a trace of QEMU's or of EL3's would show them."""
    row = "  rmm-1  [000] d....  {0}.000001: smc_enter: (x+0x0/0x80) a0=0xc40001b7 a1=0x3f000000 a2=0x100 a3=0x800\n"
    back = "  rmm-1  [000] d....  {0}.000002: smc_exit: (y+0x0/0x80 <- x) a0={1:#x} a1=0x0 a2=0x0 a3=0x0\n"
    text = "# tracer: nop\n" + "".join((row + back).format(5 + i, status & (1 << 64) - 1) for i in range(times))
    return Sources(written={"el3.txt": text.encode()})


def doe(kind: int) -> Sources:
    """A secured message of the recorded run in a DOE object of some type (1 SPDM, 2 secured SPDM)."""
    head, packets = runs.pcap()
    at = next(i for i, p in enumerate(packets) if p[runs_record + 2] == 2)
    changed = bytearray(packets[at])
    changed[runs_record + 2] = kind
    return Sources(written={"device.pcap": head + b"".join([*packets[:at], bytes(changed), *packets[at + 1 :]])})


runs_record = 16
"""Bytes of a pcap record's header; the DOE header follows: vendor id, type, reserved."""


def text(*lines: bytes) -> Sources:
    return Sources(written={"trace.txt": b"".join(lines)})


def dat(*records: bytes, **more: Any) -> Sources:
    """A trace.dat with an SMC and other records."""
    return Sources(written={"trace.dat": trace(enter(7, 0xC4000150), *records, **more)})


def instances(clock: str) -> Sources:
    t = build.Trace([ENTER, EXIT], {0: rings(enter(7, 0xC4000150))}, {"i": {0: rings(enter(7, 0xC4000151))}}, clocks={"i": clock})
    return Sources(written={"trace.dat": build.v7(t)})


def lost(overrun: int, dropped: int) -> Sources:
    text = f"CPU: 2\nentries: 10\noverrun: {overrun}\ncommit overrun: 0\ndropped events: {dropped}\nread events: 0\n\0"
    return dat(options=[(2, text.encode())])


TEXT_BUFFER = (22, (4096).to_bytes(8, "little") + b"lat\0local\0")
"""TRACECMD_OPTION_BUFFER_TEXT: place, name and clock of a buffer that is kept as text."""
_DAMAGED = text(LINE, BACK, LINE.replace(b"a3=0x0", b"a3=0xzz"), BACK)
_ONE_RUN = Sources(("ftrace/pdev-connect.trace.txt", "mixed/rme-uart0.log"))


def skew(other: str = OLD) -> Case:
    return Case(lambda: Sources((other, HEAD)), lambda: _ONE_RUN)


def features(shown: bool) -> Sources:
    """A kernel of 1.1 beside the console of a firmware of 2.0, without and with a row that shows feature register 0, of which
    bit 32 is HASH_SHA_256 in the one and L0GPT_BLOCK_DELEGATE in the other."""
    log = lzma.decompress((runs.CAPTURES / HEAD).read_bytes())
    row = b"SMC_RMI_FEATURES                  0 > RMI_SUCCESS 100104130\n" if shown else b""
    return Sources((OLD,), {"uart.log": log + row})


CASES: dict[str, Case] = {
    # the reading
    "DAMAGED-RECORD": sample("rmm/tf-rmm-alp16-errors-cut.calls.jsonl.xz"),
    "DAMAGED-LINES": Case(lambda: _DAMAGED, lambda: text(LINE, BACK)),
    "INPUT-CUT": sample("rmm/tf-rmm-alp16-errors-cut.calls.jsonl.xz"),
    "LINE-NO-CALL": sample("rmm/tf-rmm-alp16-errors-cut.calls.jsonl.xz"),
    "ROW-CUT": sample("mixed/report-shared-uart.txt", "mixed/report-mail.txt"),
    "ROW-ELIDED": sample("mixed/report-notes.txt", "mixed/report-mail.txt"),
    "LOST-EVENTS": sample("ftrace/lost.trace_pipe.txt", "ftrace/recommended.trace.txt"),
    "UNMAPPED-EVENT": sample("ftrace/argument-types.trace.txt", "ftrace/recommended.trace.txt"),
    "ZERO-ARRAYS": sample("ftrace/trace-cmd-arrays.report.txt", "ftrace/recommended.trace.txt"),
    "RING-WRAPPED": Case(lambda: lost(90, 0), lambda: lost(0, 0)),
    "EVENTS-DROPPED": Case(lambda: lost(0, 4), lambda: lost(0, 0)),
    "CLOCKS-DIFFER": Case(lambda: instances("boot"), lambda: instances("local")),
    "UNKNOWN-EVENT": Case(lambda: dat(build.record(4000, 7, 1)), lambda: dat()),
    "TEXT-BUFFER": Case(lambda: dat(options=[TEXT_BUFFER]), lambda: dat()),
    "NO-REGISTERS": sample("qemu/d-int.txt", "qemu/d-int-cpu-rmi.txt"),
    "NO-CALLS": sample("ftrace/irqsoff.trace.txt", "ftrace/recommended.trace.txt"),
    "UNPAIRED-ENTER": sample("ftrace/nooverwrite.trace.txt", "ftrace/pdev-connect.trace.txt"),
    "UNPAIRED-EXIT": sample("ftrace/lost.trace_pipe.txt", "ftrace/pdev-connect.trace.txt"),
    "UNKNOWN-FID": sample("rmm/tf-rmm-head-errors.calls.jsonl.xz"),
    "BUFFER-CUT": sample("ftrace/pdev-connect.trace.txt", "ftrace/recommended.trace.txt"),
    "DUPLICATE-SAMPLES": sample("perf/breakpoints.txt", "perf/script.txt"),
    # both sides
    "REVISION-SKEW": skew(),
    "SKEW-COMMAND": skew(),
    "SKEW-REGISTERS": skew(),
    "SKEW-STRUCTURE": skew(),
    "SKEW-FLAGS": skew(),
    "SKEW-STATE": skew(),
    "SKEW-STATUS": skew(),
    "SKEW-FEATURES": Case(lambda: features(True), lambda: features(False)),
    # messages and what is kept of them
    "COMM-EARLY": Case(
        lambda: recording(delayed(50), f"spdm/{runs.RUN}.pcap"), lambda: recording(delayed(0), f"spdm/{runs.RUN}.pcap")
    ),
    "COMM-CACHE-HOLES": Case(lambda: recording(cached(missing=8)), lambda: recording(cached())),
    "COMM-CACHE-NOT-DER": Case(lambda: recording(cached(0x31)), lambda: recording(cached())),
    "IDE-ONE-SIDE": Case(lambda: keys(one_way()), lambda: keys(console())),
    "EL3-IDE-KEY": Case(lambda: el3(-6, 3), lambda: el3(-6, 2)),
    "DOE-TYPE": Case(lambda: doe(1), lambda: doe(2)),
    "SPDM-ERROR": sample("spdm/err_raw_v12_doe.pcap", "spdm/doe_v12_measall.pcap"),
    "SEQUENCE-FAILED": sample("rmm/tf-rmm-head-doefail6.calls.jsonl.xz"),
    "ERROR-STATUS": sample("rmm/tf-rmm-head-errors.calls.jsonl.xz", "ftrace/doe.trace.txt"),
}
