"""Hypervisor service calls, made by HVC: paravirtual time (DEN0057A), KVM and pKVM (Linux include/linux/arm-smccc.h;
the numbers 5, 6 and 8 to 11 are those of the Android common kernel)."""

from __future__ import annotations

from .service import Service, ServiceCommand, arg

CODES = {
    0: "SMCCC_RET_SUCCESS",
    -1: "SMCCC_RET_NOT_SUPPORTED",
    -2: "SMCCC_RET_NOT_REQUIRED",
    -3: "SMCCC_RET_INVALID_PARAMETER",
}
HYP = Service("HYP", "Standard hypervisor service calls", CODES)
VENDOR_HYP = Service("VENDOR-HYP", "Vendor specific hypervisor service calls (KVM)", CODES)

KVM_UID = (0xB66FB428, 0xE911C52E, 0x564BCAA9, 0x743A004D)
"""w0..w3 of VENDOR_HYP_CALL_UID where the hypervisor is KVM (UUID 28b46fb6-2ec5-11e9-a9ca-4b564d003a74)."""

_IPA = arg(1, "ipa", "Address", "page")
_PAGES = arg(2, "nr_pages", "UInt64", "0 or absent: one page")
_KVM = "VENDOR_HYP_KVM_"

COMMANDS: tuple[ServiceCommand, ...] = (
    *HYP.value(
        "HV_PV_TIME_FEATURES", 0xC5000020, "is paravirtual time there", [arg(1, "pv_call_id", "FunctionId", "function id")]
    ),
    *HYP.value("HV_PV_TIME_ST", 0xC5000021, "IPA of the stolen time structure", x0="Address"),
    *VENDOR_HYP.value(
        "VENDOR_HYP_CALL_UID",
        0x8600FF01,
        "UUID of the hypervisor, in w0..w3",
        outputs=[arg(n, f"uid_w{n}", "Bits32") for n in (1, 2, 3)],
        x0="HypUid",
    ),
    *VENDOR_HYP.value(
        _KVM + "FEATURES",
        0x86000000,
        "bitmap of the KVM functions",
        outputs=[arg(n, f"functions{32 * n}", "Bits32") for n in (1, 2, 3)],
        x0="Bits32",
    ),
    *VENDOR_HYP.value(
        _KVM + "PTP",
        0x86000001,
        "wall clock and counter; x0 is the upper half of the time in ns",
        [arg(1, "counter", "UInt64", "0 virtual, 1 physical")],
        [arg(1, "time_lo", "Bits32"), arg(2, "counter_hi", "Bits32"), arg(3, "counter_lo", "Bits32")],
        x0="Bits32",
    ),
    *VENDOR_HYP.value(_KVM + "HYP_MEMINFO", 0xC6000002, "pKVM: size of a page that can be shared, bytes"),
    *VENDOR_HYP.call(_KVM + "MEM_SHARE", 0xC6000003, "pKVM: share memory with the host", [_IPA, _PAGES]),
    *VENDOR_HYP.call(_KVM + "MEM_UNSHARE", 0xC6000004, "pKVM: take shared memory back", [_IPA, _PAGES]),
    *VENDOR_HYP.value(_KVM + "MMIO_GUARD_INFO", 0xC6000005, "pKVM: granule of the MMIO guard, bytes"),
    *VENDOR_HYP.call(_KVM + "MMIO_GUARD_ENROLL", 0xC6000006, "pKVM: turn the MMIO guard on"),
    *VENDOR_HYP.call(_KVM + "MMIO_GUARD", 0xC6000007, "pKVM: allow MMIO to a page", [_IPA]),
    *VENDOR_HYP.call(_KVM + "MMIO_GUARD_UNMAP", 0xC6000008, "pKVM: no more MMIO to a page", [_IPA]),
    *VENDOR_HYP.call(_KVM + "MEM_RELINQUISH", 0xC6000009, "pKVM: give memory back to the host", [_IPA]),
    *VENDOR_HYP.call(_KVM + "MMIO_RGUARD_MAP", 0xC600000A, "pKVM: allow MMIO to a range", [_IPA, _PAGES]),
    *VENDOR_HYP.call(_KVM + "MMIO_RGUARD_UNMAP", 0xC600000B, "pKVM: no more MMIO to a range", [_IPA, _PAGES]),
    *VENDOR_HYP.call(
        _KVM + "DISCOVER_IMPL_VER",
        0xC6000040,
        "kinds of CPU the guest may run on",
        outputs=[arg(1, "version", "Version16"), arg(2, "cpus", "UInt64")],
    ),
    *VENDOR_HYP.call(
        _KVM + "DISCOVER_IMPL_CPUS",
        0xC6000041,
        "id registers of one kind of CPU",
        [arg(1, "index", "UInt64")],
        [arg(1, "midr"), arg(2, "revidr"), arg(3, "aidr")],
    ),
)

ALIASES = {
    "VENDOR_HYP_KVM_MMIO_GUARD_MAP": "VENDOR_HYP_KVM_MMIO_GUARD",
}
