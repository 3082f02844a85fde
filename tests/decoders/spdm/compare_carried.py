"""What vendor-defined messages and MCTP carry, and DOE discovery, held against what spdm_dump says of it."""

from __future__ import annotations

import re

from decoders.tree import Node
from tests.decoders.spdm.spdm_dump import Said
from tests.decoders.spdm.takes import Take, all_of, at, plain, same

_STREAM = {
    "StreamId": at("StreamID"),
    "Status": at("Status"),
    "KeySubStream": at("KeySubStream"),
    "KeySet": at("KeySubStream.KeySet"),
    "RxTx": at("KeySubStream.RxTx"),
    "SubStream": at("KeySubStream.SubStream"),
    "Iv": at("KeySubStream.IV"),
    "Mode": at("KeySubStream.Mode"),
    "PortIndex": at("PortIndex"),
    "port": at("PortIndex"),
    "DevFunc": at("DeviceFunction"),
    "Bus": at("Bus"),
    "Seg": at("Segment"),
    "MaxPort": at("MaxPortIndex"),
    "Caps": at("Capabilities"),
}


def _report(path: str) -> Take:
    return at(f"TDI_REPORT.{path}|REPORT_BYTES.{path}")


def _reversed(path: str) -> Take:
    return lambda node: at(path)(node)[::-1].hex()


def _joined(name: str, *parts: str) -> Take:
    """Elements of a list as spdm_dump prints them: '0x...-0x..,0x...-0x..'."""

    def take(node: Node) -> str:
        found = [n for n in node.children if n.name.startswith(f"{name}[")]
        texts = []
        for n in found:
            if not parts:
                texts.append(n.value.hex())  # type: ignore[union-attr]
            else:
                texts.append("-".join(f"0x{c.value:0{2 * c.size}x}" for p in parts if (c := n.child(p)) is not None))
        return ",".join(texts)

    return take


CARRIED: dict[str, dict[str, Take]] = {
    "DOE_DISCOVERY": {
        "index": at("Index"),
        "vendor": at("VendorID"),
        "type": at("DataObjectType"),
        "next_index": at("NextIndex"),
    },
    "PLDM": {
        "header": at("Header"),
        "type": at("Type"),
        "command": at("PLDMCommandCode"),
        "completion": at("PLDMCompletionCode"),
        "ID": at("Header.InstanceID"),
        "D": at("Header.D"),
        "Rq": at("Header.Rq"),
        "tid": at("TID"),
    },
    "IDE_KM": _STREAM,
    "CXL_IDE_KM": _STREAM,
    "TDISP": {
        "function": at("INTERFACE_ID.FUNCTION_ID|FUNCTION_ID"),
        "versions": all_of("VERSION_NUM_ENTRY"),
        "tsm_caps": at("TSM_CAPS"),
        "dsm_caps": at("DSM_CAPS"),
        "msg_cap": _reversed("REQ_MSGS_SUPPORTED"),
        "lock_flags": at("LOCK_INTERFACE_FLAGS_SUPPORTED"),
        "addr_width": at("DEV_ADDR_WIDTH"),
        "req_this": at("NUM_REQ_THIS"),
        "req_all": at("NUM_REQ_ALL"),
        "flags": at("FLAGS"),
        "default_stream": at("DEFAULT_STREAM_ID"),
        "mmio_offset": at("MMIO_REPORTING_OFFSET"),
        "bind_p2p_mask": at("BIND_P2P_ADDRESS_MASK"),
        "nonce": at("START_INTERFACE_NONCE"),
        "offset": at("OFFSET"),
        "length": at("LENGTH"),
        "port_len": at("PORTION_LENGTH"),
        "rem_len": at("REMAINDER_LENGTH"),
        "tdi_state": at("TDI_STATE"),
        "err_code": at("ERROR_CODE"),
        "err_data": at("ERROR_DATA"),
        "if_info": _report("INTERFACE_INFO"),
        "msix_ctrl": _report("MSI_X_MESSAGE_CONTROL"),
        "lnr_ctrl": _report("LNR_CONTROL"),
        "tph_ctrl": _report("TPH_CONTROL"),
        "mmio_count": _report("MMIO_RANGE_COUNT"),
        "dev_info": _report("DEVICE_SPECIFIC_INFO"),
    },
    "CXL_TSP": {
        "versions": all_of("VersionNumberEntry"),
        "mem_enc_feat": at("MemoryEncryptionFeaturesSupported|MemoryEncryptionFeatures"),
        "mem_enc_algo": at("MemoryEncryptionAlgorithmsSupported|MemoryEncryptionAlgorithm"),
        "mem_enc_num_rang": at("MemoryEncryptionNumberOfRangeBasedKeys"),
        "te_cntl_feat": at("TEStateChangeAndAccessControlFeaturesSupported|TEStateChangeAndAccessControlFeatures"),
        "oob_te_gran": at("SupportedExplicitOOBTEStateGranularity|ExplicitOOBTEStateGranularity"),
        "cfg_feat": at("ConfigurationFeaturesSupported|ConfigurationFeatures"),
        "num_ckid": at("NumberOfCKIDs"),
        "num_2nd_sess": at("NumberOfSecondarySessions"),
        "ckid_base": at("CKIDBase"),
        "cfg_valid": at("ConfigurationValidityFlags"),
        "2nd_sess_ckid": at("SecondarySessionCKIDType"),
        "2nd_sess_psk": _joined("SecondarySessionPSKKeyMaterial"),
        "current_tsp_state": at("CurrentTSPState"),
        "valid_field": at("TSP_REPORT.ValidTSPReportFields|ReportData.ValidTSPReportFields"),
        "offset": at("Offset"),
        "length": at("Length"),
        "port_len": at("PortionLength"),
        "rem_len": at("RemainderLength"),
        "ckid": at("CKID"),
        "type": at("CKIDType"),
        "attrib": at("CKIDType|Attributes"),
        "valid": at("ValidityFlags"),
        "enc_key": at("DataEncryptionKey"),
        "tweak_key": at("TweakKey"),
        "range_id": at("RangeID"),
        "range_start": at("RangeStart"),
        "range_end": at("RangeEnd"),
        "te_state": at("TEState"),
        "num_mem_range": at("NumberOfMemoryRanges"),
        "mem_range": _joined("MemoryRange", "StartingAddress", "Length"),
        "delay_time": at("DelayTime"),
        "err_code": at("ErrorCode"),
        "err_data": at("ErrorData"),
    },
}
_MMIO = {"first": "FIRST_PAGE", "num_pg": "NUMBER_OF_PAGES", "attr": "RANGE_ATTRIBUTES", "rang_id": "RANGE_ID"}
_NAMES = {
    "IDE_KM": {"K_SET_GOSTOP_ACK": "K_GOSTOP_ACK"},
    "CXL_IDE_KM": {"K_SET_GOSTOP_ACK": "K_GOSTOP_ACK"},
    "TDISP": {n: f"{a}TDISP_{b}" for n, a, b in (("GET_VERSION", "GET_", "VERSION"), ("VERSION", "", "VERSION"))}
    | {"GET_CAPABILITIES": "GET_TDISP_CAPABILITIES", "CAPABILITIES": "TDISP_CAPABILITIES", "ERROR": "TDISP_ERROR"},
    "CXL_TSP": {
        "GET_VERSION": "GET_TARGET_TSP_VERSION",
        "GET_VERSION_RSP": "GET_TARGET_TSP_VERSION_RSP",
        "SET_CAPABILITIES_RSP": "SET_TARGET_CONFIGURATION_RSP",
        "LOCK_CAPABILITIES_RSP": "LOCK_TARGET_CONFIGURATION_RSP",
        "ERROR": "ERROR_RSP",
        "DELAYED_RSP": "DELAYED_RSP",
    },
}
"""Names that spdm_dump shortens, or has wrong."""


