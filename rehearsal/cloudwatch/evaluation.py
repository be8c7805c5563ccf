"""What an alarm's datapoints come to: pure, given the datapoints.

Source: "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data",
with "Avoiding premature transitions to alarm state", in the CloudWatch user guide.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class AlarmState(StrEnum):
    """The states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class MissingData(StrEnum):
    """What TreatMissingData may say."""

    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"
    IGNORE = "ignore"
    MISSING = "missing"


COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """What makes an alarm.

    Attributes:
        comparison: How a value is compared with the threshold, in the API's word.
        threshold: What it is compared with.
        of: EvaluationPeriods, the guide's N.
        needed: DatapointsToAlarm, the guide's M.
        missing: TreatMissingData.
    """

    comparison: str
    threshold: float
    of: int
    needed: int
    missing: MissingData

    def is_breached_by(self, value: float) -> bool:
        """Whether a value is outside of the threshold."""
        return COMPARISONS[self.comparison](value, self.threshold)


def judge(points: Sequence[float | None], condition: Condition) -> AlarmState | None:
    """Decide the state.

    Args:
        points: The datapoints of the evaluation range, the oldest first; None where
            one is missing. There are at least as many as EvaluationPeriods.
        condition: What makes the alarm.

    Returns:
        The state, or None where the current one is retained.
    """
    real = [condition.is_breached_by(point) for point in points if point is not None][
        -condition.of :
    ]
    breaching, filled = sum(real), condition.of - len(real)
    if breaching >= condition.needed:
        return AlarmState.ALARM
    match condition.missing:
        case MissingData.BREACHING if breaching + filled >= condition.needed:
            return AlarmState.ALARM
        case MissingData.BREACHING | MissingData.NOT_BREACHING:
            return AlarmState.OK
    if filled == 0 or not all(real):
        return AlarmState.OK
    if condition.missing is MissingData.IGNORE:
        return None
    is_old_enough = bool(real) and _age_of_oldest(points) >= condition.needed
    return AlarmState.ALARM if is_old_enough else AlarmState.INSUFFICIENT_DATA


def _age_of_oldest(points: Sequence[float | None]) -> int:
    """How many periods ago the oldest datapoint is; the newest is 1."""
    oldest = next(i for i, point in enumerate(points) if point is not None)
    return len(points) - oldest
