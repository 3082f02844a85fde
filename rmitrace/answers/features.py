"""Values of the RMM's feature registers, in every layout that is known: which of them they fit.

DEN0137 RmiFeatureRegister0 to 4 by revision (decoders.rmi), and the layout before 1.0-rel0 of TF-RMM up to v0.5.0
(``lib/smc/include/smc-rmi.h`` at 1.0-eac5): breakpoints and watchpoints in 4 bits, the hashes in bits 28 and 29.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import decoders
from decoders.abi import BitField, bit, bits
from decoders.rmi import profile
from decoders.tree import Node

from .model import GRAVE, Answer, Report

DRAFT = "1.0-eac5"
_DRAFT_FIELDS: tuple[BitField, ...] = (
    bits("S2SZ", 7, 0),
    bit("LPA2", 8),
    bit("SVE_EN", 9),
    bits("SVE_VL", 13, 10),
    bits("NUM_BPS", 17, 14),
    bits("NUM_WPS", 21, 18),
    bit("PMU_EN", 22),
    bits("PMU_NUM_CTRS", 27, 23),
    bit("HASH_SHA_256", 28),
    bit("HASH_SHA_512", 29),
)
_IN_TEXT = re.compile(
    r"\b(?:rmm_feat_reg(\d)|feat(?:ure)?_?reg(?:ister)?[ _]?(\d)|RmiFeatureRegister(\d))\b[ \t]*[:=]?[ \t]*(?:is "
    r")?0x([0-9a-fA-F]{1,16})\b"
)
_HASH = re.compile(r"ALGO_(SHA_?\d{3})|\bsha-?(256|384|512)\b|\bhash", re.I)
_MOST_POINTS = 16
"""Breakpoints or watchpoints of a CPU without FEAT_Debugv8p9."""


class Layout(NamedTuple):
    """A feature register read in one layout. ``odd``: what speaks against that layout; empty where it fits."""

    names: tuple[str, ...]
    fields: tuple[tuple[BitField, int], ...]
    odd: tuple[str, ...]


def layouts(index: int, value: int) -> list[Layout]:
    """Every layout of a feature register with what speaks against it, the best first; revisions that agree are one."""
    out: dict[tuple[BitField, ...], list[str]] = {}
    for revision in decoders.REVISIONS:
        fields = tuple(f._replace(desc="") for f in profile(revision).bitfields.get(f"RmiFeatureRegister{index}", ()))
        if fields:
            out.setdefault(fields, []).append(revision)
    if index == 0:
        out[_DRAFT_FIELDS] = [DRAFT]
    read = [_read(tuple(names), fields, value, index) for fields, names in out.items()]
    return sorted(read, key=lambda r: len(r.odd))


def _read(names: tuple[str, ...], fields: tuple[BitField, ...], value: int, index: int) -> Layout:
    values = {f.name: (value & f.mask) >> f.lsb for f in fields}
    odd: list[str] = []
    if undefined := value & ~sum(f.mask for f in fields):
        odd.append(f"bits {undefined:#x} are not defined")
    if "S2SZ" in values and not 32 <= values["S2SZ"] <= 56:
        odd.append(f"an IPA width of {values['S2SZ']} bits")
    for name, what in (("NUM_BPS", "breakpoints"), ("NUM_WPS", "watchpoints")):
        if values.get(name, 0) + 1 > _MOST_POINTS:
            odd.append(f"{values[name] + 1} {what}")
    hashes = [n for n in values if n.startswith("HASH_")]
    if hashes and not any(values[n] for n in hashes):
        odd.append("no hash algorithm, so no Realm could be made")
    for flag, number, what in (
        ("SVE_EN", "SVE_VL", "an SVE vector length without SVE"),
        ("PMU_EN", "PMU_NUM_CTRS", "PMU counters without a PMU"),
    ):
        if flag in values and not values[flag] and values[number]:
            odd.append(what)
    if index == 1 and "RMI_GRAN_SZ_4KB" in values and not value & 7:
        odd.append("no granule size")
    return Layout(names, tuple((f, values[f.name]) for f in fields), tuple(odd))


def _has(layout: Layout, prefix: str) -> bool:
    return any(f.name.startswith(prefix) for f, _ in layout.fields)


def field_text(field: BitField, number: int) -> str:
    """'NUM_BPS 3 [19:14]', with what the number says."""
    place = f"[{field.msb}:{field.lsb}]" if field.msb > field.lsb else f"[{field.lsb}]"
    meant = {
        "S2SZ": f": IPAs of up to {number} bits",
        "NUM_BPS": f": {number + 1} breakpoints",
        "NUM_WPS": f": {number + 1} watchpoints",
        "SVE_VL": f": vectors of up to {(number + 1) * 128} bits",
        "PMU_NUM_CTRS": f": {number} PMU counters",
        "GICV3_NUM_LRS": f": {number + 1} list registers",
    }.get(field.name, "")
    return f"{field.name} {number} {place}{meant}"


def lines_of(layout: Layout) -> Iterator[str]:
    """The fields that are set, or that are numbers, a line each."""
    for field, number in layout.fields:
        if number or field.msb > field.lsb:
            yield f"  {field_text(field, number)}"
    unset = [f.name for f, n in layout.fields if not n and f.msb == f.lsb]
    if unset:
        yield f"  not set: {', '.join(unset)}"


def told(index: int, value: int, only: str | None = None, having: str = "") -> Iterator[str]:
    """A register explained: in the layouts that it fits, else in all of them with what speaks against each.

    ``only``: as this revision has it; ``having``: only layouts with a field whose name begins so.
    """
    found = [x for x in layouts(index, value) if (only is None or only in x.names) and _has(x, having)]
    fitting = [x for x in found if not x.odd] or found[:1]
    for x in fitting:
        yield f"RmiFeatureRegister{index} = {value:#x} as {' and '.join(x.names)} {'have' if len(x.names) > 1 else 'has'} it" + (
            f" (odd: {', '.join(x.odd)})" if x.odd else ""
        )
        yield from lines_of(x)
    for x in found:
        if x not in fitting:
            yield f"as {' and '.join(x.names)} it would have {', '.join(x.odd)}"


def tree(index: int, value: int, revision: str) -> Node | None:
    """A register in the layout of a revision, None where that has no such register."""
    from decoders.fields import decode

    name = f"RmiFeatureRegister{index}"
    return decode(profile(revision), name, name, value) if name in profile(revision).bitfields else None


def registers(report: Report) -> Iterator[Answer]:
    """Feature registers that a kernel or a person wrote down."""
    done: set[tuple[int, int]] = set()
    for line in report.lines_with("feat_reg", "eature reg", "eature_reg", "eatureReg"):
        text = report.text(line)
        m = _IN_TEXT.search(text)
        if m is None:
            continue
        index, value = int(m[1] or m[2] or m[3]), int(m[4], 16)
        if (index, value) in done:
            continue
        done.add((index, value))
        asked = "HASH_" if index == 0 and _HASH.search(text) else ""
        said = [*told(index, value, having=asked), *(_hashes(value) if asked else ())]
        next_ = (
            "which draft of RMI the kernel's tree is for (dmesg: RMI ABI version; the series' cover letter) and the RMM's commit",
        )
        yield Answer("feature-register", report.found(line).strip(), tuple(said), next_, line + 1, GRAVE)


def _hashes(value: int) -> Iterator[str]:
    """Where the hash bits of register 0 are, and whether two layouts disagree about them."""
    fits = next((x for x in layouts(0, value) if not x.odd and _has(x, "HASH_")), None)
    if fits is None or fits.names != (DRAFT,):
        return
    has = [f.name for f, n in fits.fields if n and f.name.startswith("HASH_")]
    yield (
        f"the RMM says {' and '.join(has)} in bits 28 and 29, where {DRAFT} has them; a kernel for 1.0-rel0 or 1.1 looks at bits "
        "32 and 33, finds none, and refuses every hash algorithm. Kernel and RMM are of different drafts: neither is broken by "
        "itself"
    )
    yield "an RMM of 1.0-rel0 or a kernel for 1.0-eac5 makes them match"
