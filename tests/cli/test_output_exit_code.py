"""Exit codes."""

import pytest
from support.rehearsal_record import a_verdict, an_outcome

from hookgate_cli.output import of_verdict


@pytest.mark.parametrize(
    ("status", "steps", "expected"),
    [
        pytest.param("Succeeded", [("passed", True)], 0, id="passed"),
        pytest.param("Succeeded", [("passed", True), ("failed", False)], 0, id="waved"),
        pytest.param("Failed", [("failed", True)], 1, id="failed"),
        pytest.param("Failed", [("failed", True), ("errored", True)], 1, id="both"),
        pytest.param("Failed", [("errored", True)], 3, id="errored"),
        pytest.param("Failed", [("inconclusive", True)], 3, id="inconclusive"),
        pytest.param("Failed", [("failed", False), ("errored", True)], 3, id="advice"),
        pytest.param("Failed", [("failed", False)], 3, id="nothing blocks"),
        pytest.param("Failed", [], 3, id="nothing ran"),
    ],
)
def test_verdict_has_its_exit_code(status, steps, expected):
    """A verdict is 0 if it Succeeded, 1 if a blocking step failed, else 3."""
    outcomes = [an_outcome(status=each, blocking=blocks) for each, blocks in steps]
    record = a_verdict(status=status) | {"outcomes": outcomes}
    assert expected == of_verdict(record)
