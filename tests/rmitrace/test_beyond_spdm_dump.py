"""What DMTF's spdm_dump gets wrong or leaves out, point by point, on whole captures: here it is right.

The points are those seen when it was run on captures of DMTF's own emulators; what it prints of them is stored beside them.
"""

from __future__ import annotations

import gzip
import json
import struct
from pathlib import Path

import pytest

from decoders.tree import Node
from rmitrace.__main__ import main
from rmitrace.capture import Capture
from rmitrace.capture.messages import Message
from tests.decoders.spdm_runs import given, settings
from tests.rmitrace.capture.messages.runs import DATA, opened, write

SPDM = DATA / "spdm"
GET_VERSION = bytes.fromhex("01000100 03000000 10840000")


def secrets(run: str) -> str:
    return json.dumps(given(run))


def capture(run: str, keys: bool = True, reveal: bool = False) -> Capture:
    return opened(SPDM / f"{run}.pcap", keys=secrets(run) if keys else None, reveal=reveal)


def decoded(c: Capture) -> list[Message]:
    return c.conversations.decode()


def unknown(run: str) -> int:
    """Records of which spdm_dump could say nothing."""
    text = gzip.decompress((SPDM / f"{run}.spdm_dump.a.txt.gz").read_bytes()).decode()
    return sum(line.endswith("<Unknown> ") for line in text.splitlines())


def names(c: Capture) -> list[str]:
    return [m.title for m in decoded(c)]


def classic(packets: list[bytes], order: str = "<", magic: int = 0xA1B2C3D4, link: int = 292, snaplen: int = 65536) -> bytes:
    out = struct.pack(order + "IHHIIII", magic, 2, 4, 0, 0, snaplen, link)
    return out + b"".join(struct.pack(order + "IIII", 1_700_000_000 + i, 0, len(p), len(p)) + p for i, p in enumerate(packets))


def objects(run: str) -> list[bytes]:
    data, at, out = (SPDM / f"{run}.pcap").read_bytes(), 24, []
    while at < len(data):
        size = struct.unpack_from("<I", data, at + 8)[0]
        out.append(data[at + 16 : at + 16 + size])
        at += 16 + size
    return out


def test_1_large_vendor_messages_of_1_4() -> None:
    run = "doe_v14_measall"
    theirs = gzip.decompress((SPDM / f"{run}.spdm_dump.a.txt.gz").read_bytes()).decode()
    assert "LargeReq=0x80" in theirs
    assert "QUERY" not in theirs  # it reads the reserved bytes as a length
    vendor = [m.vendor for m in decoded(capture(run)) if m.vendor]
    earlier = [m.vendor for m in decoded(capture("doe_v13_measall")) if m.vendor]
    assert vendor == earlier  # the same steps as in 1.3, where the large form does not exist
    assert {"IDE_KM KEY_PROG", "TDISP LOCK_INTERFACE_REQUEST", "CXL_TSP GET_TARGET_CAPABILITIES"} <= set(vendor)


def test_2_a_key_update_outside_a_session() -> None:
    """It dies there; 53 records are in the file."""
    c = capture("err_raw_v12_doe")
    shown = names(c)
    assert len(shown) == settings("err_raw_v12_doe")["packets"] == 53
    assert shown[48] == "KEY_UPDATE"
    assert shown[49] == "ERROR"


def test_2_doubled_and_exchanged_records(tmp_path: Path) -> None:
    packets = objects("doe_v12_keyupd_all")
    for i in range(5, len(packets) - 2, 7):
        doubled = packets[:i] + [packets[i]] * 2 + packets[i + 1 :]
        swapped = [*packets[:i], packets[i + 1], packets[i], *packets[i + 2 :]]
        for changed in (doubled, swapped):
            c = opened(write(tmp_path, "a.pcap", classic(changed)), keys=secrets("doe_v12_keyupd_all"))
            assert len(decoded(c)) == len(changed)


