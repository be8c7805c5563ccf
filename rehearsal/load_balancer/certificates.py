"""The certificates of ACM and IAM, as listeners take them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rehearsal.data_plane import Certificate

ENCODING = "ascii"  # PEM


class CertificateNotFoundError(LookupError):
    """A listener needs a certificate that neither ACM nor IAM has."""


class Certificates:
    """Finds certificates for the data plane.

    Args:
        backend: Gives moto's backend of a service.
    """

    def __init__(self, backend: Callable[[str], Any]) -> None:
        self._backend = backend

    def get(self, arn: str | None) -> Certificate:
        """The certificate with an ARN, as it was imported last.

        Raises:
            CertificateNotFoundError: There is none of that ARN.
        """
        if arn is None:
            raise CertificateNotFoundError(
                "A certificate must be specified for HTTPS and TLS listeners"
            )
        chain, key = self._from_iam(arn) if ":iam:" in arn else self._from_acm(arn)
        return Certificate(chain=chain, key=key)

    def _from_acm(self, arn: str) -> tuple[bytes, bytes]:
        from moto.acm.exceptions import (  # noqa: PLC0415 - moto is slow to import
            CertificateNotFound,
        )
        from moto.acm.models import AWS_ROOT_CA  # noqa: PLC0415 - as above

        try:
            found = self._backend("acm").get_certificate(arn)
        except CertificateNotFound:
            raise _missing(arn) from None
        # Moto adds Amazon's root to every chain; no load balancer sends it.
        rest = (found.chain or b"").replace(AWS_ROOT_CA, b"").strip()
        return b"\n".join((found.cert.strip(), rest, b"")), found.key

    def _from_iam(self, arn: str) -> tuple[bytes, bytes]:
        found = self._backend("iam").get_certificate_by_arn(arn)
        if found is None:
            raise _missing(arn)
        chain = f"{found.cert_body}\n{found.cert_chain or ''}\n"
        return chain.encode(ENCODING), found.private_key.encode(ENCODING)


def _missing(arn: str) -> CertificateNotFoundError:
    return CertificateNotFoundError(f"Certificate '{arn}' not found")
