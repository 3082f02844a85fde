"""Lines around the rows of an RMM console that a reader wants to see: what firmware, kernel and VMM say of themselves.

The classes are names of Kind.MARK records:

banner         version lines of a boot
crash          an exception in the RMM, with its registers and backtrace
assert         a failed assertion
unknown-fid    a call that the RMM refused: the only trace of it
invalid-state  likewise, of a call before RMM_ACTIVATE
spdm           libspdm in the device assignment application: names the message inside a COMMUNICATE
rmm            other lines of the RMM
tf-a           EL3 firmware on the RMM
kernel         the host's or a Realm's kernel on RMI, RSI, TSM
vmm            kvmtool or QEMU on Realms
acs            results of the RMM conformance tests

Sources: TF-RMM ``runtime/core``, ``lib/debug``, ``app/device_assignment``; Linux ``arch/arm64/kvm/rmi.c`` and
``drivers/virt/coco/arm-cca-host``; kvmtool ``arm64``; the RMM ACS.
"""

from __future__ import annotations

import re
from typing import Any


def _any(*patterns: bytes) -> re.Pattern[bytes]:
    return re.compile(b"|".join(patterns))


TRIGGERS = (
    *(b"SMC_", b"RMI", b"RSI", b"PSCI_", b"] > [", b"RMM", b"RME", b"rme", b"rmm", b"rmi_", b"ealm", b"CCA", b"cca"),
    *(b"Boot Manifest", b"BL31: v", b"KVM_", b"TSM", b"tsm", b"TDISP", b"SPDM", b"spdm", b"IDE", b"MMU", b"dvsec_", b"dev_assi"),
    *(b"Unexpected ex", b"Unhandled ", b"ssertion ", b"ASSERT", b"Accessing unk", b"Creating sec", b"unknown func"),
    *(b"ommunication err", b"Result =>", b"Check failed", b" - FAIL !!!"),
)
"""A line without any of these holds nothing of interest."""

STRONG = (
    *(b"SMC_", b"PSCI_", b"] > [", b"RMI_", b"RSI_", b"I ABI ", b"BL31: v", b"Booting RMM", b"RMM-EL3 Int", b"Boot Manifest"),
    *(b"RMM warm", b"RMM is in", b"RMM_MEM_SCRUB", b"prototype RMM", b"Realm device as", b"IDE_KM_KEY_", b"EL3_IDE_KEY_"),
    *(b"IDE Refresh", b"IDE Stop", b"IDE Teardown", b"PSMMU[", b"PSMMU 0x", b"SMMUv3: Failed", b"SMMUv3: init", b"] Failed"),
    *(b"] initialized", b"TDISP lock", b"TDISP start", b"TDISP stop", b"TDISP get", b"SPDM_END_SESS", b"SPDM secure s"),
    *(b"libspdm_send_spdm_request[", b"libspdm_receive_spdm_response[", b"dvsec_", b"dev_assi", b"tsm", b"PCI/TSM", b"PCI/IDE"),
    *(b"KVM_", b"rme_configure", b"kvm-rme.c", b"rme-guest", b"rmm_feat_reg0", b"config_realm_", b"ssertion ", b"ASSERT"),
    *(b"Unexpected ex", b"Unhandled ", b"Accessing unk", b"Creating sec", b"unknown func", b"ommunication err", b"Result =>"),
    b"Check failed",
)
"""Each of the words that rows and the patterns below begin with, or hold, where they ask for nothing else in the line."""
WEAK = tuple(w for w in TRIGGERS if w not in STRONG)
CONTEXT = (
    *(b"%d]" % n for n in range(10)), b"kernel: ", b"NOTICE: ", b"INFO: ", b"WARNING: ", b"ERROR: ", b"VERBOSE: ", b"qemu-system",
    b"lkvm", b"kvm", b"arm-cca", b"arm_cca", *(bytes([n]) for n in (*range(9), *range(11, 13), *range(14, 32), *range(127, 256))),
    *(bytes([n]) for n in b"&<=\\^`"),
)  # fmt: skip
"""What stands in a line beside a weak word where a pattern holds: a stamp or a level, who speaks; or bytes of another tool in
the middle of a word."""

_MAX_TEXT = 2048
_MAX_DUMP_LINES = 128
KERNEL_TIME = re.compile(rb"\[ {0,12}(\d{1,9})\.(\d{6})\](?!\[)")
_STAMP = rb"(?:\[ {0,12}\d{1,9}\.\d{3,9}(?: {1,6}[\d.]{1,16})?\]|kernel: )"

