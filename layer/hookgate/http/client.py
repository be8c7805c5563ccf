"""Send one HTTP request with libcurl, and read the response.

libcurl gets an open connection to an address that was checked, and follows no
redirects: this module alone decides where a request goes.
"""

from __future__ import annotations

import re
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import KW_ONLY, dataclass, replace
from functools import cache
from types import MappingProxyType
from urllib.parse import quote, urljoin, urlsplit

import pycurl

from hookgate.codes import Code
from hookgate.context import Endpoint, RuleCondition
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http.address import (
    AddressPolicy,
    ascii_host,
    demand,
    host_of,
    join_address,
    routed,
)
from hookgate.http.curl import no_answer, peer_certificate, secure
from hookgate.http.exchange import Answer, Exchange, demand_green
from hookgate.http.request import Phases, Redirect, Reply, Request, merged
from hookgate.redaction import masked
from hookgate.version import VERSION

_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")  # RFC 9110, 5.6.2

_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")  # RFC 9110, 5.5

#: Characters of a path and query that are not quoted; ``%`` may be a quoted character.
_SAFE = "!#$%&'()*+,/:;=?@[]~"

#: Methods whose request has a length even when it has no body (RFC 9110, 8.6).
_WITH_BODY = {"POST", "PUT", "PATCH"}

