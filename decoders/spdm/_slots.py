"""SLOT_MANAGEMENT (1.4): certificate slots of every algorithm, in banks.

Source: DSP0274 1.4, structures as in libspdm's definitions of July 2026 (not released then; no capture seen).
"""

from __future__ import annotations

from construct import Bytes, Int8ul, Int16ul, Int32ul, Int64ul

from . import codes
from ._fields import Bits, Layout, bits, enum, flag, number, reserved, slots
from ._identity import CERT_INFO, CERT_MODEL, KEY_USAGE_MASK, SLOT, chain_parts
from ._provisioning import CSR_ATTRIBUTES, KEY_PAIR_ALGORITHMS, pqc
from ._reader import Parse, Reader
from .opaque import opaque_data
from .transcript import Requested

SUB_CODES = {
    0x00: "SupportedSubCodes",
    0x01: "GetBankInfo",
    0x02: "GetBankDetails",
    0x03: "GetCertificateChain",
    0x04: "GetCSR",
    0x20: "ManageBank",
    0x21: "ManageSlot",
    0x22: "SetCertificate",
}
_HEAD = Layout(
    ("SubCode", Int8ul, enum(SUB_CODES)),
    ("Param2", Int8ul, reserved),
    ("MgmtStructOffset", Int16ul, number),
    ("Reserved", Int16ul, reserved),
)
_HEADER_SIZE = 8
_ADDRESS = Layout(
    ("ReqLength", Int16ul, number),
    ("Reserved", Int16ul, reserved),
    ("BankID", Int8ul, number),
    ("SlotID", Int8ul, bits(SLOT)),
    ("Reserved", Int16ul, reserved),
)
_SUB_CODE_BITS = bits(*(flag(name, i) for i, name in SUB_CODES.items()))
_SUPPORTED = Layout(
    ("RespLength", Int16ul, number),
    ("Reserved", Int16ul, reserved),
    ("SubCodeBitmap", Int64ul, _SUB_CODE_BITS),
    ("Reserved", Bytes(24), reserved),
)
_BANK_INFO = Layout(
    ("RespLength", Int16ul, number),
    ("Reserved", Int16ul, reserved),
    ("NumBankElements", Int8ul, number),
    ("Reserved", Bytes(3), reserved),
)
_BANK_ELEMENT = Layout(
    ("ElementLength", Int8ul, number),
    ("BankID", Int8ul, number),
    ("SlotMask", Int8ul, slots),
    ("ModifiableSlotMask", Int8ul, slots),
)
_BANK_DETAILS = Layout(
    ("RespLength", Int16ul, number),
    ("BankID", Int8ul, number),
    ("Reserved", Int8ul, reserved),
    ("NumSlotElements", Int16ul, number),
    ("BankAttributes", Int8ul, bits(flag("Selected", 0), flag("ConfigAlgo", 1))),
    ("Reserved", Int8ul, reserved),
    ("AsymAlgoCapabilities", Int32ul, KEY_PAIR_ALGORITHMS),
    ("CurrentAsymAlgo", Int32ul, KEY_PAIR_ALGORITHMS),
    ("AvailableAsymAlgo", Int32ul, KEY_PAIR_ALGORITHMS),
)
_SLOT_ELEMENT = Layout(
    ("ElementLength", Int16ul, number),
    ("SlotID", Int8ul, number),
    ("Reserved", Int8ul, reserved),
    ("SlotAttributes", Int8ul, bits(flag("Provisioned", 0), flag("WriteProtected", 1))),
    ("KeyPairID", Int8ul, number),
    ("CertificateInfo", Int8ul, CERT_INFO),
    ("Reserved", Int8ul, reserved),
    ("KeyUsage", Int16ul, KEY_USAGE_MASK),
    ("Reserved", Int16ul, reserved),
    ("SlotSize", Int32ul, number),
)
_LENGTH = Layout(("Length", Int32ul, number), ("Reserved", Int32ul, reserved))
_MANAGE = Layout(
    ("Operation", Int8ul, enum({1: "ConfigAlgo"})),
    ("Reserved", Bytes(3), reserved),
    ("SelectAsymAlgo", Int32ul, KEY_PAIR_ALGORITHMS),
)
_MANAGE_SLOT = Layout(("Operation", Int8ul, enum({1: "Erase"})), ("Reserved", Bytes(3), reserved))
_CSR_REQUEST = Layout(
    ("KeyPairID", Int8ul, number),
    ("RequestAttributes", Int8ul, CSR_ATTRIBUTES),
    ("Reserved", Int16ul, reserved),
    ("RequesterInfoLength", Int16ul, number),
    ("OpaqueDataLength", Int16ul, number),
)
_SET = Layout(
    ("CertLength", Int32ul, number),
    ("CertAttributes", Int8ul, bits(Bits("SetCertModel", 0, 2, CERT_MODEL))),
    ("KeyPairID", Int8ul, number),
    ("Reserved", Int16ul, reserved),
)


