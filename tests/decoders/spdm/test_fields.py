"""Layouts: the fast reader against the Construct that defines them, and the nodes of single values."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders import doe, secured
from decoders.spdm import (
    _capabilities,
    _endpoint,
    _establish,
    _identity,
    _measurements,
    _negotiation,
    _provisioning,
    _slots,
    _transfer,
    _vendor,
    opaque,
    tsp,
)
from decoders.spdm._fields import (
    Bits,
    Layout,
    algorithms,
    bits,
    detached,
    enum,
    flag,
    hexed,
    node,
    reserved,
    slot,
    slots,
    version_number,
)
from decoders.spdm.algorithms import BASE_HASH
from decoders.tree import Node

MODULES = (
    _capabilities,
    _endpoint,
    _establish,
    _identity,
    _measurements,
    _negotiation,
    _provisioning,
    _slots,
    _transfer,
    _vendor,
    opaque,
    tsp,
    doe,
    secured,
)
FACTORIES = (
    (_establish._key_exchange_layout, 1),
    (_establish._psk_exchange_layout, 1),
    (_identity._certificate_params, 2),
    (_identity._challenge_layout, 1),
    (_identity._challenge_auth_layout, 1),
    (_measurements._request_layout, 2),
    (_measurements._response_layout, 2),
    (_capabilities._capabilities, 2),
    (_negotiation._fixed, 2),
    (_negotiation._tables_param, 1),
    (_negotiation._structure, 1),
    (_provisioning._get_csr_layout, 1),
    (_provisioning._set_certificate_layout, 1),
    (_transfer._ack_layout, 1),
    (_transfer._chunk_layout, 1),
    (_transfer._seq_layout, 2),
    (_vendor._layout, 2),
)


def layouts() -> list[Layout]:
    found = {id(v): v for m in MODULES for v in vars(m).values() if isinstance(v, Layout)}
    for make, count in FACTORIES:
        for version, flag_ in product(range(0x10, 0x15), (False, True)):
            made = make(version, flag_) if count == 2 else make(version)  # type: ignore[operator]
            found[id(made)] = made
    return list(found.values())


ALL = layouts()


def test_all_layouts_are_looked_at() -> None:
    assert len(ALL) > 80


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(ALL), st.randoms(use_true_random=False), st.integers(0, 40))
def test_the_fast_reader_reads_what_the_construct_does(layout: Layout, dice: object, offset: int) -> None:
    data = dice.randbytes(layout.size + 3)  # type: ignore[attr-defined]
    values, nodes = layout.read(data, 0, offset)
    slow, missing, _ = layout.partial(data, offset)
    parsed = layout.struct.parse(data)
    assert missing == ""
    assert list(nodes) == slow
    assert {n.name: n.value for n in nodes} == {k: v for k, v in parsed.items() if not k.startswith("_")}
    assert [n.value for n in nodes] == list(values)
    at = offset
    for made in nodes:
        assert made.offset == at
        at += made.size
    assert at == offset + layout.size == offset + layout.struct.sizeof()


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ALL), st.randoms(use_true_random=False), st.data())
def test_what_fits_of_a_layout(layout: Layout, dice: object, pick: st.DataObject) -> None:
    size = pick.draw(st.integers(0, layout.size - 1))
    nodes, missing, want = layout.partial(dice.randbytes(size), 7)  # type: ignore[attr-defined]
    names = [name for name, _, _ in layout.fields]
    assert names[: len(nodes)] == [n.name for n in nodes]
    assert missing == names[len(nodes)]
    assert sum(n.size for n in nodes) <= size < sum(n.size for n in nodes) + want


def test_nodes_are_nodes() -> None:
    made = node("a", 1, "1", 2, 3, (), "odd", "note")
    assert type(made) is Node
    assert made == Node("a", 1, "1", 2, 3, (), "odd", "note")
    assert hash(made) == hash(Node("a", 1, "1", 2, 3, (), "odd", "note"))
    with pytest.raises(AttributeError):
        made.name = "b"  # type: ignore[misc]


def test_bits() -> None:
    make = bits(flag("A", 0), Bits("B", 1, 2, {0: "none", 2: "two"}), flag("NEW", 7, 0x13), version=0x12)
    plain = make("F", 0b101, 4, 1)
    assert plain.text == "A | B=two"
    assert [(c.name, c.value, c.text, c.offset, c.size) for c in plain.children] == [
        ("A", 1, "1", 4, 1),
        ("B", 2, "two (2)", 4, 1),
    ]
    assert plain.note is None
    assert make("F", 0b10000000, 4, 1).note == "bits not defined in SPDM 1.2: 0x80"
    assert make("F", 0, 4, 1).text == "none"
    assert make("F", 0b11 << 1, 4, 1).children[1].severity == "warning"  # 3 has no name


def test_algorithms_by_bit() -> None:
    offered = algorithms(BASE_HASH)("H", 0b11, 0, 4)
    assert offered.text == "SHA_256 | SHA_384"
    assert [c.value for c in offered.children] == [1, 1, 0, 0, 0, 0, 0]
    assert algorithms(BASE_HASH, one=True)("H", 0b11, 0, 4).severity == "error"
    assert algorithms(BASE_HASH, 0x11)("H", 1 << 6, 0, 4).severity == "warning"  # SM3 came with 1.2
    assert algorithms(BASE_HASH, 0x12)("H", 1 << 6, 0, 4).severity is None


def test_single_values() -> None:
    assert enum({0xFF: "All"})("k", 0xFF, 0, 1).text == "All (0xff)"
    assert enum({0xFF: "All"})("k", 3, 0, 1).text == "unknown (3)"
    assert enum({0xFF: "All"})("k", 3, 0, 1).severity == "warning"
    assert reserved("r", 0, 0, 1).note is None
    assert reserved("r", b"\0\1", 0, 2).severity == "warning"
    assert version_number("v", 0x1100, 0, 2).text == "1.1"
    assert version_number("v", 0x1123, 0, 2).text == "1.1.2.3"
    assert slot("s", 0xFF, 0, 1).text == "provisioned public key (0xff)"
    assert slot("s", 8, 0, 1).severity == "warning"
    assert slots("m", 0x13, 0, 1).text == "0x13 (slots 0, 1, 4)"
    assert hexed(b"") == "none"
    assert hexed(bytes(65)).endswith("... (65 bytes)")


def test_detached_has_no_offsets() -> None:
    made = detached(node("a", None, "", 4, 2, (node("b", 1, "1", 4, 1),)))
    assert [n.offset for n in made.walk()] == [None, None]
    assert [n.size for n in made.walk()] == [2, 1]
