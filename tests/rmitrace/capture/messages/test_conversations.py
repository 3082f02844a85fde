"""Requests with their responses, certificate chains that came in portions, and the bound on what is kept."""

from __future__ import annotations

import gzip
import io
import json
import re
import struct
from pathlib import Path

import pytest

from decoders.tree import Node
from rmitrace.capture.messages import Conversation, Message, Place
from rmitrace.capture.messages import conversations as module
from rmitrace.capture.messages.conversations import pair
from rmitrace.export import jsonl
from tests.rmitrace.capture.messages.runs import CAPTURES, DATA, opened, write


def message(direction: str, source: int = 0, also: tuple[int, ...] = ()) -> Message:
    m = Message(Place(source, 0, 0, None, None, None), direction, ["SPDM"], b"\x12\xe1\0\0")
    m.also = tuple(Place(s, 0, 0, None, None, None) for s in also)
    return m


def numbered(c: Conversation) -> list[tuple[int | None, int | None]]:
    at = {id(m): i for i, m in enumerate(c.messages)}
    return [(at[id(x.request)] if x.request else None, at[id(x.response)] if x.response else None) for x in c.exchanges]


@pytest.mark.parametrize(
    ("order", "wanted"),
    [
        ("qrqr", [(0, 1), (2, 3)]),
        ("qqr", [(0, None), (1, 2)]),  # the first was sent again
        ("rqr", [(None, 0), (1, 2)]),
        ("qrr", [(0, 1), (None, 2)]),
        ("q", [(0, None)]),
        ("", []),
    ],
)
def test_a_response_answers_the_request_before_it(order: str, wanted: list[tuple[int | None, int | None]]) -> None:
    c = Conversation(None, [message({"q": "request", "r": "response"}[o]) for o in order])
    pair(c)
    assert numbered(c) == wanted
    for x in c.exchanges:
        if x.request is not None and x.response is not None:
            assert x.request.partner is x.response
            assert x.response.partner is x.request


def test_each_source_has_its_own_order() -> None:
    """Two sources with halves of one conversation each do not answer each other; one that has both pairs them."""
    c = Conversation(None, [message("request", 0), message("response", 1)])
    pair(c)
    assert numbered(c) == [(0, None), (None, 1)]
    c = Conversation(None, [message("request", 0, (1,)), message("response", 1)])
    pair(c)
    assert numbered(c) == [(0, 1)]


def reference(name: str) -> list[str]:
    """Names of the clear messages as DMTF's spdm_dump lists them, without the DOE discovery."""
    text = gzip.decompress((DATA / "spdm" / f"{name}.spdm_dump.nokeys.txt.gz").read_bytes()).decode()
    return re.findall(r"\b(?:REQ->RSP|RSP->REQ) SPDM\([0-9a-fx, ]*\) SPDM_([A-Z_]+)", text)


@pytest.mark.parametrize(
    "name", ["doe_v10_measall", "doe_v12_measall", "doe_v14_chunk512", "err_v12_busy_measurements", "mctp_v12_measall"]
)
def test_names_in_order(name: str) -> None:
    wanted = reference(name)
    found = [m for m in opened(DATA / "spdm" / f"{name}.pcap").conversations.decode() if m.layers[-1] == "SPDM"]
    assert len(wanted) > 10
    assert [m.name for m in found][: len(wanted)] == wanted


def test_chains_come_in_portions() -> None:
    """Two CERTIFICATE responses of 1024 and 567 bytes: 1032 - 8 and 576 - 8 - 1 of padding make the chain, which begins with
    its own length."""
    chains = opened(CAPTURES / "spdm" / "tf-rmm-head-nominal.pcap")
    chains.conversations.decode()
    (chain,) = chains.conversations.chains
    assert (chain.side, chain.slot) == ("responder", 0)
    assert len(chain.data) == struct.unpack_from("<H", chain.data)[0] == 1024 + 567
    assert chain.data[52] == 0x30  # DER SEQUENCE behind length, reserved and a hash of 48 bytes
    assert chain.message.name == "CERTIFICATE"


def test_fields_are_kept_of_so_many_messages(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = opened(CAPTURES / "spdm" / "doe_v10_measall.pcap").conversations
    monkeypatch.setattr(module, "MAX_TREES", 10)
    short = opened(CAPTURES / "spdm" / "doe_v10_measall.pcap").conversations
    assert [m.name for m in short.decode()] == [m.name for m in whole.decode()]
    assert [m.tree is not None for m in short.all] == [i < 10 for i in range(len(short.all))]
    assert [m.partner.seq if m.partner else None for m in short.all] == [m.partner.seq if m.partner else None for m in whole.all]
    (finding,) = [f for f in short.problems if f.rule == "MESSAGES-LEFT-OUT"]
    assert finding.message.startswith("fields are kept of the first 10 messages")


def test_one_by_one_each_has_its_tree_however_many_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the note that only the measurements behind a summary hash allow."""

    def fields(tree: Node | None) -> list[tuple[object, ...]]:
        parts = tree.walk() if tree is not None else ()
        return [(n.name, n.value, n.offset, n.note if n.name != "MeasurementSummaryHash" else None) for n in parts]

    path = CAPTURES / "spdm" / "doe_v10_measall.pcap"
    whole = [(m.name, fields(m.tree)) for m in opened(path).conversations.decode()]
    monkeypatch.setattr(module, "MAX_TREES", 10)
    short = opened(path).conversations
    assert [(m.name, fields(m.tree)) for m in short.stream()] == whole
    assert sum(m.tree is not None for m in short.all) == 10  # kept of them, as where all are asked for at once
    assert [m.name for m in short.stream()] == [name for name, _ in whole]
    assert short.list[0].exchanges
    out = io.StringIO()
    jsonl.write(opened(path), [], out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert all(line["tree"] for line in lines if line["type"] == "message")


def test_captures_without_messages(tmp_path: Path) -> None:
    conversations = opened(
        write(tmp_path, "a.log", "SMC_RMI_VERSION             10000 > RMI_SUCCESS 10000 10000\n")
    ).conversations
    assert conversations.decode() == []
    assert conversations.list == []
    assert conversations.of(0) == []
