"""The kernel over RMM consoles: rows that stand alone, lines of SPDM messages and lines that were met before go straight into
columns, lines without anything of interest are passed over; the places of all others are given back.

It takes a row only where the careful reader (rmm_console_reader) would find the same: complete as it stands, or followed by
a line that cannot be its continuation.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from . import kernel_steps, kernels
from .kernel_code import Kernel
from .kernel_steps import hexadecimal, line_end_from, word
from .kernel_words import WORDS, find_word, hit_from, token_end
from .rmm_console_cut import WRAPPED
from .rmm_console_steps import INDENT, KNOWN_LINE, ROWS, SIX, begins_row, holds_answer, in_columns, is_apart, numbers, spdm_end

MORE, NEW_WORD = 0, 1
TOKEN = 64
"""Longest name or status."""
LONG_LINE = 4 << 20
"""Lines longer than that are given back, to be reported."""
IN, OUT, MARK = 3, 4, 8
"""Kinds of records, as numbers of rmitrace.capture.records.Kind."""
_SMC_RMI, _SMC_RMM, _SMC_RSI, _LIBSPDM = (
    np.uint64(int.from_bytes(t, "little")) for t in (b"SMC_RMI_", b"SMC_RMM_", b"SMC_RSI_", b"libspdm_")
)
_EIGHT = np.uint64(8)
_TOP_INDEX = np.uint64(1 << 56)


def _scan(
    buf: Any, pos: Any, end: Any, table: Any, texts: Any, texts_at: Any,
    n_slots: Any, n_blob: Any, n_at: Any, n_length: Any, n_first: Any, n_last: Any, n_name: Any, n_fid: Any, n_most: Any,
    n_args: Any, s_slots: Any, s_blob: Any, s_at: Any, s_length: Any, s_first: Any, s_last: Any, s_code: Any, s_class: Any,
    s_index: Any, l_slots: Any, l_blob: Any, l_at: Any, l_length: Any, l_first: Any, l_last: Any, l_name: Any, spdm: Any,
    full: Any,
    o_offset: Any, o_length: Any, o_kind: Any, o_name: Any, o_known: Any, o_regs: Any, o_slow: Any, size: Any, slow_size: Any,
) -> tuple[Any, Any, Any, Any, Any]:  # fmt: skip
    """Read lines from ``pos`` (the start of a line) on. Behind ``end`` there are SLACK bytes more.

    table    automaton of the words that make a line interesting
    n_..     names of rows, each with its number as a name of records (-1: no command), function id and most outputs
             (-1 - most for RMI_REC_ENTER), and how many arguments there may be, as bits
    s_..     statuses, each with its number, class (-1: no status) and whether an index follows: 1 always, 2 see above
    l_..     whole lines, each with the number of the name of the mark that it is (-1: it is nothing)
    spdm     the number of the name of marks of SPDM messages
    full     1: there is no room for more names
    size     room for records; slow_size: in o_slow
    Returns (position of the next line, records, lines in o_slow, lines read, MORE or NEW_WORD): it stops at ``end``, when there
    is no room left, or after a line (the last in o_slow) with a name or status that is in no table.
    """
    lines = n = slow = 0
    status = MORE
    while pos < end and n + 2 <= size and slow < slow_size and status == MORE:
        lines += 1
        # 0: give the line back, 1: pass it over, 2: a row or a mark
        verdict = 0
        p = pos
        while True:  # once; left by break
            w = word(buf, pos)
            start = pos
            if w & SIX == INDENT:
                start = pos + 6
                w = word(buf, start)
            if w == _LIBSPDM and start == pos:
                q = spdm_end(buf, pos, texts, texts_at)
                stop = q
                if q > 0 and buf[q] == 13:
                    q += 1
                if q > 0 and buf[q] == 10:
                    o_offset[n], o_length[n], o_kind[n], o_name[n], o_known[n] = pos, stop - pos, MARK, spdm, 0
                    for i in range(8 * n, 8 * n + 8):
                        o_regs[i] = 0
                    n += 1
                    verdict, p = 2, q
                    break
            if w != _SMC_RMI and w != _SMC_RMM and w != _SMC_RSI:
                p = hit_from(buf, pos, table)
                if buf[p] == 10:
                    verdict = 1 if p - pos < LONG_LINE else 0
                    break
                q = p
                while buf[q] != 10 and q - pos <= KNOWN_LINE:
                    q += 1
                if buf[q] != 10:
                    break
                stop = q - 1 if buf[q - 1] == 13 else q
                which = find_word(buf, pos, stop, l_slots, l_blob, l_at, l_length, l_first, l_last)
                if which < 0:
                    break
                verdict, p = 1, q
                if l_name[which] >= 0:
                    o_offset[n], o_length[n], o_kind[n], o_name[n], o_known[n] = pos, stop - pos, MARK, l_name[which], 0
                    for i in range(8 * n, 8 * n + 8):
                        o_regs[i] = 0
                    n += 1
                    verdict = 2
                break
            q = token_end(buf, start, TOKEN)
            if q < 0 or buf[q] != 32:
                break
            name = find_word(buf, start, q, n_slots, n_blob, n_at, n_length, n_first, n_last)
            if name < 0:
                status = MORE if full else NEW_WORD
                break
            if n_name[name] < 0:
                break
            for i in range(8 * n, 8 * n + 16):
                o_regs[i] = 0
            at = 8 * n
            o_regs[at] = n_fid[name]
            q, args = numbers(buf, q, o_regs, at, 1)
            if w == _SMC_RSI and args > 1 and q > 0 and (buf[q] == 10 or (buf[q] == 13 and buf[q + 1] == 10)):
                # a call that leaves the Realm has no answer
                stop = q
                q += buf[q] == 13
                wanted = n_args[name]
                if not (wanted >> (args - 1) & 1) or in_columns(buf, start, stop):
                    break
                if not begins_row(buf, q + 1) and (not is_apart(buf, q + 1) or holds_answer(buf, q + 1)):
                    break
                o_offset[n], o_length[n], o_kind[n], o_name[n] = pos, stop - pos, IN, n_name[name]
                o_known[n] = (1 << args) - 1
                n += 1
                verdict, p = 2, q
                break
            if q < 0 or buf[q] != 62 or buf[q - 1] != 32 or buf[q + 1] != 32:
                break
            q += 2
            code, digits = np.uint64(0), np.int64(0)
            index, most = np.uint8(0), n_most[name]
            if buf[q] == 82:
                stop = token_end(buf, q, TOKEN)
                if stop < 0:
                    break
                which = find_word(buf, q, stop, s_slots, s_blob, s_at, s_length, s_first, s_last)
                if which < 0:
                    status = MORE if full else NEW_WORD
                    break
                if s_class[which] < 0:
                    break
                code, index = s_code[which], s_index[which]
                if index == 2 and n_most[name] >= 0:  # RMI_ERROR_REALM has an index with RMI_REC_ENTER alone
                    index = np.uint8(0)
                # 0: RMI_INCOMPLETE, 1: as many outputs as the command has, 2: none of an RMI command
                if s_class[which] == 0:
                    most = 2
                elif s_class[which] == 2 and w != _SMC_RSI:
                    most = 0
                q = stop
            else:
                code, digits = hexadecimal(buf, q)
                if digits == 0:
                    break
                q += digits
                if w != _SMC_RSI:
                    most = 0
            if most < 0:
                most = -1 - most
            o_regs[at + 8] = code
            stop, outs = numbers(buf, q, o_regs, at + 8, 1)
            if stop < 0 or (outs > 1 and buf[q] != 32):
                break
            q = stop
            if buf[q] == 13:
                q += 1
            if buf[q] != 10:
                break
            indexed = index > 0 and outs > 1
            if indexed:
                if outs > 8 or o_regs[at + 9] >= _TOP_INDEX:
                    break
                o_regs[at + 8] = code | o_regs[at + 9] << _EIGHT
                for i in range(at + 9, at + 15):
                    o_regs[i] = o_regs[i + 1]
                o_regs[at + 15] = 0
                outs -= 1
            complete = outs - 1 >= most and not (index == 1 and not indexed)
            if complete and outs > 1 and stop - pos >= WRAPPED:
                complete = False
            if not complete and not begins_row(buf, q + 1) and not is_apart(buf, q + 1):
                break
            verdict = 2
            for i in range(2):
                o_offset[n], o_length[n], o_kind[n], o_name[n] = pos, stop - pos, IN + i, n_name[name]
                o_known[n] = (1 << (args if i == 0 else outs)) - 1
                n += 1
            p = q
            break
        if verdict == 0:
            o_slow[slow] = pos
            slow += 1
        pos = line_end_from(buf, p, end) + 1
    return pos, n, slow, lines, status


STEPS = (*kernel_steps.STEPS, *WORDS, *ROWS)


def scan(*args: Any) -> tuple[Any, Any, Any, Any, Any]:
    """The kernel as it stands, for tests."""
    with np.errstate(over="ignore"):
        return _scan(*args)


def compiled() -> Kernel:
    """scan() as machine code."""
    return kernels.compiled(_scan, STEPS, behind=True)


def repaid(size: int) -> bool:
    """Whether so many bytes repay loading the compiled form."""
    return kernels.repaid(size, _scan, STEPS)
