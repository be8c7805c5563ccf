"""What an alarm comes to now, and why."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rehearsal.cloudwatch import wording
from rehearsal.cloudwatch.alarm import Alarm, Watch
from rehearsal.cloudwatch.evaluation import AlarmState, judge
from rehearsal.cloudwatch.math.values import Series
from rehearsal.cloudwatch.metric import Metric
from rehearsal.cloudwatch.queries import QueryError, Windows, values_of
from rehearsal.cloudwatch.rule import ParsedRule
from rehearsal.cloudwatch.settings import CloudWatchSettings
from rehearsal.cloudwatch.store import MetricStore

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
            reason=wording.reason_for(state, found.values, windows, watch),
            data=wording.data_for(found.values, windows, watch),
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
