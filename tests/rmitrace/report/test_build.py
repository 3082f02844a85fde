"""What a report says, held against the captures' own text and descriptions."""

from __future__ import annotations

import hashlib
import io
import re
from functools import cache
from pathlib import Path

import pytest

from rmitrace.capture import Capture, open_capture
from rmitrace.capture.messages.ide_keys import programmings
from rmitrace.report import Redactor, kinds_of, write
from rmitrace.report.build import build
from rmitrace.report.choose import MAX_CALLS
from rmitrace.report.model import Branch, Report

CAPTURES = Path(__file__).parents[3] / "captures"
CONNECT = CAPTURES / "ftrace" / "pdev-connect.trace.txt"
UART = CAPTURES / "mixed" / "rme-uart0.log"
CORRUPT = CAPTURES / "rmm" / "tf-rmm-head-corrupt5.calls.jsonl.xz"
GOOD = CAPTURES / "rmm" / "tf-rmm-head-nominal.calls.jsonl.xz"
SKEWED = [CAPTURES / "rmm" / "tf-rmm-alp16-nominal.calls.jsonl.xz", CAPTURES / "rmm" / "tf-rmm-head-loglevel40.log"]


@cache
def opened(*paths: Path) -> Capture:
    return open_capture([str(p) for p in paths])


def report(*paths: Path, redact: str = "") -> Report:
    return build(opened(*paths), Redactor(kinds_of([redact])))


def page(*paths: Path, form: str = "html", redact: str = "") -> str:
    out = io.StringIO()
    write(opened(*paths), out, form, Redactor(kinds_of([redact])))
    return out.getvalue()


def test_the_first_words_name_the_call_that_failed_and_the_log() -> None:
    r = report(CONNECT, UART)
    assert not r.verdict.good
    assert r.verdict.title.startswith("RMI_PDEV_COMMUNICATE: ")
    assert r.verdict.call is not None
    assert r.verdict.call.there
    assert r.verdict.said == ("rme-uart0.log: Creating secure session failed with status 0x80040001",)
    assert "step session" in r.verdict.within
    (main,) = [c for c in r.calls if c.main]
    raw = [line for b in main.raw for line in b.lines]
    text = CONNECT.read_text()
    assert all(line in text for line in raw[:2])
    assert raw[2].split()[:3] == ["SMC_RMI_PDEV_COMMUNICATE", "49500000", "49402000"]  # the RMM's row of the same call


def test_conditions_of_a_refused_call_are_told_once() -> None:
    r = report(CONNECT)
    stop = [f for f in r.items if f.calls and f.calls[0].line.startswith("RMI_PDEV_STOP")]
    assert len(stop) == 2  # the call, and the disconnect that failed with it
    assert stop[0].why is not None
    assert {c.id for c in stop[0].why.conditions} == {"pdev_state", "comm_state", "num_vdevs", "pdev_stream_live"}
    assert stop[1].why is None


def test_the_texts_of_a_rule_are_given_once() -> None:
    items = [f for f in report(CONNECT).items if f.rule == "SEQUENCE-FAILED"]
    assert [bool(f.reason) for f in items] == [True, False]


def test_keys_of_a_log_are_not_in_its_report() -> None:
    """The log prints the keys that it programs at both ends of the link."""
    log = CAPTURES / "spdm" / "tee-io-validator.log"
    words = set(re.findall(r"Key_DW\d: 0x([0-9a-f]{8})", log.read_text()))
    assert len(words) > 16
    keys = {p.key for p in programmings(opened(log), opened(log).conversations) if p.key}
    assert keys
    for form in ("html", "markdown"):
        digits = re.sub("[^0-9a-f]", "", page(log, form=form).lower())
        assert not any(w in digits for w in words)
        assert not any(k.hex()[:16] in digits for k in keys)


def test_a_good_run_says_that_nothing_is_wrong() -> None:
    r = report(GOOD)
    assert r.verdict.good
    assert r.items == []
    assert r.verdict.title == "Nothing wrong found"
    assert r.picture is not None
    assert r.picture.outcome == "ok"


def test_files_with_their_hashes() -> None:
    (f,) = report(CORRUPT).files
    assert f.sha256 == hashlib.sha256(CORRUPT.read_bytes()).hexdigest()
    assert f.size == CORRUPT.stat().st_size
    assert f.unpacked is not None
    assert f.unpacked > f.size


def test_skew_is_told_with_the_evidence_of_both_sides() -> None:
    r = report(*SKEWED)
    assert r.verdict.title == "Kernel and firmware speak different revisions"  # of no single call
    said = " ".join(text for text, _ in r.skews)
    assert "the kernel of tf-rmm-alp16-nominal.calls.jsonl.xz speaks 1.1-alp17" in said
    assert "the firmware of tf-rmm-head-loglevel40.log 2.0-bet" in said
    assert any("RMI_PDEV_AUX_COUNT" in b for _, bites in r.skews for b in bites)
    assert {s.side.split()[0] for s in r.speakers} == {"kernel", "firmware"}


