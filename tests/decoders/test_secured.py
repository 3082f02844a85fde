"""Secured messages against spdm_dump's text of the same runs, and against what TF-RMM's requester encrypted itself."""

from __future__ import annotations

import json
import random
import re
import tomllib
from pathlib import Path

import pytest
from hypothesis import given as generate
from hypothesis import strategies as st

from decoders.secured import decode_secured, inner, open_secured, use_secrets
from decoders.spdm import Session, decode_spdm
from tests.decoders.spdm_runs import RUNS, assert_covered, decoded, dumped, given, packets, settings

DATA = Path(__file__).parents[1] / "data" / "secured"
SAMPLES = Path(__file__).parents[2] / "captures" / "spdm"
REUSED = "doe_v12_load_state"  # goes on with the negotiation of doe_v12_save_state
LINE = re.compile(
    r"^(\d+) \(\d+\) (?:PCI_DOE|MCTP)\([^)]*\) (REQ->RSP|RSP->REQ) SecuredSPDM\((0x[0-9a-f]+)(?:, Seq=(0x[0-9a-f]+))?\) "
    r"(?:MCTP\((\d)\) )?(?:SPDM\(([0-9a-f]{2}), 0x([0-9a-f]{2})\) )?"
)


def messages_of(run: str, *codes: int) -> list[bytes]:
    """Clear messages of a run with these codes, the first of each."""
    first = {}
    for _, _, secured, data in packets(run):
        if not secured and data[1] in codes:
            first.setdefault(data[1], data)
    return [first[c] for c in codes]


@pytest.mark.parametrize("run", [r for r in RUNS if r != REUSED])
def test_every_message_decrypts_to_what_spdm_dump_says(run: str) -> None:
    got = {}
    for r in decoded(run):
        if not r.secured:
            continue
        assert r.opened is not None, (r.number, r.tree.children[-2].note)
        assert_covered(r.tree, len(r.data))
        plain = r.tree.child("PlainText")
        kind = plain.child("MessageType")
        message = inner(r.tree)
        code = message and (message.child("SPDMVersion").value, message.child("RequestResponseCode").value)
        sequence = r.tree.child("SequenceNumber")
        session = r.tree.child("SessionID").value
        assert sequence is None or sequence.value == r.opened.sequence & 0xFFFF
        assert not r.opened.skipped
        assert not r.opened.repeated
        got[r.number] = (r.opened.direction, session, sequence and sequence.value, kind and kind.value, code)
    compared = 0
    for line in dumped(run):
        found = LINE.match(line)
        if found is None or ("<Unknown>" in line and not found[6]):
            continue
        number, way, session, sequence, kind, version, code = found.groups()
        want = (
            "request" if way == "REQ->RSP" else "response",
            int(session, 16),
            sequence and int(sequence, 16),
            kind and int(kind),
            version and (int(version, 16), int(code, 16)),
        )
        assert got[int(number)] == want, line
        compared += 1
    unknown = sum("SecuredSPDM" in line and "<Unknown>" in line and "SPDM(1" not in line for line in dumped(run))
    if run != "doe_v14_mldsa65_mlkem768":  # spdm_dump stopped before its first secured message
        assert compared + unknown == len(got)


@pytest.mark.parametrize("run", [r for r in RUNS if settings(r).get("key_schedule_from_log")])
def test_keys_are_those_in_the_emulators_log(run: str) -> None:
    """Every secret, key and IV that was derived stands in the key schedule that the requester logged."""
    logged = {(name, value) for name, value in settings(run)["key_schedule_from_log"]}
    session = Session()
    list(decoded(run, vca_log(run), session))
    used = 0
    for secure in session.history:
        for (phase, direction), line in secure.keys.lines.items() if secure.keys else ():
            assert ("key", line.key.hex()) in logged, (phase, direction)
            assert ("iv", line.iv.hex()) in logged
            if not line.generation and not secure.psk:  # the secrets of PSK sessions are not logged
                assert (f"{direction}_{phase}_secret", line.secret.hex()) in logged
            used += 1
    assert bool(used) == any(r[2] for r in packets(run))


@pytest.mark.parametrize("path", sorted(SAMPLES.glob("*.pcap.toml")), ids=lambda p: p.name)
def test_keys_in_the_descriptions_of_the_sample_captures(path: Path) -> None:
    log = tomllib.loads(path.read_text()).get("keys")
    run = path.name.removesuffix(".pcap.toml")
    if log is None:
        assert run.startswith("tf-rmm") or not any(r[2] for r in packets(run))
        return
    assert all(r.opened for r in decoded(run, log) if r.secured)


