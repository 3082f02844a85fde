"""Event formats as kernels print them (tests/data/trace-dat: of a 7.3 kernel) and such as nobody would."""

from __future__ import annotations

import time

import pytest

from rmitrace.formats.trace_dat_formats import MAX_FIELDS, Field, find_formats, parse_format
from tests.rmitrace.formats import trace_dat_build as build
from tests.rmitrace.formats.trace_text import ROOT

TRUTH = ROOT / "tests" / "data" / "trace-dat"


def of(name: str):
    formats = {f.name: f for f in map(parse_format, texts("argtypes.formats.txt") + texts("event-formats.txt"))}
    return formats[name]


def texts(file: str) -> list[bytes]:
    return list(find_formats([(TRUTH / file).read_bytes()]).values())


def test_probes_of_a_kernel() -> None:
    enter, exit_ = of("smc_enter"), of("smc_exit")
    assert (enter.ident, enter.probe, exit_.ident, exit_.probe) == (1688, "enter", 1689, "return")
    assert [(f.name, f.offset, f.size, f.base) for f in enter.fields] == [(f"a{i}", 16 + 8 * i, 8, "x") for i in range(8)]
    assert [f.offset for f in exit_.addresses] == [8, 16]
    assert [(f.name, f.offset) for f in exit_.fields] == [(f"a{i}", 24 + 8 * i) for i in range(4)]
    assert of("noargs").fields == ()
    assert of("ep").probe == ""
    assert of("ep").said


@pytest.mark.parametrize(
    ("event", "field"),
    [
        ("smc_enter_arr", Field("a", 16, 144, 8, False, True, "", "x")),
        ("ints", Field("u16", 17, 2, 2, False, False, "", "u")),
        ("ints", Field("s32", 34, 4, 4, True, False, "", "d")),
        ("ints", Field("x8", 46, 1, 1, False, False, "", "x")),
        ("arr", Field("s64", 64, 16, 8, True, True, "", "d")),
        ("arr", Field("x16", 40, 8, 2, False, True, "", "x")),
        ("arr", Field("ch", 112, 8, 1, False, True, "", "c")),
        ("strs", Field("ubuf", 24, 4, 1, True, True, "data", "s")),
        ("pdev_comm_ret", Field("p", 24, 8, 8, False, False, "", "u")),
        ("pdev_comm_ret", Field("ret", 40, 8, 8, False, False, "", "x")),
    ],
)
def test_fields(event: str, field: Field) -> None:
    assert of(event).field(field.name) == field


@pytest.mark.parametrize(
    ("declared", "size", "width", "array"),
    [
        ("u64 a[18]", 144, 8, True), ("char comm[16]", 16, 1, True), ("unsigned long args[]", 0, 8, True),
        ("const char * fmt", 8, 8, False), ("unsigned char common", 1, 1, False), ("unsigned long long t", 8, 8, False),
        ("struct foo x", 12, 12, False), ("u32 odd[]", 6, 1, True), ("pid_t parent", 4, 4, False),
    ],
)  # fmt: skip
def test_declarations(declared: str, size: int, width: int, array: bool) -> None:
    kind = parse_format(build.event_format("e", 7, [(declared, 8, size, 0)], "x", "0").encode())
    assert kind is not None
    assert [(f.size, f.width, f.array) for f in kind.fields] == [(size, width, array)]


@pytest.mark.parametrize(
    ("fmt", "args", "said"),
    [
        ("fid=%llu ret=%llu", "REC->fid, REC->ret", True),
        ("fid=%llu ret=%llu", "((unsigned long)(REC->fid)), REC->ret", True),
        ("fid=%llu ret=%llu", "REC->ret, REC->fid", False),
        ("HVC at %llu (ret: %llu)", "REC->fid, REC->ret", False),
        ("fid=%llu ret=%s", 'REC->fid, __print_symbolic(REC->ret, { 0, \\"x\\" })', False),
        ("fid=%llu, ret=%llu", "REC->fid, REC->ret", False),
        ("fid=%llu", "REC->other", False),
        ("", "0", False),
    ],
)
def test_what_prints_pairs_only(fmt: str, args: str, said: bool) -> None:
    """A tracepoint whose text is not name=value is not read by its fields: kvm_hvc_arm64 has an r0 that is a guest's."""
    text = build.event_format("kvm_hvc_arm64", 7, [("u64 fid", 8, 8, 0), ("u64 ret", 16, 8, 0)], fmt, args)
    kind = parse_format(text.encode())
    assert kind is not None
    assert kind.said == said


def test_found_by_what_they_look_like() -> None:
    one, two = (build.probe_format(n, i, ["a0"]).encode() for n, i in (("one", 5), ("two", 6)))
    found = find_formats([b"\xff\x00\x01" + one + b"\x80" * 9 + two, one.replace(b"one", b"eno")])
    assert {i: parse_format(t).name for i, t in found.items()} == {5: "one", 6: "two"}  # type: ignore[union-attr]
    assert find_formats([b"", b"name: x\nID: 99999999\nformat:\n"]) == {}


def test_damaged_texts() -> None:
    text = build.probe_format("smc_enter", 5, ["a0", "a1"]).encode()
    assert parse_format(b"") is None
    assert parse_format(text[1:]) is None
    for cut in range(0, len(text), 7):
        kind = parse_format(text[:cut])
        assert kind is None or len(kind.fields) <= 2
    assert parse_format(text.replace(b"offset:16", b"offset:99999")).field("a0") is None  # type: ignore[union-attr]


def test_hostile_texts_take_no_time() -> None:
    head = build.probe_format("e", 5, []).encode()
    began = time.process_time()
    for evil in (b"\tfield:u64 " + b"a" * 100_000, b"\tfield:u64 a;\toffset:1;\tsize:1;\n" * 7000,
                 b'print fmt: "' + b"\\" * 99_999, b'print fmt: "' + b"a=%" * 30_000 + b'", ' + b"REC->" * 9999):  # fmt: skip
        kind = parse_format(head + evil)
        assert kind is not None
        assert len(kind.fields) <= MAX_FIELDS
    assert time.process_time() - began < 2
