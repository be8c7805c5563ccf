"""Every measured value, up to a bound."""

from __future__ import annotations

import math
import re
import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricId:
    """A metric; another set of dimensions is another metric."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(
        cls, namespace: str, name: str, dimensions: Mapping[str, str] | None = None
    ) -> MetricId:
        """A metric whose dimensions are given in any order."""
        pairs = tuple(sorted((dimensions or {}).items()))
        return cls(namespace=namespace, name=name, dimensions=pairs)

    @classmethod
    def from_api(cls, given: Mapping[str, Any]) -> MetricId:
        """The metric that ``Namespace``, ``MetricName`` and ``Dimensions`` name."""
        dimensions = {d["Name"]: d["Value"] for d in given.get("Dimensions") or ()}
        return cls.of(given["Namespace"], given["MetricName"], dimensions)

    def to_api(self) -> dict[str, Any]:
        """Convert to the API's shape."""
        return {
            "Namespace": self.namespace,
            "MetricName": self.name,
            "Dimensions": [
                {"Name": name, "Value": value} for name, value in self.dimensions
            ],
        }


#: Distinct values that are kept apart; further ones are rounded.
MOST_VALUES = 5000

_ROUNDED_DIGITS = 2

_EXTENDED = re.compile(r"(p|tm)(\d{1,2}(?:\.\d{1,10})?|100)")

STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


@dataclass(slots=True, kw_only=True)
class Distribution:
    """Values with their counts.

    ``has_values`` is false if it contains a statistic set, which has no percentiles.
    """

    counts: dict[float, float] = field(default_factory=dict)
    samples: float = 0.0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")
    has_values: bool = True

    def add(self, value: float, count: float = 1.0) -> None:
        """Add a value, ``count`` times."""
        self.samples += count
        self.total += value * count
        self.minimum, self.maximum = min(self.minimum, value), max(self.maximum, value)
        if value not in self.counts and len(self.counts) >= MOST_VALUES:
            value = float(f"{value:.{_ROUNDED_DIGITS}g}")
        self.counts[value] = self.counts.get(value, 0.0) + count

    def merge(self, other: Distribution) -> None:
        """Add all of another's values."""
        self.samples += other.samples
        self.total += other.total
        self.minimum = min(self.minimum, other.minimum)
        self.maximum = max(self.maximum, other.maximum)
        self.has_values = self.has_values and other.has_values
        for value, count in other.counts.items():
            self.counts[value] = self.counts.get(value, 0.0) + count

    def statistic(self, name: str) -> float | None:
        """Get a statistic that ``is_statistic`` accepts, or None without values."""
        if not self.samples:
            return None
        match name:
            case "SampleCount":
                return self.samples
            case "Sum":
                return self.total
            case "Average":
                return self.total / self.samples
            case "Minimum":
                return self.minimum
            case "Maximum":
                return self.maximum
        if not self.has_values:
            return None
        share = percent_of(name) / 100 * self.samples
        return self._trimmed(share) if name.startswith("tm") else self._at(share)

    def _at(self, rank: float) -> float:
        """Get the nearest-rank percentile."""
        seen = 0.0
        for value in sorted(self.counts):
            seen += self.counts[value]
            if seen >= rank:
                return value
        return self.maximum

    def _trimmed(self, share: float) -> float:
        """The mean of the lowest values that make up the share."""
        left, total = share, 0.0
        for value in sorted(self.counts):
            taken = min(left, self.counts[value])
            total += value * taken
            left -= taken
            if left <= 0:
                break
        return total / share if share else self.minimum


def is_statistic(name: str) -> bool:
    """Whether the emulator knows a statistic."""
    return name in STATISTICS or _EXTENDED.fullmatch(name) is not None


def percent_of(name: str) -> float:
    """The number in an extended statistic such as ``p99.9``."""
    match = _EXTENDED.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is not an extended statistic")
    return float(match[2])


#: An hour of buckets; older ones are kept in buckets of a minute, for a day.
MOST_FINE = 3600

MOST_COARSE = 1440

_COARSER = 60

_NEARLY = 1e-4  # of a bucket: what a float may be off

NO_UNIT = "None"


_by_index = partial(defaultdict[int, Distribution], Distribution)


@dataclass(slots=True)
class _Buckets:
    fine: dict[int, Distribution] = field(default_factory=_by_index)
    coarse: dict[int, Distribution] = field(default_factory=_by_index)

    def make_room(self) -> None:
        if len(self.fine) <= MOST_FINE:
            return
        oldest = min(self.fine)
        self.coarse[oldest // _COARSER].merge(self.fine.pop(oldest))
        if len(self.coarse) > MOST_COARSE:
            del self.coarse[min(self.coarse)]


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
        self._series: dict[tuple[MetricId, str], _Buckets] = {}

    def put(
        self,
        metric: MetricId,
        value: float | Distribution,
        at: float,
        *,
        count: float = 1.0,
        unit: str = NO_UNIT,
    ) -> None:
        """Store a value, or a statistic set, ``count`` times at an epoch second."""
        with self._lock:
            if (metric, unit) not in self._series:
                if len(self._series) >= self._most:
                    return
                self._series[metric, unit] = _Buckets()
            series = self._series[metric, unit]
            index = math.floor(at / self._resolution + _NEARLY)
            if isinstance(value, Distribution):
                series.fine[index].merge(value)
            else:
                series.fine[index].add(value, count)
            series.make_room()

    def metrics(self) -> list[MetricId]:
        """List the metrics, the oldest first."""
        with self._lock:
            return list(dict.fromkeys(metric for metric, _ in self._series))

    def units(self, metric: MetricId) -> list[str]:
        """The units that a metric was put with."""
        with self._lock:
            return [unit for known, unit in self._series if known == metric]

    def window(
        self, metric: MetricId, start: float, end: float, unit: str | None = None
    ) -> Distribution:
        """What was measured from ``start`` up to, not including, ``end``.

        Both are in epoch seconds. Without a unit, values of every unit count.
        """
        found = Distribution()
        with self._lock:
            for (known, its_unit), series in self._series.items():
                if known == metric and unit in (None, its_unit):
                    _gather(series.fine, start, end, self._resolution, found)
                    wide = self._resolution * _COARSER
                    _gather(series.coarse, start, end, wide, found)
        return found


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
