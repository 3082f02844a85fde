"""SPDM messages held against what spdm_dump says of them: names, fields, names of values."""

from __future__ import annotations

import re

from decoders.tree import Node
from tests.decoders.spdm.spdm_dump import Said
from tests.decoders.spdm.takes import (
    ELEMENT,
    Take,
    all_of,
    anywhere,
    at,
    block,
    chain,
    element,
    element_versions,
    entry,
    flags,
    masked,
    plain,
    same,
    table,
)

ANY: dict[str, Take] = {
    "SlotID": anywhere("SlotID"),
    "ReqSlotID": at("ReqSlotID|SlotIDParam.SlotID"),
    "SlotMask": at("SlotMask"),
    "HashType": at("MeasurementSummaryHashType"),
    "Nonce": at("Nonce"),
    "ReqContext": at("RequesterContext"),
    "OpaqueData": at("OpaqueData"),
    "Signature": at("Signature"),
    "VerifyData": at("ResponderVerifyData|RequesterVerifyData"),
    "RandomData": at("RandomData"),
    "ExchangeData": at("ExchangeData"),
    "MeasurementSummaryHash": at("MeasurementSummaryHash"),
    "Context": at("RequesterContext|ResponderContext"),
    "Heart": at("HeartbeatPeriod"),
    "Policy": at("SessionPolicy"),
    "ReqSessionID": at("ReqSessionID"),
    "RspSessionID": at("RspSessionID"),
    "Attr": at("Param1"),
    "Handle": at("Handle"),
    "ChunkSeqNo": at("ChunkSeqNo"),
    "ChunkSize": at("ChunkSize"),
    "LargeMsgSize": at("LargeMessageSize"),
    "KeyPairID": at("KeyPairID"),
    "ReqID": at("RequestID"),
    "AckReqID": at("AckRequestID"),
    "ReqCode": at("RequestCode"),
    "Token": at("Token"),
    "LargeCert": masked("Param1", 0x80),
    "LargeReq": masked("Param1", 0x80),
    "StandID": at("StandardID"),
    "vendor_id": lambda node: int.from_bytes(at("VendorID")(node), "little"),
    "ProtID": at("VendorDefinedReqPayload.ProtocolID|VendorDefinedRspPayload.ProtocolID"),
    "SecuredMessageOpaqueDataHeader.spec_id": at("OpaqueData.SpecID"),
    "SecuredMessageOpaqueDataHeader.Ver": at("OpaqueData.OpaqueVersion"),
    "SecuredMessageOpaqueDataHeader.TotalElem": at("OpaqueData.TotalElements"),
    "SpdmOpaqueDataHeader.TotalElem": at("OpaqueData.TotalElements"),
    "CTExponent": at("CTExponent"),
    "Flags": at("Flags"),
    "ExtFlags": at("ExtFlags"),
    "DataTransSize": at("DataTransferSize"),
    "MaxSpdmMsgSize": at("MaxSPDMmsgSize"),
}
_NEGOTIATION: dict[str, Take] = {
    "MeasSpec": at("MeasurementSpecification|MeasurementSpecificationSel"),
    "OtherParam": at("OtherParamsSupport|OtherParamsSelection"),
    "Hash": at("BaseHashAlgo|BaseHashSel"),
    "MeasHash": at("MeasurementHashAlgo"),
    "Asym": at("BaseAsymAlgo|BaseAsymSel"),
    "PqcAsym": at("PqcAsymAlgo|PqcAsymSel"),
    "MelSpec": at("MELspecification|MELspecificationSel"),
    "ExtHashCount": at("ExtHashCount|ExtHashSelCount"),
    "ExtAsymCount": at("ExtAsymCount|ExtAsymSelCount"),
    **{name: table(name) for name in ("DHE", "AEAD", "ReqAsym", "KeySchedule", "ReqPqcAsym", "KEM")},
}
FIELDS: dict[str, dict[str, Take]] = {
    "VERSION": {"versions": all_of("VersionNumberEntry")},
    "NEGOTIATE_ALGORITHMS": _NEGOTIATION,
    "ALGORITHMS": _NEGOTIATION,
    "DIGESTS": {
        "SupportedSlotMask": at("SupportedSlotMask"),
        "ProvisionedSlotMask": at("ProvisionedSlotMask|SlotMask"),
        "KeyPairId": all_of("KeyPairID"),
        "CertInfo": all_of("CertificateInfo"),
        "KeyUsage": all_of("KeyUsageMask"),
    },
    "GET_CERTIFICATE": {"Attr": at("Param2"), "Offset": at("LargeOffset|Offset"), "Length": at("LargeLength|Length")},
    "CERTIFICATE": {
        "Attr": at("Param2"),
        "PortLen": at("LargePortionLength|PortionLength"),
        "RemLen": at("LargeRemainderLength|RemainderLength"),
        "SpdmCertChainSize": chain("Length"),
        "RootHash": chain("RootHash"),
        "CertChain": chain(""),
    },
    "CHALLENGE_AUTH": {"CertChainHash": at("CertChainHash")},
    "GET_MEASUREMENTS": {"MeasOp": at("MeasurementOperation")},
    "MEASUREMENTS": {
        "NumOfBlocks": at("NumberOfBlocks"),
        "MeasRecordLen": at("MeasurementRecordLength"),
        "ContentChange": masked("Param2", 0x30),
        "TotalMeasIndex": at("TotalNumberOfMeasurements"),
        "MeasurementRecord": at("MeasurementRecordData"),
    },
    "GET_MEASUREMENT_EXTENSION_LOG": {"Offset": at("Offset"), "Length": at("Length")},
    "MEASUREMENT_EXTENSION_LOG": {
        "PortLen": at("PortionLength"),
        "RemLen": at("RemainderLength"),
        "SpdmMelNumber": at("MEL.NumberOfEntries"),
        "SpdmMelTotalLen": at("MEL.MELEntriesLength"),
    },
    "KEY_EXCHANGE_RSP": {"MutAuth": at("MutAuthRequested")},
    "FINISH": {"SigIncl": masked("Param1", 1)},
    "PSK_EXCHANGE": {"PSKHint": at("PSKHint")},
    "GET_CSR": {
        "Attr": at("Param2"),
        "Tag": masked("Param2", 0x38, 3),
        "Overwrite": masked("Param2", 0x80, 7),
        "RequesterInfo": at("RequesterInfo"),
    },
    "CSR": {"CSR": at("CSRdata")},
    "SET_CERTIFICATE": {"Model": at("Param1.SetCertModel"), "Erase": masked("Param1", 0x80, 7), "CertChain": at("CertChain")},
    "KEY_PAIR_INFO": {
        "TotalKeyPairs": at("TotalKeyPairs"),
        "Cap": at("Capabilities"),
        "KeyUsageCap": at("KeyUsageCapabilities"),
        "CurrKeyUsage": at("CurrentKeyUsage"),
        "AsymCap": at("AsymAlgoCapabilities"),
        "CurrAsym": at("CurrentAsymAlgo"),
        "AssicSlotMask": at("AssocCertSlotMask"),
        "PubKeyInfo": at("PublicKeyInfo"),
        "PubKeyInfo.Len": at("PublicKeyInfoLen"),
        "PqcAsymCap": at("PqcAsymAlgoCap"),
        "PqcAsymCap.Len": at("PqcAsymAlgoCapLen"),
        "CurrPqcAsym": at("CurrentPqcAsymAlgo"),
        "CurrPqcAsym.Len": at("CurrentPqcAsymAlgoLen"),
    },
    "SET_KEY_PAIR_INFO": {
        "Operation": at("Operation"),
        "DesiredKeyUsage": at("DesiredKeyUsage"),
        "DesiredAsymAlgo": at("DesiredAsymAlgo"),
        "DesiredAssocCertSlotMask": at("DesiredAssocCertSlotMask"),
        "DesiredPqcAsymAlgo": at("DesiredPqcAsymAlgo"),
        "DesiredPqcAsymAlgo.Len": at("DesiredPqcAsymAlgoLen"),
    },
    "GET_ENDPOINT_INFO": {"SubCode": at("SubCode"), "SlotID": at("Param2"), "RequestAttribute": at("RequestAttributes")},
    "ENDPOINT_INFO": {"SlotID": at("Param2"), "EndpointInfoSize": at("EPInfoLen"), "EndpointInfo": at("EPInfo")},
    "KEY_UPDATE": {"KeyOp": at("KeyOperation"), "Tag": at("Tag")},
    "KEY_UPDATE_ACK": {"KeyOp": at("KeyOperation"), "Tag": at("Tag")},
    "ERROR": {"ErrCode": at("ErrorCode"), "ErrData": at("ErrorData"), "RDTExponent": at("RDTExponent"), "RDTM": at("RDTM")},
}
_VALUE = {
    "CommonHeader.Index": "Index",
    "CommonHeader.MeasSpec": "MeasurementSpecification",
    "CommonHeader.size": "MeasurementSize",
    "DmtfHeader.Type": "Measurement.DMTFSpecMeasurementValueType",
    "DmtfHeader.Size": "Measurement.DMTFSpecMeasurementValueSize",
    "Value": "Measurement.DMTFSpecMeasurementValue",
    "Svn": "Measurement.DMTFSpecMeasurementValue",
    "DeviceMode.OpCap": "Measurement.DMTFSpecMeasurementValue.OperationalModeCapabilities",
    "DeviceMode.OpStat": "Measurement.DMTFSpecMeasurementValue.OperationalModeState",
    "DeviceMode.ModCap": "Measurement.DMTFSpecMeasurementValue.DeviceModeCapabilities",
    "DeviceMode.ModStat": "Measurement.DMTFSpecMeasurementValue.DeviceModeState",
}
_ENTRY = {"MelIndex": "MELIndex", "MeasIndex": "MeasIndex", "Value": "DMTFSpecMeasurementValue"}


