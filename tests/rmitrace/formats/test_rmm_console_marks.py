"""Lines that are no rows and that a reader wants to see, and those of other programs that look like them."""

from __future__ import annotations

from typing import Any

import pytest

from rmitrace.formats.rmm_console_marks import Dump, begins_dump, lines_of_interest, mark_of, read_banner

LINES = [
    (b"Booting RMM v.0.9.0(debug) tf-rmm-v0.9.0 Built: Nov 22 2026 19:21:00 with GCC 12.2.0", "banner"),
    (b"RMI/RSI ABI v.1.0/1.0 built: May 31 2024 00:21:59", "banner"),
    (b"RMM warm boot complete. token=470f6000", "rmm"),
    (b"RMM is in invalid state", "invalid-state"),
    (b"[handle_ns_smc] unknown function_id: c4000152", "unknown-fid"),
    (b"Unexpected exception on CPU #0:", "crash"),
    (b'Assertion "g_llt != NULL" failed ... runtime/rmi/rtt.c:701', "assert"),
    (b"rmm.elf: app.c:502: app_resume: Assertion `x == 1' failed.", "assert"),
    (b"libspdm_send_spdm_request[0] msg SPDM_GET_VERSION(0x84), size (0x4): ", "spdm"),
    (b"libspdm_receive_spdm_response[ffffffff] msg SPDM_VENDOR_DEFINED_RESPONSE(0x7e), size (0x13b): ", "spdm"),
    (b"Creating secure session failed with status 0x80040001", "rmm"),
    (b"IDE_KM_KEY_PROG: Endpoint RX/TX id/sub_id: 0/[0-2]", "rmm"),
    (b"TDISP lock successful, tdi_id = 256", "rmm"),
    (b"Unhandled write S3_3_C9_C14_0", "rmm"),
    (b"INFO:    RMM init start.", "tf-a"),
    (b"NOTICE:  BL31: v2.15.0(debug):v2.15.0-619-g6a164dda7-dirty", "tf-a"),
    (b"[    0.812345] kvm [1]: RMI ABI version 1.0", "kernel"),
    (b"[    1.000000] kvm [1]: Unsupported RMI ABI (v1.0 - v1.1) we want v2.0", "kernel"),
    (b"[  33.000001] config_realm_hash_algo: unsupported ALGO_SHA512 by rmm_feat_reg0=0x0000000030000a30", "kernel"),
    (b"[  120.334455] arm-cca-host 0000:01:00.0: device communication error", "kernel"),
    (b"[    0.000000] RME: Using RSI version 1.0", "kernel"),
    (b"  Error: KVM_CAP_RME(KVM_CAP_ARM_RME_CREATE_RD): Operation not permitted", "vmm"),
    (b"Result => Failed (Error Code=3)", "acs"),
]

OTHERS = [
    b"[  12.000001] ath11k_pci 0001:03:00.0: failed to create pdev core: -22",
    b"Synchronous Exception at 0x00000000FE48A1C0",
    b"[  9.000004] SEAMCALL (0x2a) failed: 0xc000020000000002 RCX 0x0",
    b"[    1.200000] rmi4_smbus 0-002c: registering SMbus-connected sensor",
    b"java.rmi.RemoteException: RMI TCP Connection(2)-127.0.0.1",
    b"Trace RMI: connected",
    b"[    2.000000] krb5: realm EXAMPLE.COM not found",
    b"Assertion `x > 0' failed.",
    b'pr_info("RMI ABI version %d.%d\\n", version_major, version_minor);',
    b"INFO:    BL31: Preparing for EL3 exit to normal world",
    b"[    1.636433] kvm [1]: nv: 571 coarse grained trap handlers",
    b"Subject: Re: [PATCH] arm64: RME: realm create fails",
]


@pytest.mark.parametrize(("text", "kind"), LINES, ids=[k + str(i) for i, (_, k) in enumerate(LINES)])
def test_classes(text: bytes, kind: str) -> None:
    found = mark_of(text)
    assert found is not None
    assert found[0] == kind
    assert lines_of_interest(b"hello\n" + text + b"\nhello\n") == [6]  # and the search for lines to look at finds it


@pytest.mark.parametrize("text", OTHERS)
def test_other_programs(text: bytes) -> None:
    assert mark_of(text) is None


def test_the_id_of_a_refused_call() -> None:
    assert mark_of(b"[   rmm ] [handle_ns_smc] unknown function_id: c4000152") == ("unknown-fid", 0xC4000152)


def test_crash_headers() -> None:
    assert begins_dump(b"Unexpected exception on CPU #12:")
    assert begins_dump(b"Unhandled instruction abort:")
    assert not begins_dump(b"Synchronous Exception at 0x00000000FE48A1C0")
    assert (Dump(b"Unexpected exception on CPU #12:", 0).cpu, Dump(b"Unexpected exception on CPU #12:", 0).sure) == (12, True)
    assert (Dump(b"Unexpected exception:", 0).cpu, Dump(b"Unexpected exception:", 0).sure) == (-1, False)


def test_dumps() -> None:
    dump = Dump(b"Unexpected exception:", 30)
    lines = (b"X0:\t\t0x0000000000000000   X1:\t\t0x0000000000000001", b"", b"[   90.000001] hrtimer: slow",
             b"ESR_EL2:\t0x96000004", b"BACKTRACE:\t0x000000004010a1b4", b"\t\t0x0000000040108000")  # fmt: skip
    assert [dump.take(text, 100 + i) for i, text in enumerate(lines)] == [True, False, False, True, True, True]
    assert (dump.end, dump.sure, dump.done) == (105, True, False)
    for text in (b"one", b"two", b"SMC_RMI_PDEV_STOP 1 > RMI_SUCCESS", b"four"):
        assert not dump.done
        assert not dump.take(text, 200)
    assert (dump.end, dump.done) == (105, True)


def test_an_instruction_abort_has_three_lines() -> None:
    dump = Dump(b"Unhandled instruction abort:", 0)
    assert [dump.take(t, i) for i, t in enumerate((b"    FSC:             0x21", b"    FAR: 0", b"  HPFAR: 8000000"))] == [
        True
    ] * 3
    assert dump.done


def test_banners() -> None:
    """Both wordings; a second boot begins a second banner."""
    banners: list[dict[str, Any]] = []
    old = (b"Booting RMM v.0.4.0(debug) 17924bc Built with GCC 11.4.1", b"RMM-EL3 Interface v.0.2",
           b"Boot Manifest Interface v.0.3", b"RMI/RSI ABI v.1.0/1.0 built: May 31 2024 00:21:59")  # fmt: skip
    new = (b"Booting RMM v.0.8.0(release) tf-rmm-v0.8.0 Built: Dec  4 2025 13:47:33 with Clang 19.1.7",
           b"RMM-EL3 Interface v.0.6", b"RMI ABI revision v1.1", b"RSI ABI revision v1.1")  # fmt: skip
    for i, text in enumerate((*old, *new)):
        read_banner(text, i, banners)
    assert banners == [
        {"offset": 0, "rmm": "0.4.0", "build": "debug", "commit": "17924bc", "compiler": "GCC 11.4.1", "el3": "0.2",
         "manifest": "0.3", "rmi": "1.0", "rsi": "1.0", "built": "May 31 2024 00:21:59"},
        {"offset": 4, "rmm": "0.8.0", "build": "release", "commit": "tf-rmm-v0.8.0", "built": "Dec  4 2025 13:47:33",
         "compiler": "Clang 19.1.7", "el3": "0.6", "rmi": "1.1", "rsi": "1.1"},
    ]  # fmt: skip
