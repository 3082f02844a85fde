"""Codes of SPDM messages and their names (DSP0274 1.0 to 1.4; libspdm include/industry_standard/spdm.h)."""

from __future__ import annotations

GET_DIGESTS = 0x81
GET_CERTIFICATE = 0x82
CHALLENGE = 0x83
GET_VERSION = 0x84
CHUNK_SEND = 0x85
CHUNK_GET = 0x86
GET_ENDPOINT_INFO = 0x87
SLOT_MANAGEMENT = 0x88
GET_MEASUREMENTS = 0xE0
GET_CAPABILITIES = 0xE1
GET_SUPPORTED_EVENT_TYPES = 0xE2
NEGOTIATE_ALGORITHMS = 0xE3
KEY_EXCHANGE = 0xE4
FINISH = 0xE5
PSK_EXCHANGE = 0xE6
PSK_FINISH = 0xE7
HEARTBEAT = 0xE8
KEY_UPDATE = 0xE9
GET_ENCAPSULATED_REQUEST = 0xEA
DELIVER_ENCAPSULATED_RESPONSE = 0xEB
END_SESSION = 0xEC
GET_CSR = 0xED
SET_CERTIFICATE = 0xEE
GET_MEASUREMENT_EXTENSION_LOG = 0xEF
SUBSCRIBE_EVENT_TYPES = 0xF0
SEND_EVENT = 0xF1
GET_KEY_PAIR_INFO = 0xFC
SET_KEY_PAIR_INFO = 0xFD
VENDOR_DEFINED_REQUEST = 0xFE
RESPOND_IF_READY = 0xFF

DIGESTS = 0x01
CERTIFICATE = 0x02
CHALLENGE_AUTH = 0x03
VERSION = 0x04
CHUNK_SEND_ACK = 0x05
CHUNK_RESPONSE = 0x06
ENDPOINT_INFO = 0x07
SLOT_MANAGEMENT_RESP = 0x08
MEASUREMENTS = 0x60
CAPABILITIES = 0x61
SUPPORTED_EVENT_TYPES = 0x62
ALGORITHMS = 0x63
KEY_EXCHANGE_RSP = 0x64
FINISH_RSP = 0x65
PSK_EXCHANGE_RSP = 0x66
PSK_FINISH_RSP = 0x67
HEARTBEAT_ACK = 0x68
KEY_UPDATE_ACK = 0x69
ENCAPSULATED_REQUEST = 0x6A
ENCAPSULATED_RESPONSE_ACK = 0x6B
END_SESSION_ACK = 0x6C
CSR = 0x6D
SET_CERTIFICATE_RSP = 0x6E
MEASUREMENT_EXTENSION_LOG = 0x6F
SUBSCRIBE_EVENT_TYPES_ACK = 0x70
EVENT_ACK = 0x71
KEY_PAIR_INFO = 0x7C
SET_KEY_PAIR_INFO_ACK = 0x7D
VENDOR_DEFINED_RESPONSE = 0x7E
ERROR = 0x7F

V10, V11, V12, V13, V14 = 0x10, 0x11, 0x12, 0x13, 0x14

NAMES: dict[int, str] = {v: k for k, v in list(globals().items()) if isinstance(v, int) and not k.startswith(("_", "V1"))}
"""Code -> name. Bit 7 set is a request."""

_V11 = ("KEY_EXCHANGE", "FINISH", "PSK_", "HEARTBEAT", "KEY_UPDATE", "ENCAPSULATED", "END_SESSION")
_V12 = ("CHUNK", "CSR", "SET_CERTIFICATE")
_V13 = ("ENDPOINT_INFO", "EVENT", "EXTENSION_LOG", "KEY_PAIR_INFO")
_V14 = ("SLOT_MANAGEMENT",)


def _since(name: str) -> int:
    for version, words in ((V14, _V14), (V13, _V13), (V12, _V12), (V11, _V11)):
        if any(word in name for word in words):
            return version
    return V10


SINCE: dict[int, int] = {code: _since(name) for code, name in NAMES.items()}
"""Code -> first version (0x10 to 0x14) that defines it."""

_BY_CODE = [NAMES.get(code, f"UNKNOWN_{code:#04x}") for code in range(256)]


def name_of(data: bytes) -> str:
    """The name of a message, 'GET_VERSION', from its first two bytes: ``UNKNOWN_0xc0`` for a code that no version
    defines, ``TRUNCATED`` for less than two bytes. Reads nothing else and never raises."""
    return _BY_CODE[data[1]] if len(data) > 1 else "TRUNCATED"


def code_name(code: int) -> str:
    """The name of a code, 0 to 255."""
    return _BY_CODE[code & 0xFF]


def version_text(version: int) -> str:
    """``1.3`` of a version byte 0x13."""
    return f"{version >> 4}.{version & 15}"
