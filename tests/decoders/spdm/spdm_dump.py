"""The text of DMTF's ``spdm_dump -a -d``, read into fields: what it says of each record, as (field, value) pairs.

A record's line has the carrier, the direction, the session, the messages, outer ones first, and what a vendor-defined
message carries, each with its main fields in brackets; the lines below it, indented, have the rest, all of the innermost
message. Nothing is passed over: what is not understood fails.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

Value = int | bytes | str | list[int]

_RECORD = re.compile(r"^(\d+) \(-?\d+\) (PCI_DOE\((\d+), (\d+)\)|MCTP\((\d+)\)) (.*)$")
_CUT = re.compile(r"^\d+ \(-?\d+\) $")
"""All that it says of a record that is not whole, at the end of a cut file."""
_DIRECTION = re.compile(r"^(REQ->RSP|RSP->REQ|\(\?\)->\(\?\)) ")
_SESSION = re.compile(r"^SecuredSPDM\(0x([0-9a-f]+)(?:, Seq=0x([0-9a-f]+))?\) (?:MCTP\((\d+)\) )?")
_MESSAGE = re.compile(
    r"(?:(?P<spdm>SPDM)\((?P<version>[0-9a-f]{2}), 0x(?P<code>[0-9a-f]{2})\) (?:SPDM_(?P<name>[A-Z0-9_]+)|<Unknown>)"
    r"|(?P<doe>DOE_DISCOVERY)"
    r"|(?P<kind>CXL_IDE_KM|IDE_KM|CXL_TSP|TDISP)\(0x(?P<object>[0-9a-f]{2})\) (?P<what>[A-Z0-9_]+|<Unknown>)"
    r"|(?P<pldm>PLDM)\((?P<bytes>[0-9a-fx, ]+)\)) ?"
)
_NUMBER = r"0x[0-9a-f]+|[0-9a-f]+"
_PAIR = re.compile(rf"(\w+)=({_NUMBER})(?:\(([^()=]*)\))?")
_HEX = re.compile(r"^(?:[0-9a-f]{2} ?)*$")
_DUMP = re.compile(r"^ {4}[0-9a-f]{4}: ((?:[0-9a-f]{2} ?)+)$")
_OPAQUE = re.compile(r"^SecuredMessageOpaqueElement_(\d+)\(([^()]*)\) ?(?:Element\(([^()]*)\) ?(?:(\w+) \((.*)\)|<Unknown>)?)?$")
_WITH_LENGTH = ("PubKeyInfo", "PqcAsymCap", "CurrPqcAsym", "DesiredPqcAsymAlgo")
_PARTS = (
    "Flags",
    "ExtFlags",
    "CommonHeader",
    "DmtfHeader",
    "DeviceMode",
    "SpdmOpaqueDataHeader",
    "SecuredMessageOpaqueDataHeader",
)
_STOPPED = (
    "cert_chain is too larger",
    "MEL is too larger",
    "interface_report is too larger",
    "configuration_report is too larger",
)


@dataclass
class Said:
    """A message as spdm_dump tells it: values as numbers or bytes, ``names`` what it says of a value in brackets.

    kind     'SPDM', 'DOE_DISCOVERY', 'IDE_KM', 'TDISP', 'CXL_IDE_KM', 'CXL_TSP', 'PLDM'
    version  of an SPDM message
    code     of an SPDM message, of an object or message inside one
    name     None where it says '<Unknown>'
    hex      its bytes, where they were asked for (-x)
    """

    kind: str
    version: int
    code: int
    name: str | None
    values: dict[str, Value] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    hex: bytes | None = None


@dataclass
class Record:
    """One record: ``carrier`` ('PCI_DOE', 1, 2) or ('MCTP', 6); ``direction`` 'request', 'response' or None where it
    does not know; ``sequence`` what MCTP sends of the sequence number; ``inside`` the MCTP type of the plain text."""

    number: int
    carrier: tuple[str, *tuple[int, ...]]
    direction: str | None = None
    session: int | None = None
    sequence: int | None = None
    inside: int | None = None
    messages: list[Said] = field(default_factory=list)
    stopped: bool = False
    """It gave up within this record."""

    @property
    def decrypted(self) -> bool:
        return self.session is not None and (bool(self.messages) or self.inside is not None)


def read(path: Path) -> Iterator[Record]:
    """Every record in order; a last one of which the line is not whole is left out."""
    record: Record | None = None
    block: list[str] = []
    with gzip.open(path, "rt", errors="replace") as lines:
        for line in lines:
            found = _RECORD.match(line)
            if found is None:
                if not _CUT.match(line):
                    block.append(line.rstrip("\n"))
                continue
            if record is not None:
                _details(record, block)
                yield record
            block = []
            record = _record(found, line.endswith("\n"))
    if record is not None:
        _details(record, block)
        yield record


def _record(found: re.Match[str], whole: bool) -> Record:
    number, text = int(found[1]), found[6]
    carrier = ("MCTP", int(found[5])) if found[5] else ("PCI_DOE", int(found[3]), int(found[4]))
    record = Record(number, carrier, stopped=not whole)
    if way := _DIRECTION.match(text):
        record.direction = {"REQ->RSP": "request", "RSP->REQ": "response"}.get(way[1])
        text = text[way.end() :]
    if secured := _SESSION.match(text):
        record.session = int(secured[1], 16)
        record.sequence = int(secured[2], 16) if secured[2] else None
        record.inside = int(secured[3]) if secured[3] else None
        text = text[secured.end() :]
    for reason in _STOPPED:
        if reason in text:
            record.stopped = True
            text = re.sub(r"(?:SPDM|TDISP|TSP) " + reason + r".*", "", text)
    marks = list(_MESSAGE.finditer(text))
    before = text[: marks[0].start()] if marks else text
    assert before.strip() in ("", "<Unknown>", "SPDM_", "MctpControl", "NCSI", "Ethernet", "NVMe"), f"not understood: {text}"
    for i, m in enumerate(marks):
        end = marks[i + 1].start() if i + 1 < len(marks) else len(text)
        record.messages.append(_message(m, text[m.end() : end].strip()))
    return record


def _message(m: re.Match[str], text: str) -> Said:
    if m["spdm"]:
        said = Said("SPDM", int(m["version"], 16), int(m["code"], 16), m["name"])
        _arguments(said, text)
    elif m["doe"]:
        said = Said("DOE_DISCOVERY", 0, 0, None)
        if found := re.fullmatch(r"\((\d+), (\d+), next_index=(\d+)\)", text):
            said.values = {"vendor": int(found[1]), "type": int(found[2]), "next_index": int(found[3])}
        else:
            said.values["index"] = int(re.fullmatch(r"\(index=(\d+)\)", text)[1])  # type: ignore[index]
    elif m["pldm"]:
        said = Said("PLDM", 0, 0, None)
        numbers = [int(v, 16) for v in m["bytes"].split(", ")]
        said.values = dict(zip(("header", "type", "command", "completion"), numbers, strict=False))
        found = re.fullmatch(r"\(ID=(\w+), D=(\w+), Rq=(\w+)\) (\w+) ?(?:(\w+) )?(?:\((?:tid=0x(\w+))?\))?", text)
        assert found is not None, f"not understood: {text}"
        said.values |= {k: int(found[i], 16) for i, k in enumerate(("ID", "D", "Rq"), 1)}
        said.name = " ".join(w for w in (found[4], found[5]) if w)
        if found[6]:
            said.values["tid"] = int(found[6], 16)
    else:
        said = Said(m["kind"], 0, int(m["object"], 16), None if m["what"] == "<Unknown>" else m["what"])
        _payload(said, text)
    return said


def _left(said: Said, text: str) -> None:
    assert re.fullmatch(r"[\s(),]*", text), f"not understood in {said.kind} {said.name}: {text[:160]}"


def _payload(said: Said, text: str) -> None:
    """What stands behind the name of an object of a vendor-defined message, and in the lines below it."""
    if said.kind == "TDISP" and (function := re.match(r"^\(([0-9a-f]{8})\) ?", text)):
        said.values["function"] = int(function[1], 16)
        text = text[function.end() :]
    if versions := re.match(r"^\((\d+\.\d+(?:, \d+\.\d+)*)\)$", text):
        said.values["versions"] = [int(a) << 4 | int(b) for a, b in re.findall(r"(\d+)\.(\d+)", versions[1])]
        return
    for listed in re.finditer(r"(\w+)=\[([0-9a-fx,-]*)\]", text):
        said.values[listed[1]] = listed[2]
    text = re.sub(r"\w+=\[[0-9a-fx,-]*\]", "", text)
    for row in re.finditer(r"mmio_range\((\d+)\)=\(([^()]*)\)", text):
        said.values |= {f"mmio_range{row[1]}.{k}": int(v, 16) for k, v, _ in _PAIR.findall(row[2])}
    text = re.sub(r"mmio_range\(\d+\)=\([^()]*\)", "", text)
    if info := re.search(r"dev_info\(len=([0-9a-f]+), data=\(([0-9a-f, ]*)\)\)", text):
        said.values["dev_info"] = bytes.fromhex(info[2].replace(",", " "))
        assert len(said.values["dev_info"]) == int(info[1], 16)
        text = text.replace(info[0], "")
    if span := re.search(r"range=(0x[0-9a-f]+)-(0x[0-9a-f]+)", text):
        said.values |= {"range_start": int(span[1], 16), "range_end": int(span[2], 16)}
        text = text.replace(span[0], "")
    for key, value, _ in _PAIR.findall(text):
        said.values[key] = bytes.fromhex(value) if key in ("nonce", "enc_key", "tweak_key") else int(value, 16)
    _left(said, re.sub(r"InterfaceReport|ConfigurationReport", "", _PAIR.sub("", text)))


def _arguments(said: Said, text: str) -> None:
    if re.match(r"^\(\d+\.\d+\.\d+\.\d+", text):
        said.values["versions"] = _versions(text)
        return
    for many in ("KeyPairId", "CertInfo", "KeyUsage"):  # lists
        listed = re.search(r"(?<![A-Za-z])" + many + r"=((?:0x[0-9a-f]+(?:\([A-Za-z_,<>]*\))?,?)+)", text)
        if listed:
            said.values[many] = [int(v, 16) for v in re.findall(r"0x[0-9a-f]+", listed[1])]
            said.names[many] = ",".join(re.findall(r"\(([A-Za-z_,<>]*)\)", listed[1]))
            text = text.replace(listed[0], "")
    for name in _WITH_LENGTH:
        inner = re.search(name + r"\(Len=(0x[0-9a-f]+), ([0-9a-fx ]*)(?:\(([A-Z0-9_,]*)\))?", text)
        if inner:
            said.values[f"{name}.Len"] = int(inner[1], 16)
            said.values[name] = int(inner[2], 16) if inner[2].startswith("0x") else bytes.fromhex(inner[2])
            if inner[3]:
                said.names[name] = inner[3]
            text = text.replace(inner[0], "")
    hint = re.search(r"PSKHint=([0-9a-f]*)", text)
    if hint:
        said.values["PSKHint"] = bytes.fromhex(hint[1])
        text = text.replace(hint[0], "")
    if model := re.search(r"\(SlotID=(0x[0-9a-f]+), ([A-Z]+|<Unknown>), Erase", text):  # SET_CERTIFICATE: a value without a key
        said.names["Model"] = model[2]
        said.values["Model"] = -1
        text = text.replace(f", {model[2]}, Erase", ", Erase")
    if open_ := re.search(r"Attr=0x[0-9a-f]+\((\w+|<Unknown>), (?:SlotID|Tag)", text):  # the bracket closes later
        said.names["Attr"] = open_[1]
        text = text.replace(f"({open_[1]}, ", "(")
    prefix = "SupportedAlgorithms"
    if prefix in text:
        text, _, inside = text.partition(f", {prefix}(")
        for key, value, names in _PAIR.findall(inside):
            said.values[f"{prefix}.{key}"] = int(value, 16)
            if names:
                said.names[f"{prefix}.{key}"] = names
        _left(said, _PAIR.sub("", inside))
    text = re.sub(r"PCI (?=\(vendor_id)|\(Done\)|<Unknown>$", "", text)
    for key, value, names in _PAIR.findall(text):
        said.values[key] = int(value, 16)
        if names:
            said.names[key] = names
    _left(said, re.sub(r"spdm_response->header.param1 is not right", "", _PAIR.sub("", text)))


def _versions(text: str) -> list[int]:
    return [int(a) << 12 | int(b) << 8 | int(c) << 4 | int(d) for a, b, c, d in re.findall(r"(\d+)\.(\d+)\.(\d+)\.(\d+)", text)]


def _details(record: Record, block: list[str]) -> None:
    """The lines below a record's, and the bytes of its messages, those of the innermost one first."""
    lines: list[str] = []
    spdm = [m for m in record.messages if m.kind == "SPDM"]
    target: Said | None = None
    kept: list[bytes] | None = None
    for line in block:
        if re.match(r"^ {2}(?:Encapsulated SPDM|Chunk Large SPDM|SPDM|PCI Vendor|PCI_DOE|MCTP|SecuredSPDM) [Mm]essage:$", line):
            mine = line.strip().split(" ")[-2] == "SPDM" and spdm
            target, kept = (spdm.pop() if mine else None), []
        elif kept is not None and (dumped := _DUMP.match(line)):
            kept.append(bytes.fromhex(dumped[1]))
            if target is not None:
                target.hex = b"".join(kept)
        else:
            kept = None
            if line.strip():
                lines.append(line.strip())
    if not lines:
        return
    if not record.messages or record.stopped:
        assert record.stopped or all("is not right" in x or "rebuild" in x for x in lines), f"not understood: {lines}"
        return
    last = record.messages[-1]
    if last.kind != "SPDM":
        _payload(last, " ".join(lines))
    else:
        _fields(last, lines)


