"""Requests on their way out, and answers on their way in, by libcurl.

libcurl gets a connection that is open already, to an address that was checked, and is
told to follow nothing: where a request goes is decided here alone.
"""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import dataclass

import pycurl

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.errors import CannotMeasure
from hookgate.http_probe import tls
from hookgate.http_probe.answer import Answer
from hookgate.http_probe.exchange import Exchange
from hookgate.http_probe.message import Manner, Message
from hookgate.http_probe.name import ascii_host, host_of
from hookgate.probe import Phases, Reply, Request

# What a Network Load Balancer's TCP and TLS listeners forward is asked over HTTP.
_SCHEMES = {"http": "http", "https": "https", "tcp": "http", "tls": "https"}
_VERSIONS = {1: "1.0", 2: "1.1", 3: "2", 30: "3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Transport:
    """How one listener is spoken to: what it is called, and whom it trusts.

    ``origin`` is what the listener calls itself to whoever asks it.
    """

    name: str
    origin: str
    manner: Manner
    encrypted: bool
    port: int
    verify: str | None

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
            raise CannotMeasure(
                f"no HTTP over a {endpoint.scheme} listener", code=Code.HTTP_NO_LISTENER
            )
        said = host or endpoint.host
        name = host_of(said or endpoint.address)
        place = f"[{name}]" if ":" in name else name
        own = {"Host": ascii_host(said)} if said else {}
        base = f"{scheme}://{place}:{endpoint.port}"
        return cls(
            name=name,
            origin=f"{scheme}://{own['Host']}" if own else base,
            manner=Manner(
                base=base,
                prefix=endpoint.path_prefix,
                headers={**own, **endpoint.headers},
                conditions=endpoint.conditions,
            ),
            encrypted=scheme == "https",
            port=endpoint.port,
            verify=verify,
        )

    def send(self, curl: pycurl.Curl, request: Request, exchange: Exchange) -> Reply:
        """Send one request over a connection of its own; redirects are not followed.

        Raises:
            NoAnswer: there is no answer, or not within the bounds.
            CannotMeasure: the request is not one that can be sent.
        """
        message = self.manner.message(request)
        started = exchange.deadline.clock.now()
        answer = Answer(exchange, request.max_body, message.decodes)
        with closing(exchange.connect()) as connection:
            self._prepare(curl, message, request)
            _connected(curl, connection)
            curl.setopt(pycurl.HEADERFUNCTION, answer.take_header)
            curl.setopt(pycurl.WRITEFUNCTION, answer.take_body)
            curl.setopt(pycurl.TIMEOUT_MS, max(1, round(exchange.remaining() * 1000)))
            try:
                curl.perform()
            except pycurl.error as error:
                from hookgate.http_probe.trouble import no_answer  # noqa: PLC0415 - seldom

                name = self.name if self.encrypted else None
                raise answer.trouble or no_answer(
                    curl, name, exchange, message, *error.args
                ) from None
        answer.end()
        return Reply(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            duration=exchange.deadline.clock.now() - started,
            peer=exchange.peer,
            http_version=_VERSIONS.get(curl.getinfo(pycurl.INFO_HTTP_VERSION), ""),
            url=self.origin + message.target,
            fields=tuple(answer.fields),
            cookies=answer.cookies,
            phases=_phases(curl, exchange),
            certificate=tls.peer_certificate(curl) if self.encrypted else None,
        )

    def _prepare(self, curl: pycurl.Curl, message: Message, request: Request) -> None:
        name = request.trust.server_name or self.name
        place = f"[{name}]" if ":" in name else name
        scheme = "https" if self.encrypted else "http"
        curl.setopt(pycurl.URL, f"{scheme}://{place}:{self.port}{message.target}")
        curl.setopt(pycurl.PATH_AS_IS, 1)
        headers = list(message.headers)
        if not any(each.lower().startswith("host:") for each in headers):
            headers.append(f"Host: {self.origin.partition('://')[2]}")
        curl.setopt(pycurl.HTTPHEADER, [each.encode("latin-1") for each in headers])
        # libcurl does not notice a truncated body.
        curl.setopt(pycurl.HTTP_CONTENT_DECODING, 0)
        version = (
            pycurl.CURL_HTTP_VERSION_2TLS
            if request.http2
            else pycurl.CURL_HTTP_VERSION_1_1
        )
        curl.setopt(pycurl.HTTP_VERSION, version)
        say(curl, message)
        if self.encrypted:
            tls.secure(curl, request.trust, self.verify)


def _connected(curl: pycurl.Curl, connection: socket.socket) -> None:
    """Have libcurl use ``connection``, and look for no other."""
    # libcurl resolves no name: the address is only what it is told here.
    curl.setopt(pycurl.CONNECT_TO, ["::127.0.0.1:"])
    curl.setopt(pycurl.OPENSOCKETFUNCTION, lambda _purpose, _address: connection)
    curl.setopt(
        pycurl.SOCKOPTFUNCTION, lambda _fd, _purpose: pycurl.SOCKOPT_ALREADY_CONNECTED
    )


def say(curl: pycurl.Curl, message: Message) -> None:
    """Have libcurl send the method and the body of a message."""
    curl.setopt(pycurl.HTTPGET, 1)
    if message.body is not None:
        curl.setopt(pycurl.POSTFIELDS, message.body)
    curl.setopt(pycurl.NOBODY, int(message.method == "HEAD"))
    curl.setopt(pycurl.CUSTOMREQUEST, message.method)


def _phases(curl: pycurl.Curl, exchange: Exchange) -> Phases:
    ready = curl.getinfo(pycurl.APPCONNECT_TIME)
    first = curl.getinfo(pycurl.STARTTRANSFER_TIME)
    return Phases(
        resolve=exchange.resolved,
        connect=exchange.connected,
        tls=ready,
        processing=max(0.0, first - max(ready, curl.getinfo(pycurl.PRETRANSFER_TIME))),
        transfer=max(0.0, curl.getinfo(pycurl.TOTAL_TIME) - first),
    )
