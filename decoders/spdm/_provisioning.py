"""Certificates and keys put into a device: GET_CSR, SET_CERTIFICATE and key pairs."""

from __future__ import annotations

from functools import cache
from typing import Any

from construct import Int8ul, Int16ul, Int32ul

from . import codes
from ._capabilities import NO_PARAMS
from ._fields import Bits, Layout, Make, algorithms, bits, enum, flag, number, reserved, slots
from ._identity import CERT_MODEL, KEY_USAGE_MASK, SLOT, chain_parts
from ._reader import Parse, Reader
from .algorithms import PQC_ASYM
from .codes import V13, V14
from .opaque import opaque_data
from .transcript import Requested

KEY_PAIR_CAPABILITIES = bits(
    flag("GenKeyCap", 0),
    flag("ErasableCap", 1),
    flag("CertAssocCap", 2),
    flag("KeyUsageCap", 3),
    flag("AsymAlgoCap", 4),
    flag("ShareableCap", 5),
)
KEY_PAIR_ALGORITHMS = bits(
    *(
        flag(name, i)
        for i, name in enumerate(("RSA2048", "RSA3072", "RSA4096", "ECC256", "ECC384", "ECC521", "SM2", "Ed25519", "Ed448"))
    )
)
"""Algorithms of key pairs, numbered otherwise than those that are negotiated."""
PQC_KEY_PAIR_ALGORITHMS = algorithms(PQC_ASYM)
OPERATION = {0: "ParameterChange", 1: "KeyPairErase", 2: "GenerateKeyPair"}


def pqc(r: Reader, name: str) -> None:
    """A length of one byte and as many of PQC algorithms by bit (1.4)."""
    size = r.uint(f"{name}Len", 1)
    if size:
        r.uint(name, size, PQC_KEY_PAIR_ALGORITHMS)


# CSR

CSR_ATTRIBUTES = bits(Bits("CSRCertModel", 0, 2, CERT_MODEL), Bits("CSRTrackingTag", 3, 5), flag("Overwrite", 7))


@cache
def _get_csr_layout(version: int) -> Layout:
    params: list[tuple[str, Any, Make]] = [("Param1", Int8ul, reserved), ("Param2", Int8ul, reserved)]
    if version >= V13:
        params = [("KeyPairID", Int8ul, number), ("Param2", Int8ul, CSR_ATTRIBUTES)]
    return Layout(*params, ("RequesterInfoLength", Int16ul, number), ("OpaqueDataLength", Int16ul, number))


_CSR = Layout(
    ("Param1", Int8ul, reserved), ("Param2", Int8ul, reserved), ("CSRLength", Int16ul, number), ("Reserved", Int16ul, reserved)
)


def _get_csr(r: Reader) -> str:
    key, _, info, opaque = r.fields(_get_csr_layout(r.version))
    r.bytes("RequesterInfo", info)
    opaque_data(r, opaque)
    return f"key pair {key}" if r.version >= V13 else ""


def _csr(r: Reader) -> str:
    size = r.fields(_CSR)[2]
    value = r.bytes("CSRdata", size, f"PKCS #10 request, {size} bytes")
    r.session.proofs.append(Requested("CSR", value))
    return f"{size} bytes"


# SET_CERTIFICATE


@cache
def _set_certificate_layout(version: int) -> Layout:
    more = (Bits("SetCertModel", 4, 6, CERT_MODEL, V13), flag("Erase", 7, V13))
    second: tuple[str, Any, Make] = ("KeyPairID", Int8ul, number) if version >= V13 else ("Param2", Int8ul, reserved)
    return Layout(("Param1", Int8ul, bits(SLOT, *more, version=version)), second)


_SET_RSP = Layout(("Param1", Int8ul, bits(SLOT)), ("Param2", Int8ul, reserved))


