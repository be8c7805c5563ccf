"""An alarm: what it watches, and how it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.cloudwatch.distribution import percent_of
from rehearsal.cloudwatch.evaluation import AlarmState, Condition, MissingData
from rehearsal.cloudwatch.queries import Query
from rehearsal.cloudwatch.rule import ParsedRule

HIGH_RESOLUTION = 60  # seconds; shorter periods make a high-resolution alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What a metric alarm watches.

    Attributes:
        queries: What is read, as GetMetricData takes it.
        watched: The id of the query that is compared with the threshold.
        period: Seconds of each datapoint.
        condition: What makes the alarm.
        samples: How many samples a percentile needs; fewer retain the state.
    """

    queries: tuple[Query, ...]
    watched: str
    period: float
    condition: Condition
    samples: float = 0.0

    @property
    def is_high_resolution(self) -> bool:
        """Whether it is evaluated every ten seconds."""
        return self.period < HIGH_RESOLUTION


@dataclass(slots=True, kw_only=True)
class Alarm:
    """A metric alarm has a watch, a composite one a rule.

    Attributes:
        settings: What it was put with, in the API's own shape.
        evaluated_until: The end of the last window that was evaluated.
    """

    name: str
    arn: str
    settings: Mapping[str, Any]
    configured_at: float
    watch: Watch | None = None
    rule: ParsedRule | None = None
    state: AlarmState = AlarmState.INSUFFICIENT_DATA
    reason: str = "Unchecked: Initial alarm creation"
    reason_data: str | None = None
    updated_at: float = 0.0
    transitioned_at: float = 0.0
    actions_enabled: bool = True
    evaluated_until: float | None = None

    @property
    def kind(self) -> str:
        """``MetricAlarm`` or ``CompositeAlarm``, as the API says."""
        return "CompositeAlarm" if self.rule else "MetricAlarm"

    def actions(self) -> tuple[str, ...]:
        """What to do on entering the state, as ARNs."""
        member = {
            AlarmState.OK: "OKActions",
            AlarmState.ALARM: "AlarmActions",
            AlarmState.INSUFFICIENT_DATA: "InsufficientDataActions",
        }[self.state]
        return tuple(self.settings.get(member) or ())


def watch_of(settings: Mapping[str, Any]) -> Watch:
    """What the members of PutMetricAlarm, checked before, ask to be watched."""
    queries = tuple(settings.get("Metrics") or ()) or (_single(settings),)
    returned = [each for each in queries if each.get("ReturnData", True)]
    periods = [
        each["MetricStat"]["Period"] if "MetricStat" in each else each.get("Period", 0)
        for each in queries
    ]
    of = settings["EvaluationPeriods"]
    return Watch(
        queries=queries,
        watched=returned[0]["Id"],
        period=float(max(periods)),
        condition=Condition(
            comparison=settings["ComparisonOperator"],
            threshold=settings["Threshold"],
            of=of,
            needed=settings.get("DatapointsToAlarm") or of,
            missing=MissingData(settings.get("TreatMissingData") or "missing"),
        ),
        samples=_samples_needed(settings),
    )


def _single(settings: Mapping[str, Any]) -> Query:
    stat: dict[str, Any] = {
        "Metric": {
            "Namespace": settings["Namespace"],
            "MetricName": settings["MetricName"],
            "Dimensions": settings.get("Dimensions") or [],
        },
        "Period": settings["Period"],
        "Stat": settings.get("Statistic") or settings["ExtendedStatistic"],
    }
    if settings.get("Unit"):
        stat["Unit"] = settings["Unit"]
    return {"Id": "m1", "MetricStat": stat}


def _samples_needed(settings: Mapping[str, Any]) -> float:
    """Under so many samples a percentile says little: 10/(1-p), or 10/p below 0.5.

    Source: "Percentile-based alarms and low data samples" in the user guide.
    """
    extended = settings.get("ExtendedStatistic")
    if settings.get("EvaluateLowSampleCountPercentile") != "ignore" or not extended:
        return 0.0
    share = percent_of(extended) / 100
    rarer = share if share < 0.5 else 1 - share
    return 10 / rarer if rarer else 0.0
