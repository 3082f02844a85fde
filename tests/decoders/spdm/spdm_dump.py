"""The text of DMTF's ``spdm_dump -a -d``, read into fields: what it says of each message, as (field, value) pairs.

A record's line names the message and the messages inside of it, each with its main fields in brackets; the lines below
it, indented, have the rest, all of the innermost message.
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_RECORD = re.compile(r"^(\d+) \(\d+\) (?:PCI_DOE|MCTP)\([^)]*\) \S+ (.*)$")
_MESSAGE = re.compile(r"SPDM\(([0-9a-f]{2}), 0x([0-9a-f]{2})\) (?:SPDM_([A-Z0-9_]+)|<Unknown>) ?")
_PAIR = re.compile(r"(\w+)=(0x[0-9a-f]+|[0-9a-f]+)(?:\(([^()=]*)\))?")
_HEX = re.compile(r"^(?:[0-9a-f]{2} ?)*$")


@dataclass
class Said:
    """A message as spdm_dump tells it: values as numbers or bytes, ``names`` what it says of a value in brackets."""

    version: int
    code: int
    name: str | None
    values: dict[str, int | bytes | list[int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    text: str = ""
    payload: str = ""
    """What it says of the payload of a vendor-defined message, which is not taken apart here."""


def read(path: Path, secured: bool = False) -> Iterator[tuple[int, list[Said]]]:
    """Record number and its messages, outer ones first, of every record in the clear, or of every secured one."""
    number, said = 0, []
    block: list[str] = []
    with gzip.open(path, "rt", errors="replace") as lines:
        for line in lines:
            found = _RECORD.match(line)
            if found is None:
                block.append(line.rstrip("\n"))
                continue
            if said:
                _details(said[-1], block)
                yield number, said
            block = []
            number, said = int(found[1]), _messages(found[2]) if ("SecuredSPDM" in found[2]) is secured else []
    if said:
        _details(said[-1], block)
        yield number, said


def _messages(text: str) -> list[Said]:
    found = list(_MESSAGE.finditer(text))
    said = []
    for i, m in enumerate(found):
        end = found[i + 1].start() if i + 1 < len(found) else len(text)
        one = Said(int(m[1], 16), int(m[2], 16), m[3], text=text[m.end() : end].strip())
        one.text, _, one.payload = one.text.partition(" PCI (")
        _arguments(one, one.text)
        said.append(one)
    return said


def _arguments(said: Said, text: str) -> None:
    if re.match(r"^\(\d+\.\d+\.\d+\.\d+", text):
        said.values["versions"] = _versions(text)
        return
    for many in ("KeyPairId", "CertInfo", "KeyUsage"):  # lists
        listed = re.search(r"(?<![A-Za-z])" + many + r"=((?:0x[0-9a-f]+(?:\([A-Z_,]*\))?,?)+)", text)
        if listed:
            said.values[many] = [int(v, 16) for v in re.findall(r"0x[0-9a-f]+", listed[1])]
            text = text.replace(listed[0], "")
    for name in ("PubKeyInfo", "PqcAsymCap", "CurrPqcAsym", "DesiredPqcAsymAlgo"):  # with a length of their own
        inner = re.search(name + r"\(Len=(0x[0-9a-f]+), ([0-9a-fx ]*)(?:\(([A-Z0-9_,]*)\))?", text)
        if inner:
            said.values[f"{name}.Len"] = int(inner[1], 16)
            said.values[name] = int(inner[2], 16) if inner[2].startswith("0x") else bytes.fromhex(inner[2])
            text = text.replace(inner[0], "")
    hint = re.search(r"PSKHint=([0-9a-f]*)", text)
    if hint:
        said.values["PSKHint"] = bytes.fromhex(hint[1])
        text = text.replace(hint[0], "")
    for key, value, names in _PAIR.findall(text):
        said.values[key] = int(value, 16)
        if names:
            said.names[key] = names


def _versions(text: str) -> list[int]:
    return [int(a) << 12 | int(b) << 8 | int(c) << 4 | int(d) for a, b, c, d in re.findall(r"(\d+)\.(\d+)\.(\d+)\.(\d+)", text)]


def _details(said: Said, block: list[str]) -> None:
    if said.payload:
        return
    prefix = ""
    chain: list[str] | None = None
    for line in block:
        text = line.strip()
        if chain is not None:
            if text == ")":
                said.values["CertChain"] = bytes.fromhex("".join(chain))
                chain = None
            else:
                chain.append(text.partition(":")[2])
            continue
        if text == "CertChain(":
            chain = []
        elif text in (")", ""):
            prefix = ""
        elif (record := re.match(r"^(MeasurementRecord_\d+)\($", text)) or (record := re.match(r"^(MelEntry_\d+)\(Mel", text)):
            prefix = record[1] + "."
            for key, value, _ in _PAIR.findall(text):
                said.values[prefix + key] = int(value, 16)
        else:
            _detail(said, prefix, text)


def _detail(said: Said, prefix: str, text: str) -> None:
    element = re.match(r"^SecuredMessageOpaqueElement_(\d+)\((.*?)\) Element\((.*?)\) (\w+) \((.*)\)$", text)
    if element:
        at = f"Element_{element[1]}."
        said.values[at + "len"] = int(re.search(r"len=(0x[0-9a-f]+)", element[2])[1], 16)  # type: ignore[index]
        said.values[at + "sm"] = int(re.search(r"id=(0x[0-9a-f]+)", element[3])[1], 16)  # type: ignore[index]
        said.values[at + "versions"] = _versions(element[5])
        return
    if text.startswith("ext_hash_count"):
        text = text.replace("ext_hash_count", "ExtHashCount").replace("ext_asym_count", "ExtAsymCount")
    for name, body in re.findall(r"(\w+)\(((?:[^()]|\([^()]*\))*)\)", text):
        key = prefix + name
        if name in (
            "Flags",
            "ExtFlags",
            "CommonHeader",
            "DmtfHeader",
            "DeviceMode",
            "SpdmOpaqueDataHeader",
            "SecuredMessageOpaqueDataHeader",
        ):
            for part, value, names in _PAIR.findall(body):
                said.values[f"{key}.{part}"] = int(value, 16)
                if names:
                    said.names[f"{key}.{part}"] = names
        elif body.startswith("0x"):
            said.values[key] = int(body, 16)
        elif _HEX.match(body):
            said.values[key] = bytes.fromhex(body)
        else:
            raise AssertionError(f"not understood: {text[:120]}")
