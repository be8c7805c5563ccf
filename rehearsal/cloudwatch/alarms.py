"""All alarms of an emulator, and their evaluation."""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hookgate_rehearsal.cloudwatch.alarm import (
    COMPARISONS,
    Alarm,
    AlarmState,
    ParsedRule,
    Watch,
    judge,
)
from hookgate_rehearsal.cloudwatch.math import QueryError, TimeSeries
from hookgate_rehearsal.cloudwatch.queries import Windows, values_of
from hookgate_rehearsal.cloudwatch.settings import CloudWatchSettings
from hookgate_rehearsal.cloudwatch.store import MetricId, MetricStore

MOST_HISTORY = 1000

_HIGH_RESOLUTION = 60  # seconds; shorter periods make a high-resolution alarm

_SOON = 1e-6  # seconds: a tick that is so near is there


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged:
    """An alarm has changed its state."""

    at: float
    alarm: Alarm
    before: AlarmState


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """A state with its ``StateReason`` and ``StateReasonData``."""

    state: AlarmState
    reason: str
    data: str | None = None


AlarmObserver = Callable[[AlarmChanged], None]


class Alarms:
    """Alarms by name.

    ``history`` contains the items of DescribeAlarmHistory.

    Args:
        clock: Gives the time in epoch seconds.
        on_change: Called with each change of state, outside of the lock.
    """

    def __init__(
        self,
        store: MetricStore,
        clock: Callable[[], float],
        settings: CloudWatchSettings,
        on_change: AlarmObserver,
    ) -> None:
        self.lock = threading.RLock()
        self.by_name: dict[str, Alarm] = {}
        self.history: deque[dict[str, Any]] = deque(maxlen=MOST_HISTORY)
        self._store = store
        self._clock = clock
        self._settings = settings
        self._on_change = on_change

    def put(self, alarm: Alarm) -> None:
        """Add an alarm, or change one, whose state stays; then evaluate it."""
        now = self._clock()
        with self.lock:
            alarm.configured_at = alarm.updated_at = alarm.transitioned_at = now
            if old := self.by_name.get(alarm.name):
                alarm.state, alarm.reason = old.state, old.reason
                alarm.reason_data = old.reason_data
                alarm.transitioned_at = old.transitioned_at
            self.by_name[alarm.name] = alarm
            self._note(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" put', {})
        self.evaluate()

    def set_state(
        self, alarm: Alarm, state: AlarmState, reason: str, data: str | None
    ) -> None:
        """Set a state until the next evaluation."""
        with self._changing() as changes:
            if alarm.watch is not None:
                alarm.evaluated_until = self._end(alarm.watch)
            self._become(
                alarm, Judgement(state=state, reason=reason, data=data), changes
            )

    def evaluate(self) -> None:
        """Evaluate every alarm that is due, and then the composite alarms."""
        with self._changing() as changes:
            for alarm in self.by_name.values():
                if alarm.watch is None:
                    continue
                end = self._end(alarm.watch)
                if alarm.evaluated_until != end:
                    alarm.evaluated_until = end
                    if judged := self._judge(alarm.watch, end):
                        self._become(alarm, judged, changes)

    def seconds_to_next(self, most: float) -> float:
        """Get the seconds until an alarm is due, at most ``most``."""
        now = self._clock()
        with self.lock:
            ticks = {self._tick(a.watch) for a in self.by_name.values() if a.watch}
        return min([most, *(tick - now % tick for tick in ticks)])

    @contextmanager
    def _changing(self) -> Iterator[list[AlarmChanged]]:
        """Collect changes, add those of composite alarms, and report all of them."""
        changes: list[AlarmChanged] = []
        with self.lock:
            yield changes
            self._evaluate_composites(changes)
        for change in changes:
            self._on_change(change)

    def _evaluate_composites(self, changes: list[AlarmChanged]) -> None:
        """Evaluate until nothing changes, at most once for each composite alarm."""
        composites = [(each, each.rule) for each in self.by_name.values() if each.rule]
        for _ in composites:
            before = len(changes)
            for alarm, rule in composites:
                self._become(alarm, _judge_rule(rule, self.by_name), changes)
            if len(changes) == before:
                break

    def _become(
        self, alarm: Alarm, judged: Judgement, changes: list[AlarmChanged]
    ) -> None:
        before, state = alarm.state, judged.state
        if state is before:
            return
        now = self._clock()
        alarm.state, alarm.reason, alarm.reason_data = state, judged.reason, judged.data
        alarm.updated_at = alarm.transitioned_at = now
        self._note(
            alarm,
            "StateUpdate",
            f"Alarm updated from {before} to {state}",
            {"oldState": before, "newState": state, "stateReason": judged.reason},
        )
        changes.append(AlarmChanged(at=now, alarm=alarm, before=before))

    def _note(
        self, alarm: Alarm, kind: str, summary: str, data: Mapping[str, Any]
    ) -> None:
        self.history.append(
            {
                "AlarmName": alarm.name,
                "AlarmType": alarm.kind,
                "Timestamp": self._clock(),
                "HistoryItemType": kind,
                "HistorySummary": summary,
                "HistoryData": json.dumps(data),
            }
        )

    def _tick(self, watch: Watch) -> float:
        """Seconds from one evaluation to the next."""
        assumed = self._settings.assumptions
        seconds = (
            assumed.seconds_between_high_resolution_evaluations
            if watch.period < _HIGH_RESOLUTION
            else assumed.seconds_between_evaluations
        )
        return seconds * self._settings.pace

    def _end(self, watch: Watch) -> float:
        """When the newest evaluation was due, in epoch seconds."""
        tick = self._tick(watch)
        return math.floor((self._clock() + _SOON) / tick) * tick

    def _judge(self, watch: Watch, end: float) -> Judgement | None:
        """Judge the windows up to ``end``; None where the state is retained."""
        length = watch.period * self._settings.pace
        number = watch.condition.of + self._settings.assumptions.extra_datapoints
        windows = Windows(
            start=end - number * length,
            length=length,
            number=number,
            period=watch.period,
        )
        try:
            found = values_of(watch.queries, windows, self._store)[watch.watched]
        except QueryError as error:
            return _not_evaluated(str(error))
        if not isinstance(found, TimeSeries):
            return _not_evaluated("the expression gives no single time series")
        start = end - watch.condition.of * length
        if watch.samples and self._samples(watch, start, end) < watch.samples:
            return None
        state = judge(found.values, watch.condition)
        if state is None:
            return None
        return Judgement(
            state=state,
            reason=reason_for(state, found.values, windows, watch),
            data=data_for(found.values, windows, watch),
        )

    def _samples(self, watch: Watch, start: float, end: float) -> float:
        """Samples of a single metric's percentile."""
        stat = watch.queries[0]["MetricStat"]
        metric = MetricId.from_api(stat["Metric"])
        return self._store.window(metric, start, end, stat.get("Unit")).samples


def _not_evaluated(why: str) -> Judgement:
    return Judgement(
        state=AlarmState.INSUFFICIENT_DATA, reason=f"Cannot be evaluated: {why}"
    )


def reason_for(
    state: AlarmState, points: Sequence[float | None], windows: Windows, watch: Watch
) -> str:
    """The ``StateReason`` of a metric alarm."""
    real = _evaluated(points, windows, watch)
    condition = watch.condition
    if state is AlarmState.INSUFFICIENT_DATA:
        unknown = condition.of - len(real)
        were = _plural(unknown, "datapoint was", "datapoints were")
        return f"Insufficient Data: {were} unknown."
    is_alarm = state is AlarmState.ALARM
    if not real:
        periods = _plural(condition.of, "period", "periods")
        were = _plural(condition.of, "missing datapoint was", "missing datapoints were")
        return (
            f"Threshold Crossed: no datapoints were received for {periods} and {were} "
            f"treated as [{'Breaching' if is_alarm else 'NonBreaching'}]."
        )
    shown = ", ".join(
        f"{value} ({_time(at):%d/%m/%y %H:%M:%S})" for at, value in reversed(real)
    )
    breaching = sum(condition.is_breached_by(value) for _, value in real)
    number = breaching if is_alarm else len(real) - breaching
    compared, _ = COMPARISONS[condition.comparison]
    least = _plural(condition.needed, "datapoint", "datapoints")
    return (
        f"Threshold Crossed: {number} out of the last {len(real)} datapoints [{shown}] "
        f"{'was' if number == 1 else 'were'} {'' if is_alarm else 'not '}{compared} "
        f"the threshold ({condition.threshold}) (minimum {least} for OK -> ALARM "
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


def _plural(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"


def _time(at: float) -> datetime:
    return datetime.fromtimestamp(at, tz=UTC)


def _iso(at: float) -> str:
    return _time(at).isoformat(timespec="milliseconds").replace("+00:00", "+0000")


def _judge_rule(rule: ParsedRule, alarms: Mapping[str, Alarm]) -> Judgement:
    """Judge a composite alarm by its rule over others, which may be missing."""
    states = {name: alarms[name].state for name in rule.children if name in alarms}
    is_satisfied = rule.is_satisfied(states.get)
    texts = "; ".join(_state_text(name, alarms.get(name)) for name in rule.children)
    return Judgement(
        state=AlarmState.ALARM if is_satisfied else AlarmState.OK,
        reason=f"The rule is {'' if is_satisfied else 'not '}satisfied: {texts}",
    )


def _state_text(name: str, child: Alarm | None) -> str:
    """Describe the state of a child; with its reason in ALARM."""
    if child is None:
        return f"{name} does not exist"
    why = f" ({child.reason})" if child.state is AlarmState.ALARM else ""
    return f"{name} is {child.state}{why}"