def taker(name: str, key: str) -> Take:
    """How a field of spdm_dump is found in the tree. A field unknown here fails the test."""
    special = FIELDS.get(name, {}).get(key)
    if special is not None:
        return special
    if found := re.fullmatch(r"Flags\.(\w+)", key):
        return flags(found[1])
    if key == "ExtFlags.SLOT_MGMT":  # defined for responders; of a requester it is one of the bits that are not
        return masked("ExtFlags", 1)
    if found := re.fullmatch(r"Digest_(\d+)", key):
        return at(f"Digest[{found[1]}]")
    if found := re.fullmatch(r"MeasurementRecord_(\d+)\.(.+)", key):
        return block(int(found[1]), _VALUE[found[2]])
    if found := re.fullmatch(r"MelEntry_(\d+)\.(.+)", key):
        return entry(int(found[1]), _ENTRY[found[2]])
    if found := re.fullmatch(r"Element_(\d+)\.(\w+)", key):
        index = int(found[1])
        return element_versions(index) if found[2] == "versions" else element(index, ELEMENT[found[2]])
    if key.startswith("SupportedAlgorithms."):
        part = key.partition(".")[2]
        inner = at("Length") if part == "Length" else _NEGOTIATION[part]
        return lambda node: inner(node.child("SupportedAlgorithms"))  # type: ignore[arg-type]
    return ANY[key]


