"""RSI of DEN0137 1.0-rel0.

From the specification text (B5.3) and TF-RMM lib/smc/include/smc-rsi.h at its tag rmm-spec-v1.0-rel0.
"""

from __future__ import annotations

from dataclasses import replace

from ..abi import Profile, bit, bits, remarks, structs
from ._words import rsi

COMMANDS = rsi("""
0xC4000190 RSI_VERSION                      agree on a version
    req -> lower@SUCCESS|ERROR_INPUT higher@SUCCESS|ERROR_INPUT
0xC4000191 RSI_FEATURES                     read a feature register
    index -> value
0xC4000192 RSI_MEASUREMENT_READ             read RIM (0) or a REM (1..4)
    index -> value_0..7
0xC4000193 RSI_MEASUREMENT_EXTEND           extend a REM
    index size value_0..7
0xC4000194 RSI_ATTESTATION_TOKEN_INIT       start an attestation token
    challenge_0..7 -> size
0xC4000195 RSI_ATTESTATION_TOKEN_CONTINUE   go on with the token
    addr offset size -> len@SUCCESS|INCOMPLETE
0xC4000196 RSI_REALM_CONFIG                 read the Realm configuration
    addr
0xC4000197 RSI_IPA_STATE_SET                ask for a RIPAS change
    base top ripas flags:RsiRipasChangeFlags -> new_base response
0xC4000198 RSI_IPA_STATE_GET                read RIPAS
    base top -> out_top ripas
0xC4000199 RSI_HOST_CALL                    call the host
    addr
""")

ENUMS = {
    "RsiCommandReturnCode": {
        0: "RSI_SUCCESS",
        1: "RSI_ERROR_INPUT",
        2: "RSI_ERROR_STATE",
        3: "RSI_INCOMPLETE",
        4: "RSI_ERROR_UNKNOWN",
    },
    "RsiHashAlgorithm": {0: "RSI_HASH_SHA_256", 1: "RSI_HASH_SHA_512"},
    "RsiRipas": {0: "RSI_EMPTY", 1: "RSI_RAM", 2: "RSI_DESTROYED"},
    "RsiResponse": {0: "RSI_ACCEPT", 1: "RSI_REJECT"},
    "RsiRipasChangeDestroyed": {0: "RSI_NO_CHANGE_DESTROYED", 1: "RSI_CHANGE_DESTROYED"},
    "RsiFeature": {0: "RSI_FEATURE_FALSE", 1: "RSI_FEATURE_TRUE"},
}

BITFIELDS = {
    "RsiInterfaceVersion": (bits("minor", 15, 0, "", "minor version"), bits("major", 30, 16, "", "major version")),
    "RsiRipasChangeFlags": (bit("destroyed", 0, "RsiRipasChangeDestroyed", "allow a change from DESTROYED"),),
}

STRUCTS = structs("""
RsiHostCall 0x100
    0x000 2      imm                  Bits16
    0x008 8x31   gprs                 Bits64
RsiRealmConfig 0x1000
    0x000 8      ipa_width            UInt64             bits
    0x008 1      hash_algo            RsiHashAlgorithm
    0x200 64     rpv                  Bits512            Realm Personalization Value
""")

NOTES = remarks("""
RSI_ATTESTATION_TOKEN_INIT
    1.0-rel0 text returns an upper bound of the token size in x1
    TF-RMM name ATTEST_TOKEN_INIT
RSI_ATTESTATION_TOKEN_CONTINUE
    TF-RMM name ATTEST_TOKEN_CONTINUE
RSI_HOST_CALL
    buffer must be 256 byte aligned
""")

ALIASES = {
    "RSI_ATTEST_TOKEN_INIT": "RSI_ATTESTATION_TOKEN_INIT",
    "RSI_ATTEST_TOKEN_CONTINUE": "RSI_ATTESTATION_TOKEN_CONTINUE",
    "RSI_ABI_VERSION": "RSI_VERSION",
}
"""Spellings of TF-RMM; RSI_ABI_VERSION is that of 2022."""

PROFILE = Profile(
    "1.0-rel0",
    "RSI_",
    {c.name: replace(c, notes=NOTES.get(c.name, ())) for c in COMMANDS},
    ENUMS,
    BITFIELDS,
    STRUCTS,
    {},
    ALIASES,
)