def vca_log(run: str) -> object:
    if run != REUSED:
        return given(run)
    vca = messages_of("doe_v12_save_state", 0x84, 0x04, 0xE1, 0x61, 0xE3, 0x63)
    sizes = [4, 8, 20, 20, 48, 52]  # VERSION has one entry; the lengths of the others are in section 7 of the layouts
    return f"PSK * {given(run)['psk'][0]}\nVCA {' '.join(m[:n].hex() for m, n in zip(vca, sizes, strict=True))}\n"


def test_reused_negotiation_needs_the_earlier_one() -> None:
    """The first message of the session, PSK_FINISH, cannot be decrypted without the VCA of the earlier connection."""
    refused = [r for r in decoded(REUSED) if r.secured]
    assert len(refused) == 6
    note = refused[0].tree.child("CipherText").note
    assert "negotiation (GET_VERSION to ALGORITHMS)" in note
    opened = [r for r in decoded(REUSED, vca_log(REUSED)) if r.secured]
    names = [inner(r.tree).name for r in opened]
    assert names == ["PSK_FINISH", "PSK_FINISH_RSP", "HEARTBEAT", "HEARTBEAT_ACK", "END_SESSION", "END_SESSION_ACK"]


@pytest.mark.parametrize("name", ["tf-rmm-head-nominal", "tf-rmm-alp16-nominal"])
def test_plain_texts_of_tf_rmm(name: str) -> None:
    """Plain text, direction, sequence number and keys are those that the requester noted while it ran."""
    notes = [json.loads(line) for line in (DATA / f"{name}.secured.jsonl").read_text().splitlines()]
    session = Session()
    use_secrets(session, {"dhe_secret": [n["dhe_secret"] for n in notes if "dhe_secret" in n]})
    got = []
    for line in (DATA / f"{name}.doe.jsonl").read_text().splitlines():
        exchange = json.loads(line)
        for data in (bytes.fromhex(exchange["req"]), bytes.fromhex(exchange["rsp"])):
            if exchange["doe_type"] == 1:
                decode_spdm(data, session=session)
            else:
                tree, opened = open_secured(data, session=session)
                assert_covered(tree, len(data))
                got.append((opened, session.sessions[tree.child("SessionID").value].keys))
    want = [n for n in notes if "plain" in n]
    assert len(got) == len(want)
    for (opened, keys), note in zip(got, want, strict=True):
        plain = bytes.fromhex(note["plain"])
        assert opened.plain[:2] == len(plain).to_bytes(2, "little")
        assert opened.plain[2:] == plain
        assert (opened.direction, opened.sequence, opened.phase) == (note["dir"], note["seqno"], note["phase"])
        line = keys.lines["data", note["dir"]]
        assert (line.key.hex(), line.iv.hex()) == (note["key"], note["salt"])


def test_key_material_of_a_requesters_own_log_is_a_key_log() -> None:
    """Its JSON lines, given as they are, and only the direction secrets of them."""
    notes = (DATA / "tf-rmm-head-nominal.secured.jsonl").read_text()
    data = json.loads(next(line for line in notes.splitlines() if '"data_key"' in line))
    forms = {
        "log": notes,
        "handshake secret": f"HANDSHAKE 0xffffffff {data['handshake_secret']}",
        "master secret": f"MASTER * {data['master_secret']}",
        "traffic": "\n".join(f"TRAFFIC * {d} data {data[f'{d}_data_secret']}" for d in ("request", "response")),
    }
    for form, log in forms.items():
        assert all(r is not None for r in exchange_with(log)), form


def exchange_with(secrets: object, *, clear: bool = True, skip: int = 0) -> list[object]:
    """The secured messages of a run, opened or not; without the clear ones before them where told."""
    session = Session()
    use_secrets(session, secrets)
    found = []
    for line in (DATA / "tf-rmm-head-nominal.doe.jsonl").read_text().splitlines():
        exchange = json.loads(line)
        for data in (bytes.fromhex(exchange["req"]), bytes.fromhex(exchange["rsp"])):
            if exchange["doe_type"] == 2:
                skip -= 1
                if skip < 0:
                    found.append(open_secured(data, session=session)[1])
            elif clear:
                decode_spdm(data, session=session)
    return found


