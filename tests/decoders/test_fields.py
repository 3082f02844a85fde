"""Texts of values: what each number means is from DEN0137, bit positions worked out by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

import decoders
from decoders import fields
from decoders.tree import Node


def text(type: str, value: int, revision: str = "1.1-alp17") -> str:
    return fields.decode(decoders.profile(revision), "f", type, value).text


@pytest.mark.parametrize(
    ("type", "value", "revision", "want"),
    [
        ("RmiPdevState", 1, "1.1-alp17", "PDEV_NEEDS_KEY (1)"),
        ("RmiPdevState", 4, "1.1-alp17", "PDEV_IDE_RESETTING (4)"),  # the same number has another meaning in 2.0
        ("RmiPdevState", 4, "2.0-bet3", "PDEV_STOPPED (4)"),
        ("RmiRecExitReason", 8, "2.0-bet1", "EXIT_VDEV_REQUEST (8)"),
        ("RmiRecExitReason", 8, "2.0-bet3", "EXIT_VDEV_VALIDATE_MAPPING (8)"),
        ("PsciReturnCode", (1 << 64) - 2, "2.0-bet3", "PSCI_INVALID_PARAMETERS (-2)"),
        ("PsciReturnCode", (1 << 32) - 2, "2.0-bet3", "PSCI_INVALID_PARAMETERS (-2)"),
        ("PsciReturnCode", 0, "2.0-bet3", "PSCI_SUCCESS (0)"),
        ("Address", 0x88001000, "1.0-rel0", "0x88001000"),
        ("Bits64", 0, "1.0-rel0", "0x0"),
        ("UInt64", 4096, "1.0-rel0", "4096"),
        ("Int64", (1 << 64) - 1, "1.0-rel0", "-1"),
        ("NoSuchType", 17, "1.0-rel0", "0x11"),
        ("RmiInterfaceVersion", 0x10000, "1.0-rel0", "1.0"),
        ("RmiInterfaceVersion", 0x20003, "1.0-rel0", "2.3"),
        # bit 0 spdm, bit 1 ncoh_ide, bits [8:7] category, 1 CMEM_CXL
        ("RmiPdevFlags", 0b0_0000_0011, "1.1-alp17", "spdm | ncoh_ide | category=SMEM"),
        ("RmiPdevFlags", 0b0_1100_0001, "1.1-alp17", "spdm | trust=COMP | category=CMEM_CXL"),
        # 2.0: bits [2:1] category, 1 ENDPOINT_ACCEL_OFF_CHIP
        ("RmiPdevFlags", 0b011, "2.0-bet3", "spdm | category=ENDPOINT_ACCEL_OFF_CHIP"),
        ("RmiPdevFlags", 0, "2.0-bet3", "category=ROOT_PORT"),
        ("RmiDataFlags", 0, "1.0-rel0", "0x0"),
        ("RmiDataFlags", 1, "1.0-rel0", "measure"),
        ("RmiRecEnterFlags", 0b10001, "1.0-rel0", "emul_mmio | ripas_response=REJECT"),
        ("RmiRecEnterFlags", 0b00001, "1.0-rel0", "emul_mmio"),
        ("RmiDevCommExitFlags", 0x06, "1.1-alp17", "rsp_cache | req_send"),
        ("RmiDevCommExitFlags", 0x44, "2.0-bet1", "req_send | stream_wait"),
        # address 0x88001000, count 3 in [11:2], size 1 (BLOCK_L2) in [1:0], state UNDELEGATED in [63:62]
        (
            "RmiAddrRangeDesc",
            1 << 62 | 0x88001000 | 3 << 2 | 1,
            "2.0-bet3",
            "size=BLOCK_L2 | count=3 | addr=0x88001000 | state=UNDELEGATED",
        ),
        # count 64 in [15:2], contig in 16, state 2 in [18:17]
        ("RmiOpMemDonateReq", 2 << 17 | 1 << 16 | 64 << 2, "2.0-bet3", "size=PAGE_L3 | count=64 | contig | state=CONDITIONAL"),
        ("RmiFeatureRegister0", 1 << 42 | 48, "1.1-alp17", "S2SZ=48 | DA | RTT_PLANE=AUX"),
        ("RmiFeatureRegister1", 255, "1.1-alp17", "MAX_MECID=255"),
    ],
)
def test_text(type: str, value: int, revision: str, want: str) -> None:
    assert text(type, value, revision) == want


def test_bit_fields_are_children_in_the_bytes_that_hold_them() -> None:
    node = fields.decode(decoders.profile("1.1-alp17"), "flags", "RmiPdevFlags", 0x83, 0x20, 8)
    assert [(c.name, c.value, c.offset, c.size) for c in node.children][:3] == [
        ("spdm", 1, 0x20, 8),
        ("ncoh_ide", 1, 0x20, 8),
        ("ncoh_addr", 0, 0x20, 8),
    ]
    category = node.child("category")
    assert category is not None
    assert (category.value, category.text) == (1, "PDEV_CMEM_CXL (1)")
    assert (node.value, node.note) == (0x83, None)


def test_an_address_field_is_the_address() -> None:
    node = fields.decode(decoders.profile("2.0-bet3"), "entry", "RmiAddrRangeDesc4KB", 0x88001000 | 1 << 2)
    addr = node.child("addr")
    assert addr is not None
    assert (addr.value, addr.text) == (0x88001000, "0x88001000")


def noted(node: Node) -> tuple[str | None, str | None]:
    return node.note, node.severity


def test_undefined_bits() -> None:
    node = fields.decode(decoders.profile("2.0-bet3"), "flags", "RmiPdevFlags", 1 << 9 | 1 << 3 | 1)
    assert noted(node) == ("bits not defined in RmiPdevFlags: 0x208", "warning")


def test_a_set_without_fields() -> None:
    assert noted(fields.decode(decoders.profile("2.0-bet3"), "f", "RmiPdevStreamFlags", 0)) == (None, None)
    assert noted(fields.decode(decoders.profile("2.0-bet3"), "f", "RmiPdevStreamFlags", 1))[1] == "warning"


def test_unknown_enum_value() -> None:
    node = fields.decode(decoders.profile("2.0-bet3"), "state", "RmiPdevState", 8)
    assert (node.value, node.text) == (8, "unknown (8)")
    assert noted(node) == ("RmiPdevState has no value 8", "warning")


@pytest.mark.parametrize(("name", "want"), [("RMI_PDEV_NEW", "PDEV_NEW"), ("RSI_RAM", "RAM"), ("PSCI_DENIED", "PSCI_DENIED")])
def test_bare(name: str, want: str) -> None:
    assert fields.bare(name) == want


def test_brief() -> None:
    category = {0: "RMI_PDEV_SMEM", 1: "RMI_PDEV_CMEM_CXL"}
    assert [fields.brief(category, v) for v in (0, 1, 2)] == ["SMEM", "CMEM_CXL", "2?"]
    nested = {0: "RMI_OP_MEM", 1: "RMI_OP_MEM_MORE"}  # one name begins the other
    assert [fields.brief(nested, v) for v in (0, 1)] == ["MEM", "MEM_MORE"]
    assert fields.brief({7: "RMI_ONLY"}, 7) == "ONLY"


@given(st.data())
def test_any_value_of_any_type(data: st.DataObject) -> None:
    profile = decoders.profile(data.draw(st.sampled_from(decoders.REVISIONS)))
    type = data.draw(st.sampled_from(sorted(profile.names())))
    value = data.draw(st.integers(0, (1 << 64) - 1))
    node = fields.decode(profile, "f", type, value)
    assert node.value == value
    assert node.text
    known = profile.bitfields.get(type)
    if known is not None:  # the children put together are the word
        whole = sum(int(c.value or 0) << (0 if f.type == "Address" else f.lsb) for f, c in zip(known, node.children, strict=True))
        undefined = value - whole
        assert (node.note is not None) == bool(undefined)
