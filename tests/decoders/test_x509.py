"""Certificate chains against the text that OpenSSL 3.0 printed for them, the key that a host gave to the RMM, and
chains made here with the cryptography package."""

from __future__ import annotations

import datetime
import hashlib
import random
import re
import warnings
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from decoders.tree import Node
from decoders.x509 import MAX_CERTIFICATES, certificates, compare_pubkey, decode_chain, leaf_public_key, signature_error

DATA = Path(__file__).parents[1] / "data" / "x509"
CHAINS = {p.stem: p.read_bytes() for p in sorted(DATA.glob("*.chain"))}
EKU = {
    "TLS Web Server Authentication": "serverAuth",
    "TLS Web Client Authentication": "clientAuth",
    "OCSP Signing": "OCSPSigning",
}
USAGE = {
    "Digital Signature": "digitalSignature",
    "Non Repudiation": "nonRepudiation",
    "Key Encipherment": "keyEncipherment",
    "Data Encipherment": "dataEncipherment",
    "Key Agreement": "keyAgreement",
    "Certificate Sign": "keyCertSign",
    "CRL Sign": "cRLSign",
}


def assert_covered(tree: Node, size: int) -> None:
    """Every byte lies in exactly one leaf, in order."""
    at = 0
    for leaf in tree.leaves():
        if leaf.size:
            assert leaf.offset == at, (leaf.name, leaf.offset, at)
            at += leaf.size
    assert at == size


def said(text: str, title: str) -> str | None:
    """The line below a title in OpenSSL's text."""
    found = re.search(rf"{re.escape(title)}: ?(?:critical)?\s*\n\s+(.*)", text)
    return found[1].strip() if found else None


def extension(cert: Node, name: str) -> str | None:
    for e in cert.find("tbsCertificate.extensions.Extensions").children:
        if e.text.startswith((f"{name}:", f"{name} (")):
            return e.text.split(": ", 1)[1]
    return None


@pytest.mark.parametrize("name", CHAINS)
def test_facts_that_openssl_prints(name: str) -> None:
    tree = decode_chain(CHAINS[name])
    assert_covered(tree, len(CHAINS[name]))
    printed = re.split(r"== certificate \d+\n", (DATA / f"{name}.openssl.txt").read_text())[1:]
    found = [c for c in tree.children if c.name.startswith("Certificate[")]
    assert len(found) == len(printed) == 3
    for cert, text in zip(found, printed, strict=True):
        tbs = cert.child("tbsCertificate")
        assert tbs.child("version").text == "v3 (2)"
        serial = re.search(r"Serial Number:(?: (\d+) \(|\s+([0-9a-f:]+)\n)", text)
        number = int(serial[1]) if serial[1] else int(serial[2].replace(":", ""), 16)
        assert int.from_bytes(tbs.child("serialNumber").value, "big") == number
        assert tbs.child("issuer").text == re.search("Issuer: (.*)", text)[1]
        assert tbs.child("subject").text == re.search("Subject: (.*)", text)[1]
        for field, title in (("notBefore", "Not Before: "), ("notAfter", "Not After : ")):
            stamp = datetime.datetime.strptime(re.search(title + "(.*)", text)[1], "%b %d %H:%M:%S %Y GMT")
            assert tbs.find(f"validity.{field}").text == stamp.strftime("%Y-%m-%dT%H:%M:%SZ")
        algorithm = re.search("Signature Algorithm: (.*)", text)[1]
        assert algorithm in cert.find("signatureAlgorithm.algorithm").text
        bits = re.search(r"Public-Key: \((\d+) bit\)", text)
        if bits:
            assert bits[1] in tbs.child("subjectPublicKeyInfo").text
            dump = re.search(r"(?:pub|Modulus):\n((?:\s+[0-9a-f:]+\n)+)", text)[1]
            octets = bytes.fromhex(re.sub(r"[\s:]", "", dump))
            assert octets in tbs.find("subjectPublicKeyInfo.subjectPublicKey").value
        assert extension(cert, "subjectKeyIdentifier") == said(text, "Subject Key Identifier").replace(":", "").lower()
        assert extension(cert, "basicConstraints") == said(text, "Basic Constraints").replace(":", "=")
        for title, field, names in (("Key Usage", "keyUsage", USAGE), ("Extended Key Usage", "extKeyUsage", EKU)):
            listed = said(text, f"X509v3 {title}")
            assert extension(cert, field) == (listed and ", ".join(names[n] for n in listed.split(", ")))
        other = said(text, "Subject Alternative Name")
        if other:
            assert extension(cert, "subjectAltName") == other.replace(
                "othername: 1.3.6.1.4.1.412.274.1::", "otherName id-DMTF-device-info="
            )


def test_spdm_extension_names_the_hardware_identity() -> None:
    # OpenSSL shows it as bytes: 30 0e 30 0c 06 0a 2b 06 01 04 01 83 1c 82 12 02, 83 1c = 412, 82 12 = 274
    leaf = decode_chain(CHAINS["ecp384"]).children[-1]
    assert extension(leaf, "id-DMTF-SPDM-extension").startswith("id-DMTF-hardware-identity")


