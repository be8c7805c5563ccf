"""Thresholds as a plan writes them: ``{error_rate: "< 0.1%", p95: "< 300ms"}``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.traffic.tally import ACCURACY, Tally
from hookgate.units import duration, kept, rate, seconds_text, signed

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


_OF_BLUE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*%\s+of\s+blue")

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%")

_COUNT = re.compile(r"[0-9]{1,9}")

_METRICS = "error_rate, dropped, rate, mean, p50 to p99.99, 5xx or 503"


def thresholds(value: object) -> Mapping[str, Threshold]:
    """Read ``{error_rate: "< 0.1%", p95: "< 300ms"}``.

    Raises:
        ValueError: a metric is unknown, or a bound is not one of it.
    """
    if not isinstance(value, Mapping):
        raise InvalidValue(
            'thresholds are a mapping such as {p95: "< 300ms"}', code=Code.PLAN_TYPE
        )
    found, wrong = {}, []
    for metric, bound in value.items():
        try:
            known = isinstance(bound, Threshold)
            found[str(metric)] = bound if known else _read(str(metric), bound)
        except ValueError as error:
            wrong.append(error)
    if wrong:
        said = "; ".join(str(each) for each in wrong)
        raise InvalidValue(said, code=getattr(wrong[0], "code", Code.OPTION_BOUND))
    return found


def _read(metric: str, written: object) -> Threshold:
    try:
        _demand_known(metric)
        sign, text = signed(written, _example(metric))
        kind, bound = _value(metric, text)
        _demand_possible(kind, metric, sign, text)
    except ValueError as error:
        raise InvalidValue.within(metric, error) from None
    return Threshold(
        metric=metric, sign=sign, bound=bound, kind=kind, text=f"{sign} {text}"
    )


def _value(metric: str, text: str) -> tuple[str, float]:
    timed = bool(PERCENTILE.fullmatch(metric)) or metric == "mean"
    relative = _OF_BLUE.fullmatch(text)
    if relative and (timed or metric == "error_rate"):
        return "blue", float(relative[1]) / 100
    if timed:
        return "duration", duration(text)
    if metric == "rate":
        return "rate", rate(text)
    share = _SHARE.fullmatch(text)
    if share and float(share[1]) <= 100:
        return "share", float(share[1]) / 100
    if metric != "error_rate" and _COUNT.fullmatch(text):
        return "count", float(text)
    raise InvalidValue(
        f"{text!r} is not a bound of it; write {_example(metric)!r}",
        code=Code.OPTION_BOUND,
    )


def _demand_possible(kind: str, metric: str, sign: str, text: str) -> None:
    if (kind, metric, sign) == ("blue", "error_rate", "<"):
        raise InvalidValue(
            f'nothing is below a blue without errors; write "<= {text}"',
            code=Code.OPTION_BOUND,
        )


def _demand_known(metric: str) -> None:
    if PERCENTILE.fullmatch(metric):
        if float(metric[1:]) == 0:
            raise InvalidValue(
                "no percentile; write p50 to p99.99", code=Code.THRESHOLD_METRIC
            )
    elif metric not in {"mean", "error_rate", "dropped", "rate"} and not (
        STATUS.fullmatch(metric)
    ):
        raise InvalidValue(
            f"unknown metric; there are: {_METRICS}", code=Code.THRESHOLD_METRIC
        )


def _example(metric: str) -> str:
    if metric == "rate":
        return ">= 49/s"
    if metric == "error_rate":
        return "< 0.1%"
    return "< 1%" if metric == "dropped" or STATUS.fullmatch(metric) else "< 300ms"


def _texts(value: Mapping[str, Threshold]) -> dict[str, str]:
    return {metric: each.text for metric, each in value.items()}


def _few(value: Mapping[str, Threshold]) -> Mapping[str, Threshold]:
    if len(value) > 20:
        raise InvalidValue("more than 20 thresholds", code=Code.PLAN_RANGE)
    return value


Thresholds = Annotated[
    Mapping[str, Any],
    BeforeValidator(thresholds),
    AfterValidator(_few),
    PlainSerializer(_texts, return_type=dict[str, str]),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "examples": [{"error_rate": "< 0.1%", "p95": "< 300ms"}],
        }
    ),
]
