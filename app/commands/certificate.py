"""The self-signed certificate of `serve --https`, kept until it expires."""

import ipaddress
import os
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["self_signed"]

# browsers refuse certificates that live longer
LIFE = timedelta(days=397)


def self_signed(folder: Path) -> tuple[str, str]:
    """The files of a valid certificate and its key; made, or made again, where there is none."""
    certificate, key = folder / "localhost.crt", folder / "localhost.key"
    if not (key.exists() and _is_valid(certificate)):
        folder.mkdir(parents=True, exist_ok=True)
        _make(certificate, key)
    return str(certificate), str(key)


def _is_valid(path: Path) -> bool:
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError):
        return False
    return certificate.not_valid_before_utc <= datetime.now(UTC) < certificate.not_valid_after_utc - timedelta(days=1)


def _make(path: Path, key_path: Path) -> None:
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "SoundScore on this machine")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFE)
        .add_extension(x509.SubjectAlternativeName(_names()), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    with open(key_path, "wb", opener=_private) as file:
        file.write(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


def _names() -> list[x509.GeneralName]:
    hosts = dict.fromkeys(["localhost", socket.gethostname()])
    addresses = [ipaddress.ip_address(address) for address in ("127.0.0.1", "::1")]
    return [*map(x509.DNSName, hosts), *map(x509.IPAddress, addresses)]


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
