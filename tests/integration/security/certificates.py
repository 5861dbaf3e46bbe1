"""Authorities and certificates of a test's own, as the PEM files that Kafka and the service read."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256

LOOPBACK = ("127.0.0.1", "localhost")
_LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
DAY = timedelta(hours=24)
PASSPHRASE = b"only for the lock"


@dataclass(frozen=True, slots=True)
class Leaf:
    """A certificate with its chain and its key, each as a file; `both` has key and chain, as Kafka wants a keystore."""

    chain: Path
    key: Path
    both: Path


class Authority:
    """Signs what a test asks for; files go into `folder`."""

    def __init__(self, folder: Path, name: str) -> None:
        self._ca = trustme.CA()
        self._folder = folder
        self._name = name
        self.file = folder / f"{name}.pem"
        self._ca.cert_pem.write_to_path(self.file)

    def anonymous(self, name: str) -> Leaf:
        """A server's certificate for loopback that does not say who signed it, as Strimzi's and many private ones."""
        signer = serialization.load_pem_private_key(self._ca.private_key_pem.bytes(), password=None)
        assert isinstance(signer, EllipticCurvePrivateKey)
        said = x509.load_pem_x509_certificate(self._ca.issue_cert(*LOOPBACK).cert_chain_pems[0].bytes())
        key = generate_private_key(SECP256R1())
        bare = x509.CertificateBuilder(said.issuer, said.subject, key.public_key(), x509.random_serial_number())
        bare = bare.not_valid_before(_LONG_AGO).not_valid_after(_end(expired=False))
        for one in said.extensions:
            if not isinstance(one.value, x509.AuthorityKeyIdentifier | x509.SubjectKeyIdentifier):
                bare = bare.add_extension(one.value, one.critical)
        cert = bare.sign(signer, SHA256()).public_bytes(serialization.Encoding.PEM)
        return self._files(name, key=_pkcs8(key, serialization.NoEncryption()), chain=cert)

    def server(self, name: str, *hosts: str, expired: bool = False, lasts: timedelta = DAY) -> Leaf:
        """A server's certificate for `hosts`, by default for loopback; expired an hour ago if wished."""
        end = _end(expired=expired, lasts=lasts)
        return self._write(name, self._ca.issue_cert(*(hosts or LOOPBACK), not_before=_LONG_AGO, not_after=end))

    def client(self, name: str, *, expired: bool = False, lasts: timedelta = DAY) -> Leaf:
        """A client's certificate, which Kafka knows as `User:CN={name}`."""
        end = _end(expired=expired, lasts=lasts)
        cert = self._ca.issue_cert(f"{name}.test", common_name=name, not_before=_LONG_AGO, not_after=end)
        return self._write(name, cert)

    def _write(self, name: str, cert: trustme.LeafCert) -> Leaf:
        # Kafka reads keys in PKCS #8 only, trustme writes the traditional format.
        key = serialization.load_pem_private_key(cert.private_key_pem.bytes(), password=None)
        pem = _pkcs8(key, serialization.NoEncryption())
        return self._files(name, key=pem, chain=b"".join(part.bytes() for part in cert.cert_chain_pems))

    def _files(self, name: str, *, key: bytes, chain: bytes) -> Leaf:
        leaf = Leaf(*(self._folder / f"{self._name}-{name}.{kind}" for kind in ("chain.pem", "key.pem", "pem")))
        leaf.chain.write_bytes(chain)
        leaf.key.write_bytes(key)
        leaf.both.write_bytes(key + chain)
        return leaf


def locked_key(leaf: Leaf) -> Path:
    """A copy of a leaf's key that opens with PASSPHRASE only."""
    key = serialization.load_pem_private_key(leaf.key.read_bytes(), password=None)
    locked = leaf.key.with_suffix(".locked.pem")
    locked.write_bytes(_pkcs8(key, serialization.BestAvailableEncryption(PASSPHRASE)))
    return locked


def _pkcs8(key: object, encryption: serialization.KeySerializationEncryption) -> bytes:
    assert hasattr(key, "private_bytes")
    pem: bytes = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, encryption)
    return pem


def _end(*, expired: bool, lasts: timedelta = DAY) -> datetime:
    return datetime.now(UTC) + (timedelta(hours=-1) if expired else lasts)