def test_addresses_become_names_everywhere() -> None:
    """No address of the run is left, in no number system and no byte order."""
    for form in ("html", "markdown"):
        text = page(CORRUPT, form=form, redact="addresses").lower()
        shown = re.sub(r"sha-?256[^<]*<[^>]*>|[0-9a-f]{64}", "", text)
        assert "pdev_ptr#1" in shown
        assert "7f159cd5" not in shown  # PDEVs, data and parameter pages are at 0x7f159cd5x000
        assert "00 60 d5 9c 15 7f" not in shown
        assert "0060d59c157f" not in shown
    assert "pdev_ptr=0x7f159cd56000" in page(CORRUPT)


def _leaves(branches: tuple[Branch, ...]) -> list[Branch]:
    return [x for b in branches for x in ([b] if not b.children else _leaves(b.children))]


def test_nonces_are_hidden_in_the_fields_and_in_the_bytes() -> None:
    """SPDM 1.2 CHALLENGE: Nonce is 32 bytes from byte 4 (DSP0274), behind the 8 bytes of DOE."""
    capture = opened(CORRUPT)
    challenge = next(m for m in capture.conversations.decode() if m.name == "CHALLENGE")
    nonce = challenge.payload[4:36]
    assert len(set(nonce)) > 8
    shown = page(CORRUPT)
    for text in (nonce.hex(), nonce[:8].hex(" "), nonce[8:16].hex(" ")):
        assert text not in shown
    plain = page(CORRUPT, redact="none")
    assert nonce[:4].hex(" ") in plain
    r = report(CORRUPT)
    (call,) = [c for c in r.calls if any(t.name == "CHALLENGE" for t in c.talks)]
    fields = {b.name: b.text for t in call.talks for b in _leaves(t.tree)}
    assert re.fullmatch(r"nonce#\d+ \(32 bytes\)", fields["Nonce"])
    assert "nonces" in {h.kind for h in r.hidden}


def test_certificates_are_hidden() -> None:
    """'ACME:WIDGET:12345678900' is the serial number in the device's certificate, and stands in its bytes."""
    capture = opened(CORRUPT)
    assert any(b"ACME:WIDGET:1234567890" in m.data or b"libspdm" in m.data for m in capture.conversations.decode())
    for form in ("html", "markdown"):
        text = page(CORRUPT, form=form)
        assert "ACME" not in text
        assert "libspdm" not in text


def test_a_big_capture_makes_no_big_report(tmp_path: Path) -> None:
    """A thousand failed calls; what was left out is said."""
    lines = ["# tracer: nop", "#"]
    for i in range(1000):
        at = f"100.{i:03d}"
        lines.append(
            f"  x-7  [000] d.... {at}000: smc_enter: (f+0x0/0x8) a0=0xc400017c a1=0x{0x88000001 + (i << 4):x} a2=0x0 a3=0x0"
        )
        lines.append(f"  x-7  [000] d.... {at}010: smc_exit: (g+0x0/0x8 <- f) a0=0x1 a1=0x0 a2=0x0 a3=0x0")
    path = tmp_path / "big.txt"
    path.write_text("\n".join(lines) + "\n")
    r = report(path)
    assert len(r.calls) <= MAX_CALLS
    assert any("of 1000 calls" in text for text in r.left)
    assert len(page(path)) < 4 << 20
    assert len(page(path, form="markdown")) < 65_536


def test_a_text_without_calls_is_answered(tmp_path: Path) -> None:
    """What an RMM of eac5 says in bits 28 and 29 of its feature register, a later kernel looks for in 32 and 33."""
    path = tmp_path / "mail.txt"
    path.write_text(
        "> Booting RMM v.0.3.0(debug) Built with GCC\n> RMM-EL3 Interface v.0.1\n"
        "> [  145.894085] config_realm_hash_algo: unsupported ALGO_SHA256 by rmm_feat_reg0=0x0000000034488e30\n"
    )
    r = report(path)
    assert not r.verdict.good
    assert "config_realm_hash_algo" in r.verdict.title
    assert "bits 28 and 29" in r.verdict.message
    assert any("HASH_SHA_256" in line for a in r.answers for line in a.said)
    for form in ("html", "markdown"):
        assert "HASH_SHA_256 1 [28]" in page(path, form=form)


@pytest.mark.parametrize("form", ["html", "markdown"])
def test_a_capture_without_anything(tmp_path: Path, form: str) -> None:
    path = tmp_path / "empty.txt"
    path.write_text("# tracer: nop\n#\n")
    assert "no call in this capture" in page(path, form=form)
