"""One request on its way: a curl handle, used again and again for its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pycurl

from hookgate.http_probe.tls import secure
from hookgate.traffic.aim import Aim
from hookgate.traffic.load import Load
from hookgate.traffic.tally import Tally

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


@dataclass(slots=True, eq=False)
class Flight:
    """A handle, and what the request on it is for.

    Args:
        curl: the handle; its options stay from request to request.
        kind: what it is of, and where it waits for the next request.
        head: the lines of the answer's head, where they are looked at.
        url: what it asks for.
        due: when the request was due, on the monotonic clock.
        counts: whether it counts; not during the warm-up.
        side: the listener that it is for.
    """

    curl: Any
    kind: Kind
    head: list[bytes] | None
    url: str = ""
    due: float = 0.0
    counts: bool = False
    side: Any = None

    def ask(self, url: str) -> None:
        """Ask for another URL than the last time."""
        self.url = url
        self.curl.setopt(pycurl.URL, url)


@dataclass(slots=True, kw_only=True, eq=False)
class Kind:
    """Requests that differ in their URL only, and the handles that wait for them.

    Args:
        aim: where they go.
        load: their bounds.
        method: their method.
        headers: all of their headers.
        body: what they send.
        tally: where they count.
        opener: makes their sockets.
        proven: whether the answers' heads are looked at.
    """

    aim: Aim
    load: Load
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    tally: Tally
    opener: Opener
    proven: bool
    waiting: list[Flight] = field(default_factory=list)
    made: int = 0

    def close(self) -> None:
        """Close the handles that wait."""
        for each in self.waiting:
            each.curl.close()

    def make(self) -> Flight:
        """One more handle for requests of this kind."""
        curl = pycurl.Curl()
        head: list[bytes] | None = [] if self.proven else None
        self._bind(curl)
        self._address(curl)
        # Built-in functions: nothing of Python's is run for a body that nobody reads.
        curl.setopt(pycurl.WRITEFUNCTION, len)
        if head is not None:
            curl.setopt(pycurl.HEADERFUNCTION, head.append)
        self.made += 1
        return Flight(curl, self, head)

    def _bind(self, curl: Any) -> None:
        # What libcurl would say by itself costs less than a header of our own.
        headers = {**self.headers}
        agent = headers.pop("User-Agent", None)
        if agent:
            curl.setopt(pycurl.USERAGENT, agent)
        lines = [
            f"{name}: {value}" if value else f"{name};"
            for name, value in headers.items()
        ]
        if self.body is not None:
            lines.append("Expect:")
        curl.setopt(pycurl.HTTPHEADER, lines)
        curl.setopt(pycurl.TIMEOUT_MS, max(1, round(self.load.timeout * 1000)))
        curl.setopt(pycurl.NOSIGNAL, 1)
        if self.method == "HEAD":
            curl.setopt(pycurl.NOBODY, 1)
        elif self.body is not None:
            curl.setopt(pycurl.POSTFIELDS, self.body)
        if self.method != "GET" or self.body is not None:
            curl.setopt(pycurl.CUSTOMREQUEST, self.method)

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
        curl.setopt(pycurl.FRESH_CONNECT, int(not load.keep_alive))
        if aim.secure:
            secure(curl, load.trust, aim.trust)
            curl.setopt(pycurl.OPT_CERTINFO, 0)  # Nobody asks for it under load.
