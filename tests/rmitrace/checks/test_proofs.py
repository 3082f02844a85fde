"""What does not hold is found: one bit changed in what is signed, in signatures, verify data and certificates."""

from __future__ import annotations

from pathlib import Path

import pytest

from decoders.tree import Node
from rmitrace.capture.messages import Message
from rmitrace.capture.records import Finding
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, RUN, opened, packets, pcap, write

RULES = ("SPDM-SIGNATURE", "SPDM-VERIFY-DATA", "SPDM-SUMMARY-HASH", "SPDM-DIGEST", "CERT-CHAIN")
RECORD = 16
DOE = 8
FAILED = ["err_algo_hash", "err_raw_v12_doe", "err_version_mismatch"]
COMPLETED = sorted(p.stem for p in (DATA / "spdm").glob("*.pcap") if p.stem not in FAILED)


def keys_of(run: str) -> str:
    return (DATA / "spdm" / f"{run}.json").read_text()


def found(path: Path, keys: str | None, *rules: str, also: Path | None = None) -> list[Finding]:
    capture = opened(path, *([also] if also else []), keys=keys)
    return [f for f in capture.findings if f.rule in (rules or RULES)]


@pytest.mark.parametrize("run", COMPLETED)
def test_no_false_alarm(run: str) -> None:
    """The emulators went through with these, so everything in them holds."""
    path = DATA / "spdm" / f"{run}.pcap"
    assert found(path, keys_of(run)) == []
    unproven = [f for f in found(path, None) if f.severity == "note"]
    assert [f for f in found(path, None) if f not in unproven] == []
    assert len(unproven) == (run == "doe_v11_mut_wo_encap")  # the requester's chain is not on the wire


@pytest.mark.parametrize("run", FAILED)
def test_runs_that_failed_before(run: str) -> None:
    assert found(DATA / "spdm" / f"{run}.pcap", keys_of(run)) == []


@pytest.mark.parametrize("name", ["head-nominal", "head-errors", "head-doefail6", "alp16-nominal", "mid-nominal"])
def test_the_rmm_as_requester(name: str) -> None:
    """It verified KEY_EXCHANGE_RSP and CHALLENGE_AUTH and went on."""
    capture = opened(CAPTURES / "rmm" / f"tf-rmm-{name}.calls.jsonl.xz")
    assert [f for f in capture.findings if f.rule in RULES] == []
    assert any(n == "Signature" and v.outcome == "verified" for m in capture.conversations.all for n, v in m.proven)


def test_a_response_that_was_corrupted_under_way() -> None:
    """The device's fifth response was changed before it reached the RMM, which stopped there."""
    (one,) = found(CAPTURES / "rmm" / "tf-rmm-head-corrupt5.calls.jsonl.xz", None)
    assert (one.rule, one.severity) == ("SPDM-SIGNATURE", "error")
    assert one.message == (
        "CHALLENGE_AUTH: slot 0: Signature does not verify over M1/M2 with the key of the responder's slot 0, P-384; "
        "changed, signed with another key, or messages that it covers are missing"
    )
    assert one.calls


def test_a_message_that_is_not_the_same_in_two_sources(tmp_path: Path) -> None:
    """The recording of the calls and the packets of one run, of which one byte of the first CERTIFICATE is changed."""
    head, parts = pcap()
    at, changed = next((i, bytearray(p)) for i, p in enumerate(parts) if p[RECORD + DOE + 1] == 0x02)
    changed[RECORD + DOE + 40] ^= 0x30
    parts[at] = bytes(changed)
    path = write(tmp_path, "device.pcap", head + b"".join(parts))
    calls = CAPTURES / "rmm" / f"{RUN}.calls.jsonl.xz"
    (one,) = found(calls, None, "MESSAGE-CHANGED", also=path)
    assert (one.severity, len(one.calls)) == ("error", 1)
    here = changed[RECORD + DOE + 40]
    assert one.message.startswith("CERTIFICATE: slot 0, ")
    assert one.message.endswith(f"byte 40 is {here:#04x} in device.pcap, and {here ^ 0x30:#04x} in {calls.name}")
    assert found(calls, None, "MESSAGE-CHANGED", also=CAPTURES / "spdm" / f"{RUN}.pcap") == []


def test_signatures_that_cannot_be_verified_are_counted(tmp_path: Path) -> None:
    """Without CERTIFICATE and what asks for it (records 15 to 18) no key is known: said once, and not wrong."""
    data = (CAPTURES / "spdm" / "doe_v12_measall.pcap").read_bytes()
    kept = [p for i, p in enumerate(packets(data), 1) if i not in (15, 16, 17, 18, 31, 32)]
    some = found(write(tmp_path, "cut.pcap", data[:24] + b"".join(kept[:34])), None, "SPDM-SIGNATURE")
    assert [f.severity for f in some] == ["note"]
    assert some[0].message.startswith("3 signatures are not verified: the certificate chain of the responder's slot 0 is not")


