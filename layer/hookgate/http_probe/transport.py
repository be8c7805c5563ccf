"""Requests on their way out, and answers on their way in."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import requests
from requests.structures import CaseInsensitiveDict

from hookgate.context import Endpoint, RuleCondition
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http_probe import tls
from hookgate.http_probe.connection import Adapter
from hookgate.http_probe.exchange import Exchange
from hookgate.http_probe.name import ascii_host, host_of
from hookgate.http_probe.rule import demand, routed
from hookgate.probe import Reply, Request
from hookgate.version import VERSION

# What a Network Load Balancer's TCP and TLS listeners forward is asked over HTTP.
_SCHEMES = {"http": "http", "https": "https", "tcp": "http", "tls": "https"}
_PIECE = 16 * 1024
_METHOD = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2


@dataclass(frozen=True, kw_only=True)
class Transport:
    """How one listener is spoken to: the URL's start, its headers, its trust."""

    name: str
    base: str
    prefix: str
    headers: Mapping[str, str]
    conditions: Sequence[RuleCondition]
    trust: ssl.SSLContext | None

    @classmethod
    def to(
        cls, endpoint: Endpoint, *, host: str | None, verify: str | None
    ) -> Transport:
        """The transport to ``endpoint``.

        Raises:
            CannotMeasure: the listener's protocol carries no HTTP, or the host is not
                known.
        """
        scheme = _SCHEMES.get(endpoint.scheme)
        if scheme is None:
            raise CannotMeasure(f"no HTTP over a {endpoint.scheme} listener")
        said = host or endpoint.host
        name = host_of(said or endpoint.address)
        place = f"[{name}]" if ":" in name else name
        own = {"Host": ascii_host(said)} if said else {}
        return cls(
            name=name,
            base=f"{scheme}://{place}:{endpoint.port}",
            prefix=endpoint.path_prefix,
            headers={**own, **endpoint.headers},
            conditions=endpoint.conditions,
            trust=tls.trust(verify) if scheme == "https" else None,
        )

    def send(self, request: Request, exchange: Exchange) -> Reply:
        """Send one request.

        Raises:
            NoAnswer: there is no answer, or not within the bounds.
            CannotMeasure: the request is not one that can be sent.
        """
        prepared = self._prepared(request)
        started = exchange.deadline.clock.now()
        adapter = Adapter(exchange, self.name, self.trust)
        try:
            with adapter.send(
                prepared, stream=True, timeout=exchange.remaining()
            ) as answer:
                body = b"".join(_bounded(answer, request.max_body))
        except requests.RequestException as error:
            raise NoAnswer(f"{exchange.place}: {_broken(error)}") from None
        finally:
            adapter.close()
        return Reply(
            status=answer.status_code,
            headers=answer.headers,
            body=body,
            duration=exchange.deadline.clock.now() - started,
            peer=exchange.peer,
            http_version="1.0" if answer.raw.version == 10 else "1.1",
        )

    def _prepared(self, request: Request) -> requests.PreparedRequest:
        headers = CaseInsensitiveDict(
            {
                "User-Agent": f"Hookgate/{VERSION}",
                "Accept": "*/*",
                "Accept-Encoding": "gzip, deflate",
                "Connection": "close",
            }
        )
        headers.update(self.headers)
        headers.update(request.headers)
        url = self.base + routed(request.path, self.prefix, self.conditions)
        if not _METHOD.fullmatch(request.method):
            raise CannotMeasure(f"{request.method!r} cannot be sent: not a method")
        try:
            prepared = requests.Request(
                request.method, url, headers=headers, data=request.body
            ).prepare()
        except (requests.RequestException, ValueError) as error:
            raise CannotMeasure(
                f"{request.method} {request.path} cannot be sent: {error}"
            ) from None
        demand(self.conditions, prepared.url or url, prepared.headers)
        return prepared


def _bounded(answer: requests.Response, most: int) -> Iterator[bytes]:
    size = 0
    for piece in answer.iter_content(_PIECE):
        size += len(piece)
        if size > most:
            raise NoAnswer(f"the body is larger than max_body, {most} bytes")
        yield piece


def _broken(error: requests.RequestException) -> str:
    """What went wrong, without urllib3's wrappings around it."""
    inner: BaseException = error
    while inner.args and isinstance(inner.args[-1], BaseException):
        inner = inner.args[-1]
    if isinstance(error, requests.exceptions.ContentDecodingError):
        return f"the body is not what its Content-Encoding says: {inner}"
    return f"the answer broke off: {inner}"
