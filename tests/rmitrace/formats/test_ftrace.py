"""Whole captures against what two regular expressions, the caller's own log and the device's own log say."""

from __future__ import annotations

import re

import pytest

from rmitrace.capture.records import NO_TIME
from rmitrace.formats.base import ReadOptions, Unreadable
from rmitrace.formats.ftrace import FORMAT
from tests.rmitrace.formats.trace_text import CAPTURES, ENTER, EXIT, HEAD, ROOT, UNREADABLE, found, kinds, names, read, regs, said

TEXTS = sorted((CAPTURES / "ftrace").glob("*.txt"))


@pytest.mark.parametrize("path", TEXTS, ids=lambda p: p.name)
def test_every_smc_event_is_a_record(path) -> None:
    data = path.read_bytes()
    assert FORMAT.sniff(data) > 0.8
    records = read(FORMAT, data)
    assert found(records) == said(data)
    assert "DAMAGED" not in kinds(records)
    assert (records.offset[1:] >= records.offset[:-1]).all()
    for offset, length in zip(records.offset.tolist(), records.length.tolist(), strict=True):
        assert b"\n" not in data[offset + 16 : offset + length]


def test_captures_hold_smcs() -> None:
    assert sum(len(said(p.read_bytes())) for p in TEXTS) > 2500


def test_registers_as_the_caller_wrote_them() -> None:
    """The module that issued the calls logged what it passed and got: ``fid x1.. => x0 x1 ..``."""
    log = (ROOT / "tests/data/ftrace/pdev-connect.caller.log").read_text()
    calls = re.findall(r"^(0x[0-9a-f]+(?: 0x[0-9a-f]+)*) => ((?:0x[0-9a-f]+ ?)+)$", log, re.M)
    assert len(calls) == 61
    records = read(FORMAT, (CAPTURES / "ftrace/pdev-connect.trace.txt").read_bytes())
    rows = [i for i, k in enumerate(kinds(records)) if k in ("ENTER", "EXIT")]
    assert len(rows) == 2 * len(calls)
    for (passed, got), enter, exit_ in zip(calls, rows[::2], rows[1::2], strict=True):
        x = [int(v, 16) for v in passed.split()]
        r = [int(v, 16) for v in got.split()]
        assert regs(records, enter) == dict(enumerate(x + [0] * (8 - len(x))))
        assert regs(records, exit_) == dict(enumerate(r[:4]))


def test_buffers_are_what_the_device_received_and_sent() -> None:
    """The responder's log has each SPDM message in hex; what goes through a session it logs in the clear."""
    log = (ROOT / "tests/data/ftrace/pdev-connect.responder.log").read_text()
    messages = []
    for direction, size, dump in re.findall(
        r"^Spdm(Receive|Send)\w+\[0\]:? msg \w+\(0x\w+\), size \(0x(\w+)\): \n((?:\w{4}: .*\n)+)", log, re.M
    ):
        data = bytes.fromhex("".join(line.partition(": ")[2] for line in dump.splitlines()))
        assert len(data) == int(size, 16)
        messages.append((direction, data))
    assert len(messages) == 12
    raw = (CAPTURES / "ftrace/pdev-connect.trace.txt").read_bytes()
    records = read(FORMAT, raw)
    got = []
    for i, kind in enumerate(kinds(records)):
        if kind == "BUFFER":
            at, length = int(records.offset[i]), int(records.length[i])
            detail = FORMAT.detail(raw[at : at + length], False, ReadOptions())
            if detail.fields["type"] == "1":
                got.append((detail.buffers[0], int(detail.fields["len"])))
    assert len(got) == len(messages)
    for (buffer, declared), (direction, data) in zip(got, messages, strict=True):
        assert (buffer.struct, buffer.when) == (
            ("DevCommReqBuf", "exit") if direction == "Receive" else ("DevCommRspBuf", "enter")
        )
        assert declared == len(data) + -len(data) % 4  # DOE carries whole dwords
        assert len(buffer.data) == min(declared, 1024)  # what the probe dumped
        shown = min(len(data), len(buffer.data))
        assert buffer.data[:shown] == data[:shown]
    assert [(f.rule, raw[f.offset :].find(b"len=1032 ") < 200) for f in records.findings] == [("BUFFER-CUT", True)]


def test_the_same_request_from_two_probes_is_one_buffer() -> None:
    raw = (CAPTURES / "ftrace/doe.trace.txt").read_bytes()
    records = read(FORMAT, raw)
    details = [FORMAT.detail(raw[o : o + n], False, ReadOptions()) for o, n in zip(records.offset, records.length, strict=True)]
    # GET_VERSION, GET_CAPABILITIES, GET_DIGESTS, GET_CERTIFICATE, RESPOND_IF_READY and what they got; lengths as printed
    codes = [(d.buffers[0].data[1], len(d.buffers[0].data)) for d in details]
    assert codes == [
        (0x84, 4), (0x04, 12), (0xE1, 20), (0x61, 20), (0x81, 4), (0x01, 52), (0x82, 8), (0x02, 40), (0xFE, 4), (0x7F, 4),
    ]  # fmt: skip
    assert records.facts["duplicates"] == 10


