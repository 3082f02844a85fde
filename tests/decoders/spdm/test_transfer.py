"""Encapsulated messages, chunks and errors, written by hand."""

from __future__ import annotations

import pytest

from decoders.spdm import Session
from decoders.spdm._transfer import ERRORS
from decoders.spdm.secure import MAX_LARGE
from tests.decoders.spdm.hand import HASH, decode, fill, get, negotiated, notes, value


def le(number: int, size: int) -> str:
    return number.to_bytes(size, "little").hex()


# encapsulated


def test_encapsulated_request_and_response() -> None:
    session = negotiated()
    tree = decode("12 6a 07 00 12 81 00 00", session)
    assert (value(tree, "RequestID"), get(tree, "GET_DIGESTS").offset) == (7, 4)
    assert tree.text == "GET_DIGESTS"
    assert session.channel.encapsulated == bytes.fromhex("12810000")
    reply = decode("12 eb 07 00 12 01 00 01" + fill(1, HASH), session)
    assert get(reply, "DIGESTS.Digest[0]").offset == 8


def test_acknowledgement_by_version() -> None:
    # 1.1 has no AckRequestID
    tree = decode("11 6b 02 01 11 82 00 00 0000 0004")
    assert get(tree, "GET_CERTIFICATE").offset == 4
    tree = decode("12 6b 02 01 01 000000 12 82 00 00 0000 0004")
    assert (value(tree, "AckRequestID"), get(tree, "GET_CERTIFICATE").offset) == (1, 8)
    assert decode("12 6b 00 00 02 000000").text == "done"
    number = decode("12 6b 00 02 02 000000 03")
    assert value(number, "ReqSlotNumber") == 3
    assert get(decode("12 6b 00 05 02 000000"), "PayloadType").severity == "warning"


def test_an_encapsulated_message_is_missing() -> None:
    assert any(n[1] == "error" for n in notes(decode("12 6b 02 01 01 000000")))


# chunks

LARGE = bytes.fromhex("12 e0 01 ff" + fill(9, 32) + "00")  # a GET_MEASUREMENTS of 37 bytes


def chunks(data: bytes, size: int, code: int = 0x85, version: int = 0x12, handle: int = 5) -> list[str]:
    """A large message in chunks of at most ``size`` bytes."""
    parts = [data[i : i + size] for i in range(0, len(data), size)]
    found = []
    for i, part in enumerate(parts):
        last = int(i == len(parts) - 1)
        total = le(len(data), 4) if i == 0 else ""
        seq = le(i, 4) if version >= 0x14 else le(i, 2) + "0000"
        found.append(f"{version:02x} {code:02x} {last:02x} {handle:02x} {seq} {le(len(part), 4)} {total} {part.hex()}")
    return found


@pytest.mark.parametrize("version", [0x12, 0x13, 0x14])
def test_a_large_request(version: int) -> None:
    session = negotiated()
    tree = None
    for i, chunk in enumerate(chunks(LARGE, 10, version=version)):
        tree = decode(chunk, session)
        assert notes(tree) == []
        assert value(tree, "ChunkSeqNo") == i
        assert (tree.child("LargeMessageSize") is not None) is (i == 0)
    assert tree is not None
    large = get(tree, "LargeMessage")
    assert (large.value, large.offset, large.text) == (LARGE, None, "37 bytes in 4 chunks")
    assert get(large, "GET_MEASUREMENTS.Nonce").value == b"\x09" * 32
    assert all(n.offset is None for n in large.walk())
    # the response to it comes inside the acknowledgement of the last chunk, and answers the whole
    assert session.channel.request == LARGE
    assert session.channel.sending is None
    seq = le(3, 4 if version >= 0x14 else 2)
    ack = decode(f"{version:02x} 05 00 05 {seq} 12 7f 01 00", session)
    assert get(ack, "ERROR.ErrorCode").text == "InvalidRequest (1)"


def test_a_large_response() -> None:
    session = negotiated()
    decode("12 81 00 00", session)
    error = decode("12 7f 0f 00 05", session)
    assert error.text == "LargeResponse: handle 0x05"
    answer = bytes.fromhex("12 01 00 03" + fill(1, HASH) + fill(2, HASH))
    tree = None
    for i, chunk in enumerate(chunks(answer, 40, code=0x06)):
        decode(f"12 86 00 05 {le(i, 2)}", session)
        tree = decode(chunk, session)
        assert notes(tree) == []
    assert tree is not None
    assert value(tree, "LargeMessage.DIGESTS.Digest[1]") == b"\2" * HASH
    assert session.chain_hashes["responder", 1] == b"\2" * HASH


