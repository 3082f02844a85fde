"""``abi diff --format json``: a change of revision as one document."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from decoders.abi import BitField, Profile, StructField

from .abi_diff import SUCCESSORS, Wanted, behaviours, signature
from .abi_show import profiles


def document(old: str, new: str, like: str) -> dict[str, Any]:
    """'old', 'new', 'behaviours', and of 'rmi' and 'rsi' each what is added, gone, reused, renamed, and what changed.

    A change has 'old' and 'new', None where a revision has no such thing; offsets and sizes are in bytes.
    """

    def wanted(name: str) -> bool:
        return like.lower() in name.lower()

    told = [{"since": c.since, "title": c.title, "said": c.said, "do": c.do, "sign": c.sign} for c in behaviours(old, new, like)]
    pairs = zip(("rmi", "rsi"), profiles(old), profiles(new), strict=True)
    return {"old": old, "new": new, "behaviours": told} | {name: _profile(a, b, wanted) for name, a, b in pairs}


def _profile(a: Profile, b: Profile, wanted: Wanted) -> dict[str, Any]:
    both = [n for n in a.commands if n in b.commands and wanted(n)]
    return {
        "added": [_command(b, n) for n in b.commands if n not in a.commands and wanted(n)],
        "gone": [_command(a, n) for n in a.commands if n not in b.commands and wanted(n)],
        "reused": [
            {"fid": f"{fid:#x}", "old": c.name, "new": b.by_fid[fid].name}
            for fid, c in sorted(a.by_fid.items())
            if fid in b.by_fid and b.by_fid[fid].name != c.name and (wanted(c.name) or wanted(b.by_fid[fid].name))
        ],
        "renamed": [
            {"old": x, "new": y}
            for pair in SUCCESSORS
            for x, y in (pair, pair[::-1])
            if _moved(a, b, x, y) and (wanted(x) or wanted(y))
        ],
        "fids": [
            {"name": n, "old": f"{a.commands[n].fid:#x}", "new": f"{b.commands[n].fid:#x}"}
            for n in both
            if a.commands[n].fid != b.commands[n].fid
        ],
        "registers": [
            {"name": n, "old": x, "new": y} for n in both if (x := signature(a.commands[n])) != (y := signature(b.commands[n]))
        ],
        "stateful": [n for n in both if b.commands[n].stateful and not a.commands[n].stateful],
        "structures": [r for n in _union(a.structs, b.structs) if wanted(n) for r in _struct(a, b, n)],
        "bits": [r for n in _union(a.bitfields, b.bitfields) if wanted(n) for r in _bits(a, b, n)],
        "values": [r for n in _union(a.enums, b.enums) for r in _values(a, b, n, wanted)],
    }


def _union(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    return list(dict.fromkeys((*a, *b)))


def _moved(a: Profile, b: Profile, x: str, y: str) -> bool:
    return x in a.commands and x not in b.commands and y in b.commands and y not in a.commands


def _command(p: Profile, name: str) -> dict[str, Any]:
    c = p.commands[name]
    return {"name": name, "fid": f"{c.fid:#x}", "signature": signature(c), "summary": c.summary}


def _struct(a: Profile, b: Profile, name: str) -> Iterator[dict[str, Any]]:
    old, new = ({f.name: _place(f) for f in p.structs[name].fields} if name in p.structs else {} for p in (a, b))
    for field in _union(old, new):
        if old.get(field) != new.get(field):
            yield {"structure": name, "field": field, "old": old.get(field), "new": new.get(field)}


def _place(f: StructField) -> dict[str, int | None]:
    return {"offset": f.offset, "size": f.size, "count": f.count}


def _bits(a: Profile, b: Profile, name: str) -> Iterator[dict[str, Any]]:
    old, new = ({f.name: _range(f) for f in p.bitfields.get(name, ())} for p in (a, b))
    for field in _union(old, new):
        if old.get(field) != new.get(field):
            yield {"type": name, "field": field, "old": old.get(field), "new": new.get(field)}


def _range(f: BitField) -> dict[str, int]:
    return {"msb": f.msb, "lsb": f.lsb}


def _values(a: Profile, b: Profile, name: str, wanted: Wanted) -> Iterator[dict[str, Any]]:
    old, new = a.enums.get(name, {}), b.enums.get(name, {})
    for value in sorted({*old, *new}):
        x, y = old.get(value), new.get(value)
        if x != y and (wanted(name) or any(n is not None and wanted(n) for n in (x, y))):
            yield {"type": name, "value": value, "old": x, "new": y}
