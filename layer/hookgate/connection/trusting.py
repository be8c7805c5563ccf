"""Contexts of Python's own TLS, by whom they trust.

The public authorities take tens of milliseconds to read, so a context is kept.
"""

from __future__ import annotations

import ssl
from dataclasses import replace
from functools import lru_cache
from tempfile import NamedTemporaryFile

from hookgate.codes import Code
from hookgate.errors import CannotMeasure
from hookgate.probe import Trust

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context_of(trust: Trust) -> ssl.SSLContext:
    """A client's context that verifies, and is known, as ``trust`` says.

    Raises:
        CannotMeasure: the client's certificate and key cannot be used.
    """
    if not trust.certificate:
        # Which name is asked for is said with each handshake.
        return _kept(replace(trust, server_name=""))
    context = _trusting(trust)
    _present(context, trust)
    return context


@lru_cache(maxsize=8)
def _kept(trust: Trust) -> ssl.SSLContext:
    return _trusting(trust)


def _trusting(trust: Trust) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = _VERSIONS[trust.minimum]
    context.maximum_version = _VERSIONS[trust.maximum]
    if not trust.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    elif trust.ca:
        context.load_verify_locations(cadata=trust.ca)
    else:
        from certifi import where  # noqa: PLC0415 - needed only without a CA of one's own

        context.load_verify_locations(where())
    return context


def _present(context: ssl.SSLContext, trust: Trust) -> None:
    """Python reads a client's certificate from a file only; it is gone at once."""
    with NamedTemporaryFile("w", prefix="hookgate-") as file:
        file.write(f"{trust.certificate}\n{trust.key}\n")
        file.flush()
        try:
            # A password of nobody's, or OpenSSL would ask for one and wait.
            context.load_cert_chain(file.name, password="")
        except (ssl.SSLError, ValueError):
            raise CannotMeasure(
                "the client's certificate and key cannot be used: encryption.key is "
                "the certificate's own key in PEM, without a password",
                code=Code.TLS_CLIENT,
            ) from None
