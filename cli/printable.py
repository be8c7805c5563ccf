r"""Text from outside, such as a response, without control over who reads it.

A terminal obeys control characters, a page reorders text for bidirectional ones, and a
CI system reads some lines of a log as commands. ``printable`` shows all of these as
escapes, such as ``\x1b``. JSON keeps the exact text, in escapes of its own.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import rich.text

#: Characters that join what they stand between, where that is usual: emoji, scripts
#: from Arabic to Sinhala, and the flags of regions.
_PICTURES = "\u2190-\u2bff\U0001f000-\U0001faff"
_JOINED = "\u0600-\u0dff"
_USUAL = (
    f"(?<=[{_PICTURES}\ufe0f])\u200d(?=[{_PICTURES}])"
    f"|(?<=[{_JOINED}])[\u200c\u200d](?=[{_JOINED}])"
    "|\U0001f3f4[\U000e0030-\U000e007a]{1,6}\U000e007f"
)
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
#: Controls but newline and tab, bidirectional controls, separators of lines, characters
#: of no width, half surrogate pairs, and all but the first of several selectors.
_HIDDEN = (
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e"
    "\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufeff\uffa0"
    "\ufff0-\ufffb\ufffe\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e00ff\U000e01f0-\U000e0fff]"
    f"|(?<![^{_SELECTORS}])[{_SELECTORS}]"
)
_USUAL_OR_HIDDEN = re.compile(f"({_USUAL})|{_HIDDEN}")

#: The first sign of a command: ``::name`` of GitHub, which may follow spaces and the
#: sequences with which Hookgate colors a line; and ``##[name]`` or ``##name[`` of
#: GitHub, Azure Pipelines and TeamCity, anywhere.
_COMMAND = re.compile(
    r"(?:(?<=\n)|\A)(?P<spaces>(?:[^\S\n]|\x1b\[[0-9;]*m)*)"
    r":(?=:(?:[A-Za-z-]+[^\S\n]|\S+?::))"
    r"|#(?=#[\w.-]*\[)"
)


def printable(text: str) -> str:
    """Return ``text`` with what its reader cannot see, or would obey, as escapes."""
    return without_commands(_USUAL_OR_HIDDEN.sub(_seen, text))


def without_commands(lines: str) -> str:
    """Return ``lines`` so that a CI system reads none of them as a command."""
    return _COMMAND.sub(
        lambda each: (each["spaces"] or "") + _escape(each[0][-1]), lines
    )


def continued(text: str) -> str:
    """Return ``text`` with a mark before all lines but the first.

    No line of it can be taken for the next line of a list or a log.
    """
    return text.replace("\n", "\n  | ")


def printable_record(value: Any) -> Any:
    """Return a record with all its texts and keys printable."""
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, Mapping):
        return {printable(str(key)): printable_record(value[key]) for key in value}
    if isinstance(value, list | tuple):
        return [printable_record(each) for each in value]
    return value


def _seen(found: re.Match[str]) -> str:
    return found[1] or _escape(found[0])


def _escape(sign: str) -> str:
    number = ord(sign)
    if number < 0x100:
        return f"\\x{number:02x}"
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


class Text(rich.text.Text):
    """Text for a terminal, printable before its width is measured."""

    def __init__(self, text: str = "", *arguments: Any, **options: Any) -> None:
        super().__init__(printable(text), *arguments, **options)

    def append(self, text: rich.text.Text | str, style: Any = None) -> rich.text.Text:
        """Add ``text``, printable, in a style."""
        return super().append(printable(text) if isinstance(text, str) else text, style)
