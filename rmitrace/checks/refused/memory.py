"""Rules of refused commands: memory, tables, Realms and RECs."""

from __future__ import annotations

from ..rule import Rule

_D = "DEN0137 failure conditions"

ADDRESS_UNALIGNED = Rule(
    "ADDRESS-UNALIGNED", "error", "an address that is not aligned",
    "the RMM takes whole granules, and tables and blocks at the size of their level",
    "where the caller has the address from: an allocation of less than a page, an offset that was added twice", _D,
)  # fmt: skip
ADDRESS_ALIAS = Rule(
    "ADDRESS-ALIAS", "error", "two arguments name the same memory",
    "each granule has one use; a call that names one twice means another address",
    "how the caller fills its arguments", _D,
)  # fmt: skip
TABLE_RANGE = Rule(
    "TABLE-RANGE", "error", "a range, level or tree that the Realm's tables do not have",
    "base and top are in the wrong order or half of the IPA space, or the level or tree does not exist for this Realm",
    "the Realm's parameters (s2sz, start level, planes) against the arguments", _D,
)  # fmt: skip
CREATE_NOT_DELEGATED = Rule(
    "CREATE-NOT-DELEGATED", "error", "an object is made of a granule that is not delegated",
    "the RMM makes objects only of granules in state DELEGATED",
    "the delegate call for that address: did it succeed, is it of the same address", "DEN0137 granule state machine",
)  # fmt: skip
CREATE_TWICE = Rule(
    "CREATE-TWICE", "error", "an object is made where one lives already",
    "a granule holds one object until that is destroyed",
    "the first create call on this address, and why nothing destroyed it", "DEN0137 granule state machine",
)  # fmt: skip
DELEGATE_TWICE = Rule(
    "DELEGATE-TWICE", "error", "a granule is delegated that was delegated already",
    "the host's account of its pages is wrong; by the bet3 text a second delegate is harmless while the granule is DELEGATED, "
    "TF-RMM refuses it",
    "the first delegate call, and whether an undelegate failed in between", "DEN0137 GRANULE_DELEGATE gran_state",
)  # fmt: skip
UNDELEGATE_LIVE = Rule(
    "UNDELEGATE-LIVE", "error", "a granule is undelegated in which an object lives",
    "it stays in the Realm world: the host must not use the page",
    "the object's destroy call: it is missing, or it failed", "DEN0137 GRANULE_UNDELEGATE gran_state",
)  # fmt: skip
UNDELEGATE_NOT_DELEGATED = Rule(
    "UNDELEGATE-NOT-DELEGATED", "error", "a granule is undelegated that is not delegated",
    "the host's account of its pages is wrong: a page that was given back twice, or never given",
    "the delegate call for that address", "DEN0137 GRANULE_UNDELEGATE gran_state",
)  # fmt: skip
PAGE_DELEGATED = Rule(
    "PAGE-DELEGATED", "error", "a page that has to be the host's was delegated",
    "parameter pages, data pages and buffers stay in the Non-secure world; the host itself would fault on this one",
    "where the page was delegated, and whether the host frees and allocates pages in between", _D,
)  # fmt: skip
NOT_AN_OBJECT = Rule(
    "NOT-AN-OBJECT", "error", "a command on something that was never made",
    "the granule is not what the command works on",
    "which object is meant: arguments in the wrong order, or a create call that failed and was not looked at", _D,
)  # fmt: skip
USE_AFTER_DESTROY = Rule(
    "USE-AFTER-DESTROY", "error", "a command on an object that was destroyed",
    "the host keeps an address that is no longer its object's",
    "the destroy call, and who still holds the address", _D,
)  # fmt: skip
RMM_NOT_ACTIVE = Rule(
    "RMM-NOT-ACTIVE", "error", "a command while the RMM is not active",
    "all but a few commands of 2.0 need RMI_RMM_ACTIVATE to have succeeded",
    "RMI_RMM_CONFIG_SET and RMI_RMM_ACTIVATE at the start; a kernel of 1.x has neither", "DEN0137 2.0 RMM state; TF-RMM",
)  # fmt: skip
RMM_ALREADY_ACTIVE = Rule(
    "RMM-ALREADY-ACTIVE", "note", "the RMM is configured or activated again",
    "that is possible once; a host that asks again has lost nothing",
    "whether two drivers do it", "DEN0137 2.0 RMM state",
)  # fmt: skip
REALM_PARAMS = Rule(
    "REALM-PARAMS", "error", "parameters of a Realm that are out of range or do not fit together",
    "size of the IPA space, start level and number of start tables go together, and have to be within the feature registers",
    "the fields that are named, against RMI_FEATURES", "DEN0137 REALM_CREATE params_valid, params_supp",
)  # fmt: skip
REALM_WRONG_STATE = Rule(
    "REALM-WRONG-STATE", "error", "a command that the Realm's state does not allow",
    "a Realm is filled while it is NEW and runs once it is ACTIVE",
    "the order of RMI_REALM_ACTIVATE and the command", "DEN0137 realm state machine",
)  # fmt: skip
REALM_NOT_EMPTY = Rule(
    "REALM-NOT-EMPTY", "error", "a Realm is destroyed that still owns something",
    "RECs, tables, data and VDEVs go first: objects were destroyed out of order",
    "the destroy calls of what it owns: missing, or failed", "DEN0137 REALM_DESTROY realm_live",
)  # fmt: skip
REALM_HAS_VDEV = Rule(
    "REALM-HAS-VDEV", "error", "a Realm is destroyed that still has a VDEV",
    "the VDEV's device would be left with access to the Realm's memory",
    "RMI_VDEV_UNLOCK and RMI_VDEV_DESTROY before it", "DEN0137 REALM_DESTROY; TF-RMM realm.c",
)  # fmt: skip
REC_ENTRY = Rule(
    "REC-ENTRY", "error", "entry flags of RMI_REC_ENTER do not fit the last exit",
    "emul_mmio and inject_sea answer an exit for an abort, and nothing else",
    "the exit before it: reason and ESR", "DEN0137 REC_ENTER rec_mmio",
)  # fmt: skip
REC_REQUEST = Rule(
    "REC-REQUEST", "error", "the host answers a request that the REC did not make",
    "base and top have to be those of the last exit, and the exit has to ask for this",
    "the fields of the REC's last exit", "DEN0137 base_bound, top_bound, pending",
)  # fmt: skip
COMPLETE_REFUSED = Rule(
    "COMPLETE-REFUSED", "note", "RMI_VDEV_COMPLETE or RMI_PSCI_COMPLETE was refused",
    "there is nothing to complete, or another object is meant; the Realm's request stays open and can be answered again",
    "the REC's last exit", "DEN0137 VDEV_COMPLETE, PSCI_COMPLETE",
)  # fmt: skip
