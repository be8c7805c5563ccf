"""Secrets by reference: read when a plan names them, masked wherever words go out."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from urllib.parse import quote

_MASK = "«secret»"


class Secrets:
    """The secrets that one pass has revealed, and the mask over them.

    Args:
        read: returns the value of the secret of that name.
    """

    def __init__(self, read: Callable[[str], str]) -> None:
        self._read = read
        self._values: dict[str, str] = {}
        self._forms: tuple[str, ...] = ()

    def reveal(self, name: str) -> str:
        """The value of the secret ``name``, masked in all output from now on."""
        if name not in self._values:
            self._values[name] = self._read(name)
            forms = {form for value in self._values.values() for form in _forms(value)}
            self._forms = tuple(sorted(forms, key=len, reverse=True))
        return self._values[name]

    def mask(self, text: str) -> str:
        """``text`` with every revealed secret replaced."""
        for form in self._forms:
            text = text.replace(form, _MASK)
        return text

    def mask_all(self, value: object) -> object:
        """``value`` with every text inside it masked."""
        if isinstance(value, str):
            return self.mask(value)
        if isinstance(value, Mapping):
            return {self.mask(str(key)): self.mask_all(v) for key, v in value.items()}
        if isinstance(value, list | tuple):
            return [self.mask_all(each) for each in value]
        return value


def _forms(value: str) -> set[str]:
    """The spellings in which a value could come back: plain, quoted, base64."""
    plain = value.encode()
    spellings = {
        value,
        quote(value, safe=""),
        base64.b64encode(plain).decode(),
        base64.urlsafe_b64encode(plain).decode(),
    }
    return {each for each in spellings if each}
