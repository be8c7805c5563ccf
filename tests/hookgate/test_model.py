"""The verdict is decided in one place."""

import math

import pytest

from hookgate.model import (
    HookStatus,
    LifecycleEvent,
    Metric,
    Outcome,
    Reason,
    Status,
    Verdict,
)

P, F, I, E, S = Status  # noqa: E741 - passed, failed, inconclusive, errored, skipped


def verdict(*outcomes: tuple[Status, bool]) -> Verdict:
    """A verdict over outcomes, each a status and whether it blocks."""
    return Verdict(
        event=LifecycleEvent.AFTER_INSTALL,
        outcomes=tuple(
            Outcome(name=f"{n}", use="x", status=status, blocking=blocks, reason="why")
            for n, (status, blocks) in enumerate(outcomes)
        ),
    )


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        pytest.param([(P, True)], "Succeeded", id="passed"),
        pytest.param([(P, True), (P, True)], "Succeeded", id="all-passed"),
        pytest.param([(P, True), (F, False)], "Succeeded", id="advisory-failed"),
        pytest.param([(P, True), (E, False)], "Succeeded", id="advisory-errored"),
        pytest.param([], "Failed", id="nothing-ran"),
        pytest.param([(P, False)], "Failed", id="only-advisory"),
        pytest.param([(P, True), (F, True)], "Failed", id="one-failed"),
        pytest.param([(I, True)], "Failed", id="inconclusive"),
        pytest.param([(E, True)], "Failed", id="errored"),
        pytest.param([(P, True), (S, True)], "Failed", id="skipped"),
    ],
)
def test_status(outcomes, expected):
    """Succeeded needs a blocking step, and every blocking step passed."""
    assert HookStatus(expected) is verdict(*outcomes).status


def test_reasons():
    """Every blocking step that did not pass gives its reason."""
    assert ("0: why", "2: why") == verdict((F, True), (F, False), (E, True)).reasons


def test_reason_without_blocking_steps():
    """A hook in which nothing blocking ran says so."""
    assert "no blocking step ran" in verdict((P, False)).reasons[0]


def test_aborted():
    """A pass that stopped early is Failed with the reason of each part."""
    reasons = {"plan": Reason("HG-A", "a"), "aws": Reason("HG-B", "b")}
    aborted = Verdict.aborted(LifecycleEvent.AFTER_INSTALL, reasons)

    assert (HookStatus.FAILED, ("plan: a", "aws: b")) == (
        aborted.status,
        aborted.reasons,
    )
    assert ["HG-A", "HG-B"] == [each.code for each in aborted.outcomes]


@pytest.mark.parametrize(
    "parts",
    [
        pytest.param(("", 1.0), id="no name"),
        pytest.param(("Error Rate", 1.0), id="space"),
        pytest.param(("Rate", 1.0, "Per cent"), id="unknown unit"),
        pytest.param(("Rate", math.nan), id="NaN"),
        pytest.param(("Rate", math.inf), id="infinite"),
    ],
)
def test_metric_is_checked(parts):
    """A metric that CloudWatch would refuse is refused where it is made."""
    assert Metric("ErrorRate", 1, "Percent").value == 1
    with pytest.raises(ValueError, match=r"metric|unit"):
        Metric(*parts)
