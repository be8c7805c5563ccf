"""Metrics: put, listed, and read as statistics or as queries."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from hookgate_rehearsal.cloudwatch.api import CloudWatchContext, CloudWatchOperation
from hookgate_rehearsal.cloudwatch.math import TimeSeries, Value
from hookgate_rehearsal.cloudwatch.queries import (
    Query,
    QueryError,
    Windows,
    check,
    values_of,
)
from hookgate_rehearsal.cloudwatch.store import (
    NO_UNIT,
    Distribution,
    MetricId,
    by_name,
    is_statistic,
)
from hookgate_rehearsal.endpoint.protocols import ApiError

MOST_DATA = 1000  # of one PutMetricData
MOST_DATAPOINTS = 1440  # of one GetMetricStatistics
MOST_WINDOWS = 100_800  # of one GetMetricData


def _put(context: CloudWatchContext, request: dict[str, Any]) -> None:
    data = request.get("MetricData") or []
    if len(data) > MOST_DATA:
        message = f"MetricData has {len(data)} values; the maximum is {MOST_DATA}."
        raise ApiError("InvalidParameterValueException", message)
    if request["Namespace"].startswith("AWS/"):
        message = "The value AWS/ for parameter Namespace is reserved."
        raise ApiError("InvalidParameterValueException", message)
    for datum in data:
        _put_datum(context, request["Namespace"], datum)


def _put_datum(
    context: CloudWatchContext, namespace: str, datum: Mapping[str, Any]
) -> None:
    metric = MetricId.from_api({"Namespace": namespace, **datum})
    at = datum.get("Timestamp", context.clock())
    change = _change(datum)
    unit = datum.get("Unit", NO_UNIT)
    context.store.change(metric, _seconds(at), unit, change)


def _change(datum: Mapping[str, Any]) -> Any:
    values = datum.get("Values") or ([datum["Value"]] if "Value" in datum else [])
    counts = datum.get("Counts") or [1.0] * len(values)
    statistics = datum.get("StatisticValues")
    if bool(values) == bool(statistics) or len(values) != len(counts):
        message = (
            f"{datum['MetricName']} needs one of Value, Values and StatisticValues, "
            "and as many Counts as Values."
        )
        raise ApiError("InvalidParameterCombinationException", message)
    if not all(math.isfinite(value) for value in values):
        message = f"{datum['MetricName']} has a value that is not a finite number."
        raise ApiError("InvalidParameterValueException", message)

    def change(bucket: Distribution) -> None:
        for value, count in zip(values, counts, strict=True):
            bucket.add(float(value), float(count))
        if statistics:
            bucket.add_set(
                samples=statistics["SampleCount"],
                total=statistics["Sum"],
                minimum=statistics["Minimum"],
                maximum=statistics["Maximum"],
            )

    return change


def _list(context: CloudWatchContext, request: dict[str, Any]) -> dict[str, Any]:
    wanted = request.get("Dimensions") or []
    found = [
        metric.to_api()
        for metric in context.store.metrics()
        if request.get("Namespace") in (None, metric.namespace)
        and request.get("MetricName") in (None, metric.name)
        and _has(metric, wanted)
    ]
    return {"Metrics": found}


def _has(metric: MetricId, wanted: Sequence[Mapping[str, str]]) -> bool:
    dimensions = dict(metric.dimensions)
    return all(
        each["Name"] in dimensions
        and each.get("Value") in (None, dimensions[each["Name"]])
        for each in wanted
    )


def _get_data(context: CloudWatchContext, request: dict[str, Any]) -> dict[str, Any]:
    queries = request["MetricDataQueries"]
    start, end = _seconds(request["StartTime"]), _seconds(request["EndTime"])
    windows = _windows(start, end, _period(queries), MOST_WINDOWS)
    try:
        check(queries)
        found = values_of(queries, windows, context.store)
    except QueryError as error:
        raise ApiError("ValidationException", str(error)) from error
    is_ascending = request.get("ScanBy") == "TimestampAscending"
    results = [
        _result(query, each, windows, is_ascending)
        for query in queries
        if query.get("ReturnData", True)
        for each in _series(query, found[query["Id"]])
    ]
    return {"MetricDataResults": results, "Messages": []}


def _series(query: Query, value: Value) -> list[TimeSeries]:
    if isinstance(value, float):
        message = f"{query['Id']} gives a number; a result must be a time series."
        raise ApiError("ValidationException", message)
    return value if isinstance(value, list) else [value]


def _period(queries: Sequence[Query]) -> float:
    given = [each.get("MetricStat", each) for each in queries]
    periods: set[int] = {each["Period"] for each in given if "Period" in each}
    if len(periods) != 1:
        message = (
            f"the emulator needs one Period for all queries, not {sorted(periods)}."
        )
        raise ApiError("ValidationException", message)
    return float(periods.pop())


def _windows(start: float, end: float, period: float, most: int) -> Windows:
    """Windows from the start, which is rounded down to a whole period."""
    if start >= end:
        message = "The parameter EndTime must be greater than StartTime."
        raise ApiError("ValidationException", message)
    first = math.floor(start / period) * period
    number = math.ceil((end - first) / period)
    if number > most:
        message = f"{number} datapoints are asked for, of at most {most}."
        raise ApiError("ValidationException", message)
    return Windows(start=first, length=period, number=number, period=period)


def _result(
    query: Query, series: TimeSeries, windows: Windows, is_ascending: bool
) -> dict[str, Any]:
    timed = zip(windows.starts(), series.values, strict=True)
    points = [(at, value) for at, value in timed if value is not None]
    points = points if is_ascending else points[::-1]
    stat = query.get("MetricStat")
    label = query.get("Label") or (
        stat["Metric"]["MetricName"] if stat else query["Id"]
    )
    return {
        "Id": query["Id"],
        "Label": label,
        "Timestamps": [at for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def _get_statistics(
    context: CloudWatchContext, request: dict[str, Any]
) -> dict[str, Any]:
    names = [*request.get("Statistics", []), *request.get("ExtendedStatistics", [])]
    if not names or not all(map(is_statistic, names)):
        message = f"Statistics and ExtendedStatistics have unknown names: {names}."
        raise ApiError("InvalidParameterCombinationException", message)
    start, end = _seconds(request["StartTime"]), _seconds(request["EndTime"])
    windows = _windows(start, end, float(request["Period"]), MOST_DATAPOINTS)
    metric = MetricId.of(
        request["Namespace"],
        request["MetricName"],
        by_name(request.get("Dimensions") or ()),
    )
    unit = request.get("Unit")
    units = context.store.units(metric)
    points = []
    for at in windows.starts():
        found = context.store.window(metric, at, at + windows.length, unit)
        if found.samples:
            points.append(_datapoint(at, found, request, unit or units[0]))
    return {"Label": request["MetricName"], "Datapoints": points}


def _datapoint(
    at: float, found: Distribution, request: Mapping[str, Any], unit: str
) -> dict[str, Any]:
    extended = {
        name: found.statistic(name) for name in request.get("ExtendedStatistics", [])
    }
    point = {"Timestamp": at, "Unit": unit, "ExtendedStatistics": extended or None}
    return point | {
        name: found.statistic(name) for name in request.get("Statistics", [])
    }


def _seconds(at: Any) -> float:
    """Get epoch seconds of a timestamp in JSON or in the query protocol."""
    return float(at) if isinstance(at, int | float) else float(at.timestamp())


OPERATIONS: Mapping[str, CloudWatchOperation] = {
    "PutMetricData": _put,
    "ListMetrics": _list,
    "GetMetricData": _get_data,
    "GetMetricStatistics": _get_statistics,
}
