"""The protocol messages of a capture as a conversation: one line a message, and what comes of them: IDE keys of both link
ends, certificate chains, cached objects."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from decoders.tree import Node

from ..capture.messages import REQUEST, Conversations, Message
from ..capture.messages.cached import cached_objects
from ..capture.messages.certificates import chain_tree, given_keys, latest
from ..capture.messages.facts import name_and_facts, shown_time
from ..capture.messages.ide_keys import Link, links, programmings
from ..capture.messages.ide_lines import PROG, Programming
from ..capture.messages.proving import verified_text
from ..capture.messages.statistics import is_error, round_trips
from ..capture.model import Capture
from ..display import safe
from .text import duration, message_notes, seconds, write_findings, write_header
from .tree import tree_lines


def write(capture: Capture, chosen: list[Message], out: IO[str], *, trees: bool = False, all_: bool = True) -> None:
    """The messages one a line, with all their fields where ``trees``; then, of the whole capture, the sections."""
    conversations = capture.conversations
    conversations.decode()
    if len(capture.calls):
        write_header(capture, out)
    else:
        for source in capture.sources:
            out.write(f"# {safe(source.path)}: {source.format}\n")
    trips = round_trips(conversations)
    several = sum(m.place.device is not None for m in chosen) > 0
    for m in chosen:
        out.write(message_text(capture, m, trips.get(m.seq), several) + "\n")
        if trees and m.tree is not None:
            out.writelines(line + "\n" for line in tree_lines(m.tree, " " * 8))
    out.write(f"\n{summary_text(conversations, chosen)}\n")
    if all_:
        _write_keys(capture, out)
        _write_chains(capture, out, trees)
        if trees:
            _write_objects(capture, out)
        write_findings(capture, out, leave_out=("ERROR-STATUS", "NO-CALLS"))


def message_text(capture: Capture, m: Message, trip: int | None = None, devices: bool = True) -> str:
    """One message: time, device, direction, name, what matters in it, round-trip time, and the call it belongs to."""
    parts = []
    ts = shown_time(capture, m)
    if ts is not None:
        parts.append(seconds(ts))
    if devices:
        parts.append(m.place.device or "-")
    parts.append("->" if m.direction == REQUEST else "<-")
    head = " ".join(parts)
    said = name_and_facts(m)
    tail = f"  <{duration(trip)}>" if trip is not None else ""
    tail += f"  call {m.place.call}" if m.place.call is not None else ""
    return safe(f"{head} {said}{tail}{message_notes(m)}")


def summary_text(conversations: Conversations, chosen: list[Message]) -> str:
    """'14 messages, 7 requests, 7 of them answered'."""
    requests = [m for m in chosen if m.direction == REQUEST]
    answered = sum(m.partner is not None for m in requests)
    errors = sum(is_error(m) for m in chosen)
    secured = [m for m in chosen if m.secured]
    said = f"{len(chosen)} messages, {len(requests)} requests, {answered} of them answered"
    said += f", {errors} errors" if errors else ""
    if secured:
        said += f"; {sum(m.inside is not None for m in secured)} of {len(secured)} secured messages decrypted"
    verified = verified_text(chosen, bool(conversations.keys))
    return f"{said}; {verified}" if verified else said


# sections


def _write_keys(capture: Capture, out: IO[str]) -> None:
    found = links(programmings(capture, capture.conversations))
    if not found:
        return
    out.write("\nIDE keys (RX and TX as the endpoint sees them)\n")
    rows = [("stream", "sub-stream", "keys", "endpoint", "root port")]
    same = {True: "same", False: "DIFFER", None: "-"}
    ends = [(_end_text(capture, k.endpoint), _end_text(capture, k.root_port)) for k in found]
    rows += [(_stream(k), k.name, same[k.same], *e) for k, e in zip(found, ends, strict=True)]
    widths = [max(len(r[i]) for r in rows) for i in range(4)]
    reveal = capture.conversations.reveal
    for row, link in zip(rows, [None, *found], strict=True):
        out.write(safe("  " + "  ".join(f"{t:<{w}}" for t, w in zip(row, (*widths, 0), strict=True)).rstrip()) + "\n")
        if link is not None and reveal:
            out.writelines(f"          {line}\n" for line in _key_lines(link))


def _stream(link: Link) -> str:
    return "?" if link.stream is None else f"{link.stream:#x}"


def _end_text(capture: Capture, steps: list[Programming]) -> str:
    said = []
    for p in steps:
        name = f"{capture.sources[p.source].name} " if len(capture.sources) > 1 else ""
        where = f"call {p.call}" if p.call is not None else f"{name}byte {p.offset}"
        status = f" {p.status}" if p.status and (p.failed or p.action == PROG) else ""
        said.append(f"{p.action}{status} ({where})")
    return ", ".join(said) or "-"


def _key_lines(link: Link) -> Iterator[str]:
    for end, steps in (("endpoint", link.endpoint), ("root port", link.root_port)):
        for p in steps:
            if p.key is not None:
                iv = f", IV {p.iv.hex()}" if p.iv else ""
                yield f"{end} key {p.key.hex()}{iv}"


def _write_chains(capture: Capture, out: IO[str], trees: bool) -> None:
    chains = latest(capture.conversations.chains)
    keys = given_keys(capture)
    if not chains and not keys:
        return
    out.write("\nCertificates\n")
    for chain in chains:
        tree = chain_tree(chain)
        who = f" of {chain.conversation.device}" if chain.conversation.device else ""
        out.write(safe(f"  {chain.side}{who}, slot {chain.slot}: {tree.text}, {len(chain.data)} bytes") + "\n")
        if trees:
            out.writelines(line + "\n" for line in tree_lines(tree, " " * 6))
        else:
            out.writelines(safe(f"      {line}") + "\n" for line in certificate_lines(tree))
    for k in keys:
        said = k.result.text + (f": {k.result.note}" if k.result.note else "")
        out.write(safe(f"  RMI_PDEV_SET_PUBKEY of {k.device} (call {k.call}): {said}") + "\n")


def certificate_lines(tree: Node) -> Iterator[str]:
    """One line a certificate: subject, key, issuer and whether its signature holds."""
    for c in tree.children:
        if not c.name.startswith("Certificate["):
            if c.note:
                yield f"{c.name}: {c.note}"
            continue
        subject, key = c.find("tbsCertificate.subject"), c.find("tbsCertificate.subjectPublicKeyInfo")
        signature = c.child("signatureValue")
        checked = signature.text.rsplit(" (", 1)[-1].rstrip(")") if signature is not None and " (" in signature.text else ""
        words = [n.text for n in (subject, key) if n is not None] + ([checked] if checked else [])
        yield f"{c.name}: {', '.join(words)}" + (f"  ! {c.note}" if c.note else "")


def _write_objects(capture: Capture, out: IO[str]) -> None:
    found = cached_objects(capture)
    if not found:
        return
    out.write("\nObjects that the RMM had the host cache\n")
    for o in found:
        tree = o.tree()
        calls = f"calls {o.calls[0]}..{o.calls[-1]}" if o.calls else "no bytes"
        out.write(safe(f"  {o.device} {o.kind}: {tree.text} ({calls})") + "\n")
        out.writelines(line + "\n" for line in tree_lines(tree, " " * 6))