def test_a_summary_hash_of_other_blocks(tmp_path: Path) -> None:
    """The signature is wrong too, and the hashes of CHALLENGE_AUTH before it and of the sessions after it. In SPDM 1.0 it
    is the only measurement."""
    record, at = place("doe_v10_measall", "MEASUREMENTS", "DMTFSpecMeasurementValue")
    rules = [(f.rule, f.severity) for f in flipped(tmp_path, "doe_v10_measall", record, at + 3)]
    assert sorted(rules) == [("SPDM-SIGNATURE", "error"), ("SPDM-SUMMARY-HASH", "warning")]


def test_a_request_for_a_certificate(tmp_path: Path) -> None:
    """PKCS #10: version, then the subject's name, of which a letter is changed."""
    record, at = place("err_v12_busy_measurements", "CSR", "CSRdata")
    (one,) = flipped(tmp_path, "err_v12_busy_measurements", record, at + 40)
    assert (one.rule, one.severity) == ("SPDM-SIGNATURE", "error")
    assert one.message.endswith("CSRdata does not verify with its own key")


def test_a_chain_to_be_installed(tmp_path: Path) -> None:
    run = "err_v12_busy_measurements"
    for field, at in (("RootHash", 3), ("Certificate[2]", 500)):
        record, start = place(run, "SET_CERTIFICATE", field)
        assert {f.rule for f in flipped(tmp_path, run, record, start + at)} == {"CERT-CHAIN"}


# every field


def place(run: str, name: str, field: str) -> tuple[int, int]:
    """The number of the record with the first message of that name, and where the first such field is in it."""
    for m in opened(DATA / "spdm" / f"{run}.pcap").conversations.decode():
        if m.name == name and m.tree is not None:
            return m.seq + 1, next(n.offset for n in m.tree.walk() if n.name == field and n.offset is not None)
    raise LookupError(name)


def flipped(folder: Path, run: str, number: int, at: int, bit: int = 1) -> list[Finding]:
    """The findings with one bit changed in a record (from 1), but for refusals, which the run has too."""
    data = (DATA / "spdm" / f"{run}.pcap").read_bytes()
    parts = packets(data)
    record = bytearray(parts[number - 1])
    record[RECORD + at] ^= bit
    parts[number - 1] = bytes(record)
    capture = opened(write(folder, "flipped.pcap", data[:24] + b"".join(parts)), keys=keys_of(run))
    return [f for f in capture.findings if f.rule != "SPDM-ERROR"]


def fields(m: Message) -> list[int]:
    """Offsets of every leaf's first and last byte, those of a transport's padding left out."""
    found: set[int] = set()
    for n in (m.tree or Node("")).leaves():
        if n.offset is not None and n.size and n.offset >= DOE and n.name.lower() != "padding":
            found |= {n.offset, n.offset + n.size - 1}
    return sorted(found)


def covered(run: str) -> list[tuple[int, Message]]:
    """Records that a signature, verify data or a MAC covers, and the chains: what is left are discovery, DIGESTS and
    CERTIFICATE that no CHALLENGE followed, the encapsulation and requests that were answered with ERROR."""
    messages = opened(DATA / "spdm" / f"{run}.pcap", keys=keys_of(run)).conversations.decode()
    challenge = next((m.seq for m in messages if m.name == "CHALLENGE_AUTH"), -1)
    out = []
    for m in messages:
        identity = m.name in ("GET_DIGESTS", "DIGESTS", "GET_CERTIFICATE", "CERTIFICATE") and m.seq > challenge
        refused = m.name == "ERROR" or (m.partner is not None and m.partner.name == "ERROR")
        if m.secured or not (m.name.startswith("DOE") or identity or refused or m.name in UNSIGNED):
            out.append((m.seq + 1, m))
    return out


UNSIGNED = ("GET_CSR", "CSR", "SET_CERTIFICATE", "SET_CERTIFICATE_RSP")


@pytest.mark.slow
@pytest.mark.parametrize(("run", "records"), [("doe_v10_measall", (1, 28)), ("err_v12_busy_measurements", (29, 46))])
def test_a_changed_bit_in_any_field_is_found(tmp_path: Path, run: str, records: tuple[int, int]) -> None:
    """From GET_VERSION to the signed MEASUREMENTS of one run; a whole secure session of the other."""
    missed, count = [], 0
    for number, m in covered(run):
        for i, at in enumerate(fields(m)):
            if not records[0] <= number <= records[1] or (m.name == "CERTIFICATE" and i > 40 and i % 9):
                continue  # the fields of X.509 are many
            count += 1
            if not flipped(tmp_path, run, number, at, 1 << (i + number) % 8):
                missed.append((number, m.name, at))
    assert missed == []
    assert count > 250
