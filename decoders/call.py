"""A call as a tree: arguments, result and results, each register in the type that the revision gives it."""

from __future__ import annotations

from collections.abc import Sequence

from . import fields, names
from .abi import Profile, Register, RmmCommand
from .spec import Command, Reg
from .tree import Node

_U64 = 0xFFFFFFFFFFFFFFFF
_LAST_OF_UNKNOWN = 7
"""Registers shown of a call that no table has: x1..x7, as far as they are not zero."""

Registers = Sequence[int | None]


def decode_call(x: Registers, r: Registers | None, *, revision: str) -> Node:
    """A call as a tree.

    x  x0.. in, x0 is the function id; r  x0.. out, None where the result was not seen. A register that is None or not
    there is unknown: its node has no value and the text '?'. The node's name is the command ('unknown' where no table
    has it), its children are 'args', 'result' (value x0; status and what is packed with it) and 'results'. Results are
    there only where the status makes them valid. Registers have no offsets.

    Raises LookupError for an unknown revision, and nothing else.
    """
    fid = x[0] if x else None
    own, source = names.found_in(fid, revision) if fid is not None else names.found_in(-1, revision)
    if fid is None:
        return _tree("unknown", None, "?", _raw("args", x), _unknown_result(r), _raw("results", r or ()))
    if own is not None:
        return _rmm(own, source, x, r, revision)
    from . import smccc

    other = smccc.lookup(fid)
    if other is not None:
        return _service(other, x, r, revision)
    service = smccc.service_of(fid)
    node = _tree("unknown", fid, f"unknown {service} {fid:#x}", _raw("args", x), _unknown_result(r), _raw("results", r or ()))
    if service in ("RMI", "RSI"):
        return node.noted(f"no revision of DEN0137 has this {service} function id", "warning")
    return node.noted("not in any table", "note")


def _tree(name: str, fid: int | None, text: str, *children: Node) -> Node:
    return Node(name, fid, text, children=children)


def _at(registers: Registers, i: int) -> int | None:
    value = registers[i] if i < len(registers) else None
    return None if value is None else value & _U64


def _unknown(name: str) -> Node:
    return Node(name, None, "?")


def _raw(name: str, registers: Registers) -> Node:
    """x1.. as they are, without the zeros at the end."""
    values = [_at(registers, i) for i in range(1, min(len(registers), _LAST_OF_UNKNOWN + 1))]
    while values and not values[-1]:
        values.pop()
    return Node(
        name,
        children=tuple(_unknown(f"x{i}") if v is None else Node(f"x{i}", v, f"{v:#x}") for i, v in enumerate(values, 1)),
    )


def _unknown_result(r: Registers | None) -> Node:
    x0 = _at(r or (), 0)
    if x0 is None:
        return _unknown("result")
    return _not_supported(x0) if names.is_not_supported(x0) else Node("result", x0, f"{x0:#x}")


def _not_supported(x0: int) -> Node:
    return Node("result", x0, "SMC_NOT_SUPPORTED (-1)", children=(Node("status", x0, "SMC_NOT_SUPPORTED (-1)"),))


# RMI and RSI ---------------------------------------------------------------------------------------------------------


def _rmm(command: RmmCommand, source: str, x: Registers, r: Registers | None, revision: str) -> Node:
    """A call of RMI or RSI, with the registers of ``source`` where ``revision`` has not got it."""
    fid = x[0] or 0
    try:
        types = names.profile(source, command.service)
    except LookupError:  # a draft that is known by the names of its calls only
        types = None
    if types is None:
        args = _raw("args", x)
    else:
        registers, form = _form(command, revision, x)
        args = Node("args", children=tuple(_arguments(types, command, registers, x)))
        args = args.noted(form) if form else args
    result = _result(command, r, revision)
    results = _results(types, command, x, r or (), revision)
    node = _tree(command.name, fid, f"{fid:#x}", args, result, results)
    if source != revision:
        node = node.noted(f"not in {revision}; {fields.bare(command.name)} of {source}", "warning")
    return node


def _form(command: RmmCommand, revision: str, x: Registers) -> tuple[Sequence[Reg], str | None]:
    """The argument list that the registers fit, where neighbouring drafts have several for one function id."""
    if command.name == "RMI_VDEV_ABORT" and revision == "1.1-alp17" and not _at(x, 2) and not _at(x, 3):
        vdev = Register(1, "vdev_ptr", "Address", (), "PA of the VDEV granule")
        return (vdev,), "one argument: the form of 1.1-alp14 and TF-RMM alp16"
    if command.name == "RMI_PSCI_COMPLETE" and revision == "2.0-bet3":
        second = _at(x, 2) or 0
        if second and second & 0xFFF == 0 and second < 1 << 52:  # an address, not a PSCI status
            return names.profile("2.0-bet1").commands[command.name].args, "three arguments: the form before 2.0-bet3"
    return command.args, None


def _arguments(types: Profile, command: Command, registers: Sequence[Reg], x: Registers) -> list[Node]:
    nodes: list[Node] = []
    flags = 0
    for reg in registers:
        value = _at(x, reg.reg)
        if reg.name == "flags":
            flags = value or 0
        type = _set_descriptor(types, flags) if reg.type == "RmiAddrSetDesc" else reg.type
        nodes.append(_register(types, reg, type, value))
    return nodes


