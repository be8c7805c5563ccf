"""All alarms of a stage, and their evaluation."""

from __future__ import annotations

import math
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.cloudwatch import wording
from rehearsal.cloudwatch.alarm import Alarm, Watch
from rehearsal.cloudwatch.evaluation import AlarmState, judge
from rehearsal.cloudwatch.math.values import Series
from rehearsal.cloudwatch.metric import Metric
from rehearsal.cloudwatch.queries import QueryError, Windows, values_of
from rehearsal.cloudwatch.settings import CloudWatchSettings
from rehearsal.cloudwatch.store import MetricStore

MOST_HISTORY = 1000
_SOON = 1e-6  # seconds: a tick that is so near is there


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmChanged:
    """An alarm has changed its state."""

    at: float
    alarm: Alarm
    before: AlarmState


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryItem:
    """What DescribeAlarmHistory tells of one moment."""

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
        on_change: Told of each change of state, outside of the lock.
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
        self._store = store
        self._clock = clock
        self._settings = settings
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
        """Set a state by hand; it lasts until the next evaluation."""
        with self.lock:
            if alarm.watch is not None:
                alarm.evaluated_until = self._end(alarm.watch)
            changes = list(self._become(alarm, state, reason, data))
            changes += self._evaluate_composites()
        self._tell(changes)

    def evaluate(self) -> None:
        """Evaluate every alarm whose time has come, and the composite ones after."""
        with self.lock:
            changes = [
                change
                for alarm in self.by_name.values()
                if alarm.watch is not None
                for change in self._evaluate(alarm, alarm.watch)
            ]
            changes += self._evaluate_composites()
        self._tell(changes)

    def seconds_to_next(self, most: float) -> float:
        """Seconds until an alarm is due, at most so many."""
        now = self._clock()
        with self.lock:
            ticks = {self._tick(a.watch) for a in self.by_name.values() if a.watch}
        return min([most, *(tick - now % tick for tick in ticks)])

    def note(
        self, alarm: Alarm, kind: str, summary: str, data: Mapping[str, Any]
    ) -> None:
        """Write into the history."""
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
        end = self._end(watch)
        if alarm.evaluated_until == end:
            return ()
        alarm.evaluated_until = end
        windows = self._windows(watch, end)
        try:
            found = values_of(watch.queries, windows, self._store)[watch.watched]
        except QueryError as error:
            state = AlarmState.INSUFFICIENT_DATA
            return self._become(alarm, state, f"Cannot be evaluated: {error}", None)
        if not isinstance(found, Series):
            reason = "Cannot be evaluated: the expression gives no single time series"
            return self._become(alarm, AlarmState.INSUFFICIENT_DATA, reason, None)
        if watch.samples and self._samples(watch, windows) < watch.samples:
            return ()
        judged = judge(found.values, watch.condition)
        if judged is None:
            return ()
        reason = wording.reason_for(judged, found.values, windows, watch)
        data = wording.data_for(found.values, windows, watch)
        return self._become(alarm, judged, reason, data)

    def _evaluate_composites(self) -> list[AlarmChanged]:
        """Until nothing changes; rules that refer to one another are left there."""
        composites = [a for a in self.by_name.values() if a.rule is not None]
        changes: list[AlarmChanged] = []
        for _ in composites:
            new = [c for alarm in composites for c in self._judge_rule(alarm)]
            changes += new
            if not new:
                break
        return changes

    def _judge_rule(self, alarm: Alarm) -> Iterable[AlarmChanged]:
        def state_of(name: str) -> AlarmState | None:
            child = self.by_name.get(name)
            return child.state if child else None

        if alarm.rule is None:
            return ()
        holds = alarm.rule.holds(state_of)
        state = AlarmState.ALARM if holds else AlarmState.OK
        told = "; ".join(self._told(name) for name in alarm.rule.children)
        is_isnt = "holds" if holds else "does not hold"
        return self._become(alarm, state, f"The rule {is_isnt}: {told}", None)

    def _told(self, name: str) -> str:
        """How a child stands; why, if it has gone off."""
        child = self.by_name.get(name)
        if child is None:
            return f"{name} does not exist"
        why = f" ({child.reason})" if child.state is AlarmState.ALARM else ""
        return f"{name} is {child.state}{why}"

    def _become(
        self, alarm: Alarm, state: AlarmState, reason: str, data: str | None
    ) -> Iterator[AlarmChanged]:
        before = alarm.state
        if state is before:
            return
        now = self._clock()
        alarm.state, alarm.reason, alarm.reason_data = state, reason, data
        alarm.updated_at = alarm.transitioned_at = now
        self.note(
            alarm,
            "StateUpdate",
            f"Alarm updated from {before} to {state}",
            {"oldState": before, "newState": state, "stateReason": reason},
        )
        yield AlarmChanged(at=now, alarm=alarm, before=before)

    def _tell(self, changes: Iterable[AlarmChanged]) -> None:
        for change in changes:
            self._on_change(change)

    def _tick(self, watch: Watch) -> float:
        assumed = self._settings.assumptions
        seconds = (
            assumed.seconds_between_high_resolution_evaluations
            if watch.is_high_resolution
            else assumed.seconds_between_evaluations
        )
        return seconds * self._settings.pace

    def _end(self, watch: Watch) -> float:
        tick = self._tick(watch)
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
