"""A receiver's check of a delivery, after PayPal's guide: allow-listed host, certificate chain, CRC-32, signature, age.

It shares no code with the mock.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID

TOLERANCE = 300.0


class Rejected(Exception):
    """The delivery is not to be believed; the message says why."""


@dataclass(frozen=True, slots=True)
class Validator:
    """`host` is the only place that certificates are taken from, `root` the CA that must have signed them."""

    host: str
    root: x509.Certificate
    webhook_id: str

    def check(self, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """Raises `Rejected`."""
        if headers["paypal-auth-algo"] != "SHA256withRSA":
            raise Rejected("algorithm")
        key = self._key(headers["paypal-cert-url"], now)
        at = headers["paypal-transmission-time"]
        message = f"{headers['paypal-transmission-id']}|{at}|{self.webhook_id}|{zlib.crc32(body)}".encode()
        try:
            signature = base64.b64decode(headers["paypal-transmission-sig"], validate=True)
            key.verify(signature, message, padding.PKCS1v15(), hashes.SHA256())
        except InvalidSignature:
            raise Rejected("signature") from None
        if abs(now - datetime.fromisoformat(at).timestamp()) > TOLERANCE:
            raise Rejected("age")

    def _key(self, url: str, now: float) -> rsa.RSAPublicKey:
        if urlsplit(url).netloc != self.host:
            raise Rejected("host of the certificate")
        chain = x509.load_pem_x509_certificates(httpx.get(url, trust_env=False).raise_for_status().content)
        leaf = chain[0]
        leaf.verify_directly_issued_by(self.root)
        moment = datetime.fromtimestamp(now, UTC)
        if not leaf.not_valid_before_utc <= moment <= leaf.not_valid_after_utc:
            raise Rejected("validity of the certificate")
        [name] = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        if not str(name.value).startswith("messageverificationcerts.") or not str(name.value).endswith(".paypal.com"):
            raise Rejected("subject of the certificate")
        if leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            raise Rejected("a CA must not sign messages")
        key = leaf.public_key()
        assert isinstance(key, rsa.RSAPublicKey)
        return key
