"""NEGOTIATE_ALGORITHMS and ALGORITHMS, and the block of supported algorithms that CAPABILITIES may carry."""

from __future__ import annotations

from functools import cache
from typing import Any

from construct import Bytes, Int8ul, Int16ul, Int32ul

from ..tree import Node
from . import algorithms as alg
from . import codes
from ._fields import Bits, Layout, Make, algorithms, bits, enum, flag, hexadecimal, number, reserved
from ._reader import Parse, Reader
from .codes import V11, V12, V13, V14
from .secure import Capabilities
from .standards import STANDARDS

_OPAQUE_FORMAT = (flag("OpaqueDataFmt0", 0), flag("OpaqueDataFmt1", 1))
_BLOCK = Layout(("AlgStructTableCount", Int8ul, number), ("Reserved", Int8ul, reserved))
_EXTENDED = Layout(("RegistryID", Int8ul, enum(STANDARDS)), ("Reserved", Int8ul, reserved), ("AlgorithmID", Int16ul, hexadecimal))
_TABLES = {
    2: ("DHE", alg.DHE, V11),
    3: ("AEADCipherSuite", alg.AEAD, V11),
    4: ("ReqBaseAsymAlg", alg.BASE_ASYM, V11),
    5: ("KeySchedule", alg.KEY_SCHEDULE, V11),
    6: ("ReqPqcAsymAlg", alg.PQC_ASYM, V14),
    7: ("KEMAlg", alg.KEM, V14),
}
"""AlgType -> name, algorithms, first version."""
_CHOSEN = {2: "dhe", 3: "aead", 4: "req_base_asym", 5: "key_schedule", 6: "req_pqc_asym", 7: "kem"}
"""AlgType -> attribute of Algorithms."""
_PLAIN_TABLE = 0x20
"""AlgCount of two bytes of algorithms and no extended ones."""
_KEPT = 256
_tables: dict[tuple[bytes, int, int, int, bool], tuple[Node, int, int]] = {}


@cache
def _fixed(version: int, answer: bool) -> Layout:
    """From Length up to the extended algorithms: what a side supports, or the answer to it."""

    def of(table: alg.Table) -> Make:
        return algorithms(table, version, one=answer)

    def since(first: int, name: str, con: Any, make: Make) -> tuple[str, Any, Make]:
        return (name, con, make) if version >= first else ("Reserved", con, reserved)

    multi = flag("RequesterMultiKeyConnSel" if answer else "ResponderMultiKeyConn", 4, V13)
    other = bits(*_OPAQUE_FORMAT, multi, version=version)
    if answer:
        return Layout(
            ("Length", Int16ul, number),
            ("MeasurementSpecificationSel", Int8ul, of(alg.SPECIFICATION)),
            since(V12, "OtherParamsSelection", Int8ul, other),
            ("MeasurementHashAlgo", Int32ul, of(alg.MEASUREMENT_HASH)),
            ("BaseAsymSel", Int32ul, of(alg.BASE_ASYM)),
            ("BaseHashSel", Int32ul, of(alg.BASE_HASH)),
            since(V14, "PqcAsymSel", Int32ul, of(alg.PQC_ASYM)),
            ("Reserved", Bytes(7), reserved),
            since(V13, "MELspecificationSel", Int8ul, of(alg.SPECIFICATION)),
            ("ExtAsymSelCount", Int8ul, number),
            ("ExtHashSelCount", Int8ul, number),
            ("Reserved", Int16ul, reserved),
        )
    return Layout(
        ("Length", Int16ul, number),
        ("MeasurementSpecification", Int8ul, of(alg.SPECIFICATION)),
        since(V12, "OtherParamsSupport", Int8ul, other),
        ("BaseAsymAlgo", Int32ul, of(alg.BASE_ASYM)),
        ("BaseHashAlgo", Int32ul, of(alg.BASE_HASH)),
        since(V14, "PqcAsymAlgo", Int32ul, of(alg.PQC_ASYM)),
        ("Reserved", Bytes(8), reserved),
        ("ExtAsymCount", Int8ul, number),
        ("ExtHashCount", Int8ul, number),
        ("Reserved", Int8ul, reserved),
        since(V13, "MELspecification", Int8ul, of(alg.SPECIFICATION)),
    )


@cache
def _tables_param(version: int) -> Layout:
    first = ("AlgStructTableCount", Int8ul, number) if version >= V11 else ("Param1", Int8ul, reserved)
    return Layout(first, ("Param2", Int8ul, reserved))


def _negotiate_algorithms(r: Reader) -> str:
    count = r.fields(_tables_param(r.version))[0]
    return _body(r, count if r.version >= V11 else 0, answer=False, start=r.start)[0]


def supported_block(r: Reader) -> str:
    """The block in CAPABILITIES (1.3): a count of tables, then as NEGOTIATE_ALGORITHMS from Length on."""
    start = r.pos
    count = r.fields(_BLOCK)[0]
    return _body(r, count, answer=False, start=start)[0]