WORDS = {
    "NoHash": "NoMeasurementSummaryHash",
    "TcbHash": "TCBComponentMeasurementHash",
    "AllHash": "AllMeasurementsHash",
    "OPAQUE_FMT_0": "OpaqueDataFmt0",
    "OPAQUE_FMT_1": "OpaqueDataFmt1",
    "MULTI_KEY_CONN": "MultiKeyConn",
    "ECDSA_P256": "ECDSA_ECC_NIST_P256",
    "ECDSA_P384": "ECDSA_ECC_NIST_P384",
    "ECDSA_P521": "ECDSA_ECC_NIST_P521",
    "EDDSA_25519": "EdDSA ed25519",
    "EDDSA_448": "EdDSA ed448",
    "SM4_128_GCM": "AEAD_SM4_GCM",
    "RAW_BIT": "Raw bit stream only",
    "DEVICE": "DeviceCert",
    "All": "AllMeasurements",
    "TotalNum": "TotalNumberOfMeasurements",
    "SVN": "SecureVersionNumber",
    "HEM": "HashExtendMeasurement",
    "HardwareConfig": "HardwareConfiguration",
    "FirmwareConfig": "FirmwareConfiguration",
    "Manifest": "MeasurementManifest",
    "KEY_EX": "KeyExUse",
    "GenSig": "SignatureRequested",
    "RuntimeUpdate": "TerminationPolicy",
    "MutAuthNoEncap": "MutAuthRequested",
    "MutAuthWithEncap": "MutAuthRequestedWithEncapsulatedRequest",
    "MutAuthWithGetDigests": "MutAuthRequestedWithGetDigests",
    "InvalidRequset": "InvalidRequest",
    "CodeBusy": "Busy",
    "Change": "ParameterChange",
    "Erase": "KeyPairErase",
    "Generate": "GenerateKeyPair",
    "Sharable": "ShareableCap",
    "Mfg": "ManufacturingMode",
    "Val": "ValidationMode",
    "Nor": "NormalMode",
    "Rec": "RecoveryMode",
    "Rma": "RMAMode",
    "Dec": "DecommissionedMode",
    "HMAC_HASH": "SPDM",
    "PreserveStateClear": "NegotiatedStatePreservationIndicator=clear",
    "NoCap": "NotDetected",
    "NoChange": "Unchanged",
    "NonInvAct": "NonInvasiveDebugActive",
    "InvAct": "InvasiveDebugActive",
    "NonInvBeenAct": "NonInvasiveDebugHasBeenActive",
    "InvBeenAct": "InvasiveDebugHasBeenActive",
    "InvBeenActMfg": "InvasiveDebugHasBeenActiveAfterManufacturing",
}


