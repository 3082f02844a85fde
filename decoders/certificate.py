"""One X.509 certificate (RFC 5280) as a tree over its bytes: names, validity, key, extensions, with SPDM's own.

Signatures and chains are in decoders.x509.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from .der import (
    Field,
    Tlv,
    any_value,
    bit_string,
    boolean,
    each,
    group,
    hexed,
    leaf,
    oid,
    oid_text,
    read,
    string,
    time,
)
from .oids import OIDS
from .tree import Node

MAX_ELEMENTS = 64
"""Names, extensions and purposes that are taken apart in one certificate."""
NAMED = 16
"""Attributes of a name that its text has."""
KEY_USAGE = (
    "digitalSignature",
    "nonRepudiation",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
)
SPDM_EXTENSION = {
    "1.3.6.1.4.1.412.274.2": "hardware identity: the key was made by and belongs to this device",
    "1.3.6.1.4.1.412.274.5": "mutable: the firmware may replace this certificate",
}
_ESCAPED = str.maketrans({c: "\\" + c for c in ',+"\\<>;'})


def certificate(data: bytes, pos: int, end: int, name: str = "Certificate") -> Node | str:
    """The certificate at ``pos``, offsets counted from the start of ``data``; or why there is none at all there."""
    outer = read(data, pos, end)
    if isinstance(outer, str):
        return outer
    if outer.tag != 0x30:
        return f"expected a certificate (SEQUENCE) at {pos:#x}, found tag {outer.tag:#x}"
    node = group(data, outer, name, _CERTIFICATE)
    return replace(node, text=_summary(node))


def _summary(cert: Node) -> str:
    tbs = cert.child("tbsCertificate")
    if tbs is None:
        return "not a certificate"
    said = []
    for path, form in (
        ("subject", "{}"),
        ("issuer", "issued by {}"),
        ("subjectPublicKeyInfo", "{}"),
        ("validity.notBefore", "from {}"),
        ("validity.notAfter", "to {}"),
    ):
        node = tbs.find(path)
        if node is not None and node.text:
            said.append(form.format(node.text))
    return ", ".join(said)


def _version(data: bytes, tlv: Tlv, name: str) -> Node:
    number = data[tlv.end - 1] if tlv.end > tlv.body else 0
    return leaf(tlv, name, number, f"v{number + 1} ({number})")


def _algorithm(data: bytes, tlv: Tlv, name: str) -> Node:
    node = group(data, tlv, name, (Field("algorithm", (6,), oid), Field("parameters", tuple(range(256)), any_value, True)))
    said = [
        c.text.partition(" (")[0]
        for c in node.children
        if c.name == "algorithm" or (c.name == "parameters" and isinstance(c.value, str))
    ]
    return replace(node, text=", ".join(said))


def name_node(data: bytes, tlv: Tlv, name: str) -> Node:
    """A distinguished name: text 'CN=..., O=...' in the order of the bytes, special characters escaped as RFC 4514 does."""
    said: list[str] = []

    def attribute(data: bytes, tlv: Tlv, index: int) -> Node:
        fields = (Field("type", (6,), oid), Field("value", tuple(range(256)), any_value))
        node = group(data, tlv, f"attribute[{index}]", fields) if tlv.tag == 0x30 else any_value(data, tlv, f"attribute[{index}]")
        kind, value = node.child("type"), node.child("value")
        if kind is None or value is None:
            return node.noted("not a name attribute", "warning")
        text = f"{OIDS.get(str(kind.value), kind.value)}={value.text.translate(_ESCAPED)}"
        said.append(text)
        return replace(node, text=text)

    def part(data: bytes, tlv: Tlv, index: int) -> Node:
        return each(data, tlv, f"rdn[{index}]", attribute, MAX_ELEMENTS)

    node = each(data, tlv, name, part, MAX_ELEMENTS)
    more = f" and {len(said) - NAMED} more" if len(said) > NAMED else ""
    return replace(node, value=data[tlv.start : tlv.end], text=(", ".join(said[:NAMED]) or "(empty)") + more)


def _validity(data: bytes, tlv: Tlv, name: str) -> Node:
    node = group(data, tlv, name, (Field("notBefore", (0x17, 0x18), time), Field("notAfter", (0x17, 0x18), time)))
    return replace(node, text=" to ".join(c.text for c in node.children if c.name != "header"))


def _serial(data: bytes, tlv: Tlv, name: str) -> Node:
    body = data[tlv.body : tlv.end]
    return leaf(tlv, name, body, hexed(body))


def _public_key_info(data: bytes, tlv: Tlv, name: str) -> Node:
    node = group(data, tlv, name, (Field("algorithm", (0x30,), _algorithm), Field("subjectPublicKey", (3,), bit_string)))
    return replace(node, text=key_text(node))


def rsa_numbers(key: bytes) -> tuple[bytes, bytes] | None:
    """Modulus and exponent of an RSAPublicKey (RFC 8017 A.1.1), leading zero bytes stripped; None where it is none."""
    outer = read(key, 0, len(key))
    if isinstance(outer, str) or outer.tag != 0x30:
        return None
    modulus = read(key, outer.body, outer.end)
    if isinstance(modulus, str) or modulus.tag != 2:
        return None
    exponent = read(key, modulus.end, outer.end)
    if isinstance(exponent, str) or exponent.tag != 2:
        return None
    return key[modulus.body : modulus.end].lstrip(b"\0"), key[exponent.body : exponent.end].lstrip(b"\0")


def key_text(info: Node) -> str:
    """'RSA 3072', 'P-384', 'Ed25519', ... of a subjectPublicKeyInfo."""
    kind, curve, key = info.find("algorithm.algorithm"), info.find("algorithm.parameters"), info.child("subjectPublicKey")
    if kind is None or key is None or not isinstance(kind.value, str) or not isinstance(key.value, bytes):
        return "unknown key"
    if kind.value == "1.2.840.113549.1.1.1":
        numbers = rsa_numbers(key.value)
        return f"RSA {int.from_bytes(numbers[0], 'big').bit_length()}" if numbers else "RSA, key not readable"
    if kind.value == "1.2.840.10045.2.1":
        named = curve.value if curve is not None and isinstance(curve.value, str) else None
        return OIDS.get(named, f"curve {named}") if named else "EC, curve not named"
    return OIDS.get(kind.value, f"key type {kind.value}")


def _extension(data: bytes, tlv: Tlv, index: int) -> Node:
    fields = (Field("extnID", (6,), oid), Field("critical", (1,), boolean, True), Field("extnValue", (4,), _extension_value))
    name = f"extension[{index}]"
    node = group(data, tlv, name, fields) if tlv.tag == 0x30 else any_value(data, tlv, name)
    kind, value = node.child("extnID"), node.child("extnValue")
    if kind is None or value is None or not isinstance(value.value, bytes):
        return node
    text = _EXTENSIONS.get(str(kind.value), hexed)(value.value)
    critical = node.child("critical")
    title = OIDS.get(str(kind.value), str(kind.value)) + (" (critical)" if critical is not None and critical.value else "")
    children = tuple(replace(c, text=text) if c.name == "extnValue" else c for c in node.children)
    return replace(node, text=f"{title}: {text}", children=children)


def _extension_value(data: bytes, tlv: Tlv, name: str) -> Node:
    return leaf(tlv, name, data[tlv.body : tlv.end], hexed(data[tlv.body : tlv.end]))


def _extensions(data: bytes, tlv: Tlv, name: str) -> Node:
    def inner(data: bytes, tlv: Tlv, name: str) -> Node:
        return each(data, tlv, name, _extension, MAX_ELEMENTS)

    return group(data, tlv, name, (Field("Extensions", (0x30,), inner),))


# --- text of extension values: bytes of the OCTET STRING in, one line out; what does not parse is shown in hex -----


def elements(body: bytes) -> list[Tlv]:
    """The elements of the SEQUENCE that a value is; [] where it is not one."""
    outer = read(body, 0, len(body))
    return [] if isinstance(outer, str) or outer.tag != 0x30 else _inside(body, outer)


def _inside(body: bytes, outer: Tlv) -> list[Tlv]:
    found: list[Tlv] = []
    pos = outer.body
    while pos < outer.end and len(found) < MAX_ELEMENTS:
        got = read(body, pos, outer.end)
        if isinstance(got, str):
            break
        found.append(got)
        pos = got.end
    return found


def _named(body: bytes, tlv: Tlv) -> str:
    dotted = oid_text(body[tlv.body : tlv.end])
    return OIDS.get(dotted, dotted) or hexed(body[tlv.body : tlv.end])


def _basic_constraints(body: bytes) -> str:
    ca, path = "CA=FALSE", ""
    for t in elements(body):
        if t.tag == 1 and any(body[t.body : t.end]):
            ca = "CA=TRUE"
        elif t.tag == 2:
            path = f", pathLen={int.from_bytes(body[t.body : t.end][:8], 'big')}"
    return ca + path


def _key_usage(body: bytes) -> str:
    bits = read(body, 0, len(body))
    if isinstance(bits, str) or bits.tag != 3 or bits.end - bits.body < 2:
        return hexed(body)
    value = body[bits.body + 1 : bits.end]
    set_bits = [n for i, n in enumerate(KEY_USAGE) if i // 8 < len(value) and value[i // 8] >> (7 - i % 8) & 1]
    return ", ".join(set_bits) or "none"


def _purposes(body: bytes) -> str:
    return ", ".join(_named(body, t) for t in elements(body)) or hexed(body)


def _key_id(body: bytes) -> str:
    inner = read(body, 0, len(body))
    return hexed(body if isinstance(inner, str) else body[inner.body : inner.end])


def _authority_key_id(body: bytes) -> str:
    return next((hexed(body[t.body : t.end]) for t in elements(body) if t.tag == 0x80), hexed(body))


_TEXT_NAMES = {1: "email", 2: "DNS", 6: "URI"}


def _general_name(body: bytes, tlv: Tlv) -> str:
    inside = body[tlv.body : tlv.end]
    kind = tlv.tag & 0x1F
    if kind == 0:  # otherName: type, [0] value
        parts = _inside(body, tlv)
        if len(parts) == 2 and parts[0].tag == 6:
            value = read(body, parts[1].body, parts[1].end)
            text = string(body, value) if not isinstance(value, str) and value.tag in (0x0C, 0x13, 0x16) else hexed(inside)
            return f"otherName {_named(body, parts[0])}={text}"
        return f"otherName {hexed(inside)}"
    if kind in (1, 2, 6):
        return f"{_TEXT_NAMES[kind]}:{inside.decode('ascii', 'backslashreplace')}"
    if kind == 4:
        name = read(body, tlv.body, tlv.end)
        return "directoryName" if isinstance(name, str) else f"directoryName {name_node(body, name, '').text}"
    if kind == 7 and len(inside) in (4, 16):
        return "IP:" + (".".join(map(str, inside)) if len(inside) == 4 else inside.hex(":", 2))
    if kind == 8:
        return f"registeredID {OIDS.get(oid_text(inside), oid_text(inside))}"
    return f"[{kind}] {hexed(inside)}"


def _alternative_names(body: bytes) -> str:
    return ", ".join(_general_name(body, t) for t in elements(body)) or hexed(body)


def _spdm_extension(body: bytes) -> str:
    # id-spdm-cert-oids: SEQUENCE OF SEQUENCE { oid, definition OCTET STRING OPTIONAL }
    said = []
    for t in elements(body):
        first = read(body, t.body, t.end)
        if isinstance(first, str) or first.tag != 6:
            return hexed(body)
        dotted = oid_text(body[first.body : first.end])
        said.append(f"{OIDS.get(dotted, dotted)}" + (f" ({SPDM_EXTENSION[dotted]})" if dotted in SPDM_EXTENSION else ""))
    return ", ".join(said) or hexed(body)


_EXTENSIONS = {
    "2.5.29.14": _key_id,
    "2.5.29.15": _key_usage,
    "2.5.29.17": _alternative_names,
    "2.5.29.18": _alternative_names,
    "2.5.29.19": _basic_constraints,
    "2.5.29.35": _authority_key_id,
    "2.5.29.37": _purposes,
    "1.3.6.1.4.1.412.274.6": _spdm_extension,
}

_TBS: Sequence[Field] = (
    Field("version", (0xA0,), _version, True),
    Field("serialNumber", (2,), _serial),
    Field("signature", (0x30,), _algorithm),
    Field("issuer", (0x30,), name_node),
    Field("validity", (0x30,), _validity),
    Field("subject", (0x30,), name_node),
    Field("subjectPublicKeyInfo", (0x30,), _public_key_info),
    Field("issuerUniqueID", (0x81,), any_value, True),
    Field("subjectUniqueID", (0x82,), any_value, True),
    Field("extensions", (0xA3,), _extensions, True),
)


def _tbs(data: bytes, tlv: Tlv, name: str) -> Node:
    return group(data, tlv, name, _TBS)


_CERTIFICATE: Sequence[Field] = (
    Field("tbsCertificate", (0x30,), _tbs),
    Field("signatureAlgorithm", (0x30,), _algorithm),
    Field("signatureValue", (3,), bit_string),
)
