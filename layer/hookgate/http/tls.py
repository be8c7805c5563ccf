"""``tls``: the TLS settings of a client."""

from __future__ import annotations

import ssl
from dataclasses import replace
from functools import lru_cache
from tempfile import NamedTemporaryFile
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import CannotMeasure, InvalidValue
from hookgate.http import TlsVersion
from hookgate.http.request import Trust
from hookgate.redaction import SecretText

_MOST = 256 * 1024


def _pem(value: str) -> str:
    """Check that OpenSSL can read the certificates, unless there is a ``${…}``."""
    if "${" not in value:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=value)
        except (ssl.SSLError, ValueError):
            raise InvalidValue(
                "not certificates in PEM; the text must begin with "
                "-----BEGIN CERTIFICATE-----",
                code=Code.OPTION_TLS,
            ) from None
    return value


Pem = Annotated[str, Field(max_length=_MOST), AfterValidator(_pem)]


class TlsSettings(BaseModel):
    """The TLS settings of a client."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    ca: Pem | None = Field(
        None, description="Certificates in PEM to trust instead of public authorities."
    )
    server_name: str | None = Field(
        None,
        min_length=1,
        max_length=253,
        description="The server name to request and verify, instead of target.host.",
    )
    min_version: TlsVersion = Field(
        "1.2", description="The oldest version of TLS to use."
    )
    max_version: TlsVersion = Field(
        "1.3", description="The newest version of TLS to use."
    )
    certificate: Pem | None = Field(
        None, description="The client's certificate in PEM, with its chain."
    )
    key: SecretText | None = Field(
        None, description="The key of the client's certificate, in PEM."
    )
    verify: bool = Field(
        default=True,
        description="Whether the certificate must be trusted and match the name; with "
        "false, the verdict lists a waiver.",
    )

    @model_validator(mode="after")
    def _fits(self) -> TlsSettings:
        if self.min_version > self.max_version:
            raise InvalidValue(
                "min_version is newer than max_version", code=Code.OPTION_TLS
            )
        if (self.certificate is None) != (self.key is None):
            raise InvalidValue(
                "certificate and key belong together: give both",
                code=Code.OPTION_TOGETHER,
            )
        return self

    @property
    def trust(self) -> Trust:
        """The settings as the clients use them."""
        return Trust(
            ca=self.ca or "",
            server_name=self.server_name or "",
            certificate=self.certificate or "",
            key=self.key or "",
            minimum=self.min_version,
            maximum=self.max_version,
            verify=self.verify,
        )


_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}


def context_of(trust: Trust) -> ssl.SSLContext:
    """A client context with the settings of ``trust``.

    Raises:
        CannotMeasure: the client's certificate and key cannot be used.
    """
    if not trust.certificate:
        # Each handshake has its own server name.
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
    """Load the certificate of the client, which Python reads from a file only."""
    with NamedTemporaryFile("w", prefix="hookgate-") as file:
        file.write(f"{trust.certificate}\n{trust.key}\n")
        file.flush()
        try:
            # An empty password, because OpenSSL would prompt for one.
            context.load_cert_chain(file.name, password="")
        except (ssl.SSLError, ValueError):
            raise CannotMeasure(
                "the client's certificate and key cannot be used: tls.key is "
                "the certificate's own key in PEM, without a password",
                code=Code.TLS_CLIENT,
            ) from None


# OpenSSL's X509_V_ERR_…, docs.openssl.org/master/man3/X509_STORE_CTX_get_error/
VERIFY = {
    9: "the certificate is not valid yet",
    10: "the certificate has expired",
    18: "the certificate is self-signed",
    19: "the certificate chain ends in a self-signed certificate that is not trusted",
    20: "the certificate's issuer is not trusted, or the chain is incomplete",
    21: "the certificate's issuer is not trusted, or the chain is incomplete",
}


def explain(place: str, error: OSError) -> str:
    """The reason why a handshake of Python's TLS with ``place`` failed."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = VERIFY.get(error.verify_code, error.verify_message)
        return f"TLS: {place}: {what}"
    if isinstance(error, ssl.SSLError):
        if error.reason in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
            return f"TLS: {place} does not speak TLS"
        return f"TLS: the handshake with {place} failed: {error.reason or error}"
    return (
        f"{place} closed the connection in the TLS handshake: {error.strerror or error}"
    )
