"""Requests that are in flight: curl handles, which are reused."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pycurl

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.errors import NoAnswer
from hookgate.http.address import join_address
from hookgate.http.client import Message, RequestDefaults, say
from hookgate.http.curl import secure
from hookgate.http.exchange import BodyError, Decoder, final_fields
from hookgate.traffic.options import Load
from hookgate.traffic.results import Tally
from hookgate.version import VERSION

if TYPE_CHECKING:
    from hookgate.traffic.tool import TrafficTool


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedTarget:
    """A listener with its addresses: what every request to it has in common."""

    defaults: RequestDefaults
    addresses: Sequence[str]
    port: int
    ca_file: str | None

    @classmethod
    def of(cls, endpoint: Endpoint, tool: TrafficTool, load: Load) -> ResolvedTarget:
        """Resolve ``endpoint`` before the deadline of ``tool``.

        Raises:
            CannotMeasure: the listener does not carry HTTP, or its address is not
                allowed.
            NoAnswer: the load balancer's name does not resolve.
        """
        defaults = RequestDefaults.of(
            endpoint,
            host=tool.host,
            server_name=load.trust.server_name,
            headers={
                "User-Agent": f"Hookgate/{VERSION} (traffic)",
                "X-Hookgate": "traffic",
            },
        )
        seconds = tool.deadline.remaining
        if seconds <= 0:
            raise NoAnswer(
                f"no time was left to resolve {endpoint.address}", code=Code.NO_TIME
            )
        return cls(
            defaults=defaults,
            addresses=tool.policy.resolve(endpoint, seconds=seconds),
            port=endpoint.port,
            ca_file=tool.ca_file,
        )

    def connect_to(self, number: int) -> str:
        """CURLOPT_CONNECT_TO: whatever the URL is, connect to this address."""
        address = self.addresses[number % len(self.addresses)]
        return f"::{join_address(address, self.port)}"


#: Makes the socket to the address that curl is about to connect to.
Opener = Callable[[int, Any], Any]

_HTTP_2 = pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE

_HTTP_2_TLS = pycurl.CURL_HTTP_VERSION_2TLS

#: Reasons by libcurl's error codes (curl.se/libcurl/c/libcurl-errors.html).
REASONS = {
    7: "connection refused or unreachable",
    16: "HTTP/2 protocol error",
    18: "the response was cut off",
    28: "timed out",
    35: "TLS handshake failed",
    52: "connection closed without a response",
    55: "sending the request failed",
    56: "connection reset",
    60: "the certificate is not trusted or is for another name",
    92: "HTTP/2 stream reset",
}

#: The reason of a request that libcurl sent twice.
RESENT = "the connection was lost before a response, and the request was sent again"

BAD_BODY = "the body does not match its Content-Encoding"

#: Headers that cost less if libcurl writes them itself.
_HEADER_OPTIONS = {
    "User-Agent": pycurl.USERAGENT,
    "Accept-Encoding": pycurl.ACCEPT_ENCODING,
}

_ENCODED = b"\ncontent-encoding"

#: The largest body after decoding, as in ``http``.
_MAX_BODY = 64 * 1024 * 1024

#: Seconds after which an idle connection is not reused. Servers may close idle ones
#: (RFC 9112, 9.5), and libcurl checks for that only after a second.
_MAX_IDLE = 1


@dataclass(slots=True, eq=False)
class InFlightRequest:
    """A curl handle and the request that it sends.

    Args:
        curl: the handle; its options stay from request to request.
        pool: where the handle waits for the next request.
        head: the lines of the response's heads and trailers, if it is inspected.
        inspected: whether head and body are read.
        max_bytes: more bytes than the request has, fewer than when it is sent twice.
        due: when the request was due, on the monotonic clock.
        counted: whether it is counted; false during the warm-up.
    """

    curl: Any
    pool: HandlePool
    head: list[bytes] = field(default_factory=list)
    inspected: bool = False
    url: str = ""
    max_bytes: int = 0
    due: float = 0.0
    counted: bool = False
    listener: Any = None
    getinfo: Callable[[int], int] = field(init=False)
    _decoder: Decoder | None = None
    _body_error: str = ""

    def __post_init__(self) -> None:
        """Look the method up once."""
        self.getinfo = self.curl.getinfo

    def set_url(self, url: str) -> None:
        """Change the URL."""
        self.url = url
        self.max_bytes = self.pool.max_bytes(url)
        self.curl.setopt(pycurl.URL, url)
        self._inspect(url not in self.pool.plain)

    def body_error(self) -> str:
        """What is wrong with the body of an inspected response; empty if nothing is."""
        if self._decoder is not None and not self._body_error:
            try:
                self._decoder.end()
            except BodyError as error:
                self._body_error = f"{BAD_BODY}: {error}"
        return self._body_error

    def skip_if_plain(self) -> None:
        """Inspect this URL no longer if a successful response has nothing to check."""
        # An error says nothing about the encoding of later responses.
        success = 200 <= self.curl.getinfo(pycurl.RESPONSE_CODE) < 300
        if success and not self.pool.identified and not self._is_encoded():
            self.pool.plain.add(self.url)

    def reset(self) -> None:
        """Prepare for the next response after an inspected one."""
        self.head.clear()
        self._decoder = None
        self._body_error = ""
        self._inspect(self.url not in self.pool.plain)

    def _inspect(self, inspected: bool) -> None:
        if inspected == self.inspected:
            return
        self.inspected = inspected
        if inspected:
            self.curl.setopt(pycurl.HEADERFUNCTION, self.head.append)
            self.curl.setopt(pycurl.WRITEFUNCTION, self._take)
        else:
            # A built-in function, so that no Python code runs for a discarded body.
            self.curl.unsetopt(pycurl.HEADERFUNCTION)
            self.curl.setopt(pycurl.WRITEFUNCTION, len)

    def _take(self, piece: bytes) -> None:
        """Check a piece of the body, and discard it."""
        if self._body_error:
            return
        try:
            if self._decoder is None and self._is_encoded():
                self._decoder = Decoder.of(final_fields(self.head), _MAX_BODY)
            if self._decoder is not None:
                self._decoder.take(piece)
        except BodyError as error:
            self._body_error = f"{BAD_BODY}: {error}"

    def _is_encoded(self) -> bool:
        return _ENCODED in b"".join(self.head).lower()


@dataclass(slots=True, kw_only=True, eq=False)
class HandlePool:
    """The curl handles of requests that differ in their URL only.

    Args:
        message: what they send; each with a URL of its own.
        identified: whether every response has to prove who sent it; it is inspected.
        plain: URLs whose response was not encoded. Without an identity their later
            responses are not inspected, as libcurl takes as long to pass on a head
            as to send a request.
    """

    target: ResolvedTarget
    load: Load
    message: Message
    tally: Tally
    opener: Opener
    identified: bool
    plain: set[str] = field(default_factory=set)
    idle: list[InFlightRequest] = field(default_factory=list)
    created: int = 0

    def create(self) -> InFlightRequest:
        """Create another handle."""
        curl = pycurl.Curl()
        self._set_message(curl)
        self._set_connection(curl)
        self.created += 1
        return InFlightRequest(curl, self)

    def max_bytes(self, url: str) -> int:
        """More bytes than one request has, and fewer than one that is sent twice.

        libcurl sends a request again when a reused connection breaks before a
        response. In HTTP/2 it also does so for a request that the server refused (RFC
        9113, 8.7), and does not report which of the two happened.
        """
        if self.load.http_version == "2":
            return sys.maxsize
        message = self.message
        head = len(url) - len(self.target.defaults.base)  # the host is in a header
        head += len(message.method) + sum(len(each) + 2 for each in message.headers)
        return head + head // 2 + len(message.body or b"")

    def _set_message(self, curl: Any) -> None:
        message = self.message
        left_out = {"Accept: */*"}
        if message.body is None:
            left_out |= {"Content-Type:", "Expect:"}
        lines = []
        for line in message.headers:
            name, _, value = line.partition(": ")
            if name in _HEADER_OPTIONS:
                curl.setopt(_HEADER_OPTIONS[name], value.encode("latin-1"))
            elif line not in left_out:
                lines.append(line.encode("latin-1"))
        curl.setopt(pycurl.HTTPHEADER, lines)
        curl.setopt(pycurl.TIMEOUT_MS, max(1, round(self.load.timeout * 1000)))
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.HTTP_CONTENT_DECODING, 0)
        curl.setopt(pycurl.WRITEFUNCTION, len)
        say(curl, message)
        if message.method == "GET" and message.body is None:
            curl.unsetopt(pycurl.CUSTOMREQUEST)

    def _set_connection(self, curl: Any) -> None:
        """Connect to the listener only, whatever responses redirect to."""
        target, load = self.target, self.load
        curl.setopt(pycurl.CONNECT_TO, [target.connect_to(self.created)])
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self.opener)
        curl.setopt(pycurl.NOPROXY, "*")
        curl.setopt(pycurl.DNS_CACHE_TIMEOUT, -1)  # Addresses do not change.
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.PATH_AS_IS, 1)
        version = pycurl.CURL_HTTP_VERSION_1_1
        if load.http_version == "2":
            version = _HTTP_2_TLS if target.defaults.is_encrypted else _HTTP_2
        curl.setopt(pycurl.HTTP_VERSION, version)
        curl.setopt(pycurl.PIPEWAIT, int(load.http_version == "2"))
        curl.setopt(pycurl.FORBID_REUSE, int(not load.keep_alive))
        curl.setopt(pycurl.MAXAGE_CONN, _MAX_IDLE)
        curl.setopt(pycurl.FRESH_CONNECT, int(not load.keep_alive))
        if target.defaults.is_encrypted:
            secure(curl, load.trust, target.ca_file)
            curl.setopt(pycurl.OPT_CERTINFO, 0)  # Certificates are not read here.
