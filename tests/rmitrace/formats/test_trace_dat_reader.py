"""From records to what they say about SMCs: learning, instances, clocks, functions; and bytes that are not right."""

from __future__ import annotations

import io
import random
import struct
import time

import numpy as np
import pytest

from rmitrace.capture import OpenOptions, open_capture
from rmitrace.capture.records import NO_TIME
from rmitrace.export import jsonl
from rmitrace.formats.base import Unreadable
from rmitrace.formats.trace_dat import FORMAT
from tests.rmitrace.formats import trace_dat_build as build
from tests.rmitrace.formats.test_trace_dat import SAMPLES, detail
from tests.rmitrace.formats.trace_text import kinds, names, read, regs

T0 = 100_000_000_000
STUB, RET = 0xFFFF80008002BF38, 0xFFFF800078EA0030
SYMBOLS = (
    b"ffff80008002bf38 T arm_smccc_1_2_smc\nffff80008002bfa8 T next\nffff800078ea0000 t rs_invoke12\t[rmishape]\n"
    b"ffff800078ea0040 t rmi_pdev_create\t[rmishape]\nffff800078ea0080 t other\t[rmishape]\n"
)
WRAPPER = 0xFFFF800078EA0040
ENTER = build.probe_format("smc12_enter", 1144, [f"a{i}" for i in range(8)])
EXIT = build.probe_format("smc12_exit", 1145, ["fid", "a0", "a1", "a2", "a3"], ret=True)


def enter(pid: int, *x: int, ident: int = 1144) -> bytes:
    return build.record(ident, pid, STUB, *x, *[0] * (8 - len(x)))


def left(pid: int, fid: int, *r: int, ident: int = 1145) -> bytes:
    return build.record(ident, pid, STUB, RET, fid, *r, *[0] * (4 - len(r)))


def page(*payloads: bytes, start: int = T0, step: int = 1000, **how: int) -> bytes:
    return build.page(start, *[build.event(p, step) for p in payloads], **how)


def trace(*payloads: bytes, formats: list[str] | None = None, **more) -> bytes:
    more.setdefault("kallsyms", SYMBOLS)
    return build.v7(build.Trace(formats or [ENTER, EXIT], {0: page(*payloads)}, cmdlines=b"7 sh\n", **more))


def test_cpus_are_merged_by_time() -> None:
    data = build.v7(
        build.Trace(
            [ENTER, EXIT],
            {
                0: page(enter(7, 0xC4000150), left(7, 0xC4000150, 0), step=1000),
                3: page(enter(0, 0x84000001), left(0, 0x84000001, 3), start=T0 + 500, step=1000),
            },
        )
    )
    records = read(FORMAT, data)
    assert kinds(records) == ["ENTER", "ENTER", "EXIT", "EXIT"]
    assert (records.ts - T0).tolist() == [1000, 1500, 2000, 2500]
    assert records.cpu.tolist() == [0, 3, 0, 3]
    assert records.pid.tolist() == [7, 0, 7, 0]


def test_lost_events_stand_before_what_survived() -> None:
    data = build.v7(
        build.Trace([ENTER, EXIT], {1: page(enter(7, 0xC4000150)) + page(enter(7, 0xC4000151), start=T0 + 9000, lost=5)})
    )
    records = read(FORMAT, data)
    assert kinds(records) == ["ENTER", "LOST", "ENTER"]
    assert regs(records, 1) == {0: 5}
    assert (int(records.cpu[1]), int(records.pid[1])) == (1, -1)
    assert records.facts["lost"] == 5


@pytest.mark.parametrize("clock", ["counter", "uptime"])
def test_clocks_that_count_no_time(clock: str) -> None:
    data = trace(enter(7, 0xC4000150), left(7, 0xC4000150, 0), clock=clock)
    records = read(FORMAT, data)
    assert records.ts.tolist() == [NO_TIME] * 2
    assert records.facts["clock"] == clock
    assert detail(records, data, 1).text == (
        f"              sh-7       [000] ..... {T0 + 2000:12}: smc12_exit: "
        "(rs_invoke12+0x30/0x40 [rmishape] <- arm_smccc_1_2_smc) fid=0xc4000150 a0=0x0 a1=0x0 a2=0x0 a3=0x0"
    )


def test_facts() -> None:
    data = trace(enter(7, 0xC4000150), clock="mono", options=[(11, struct.pack("<Q", 9)), (13, b"guest\0" + bytes(12))])
    facts = read(FORMAT, data).facts
    assert (facts["clock"], facts["kernel"], facts["recorder"]) == (
        "mono",
        "Linux guest 7.3.4 aarch64",
        "trace-cmd 3.4.0 not-a-git-repo",
    )
    assert (facts["trace_id"], facts["guests"], facts["version"], facts["lines"]) == (9, ["guest"], 7, 1)


