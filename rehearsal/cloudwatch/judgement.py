"""What an alarm comes to now, and why."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from rehearsal.cloudwatch.alarm import Alarm, AlarmState, ParsedRule, Watch, judge
from rehearsal.cloudwatch.math import Series
from rehearsal.cloudwatch.queries import QueryError, Windows, values_of
from rehearsal.cloudwatch.settings import CloudWatchSettings
from rehearsal.cloudwatch.store import Metric, MetricStore

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


_SOON = 1e-6  # seconds: a tick that is so near is there


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A state with its ``StateReason`` and ``StateReasonData``."""

    state: AlarmState
    reason: str
    data: str | None = None


class MetricJudge:
    """Judges metric alarms, each at the ticks of its own evaluation.

    Args:
        store: What is measured.
        clock: Gives the time in epoch seconds.
        settings: The pace and what is unverified.
    """

    def __init__(
        self,
        store: MetricStore,
        clock: Callable[[], float],
        settings: CloudWatchSettings,
    ) -> None:
        self._store = store
        self._clock = clock
        self._settings = settings

    def judge(self, watch: Watch, end: float) -> Judgement | None:
        """Judge the windows up to ``end``; None where the state is retained."""
        windows = self._windows(watch, end)
        try:
            found = values_of(watch.queries, windows, self._store)[watch.watched]
        except QueryError as error:
            return _not_evaluated(str(error))
        if not isinstance(found, Series):
            return _not_evaluated("the expression gives no single time series")
        if watch.samples and self._samples(watch, windows) < watch.samples:
            return None
        state = judge(found.values, watch.condition)
        if state is None:
            return None
        return Judgement(
            state=state,
            reason=reason_for(state, found.values, windows, watch),
            data=data_for(found.values, windows, watch),
        )

    def tick(self, watch: Watch) -> float:
        """Seconds from one evaluation to the next."""
        assumed = self._settings.assumptions
        seconds = (
            assumed.seconds_between_high_resolution_evaluations
            if watch.is_high_resolution
            else assumed.seconds_between_evaluations
        )
        return seconds * self._settings.pace

    def end(self, watch: Watch) -> float:
        """When the newest evaluation was due, in epoch seconds."""
        tick = self.tick(watch)
        return math.floor((self._clock() + _SOON) / tick) * tick

    def _windows(self, watch: Watch, end: float) -> Windows:
        length = watch.period * self._settings.pace
        number = watch.condition.of + self._settings.assumptions.extra_datapoints
        return Windows(
            start=end - number * length,
            length=length,
            number=number,
            period=watch.period,
        )

    def _samples(self, watch: Watch, windows: Windows) -> float:
        """Samples in the evaluation periods of a single metric's percentile."""
        stat = watch.queries[0]["MetricStat"]
        end = windows.start + windows.number * windows.length
        start = end - watch.condition.of * windows.length
        metric = Metric.from_api(stat["Metric"])
        return self._store.window(metric, start, end, stat.get("Unit")).samples


def _not_evaluated(why: str) -> Judgement:
    return Judgement(
        state=AlarmState.INSUFFICIENT_DATA, reason=f"Cannot be evaluated: {why}"
    )


def judge_rule(rule: ParsedRule, alarms: Mapping[str, Alarm]) -> Judgement:
    """Judge a composite alarm by its rule over others, which may be missing."""

    def state_of(name: str) -> AlarmState | None:
        child = alarms.get(name)
        return child.state if child else None

    holds = rule.holds(state_of)
    told = "; ".join(_told(name, alarms.get(name)) for name in rule.children)
    return Judgement(
        state=AlarmState.ALARM if holds else AlarmState.OK,
        reason=f"The rule {'holds' if holds else 'does not hold'}: {told}",
    )


def _told(name: str, child: Alarm | None) -> str:
    """How a child stands; why, if it has gone off."""
    if child is None:
        return f"{name} does not exist"
    why = f" ({child.reason})" if child.state is AlarmState.ALARM else ""
    return f"{name} is {child.state}{why}"