def _fields(said: Said, lines: list[str]) -> None:
    prefix = ""
    chain: list[str] | None = None
    for text in lines:
        if chain is not None:
            if text == ")":
                said.values["CertChain"] = bytes.fromhex("".join(chain))
                chain = None
            else:
                chain.append(text.partition(":")[2])
        elif text == "CertChain(":
            chain = []
        elif text == ")":
            prefix = ""
        elif (record := re.match(r"^(MeasurementRecord_\d+)\($", text)) or (record := re.match(r"^(MelEntry_\d+)\(Mel", text)):
            prefix = record[1] + "."
            for key, value, _ in _PAIR.findall(text):
                said.values[prefix + key] = int(value, 16)
        else:
            _detail(said, prefix, text)


def _detail(said: Said, prefix: str, text: str) -> None:
    if element := _OPAQUE.match(text):
        at = f"Element_{element[1]}."
        parts = [(f"{at}element_", element[2]), (f"{at}data_", element[3] or "")]
        said.values |= {f"{p}{k}": int(v, 16) for p, body in parts for k, v, _ in _PAIR.findall(body)}
        if element[4] == "AEAD_LIMIT":
            said.values[f"{at}limit"] = int(_PAIR.findall(element[5])[0][1], 16)
        elif element[4]:
            said.values[f"{at}versions"] = _versions(element[5])
        return
    text = text.replace("ext_hash_count", "ExtHashCount").replace("ext_asym_count", "ExtAsymCount")
    one = re.compile(r"(\w+)\(((?:[^()]|\([^()]*\))*)\)")
    for name, body in one.findall(text):
        key = prefix + name
        if name in _PARTS:
            for part, value, names in _PAIR.findall(body):
                said.values[f"{key}.{part}"] = int(value, 16)
                if names:
                    said.names[f"{key}.{part}"] = names
            _left(said, _PAIR.sub("", body))
        elif body.startswith("0x"):
            said.values[key] = int(body, 16)
        elif _HEX.match(body):
            said.values[key] = bytes.fromhex(body)
        else:
            raise AssertionError(f"not understood: {text[:120]}")
    _left(said, one.sub("", text))
