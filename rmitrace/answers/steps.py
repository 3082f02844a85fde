"""The steps in which a host or a VMM asks KVM or a driver for something, and the RMI commands behind each.

Linux ``arch/arm64/kvm/rme.c`` (CCA v5 to v12: KVM_CAP_ARM_RME with one sub-command a step; later KVM_CAP_ARM_RMI), kvmtool
``arm/aarch64/realm.c``, QEMU ``target/arm/kvm-rme.c``, Linux ``drivers/virt/coco/arm-cca-host`` (RFC v2 to v4). The kernel tells
of a refused command with an errno only: almost always -ENXIO, whatever the status was.
"""

from __future__ import annotations

import re
from typing import NamedTuple


class Step(NamedTuple):
    """One thing that is asked for.

    pattern   the line that tells of it
    words     what such a line holds, for a fast search
    what      what was asked for
    commands  the RMI commands of it, those of 1.x and those of 2.0; empty where none is called
    means     errno -> what it says here; None for any other one
    next      what to capture
    common    such lines are other programs' too: only in a text about Realms
    """

    pattern: re.Pattern[str]
    words: tuple[str, ...]
    what: str
    commands: tuple[str, ...]
    means: dict[int | None, str]
    next: tuple[str, ...]
    common: bool = False


_CAP = r"KVM_CAP_(?:ARM_)?RM[EI]\W{0,2}(?:KVM_CAP_ARM_RM[EI]|KVM_ARM_RM[EI]|ARM_RM[EI])_"
_ROWS = (
    "the RMM's console at INFO level (a debug build, or LOG_LEVEL=40): the last row before the error has the command and its "
    "status"
)
_SMCS = "or the host's SMCs: rmitrace record, see docs/capturing.md"
_REFUSED = "a command of the RMM was refused; the kernel does not pass the status on"
_VERSIONS = "dmesg | grep -i -e rmi -e rme -e realm, and the banner of the RMM: what each side speaks"

