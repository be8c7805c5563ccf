"""Who may use the endpoint: clients with its access key, and no web page.

A page in a browser on this machine can send requests to a local port. Such a request
has an ``Origin`` or ``Sec-Fetch-Site`` header. A page can also give the port a name of
its own (DNS rebinding); the request then has that name as its ``Host``.
"""

from __future__ import annotations

import hmac
import ipaddress
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from hookgate_rehearsal.endpoint.protocols import Refusal, refusal

Environ = dict[str, Any]

#: The emulator does not check the signature that is made with it.
SECRET_ACCESS_KEY = "rehearsal"  # noqa: S105 - a dummy value

#: An access key that a user chooses; AWS's key ids have 16 to 128 of these characters.
KEY_PATTERN = re.compile(r"[A-Za-z0-9_]{16,128}")

#: The name of this machine inside of Docker's containers.
_DOCKER_HOST = "host.docker.internal"

_CREDENTIAL = re.compile(r"Credential=([^/,\s]+)/|AWS ([^:\s]+):")
_FROM_PAGES = {"cross-site", "same-site"}

_PAGE = Refusal(
    code="AccessDenied",
    message="The emulator does not answer web pages. Use an AWS client.",
    status=403,
)
_FOREIGN = Refusal(
    code="AccessDenied",
    message="The Host header is not a name of the emulator. Use the URL that `hookgate "
    "serve` prints.",
    status=403,
)
_WRONG_KEY = Refusal(
    code="UnrecognizedClient",
    message="The access key is not the emulator's. Set AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY as `hookgate serve` prints them.",
    status=403,
    xml_code="InvalidClientTokenId",
)


@dataclass(frozen=True, slots=True)
class AccessKey:
    """The access key of an emulator.

    Each of the emulator's own clients signs with a key id that starts with it, so that
    faults can distinguish who calls.

    Attributes:
        id: What clients set as ``AWS_ACCESS_KEY_ID``.
    """

    id: str

    @classmethod
    def random(cls) -> AccessKey:
        """A new random key."""
        return cls(f"HOOKGATE{secrets.token_hex(16).upper()}")

    @property
    def codedeploy(self) -> str:
        """The key id of CodeDeploy's own calls."""
        return f"{self.id}.codedeploy"

    def function(self, name: str) -> str:
        """The key id of a function."""
        return f"{self.id}.function.{name}"

    def opens(self, given: str) -> bool:
        """Whether a key id is this key, or that of one of the emulator's clients."""
        own, _, _ = given.partition(".")
        return hmac.compare_digest(own.encode(), self.id.encode())


class AccessControl:
    """WSGI middleware that refuses web pages, and clients without the access key.

    AWS's signature of a request is not checked: the key id is the secret.

    Args:
        application: The WSGI application.
        key: The access key.
        host: The address or the name that the endpoint listens at.
        needs_no_key: Whether a request has a proof of its own, such as the token of a
            subscription.
    """

    def __init__(
        self,
        application: Any,
        key: AccessKey,
        host: str,
        needs_no_key: Callable[[Environ], bool],
    ) -> None:
        self._application = application
        self._key = key
        self._host = host
        self._needs_no_key = needs_no_key

    def __call__(
        self, environ: Environ, start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Respond as the application does, or refuse."""
        error = self._refusal(environ)
        if error is None:
            return self._application(environ, start_response)  # type: ignore[no-any-return]
        reply = refusal(environ, error)
        # The body stays unread, so the connection cannot serve another request.
        headers = {**reply.headers, "Connection": "close"}
        start_response(f"{reply.status} Refused", list(headers.items()))
        return [reply.body]

    def _refusal(self, environ: Environ) -> Refusal | None:
        if "HTTP_ORIGIN" in environ or (
            environ.get("HTTP_SEC_FETCH_SITE") in _FROM_PAGES
        ):
            return _PAGE
        if not self._is_own(environ.get("HTTP_HOST", "")):
            return _FOREIGN
        if self._key.opens(_access_key(environ)) or self._needs_no_key(environ):
            return None
        return _WRONG_KEY

    def _is_own(self, host: str) -> bool:
        """Whether a Host header has a name that no other machine can give this one.

        A browser sends a page's own name, so an address is no name of a page's.
        """
        name = re.sub(r":\d*$", "", host).lower()
        if name in {self._host, "localhost", _DOCKER_HOST}:
            return True
        if name.endswith(".localhost"):  # a bucket's name before it; RFC 6761
            return True
        try:
            ipaddress.ip_address(name.removeprefix("[").removesuffix("]"))
        except ValueError:
            return False
        return True


def _access_key(environ: Environ) -> str:
    """The access key id of a request or of a presigned URL; empty if there is none."""
    header = _CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    if header is not None:
        return header[1] or header[2]
    query: dict[str, list[str]] = parse_qs(environ.get("QUERY_STRING", ""))
    for name in ("X-Amz-Credential", "AWSAccessKeyId"):
        if name in query:
            return query[name][0].partition("/")[0]
    return ""
