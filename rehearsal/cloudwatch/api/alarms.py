"""Alarms: described, set, switched and deleted, and what became of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rehearsal.cloudwatch.alarm import Alarm, AlarmState
from rehearsal.cloudwatch.alarms import HistoryItem
from rehearsal.cloudwatch.api.context import Context, ContextOperation
from rehearsal.endpoint.conformity import ApiError

MOST_RECORDS = 100
_TYPES = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}


def _describe(context: Context, request: dict[str, Any]) -> dict[str, Any]:
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


def _is_asked_for(alarm: Alarm, request: Mapping[str, Any], context: Context) -> bool:
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


def _for_metric(context: Context, request: dict[str, Any]) -> dict[str, Any]:
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


def _set_state(context: Context, request: dict[str, Any]) -> None:
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


def _delete(context: Context, request: dict[str, Any]) -> None:
    alarms = context.alarms
    with alarms.lock:
        missing = [n for n in request["AlarmNames"] if n not in alarms.by_name]
        if missing:
            message = f"There are no alarms {missing}; none was deleted."
            raise ApiError("ResourceNotFound", message)
        for name in request["AlarmNames"]:
            del alarms.by_name[name]


def _enable(context: Context, request: dict[str, Any]) -> None:
    _switch(context, request, enabled=True)


def _disable(context: Context, request: dict[str, Any]) -> None:
    _switch(context, request, enabled=False)


def _switch(context: Context, request: dict[str, Any], *, enabled: bool) -> None:
    """Alarms that do not exist are passed over, as CloudWatch does."""
    with context.alarms.lock:
        for name in request["AlarmNames"]:
            alarm = context.alarms.by_name.get(name)
            if alarm is not None:
                alarm.actions_enabled = enabled


def _history(context: Context, request: dict[str, Any]) -> dict[str, Any]:
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


OPERATIONS: Mapping[str, ContextOperation] = {
    "DescribeAlarms": _describe,
    "DescribeAlarmsForMetric": _for_metric,
    "SetAlarmState": _set_state,
    "DeleteAlarms": _delete,
    "EnableAlarmActions": _enable,
    "DisableAlarmActions": _disable,
    "DescribeAlarmHistory": _history,
}