def test_3_key_update_refused() -> None:
    run = "err_v12_busy_key_update"
    assert unknown(run) == 7
    messages = decoded(capture(run))
    assert all(m.inside is not None for m in messages if m.secured)
    busy = next(i for i, m in enumerate(messages) if m.name == "ERROR")
    after = [m.name for m in messages[busy - 1 :]]
    assert after[:6] == ["KEY_UPDATE", "ERROR", "KEY_UPDATE", "KEY_UPDATE_ACK", "KEY_UPDATE", "KEY_UPDATE_ACK"]


def test_4_quick_psk() -> None:
    run = "doe_v12_psk_veronly"
    assert unknown(run) == 4
    assert [m.name for m in decoded(capture(run)) if m.secured] == [
        "HEARTBEAT",
        "HEARTBEAT_ACK",
        "END_SESSION",
        "END_SESSION_ACK",
    ]


def test_4_a_negotiated_state_that_is_reused() -> None:
    """VCA of the connection that saved it: GET_VERSION to ALGORITHMS, in the clear there, each in a DOE object."""
    run = "doe_v12_load_state"
    assert unknown(run) == 6
    sizes = [4, 8, 20, 20, 48, 52]  # by DSP0274 1.2: two tables less than the padding shows
    vca = [p[8:][:n] for p, n in zip(objects("doe_v12_save_state")[6:12], sizes, strict=True)]
    log = f"PSK * {given(run)['psk'][0]}\nVCA {' '.join(m.hex() for m in vca)}\n"
    messages = decoded(opened(SPDM / f"{run}.pcap", keys=log))
    assert [m.name for m in messages if m.secured][-4:] == ["HEARTBEAT", "HEARTBEAT_ACK", "END_SESSION", "END_SESSION_ACK"]


def test_5_secured_messages_without_secrets() -> None:
    c = capture("doe_v12_psk_only", keys=False)
    secured = [m for m in decoded(c) if m.secured]
    assert len(secured) > 100
    assert {m.direction for m in secured} == {"request", "response"}
    tree = secured[0].tree
    assert tree is not None
    record = tree.child("SecuredMessage")
    assert record is not None
    assert [n.name for n in record.children][:4] == ["SessionID", "Length", "CipherText", "MAC"]
    assert record.child("CipherText").note == "not decrypted: no secrets given"  # type: ignore[union-attr]


ENHANCED = 6


def pcapng(packets: list[bytes], link: int) -> bytes:
    def block(kind: int, body: bytes) -> bytes:
        size = struct.pack("<I", 12 + len(body))
        return struct.pack("<I", kind) + size + body + size

    out = block(0x0A0D0D0A, struct.pack("<IHHq", 0x1A2B3C4D, 1, 0, -1)) + block(1, struct.pack("<HHI", link, 0, 262144))
    for i, p in enumerate(packets):
        ts = (1_700_000_000 + i) * 1_000_000
        head = struct.pack("<IIIII", 0, ts >> 32, ts & 0xFFFFFFFF, len(p), len(p))
        out += block(ENHANCED, head + p + bytes(-len(p) % 4))
    return out


@pytest.mark.parametrize(
    "form",
    ["big-endian", "nanoseconds", "snaplen", "user0", "user15", "290", "291", "pcapng", "pcapng-user3"],
)
def test_6_files_of_any_form(form: str, tmp_path: Path) -> None:
    packets = objects("doe_v12_psk_only")
    made = {
        "big-endian": lambda: classic(packets, ">"),
        "nanoseconds": lambda: classic(packets, magic=0xA1B23C4D),
        "snaplen": lambda: classic(packets, snaplen=262144),  # what editcap and Wireshark write
        "user0": lambda: classic(packets, link=147),
        "user15": lambda: classic(packets, link=162),
        "290": lambda: classic(packets, link=290),
        "291": lambda: classic(packets, link=291),
        "pcapng": lambda: pcapng(packets, 292),
        "pcapng-user3": lambda: pcapng(packets, 150),
    }[form]()
    c = opened(write(tmp_path, "a.pcap", made), keys=secrets("doe_v12_psk_only"))
    assert names(c) == names(capture("doe_v12_psk_only"))
    assert [m.tree for m in decoded(c)] == [m.tree for m in decoded(capture("doe_v12_psk_only"))]


