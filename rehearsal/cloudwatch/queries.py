"""Metric data queries: metrics and expressions over the same windows of time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Any

from hookgate_rehearsal.cloudwatch.math import (
    QueryError,
    Scope,
    TimeSeries,
    Value,
    evaluate,
    names_in,
)
from hookgate_rehearsal.cloudwatch.store import MetricId, MetricStore, is_statistic

Query = Mapping[str, Any]
MOST_QUERIES = 500  # GetMetricData's own limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """Windows of one length, one after the other.

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
    """Reject queries that name an unknown statistic or id.

    Raises:
        QueryError: A query is not valid.
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
        elif not is_statistic(stat := query["MetricStat"]["Stat"]):
            raise QueryError(
                f"the emulator does not know the statistic {stat!r}; it knows "
                "SampleCount, Average, Sum, Minimum, Maximum, pNN.N and tmNN.N"
            )


def _check_expression(text: str, ids: set[str]) -> None:
    if text.lstrip().upper().startswith(("SELECT ", "SEARCH(")):
        raise QueryError(
            f"the emulator knows no Metrics Insights and no SEARCH: {text!r}"
        )
    if unknown := names_in(text) - ids:
        raise QueryError(f"{text!r} names {sorted(unknown)}, but no query has that Id")


def periods_of(queries: Sequence[Query]) -> set[int]:
    """The periods of queries in seconds."""
    given = [query.get("MetricStat", query) for query in queries]
    return {each["Period"] for each in given if "Period" in each}


def values_of(
    queries: Sequence[Query], windows: Windows, store: MetricStore
) -> dict[str, Value]:
    """Evaluate queries that ``check`` accepted over windows.

    Returns:
        The values by id.

    Raises:
        QueryError: An expression cannot be evaluated.
    """
    expressions = {q["Id"]: q["Expression"] for q in queries if "Expression" in q}
    stats = {q["Id"]: q["MetricStat"] for q in queries if "MetricStat" in q}
    found: dict[str, Value] = {
        id_: _measure(stat, windows, store) for id_, stat in stats.items()
    }
    scope = Scope(
        values=found,
        metrics=tuple(stats),
        windows=windows.number,
        period=windows.period,
    )
    needs = {id_: names_in(text) for id_, text in expressions.items()}
    try:
        order = tuple(TopologicalSorter(needs).static_order())
    except CycleError as error:
        raise QueryError(f"expressions refer to each other: {error.args[1]}") from error
    for id_ in order:
        if id_ in expressions:
            found[id_] = evaluate(expressions[id_], scope)
    return found


def _measure(
    stat: Mapping[str, Any], windows: Windows, store: MetricStore
) -> TimeSeries:
    metric, length, unit = (
        MetricId.from_api(stat["Metric"]),
        windows.length,
        stat.get("Unit"),
    )
    found = (store.window(metric, at, at + length, unit) for at in windows.starts())
    values = tuple(each.statistic(stat["Stat"]) for each in found)
    return TimeSeries(values=values, period=windows.period)
