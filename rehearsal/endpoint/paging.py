"""Long lists, told a page at a time."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence


class BadTokenError(ValueError):
    """A token that no page of the list ended with."""


def page(keys: Sequence[str], token: str | None, size: int) -> tuple[slice, str | None]:
    """Which part of a list a request gets, and the token for the next part.

    A token names the last item of its page, so that what is added at the front between
    two requests moves nothing.

    Args:
        keys: What tells the items from each other, in their order.
        token: The request's token; None for the first page.
        size: The most items of a page.

    Raises:
        BadTokenError: The token is not this list's, or its item is gone.
    """
    start = 0 if token is None else _index(keys, token) + 1
    end = min(start + size, len(keys))
    following = None if end == len(keys) else _token(keys[end - 1])
    return slice(start, end), following


def _index(keys: Sequence[str], token: str) -> int:
    try:
        return list(keys).index(base64.urlsafe_b64decode(token).decode())
    except (binascii.Error, ValueError) as error:
        message = "nextToken is none that this list gave out; begin without one"
        raise BadTokenError(message) from error


def _token(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode()
