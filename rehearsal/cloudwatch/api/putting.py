"""Alarms: put, after what CloudWatch checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.cloudwatch.alarm import (
    COMPARISONS,
    Alarm,
    MissingData,
    RuleError,
    parse_rule,
    watch_of,
)
from rehearsal.cloudwatch.api.context import Context, ContextOperation
from rehearsal.cloudwatch.queries import QueryError, check
from rehearsal.cloudwatch.store import is_statistic
from rehearsal.endpoint.conformity import ApiError

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


def _put_metric_alarm(context: Context, request: dict[str, Any]) -> None:
    _check(request)
    watch = watch_of(request)
    too_long = WEEK if watch.period >= 3600 else DAY
    if watch.period * watch.condition.of > too_long:
        raise _refused(
            "Metrics cannot be checked across more than a day (EvaluationPeriods * "
            "Period must be <= 86400)."
        )
    _put(context, request, Alarm(**_common(context, request), watch=watch))


def _put_composite_alarm(context: Context, request: dict[str, Any]) -> None:
    try:
        rule = parse_rule(request["AlarmRule"])
    except RuleError as error:
        raise _refused(f"AlarmRule: {error}") from error
    missing = [name for name in rule.children if name not in context.alarms.by_name]
    if missing:
        raise _refused(f"AlarmRule names alarms that do not exist: {missing}")
    _put(context, request, Alarm(**_common(context, request), rule=rule))


def _put(context: Context, request: Mapping[str, Any], alarm: Alarm) -> None:
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


def _common(context: Context, request: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": request["AlarmName"],
        "arn": context.arn(request["AlarmName"]),
        "settings": {k: v for k, v in request.items() if k not in _LEFT_OUT},
        "configured_at": context.clock(),
    }


def _check(request: Mapping[str, Any]) -> None:
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


OPERATIONS: Mapping[str, ContextOperation] = {
    "PutMetricAlarm": _put_metric_alarm,
    "PutCompositeAlarm": _put_composite_alarm,
}
