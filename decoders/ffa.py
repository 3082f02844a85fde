"""Firmware Framework for Arm A-profile: DEN0077A FF-A 1.0 to 1.3.

An FF-A call is answered with a function id in x0 (``FFA_SUCCESS``, ``FFA_ERROR`` with the code in w2, ...),
so the tables name the replies that can come back as results; the codes stand under the register ``error_code``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .service import Service, ServiceCommand, arg
from .spec import Reg

ERROR_CODES = {
    -1: "FFA_NOT_SUPPORTED",
    -2: "FFA_INVALID_PARAMETERS",
    -3: "FFA_NO_MEMORY",
    -4: "FFA_BUSY",
    -5: "FFA_INTERRUPTED",
    -6: "FFA_DENIED",
    -7: "FFA_RETRY",
    -8: "FFA_ABORTED",
    -9: "FFA_NO_DATA",
}
# x0 of a reply is a function id; a firmware without FF-A answers -1.
FFA = Service("FF-A", "Firmware Framework for Arm A-profile (DEN0077A)", {-1: "FFA_NOT_SUPPORTED"})

_ENDPOINTS = arg(1, "endpoints", "FfaEndpoints", "sender << 16 | receiver")
_FLAGS2 = arg(2, "flags")
_DATA = tuple(arg(n, f"data{n - 3}") for n in range(3, 8))
_DIRECT = (_ENDPOINTS, _FLAGS2, *_DATA)
_DIRECT2 = (_ENDPOINTS, arg(2, "uuid_lo"), arg(3, "uuid_hi"), *(arg(n, f"data{n - 4}") for n in range(4, 18)))
_MEM = (
    arg(1, "total_length", "UInt64", "bytes of the descriptor"),
    arg(2, "fragment_length", "UInt64", "bytes of it passed now"),
    arg(3, "address", "Address", "of the descriptor, 0: in the TX buffer"),
    arg(4, "pages", "UInt64", "of that buffer"),
)
_HANDLE = (arg(1, "handle_lo", "Bits32"), arg(2, "handle_hi", "Bits32"))
_BITMAP = (arg(3, "bitmap_lo", "Bits32"), arg(4, "bitmap_hi", "Bits32"))
_UUID = tuple(arg(n, f"uuid_w{n - 1}", "Bits32") for n in range(1, 5))


def _on(reply: str, *regs: Reg) -> tuple[Reg, ...]:
    """Registers that mean this in that reply."""
    return tuple(replace(r, valid_on=(reply,)) for r in regs)


def _words(last: int) -> tuple[Reg, ...]:
    return _on("FFA_SUCCESS", *(arg(n, f"w{n}") for n in range(2, last + 1)))


_ERROR = _on("FFA_ERROR", arg(2, "error_code", "FfaErrorCode"))
_INTERRUPT = _on("FFA_INTERRUPT", arg(1, "target_info"), arg(2, "interrupt_id", "UInt64"))
_RESPONSE = _on("FFA_MSG_SEND_DIRECT_RESP", _ENDPOINTS, *_DATA)
_RETRIEVED = _on("FFA_MEM_RETRIEVE_RESP", *_MEM[:2])
_FRAGMENT = _on("FFA_MEM_FRAG_RX", *_HANDLE, arg(3, "fragment_offset", "UInt64"))


def _ffa(
    name: str, fids: int | tuple[int, int], summary: str, args: Sequence[Reg] = (), *, words: int = 3
) -> tuple[ServiceCommand, ...]:
    """A call that is answered by another one; ``words``: the last register that FFA_SUCCESS fills."""
    outputs = [*_ERROR, *_words(words), *_INTERRUPT]
    if "MSG_" in name or name in ("FFA_RUN", "FFA_NORMAL_WORLD_RESUME"):
        outputs += _RESPONSE
    if "MEM_" in name:
        outputs += [*_RETRIEVED, *_FRAGMENT]
    return FFA.value(name, fids, summary, args, outputs, x0="FunctionId")


COMMANDS: tuple[ServiceCommand, ...] = (
    *_ffa("FFA_ERROR", (0x84000060, 0xC4000060), "error reply", [arg(1, "target_info"), arg(2, "error_code", "FfaErrorCode")]),
    *_ffa("FFA_SUCCESS", (0x84000061, 0xC4000061), "success reply"),
    *_ffa(
        "FFA_INTERRUPT",
        0x84000062,
        "interrupt pending in the Secure world",
        [arg(1, "target_info"), arg(2, "interrupt_id", "UInt64")],
    ),
    *FFA.value("FFA_VERSION", 0x84000063, "agree on a version", [arg(1, "version", "Version16")], x0="Version16"),
    *_ffa("FFA_FEATURES", 0x84000064, "query a feature", [arg(1, "feature", "FfaFeature", "feature or function id"), _FLAGS2]),
    *_ffa("FFA_RX_RELEASE", 0x84000065, "give the RX buffer back"),
    *_ffa(
        "FFA_RXTX_MAP",
        (0x84000066, 0xC4000066),
        "register RX and TX buffers",
        [arg(1, "tx", "Address", "TX buffer"), arg(2, "rx", "Address", "RX buffer"), arg(3, "pages", "UInt64")],
    ),
    *_ffa("FFA_RXTX_UNMAP", 0x84000067, "unregister RX and TX buffers"),
    *_ffa("FFA_PARTITION_INFO_GET", 0x84000068, "list partitions", [*_UUID, arg(5, "flags")]),
    *_ffa("FFA_ID_GET", 0x84000069, "own endpoint id"),
    *_ffa("FFA_MSG_POLL", 0x8400006A, "poll for a message (1.0)"),
    *_ffa("FFA_MSG_WAIT", 0x8400006B, "wait for a message"),
    *_ffa("FFA_MSG_YIELD", 0x8400006C, "yield"),
    *_ffa("FFA_RUN", 0x8400006D, "run an endpoint (FFA_RUN)", [arg(1, "target_info", "Bits64", "endpoint << 16 | vCPU")]),
    *_ffa("FFA_MSG_SEND", 0x8400006E, "indirect message (1.0)", [_ENDPOINTS]),
    *_ffa("FFA_MSG_SEND_DIRECT_REQ", (0x8400006F, 0xC400006F), "direct request", _DIRECT),
    *_ffa("FFA_MSG_SEND_DIRECT_RESP", (0x84000070, 0xC4000070), "direct response", _DIRECT),
    *_ffa("FFA_MEM_DONATE", (0x84000071, 0xC4000071), "donate memory", _MEM),
    *_ffa("FFA_MEM_LEND", (0x84000072, 0xC4000072), "lend memory", _MEM),
    *_ffa("FFA_MEM_SHARE", (0x84000073, 0xC4000073), "share memory", _MEM),
    *_ffa("FFA_MEM_RETRIEVE_REQ", (0x84000074, 0xC4000074), "ask to retrieve memory", _MEM),
    *_ffa("FFA_MEM_RETRIEVE_RESP", 0x84000075, "reply to a retrieve request", _MEM[:2]),
    *_ffa("FFA_MEM_RELINQUISH", 0x84000076, "give up retrieved memory"),
    *_ffa("FFA_MEM_RECLAIM", 0x84000077, "take memory back", [*_HANDLE, arg(3, "flags")]),
    *_ffa(
        "FFA_MEM_FRAG_RX", 0x8400007A, "next fragment of a descriptor (receive)", [*_HANDLE, arg(3, "fragment_offset", "UInt64")]
    ),
    *_ffa("FFA_MEM_FRAG_TX", 0x8400007B, "next fragment of a descriptor (send)", [*_HANDLE, arg(3, "fragment_length", "UInt64")]),
    *_ffa("FFA_NORMAL_WORLD_RESUME", 0x8400007C, "resume the Normal world"),
    *_ffa(
        "FFA_NOTIFICATION_BITMAP_CREATE",
        0x8400007D,
        "create the notification bitmap of a VM",
        [arg(1, "vm_id"), arg(2, "vcpu_count", "UInt64")],
    ),
    *_ffa("FFA_NOTIFICATION_BITMAP_DESTROY", 0x8400007E, "destroy the notification bitmap of a VM", [arg(1, "vm_id")]),
    *_ffa("FFA_NOTIFICATION_BIND", 0x8400007F, "bind notifications to a sender", [_ENDPOINTS, _FLAGS2, *_BITMAP]),
    *_ffa("FFA_NOTIFICATION_UNBIND", 0x84000080, "unbind notifications", [_ENDPOINTS, _FLAGS2, *_BITMAP]),
    *_ffa("FFA_NOTIFICATION_SET", 0x84000081, "signal notifications", [_ENDPOINTS, _FLAGS2, *_BITMAP]),
    *_ffa("FFA_NOTIFICATION_GET", 0x84000082, "fetch pending notifications", [arg(1, "target_info"), _FLAGS2], words=7),
    *_ffa("FFA_NOTIFICATION_INFO_GET", (0x84000083, 0xC4000083), "endpoints with pending notifications", words=7),
    *_ffa("FFA_RX_ACQUIRE", 0x84000084, "take a VM's RX buffer", [arg(1, "vm_id")]),
    *_ffa("FFA_SPM_ID_GET", 0x84000085, "endpoint id of the SPM"),
    *_ffa("FFA_MSG_SEND2", 0x84000086, "indirect message", [arg(1, "sender"), _FLAGS2]),
    *_ffa("FFA_SECONDARY_EP_REGISTER", 0xC4000087, "entry point of secondary cores", [arg(1, "entry_point", "Address")]),
    *_ffa(
        "FFA_MEM_PERM_GET",
        (0x84000088, 0xC4000088),
        "memory permissions",
        [arg(1, "base", "Address"), arg(2, "pages", "UInt64")],
    ),
    *_ffa(
        "FFA_MEM_PERM_SET",
        (0x84000089, 0xC4000089),
        "change memory permissions",
        [arg(1, "base", "Address"), arg(2, "pages", "UInt64"), arg(3, "permissions")],
    ),
    *_ffa(
        "FFA_CONSOLE_LOG",
        (0x8400008A, 0xC400008A),
        "write characters to the console",
        [arg(1, "char_count", "UInt64"), *(arg(n, f"chars{n - 2}") for n in range(2, 8))],
    ),
    *_ffa(
        "FFA_PARTITION_INFO_GET_REGS",
        0xC400008B,
        "list partitions in registers",
        [arg(1, "uuid_lo"), arg(2, "uuid_hi")],
        words=17,
    ),
    *_ffa("FFA_EL3_INTR_HANDLE", 0x8400008C, "let EL3 handle an interrupt"),
    *_ffa("FFA_MSG_SEND_DIRECT_REQ2", 0xC400008D, "direct request with UUID", _DIRECT2),
    *_ffa("FFA_MSG_SEND_DIRECT_RESP2", 0xC400008E, "direct response with UUID", (_ENDPOINTS, *_DIRECT2[3:])),
    *_ffa("FFA_NS_RES_INFO_GET", 0xC400008F, "Non-secure resources of a partition"),
    *_ffa("FFA_ABORT", (0x84000090, 0xC4000090), "abort the calling partition"),
    *_ffa("FFA_NOTIFICATION_BIND2", 0xC4000094, "bind notifications to a sender", [_ENDPOINTS]),
    *_ffa("FFA_NOTIFICATION_UNBIND2", 0xC4000095, "unbind notifications", [_ENDPOINTS]),
    *_ffa("FFA_NOTIFICATION_SET2", 0xC4000096, "signal notifications", [_ENDPOINTS]),
    *_ffa("FFA_NOTIFICATION_GET2", 0xC4000097, "fetch pending notifications"),
)
