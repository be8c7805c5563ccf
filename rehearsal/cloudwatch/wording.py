"""Why an alarm is as it is, in CloudWatch's manner."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from rehearsal.cloudwatch.alarm import Watch
from rehearsal.cloudwatch.evaluation import AlarmState
from rehearsal.cloudwatch.queries import Windows

_COMPARED = {
    "GreaterThanOrEqualToThreshold": "greater than or equal to",
    "GreaterThanThreshold": "greater than",
    "LessThanThreshold": "less than",
    "LessThanOrEqualToThreshold": "less than or equal to",
}


def reason_for(
    state: AlarmState, points: Sequence[float | None], windows: Windows, watch: Watch
) -> str:
    """The ``StateReason`` of a metric alarm."""
    real = _evaluated(points, windows, watch)
    condition = watch.condition
    if state is AlarmState.INSUFFICIENT_DATA or not real:
        if state is AlarmState.INSUFFICIENT_DATA:
            number = condition.of - len(real)
            return f"Insufficient Data: {_counted(number, 'datapoint')} unknown."
        periods = "period" if condition.of == 1 else "periods"
        treated = "Breaching" if state is AlarmState.ALARM else "NonBreaching"
        missing = _counted(condition.of, "missing datapoint")
        return (
            f"Threshold Crossed: no datapoints were received for {condition.of} "
            f"{periods} and {missing} treated as [{treated}]."
        )
    told = ", ".join(f"{value} ({_shown(at)})" for at, value in reversed(real))
    breaching = sum(condition.is_breached_by(value) for _, value in real)
    number = breaching if state is AlarmState.ALARM else len(real) - breaching
    isnt = "" if state is AlarmState.ALARM else "not "
    compared = _COMPARED[condition.comparison]
    return (
        f"Threshold Crossed: {number} out of the last {len(real)} datapoints [{told}] "
        f"{'was' if number == 1 else 'were'} {isnt}{compared} the threshold "
        f"({condition.threshold}) (minimum {_number(condition.needed)} for OK -> ALARM "
        "transition)."
    )


def data_for(points: Sequence[float | None], windows: Windows, watch: Watch) -> str:
    """The ``StateReasonData`` of a metric alarm."""
    real = _evaluated(points, windows, watch)
    starts = windows.starts()
    return json.dumps(
        {
            "version": "1.0",
            "queryDate": _iso(starts[-1] + windows.length),
            "startDate": _iso(starts[-watch.condition.of]),
            "period": round(watch.period),
            "recentDatapoints": [value for _, value in real],
            "threshold": watch.condition.threshold,
            "evaluatedDatapoints": [
                {"timestamp": _iso(at), "value": value} for at, value in reversed(real)
            ],
        }
    )


def _evaluated(
    points: Sequence[float | None], windows: Windows, watch: Watch
) -> list[tuple[float, float]]:
    """The datapoints that decided, with their times, the oldest first."""
    timed = zip(windows.starts(), points, strict=True)
    return [(at, value) for at, value in timed if value is not None][
        -watch.condition.of :
    ]


def _counted(number: int, what: str) -> str:
    return f"{number} {what} was" if number == 1 else f"{number} {what}s were"


def _number(number: int) -> str:
    return "1 datapoint" if number == 1 else f"{number} datapoints"


def _shown(at: float) -> str:
    return datetime.fromtimestamp(at, tz=UTC).strftime("%d/%m/%y %H:%M:%S")


def _iso(at: float) -> str:
    moment = datetime.fromtimestamp(at, tz=UTC)
    return (
        moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}+0000"
    )
