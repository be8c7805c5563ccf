"""libcurl: its TLS settings, and the reasons of its errors."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime

import pycurl

from hookgate.codes import Code
from hookgate.errors import NoAnswer
from hookgate.http.exchange import TOO_LONG, Exchange, Phase
from hookgate.http.request import Certificate, Trust

#: X509_V_ERR_UNSPECIFIED, which libcurl leaves where it was the name that differed.
_UNSPECIFIED = 1

_VERSIONS = {
    "1.2": (pycurl.SSLVERSION_TLSv1_2, pycurl.SSLVERSION_MAX_TLSv1_2),
    "1.3": (pycurl.SSLVERSION_TLSv1_3, pycurl.SSLVERSION_MAX_TLSv1_3),
}

_NO_TLS = ("wrong version number", "http request", "packet length too long")


def secure(curl: pycurl.Curl, trust: Trust, bundle: str | None) -> None:
    """Set the TLS settings of libcurl; by default, it trusts certifi's authorities."""
    versions = _VERSIONS[trust.minimum][0] | _VERSIONS[trust.maximum][1]
    curl.setopt(pycurl.SSLVERSION, versions)
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
    """The certificate of the peer, if it presented one."""
    chain = curl.getinfo_raw(pycurl.INFO_CERTINFO)
    if not chain:
        return None
    values = {key.decode(): value.decode("utf-8", "replace") for key, value in chain[0]}
    names = filter(None, values.get("X509v3 Subject Alternative Name", "").split(", "))
    return Certificate(
        subject=values.get("Subject", ""),
        issuer=values.get("Issuer", ""),
        serial=values.get("Serial Number", ""),
        not_before=_moment(values["Start date"]),
        not_after=_moment(values["Expire date"]),
        names=tuple(each.partition(":")[2] for each in names),
    )


def refused(curl: pycurl.Curl, place: str, name: str, message: str) -> str:
    """The reason why libcurl refused the certificate of the peer."""
    from hookgate.http.tls import VERIFY  # noqa: PLC0415 - needed only for an error

    code = curl.getinfo(pycurl.SSL_VERIFYRESULT)
    if code > _UNSPECIFIED:
        return f"TLS: {place}: {VERIFY.get(code, message)}"
    shown = peer_certificate(curl)
    if shown and shown.subject == shown.issuer:
        return f"TLS: {place}: {VERIFY[18]}"
    names = f": it is for {', '.join(map(repr, shown.names))}" if shown else ""
    return (
        f"TLS: {place}: the certificate is not for {name!r}{names}; set target.host to "
        "a name of the certificate"
    )


def no_handshake(place: str, message: str) -> str:
    """The reason why the handshake failed, from libcurl's message."""
    if any(each in message for each in _NO_TLS):
        return f"TLS: {place} does not speak TLS"
    if "reset" in message or "SSL_ERROR_SYSCALL" in message or "EOF" in message:
        return f"{place} closed the connection in the TLS handshake"
    return f"TLS: the handshake with {place} failed: {message}"


def _moment(text: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(text), UTC)


_TOO_LARGE = 100  # CURLE_TOO_LARGE: one line alone is more than libcurl takes.

_CUT = {pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR}

_BROKEN = {pycurl.E_PARTIAL_FILE, pycurl.E_HTTP2}


def no_answer(
    curl: pycurl.Curl,
    error: pycurl.error,
    exchange: Exchange,
    *,
    server_name: str | None,
    size: int,
) -> NoAnswer:
    """The reason why there is no response.

    Args:
        curl: the handle that sent the request.
        error: libcurl's error.
        exchange: how far the exchange got.
        server_name: what the listener is called over TLS; None without TLS.
        size: the size of the request's body.
    """
    code, reason = error.args
    place = exchange.place
    is_open = server_name is None or curl.getinfo(pycurl.APPCONNECT_TIME)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        exchange.phase = _reached(curl, exchange, size) if is_open else Phase.HANDSHAKE
        return exchange.too_late()
    if code in {pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CACERT_BADFILE}:
        why, kind = refused(curl, place, server_name or "", reason), Code.TLS_UNTRUSTED
    elif not is_open:
        why, kind = no_handshake(place, reason), Code.TLS_HANDSHAKE
    elif code == pycurl.E_GOT_NOTHING:
        why = f"{place} closed the connection without a response"
        kind = Code.CONNECTION_CLOSED
    elif code == _TOO_LARGE:
        why = f"{place} did not respond with HTTP: {TOO_LONG}"
        kind = Code.HTTP_PROTOCOL
    elif exchange.phase is Phase.BODY or code in _BROKEN:
        why, kind = f"the response is incomplete: {reason}", Code.HTTP_TRUNCATED
    elif code in _CUT:
        why = f"{place} closed the connection after {exchange.received} bytes: {reason}"
        kind = Code.CONNECTION_CLOSED
    else:
        why = f"{place} did not respond with HTTP: {reason}"
        kind = Code.HTTP_PROTOCOL
    return NoAnswer(why, code=kind)


def _reached(curl: pycurl.Curl, exchange: Exchange, size: int) -> Phase:
    """How far an exchange over an open connection got."""
    if exchange.phase is Phase.BODY:
        head = curl.getinfo(pycurl.HEADER_SIZE)
        exchange.received = head + curl.getinfo(pycurl.SIZE_DOWNLOAD_T)
        return Phase.BODY
    if exchange.received or curl.getinfo(pycurl.STARTTRANSFER_TIME):
        return Phase.HEADERS
    return Phase.SEND if curl.getinfo(pycurl.SIZE_UPLOAD_T) < size else Phase.HEAD