def _structure(parses: dict[int, Parse]) -> Parse:
    """What SubCode says, at the offset that MgmtStructOffset says; 0 where there is no structure."""

    def parse(r: Reader) -> str:
        code, _, offset, _ = r.fields(_HEAD)
        name = SUB_CODES.get(code, f"SubCode {code:#04x}")
        if not offset:
            return name
        gap = offset - (r.pos - r.start)
        if gap < 0:
            r.fail("SlotMgmtStruct", f"MgmtStructOffset {offset} lies in the {_HEADER_SIZE} bytes before it")
        if gap:
            r.reserved(gap)
        if code not in parses:
            r.rest("SlotMgmtStruct")
            return name
        r.group(name, parses[code])
        return f"{name}: {r.nodes[-1].text}" if r.nodes[-1].text else name

    return parse


def _address(r: Reader) -> str:
    _, _, bank, at, _ = r.fields(_ADDRESS)
    return f"bank {bank}, slot {at & 15}"


def _manage_bank(r: Reader) -> str:
    text = _address(r)
    r.fields(_MANAGE)
    if r.left:
        pqc(r, "SelectPqcAsymAlgo")
    return text


def _manage_slot(r: Reader) -> str:
    text = _address(r)
    r.fields(_MANAGE_SLOT)
    return text


def _get_csr(r: Reader) -> str:
    text = _address(r)
    *_, info, opaque = r.fields(_CSR_REQUEST)
    r.bytes("RequesterInfo", info)
    opaque_data(r, opaque)
    return text


def _set_certificate(r: Reader) -> str:
    text = _address(r)
    length = r.fields(_SET)[0]
    if length:
        r.region("CertChain", length, chain_parts)
    return text


def _supported(r: Reader) -> str:
    r.fields(_SUPPORTED)
    return r.nodes[2].text


def _bank_info(r: Reader) -> str:
    count = r.fields(_BANK_INFO)[2]
    for i in range(count):
        r.group(f"BankElement[{i}]", _bank_element)
    return f"{count} banks"


def _bank_element(r: Reader) -> str:
    size, bank, *_ = r.fields(_BANK_ELEMENT)
    if size > _BANK_ELEMENT.size:
        r.bytes("trailing", size - _BANK_ELEMENT.size)
    return f"bank {bank}"


def _bank_details(r: Reader) -> str:
    _, bank, _, count, *_ = r.fields(_BANK_DETAILS)
    for name in ("PqcAsymAlgoCap", "CurrentPqcAsymAlgo", "AvailablePqcAsymAlgo"):
        pqc(r, name)
    r.reserved(4)
    r.items("SlotElement", count, _slot_element)
    return f"bank {bank}, {count} slots"


def _slot_element(r: Reader) -> str:
    size, at, *_ = r.fields(_SLOT_ELEMENT)
    if size > _SLOT_ELEMENT.size:
        r.bytes("Digest", size - _SLOT_ELEMENT.size)
    return f"slot {at}"


def _chain(r: Reader) -> str:
    length, _ = r.fields(_LENGTH)
    if length:
        r.region("CertChain", length, chain_parts)
    return f"{length} bytes"


def _csr(r: Reader) -> str:
    length, _ = r.fields(_LENGTH)
    value = r.bytes("CSRdata", length, f"PKCS #10 request, {length} bytes")
    r.session.proofs.append(Requested("SLOT_MANAGEMENT_RESP", value))
    return f"{length} bytes"


HANDLERS: dict[int, Parse] = {
    codes.SLOT_MANAGEMENT: _structure(
        {0x02: _address, 0x03: _address, 0x04: _get_csr, 0x20: _manage_bank, 0x21: _manage_slot, 0x22: _set_certificate}
    ),
    codes.SLOT_MANAGEMENT_RESP: _structure({0x00: _supported, 0x01: _bank_info, 0x02: _bank_details, 0x03: _chain, 0x04: _csr}),
}
