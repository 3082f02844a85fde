"""What ``abi diff`` prints: a change of revision, as the author of a driver needs it."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping

from decoders.abi import Machine, Profile, RmmCommand
from decoders.rmi import changes

from .abi_show import bit_range, profiles, table

SUCCESSORS = (
    ("RMI_GRANULE_DELEGATE", "RMI_GRANULE_RANGE_DELEGATE"),
    ("RMI_GRANULE_UNDELEGATE", "RMI_GRANULE_RANGE_UNDELEGATE"),
    ("RMI_DATA_CREATE", "RMI_RTT_DATA_MAP_INIT"),
    ("RMI_DATA_CREATE_UNKNOWN", "RMI_RTT_DATA_MAP"),
    ("RMI_DATA_DESTROY", "RMI_RTT_DATA_UNMAP"),
    ("RMI_RTT_MAP_UNPROTECTED", "RMI_RTT_UNPROT_MAP"),
    ("RMI_RTT_UNMAP_UNPROTECTED", "RMI_RTT_UNPROT_UNMAP"),
    ("RMI_VDEV_MAP", "RMI_RTT_DEV_MAP"),
    ("RMI_VDEV_UNMAP", "RMI_RTT_DEV_UNMAP"),
    ("RMI_VDEV_VALIDATE_MAPPING", "RMI_RTT_DEV_VALIDATE"),
    ("RMI_RTT_AUX_MAP_PROTECTED", "RMI_RTT_AUX_PROT_MAP"),
    ("RMI_RTT_AUX_UNMAP_PROTECTED", "RMI_RTT_AUX_PROT_UNMAP"),
    ("RMI_RTT_AUX_MAP_UNPROTECTED", "RMI_RTT_AUX_UNPROT_MAP"),
    ("RMI_RTT_AUX_UNMAP_UNPROTECTED", "RMI_RTT_AUX_UNPROT_UNMAP"),
    ("RMI_PDEV_IDE_KEY_REFRESH", "RMI_PDEV_STREAM_KEY_REFRESH"),
    ("RMI_PSMMU_MSI_CONFIG", "RMI_PSMMU_ACTIVATE"),
    ("RMI_VSMMU_MAP", "RMI_RTT_ARCH_DEV_MAP"),
    ("RMI_VSMMU_UNMAP", "RMI_RTT_ARCH_DEV_UNMAP"),
    ("RMI_VSMMU_EVENT_NOTIFY", "RMI_VSMMU_EVENT_HANDLE"),
)
"""What does the same work under another name (DEN0137 1.1-alp17 to 2.0-bet1, the last one 2.0-bet1 to 2.0-bet3)."""


_PROSE = 116
"""Columns of prose."""


def differences(old: str, new: str, like: str) -> Iterator[str]:
    """The differences between two revisions, in sections; ``like``: only what has this in its name."""

    def wanted(name: str) -> bool:
        return like.lower() in name.lower()

    told = list(_behaviours(old, new, like))
    if told:
        yield f"{old} -> {new}: what works in another way"
        yield from told
    said = bool(told)
    for a, b in zip(profiles(old), profiles(new), strict=True):
        kind = a.prefix.rstrip("_")
        sections = (
            ("function ids with another meaning", _reused(a, b, wanted)),
            ("other name, same work", _successors(a, b, wanted)),
            ("commands added", _only(b, a, wanted)),
            ("commands gone", _only(a, b, wanted)),
            ("same command, other registers", _registers(a, b, wanted)),
            ("may now answer RMI_INCOMPLETE", _stateful(a, b, wanted)),
            ("same command, other statuses", _answers(a, b, wanted)),
            ("states", _machines(a, b, wanted)),
            ("status codes and what x0 carries", _statuses(a, b, wanted)),
            ("structures", _structures(a, b, wanted)),
            ("bit fields", _bitfields(a, b, wanted)),
            ("enumerations", _enums(a, b, wanted)),
        )
        for title, lines in sections:
            body = list(lines)
            if body:
                yield from ("",) if said else ()
                said = True
                yield f"{kind} {a.revision} -> {b.revision}: {title}"
                yield from body


Wanted = Callable[[str], bool]


def behaviours(old: str, new: str, like: str) -> Iterator[changes.Change]:
    """What works in another way, and is about something that has ``like`` in its name."""
    return (c for c in changes.between(old, new) if like.lower() in f"{c.about} {c.title}".lower())


def _behaviours(old: str, new: str, like: str) -> Iterator[str]:
    for c in behaviours(old, new, like):
        yield f"  {c.title}" + (f" (since {c.since})" if c.since != new else "")
        yield from _prose("", c.said)
        yield from _prose("driver: ", c.do)
        yield from _prose("in a trace: ", c.sign)


def _prose(head: str, text: str) -> Iterator[str]:
    lines = textwrap.wrap(head + text, _PROSE, break_on_hyphens=False, break_long_words=False) if text else []
    for i, line in enumerate(lines):
        yield f"    {'  ' if i and head else ''}{line}"


def _reused(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    for fid, command in sorted(a.by_fid.items()):
        other = b.by_fid.get(fid)
        if other is not None and other.name != command.name and (wanted(command.name) or wanted(other.name)):
            yield f"  0x{fid:x}  {command.name} -> {other.name}"
            if signature(command) != signature(other):
                yield f"              {signature(command)} -> {signature(other)}"


def _successors(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    for first, second in SUCCESSORS:
        for x, y in ((first, second), (second, first)):
            gone = x in a.commands and x not in b.commands
            if gone and y in b.commands and y not in a.commands and (wanted(x) or wanted(y)):
                yield f"  {x} {signature(a.commands[x])}"
                yield f"    -> {y} {signature(b.commands[y])}"


def _only(here: Profile, there: Profile, wanted: Wanted) -> Iterator[str]:
    moved = {n for pair in SUCCESSORS for n, m in (pair, pair[::-1]) if n in here.commands and m in there.commands}
    commands = [c for c in here.commands.values() if c.name not in {*there.commands, *moved} and wanted(c.name)]
    return table((f"0x{c.fid:x}", c.name, c.summary) for c in commands)


def signature(c: RmmCommand) -> str:
    """'(pdev_ptr, data_ptr) -> state': names of the registers in and out."""
    own = [o for o in c.outputs if not (c.stateful and o.name in ("handle", "donate_req"))]
    return f"({', '.join(r.name for r in c.args)})" + (f" -> {', '.join(r.name for r in own)}" if own else "")


def _registers(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    for name, old in a.commands.items():
        new = b.commands.get(name)
        if new is None or not wanted(name):
            continue
        if old.fid != new.fid:
            yield f"  {name}: 0x{old.fid:x} -> 0x{new.fid:x}"
        if signature(old) != signature(new):
            yield f"  {name}"
            yield f"    {signature(old)}"
            yield f"    {signature(new)}"
            continue
        for x, y in zip(old.args, new.args, strict=True):
            if x.type != y.type:
                yield f"  {name}: x{x.reg} {x.name} is {y.type}, was {x.type}"


def _stateful(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    for name, new in b.commands.items():
        old = a.commands.get(name)
        if old is not None and bool(old.stateful) != bool(new.stateful) and wanted(name):
            yield f"  {name}" if new.stateful else f"  {name}: no longer"


def _answers(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    """Statuses that a command gained or lost, with the conditions of those that it gained."""
    if a.prefix != "RMI_":
        return
    for name in a.commands:
        if name not in b.commands or not wanted(name):
            continue
        old, new = ({f.status for f in p.failures(name)} for p in (a, b))
        if not old or not new or old == new:  # of some commands no source has the conditions
            continue
        yield f"  {name}"
        for status in sorted(new - old):
            when = "; ".join(f.when for f in b.failures(name) if f.status == status)
            yield f"    + {status}: {when}"
        yield from (f"    - {status}" for status in sorted(old - new))


def _machines(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    """Steps between states that one of them has not."""
    for name in a.machines:
        if name not in b.machines or not (wanted(name) or any(wanted(t.command) for t in b.machines[name].transitions)):
            continue
        old, new = _steps(a.machines[name]), _steps(b.machines[name])
        lines = [f"    - {s}" for s in old if s not in new] + [f"    + {s}" for s in new if s not in old]
        if lines:
            yield f"  {name}"
            yield from lines


def _steps(machine: Machine) -> list[str]:
    out = []
    for t in machine.transitions:
        op = f" (operation {t.op})" if t.op and t.op != "NONE" else ""
        out.append(f"{t.start or 'none'}: {t.command} -> {t.end or 'none'}{op}")
    return list(dict.fromkeys(out))


def _statuses(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    yield from _values(a.statuses, b.statuses, wanted)
    if a.prefix != "RMI_":
        return

    def packed(profile: Profile) -> dict[str, str]:
        return {s: ", ".join(f"{f.name} [{bit_range(f)}]" for f in fields) for s, fields in profile.packing.items()}

    old, new = packed(a), packed(b)
    for status in dict.fromkeys((*old, *new)):
        x, y = old.get(status, old.get("", "")), new.get(status, new.get("", ""))
        if x != y and wanted(status):
            yield f"  x0 with {status or 'any other status'}: {x or 'nothing more'} -> {y or 'nothing more'}"


def _values(old: Mapping[int, str], new: Mapping[int, str], wanted: Wanted) -> Iterator[str]:
    for value in sorted({*old, *new}):
        x, y = old.get(value, "-"), new.get(value, "-")
        if x != y and (wanted(x) or wanted(y)):
            was = next((n for n, text in old.items() if text == y), None)
            yield f"  {value:>3}  {x} -> {y}" + (f" (was {was})" if was is not None else "")


def _structures(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    yield from _gained("structure", a.structs, b.structs, wanted)
    for name in a.structs:
        if name not in b.structs or not wanted(name):
            continue
        x, y = a.structs[name], b.structs[name]
        if x.size != y.size:
            yield f"  {name}: {x.size} bytes -> {y.size} bytes"
        where = {f.name: (_place(f.offset, f.size, f.count), "-") for f in x.fields}
        where |= {f.name: (where.get(f.name, ("-",))[0], _place(f.offset, f.size, f.count)) for f in y.fields}
        rows = [(f"{name}.{field}", old, "->", new) for field, (old, new) in where.items() if old != new]
        yield from table(rows)


def _place(offset: int, size: int, count: int | None) -> str:
    return f"0x{offset:x} ({size} bytes{f' x{count}' if count is not None else ''})"


def _gained(what: str, old: Iterable[str], new: Iterable[str], wanted: Wanted) -> Iterator[str]:
    before, after = set(old), set(new)
    for name in sorted(after - before):
        if wanted(name):
            yield f"  {name}: new {what}"
    for name in sorted(before - after):
        if wanted(name):
            yield f"  {name}: gone"


def _bitfields(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    yield from _gained("bit field set", a.bitfields, b.bitfields, wanted)
    for name in a.bitfields:
        if name not in b.bitfields or not wanted(name):
            continue
        old = {f.name: bit_range(f) for f in a.bitfields[name]}
        new = {f.name: bit_range(f) for f in b.bitfields[name]}
        rows = [
            (f"{name}.{field}", f"[{old[field]}]" if field in old else "-", "->", f"[{new[field]}]" if field in new else "-")
            for field in dict.fromkeys((*old, *new))
            if old.get(field) != new.get(field)
        ]
        yield from table(rows)


def _enums(a: Profile, b: Profile, wanted: Wanted) -> Iterator[str]:
    yield from _gained("enumeration", a.enums, b.enums, wanted)
    for name, old in a.enums.items():
        new = b.enums.get(name)
        if new is None or old == new or old == a.statuses:
            continue
        changed = list(_values(old, new, (lambda _: True) if wanted(name) else wanted))
        if changed:
            yield f"  {name}"
            yield from (f"  {line}" for line in changed)