def _algorithms(r: Reader) -> str:
    count = r.fields(_tables_param(r.version))[0]
    text, chosen = _body(r, count if r.version >= V11 else 0, answer=True, start=r.start)
    s, asked = r.session, r.request(codes.NEGOTIATE_ALGORITHMS)
    s.algorithms = alg.Algorithms(**chosen)
    s.inferred.clear()
    offered = asked[7] if asked is not None and len(asked) > 7 else None
    s.responder_multi_key = _multi_key(s.responder, offered, r.version)
    s.requester_multi_key = _multi_key(s.requester, s.algorithms.other_params, r.version)
    s.negotiated(asked, r.data[r.start : r.pos])
    return text


def _multi_key(side: Capabilities | None, other_params: int | None, version: int) -> bool | None:
    """Whether a side uses several keys on this connection: it does nothing else, or it can and the other side asked."""
    if version < V13:
        return False
    can = None if side is None else side.flags >> 26 & 3
    if can == 2:
        return None if other_params is None else bool(other_params & 0x10)
    return None if can is None else can == 1


def _body(r: Reader, tables: int, answer: bool, start: int) -> tuple[str, dict[str, int]]:
    """From Length on: the summary, and what is chosen. ``start`` is where what Length counts begins."""
    layout = _fixed(r.version, answer)
    values = r.fields(layout)
    read = dict(zip((name for name, *_ in layout.rows), values, strict=True))
    sel, end = ("Sel", "Sel") if answer else ("", "Algo")
    chosen = {
        "base_asym": read[f"BaseAsym{end}"],
        "base_hash": read[f"BaseHash{end}"],
        "pqc_asym": read.get(f"PqcAsym{end}", 0),
        "measurement_hash": read.get("MeasurementHashAlgo", 0),
        "measurement_specification": read[f"MeasurementSpecification{sel}"],
        "mel_specification": read.get(f"MELspecification{sel}", 0),
        "other_params": read.get("OtherParamsSelection" if answer else "OtherParamsSupport", 0),
    }
    said = [n.text for n in r.nodes[-len(values) :] if n.name in (f"BaseAsym{end}", f"BaseHash{end}") and n.value]
    for i in range(read[f"ExtAsym{sel}Count"]):
        r.group(f"ExtAsym{sel}[{i}]", _extended)
    for i in range(read[f"ExtHash{sel}Count"]):
        r.group(f"ExtHash{sel}[{i}]", _extended)
    for i in range(tables):
        kind, value = _table(r, i, answer)
        if kind in _CHOSEN:
            chosen[_CHOSEN[kind]] = value
        said.append(r.nodes[-1].text)
    if read["Length"] != r.pos - start:
        r.say(f"Length is {read['Length']}, the fields take {r.pos - start} bytes", "warning")
    return ", ".join(said), chosen


def _extended(r: Reader) -> str:
    r.fields(_EXTENDED)
    return f"{r.nodes[-3].text} {r.nodes[-1].text}"


def _table(r: Reader, index: int, answer: bool) -> tuple[int, int]:
    """One algorithm structure: its type, and the algorithms. Those of the plain form are kept: they do not change."""
    key = (r.data[r.pos : r.pos + 4], r.base + r.pos, index, r.version, answer)
    found = _tables.get(key)
    if found is not None and r.left >= 4:
        r.append(found[0])
        r.pos += 4
        return found[1:]
    kind, size, value = 0, 0, 0

    def parse(r: Reader) -> str:
        nonlocal kind, size, value
        kind, size = r.fields(_structure(r.version))
        name = _TABLES[kind][0] if kind in _TABLES else f"type {kind}"
        value = r.uint("AlgSupported", size >> 4, _supported(kind, r.version, answer))
        text = f"{name}: {r.nodes[-1].text}"
        if size >> 4 != 2:
            r.noted(f"{size >> 4} bytes, 2 expected", "warning")
        for i in range(size & 15):
            r.group(f"AlgExternal[{i}]", _extended)
        return text

    r.group(f"{'Resp' if answer else 'Req'}AlgStruct[{index}]", parse)
    if size == _PLAIN_TABLE:
        if len(_tables) >= _KEPT:
            _tables.clear()
        _tables[key] = r.nodes[-1], kind, value
    return kind, value


@cache
def _structure(version: int) -> Layout:
    known = {k: name for k, (name, _, since) in _TABLES.items() if since <= version}
    count = bits(Bits("ExtAlgCount", 0, 3), Bits("FixedAlgByteCount", 4, 7), version=version)
    return Layout(("AlgType", Int8ul, enum(known)), ("AlgCount", Int8ul, count))


@cache
def _supported(kind: int, version: int, answer: bool) -> Make:
    return algorithms(_TABLES[kind][1], version, one=answer) if kind in _TABLES else hexadecimal


HANDLERS: dict[int, Parse] = {
    codes.NEGOTIATE_ALGORITHMS: _negotiate_algorithms,
    codes.ALGORITHMS: _algorithms,
}
