from __future__ import annotations

from decoders.tree import Node
from rmitrace.report.model import Shown
from rmitrace.report.redact import DEFAULT, Redactor
from rmitrace.report.trees import MAX_NODES, Trees, block, private_kind


def test_bytes_in_rows_with_what_is_private_as_dots() -> None:
    shown = block(Shown("t"), bytes(range(0x41, 0x61)), {1, 17})
    assert shown.lines == (
        "0000  41 ·· 43 44 45 46 47 48  49 4a 4b 4c 4d 4e 4f 50  A·CDEFGHIJKLMNOP",
        "0010  51 ·· 53 54 55 56 57 58  59 5a 5b 5c 5d 5e 5f 60  Q·STUVWXYZ[\\]^_`",
    )


def test_rows_of_zeros_are_counted() -> None:
    shown = block(Shown("t"), b"\1" + bytes(4094) + b"\2", set())
    assert [line.split()[0] for line in shown.lines] == ["0000", "4064", "0ff0"]
    assert shown.left == ""


def test_what_is_long_is_cut_and_says_so() -> None:
    shown = block(Shown("t"), bytes([7]) * 4096, set())
    assert len(shown.lines) == 64
    assert shown.left == f"{4096 - 1024} more bytes are left out"


def test_a_private_field_hides_its_bytes_and_what_quotes_it() -> None:
    nonce = bytes(range(32))
    tree = Node("", children=(
        Node("CHALLENGE", None, f"nonce {nonce[:8].hex(' ')}", 0, 36, (
            Node("Param1", 1, "1", 0, 4),
            Node("Nonce", nonce, nonce[:16].hex(" "), 4, 32),
        )),
    ))  # fmt: skip
    trees = Trees(Redactor(DEFAULT))
    (challenge,) = trees.branches(tree)
    assert challenge.children[1].text == "nonce#1 (32 bytes)"
    assert "00 01" not in challenge.text
    assert trees.masked == set(range(4, 36))
    plain = Trees(Redactor(frozenset()))
    assert "00 01" in plain.branches(tree)[0].children[1].text
    assert plain.masked == set()


def test_an_address_that_became_a_name_is_hidden_in_its_bytes() -> None:
    r = Redactor(frozenset(("addresses",)))
    r.address(0x88001000, "pdev_ptr")
    trees = Trees(r)
    (leaf,) = trees.branches(Node("", children=(Node("pdev", 0x88001000, "0x88001000", 16, 8),)))
    assert leaf.text == "pdev_ptr#1"
    assert trees.masked == set(range(16, 24))


def test_a_tree_is_bounded() -> None:
    tree = Node("", children=tuple(Node(f"n{i}", i, str(i)) for i in range(2 * MAX_NODES)))
    shown = Trees(Redactor()).branches(tree)
    assert len(shown) == MAX_NODES + 1
    assert shown[-1].name == f"and {MAX_NODES} more"


def test_names_of_private_fields() -> None:
    assert private_kind("RandomData") == "nonces"
    assert private_kind("StartInterfaceNonce") == "nonces"
    assert private_kind("MeasurementSummaryHash") == "measurements"
    assert private_kind("serialNumber") == "serials"
    assert private_kind("pdev_ptr") is None
