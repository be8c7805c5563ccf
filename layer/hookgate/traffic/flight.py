"""One request on its way: a curl handle, used again and again for its kind."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pycurl

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http.address import AddressPolicy, ascii_host, host_of
from hookgate.http.client import Message, RequestDefaults, say
from hookgate.http.response import BodyError, Decoder, final_fields
from hookgate.http.transfer import secure
from hookgate.traffic.options import MARK, Load
from hookgate.traffic.tally import Tally
from hookgate.version import VERSION

# What a Network Load Balancer's TCP and TLS listeners forward is asked over HTTP.
_SCHEMES = {"http": "http", "https": "https", "tcp": "http", "tls": "https"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A listener that may be loaded, and how green proves itself there.

    Args:
        endpoint: where it is; nothing else is ever connected to.
        host: the plan's ``target.host``.
        identity: a header and the value that only the replacement task set gives it.
        policy: which addresses may be connected to.
        verify: a file of CA certificates to trust instead of certifi's.
        examine: looks at the proof before the first request.
    """

    endpoint: Endpoint
    host: str | None = None
    identity: tuple[str, str] | None = None
    policy: AddressPolicy
    verify: str | None = None
    examine: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """A target, resolved: what every request to it has in common."""

    defaults: RequestDefaults
    addresses: Sequence[str]
    port: int
    secure: bool
    trust: str | None

    @classmethod
    def at(cls, target: Target, seconds: float, server_name: str = "") -> Aim:
        """Resolve ``target`` within so many seconds.

        ``server_name`` is asked for in a TLS handshake instead of the host.

        Raises:
            CannotMeasure: the listener carries no HTTP, or leads where a gate never
                connects to.
            NoAnswer: the load balancer's name does not resolve.
        """
        endpoint = target.endpoint
        scheme = _SCHEMES.get(endpoint.scheme)
        if scheme is None:
            raise CannotMeasure(
                f"no HTTP over a {endpoint.scheme} listener", code=Code.HTTP_NO_LISTENER
            )
        if seconds <= 0:
            raise NoAnswer(
                f"no time was left to resolve {endpoint.address}", code=Code.NO_TIME
            )
        said = target.host or endpoint.host
        if server_name and not said:
            said = f"{endpoint.address}:{endpoint.port}"
        name = server_name or host_of(said or endpoint.address)
        place = f"[{name}]" if ":" in name else name
        own = {"Host": ascii_host(said)} if said else {}
        return cls(
            defaults=RequestDefaults(
                base=f"{scheme}://{ascii_host(place)}:{endpoint.port}",
                prefix=endpoint.path_prefix,
                headers={**_always(), **own, **endpoint.headers},
                conditions=endpoint.conditions,
            ),
            addresses=target.policy.resolve(endpoint, seconds=seconds),
            port=endpoint.port,
            secure=scheme == "https",
            trust=target.verify,
        )

    def pin(self, number: int) -> str:
        """CURLOPT_CONNECT_TO: whatever the URL says, connect to this address."""
        address = self.addresses[number % len(self.addresses)]
        place = f"[{address}]" if ":" in address else address
        return f"::{place}:{self.port}"


def _always() -> Mapping[str, str]:
    return {
        "User-Agent": f"Hookgate/{VERSION} (traffic)",
        MARK[0]: MARK[1],
    }


#: Makes the socket to the address that curl is about to connect to.
Opener = Callable[[int, Any], Any]

_VERSIONS = {
    ("1.1", False): pycurl.CURL_HTTP_VERSION_1_1,
    ("1.1", True): pycurl.CURL_HTTP_VERSION_1_1,
    ("2", False): pycurl.CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE,
    ("2", True): pycurl.CURL_HTTP_VERSION_2TLS,
}

#: Errors of libcurl in a person's words (curl.se/libcurl/c/libcurl-errors.html).
_WORDS = {
    7: "no connection: refused or unreachable",
    16: "HTTP/2 failed",
    18: "the answer broke off",
    28: "timed out",
    35: "the TLS handshake failed",
    52: "closed without an answer",
    55: "the request was not taken",
    56: "the connection was reset",
    60: "the certificate is not trusted, or is for another name",
    92: "the HTTP/2 stream was reset",
}

TIMED_OUT = pycurl.E_OPERATION_TIMEDOUT


def words(code: int, message: str) -> str:
    """What a transfer's error means; bounded, so that reasons can be counted."""
    return _WORDS.get(code) or f"curl error {code}: {message[:60]}"


#: The largest body after decoding; what a step of ``http`` takes at most.
_LARGEST = 64 * 1024 * 1024

#: Seconds that a connection may be idle and still be used. Servers may close idle ones
#: (RFC 9112, 9.5), and libcurl looks for that only where it was idle for a second.
_IDLE = 1

LOST = "the connection was lost before an answer, and the request sent again"

_NO_BODY = "the body is not what its Content-Encoding says"

_ENCODED = b"\ncontent-encoding"


