"""Whether a server still takes versions of TLS that it should refuse."""

from __future__ import annotations

import ssl
import warnings

from hookgate.codes import Code
from hookgate.connection.line import Line
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.probe import Trust

_NEWEST_OLD = {"1.2": "TLSv1_1", "1.3": "TLSv1_2"}
# RFC 8446, 6.2: what a server says that cannot agree on a version.
_REFUSALS = {
    "TLSV1_ALERT_PROTOCOL_VERSION",
    "SSLV3_ALERT_HANDSHAKE_FAILURE",
    "TLSV1_ALERT_INSUFFICIENT_SECURITY",
}


def agreed_on(line: Line, than: str) -> str | None:
    """The version older than ``than`` that the server agrees on, or None if none.

    Args:
        line: a connection on which nothing was said yet.
        than: ``1.2`` or ``1.3``.

    Raises:
        CannotMeasure: the handshake failed for another reason, or OpenSSL here speaks
            no old versions itself.
    """
    try:
        return line.encrypt(Trust(verify=False), _old(than)).version()
    except NoAnswer as error:
        cause = error.__cause__
        hung_up = isinstance(cause, ConnectionResetError | ssl.SSLEOFError)
        if hung_up or getattr(cause, "reason", None) in _REFUSALS:
            return None
        raise CannotMeasure(
            f"whether {line.place} refuses versions before TLSv{than} is not known: "
            f"{error}",
            code=Code.TLS_VERSION,
        ) from None


def _old(than: str) -> ssl.SSLContext:
    """A client that knows nothing newer than what is too old."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")  # or OpenSSL itself would refuse
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion[_NEWEST_OLD[than]]
    return context