def key_lines() -> str:
    notes = map(json.loads, (DATA / "tf-rmm-head-nominal.secured.jsonl").read_text().splitlines())
    return "\n".join(sorted({f"KEY 0xffffffff {n['dir']} {n['key']} {n['salt']}" for n in notes if "plain" in n}))


def test_keys_given_as_they_are_open_a_session_whose_beginning_is_missing() -> None:
    opened = exchange_with(key_lines(), clear=False, skip=7)  # the first left is response 3
    assert None not in opened
    assert (opened[0].direction, opened[0].sequence, opened[0].skipped) == ("response", 3, 3)


def test_missing_messages_are_counted_and_repeated_ones_recognised() -> None:
    secrets = given("doe_v12_measall")
    session = Session()
    use_secrets(session, secrets)
    kept, said = 0, []
    for _, _, secured, data in packets("doe_v12_measall"):
        if not secured:
            decode_spdm(data, session=session)
            continue
        kept += 1
        if kept in (5, 6, 7, 8):
            continue
        tree, opened = open_secured(data, session=session)
        assert opened is not None
        said.append((opened.skipped, opened.repeated, tree.note))
        if kept == 12:
            _, again = open_secured(data, session=session)
            assert again.repeated
            assert again.plain == opened.plain
            break
    # 1 to 4 opened, 5 to 8 left out: two requests and two responses are missing before 9 and 10
    assert [s[0] for s in said] == [0, 0, 0, 0, 2, 2, 0, 0]
    assert said[4][2] == "2 earlier request messages of this session are not in the capture"


@pytest.mark.parametrize(
    ("secrets", "severity", "expected"),
    [
        (None, "note", "no secrets given"),
        ({"dhe_secret": ["11" * 48]}, "error", "wrong secret: none of those given decrypts session 0xffffffff"),
        ({"psk": ["22" * 32]}, "note", "no DHE or KEM secret for session 0xffffffff"),
        ("DHE 0x12345678 " + "11" * 48, "note", "no DHE or KEM secret for session 0xffffffff"),
    ],
)
def test_why_a_message_is_not_decrypted(secrets: object, severity: str, expected: str) -> None:
    session = Session()
    if secrets is not None:
        use_secrets(session, secrets)
    for _, _, secured, data in packets("doe_v12_aead_chacha20_poly1305"):
        if not secured:
            decode_spdm(data, session=session)
            continue
        node = decode_secured(data, session=session).child("CipherText")
        assert node.severity == severity
        assert expected in node.note
        return


def test_the_right_secret_among_wrong_ones_in_any_order() -> None:
    run = "doe_v12_measall"
    log = "\n".join(
        [f"DHE * {s}" for s in ["ab" * 48, *reversed(given(run)["dhe_secret"]), "cd" * 48]]
        + [f"PSK * {s}" for s in ["ef" * 32, *reversed(given(run)["psk"])]]
    )
    assert all(r.opened for r in decoded(run, log) if r.secured)


def test_a_repeated_key_exchange_does_not_end_the_session() -> None:
    session = Session()
    use_secrets(session, given("doe_v12_aead_chacha20_poly1305"))
    exchange = messages_of("doe_v12_aead_chacha20_poly1305", 0xE4, 0x64)
    opened = 0
    for _, _, secured, data in packets("doe_v12_aead_chacha20_poly1305"):
        if not secured:
            decode_spdm(data, session=session)
            continue
        assert open_secured(data, session=session)[1] is not None
        opened += 1
        if opened == 2:
            for message in exchange:
                decode_spdm(message, session=session)
        if opened == 6:
            return


def test_a_damaged_message_does_not_end_the_session() -> None:
    session = Session()
    use_secrets(session, given("doe_v12_measall"))
    count = 0
    for _, _, secured, data in packets("doe_v12_measall"):
        if not secured:
            decode_spdm(data, session=session)
            continue
        count += 1
        if count == 9:
            bad = bytearray(data)
            bad[10] ^= 1
            node = decode_secured(bytes(bad), session=session).child("CipherText")
            assert node.severity == "error"
            assert "damaged" in node.note
        else:
            assert open_secured(data, session=session)[1] is not None
        if count == 20:
            return


