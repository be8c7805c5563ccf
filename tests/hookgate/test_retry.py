"""Asking until it holds: when it ends, with which findings, after how long."""

from __future__ import annotations

from itertools import chain, repeat
from types import SimpleNamespace

import pytest
from support.coded import raises

from hookgate.codes import Code
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, Defect, NoAnswer
from hookgate.model import Finding
from hookgate.retry import eventually
from hookgate.testing import VirtualClock
from hookgate.validator import Repeat, RetryPolicy


def settle(outcomes, policy, *, seconds=3600.0, took=0.0):
    """Run ``outcomes`` (the last is repeated), each attempt taking ``took``."""
    clock = VirtualClock()
    script = chain(outcomes, repeat(outcomes[-1]))
    made = []

    def attempt():
        made.append(clock.now())
        clock.sleep(took)
        outcome = next(script)
        if isinstance(outcome, Exception):
            raise outcome
        if isinstance(outcome, tuple):
            return outcome
        return (Finding(ok=outcome, summary=f"it is {outcome}"),)

    findings = eventually(attempt, policy, Deadline.after(seconds, clock))
    return SimpleNamespace(
        findings=findings,
        passed=all(each.ok for each in findings),
        attempts=len(made),
        elapsed=clock.now(),
    )


@pytest.mark.parametrize(
    ("outcomes", "policy", "passed", "attempts", "elapsed"),
    [
        pytest.param([True], RetryPolicy(), True, 1, 0, id="at once"),
        pytest.param([False, True], RetryPolicy(), False, 1, 0, id="no second chance"),
        pytest.param([False, True], RetryPolicy(within=9), True, 2, 1, id="within"),
        pytest.param(
            [False], RetryPolicy(within=9, every=4), False, 4, 9, id="too late"
        ),
        pytest.param([True], RetryPolicy(consecutive=3), True, 3, 2, id="in a row"),
        pytest.param(
            [True, False], RetryPolicy(consecutive=3), False, 2, 1, id="row broken"
        ),
        pytest.param(
            [True, False, True],
            RetryPolicy(within=9, consecutive=2),
            True,
            4,
            3,
            id="anew",
        ),
        pytest.param(
            [True],
            RetryPolicy(within=60, stable_for=5, every=2),
            True,
            4,
            6,
            id="stable",
        ),
        pytest.param(
            [True, False, True],
            RetryPolicy(within=60, stable_for=5, every=2),
            True,
            6,
            10,
            id="stable after a break",
        ),
        pytest.param(
            [False] * 4 + [True],
            RetryPolicy(within=6, stable_for=5),
            False,
            7,
            6,
            id="not stable in time",
        ),
    ],
)
def test_end(outcomes, policy, passed, attempts, elapsed):
    """It ends when it holds as asked, or the time is over."""
    result = settle(outcomes, policy)
    assert (result.passed, result.attempts, result.elapsed) == (
        passed,
        attempts,
        elapsed,
    )
    assert all(each.ok for each in result.findings) is passed


def test_no_answer_is_tried_again():
    """A target that does not answer may do so the next time."""
    result = settle([NoAnswer("refused"), True], RetryPolicy(within=9))
    assert result.passed


def test_no_answer_to_the_end_is_the_reason():
    """The reported failure is the last attempt without an answer."""
    result = settle([NoAnswer("refused")], RetryPolicy(within=2))
    assert result.findings[0].summary == "refused (3 attempts in 2 s)"
    assert result.findings[0].evidence == {"attempts": 3, "elapsed_ms": 2000}


def test_what_cannot_be_measured_is_not_tried_again():
    """A question that cannot be asked does not get better by asking."""
    with raises(CannotMeasure, "HG-CANNOT-MEASURE", "no permission"):
        settle([CannotMeasure("no permission"), True], RetryPolicy(within=9))


def test_certain_failure_ends_at_once():
    """What cannot change is not waited for."""
    final = (Finding(ok=False, summary="501", certain=True),)
    assert settle([False, final, True], RetryPolicy(within=9)).attempts == 2


def test_certain_success_still_counts_like_any_other():
    """Only a failure can end it early."""
    good = (Finding(ok=True, summary="200", certain=True),)
    assert settle([good], RetryPolicy(consecutive=3)).attempts == 3


def test_deadline_ends_it():
    """No sleep goes past the deadline, and nothing is asked after it."""
    result = settle([False], RetryPolicy(within=60, every=20), seconds=50)
    assert (result.attempts, result.elapsed) == (3, 50)


def test_slow_attempts_end_with_the_deadline():
    """An attempt is not begun when the time is over."""
    assert settle([False], RetryPolicy(within=60), seconds=10, took=4).attempts == 2


def test_no_time_for_one_attempt():
    """Without an attempt there is no finding."""
    with raises(CannotMeasure, Code.STEP_NOT_STARTED):
        settle([True], RetryPolicy(), seconds=0)


def test_attempt_without_findings_is_no_success():
    """No finding is no success."""
    with raises(Defect, Code.NO_FINDINGS):
        settle([()], RetryPolicy())


def test_run_that_is_too_short_says_so():
    """The last failure and the length of the run are reported."""
    result = settle([False, True], RetryPolicy(within=3, consecutive=9))
    first, second = result.findings
    assert (first.summary, first.ok) == ("it is False (4 attempts in 3 s)", False)
    assert (second.code, second.ok) == (Code.NOT_STABLE, False)
    assert "expected 9 times in a row (4 attempts in 3 s)" in second.summary


@pytest.mark.parametrize(
    ("policy", "seconds"),
    [
        pytest.param(RetryPolicy(), 10, id="one attempt"),
        pytest.param(RetryPolicy(consecutive=3), 32, id="three"),
        pytest.param(RetryPolicy(within=60), 70, id="within"),
        pytest.param(RetryPolicy(stable_for=20, every=5), 45, id="stable"),
    ],
)
def test_worst_case_covers_the_slowest(policy, seconds):
    """No outcome takes longer than the worst case."""
    assert policy.worst_case(10) == seconds
    for outcomes in ([True], [False], [False, True], [True, False]):
        assert settle(outcomes, policy, took=10).elapsed <= seconds


@pytest.mark.parametrize(
    ("failures", "codes"),
    [
        pytest.param(1, ["", Code.REPEAT], id="allowed"),
        pytest.param(0, ["", Code.REPEAT], id="too many"),
    ],
)
def test_repeat_counts_attempts(failures, codes):
    """After a fixed number of attempts, a finding states how many failed."""
    policy = RetryPolicy(repeat=Repeat(count=3, failures=failures))
    settled = settle([True, False, True], policy)
    assert codes == [each.code for each in settled.findings]
    assert [failures == 1] * 2 == [each.ok for each in settled.findings]
