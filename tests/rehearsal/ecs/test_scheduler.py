"""What is quoted of a task that died."""

import pytest

from hookgate_rehearsal.ecs.scheduler import LAST_WORDS, last_words


@pytest.mark.parametrize(
    ("output", "quoted"),
    [
        ("", ""),
        ("no database\n", "no database"),
        ("x" * LAST_WORDS + "\nTraceback\n  no database\n", "Traceback no database"),
        ("x" * (2 * LAST_WORDS), "x" * LAST_WORDS),
        ("x" * (2 * LAST_WORDS) + "\n", "x" * (LAST_WORDS - 1)),
    ],
    ids=["nothing", "a line", "whole lines", "one long line", "one that ends"],
)
def test_last_words(output, quoted):
    """Whole lines from the end, or the end of the one line there is."""
    assert last_words(output) == quoted
