"""Follow redirects: bounded, never away from the listener, never in a circle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urljoin, urlsplit

from hookgate.codes import Code
from hookgate.errors import NoAnswer
from hookgate.probe import Redirect, Reply, Request

_REDIRECTS = {301, 302, 303, 307, 308}
_PORTS = {"http": 80, "https": 443}


def followed(ask: Callable[[Request], Reply], request: Request) -> Reply:
    """Ask, and ask again where the answer leads, at most ``request.follow`` times.

    Which method goes on is said in RFC 9110, 15.4: 303 makes a GET of all but HEAD, and
    so do 301 and 302 of POST, as every browser has it.

    Args:
        ask: sends one request to the listener, and says what it called the listener.
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
                f"the redirects lead in a circle: {_way(passed)}",
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
            f"the redirect to {location[:200]!r} leads nowhere",
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
    hops = "".join(f", {each.status} to {each.location[:200]}" for each in passed[-5:])
    skipped = ", …" if len(passed) > 5 else ""
    return f"{first}{skipped}{hops}"
