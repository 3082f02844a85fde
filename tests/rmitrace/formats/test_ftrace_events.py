"""What an event is: by name, by place, by its values, by --map."""

from __future__ import annotations

from rmitrace.formats.base import ReadOptions
from rmitrace.formats.eventmap import family
from rmitrace.formats.ftrace import FORMAT
from tests.rmitrace.formats.trace_text import CAPTURES, ENTER, EXIT, HEAD, kinds, names, read, regs


def lines(*events: bytes) -> bytes:
    return b"".join(HEAD + e + b"\n" for e in events)


def test_by_function_id_in_the_first_register() -> None:
    records = read(FORMAT, lines(b"go: (do_call+0x0/0x80) a0=0xc4000176 a1=0x1000", b"back: (caller+0x9/0x20 <- do_call) a0=0x5"))
    assert kinds(records) == ["ENTER", "EXIT"]
    assert names(records) == ["go@do_call", "back@do_call"]
    assert family("go@do_call") == family("back@do_call")
    assert regs(records, 1) == {0: 5}


def test_by_the_stub_it_sits_on() -> None:
    records = read(FORMAT, lines(b"e1: (drv+0x74/0x100 <- __arm_smccc_smc) x0=0x0 x1=0x7"))
    assert kinds(records) == ["EXIT"]
    assert regs(records, 0) == {0: 0, 1: 7}


def test_what_comes_before_it_is_clear_is_read_in_the_end() -> None:
    """A wrapped ring may start with returns; what they are is known from the first entry on the same function."""
    data = lines(
        b"back: (caller+0x9/0x20 <- do_call) a0=0x5",
        b"go: (do_call+0x0/0x80) a0=0xc4000176 a1=0x1000",
        b"back: (caller+0x9/0x20 <- do_call) a0=0x0",
    )
    records = read(FORMAT, data)
    assert kinds(records) == ["EXIT", "ENTER", "EXIT"]
    assert (records.offset[1:] > records.offset[:-1]).all()
    assert [regs(records, i)[0] for i in (0, 2)] == [5, 0]


def test_a_damaged_first_line_does_not_hide_the_event() -> None:
    for first in (b"go: (do_call+0x0/0x80) a0=0xc40zz", b"go: (do_call+0x0/0x80)", b"go: (do_call+0x0/0x80) a0="):
        records = read(FORMAT, lines(first, b"go: (do_call+0x0/0x80) a0=0xc4000176 a1=0x1000"))
        assert kinds(records) == ["DAMAGED", "ENTER"], first


def test_an_smc_inlined_into_a_wrapper() -> None:
    """A probe on the instruction itself sits in the function around it; its first register tells it from that function."""
    data = lines(b"here: (rmi_pdev_communicate+0x1c/0x40) x0=0xc4000175 x1=0x46e00000")
    assert kinds(read(FORMAT, data)) == ["ENTER"]
    assert FORMAT.detail(data.strip(b"\n"), False, ReadOptions()).regs == {0: 0xC4000175, 1: 0x46E00000}
    records = read(FORMAT, lines(b"there: (rmi_granule_delegate+0x0/0x40) x0=0x84000000"))
    assert kinds(records) == ["WRAP_ENTER"]


def test_short_names_are_arrays() -> None:
    assert kinds(read(FORMAT, lines(b"odd: (f+0x0/0x8) a=0xc4000150", b"odd2: x=3288334672 r=1"))) == []


def test_types_and_aliases_of_values() -> None:
    # RMI_VERSION 0xc4000150 = 3288334672; -1006632624 as s32 is 0xc4000150
    for event in (
        b"go: (f+0x0/0x80) a0=3288334672 a1=131072",
        b"go: (f+0x0/0x80) x0=0xc4000150 x1=0x20000",
        b"go: (f+0x0/0x80) fid=0xc4000150 a1=0x20000",
        b"go: (f+0x0/0x80) arg1=0xc4000150 arg2=0x20000",
        b"go: (f+0x0/0x80) fid=3288334672 arg1=131072",
        b"go: (f+0x0/0x80) a={0xc4000150,0x20000}",
        b"go: (f+0x0/0x80) regs={3288334672,131072}",
        b"smc_enter: fid=0xc4000150 a1=0x20000",
        b"smc_enter: (f+0x0/0x80) a1=0x20000 a0=0xc4000150",
    ):
        records = read(FORMAT, lines(event))
        assert kinds(records) == ["ENTER"], event
        assert regs(records, 0) == {0: 0xC4000150, 1: 0x20000}, event
    records = read(FORMAT, lines(ENTER, b"smc_exit: (g+0x1/0x2 <- rs_invoke12) a0=-1 a1=18446744073709551615"))
    assert regs(records, 1) == {0: (1 << 64) - 1, 1: (1 << 64) - 1}


def test_x8_to_x17_are_known_but_not_in_the_columns() -> None:
    event = b"smc12_enter: (arm_smccc_1_2_smc+0x0/0x70) " + b" ".join(
        b"a%d=0x%x" % (i, i + (0xC4000150 if i == 0 else 0)) for i in range(18)
    )
    data = lines(event)
    records = read(FORMAT, data)
    assert int(records.known[0]) == (1 << 18) - 1
    detail = FORMAT.detail(data.strip(), False, ReadOptions())
    assert [detail.regs[i] for i in range(1, 18)] == list(range(1, 18))


