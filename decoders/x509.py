"""SPDM certificate chains: header, root hash, certificates, who signed whom, and the key that the host hands to the RMM.

DSP0274 1.0 to 1.4 "Certificates and certificate chains": Length (2 bytes, then 2 reserved; 1.4: 4 bytes), RootHash
(as long as the negotiated hash), then DER certificates, root first. RMI_PDEV_SET_PUBKEY takes the key of the last one
(Linux drivers/virt/coco/arm-cca-host; DEN0137 RmiPublicKeyParams).
"""

from __future__ import annotations

import hashlib
import warnings
from dataclasses import replace
from typing import NamedTuple

from .certificate import certificate, rsa_numbers
from .der import Tlv, raw, read
from .tree import Node, Severity

MAX_CERTIFICATES = 32
MAX_CHAIN = 1 << 20
"""Bytes of a chain that are taken apart; more is a raw leaf. Chains before SPDM 1.4 have at most 64 KiB."""
HASHES = ("sha256", "sha384", "sha512", "sha3_256", "sha3_384", "sha3_512", "sm3")
ALGORITHMS = {"RSA 3072": 0, "P-256": 1, "P-384": 2}
"""RmiSignatureAlgorithm of DEN0137 (RSASSA_3072, ECDSA_P256, ECDSA_P384) by key as named in a certificate's tree."""


class LeafKey(NamedTuple):
    """A certificate's public key in the form that RMI_PDEV_SET_PUBKEY takes.

    algo      RmiSignatureAlgorithm (0 RSASSA-3072, 1 ECDSA P-256, 2 ECDSA P-384), None for a key it has no number for
    key       RSA modulus without leading zero bytes, EC point 0x04 || x || y (65 or 97 bytes), else the key's bytes
    name      'RSA 3072', 'P-384', 'Ed25519', ...
    exponent  RSA public exponent without leading zero bytes, empty for other keys
    """

    algo: int | None
    key: bytes
    name: str
    exponent: bytes = b""


def decode_chain(data: bytes, *, hash_name: str | None = None, version: int | None = None, verify: bool = True) -> Node:
    """A whole SPDM certificate chain, or certificates without its header as the RMM caches them.

    hash_name  hashlib's name of the negotiated hash; without it the one that fits the root certificate is taken
    version    SPDM version byte (0x12), which says how long Length is; without it the bytes decide
    verify     check signatures (0.1 ms to 1 ms each)

    Never raises. Certificate nodes are named 'Certificate[0]' and so on, the root first.
    """
    if bare(data):
        return _chain(data, (), 0, verify)
    if len(data) < 4:
        return Node("CertChain", data, "", 0, len(data)).noted(
            f"certificate chain header: expected 4 bytes, {len(data)} are there", "error"
        )
    wide = version >= 0x14 if version is not None else data[2:4] != b"\0\0" and int.from_bytes(data[:4], "little") == len(data)
    size = 4 if wide else 2
    length = int.from_bytes(data[:size], "little")
    node = Node("Length", length, f"{length} bytes", 0, size)
    if length > len(data):
        node = node.noted(f"the chain says {length} bytes, {len(data)} are there", "error")
    head = [node]
    if not wide:
        reserved = int.from_bytes(data[2:4], "little")
        node = Node("Reserved", reserved, f"{reserved:#x}", 2, 2)
        head.append(node.noted("reserved, not zero", "warning") if reserved else node)
    start = 4 + _hash_size(data, hash_name)
    if start > len(data):
        head.append(raw(data, 4, len(data), "RootHash", f"root hash: expected {start - 4} bytes, {len(data) - 4} are there"))
        return Node("CertChain", None, "", 0, len(data), tuple(head))
    if start > 4:
        head.append(_root_hash(data, start, hash_name))
    return _chain(data, tuple(head), start, verify, min(max(length, start), len(data)))


def bare(data: bytes) -> bool:
    """Whether these bytes are certificates without SPDM's header: a SEQUENCE that begins with a SEQUENCE."""
    outer = read(data, 0, len(data))
    if isinstance(outer, str):  # a certificate cut short, with its long-form length, is still one
        return data[:2] == b"\x30\x82" and len(data) > 4 and data[4] == 0x30
    return outer.tag == 0x30 and outer.end - outer.body > 64 and data[outer.body] == 0x30


