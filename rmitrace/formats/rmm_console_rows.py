"""The grammar of one row of an RMM console: text in, name, arguments, status and outputs out.

Source: TF-RMM ``runtime/core/handler.c`` (RMI rows) and ``runtime/rsi/logger.c`` (RSI, PSCI and other SMCs of a Realm),
v0.2.0 of 2022 to v0.9.0 of 2026; Islet ``rmm/src/event``. Columns moved four times, so a row is split at blanks and at
the ``>``, never at columns. No quantifier stands inside another: the obvious expression for a row is exponential.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .rmm_console_names import counts_of, fid_of, status_number

HEAD = re.compile(
    rb"SMC_(?:(RM[IM]|RSI)_(?:([A-Z][A-Z0-9_]{0,47})|(<unsupported>)|([0-9a-f]{8})(?![0-9A-Za-z_]))|([0-9a-f]{8})(?![0-9A-Za-z_]))"
    rb"|(?<![A-Za-z0-9_])PSCI_([0-9a-f]{8})(?![0-9A-Za-z_])"
)
"""The name that a row begins with: service and name, ``<unsupported>``, the fid of a gap, an SMC's or PSCI's fid."""
CLEAN = re.compile(
    rb" {0,6}SMC_(RM[IM]|RSI)_([A-Z][A-Z0-9_]{0,47}) ([0-9a-f ]*)> (?:(R[MS]I_[A-Z_]{2,32})|([0-9a-f]{1,16}))([0-9a-f ]*)"
)
"""A whole row with nothing around it: the usual case, in one step."""
_HEX = re.compile(rb"[ \t]*(?:0x)?([0-9a-fA-F]{1,16})(?![0-9A-Za-z_])")
_HEX_GLUED = re.compile(rb"[ \t]*([0-9a-f]{1,16})")
_SEP = re.compile(rb"[ \t]*(?:-{1,3}>|=>|>)")
_STATUS = re.compile(rb"[ \t]*(R[MS]I_[A-Z_]{1,32})")
_GAP = re.compile(rb"[ \t]*(?:\.{2,16}|\[\.{2,8}\]|<[a-z. ]{1,24}>|[xX]{2,16}(?![0-9A-Za-z_])|\?{1,16}|[*#]{2,16})")
_PAIR = re.compile(rb"[ \t]*[a-z][a-z0-9_]{0,31}=(?:0x)?([0-9a-f]{1,16})(?![0-9A-Za-z_]),?")
_BLANKS = re.compile(rb"[ \t]*")
_JUNK_END = re.compile(rb"[ \t|\"',;.)\]}*_]*\Z")
_MAX_VALUES = 24

Value = int | None


@dataclass(slots=True)
class Row:
    """A row read as far as it goes.

    name       'RMI_PDEV_CREATE', 'RSI_<unsupported>', 'PSCI_84000000', 'SMC_80000000'
    args       x1.. in, None where the row hides a value; ``elided``: what follows them is not known either
    status     the word printed, None where there is none or a number stands in its place
    x0         the result register as far as the row tells it, None where it does not
    outs       x1.. out
    index      the number printed behind the status (RTT level, REC_ENTER's index), None where there is none
    answered   the row has a result
    end        where in the text the row stops
    glued      other text follows right behind the last character: the last token may be cut
    foreign    other text follows
    state      'whole'; 'open' (complete as it stands, may go on in the next line); 'cut' (something is missing)
    """

    name: str
    args: list[Value] = field(default_factory=list)
    status: str | None = None
    x0: int | None = None
    outs: list[Value] = field(default_factory=list)
    index: int | None = None
    answered: bool = False
    elided: bool = False
    separated: bool = False
    end: int = 0
    glued: bool = False
    foreign: bool = False
    state: str = "whole"

    @property
    def service(self) -> str:
        """'RMI', 'RSI', 'PSCI' or 'SMC'."""
        return self.name.partition("_")[0]

    def in_regs(self) -> list[Value]:
        """x0.. in: the function id, then the arguments."""
        return [fid_of(self.name), *self.args]

    def out_regs(self) -> list[Value]:
        """x0.. out."""
        return [self.x0, *self.outs]


def row_name(m: re.Match[bytes]) -> str:
    """The name of a row from a match of HEAD."""
    service, name, unsupported, gap, smc, psci = m.groups()
    if psci is not None:
        return "PSCI_" + psci.decode("ascii")
    if smc is not None:
        return "SMC_" + smc.decode("ascii")
    return ("RSI_" if service == b"RSI" else "RMI_") + (name or unsupported or gap).decode("ascii")


def clean_row(text: bytes) -> Row | None:
    """A row that stands alone on its line, as the RMM wrote it; None for everything else."""
    m = CLEAN.fullmatch(text.rstrip(b" \r"))
    if m is None:
        return None
    service, name, args, word, number, outs = m.groups()
    if (word is None) == (number is None) or (outs and outs[:1] != b" "):
        return None
    a, o = args.split(), outs.split()
    if len(a) > _MAX_VALUES or len(o) > _MAX_VALUES or any(len(v) > 16 for v in a) or any(len(v) > 16 for v in o):
        return None
    row = Row(("RSI_" if service == b"RSI" else "RMI_") + name.decode("ascii"), [int(v, 16) for v in a], separated=True)
    _answer(row, word, number, [int(v, 16) for v in o])
    row.end = len(text)
    return _assess(row)


def parse(text: bytes, m: re.Match[bytes], stop: int) -> Row | None:
    """The row whose name ``m`` (a match of HEAD) found, read up to ``stop`` at most. None where it is only a mention."""
    row = Row(row_name(m))
    at = m.end()
    plain = True
    if at < stop and text[at : at + 1] not in (b" ", b"\t", b">", b"-", b"="):
        row.glued = row.foreign = True
        row.end, row.state = at, "cut"
        cut_by = text[at : at + 1]
        return row if cut_by == b"[" or (cut_by.islower() and fid_of(row.name) is None) else None
    while len(row.args) < _MAX_VALUES:
        if v := _HEX.match(text, at, stop):
            plain = plain and v[1] == v[0].strip()
            row.args.append(int(v[1], 16))
        elif v := _GAP.match(text, at, stop):
            row.elided = True
            if v[0].strip()[:1] in b".[":
                at = v.end()
                break
            row.args.append(None)
        elif v := _PAIR.match(text, at, stop):
            row.args.append(int(v[1], 16))
        else:
            break
        at = v.end()
    if row.elided:  # values behind a gap of unknown width have no place
        while v := _HEX.match(text, at, stop) or _GAP.match(text, at, stop):
            at = v.end()
    if (v := _SEP.match(text, at, stop)) is not None:
        row.separated = True
        at = v.end()
    word = _STATUS.match(text, at, stop)
    number = _HEX.match(text, at, stop) if row.separated and word is None else None
    if word is not None or number is not None:
        at = (word or number).end()  # type: ignore[union-attr]
        outs: list[Value] = []
        while len(outs) < _MAX_VALUES and (v := _HEX.match(text, at, stop)):
            outs.append(int(v[1], 16))
            at = v.end()
        _answer(row, word[1] if word else None, number[1] if number else None, outs)
    elif row.separated and not row.args and _BLANKS.match(text, at, stop).end() < stop:  # type: ignore[union-attr]
        return None  # prose: 'SMC_RMI_VERSION -> the version'
    row.end = at
    tail = text[at:stop]
    row.foreign = bool(tail) and _JUNK_END.match(tail) is None
    if row.foreign and tail[:1] not in (b" ", b"\t"):
        row.glued = True
        if not row.answered and (v := _HEX_GLUED.match(text, at, stop)) and v.end() < stop and len(row.args) < _MAX_VALUES:
            row.args.append(int(v[1], 16))
            row.end = v.end()
    elif row.foreign and (v := _HEX_GLUED.match(text, at, stop)) and text[v.end() : v.end() + 1] == b"[":
        row.glued = True
        (row.outs if row.answered else row.args).append(int(v[1], 16))
        row.end = v.end()
    _assess(row)
    if not row.answered and (not plain or (row.foreign and not row.glued and not row.args) or row.args == [fid_of(row.name)]):
        return None
    return row


def _answer(row: Row, word: bytes | None, number: bytes | None, values: list[Value]) -> None:
    """Put status, index and outputs in their places."""
    row.answered = True
    if number is not None:
        row.x0 = int(number, 16)
        row.outs = values
        return
    assert word is not None
    row.status = word.decode("ascii").rstrip("_")
    row.x0 = status_number(row.status)
    indexed = row.status == "RMI_ERROR_RTT" or (row.status == "RMI_ERROR_REALM" and row.name == "RMI_REC_ENTER")
    if indexed and values and values[0] is not None:
        row.index = values[0]
        values = values[1:]
        if row.x0 is not None and row.index < 1 << 56:
            row.x0 |= row.index << 8  # X0 is the status in bits 7:0, its data above
    row.outs = values


def _assess(row: Row) -> Row:
    """Tell whether something is missing."""
    if row.answered:
        most = max(counts_of(row.name)[1], default=0)
        if row.status is not None and row.x0 is None:
            row.state = "open"  # no such status: its second half may stand in the next line
        elif row.glued:
            row.state = "open"
        elif row.status is None or row.status.endswith("SUCCESS"):
            row.state = "open" if len(row.outs) < most and not row.foreign else "whole"
        elif row.status == "RMI_ERROR_RTT":
            row.state = "open" if row.index is None and not row.foreign else "whole"
        else:
            row.state = "open" if row.service == "RSI" and len(row.outs) < most and not row.foreign else "whole"
        return row
    wanted = counts_of(row.name)[0]
    alone = row.service in ("RSI", "PSCI") and not row.separated and not row.glued and not row.elided
    enough = len(row.args) in wanted or len(row.args) > max(wanted, default=0)
    row.state = "open" if alone and row.args and enough else "cut"
    return row


_ISLET = re.compile(
    rb"(R[MS]I): {1,4}(?:([A-Z][A-Z0-9_]{0,47})|Undefined (\d{1,10})) {0,32}\[([0-9A-Fa-fx, ]{0,400})\] > \[([0-9A-Fa-fx, ]{0,400})\]"
)
_ANSWER = re.compile(rb"(?:-{1,3}>|=>|>|=)[ \t]*(R[MS]I)_([A-Z_]{2,32})")
_WORD = re.compile(rb"(?:SMC_)?(?:(R[MS]I|RMM)_)?([A-Z][A-Z0-9_]{2,47})(?:\(\))?:?")
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
        for m in _ISLET.finditer(text):
            args, outs = (
                [int(v.removeprefix("0x"), 16) for v in g.decode().replace(",", " ").split() if _fits(v)] for g in (m[4], m[5])
            )
            name = m[2].decode("ascii") if m[2] else f"{int(m[3]) & 0xFFFFFFFF:08x}"
            row = Row(f"{m[1].decode('ascii')}_{name}", list(args), answered=bool(outs), end=m.end())
            row.x0, row.outs = (outs[0], list(outs[1:])) if outs else (None, [])
            found.append((m.start(), row))
    done = 0
    for m in _ANSWER.finditer(text):
        if (hit := _by_hand(text, done, m)) is not None:
            found.append(hit)
            done = hit[1].end
    return found


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
        while k and (_fits(tokens[k - 1].decode("ascii", "replace")) or _GAP.fullmatch(tokens[k - 1])):
            k -= 1
            gaps += _GAP.fullmatch(tokens[k]) is not None
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
    while len(outs) < _MAX_VALUES and (v := _HEX.match(text, end)):
        outs.append(int(v[1], 16))
        end = v.end()
    _answer(row, m[1] + b"_" + m[2], None, outs if args or row.status else [])
    row.end = end
    row.foreign = _JUNK_END.match(text[end:]) is None
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
            parts = [lead[a + 1 : b] for a, b in zip(bounds, bounds[1:], strict=False)]
            return m[0].decode("ascii"), [p for p in parts if p.strip()], m.start()
    return None


def _call_value(part: bytes) -> Value:
    m = _CALL_ARG.fullmatch(part.strip())
    if m is None:
        return None
    value = int(m[1], 16) if m[1] else int(m[2] or m[3])
    return value if value < 1 << 64 else None