def _set_certificate(r: Reader) -> str:
    param1, _ = r.fields(_set_certificate_layout(r.version))
    text = f"slot {param1 & 15}"
    if r.version >= V13 and param1 & 0x80:
        return f"{text}, erase"
    if r.left:
        head = r.data[r.pos : r.pos + (4 if r.version >= V14 else 2)]
        # the chain says its own length; what is behind it is the transport's
        size = int.from_bytes(head, "little")
        if size < 4 or size > r.left:
            size = r.left
        r.region("CertChain", size, chain_parts)
    return text


def _set_certificate_rsp(r: Reader) -> str:
    at = r.fields(_SET_RSP)[0] & 15
    asked = r.request(codes.SET_CERTIFICATE)
    if asked is not None:
        r.echoes("slot", at, asked[2] & 15)
    return f"slot {at}"


# key pairs

_PAIR = Layout(("Param1", Int8ul, reserved), ("Param2", Int8ul, reserved), ("KeyPairID", Int8ul, number))
_PAIR_INFO = Layout(
    ("Param1", Int8ul, reserved),
    ("Param2", Int8ul, reserved),
    ("TotalKeyPairs", Int8ul, number),
    ("KeyPairID", Int8ul, number),
    ("Capabilities", Int16ul, KEY_PAIR_CAPABILITIES),
    ("KeyUsageCapabilities", Int16ul, KEY_USAGE_MASK),
    ("CurrentKeyUsage", Int16ul, KEY_USAGE_MASK),
    ("AsymAlgoCapabilities", Int32ul, KEY_PAIR_ALGORITHMS),
    ("CurrentAsymAlgo", Int32ul, KEY_PAIR_ALGORITHMS),
    ("PublicKeyInfoLen", Int16ul, number),
    ("AssocCertSlotMask", Int8ul, slots),
)
_SET_PAIR = Layout(("Operation", Int8ul, enum(OPERATION)), ("Param2", Int8ul, reserved), ("KeyPairID", Int8ul, number))
_DESIRED = Layout(
    ("Reserved", Int8ul, reserved),
    ("DesiredKeyUsage", Int16ul, KEY_USAGE_MASK),
    ("DesiredAsymAlgo", Int32ul, KEY_PAIR_ALGORITHMS),
    ("DesiredAssocCertSlotMask", Int8ul, slots),
)


def _get_key_pair_info(r: Reader) -> str:
    return f"key pair {r.fields(_PAIR)[2]}"


def _key_pair_info(r: Reader) -> str:
    values = r.fields(_PAIR_INFO)
    asked = r.request(codes.GET_KEY_PAIR_INFO)
    if asked is not None and len(asked) > 4:
        r.echoes("KeyPairID", values[3], asked[4])
    r.bytes("PublicKeyInfo", values[9])
    if r.version >= V14:
        pqc(r, "PqcAsymAlgoCap")
        pqc(r, "CurrentPqcAsymAlgo")
    return f"key pair {values[3]} of {values[2]}"


def _set_key_pair_info(r: Reader) -> str:
    operation, _, pair = r.fields(_SET_PAIR)
    if operation != 1:
        r.fields(_DESIRED)
        if r.version >= V14:
            pqc(r, "DesiredPqcAsymAlgo")
    return f"{OPERATION.get(operation, operation)}, key pair {pair}"


def _set_key_pair_info_ack(r: Reader) -> str:
    r.fields(NO_PARAMS)
    return ""


HANDLERS: dict[int, Parse] = {
    codes.GET_CSR: _get_csr,
    codes.CSR: _csr,
    codes.SET_CERTIFICATE: _set_certificate,
    codes.SET_CERTIFICATE_RSP: _set_certificate_rsp,
    codes.GET_KEY_PAIR_INFO: _get_key_pair_info,
    codes.KEY_PAIR_INFO: _key_pair_info,
    codes.SET_KEY_PAIR_INFO: _set_key_pair_info,
    codes.SET_KEY_PAIR_INFO_ACK: _set_key_pair_info_ack,
}