def _hash_size(data: bytes, hash_name: str | None) -> int:
    if hash_name:
        return 32 if hash_name == "sm3" else int(hashlib.new(hash_name).digest_size)
    sizes = [n for n in (32, 48, 64) if bare(data[4 + n :])]
    for n in sizes:
        if _which_hash(data, 4 + n):
            return n
    return sizes[0] if sizes else 0


def _which_hash(data: bytes, start: int) -> str | None:
    root = _first(data, start)
    if root is None:
        return None
    for name in HASHES:
        if name in hashlib.algorithms_available:
            digest = hashlib.new(name, data[root.start : root.end]).digest()
            if digest == data[4:start]:
                return name
    return None


def _first(data: bytes, start: int) -> Tlv | None:
    root = read(data, start, len(data))
    return None if isinstance(root, str) else root


def _root_hash(data: bytes, start: int, hash_name: str | None) -> Node:
    node = Node("RootHash", data[4:start], data[4:start].hex(), 4, start - 4)
    name = _which_hash(data, start)
    if name:
        node = replace(node, text=f"{node.text} ({name} of certificate 0)")
        return node.noted(f"{name}, but {hash_name} was negotiated", "warning") if hash_name not in (None, name) else node
    if _first(data, start) is None:
        return node
    return node.noted("not the hash of the first certificate; right only where the chain leaves out the root", "warning")


def _chain(data: bytes, head: tuple[Node, ...], start: int, verify: bool, end: int | None = None) -> Node:
    stop = len(data) if end is None else end
    limit = min(stop, start + MAX_CHAIN)
    certificates: list[Node] = []
    pos, rest = start, None
    while pos < stop:
        if len(certificates) == MAX_CERTIFICATES:
            rest = raw(data, pos, stop, "undecoded", f"more than {MAX_CERTIFICATES} certificates")
            break
        got = certificate(data, pos, limit, f"Certificate[{len(certificates)}]")
        if isinstance(got, str):
            padding = head == () and not any(data[pos:stop])
            rest = raw(data, pos, stop, "padding" if padding else "undecoded", None if padding else got)
            break
        certificates.append(got)
        pos += got.size
    if verify:
        certificates = [_checked(data, certificates, i) for i in range(len(certificates))]
    tail = [*certificates, *([rest] if rest else [])]
    if stop < len(data):
        tail.append(raw(data, stop, len(data), "trailing", f"{len(data) - stop} bytes behind the end that Length gives"))
    text = f"{len(certificates)} certificates"
    if certificates:
        leaf = certificates[-1].find("tbsCertificate.subject")
        text += f", last {leaf.text}" if leaf is not None else ""
    node = Node("CertChain", None, text, 0, len(data), (*head, *tail))
    return node if certificates else node.noted("no certificate", "error")


def _checked(data: bytes, certificates: list[Node], index: int) -> Node:
    """The certificate with what was found out about its signature, in the text of signatureValue and as a note."""
    cert = certificates[index]
    signer = certificates[index - 1] if index else cert
    by = f"certificate {index - 1}" if index else "its own key"
    issuer, subject = cert.find("tbsCertificate.issuer"), signer.find("tbsCertificate.subject")
    if issuer is None or subject is None or cert.child("signatureValue") is None:
        return cert
    severity: Severity | None = None
    if issuer.value != subject.value:
        severity = "warning" if index else "note"
        said = (
            f"issuer is {issuer.text}, not the subject of {by}"
            if index
            else f"issued by {issuer.text}, which is not in the chain"
        )
    else:
        wrong = signature_error(_bytes(data, cert), _bytes(data, signer))
        if wrong is None:
            said = f"verified with {by}"
        elif wrong:
            severity, said = "note", f"signature not checked: {wrong}"
        else:
            severity, said = "error", f"signature does not verify with {by}"
    children = []
    for node in cert.children:
        if node.name == "signatureValue":
            node = replace(node, text=f"{node.text} ({said})")
            node = node.noted(said, severity) if severity else node
        children.append(node)
    return replace(cert, children=tuple(children))


def _bytes(data: bytes, node: Node) -> bytes:
    start = node.offset or 0
    return data[start : start + node.size]


