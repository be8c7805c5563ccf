"""What a load must come to, written as ``p95: "< 300ms"``."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from hookgate.bound import kept
from hookgate.traffic.tally import ACCURACY, Tally
from hookgate.units import seconds_text

PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,3})?)")
STATUS = re.compile(r"[1-5]xx|[1-5][0-9][0-9]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """One bound.

    Args:
        metric: of what, such as ``p95`` or ``5xx``.
        sign: how, such as ``<``.
        bound: in seconds, requests per second, a count, or a share of 1.
        kind: ``duration``, ``rate``, ``count``, ``share``, or ``blue`` for a share of
            what the production listener came to.
        text: as the plan says it.
    """

    metric: str
    sign: str
    bound: float
    kind: str
    text: str

    @property
    def percent(self) -> float | None:
        """Which percentile it bounds, if it bounds one."""
        match = PERCENTILE.fullmatch(self.metric)
        return float(match[1]) if match else None

    @property
    def least(self) -> int:
        """How many samples its metric needs so as to be more than the slowest one."""
        percent = self.percent
        return 1 if percent is None else math.ceil(round(100 / (100 - percent), 6))

    def subject(self, name: str) -> str:
        """What it bounds, for requests of a name or for all."""
        return f"{self.metric} of {name}" if name else self.metric

    @property
    def timed(self) -> bool:
        """Whether a generator that is late itself can break it."""
        return self.metric != "error_rate" and not STATUS.fullmatch(self.metric)

    def value(self, tally: Tally, sending: float) -> float | None:
        """What the metric came to, in the bound's unit; None of nothing at all."""
        if self.percent is not None or self.metric == "mean":
            if not tally.latencies.count:
                return None
            percent = self.percent
            return (
                tally.latencies.mean
                if percent is None
                else tally.latencies.percentile(percent)
            )
        if self.metric == "rate":
            return tally.sent / sending if sending else None
        count, of = self._counted(tally)
        if not of:
            return None
        return float(count) if self.kind == "count" else count / of

    def holds(self, value: float, blue: float | None = None) -> bool:
        """Whether ``value`` keeps it; ``blue`` is what production came to."""
        limit = self.bound if blue is None else self.bound * blue
        return kept(self.sign, value, limit)

    def hopeless(self, tally: Tally, planned: int) -> bool:
        """Whether it cannot hold any more, whatever the requests to come do.

        Args:
            tally: what has come so far.
            planned: how many requests there will have been in all.
        """
        if self.kind == "blue" or self.sign not in {"<", "<=", "=="} or not planned:
            return False
        if self.kind == "duration":
            return self.percent is not None and self._too_slow(tally, planned)
        if self.kind == "rate":
            return False
        count, _ = self._counted(tally)
        least = float(count) if self.kind == "count" else count / planned
        return least > self.bound or (self.sign == "<" and least == self.bound)

    def said(self, value: float) -> str:
        """A value as a person would say it."""
        if self.percent is not None or self.metric == "mean":
            return seconds_text(value)
        if self.metric == "rate":
            return f"{value:.4g}/s"
        return f"{value:.0f}" if self.kind == "count" else f"{value * 100:.4g}%"

    def _too_slow(self, tally: Tally, planned: int) -> bool:
        """Whether too many were slow already: all that come may be quicker."""
        quicker = (self.percent or 0.0) / 100 * planned
        slower, seen = planned - quicker, tally.latencies.count
        if seen <= slower + 1:
            return False
        now = tally.latencies.percentile(100 * (1 - (slower + 1) / seen))
        return now > self.bound * (1 + 2 * ACCURACY)

    def _counted(self, tally: Tally) -> tuple[int, int]:
        if self.metric == "dropped":
            return tally.dropped, tally.planned
        if self.metric == "error_rate":
            return tally.failed, tally.samples
        wanted = self.metric
        found = sum(
            count
            for status, count in tally.statuses.items()
            if str(status) == wanted or f"{status // 100}xx" == wanted
        )
        return found, tally.samples
