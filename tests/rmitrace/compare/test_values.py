"""What counts as the same value, and what objects are called."""

from __future__ import annotations

import pytest

from rmitrace.compare.registers import Holds, kinds, role
from rmitrace.compare.values import alike


@pytest.mark.parametrize(
    ("a", "b", "same"),
    [
        (5, 5, True),
        (5, 6, False),
        (0x88001000, 0x9F001000, True),  # the same place in another page
        (0x88001008, 0x9F001010, False),
        (0x1000, 0x2000, False),  # too small for an address
        (None, 5, False),
        (b"ab", b"ab", True),
    ],
)
def test_addresses_are_alike(a: object, b: object, same: bool):
    assert alike(a, b) is same


@pytest.mark.parametrize(
    ("number", "name"), [(0, "pdev A"), (25, "pdev Z"), (26, "pdev AA"), (27, "pdev AB"), (701, "pdev ZZ"), (-1, "-")]
)
def test_names_of_objects(number: int, name: str):
    assert role("pdev", number) == name


def test_how_registers_are_compared():
    args, outs, objects = kinds(0xC40001F1, "2.0-bet3")  # GRANULE_RANGE_DELEGATE (base, top) -> out_top; may start an operation
    assert (args[1], args[2]) == (Holds.ADDRESS, Holds.SIZE)
    assert {(o.name, o.reg, o.how) for o in outs if "RMI_SUCCESS" in o.valid_on} == {("out_top", 1, Holds.SIZE)}
    assert ("handle", 1, Holds.IGNORED) in {(o.name, o.reg, o.how) for o in outs if "RMI_INCOMPLETE" in o.valid_on}
    args, _, objects = kinds(0xC400015D, "2.0-bet3")  # RTT_CREATE (rd, rtt, ipa, level)
    assert [args[n] for n in (1, 2, 3, 4)] == [Holds.OBJECT, Holds.ADDRESS, Holds.IPA, Holds.SCALAR]
    assert objects == {1: "realm"}
    args, outs, _ = kinds(0xC40001F5, "2.0-bet3")  # RTT_DATA_MAP (rd, base, top, flags, oaddr) -> out_top: an IPA range
    assert (args[2], args[3], args[5]) == (Holds.IPA, Holds.IPA, Holds.DESCRIPTOR)
    assert next(o.how for o in outs if o.name == "out_top") is Holds.IPA