def test_wrapper_probes() -> None:
    data = lines(
        b"pdev_comm: (rmi_pdev_communicate+0x4/0x40 [rmishape]) p=1189085184 d=1189093376",
        ENTER,
        EXIT,
        b"pdev_comm_ret: (rs_connect.isra.0+0x19c/0x330 [rmishape] <- rmi_pdev_communicate) p=1 d=2 ret=0xffffffffffffffff",
        b"aff: (psci_affinity_info+0x0/0x50) aff=0x1",
    )
    records = read(FORMAT, data)
    assert kinds(records) == ["WRAP_ENTER", "ENTER", "EXIT", "WRAP_EXIT", "WRAP_ENTER"]
    assert [names(records)[i] for i in (0, 3, 4)] == ["rmi_pdev_communicate", "rmi_pdev_communicate", "psci_affinity_info"]
    assert regs(records, 3) == {0: (1 << 64) - 1}
    detail = FORMAT.detail(data.partition(b"\n")[0], False, ReadOptions())
    assert detail.fields == {"p": "1189085184", "d": "1189093376"}
    assert detail.regs == {}


def test_wrapper_probes_at_bare_addresses() -> None:
    records = read(FORMAT, (CAPTURES / "ftrace/trace-cmd-arrays.report.txt").read_bytes())
    wraps = [n for n, k in zip(names(records), kinds(records), strict=True) if k.startswith("WRAP")]
    assert wraps == ["rmi_pdev_communicate"] * 34


def test_arrays_that_libtraceevent_printed_as_zeros() -> None:
    data = (CAPTURES / "ftrace/trace-cmd-arrays.report.txt").read_bytes()
    records = read(FORMAT, data)
    assert records.facts["zero_arrays"] == data.count(b" arr:  ") == 73
    assert [f.rule for f in records.findings] == ["ZERO-ARRAYS"]
    assert kinds(records).count("ENTER") == 73
    # tracefs prints arrays right: there, zeros are what was in memory
    records = read(FORMAT, lines(b"smc_enter_arr: (f+0x0/0x8) a={0xc4000150,0x0}", b"smc_exit_arr: (g+0x0/0x8 <- f) a={0x0,0x0}"))
    assert kinds(records) == ["ENTER", "EXIT"]


def test_synthetic_event() -> None:
    data = (CAPTURES / "ftrace/synthetic.trace.txt").read_bytes()
    records = read(FORMAT, data)
    assert kinds(records) == ["WHOLE_IN", "WHOLE_OUT"] * 27
    assert regs(records, 0) == {0: 0xC4000150}
    assert regs(records, 1) == {0: (1 << 64) - 1}
    line = data[int(records.offset[0]) :].partition(b"\n")[0]
    assert FORMAT.detail(line, False, ReadOptions()).regs == {0: 0xC4000150}
    assert FORMAT.detail(line, True, ReadOptions()).regs == {0: (1 << 64) - 1}
    # beside the events it is made of it says nothing new
    assert kinds(read(FORMAT, lines(ENTER, EXIT, b"smc_lat: fid=3288334672 ret=0 delta=1"))) == ["ENTER", "EXIT"]


def test_map() -> None:
    data = lines(b"odd: (f+0x0/0x8) func=0xc4000150 one=0x20000", b"odder: (g+0x0/0x8 <- f) out=0x0 two=0x1", ENTER)
    records = read(FORMAT, data, "odd:enter:func=x0,one=x1", "odder:exit:out=x0,two=x2", "smc_enter:ignore")
    assert kinds(records) == ["ENTER", "EXIT"]
    assert regs(records, 0) == {0: 0xC4000150, 1: 0x20000}
    assert regs(records, 1) == {0: 0, 2: 1}
    detail = FORMAT.detail(data.partition(b"\n")[0], False, ReadOptions(maps=("odd:enter:func=x0,one=x1",)))
    assert detail.regs == {0: 0xC4000150, 1: 0x20000}
    array = read(FORMAT, lines(b"odd: (f+0x0/0x8) v={0xc4000150,0x20000}"), "odd:enter:v=x0")
    assert regs(array, 0) == {0: 0xC4000150, 1: 0x20000}


def test_what_might_be_an_smc_is_pointed_out() -> None:
    records = read(FORMAT, lines(b"ints: (f+0x0/0x8) u32=3288334672 x64=0xc4000150 n=3"))
    assert kinds(records) == []
    assert [f.rule for f in records.findings] == ["UNMAPPED-EVENT"]
    assert "ints (u32, x64)" in records.findings[0].message
    records = read(FORMAT, lines(b"off: (f+0x10/0x80) x0=0xffff8000833335c8 x1=0x0"))
    assert [f.rule for f in records.findings] == ["UNMAPPED-EVENT"]
    assert read(FORMAT, lines(b"plain: (f+0x10/0x80) cpu=0x1", b"ret: (g+0x1/0x2 <- f) ret=0x0")).findings == []


def test_more_events_than_are_told_apart() -> None:
    data = b"".join(HEAD + b"e%d: (f+0x0/0x8) a0=0xc4000150\n" % i for i in range(5000))
    records = read(FORMAT, data)
    assert 4000 < kinds(records).count("ENTER") <= 4096
    assert len(records) + records.facts["ignored"] == 5000
