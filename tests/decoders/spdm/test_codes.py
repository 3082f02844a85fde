"""Names of codes, as DSP0274's tables of requests and responses have them."""

from __future__ import annotations

import time

import pytest

from decoders.spdm import name_of
from decoders.spdm.codes import NAMES, SINCE, V10, V11, V12, V13, V14, version_text

REQUESTS = """
81 GET_DIGESTS 10 | 82 GET_CERTIFICATE 10 | 83 CHALLENGE 10 | 84 GET_VERSION 10 | 85 CHUNK_SEND 12 | 86 CHUNK_GET 12
87 GET_ENDPOINT_INFO 13 | 88 SLOT_MANAGEMENT 14 | E0 GET_MEASUREMENTS 10 | E1 GET_CAPABILITIES 10
E2 GET_SUPPORTED_EVENT_TYPES 13 | E3 NEGOTIATE_ALGORITHMS 10 | E4 KEY_EXCHANGE 11 | E5 FINISH 11 | E6 PSK_EXCHANGE 11
E7 PSK_FINISH 11 | E8 HEARTBEAT 11 | E9 KEY_UPDATE 11 | EA GET_ENCAPSULATED_REQUEST 11
EB DELIVER_ENCAPSULATED_RESPONSE 11 | EC END_SESSION 11 | ED GET_CSR 12 | EE SET_CERTIFICATE 12
EF GET_MEASUREMENT_EXTENSION_LOG 13 | F0 SUBSCRIBE_EVENT_TYPES 13 | F1 SEND_EVENT 13 | FC GET_KEY_PAIR_INFO 13
FD SET_KEY_PAIR_INFO 13 | FE VENDOR_DEFINED_REQUEST 10 | FF RESPOND_IF_READY 10
01 DIGESTS 10 | 02 CERTIFICATE 10 | 03 CHALLENGE_AUTH 10 | 04 VERSION 10 | 05 CHUNK_SEND_ACK 12 | 06 CHUNK_RESPONSE 12
07 ENDPOINT_INFO 13 | 08 SLOT_MANAGEMENT_RESP 14 | 60 MEASUREMENTS 10 | 61 CAPABILITIES 10 | 62 SUPPORTED_EVENT_TYPES 13
63 ALGORITHMS 10 | 64 KEY_EXCHANGE_RSP 11 | 65 FINISH_RSP 11 | 66 PSK_EXCHANGE_RSP 11 | 67 PSK_FINISH_RSP 11
68 HEARTBEAT_ACK 11 | 69 KEY_UPDATE_ACK 11 | 6A ENCAPSULATED_REQUEST 11 | 6B ENCAPSULATED_RESPONSE_ACK 11
6C END_SESSION_ACK 11 | 6D CSR 12 | 6E SET_CERTIFICATE_RSP 12 | 6F MEASUREMENT_EXTENSION_LOG 13
70 SUBSCRIBE_EVENT_TYPES_ACK 13 | 71 EVENT_ACK 13 | 7C KEY_PAIR_INFO 13 | 7D SET_KEY_PAIR_INFO_ACK 13
7E VENDOR_DEFINED_RESPONSE 10 | 7F ERROR 10
"""
TABLE = [row.split() for row in REQUESTS.replace("\n", "|").split("|") if row.strip()]


@pytest.mark.parametrize(("code", "name", "since"), TABLE)
def test_name_and_first_version(code: str, name: str, since: str) -> None:
    assert name_of(bytes.fromhex("12" + code)) == name
    assert SINCE[int(code, 16)] == int(since, 16)


def test_no_other_codes() -> None:
    assert {int(code, 16) for code, _, _ in TABLE} == set(NAMES)
    assert name_of(b"\x12\xc0") == "UNKNOWN_0xc0"
    assert name_of(b"\x12") == name_of(b"") == "TRUNCATED"


def test_versions() -> None:
    assert [version_text(v) for v in (V10, V11, V12, V13, V14)] == ["1.0", "1.1", "1.2", "1.3", "1.4"]


def test_naming_is_a_look_up() -> None:
    """300,000 names a second are wanted; this leaves room for a machine six times slower."""
    data = b"\x12\xe0\x01\xff"
    start = time.process_time()
    for _ in range(50_000):
        name_of(data)
    assert time.process_time() - start < 1
