"""Thresholds such as ``{p95: "< 300ms"}``, and their evaluation."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

from hookgate.codes import Code
from hookgate.errors import Inconclusive, InvalidValue
from hookgate.model import Finding, Metric
from hookgate.traffic.results import ACCURACY, Latencies, LoadResult, Tally
from hookgate.units import duration, kept, rate, seconds_text, signed

if TYPE_CHECKING:
    from hookgate.traffic.options import Load

_PERCENTILE = re.compile(r"p([0-9]{1,2}(?:\.[0-9]{1,3})?)")

_STATUS = re.compile(r"[1-5]xx|[1-5][0-9][0-9]")

_OF_BASELINE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,3})?)\s*%\s+of\s+baseline")

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,6})?)\s*%")

_COUNT = re.compile(r"[0-9]{1,9}")

_METRICS = "error_rate, dropped, rate, mean, p50 to p99.99, 5xx or 503"

_EXAMPLES = {
    "error_rate": "< 0.1%",
    "dropped": "< 1%",
    "rate": ">= 49/s",
    "status": "< 1%",
    "latency": "< 300ms",
}

_MAX_THRESHOLDS = 20

#: More requests than a hook can send within CodeDeploy's hour.
_MAX_REQUESTS = 10_000_000

#: Methods that RFC 9110, section 9.2.1 calls safe.
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

_REPORTED_PERCENTILES = (50, 90, 95, 99, 99.9)


@dataclass(frozen=True, slots=True)
class Threshold:
    """A limit of one metric.

    Args:
        metric: the metric, such as ``p95`` or ``5xx``.
        family: the metric without its number, a key of ``_EXAMPLES``.
        kind: ``duration``, ``rate``, ``count``, ``share``, or ``baseline`` for a share
            of the production listener's value.
        sign: the comparison, such as ``<``.
        bound: in seconds, requests per second, a count, or a share of 1.
        text: the threshold as the plan writes it.
    """

    metric: str
    family: str
    kind: str
    sign: str
    bound: float
    text: str

    @property
    def percent(self) -> float | None:
        """The percentile that it limits, if any."""
        return float(self.metric[1:]) if _PERCENTILE.fullmatch(self.metric) else None

    @property
    def min_samples(self) -> int:
        """The number of samples at which a percentile is more than the maximum."""
        percent = self.percent
        return 1 if percent is None else math.ceil(round(100 / (100 - percent), 6))

    @property
    def timed(self) -> bool:
        """Whether a generator that is late can violate it."""
        return self.family not in {"error_rate", "status"}

    def label(self, name: str) -> str:
        """The metric, with the name of its requests if they have one."""
        return f"{self.metric} of {name}" if name else self.metric

    def value(self, tally: Tally, sending: float) -> float | None:
        """The metric's value in the bound's unit; None without data."""
        if self.family == "latency":
            latencies, percent = tally.latencies, self.percent
            if not latencies.count:
                return None
            return latencies.mean if percent is None else latencies.percentile(percent)
        if self.family == "rate":
            return tally.sent / sending if sending else None
        count, whole = self._count(tally)
        if not whole:
            return None
        return float(count) if self.kind == "count" else count / whole

    def is_satisfied(self, value: float, baseline: float | None = None) -> bool:
        """Whether ``value`` satisfies it; ``baseline`` is production's value."""
        limit = self.bound if baseline is None else self.bound * baseline
        return kept(self.sign, value, limit)

    def should_abort(self, tally: Tally, planned: int) -> bool:
        """Whether it is violated whatever the remaining requests do.

        Args:
            tally: the results so far.
            planned: the number of requests of the whole load.
        """
        if self.sign not in {"<", "<=", "=="} or not planned:
            return False
        if self.kind == "duration" and self.percent is not None:
            return self._too_slow(self.percent, tally.latencies, planned)
        if self.kind not in {"count", "share"}:
            return False
        count, _ = self._count(tally)
        least = float(count) if self.kind == "count" else count / planned
        return least > self.bound or (self.sign == "<" and least == self.bound)

    def format(self, value: float) -> str:
        """A value with its unit."""
        if self.family == "latency":
            return seconds_text(value)
        if self.family == "rate":
            return f"{value:.4g}/s"
        return f"{value:.0f}" if self.kind == "count" else f"{value * 100:.4g}%"

    def _too_slow(self, percent: float, latencies: Latencies, planned: int) -> bool:
        """Whether it is violated even if all remaining requests are fast."""
        slower = planned - percent / 100 * planned + 1
        if latencies.count <= slower:
            return False
        now = latencies.percentile(100 * (1 - slower / latencies.count))
        return now > self.bound * (1 + 2 * ACCURACY)

    def _count(self, tally: Tally) -> tuple[int, int]:
        if self.family == "dropped":
            return tally.dropped, tally.planned
        if self.family == "error_rate":
            return tally.failed, tally.samples
        found = sum(
            count
            for status, count in tally.statuses.items()
            if self.metric in {str(status), f"{status // 100}xx"}
        )
        return found, tally.samples


