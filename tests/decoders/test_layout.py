"""Structures in memory: pages that TF-RMM and a host really exchanged, read again with struct.unpack at the offsets of
the facts, and bytes made up by hand."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import decoders
from decoders import layout
from decoders.tree import Node

from . import facts

PAGES = Path(__file__).parents[1] / "data" / "pages"
SPEAKS = {"alp16": "1.1-alp17", "head": "2.0-bet3", "mid": "2.0-bet1", "rel0": "1.0-rel0"}
"""Which tables fit the pages of a firmware: alp16 has the structures of alp17, head (bet2) those of bet3."""
PAGE = 4096


def pages() -> Iterator[tuple[str, str, bytes]]:
    """(revision, structure, page) of every page in tests/data/pages; the files leave the zeros at the end out."""
    for path in sorted(PAGES.glob("*.jsonl")):
        for line in path.open():
            call = json.loads(line)
            for moment in ("mem_in", "mem"):
                for address, text in call[moment].items():
                    yield SPEAKS[path.name.split("-")[0]], call["regions"][address], bytes.fromhex(text).ljust(PAGE, b"\0")


def at(node: Node, path: str) -> Node:
    found = node.find(path)
    assert found is not None, path
    return found


def assert_covered(node: Node, size: int) -> None:
    """Every byte lies in exactly one leaf; the fields of one word share its bytes."""
    spans = sorted({(n.offset, n.offset + n.size) for n in node.leaves() if n.offset is not None and n.size})
    assert all(n.offset is not None for n in node.leaves())
    here = 0
    for start, end in spans:
        assert start == here, (start, here)
        here = end
    assert here == size


def assert_nested(node: Node) -> None:
    """Children lie inside their parent."""
    for parent in node.walk():
        for child in parent.children:
            assert parent.offset is not None
            assert child.offset is not None
            assert parent.offset <= child.offset
            assert child.offset + child.size <= parent.offset + parent.size


# real pages ----------------------------------------------------------------------------------------------------------


def values(structs: dict[str, Any], name: str, page: bytes, base: int = 0, path: str = "") -> Iterator[tuple[str, int, int]]:
    """(path, value, offset) of every single number of a structure, by the facts and struct.unpack alone."""
    letters = {1: "<B", 2: "<H", 4: "<I", 8: "<Q"}
    for f in structs[name]["fields"]:
        offset = base + facts.number(f["offset"])
        if f["type"] in structs and "count" not in f:
            yield from values(structs, f["type"], page, offset, f"{path}{f['name']}.")
        elif "count" not in f and (size := facts.number(f["size"])) in letters:
            yield path + f["name"], struct.unpack_from(letters[size], page, offset)[0], offset


@pytest.mark.parametrize(("revision", "name", "page"), [pytest.param(*p, id=f"{i}-{p[1]}") for i, p in enumerate(pages())])
def test_real_pages(revision: str, name: str, page: bytes) -> None:
    node = decoders.decode_struct(name, page, revision=revision)
    assert (node.name, node.offset, node.size) == (name, 0, PAGE)
    assert_covered(node, PAGE)
    assert_nested(node)
    assert not [n for n in node.walk() if n.severity in ("warning", "error")]
    structs = facts.rmi(revision)["structs"]
    if name in structs:
        numbers = list(values(structs, name, page))
        assert numbers
        for path, value, offset in numbers:
            assert (at(node, path).value, at(node, path).offset) == (value, offset), path


def test_all_kinds_of_pages_are_there() -> None:
    assert len({(revision, name) for revision, name, _ in pages()}) > 20


@cache
def page_of(firmware: str, name: str, number: int = 0) -> bytes:
    """The n-th page of that kind with something in it, from one firmware."""
    return [p for r, n, p in pages() if r == SPEAKS[firmware] and n == name and any(p)][number]


def test_a_request_to_send() -> None:
    # exit.flags 0x4 at 0x800 is req_send, req_len 4 at 0x840: the first request is GET_VERSION, 4 bytes
    page = next(p for r, n, p in pages() if n == "RmiDevCommData" and p[0x800] == 4)
    node = decoders.decode_struct("RmiDevCommData", page, revision="1.1-alp17")
    assert at(node, "exit.flags").text == "req_send"
    assert at(node, "exit.flags.req_send").value == 1
    assert at(node, "exit.protocol").text == "PROTOCOL_SPDM (0)"
    assert (at(node, "exit.req_len").value, at(node, "exit.req_len").offset) == (page[0x840], 0x840)
    assert at(node, "enter.status").text == "DEV_COMM_NONE (0)"


def test_a_public_key() -> None:
    # P-384: algo 2 at 0x810, key_len 97 at 0x800, an uncompressed point 04 x y
    page = page_of("alp16", "RmiPublicKeyParams")
    node = decoders.decode_struct("RmiPublicKeyParams", page, revision="1.1-alp17")
    key = at(node, "key")
    assert key.value == page[:97]
    assert page[0] == 4
    assert [(c.name, c.offset, c.size) for c in key.children] == [("[0:97]", 0, 97), ("unused", 97, 927)]
    assert at(node, "algo").text == "SIG_ECDSA_P384 (2)"
    assert [(c.name, c.size) for c in at(node, "metadata").children] == [("unused", 1024)]


def test_a_list_of_granules() -> None:
    # 16 descriptors, each one page (count 1 in [11:2]) further
    page = page_of("head", "RmiAddrList")
    node = decoders.decode_struct("RmiAddrList", page, revision="2.0-bet3")
    words = [w for w in struct.unpack("<512Q", page) if w]
    entries = [c for c in node.children if c.name.startswith("[")]
    assert [e.value for e in entries] == words
    assert [at(e, "addr").value for e in entries] == [w & 0xFFFFFFFFFF000 for w in words]
    assert {at(e, "count").value for e in entries} == {1}
    assert [(c.name, c.offset, c.size) for c in node.children[len(entries) :]] == [
        ("unused", 8 * len(words), PAGE - 8 * len(words))
    ]


# bytes by hand -------------------------------------------------------------------------------------------------------


def test_auxiliary_granules_in_use() -> None:
    page = bytearray(PAGE)
    struct.pack_into("<Q", page, 0x48, 2)  # num_aux
    struct.pack_into("<3Q", page, 0x100, 0x88001000, 0x88002000, 0x88003000)
    aux = at(decoders.decode_struct("RmiPdevParams", bytes(page), revision="1.1-alp17"), "aux")
    assert (aux.text, aux.offset, aux.size) == ("2 of 32", 0x100, 0x100)
    assert [(c.name, c.text, c.offset, c.size) for c in aux.children[:2]] == [
        ("[0]", "0x88001000", 0x100, 8),
        ("[1]", "0x88002000", 0x108, 8),
    ]
    assert (aux.children[2].name, aux.children[2].offset, aux.children[2].size) == ("unused", 0x110, 0xF0)
    assert (aux.children[2].note, aux.children[2].severity) == ("not zero, but beyond num_aux", "note")


def test_address_ranges_nest() -> None:
    page = bytearray(PAGE)
    struct.pack_into("<Q", page, 0x28, 1)  # num_addr_range
    struct.pack_into("<2Q", page, 0x100, 0x4000_0000, 0x4010_0000)
    node = decoders.decode_struct("RmiPdevStreamParams", bytes(page), revision="2.0-bet1")
    first = at(node, "addr_range.[0]")
    assert (first.text, first.offset, first.size) == ("0x40000000-0x40100000", 0x100, 16)
    assert (at(first, "top").value, at(first, "top").offset) == (0x40100000, 0x108)


@pytest.mark.parametrize("count", [33, 1 << 63, (1 << 64) - 1])
def test_a_count_beyond_the_list(count: int) -> None:
    page = bytearray(PAGE)
    struct.pack_into("<Q", page, 0x48, count)
    node = decoders.decode_struct("RmiPdevParams", bytes(page), revision="1.1-alp17")
    aux = at(node, "aux")
    assert (aux.note, aux.severity) == (f"num_aux is {count}, the list holds 32", "error")
    assert len(aux.children) == 32
    assert_covered(node, PAGE)


def test_a_key_longer_than_its_field() -> None:
    page = b"\x01" * 1024 + bytes(1024) + struct.pack("<2Q", 5000, 0) + bytes(PAGE - 2064)
    node = decoders.decode_struct("RmiPublicKeyParams", page, revision="2.0-bet3")
    assert (at(node, "key").severity, at(node, "key").value, at(node, "key").children) == ("error", page[:1024], ())
    assert_covered(node, PAGE)


def test_padding_that_is_not_zero() -> None:
    # the byte after the one-byte status: Linux declares 8 bytes, the specification one
    page = bytes([1, 0, 0xFF]) + bytes(PAGE - 3)
    node = decoders.decode_struct("RmiDevCommData", page, revision="1.1-alp17")
    assert at(node, "enter.status").text == "DEV_COMM_RESPONSE (1)"
    pad = at(node, "enter.reserved")
    assert (pad.offset, pad.size, pad.value, pad.severity) == (1, 7, b"\0\xff\0\0\0\0\0", "warning")
    assert pad.note == "reserved, should be zero"


def test_long_padding_is_one_leaf() -> None:
    node = decoders.decode_struct("RmiDevCommData", bytes(PAGE), revision="1.1-alp17")
    assert [(n.name, n.offset, n.size, n.text) for n in node.children if n.name == "reserved"] == [
        ("reserved", 0x100, 0x700, "zero (1792 bytes)"),
        ("reserved", 0x900, 0x700, "zero (1792 bytes)"),
    ]


def test_registers_are_named_and_zeros_at_the_end_are_one_line() -> None:
    page = bytearray(PAGE)
    struct.pack_into("<3Q", page, 0x200, 1, 0, 3)
    gprs = at(decoders.decode_struct("RmiRecRun", bytes(page), revision="1.0-rel0"), "enter.gprs")
    assert [(c.name, c.value, c.offset, c.size, c.text) for c in gprs.children] == [
        ("x0", 1, 0x200, 8, "0x1"),
        ("x1", 0, 0x208, 8, "0x0"),
        ("x2", 3, 0x210, 8, "0x3"),
        ("x3..x30", 0, 0x218, 28 * 8, "0x0 (28 times)"),
    ]
    struct.pack_into("<Q", page, 0x200 + 8 * 28, 5)  # x28: two zeros at the end are not worth folding
    gprs = at(decoders.decode_struct("RmiRecRun", bytes(page), revision="1.0-rel0"), "enter.gprs")
    assert [c.name for c in gprs.children] == [f"x{i}" for i in range(31)]


def test_the_same_bytes_by_revision() -> None:
    page = bytearray(PAGE)
    struct.pack_into("<Q", page, 0x8, 0x1234)
    names = {r: decoders.decode_struct("RmiPdevParams", bytes(page), revision=r) for r in ("1.1-alp17", "2.0-bet1", "2.0-bet3")}
    found = {r: next(n.name for n in node.leaves() if n.value == 0x1234) for r, node in names.items()}
    assert found == {"1.1-alp17": "pdev_id", "2.0-bet1": "pdev_id", "2.0-bet3": "hb_base"}


def test_rsi_structures() -> None:
    page = bytearray(512)
    page[0x38] = 2  # state at 0x38 in 1.1, at 0x40 in 2.0
    page[0x40] = 2
    old = decoders.decode_struct("RsiVdevInfo", bytes(page), revision="1.1-alp17")
    new = decoders.decode_struct("RsiVdevInfo", bytes(page), revision="2.0-bet3")
    assert at(old, "state").text == "VDEV_LOCKED (2)"
    assert (at(new, "state").text, at(new, "state").offset) == ("VDEV_STARTED (2)", 0x40)


def test_a_structure_of_another_revision() -> None:
    node = decoders.decode_struct("RmiPdevStreamParams", bytes(PAGE), revision="1.1-alp17")
    assert (node.note, node.severity) == ("not in 1.1-alp17; layout of 2.0-bet1", "warning")
    assert at(node, "stream_type").offset == 8


@pytest.mark.parametrize("name", ["RmiNoSuch", "", "RmiPdevState", "RmiPdevFlags"])
def test_unknown_name(name: str) -> None:
    with pytest.raises(LookupError, match="no structure"):
        decoders.decode_struct(name, bytes(PAGE), revision="2.0-bet3")


def test_unknown_revision() -> None:
    with pytest.raises(LookupError):
        decoders.decode_struct("DataSrc", b"", revision="2.0")


def test_raw_memory() -> None:
    node = decoders.decode_struct("DevCommReqBuf", b"\x10\x84\0\0" + bytes(4092), revision="1.1-alp17")
    assert (node.children, node.size, node.text) == ((), PAGE, "1084 (4096 bytes, zero from 0x2)")


def test_truncated_inside_a_field() -> None:
    node = decoders.decode_struct("RmiDevCommData", bytes(0x80B), revision="1.1-alp17")
    cut = at(node, "exit")
    assert [(c.name, c.offset, c.size) for c in cut.children] == [
        ("flags", 0x800, 8),
        ("req_cache_offset", 0x808, 0),
        ("rest", 0x808, 3),
    ]
    assert (cut.children[1].note, cut.children[1].severity) == ("8 bytes expected at 0x808, 3 there", "error")
    assert_covered(node, 0x80B)


def test_truncated_between_fields() -> None:
    node = decoders.decode_struct("RmiPdevParams", bytes(16), revision="2.0-bet3")
    assert [(c.name, c.offset, c.size) for c in node.children] == [("flags", 0, 8), ("hb_base", 8, 8), ("pdev_id", 16, 0)]
    assert node.children[-1].severity == "error"


def test_truncated_list() -> None:
    page = bytearray(0x11C)
    struct.pack_into("<Q", page, 0x48, 32)
    node = decoders.decode_struct("RmiPdevParams", bytes(page), revision="1.1-alp17")
    aux = at(node, "aux")
    assert [(c.name, c.offset, c.size) for c in aux.children] == [
        ("[0]", 0x100, 8),
        ("[1]", 0x108, 8),
        ("[2]", 0x110, 8),
        ("[3]", 0x118, 0),
        ("rest", 0x118, 4),
    ]
    assert_covered(node, 0x11C)


def test_only_padding_is_missing() -> None:
    # the C structure of Linux ends at 0x400, the page at 0x1000
    node = decoders.decode_struct("RmiPdevParams", bytes(0x400), revision="1.1-alp17")
    assert node.children[-1].name == "reserved"
    assert [n.severity for n in node.walk() if n.note] == ["note"]
    assert_covered(node, 0x400)


def test_padding_of_a_nested_structure_is_missing() -> None:
    # the fields of enter end at 0x20; exit at 0x800 is what is missing
    node = decoders.decode_struct("RmiDevCommData", bytes(0x30), revision="1.1-alp17")
    assert [(c.name, c.offset, c.size, c.severity) for c in node.children] == [
        ("enter", 0, 0x30, None),
        ("reserved", 0x30, 0, "error"),
    ]
    assert_covered(node, 0x30)
    # all of exit's fields are there: nothing is lost with the padding behind them
    node = decoders.decode_struct("RmiDevCommData", bytes(0x850), revision="1.1-alp17")
    assert {n.severity for n in node.walk()} == {None, "note"}
    assert_covered(node, 0x850)


def test_more_than_the_structure() -> None:
    node = decoders.decode_struct("RsiHostCall", bytes(0x100) + b"\x01", revision="1.0-rel0")
    rest = at(node, "trailing")
    assert (rest.offset, rest.size, rest.note) == (0x100, 1, "beyond the 256 bytes of RsiHostCall")


def test_an_address_list_ends_with_its_granule() -> None:
    node = decoders.decode_struct("RmiAddrList", b"\x04" * 8192, revision="2.0-bet3")
    assert (len(node.children), at(node, "trailing").offset) == (513, PAGE)
    assert_covered(node, 8192)


def test_a_descriptor_cut_short() -> None:
    node = decoders.decode_struct("RmiAddrList", bytes(8) + b"\x04\0\x10", revision="2.0-bet3")
    assert [(c.name, c.offset, c.size) for c in node.children] == [("[0]", 0, 8), ("[1]", 8, 0), ("rest", 8, 3)]


# any bytes -----------------------------------------------------------------------------------------------------------

_names = st.sampled_from([(r, n) for r in decoders.REVISIONS for n in layout.structs(r)])


@settings(max_examples=150, deadline=None)
@given(_names, st.binary(max_size=64), st.integers(0, 4200), st.data())
def test_any_bytes_are_covered(name: tuple[str, str], noise: bytes, size: int, data: st.DataObject) -> None:
    page = bytearray(size)
    for _ in range(data.draw(st.integers(0, 4))):
        where = data.draw(st.integers(0, size))
        page[where : where + len(noise)] = noise
    node = decoders.decode_struct(name[1], bytes(page), revision=name[0])
    assert node.size == len(page)
    assert_covered(node, len(page))
    assert_nested(node)
    for n in node.walk():
        assert (n.severity is None) == (n.note is None)


@pytest.mark.parametrize("revision", decoders.REVISIONS)
def test_every_prefix_is_covered(revision: str) -> None:
    for name in layout.structs(revision):
        edges = sorted(
            {e for n in decoders.decode_struct(name, bytes(PAGE), revision=revision).leaves() for e in (n.offset or 0,)}
        )
        for edge in edges:
            for size in {max(edge - 1, 0), edge, edge + 1}:
                node = decoders.decode_struct(name, b"\x5a" * size, revision=revision)
                assert_covered(node, size)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_mutated_pages_are_covered(data: st.DataObject) -> None:
    revision, name, page = data.draw(st.sampled_from(_real()))
    cut = bytearray(page[: data.draw(st.integers(0, PAGE))])
    for _ in range(data.draw(st.integers(0, 8))):
        if cut:
            cut[data.draw(st.integers(0, len(cut) - 1))] = data.draw(st.integers(0, 255))
    node = decoders.decode_struct(name, bytes(cut), revision=revision)
    assert_covered(node, len(cut))
    assert_nested(node)


@cache
def _real() -> list[tuple[str, str, bytes]]:
    return [p for p in pages() if any(p[2])]
