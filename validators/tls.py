"""``use: tls``."""

from __future__ import annotations

import ssl
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from hookgate import (
    CannotMeasure,
    DeploymentContext,
    Duration,
    Finding,
    NoAnswer,
    Tools,
    Trust,
    Validator,
)
from hookgate import Tls as TlsSettings
from hookgate.codes import Code
from hookgate.http import ListenerName, TlsVersion
from hookgate.http.connection import ROUTING, Connection, Destination
from hookgate.units import HostAndPort, TextFormat

_Name = Annotated[
    str,
    TextFormat(
        r"^[A-Za-z0-9_.-]{1,253}\Z", "a host name without *, such as shop.example.com"
    ),
]


class Tls(Validator):
    """Is the certificate valid, and does the listener refuse old versions of TLS?

    Certificates are those of RFC 5280, names are verified as RFC 9525 says, and
    RFC 8996 forbids TLS 1.0 and 1.1. The certificate of an HTTPS or TLS listener is the
    load balancer's own; behind a TCP listener it is the new version's. Revocation
    is not checked.

    Example:
        - use: tls
          name: certificate
          with:
            days_left: 21
            names: [www.example.com]
            min_version: "1.2"
    """

    asks_listener: ClassVar[bool] = True

    days_left: float = Field(
        14,
        ge=0,
        le=3650,
        description="Minimum number of days until a certificate expires.",
    )
    names: tuple[_Name, ...] = Field(
        (),
        max_length=20,
        description="Further server names; the certificate of each is verified.",
    )
    min_version: TlsVersion = Field(
        "1.2", description="The oldest version that the server may negotiate."
    )
    refuses_older: bool = Field(
        True, description="Whether a handshake with older versions must be refused."
    )
    key_types: tuple[Literal["rsa", "ec", "ed25519", "ed448"], ...] = Field(
        ("rsa", "ec", "ed25519", "ed448"),
        min_length=1,
        description="The allowed types of the server's key.",
    )
    rsa_bits: int = Field(
        2048, ge=1024, le=16384, description="Minimum size of an RSA key, in bits."
    )
    tls: TlsSettings
    listener: ListenerName = "test"
    address: HostAndPort | None = Field(
        None,
        description="A host:port of target.allow to use instead of a listener.",
    )
    unproven: Literal["fail", "pass"] = Field(
        "fail",
        description="The result if target.identity is set and the routing does not "
        "show that the new version responded.",
    )
    timeout: Duration = Field(10.0, gt=0, description="Maximum time of one handshake.")

    def worst_case(self) -> float:
        """The maximum time of all handshakes."""
        handshakes = 2 + len(self.names) + self.refuses_older
        return handshakes * self.timeout + ROUTING

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Do a handshake for the chain, one for each name, one with old versions."""
        place = tools.connect(self.address or self.listener)
        if place.is_encrypted:
            yield from self._findings(place)  # The load balancer's own certificate.
        else:
            yield from place.verify_routing(
                lambda: self._findings(place), unproven=self.unproven
            )

    def _findings(self, place: Destination) -> Iterator[Finding]:
        with place.open(self.timeout) as connection:
            encrypted = connection.encrypt(replace(self.tls, verify=False))
            chain, version = presented(encrypted), encrypted.version() or ""
        least = f"TLSv{self.min_version}"
        yield Finding(
            ok=version >= least,
            summary=f"{place.place}: expected {least} or newer, got {version}",
            evidence={"version": version, "subject": chain[0].subject},
            code=Code.TLS_VERSION,
        )
        yield self._lasts(chain)
        yield self._key(chain[0])
        for name in (None, *self.names):
            yield self._trusted(place, name)
        if self.refuses_older:
            yield self._refusal(place)

    def _lasts(self, chain: tuple[Presented, ...]) -> Finding:
        now = datetime.now(UTC)
        first = min(chain, key=lambda each: each.not_after)
        late = [each for each in chain if each.not_before > now]
        left = (first.not_after - now).total_seconds() / 86400
        until = f"{first.subject} until {first.not_after:%Y-%m-%d %H:%M} UTC"
        return Finding(
            ok=left >= self.days_left and not late,
            summary=f"certificate {until}: expected {self.days_left:g} days or more, "
            f"got {left:.1f}" + (", and it is not valid yet" if late else ""),
            evidence={"days_left": round(left, 2), "chain": len(chain)},
            code=Code.TLS_EXPIRY,
        )

    def _key(self, own: Presented) -> Finding:
        least = self.rsa_bits if own.key == "rsa" else 0
        return Finding(
            ok=own.key in self.key_types and own.bits >= least,
            summary=f"key: expected {' or '.join(self.key_types)}"
            + (f" of {least} bits or more" if least else "")
            + f", got {own.key} of {own.bits} bits",
            code=Code.TLS_KEY,
        )

    def _trusted(self, place: Destination, name: str | None) -> Finding:
        trust = replace(self.tls, server_name=name) if name else self.tls
        with place.open(self.timeout) as connection:
            name = trust.server_name or connection.name
            try:
                connection.encrypt(trust)
            except NoAnswer as error:
                return Finding(ok=False, summary=str(error), code=error.code)
        result = "is trusted" if trust.verify else "was not verified"
        return Finding(
            ok=True,
            summary=f"the certificate for {name} {result}",
            waiver=trust.waiver,
            code=Code.TLS_UNTRUSTED,
        )

    def _refusal(self, place: Destination) -> Finding:
        with place.open(self.timeout) as connection:
            version = _negotiated_below(connection, self.min_version)
        return Finding(
            ok=version is None,
            summary=f"{place.place}: expected no version before TLSv"
            f"{self.min_version}, got {version or 'none'}",
            code=Code.TLS_VERSION,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Presented:
    """One certificate of a chain, with the type of its key and the key's size."""

    subject: str
    not_before: datetime
    not_after: datetime
    key: str
    bits: int


def presented(encrypted: ssl.SSLSocket) -> tuple[Presented, ...]:
    """The certificate chain of the server, its own certificate first."""
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


_NEWEST_OLD = {"1.2": "TLSv1_1", "1.3": "TLSv1_2"}

# RFC 8446, 6.2: alerts of a server that refuses the offered versions.
_REFUSALS = {
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY",
}


def _negotiated_below(connection: Connection, than: str) -> str | None:
    """The version older than ``than`` that the server negotiates; None if it refuses.

    Raises:
        CannotMeasure: the handshake failed for another reason.
    """
    try:
        return connection.encrypt(Trust(verify=False), _old(than)).version()
    except NoAnswer as error:
        cause = error.__cause__
        hung_up = isinstance(cause, ConnectionResetError | ssl.SSLEOFError)
        if hung_up or getattr(cause, "reason", None) in _REFUSALS:
            return None
        raise CannotMeasure(
            f"it is unknown whether {connection.place} refuses versions before "
            f"TLSv{than}: {error}",
            code=Code.TLS_VERSION,
        ) from None


def _old(than: str) -> ssl.SSLContext:
    """A client context that offers only versions that are too old."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # or OpenSSL itself would refuse
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion[_NEWEST_OLD[than]]
    return context