def test_an_event_of_a_name_of_ones_own_is_learned() -> None:
    """As from text: by a first register that is a function id, and the return from the same function."""
    begin = build.probe_format("begin", 1200, ["arg1", "arg2"])
    done = build.probe_format("done", 1201, ["x0"], ret=True)
    data = trace(
        build.record(1201, 7, STUB, RET, 9), build.record(1200, 7, STUB, 0xC4000150, 5), build.record(1201, 7, STUB, RET, 1),
        build.record(1200, 7, STUB, 0xC4000151, 6), build.record(1201, 7, STUB, RET, 2), formats=[begin, done],
    )  # fmt: skip
    records = read(FORMAT, data)
    assert kinds(records) == ["EXIT", "ENTER", "EXIT", "ENTER", "EXIT"]
    assert [regs(records, i)[0] for i in range(5)] == [9, 0xC4000150, 1, 0xC4000151, 2]
    assert set(names(records)) == {"begin@arm_smccc_1_2_smc", "done@arm_smccc_1_2_smc"}


def test_maps() -> None:
    odd = build.probe_format("odd", 1200, ["what", "where"])
    data = trace(*[build.record(1200, 7, STUB, 0xC4000150, i) for i in range(5)], enter(7, 0xC4000151), formats=[odd, ENTER])
    assert kinds(read(FORMAT, data)) == ["ENTER"]
    records = read(FORMAT, data, "odd:enter:what=x0,where=x1", "smc12_enter:ignore")
    assert kinds(records) == ["ENTER"] * 5
    assert [regs(records, i) for i in range(5)] == [{0: 0xC4000150, 1: i} for i in range(5)]
    assert [f.rule for f in read(FORMAT, data).findings] == ["UNMAPPED-EVENT"]


def test_fields_narrower_than_a_register() -> None:
    fields = [
        ("unsigned long __probe_ip", 8, 8, 0),
        ("u32 a0", 16, 4, 0),
        ("s32 a1", 20, 4, 1),
        ("s8 a2", 24, 1, 1),
        ("u16 a3", 25, 2, 0),
    ]
    text = build.event_format("smc_enter", 1300, fields, "(%lx) a0=0x%x a1=%d a2=%d a3=%u", "REC->a0")
    payload = build.record(1300, 7, STUB, tail=struct.pack("<IibH", 0xC4000150, -2, -1, 0xFFFF))
    data = trace(*[payload] * 3, formats=[text])
    records = read(FORMAT, data)
    # a signed number fills the register with its sign, as the line does; the first record goes through the line, the others not
    assert [regs(records, i) for i in range(3)] == [{0: 0xC4000150, 1: 2**64 - 2, 2: 2**64 - 1, 3: 0xFFFF}] * 3
    assert {detail(records, data, 2).regs[i] for i in (1, 2)} == {2**64 - 2, 2**64 - 1}


def test_arrays_of_zeros_without_symbols_are_results() -> None:
    """In libtraceevent's text an array of zeros on a bare address is not believed; the record itself is."""
    fields = [("unsigned long __probe_func", 8, 8, 0), ("unsigned long __probe_ret_ip", 16, 8, 0), ("u64 a[]", 24, 32, 0)]
    text = build.event_format("smc12_exit", 1145, fields, "(%lx <- %lx) a={0x%Lx,0x%Lx,0x%Lx,0x%Lx}", "REC->a[0]")
    records = read(
        FORMAT, trace(enter(7, 0xC4000150), build.record(1145, 7, STUB, RET, 0, 0, 0, 0), formats=[ENTER, text], kallsyms=b"")
    )
    assert kinds(records) == ["ENTER", "EXIT"]
    assert regs(records, 1) == dict.fromkeys(range(4), 0)


def test_wrappers() -> None:
    probes = [build.probe_format("wrap", 1400, ["p"]), build.probe_format("wrapret", 1401, ["p", "ret"], ret=True)]
    data = trace(*[build.record(1400, 7, WRAPPER, 5), build.record(1401, 7, WRAPPER, RET, 5, 2**64 - 1)] * 4, formats=probes)
    records = read(FORMAT, data)
    assert kinds(records) == ["WRAP_ENTER", "WRAP_EXIT"] * 4
    assert set(names(records)) == {"rmi_pdev_create"}
    assert [regs(records, i) for i in range(8)] == [{}, {0: 2**64 - 1}] * 4
    assert (records.regs[::2] == 0).all()
    assert (records.regs[:, 1:] == 0).all()


