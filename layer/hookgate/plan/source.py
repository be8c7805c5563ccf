"""The bytes of a plan: small, UTF-8, and free of what no editor shows."""

from __future__ import annotations

import re

from hookgate.codes import Code
from hookgate.errors import Place, PlanError, Problem

#: Far above any plan a person writes, far below what costs a function its time.
MOST_BYTES = 256 * 1024

# What YAML forbids, what it would take for a line break and editors would not, and
# halves of surrogate pairs.
_REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]"
)
_TAB_INDENT = re.compile(r"^ *\t", re.MULTILINE)
_BREAK = re.compile(r"\r\n|\r|\n")


def read(source: str | bytes, file: str) -> str:
    """Turn what was read from a file or an AWS service into text fit for a parser.

    Raises:
        PlanError: too large, not UTF-8, binary, or indented by tabs.
    """
    if len(source) > MOST_BYTES:
        unit = "bytes" if isinstance(source, bytes) else "characters"
        raise _wrong(
            Place(file),
            Code.FILE_SIZE,
            f"the file is too large ({len(source)} {unit}, the most is {MOST_BYTES}); "
            "is this the right file?",
        )
    text = source if isinstance(source, str) else _decoded(source, file)
    text = text.removeprefix("\ufeff")
    refused = _REFUSED.search(text)
    if refused:
        raise _wrong(
            place_at(text, refused.start(), file),
            Code.FILE_CHARACTER,
            f"the character U+{ord(refused[0]):04X} has no place in a text file; is "
            "this one binary? In a double-quoted text it can be written as an escape",
        )
    tab = _TAB_INDENT.search(text)
    if tab:
        raise _wrong(
            place_at(text, tab.end() - 1, file),
            Code.YAML_SYNTAX,
            "a tab in the indentation; indent with spaces",
        )
    return text


def place_at(text: str, offset: int, file: str) -> Place:
    """Turn an offset into a line and a column, both counted from 1."""
    breaks = [each.end() for each in _BREAK.finditer(text, 0, offset)]
    start = breaks[-1] if breaks else 0
    return Place(file, len(breaks) + 1, offset - start + 1)


def _decoded(source: bytes, file: str) -> str:
    try:
        return source.decode("utf-8")
    except UnicodeDecodeError as error:
        before = source[: error.start].decode("utf-8")
        raise _wrong(
            place_at(before, len(before), file),
            Code.FILE_ENCODING,
            f"byte {error.start} is not UTF-8; save the file as UTF-8 text",
        ) from None


def _wrong(place: Place, code: Code, what: str) -> PlanError:
    return PlanError(Problem(place, code, what))
