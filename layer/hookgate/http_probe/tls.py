"""TLS: what is trusted, and what to do when a handshake fails."""

from __future__ import annotations

import ssl

from urllib3.util.ssl_ import create_urllib3_context
from urllib3.util.ssl_match_hostname import CertificateError

# OpenSSL's X509_V_ERR_…, docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
_VERIFY = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    19: "the certificate chain ends in a self-signed certificate that is not trusted",
    20: "the certificate's issuer is not trusted, or the chain is incomplete",
    21: "the certificate's issuer is not trusted, or the chain is incomplete",
}


def trust(bundle: str | None) -> ssl.SSLContext:
    """A context that demands a certificate of ``bundle``, or else of certifi's CAs.

    The name is checked by urllib3 after the handshake: unlike OpenSSL it can say
    which names the certificate is for.
    """
    from certifi import where  # noqa: PLC0415 - needed only without a bundle of one's own

    context = create_urllib3_context()
    context.load_verify_locations(bundle or where())
    return context


def explain(place: str, error: OSError | CertificateError) -> str:
    """Say why a handshake with ``place`` failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = _VERIFY.get(error.verify_code, error.verify_message)
        return f"TLS: {place}: {what}"
    if isinstance(error, CertificateError):
        return (
            f"TLS: {place}: {error}; set target.host to the name that the "
            "certificate is for"
        )
    if isinstance(error, ssl.SSLError):
        if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
            return f"TLS: {place} does not speak TLS"
        return f"TLS: the handshake with {place} failed: {error.reason or error}"
    return f"{place} cut the connection in the TLS handshake: {error.strerror or error}"
