"""The TLS of a listener: which of its certificates a client is shown."""

from __future__ import annotations

import ssl
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO

from cryptography import x509

from rehearsal.data_plane.settings import Certificate


def server_context(certificates: Sequence[Certificate]) -> ssl.SSLContext:
    """What a listener speaks TLS with.

    A client is shown the first certificate that is made out to the name it asks for
    (RFC 6066, SNI), and the first of all where none is or where it names nobody.

    Args:
        certificates: the default first, as a listener has them.

    Raises:
        ssl.SSLError: a certificate or key is none, or the two do not belong together.
    """
    contexts = [_context(each) for each in certificates]
    default = contexts[0]
    if len(contexts) > 1:
        names: dict[str, ssl.SSLContext] = {}
        for certificate, context in zip(certificates, contexts, strict=True):
            for name in _names(certificate):
                names.setdefault(name, context)

        def choose(
            connection: ssl.SSLSocket | ssl.SSLObject, name: str | None, _: object
        ) -> None:
            connection.context = _found(names, name or "") or default

        default.sni_callback = choose
    return default


def _context(certificate: Certificate) -> ssl.SSLContext:
    """A context of its own: one that has two keys shows either."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with ExitStack() as open_:
        chain = open_.enter_context(_unnamed(certificate.chain))
        key = open_.enter_context(_unnamed(certificate.key))
        context.load_cert_chain(f"/dev/fd/{chain.fileno()}", f"/dev/fd/{key.fileno()}")
    return context


def _unnamed(content: bytes) -> IO[bytes]:
    """A file without a name: a process that is killed leaves no key behind."""
    file = TemporaryFile()  # noqa: SIM115 - closed by whoever asked for it
    file.write(content)
    file.flush()
    file.seek(0)
    return file


def _names(certificate: Certificate) -> list[str]:
    """The DNS names that a certificate is made out to, in small letters."""
    leaf = x509.load_pem_x509_certificate(certificate.chain)
    try:
        extension = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return []
    return [each.lower() for each in extension.value.get_values_for_type(x509.DNSName)]


def _found(names: Mapping[str, ssl.SSLContext], name: str) -> ssl.SSLContext | None:
    """The certificate of a name, or of all names beside it."""
    asked = name.lower()
    return names.get(asked) or names.get("*." + asked.partition(".")[2])
