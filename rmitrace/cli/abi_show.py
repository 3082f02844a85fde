"""What ``abi list`` and ``abi show`` print: the tables of decoders as text."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator

import decoders
from decoders.abi import BitField, Profile, RmmCommand, Struct
from decoders.spec import Command, Reg

NEWEST_FIRST = tuple(reversed(decoders.REVISIONS))


def profiles(revision: str) -> tuple[Profile, Profile]:
    """RMI and RSI of a revision."""
    return decoders.profile(revision), decoders.profile(revision, "RSI")


def table(rows: Iterable[tuple[str, ...]], indent: int = 2) -> Iterator[str]:
    """Rows as aligned columns, two blanks apart."""
    rows = list(rows)
    if not rows:
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield (" " * indent + "  ".join(f"{cell:<{w}}" for cell, w in zip(row, widths, strict=True))).rstrip()


def revisions() -> Iterator[str]:
    """One line a revision: what it holds."""
    rows: list[tuple[str, ...]] = [("revision", "RMI commands", "RSI commands", "structures", "status codes")]
    for revision in decoders.REVISIONS:
        rmi, rsi = profiles(revision)
        counts = (len(rmi.commands), len(rsi.commands), len(rmi.structs) + len(rsi.structs), len(rmi.statuses))
        rows.append((revision, *map(str, counts)))
    return table(rows, 0)


def contents(revision: str) -> Iterator[str]:
    """Every command and type of a revision."""
    for profile in profiles(revision):
        kind = profile.prefix.rstrip("_")
        yield f"{kind} commands"
        yield from table((f"0x{c.fid:x}", c.name, c.summary) for c in profile.commands.values())
        for title, names in (("enumerations", profile.enums), ("bit fields", profile.bitfields), ("structures", profile.structs)):
            yield f"{kind} {title}"
            yield from (f"  {name}" for name in sorted(names))


def explain(name: str, revision: str | None) -> list[str]:
    """What a name or function id means. Raises LookupError with one sentence where it means nothing."""
    wanted = (revision,) if revision else NEWEST_FIRST
    for r in wanted:
        found = _explain_in(name, r)
        if found:
            return [*found, *_elsewhere(name, r)]
    where = f" in {revision}" if revision else ""
    others = [r for r in NEWEST_FIRST if revision and _explain_in(name, r)] or _drafts(name)
    if others:
        raise LookupError(f"no {name}{where}; it is in {', '.join(others)}")
    close = difflib.get_close_matches(name.upper(), _all_names(), 3, 0.6)
    raise LookupError(
        f"no {name}{where}" + (f"; did you mean {', '.join(close)}?" if close else "; see `rmitrace abi list --abi REV`")
    )


def _explain_in(name: str, revision: str) -> list[str]:
    command = find_command(name, revision)
    if command is not None:
        return list(_command(command, revision))
    for profile in profiles(revision):
        for spelling in _spellings(name, profile.prefix):
            for kind, show in ((profile.structs, _struct), (profile.bitfields, _bits), (profile.enums, _enum)):
                full = next((n for n in kind if n.lower() == spelling), None)
                if full is not None:
                    return [f"{full}  {profile.prefix[:3]} {profile.revision}", *show(profile, full)]
    return [line for p in profiles(revision) for line in _value(p, name)]


def _spellings(name: str, prefix: str) -> tuple[str, ...]:
    return name.lower(), f"{prefix[:3]}{name}".lower()


def find_command(name: str, revision: str) -> Command | None:
    """A command of any service by name, with or without its prefix, or by function id; RMM's only in their own revision."""
    key: int | str = name
    try:
        key = int(name, 16 if name.lower().startswith("0x") else 10)
    except ValueError:
        key = name.upper()
    found = decoders.command(key, revision)
    if found is None or found.service not in ("RMI", "RSI"):
        return found
    return found if any(found.name in p.commands for p in profiles(revision)) else None


def _drafts(name: str) -> list[str]:
    """The drafts between the revisions that have a command, of which no more than the name is known."""
    return [
        f"{draft} ({command}, 0x{fid:x}; registers not known)"
        for r in NEWEST_FIRST
        for fid, (command, draft) in decoders.profile(r).other_fids.items()
        if name.upper() in (command, command.removeprefix("RMI_"), f"0X{fid:X}")
    ][:1]


def _all_names() -> list[str]:
    return sorted({n.upper() for r in decoders.REVISIONS for p in profiles(r) for n in (*p.commands, *p.names())})


