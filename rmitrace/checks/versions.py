"""Which interface host and firmware agreed on, and calls that it does not have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

import decoders
from decoders.abi import Register

from .. import diagnose
from ..capture.records import Finding
from ..diagnose.deviations import known_to
from .finding import MOST_CALLS, found, more, parts, some, times
from .rule import Check, Rule

if TYPE_CHECKING:
    from ..capture.model import Capture

VERSION_REFUSED = Rule(
    "VERSION-REFUSED",
    "error",
    "RMI_VERSION is refused and the host goes on",
    "host and firmware have no interface in common: whatever follows may mean other things to the two",
    "the versions that the RMM gives in x1 and x2; `rmitrace abi diff`",
    "DEN0137 RMI_VERSION",
)
VERSION_PROVES_NOTHING = Rule(
    "VERSION-PROVES-NOTHING",
    "note",
    "the host asks for RMI 1.0 and uses commands on devices",
    "normal for RFC v2 and v3 of the kernel's device patches: the version number does not tell the revision",
    "the evidence for the revision, in the header",
    "DEN0137 1.1 drafts; docs/guide.md revisions",
)
DA_MISSING = Rule(
    "DA-MISSING",
    "error",
    "commands on devices though the feature registers show no device assignment",
    "the firmware was built without it, or has it in the register of another revision",
    "DA is bit 42 of register 0 in 1.1, and bit 0 of register 2 in 2.0",
    "DEN0137 RmiFeatureRegister0, RmiFeatureRegister2",
)
FID_UNKNOWN = Rule(
    "FID-UNKNOWN",
    "error",
    "the firmware does not know a function id",
    "x0 is -1: nobody handles the call; TF-RMM gives it for device commands too where it has no device assignment",
    "the firmware's build options and version",
    "DEN0028 unknown function id; TF-RMM handler.c",
)
FID_OTHER_REVISION = Rule(
    "FID-OTHER-REVISION",
    "error",
    "a function id of another revision than the firmware speaks",
    "kernel and firmware do not match",
    "`rmitrace abi show` of the command, for the revisions that have it",
    "docs/abi.md",
)
RESULT_BITS = Rule(
    "RESULT-BITS",
    "error",
    "x0 has bits that its status does not define",
    "not a result of this revision, or a register that was changed on its way",
    "who returns between the RMM and the host; the revision that is meant",
    "DEN0137 RmiCommandReturnCode",
)
RESERVED_BITS = Rule(
    "RESERVED-BITS",
    "warning",
    "an argument has bits that should be zero",
    "a newer caller, a field of another type, or a register that was not cleared",
    "the type of the argument (`rmitrace abi show`)",
    "DEN0137 argument types",
)
_MOST_VALUES = 4096


def version(capture: Capture) -> Iterable[Finding]:
    """VERSION-REFUSED, VERSION-PROVES-NOTHING."""
    return some(f for s in diagnose.runs(capture) for f in _version(capture, s))


def _version(capture: Capture, source: int) -> Iterator[Finding]:
    columns = diagnose.world(capture, source).columns
    rows = columns.of("VERSION")
    if not len(rows):
        return
    ok, _end = columns.succeeded(rows)
    refused = rows[capture.calls.failed[rows]]
    refused = refused[[capture.status_text(q) != "SMC_NOT_SUPPORTED" for q in refused.tolist()]]  # nobody answers: FID-UNKNOWN
    before_success = refused[refused < rows[ok][0]] if ok.any() else refused
    first_good = int(rows[ok][0]) if ok.any() else 1 << 62
    if len(before_success):
        first = int(before_success[0])
        others = columns.rows[(columns.rows > before_success[-1]) & (columns.rows < first_good)]
        asks = [i for i, n in enumerate(capture.names) if n in ("RMI_VERSION", "RMI_FEATURES")]
        others = others[~np.isin(capture.calls.name[others], asks)]
        if len(others):
            goes_on = int(others[0])
            text = f"{capture.call(first).line}{more(len(before_success))}; the host goes on with {capture.name_text(goes_on)}"
            yield found(VERSION_REFUSED, capture, f"{text} (call {goes_on})", [*before_success.tolist(), goes_on], object="")
    req, known = columns.arg(rows, "req")
    device = columns.first("RMI_PDEV_")
    if device >= 0 and bool((known & (req == 0x10000)).any()) and not bool((known & (req > 0x10000)).any()):
        text = f"the host asks for RMI 1.0 (call {int(rows[0])}) and calls {capture.name_text(device)}"
        yield found(VERSION_PROVES_NOTHING, capture, text, [int(rows[0]), device], object="")


def assignment(capture: Capture) -> Iterable[Finding]:
    """DA-MISSING: the feature register of the revision was read without DA, and the first command on a device is refused."""
    return some(f for s in diagnose.runs(capture) for f in _assignment(capture, s))


def _assignment(capture: Capture, source: int) -> Iterator[Finding]:
    columns = diagnose.world(capture, source).columns
    device = columns.first("RMI_PDEV_", "RMI_VDEV_")
    if device < 0 or not capture.calls.failed[device]:
        return
    rows, _end, index, k1 = columns.done_with(("FEATURES",), "index")
    _rows, _end, value, k2 = columns.done_with(("FEATURES",), "value", out=True)
    known = k1 & k2 & (rows < device)
    bits = {0: 42, 2: 0}
    shown = {i: bool((value[known & (index == i)] >> np.uint64(b) & np.uint64(1)).any()) for i, b in bits.items()}
    wanted = 2 if capture.revision.device.startswith("2.") else 0
    asked = rows[known & (index == wanted)]
    if len(asked) and not any(shown.values()):
        text = f"RMI_FEATURES index {wanted} (call {int(asked[0])}) shows no DA, and {capture.name_text(device)} returns "
        text += capture.status_text(device) or "an error"
        yield found(DA_MISSING, capture, text, [device, int(asked[0])], object="")


def function_ids(capture: Capture) -> Iterable[Finding]:
    """FID-UNKNOWN, FID-OTHER-REVISION: x0 of an RMI call is -1; once a command."""
    c = capture.calls
    if "SMC_NOT_SUPPORTED" not in capture.statuses:
        return
    no = capture.statuses.index("SMC_NOT_SUPPORTED")
    rmi = np.array([n.startswith("RMI_") for n in capture.names], dtype=bool)
    answered, some_of = 0, [np.zeros(0, dtype=np.int64)]
    for part in parts(capture):
        status, mine = c.status[part], rmi[c.name[part]]
        answered += int((mine & (status >= 0)).sum())
        some_of.append(np.flatnonzero(mine & (status == no)) + part.start)
    refused = np.concatenate(some_of)
    if answered and answered == len(refused):
        text = f"no RMM answers: {capture.name_text(int(refused[0]))} and every other RMI call returned -1 ({answered} calls)"
        yield found(FID_UNKNOWN, capture, text, refused[:MOST_CALLS].tolist(), object="")
        return
    of = c.name[refused]
    for i in np.unique(of).tolist():
        name, rows = capture.names[i], refused[of == i]
        spoken = capture.revision.of(name)
        text = f"{name} returned -1 {times(len(rows))}"
        if not known_to(name, spoken):
            there = [r for r in decoders.REVISIONS if known_to(name, r)]
            text += f": it is of {' and '.join(there)}, the firmware speaks {spoken}" if there else ": it is of a draft"
            yield found(FID_OTHER_REVISION, capture, text, rows.tolist(), object="")
        else:
            yield found(FID_UNKNOWN, capture, text, rows.tolist(), object="")


def results(capture: Capture) -> Iterable[Finding]:
    """RESULT-BITS: every distinct x0 of a command is looked at once."""
    return some(_results(capture))


def _results(capture: Capture) -> Iterator[Finding]:
    rows, x0 = _odd_results(capture)
    of = capture.calls.name[rows]
    for i in np.unique(of).tolist():
        mine, said = rows[of == i], x0[of == i]
        values, first = np.unique(said, return_index=True)
        for value, k in zip(values[:_MOST_VALUES].tolist(), first.tolist(), strict=False):
            result = capture.call(int(mine[k])).tree.child("result")
            if result is not None and result.severity == "warning" and "bits not defined" in (result.note or ""):
                text = f"{capture.names[i]} returned x0 = 0x{value:x}: {result.note}"
                yield found(RESULT_BITS, capture, text, mine[said == np.uint64(value)].tolist())


def _odd_results(capture: Capture) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]:
    """The RMI calls that returned something in what a plain status leaves clear, and x0 of each."""
    c = capture.calls
    rmi = np.array([n.startswith("RMI_") for n in capture.names], dtype=bool)
    found: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.uint64]]] = []
    for part in parts(capture):
        rows = np.flatnonzero(rmi[c.name[part]] & (c.exit[part] >= 0) & (c.status[part] >= 0)) + part.start
        x0, known = capture.regs(rows, 0, out=True)
        odd = known & (x0 >> np.uint64(8) != 0) & (x0 != np.uint64((1 << 64) - 1))
        found.append((rows[odd], x0[odd]))
    rows, x0 = (np.concatenate(column) for column in zip(*found, strict=True))
    return rows, x0


def reserved(capture: Capture) -> Iterable[Finding]:
    """RESERVED-BITS: registers that are wider than what is passed in them."""
    return some(_reserved(capture))


def _reserved(capture: Capture) -> Iterator[Finding]:
    worlds = [diagnose.world(capture, s) for s in diagnose.runs(capture)]
    for i, a, defined in _narrow(capture):
        asked = (p for w in worlds for p in w.columns.parts((capture.names[i].removeprefix("RMI_"),), a.name))
        wrong = [p.rows[p.known & (p.value & np.uint64(~defined & (1 << 64) - 1) != 0)] for p in asked]
        bad = np.sort(np.concatenate([np.zeros(0, dtype=np.int64), *wrong]))
        bad = bad[~capture.calls.inferred[bad]]
        if len(bad):
            value, _ = capture.regs(bad[:1], a.reg)
            text = f"{capture.names[i]}: {a.name} is 0x{int(value[0]):x}, {a.type or 'it'} has bits 0x{defined:x}{more(len(bad))}"
            yield found(RESERVED_BITS, capture, text, bad[:MOST_CALLS].tolist())


def _narrow(capture: Capture) -> Iterator[tuple[int, decoders.Reg, int]]:
    """The arguments of which not every bit means something: number of the command's name, argument, the bits that do."""
    for i, name in enumerate(capture.names):
        revision = capture.revision.of(name)
        command = decoders.command(name, revision) if name.startswith("RMI_") else None
        for a in command.args if command is not None else ():
            if getattr(a, "bits", None) or a.type in decoders.profile(revision).bitfields:
                yield i, a, _defined(a, revision)


def _defined(a: decoders.Reg, revision: str) -> int:
    """The bits of an argument that mean something."""
    if isinstance(a, Register) and a.bits is not None:
        return (1 << a.bits[1] + 1) - (1 << a.bits[0])
    fields = decoders.profile(revision).bitfields[a.type]
    return sum({f.mask for f in fields})


CHECKS = (
    Check(version, (VERSION_REFUSED, VERSION_PROVES_NOTHING)),
    Check(assignment, (DA_MISSING,)),
    Check(function_ids, (FID_UNKNOWN, FID_OTHER_REVISION)),
    Check(results, (RESULT_BITS,)),
    Check(reserved, (RESERVED_BITS,)),
)