# What a Network Load Balancer's TCP and TLS listeners forward gets requests in HTTP.
_SCHEMES = {"http": "http", "https": "https", "tcp": "http", "tls": "https"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The request for libcurl; ``decodes`` is whether it accepts an encoded body."""

    method: str
    url: str
    target: str
    headers: Sequence[str]
    decodes: bool
    body: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestDefaults:
    """What every request to a listener has, so that the listener rule matches it."""

    base: str
    prefix: str
    headers: Mapping[str, str]
    conditions: Sequence[RuleCondition]

    @classmethod
    def of(
        cls,
        endpoint: Endpoint,
        *,
        host: str | None,
        server_name: str,
        headers: Mapping[str, str] = MappingProxyType({}),
    ) -> RequestDefaults:
        """The defaults of requests to ``endpoint``.

        Args:
            endpoint: the listener.
            host: the plan's ``target.host``.
            server_name: the name that TLS requests and verifies instead of the host.
            headers: other headers of every request.

        Raises:
            CannotMeasure: the listener does not carry HTTP, or the host is not a name.
        """
        scheme = _SCHEMES.get(endpoint.scheme)
        if scheme is None:
            raise CannotMeasure(
                f"no HTTP over a {endpoint.scheme} listener", code=Code.HTTP_NO_LISTENER
            )
        host = host or endpoint.host
        if server_name and not host:
            host = join_address(endpoint.address, endpoint.port)
        name = ascii_host(server_name or host_of(host or endpoint.address))
        own = {"Host": ascii_host(host)} if host else {}
        return cls(
            base=f"{scheme}://{join_address(name, endpoint.port)}",
            prefix=endpoint.path_prefix,
            headers={**headers, **own, **endpoint.headers},
            conditions=endpoint.conditions,
        )

    @property
    def is_encrypted(self) -> bool:
        """Whether requests are sent over TLS."""
        return self.base.startswith("https:")

    @property
    def origin(self) -> str:
        """The scheme and the Host header: of the plan or the rule, else of the URL."""
        scheme, _, host = self.base.partition("://")
        return f"{scheme}://{self.headers.get('Host', host)}"

    def message(self, request: Request) -> Message:
        """The message for a request.

        Raises:
            CannotMeasure: it cannot be sent, or another rule would match it.
        """
        encodings = ", ".join(request.encodings)
        headers = merged(
            {"User-Agent": f"Hookgate/{VERSION}", "Accept": "*/*"},
            {"Accept-Encoding": encodings} if encodings else {},
            self.headers,
            request.headers,
        )
        _refuse_forgery(request, headers)
        path = routed(request.path, self.prefix, self.conditions)
        target = _wire_target(path, request)
        demand(self.conditions, self.base + target, headers)
        body = request.body
        if body is None and request.method in _WITH_BODY:
            body = b""
        return Message(
            method=request.method,
            url=self.base + target,
            target=target,
            headers=_lines(headers),
            decodes="accept-encoding" in map(str.lower, headers),
            body=body,
        )


def _wire_target(path: str, request: Request) -> str:
    """The path and query of the request line: quoted, without ``..`` and fragment.

    Raises:
        CannotMeasure: it cannot be sent.
    """
    if re.search(r"[\x00-\x1f\x7f]", path):
        raise CannotMeasure(
            f"{request.method} {request.path!r} cannot be sent: a control character",
            code=Code.HTTP_REQUEST,
        )
    path = re.sub(r"%(?![0-9A-Fa-f]{2})", "%25", path.partition("#")[0])
    bare, mark, query = quote(path, safe=_SAFE).partition("?")
    return f"{_without_dots(bare)}{mark}{query}"


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
    """Refuse parts that would change the structure of the request."""
    faults = [] if _TOKEN.fullmatch(request.method) else ["not a method"]
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name):
            faults.append(f"{name[:64]!r} is not a valid header name")
        elif not _VALUE.fullmatch(value):
            faults.append(
                f"the value of header {name} has a character that is not allowed"
            )
    if faults:
        what = f"{request.method!r} {request.path} cannot be sent: {'; '.join(faults)}"
        raise CannotMeasure(what, code=Code.HTTP_REQUEST)


def _lines(headers: Mapping[str, str]) -> list[str]:
    lines = [
        f"{name}: {value}" if value else f"{name};" for name, value in headers.items()
    ]
    # Headers that libcurl would add itself.
    left_out = {"Content-Type", "Expect"} - {name.title() for name in headers}
    return lines + [f"{each}:" for each in sorted(left_out)]


_VERSIONS = {1: "1.0", 2: "1.1", 3: "2", 30: "3"}

_HTTP = {True: pycurl.CURL_HTTP_VERSION_2TLS, False: pycurl.CURL_HTTP_VERSION_1_1}


def _connected(curl: pycurl.Curl, connection: socket.socket) -> None:
    """Make libcurl use ``connection`` and open no other."""
    # libcurl resolves no name: it uses this address, and then the open connection.
    curl.setopt(pycurl.CONNECT_TO, ["::127.0.0.1:"])
    curl.setopt(pycurl.OPENSOCKETFUNCTION, lambda _purpose, _address: connection)
    curl.setopt(
        pycurl.SOCKOPTFUNCTION, lambda _fd, _purpose: pycurl.SOCKOPT_ALREADY_CONNECTED
    )


def say(curl: pycurl.Curl, message: Message) -> None:
    """Set the method and the body of a message."""
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
    """A libcurl handle without settings of the environment or of earlier requests.

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
    # A response that is not HTTP is then passed on, so that messages can show it.
    curl.setopt(pycurl.HTTP09_ALLOWED, 1)
    if cookies:
        curl.setopt(pycurl.COOKIEFILE, "")
    try:
        yield curl
    finally:
        if len(_idle()) < _MOST:
            curl.setopt(pycurl.COOKIELIST, "ALL")  # which erases them; reset does not
            curl.reset()
            _idle().append(curl)
        else:
            curl.close()


@cache
def _idle() -> deque[pycurl.Curl]:
    """The handles not in use; append and pop are atomic."""
    return deque()


@dataclass(frozen=True)
class ListenerClient:
    """The HTTP client of one listener; every request uses a new connection.

    Args:
        endpoint: the listener; the client connects to nothing else.
        host: the plan's ``target.host``, which may have a port, for the Host header and
            the TLS server name. By default, the host of the listener rule, else the
            name of the load balancer.
        identity: the identity header, and its value in responses of green.
        deadline: bounds every request, beside the request's own timeout.
        policy: which addresses may be connected to.
        verify: a file of CA certificates to trust instead of certifi's.
    """

    endpoint: Endpoint
    _: KW_ONLY
    deadline: Deadline
    host: str | None = None
    identity: tuple[str, str] | None = None
    policy: AddressPolicy
    verify: str | None = None

    def __call__(self, request: Request) -> Reply:
        """Send a request over a new connection, and one for each redirect.

        Raises:
            NoAnswer: refused, reset, too slow, too large or not HTTP.
            NotGreen: another than the replacement task set responded.
            CannotMeasure: no time is left, or the request cannot be sent.
        """
        if self.deadline.expired:
            raise CannotMeasure(
                f"no time left for a request to {self.endpoint.url}", code=Code.NO_TIME
            )
        deadline = self.deadline.within(request.timeout)
        limit = deadline.remaining
        with handle(cookies=request.follow > 0) as curl:

            def ask(request: Request) -> Reply:
                exchange = Exchange(
                    endpoint=self.endpoint,
                    deadline=deadline,
                    limit=limit,
                    policy=self.policy,
                    ip=request.ip,
                )
                reply = self._send(curl, request, exchange)
                if self.identity is not None:
                    demand_green(reply.fields, self.identity)
                return reply

            return followed(ask, request)

    def _send(self, curl: pycurl.Curl, request: Request, exchange: Exchange) -> Reply:
        """Send one request over a new connection, without following redirects."""
        server_name = request.trust.server_name
        defaults = RequestDefaults.of(
            self.endpoint, host=self.host, server_name=server_name
        )
        message = defaults.message(request)
        encrypted = defaults.is_encrypted
        started = exchange.deadline.clock.now()
        answer = Answer(exchange, request.max_body, message.decodes)
        with closing(exchange.connect()) as connection:
            curl.setopt(pycurl.URL, message.url)
            curl.setopt(pycurl.PATH_AS_IS, 1)
            headers = list(message.headers)
            if not any(each.lower().startswith("host:") for each in headers):
                headers.append(f"Host: {defaults.origin.partition('://')[2]}")
            curl.setopt(pycurl.HTTPHEADER, [each.encode("latin-1") for each in headers])
            # libcurl does not notice a truncated body.
            curl.setopt(pycurl.HTTP_CONTENT_DECODING, 0)
            curl.setopt(pycurl.HTTP_VERSION, _HTTP[request.http2])
            say(curl, message)
            if encrypted:
                secure(curl, request.trust, self.verify)
            _connected(curl, connection)
            curl.setopt(pycurl.HEADERFUNCTION, answer.take_header)
            curl.setopt(pycurl.WRITEFUNCTION, answer.take_body)
            curl.setopt(pycurl.TIMEOUT_MS, max(1, round(exchange.remaining() * 1000)))
            try:
                curl.perform()
            except pycurl.error as error:
                raise answer.trouble or no_answer(
                    curl,
                    error,
                    exchange,
                    server_name=urlsplit(message.url).hostname if encrypted else None,
                    size=len(message.body or b""),
                ) from None
        answer.end()
        return Reply(
            status=answer.status,
            headers=answer.headers,
            body=answer.body,
            duration=exchange.deadline.clock.now() - started,
            peer=exchange.peer,
            http_version=_VERSIONS.get(curl.getinfo(pycurl.INFO_HTTP_VERSION), ""),
            url=defaults.origin + message.target,
            fields=tuple(answer.fields),
            cookies=answer.cookies,
            phases=_phases(curl, exchange),
            certificate=peer_certificate(curl) if encrypted else None,
        )


_REDIRECTS = {301, 302, 303, 307, 308}

_PORTS = {"http": 80, "https": 443}


def followed(ask: Callable[[Request], Reply], request: Request) -> Reply:
    """Send a request, and follow at most ``request.follow`` redirects.

    The method follows RFC 9110, 15.4: a 303 changes all but HEAD to GET, and so do 301
    and 302 change POST, as in every browser.

    Args:
        ask: sends one request to the listener.
        request: the first.

    Raises:
        NoAnswer: a redirect leads away from the listener or in a circle, or there are
            too many.
    """
    passed: list[Redirect] = []
    reply, duration, jar = ask(request), 0.0, set[str]()
    first = reply.url
    seen: set[object] = set()
    while request.follow and reply.status in _REDIRECTS and reply.header("Location"):
        location = reply.header("Location") or ""
        passed.append(Redirect(status=reply.status, url=reply.url, location=location))
        if len(passed) > request.follow:
            raise NoAnswer(
                f"more than {request.follow} redirects: {_way(passed)}",
                code=Code.HTTP_REDIRECTS,
            )
        duration += reply.duration
        jar.update(reply.cookies)
        step = (request.method, reply.url, frozenset(jar))
        if step in seen:
            raise NoAnswer(
                f"the redirects form a loop: {_way(passed)}",
                code=Code.HTTP_REDIRECTS,
            )
        seen.add(step)
        request = _next(request, reply, _path(reply.url, location, first, passed))
        reply = ask(request)
    return replace(reply, redirects=tuple(passed), duration=reply.duration + duration)


def _path(url: str, location: str, first: str, passed: list[Redirect]) -> str:
    try:
        to = urlsplit(urljoin(url, location))
        leads = (to.scheme, to.hostname, to.port or _PORTS.get(to.scheme))
    except ValueError:
        raise NoAnswer(
            f"the redirect to {masked(location)[:200]!r} is not a valid URL",
            code=Code.HTTP_REDIRECTS,
        ) from None
    own = urlsplit(first)
    if leads != (own.scheme, own.hostname, own.port or _PORTS[own.scheme]):
        raise NoAnswer(
            f"a redirect leads away from the listener ({own.scheme}://{own.netloc}), "
            f"so it was not followed: {_way(passed)}",
            code=Code.HTTP_REDIRECT_AWAY,
        )
    return (to.path or "/") + (f"?{to.query}" if to.query else "")


def _next(request: Request, reply: Reply, path: str) -> Request:
    get = (reply.status == 303 and request.method != "HEAD") or (
        reply.status in {301, 302} and request.method == "POST"
    )
    if not get:
        return replace(request, path=path)
    headers = {
        name: value
        for name, value in request.headers.items()
        if not name.lower().startswith("content-")
    }
    return replace(request, method="GET", path=path, body=None, headers=headers)


def _way(passed: list[Redirect]) -> str:
    first = urlsplit(passed[0].url).path
    hops = "".join(
        f", {each.status} to {masked(each.location)[:200]}" for each in passed[-5:]
    )
    skipped = ", …" if len(passed) > 5 else ""
    return f"{first}{skipped}{hops}"