def _elsewhere(name: str, revision: str) -> Iterator[str]:
    """In which other revisions the same thing is found, and whether it differs there."""
    here = find_command(name, revision)
    if here is not None and here.service not in ("RMI", "RSI"):
        return
    mine = _explain_in(name, revision)[1:]
    same: list[str] = []
    other: list[str] = []
    for r in decoders.REVISIONS:
        if r != revision and (theirs := _explain_in(name, r)):
            (same if theirs[1:] == mine else other).append(r)
    if same:
        yield f"  same in {', '.join(same)}"
    if other:
        yield f"  differs in {', '.join(other)} (--abi REV shows it)"


def _registers(title: str, regs: Iterable[Reg], first: tuple[str, ...]) -> Iterator[str]:
    rows = [(title, *first)]
    for reg in regs:
        on = [s for s in reg.valid_on if not s.endswith("_SUCCESS")]
        when = f"on {', '.join(reg.valid_on)}" if on else ""
        width = getattr(reg, "bits", None)
        name = reg.name if width is None else f"{reg.name} [{width[1]}:{width[0]}]"
        rows.append(("", f"x{reg.reg}", name, reg.type, "; ".join(t for t in (reg.desc, when) if t)))
    return table(rows)


def _command(c: Command, revision: str) -> Iterator[str]:
    ours = isinstance(c, RmmCommand)
    yield f"{c.name}  0x{c.fid:x}  {c.service}{' ' + revision if ours else ''}"
    if c.summary:
        yield f"  {c.summary}"
    yield from _registers("in", c.args, ("x0", "fid", "", f"0x{c.fid:x}"))
    result = {"code": "status code", "value": "a value, or a negative code", "none": "does not return"}[c.returns]
    yield from _registers("out", c.outputs, ("x0", "result", "RmiResult" if c.service == "RMI" else "", result))
    if isinstance(c, RmmCommand) and c.stateful:
        yield "  may answer RMI_INCOMPLETE and go on with RMI_OP_*" + (
            ", asking for or giving back memory" if c.stateful == "memory" else ""
        )
    for code, text in sorted(c.codes.items(), reverse=True):
        yield f"  {code:>5}  {text}"
    if isinstance(c, RmmCommand) and c.service == "RMI":
        conditions = decoders.profile(revision).failures(c.name)
        if conditions:
            yield "  fails with"
            yield from table(((f.status, f.id, f.when) for f in conditions), 4)
            for source in sorted({f.source for f in conditions}):
                yield f"    (from: {source})"
        for note in c.notes:
            yield f"  note: {note}"


def bit_range(b: BitField) -> str:
    """'5' or '37:34'."""
    return str(b.lsb) if b.lsb == b.msb else f"{b.msb}:{b.lsb}"


def _struct(profile: Profile, name: str) -> Iterator[str]:
    s: Struct = profile.structs[name]
    yield f"  {s.size} bytes (0x{s.size:x}); what is not listed should be zero"
    rows = [("offset", "bytes", "field", "type", "")]
    for f in s.fields:
        count = f"{f.size} x{f.count}" if f.count is not None else str(f.size)
        about = "; ".join(t for t in (f.desc, f"{f.counted_by} of them in use" if f.counted_by else "") if t)
        rows.append((f"0x{f.offset:x}", count, f.name, f.type, about))
    yield from table(rows)


def _bits(profile: Profile, name: str) -> Iterator[str]:
    rows = [("bits", "field", "type", "")]
    rows += [(bit_range(b), b.name, b.type, b.desc) for b in profile.bitfields[name]]
    return table(rows)


def _enum(profile: Profile, name: str) -> Iterator[str]:
    return table((str(v), text) for v, text in profile.enums[name].items())


def _value(profile: Profile, name: str) -> Iterator[str]:
    """An enumeration value: in which enumerations it is, and for a status which commands give it when."""
    wanted = name.upper()
    spellings = {wanted, profile.prefix + wanted}
    for enum, values in profile.enums.items():
        for value, text in values.items():
            if text.upper() in spellings:
                yield f"{text}  {value}  {enum} of {profile.prefix[:3]} {profile.revision}"
                if values == profile.statuses:
                    yield from _givers(profile, text)


def _givers(profile: Profile, status: str) -> Iterator[str]:
    packed = profile.packing.get(status, profile.packing.get("", ()))
    if packed:
        yield "  x0 also carries " + ", ".join(f"{b.name} [{bit_range(b)}]" for b in packed)
    rows = [(c, f.id, f.when) for c in profile.commands for f in profile.failures(c) if f.status == status]
    if rows:
        yield "  given by"
        yield from table(rows, 4)
