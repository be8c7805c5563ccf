"""Metric data queries: metrics and expressions over the same windows of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookgate_rehearsal.cloudwatch.math import (
    MathError,
    Scope,
    TimeSeries,
    Value,
    evaluate,
    names_in,
)
from hookgate_rehearsal.cloudwatch.store import MetricId, MetricStore, is_statistic

Query = Mapping[str, Any]
MOST_QUERIES = 500  # GetMetricData's own limit


class QueryError(ValueError):
    """Queries that CloudWatch would refuse; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Windows of one length, side by side.

    Attributes:
        start: Where the first one begins, in epoch seconds.
        length: Seconds of each.
        number: How many.
        period: Seconds of each as the API gives them, where the emulator is quicker.
    """

    start: float
    length: float
    number: int
    period: float

    def starts(self) -> list[float]:
        """Where each begins, the oldest first."""
        return [self.start + place * self.length for place in range(self.number)]


def check(queries: Sequence[Query]) -> None:
    """Refuse queries that name a statistic or an id that there is not.

    Raises:
        QueryError: with what is wrong.
    """
    if not 1 <= len(queries) <= MOST_QUERIES:
        raise QueryError(f"there must be 1 to {MOST_QUERIES} queries")
    ids = {query["Id"] for query in queries}
    if len(ids) < len(queries):
        raise QueryError("two queries have the same Id")
    for query in queries:
        if ("MetricStat" in query) == ("Expression" in query):
            raise QueryError(f"{query['Id']} needs either MetricStat or Expression")
        if "Expression" in query:
            _check_expression(query["Expression"], ids)
        elif not is_statistic(query["MetricStat"]["Stat"]):
            stat = query["MetricStat"]["Stat"]
            raise QueryError(
                f"the emulator does not know the statistic {stat!r}; it knows "
                "SampleCount, Average, Sum, Minimum, Maximum, pNN.N and tmNN.N"
            )


def _check_expression(text: str, ids: set[str]) -> None:
    if text.lstrip().upper().startswith(("SELECT ", "SEARCH(")):
        raise QueryError(
            f"the emulator knows no Metrics Insights and no SEARCH: {text!r}"
        )
    try:
        unknown = names_in(text) - ids
    except MathError as error:
        raise QueryError(str(error)) from error
    if unknown:
        raise QueryError(f"{text!r} names {sorted(unknown)}, which no query has as Id")


def values_of(
    queries: Sequence[Query], windows: Windows, store: MetricStore
) -> dict[str, Value]:
    """Evaluate queries over windows; they were checked before.

    Returns:
        By id, in the order given.

    Raises:
        QueryError: an expression cannot be evaluated.
    """
    metrics = tuple(each["Id"] for each in queries if "MetricStat" in each)
    found: dict[str, Value] = {
        each["Id"]: _measured(each["MetricStat"], windows, store)
        for each in queries
        if "MetricStat" in each
    }
    waiting = {
        each["Id"]: each["Expression"] for each in queries if "Expression" in each
    }
    while waiting:
        ready = [each for each, text in waiting.items() if names_in(text) <= set(found)]
        if not ready:
            raise QueryError(f"{sorted(waiting)} refer to one another in a circle")
        for each in ready:
            found[each] = _evaluated(waiting.pop(each), found, metrics, windows)
    return {each["Id"]: found[each["Id"]] for each in queries}


def _measured(
    stat: Mapping[str, Any], windows: Windows, store: MetricStore
) -> TimeSeries:
    metric = MetricId.from_api(stat["Metric"])
    values = tuple(
        store.window(metric, start, start + windows.length, stat.get("Unit")).statistic(
            stat["Stat"]
        )
        for start in windows.starts()
    )
    return TimeSeries(values=values, period=windows.period)


def _evaluated(
    text: str, found: Mapping[str, Value], metrics: tuple[str, ...], windows: Windows
) -> Value:
    scope = Scope(
        values=found, metrics=metrics, windows=windows.number, period=windows.period
    )
    try:
        return evaluate(text, scope)
    except MathError as error:
        raise QueryError(f"{text!r}: {error}") from error
