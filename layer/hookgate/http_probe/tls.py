"""TLS: whom libcurl trusts, what it tells of the peer, and why a handshake failed."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from datetime import UTC, datetime

import pycurl

from hookgate.probe import Certificate, Trust

# OpenSSL's X509_V_ERR_…, docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_VERIFY = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    19: "the certificate chain ends in a self-signed certificate that is not trusted",
    20: "the certificate's issuer is not trusted, or the chain is incomplete",
    21: "the certificate's issuer is not trusted, or the chain is incomplete",
}
#: X509_V_ERR_UNSPECIFIED, which libcurl leaves where it was the name that differed.
_UNSPECIFIED = 1
_LEAST = {"1.2": pycurl.SSLVERSION_TLSv1_2, "1.3": pycurl.SSLVERSION_TLSv1_3}
_MOST = {"1.2": pycurl.SSLVERSION_MAX_TLSv1_2, "1.3": pycurl.SSLVERSION_MAX_TLSv1_3}
_NO_TLS = ("wrong version number", "http request", "packet length too long")


def secure(curl: pycurl.Curl, trust: Trust, bundle: str | None) -> None:
    """Tell libcurl whom to trust; certifi's authorities if nobody says whom."""
    curl.setopt(pycurl.SSLVERSION, _LEAST[trust.minimum] | _MOST[trust.maximum])
    curl.setopt(pycurl.SSL_VERIFYPEER, int(trust.verify))
    curl.setopt(pycurl.SSL_VERIFYHOST, 2 if trust.verify else 0)
    curl.setopt(pycurl.OPT_CERTINFO, 1)
    if trust.ca:
        curl.setopt(pycurl.CAINFO_BLOB, trust.ca.encode())
    else:
        from certifi import where  # noqa: PLC0415 - needed only without a bundle of one's own

        curl.setopt(pycurl.CAINFO, bundle or where())
    if trust.certificate:
        curl.setopt(pycurl.SSLCERTTYPE, "PEM")
        curl.setopt(pycurl.SSLCERT_BLOB, trust.certificate.encode())
        curl.setopt(pycurl.SSLKEYTYPE, "PEM")
        curl.setopt(pycurl.SSLKEY_BLOB, (trust.key or trust.certificate).encode())


def peer_certificate(curl: pycurl.Curl) -> Certificate | None:
    """The certificate that the peer showed for itself, if it showed one."""
    chain = curl.getinfo_raw(pycurl.INFO_CERTINFO)
    if not chain:
        return None
    said = {key.decode(): value.decode("utf-8", "replace") for key, value in chain[0]}
    return Certificate(
        subject=said.get("Subject", ""),
        issuer=said.get("Issuer", ""),
        serial=said.get("Serial Number", ""),
        not_before=_moment(said["Start date"]),
        not_after=_moment(said["Expire date"]),
        names=_names(said.get("X509v3 Subject Alternative Name", "")),
    )


def refused(curl: pycurl.Curl, place: str, name: str, message: str) -> str:
    """Say why libcurl refused the peer's certificate."""
    code = curl.getinfo(pycurl.SSL_VERIFYRESULT)
    if code > _UNSPECIFIED:
        return f"TLS: {place}: {_VERIFY.get(code, message)}"
    shown = peer_certificate(curl)
    if shown and shown.subject == shown.issuer:
        return f"TLS: {place}: {_VERIFY[18]}"
    names = f": it is for {', '.join(map(repr, shown.names))}" if shown else ""
    return (
        f"TLS: {place}: the certificate is not for {name!r}{names}; set target.host to "
        "the name that the certificate is for"
    )


def no_handshake(place: str, message: str) -> str:
    """Say why no handshake came about, from libcurl's words."""
    if any(each in message for each in _NO_TLS):
        return f"TLS: {place} does not speak TLS"
    if "reset" in message or "SSL_ERROR_SYSCALL" in message or "EOF" in message:
        return f"{place} cut the connection in the TLS handshake"
    return f"TLS: the handshake with {place} failed: {message}"


def explain(place: str, error: OSError) -> str:
    """Say why a handshake of Python's own TLS with ``place`` failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = _VERIFY.get(error.verify_code, error.verify_message)
        return f"TLS: {place}: {what}"
    if isinstance(error, ssl.SSLError):
        if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
            return f"TLS: {place} does not speak TLS"
        return f"TLS: the handshake with {place} failed: {error.reason or error}"
    return f"{place} cut the connection in the TLS handshake: {error.strerror or error}"


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


def _names(text: str) -> tuple[str, ...]:
    parts: Sequence[str] = text.split(", ") if text else ()
    return tuple(each.partition(":")[2] for each in parts)
