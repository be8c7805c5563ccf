"""The cookies of one run of a scenario, as the standard library keeps them."""

from __future__ import annotations

import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.message import Message
from http.cookiejar import Cookie, CookieJar, DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from hookgate.codes import Code
from hookgate.errors import NoAnswer

# RFC 6265, 6.1: what a client must at least keep.
MOST = 50
LARGEST = 4096


class _Policy(DefaultCookiePolicy):
    """What goes where; a cookie that is ``Secure`` goes over TLS or to this machine.

    ``always`` has it go over plain HTTP too. ``withheld`` holds the names of those
    that did not go.
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


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer, as far as http.cookiejar looks at one."""

    headers: Message

    def info(self) -> Message:
        return self.headers


@dataclass(slots=True)
class Jar:
    """Keeps cookies and tells them, by ``Domain``, ``Path``, ``Secure`` and age.

    Args:
        always: whether cookies marked ``Secure`` go over plain HTTP too.

    Source: RFC 6265, sections 5.3 and 5.4, as http.cookiejar has them
    (docs.python.org/3/library/http.cookiejar.html).
    """

    always: bool = False
    _policy: _Policy = field(init=False)
    _kept: CookieJar = field(init=False)

    def __post_init__(self) -> None:
        """Begin without a cookie."""
        self._policy = _Policy(always=self.always)
        self._kept = CookieJar(self._policy)

    def keep(self, lines: Sequence[str], url: str) -> None:
        """Take what an answer to a request for ``url`` sets.

        Raises:
            NoAnswer: there are more or larger cookies than a client must keep.
        """
        for line in lines:
            pair = line.partition(";")[0]
            name, sign, _ = pair.partition("=")
            if len(pair) > LARGEST + 1:
                raise NoAnswer(
                    f"the cookie {name[:64]} is larger than {LARGEST} bytes",
                    code=Code.COOKIE_SIZE,
                )
            if sign and name.strip():
                self._take(line, url)
        if len(self._kept) > MOST:
            raise NoAnswer(
                f"the answers set more than {MOST} cookies", code=Code.COOKIE_SIZE
            )

    def header(self, url: str) -> str | None:
        """The Cookie header for ``url``, longer paths first; None for no cookie."""
        self._policy.withheld.clear()
        request = urllib.request.Request(url)  # noqa: S310 - nothing is opened
        self._kept.add_cookie_header(request)
        return request.get_header("Cookie")

    def _take(self, line: str, url: str) -> None:
        """One at a time: http.cookiejar deletes before it sets."""
        headers = Message()
        headers["Set-Cookie"] = line
        answer: Any = _Answer(headers)
        self._kept.extract_cookies(answer, urllib.request.Request(url))  # noqa: S310 - nothing is opened

    @property
    def withheld(self) -> Sequence[str]:
        """The cookies that the last header lacks, for they are ``Secure``."""
        return sorted(self._policy.withheld)


def _is_trusted(request: urllib.request.Request) -> bool:
    """Whether nobody can listen in: TLS, or this machine, as browsers have it."""
    host = urlsplit(request.full_url).hostname or ""
    if request.type == "https" or host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
