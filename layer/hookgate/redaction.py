"""Secrets by reference: read when a plan names them, masked wherever words go out."""

from __future__ import annotations

import base64
import contextvars
import json
import threading
from collections.abc import Callable
from urllib.parse import quote, quote_plus

_MASK = "«secret»"
_TELLING = 8


class Secrets:
    """The secrets that one pass has revealed, and the mask over them.

    Args:
        read: returns the value of the secret of that name.
    """

    def __init__(self, read: Callable[[str], str]) -> None:
        self._read = read
        self._values: dict[str, str] = {}
        self._forms: tuple[str, ...] = ()
        self._lock = threading.Lock()

    def reveal(self, name: str) -> str:
        """The value of the secret ``name``, masked in all output from now on."""
        if name not in self._values:
            # Read outside of the lock: one secret that hangs must not hold the others.
            value = self._read(name)
            # The mask comes first: who sees a value finds it masked already.
            self.hide(value)
            with self._lock:
                self._values.setdefault(name, value)
        return self._values[name]

    def hide(self, value: str) -> None:
        """Mask ``value`` in all output from now on."""
        with self._lock:
            forms = _forms(value).union(self._forms)
            self._forms = tuple(sorted(forms, key=len, reverse=True))

    def mask(self, text: str) -> str:
        """``text`` with every revealed secret replaced; takes no lock."""
        for form in self._forms:
            text = text.replace(form, _MASK)
        return text

    def mask_this_thread(self) -> None:
        """Have ``masked`` use these secrets in the calling thread."""
        _current.set(self)


_current: contextvars.ContextVar[Secrets | None]
_current = contextvars.ContextVar("hookgate_secrets", default=None)


def masked(text: str) -> str:
    """``text`` with the secrets of the calling step's thread replaced.

    For whoever must cut a text before the engine masks it: half a secret is not found
    any more.
    """
    secrets = _current.get()
    return text if secrets is None else secrets.mask(text)


def hide(value: str) -> None:
    """Mask ``value`` in all that the calling step's thread tells from now on."""
    secrets = _current.get()
    if secrets is not None:
        secrets.hide(value)


def _forms(value: str) -> set[str]:
    """The spellings in which a value could come back.

    Plain, in a URL, base64, in Python's quotes, and in JSON, also inside of a text
    that is in JSON itself.
    """
    plain = value.encode("utf-8", "surrogatepass")
    spellings = {
        value,
        quote(plain, safe=""),
        quote_plus(plain),
        base64.b64encode(plain).decode(),
        base64.urlsafe_b64encode(plain).decode(),
        repr(value)[1:-1],
    }
    once = _in_json(value)
    twice = {form for each in once for form in _in_json(each)}
    return {each for each in spellings | once | twice | _in_base64(plain) if each}


def _in_base64(plain: bytes) -> set[str]:
    """What base64 makes of a value inside of a longer one, as in ``user:password``.

    Three bytes make four characters, so there are three ways; what the neighbours have
    a part in is left off, and what is then too short to be told from chance.
    """
    found = set()
    for before in range(3):
        text = base64.b64encode(bytes(before) + plain).decode().rstrip("=")
        end = len(text) - bool((before + len(plain)) % 3)
        found.add(text[(before * 8 + 5) // 6 : end])
    return {each for each in found if len(each) >= _TELLING}


def _in_json(text: str) -> set[str]:
    return {json.dumps(text, ensure_ascii=ascii_)[1:-1] for ascii_ in (True, False)}