_UNKNOWN_FID = re.compile(rb"\[handle_ns_smc\] unknown function_id: ([0-9a-fA-F]{1,16})")
_CRASH = re.compile(rb"Unexpected exception(?: on CPU #(\d{1,6}))?:")
_DUMP = _any(
    rb"[ \t]*(?:X\d{1,2}|LR|SP|PC|ESR|ELR|FAR|SPSR|[A-Z0-9]{2,12}_EL[0-3]|BACKTRACE):",
    rb"[ \t]*0x[0-9a-f]{16}[ \t]*\Z|[ \t]*Max backtrace depth|[ \t]*Corrupted frame pointer",
)
_ABORT = b"Unhandled instruction abort:"
_ABORT_DUMP = re.compile(rb"[ \t]*(?:FSC|FAR|HPFAR|ESR):[ \t]")

_HYPERVISOR = re.compile(rb"\bkvm(?:[ :\[-]|_arm)|\barm[-_]cca")
_REALM_WORD = re.compile(rb"\b(?:RMI|RMM|RME|[Rr]ealms?)\b")
_RULES = (
    (
        "banner",
        _any(
            rb"Booting RMM v\.?\d|RMM-EL3 Interface v\.?\d|Boot Manifest Interface v\.?\d",
            rb"R[MS]I(?:/RSI)? ABI (?:revision )?v\.?\d",
        ),
    ),
    ("invalid-state", _any(rb"RMM is in invalid state")),
    (
        "assert",
        _any(
            rb"Assertion (?:[\"'` ]|\xe2\x80\x98).{0,200}(?:rmm|runtime/|rmi/|rsi/|app/|lib/)",
            rb"\brmm.{0,200}Assertion (?:[\"'` ]|\xe2\x80\x98)",
            rb"ASSERT(?:ION)?: .{0,200}(?:runtime/|rmm)",
        ),
    ),
    (
        "spdm",
        _any(
            rb"libspdm_(?:send_spdm_request|receive_spdm_response)\[|SPDM_END_SESSION completed|SPDM secure session id",
            rb"\Alibspdm_\w{1,60}(?::| - libspdm_\w{1,60} -) (?:0x)?8[0-9a-f]{7}",  # a function and the status that it ends with
            rb"\A!!! \w{1,60} - FAIL !!!",
        ),
    ),
    (
        "rmm",
        _any(
            rb"RMM warm boot complete|Realm device assignment is (?:not )?supported|RMM_MEM_SCRUB_METHOD",
            rb"Unhandled (?:(?:write|read) S[0-3]_|sync exit ESR|(?:instruction|data) abort:)|Accessing unknown ID register",
            rb"Creating secure session failed|TDISP (?:lock|start|stop|get)|dev_assi(?:gn|ng)_\w{1,40}: ret",
            rb"IDE_KM_KEY_|EL3_IDE_KEY_|IDE (?:Refresh:|Stop completed|Teardown:)|dvsec_(?:stream|is_stream|init)",
            rb"PSMMU(?:\[\d{1,4}\]| 0x)|SMMUv3(?:: |\[\d{1,4}\] )(?:Failed|initialized)",
        ),
    ),
    ("tf-a", _any(rb"(?:NOTICE|INFO|WARNING|ERROR|VERBOSE): {1,4}(?:BL31: v\d|.{0,60}\b(?:RMM|RMMD|Realm)\b)")),
    (
        "vmm",
        _any(
            rb"KVM_CAP_(?:ARM_)?(?:RME|RMI)\b|KVM_ARM_(?:RME|RMI|REALM)(?:_|\b)",
            rb"(?:qemu-system-aarch64|lkvm)\S{0,40}:.{0,80}\b(?:RME|realm|Realm)\b|\brme_configure_\w{1,24}\(|kvm-rme\.c|rme-guest",
        ),
    ),
    (
        "kernel",
        _any(
            rb"(?:Unsupported )?RMI ABI \(?(?:version )?v?\d|Using prototype RMM support|rmm_feat_reg0 ?=|config_realm_\w{1,40}:",
            rb"device communication error|(?:PCI/TSM|PCI/IDE): |\btsm\d{0,3}/(?:connect|disconnect|lock|accept)",
            _STAMP + rb".{0,200}?\b(?:RMI[ :]|RMM\b|RSI[ :]|RME: )",
            _STAMP + rb".{0,200}?\brmi_(?:[pv]dev|realm|rec|rtt|data|granule|[pv]smmu|version|features|psci|op)",
            _STAMP + rb".{0,200}?\b(?:arm[-_]cca|[Rr]ealm (?:\d|mem|cre|des|VM|guest|not)|realm_\w|tsm\d|tsm:|TSM:|TDISP|CCA\b)",
        ),
    ),
    ("acs", _any(rb"Result => (?:Passed|Failed|Skipped)|Check failed at ?:")),
)


