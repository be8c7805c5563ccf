"""The lines of a standing stage."""

import io

import pytest
from rich.console import Console
from support.rehearsal_record import an_outcome

from cli.serve_log import ServeLog


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [
        pytest.param(
            an_outcome(), "d-1  ✓ passed  AfterInstall: home page\n", id="passed"
        ),
        pytest.param(
            an_outcome(status="failed", reason="answered [500]"),
            "d-1  ✗ failed  AfterInstall: home page: answered [500]\n",
            id="failed",
        ),
    ],
)
def test_step_is_a_line(outcome, expected):
    """A step says why if it did not pass; nothing in it is taken for markup."""
    out = io.StringIO()
    ServeLog(Console(file=out, width=40)).outcome("d-1", "AfterInstall", outcome)
    assert expected == out.getvalue()
