"""An authority of a bed's own, and what it signs: who everybody in it is."""

import base64
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=2)
"""Longer than any bed lives."""

_HASH = hashes.SHA256()


@dataclass(frozen=True, slots=True)
class Signed:
    """A certificate and its key, as files."""

    certificate: Path
    key: Path

    def encoded(self) -> tuple[str, str]:
        return _base64(self.certificate), _base64(self.key)


class Authority:
    """Elliptic keys: they cost nothing to make."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = _name("the bed's authority")
        builder = _builder(self._name, self._name, self._key.public_key())
        ca = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self.certificate = directory / "authority.crt"
        self.certificate.write_bytes(_pem(ca.sign(self._key, _HASH)))

    def sign(self, file: str, person: str, group: str = "", at: Sequence[str] = ()) -> Signed:
        """Say that who holds the key is that person, or serves at these addresses."""
        key = ec.generate_private_key(ec.SECP256R1())
        usage = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        builder = _builder(_name(person, group), self._name, key.public_key())
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=False)
        if at:
            places = x509.SubjectAlternativeName([_place(each) for each in at])
            builder = builder.add_extension(places, critical=False)
        signed = Signed(self._directory / f"{file}.crt", self._directory / f"{file}.key")
        signed.certificate.write_bytes(_pem(builder.sign(self._key, _HASH)))
        _write_key(signed.key, key)
        return signed


def make_token_key(file: Path) -> None:
    """Make the key that signs the tokens of service accounts."""
    _write_key(file, rsa.generate_private_key(public_exponent=65537, key_size=2048))


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _name(person: str, group: str = "") -> x509.Name:
    groups = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group)] if group else []
    return x509.Name([*groups, x509.NameAttribute(NameOID.COMMON_NAME, person)])


def _place(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _write_key(file: Path, key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> None:
    file.touch(mode=0o600)
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.TraditionalOpenSSL,
            serialization.NoEncryption(),
        )
    )


def _base64(file: Path) -> str:
    return base64.b64encode(file.read_bytes()).decode()
