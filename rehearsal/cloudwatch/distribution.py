"""The values of a metric within some time, and what statistics make of them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

#: Distinct values that are kept apart; further ones are rounded.
MOST_VALUES = 5000
_ROUNDED_DIGITS = 2
_EXTENDED = re.compile(r"(p|tm)(\d{1,2}(?:\.\d{1,10})?|100)")
STATISTICS = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


@dataclass(slots=True, kw_only=True)
class Distribution:
    """Values with how often each came.

    ``has_values`` is false once a statistic set was added, which tells no single value.
    """

    counts: dict[float, float] = field(default_factory=dict)
    samples: float = 0.0
    total: float = 0.0
    minimum: float = float("inf")
    maximum: float = float("-inf")
    has_values: bool = True

    def add(self, value: float, count: float = 1.0) -> None:
        """Add a value that came so often."""
        self.samples += count
        self.total += value * count
        self.minimum, self.maximum = min(self.minimum, value), max(self.maximum, value)
        if value not in self.counts and len(self.counts) >= MOST_VALUES:
            value = float(f"{value:.{_ROUNDED_DIGITS}g}")
        self.counts[value] = self.counts.get(value, 0.0) + count

    def add_set(
        self, *, samples: float, total: float, minimum: float, maximum: float
    ) -> None:
        """Add a statistic set, of which no percentile can be told."""
        self.samples += samples
        self.total += total
        self.minimum = min(self.minimum, minimum)
        self.maximum = max(self.maximum, maximum)
        self.has_values = False

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
        """A statistic, or None where there is nothing to tell it from.

        Args:
            name: ``Average``, ``p99.9``, ``tm90`` …; checked before by
                ``is_statistic``.
        """
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
        """The nearest-rank percentile: so many values are not above it."""
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
    """Whether it is a statistic that the stage can tell."""
    return name in STATISTICS or _EXTENDED.fullmatch(name) is not None


def percent_of(name: str) -> float:
    """The number in an extended statistic such as ``p99.9``."""
    match = _EXTENDED.fullmatch(name)
    if match is None:
        raise ValueError(f"{name!r} is no extended statistic")
    return float(match[2])
