"""Run a scenario, request by request."""

from __future__ import annotations

import itertools
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

from pydantic import ValidationError

from hookgate import Auth, Finding, NoAnswer, Reply, Request, Trust
from hookgate.assertions.queries import (
    Missing,
    Unreadable,
    encodable,
    not_finite,
    shown,
)
from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.http.request import HttpClient
from hookgate.redaction import hide, masked
from hookgate.retry import eventually
from hookgate_validators.http import assertions, status_finding
from hookgate_validators.scenario.steps import Call, Group, Script, calls, seconds
from hookgate_validators.scenario.variables import NotCaptured, readable, written

# RFC 6265, 6.1: what a client must at least keep.
MOST_COOKIES = 50

MOST_COOKIE_BYTES = 4096


class _Policy(DefaultCookiePolicy):
    """Sends cookies marked ``Secure`` over TLS and to this machine.

    With ``always``, they are also sent over plain HTTP. ``withheld`` has the names of
    those that were not sent.
    """

    def __init__(self, *, always: bool) -> None:
        super().__init__()
        self.always = always
        self.withheld: set[str] = set()

    def return_ok_secure(self, cookie: Cookie, request: urllib.request.Request) -> bool:
        if not cookie.secure or self.always or _is_trusted(request):
            return True
        self.withheld.add(cookie.name)
        return False


class Jar:
    """Keeps cookies and sends them, by ``Domain``, ``Path``, ``Secure`` and age.

    Args:
        always: whether cookies marked ``Secure`` are also sent over plain HTTP.

    Source: RFC 6265, sections 5.3 and 5.4, as http.cookiejar implements them
    (docs.python.org/3/library/http.cookiejar.html).
    """

    def __init__(self, *, always: bool = False) -> None:
        self._policy = _Policy(always=always)
        self._kept = CookieJar(self._policy)

    def keep(self, lines: Sequence[str], url: str) -> None:
        """Keep the cookies that a response to a request for ``url`` sets.

        Raises:
            NoAnswer: there are more or larger cookies than a client must keep.
        """
        for line in lines:
            pair = line.partition(";")[0]
            name, sign, _ = pair.partition("=")
            if len(pair) > MOST_COOKIE_BYTES + 1:
                raise NoAnswer(
                    f"the cookie {masked(name)[:64]} is larger than "
                    f"{MOST_COOKIE_BYTES} bytes",
                    code=Code.COOKIE_SIZE,
                )
            if sign and name.strip():
                self._take(line, url)
        if len(self._kept) > MOST_COOKIES:
            raise NoAnswer(
                f"the responses set more than {MOST_COOKIES} cookies",
                code=Code.COOKIE_SIZE,
            )

    def header(self, url: str) -> str | None:
        """The Cookie header for ``url``, longer paths first; None for no cookie."""
        self._policy.withheld.clear()
        request = urllib.request.Request(url)  # noqa: S310 - nothing is opened
        self._kept.add_cookie_header(request)
        return request.get_header("Cookie")

    def _take(self, line: str, url: str) -> None:
        """Take one cookie at a time: http.cookiejar deletes before it sets."""
        headers = Message()
        headers["Set-Cookie"] = line
        reply: Any = SimpleNamespace(info=lambda: headers)
        self._kept.extract_cookies(reply, urllib.request.Request(url))  # noqa: S310 - nothing is opened

    @property
    def withheld(self) -> Sequence[str]:
        """The cookies marked ``Secure`` that are not in the last header."""
        return sorted(self._policy.withheld)


def _is_trusted(request: urllib.request.Request) -> bool:
    """Whether the connection is private: TLS, or this machine, as in browsers."""
    host = urlsplit(request.full_url).hostname or ""
    if request.type == "https" or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


#: The origin until the first response; the jar is empty until then.
_UNKNOWN = "http://unknown.invalid"