def thresholds(value: object) -> Mapping[str, Threshold]:
    """Read ``{error_rate: "< 0.1%", p95: "< 300ms"}``.

    Raises:
        ValueError: a metric or a bound is not valid, or there are too many.
    """
    if not isinstance(value, Mapping):
        raise InvalidValue(
            'expected a mapping such as {p95: "< 300ms"}', code=Code.PLAN_TYPE
        )
    if len(value) > _MAX_THRESHOLDS:
        raise InvalidValue(
            f"expected at most {_MAX_THRESHOLDS} thresholds, got {len(value)}",
            code=Code.PLAN_RANGE,
        )
    found, errors = {}, []
    for metric, bound in value.items():
        try:
            known = isinstance(bound, Threshold)
            found[str(metric)] = bound if known else _read(str(metric), bound)
        except ValueError as error:
            errors.append(error)
    if errors:
        text = "; ".join(str(each) for each in errors)
        raise InvalidValue(text, code=getattr(errors[0], "code", Code.OPTION_BOUND))
    return found


def _read(metric: str, written: object) -> Threshold:
    try:
        family = _family(metric)
        sign, text = signed(written, _EXAMPLES[family])
        kind, bound = _bound(family, text)
        if (kind, family, sign) == ("baseline", "error_rate", "<"):
            raise InvalidValue(
                f'no value is below a baseline without errors; write "<= {text}"',
                code=Code.OPTION_BOUND,
            )
    except ValueError as error:
        raise InvalidValue.within(metric, error) from None
    return Threshold(metric, family, kind, sign, bound, f"{sign} {text}")


def _family(metric: str) -> str:
    if metric in {"error_rate", "dropped", "rate"}:
        return metric
    if _STATUS.fullmatch(metric):
        return "status"
    percentile = _PERCENTILE.fullmatch(metric)
    if metric == "mean" or (percentile and float(percentile[1])):
        return "latency"
    raise InvalidValue(
        f"unknown metric; expected one of {_METRICS}", code=Code.THRESHOLD_METRIC
    )


def _bound(family: str, text: str) -> tuple[str, float]:
    relative = _OF_BASELINE.fullmatch(text)
    if relative and family in {"latency", "error_rate"}:
        return "baseline", float(relative[1]) / 100
    if family == "latency":
        return "duration", duration(text)
    if family == "rate":
        return "rate", rate(text)
    share = _SHARE.fullmatch(text)
    if share and float(share[1]) <= 100:
        return "share", float(share[1]) / 100
    if family != "error_rate" and _COUNT.fullmatch(text):
        return "count", float(text)
    raise InvalidValue(
        f"{text!r} is not a valid bound; write {_EXAMPLES[family]!r}",
        code=Code.OPTION_BOUND,
    )


def _texts(value: Mapping[str, Threshold]) -> dict[str, str]:
    return {metric: each.text for metric, each in value.items()}


Thresholds = Annotated[
    Mapping[str, Any],
    BeforeValidator(thresholds),
    PlainSerializer(_texts, return_type=dict[str, str]),
    WithJsonSchema(
        {
            "type": "object",
            "additionalProperties": {"type": "string"},
            "examples": [{"error_rate": "< 0.1%", "p95": "< 300ms"}],
        }
    ),
]

