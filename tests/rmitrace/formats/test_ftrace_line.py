from __future__ import annotations

import pytest

from rmitrace.capture.records import NO_TIME
from rmitrace.formats.ftrace import FORMAT
from rmitrace.formats.ftrace_line import event_name, nanoseconds, number, numbers, parse_body, parse_head
from tests.rmitrace.formats.trace_text import read

BODY = b"smc_enter: (f+0x0/0x80) a0=0x1"


@pytest.mark.parametrize(
    ("columns", "comm", "pid", "cpu", "ts"),
    [
        # columns as the kernel and trace-cmd print them: 16 bytes of name, '-', pid
        (b"              sh-1603    [000] d....   601.999902: ", b"sh", 1603, 0, 601_999_902_000),
        (b"              sh-1603    [000] d..1   601.999902: ", b"sh", 1603, 0, 601_999_902_000),  # before 5.17
        (b"              sh-1603    (   1603) [001] d....   605.978790: ", b"sh", 1603, 1, 605_978_790_000),
        (b"              sh-1603    (-------) [001] d....   605.978790: ", b"sh", 1603, 1, 605_978_790_000),
        (b"              sh-1603    [001]    604.441858: ", b"sh", 1603, 1, 604_441_858_000),
        (b"              sh-1603    [001] d.... 1795374853.557432: ", b"sh", 1603, 1, 1_795_374_853_557_432_000),
        (b"              sh-1603    [1023] d....     1.000001: ", b"sh", 1603, 1023, 1_000_001_000),
        (b"          <idle>-0       [001] d..1.    53.640001: ", b"<idle>", 0, 1, 53_640_001_000),
        (b"     kworker/0:0-9       [000] d....    14.134090: ", b"kworker/0:0", 9, 0, 14_134_090_000),
        (b"              sh-275   [000]    67.885097923: ", b"sh", 275, 0, 67_885_097_923),
        (b"              sh-275   [000] d..1.    67.885215: (+117)   ", b"sh", 275, 0, 67_885_215_000),
        (b"      sh-275     0d....    67.885098: ", b"sh", 275, 0, 67_885_098_000),
        (b"      sh-1603      1d.... 13773us+: ", b"sh", 1603, 1, 13_773_000),
        (b"      sh-238       1d.h..    2us : ", b"sh", 238, 1, 2_000),
        (
            b"              sh    1603   1 1 00000000 00000000 [24070d02] 13.773ms (+0.066ms): ",
            b"sh", 1603, 1, 13_773_000,
        ),
        (b"guest:               sh-275   [000]    67.885098: ", b"sh", 275, 0, 67_885_098_000),
        (b"                     sh-275   [000]    67.885098: ", b"sh", 275, 0, 67_885_098_000),
        (b"sh-1603 [000] d.... 601.999902: ", b"sh", 1603, 0, 601_999_902_000),  # blanks lost in a mail
    ],
)  # fmt: skip
def test_columns(columns: bytes, comm: bytes, pid: int, cpu: int, ts: int) -> None:
    head = parse_head(columns + BODY)
    assert head is not None
    assert (head.comm, head.pid, head.cpu, head.ts) == (comm, pid, cpu, ts)
    assert (columns + BODY)[head.body :] == BODY


@pytest.mark.parametrize(
    "comm",
    [
        b"my prog", b"a:b", b"a-b-12", b"[k]", b"<...>", b"(x)", b"x [001] 1.2: y", b"", b"12345", b"tab\tx", b"trail ",
        b"\xc3\xa9\xff", b"a-1 [0] 1.0: b", b"0123456789abcde",
    ],
)  # fmt: skip
@pytest.mark.parametrize("tail", [BODY, b"tracing_mark_write: sh-2    [001] d....     9.000001: " + BODY])
def test_names_and_text_that_imitate_columns(comm: bytes, tail: bytes) -> None:
    head = parse_head(b"%16s-1668    [000] d....   618.268405: " % comm + tail)
    assert head is not None
    assert (head.pid, head.cpu, head.ts) == (1668, 0, 618_268_405_000)
    assert head.comm == comm.lstrip(b" ")


def test_text_that_imitates_columns_behind_a_stripped_line() -> None:
    head = parse_head(b"sh-1 [000] d.... 1.5: tracing_mark_write: sh-2 [001] d.... 9.5: " + BODY)
    assert head is not None
    assert (head.pid, head.ts) == (1, 1_500_000_000)


def test_a_clock_that_only_counts() -> None:
    head = parse_head(b"              sh-1603    [001] d....            4: " + BODY)
    assert head is not None
    assert (head.ts, head.tick) == (NO_TIME, 4)
    assert nanoseconds(b"7", b"5") == (7_500_000_000, -1)
    assert nanoseconds(b"9" * 20, b"0") == (NO_TIME, -1)  # more than 64 bits of ns