STEPS = (
    Step(
        re.compile(
            r"KVM_CAP_(?:ARM_)?RM[EI]\W{0,2}KVM_CAP_ARM_RM[EI]_CONFIG_REALM|RM[EI]: failed to configure|rm[ei]_configure_one\(|"
            r"config_realm_\w{1,40}:|_CONFIG_REALM\b"
        ),
        ("CONFIG_REALM", "failed to configure", "configure_one", "config_realm_"),
        "configure the Realm (hash algorithm, personalisation value, SVE, breakpoints, PMU) before it is created",
        ("RMI_FEATURES",),
        {
            22: "KVM refuses the value itself, without asking the RMM: by feature register 0, which it read with RMI_FEATURES "
            "at boot, the RMM does not have it or not so much of it; or this kernel does not know the item",
            16: "the Realm was created already: it cannot be configured any more",
            None: "KVM refuses it before any RMI command",
        },
        (
            "feature register 0 as the kernel read it (rmm_feat_reg0=, or RMI_FEATURES in a trace): rmitrace explain "
            "RmiFeatureRegister0 0x...",
            _VERSIONS,
        ),
    ),
    Step(
        re.compile(_CAP + r"CREATE_(?:RD|REALM)|RM[EI]: failed to create (?:the )?[Rr]ealm|failed to create Realm Descriptor"),
        ("CREATE_RD", "CREATE_REALM", "failed to create"),
        "create the Realm",
        ("RMI_GRANULE_DELEGATE", "RMI_REALM_CREATE", "RMI_REC_AUX_COUNT", "RMI_GRANULE_RANGE_DELEGATE", "RMI_OP_MEM_DONATE"),
        {
            6: f"{_REFUSED}: RMI_GRANULE_DELEGATE of the page for the RD or of a starting-level table, or RMI_REALM_CREATE",
            12: "no memory, or a page that could not be delegated",
            17: "the Realm exists already",
            22: "the VM is no Realm, or its parameters do not fit",
            28: "no VMID is left",
        },
        (_ROWS, _SMCS, "RmiRealmParams as it was passed, of RMI_REALM_CREATE: rmitrace explain --as RmiRealmParams", _VERSIONS),
    ),
    Step(
        re.compile(
            _CAP + r"INIT_(?:IPA|RIPAS)|unable to inti?tial?i?[sz]e IPA range|failed to init(?:iali[sz]e)? (?:GPA|IPA|RAM)\b|"
            r"unable to initiali[sz]e IPA range"
        ),
        ("INIT_IPA", "INIT_RIPAS", "IPA range", "failed to init"),
        "give the Realm's memory the state RAM",
        ("RMI_RTT_INIT_RIPAS", "RMI_GRANULE_DELEGATE", "RMI_RTT_CREATE", "RMI_GRANULE_RANGE_DELEGATE"),
        {
            6: f"{_REFUSED}: RMI_RTT_INIT_RIPAS with another status than RMI_ERROR_RTT, or RMI_RTT_CREATE of a missing table",
            12: "no memory for tables, or a page that could not be delegated",
            22: "the Realm is not NEW any more, or the range is none",
        },
        (_ROWS, _SMCS),
    ),
    Step(
        re.compile(
            _CAP + r"POPULATE|unable to populate (?:the )?[Rr]ealm|failed to populate (?:the )?[Rr]ealm|KVM_ARM_RMI_POPULATE"
        ),
        ("POPULATE", "populate"),
        "copy the images into the Realm",
        (
            *("RMI_GRANULE_DELEGATE", "RMI_DATA_CREATE", "RMI_RTT_CREATE", "RMI_DATA_DESTROY"),
            *("RMI_GRANULE_RANGE_DELEGATE", "RMI_RTT_DATA_MAP_INIT"),
        ),
        {
            6: f"{_REFUSED}: RMI_DATA_CREATE (2.0: RMI_RTT_DATA_MAP_INIT), delegating the page, or RMI_RTT_CREATE",
            12: "no memory, or a page that could not be delegated",
            14: "the image's memory could not be read",
            22: "the Realm is not NEW any more, or the range is not aligned, or was not initialised as RAM",
        },
        (_ROWS, _SMCS, "whether RMI_RTT_INIT_RIPAS covered the range before"),
    ),
    Step(
        re.compile(r"KVM_ARM_VCPU_REC\b|failed to finali[sz]e vCPU|KVM_ARM_VCPU_FINALIZE|kvm_arm_vcpu_finalize"),
        ("VCPU_REC", "vCPU", "VCPU_FINALIZE", "vcpu_finalize"),
        "make a REC of a vCPU",
        ("RMI_GRANULE_DELEGATE", "RMI_REC_CREATE", "RMI_GRANULE_RANGE_DELEGATE"),
        {
            6: f"{_REFUSED}: RMI_GRANULE_DELEGATE of the REC or of an auxiliary granule, or RMI_REC_CREATE (MPIDR not the next "
            "one, wrong number of auxiliary granules, Realm not NEW)",
            2: "the Realm is not NEW: it was not created, or is active already",
            22: "the vCPU lacks KVM_ARM_VCPU_PSCI_0_2",
        },
        (_ROWS, "RmiRecParams as it was passed", _SMCS),
        True,
    ),
    Step(
        re.compile(_CAP + r"ACTIVATE|failed to activate (?:the )?[Rr]ealm"),
        ("ACTIVATE", "failed to activate"),
        "activate the Realm",
        ("RMI_REALM_ACTIVATE",),
        {6: f"{_REFUSED}: RMI_REALM_ACTIVATE, since the Realm is not NEW", 22: "the Realm was not created, or is active already"},
        (_ROWS, _SMCS),
    ),
    Step(
        re.compile(
            r"KVM does not support RM[EI]|RM[EI] is not enabled in KVM|KVM required for RM[EI]|"
            r"KVM_CAP_(?:ARM_)?RM[EI]\b(?!_?\w*\W{0,2}KVM_CAP)(?=.{0,60}(?:not "
            r"(?:supported|available|enabled)|unavailable|\b24[0-9]\b))|"
            r"(?:[Rr]ealm|RM[EI])\b.{0,40}(?:not supported|unsupported) by (?:KVM|the (?:host|kernel))"
        ),
        ("KVM does not", "in KVM", "KVM required", "KVM_CAP_", "supported by", "unsupported by"),
        "find out whether KVM can make Realms",
        ("RMI_VERSION", "RMI_FEATURES"),
        {
            None: "KVM does not offer Realms to this VMM. Either RMI_VERSION failed when the host booted (no RMM, TF-A without "
            "RME, or no version in common), or this kernel has no CCA support or no 4K pages, or kernel and VMM were built with "
            "different numbers for the capability: it was 243 or 244 and more in different trees, and a wrong number asks for "
            "something else",
        },
        (
            _VERSIONS,
            "KVM_CAP_ARM_RME or KVM_CAP_ARM_RMI in include/uapi/linux/kvm.h of the running kernel and in the headers of the VMM",
            "the boot log from TF-A on: BL31 says whether an RMM was started",
        ),
    ),
    Step(
        re.compile(
            r"unknown option[ `'\"]{1,3}-{0,2}realm\b|invalid option -- '?realm|rme-guest.{0,40}(?:invalid|unknown) "
            r"(?:object type|parameter)"
        ),
        ("unknown option", "invalid option", "rme-guest"),
        "start a Realm",
        (),
        {
            None: "this VMM was built without CCA: it does not know the option, and asked neither KVM nor the RMM for anything",
        },
        ("a VMM with CCA: kvmtool of the cca branch, QEMU with rme-guest; `lkvm run --help` lists --realm then",),
    ),
    Step(
        re.compile(r"KVM_CREATE_VM\b.{0,80}(?:failed|error|EINVAL|Invalid)"),
        ("KVM_CREATE_VM",),
        "create a VM of type Realm",
        ("RMI_VERSION", "RMI_FEATURES"),
        {
            22: "KVM does not know the VM type, or the IPA width: it has no Realms (RMI_VERSION failed at boot, or no CCA "
            "support), or the width is above S2SZ of feature register 0",
        },
        (_VERSIONS, "the IPA width that the VMM asks for"),
        True,
    ),
    Step(
        re.compile(r"\bKVM_RUN\b.{0,60}(?:failed|error)|kvm run failed|\brec_enter\b.{0,40}(?:failed|error)"),
        ("KVM_RUN", "kvm run", "rec_enter"),
        "run a REC",
        ("RMI_REC_ENTER",),
        {
            None: "RMI_REC_ENTER was refused, or the REC left for something that the host cannot do: an access to protected "
            "memory that is not mapped, RIPAS EMPTY, a Realm that was powered off",
            6: "RMI_REC_ENTER was refused: RMI_ERROR_REC (not runnable, in use) or RMI_ERROR_REALM (not ACTIVE, or powered off)",
            14: "the REC left with an abort that the host could not resolve: exit.esr, exit.far and exit.hpfar say where",
        },
        (_ROWS, "RmiRecRun of that call: rmitrace explain --as RmiRecExit", _SMCS),
        True,
    ),
    Step(
        re.compile(
            r"tsm\d{0,3}/connect|PCI/TSM:.{0,120}(?:connect|fail)|\btsm\b.{0,40}connect.{0,80}(?:fail|error|-\d)|"
            r"(?:tsm|TSM)\d{0,3}.{0,40}failed to connect"
        ),
        ("tsm", "TSM"),
        "connect a device: SPDM session, IDE keys",
        (
            *("RMI_GRANULE_DELEGATE", "RMI_PDEV_AUX_COUNT", "RMI_PDEV_CREATE", "RMI_PDEV_COMMUNICATE", "RMI_PDEV_GET_STATE"),
            *("RMI_PDEV_SET_PUBKEY", "RMI_GRANULE_RANGE_DELEGATE", "RMI_OP_MEM_DONATE", "RMI_PDEV_STREAM_CONNECT"),
            "RMI_PDEV_STREAM_COMPLETE",
        ),
        {
            6: f"{_REFUSED}: delegating the granules of the PDEV, RMI_PDEV_CREATE, RMI_PDEV_SET_PUBKEY, RMI_PDEV_GET_STATE, or "
            "(2.0) RMI_PDEV_STREAM_CONNECT; a refused RMI_PDEV_COMMUNICATE prints 'device communication error' besides",
            1: "the device did not get into the state that was waited for: RMI_PDEV_GET_STATE gave another one, most often "
            "PDEV_ERROR after a transaction that failed",
            5: "the transaction ended in another state than the wanted one (most often PDEV_ERROR), or the device is not "
            "function 0",
            16: "RMI_BUSY, or no IDE stream id is left",
            22: "the certificate chain was not cached or could not be parsed, or its key is none of P-256, P-384 and RSA 3072",
            19: "no TSM: the RMM does not offer device assignment in its feature registers, or the device has no IDE or no DOE",
            2: "no TSM: the RMM does not offer device assignment, or the device has no IDE or no DOE, so there is no such file",
            12: "no memory, or no IDE stream to be had",
        },
        (
            "the kernel's log from the write on: 'device communication error' or another line of the driver says at which step",
            _ROWS,
            "the RMM's lines about SPDM (a debug build): libspdm_... and the status of the session",
            "the exchanges with the device: DOE dumps, or RmiDevCommData with its buffers (rmitrace record)",
        ),
    ),
    Step(
        re.compile(r"device communication err"),
        ("device communication err",),
        "make steps of a transaction with a device",
        (
            "RMI_PDEV_COMMUNICATE",
            "RMI_PDEV_GET_STATE",
            "RMI_VDEV_COMMUNICATE",
            "RMI_VDEV_GET_STATE",
            "RMI_PDEV_ABORT",
            "RMI_VDEV_ABORT",
        ),
        {
            None: "RMI_PDEV_COMMUNICATE or RMI_VDEV_COMMUNICATE was refused (the driver calls RMI_PDEV_ABORT or RMI_VDEV_ABORT "
            "then), or the device is in state ERROR after it: an SPDM, IDE_KM or TDISP message was not answered, was answered "
            "with an error, or did not verify",
        },
        (
            _ROWS,
            "the RMM's lines about SPDM (a debug build): they name the message that failed and libspdm's status",
            "the last exchange with the device: its DOE objects, decoded with rmitrace explain --spdm",
        ),
    ),
    Step(
        re.compile(
            r"tsm\d{0,3}/(?:lock|bind)|failed to (?:unlock|destroy|lock|create|bind) (?:the "
            r")?v?dev\b|\btsm_bind\b.{0,40}(?:fail|error)|"
            r"TSM_(?:BIND|REQ).{0,40}(?:fail|error)"
        ),
        ("tsm", "TSM", "dev"),
        "assign a device to a Realm, or take it away again",
        (
            *(
                "RMI_VDEV_CREATE",
                "RMI_VDEV_COMMUNICATE",
                "RMI_VDEV_GET_STATE",
                "RMI_VDEV_LOCK",
                "RMI_VDEV_START",
                "RMI_VDEV_UNLOCK",
            ),
            "RMI_VDEV_DESTROY",
        ),
        {
            6: f"{_REFUSED}: RMI_VDEV_CREATE, RMI_VDEV_LOCK, RMI_VDEV_UNLOCK or RMI_VDEV_GET_STATE",
            1: "the VDEV did not get into the state that was waited for: UNLOCKED after creation, LOCKED after RMI_VDEV_LOCK",
            22: "the device is not connected (no PDEV)",
            None: f"{_REFUSED}, or the VDEV did not reach the state that was waited for",
        },
        (_ROWS, "the TDISP exchanges with the device", _SMCS),
    ),
    Step(
        re.compile(
            r"tsm\d{0,3}/accept|cca_device_accept|RSI_VDEV_(?:DMA_ENABLE|VALIDATE_MAPPING).{0,40}(?:fail|error)|DMA[ "
            r"_]enable.{0,40}fail",
            re.I,
        ),
        ("accept", "RSI_VDEV_", "DMA"),
        "accept a device in the Realm: validate its mappings, enable its DMA",
        ("RSI_VDEV_GET_INFO", "RSI_VDEV_VALIDATE_MAPPING", "RSI_VDEV_DMA_ENABLE", "RMI_VDEV_GET_STATE"),
        {
            None: "a success of that write does not prove that DMA is on: this kernel logs a failed RSI_VDEV_DMA_ENABLE and "
            "still returns 0. Only RSI_VDEV_DMA_ENABLE > RSI_SUCCESS in the RMM's log, or private DMA that works, proves it",
        },
        ("the RMM's rows of RSI_VDEV_*", "dmesg of the Realm"),
    ),
    Step(
        re.compile(r"IOMMU_DESTROY.{0,60}(?:EBUSY|busy|errno:? 16|-16|fail)", re.I),
        ("IOMMU_DESTROY",),
        "destroy an IOMMUFD object",
        (),
        {
            None: "another object still holds it (a vdevice, a HWPT, a vIOMMU, an open VFIO device): the order in which the VMM "
            "takes things down, and no answer of the RMM. What the RMM tore down is in its own rows"
        },
        ("the ids of the IOMMUFD objects in the order in which they were made and destroyed (strace -e ioctl of the VMM)",),
        True,
    ),
)

