"""DER elements, with bytes and their meaning from X.690 and RFC 5280."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from decoders import der
from decoders.der import Field, Tlv


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ("0203010001", Tlv(2, 0, 2, 5)),
        ("308103 020105", Tlv(0x30, 0, 3, 6)),
        ("0500", Tlv(5, 0, 2, 2)),
        ("02", "expected a tag and a length at 0x0, 1 bytes left"),
        ("1f8101", "tag of more than one byte at 0x0"),
        ("3080", "length form 0x80 at 0x1 is not DER, or longer than 4 bytes"),
        ("3085 0000000001", "length form 0x85 at 0x1 is not DER, or longer than 4 bytes"),
        ("3082 01", "length cut at 0x1"),
        ("0404 0102", "OCTET STRING at 0x0 says 4 bytes, 2 are left"),
        ("3084 ffffffff 00", "SEQUENCE at 0x0 says 4294967295 bytes, 1 are left"),
    ],
)
def test_read(data: str, expected: object) -> None:
    raw = bytes.fromhex(data)
    assert der.read(raw, 0, len(raw)) == expected


@pytest.mark.parametrize(
    ("body", "dotted"),
    [
        ("2a864886f70d010101", "1.2.840.113549.1.1.1"),
        ("2b06010401831c821201", "1.3.6.1.4.1.412.274.1"),  # 0x83 0x1c = 3 * 128 + 28, 0x82 0x12 = 2 * 128 + 18
        ("550403", "2.5.4.3"),  # 0x55 = 2 * 40 + 5
        ("883703", "2.999.3"),  # first arc 2 may have a second above 39: 0x88 0x37 = 1079 = 2 * 40 + 999
        ("", ""),
        ("2a86", ""),
        ("81" * 100, ""),
    ],
)
def test_object_identifiers(body: str, dotted: str) -> None:
    assert der.oid_text(bytes.fromhex(body)) == dotted


@pytest.mark.parametrize(
    ("tag", "text", "expected", "severity"),
    [
        (0x17, b"500101000000Z", "1950-01-01T00:00:00Z", None),
        (0x17, b"491231235959Z", "2049-12-31T23:59:59Z", None),
        (0x18, b"20500101000000Z", "2050-01-01T00:00:00Z", None),
        (0x18, b"99991231235959Z", "9999-12-31T23:59:59Z", None),
        (0x17, b"5001010000Z", "5001010000Z", "warning"),
        (0x17, b"500101000000+0100", "500101000000+0100", "warning"),
        (0x18, b"", "", "warning"),
    ],
)
def test_times(tag: int, text: bytes, expected: str, severity: str | None) -> None:
    data = bytes([tag, len(text)]) + text
    node = der.time(data, Tlv(tag, 0, 2, len(data)), "t")
    assert (node.text, node.severity, node.size) == (expected, severity, len(data))


@pytest.mark.parametrize(
    ("tag", "body", "text"),
    [
        (0x0C, "Grüße".encode(), "Grüße"),
        (0x0C, b"\xff", "\\xff"),
        (0x13, b"ACME", "ACME"),
        (0x1E, b"\0A\x20\xac", "A€"),
        (0x16, b"\x1b[2J", "\x1b[2J"),  # as it is: whoever shows it makes it safe
    ],
)
def test_strings(tag: int, body: bytes, text: str) -> None:
    data = bytes([tag, len(body)]) + body
    assert der.string(data, Tlv(tag, 0, 2, len(data))) == text


def number(data: bytes, tlv: Tlv, name: str) -> der.Node:
    return der.leaf(tlv, name, data[tlv.body], "")


FIELDS = (Field("a", (2,), number), Field("b", (1,), der.boolean, True), Field("c", (2,), number))


@pytest.mark.parametrize(
    ("data", "names", "note"),
    [
        ("3009 020105 0101ff 020106", ["header", "a", "b", "c"], None),
        ("3006 020105 020106", ["header", "a", "c"], None),
        ("3003 020105", ["header", "a"], "expected c (INTEGER) at 0x5, found nothing"),
        ("3005 020105 0500", ["header", "a", "undecoded"], "expected c (INTEGER) at 0x5, found NULL"),
        ("3008 020105 020106 0500", ["header", "a", "c", "trailing"], "2 bytes behind the last element"),
    ],
)
def test_group(data: str, names: list[str], note: str | None) -> None:
    raw = bytes.fromhex(data)
    outer = der.read(raw, 0, len(raw))
    assert isinstance(outer, Tlv)
    node = der.group(raw, outer, "g", FIELDS)
    assert [c.name for c in node.children] == names
    assert node.children[-1].note == note
    assert sum(c.size for c in node.children) == len(raw)


def test_each_is_bounded() -> None:
    raw = b"\x30\x1e" + b"\x02\x01\x07" * 10
    outer = der.read(raw, 0, len(raw))
    assert isinstance(outer, Tlv)
    node = der.each(raw, outer, "e", lambda d, t, i: number(d, t, f"n[{i}]"), 4)
    assert [c.name for c in node.children] == ["header", "n[0]", "n[1]", "n[2]", "n[3]", "undecoded"]
    assert node.children[-1].size == 18


@given(st.binary(max_size=64))
def test_any_bytes(data: bytes) -> None:
    got = der.read(data, 0, len(data))
    if isinstance(got, Tlv):
        assert 0 < got.body <= got.end <= len(data)
        node = der.group(data, got, "g", FIELDS)
        assert sum(c.size for c in node.children) == got.end
        for decode in (der.any_value, der.oid, der.boolean, der.bit_string, der.time):
            decode(data, got, "x")