@pytest.mark.parametrize(
    "line", [b"", BODY, b" => el0_svc", b"CPU:1 [LOST 674 EVENTS]", b"new", b" 1)               |  rmi_version() {"]
)
def test_no_columns(line: bytes) -> None:
    assert parse_head(line) is None


@pytest.mark.parametrize(
    "columns",
    [
        b"              sh-1603    [000] d.... 99999999999.999902: ",
        b"      sh-275     0d.... 99999999999999.885098: ",
        b"      sh-1603      1d.... 99999999999999999999us+: ",
        b"              sh    1603   1 1 00000000 00000000 [24070d02] 9999999999999999.773ms (+0.066ms): ",
    ],
)
def test_a_time_of_more_than_a_century_is_none(columns: bytes) -> None:
    head = parse_head(columns + BODY)
    assert head is not None
    assert head.ts == NO_TIME
    assert len(read(FORMAT, columns + BODY + b"\n" + b"999999999999.000001 |   0)               |  rmi_version();\n")) == 3


def test_event_name() -> None:
    assert event_name(b"smc_enter: (f)") == ("smc_enter", 11)
    assert event_name(b"smc12_enter:          (ffff80008002bf38)") == ("smc12_enter", 22)
    assert event_name(b"rs_call.constprop.0: text") is not None
    for text in (b"rmi_version <-rs_connect", b"rmi_version(req=0x2) <-x", b": x", b"a:b", b"# 1234 buf: 00"):
        assert event_name(text) is None, text


def test_place_of_a_probe() -> None:
    entry = parse_body("e", b"(rs_invoke12+0x0/0x80 [rmishape]) a0=0x1").place
    assert entry is not None
    assert (entry.func, entry.ret, entry.bare) == ("rs_invoke12", False, False)
    back = parse_body("e", b"(rs_call.constprop.0+0x74/0x100 [rmishape] <- rs_invoke12) a0=0x1").place
    assert back is not None
    assert (back.func, back.ret) == ("rs_invoke12", True)
    # libtraceevent prints (function <- return address), the kernel the other way round
    bare = parse_body("e", b"(ffff80008002bf38 <- ffff800078ea00c8) fid=0x1").place
    assert bare is not None
    assert (bare.func, bare.ret, bare.bare) == ("ffff80008002bf38", True, True)
    raw = parse_body("e", b"__probe_func=ffff80008002bf38 __probe_ret_ip=ffff800078ea00c8 fid=0xc4000150 a0=0x0")
    assert raw.place is not None
    assert (raw.place.func, raw.place.ret) == ("ffff80008002bf38", True)
    assert [n for n, _ in raw.fields] == ["fid", "a0"]
    assert parse_body("e", b"fid=1 ret=2").place is None


def test_values() -> None:
    body = parse_body("e", b"(f+0x0/0x8) u=80 s=-1 x=0xc4 a={0x1,0x2} c='P'")
    assert body.fields == (("u", b"80"), ("s", b"-1"), ("x", b"0xc4"), ("a", b"{0x1,0x2}"), ("c", b"'P'"))
    assert body.junk is None
    # the option `fields` repeats every value in decimal
    body = parse_body("e", b"__probe_ip=f+0x0/0x80 [mod] (-121837236617016) a0=0xc4000150 (3288334672) a1=0x0 (0)")
    assert body.fields == (("a0", b"0xc4000150"), ("a1", b"0x0"))
    assert body.junk is None
    assert parse_body("e", b"(f+0x0/0x8) a0=0x1 zzz a1=0x2").junk == b"zzz"
    assert parse_body("e", b'(f+0x0/0x8) name="my file" n=3').fields == (("name", b'"my file"'), ("n", b"3"))


def test_numbers() -> None:
    assert number(b"0xffffffffffffffff") == (1 << 64) - 1
    assert number(b"18446744073709551615") == (1 << 64) - 1
    assert number(b"-1") == (1 << 64) - 1
    assert number(b"-9223372036854775808") == 1 << 63
    for bad in (
        b"",
        b"0x",
        b"0x10000000000000000",
        b"18446744073709551616",
        b"-9223372036854775809",
        b"1_0",
        b"+1",
        b"0b1",
        b"(fault)",
    ):
        assert number(bad) is None, bad
    assert numbers(b"{0x10,132,-1}") == [0x10, 132, (1 << 64) - 1]
    for bad in (b"{0x1,", b"0x1", b"{}", b"{a}", b"{0x1,,0x2}", b"{1_0}", b"{0x10000000000000000}"):
        assert numbers(bad) is None, bad
