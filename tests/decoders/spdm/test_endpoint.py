"""Endpoint info and events, written by hand."""

from __future__ import annotations

from decoders.tree import Node
from tests.decoders.spdm.hand import REQ_SIGNATURE, SIGNATURE, decode, fill, get, negotiated, notes, value

# one identifier: 1 + (2 + 1 + (1 + 3)) bytes, as libspdm's sample device has it
INFO = "01 000000 07 00 00 01 03 123456"


def answer(info: str, signature: int = 0) -> str:
    size = (len(info.replace(" ", "")) // 2).to_bytes(4, "little").hex()
    nonce = fill(3, 32) if signature else ""
    return f"13 07 00 01 00000000 {nonce} {size} {info} {fill(4, signature)}"


def ask(signed: bool) -> str:
    return f"13 87 01 01 {int(signed):02x} 000000" + (fill(2, 32) if signed else "")


def test_device_class_identifier() -> None:
    session = negotiated()
    assert decode(ask(False), session).text == "DeviceClassIdentifier, slot 1"
    tree = decode(answer(INFO), session)
    assert notes(tree) == []
    element = get(tree, "EPInfo.IdentifierElement[0]")
    assert (element.text, element.offset, element.size) == ("DMTF", 17, 7)  # 4 + 4 + 4 of length + 4 + 1
    assert value(element, "SubIdentifier[0]") == bytes.fromhex("123456")


def test_signed_endpoint_info() -> None:
    session = negotiated()
    decode(ask(True), session)
    tree = decode(answer(INFO, SIGNATURE), session)
    assert [n.name for n in tree.children[5:]] == ["Nonce", "EPInfoLen", "EPInfo", "Signature"]
    # by the requester, where it is encapsulated
    decode("13 6a 01 00" + ask(True), session)
    inner = decode("13 eb 01 00" + answer(INFO, REQ_SIGNATURE), session)
    assert get(inner, "ENDPOINT_INFO.Signature").size == REQ_SIGNATURE


def test_endpoint_info_without_its_request() -> None:
    assert decode(answer(INFO), negotiated()).child("Nonce") is None
    tree = decode(answer(INFO, SIGNATURE), negotiated())
    assert (get(tree, "Nonce").size, get(tree, "Signature").size) == (32, SIGNATURE)


def test_lengths() -> None:
    assert get(decode("13 07 00 01 00000000 ff000000 aabb"), "EPInfo").severity == "error"
    session = negotiated()
    decode(ask(False), session)
    odd = decode(answer(INFO.replace("07 00 00", "ff 00 00")), session)
    assert any(n[1] == "error" for n in notes(odd))


# DMTF's group: body 0, no vendor id, 2 types, version 1, attributes; then EventLost and CertificateChanged
GROUP = "00 00 0200 0100 00000000 0100 0000 0400 0000"


def test_supported_event_types() -> None:
    assert decode("13 e2 00 00").name == "GET_SUPPORTED_EVENT_TYPES"
    tree = decode("13 62 01 00 12000000" + GROUP)
    assert get(tree, "EventGroupsList").text == "DMTF (EventLost, CertificateChanged)"
    assert notes(tree) == []
    vendor = decode("13 62 01 00 10000000 03 02 0100 0100 0100 00000000 0700 0000")
    assert get(vendor, "EventGroupsList").text == "PCI-SIG 0x0001 (7)"


def test_subscribe() -> None:
    tree = decode("13 f0 01 00 12000000" + GROUP)
    assert get(tree, "SubscribeList.EventGroup[0].EventType[1]").text == "CertificateChanged"
    none = decode("13 f0 00 00")  # libspdm leaves the list out
    assert none.text == "nothing"
    assert decode("13 70 00 00").name == "SUBSCRIBE_EVENT_TYPES_ACK"


def event(number: int, kind: int, detail: str) -> str:
    size = len(bytes.fromhex(detail))
    return f"{number.to_bytes(4, 'little').hex()} 00000000 00 00 {kind:02x}00 {size:02x}00 {detail}"


def details(tree: Node) -> list[str]:
    return [n.text for n in tree.children if n.name.startswith("Event[")]


def test_events() -> None:
    body = event(5, 1, "03000000 04000000") + event(6, 4, "07") + event(7, 2, fill(1, 32))
    tree = decode("13 f1 00 00 03000000" + body)
    assert details(tree) == ["5: DMTF EventLost", "6: DMTF CertificateChanged", "7: DMTF MeasurementChanged"]
    assert value(tree, "Event[0].EventDetail.LastLostEventInstID") == 4
    assert notes(tree) == []
    assert decode("13 71 00 00").name == "EVENT_ACK"


def test_fewer_events_than_said() -> None:
    tree = decode("13 f1 00 00 09000000" + event(5, 4, "07"))
    assert any(n[1] == "error" and "9 said to be there" in (n[2] or "") for n in notes(tree))