def test_mac_only_data_is_shown_without_secrets_too() -> None:
    found = [r for r in decoded("doe_v12_maconly", {}) if r.secured]
    assert [r.opened for r in found] == [None] * len(found)
    names = [inner(r.tree).name for r in found]
    assert names == [inner(r.tree).name for r in decoded("doe_v12_maconly") if r.secured]
    assert found[0].tree.child("PlainText").note == "not authenticated: no secrets given"


def test_ide_keys_do_not_show_in_the_tree() -> None:
    seen = 0
    for r in decoded("err_tdisp_idekm_v12"):
        message = inner(r.tree) if r.secured else None
        km = next((n for n in message.walk() if n.name == "KEY_PROG"), None) if message is not None else None
        if km is None:
            continue
        key = km.child("Key")
        plain = r.opened.plain
        at = key.offset - r.tree.child("PlainText").offset
        secret = plain[at : at + key.size].hex()
        assert len(secret) >= 62
        assert secret[:32] not in json.dumps(r.tree.to_json())
        seen += 1
    assert seen >= 6


# hand-made records: 4 bytes session id, [2 sequence number], 2 length, cipher text and a tag of 16


def test_fields_of_a_record() -> None:
    record = bytes.fromhex("feff0100 1400") + bytes(range(4)) + b"\xaa" * 16 + b"\0\0"
    tree = decode_secured(record)
    assert tree.child("SessionID").value == 0x0001FFFE
    assert tree.find("SessionID.ReqSessionID").value == 0xFFFE
    assert tree.find("SessionID.RspSessionID").value == 0x0001
    assert tree.child("Length").value == 20
    assert (tree.child("CipherText").value, tree.child("CipherText").offset) == (bytes(range(4)), 6)
    assert (tree.child("MAC").value, tree.child("MAC").offset) == (b"\xaa" * 16, 10)
    assert tree.child("Padding").size == 2
    assert_covered(tree, len(record))


def test_mctp_has_a_sequence_number() -> None:
    record = bytes.fromhex("feff0100 0500 1200") + b"\x01\x02" + b"\xaa" * 16
    tree = decode_secured(record, binding="MCTP")
    assert tree.child("SequenceNumber").value == 5
    assert tree.child("CipherText").offset == 8


@pytest.mark.parametrize(
    ("record", "name", "expected"),
    [
        ("ffff", "SessionID", "4 bytes expected at 0x0, 2 there"),
        ("ffffffff14", "Length", "2 bytes expected at 0x4, 1 there"),
        ("ffffffff1400aabb", "CipherText", "20 bytes expected at 0x6, 2 there"),
        ("ffffffff0400aabbccdd", "Length", "no room for a MAC of 16 bytes"),
        ("ffffffff1000" + "aa" * 16 + "0000000000", "trailing", "5 bytes behind the end"),
        ("ffffffff1000" + "aa" * 16 + "01", "trailing", "1 bytes behind the end"),
    ],
)
def test_records_that_do_not_fit(record: str, name: str, expected: str) -> None:
    data = bytes.fromhex(record)
    tree = decode_secured(data)
    assert expected in tree.child(name).note
    assert_covered(tree, len(data))


@pytest.mark.parametrize("run", ["doe_v12_aead_chacha20_poly1305", "mctp_v12_measall", "doe_v12_maconly"])
def test_truncated_and_mutated(run: str) -> None:
    """Cut and changed records between the true ones: nothing is raised, every byte is covered, what follows decrypts."""
    rng = random.Random(run)
    session = Session()
    use_secrets(session, given(run))
    for _, binding, secured, data in packets(run):
        if not secured:
            decode_spdm(data, session=session)
            continue
        for cut in {rng.randrange(len(data)), rng.randrange(min(len(data), 12))}:
            assert_covered(decode_secured(data[:cut], session=session, binding=binding), cut)
        bad = bytearray(data)
        bad[rng.randrange(len(bad))] ^= 1 << rng.randrange(8)
        changed, opened = open_secured(bytes(bad), session=session, binding=binding)
        assert_covered(changed, len(bad))
        if opened is None:  # else the change was in the padding
            assert open_secured(data, session=session, binding=binding)[1] is not None


@generate(st.binary(max_size=80), st.sampled_from(["DOE", "MCTP", "TCP"]))
def test_any_bytes(data: bytes, binding: str) -> None:
    session = Session()
    use_secrets(session, f"DHE * 00ff\nKEY * request {'11' * 32} {'22' * 12}")
    assert_covered(decode_secured(data, session=session, binding=binding), len(data))
    assert_covered(decode_secured(data, binding=binding), len(data))
