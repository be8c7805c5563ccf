"""What went wrong with a request, in words that say what to do.

curl.se/libcurl/c/libcurl-errors.html has the numbers.
"""

from __future__ import annotations

import pycurl

from hookgate.codes import Code
from hookgate.errors import NoAnswer
from hookgate.http_probe import tls
from hookgate.http_probe.answer import TOO_LONG
from hookgate.http_probe.exchange import Exchange, Phase
from hookgate.http_probe.message import Message

_TOO_LARGE = 100  # CURLE_TOO_LARGE: one line alone is more than libcurl takes.
_CUT = {pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR}
_BROKEN = {pycurl.E_PARTIAL_FILE, pycurl.E_HTTP2}


def no_answer(  # noqa: PLR0913, PLR0917 - libcurl's own two come last
    curl: pycurl.Curl,
    server_name: str | None,
    exchange: Exchange,
    message: Message,
    code: int,
    said: str,
) -> NoAnswer:
    """Why there is no answer.

    Args:
        curl: the handle that sent the request.
        server_name: what the listener is called over TLS; None without TLS.
        exchange: how far it came.
        message: what was sent.
        code: libcurl's number for what went wrong.
        said: libcurl's words for it.
    """
    place, encrypted = exchange.place, server_name is not None
    if code == pycurl.E_OPERATION_TIMEDOUT:
        exchange.phase = _reached(curl, exchange, message, encrypted)
        return exchange.too_late()
    if code in {pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CACERT_BADFILE}:
        return NoAnswer(
            tls.refused(curl, place, server_name or "", said), code=Code.TLS_UNTRUSTED
        )
    if encrypted and not curl.getinfo(pycurl.APPCONNECT_TIME):
        return NoAnswer(tls.no_handshake(place, said), code=Code.TLS_HANDSHAKE)
    if code == pycurl.E_GOT_NOTHING:
        return NoAnswer(
            f"{place} closed the connection without an answer",
            code=Code.CONNECTION_CLOSED,
        )
    if code == _TOO_LARGE:
        return NoAnswer(
            f"{place} answered, but not in HTTP: {TOO_LONG}", code=Code.HTTP_PROTOCOL
        )
    if exchange.phase is Phase.BODY or code in _BROKEN:
        return NoAnswer(f"the answer broke off: {said}", code=Code.HTTP_TRUNCATED)
    if code in _CUT:
        return NoAnswer(
            f"{place} cut the connection after {exchange.received} bytes: {said}",
            code=Code.CONNECTION_CLOSED,
        )
    return NoAnswer(
        f"{place} answered, but not in HTTP: {said}", code=Code.HTTP_PROTOCOL
    )


def _reached(
    curl: pycurl.Curl, exchange: Exchange, message: Message, encrypted: bool
) -> Phase:
    if exchange.phase is Phase.BODY:
        exchange.received = curl.getinfo(pycurl.HEADER_SIZE) + curl.getinfo(
            pycurl.SIZE_DOWNLOAD_T
        )
        return Phase.BODY
    if encrypted and not curl.getinfo(pycurl.APPCONNECT_TIME):
        return Phase.HANDSHAKE
    if exchange.received or curl.getinfo(pycurl.STARTTRANSFER_TIME):
        return Phase.HEADERS
    if curl.getinfo(pycurl.SIZE_UPLOAD_T) < len(message.body or b""):
        return Phase.SEND
    return Phase.HEAD