def full_name(said: Said) -> str | None:
    """The specification's name of what spdm_dump names."""
    if said.name is None:
        return None
    found = _NAMES.get(said.kind, {}).get(said.name)
    if found is not None:
        return found
    if said.kind == "TDISP":
        return re.sub(r"_RSP$", "_RESPONSE", re.sub(r"_REQ$", "_REQUEST", said.name))
    if said.kind == "CXL_TSP" and "_TARGET_" not in said.name:
        return said.name.replace("_", "_TARGET_", 1)
    return said.name


def carried_taker(kind: str, name: str, key: str) -> Take:
    if row := re.fullmatch(r"mmio_range(\d+)\.(\w+)", key):
        return _report(f"MMIO_RANGE[{row[1]}].{_MMIO[row[2]]}")
    if kind == "CXL_TSP" and key == "ib_te_gran":
        one = at("SupportedExplicitIBTEStateGranularity")
        many = _joined("ExplicitIBTEStateGranularity", "TEStateGranularity", "LengthIndex")
        return one if name.startswith("GET_TARGET_CAPABILITIES") else many
    return CARRIED[kind][key]


def carried(said: Said, node: Node) -> list[str]:
    """The same for an object of a vendor-defined message, a PLDM message or a DOE discovery."""
    wrong = []
    if said.kind == "PLDM":
        words = [w.removesuffix("_req").removesuffix("_rsp") for w in (said.name or "").split()]
        wrong += [f"PLDM {w} here {node.text}" for w in words if plain(w) not in plain(node.text)]
    elif said.kind != "DOE_DISCOVERY":
        name = full_name(said)
        if name != node.name and not (name is None and node.name.startswith("UNKNOWN_")):
            return [f"{said.kind} {name} here {node.name}"]
        code = node.child("ObjectID") or node.child("MessageType") or node.child("Opcode")
        if code is None or code.value != said.code:
            wrong.append(f"{said.kind} code {said.code:#x} here {code}")
    for key, value in said.values.items():
        ours = carried_taker(said.kind, node.name, key)(node)
        if not same(value, ours):
            wrong.append(f"{said.kind} {node.name} {key}: {value!r} here {ours!r}")
    return wrong