VERSION_LINE = re.compile(
    r"Unsupported RMI ABI \(?(?:version )?v?(?P<lower>\d{1,3}\.\d{1,3})(?:\s*-\s*v?(?P<higher>\d{1,3}\.\d{1,3}))?\)?"
    r".{0,24}?(?:we want|we support|host supports)\s*v?(?P<wanted>\d{1,3}\.\d{1,3})"
)
"""What the kernel says where RMI_VERSION is refused, in the wordings of all its series."""

WARNED = {
    "kvm_destroy_realm": "RMI_REALM_DESTROY, or undelegating its pages",
    "free_delegated_page": "RMI_GRANULE_UNDELEGATE of a page that is still in use: it is leaked",
    "free_delegated_granule": "RMI_GRANULE_UNDELEGATE of a page that is still in use: it is leaked",
    "realm_destroy_protected": "RMI_DATA_DESTROY, or RMI_GRANULE_UNDELEGATE of the data page",
    "realm_destroy_private_granule": "RMI_DATA_DESTROY, or RMI_GRANULE_UNDELEGATE of the data page",
    "realm_unmap_private_range": "RMI_DATA_DESTROY (2.0: RMI_RTT_DATA_UNMAP)",
    "realm_unmap_range_private": "RMI_DATA_DESTROY (2.0: RMI_RTT_DATA_UNMAP)",
    "realm_unmap_shared_range": "RMI_RTT_UNMAP_UNPROTECTED (2.0: RMI_RTT_UNPROT_UNMAP)",
    "realm_unmap_range_shared": "RMI_RTT_UNMAP_UNPROTECTED (2.0: RMI_RTT_UNPROT_UNMAP)",
    "kvm_realm_destroy_rtts": "RMI_RTT_DESTROY: a table that still has live entries",
    "realm_tear_down_rtt_level": "RMI_RTT_DESTROY: a table that still has live entries",
    "realm_fold_rtt_level": "RMI_RTT_FOLD",
    "realm_set_ipa_state": "RMI_RTT_SET_RIPAS",
    "realm_init_ipa_state": "RMI_RTT_INIT_RIPAS",
    "realm_create_protected_data_page": "RMI_DATA_CREATE",
    "realm_map_protected": "RMI_DATA_CREATE_UNKNOWN (2.0: RMI_RTT_DATA_MAP)",
    "realm_map_non_secure": "RMI_RTT_MAP_UNPROTECTED (2.0: RMI_RTT_UNPROT_MAP)",
    "kvm_destroy_rec": "RMI_REC_DESTROY, or undelegating the REC",
    "free_rec_aux": "RMI_GRANULE_UNDELEGATE of an auxiliary granule of a REC",
    "kvm_init_rme": "RMI_FEATURES",
    "kvm_init_rmi": "RMI_FEATURES",
    "cca_pdev_stop_and_destroy": "RMI_PDEV_STOP or RMI_PDEV_DESTROY",
    "pdev_state_transition_workfn": "RMI_PDEV_GET_STATE: another state than the wanted one",
    "vdev_state_transition_workfn": "RMI_VDEV_GET_STATE: another state than the wanted one",
}
"""Functions of the kernel with a WARN_ON about a refused command (the sources above), and that command."""