def unnamed(said: Said, key: str, node: Node) -> list[str]:
    """Words of spdm_dump about a value that our text of it does not have."""
    take = taker(said.name or "", key)
    found = take.node(node) if isinstance(take, at) else None
    if found is None:
        return []
    words = [w.strip() for w in said.names[key].split(",") if w.strip() and w.strip() != "<Unknown>"]
    return [f"{key}: {w} here {found.text}" for w in words if plain(WORDS.get(w, w)) not in plain(found.text)]


PQC_SIGNATURE = 2420
"""Bytes of the shortest PQC signature, ML-DSA-44."""


def cut_signature(node: Node, key: str, value: object, ours: object) -> bool:
    """A PQC signature of which spdm_dump prints the beginning: it takes the size from the classic algorithms there."""
    if key != "Signature" or node.name not in ("MEASUREMENTS", "ENDPOINT_INFO"):
        return False
    return isinstance(ours, bytes) and len(ours) >= PQC_SIGNATURE and isinstance(value, bytes) and ours.startswith(value)


def differences(said: Said, node: Node) -> list[str]:
    """What spdm_dump says of one message otherwise than its tree."""
    if said.name != node.name and not (said.name is None and node.name.startswith("UNKNOWN_")):
        return [f"{said.name} here {node.name}"]
    wrong = []
    if (said.version, said.code) != (node.children[0].value, node.children[1].value):
        wrong.append("version or code")
    for key, value in said.values.items():
        if value == -1:  # it has a name only
            continue
        ours = taker(node.name, key)(node)
        if not same(value, ours) and not cut_signature(node, key, value, ours):
            wrong.append(f"{node.name} {key}: {value!r} here {ours!r}")
    for key in said.names:
        wrong += unnamed(said, key, node)
    return wrong
