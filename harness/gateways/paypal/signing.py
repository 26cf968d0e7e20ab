"""Signatures of webhooks: SHA256withRSA over `id|time|webhook id|CRC-32 of the body`, with certificates of an own CA.

Keys and certificates are made when the first one is needed. The rules are those of PayPal's "Integrate webhooks",
section "Verify the message".
"""

from __future__ import annotations

import base64
import binascii
import zlib
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.gateways.paypal.views import timestamp
from harness.gateways.webhooks import Stamp

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.x509 import Certificate, CertificateBuilder, Name

ALGORITHM = "SHA256withRSA"
COMMON_NAME = "messageverificationcerts.sandbox.paypal.com"
CURRENT, ROTATED = "CERT-360caa42-fca2a594-1d93a270", "CERT-360caa42-fca2a594-b2e4c9f6"
_PLACE = "/v1/notifications/certs/"
_FROM, _UNTIL = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
"""Wide, so that no clock of a test leaves it."""


@dataclass(slots=True)
class Signer:
    """Signs and verifies. `url`: where the mock listens, and so where the certificates are."""

    url: str
    _root: tuple[EllipticCurvePrivateKey, Certificate] | None = None
    _leaves: dict[str, tuple[RSAPrivateKey, Certificate]] = field(default_factory=dict)
    _stranger: RSAPrivateKey | None = None

    def headers(self, transmission: str, webhook_id: str, stamp: Stamp) -> dict[str, str]:
        """The headers of a delivery. While secrets rotate, the new certificate signs."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        certificate_id = ROTATED if stamp.rotated else CURRENT
        key = self._strangers_key() if stamp.bad else self._leaf(certificate_id)[0]
        at = timestamp(stamp.at)
        message = signed_message(transmission, at, webhook_id, stamp.body)
        return {
            "paypal-transmission-id": transmission,
            "paypal-transmission-time": at,
            "paypal-transmission-sig": base64.b64encode(
                key.sign(message, padding.PKCS1v15(), hashes.SHA256())
            ).decode(),
            "paypal-cert-url": f"{self.url}{_PLACE}{certificate_id}",
            "paypal-auth-algo": ALGORITHM,
        }

    def chain(self, certificate_id: str) -> str | None:
        """The PEM chain of a certificate, the leaf first; None for an unknown one."""
        if certificate_id not in (CURRENT, ROTATED):
            return None
        return _pem(self._leaf(certificate_id)[1]) + self.root_pem()

    def root_pem(self) -> str:
        """The certificate of the CA, which receivers have to trust."""
        return _pem(self._authority()[1])

    def verifies(self, *, certificate_url: str, signature: str, message: bytes) -> bool:
        """Whether a certificate of this mock made the signature. Nothing is fetched."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        certificate_id = certificate_url.removeprefix(self.url + _PLACE)
        if certificate_id not in (CURRENT, ROTATED):
            return False
        try:
            raw = base64.b64decode(signature, validate=True)
            key = self._leaf(certificate_id)[0].public_key()
            key.verify(raw, message, padding.PKCS1v15(), hashes.SHA256())
        except (binascii.Error, ValueError, InvalidSignature):
            return False
        return True

    def _authority(self) -> tuple[EllipticCurvePrivateKey, Certificate]:
        from cryptography import x509
        from cryptography.hazmat.primitives.asymmetric import ec

        if self._root is None:
            key = ec.generate_private_key(ec.SECP256R1())
            name = _name("Treaty mock of PayPal, certificate authority")
            made = _builder(name, name, key).add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            self._root = key, _signed(made, key)
        return self._root

    def _leaf(self, certificate_id: str) -> tuple[RSAPrivateKey, Certificate]:
        from cryptography import x509

        if certificate_id not in self._leaves:
            authority, root = self._authority()
            key = _rsa_key()
            made = (
                _builder(_name(COMMON_NAME), root.subject, key)
                .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
                .add_extension(x509.SubjectAlternativeName([x509.DNSName(COMMON_NAME)]), critical=False)
            )
            self._leaves[certificate_id] = key, _signed(made, authority)
        return self._leaves[certificate_id]

    def _strangers_key(self) -> RSAPrivateKey:
        if self._stranger is None:
            self._stranger = _rsa_key()
        return self._stranger


def signed_message(transmission: str, at: str, webhook_id: str, body: bytes) -> bytes:
    """What a signature covers."""
    return f"{transmission}|{at}|{webhook_id}|{zlib.crc32(body)}".encode()


def _rsa_key() -> RSAPrivateKey:
    from cryptography.hazmat.primitives.asymmetric import rsa

    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _name(common_name: str) -> Name:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _builder(subject: Name, issuer: Name, key: RSAPrivateKey | EllipticCurvePrivateKey) -> CertificateBuilder:
    from cryptography import x509

    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
    )


def _signed(made: CertificateBuilder, key: EllipticCurvePrivateKey) -> Certificate:
    from cryptography.hazmat.primitives import hashes

    return made.sign(key, hashes.SHA256())


def _pem(certificate: Certificate) -> str:
    from cryptography.hazmat.primitives.serialization import Encoding

    return certificate.public_bytes(Encoding.PEM).decode()
