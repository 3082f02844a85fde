"""Standards bodies and their vendor ids (DSP0274 1.4 'Registry or standards body ID')."""

from __future__ import annotations

STANDARDS = {
    0: "DMTF",
    1: "TCG",
    2: "USB",
    3: "PCI-SIG",
    4: "IANA",
    5: "HDBaseT",
    6: "MIPI",
    7: "CXL",
    8: "JEDEC",
    9: "VESA",
    10: "IANA CBOR",
    11: "DMTF-DSP",
}
VENDOR_ID_SIZES = {0: 0, 1: 2, 2: 2, 3: 2, 4: 4, 5: 4, 6: 2, 7: 2, 8: 2, 9: 0, 11: 2}
"""Bytes of the vendor id of a body; IANA CBOR ids have the length they say."""