#: The thresholds of metrics that a plan does not limit.
_DEFAULTS = thresholds({"error_rate": "== 0%", "dropped": "== 0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PassCriteria:
    """What the results of a load must satisfy.

    Args:
        load: what is sent.
        thresholds: the thresholds for all requests.
        by_name: the thresholds for the requests of one name.
        min_samples: the number of requests that must have ended for a decision.
        max_lateness: how late the generator may be, in seconds, at the 99th
            percentile; beyond it, long latencies prove nothing.
    """

    load: Load
    thresholds: Mapping[str, Threshold]
    by_name: Mapping[str, Mapping[str, Threshold]] = field(default_factory=dict)
    min_samples: int = 100
    max_lateness: float = 0.05

    def checked(self) -> PassCriteria:
        """Add the default thresholds, and the baseline if a threshold needs it.

        Raises:
            ValueError: the load cannot be sent, or cannot decide.
        """
        whole = {**_DEFAULTS, **self.thresholds}
        baseline = any(
            threshold.kind == "baseline"
            for each in (whole, *self.by_name.values())
            for threshold in each.values()
        )
        load = replace(self.load, baseline=baseline)
        checked = replace(self, load=load, thresholds=whole)
        _check(checked)
        return checked

    def should_abort(self, result: LoadResult) -> bool:
        """Whether the outcome is certain, whatever the remaining requests do."""
        whole = result.test.total
        if whole.unidentified_responses and whole.samples >= self.min_samples:
            return True  # Not at the first: their number helps to find the cause.
        late = self._late(result)
        return any(
            threshold.should_abort(tally, planned)
            for threshold, _, tally, planned in self._evaluated(result, whole)
            if not (late and threshold.timed)
        )

    def findings(self, result: LoadResult) -> Iterator[Finding]:
        """The findings: what was sent, and whether each threshold is satisfied.

        Raises:
            Inconclusive: no finding is unsatisfied, but there are too few samples, the
                generator was late, or there is no baseline.
        """
        whole = result.test.total
        findings = [(self._sent(result, whole), False)]
        doubts = list(self._doubts(result, whole))
        for threshold, name, tally, _ in self._evaluated(result, whole):
            baseline = _baseline(threshold, name, result)
            if threshold.kind == "baseline" and baseline is None:
                doubts.append(f"{threshold.label(name)}: no data from the baseline")
                continue
            value = threshold.value(tally, result.sending)
            finding = _finding(threshold, name, tally, value, baseline)
            findings.append((finding, threshold.timed and value is not None))
            if threshold.percent and tally.latencies.count < threshold.min_samples:
                doubts.append(
                    f"{threshold.label(name)} needs {threshold.min_samples} responses, "
                    f"got {tally.latencies.count}"
                )
        # A late generator delays responses: only what it cannot cause is reported.
        late = self._late(result)
        reliable = [each for each, timed in findings if each.ok or not (late and timed)]
        yield from reliable
        if doubts and all(each.ok for each in reliable):
            raise Inconclusive("; ".join(doubts))

    def _sent(self, result: LoadResult, whole: Tally) -> Finding:
        others = whole.unidentified_responses
        summary = (
            f"{whole.sent} of {whole.planned} requests sent at {result.rate:.3g}/s, "
            f"{whole.samples} ended, {whole.failed} failed"
        )
        if others:
            summary = (
                f"{others.total()} of {whole.samples} responses were not from the "
                f"replacement: {_most_common(others)}"
            )
        if result.stopped:
            summary += "; stopped early because the outcome was certain"
        return Finding(
            ok=not others,
            summary=summary,
            evidence=_evidence(result, whole),
            metrics=metrics(whole),
            waiver=self.load.trust.waiver,
            code=Code.TRAFFIC_SENT,
        )

    def _late(self, result: LoadResult) -> bool:
        late = result.lateness
        return bool(late.count) and late.percentile(99) > self.max_lateness

    def _doubts(self, result: LoadResult, whole: Tally) -> Iterator[str]:
        """The reasons why the results as a whole cannot decide."""
        if whole.samples < self.min_samples:
            yield f"{whole.samples} requests ended, min_samples is {self.min_samples}"
        if self._late(result):
            yield (
                "the generator itself was late by "
                f"{seconds_text(result.lateness.percentile(99))} (p99), max_lateness "
                f"is {seconds_text(self.max_lateness)}; increase the function's "
                "memory, which adds CPU, or lower the rate"
            )
        if result.production is None:
            return
        baseline = result.production.total
        if baseline.samples < self.min_samples:
            ended = f"{baseline.samples} requests of the baseline ended"
            yield f"{ended}, min_samples is {self.min_samples}"
        if baseline.unidentified_responses:
            yield (
                f"{baseline.unidentified_responses.total()} responses of the "
                "production listener were from the replacement, so it is no baseline"
            )

    def planned(self) -> Iterator[tuple[Threshold, str, int]]:
        """Each threshold, the name of its requests if any, and their number."""
        planned = self.load.schedule.requests
        yield from ((each, "", planned) for each in self.thresholds.values())
        weights = sum(each.weight for each in self.load.templates)
        for template in self.load.templates:
            share = math.ceil(planned * template.weight / weights)
            for each in self.by_name.get(template.name, {}).values():
                yield each, template.name, share

    def _evaluated(
        self, result: LoadResult, whole: Tally
    ) -> Iterator[tuple[Threshold, str, Tally, int]]:
        for threshold, name, planned in self.planned():
            tally = result.test.tallies[name] if name else whole
            yield threshold, name, tally, planned


def _check(criteria: PassCriteria) -> None:
    load = criteria.load
    names = Counter(each.name for each in load.templates)
    if not names:
        raise InvalidValue(
            "there is no request to send; write requests", code=Code.PLAN_MISSING_KEY
        )
    name, count = names.most_common(1)[0]
    if count > 1:
        raise InvalidValue(
            f"{count} requests have the name {name!r}; give each a name",
            code=Code.TRAFFIC_NAME_TWICE,
        )
    planned = load.schedule.requests
    if planned > _MAX_REQUESTS:
        what = f"{planned} requests; the maximum is {_MAX_REQUESTS}"
        raise InvalidValue(what, code=Code.TRAFFIC_SIZE)
    if planned < criteria.min_samples:
        raise InvalidValue(
            f"{planned} requests can never decide, as min_samples is "
            f"{criteria.min_samples}; send more, or lower min_samples",
            code=Code.TRAFFIC_UNDECIDABLE,
        )
    for threshold, name, share in criteria.planned():
        if share < threshold.min_samples:
            raise InvalidValue(
                f"{threshold.label(name)} of {share} requests is their maximum; "
                f"send at least {threshold.min_samples}",
                code=Code.TRAFFIC_UNDECIDABLE,
            )
    methods = {method for each in load.templates for method, _ in each.operations}
    unsafe, safe = sorted(methods - _SAFE_METHODS), sorted(_SAFE_METHODS)
    if load.baseline and unsafe:
        raise InvalidValue(
            f"{', '.join(unsafe)}: with 'of baseline' the production listener gets "
            f"every request too; only {', '.join(safe)} are allowed",
            code=Code.TRAFFIC_UNSAFE,
        )


def _baseline(threshold: Threshold, name: str, result: LoadResult) -> float | None:
    """Production's value, if the threshold is relative to it and there is any."""
    production = result.production
    if threshold.kind != "baseline" or production is None:
        return None
    tally = production.tallies[name] if name else production.total
    return threshold.value(tally, result.sending)


def _finding(
    threshold: Threshold,
    name: str,
    tally: Tally,
    value: float | None,
    baseline: float | None,
) -> Finding:
    summary = f"{threshold.label(name)}: expected {threshold.text}, "
    if value is None:
        return Finding(ok=False, summary=f"{summary}no data", code=Code.THRESHOLD)
    summary += f"got {threshold.format(value)}"
    if baseline is not None:
        summary += f", baseline {threshold.format(baseline)}"
    wrong = {f"status {status}": count for status, count in tally.wrong.items()}
    if threshold.metric == "error_rate" and (tally.errors or wrong):
        summary += f" ({_most_common({**tally.errors, **wrong})})"
    return Finding(
        ok=threshold.is_satisfied(value, baseline), summary=summary, code=Code.THRESHOLD
    )


def _most_common(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{n} x {each}" for each, n in Counter(counts).most_common(5))


def _evidence(result: LoadResult, whole: Tally) -> dict[str, Any]:
    """All counts, so that the decision can be re-evaluated."""
    traffic = {
        **counted(whole),
        "rate": round(result.rate, 2),
        "lateness_ms": percentiles(result.lateness),
        "stopped_early": result.stopped,
    }
    if len(result.test.tallies) > 1:
        traffic["by_name"] = {
            name: counted(each) for name, each in result.test.tallies.items()
        }
    if result.production is not None:
        traffic["production"] = counted(result.production.total)
    return {"traffic": traffic}


def counted(tally: Tally) -> dict[str, Any]:
    """The counts of some requests, as evidence."""
    return {
        "planned": tally.planned,
        "sent": tally.sent,
        "dropped": tally.dropped,
        "ended": tally.samples,
        "failed": tally.failed,
        "statuses": {str(key): tally.statuses[key] for key in sorted(tally.statuses)},
        "errors": dict(tally.errors.most_common()),
        "unidentified_responses": dict(tally.unidentified_responses.most_common()),
        "latency_ms": percentiles(tally.latencies),
    }


def percentiles(latencies: Latencies) -> dict[str, float]:
    """Percentiles and mean in milliseconds; empty without data."""
    if not latencies.count:
        return {}
    return {
        f"p{each:g}": round(latencies.percentile(each) * 1000, 3)
        for each in _REPORTED_PERCENTILES
    } | {"mean": round(latencies.mean * 1000, 3)}


def metrics(tally: Tally) -> tuple[Metric, ...]:
    """The CloudWatch metrics of a traffic step beside those of every step."""
    found = [Metric("Requests", tally.sent)]
    if tally.samples:
        share = 100 * tally.failed / tally.samples
        found.append(Metric("ErrorRate", share, "Percent"))
    for each in (50, 95, 99) if tally.latencies.count else ():
        latency = tally.latencies.percentile(each) * 1000
        found.append(Metric(f"LatencyP{each}", latency, "Milliseconds"))
    return tuple(found)
