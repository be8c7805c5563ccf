"""The cookies of one run of a scenario, for the one host that it asks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from hookgate.errors import NoAnswer
from hookgate.expectation.conversions import to_date, to_integer
from hookgate.expectation.cookie import Cookie, read_cookie

# RFC 6265, 6.1: what a client must at least keep.
MOST = 50
LARGEST = 4096


@dataclass(slots=True)
class Jar:
    """Keeps cookies as RFC 6265, 5.3 says, and tells them as 5.4 says.

    ``Domain`` and ``Secure`` are not looked at: every request of a scenario goes to the
    one load balancer, which often ends TLS for the service.
    """

    _kept: dict[tuple[str, str], str] = field(default_factory=dict)

    def keep(self, lines: Sequence[str], path: str) -> None:
        """Take what an answer to a request for ``path`` sets.

        Raises:
            NoAnswer: there are more or larger cookies than a client must keep.
        """
        for cookie in filter(None, map(read_cookie, lines)):
            said = cookie.attributes.get("path", "")
            where = said if said.startswith("/") else _folder(path)
            if len(cookie.name) + len(cookie.value) > LARGEST:
                raise NoAnswer(
                    f"the cookie {cookie.name[:64]} is larger than {LARGEST} bytes"
                )
            self._kept.pop((cookie.name, where), None)
            if not _is_over(cookie):
                self._kept[cookie.name, where] = cookie.value
        if len(self._kept) > MOST:
            raise NoAnswer(f"the answers set more than {MOST} cookies")

    def header(self, path: str) -> str | None:
        """The Cookie header for ``path``, longer paths first; None for no cookie."""
        bare = path.partition("?")[0]
        own = [key for key in self._kept if _matches(bare, key[1])]
        ordered = sorted(own, key=lambda key: -len(key[1]))
        pairs = (f"{name}={self._kept[name, where]}" for name, where in ordered)
        return "; ".join(pairs) or None


def _is_over(cookie: Cookie) -> bool:
    if "max-age" in cookie.attributes:
        age = to_integer(cookie.attributes["max-age"])
        return isinstance(age, int) and age <= 0
    until = to_date(cookie.attributes.get("expires", ""))
    return isinstance(until, datetime) and until <= datetime.now(UTC)


def _folder(path: str) -> str:
    """RFC 6265, 5.1.4: up to the last slash."""
    return path.partition("?")[0].rpartition("/")[0] or "/"


def _matches(path: str, where: str) -> bool:
    return path == where or path.startswith(where.rstrip("/") + "/")