@dataclass(slots=True, eq=False)
class Flight:
    """A handle, and what the request on it is for.

    Args:
        curl: the handle; its options stay from request to request.
        kind: what it is of, and where it waits for the next request.
        head: the lines of the response's heads and trailers, if it is watched.
        watched: whether head and body are looked at.
        url: what it asks for.
        most: more bytes than the request takes, fewer than when it is sent twice.
        due: when the request was due, on the monotonic clock.
        counts: whether it counts; not during the warm-up.
        side: the listener that it is for.
    """

    curl: Any
    kind: Kind
    head: list[bytes] = field(default_factory=list)
    watched: bool = False
    url: str = ""
    most: int = 0
    due: float = 0.0
    counts: bool = False
    side: Any = None
    _decoder: Decoder | None = None
    _trouble: str = ""

    def ask(self, url: str) -> None:
        """Ask for another URL than the last time."""
        self.url = url
        self.most = self.kind.most_bytes(url)
        self.curl.setopt(pycurl.URL, url)
        self._watch(url not in self.kind.plain)

    def fault(self) -> str:
        """Why a response that was watched is none; nothing when all is well."""
        decoder = self._decoder
        if decoder is not None and not self._trouble:
            try:
                decoder.end()
            except BodyError as error:
                self._trouble = f"{_NO_BODY}: {error}"
        return self._trouble

    def learn(self) -> None:
        """Look no more at what this URL gives, if nothing has to be checked in it."""
        if not self.kind.identified and _ENCODED not in b"".join(self.head).lower():
            self.kind.plain.add(self.url)

    def forget(self) -> None:
        """Be ready for the next response after one that was watched."""
        self.head.clear()
        self._decoder = None
        self._trouble = ""
        self._watch(self.url not in self.kind.plain)

    def _watch(self, watched: bool) -> None:
        if watched == self.watched:
            return
        self.watched = watched
        if watched:
            self.curl.setopt(pycurl.HEADERFUNCTION, self.head.append)
            self.curl.setopt(pycurl.WRITEFUNCTION, self._take)
        else:
            # A built-in function: nothing of Python's is run for what nobody reads.
            self.curl.unsetopt(pycurl.HEADERFUNCTION)
            self.curl.setopt(pycurl.WRITEFUNCTION, len)

    def _take(self, piece: bytes) -> None:
        """Check a piece of the body, and keep nothing of it."""
        if self._decoder is None and _ENCODED in b"".join(self.head).lower():
            self._decoder = self._decoding()
        if self._decoder is not None and not self._trouble:
            try:
                self._decoder.take(piece)
            except BodyError as error:
                self._trouble = f"{_NO_BODY}: {error}"

    def _decoding(self) -> Decoder:
        try:
            return Decoder.of(final_fields(self.head), _LARGEST)
        except BodyError as error:
            self._trouble = f"{_NO_BODY}: {error}"
            return Decoder((), _LARGEST)


@dataclass(slots=True, kw_only=True, eq=False)
class Kind:
    """Requests that differ in their URL only, and the handles that wait for them.

    Args:
        aim: where they go.
        load: their bounds.
        message: what they send; each with a URL of its own.
        tally: where they count.
        opener: makes their sockets.
        identified: whether every response has to prove who gave it, and is watched.
        plain: URLs whose response was not encoded. Without an identity nothing of
            their later responses is looked at, as libcurl takes as long to hand over
            a head as to send a request.
    """

    aim: Aim
    load: Load
    message: Message
    tally: Tally
    opener: Opener
    identified: bool
    plain: set[str] = field(default_factory=set)
    waiting: list[Flight] = field(default_factory=list)
    made: int = 0

    def close(self) -> None:
        """Close the handles that wait."""
        for each in self.waiting:
            each.curl.close()

    def make(self) -> Flight:
        """One more handle for requests of this kind."""
        curl = pycurl.Curl()
        self._bind(curl)
        self._address(curl)
        curl.setopt(pycurl.WRITEFUNCTION, len)
        self.made += 1
        return Flight(curl, self)

    def most_bytes(self, url: str) -> int:
        """More bytes than one request takes, and fewer than one that is sent twice.

        libcurl sends a request again by itself when a connection that was used before
        breaks without an answer. In HTTP/2 it does so too for a request that the
        server refused (RFC 9113, 8.7), and does not tell one from the other.
        """
        if self.load.http_version == "2":
            return sys.maxsize
        lines = sum(len(each) + 2 for each in self.message.headers)
        head = lines + len(self.message.method) + len(url)
        return head + head // 2 + len(self.message.body or b"")

    def _bind(self, curl: Any) -> None:
        message = self.message
        # What libcurl says by itself costs less than a header of our own.
        agent = next((e for e in message.headers if e.startswith("User-Agent: ")), "")
        left_out = {agent, "Accept: */*"} | (
            {"Content-Type:", "Expect:"} if message.body is None else set()
        )
        lines = [each for each in message.headers if each not in left_out]
        if agent:
            curl.setopt(pycurl.USERAGENT, agent.partition(": ")[2].encode("latin-1"))
        curl.setopt(pycurl.HTTPHEADER, [each.encode("latin-1") for each in lines])
        curl.setopt(pycurl.TIMEOUT_MS, max(1, round(self.load.timeout * 1000)))
        curl.setopt(pycurl.NOSIGNAL, 1)
        curl.setopt(pycurl.HTTP_CONTENT_DECODING, 0)
        say(curl, message)

    def _address(self, curl: Any) -> None:
        """Have it go to the listener and nowhere else, whatever answers say."""
        aim, load = self.aim, self.load
        curl.setopt(pycurl.CONNECT_TO, [aim.pin(self.made)])
        curl.setopt(pycurl.OPENSOCKETFUNCTION, self.opener)
        curl.setopt(pycurl.PROXY, "")
        curl.setopt(pycurl.FOLLOWLOCATION, 0)
        curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        curl.setopt(pycurl.PATH_AS_IS, 1)
        curl.setopt(pycurl.HTTP_VERSION, _VERSIONS[load.http_version, aim.secure])
        curl.setopt(pycurl.PIPEWAIT, int(load.http_version == "2"))
        curl.setopt(pycurl.FORBID_REUSE, int(not load.keep_alive))
        curl.setopt(pycurl.MAXAGE_CONN, _IDLE)
        curl.setopt(pycurl.FRESH_CONNECT, int(not load.keep_alive))
        if aim.secure:
            secure(curl, load.trust, aim.trust)
            curl.setopt(pycurl.OPT_CERTINFO, 0)  # Nobody asks for it under load.