@pytest.mark.parametrize("name", ["ecp384", "rsa3072"])
def test_signatures_verify(name: str) -> None:
    found = [c.child("signatureValue") for c in decode_chain(CHAINS[name]).children if c.name.startswith("Certificate[")]
    assert [c.text.rsplit(" (", 1)[1] for c in found] == [
        "verified with its own key)",
        "verified with certificate 0)",
        "verified with certificate 1)",
    ]
    assert [c.severity for c in found] == [None, None, None]


def test_header_and_root_hash() -> None:
    chain = CHAINS["ecp384"]
    tree = decode_chain(chain)
    assert (tree.child("Length").value, tree.child("Length").size) == (1591, 2)
    root = certificates(chain)[0]
    assert chain[4:52] == hashlib.sha384(root).digest()
    assert tree.child("RootHash").value == chain[4:52]
    assert "sha384" in tree.child("RootHash").text
    assert tree.child("RootHash").severity is None
    wrong = decode_chain(chain[:4] + bytes(48) + chain[52:], hash_name="sha384")
    assert wrong.child("RootHash").severity == "warning"
    assert decode_chain(chain, hash_name="sha3_384").child("RootHash").severity == "warning"


def test_length_of_four_bytes_since_1_4() -> None:
    chain = CHAINS["ecp384"]
    long = (70_000).to_bytes(4, "little") + chain[4:] + bytes(70_000 - len(chain))
    assert decode_chain(long, version=0x14).child("Length").value == 70_000
    assert decode_chain(long).child("Length").size == 4  # 2 bytes of it would be a reserved field that is not zero
    assert decode_chain(chain, version=0x14).child("Reserved") is None


def test_certificates_without_a_header_as_the_rmm_caches_them() -> None:
    """The cached object begins 0x3c bytes into the first response: SPDM header 8, chain header 4, root hash 48."""
    bare = CHAINS["ecp384"][0x3C - 8 :]
    tree = decode_chain(bare)
    assert [c.name for c in tree.children] == ["Certificate[0]", "Certificate[1]", "Certificate[2]"]
    assert tree.children[0].offset == 0
    assert_covered(tree, len(bare))


def test_a_changed_byte_breaks_a_signature() -> None:
    chain = bytearray(CHAINS["ecp384"])
    tree = decode_chain(bytes(chain))
    at = tree.children[-1].find("tbsCertificate.serialNumber")
    chain[at.offset + at.size - 1] ^= 1
    nodes = [c.child("signatureValue") for c in decode_chain(bytes(chain)).children if c.name.startswith("Certificate[")]
    assert [n.severity for n in nodes] == [None, None, "error"]
    assert nodes[2].note == "signature does not verify with certificate 1"


def make(key: object, subject: str, issuer: str, signer: object) -> bytes:
    def named(cn: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "A, B+C"), x509.NameAttribute(NameOID.COMMON_NAME, cn)])

    built = x509.CertificateBuilder(named(issuer), named(subject), key.public_key(), 7)
    built = built.not_valid_before(datetime.datetime(2024, 1, 1)).not_valid_after(datetime.datetime(2060, 1, 1))
    digest = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return built.sign(signer, digest).public_bytes(serialization.Encoding.DER)


def test_p256_leaf_in_the_form_the_host_hands_over() -> None:
    root, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    chain = make(root, "root", "root", root) + make(leaf, "leaf", "root", root)
    key = leaf_public_key(chain)
    point = leaf.public_key().public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    assert (key.algo, key.key, key.name, len(key.key)) == (1, point, "P-256", 65)
    tree = decode_chain(chain)
    assert "O=A\\, B\\+C, CN=leaf" in tree.children[1].text
    assert tree.children[1].find("tbsCertificate.validity.notAfter").text == "2060-01-01T00:00:00Z"  # GeneralizedTime


def test_rsa_3072_leaf() -> None:
    key = leaf_public_key(CHAINS["rsa3072"])
    public = x509.load_der_x509_certificate(certificates(CHAINS["rsa3072"])[-1]).public_key()
    assert isinstance(public, rsa.RSAPublicKey)
    assert key.algo == 0
    assert key.key == public.public_numbers().n.to_bytes(384, "big")
    assert key.exponent == b"\x01\x00\x01"


def test_keys_that_the_rmm_does_not_take() -> None:
    signer = ed25519.Ed25519PrivateKey.generate()
    key = leaf_public_key(make(signer, "s", "s", signer))
    assert (key.algo, key.name, len(key.key)) == (None, "Ed25519", 32)
    assert (leaf_public_key(CHAINS["mldsa65"]).algo, leaf_public_key(CHAINS["mldsa65"]).name) == (None, "ML-DSA-65")
    assert leaf_public_key(b"") is None


