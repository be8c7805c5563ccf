"""Every way in which a plan asked for less than the default, in words."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from hookgate.model import Outcome
from hookgate.plan import Step

NOT_PROVEN = (
    "the target was not proven: the plan has no target.identity, so nothing shows that "
    "the replacement task set gave the answers"
)
CONSTANT = "target.identity is a constant, which any version may send"


def optouts(
    steps: Sequence[Step],
    outcomes: Sequence[Outcome],
    *,
    proven: bool,
    doubts: Sequence[str] = (),
) -> tuple[str, ...]:
    """Name the opt-outs that were used.

    Args:
        steps: the steps of the event, in the order of ``outcomes``.
        outcomes: what they came to.
        proven: whether answers were held against the plan's ``target.identity``.
        doubts: why answers that were asked for prove nothing.
    """
    named = list(dict.fromkeys((*_of_target(steps, proven=proven), *doubts)))
    for step, outcome in zip(steps, outcomes, strict=True):
        named += _of_step(step, outcome)
    return tuple(named)


def _of_target(steps: Sequence[Step], *, proven: bool) -> Iterator[str]:
    if not proven and any(step.validator.asks_listener for step in steps):
        yield NOT_PROVEN


def _of_step(step: Step, outcome: Outcome) -> Iterator[str]:
    if not step.blocking:
        yield f"{step.name}: {outcome.status}, but it does not block (blocking: false)"
    for each in outcome.optouts:
        yield f"{step.name}: {each}"