@dataclass(slots=True, kw_only=True)
class Session:
    """Sends requests as one user: with the same cookies, headers and authentication.

    Args:
        client: sends one request, with the identity check.
        headers: headers of every request; those of a step take precedence.
        auth: the authentication; a token is requested once.
        trust: the TLS settings.
        jar: the cookies.
    """

    client: HttpClient
    headers: Mapping[str, str] = field(default_factory=dict)
    auth: Auth | None = None
    trust: Trust = field(default_factory=Trust)
    jar: Jar = field(default_factory=Jar)
    _origin: str = _UNKNOWN
    _authorization: str = ""

    def send(self, request: Request, deadline: Deadline) -> Reply:
        """Send a request and follow its redirects; the cookies of each are kept.

        Raises:
            NoAnswer: there is no response or no token, or the cookies exceed a bound.
            NotGreen: another than the replacement task set responded.
            CannotMeasure: no listener may be requested.
        """
        from hookgate.http.client import followed  # noqa: PLC0415 - imports libcurl, which reading a plan does not need

        bounded = deadline.within(request.timeout)
        return followed(lambda each: self._once(each, bounded), self._own(request))

    def _own(self, request: Request) -> Request:
        """The request with TLS settings and authentication of the whole run."""
        own, headers = replace(request, trust=self.trust), dict(request.headers)
        if self.auth is not None and "authorization" not in map(str.lower, headers):
            if not self._authorization:
                plain = Request(timeout=request.timeout, trust=self.trust)
                authorized = self.auth.authorized(plain, self.client)
                self._authorization = authorized.headers["Authorization"]
            headers["Authorization"] = self._authorization
        return replace(own, headers=headers)

    def _once(self, request: Request, deadline: Deadline) -> Reply:
        url, headers = self._origin + request.path, dict(request.headers)
        cookies = self.jar.header(url)
        if cookies and "cookie" not in {each.lower() for each in headers}:
            headers["Cookie"] = cookies
        timeout = max(deadline.remaining, 0.001)
        reply = self.client(
            replace(request, headers=headers, timeout=timeout, follow=0)
        )
        parts = urlsplit(reply.url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self.jar.keep(reply.cookies, self._origin + request.path)
        return reply


#: A captured value is no larger than this, written as JSON.
LARGEST = 64 * 1024

#: A secret has no more parts, each of which is masked.
MOST_PARTS = 100

#: Parts of a secret value that are not secret; masking them would damage every text.
_NOT_SECRET: tuple[Any, ...] = ("", None, True, False, [], {})


@dataclass(slots=True, kw_only=True)
class ScriptRun:
    """One run: it keeps cookies and values, and ends with its cleanup steps."""

    script: Script
    session: Session
    deadline: Deadline
    values: dict[str, Any] = field(default_factory=dict)

    def findings(self) -> Iterator[Finding]:
        """Run the steps until one fails, then all cleanup steps.

        The time that the cleanup may take, at most half of all, is reserved for it.
        """
        self.values.update(self.script.variables)
        left = self.deadline.remaining
        kept = min(seconds(self.script.cleanup), left / 2)
        trouble: Exception | None = None
        try:
            yield from self._in_order(
                self.script.steps, self.deadline.within(left - kept)
            )
        # The cleanup runs after every error, even a crash.
        except Exception as error:  # noqa: BLE001 - raised again below
            trouble = error
        for call, row in calls(self.script.cleanup):
            try:
                yield from self._findings_of(call, row, self.deadline, "cleanup, ")
            except Exception as error:  # noqa: BLE001 - as above
                trouble = trouble or error
        if trouble:
            raise trouble

    def _in_order(
        self, items: Sequence[Call | Group], deadline: Deadline
    ) -> Iterator[Finding]:
        for call, row in calls(items):
            found = list(self._findings_of(call, row, deadline))
            yield from found
            if not all(each.ok for each in found):
                return

    def _findings_of(
        self, call: Call, row: Any, deadline: Deadline, prefix: str = ""
    ) -> Iterator[Finding]:
        """The findings of one step, after its retries."""
        values = self.values if row is None else {**self.values, "row": row}
        title = f"{prefix}{readable(call.title, values)}"
        try:
            ready = call.filled(values)
        except (NotCaptured, ValidationError) as error:
            if isinstance(error, NotCaptured):
                what = f"not sent: {{{{{error.args[0]}}}}} has no value"
            else:
                what = f"not valid with the values of its variables: {_first(error)}"
            yield Finding(ok=False, code=Code.CAPTURE, summary=f"{title}: {what}")
            return
        settled = eventually(
            lambda: self._attempt(ready, deadline), ready.retry_policy, deadline
        )
        for each in settled:
            yield replace(each, summary=f"{title}: {each.summary}")

    def _attempt(self, call: Call, deadline: Deadline) -> tuple[Finding, ...]:
        request = call.request(
            self.session.headers,
            timeout=call.timeout,
            max_body=call.max_body,
            follow=call.follow,
        )
        reply = self.session.send(request, deadline)
        return tuple(self._judged(call, reply))

    def _judged(self, call: Call, reply: Reply) -> Iterator[Finding]:
        """The findings that are not satisfied, or one finding that all are."""
        status, trust = status_finding(call.status, reply), self.session.trust
        captures = list(self._captured(call, reply))
        expected = (each.finding(reply) for each in assertions(call, call.expect))
        found = [status, *expected]
        failed = [each for each in (*found, *captures) if not each.ok]
        if not failed:
            yield replace(
                status,
                summary="; ".join(each.summary for each in found),
                waiver=trust.waiver if reply.certificate else "",
                code=Code.SCENARIO_STEP,
            )
            return
        for each in failed:
            yield replace(each, evidence={**status.evidence, "body": reply.text})
        if withheld := self.session.jar.withheld:
            yield Finding(
                ok=False,
                summary=f"marked Secure, so not sent without TLS: cookie "
                f"{', '.join(withheld)}; for a test listener without TLS, write "
                "secure_cookies: always",
                code=Code.COOKIE_WITHHELD,
            )

    def _captured(self, call: Call, reply: Reply) -> Iterator[Finding]:
        """Keep what the step captures; yield a finding for what cannot be kept."""
        for name, capture in call.capture.items():
            where, value = capture.take(reply)
            fault = _fault(value) or (_too_many(value) if capture.secret else "")
            if fault:
                summary = f"capture {name}: {where}: {fault}"
                yield Finding(ok=False, summary=summary, code=Code.CAPTURE)
                continue
            for each in _parts(value) if capture.secret else ():
                hide(each)
            self.values[name] = value


def _too_many(value: Any) -> str:
    """Why a secret cannot be masked, or nothing."""
    many = len(list(itertools.islice(_parts(value), MOST_PARTS + 1))) > MOST_PARTS
    what = f"more than {MOST_PARTS} values cannot be masked: capture the secret alone"
    return what if many else ""


def _parts(value: Any) -> Iterator[str]:
    """A value and its parts as texts; a response may repeat a part alone."""
    yield written(value)
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list | tuple):
        for each in inner:
            if each not in _NOT_SECRET:
                yield from _parts(each)


def _fault(value: Any) -> str:
    """Why a value cannot be kept, or nothing."""
    if isinstance(value, Missing | Unreadable) or not_finite(value):
        return f"got {shown(value)}"
    if value is None or value in ("", b"", [], {}):
        return f"got {shown(value)}, which cannot be used as a value"
    if len(encodable(written(value))) > LARGEST:
        return f"more than {LARGEST} characters cannot be kept"
    return ""


def _first(error: ValidationError) -> str:
    first = error.errors(include_url=False, include_input=False)[0]
    return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