def test_6_records_that_end_its_output_silently(tmp_path: Path) -> None:
    # a record of more than 65536 bytes: a DOE object of 17000 dwords, of which the message is 4 bytes
    long = bytes.fromhex("01000100") + struct.pack("<I", 17000) + bytes.fromhex("10840000") + bytes(17000 * 4 - 12)
    assert names(opened(write(tmp_path, "a.pcap", classic([GET_VERSION, long, GET_VERSION])))) == ["GET_VERSION"] * 3
    empty = opened(write(tmp_path, "b.pcap", classic([GET_VERSION, b"", GET_VERSION])))
    assert names(empty) == ["GET_VERSION"] * 2
    cut = opened(write(tmp_path, "c.pcap", classic([GET_VERSION, GET_VERSION])[:-2]))
    assert names(cut) == ["GET_VERSION"] * 2
    assert any("cut by the end of the file: 10 of 12 bytes" in f.message for f in cut.findings)


def test_6_types_with_connection_id(tmp_path: Path) -> None:
    packets = [p[:2] + bytes((p[2] + 2,)) + p[3:] for p in objects("doe_v12_psk_only") if p[2]]
    c = opened(write(tmp_path, "a.pcap", classic(packets)), keys=secrets("doe_v12_psk_only"))
    whole = [n for n in names(capture("doe_v12_psk_only")) if n != "DOE_DISCOVERY"]
    assert names(c) == whole


def test_7_lengths_and_reserved_bits(tmp_path: Path) -> None:
    wrong = bytes.fromhex("01000100 63000000 10840000")  # 99 dwords said, 3 are there
    (message,) = decoded(opened(write(tmp_path, "a.pcap", classic([wrong]))))
    notes = {n.name: n.note for n in walked(message) if n.note}
    assert notes["Length"] == "396 bytes, 12 are there"
    odd = bytes.fromhex("01000107 0300fc00 10840100")  # reserved: 7, bits 23:18 of the length, Param1
    (message,) = decoded(opened(write(tmp_path, "b.pcap", classic([odd]))))
    notes = {n.name: n.note for n in walked(message) if n.note}
    assert notes == {
        "Reserved": "reserved, should be zero",
        "Length": "reserved bits set: 0xfc0000",
        "Param1": "reserved, should be zero",
    }
    short = bytes.fromhex("01000100 05000000 12e10000 00000000 c2020200")  # GET_CAPABILITIES has 20 bytes
    c = opened(write(tmp_path, "c.pcap", classic([short])))
    (damage,) = [f for f in c.findings if f.rule == "SPDM-DAMAGED"]
    assert damage.message == "GET_CAPABILITIES: DataTransferSize: 4 bytes expected at 0x14, 0 there"


def walked(message: Message) -> list[Node]:
    assert message.tree is not None
    return list(message.tree.walk())


def test_8_pairs_and_times(tmp_path: Path) -> None:
    """Times below a second, and how long an answer took: half a second here."""
    answer = bytes.fromhex("01000100 05000000 1004000000010012 00000000")
    two = [(0, GET_VERSION), (500_000, answer)]
    head = struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 65536, 292)
    rows = b"".join(struct.pack("<IIII", 1_700_000_000, us, len(p), len(p)) + p for us, p in two)
    c = opened(write(tmp_path, "a.pcap", head + rows))
    decoded(c)
    (exchange,) = c.conversations.list[0].exchanges
    assert exchange.round_trip_ns == 500_000_000


