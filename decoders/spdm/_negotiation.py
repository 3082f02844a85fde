"""GET_VERSION to ALGORITHMS: version, capabilities and algorithms of a connection."""

from __future__ import annotations

from functools import cache
from typing import Any

from construct import Bytes, Int8ul, Int16ul, Int32ul

from ..tree import Node
from . import algorithms as alg
from . import codes
from ._fields import Bits, Layout, Make, algorithms, bits, enum, flag, hexadecimal, node, number, reserved, version_number
from ._reader import Parse, Reader
from .codes import V10, V11, V12, V13, V14
from .session import Capabilities
from .standards import STANDARDS

MIN_DATA_TRANSFER_SIZE = 42
"""Bytes (DSP0274 1.2, DataTransferSize)."""

_MULTI_KEY = {0: "no", 1: "only", 2: "negotiable"}
_EP_INFO = {0: "no", 1: "without signature", 2: "with signature"}
_REQUESTER = (
    flag("CERT_CAP", 1, V11),
    flag("CHAL_CAP", 2, V11),
    flag("ENCRYPT_CAP", 6, V11),
    flag("MAC_CAP", 7, V11),
    flag("MUT_AUTH_CAP", 8, V11),
    flag("KEY_EX_CAP", 9, V11),
    Bits("PSK_CAP", 10, 11, {0: "no", 1: "yes"}, V11),
    flag("ENCAP_CAP", 12, V11),
    flag("HBEAT_CAP", 13, V11),
    flag("KEY_UPD_CAP", 14, V11),
    flag("HANDSHAKE_IN_THE_CLEAR_CAP", 15, V11),
    flag("PUB_KEY_ID_CAP", 16, V11),
    flag("CHUNK_CAP", 17, V12),
    Bits("EP_INFO_CAP", 22, 23, _EP_INFO, V13),
    flag("EVENT_CAP", 25, V13),
    Bits("MULTI_KEY_CAP", 26, 27, _MULTI_KEY, V13),
    flag("LARGE_RESP_CAP", 31, V14),
)
_RESPONDER = (
    flag("CACHE_CAP", 0),
    flag("CERT_CAP", 1),
    flag("CHAL_CAP", 2),
    Bits("MEAS_CAP", 3, 4, {0: "no", 1: "without signature", 2: "with signature"}),
    flag("MEAS_FRESH_CAP", 5),
    *_REQUESTER[2:6],
    Bits("PSK_CAP", 10, 11, {0: "no", 1: "yes", 2: "with context"}, V11),
    *_REQUESTER[7:13],
    flag("ALIAS_CERT_CAP", 18, V12),
    flag("SET_CERT_CAP", 19, V12),
    flag("CSR_CAP", 20, V12),
    flag("CERT_INSTALL_RESET_CAP", 21, V12),
    _REQUESTER[13],
    flag("MEL_CAP", 24, V13),
    *_REQUESTER[14:16],
    flag("GET_KEY_PAIR_INFO_CAP", 28, V13),
    flag("SET_KEY_PAIR_INFO_CAP", 29, V13),
    flag("SET_KEY_PAIR_RESET_CAP", 30, V14),
    flag("LARGE_RESP_CAP", 31, V14),
)
_EXT_FLAGS = (flag("SLOT_MGMT_CAP", 0, V14),)
MEAS_CAP = 3 << 3
"""Responder flags: measurements, with or without signature."""

NO_PARAMS = Layout(("Param1", Int8ul, reserved), ("Param2", Int8ul, reserved))
"""The parameters of a message that has none."""
_VERSION = Layout(
    ("Param1", Int8ul, reserved),
    ("Param2", Int8ul, reserved),
    ("Reserved", Int8ul, reserved),
    ("VersionNumberEntryCount", Int8ul, number),
)


def _ct_exponent(name: str, value: int, offset: int, size: int) -> Node:
    return node(name, value, f"{value} ({1 << value} us)" if value < 32 else str(value), offset, size)


