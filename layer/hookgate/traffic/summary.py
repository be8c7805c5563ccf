"""What a load came to, in numbers: evidence, metrics, and a sentence."""

from __future__ import annotations

from typing import Any

from hookgate.traffic.result import Result
from hookgate.traffic.tally import Latencies, Tally

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
