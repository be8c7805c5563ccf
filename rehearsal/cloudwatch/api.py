"""CloudWatch's API: operations on metrics and on alarms, in two protocols."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

from hookgate_rehearsal.cloudwatch.alarm import (
    COMPARISONS,
    Alarm,
    AlarmState,
    MissingData,
    RuleError,
    parse_rule,
    watch_of,
)
from hookgate_rehearsal.cloudwatch.cloudwatch import CloudWatch
from hookgate_rehearsal.cloudwatch.math import QueryError, TimeSeries, Value
from hookgate_rehearsal.cloudwatch.queries import (
    Query,
    Windows,
    check,
    periods_of,
    values_of,
)
from hookgate_rehearsal.cloudwatch.store import (
    NO_UNIT,
    Distribution,
    MetricId,
    is_statistic,
)
from hookgate_rehearsal.endpoint.moto_state import ACCOUNT
from hookgate_rehearsal.endpoint.protocols import (
    ApiError,
    AwsRequest,
    JsonService,
    Reply,
    check_request,
    error_reply,
    query_error,
    query_reply,
    service_model,
)

MOST_DATA = 1000  # of one PutMetricData
MOST_DATAPOINTS = 1440  # of one GetMetricStatistics
MOST_WINDOWS = 100_800  # of one GetMetricData
MOST_ALARMS = 5000  # of an account
MOST_RECORDS = 100
DAY = 86400
WEEK = 7 * DAY
SHORT_PERIODS = (10, 20, 30)
SINGLE = (
    *("Namespace", "MetricName", "Dimensions", "Period", "Unit"),
    *("Statistic", "ExtendedStatistic"),
)
UNKNOWN = (
    *("ThresholdMetricId", "EvaluationCriteria", "EvaluationInterval"),
    *("EvaluationWindow", "WarmUpConfiguration", "ActionConfiguration"),
)

Request = Mapping[str, Any]


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationException", message)


# Metrics


def _put_metric_data(cloudwatch: CloudWatch, request: Request) -> None:
    data = request.get("MetricData") or []
    if len(data) > MOST_DATA:
        message = f"MetricData has {len(data)} values; the maximum is {MOST_DATA}."
        raise ApiError("InvalidParameterValueException", message)
    if request["Namespace"].startswith("AWS/"):
        message = "The value AWS/ for parameter Namespace is reserved."
        raise ApiError("InvalidParameterValueException", message)
    for datum in data:
        metric = MetricId.from_api({"Namespace": request["Namespace"], **datum})
        at = _seconds(datum.get("Timestamp", cloudwatch.clock()))
        unit = datum.get("Unit", NO_UNIT)
        for value, count in _values(datum):
            cloudwatch.store.put(metric, value, at, count=count, unit=unit)


def _values(datum: Mapping[str, Any]) -> list[tuple[float | Distribution, float]]:
    """The values of a datum with their counts."""
    values = datum.get("Values") or ([datum["Value"]] if "Value" in datum else [])
    counts = datum.get("Counts") or [1.0] * len(values)
    statistics = datum.get("StatisticValues")
    if bool(values) == bool(statistics) or len(values) != len(counts):
        message = (
            f"{datum['MetricName']} needs one of Value, Values and StatisticValues, "
            "and as many Counts as Values."
        )
        raise ApiError("InvalidParameterCombinationException", message)
    if not all(map(math.isfinite, values)):
        message = f"{datum['MetricName']} has a value that is not a finite number."
        raise ApiError("InvalidParameterValueException", message)
    if not statistics:
        return list(zip(map(float, values), map(float, counts), strict=True))
    statistic_set = Distribution(
        samples=statistics["SampleCount"],
        total=statistics["Sum"],
        minimum=statistics["Minimum"],
        maximum=statistics["Maximum"],
        has_values=False,
    )
    return [(statistic_set, 1.0)]


def _list_metrics(cloudwatch: CloudWatch, request: Request) -> dict[str, Any]:
    wanted = request.get("Dimensions") or []
    found = [
        metric.to_api()
        for metric in cloudwatch.store.metrics()
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


def _get_metric_data(cloudwatch: CloudWatch, request: Request) -> dict[str, Any]:
    queries = request["MetricDataQueries"]
    windows = _windows(request, _period(queries), MOST_WINDOWS)
    try:
        check(queries)
        found = values_of(queries, windows, cloudwatch.store)
    except QueryError as error:
        raise _invalid(str(error)) from error
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
        raise _invalid(f"{query['Id']} gives a number; a result must be a time series.")
    return value if isinstance(value, list) else [value]


def _period(queries: Sequence[Query]) -> int:
    periods = periods_of(queries)
    if len(periods) != 1:
        raise _invalid(
            f"The emulator needs one Period for all queries, not {sorted(periods)}."
        )
    return periods.pop()


def _windows(request: Request, period: float, most: int) -> Windows:
    """Windows from StartTime, which is rounded down to a whole period, to EndTime."""
    start, end = _seconds(request["StartTime"]), _seconds(request["EndTime"])
    if start >= end:
        raise _invalid("The parameter EndTime must be greater than StartTime.")
    first = math.floor(start / period) * period
    number = math.ceil((end - first) / period)
    if number > most:
        raise _invalid(
            f"The request is for {number} datapoints; the maximum is {most}."
        )
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


def _get_metric_statistics(cloudwatch: CloudWatch, request: Request) -> dict[str, Any]:
    plain = request.get("Statistics", [])
    extended = request.get("ExtendedStatistics", [])
    names = [*plain, *extended]
    if not names or not all(map(is_statistic, names)):
        message = f"Statistics and ExtendedStatistics have unknown names: {names}."
        raise ApiError("InvalidParameterCombinationException", message)
    windows = _windows(request, float(request["Period"]), MOST_DATAPOINTS)
    metric = MetricId.from_api(request)
    units = [request["Unit"]] if "Unit" in request else cloudwatch.store.units(metric)
    points: list[dict[str, Any]] = []
    for at in windows.starts():
        end, unit = at + windows.length, request.get("Unit")
        found = cloudwatch.store.window(metric, at, end, unit)
        if found.samples:
            more = {name: found.statistic(name) for name in extended} or None
            point = {"Timestamp": at, "Unit": units[0], "ExtendedStatistics": more}
            points.append(point | {name: found.statistic(name) for name in plain})
    return {"Label": request["MetricName"], "Datapoints": points}


def _seconds(at: Any) -> float:
    """Get epoch seconds of a timestamp in JSON or in the query protocol."""
    return float(at) if isinstance(at, int | float) else float(at.timestamp())


# Alarms


def _describe_alarms(cloudwatch: CloudWatch, request: Request) -> dict[str, Any]:
    """By name, prefix, state, action or family; metric alarms unless types say."""
    alarms = cloudwatch.alarms
    alarms.evaluate()
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    with alarms.lock:
        parent = alarms.by_name.get(request.get("ChildrenOfAlarmName", ""))
        found = [a for a in alarms.by_name.values() if _is_selected(a, parent, request)]
        shown = found[: request.get("MaxRecords", MOST_RECORDS)]
        return {
            f"{kind}s": [_describe(alarm) for alarm in shown if alarm.kind == kind]
            for kind in ("MetricAlarm", "CompositeAlarm")
            if kind in types
        }


def _is_selected(alarm: Alarm, parent: Alarm | None, request: Request) -> bool:
    siblings = parent.rule.children if parent and parent.rule else ()
    children = alarm.rule.children if alarm.rule else ()
    prefix = request.get("ActionPrefix", "")
    actions = alarm.settings.get("AlarmActions", ())
    return (
        alarm.name in (request.get("AlarmNames") or [alarm.name])
        and alarm.name.startswith(request.get("AlarmNamePrefix", ""))
        and request.get("StateValue") in (None, alarm.state)
        and ("ChildrenOfAlarmName" not in request or alarm.name in siblings)
        and request.get("ParentsOfAlarmName") in (None, *children)
        and (not prefix or any(action.startswith(prefix) for action in actions))
    )


def _describe_alarms_for_metric(
    cloudwatch: CloudWatch, request: Request
) -> dict[str, Any]:
    cloudwatch.alarms.evaluate()
    wanted = {k: v for k, v in request.items() if v}
    with cloudwatch.alarms.lock:
        found = [
            _describe(alarm)
            for alarm in cloudwatch.alarms.by_name.values()
            if all(alarm.settings.get(name) == value for name, value in wanted.items())
        ]
    return {"MetricAlarms": found}


def _describe(alarm: Alarm) -> dict[str, Any]:
    lists = ["OKActions", "AlarmActions", "InsufficientDataActions"]
    if alarm.watch and not alarm.settings.get("Metrics"):
        lists.append("Dimensions")
    return {
        **{name: [] for name in lists},
        **alarm.settings,
        "AlarmArn": alarm.arn,
        "AlarmConfigurationUpdatedTimestamp": alarm.configured_at,
        "ActionsEnabled": alarm.actions_enabled,
        "StateValue": alarm.state.value,
        "StateReason": alarm.reason,
        "StateReasonData": alarm.reason_data,
        "StateUpdatedTimestamp": alarm.updated_at,
        "StateTransitionedTimestamp": alarm.transitioned_at,
    }


def _set_alarm_state(cloudwatch: CloudWatch, request: Request) -> None:
    alarm = cloudwatch.alarms.by_name.get(request["AlarmName"])
    if alarm is None:
        message = f"There is no alarm {request['AlarmName']}."
        raise ApiError("ResourceNotFound", message)
    _check_choice(request, "StateValue", AlarmState)
    data = request.get("StateReasonData")
    try:
        json.loads(data or "{}")
    except ValueError as error:
        message = f"StateReasonData is not JSON: {error}"
        raise ApiError("InvalidFormatFault", message) from error
    state = AlarmState(request["StateValue"])
    cloudwatch.alarms.set_state(alarm, state, request["StateReason"], data)


def _delete_alarms(cloudwatch: CloudWatch, request: Request) -> None:
    alarms = cloudwatch.alarms
    with alarms.lock:
        missing = [n for n in request["AlarmNames"] if n not in alarms.by_name]
        if missing:
            message = f"There are no alarms {missing}; none was deleted."
            raise ApiError("ResourceNotFound", message)
        for name in request["AlarmNames"]:
            del alarms.by_name[name]


def _switch_actions(cloudwatch: CloudWatch, request: Request, *, enabled: bool) -> None:
    """Alarms that do not exist are ignored, as in CloudWatch."""
    with cloudwatch.alarms.lock:
        for name in request["AlarmNames"]:
            if alarm := cloudwatch.alarms.by_name.get(name):
                alarm.actions_enabled = enabled


def _describe_alarm_history(cloudwatch: CloudWatch, request: Request) -> dict[str, Any]:
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    with cloudwatch.alarms.lock:
        items = [
            item
            for item in cloudwatch.alarms.history
            if request.get("AlarmName") in (None, item["AlarmName"])
            and item["AlarmType"] in types
            and request.get("HistoryItemType") in (None, item["HistoryItemType"])
        ]
    if request.get("ScanBy") != "TimestampAscending":
        items.reverse()
    return {"AlarmHistoryItems": items[: request.get("MaxRecords", MOST_RECORDS)]}


def _put_metric_alarm(cloudwatch: CloudWatch, request: Request) -> None:
    _check_metric_alarm(request)
    watch = watch_of(request)
    name, longest = ("week", WEEK) if watch.period >= 3600 else ("day", DAY)
    if watch.period * watch.condition.of > longest:
        raise _invalid(
            f"Metrics cannot be checked across more than a {name} (EvaluationPeriods * "
            f"Period must be <= {longest})."
        )
    _put_alarm(cloudwatch, request, watch=watch)


def _put_composite_alarm(cloudwatch: CloudWatch, request: Request) -> None:
    try:
        rule = parse_rule(request["AlarmRule"])
    except RuleError as error:
        raise _invalid(f"AlarmRule: {error}") from error
    missing = [name for name in rule.children if name not in cloudwatch.alarms.by_name]
    if missing:
        raise _invalid(f"AlarmRule names alarms that do not exist: {missing}")
    _put_alarm(cloudwatch, request, rule=rule)


def _put_alarm(cloudwatch: CloudWatch, request: Request, **definition: Any) -> None:
    name, alarms = request["AlarmName"], cloudwatch.alarms
    alarm = Alarm(
        name=name,
        arn=f"arn:aws:cloudwatch:{cloudwatch.region}:{ACCOUNT}:alarm:{name}",
        settings={
            k: v for k, v in request.items() if k not in {"Tags", "ActionsEnabled"}
        },
        actions_enabled=request.get("ActionsEnabled", True),
        **definition,
    )
    with alarms.lock:
        old = alarms.by_name.get(name)
        if old is not None and old.kind != alarm.kind:
            raise _invalid(f"{name} exists already, as a {old.kind}.")
        if old is None and len(alarms.by_name) >= MOST_ALARMS:
            message = f"There are {MOST_ALARMS} alarms already."
            raise ApiError("LimitExceededFault", message)
    cloudwatch.refresh()
    alarms.put(alarm)


def _check_metric_alarm(request: Request) -> None:
    unknown = [name for name in UNKNOWN if name in request]
    if unknown:
        raise _invalid(f"the emulator does not know {', '.join(unknown)}.")
    _check_required(request, "ComparisonOperator", "EvaluationPeriods", "Threshold")
    _check_choice(request, "ComparisonOperator", COMPARISONS)
    _check_choice(request, "TreatMissingData", MissingData)
    _check_choice(request, "EvaluateLowSampleCountPercentile", ("evaluate", "ignore"))
    of = request["EvaluationPeriods"]
    if request.get("DatapointsToAlarm", of) > of:
        raise _invalid(f"DatapointsToAlarm must be 1 to EvaluationPeriods, {of}.")
    check_metrics = _checked_queries if request.get("Metrics") else _checked_single
    period = check_metrics(request)
    if period not in SHORT_PERIODS and period % 60:
        raise _invalid(
            f"Period is {period}; it must be 10, 20, 30 or a multiple of 60."
        )


def _check_required(request: Request, *names: str) -> None:
    for name in names:
        if name not in request:
            raise _invalid(f"The parameter {name} is required.")


def _check_choice(request: Request, name: str, known: Iterable[str]) -> None:
    if name in request and request[name] not in set(known):
        raise _invalid(
            f"{name} is {request[name]!r}; the emulator knows {', '.join(known)}."
        )


def _checked_single(request: Request) -> int:
    """The period of an alarm on one metric."""
    _check_required(request, "Namespace", "MetricName", "Period")
    statistics = [
        request[n] for n in ("Statistic", "ExtendedStatistic") if n in request
    ]
    if len(statistics) != 1:
        raise _invalid("Either Statistic or ExtendedStatistic is required, not both.")
    if not is_statistic(statistics[0]):
        raise _invalid(f"The emulator does not know the statistic {statistics[0]!r}.")
    return int(request["Period"])


def _checked_queries(request: Request) -> int:
    """The period of an alarm on queries."""
    both = [name for name in SINGLE if name in request]
    if both:
        raise _invalid(f"Metrics cannot be combined with {', '.join(both)}.")
    queries = request["Metrics"]
    try:
        check(queries)
    except QueryError as error:
        raise _invalid(str(error)) from error
    if sum(each.get("ReturnData", True) for each in queries) != 1:
        raise _invalid("Exactly one element of Metrics must have ReturnData true.")
    return _period(queries)


OPERATIONS: Mapping[str, Callable[[CloudWatch, Request], Mapping[str, Any] | None]] = {
    "PutMetricData": _put_metric_data,
    "ListMetrics": _list_metrics,
    "GetMetricData": _get_metric_data,
    "GetMetricStatistics": _get_metric_statistics,
    "DescribeAlarms": _describe_alarms,
    "DescribeAlarmsForMetric": _describe_alarms_for_metric,
    "SetAlarmState": _set_alarm_state,
    "DeleteAlarms": _delete_alarms,
    "EnableAlarmActions": partial(_switch_actions, enabled=True),
    "DisableAlarmActions": partial(_switch_actions, enabled=False),
    "DescribeAlarmHistory": _describe_alarm_history,
    "PutMetricAlarm": _put_metric_alarm,
    "PutCompositeAlarm": _put_composite_alarm,
}


class CloudWatchService:
    """Answers as JSON and as the query protocol; moto answers the rest."""

    def __init__(self, cloudwatch: CloudWatch) -> None:
        self._refresh = cloudwatch.refresh
        self._operations = {
            name: partial(operation, cloudwatch)
            for name, operation in OPERATIONS.items()
        }
        self._json = JsonService("cloudwatch", self._operations, extends_moto=True)

    def handle(self, request: AwsRequest) -> Reply | None:
        """Answer a request; None for moto."""
        if request.path.startswith("/service/"):
            message = "The emulator's CloudWatch supports JSON and query, not CBOR."
            return error_reply("NotImplemented", message, 501)
        if not request.target:
            return self._answer_form(request.body)
        self._refresh()
        reply = self._json.handle(request)
        if reply is None or reply.status == 200:
            return reply
        # The AWS JSON protocols' ``awsQueryCompatible`` trait.
        code = _query_code(str(json.loads(reply.body)["__type"]))
        headers = {**reply.headers, "x-amzn-query-error": f"{code};Sender"}
        return replace(reply, headers=headers)

    def _answer_form(self, body: bytes) -> Reply | None:
        from moto.core.parse import QueryParser  # noqa: PLC0415 - moto is slow to import
        from moto.core.utils import get_service_model  # noqa: PLC0415 - as above
        from werkzeug.datastructures import (  # noqa: PLC0415 - as above
            Headers,
            MultiDict,
        )

        fields = parse_qsl(body.decode(errors="replace"), keep_blank_values=True)
        values = MultiDict(fields)
        name = values.get("Action", "")
        if name not in self._operations:
            return None
        parser = QueryParser(get_service_model("cloudwatch").operation_model(name))
        request = parser.parse(
            {
                "method": "POST",
                "url_path": "/",
                "url_params": {},
                "values": values,
                "headers": Headers(),
                "body": body,
            }
        )
        self._refresh()
        try:
            check_request(request, service_model("cloudwatch").operation_model(name))
            content = self._operations[name](request) or {}
        except ApiError as error:
            return query_error("cloudwatch", _query_code(error.code), error.message)
        return query_reply("cloudwatch", name, content)


def _query_code(code: str) -> str:
    """Look up the code that the query protocol has for an error of the model."""
    names = {
        shape.name: shape.metadata.get("error", {}).get("code", shape.name)
        for shape in service_model("cloudwatch").error_shapes
    }
    return str({**names, "ValidationException": "ValidationError"}.get(code, code))
