"""The grammar of one row of an RMM console: text in, name, arguments, status and outputs out.

Source: TF-RMM ``runtime/core/handler.c`` (RMI rows) and ``runtime/rsi/logger.c`` (RSI, PSCI and other SMCs of a Realm),
v0.2.0 of 2022 to v0.9.0 of 2026; Islet ``rmm/src/event``. Columns moved four times, so a row is split at blanks and at
the ``>``, never at columns. No quantifier stands inside another: the obvious expression for a row is exponential.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from .rmm_console_names import arg_counts, fid_of, most_outputs, status_number

_END = rb"(?:(?![0-9A-Za-z_])|(?=SMC_|PSCI_))"
HEAD = re.compile(
    rb"SMC_(?:(RM[IM]|RSI)_(?:([A-Z](?:(?!SMC_)[A-Z0-9_]){0,47})|(<unsupported>)|([0-9a-f]{8})" + _END + rb")"
    rb"|([0-9a-f]{8})" + _END + rb")|(?<![A-Z_])PSCI_([0-9a-f]{8})" + _END
)
"""The name that a row begins with: service and name, ``<unsupported>``, the fid of a gap, an SMC's or PSCI's fid."""
CLEAN = re.compile(
    rb" {0,6}SMC_(RM[IM]|RSI)_([A-Z][A-Z0-9_]{0,47}) ([0-9a-f ]*)> (?:(R[MS]I_[A-Z_]{2,32})|([0-9a-f]{1,16}))([0-9a-f ]*)"
)
"""A whole row with nothing around it: the usual case, in one step."""
HEX = re.compile(rb"[ \t]*(?:0x)?([0-9a-fA-F]{1,16})(?![0-9A-Za-z_])")
_HEX_GLUED = re.compile(rb"[ \t]*([0-9a-f]{1,16})")
_SEP = re.compile(rb"[ \t]*(?:-{1,3}>|=>|>)")
_STATUS = re.compile(rb"[ \t]*(R[MS]I_[A-Z_]{1,32})")
GAP = re.compile(rb"[ \t]*(?:\.{2,16}|\[\.{2,8}\]|<[a-z. ]{1,24}>|[xX]{2,16}(?![0-9A-Za-z_])|\?{1,16}|[*#]{2,16})")
_PAIR = re.compile(rb"[ \t]*[a-z][a-z0-9_]{0,31}=(?:0x)?([0-9a-f]{1,16})(?![0-9A-Za-z_]),?")
_STATUS_STUB = re.compile(rb"[ \t]*R(?:[MS]I?_?)?\Z")
_RIGHT_JUSTIFIED = re.compile(rb"[0-9a-f] {2,8}[0-9a-f]")
JUNK_END = re.compile(rb"[ \t|\"',;.)\]}*_]*\Z")
MAX_VALUES = 24
_FIXED = frozenset((5,))
"""Arguments of a row in fixed columns (2022 to May 2023): always five, whatever the command has."""
STATUS_WITH_DATA = frozenset(
    f"RMI_{s}" for s in ("ERROR_RTT", "ERROR_RTT_AUX", "ERROR_PSMMU_ST", "ERROR_DPT", "ERROR_TRACKING", "INCOMPLETE")
)
"""Statuses with which X0 says more above its low byte (DEN0137 2.0, RmiResult); rows print that for ERROR_RTT only."""

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
    wanted     how many arguments the row may have; empty where not known
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
    wanted: frozenset[int] = frozenset()
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
    if (word is None) == (number is None) or (outs and outs[:1] != b" ") or b"SMC_" in name:
        return None
    a = [int(v, 16) for v in args.split()]
    o = [int(v, 16) for v in outs.split()]
    if max(len(a), len(o)) > MAX_VALUES or max(a, default=0) >> 64 or max(o, default=0) >> 64:
        return None
    row = Row(("RSI_" if service == b"RSI" else "RMI_") + name.decode("ascii"), [*a], separated=True)
    put_answer(row, word, number, [*o])
    row.end = len(text)
    return _assess(row)


def parse(text: bytes, m: re.Match[bytes], stop: int, broken: bool = False) -> Row | None:
    """The row whose name ``m`` (a match of HEAD) found, read up to ``stop`` at most. None where it is only a mention.

    ``broken``: at ``stop`` another writer's text begins.
    """
    row = Row(row_name(m))
    colon = text[m.end() : m.end() + 2] == b": "
    at = m.end() + colon
    padded = text[at : at + 2] == b"  "
    if at < stop and text[at : at + 1] not in (b" ", b"\t", b">", b"-", b"="):
        # 'SMC_RMI_PDEV_Clibspdm_...': the name is cut; 'SMC_RMI_VERSION,': a mention
        row.glued, row.foreign, row.end, row.state = True, True, at, "cut"
        return row if text[at : at + 1].islower() and fid_of(row.name) is None else None
    at, plain = _arguments(row, text, at, stop)
    row.wanted = _FIXED if _RIGHT_JUSTIFIED.search(text, m.end(), at) else arg_counts(row.name)
    if (v := _SEP.match(text, at, stop)) is not None:
        row.separated = True
        at = v.end()
    word = _STATUS.match(text, at, stop)
    number = HEX.match(text, at, stop) if row.separated and word is None else None
    if word is not None or number is not None:
        at = (word or number).end()  # type: ignore[union-attr]
        outs: list[Value] = []
        while len(outs) < MAX_VALUES and (v := HEX.match(text, at, stop)):
            outs.append(int(v[1], 16))
            at = v.end()
        put_answer(row, word[1] if word else None, number[1] if number else None, outs)
    elif _STATUS_STUB.match(text, at, stop):
        at = stop
    elif row.separated and not row.args and text[at:stop].strip():
        return None  # prose: 'SMC_RMI_VERSION -> the version'
    row.end = at
    _behind(row, text, stop, broken)
    _assess(row)
    named_only = not row.args and not padded and row.foreign
    if not row.answered and (not plain or colon or named_only or row.args == [fid_of(row.name)]):
        return None
    return row


def _arguments(row: Row, text: bytes, at: int, stop: int) -> tuple[int, bool]:
    """Read the arguments; returns where they end and whether all are written as the RMM writes them."""
    plain = True
    while len(row.args) < MAX_VALUES:
        if v := HEX.match(text, at, stop):
            plain = plain and v[1] == v[0].strip()
            row.args.append(int(v[1], 16))
        elif v := GAP.match(text, at, stop):
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
    while row.elided and (v := HEX.match(text, at, stop) or GAP.match(text, at, stop)):
        at = v.end()  # values behind a gap of unknown width have no place
    return at, plain


def _behind(row: Row, text: bytes, stop: int, broken: bool) -> None:
    """What stands behind the row: nothing, another writer's text, and whether a value was cut by it."""
    at = row.end
    rest = text[at:stop]
    if JUNK_END.match(rest) is not None:
        row.glued = broken and text[stop - 1 : stop] not in (b" ", b"\t")
        return
    row.foreign = True
    row.glued = rest[:1] not in (b" ", b"\t")
    cut = _HEX_GLUED.match(text, at, stop)
    if row.glued and not row.answered and cut is not None and cut.end() < stop and len(row.args) < MAX_VALUES:
        row.args.append(int(cut[1], 16))
        row.end = cut.end()


def put_answer(row: Row, word: bytes | None, number: bytes | None, values: list[Value]) -> None:
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


def most_outs(row: Row) -> int:
    """How many outputs the row may have at most: by its command, on the statuses with which TF-RMM prints any."""
    if row.status == "RMI_INCOMPLETE":
        return 2  # handle and donation request, or the outputs of OP_*
    if row.service == "RMI" and row.status not in ("RMI_SUCCESS", "RMI_ERROR_RTT"):
        return 0
    if row.status is None and row.wanted == _FIXED:
        return 0
    return most_outputs(row.name)


def _assess(row: Row) -> Row:
    """Tell whether something is missing."""
    if row.answered:
        unknown = row.status is not None and row.x0 is None  # the status' second half may stand in the next line
        more = len(row.outs) < most_outs(row) or (row.status == "RMI_ERROR_RTT" and row.index is None)
        row.state = "open" if unknown or row.glued or (more and not row.foreign) else "whole"
        return row
    alone = row.service in ("RSI", "PSCI") and not row.separated and not row.elided
    enough = len(row.args) in row.wanted or len(row.args) > max(row.wanted, default=0)
    row.state = "open" if alone and row.args and enough else "cut"
    return row