def test_9_what_it_does_not_verify(tmp_path: Path) -> None:
    """One bit of a chain, of a signature and of verify data."""
    packets = objects("doe_v13_mut_basic_wo_encap")
    plain = {p[9]: i for i, p in reversed(list(enumerate(packets))) if p[2] == 1}

    def findings(code: int, at: int) -> set[str]:
        changed = list(packets)
        old = changed[plain[code]]
        changed[plain[code]] = old[:at] + bytes((old[at] ^ 1,)) + old[at + 1 :]
        c = opened(write(tmp_path, "a.pcap", classic(changed)), keys=secrets("doe_v13_mut_basic_wo_encap"))
        return {f.rule for f in c.findings if f.severity == "error"}

    good = opened(SPDM / "doe_v13_mut_basic_wo_encap.pcap", keys=secrets("doe_v13_mut_basic_wo_encap"))
    assert [f for f in good.findings if f.severity == "error"] == []
    assert {"SPDM-DIGEST", "CERT-CHAIN"} <= findings(0x02, 400)
    assert any("SIGNATURE" in rule for rule in findings(0x03, 8 + 4 + 48 + 32 + 48 + 2 + 8 + 10))  # in CHALLENGE_AUTH


def test_10_names_and_bodies() -> None:
    c = capture("err_tdisp_idekm_v12", reveal=True)
    words = [n.text for m in decoded(c) if m.tree is not None for n in m.tree.walk()]
    assert any(w.startswith("INVALID_INTERFACE_STATE (") for w in words)  # TDISP_ERROR's code
    assert any(w == "CONFIG_LOCKED (1)" for w in words)
    assert "Success (0)" in words  # KP_ACK
    assert "InvalidRequset" not in " ".join(words)
    keys = [n for m in decoded(c) if m.vendor == "IDE_KM KEY_PROG" for n in walked(m) if n.name in ("Key", "IFV")]
    assert {(n.name, n.size) for n in keys} >= {("Key", 32), ("IFV", 8)}
    assert all(isinstance(n.value, bytes) for n in keys)
    registers = [n for m in decoded(c) if m.vendor == "IDE_KM QUERY_RESP" for n in walked(m) if n.name == "IDERegisters"]
    assert registers
    assert registers[0].children[0].name == "Capability"


def test_11_events_and_slot_management(tmp_path: Path) -> None:
    """SEND_EVENT with one event of DMTF, CertificateChanged of slots 0x03, and SLOT_MANAGEMENT's supported sub codes."""
    event = "13f10000 01000000 07000000 00000000 00 00 0400 0100 03"
    slots = "14880000 0000 0000"
    found = []
    for text in (event, slots):
        body = bytes.fromhex(text)
        body += bytes(-len(body) % 4)
        found.append(bytes.fromhex("01000100") + struct.pack("<I", 2 + len(body) // 4) + body)
    messages = decoded(opened(write(tmp_path, "a.pcap", classic(found))))
    assert [m.name for m in messages] == ["SEND_EVENT", "SLOT_MANAGEMENT"]
    assert "7: DMTF CertificateChanged" in messages[0].spdm.text  # type: ignore[union-attr]
    assert "SupportedSubCodes" in messages[1].spdm.text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("run", "option"), [("doe_v14_ecdsa_mlkem512", "kem"), ("doe_v12_keyupd_all", "dhe"), ("doe_v12_psk_only", "psk")]
)
def test_secrets_on_the_command_line(run: str, option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """As spdm_dump takes them: in the order of the sessions, each kind by itself."""
    found = given(run)
    name = "psk" if option == "psk" else f"{option}_secret"
    words = [w for k in ("dhe_secret", "kem_secret", "psk") for s in found[k] for w in (f"--{k.replace('_', '-')}", s)]
    assert found[name]
    assert main(["messages", *words, str(SPDM / f"{run}.pcap")]) == 0
    shown = capsys.readouterr().out
    secured = sum(m.secured for m in decoded(capture(run, keys=False)))
    assert f"{secured} of {secured} secured messages decrypted" in shown
