"""Write docs/abi.md and docs/abi/ from the tables in decoders/: ``python docs/generate_abi.py``."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import decoders
from decoders.abi import BitField, Machine, Profile, Register, RmmCommand, StructField
from decoders.spec import Reg

DOCS = Path(__file__).parent
KINDS = {"memory": "an operation that may ask for memory or give it back", "plain": "an operation without memory transfer"}


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A Markdown table, nothing where there is no row."""
    body = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    if body:
        yield "| " + " | ".join(head) + " |"
        yield "|" + "---|" * len(head)
        yield from body
        yield ""


def type_of(reg: Reg) -> str:
    """``RmiPdevState [7:0]``."""
    bits = reg.bits if isinstance(reg, Register) else None
    return f"{reg.type} [{bits[1]}:{bits[0]}]" if bits else reg.type


def command(c: RmmCommand, profile: Profile) -> Iterator[str]:
    """One call: registers, when it fails, remarks."""
    yield f"### {c.name}"
    yield ""
    starts = f" May start {KINDS[c.stateful]}." if c.stateful else ""
    yield f"`0x{c.fid:08X}`: {c.summary}.{starts}"
    yield ""
    yield from table(
        ("in", "name", "type", "meaning"),
        ((f"x{a.reg}", f"`{a.name}`", type_of(a), a.desc) for a in c.args),
    )
    yield from table(
        ("out", "name", "type", "valid on", "meaning"),
        ((f"x{o.reg}", f"`{o.name}`", type_of(o), ", ".join(o.valid_on), o.desc) for o in c.outputs),
    )
    rows = profile.failures(c.name)
    if rows:
        yield f"Fails ({'; '.join(dict.fromkeys(f.source for f in rows))}):"
        yield ""
        yield from table(("condition", "status", "when"), ((f.id, f.status, f.when) for f in rows))
    if c.notes:
        yield from (f"- {note}" for note in c.notes)
        yield ""


def bit_field(f: BitField) -> tuple[str, str, str, str]:
    """A row of a set of bit fields."""
    return (str(f.lsb) if f.lsb == f.msb else f"{f.msb}:{f.lsb}", f"`{f.name}`", f.type, f.desc)


def struct_field(f: StructField) -> tuple[str, str, str, str, str]:
    """A row of a structure."""
    size = str(f.size) if f.count is None else f"{f.size} x {f.count}"
    used = f"in use: `{f.counted_by}`" if f.counted_by else ""
    return (f"0x{f.offset:03x}", size, f"`{f.name}`", f.type, "; ".join(t for t in (f.desc, used) if t))


def machine(name: str, m: Machine) -> Iterator[str]:
    """A state machine."""
    yield f"### {name}"
    yield ""
    yield "States: " + ", ".join(f"{s} {m.numbers[s]}" if s in m.numbers else s for s in m.states) + "."
    yield ""
    yield from table(
        ("from", "command", "condition", "to", "operation", "communication"),
        ((t.start or "-", t.command.replace("|", ", "), t.when, t.end or "-", t.op, t.comm) for t in m.transitions),
    )


def types(profile: Profile) -> Iterator[str]:
    """Status codes, enums, bit fields and structures."""
    prefix = profile.prefix.rstrip("_")
    yield f"## {prefix} enumerations"
    yield ""
    for name, values in profile.enums.items():
        yield f"### {name}"
        yield ""
        yield from table(("value", "name"), ((str(v), n) for v, n in values.items()))
    yield f"## {prefix} bit fields"
    yield ""
    for name, fields in profile.bitfields.items():
        yield f"### {name}"
        yield ""
        yield from table(("bits", "name", "type", "meaning"), map(bit_field, fields)) if fields else ("No bit is defined.", "")
    yield f"## {prefix} structures"
    yield ""
    for name, struct in profile.structs.items():
        yield f"### {name}"
        yield ""
        yield f"0x{struct.size:x} bytes; what is between the fields should be zero."
        yield ""
        yield from table(("offset", "bytes", "name", "type", "meaning"), map(struct_field, struct.fields))


def revision_page(revision: str) -> str:
    """Everything about one revision."""
    rmi, rsi = decoders.profile(revision), decoders.profile(revision, "RSI")
    lines = [
        f"# DEN0137 {revision}",
        "",
        "Made from the tables in `decoders/` by `docs/generate_abi.py`; not edited by hand.",
        "",
    ]
    lines += ["## RMI result", "", "x0 bits [7:0] hold the status. Beside it:", ""]
    lines += table(
        ("status", "bits", "name", "type", "meaning"),
        ((status or "any other", *bit_field(f)) for status, fields in rmi.packing.items() for f in fields),
    )
    for profile in (rmi, rsi):
        lines += [f"## {profile.prefix.rstrip('_')} commands", ""]
        for c in profile.commands.values():
            lines += command(c, profile)
        lines += types(profile)
    if rmi.machines:
        lines += ["## State machines", ""]
        for name, m in rmi.machines.items():
            lines += machine(name, m)
    return "\n".join(lines).rstrip() + "\n"


def overview() -> str:
    """Which call is in which revision."""
    lines = [
        "# RMI and RSI by revision",
        "",
        "Made from the tables in `decoders/` by `docs/generate_abi.py`; not edited by hand.",
        "",
        *(f"- [{r}](abi/{r}.md): {_extent(r)}" for r in decoders.REVISIONS),
        "",
    ]
    for service in ("RMI", "RSI"):
        profiles = [decoders.profile(r, service) for r in decoders.REVISIONS]
        fids = sorted({fid for p in profiles for fid in p.by_fid})
        rows = ([f"`0x{fid:08X}`", *(_cell(p, fid) for p in profiles)] for fid in fids)
        lines += [f"## {service}", "", *table(("id", *decoders.REVISIONS), rows)]
    return "\n".join(lines).rstrip() + "\n"


def _extent(revision: str) -> str:
    rmi, rsi = decoders.profile(revision), decoders.profile(revision, "RSI")
    return f"{len(rmi.commands)} RMI and {len(rsi.commands)} RSI commands, {len(rmi.structs) + len(rsi.structs)} structures"


def _cell(profile: Profile, fid: int) -> str:
    c = profile.by_fid.get(fid)
    return f"{c.name.removeprefix(profile.prefix)}({', '.join(a.name for a in c.args)})" if c else "-"


def pages() -> dict[str, str]:
    """Path below docs -> text."""
    return {"abi.md": overview(), **{f"abi/{r}.md": revision_page(r) for r in decoders.REVISIONS}}


def main() -> None:
    """Write the pages."""
    for name, text in pages().items():
        path = DOCS / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        sys.stdout.write(f"{name}: {len(text.splitlines())} lines\n")


if __name__ == "__main__":
    main()