def test_names_that_imitate_columns() -> None:
    raw = (CAPTURES / "ftrace/odd-comms.trace.txt").read_bytes()
    records = read(FORMAT, raw)
    tasks: dict[int, set[str | None]] = {}
    for pid, offset, length in zip(records.pid.tolist(), records.offset.tolist(), records.length.tolist(), strict=True):
        tasks.setdefault(pid, set()).add(FORMAT.detail(raw[offset : offset + length], False, ReadOptions()).task)
    # one task a process, in the order in which they ran; the names are those given to prctl
    assert sorted(tasks) == list(range(1661, 1661 + len(tasks)))
    assert [tasks[p] for p in sorted(tasks)] == [
        {n}
        for n in (
            "my prog", "a:b", "a-b-12", "[k]", "<...>", "<idle>", "(x)", "x [001] 1.2: y", "", "12345", "tab\tx", "uni-\u00e9",
            "0123456789abcde", "...", "lead", "trail ", "a=b", "new\nline",
        )
    ]  # fmt: skip


@pytest.mark.parametrize(("clock", "timed"), [("counter", False), ("uptime", False), ("mono", True)])
def test_clocks(clock: str, timed: bool) -> None:
    data = (CAPTURES / f"ftrace/clock-{clock}.trace.txt").read_bytes()
    for text in (data, data.partition(b"\n")[2]):  # with and without the line that names the clock
        records = read(FORMAT, text)
        assert bool((records.ts != NO_TIME).all()) == timed
        assert bool((records.ts == NO_TIME).all()) != timed
        if text is data or not timed:
            assert records.facts["clock"] == clock


def test_times_and_places() -> None:
    records = read(FORMAT, HEAD + ENTER + b"\n" + HEAD.replace(b"[000]", b"[003]") + EXIT + b"\n")
    assert kinds(records) == ["ENTER", "EXIT"]
    assert records.ts.tolist() == [601_999_902_000] * 2
    assert records.cpu.tolist() == [0, 3]
    assert records.pid.tolist() == [1603, 1603]
    assert records.offset.tolist() == [0, len(HEAD + ENTER) + 1]
    assert records.length.tolist() == [len(HEAD + ENTER), len(HEAD + EXIT)]
    assert names(records) == ["smc_enter", "smc_exit"]


def test_latency_format_counts_from_the_buffers_start() -> None:
    plain = read(FORMAT, (CAPTURES / "ftrace/option-noirq-info.trace.txt").read_bytes())
    for option in ("latency-format", "latency-verbose"):
        records = read(FORMAT, (CAPTURES / f"ftrace/option-{option}.trace.txt").read_bytes())
        assert records.facts["clock"] == "relative"
        # the same events: their distances are the same to the microsecond of rounding
        far = (records.ts - records.ts[0]) - (plain.ts - plain.ts[0])
        assert abs(far).max() <= 1000
        assert (records.cpu == plain.cpu).all()
        assert (records.pid == plain.pid).all()


def test_without_context() -> None:
    records = read(FORMAT, (CAPTURES / "ftrace/option-nocontext-info.trace.txt").read_bytes())
    assert (records.ts == NO_TIME).all()
    assert (records.pid == -1).all()
    assert kinds(records).count("ENTER") == 46


@pytest.mark.parametrize("name", ["option-raw.trace.txt", "option-hex.trace.txt", "option-bin.trace.bin"])
def test_text_without_arguments_is_refused_with_advice(name: str) -> None:
    data = (UNREADABLE / name).read_bytes()
    assert FORMAT.sniff(data) > 0.5
    with pytest.raises(Unreadable, match=r"record without the trace options raw, hex and bin"):
        read(FORMAT, data)


def test_binary_files_are_not_text() -> None:
    assert FORMAT.sniff(b"\x17\x08\x44tracing7\0" + b"\0" * 100) == 0.0
    assert FORMAT.sniff(b"PERFILE2" + b"\0" * 100) == 0.0
    assert FORMAT.sniff(b"") == 0.0
    assert FORMAT.sniff(b"[    0.000000] Booting Linux\n[    0.1] smc: hello\n") == 0.0


def test_detail_has_every_register() -> None:
    raw = (CAPTURES / "ftrace/recommended.trace.txt").read_bytes()
    records = read(FORMAT, raw)
    line = raw[int(records.offset[1]) :].partition(b"\n")[0]
    detail = FORMAT.detail(line, False, ReadOptions())
    assert sorted(detail.regs) == list(range(18))
    assert detail.regs[0] == 0xFFFFFFFFFFFFFFFF
    assert detail.regs[1] == 0x20000
    assert detail.fields["fid"] == "0xc4000150"
    assert (detail.task, detail.event) == ("sh", "smc12_exit")
    assert detail.text == line.decode()
