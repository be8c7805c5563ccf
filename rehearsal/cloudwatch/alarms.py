"""All alarms of an emulator, and their evaluation."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.cloudwatch.alarm import Alarm, AlarmState, Watch
from rehearsal.cloudwatch.judgement import Judgement, MetricJudge, judge_rule
from rehearsal.cloudwatch.settings import CloudWatchSettings
from rehearsal.cloudwatch.store import MetricStore

MOST_HISTORY = 1000


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
        """Set a state by hand; it lasts until the next evaluation."""
        with self.lock:
            if alarm.watch is not None:
                alarm.evaluated_until = self._judge.end(alarm.watch)
            judged = Judgement(state=state, reason=reason, data=data)
            changes = list(self._become(alarm, judged))
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
            ticks = {
                self._judge.tick(a.watch) for a in self.by_name.values() if a.watch
            }
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
        end = self._judge.end(watch)
        if alarm.evaluated_until == end:
            return ()
        alarm.evaluated_until = end
        judged = self._judge.judge(watch, end)
        return () if judged is None else self._become(alarm, judged)

    def _evaluate_composites(self) -> list[AlarmChanged]:
        """Until nothing changes; rules that refer to one another are left there."""
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

    def _tell(self, changes: Iterable[AlarmChanged]) -> None:
        for change in changes:
            self._on_change(change)