def signature_error(cert: bytes, issuer: bytes) -> str | None:
    """None where ``issuer``'s key made the signature of ``cert`` (both DER), '' where it did not, else why that cannot
    be checked (an algorithm that the cryptography package does not have, a certificate it does not accept)."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        with warnings.catch_warnings(action="ignore"):  # of certificates that a later version will not accept
            subject, signer = x509.load_der_x509_certificate(cert), x509.load_der_x509_certificate(issuer)
            subject.verify_directly_issued_by(signer)
    except InvalidSignature:
        return ""
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # hostile DER: exceptions of many kinds, and a panic of its Rust is none of Exception's
        return f"{type(error).__name__}: {error}"[:200]
    return None


def request_error(request: bytes) -> str | None:
    """The same of a certificate signing request (PKCS #10, DER), which is signed with its own key."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature

    try:
        with warnings.catch_warnings(action="ignore"):
            return None if x509.load_der_x509_csr(request).is_signature_valid else ""
    except InvalidSignature:
        return ""
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # as above
        return f"{type(error).__name__}: {error}"[:200]


def certificates(chain: bytes, *, hash_name: str | None = None, version: int | None = None) -> list[bytes]:
    """The DER of each certificate of a chain, root first; arguments as for decode_chain."""
    tree = decode_chain(chain, hash_name=hash_name, version=version, verify=False)
    return [_bytes(chain, c) for c in tree.children if c.name.startswith("Certificate[")]


def leaf_public_key(chain: bytes | Node) -> LeafKey | None:
    """The key of the chain's LAST certificate as RMI_PDEV_SET_PUBKEY takes it; None where there is no readable key."""
    tree = decode_chain(chain, verify=False) if isinstance(chain, bytes) else chain
    found = [c for c in tree.children if c.name.startswith("Certificate[")]
    info = found[-1].find("tbsCertificate.subjectPublicKeyInfo") if found else None
    if info is None:
        return None
    key, kind = info.child("subjectPublicKey"), info.find("algorithm.algorithm")
    if key is None or kind is None or not isinstance(key.value, bytes):
        return None
    name = info.text
    if kind.value == "1.2.840.113549.1.1.1":
        numbers = rsa_numbers(key.value)
        return LeafKey(ALGORITHMS.get(name), numbers[0], name, numbers[1]) if numbers else None
    return LeafKey(ALGORITHMS.get(name), key.value, name)


def compare_pubkey(chain: bytes | Node, params: Node) -> Node:
    """Whether a decoded RmiPublicKeyParams has the key of the chain's last certificate.

    A node named 'public_key' without bytes of its own: text 'key of the last certificate (P-384)', or an error note that
    says which of algo, key_len, key (first byte that differs) and metadata (RSA exponent) is another.
    """
    node = Node("public_key", None, "")
    expected = leaf_public_key(chain)
    if expected is None:
        return replace(node, text="not compared").noted("the chain has no certificate with a readable key", "warning")
    algo, length = _number(params, "algo"), _number(params, "key_len")
    key = params.child("key")
    if algo is None or length is None or key is None:
        return replace(node, text="not compared").noted("algo, key_len or key is missing from the parameters", "warning")
    wrong = []
    if expected.algo is None:
        wrong.append(f"the RMM has no algorithm for {expected.name}")
    elif algo != expected.algo:
        wrong.append(f"algo is {algo}, the last certificate has {expected.name} ({expected.algo})")
    if length != len(expected.key):
        wrong.append(f"key_len is {length}, the certificate's key has {len(expected.key)} bytes")
    given = _value_bytes(key)
    if given is not None and given[:length] != expected.key[:length]:
        at = next(
            (i for i, (a, b) in enumerate(zip(given, expected.key, strict=False)) if a != b), min(len(given), len(expected.key))
        )
        wrong.append(f"key differs from the certificate's from byte {at} on")
    exponent, size = params.child("metadata"), _number(params, "metadata_len")
    if expected.exponent and exponent is not None and size:
        said = (_value_bytes(exponent) or b"")[:size]
        if said.lstrip(b"\0") != expected.exponent:
            wrong.append(f"metadata {said[:16].hex()} is not the RSA exponent {expected.exponent.hex()}")
    if wrong:
        return replace(node, text="not the key of the last certificate").noted("; ".join(wrong), "error")
    return replace(node, text=f"key of the last certificate ({expected.name})")


def _number(node: Node, name: str) -> int | None:
    child = node.child(name)
    return child.value if child is not None and isinstance(child.value, int) else None


def _value_bytes(node: Node) -> bytes | None:
    if isinstance(node.value, bytes):
        return node.value
    parts = [c.value for c in node.children]  # an array, one node an element
    return bytes(p & 0xFF for p in parts if isinstance(p, int)) if parts else None