def test_chunks_that_do_not_come_together() -> None:
    parts = chunks(LARGE, 10)
    lost = negotiated()
    decode(parts[0], lost)
    assert decode(parts[2], lost).note == "not put together: chunk 2, but 1 was expected"
    assert decode(parts[3], lost).child("LargeMessage") is None
    middle = decode(parts[3], negotiated())
    assert (middle.note, middle.severity) == ("not put together: its first chunk is not in this capture", "note")
    other = negotiated()
    decode(parts[0], other)
    assert decode(parts[1].replace("12 85 00 05", "12 85 00 06"), other).child("LargeMessage") is None
    short = negotiated()
    for part in (parts[0].replace(le(37, 4), le(99, 4)), *parts[1:3]):
        decode(part, short)
    assert decode(parts[3], short).note == "not put together: 37 bytes in all, 99 were announced"
    long = negotiated()
    assert decode(parts[0].replace(le(37, 4), le(5, 4)), long).note == "not put together: more than the 5 bytes announced"


def test_a_chunk_sent_again() -> None:
    session = negotiated()
    parts = chunks(LARGE, 10)
    tree = None
    for i in (0, 1, 1, 2, 3):
        tree = decode(parts[i], session)
    assert tree is not None
    assert value(tree, "LargeMessage") == LARGE


def test_a_size_that_is_only_announced_takes_no_memory() -> None:
    session = negotiated()
    decode(f"12 85 00 05 0000 0000 {le(4, 4)} {le(0xFFFFFFFF, 4)} 12810000", session)
    assert session.channel.sending is not None
    assert len(session.channel.sending.data) == 4
    tree = decode(f"12 85 00 05 0100 0000 {le(0x7FFFFFFF, 4)} 00", session)
    assert get(tree, "SPDMchunk").severity == "error"
    assert MAX_LARGE < 0xFFFFFFFF


def test_each_secure_session_has_its_own_chunks() -> None:
    session = negotiated()
    parts = chunks(LARGE, 20)
    decode(parts[0], session)
    assert session.channel.sending is not None
    outside = Session()
    assert decode(parts[1], outside).child("LargeMessage") is None


def test_acknowledgement_without_response() -> None:
    session = negotiated()
    decode(chunks(LARGE, 10)[0], session)
    tree = decode("12 05 00 05 0000 0000", session)  # two bytes of padding, no response
    assert [n.name for n in tree.children[4:]] == ["ChunkSeqNo", "padding"]
    early = decode("12 05 01 05 0000 12 7f 01 00", session)
    assert value(early, "Param1.EarlyErrorDetected") == 1
    assert early.child("ERROR") is not None


# errors


def test_error_codes() -> None:
    """Codes of DSP0274 1.4, 'Error code and error data'."""
    assert {code: ERRORS[code] for code in (1, 3, 4, 5, 6, 7, 0x0A, 0x0C, 0x41, 0x42, 0x43, 0xFF)} == {
        1: "InvalidRequest",
        3: "Busy",
        4: "UnexpectedRequest",
        5: "Unspecified",
        6: "DecryptError",
        7: "UnsupportedRequest",
        0x0A: "SessionLimitExceeded",
        0x0C: "ResetRequired",
        0x41: "VersionMismatch",
        0x42: "ResponseNotReady",
        0x43: "RequestResynch",
        0xFF: "VendorDefined",
    }
    assert get(decode("12 7f 99 00"), "ErrorCode").severity == "warning"


def test_response_not_ready() -> None:
    tree = decode("12 7f 42 00 14 83 07 02")  # 2^20 us
    assert [(n.name, n.value) for n in tree.children[4:]] == [
        ("RDTExponent", 20),
        ("RequestCode", 0x83),
        ("Token", 7),
        ("RDTM", 2),
    ]
    assert tree.text == "ResponseNotReady: CHALLENGE, token 0x07, ready in 1048576 us"
    assert get(decode("12 7f 42 00 14 83 07 01"), "RDTM").severity == "warning"
    assert any(n[1] == "error" for n in notes(decode("12 7f 42 00 14 83")))


def test_errors_with_more_to_say() -> None:
    assert decode("12 7f 07 e1").text == "UnsupportedRequest: GET_CAPABILITIES"
    assert decode("14 7f 12 00 00100000").text == "DataTooLarge: chain of 4096 bytes"
    assert decode("12 7f 0d 00 00200000").text == "ResponseTooLarge: 8192 bytes"
    vendor = decode("12 7f ff 03 02 0100 aabb")
    assert (value(vendor, "VendorID"), value(vendor, "OpaqueErrorData")) == (b"\1\0", b"\xaa\xbb")
    assert vendor.text == "VendorDefined: PCI-SIG"
    assert decode("12 7f 01 00").text == "InvalidRequest"


def test_respond_if_ready() -> None:
    tree = decode("12 ff 83 07")
    assert tree.text == "CHALLENGE, token 0x07"
    assert (value(tree, "RequestCode"), value(tree, "Token")) == (0x83, 7)
