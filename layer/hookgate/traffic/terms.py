"""Holds what a load came to against its thresholds."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hookgate.codes import Code
from hookgate.errors import Inconclusive, InvalidValue
from hookgate.model import Finding
from hookgate.traffic.options import SAFE, Load
from hookgate.traffic.tally import Latencies, Result, Tally
from hookgate.traffic.thresholds import Threshold, thresholds
from hookgate.units import seconds_text

_PERCENTILES = (50, 90, 95, 99, 99.9)


def evidence(result: Result) -> dict[str, Any]:
    """Everything that was counted, for whoever judges again."""
    whole = result.test.whole
    told = {
        **counted(whole),
        "rate": round(achieved(whole, result), 2),
        "lateness_ms": percentiles(result.lateness),
        "stopped_early": result.stopped,
    }
    if len(result.test.tallies) > 1:
        told["by_name"] = {
            name: counted(each) for name, each in result.test.tallies.items()
        }
    if result.production is not None:
        told["production"] = counted(result.production.whole)
    return {"traffic": told, "metrics": metrics(whole)}


def counted(tally: Tally) -> dict[str, Any]:
    """What was counted of some requests."""
    return {
        "planned": tally.planned,
        "sent": tally.sent,
        "dropped": tally.dropped,
        "ended": tally.samples,
        "failed": tally.failed,
        "statuses": {str(key): tally.statuses[key] for key in sorted(tally.statuses)},
        "errors": dict(tally.errors.most_common()),
        "not_green": dict(tally.strangers.most_common()),
        "latency_ms": percentiles(tally.latencies),
    }


def percentiles(latencies: Latencies) -> dict[str, float]:
    """Milliseconds by percentile; nothing of nothing."""
    if not latencies.count:
        return {}
    return {
        f"p{each:g}": round(latencies.percentile(each) * 1000, 3)
        for each in _PERCENTILES
    } | {"mean": round(latencies.mean * 1000, 3)}


def metrics(tally: Tally) -> dict[str, float]:
    """The metrics that a traffic step adds to those of every step."""
    share = {"ErrorRate": 100 * tally.failed / tally.samples} if tally.samples else {}
    quick = {
        f"LatencyP{each}": tally.latencies.percentile(each) * 1000
        for each in (50, 95, 99)
        if tally.latencies.count
    }
    return {"Requests": float(tally.sent), **share, **quick}


def achieved(tally: Tally, result: Result) -> float:
    """How many requests were started in a second."""
    return tally.sent / result.sending if result.sending else 0.0


def failures(tally: Tally) -> str:
    """Why requests failed, the most frequent reasons first."""
    wrong = {f"status {key}": tally.wrong[key] for key in tally.wrong}
    reasons = sorted(
        {**tally.errors, **wrong}.items(), key=lambda each: each[1], reverse=True
    )
    return ", ".join(f"{count} x {reason}" for reason, count in reasons[:5])


#: More than a hook's hour could be used for.
MOST_REQUESTS = 10_000_000


def demand(
    load: Load, min_samples: int, bounds: Sequence[tuple[Threshold, str, int]]
) -> None:
    """Demand that a load can decide.

    Args:
        load: what is sent.
        min_samples: how many requests must have ended.
        bounds: each bound, the name it is on if any, how many requests that plans.

    Raises:
        ValueError: it cannot; says what to write instead.
    """
    _named([each.name for each in load.shots])
    planned = load.pace.requests
    if planned > MOST_REQUESTS:
        raise InvalidValue(
            f"{planned} requests; at most {MOST_REQUESTS} can be sent",
            code=Code.TRAFFIC_SIZE,
        )
    if planned < min_samples:
        raise InvalidValue(
            f"sends {planned} requests, and min_samples is {min_samples}: it could "
            "never decide; send more, or lower min_samples",
            code=Code.TRAFFIC_UNDECIDABLE,
        )
    for bound, name, share in bounds:
        if share < bound.least:
            raise InvalidValue(
                f"{bound.subject(name)} of {share} requests is their slowest; send at "
                f"least {bound.least}",
                code=Code.TRAFFIC_UNDECIDABLE,
            )
    unsafe = {method for each in load.shots for method, _ in each.asks} - SAFE
    if load.yardstick and unsafe:
        raise InvalidValue(
            f"{', '.join(sorted(unsafe))}: 'of blue' sends every request to customers' "
            f"production too; only {', '.join(sorted(SAFE))} may go there",
            code=Code.TRAFFIC_UNSAFE,
        )


def _named(names: Sequence[str]) -> None:
    if not names:
        raise InvalidValue(
            "there is nothing to send; write requests", code=Code.PLAN_MISSING_KEY
        )
    twice = next((each for each in names if names.count(each) > 1), None)
    if twice is not None:
        raise InvalidValue(
            f"two requests are called {twice!r}; give each a name",
            code=Code.TRAFFIC_NAME_TWICE,
        )


Thresholds = Mapping[str, Threshold]

#: What must be where a plan says nothing.
PERFECT = thresholds({"error_rate": "== 0%", "dropped": "== 0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What a load must come to.

    Args:
        load: what is sent.
        thresholds: bounds on all of its requests.
        by_name: bounds on those of one name.
        min_samples: how many requests must have ended for a decision.
        max_lateness: by how much the generator itself may be late, in seconds, at the
            99th percentile; beyond it, times that are too long prove nothing.
    """

    load: Load
    thresholds: Thresholds
    by_name: Mapping[str, Thresholds] = field(default_factory=dict)
    min_samples: int = 100
    max_lateness: float = 0.05

    @classmethod
    def of(
        cls,
        load: Load,
        bounds: Thresholds,
        by_name: Mapping[str, Thresholds],
        *,
        min_samples: int,
        max_lateness: float,
    ) -> Terms:
        """Terms that can be met and can decide; what they leave out must be perfect.

        Raises:
            ValueError: they cannot; says what to write instead.
        """
        whole = {**PERFECT, **bounds}
        every = [
            *whole.values(),
            *(b for own in by_name.values() for b in own.values()),
        ]
        yardstick = any(each.kind == "blue" for each in every)
        terms = cls(
            load=replace(load, yardstick=yardstick),
            thresholds=whole,
            by_name=by_name,
            min_samples=min_samples,
            max_lateness=max_lateness,
        )
        demand(terms.load, min_samples, tuple(terms.planned()))
        return terms

    def hopeless(self, result: Result) -> bool:
        """Whether a threshold cannot hold any more: what is to come changes nothing."""
        whole = result.test.whole
        if whole.strangers and whole.samples >= self.min_samples:
            return True  # Not at the first: how many there are tells what is wrong.
        late = self._late(result)
        return any(
            bound.hopeless(tally, planned)
            for bound, _, tally, planned in self._all(result)
            if not (late and bound.timed)
        )

    def findings(self, result: Result) -> Iterator[Finding]:
        """State what came, and for each threshold whether it holds.

        Raises:
            Inconclusive: nothing is broken, but there are too few samples, the
                generator was late, or there is no yardstick.
        """
        found = [
            self._answered(result),
            *(
                self._held(bound, name, tally, result)
                for bound, name, tally, _ in self._all(result)
                if bound.kind != "blue" or self._blue(bound, name, result) is not None
            ),
        ]
        doubts = tuple(self._doubts(result))
        # A late generator makes answers late: only what it cannot cause is believed.
        late = self._late(result)
        believed = [each for each, timed in found if each.ok or not (late and timed)]
        yield from believed
        if doubts and all(each.ok for each in believed):
            raise Inconclusive("; ".join(doubts))

    def _answered(self, result: Result) -> tuple[Finding, bool]:
        whole = result.test.whole
        said = (
            f"{whole.sent} of {whole.planned} requests sent at "
            f"{achieved(whole, result):.3g}/s, {whole.samples} ended, "
            f"{whole.failed} failed"
        )
        count = whole.strangers.total()
        if count:
            by = ", ".join(f"{n} x {who}" for who, n in whole.strangers.most_common(5))
            said = f"{count} of {whole.samples} answers not by the replacement: {by}"
        if result.stopped:
            said += "; stopped early, for the outcome was certain"
        told = Finding(
            ok=not count,
            summary=said,
            evidence=evidence(result),
            waiver=self.load.trust.waiver,
            code=Code.TRAFFIC_SENT,
        )
        return told, False

    def _held(
        self, bound: Threshold, name: str, tally: Tally, result: Result
    ) -> tuple[Finding, bool]:
        asked = f"{bound.subject(name)}: expected {bound.text}"
        value = bound.value(tally, result.sending)
        blue = self._blue(bound, name, result)
        if value is None:
            return Finding(
                ok=False, summary=f"{asked}, came nothing", code=Code.THRESHOLD
            ), False
        came = bound.said(value) + (
            f", blue {bound.said(blue)}" if blue is not None else ""
        )
        why = failures(tally) if bound.metric == "error_rate" else ""
        summary = f"{asked}, came {came}" + (f" ({why})" if why else "")
        return Finding(
            ok=bound.holds(value, blue), summary=summary, code=Code.THRESHOLD
        ), bound.timed

    def _blue(self, bound: Threshold, name: str, result: Result) -> float | None:
        """What production came to, if that is asked for and there is anything."""
        if bound.kind != "blue" or result.production is None:
            return None
        there = result.production
        tally = there.tallies[name] if name else there.whole
        return bound.value(tally, result.sending)

    def _late(self, result: Result) -> bool:
        late = result.lateness
        return bool(late.count) and late.percentile(99) > self.max_lateness

    def _doubts(self, result: Result) -> Iterator[str]:
        """Why what was measured cannot carry a decision, one by one."""
        samples = result.test.whole.samples
        if samples < self.min_samples:
            yield f"{samples} requests ended, and min_samples is {self.min_samples}"
        if self._late(result):
            yield (
                "the generator itself was late: "
                f"{seconds_text(result.lateness.percentile(99))} at its p99, and "
                f"max_lateness is {seconds_text(self.max_lateness)}; give the function "
                "more memory, which is more CPU, or ask for a lower rate"
            )
        yield from self._too_few(result)
        yield from self._yardstick(result)

    def _too_few(self, result: Result) -> Iterator[str]:
        for bound, name, tally, _ in self._all(result):
            if bound.percent is not None and tally.latencies.count < bound.least:
                yield (
                    f"{bound.subject(name)} needs {bound.least} answers, and "
                    f"{tally.latencies.count} came"
                )

    def _yardstick(self, result: Result) -> Iterator[str]:
        if result.production is None:
            return
        blue = result.production.whole
        if blue.samples < self.min_samples:
            yield (
                f"production ended {blue.samples} requests, and min_samples is "
                f"{self.min_samples}"
            )
        for bound, name, _, _ in self._all(result):
            if bound.kind == "blue" and self._blue(bound, name, result) is None:
                yield f"{bound.subject(name)}: production gave nothing to compare with"
        if blue.strangers:
            yield (
                f"{blue.strangers.total()} of production's answers were the "
                "replacement's, so it is no yardstick"
            )

    def planned(self) -> Iterator[tuple[Threshold, str, int]]:
        """Each bound, the name it is on if any, and how many requests that plans."""
        planned = self.load.pace.requests
        yield from ((bound, "", planned) for bound in self.thresholds.values())
        weights = sum(each.weight for each in self.load.shots)
        for shot in self.load.shots:
            share = math.ceil(planned * shot.weight / weights)
            for bound in self.by_name.get(shot.name, {}).values():
                yield bound, shot.name, share

    def _all(self, result: Result) -> Iterator[tuple[Threshold, str, Tally, int]]:
        whole = result.test.whole
        for bound, name, planned in self.planned():
            yield bound, name, result.test.tallies[name] if name else whole, planned
