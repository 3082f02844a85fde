"""The values of one event: which registers it shows, which memory, and everything together for a closer look."""

from __future__ import annotations

from collections.abc import Mapping

from . import eventmap
from .base import Buffer, Detail
from .ftrace_buffers import buffer_of
from .ftrace_line import Body, number, numbers


def layout(body: Body, out: bool, rule: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int, int], ...]:
    """(field, register or -1, elements of an array or 0) of an event; nothing where it has more than numbers."""
    plan = eventmap.plan(tuple([n for n, _ in body.fields]), out, rule)
    found = []
    for (name, value), reg in zip(body.fields, plan, strict=True):
        elements = numbers(value) if value[:1] == b"{" else None
        if elements is None and number(value) is None:
            return ()
        found.append((name, reg, len(elements or ())))
    return tuple(found) if body.junk is None else ()


def is_register(body: Body, out: bool) -> bool:
    """Whether what stands for x0 may be one: under a name for arrays only an array does."""
    plan = eventmap.plan(tuple([n for n, _ in body.fields]), out)
    return 0 in plan and eventmap.fits(*body.fields[plan.index(0)])


def inlined(body: Body, out: bool) -> bool:
    """Whether a probe in a function around an SMC shows that SMC: its first register is an RMI or RSI function id."""
    regs = registers(body, out, ())[0]
    return not out and bool(regs) and regs[0] is not None and is_register(body, out) and regs[0] in eventmap.REALM_FIDS


def first_value(value: bytes) -> int | None:
    """A number, or the first of an array; None where it is none."""
    if value[:1] == b"{":
        found = numbers(value)
        return found[0] if found else None
    return number(value)


def registers(body: Body, out: bool, rule: tuple[tuple[str, int], ...]) -> tuple[list[int | None], str | None]:
    """(x0.. as far as the event has them with None for gaps, what is wrong or None)."""
    plan = eventmap.plan(tuple([n for n, _ in body.fields]), out, rule)
    regs: list[int | None] = []
    for (name, value), reg in zip(body.fields, plan, strict=True):
        if reg < 0:
            continue
        while len(regs) < reg:
            regs.append(None)
        if value[:1] == b"{":
            found = numbers(value)
            if found is None:
                return [], f"{name} is not a whole array"
            regs[reg : reg + len(found)] = found[: eventmap.MAX_REGS - reg]
        elif value != b"(fault)":
            single = number(value)
            if single is None:
                return [], f"{name} is not a number"
            regs[reg : reg + 1] = [single]
    return regs, None


def detail_of(
    body: Body, rules: Mapping[str, eventmap.EventRule], text: str, task: str | None, *, results: bool = False
) -> Detail:
    """One event in full; ``results``: of a synthetic event that holds a whole call, what came out."""
    rule = rules.get(body.event)
    ret = body.place.ret if body.place is not None else False
    kind = rule.kind if rule else eventmap.direction(body.event) if eventmap.is_smc_event(body.event) else None
    out = (
        (results and body.place is None) or kind == "exit" or (kind is None and (ret or eventmap.direction(body.event) == "exit"))
    )
    fields = {n: v.decode("utf-8", "surrogateescape") for n, v in body.fields}
    wrapper = (body.place is not None and eventmap.is_wrapper(body.place.func)) or body.event in eventmap.WRAPPER_EVENTS
    buffers: tuple[Buffer, ...] = ()
    regs: dict[int, int] = {}
    dump = buffer_of(body) if body.place is not None and kind is None else None
    if dump is not None and dump[1] >= 0:
        struct = "DevCommRspBuf" if ret else "DevCommReqBuf"
        buffers = (Buffer(struct, None, "enter" if ret else "exit", dump[0]),)
        fields = {n: v for n, v in fields.items() if not v.startswith("{")}
    elif not wrapper or kind is not None or inlined(body, out):
        found, _ = registers(body, out, tuple(rule.fields.items()) if rule else ())
        regs = {i: v for i, v in enumerate(found) if v is not None}
    elif ret and (value := number(dict(body.fields).get("ret", b""))) is not None:
        regs = {0: value}
    return Detail(text=text, task=task, event=body.event, regs=regs, fields=fields, buffers=buffers)