def test_function_tracers() -> None:
    """funcgraph_entry and funcgraph_exit, and function: of all functions those around an SMC are kept."""
    graph = [build.record(11, 7, WRAPPER, 0), build.record(11, 7, STUB, 1), build.record(10, 7, STUB, 0, 1, 5, 6)]
    graph += [build.record(10, 7, WRAPPER, 3, 0, 4, 7)]
    functions = [build.record(1, 7, WRAPPER + 8, STUB), build.record(1, 7, STUB, WRAPPER)]
    data = trace(*graph, *functions, ftrace=[build.GRAPH_ENTRY, build.GRAPH_EXIT, build.FUNCTION])
    records = read(FORMAT, data)
    assert kinds(records) == ["WRAP_ENTER", "WRAP_EXIT", "WRAP_ENTER"]
    assert set(names(records)) == {"rmi_pdev_create"}
    assert regs(records, 1) == {0: 3}
    assert detail(records, data, 1).regs == {0: 3}
    assert detail(records, data, 0).text.endswith("rmi_pdev_create() {")
    assert records.facts["ignored_events"] == {"funcgraph_entry": 1, "funcgraph_exit": 1, "function": 1}


def test_several_instances() -> None:
    """One SMC that two instances recorded is one call; the line says which instance a record is of."""
    payloads = (enter(7, 0xC4000150, 0x20000), left(7, 0xC4000150, 0, 0x20000))
    both = build.Trace(
        [ENTER, EXIT],
        {0: page(*payloads, step=5000)},
        {"debug": {0: page(*payloads, start=T0 + 700, step=5000)}},
        kallsyms=SYMBOLS,
    )
    for write in (build.v6, build.v7):
        data = write(both)
        records = read(FORMAT, data)
        assert kinds(records) == ["ENTER", "ENTER", "EXIT", "EXIT"]
        assert detail(records, data, 1).text.startswith(
            "debug:            <...>-7       [000] .....   100.000005700: smc12_enter: (arm"
        )
        assert records.facts["instances"] == ["debug"]
    alone = build.Trace([ENTER, EXIT], {}, {"debug": {0: page(*payloads)}}, kallsyms=SYMBOLS)
    assert names(read(FORMAT, build.v7(alone))) == ["smc12_enter", "smc12_exit"]


def test_one_smc_in_two_instances_is_one_call(tmp_path) -> None:
    payloads = [p for i in range(5) for p in (enter(7, 0xC4000150, i), left(7, 0xC4000150, 0, i))]
    both = build.Trace([ENTER, EXIT], {0: page(*payloads, step=5000)}, {"debug": {0: page(*payloads, start=T0 + 700, step=5000)}})
    path = tmp_path / "trace.dat"
    path.write_bytes(build.v7(both))
    capture = open_capture([str(path)])
    assert [(capture.call(i).x[1], capture.call(i).paired) for i in range(len(capture))] == [(i, "both") for i in range(5)]


def test_instances_with_other_clocks() -> None:
    t = build.Trace([ENTER, EXIT], {0: page(enter(7, 0xC4000150))}, {"i": {0: page(enter(7, 0xC4000151))}}, clocks={"i": "boot"})
    assert [f.rule for f in read(FORMAT, build.v7(t)).findings] == ["CLOCKS-DIFFER"]


def test_what_the_ring_buffer_says_it_lost() -> None:
    stat = b"CPU: 2\nentries: 10\noverrun: 90\ncommit overrun: 0\ndropped events: 4\nread events: 0\n\0"
    findings = read(FORMAT, trace(enter(7, 0xC4000150), options=[(2, stat)])).findings
    assert [(f.rule, f.message) for f in findings] == [
        ("RING-WRAPPED", "the ring buffer wrapped: 90 entries, the oldest, are gone (CPU 2)"),
        ("EVENTS-DROPPED", "4 event(s) found no room in the ring buffer"),
    ]


def test_records_without_a_format_are_counted() -> None:
    records = read(
        FORMAT, trace(enter(7, 0xC4000150), build.record(4000, 7, 1), build.record(4001, 7, 1), build.record(4001, 7, 2))
    )
    assert kinds(records) == ["ENTER"]
    assert [f.message for f in records.findings] == ["3 record(s) of 2 event(s) that the file has no format of were left out"]
    assert records.facts["ignored"] == 3


