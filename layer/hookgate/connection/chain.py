"""The certificates that a server presents, trusted or not."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime

from hookgate.codes import Code
from hookgate.errors import NoAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """One certificate of a chain, as far as it is judged.

    ``key`` is ``rsa``, ``ec``, ``ed25519`` or what else the certificate says, and
    ``bits`` the key's size.
    """

    subject: str
    not_before: datetime
    not_after: datetime
    key: str
    bits: int


def presented(encrypted: ssl.SSLSocket) -> tuple[Presented, ...]:
    """The chain of a connection's other side, its own certificate first.

    Raises:
        NoAnswer: there is none, or one is no certificate of RFC 5280.
    """
    ders = _unverified(encrypted)
    if not ders:
        raise NoAnswer("the server presented no certificate", code=Code.TLS_CERTIFICATE)
    return tuple(_read(each) for each in ders)


def _unverified(encrypted: ssl.SSLSocket) -> list[bytes]:
    if hasattr(encrypted, "get_unverified_chain"):
        return list(encrypted.get_unverified_chain())
    # Public from Python 3.13 on; the functions run on 3.14.
    chain = encrypted._sslobj.get_unverified_chain() or []  # type: ignore[attr-defined] # noqa: SLF001 - as above
    return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in chain]


def _read(der: bytes) -> Presented:
    from asn1crypto.x509 import Certificate  # noqa: PLC0415 - few plans look at certificates

    try:
        certificate = Certificate.load(der, strict=True)
        key = certificate.public_key
        validity = certificate["tbs_certificate"]["validity"]
        return Presented(
            subject=certificate.subject.human_friendly,
            not_before=validity["not_before"].native.astimezone(UTC),
            not_after=validity["not_after"].native.astimezone(UTC),
            key=str(key.algorithm),
            bits=int(key.bit_size),
        )
    except (ValueError, TypeError, KeyError) as error:
        raise NoAnswer(
            f"the server's certificate cannot be read: {error}",
            code=Code.TLS_CERTIFICATE,
        ) from None