def _set_descriptor(types: Profile, flags: int) -> str:
    """What an RmiAddrSetDesc holds is said by oaddr_type in bits [1:0] of the flags of the same call."""
    return "RmiAddrRangeDesc" if types.enums["RmiAddrType"].get(flags & 3) == "RMI_ADDR_TYPE_SINGLE" else "Address"


def _register(types: Profile, reg: Reg, type: str, value: int | None) -> Node:
    if value is None:
        return _unknown(reg.name)
    if type == "FunctionId":
        return Node(reg.name, value, _function_text(value, types.revision))
    bits = reg.bits if isinstance(reg, Register) else None
    if bits is None:
        return fields.decode(types, reg.name, type, value)
    kept = value & ((1 << bits[1] + 1) - 1)
    node = fields.decode(types, reg.name, type, kept)
    return node.noted(f"bits [63:{bits[1] + 1}] should be zero: {value:#x}", "warning") if kept != value else node


def _function_text(value: int, revision: str) -> str:
    name, service = names.name_of(value, revision)
    return f"{name or f'unknown {service}'} ({value:#x})"


def _result(command: RmmCommand, r: Registers | None, revision: str) -> Node:
    x0 = _at(r or (), 0)
    if x0 is None:
        return _unknown("result")
    if names.is_not_supported(x0):
        return _not_supported(x0)
    p = names.profile(revision, command.service)
    name, _, _ = names.status_of(command.fid, x0, revision)
    number = x0 & 0xFF if command.service == "RMI" else x0
    text = f"{name} ({number})" if name else f"unknown ({number:#x})"
    status = Node("status", number, text)
    if number not in p.statuses:
        status = status.noted(f"{revision} has no status {number}" + (f"; {name} is newer" if name else ""), "warning")
    if command.service != "RMI":
        return Node("result", x0, text, children=(status,))
    return _packed(p, command, x0, name or "", status)


def _packed(p: Profile, command: RmmCommand, x0: int, status: str, node: Node) -> Node:
    """The result with what is packed beside the status."""
    packing = p.packing.get(status)
    extra = p.packing.get("", ()) if packing is None else packing
    note = None
    if status == "RMI_ERROR_REALM" and names.index_of(command.fid, status, x0) and not extra:
        extra = names.profile("1.1-alp17").packing[status]
        note = f"{p.revision} gives RMI_ERROR_REALM no index; TF-RMM does as 1.1 did"
    children = tuple(fields.bit_node(p, f, x0) for f in extra)
    text = node.text
    for f, child in zip(extra, children, strict=True):
        if packing is not None or note:
            text += f", {f.name}={fields.brief(p.enums[f.type], int(child.value or 0)) if f.type in p.enums else child.text}"
    result = Node("result", x0, text, children=(node, *children))
    undefined = x0 & ~(0xFF | sum(f.mask for f in (extra if packing is not None or note else ())))
    if undefined:
        result = result.noted(f"bits not defined for {status or 'this status'}: {undefined:#x}", "warning")
    return result.noted(note) if note else result


def _results(types: Profile | None, command: RmmCommand, x: Registers, r: Registers, revision: str) -> Node:
    x0 = _at(r, 0)
    if types is None:
        return _raw("results", r)
    if x0 is None or names.is_not_supported(x0):
        return Node("results")
    status, _, _ = names.status_of(command.fid, x0, revision)
    wants_memory = status == "RMI_INCOMPLETE" and x0 >> 8 & 3 == 1
    nodes = []
    for out in command.outputs:
        if status not in out.valid_on or (out.name == "donate_req" and not wants_memory):
            continue
        type = out.type
        if out.name == "value" and command.name in ("RMI_FEATURES", "RSI_FEATURES"):
            type = _feature_register(types, _at(x, 1)) or type
        nodes.append(_register(types, out, type, _at(r, out.reg)))
    return Node("results", children=tuple(nodes))


def _feature_register(types: Profile, index: int | None) -> str | None:
    name = f"{types.prefix.title().rstrip('_')}FeatureRegister{'?' if index is None else int(index)}"
    return name if name in types.bitfields else None


# every other service -------------------------------------------------------------------------------------------------


def _service(command: Command, x: Registers, r: Registers | None, revision: str) -> Node:
    fid = x[0] or 0
    args = Node("args", children=tuple(_service_register(command, a, _at(x, a.reg), revision) for a in command.args))
    return _tree(command.name, fid, f"{fid:#x}", args, *_service_result(command, r or (), revision))


def _service_register(command: Command, reg: Reg, value: int | None, revision: str) -> Node:
    from . import smccc

    if value is None:
        return _unknown(reg.name)
    if reg.reg in command.secret:
        return Node(reg.name, None, "(key material, not shown)")
    if reg.type == "FunctionId" and names.block(value):
        return Node(reg.name, value, _function_text(value, revision))
    return Node(reg.name, value, smccc.decode_value(reg.type, value))


def _service_result(command: Command, r: Registers, revision: str) -> tuple[Node, Node]:
    from . import smccc

    x0 = _at(r, 0)
    if x0 is None:
        return _unknown("result"), Node("results")
    text = smccc.result_text(command, x0)
    status, failed = smccc.status_of(command, x0)
    result = Node("result", x0, text, children=(Node("status", x0, text),) if status else ())
    wanted = [o for o in command.outputs if (status in o.valid_on if o.valid_on else not failed)]
    return result, Node("results", children=tuple(_service_register(command, o, _at(r, o.reg), revision) for o in wanted))