def params(key: bytes, algo: int, length: int | None = None) -> Node:
    """RmiPublicKeyParams as far as they are compared: key at 0, key_len at 0x800, algo at 0x810."""
    nodes = (
        Node("key", key.ljust(1024, b"\0"), "", 0, 1024),
        Node("key_len", len(key) if length is None else length, "", 0x800, 8),
        Node("algo", algo, "", 0x810, 1),
    )
    return Node("RmiPublicKeyParams", None, "", 0, 4096, nodes)


# What the host handed to RMI_PDEV_SET_PUBKEY for the ecp384 chain in a run of TF-RMM (key_len 97, algo 2)
HANDED_OVER = bytes.fromhex(
    "040d1cb9201cdcedc864e970a36212dad4fe5994cebdaed7d294e4e3118878b988c0ed5be1414adf28db490f3881526"
    "8b54c6a110b58b19cc14d4741141f6dd657aca39fd1b964de0711e83178de753ab72c1556eaf52063930f33a971a37e7819"
)


def test_compare_with_the_key_of_a_real_connect() -> None:
    node = compare_pubkey(CHAINS["ecp384"], params(HANDED_OVER, 2))
    assert (node.text, node.severity) == ("key of the last certificate (P-384)", None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (params(HANDED_OVER, 1), "algo is 1"),
        (params(HANDED_OVER, 2, 96), "key_len is 96"),
        (params(HANDED_OVER[:50] + b"\xff" + HANDED_OVER[51:], 2), "from byte 50 on"),
        (Node("RmiPublicKeyParams"), "missing"),
    ],
)
def test_compare_says_what_differs(given: Node, expected: str) -> None:
    assert expected in compare_pubkey(CHAINS["ecp384"], given).note


def test_compare_with_the_root_key_instead_of_the_last() -> None:
    root = x509.load_der_x509_certificate(certificates(CHAINS["ecp384"])[0]).public_key()
    point = root.public_bytes(serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)
    node = compare_pubkey(CHAINS["ecp384"], params(point, 2))
    assert node.severity == "error"
    assert "from byte 1 on" in node.note


def test_certificates_are_counted_up_to_a_limit() -> None:
    one = certificates(CHAINS["ecp384"])[0]
    tree = decode_chain(one * (MAX_CERTIFICATES + 3), verify=False)
    assert len(tree.children) == MAX_CERTIFICATES + 1
    assert tree.children[-1].severity == "error"
    assert_covered(tree, len(one) * (MAX_CERTIFICATES + 3))


def test_an_issuer_that_is_not_in_the_chain() -> None:
    chain = certificates(CHAINS["ecp384"])
    tree = decode_chain(chain[1] + chain[2])
    assert tree.children[0].child("signatureValue").severity == "note"
    swapped = decode_chain(chain[0] + chain[2])
    assert "not the subject of certificate 0" in swapped.children[1].child("signatureValue").note


@pytest.mark.parametrize("name", ["ecp384", "rsa3072"])
def test_every_truncation(name: str) -> None:
    chain = CHAINS[name]
    for cut in range(0, len(chain), 3 if name == "ecp384" else 17):
        assert_covered(decode_chain(chain[:cut], verify=False), cut)


def test_mutations() -> None:
    rng = random.Random(3)
    for name, chain in CHAINS.items():
        for _ in range(60 if len(chain) < 5000 else 10):
            raw = bytearray(chain)
            for _ in range(rng.randint(1, 8)):
                raw[rng.randrange(len(raw))] = rng.randrange(256)
            tree = decode_chain(bytes(raw), verify=rng.random() < 0.1)
            assert_covered(tree, len(raw))
            leaf_public_key(tree)
            compare_pubkey(tree, params(b"x", 0)), name


@settings(max_examples=200)
@given(st.binary(max_size=300), st.sampled_from([None, "sha256", "sha512"]), st.sampled_from([None, 0x12, 0x14]))
def test_any_bytes(data: bytes, hash_name: str | None, version: int | None) -> None:
    assert_covered(decode_chain(data, hash_name=hash_name, version=version), len(data))
    for prefix in (b"\x30\x82\x01\x00\x30\x81\xf0", b"\x30\x80", b"\x30\x84\xff\xff\xff\xff\x30"):
        assert_covered(decode_chain(prefix + data), len(prefix) + len(data))


def test_what_cannot_be_checked_is_said() -> None:
    assert signature_error(b"", b"") not in (None, "")


def test_nothing_is_printed_about_odd_certificates() -> None:
    """The cryptography package warns of a negative serial number on standard error, where a screen may be."""
    chain = bytearray(CHAINS[next(iter(CHAINS))])
    serial = decode_chain(bytes(chain), verify=False).find("Certificate[0].tbsCertificate.serialNumber")
    assert serial is not None
    assert serial.offset is not None
    chain[serial.offset + 2] |= 0x80  # behind tag and length: the highest bit of the number
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        decode_chain(bytes(chain))
    assert said == []
