"""Single certificates made with the cryptography package, with what real device certificates have in them."""

from __future__ import annotations

import datetime
import ipaddress

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from decoders.certificate import NAMED, certificate, key_text, rsa_numbers
from decoders.tree import Node

KEY = ec.generate_private_key(ec.SECP256R1())
DMTF = "1.3.6.1.4.1.412.274."


def made(*extensions: tuple[x509.ExtensionType, bool], key: object = KEY, name: x509.Name | None = None) -> Node:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "dev")]) if name is None else name
    builder = x509.CertificateBuilder(name, name, key.public_key(), 0x1234)
    builder = builder.not_valid_before(datetime.datetime(2024, 2, 29)).not_valid_after(datetime.datetime(2049, 12, 31))
    for value, critical in extensions:
        builder = builder.add_extension(value, critical)
    digest = None if isinstance(key, ed448.Ed448PrivateKey) else hashes.SHA384()
    data = builder.sign(key, digest).public_bytes(serialization.Encoding.DER)
    node = certificate(data, 0, len(data))
    assert isinstance(node, Node)
    assert sum(leaf.size for leaf in node.leaves()) == len(data)
    return node


def texts(node: Node) -> list[str]:
    return [e.text for e in node.find("tbsCertificate.extensions.Extensions").children if e.name != "header"]


def test_extensions() -> None:
    unknown = x509.UnrecognizedExtension(ObjectIdentifier("1.2.3.4"), b"\x05\0")
    purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH, ObjectIdentifier(DMTF + "3"), ObjectIdentifier("1.2.3")])
    usage = x509.KeyUsage(True, False, False, False, False, True, False, False, False)
    node = made(
        (x509.BasicConstraints(ca=True, path_length=2), True),
        (usage, True),
        (purposes, False),
        (x509.SubjectKeyIdentifier(b"\x01\x02\x03"), False),
        (x509.AuthorityKeyIdentifier(b"\x04\x05", None, None), False),
        (unknown, False),
    )
    assert texts(node) == [
        "basicConstraints (critical): CA=TRUE, pathLen=2",
        "keyUsage (critical): digitalSignature, keyCertSign",
        "extKeyUsage: clientAuth, id-DMTF-eku-responder-auth, 1.2.3",
        "subjectKeyIdentifier: 010203",
        "authorityKeyIdentifier: 0405",
        "1.2.3.4: 0500",
    ]


def test_alternative_names() -> None:
    other = x509.OtherName(ObjectIdentifier(DMTF + "1"), b"\x0c\x0aACME:W:123")  # UTF8String of 10 bytes
    names = [
        other,
        x509.DNSName("dev.example"),
        x509.UniformResourceIdentifier("https://example/x"),
        x509.IPAddress(ipaddress.ip_address("192.0.2.1")),
        x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "DE")])),
        x509.RegisteredID(ObjectIdentifier(DMTF + "2")),
    ]
    assert texts(made((x509.SubjectAlternativeName(names), False))) == [
        "subjectAltName: otherName id-DMTF-device-info=ACME:W:123, DNS:dev.example, URI:https://example/x, IP:192.0.2.1, "
        "directoryName C=DE, registeredID id-DMTF-hardware-identity"
    ]


def test_spdm_extension() -> None:
    # SEQUENCE { SEQUENCE { hardware identity }, SEQUENCE { mutable certificate } }
    body = bytes.fromhex("301c 300c 060a 2b06010401831c821202 300c 060a 2b06010401831c821205".replace(" ", ""))
    (text,) = texts(made((x509.UnrecognizedExtension(ObjectIdentifier(DMTF + "6"), body), False)))
    assert text.startswith("id-DMTF-SPDM-extension: id-DMTF-hardware-identity (")
    assert "id-DMTF-mutable-certificate (" in text


def test_names() -> None:
    pairs = [(NameOID.COUNTRY_NAME, "US"), (NameOID.ORGANIZATION_NAME, 'A, "B" <C>; D=E+F\\'), (NameOID.COMMON_NAME, "dév")]
    node = made(name=x509.Name([x509.NameAttribute(o, v) for o, v in pairs]))
    # RFC 4514 escapes the special characters of a value with a backslash
    assert node.find("tbsCertificate.subject").text == 'C=US, O=A\\, \\"B\\" \\<C\\>\\; D=E\\+F\\\\, CN=dév'
    many = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, f"u{i}") for i in range(NAMED + 4)])
    assert made(name=many).find("tbsCertificate.subject").text.endswith(" and 4 more")
    assert made(name=x509.Name([])).find("tbsCertificate.subject").text == "(empty)"


@pytest.mark.parametrize(
    ("key", "text"),
    [
        (ec.generate_private_key(ec.SECP256R1()), "P-256"),
        (ec.generate_private_key(ec.SECP384R1()), "P-384"),
        (ec.generate_private_key(ec.SECP521R1()), "P-521"),
        (ec.generate_private_key(ec.SECP256K1()), "curve 1.3.132.0.10"),
        (rsa.generate_private_key(65537, 2048), "RSA 2048"),
        (ed448.Ed448PrivateKey.generate(), "Ed448"),
    ],
)
def test_keys(key: object, text: str) -> None:
    info = made(key=key).find("tbsCertificate.subjectPublicKeyInfo")
    assert info.text == key_text(info) == text


def test_rsa_numbers() -> None:
    assert rsa_numbers(bytes.fromhex("3008 0203 00ffee 0201 03")) == (b"\xff\xee", b"\x03")
    assert rsa_numbers(bytes.fromhex("3003 020105")) is None
    assert rsa_numbers(b"") is None
    assert key_text(Node("subjectPublicKeyInfo")) == "unknown key"


def test_summary_and_offsets() -> None:
    node = made()
    assert node.text == "CN=dev, issued by CN=dev, P-256, from 2024-02-29T00:00:00Z, to 2049-12-31T00:00:00Z"
    assert node.find("tbsCertificate.serialNumber").value == b"\x12\x34"
    assert node.find("tbsCertificate.version").value == 2


@pytest.mark.parametrize("data", ["", "30", "0203010001", "3082ffff30", "3003020105"])
def test_what_is_no_certificate(data: str) -> None:
    raw = bytes.fromhex(data)
    got = certificate(raw, 0, len(raw))
    if isinstance(got, Node):
        assert sum(leaf.size for leaf in got.leaves()) == len(raw)
        assert any(n.severity == "error" for n in got.walk())
    else:
        assert got
