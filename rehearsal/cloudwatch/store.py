"""Every value that was measured, as long as there is room for it."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from rehearsal.cloudwatch.distribution import Distribution
from rehearsal.cloudwatch.metric import Metric

#: An hour of buckets; older ones are kept in buckets of a minute, for a day.
MOST_FINE = 3600
MOST_COARSE = 1440
_COARSER = 60
_NEARLY = 1e-4  # of a bucket: what a float may be off
NO_UNIT = "None"


@dataclass(slots=True)
class _Series:
    fine: dict[int, Distribution] = field(default_factory=dict)
    coarse: dict[int, Distribution] = field(default_factory=dict)


class MetricStore:
    """Values by metric, unit and time.

    Args:
        resolution: Seconds that a bucket spans.
        most_metrics: More than these are not kept.
    """

    def __init__(self, resolution: float, most_metrics: int) -> None:
        self._resolution = resolution
        self._most = most_metrics
        self._lock = threading.Lock()
        self._series: dict[tuple[Metric, str], _Series] = {}

    def put(
        self,
        metric: Metric,
        value: float,
        at: float,
        *,
        count: float = 1.0,
        unit: str = NO_UNIT,
    ) -> None:
        """Keep a value.

        Args:
            metric: What was measured.
            value: The value.
            at: When, in epoch seconds.
            count: How often the value came.
            unit: Its unit, in CloudWatch's words.
        """
        self.change(metric, at, unit, lambda bucket: bucket.add(value, count))

    def change(
        self,
        metric: Metric,
        at: float,
        unit: str,
        change: Callable[[Distribution], None],
    ) -> None:
        """Let something be added to the bucket of a moment."""
        with self._lock:
            series = self._series.get((metric, unit))
            if series is None:
                if len(self._series) >= self._most:
                    return
                series = self._series.setdefault((metric, unit), _Series())
            index = math.floor(at / self._resolution + _NEARLY)
            bucket = series.fine.get(index)
            if bucket is None:
                bucket = series.fine[index] = Distribution()
                self._make_room(series)
            change(bucket)

    def metrics(self) -> list[Metric]:
        """Every metric there is, in the order they came."""
        with self._lock:
            return list(dict.fromkeys(metric for metric, _ in self._series))

    def units(self, metric: Metric) -> list[str]:
        """The units that a metric was put with."""
        with self._lock:
            return [unit for known, unit in self._series if known == metric]

    def window(
        self, metric: Metric, start: float, end: float, unit: str | None = None
    ) -> Distribution:
        """What was measured from ``start`` up to, not including, ``end``.

        Args:
            metric: What was measured.
            start: Epoch seconds.
            end: Epoch seconds.
            unit: Values of this unit only; None takes all.
        """
        found = Distribution()
        with self._lock:
            units = [unit] if unit else [u for m, u in self._series if m == metric]
            for each in units:
                series = self._series.get((metric, each))
                if series is not None:
                    _gather(series.fine, start, end, self._resolution, found)
                    wide = self._resolution * _COARSER
                    _gather(series.coarse, start, end, wide, found)
        return found

    def _make_room(self, series: _Series) -> None:
        if len(series.fine) <= MOST_FINE:
            return
        oldest = min(series.fine)
        bucket = series.fine.pop(oldest)
        kept = series.coarse.setdefault(oldest // _COARSER, Distribution())
        kept.merge(bucket)
        if len(series.coarse) > MOST_COARSE:
            del series.coarse[min(series.coarse)]


def _gather(
    buckets: dict[int, Distribution],
    start: float,
    end: float,
    width: float,
    into: Distribution,
) -> None:
    first = math.ceil(start / width - _NEARLY)
    beyond = math.ceil(end / width - _NEARLY)
    if beyond - first > len(buckets):
        indices = [index for index in buckets if first <= index < beyond]
    else:
        indices = [index for index in range(first, beyond) if index in buckets]
    for index in indices:
        into.merge(buckets[index])