@cache
def _capabilities(version: int, responder: bool) -> Layout:
    """What follows the code, up to the algorithms block."""
    named: list[tuple[str, Any, Make]] = []
    if version >= V13:
        named.append(("Param1", Int8ul, bits(flag("SupportedAlgorithms", 0), version=version)))
    else:
        named.append(("Param1", Int8ul, reserved))
    named.append(("Param2", Int8ul, reserved))
    if version > V10 or responder:
        named += [
            ("Reserved", Int8ul, reserved),
            ("CTExponent", Int8ul, _ct_exponent),
            ("ExtFlags", Int16ul, bits(*(_EXT_FLAGS if responder else ()), version=version))
            if version >= V14
            else ("Reserved", Int16ul, reserved),
            ("Flags", Int32ul, bits(*(_RESPONDER if responder else _REQUESTER), version=version, word=True)),
        ]
    if version >= V12:
        named += [("DataTransferSize", Int32ul, number), ("MaxSPDMmsgSize", Int32ul, number)]
    return Layout(*named)


def _get_version(r: Reader) -> str:
    r.fields(NO_PARAMS)
    return ""


def _version(r: Reader) -> str:
    count = r.fields(_VERSION)[3]
    said = []
    for i in range(count):
        r.uint(f"VersionNumberEntry[{i}]", 2, version_number)
        said.append(r.nodes[-1].text)
    s = r.session
    if not r.level and s.inside is None:
        asked = r.request(codes.GET_VERSION)
        s.reset()
        s.negotiated(asked, r.data[r.start : r.pos])
    return ", ".join(said)


def _get_capabilities(r: Reader) -> str:
    r.session.offered = _one_side(r, responder=False)
    return str(r.facts["text"])


def _capabilities_rsp(r: Reader) -> str:
    answer = _one_side(r, responder=True)
    asked = r.request(codes.GET_CAPABILITIES)
    s = r.session
    s.version = r.version
    s.responder = answer
    s.requester = s.offered if asked is not None else None
    s.negotiated(asked, r.data[r.start : r.pos])
    return str(r.facts["text"])


def _one_side(r: Reader, responder: bool) -> Capabilities:
    values = r.fields(_capabilities(r.version, responder))
    if len(values) < 6:
        r.facts["text"] = ""
        return Capabilities()
    param1, _, _, exponent, extended, flags, *sizes = values
    transfer, largest = sizes if sizes else (0, 0)
    if sizes and transfer < MIN_DATA_TRANSFER_SIZE:
        r.say(f"DataTransferSize {transfer} is below the minimum of {MIN_DATA_TRANSFER_SIZE}", "warning")
    if sizes and largest < transfer:
        r.say(f"MaxSPDMmsgSize {largest} is below DataTransferSize {transfer}", "warning")
    r.facts["text"] = f"Flags {flags:#010x}" + (f", DataTransferSize {transfer}, MaxSPDMmsgSize {largest}" if sizes else "")
    if r.version >= V13 and param1 & 1 and r.left:
        r.group("SupportedAlgorithms", _supported)
    return Capabilities(flags, extended if r.version >= V14 else 0, exponent, transfer, largest)


# algorithms

_OPAQUE_FORMAT = (flag("OpaqueDataFmt0", 0), flag("OpaqueDataFmt1", 1))
_BLOCK = Layout(("AlgStructTableCount", Int8ul, number), ("Reserved", Int8ul, reserved))
_EXTENDED = Layout(
    ("RegistryID", Int8ul, enum(STANDARDS)),
    ("Reserved", Int8ul, reserved),
    ("AlgorithmID", Int16ul, hexadecimal),
)
_TABLES = {
    2: ("DHE", alg.DHE, V11),
    3: ("AEADCipherSuite", alg.AEAD, V11),
    4: ("ReqBaseAsymAlg", alg.BASE_ASYM, V11),
    5: ("KeySchedule", alg.KEY_SCHEDULE, V11),
    6: ("ReqPqcAsymAlg", alg.PQC_ASYM, V14),
    7: ("KEMAlg", alg.KEM, V14),
}
_FIELD = {2: "dhe", 3: "aead", 4: "req_base_asym", 5: "key_schedule", 6: "req_pqc_asym", 7: "kem"}


