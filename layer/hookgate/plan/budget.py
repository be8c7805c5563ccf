"""The worst-case time of a lifecycle event's steps, and whether it fits.

The bound is Graham's for list scheduling: on ``c`` workers that never idle while a step
is ready, the last step ends no later than ``sum / c + (1 - 1 / c) * longest chain``.
R. L. Graham, "Bounds on Multiprocessing Timing Anomalies", SIAM Journal on Applied
Mathematics 17 (1969). It is valid also for steps that end before their timeouts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from graphlib import TopologicalSorter

from hookgate.codes import Code
from hookgate.errors import PlanError, Problem
from hookgate.model import LifecycleEvent
from hookgate.plan.model import Plan, Step
from hookgate.units import seconds_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The worst case of an event's steps in seconds, and their longest chain."""

    seconds: float
    chain: tuple[Step, ...]


def worst_case(steps: Sequence[Step], concurrency: int) -> Budget:
    """Compute the longest time that ``steps`` may take.

    Args:
        steps: the steps of one event; their needs are among them.
        concurrency: how many of them run at the same time.
    """
    chain = _longest_chain(steps)
    longest = sum(step.timeout for step in chain)
    if len(steps) <= concurrency:
        return Budget(seconds=longest, chain=chain)
    total = sum(step.timeout for step in steps)
    seconds = total / concurrency + (1 - 1 / concurrency) * longest
    return Budget(seconds=seconds, chain=chain)


def check_fits(plan: Plan, event: LifecycleEvent, seconds: float) -> None:
    """Refuse a plan whose steps could take longer than the time available.

    Args:
        plan: the plan.
        event: the lifecycle event.
        seconds: the time available for its steps.

    Raises:
        PlanError: the worst case is longer; the message names the longest chain.
    """
    steps = plan.steps(event)
    budget = worst_case(steps, plan.concurrency)
    if budget.seconds <= seconds:
        return
    chain = ", then ".join(
        f"{step.name} ({seconds_text(step.timeout)})" for step in budget.chain
    )
    what = (
        f"the steps of {event} may take {seconds_text(budget.seconds)}, but only "
        f"{seconds_text(seconds)} are available; the longest chain is {chain}. Shorten "
        f"it, remove needs, raise concurrency (now {plan.concurrency}), or raise the "
        "timeout of the function"
    )
    raise PlanError(Problem(budget.chain[0].place, Code.PLAN_TIME, what))


def _longest_chain(steps: Sequence[Step]) -> tuple[Step, ...]:
    by_name = {step.name: step for step in steps}
    sorter = TopologicalSorter({step.name: step.needs for step in steps})
    ends: dict[str, tuple[float, tuple[Step, ...]]] = {}
    for name in sorter.static_order():
        step = by_name[name]
        before, chain = max(
            (ends[need] for need in step.needs),
            key=lambda end: end[0],
            default=(0.0, ()),
        )
        ends[name] = (before + step.timeout, (*chain, step))
    return max(ends.values(), key=lambda end: end[0], default=(0.0, ()))[1]
