"""The worst-case time of an event's steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from heapq import heappop, heappush

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hookgate.aws.codedeploy import RESERVE
from hookgate.context import DeploymentContext
from hookgate.errors import Place, PlanError
from hookgate.model import Finding, LifecycleEvent
from hookgate.plan import Plan, Step, check_fits, worst_case
from hookgate.validator import Tools, Validator

EVENT = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC


class Toy(Validator):
    """Never asked."""

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        yield from ()


def a_step(name: str, timeout: float, *needs: str) -> Step:
    """A step that is never run."""
    return Step(
        name=name,
        use="toy",
        validator=Toy(),
        needs=needs,
        timeout=timeout,
        place=Place("plan.yaml"),
    )


def test_one_step_takes_its_timeout():
    """A step alone takes no longer than its timeout."""
    assert 10 == worst_case([a_step("a", 10)], 8).seconds


def test_steps_side_by_side_take_the_longest():
    """Steps that all run at once end with the longest."""
    assert 30 == worst_case([a_step("a", 10), a_step("b", 30)], 2).seconds


def test_steps_in_a_row_take_their_sum():
    """Steps that wait for each other take their timeouts together."""
    steps = [a_step("a", 10), a_step("b", 30, "a"), a_step("c", 5, "b")]
    assert 45 == worst_case(steps, 8).seconds


def test_steps_one_at_a_time_take_their_sum():
    """On one worker nothing runs side by side."""
    steps = [a_step("a", 10), a_step("b", 30), a_step("c", 5)]
    assert 45 == worst_case(steps, 1).seconds


@pytest.mark.parametrize(
    ("timeout", "fits"), [pytest.param(5, True), pytest.param(30, False)]
)
def test_time_limits_the_number_of_steps(timeout: float, fits: bool) -> None:
    """What docs/architecture.md says of 1,000 steps in a function of 900 s."""
    steps = [a_step(f"{n}", timeout) for n in range(1000)]

    assert fits == (worst_case(steps, 8).seconds <= 900 - RESERVE)


def test_bound_is_grahams():
    """With more steps than workers: sum / c + (1 - 1 / c) * longest chain."""
    steps = [a_step("a", 10), a_step("b", 30, "a"), a_step("c", 20)]
    assert 60 / 2 + 40 / 2 == worst_case(steps, 2).seconds


def test_longest_chain_is_reported():
    """The chain is that of the longest time, not of the most steps."""
    steps = [
        a_step("a", 1),
        a_step("b", 1, "a"),
        a_step("c", 1, "b"),
        a_step("d", 50),
        a_step("e", 5, "d", "a"),
    ]
    assert ["d", "e"] == [step.name for step in worst_case(steps, 8).chain]


def test_plan_that_fits_is_accepted(read_steps: Callable[[str], Plan]):
    """The worst case may be as long as the time there is."""
    check_fits(read_steps("[{use: target_health}]"), EVENT, 61)


def test_plan_that_does_not_fit_is_refused(read_steps: Callable[[str], Plan]):
    """The message has the worst case, the time and the longest chain."""
    plan = read_steps(
        "[{use: target_health}, {use: http, needs: [target_health], with: {path: /}}]"
    )
    with pytest.raises(PlanError) as refused:
        check_fits(plan, EVENT, 60)
    assert str(refused.value) == (
        "plan.yaml:4:6: the steps of AfterAllowTestTraffic may take 1 min 32 s, but "
        "only 1 min are available; the longest chain is target_health (1 min 1 s), "
        "then http (31 s). Shorten it, remove needs, raise concurrency (now 8), or "
        "raise the timeout of the function [HG-PLAN-TIME]"
    )


def simulated(steps: Sequence[Step], shares: Sequence[float], workers: int) -> float:
    """Run steps greedily, each for a share of its timeout, and return the end."""
    waiting = list(zip(steps, shares, strict=True))
    running: list[tuple[float, str]] = []
    done: set[str] = set()
    now = 0.0
    while waiting or running:
        for each in list(waiting):
            step, share = each
            if len(running) < workers and done.issuperset(step.needs):
                waiting.remove(each)
                heappush(running, (now + step.timeout * share, step.name))
        now, name = heappop(running)
        done.add(name)
    return now


@st.composite
def schedules(draw: st.DrawFn) -> tuple[list[Step], list[float], int]:
    """Steps in any order of needs, the shares of their timeouts, and workers."""
    count = draw(st.integers(1, 12))
    steps = [
        a_step(
            str(index),
            draw(st.floats(0.1, 100)),
            *(str(need) for need in range(index) if draw(st.booleans())),
        )
        for index in range(count)
    ]
    shares = [draw(st.floats(0, 1)) for _ in steps]
    return steps, shares, draw(st.integers(1, 6))


@given(schedules())
def test_no_schedule_is_longer_than_the_bound(
    schedule: tuple[list[Step], list[float], int],
):
    """However early steps end and in whatever order, the bound holds."""
    steps, shares, workers = schedule
    end = simulated(steps, shares, workers)
    assert end <= worst_case(steps, workers).seconds * (1 + 1e-9)
