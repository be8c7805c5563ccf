"""libcurl's handles, which are kept for what they have read.

A handle of its own for each exchange would read the public authorities each time, in
the middle of the handshake that is measured: 8 of 10 ms. libcurl keeps them with the
handle (curl.se/libcurl/c/CURLOPT_CA_CACHE_TIMEOUT.html), and nothing else is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import pycurl

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