def lines_of_interest(chunk: bytes, begin: int = 0, end: int | None = None) -> list[int]:
    """Where the lines with a trigger begin between two offsets (of whole lines), in order. Plain searches: one expression for
    all of them is six times slower."""
    end = len(chunk) if end is None else end
    starts: set[int] = set()
    for word in TRIGGERS if begin < end else ():
        at = chunk.find(word, begin, end)
        while at >= 0:
            starts.add(chunk.rfind(b"\n", begin, at) + 1 or begin)
            stop = chunk.find(b"\n", at, end)
            at = chunk.find(word, stop, end) if stop >= 0 else -1
    return sorted(starts)


def mark_of(line: bytes) -> tuple[str, int | None] | None:
    """The class of a line and, for an unknown function id, that id; None for a line of no interest."""
    text = line[:_MAX_TEXT]
    if (m := _UNKNOWN_FID.search(text)) is not None:
        return "unknown-fid", int(m[1], 16)
    if _CRASH.search(text) is not None:
        return "crash", None
    for name, pattern in _RULES:
        if pattern.search(text):
            return name, None
    if _HYPERVISOR.search(text) and _REALM_WORD.search(text):
        return "kernel", None
    return None


def begins_dump(text: bytes) -> bool:
    """Whether registers may follow: the header of a crash or of an instruction abort that the RMM did not handle."""
    return _CRASH.search(text) is not None or _ABORT in text


class Dump:
    """The registers and the backtrace below a header, line by line; what others print in between is passed over.

    end   byte offset behind the last line that belongs to it
    cpu   what the header names (v0.5.0 on), -1 where it names none
    sure  it is the RMM's: by the header's form or by what follows; other programs have unexpected exceptions, too
    done  nothing more can belong to it
    """

    def __init__(self, header: bytes, end: int) -> None:
        m = _CRASH.search(header)
        self.end = end
        self.cpu = int(m[1]) if m is not None and m[1] is not None else -1
        self._abort = m is None
        self.sure = self._abort or self.cpu >= 0
        self.done = False
        self._lines = self._strangers = self._members = 0

    def take(self, text: bytes, end: int) -> bool:
        """Whether a line, its tags and stamps taken off, belongs to the dump."""
        self._lines += 1
        belongs = (_ABORT_DUMP if self._abort else _DUMP).match(text) is not None
        if belongs:
            self.end, self.sure, self._strangers = end, True, 0
            self._members += 1
        elif text.strip():
            self._strangers += 1
        most, strangers = (3, 0) if self._abort else (_MAX_DUMP_LINES, 3)
        self.done = self._strangers > strangers or self._members >= most or self._lines >= _MAX_DUMP_LINES
        return belongs


_BOOTING = re.compile(
    rb"Booting RMM v\.?([\d.]{1,16})\((\w{1,16})\) (\S{1,120})(?: Built: (.{1,40}?))?"
    rb"(?: (?:with|Built with) ((?:GCC|Clang|clang) [\w.+-]{1,40}))?[ \t]*\Z"
)
_INTERFACES = (
    ("el3", re.compile(rb"RMM-EL3 Interface v\.?(\d{1,4}\.\d{1,4})")),
    ("manifest", re.compile(rb"Boot Manifest Interface v\.?(\d{1,4}\.\d{1,4})")),
    ("rmi", re.compile(rb"RMI ABI (?:revision )?v\.?(\d{1,4}\.\d{1,4})")),
    ("rsi", re.compile(rb"RSI ABI revision v\.?(\d{1,4}\.\d{1,4})")),
)
_BOTH = re.compile(rb"RMI/RSI ABI v\.?(\d{1,4}\.\d{1,4})/(\d{1,4}\.\d{1,4})(?: built: (.{1,40}?))?[ \t]*\Z")


def read_banner(text: bytes, offset: int, banners: list[dict[str, Any]]) -> None:
    """Add what a banner line says to the last of ``banners``, or begin one.

    Keys: 'offset', 'rmm' (version), 'build' ('debug', 'release'), 'commit' (git describe), 'built', 'compiler', 'el3',
    'manifest', 'rmi', 'rsi' (ABI revisions, '2.0').
    """
    if (m := _BOOTING.search(text)) is not None:
        banners.append({"offset": offset, "rmm": _text(m[1]), "build": _text(m[2]), "commit": _text(m[3])})
        banners[-1] |= {k: _text(v) for k, v in (("built", m[4]), ("compiler", m[5])) if v}
        return
    found = {name: _text(m[1]) for name, pattern in _INTERFACES if (m := pattern.search(text)) is not None}
    if (m := _BOTH.search(text)) is not None:
        found |= {"rmi": _text(m[1]), "rsi": _text(m[2])} | ({"built": _text(m[3])} if m[3] else {})
    if found:
        if not banners or any(k in banners[-1] for k in found):
            banners.append({"offset": offset})
        banners[-1] |= found


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")
