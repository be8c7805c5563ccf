"""What is quoted of a task that died."""

import pytest

from hookgate_rehearsal.ecs.scheduler import MAX_QUOTE, output_tail


@pytest.mark.parametrize(
    ("output", "quoted"),
    [
        ("", ""),
        ("no database\n", "no database"),
        ("x" * MAX_QUOTE + "\nTraceback\n  no database\n", "Traceback no database"),
        ("x" * (2 * MAX_QUOTE), "x" * MAX_QUOTE),
        ("x" * (2 * MAX_QUOTE) + "\n", "x" * (MAX_QUOTE - 1)),
    ],
    ids=["nothing", "a line", "whole lines", "one long line", "one that ends"],
)
def test_output_tail(output, quoted):
    """Whole lines from the end, or the end of the one line there is."""
    assert output_tail(output) == quoted
