"""Requests on their way out, and answers on their way in, by libcurl.

libcurl gets a connection that is open already, to an address that was checked, and is
told to follow nothing: where a request goes is decided here alone.
"""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

import pycurl

from hookgate.codes import Code
from hookgate.context import Endpoint, RuleCondition
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http import transfer
from hookgate.http.address import ascii_host, demand, host_of, routed
from hookgate.http.request import Phases, Reply, Request
from hookgate.http.transfer import TOO_LONG, Answer, Exchange, Phase
from hookgate.version import VERSION

_METHOD = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2

_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, 5.5

#: What stays as it is in a path and its query; ``%`` too, for what is quoted already.
_SAFE = "!#$%&'()*+,/:;=?@[]~"

#: Methods whose request has a length even when it has no body (RFC 9110, 8.6).
_WITH_BODY = {"POST", "PUT", "PATCH"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What libcurl is to send; ``decodes`` is whether it asks for an encoded body."""

    method: str
    url: str
    target: str
    headers: Sequence[str]
    decodes: bool
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDefaults:
    """How every request to a listener is put, so that the rule takes it."""

    base: str
    prefix: str
    headers: Mapping[str, str]
    conditions: Sequence[RuleCondition]

    def message(self, request: Request) -> Message:
        """The request as it goes out.

        Raises:
            CannotMeasure: it cannot be sent as it is, or another rule would take it.
        """
        told = {"user-agent": ("User-Agent", f"Hookgate/{VERSION}")}
        told["accept"] = ("Accept", "*/*")
        for given in (self.headers, request.headers):
            told.update((name.lower(), (name, text)) for name, text in given.items())
        target = wire_target(
            routed(request.path, self.prefix, self.conditions), request
        )
        if request.encodings:
            accepted = ("Accept-Encoding", ", ".join(request.encodings))
            told.setdefault("accept-encoding", accepted)
        said = dict(told.values())
        _refuse_forgery(request, said)
        demand(self.conditions, self.base + target, said)
        body = request.body
        if body is None and request.method in _WITH_BODY:
            body = b""
        return Message(
            method=request.method,
            url=self.base + target,
            target=target,
            headers=_lines(said),
            decodes="accept-encoding" in told,
            body=body,
        )


def wire_target(path: str, request: Request) -> str:
    """The path and query as they go out: quoted, without ``..`` and fragment.

    Raises:
        CannotMeasure: it cannot be sent.
    """
    if re.search(r"[\x00-\x1f\x7f]", path):
        raise CannotMeasure(
            f"{request.method} {request.path!r} cannot be sent: a control character",
            code=Code.HTTP_REQUEST,
        )
    bare, mark, query = path.partition("#")[0].partition("?")
    quoted = quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", bare), safe=_SAFE)
    flat = _without_dots(quoted)
    asked = quote(re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", query), safe=_SAFE)
    return f"{flat}{mark}{asked}"


def _without_dots(path: str) -> str:
    """``path`` without ``.`` and ``..`` (RFC 3986, 5.2.4), as the rule will see it."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    end = [""] if segments and segments[-1] in {".", ".."} else []
    return "/" + "/".join([*kept, *end])


def _refuse_forgery(request: Request, headers: Mapping[str, str]) -> None:
    """Refuse what would say something else on the wire than its parts do."""
    what = f"{request.method!r} {request.path} cannot be sent"
    if not _METHOD.fullmatch(request.method):
        raise CannotMeasure(f"{what}: not a method", code=Code.HTTP_REQUEST)
    for name, value in headers.items():
        if not _METHOD.fullmatch(name):
            raise CannotMeasure(
                f"{what}: {name[:64]!r} is no name of a header", code=Code.HTTP_REQUEST
            )
        if not _VALUE.fullmatch(value):
            raise CannotMeasure(
                f"{what}: the value of header {name} holds a character that no header "
                "may",
                code=Code.HTTP_REQUEST,
            )


def _lines(headers: Mapping[str, str]) -> list[str]:
    lines = [
        f"{name}: {value}" if value else f"{name};" for name, value in headers.items()
    ]
    # libcurl's own, which nobody asked for.
    known = {name.lower() for name in headers}
    lines += [
        f"{each}:" for each in ("Content-Type", "Expect") if each.lower() not in known
    ]
    return lines


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
    defaults: RequestDefaults
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
            defaults=RequestDefaults(
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
        message = self.defaults.message(request)
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
            certificate=transfer.peer_certificate(curl) if self.encrypted else None,
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
            transfer.secure(curl, request.trust, self.verify)


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


#: As many as a plan's steps run at the same time, if it does not say otherwise.
_MOST = 8


@contextmanager
def handle(*, cookies: bool) -> Iterator[pycurl.Curl]:
    """A libcurl handle that reads nothing of its surroundings, nor of its past.

    Args:
        cookies: whether it keeps the cookies of one exchange for the next, until the
            end of the context.
    """
    try:
        curl = _idle().pop()
    except IndexError:
        curl = pycurl.Curl()
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.PROXY, "")
    curl.setopt(pycurl.FORBID_REUSE, 1)
    curl.setopt(pycurl.FRESH_CONNECT, 1)
    # A session that is resumed shows no certificate.
    curl.setopt(pycurl.SSL_SESSIONID_CACHE, 0)
    # Something that is no HTTP is then handed over, so that it can be shown.
    curl.setopt(pycurl.HTTP09_ALLOWED, 1)
    if cookies:
        curl.setopt(pycurl.COOKIEFILE, "")
    try:
        yield curl
    finally:
        _put_back(curl)


def _put_back(curl: pycurl.Curl) -> None:
    if len(_idle()) >= _MOST:
        curl.close()
        return
    curl.setopt(pycurl.COOKIELIST, "ALL")  # which erases them; reset does not
    curl.reset()
    _idle().append(curl)


@cache
def _idle() -> deque[pycurl.Curl]:
    """The handles that nobody uses now; to take and to give back is atomic."""
    return deque()


_TOO_LARGE = 100  # CURLE_TOO_LARGE: one line alone is more than libcurl takes.

_CUT = {pycurl.E_RECV_ERROR, pycurl.E_SEND_ERROR}

_BROKEN = {pycurl.E_PARTIAL_FILE, pycurl.E_HTTP2}


def no_answer(  # noqa: PLR0913, PLR0917 - libcurl's own two come last
    curl: pycurl.Curl,
    server_name: str | None,
    exchange: Exchange,
    message: Message,
    code: int,
    said: str,
) -> NoAnswer:
    """Why there is no answer.

    Args:
        curl: the handle that sent the request.
        server_name: what the listener is called over TLS; None without TLS.
        exchange: how far it came.
        message: what was sent.
        code: libcurl's number for what went wrong.
        said: libcurl's words for it.
    """
    place, encrypted = exchange.place, server_name is not None
    if code == pycurl.E_OPERATION_TIMEDOUT:
        exchange.phase = _reached(curl, exchange, message, encrypted)
        return exchange.too_late()
    if code in {pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_SSL_CACERT_BADFILE}:
        return NoAnswer(
            transfer.refused(curl, place, server_name or "", said),
            code=Code.TLS_UNTRUSTED,
        )
    if encrypted and not curl.getinfo(pycurl.APPCONNECT_TIME):
        return NoAnswer(transfer.no_handshake(place, said), code=Code.TLS_HANDSHAKE)
    if code == pycurl.E_GOT_NOTHING:
        return NoAnswer(
            f"{place} closed the connection without an answer",
            code=Code.CONNECTION_CLOSED,
        )
    if code == _TOO_LARGE:
        return NoAnswer(
            f"{place} answered, but not in HTTP: {TOO_LONG}", code=Code.HTTP_PROTOCOL
        )
    if exchange.phase is Phase.BODY or code in _BROKEN:
        return NoAnswer(f"the answer broke off: {said}", code=Code.HTTP_TRUNCATED)
    if code in _CUT:
        return NoAnswer(
            f"{place} cut the connection after {exchange.received} bytes: {said}",
            code=Code.CONNECTION_CLOSED,
        )
    return NoAnswer(
        f"{place} answered, but not in HTTP: {said}", code=Code.HTTP_PROTOCOL
    )


def _reached(
    curl: pycurl.Curl, exchange: Exchange, message: Message, encrypted: bool
) -> Phase:
    if exchange.phase is Phase.BODY:
        exchange.received = curl.getinfo(pycurl.HEADER_SIZE) + curl.getinfo(
            pycurl.SIZE_DOWNLOAD_T
        )
        return Phase.BODY
    if encrypted and not curl.getinfo(pycurl.APPCONNECT_TIME):
        return Phase.HANDSHAKE
    if exchange.received or curl.getinfo(pycurl.STARTTRANSFER_TIME):
        return Phase.HEADERS
    if curl.getinfo(pycurl.SIZE_UPLOAD_T) < len(message.body or b""):
        return Phase.SEND
    return Phase.HEAD