@cache
def _fixed(version: int, answer: bool) -> Layout:
    """From Length up to the extended algorithms: what a side supports, or the answer to it."""

    def of(table: alg.Table) -> Make:
        return algorithms(table, version, one=answer)

    sel = "Sel" if answer else ""
    multi = flag("RequesterMultiKeyConnSel" if answer else "ResponderMultiKeyConn", 4, V13)
    named: list[tuple[str, Any, Make]] = [
        ("Length", Int16ul, number),
        ("MeasurementSpecificationSel" if answer else "MeasurementSpecification", Int8ul, of(alg.SPECIFICATION)),
    ]
    other = "OtherParamsSelection" if answer else "OtherParamsSupport"
    if version >= V12:
        named.append((other, Int8ul, bits(*_OPAQUE_FORMAT, multi, version=version)))
    else:
        named.append(("Reserved", Int8ul, reserved))
    if answer:
        named.append(("MeasurementHashAlgo", Int32ul, of(alg.MEASUREMENT_HASH)))
    named += [
        ("BaseAsymSel" if answer else "BaseAsymAlgo", Int32ul, of(alg.BASE_ASYM)),
        ("BaseHashSel" if answer else "BaseHashAlgo", Int32ul, of(alg.BASE_HASH)),
    ]
    if version >= V14:
        named.append(("PqcAsymSel" if answer else "PqcAsymAlgo", Int32ul, of(alg.PQC_ASYM)))
    else:
        named.append(("Reserved", Int32ul, reserved))
    mel: tuple[str, Any, Make] = (
        (f"MELspecification{sel}", Int8ul, of(alg.SPECIFICATION)) if version >= V13 else ("Reserved", Int8ul, reserved)
    )
    if answer:
        named += [("Reserved", Bytes(7), reserved), mel]
        named += [("ExtAsymSelCount", Int8ul, number), ("ExtHashSelCount", Int8ul, number), ("Reserved", Int16ul, reserved)]
    else:
        named += [("Reserved", Bytes(8), reserved)]
        named += [("ExtAsymCount", Int8ul, number), ("ExtHashCount", Int8ul, number), ("Reserved", Int8ul, reserved), mel]
    return Layout(*named)


@cache
def _tables_param(version: int) -> Layout:
    if version >= V11:
        return Layout(("AlgStructTableCount", Int8ul, number), ("Param2", Int8ul, reserved))
    return NO_PARAMS


def _negotiate_algorithms(r: Reader) -> str:
    count = r.fields(_tables_param(r.version))[0]
    _body(r, count if r.version >= V11 else 0, answer=False, start=r.start)
    return str(r.facts["text"])


def _supported(r: Reader) -> str:
    start = r.pos
    count = r.fields(_BLOCK)[0]
    _body(r, count, answer=False, start=start)
    return str(r.facts["text"])


def _algorithms(r: Reader) -> str:
    count = r.fields(_tables_param(r.version))[0]
    found = _body(r, count if r.version >= V11 else 0, answer=True, start=r.start)
    s = r.session
    s.algorithms = alg.Algorithms(**found)
    s.inferred.clear()
    asked = r.request(codes.NEGOTIATE_ALGORITHMS)
    offered = asked[7] if asked is not None and len(asked) > 7 else None
    s.responder_multi_key = _multi_key(s.responder, offered, r.version >= V13)
    s.requester_multi_key = _multi_key(s.requester, s.algorithms.other_params, r.version >= V13)
    s.negotiated(asked, r.data[r.start : r.pos])
    return str(r.facts["text"])


