"""Who goes a scenario's way: what all requests of one run have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from hookgate.deadline import Deadline
from hookgate.http_options import Auth
from hookgate.http_probe.redirects import followed
from hookgate.probe import Probe, Reply, Request, Trust
from hookgate.scenario.jar import Jar

#: What the listener calls itself until it has answered; a jar is empty until then.
_UNKNOWN = "http://unknown.invalid"


@dataclass(slots=True, kw_only=True)
class Visitor:
    """Asks as one user would: with the same cookies, headers, and proof of who asks.

    Args:
        probe: sends one request, and proves who answered.
        headers: what every request has, unless a step says otherwise.
        auth: who asks; a token is asked for once.
        trust: whom to trust with TLS, and which certificate to show.
        bares_secure: whether cookies marked Secure go over plain HTTP too.
    """

    probe: Probe
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: Auth | None = None
    trust: Trust = field(default_factory=Trust)
    bares_secure: bool = False
    jar: Jar = field(init=False)
    _origin: str = _UNKNOWN
    _authorization: str = ""

    def __post_init__(self) -> None:
        """Begin without a cookie."""
        self.jar = Jar(always=self.bares_secure)

    def ask(self, request: Request, deadline: Deadline) -> Reply:
        """The answer to a request, after its redirects; every hop's cookies are kept.

        Raises:
            NoAnswer: there is none, or no token, or cookies are beyond bounds.
            NotGreen: somebody else answered.
            CannotMeasure: there is nothing that may be asked.
        """
        bounded = deadline.within(request.timeout)
        return followed(lambda each: self._once(each, bounded), self._own(request))

    def _own(self, request: Request) -> Request:
        """The request with TLS settings and authentication of the whole run."""
        asked, headers = replace(request, trust=self.trust), dict(request.headers)
        if self.auth is not None and "authorization" not in map(str.lower, headers):
            headers["Authorization"] = self._authorized(self.auth, asked)
        return replace(asked, headers=headers)

    def _authorized(self, auth: Auth, request: Request) -> str:
        if not self._authorization:
            plain = Request(timeout=request.timeout, trust=self.trust)
            said = auth.authorized(plain, self.probe).headers
            self._authorization = said["Authorization"]
        return self._authorization

    def _once(self, request: Request, deadline: Deadline) -> Reply:
        url, headers = self._origin + request.path, dict(request.headers)
        cookies = self.jar.header(url)
        if cookies and "cookie" not in {each.lower() for each in headers}:
            headers["Cookie"] = cookies
        timeout = max(deadline.remaining, 0.001)
        reply = self.probe(replace(request, headers=headers, timeout=timeout, follow=0))
        said = urlsplit(reply.url)
        self._origin = f"{said.scheme}://{said.netloc}"
        self.jar.keep(reply.cookies, self._origin + request.path)
        return reply
