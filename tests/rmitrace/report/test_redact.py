from __future__ import annotations

import pytest

from rmitrace.report.redact import DEFAULT, KINDS, Redactor, kinds_of

ALL = frozenset(KINDS)


def test_the_same_address_has_the_same_name_and_the_page_keeps_its_offset() -> None:
    r = Redactor(frozenset(("addresses",)))
    r.address(0x49500000, "pdev_ptr")
    r.address(0x49402000, "data_ptr")
    said = r.text("RMI_PDEV_COMMUNICATE(pdev_ptr=0x49500000, data_ptr=0x49402000) of pdev:0x49500000, byte 0x49402010")
    assert said == "RMI_PDEV_COMMUNICATE(pdev_ptr=pdev_ptr#1, data_ptr=data_ptr#1) of pdev:pdev_ptr#1, byte data_ptr#1+0x10"
    (hidden,) = r.hidden()
    assert (hidden.kind, hidden.values, hidden.places) == ("addresses", 2, 4)


def test_granules_beside_each_other_are_seen_to_be() -> None:
    r = Redactor(frozenset(("addresses",)))
    r.address(0x49500000, "pdev_ptr")
    r.address(0x49501000, "top", own=False)  # the end of the same granule
    r.address(0x49502000, "vdev_ptr")  # an object of its own
    assert r.text("base=0x49500000, top=0x49501000, vdev_ptr=0x49502000") == (
        "base=pdev_ptr#1, top=pdev_ptr#1+0x1000, vdev_ptr=vdev_ptr#1"
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("SMC_RMI_PDEV_STOP 883a00000 > RMI_ERROR_DEVICE", "SMC_RMI_PDEV_STOP addr#1 > RMI_ERROR_DEVICE"),
        ("x30 ffff800081234568 sp", "x30 addr#1+0x568 sp"),
        ("0xc4000175 is RMI_PDEV_COMMUNICATE", "0xc4000175 is RMI_PDEV_COMMUNICATE"),  # function id, DEN0137
        ("9.759756 [000] python3-1423456", "9.759756 [000] python3-1423456"),
        ("base 0x123, all ones 0xffffffffffffffff", "base 0x123, all ones 0xffffffffffffffff"),
        ("SMC_RMI_PDEV_GET_STATE 2a4000000SMC_RSI_VERSION 10000", "SMC_RMI_PDEV_GET_STATE addr#1SMC_RSI_VERSION 10000"),
        ("session failed with status 0x80040001", "session failed with status 0x80040001"),  # libspdm
        ("ESR_EL2: 0x96000045 FAR_EL2: 0x0000000088001010", "ESR_EL2: 0x96000045 FAR_EL2: addr#1+0x10"),
        ("facade decade added", "facade decade added"),
    ],
)
def test_what_is_taken_for_an_address(text: str, shown: str) -> None:
    assert Redactor(frozenset(("addresses",))).text(text) == shown


def test_numbers_that_are_told_to_be_none_stay() -> None:
    r = Redactor(frozenset(("addresses",)))
    r.number(0x300000001)
    assert r.text("value=0x300000001") == "value=0x300000001"


@pytest.mark.parametrize(
    ("kind", "text", "gone"),
    [
        ("hosts", "Nov 26 07:00:22 build-17 kernel: kvm", "build-17"),
        ("hosts", "2026-11-26T07:00:22.123+01:00 lab.example.org kernel: x", "lab.example.org"),
        ("hosts", "Linux version 6.12 (joe@lab7.example.org)", "joe@lab7"),
        ("hosts", "from 192.168.17.4 and 52:54:00:12:34:56", "192.168.17.4"),
        ("hosts", "from 192.168.17.4 and 52:54:00:12:34:56", "52:54:00"),
        ("paths", "ASSERT: /srv/joe/tf-rmm/lib/granule.c:77", "/srv/joe/tf-rmm"),
        ("serials", "Serial Number: PF3K9-22", "PF3K9"),
        ("keys", "K_SET key 00112233445566778899aabbccddeeff", "8899aabb"),
        ("keys", "iv: 00 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff", "88 99"),
        ("keys", "  Key_DW0: 0x5b67c310", "5b67c310"),
        ("keys", "IV[1]=0011223344556677", "0011223344556677"),
        ("nonces", "Nonce: 0x00,0x11,0x22,0x33,0x44,0x55,0x66,0x77,0x88,0x99,0xaa,0xbb,0xcc,0xdd,0xee,0xff", "0x88"),
        ("measurements", "measurement 1: 00112233445566778899aabbccddeeff", "8899aabb"),
        ("tasks", "12.5 [001] kworker/u8:3-91  RMI_VERSION", "kworker"),
    ],
)
def test_each_kind_in_a_line(kind: str, text: str, gone: str) -> None:
    r = Redactor(frozenset((kind,)))
    r.task("kworker/u8:3")
    assert gone in text
    assert gone not in r.text(text)
    assert [h.kind for h in r.hidden()] == [kind]
    assert gone in Redactor(frozenset()).text(text)


def test_a_file_keeps_its_name() -> None:
    assert Redactor(frozenset(("paths",))).text("/srv/joe/tf-rmm/lib/granule.c:77") == "path#1/granule.c:77"


def test_known_bytes_are_found_in_other_texts() -> None:
    r = Redactor(DEFAULT)
    name = r.known(bytes(range(32)), "nonces")
    assert r.text("sent " + bytes(range(32)).hex(" ")) == f"sent {name}"
    assert bytes(range(32)).hex() not in r.text("page 00" + bytes(range(32)).hex() + "ff")


def test_a_secret_register_is_hidden_wherever_it_stands() -> None:
    r = Redactor(DEFAULT)
    r.secret(0x0011223344556677)
    assert r.text("SMC_IDE_KEY_PROG 11223344556677 and 0x0011223344556677") == "SMC_IDE_KEY_PROG key#1 and key#1"


def test_raw_records_lose_their_bytes_and_keep_their_registers() -> None:
    r = Redactor(DEFAULT)
    assert r.raw('"data":"' + "00" * 4096 + '"') == '"data":"<4096 bytes>"'
    registers = "X00=00000000c4000150 0000000000000001 0000000000000002"
    assert r.raw(registers) == registers
    assert Redactor(frozenset()).raw("00" * 4096) == "00" * 4096


def test_everything_is_made_safe() -> None:
    assert Redactor(frozenset()).text("a\x1b[2J\u202eb\x9b\x00") == "a␛[2J\\u{202e}b\\x9b␀"
    assert Redactor(ALL).raw("a\x1b]52;c;aGk=\x07") == "a␛]52;c;aGk=␇"


def test_words_of_redact() -> None:
    assert kinds_of([]) == DEFAULT
    assert kinds_of(["addresses", "no-hosts,no-paths"]) == (DEFAULT | {"addresses"}) - {"hosts", "paths"}
    assert kinds_of(["addresses,no-hosts"]) == (DEFAULT | {"addresses"}) - {"hosts"}
    assert kinds_of(["all"]) == ALL
    assert kinds_of(["none", "keys"]) == {"keys"}
    with pytest.raises(ValueError, match="colour"):
        kinds_of(["colour"])
