"""A certificate authority of the mocks: one CA a process, a leaf for each mock, client certificates for mutual TLS.

Private keys are kept in a folder that only its owner can read, and that goes when the process ends.
"""

from __future__ import annotations

import datetime
import ssl
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

VALID_FOR = datetime.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Authority:
    """A CA and what it has issued. `ca_file` is what a client must trust (PEM)."""

    folder: tempfile.TemporaryDirectory[str]
    ca_file: Path
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey

    @classmethod
    def make(cls) -> Authority:
        """A new CA, valid for a week."""
        folder = tempfile.TemporaryDirectory(prefix="treaty-ca-")
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Treaty gateway mocks")])
        usage = x509.KeyUsage(
            digital_signature=True,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        certificate = (
            _builder(name, name, key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .sign(key, hashes.SHA256())
        )
        ca_file = Path(folder.name, "ca.pem")
        ca_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return cls(folder, ca_file, certificate, key)

    def server_context(self, names: Sequence[str], *, mutual: bool = False) -> ssl.SSLContext:
        """What a listener needs that answers for `names`; `mutual`: only to callers with a certificate of this CA."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.issue(names[0], names, ExtendedKeyUsageOID.SERVER_AUTH))
        if mutual:
            context.load_verify_locations(self.ca_file)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def client_files(self, name: str = "shipping-service") -> tuple[Path, Path]:
        """(certificate, key) of a client, as PEM files."""
        return self.issue(name, (), ExtendedKeyUsageOID.CLIENT_AUTH)

    def issue(self, name: str, alternatives: Sequence[str], usage: x509.ObjectIdentifier) -> tuple[Path, Path]:
        """(certificate, key) for a common name and alternative names, as PEM files."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
        builder = (
            _builder(subject, self.certificate.subject, key.public_key())
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.certificate.public_key()),  # type: ignore[arg-type] # our key is one of those allowed
                critical=False,
            )
        )
        if alternatives:
            listed = x509.SubjectAlternativeName([_alternative(each) for each in alternatives])
            builder = builder.add_extension(listed, critical=False)
        certificate = builder.sign(self.key, hashes.SHA256())
        base = Path(self.folder.name, f"{certificate.serial_number:x}")
        certificate_file, key_file = base.with_suffix(".pem"), base.with_suffix(".key")
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        key_file.touch(mode=0o600)
        key_file.write_bytes(private)
        return certificate_file, key_file

    def close(self) -> None:
        """Remove the files."""
        self.folder.cleanup()


def _builder(subject: x509.Name, issuer: x509.Name, key: Any) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + VALID_FOR)
    )


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)
