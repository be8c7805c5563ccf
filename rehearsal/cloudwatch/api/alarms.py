"""Alarms: put, describe, set, enable, disable and delete; their history."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hookgate_rehearsal.cloudwatch.alarm import (
    COMPARISONS,
    Alarm,
    AlarmState,
    MissingData,
    RuleError,
    parse_rule,
    watch_of,
)
from hookgate_rehearsal.cloudwatch.alarms import HistoryItem
from hookgate_rehearsal.cloudwatch.api import CloudWatchContext, CloudWatchOperation
from hookgate_rehearsal.cloudwatch.queries import QueryError, check
from hookgate_rehearsal.cloudwatch.store import is_statistic
from hookgate_rehearsal.endpoint.protocols import ApiError

MOST_RECORDS = 100
_TYPES = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}


def _describe(context: CloudWatchContext, request: dict[str, Any]) -> dict[str, Any]:
    """By name, prefix, state, action or family; metric alarms unless types say."""
    context.alarms.evaluate()
    types = request.get("AlarmTypes") or ["MetricAlarm"]
    with context.alarms.lock:
        found = [
            alarm
            for alarm in context.alarms.by_name.values()
            if _is_asked_for(alarm, request, context)
        ]
        shown = found[: request.get("MaxRecords", MOST_RECORDS)]
        return {
            member: [_described(alarm) for alarm in shown if alarm.kind == kind]
            for kind, member in _TYPES.items()
            if kind in types
        }


def _is_asked_for(
    alarm: Alarm, request: Mapping[str, Any], context: CloudWatchContext
) -> bool:
    names = request.get("AlarmNames")
    action = request.get("ActionPrefix", "")
    children = context.alarms.by_name.get(request.get("ChildrenOfAlarmName", ""))
    if "ChildrenOfAlarmName" in request and not (
        children and children.rule and alarm.name in children.rule.children
    ):
        return False
    parent_of = request.get("ParentsOfAlarmName")
    if parent_of and not (alarm.rule and parent_of in alarm.rule.children):
        return False
    return (
        (not names or alarm.name in names)
        and alarm.name.startswith(request.get("AlarmNamePrefix", ""))
        and request.get("StateValue") in (None, alarm.state)
        and (
            not action
            or any(a.startswith(action) for a in alarm.settings.get("AlarmActions", ()))
        )
    )


def _for_metric(context: CloudWatchContext, request: dict[str, Any]) -> dict[str, Any]:
    context.alarms.evaluate()
    asked = {k: v for k, v in request.items() if v}
    with context.alarms.lock:
        found = [
            _described(alarm)
            for alarm in context.alarms.by_name.values()
            if all(alarm.settings.get(name) == value for name, value in asked.items())
        ]
    return {"MetricAlarms": found}


def _described(alarm: Alarm) -> dict[str, Any]:
    lists = ("OKActions", "AlarmActions", "InsufficientDataActions")
    empty: dict[str, Any] = {name: [] for name in lists}
    if alarm.kind == "MetricAlarm" and not alarm.settings.get("Metrics"):
        empty["Dimensions"] = []
    return {
        **empty,
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


def _set_state(context: CloudWatchContext, request: dict[str, Any]) -> None:
    alarm = context.alarms.by_name.get(request["AlarmName"])
    if alarm is None:
        message = f"There is no alarm {request['AlarmName']}."
        raise ApiError("ResourceNotFound", message)
    if request["StateValue"] not in set(AlarmState):
        message = f"StateValue is one of {', '.join(AlarmState)}."
        raise ApiError("ValidationException", message)
    data = request.get("StateReasonData")
    try:
        json.loads(data or "{}")
    except ValueError as error:
        message = f"StateReasonData is no JSON: {error}"
        raise ApiError("InvalidFormatFault", message) from error
    state = AlarmState(request["StateValue"])
    context.alarms.set_state(alarm, state, request["StateReason"], data)


def _delete(context: CloudWatchContext, request: dict[str, Any]) -> None:
    alarms = context.alarms
    with alarms.lock:
        missing = [n for n in request["AlarmNames"] if n not in alarms.by_name]
        if missing:
            message = f"There are no alarms {missing}; none was deleted."
            raise ApiError("ResourceNotFound", message)
        for name in request["AlarmNames"]:
            del alarms.by_name[name]


def _enable(context: CloudWatchContext, request: dict[str, Any]) -> None:
    _switch(context, request, enabled=True)


def _disable(context: CloudWatchContext, request: dict[str, Any]) -> None:
    _switch(context, request, enabled=False)


def _switch(
    context: CloudWatchContext, request: dict[str, Any], *, enabled: bool
) -> None:
    """Alarms that do not exist are passed over, as CloudWatch does."""
    with context.alarms.lock:
        for name in request["AlarmNames"]:
            alarm = context.alarms.by_name.get(name)
            if alarm is not None:
                alarm.actions_enabled = enabled


def _history(context: CloudWatchContext, request: dict[str, Any]) -> dict[str, Any]:
    with context.alarms.lock:
        items = [
            item
            for item in context.alarms.history
            if request.get("AlarmName") in (None, item.name)
            and item.kind in (request.get("AlarmTypes") or ["MetricAlarm"])
            and request.get("HistoryItemType") in (None, item.type)
        ]
    if request.get("ScanBy") != "TimestampAscending":
        items.reverse()
    shown = items[: request.get("MaxRecords", MOST_RECORDS)]
    return {"AlarmHistoryItems": [_item(each) for each in shown]}


def _item(item: HistoryItem) -> dict[str, Any]:
    return {
        "AlarmName": item.name,
        "AlarmType": item.kind,
        "Timestamp": item.at,
        "HistoryItemType": item.type,
        "HistorySummary": item.summary,
        "HistoryData": json.dumps(item.data),
    }


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
_LEFT_OUT = ("Tags", "ActionsEnabled")


def _put_metric_alarm(context: CloudWatchContext, request: dict[str, Any]) -> None:
    _check_metric_alarm(request)
    watch = watch_of(request)
    too_long = WEEK if watch.period >= 3600 else DAY
    if watch.period * watch.condition.of > too_long:
        raise _refused(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * "
            "Period must be <= 86400)."
        )
    _put_alarm(context, request, Alarm(**_common(context, request), watch=watch))


def _put_composite_alarm(context: CloudWatchContext, request: dict[str, Any]) -> None:
    try:
        rule = parse_rule(request["AlarmRule"])
    except RuleError as error:
        raise _refused(f"AlarmRule: {error}") from error
    missing = [name for name in rule.children if name not in context.alarms.by_name]
    if missing:
        raise _refused(f"AlarmRule names alarms that do not exist: {missing}")
    _put_alarm(context, request, Alarm(**_common(context, request), rule=rule))


def _put_alarm(
    context: CloudWatchContext, request: Mapping[str, Any], alarm: Alarm
) -> None:
    alarms = context.alarms
    with alarms.lock:
        old = alarms.by_name.get(alarm.name)
        if old is not None and old.kind != alarm.kind:
            raise _refused(f"{alarm.name} exists already, as a {old.kind}.")
        if old is None and len(alarms.by_name) >= context.most_alarms:
            message = f"There are {context.most_alarms} alarms already."
            raise ApiError("LimitExceededFault", message)
        alarm.actions_enabled = request.get("ActionsEnabled", True)
    context.refresh()
    alarms.put(alarm)


def _common(context: CloudWatchContext, request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": request["AlarmName"],
        "arn": f"arn:aws:cloudwatch:{context.region}:{context.account}:alarm:"
        + request["AlarmName"],
        "settings": {k: v for k, v in request.items() if k not in _LEFT_OUT},
        "configured_at": context.clock(),
    }


def _check_metric_alarm(request: Mapping[str, Any]) -> None:
    unknown = [name for name in UNKNOWN if name in request]
    if unknown:
        raise _refused(f"the emulator does not know {', '.join(unknown)}.")
    comparison = request.get("ComparisonOperator")
    if comparison not in COMPARISONS:
        known = ", ".join(COMPARISONS)
        raise _refused(
            f"ComparisonOperator is {comparison!r}; the emulator knows {known}."
        )
    for name in ("EvaluationPeriods", "Threshold"):
        if name not in request:
            raise _refused(f"The parameter {name} is required.")
    of = request["EvaluationPeriods"]
    if not 1 <= request.get("DatapointsToAlarm", of) <= of:
        raise _refused(f"DatapointsToAlarm must be 1 to EvaluationPeriods, {of}.")
    missing = request.get("TreatMissingData", "missing")
    if missing not in set(MissingData):
        raise _refused(
            f"TreatMissingData is {missing!r}, not {', '.join(MissingData)}."
        )
    if request.get("EvaluateLowSampleCountPercentile") not in {
        *(None, "evaluate", "ignore"),
    }:
        raise _refused("EvaluateLowSampleCountPercentile is evaluate or ignore.")
    if request.get("Metrics"):
        _check_queries(request)
    else:
        _check_single(request)


def _check_single(request: Mapping[str, Any]) -> None:
    for name in ("Namespace", "MetricName", "Period"):
        if name not in request:
            raise _refused(f"The parameter {name} is required.")
    statistics = [n for n in ("Statistic", "ExtendedStatistic") if n in request]
    if len(statistics) != 1:
        raise _refused("Either Statistic or ExtendedStatistic is required, not both.")
    name = request[statistics[0]]
    if not is_statistic(name):
        raise _refused(f"The emulator does not know the statistic {name!r}.")
    _check_period(request["Period"])


def _check_queries(request: Mapping[str, Any]) -> None:
    both = [name for name in SINGLE if name in request]
    if both:
        raise _refused(f"Metrics goes without {', '.join(both)}.")
    queries = request["Metrics"]
    try:
        check(queries)
    except QueryError as error:
        raise _refused(str(error)) from error
    if sum(each.get("ReturnData", True) for each in queries) != 1:
        raise _refused("Exactly one element of Metrics must have ReturnData true.")
    periods = {
        each["MetricStat"]["Period"] for each in queries if "MetricStat" in each
    } | {each["Period"] for each in queries if "Period" in each}
    if len(periods) != 1:
        raise _refused(f"Metrics must have one Period, not {sorted(periods)}.")
    _check_period(periods.pop())


def _check_period(period: int) -> None:
    if period not in SHORT_PERIODS and (period <= 0 or period % 60):
        raise _refused(f"Period is 10, 20, 30 or a multiple of 60, not {period}.")


def _refused(message: str) -> ApiError:
    return ApiError("ValidationException", message)


OPERATIONS: Mapping[str, CloudWatchOperation] = {
    "DescribeAlarms": _describe,
    "DescribeAlarmsForMetric": _for_metric,
    "SetAlarmState": _set_state,
    "DeleteAlarms": _delete,
    "EnableAlarmActions": _enable,
    "DisableAlarmActions": _disable,
    "DescribeAlarmHistory": _history,
    "PutMetricAlarm": _put_metric_alarm,
    "PutCompositeAlarm": _put_composite_alarm,
}