def _multi_key(side: Capabilities | None, other_params: int | None, defined: bool) -> bool | None:
    """Whether a side uses several keys on this connection: it does nothing else, or it can and the other side asked."""
    if not defined:
        return False
    can = None if side is None else side.flags >> 26 & 3
    if can == 1:
        return True
    if can == 2:
        return None if other_params is None else bool(other_params & 0x10)
    return None if can is None else False


def _body(r: Reader, tables: int, answer: bool, start: int) -> dict[str, int]:
    """From Length on. ``start`` is where what Length counts begins."""
    values = r.fields(_fixed(r.version, answer))
    length, spec, other = values[:3]
    found = {"measurement_specification": spec, "other_params": other if r.version >= V12 else 0}
    if answer:
        found["measurement_hash"] = values[3]
        values = values[1:]
    asym, hashes, pqc = values[3:6]
    found |= {"base_asym": asym, "base_hash": hashes}
    if r.version >= V14:
        found["pqc_asym"] = pqc
    mel = values[7] if answer else values[10]
    ext_asym, ext_hash = values[8:10] if answer else values[7:9]
    if r.version >= V13:
        found["mel_specification"] = mel
    sel = "Sel" if answer else ""
    for i in range(ext_asym):
        r.group(f"ExtAsym{sel}[{i}]", _extended)
    for i in range(ext_hash):
        r.group(f"ExtHash{sel}[{i}]", _extended)
    said = []
    for i in range(tables):
        r.group(f"{'Resp' if answer else 'Req'}AlgStruct[{i}]", _structure(answer))
        kind, value = r.facts["table"]
        if kind in _FIELD:
            found[_FIELD[kind]] = value
        said.append(r.nodes[-1].text)
    _check_length(r, length, start)
    first = [n.text for n in r.nodes if n.name in (f"BaseAsym{sel or 'Algo'}", f"BaseHash{sel or 'Algo'}") and n.value]
    r.facts["text"] = ", ".join(first + said)
    return found


def _check_length(r: Reader, length: int, start: int) -> None:
    if length != r.pos - start:
        r.say(f"Length is {length}, the fields take {r.pos - start} bytes", "warning")


def _extended(r: Reader) -> str:
    r.fields(_EXTENDED)
    return f"{r.nodes[-3].text} {r.nodes[-1].text}"


def _structure(answer: bool) -> Parse:
    def parse(r: Reader) -> str:
        kind, count = r.fields(_structure_layout(r.version))
        size = count >> 4
        name, table, _ = _TABLES.get(kind, ("", (), 0))
        value = r.uint("AlgSupported", size, _supported_make(table, r.version, answer) if table else hexadecimal)
        text = f"{name or f'type {kind}'}: {r.nodes[-1].text}"
        if size != 2:
            r.noted(f"{size} bytes, 2 expected", "warning")
        for i in range(count & 15):
            r.group(f"AlgExternal[{i}]", _extended)
        r.facts["table"] = kind, value
        return text

    return parse


@cache
def _structure_layout(version: int) -> Layout:
    known = {k: name for k, (name, _, since) in _TABLES.items() if since <= version}
    count = bits(Bits("ExtAlgCount", 0, 3), Bits("FixedAlgByteCount", 4, 7), version=version)
    return Layout(("AlgType", Int8ul, enum(known)), ("AlgCount", Int8ul, count))


@cache
def _supported_make(table: alg.Table, version: int, answer: bool) -> Make:
    return algorithms(table, version, one=answer)


HANDLERS: dict[int, Parse] = {
    codes.GET_VERSION: _get_version,
    codes.VERSION: _version,
    codes.GET_CAPABILITIES: _get_capabilities,
    codes.CAPABILITIES: _capabilities_rsp,
    codes.NEGOTIATE_ALGORITHMS: _negotiate_algorithms,
    codes.ALGORITHMS: _algorithms,
}
