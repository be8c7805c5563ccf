"""The bytes of a plan."""

from __future__ import annotations

import pytest

from hookgate.codes import Code
from hookgate.errors import Place, PlanError
from hookgate.yaml_reader import MOST_BYTES, read


def refusal(source: str | bytes) -> tuple[Place, str]:
    """Where and with which code a source is refused."""
    with pytest.raises(PlanError) as refused:
        read(source, "plan.yaml")
    (problem,) = refused.value.problems
    return problem.place, problem.code


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
    assert (Place("plan.yaml"), Code.FILE_SIZE) == refusal(b"#" * (MOST_BYTES + 1))


def test_place_of_a_byte_that_is_not_text():
    """A byte that is not UTF-8 is reported with line and column."""
    found = refusal("a: é\nb: ".encode() + b"\xff\n")
    assert (Place("plan.yaml", 2, 4), Code.FILE_ENCODING) == found


def test_utf_16_is_refused():
    """Text in another encoding is refused, not guessed."""
    found = refusal("version: 1\n".encode("utf-16"))
    assert (Place("plan.yaml"), Code.FILE_ENCODING) == found


@pytest.mark.parametrize(
    "character",
    ["\x00", "\x07", "\x0c", "\x1b", "\x7f", "\x85", "\u2028", "\ud800", "\uffff"],
)
def test_binary_is_refused(character: str):
    """A character that no plan needs is reported with its code and place."""
    found = refusal(f"a: 1\nb: {character}\n")
    assert (Place("plan.yaml", 2, 4), Code.FILE_CHARACTER) == found


@pytest.mark.parametrize("line", ["\tb: 1", "  \tb: 1", "\t", "\t# comment"])
def test_tab_in_the_indentation_is_refused(line: str):
    """A tab where a line begins is reported at its place."""
    at = Place("plan.yaml", 2, line.index("\t") + 1)
    assert (at, Code.YAML_SYNTAX) == refusal(f"a:\n{line}\n")


def test_tab_within_a_line_is_read():
    """A tab elsewhere indents nothing."""
    assert "a:\t1" == read("a:\t1", "plan.yaml")