def test_a_record_shorter_than_its_format() -> None:
    whole = enter(7, 0xC4000150)
    data = trace(whole, whole[:40], whole)
    records = read(FORMAT, data)
    assert kinds(records) == ["ENTER", "DAMAGED", "ENTER"]
    assert names(records)[1] == "smc12_enter: a record shorter than its format says"
    assert (records.ts - T0).tolist() == [1000, 2000, 3000]
    assert detail(records, data, 1).text == build.event(whole[:40], 1000).hex(" ")


def test_latency_traces_are_refused_with_advice() -> None:
    data = bytearray(build.v6(build.Trace([ENTER], {0: page(enter(7, 1))})))
    at = data.index(b"flyrecord\0")
    data[at : at + 10] = b"latency  \0"
    with pytest.raises(Unreadable, match="trace-cmd report"):
        read(FORMAT, bytes(data))


def test_order_of_columns_and_counts() -> None:
    """Every event is a record, ignored, or told as unknown; offsets are those of ring-buffer events."""
    payloads = [p for i in range(30) for p in (enter(7, 0xC4000150, i), build.record(4000, 7, i), left(7, 0xC4000150, i))]
    data = trace(*payloads[:40])
    records = read(FORMAT, data)
    assert len(records) + records.facts["ignored"] == records.facts["lines"] == 40
    whole = records.facts["data"]
    for at, length in zip(records.offset.tolist(), records.length.tolist(), strict=True):
        (word,) = struct.unpack("<I", whole[at : at + 4])
        assert length == 4 + 4 * (word & 31)
    assert (np.diff(records.ts) > 0).all()


def write_all(path) -> None:
    """Everything that a call can be asked for, and that nothing raises; each record lies in its source."""
    try:
        read(FORMAT, path.read_bytes())
    except Unreadable:
        return
    capture = open_capture([str(path)], OpenOptions(source_format="trace-dat"))
    source = capture.sources[0]
    rec = source.records
    assert (rec.offset >= 0).all()
    assert (rec.length >= 0).all()
    assert (rec.offset + rec.length <= len(source.data)).all()
    assert (rec.kind > 0).all()
    for i in range(min(len(rec), 40)):
        capture.detail(0, i, False)
    out = io.StringIO()
    jsonl.write(capture, range(min(len(capture), 40)), out)
    capture.marks()


@pytest.mark.parametrize("path", SAMPLES, ids=lambda p: p.name)
def test_cut_flipped_and_overwritten(path, tmp_path) -> None:
    data = path.read_bytes()
    rng = random.Random(path.name)
    file = tmp_path / "x.dat"
    for i in range(14):
        changed = bytearray(data)
        if i < 4:
            changed = changed[: rng.randrange(20, len(changed))]
        elif i < 9:
            for _ in range(rng.choice((1, 5, 200))):
                changed[rng.randrange(18, len(changed))] ^= 1 << rng.randrange(8)
        else:
            at = rng.randrange(18, len(changed))
            n = rng.choice((8, 300, 5000))
            changed[at : at + n] = rng.choice((bytes(n), b"\xff" * n, rng.randbytes(n)))
        file.write_bytes(changed)
        began = time.process_time()
        write_all(file)
        assert time.process_time() - began < 5


def test_pages_of_noise_take_no_time(tmp_path) -> None:
    """The worst for a walk in step: pages full of the shortest events; and random bytes with a commit of a whole page."""
    rng = random.Random(3)
    short = struct.pack("<QQ", T0, 65520) + (struct.pack("<I", 1 | 1 << 5) + struct.pack("<I", 1144)) * 8190
    noise = b"".join(struct.pack("<QQ", T0, 65520) + rng.randbytes(65520) for _ in range(20))
    dense = struct.pack("<QQ", T0, 65520) + (struct.pack("<I", 2) + build.record(1144, 7)) * 5460
    t = build.Trace([ENTER, EXIT], {0: short * 3, 1: noise, 2: dense}, page_size=65536)
    file = tmp_path / "x.dat"
    file.write_bytes(build.v7(t, "none"))
    began = time.process_time()
    write_all(file)
    assert time.process_time() - began < 10


def test_damage_is_told_with_its_place() -> None:
    data = bytearray(build.v7(build.Trace([ENTER, EXIT], {0: page(enter(7, 0xC4000150)) * 3}), "none"))
    first = read(FORMAT, bytes(data)).offset[1]
    page_at = int(first) - 16
    struct.pack_into("<Q", data, page_at + 8, 5000)
    records = read(FORMAT, bytes(data))
    assert kinds(records) == ["DAMAGED", "ENTER", "ENTER"]
    assert (int(records.offset[0]), int(records.length[0]), int(records.ts[0])) == (page_at, 4096, NO_TIME)
