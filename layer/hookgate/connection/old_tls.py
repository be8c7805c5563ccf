"""Whether a server still takes versions of TLS that it should refuse."""

from __future__ import annotations

import ssl
import warnings
from typing import Literal

from hookgate.connection.line import Encryption, Line
from hookgate.errors import CannotMeasure, NoAnswer

MinVersion = Literal["TLSv1.2", "TLSv1.3"]

_NEWEST_OLD = {"TLSv1.2": "TLSv1_1", "TLSv1.3": "TLSv1_2"}
# RFC 8446, 6.2: what a server says that cannot agree on a version.
_REFUSALS = {
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY",
}


def agreed_on(line: Line, than: MinVersion) -> str | None:
    """The version older than ``than`` that the server agrees on, or None if none.

    Raises:
        CannotMeasure: the handshake failed for another reason, or OpenSSL here speaks
            no old versions itself.
    """
    blind = Encryption(verify=False)
    try:
        return line.encrypt(blind, _old(than)).version()
    except NoAnswer as error:
        cause = error.__cause__
        hung_up = isinstance(cause, ConnectionResetError | ssl.SSLEOFError)
        if hung_up or getattr(cause, "reason", None) in _REFUSALS:
            return None
        raise CannotMeasure(
            f"whether {line.place} refuses versions before {than} is not known: {error}"
        ) from None


def _old(than: MinVersion) -> ssl.SSLContext:
    """A client that knows nothing newer than what is too old."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # or OpenSSL itself would refuse
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion[_NEWEST_OLD[than]]
    return context
