"""Requests on their way out, and answers on their way in."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from urllib3 import BaseHTTPResponse, HTTPHeaderDict
from urllib3.exceptions import DecodeError, HTTPError

from hookgate.context import Endpoint
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http_probe import tls
from hookgate.http_probe.connection import pool
from hookgate.http_probe.exchange import Exchange
from hookgate.http_probe.name import ascii_host, host_of, joined
from hookgate.probe import Reply, Request
from hookgate.version import VERSION

# What a Network Load Balancer's TCP and TLS listeners forward is asked over HTTP.
_SCHEMES = {"http": "http", "https": "https", "tcp": "http", "tls": "https"}
_PIECE = 16 * 1024
# RFC 9110: a method and a header's name are tokens (5.6.2); its value begins and ends
# with what can be seen and goes over the wire as Latin-1 (5.5).
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")


@dataclass(frozen=True, kw_only=True)
class Transport:
    """How one listener is spoken to: its name, its headers, its trust."""

    name: str
    prefix: str
    headers: Mapping[str, str]
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
        own = {"Host": ascii_host(said)} if said else {}
        return cls(
            name=name,
            prefix=endpoint.path_prefix,
            headers={**own, **endpoint.headers},
            trust=tls.trust(verify) if scheme == "https" else None,
        )

    def send(self, request: Request, exchange: Exchange) -> Reply:
        """Send one request.

        Raises:
            NoAnswer: there is no answer, or not within the bounds.
            CannotMeasure: the request is not one that can be sent.
        """
        target, headers = self._target(request), self._headers(request)
        started = exchange.deadline.clock.now()
        connections = pool(exchange, self.name, self.trust)
        try:
            answer = connections.urlopen(
                request.method,
                target,
                body=request.body,
                headers=headers,
                retries=False,
                redirect=False,
                assert_same_host=False,
                timeout=exchange.remaining(),
                preload_content=False,
            )
            body = b"".join(_bounded(answer, request.max_body))
        except HTTPError as error:
            raise NoAnswer(f"{exchange.place}: {_broken(error)}") from None
        finally:
            connections.close()
        return Reply(
            status=answer.status,
            headers=dict(answer.headers),
            body=body,
            duration=exchange.deadline.clock.now() - started,
            peer=exchange.peer,
            http_version="1.0" if answer.version == 10 else "1.1",
        )

    def _target(self, request: Request) -> str:
        """Path and query; urllib3 encodes what may not stand in them."""
        if not _TOKEN.fullmatch(request.method):
            raise CannotMeasure(f"{request.method!r} cannot be sent: not a method")
        return joined(self.prefix, request.path)

    def _headers(self, request: Request) -> HTTPHeaderDict:
        headers = HTTPHeaderDict(
            {
                "User-Agent": f"Hookgate/{VERSION}",
                "Accept": "*/*",
                "Accept-Encoding": "gzip, deflate",
                "Connection": "close",
            }
        )
        for name, value in (*self.headers.items(), *request.headers.items()):
            if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
                raise CannotMeasure(
                    f"{request.method} {request.path} cannot be sent: {name!r} is no "
                    "header, or its value is none"
                )
            headers[name] = value
        return headers


def _bounded(answer: BaseHTTPResponse, most: int) -> Iterator[bytes]:
    size = 0
    for piece in answer.stream(_PIECE, decode_content=True):
        size += len(piece)
        if size > most:
            raise NoAnswer(f"the body is larger than max_body, {most} bytes")
        yield piece


def _broken(error: HTTPError) -> str:
    """What went wrong, without urllib3's wrappings around it."""
    inner: BaseException = error
    while inner.args and isinstance(inner.args[-1], BaseException):
        inner = inner.args[-1]
    if isinstance(error, DecodeError):
        return f"the body is not what its Content-Encoding says: {inner}"
    return f"the answer broke off: {inner}"
