"""Text from outside controls no terminal, page or CI system."""

from pathlib import Path

import pytest
import yaml

from hookgate_cli.printable import (
    continued,
    printable,
    printable_record,
    without_commands,
)

TEXTS = yaml.safe_load(Path(__file__).with_name("hostile.yaml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param(each["text"], each.get("shown", each["text"]), id=each["id"])
        for each in TEXTS
    ],
)
def test_text(text, shown):
    """A control or command becomes visible, other text stays, and twice is as once."""
    assert (shown, shown) == (printable(text), printable(printable(text)))


def test_half_a_surrogate_pair():
    """Half a pair, possible in JSON, becomes its escape."""
    assert r"\ud800" == printable("\ud800")


def test_further_lines_are_marked():
    """A text of several lines cannot add a line of its own to a list."""
    assert "a\n  | passed" == continued("a\npassed")


def test_record():
    """All texts and keys of a record are printable; other values stay."""
    record = {"a\x1b": ["\x9b", {"b": "\u202e"}, 1, None], "c": True}
    expected = {r"a\x1b": [r"\x9b", {"b": r"\u202e"}, 1, None], "c": True}
    assert expected == printable_record(record)


def test_a_command_after_a_color_is_escaped():
    """A line may begin with a color of Hookgate before the command."""
    line = "first\n    \x1b[1;31m::warning::x\x1b[0m"
    assert "first\n    \x1b[1;31m\\x3a:warning::x\x1b[0m" == without_commands(line)
