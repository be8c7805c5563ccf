"""The bytes of a plan."""

from __future__ import annotations

import pytest

from hookgate.errors import Place, PlanError
from hookgate.plan.source import MOST_BYTES, read


def refusal(source: str | bytes) -> tuple[Place, str]:
    """Why and where a source is refused."""
    with pytest.raises(PlanError) as refused:
        read(source, "plan.yaml")
    (problem,) = refused.value.problems
    return problem


@pytest.mark.parametrize(
    "source", ["a: é\n", "a: é\n".encode(), b"\xef\xbb\xbfa: \xc3\xa9\n"]
)
def test_text_is_read(source: str | bytes):
    """Text and UTF-8, with or without a byte order mark, are read alike."""
    assert "a: é\n" == read(source, "plan.yaml")


def test_largest_plan_is_read():
    """A plan of exactly 256 KiB is read."""
    assert MOST_BYTES == len(read(b"#" * MOST_BYTES, "plan.yaml"))


def test_size_is_bounded():
    """One byte more is not."""
    _, what = refusal(b"#" * (MOST_BYTES + 1))
    assert what.startswith("the file is too large (262145 bytes, the most is 262144)")


def test_place_of_a_byte_that_is_not_text():
    """A byte that is not UTF-8 is told with line and column."""
    place, what = refusal("a: é\nb: ".encode() + b"\xff\n")
    assert (Place("plan.yaml", 2, 4), True) == (place, what.startswith("byte 9 is not"))


def test_utf_16_is_refused():
    """Text in another encoding is refused, not guessed."""
    _, what = refusal("version: 1\n".encode("utf-16"))
    assert what.startswith("byte 0 is not UTF-8; save the file as UTF-8 text")


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\x0c", "\x1b", "\x7f", "\x85", "\u2028", "\ud800", "\uffff"],
)
def test_binary_is_refused(character: str):
    """A character that no plan needs is told with its code and place."""
    place, what = refusal(f"a: 1\nb: {character}\n")
    assert Place("plan.yaml", 2, 4) == place
    assert what.startswith(f"the character U+{ord(character):04X} has no place")


@pytest.mark.parametrize("line", ["\tb: 1", "  \tb: 1", "\t", "\t# comment"])
def test_tab_in_the_indentation_is_refused(line: str):
    """A tab where a line begins is told where it is."""
    place, what = refusal(f"a:\n{line}\n")
    assert (2, line.index("\t") + 1) == (place.line, place.column)
    assert "a tab in the indentation; indent with spaces" == what


def test_tab_within_a_line_is_read():
    """A tab elsewhere indents nothing."""
    assert "a:\t1" == read("a:\t1", "plan.yaml")
