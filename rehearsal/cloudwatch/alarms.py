"""All alarms of an emulator, and their evaluation."""

from __future__ import annotations

import json
import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from hookgate_rehearsal.cloudwatch.alarm import (
    Alarm,
    AlarmState,
    ParsedRule,
    Watch,
    judge,
)
from hookgate_rehearsal.cloudwatch.math import TimeSeries
from hookgate_rehearsal.cloudwatch.queries import QueryError, Windows, values_of
from hookgate_rehearsal.cloudwatch.settings import CloudWatchSettings
from hookgate_rehearsal.cloudwatch.store import MetricId, MetricStore

MOST_HISTORY = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged:
    """An alarm has changed its state."""

    at: float
    alarm: Alarm
    before: AlarmState


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryItem:
    """An item of DescribeAlarmHistory."""

    at: float
    name: str
    kind: str
    type: str
    summary: str
    data: Mapping[str, Any]


AlarmObserver = Callable[[AlarmChanged], None]


class Alarms:
    """Alarms by name.

    Args:
        store: What is measured.
        clock: Gives the time in epoch seconds.
        settings: The pace and what is unverified.
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
        self.history: deque[HistoryItem] = deque(maxlen=MOST_HISTORY)
        self._judge = MetricJudge(store, clock, settings)
        self._clock = clock
        self._on_change = on_change

    def put(self, alarm: Alarm) -> None:
        """Add an alarm, or change one, whose state stays; then evaluate it."""
        now = self._clock()
        with self.lock:
            old = self.by_name.get(alarm.name)
            if old is not None:
                alarm.state, alarm.reason = old.state, old.reason
                alarm.reason_data = old.reason_data
                alarm.transitioned_at = old.transitioned_at
            alarm.updated_at = alarm.updated_at or now
            alarm.transitioned_at = alarm.transitioned_at or now
            self.by_name[alarm.name] = alarm
            self.note(alarm, "ConfigurationUpdate", f'Alarm "{alarm.name}" put', {})
        self.evaluate()

    def set_state(
        self, alarm: Alarm, state: AlarmState, reason: str, data: str | None
    ) -> None:
        """Set a state until the next evaluation."""
        with self.lock:
            if alarm.watch is not None:
                alarm.evaluated_until = self._judge.end(alarm.watch)
            judged = Judgement(state=state, reason=reason, data=data)
            changes = list(self._become(alarm, judged))
            changes += self._evaluate_composites()
        self._notify(changes)

    def evaluate(self) -> None:
        """Evaluate every alarm that is due, and then the composite alarms."""
        with self.lock:
            changes = [
                change
                for alarm in self.by_name.values()
                if alarm.watch is not None
                for change in self._evaluate(alarm, alarm.watch)
            ]
            changes += self._evaluate_composites()
        self._notify(changes)

    def seconds_to_next(self, most: float) -> float:
        """Get the seconds until an alarm is due, at most ``most``."""
        now = self._clock()
        with self.lock:
            ticks = {
                self._judge.tick(a.watch) for a in self.by_name.values() if a.watch
            }
        return min([most, *(tick - now % tick for tick in ticks)])

    def note(
        self, alarm: Alarm, kind: str, summary: str, data: Mapping[str, Any]
    ) -> None:
        """Add an item to the history."""
        self.history.append(
            HistoryItem(
                at=self._clock(),
                name=alarm.name,
                kind=alarm.kind,
                type=kind,
                summary=summary,
                data=data,
            )
        )

    def _evaluate(self, alarm: Alarm, watch: Watch) -> Iterable[AlarmChanged]:
        end = self._judge.end(watch)
        if alarm.evaluated_until == end:
            return ()
        alarm.evaluated_until = end
        judged = self._judge.judge(watch, end)
        return () if judged is None else self._become(alarm, judged)

    def _evaluate_composites(self) -> list[AlarmChanged]:
        """Evaluate until nothing changes, at most once for each composite alarm."""
        composites = [(each, each.rule) for each in self.by_name.values() if each.rule]
        changes: list[AlarmChanged] = []
        for _ in composites:
            new = [
                change
                for alarm, rule in composites
                for change in self._become(alarm, judge_rule(rule, self.by_name))
            ]
            changes += new
            if not new:
                break
        return changes

    def _become(self, alarm: Alarm, judged: Judgement) -> Iterator[AlarmChanged]:
        before, state = alarm.state, judged.state
        if state is before:
            return
        now = self._clock()
        alarm.state, alarm.reason, alarm.reason_data = state, judged.reason, judged.data
        alarm.updated_at = alarm.transitioned_at = now
        self.note(
            alarm,
            "StateUpdate",
            f"Alarm updated from {before} to {state}",
            {"oldState": before, "newState": state, "stateReason": judged.reason},
        )
        yield AlarmChanged(at=now, alarm=alarm, before=before)

    def _notify(self, changes: Iterable[AlarmChanged]) -> None:
        for change in changes:
            self._on_change(change)


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
    shown = ", ".join(f"{value} ({_shown(at)})" for at, value in reversed(real))
    breaching = sum(condition.is_breached_by(value) for _, value in real)
    number = breaching if state is AlarmState.ALARM else len(real) - breaching
    isnt = "" if state is AlarmState.ALARM else "not "
    compared = _COMPARED[condition.comparison]
    return (
        f"Threshold Crossed: {number} out of the last {len(real)} datapoints [{shown}] "
        f"{'was' if number == 1 else 'were'} {isnt}{compared} the threshold "
        f"({condition.threshold}) (minimum {_points(condition.needed)} for OK -> ALARM "
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


def _points(number: int) -> str:
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
        if not isinstance(found, TimeSeries):
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
        metric = MetricId.from_api(stat["Metric"])
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

    is_satisfied = rule.is_satisfied(state_of)
    states = "; ".join(_state_text(name, alarms.get(name)) for name in rule.children)
    return Judgement(
        state=AlarmState.ALARM if is_satisfied else AlarmState.OK,
        reason=f"The rule is {'' if is_satisfied else 'not '}satisfied: {states}",
    )


def _state_text(name: str, child: Alarm | None) -> str:
    """Describe the state of a child; with its reason in ALARM."""
    if child is None:
        return f"{name} does not exist"
    why = f" ({child.reason})" if child.state is AlarmState.ALARM else ""
    return f"{name} is {child.state}{why}"
