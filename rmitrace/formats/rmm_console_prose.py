"""Rows in other shapes than TF-RMM's: those of another RMM, and those that people write by hand."""

from __future__ import annotations

import re
from itertools import pairwise

from .rmm_console_names import fid_of, status_number
from .rmm_console_rows import GAP, HEX, JUNK_END, MAX_VALUES, Row, Value, put_answer

_ISLET = re.compile(
    rb"(R[MS]I): {1,4}(?:([A-Z][A-Z0-9_]{0,47})|Undefined (\d{1,10})) {0,32}"
    rb"\[([0-9A-Fa-fx, ]{0,400})\] > \[([0-9A-Fa-fx, ]{0,400})\]"
)
_ANSWER = re.compile(rb"(?:-{1,3}>|=>|>|=)[ \t]*(R[MS]I)_([A-Z_]{2,32})")
_WORD = re.compile(rb"(?:SMC_|MC_|C_|_)?(?:(R[MS]I|RMM)_|MM_|[MS]?I_|M_|_)?([A-Z][A-Z0-9_]{2,47})(?:\(\))?:?")
_CALL = re.compile(rb"R[MS]I_[A-Z0-9_]{3,48}\Z")
_CALL_ARG = re.compile(rb"(?:[a-z][a-z0-9_.]{0,47}=)?[^=]{0,80}?(?:0x([0-9a-f]{1,16})|\((\d{1,19})\)|(\d{1,19}))[ \t]*\Z")


def other_rows(text: bytes) -> list[tuple[int, Row]]:
    """Rows in other shapes than TF-RMM's, each with the place where it begins.

    Islet's ``RMI: RTT_INIT_RIPAS [88C00000, 88B3D000, 3] > [0, 0]``; and how people write a row by hand:
    ``RMI_REALM_ACTIVATE -> RMI_SUCCESS``, ``DATA_DESTROY 17ffb000 9951d000 > RMI_ERROR_RTT 3``,
    ``RMI_PDEV_STOP(pdev_ptr=0x88001000) = RMI_ERROR_DEVICE``.
    """
    found = []
    if b"] > [" in text:
        found += [(m.start(), _islet(m)) for m in _ISLET.finditer(text)]
    done = 0
    for m in _ANSWER.finditer(text):
        if (hit := _by_hand(text, done, m)) is not None:
            found.append(hit)
        done = m.end()
    return found


def _islet(m: re.Match[bytes]) -> Row:
    """Islet prints both register lists in upper-case hexadecimal, and a function id that it has no name for in decimal."""
    name = m[2].decode("ascii") if m[2] else f"{int(m[3]) & 0xFFFFFFFF:08x}"
    args, outs = ([int(v.removeprefix("0x"), 16) for v in _list(g) if _fits(v)] for g in (m[4], m[5]))
    row = Row(f"{m[1].decode('ascii')}_{name}", list[Value](args), answered=bool(outs), end=m.end())
    if outs:
        row.x0, row.outs = outs[0], list[Value](outs[1:])
    return row


def _list(inside: bytes) -> list[str]:
    return inside.decode("ascii").replace(",", " ").split()


def _fits(token: str) -> bool:
    digits = token.removeprefix("0x")
    return 0 < len(digits) <= 16 and not set(digits) - set("0123456789abcdefABCDEF")


def _by_hand(text: bytes, start: int, m: re.Match[bytes]) -> tuple[int, Row] | None:
    """The row that ends in that answer, where what stands before it has the form of one."""
    lead = text[start : m.start()][-2048:].rstrip()
    service = m[1].decode("ascii")
    args: list[Value] = []
    elided = True
    if (call := _call(lead)) is not None:
        name, parts, at = call
        at += m.start() - len(text[start : m.start()][-2048:])
        args = [_call_value(p) for p in parts]
        elided = False
    else:
        if m[0][:1] == b"=" and m[0][:2] != b"=>":
            return None
        tokens = lead.split()
        k = len(tokens)
        gaps = 0
        while k and (_fits(tokens[k - 1].decode("ascii", "replace")) or GAP.fullmatch(tokens[k - 1])):
            k -= 1
            gaps += GAP.fullmatch(tokens[k]) is not None
        word = _WORD.fullmatch(tokens[k - 1]) if k else None
        if word is None:
            return None
        prefix = "RMI" if word[1] == b"RMM" else word[1].decode("ascii") if word[1] else service
        name = f"{prefix}_{word[2].decode('ascii').rstrip('_')}"
        known = fid_of(name) is not None
        alone = k == 1
        shaped = gaps or (alone and (word[1] or k < len(tokens)) and b"_" in word[2])
        if status_number(name) is not None or prefix != service:
            return None
        if not known and (not shaped or status_number(f"{service}_{m[2].decode('ascii')}") is None):
            return None
        at = m.start() - len(text[start : m.start()][-2048:]) + lead.rfind(tokens[k - 1])
        if not gaps:
            args = [int(t, 16) for t in tokens[k:]]
            elided = not args
    row = Row(name, args, elided=elided, separated=True)
    end = m.end()
    outs: list[Value] = []
    while len(outs) < MAX_VALUES and (v := HEX.match(text, end)):
        outs.append(int(v[1], 16))
        end = v.end()
    put_answer(row, m[1] + b"_" + m[2], None, outs if args or row.status else [])
    row.end = end
    row.foreign = JUNK_END.match(text[end:]) is None
    return at, row


def _call(lead: bytes) -> tuple[str, list[bytes], int] | None:
    """``RMI_X(a=0x1, b=NAME (2))`` at the end of a text: name, the arguments' texts, and where the name begins."""
    if not lead.endswith(b")"):
        return None
    depth, cuts = 0, []
    for i in range(len(lead) - 1, -1, -1):
        c = lead[i : i + 1]
        depth += (c == b")") - (c == b"(")
        if c == b"," and depth == 1:
            cuts.append(i)
        if depth == 0:
            if (m := _CALL.search(lead, max(i - 64, 0), i)) is None:
                return None
            bounds = [i, *reversed(cuts), len(lead) - 1]
            parts = [lead[a + 1 : b] for a, b in pairwise(bounds)]
            return m[0].decode("ascii"), [p for p in parts if p.strip()], m.start()
    return None


def _call_value(part: bytes) -> Value:
    m = _CALL_ARG.fullmatch(part.strip())
    if m is None:
        return None
    value = int(m[1], 16) if m[1] else int(m[2] or m[3])
    return value if value < 1 << 64 else None
