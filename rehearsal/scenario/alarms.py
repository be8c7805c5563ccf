"""What a scenario's file may say of CloudWatch alarms."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.units import Duration
from rehearsal.cloudwatch.distribution import is_statistic
from rehearsal.cloudwatch.rule import RuleError, parse_rule
from rehearsal.scenario.section import Section
from rehearsal.scenario.values import Name

_SHORT = {10.0, 20.0, 30.0}


def _period(seconds: float) -> float:
    if seconds not in _SHORT and (seconds <= 0 or seconds % 60):
        raise InvalidValue(
            "CloudWatch takes 10s, 20s, 30s or whole minutes",
            code=Code.PLAN_RANGE,
        )
    return seconds


def _statistic(name: str) -> str:
    if not is_statistic(name):
        raise InvalidValue(
            "write Sum, Average, Minimum, Maximum, SampleCount or p99",
            code=Code.PLAN_CHOICE,
        )
    return name


def _rule(text: str) -> str:
    try:
        parse_rule(text)
    except RuleError as error:
        raise InvalidValue(str(error), code=Code.SCENARIO_ALARM_RULE) from None
    return text


class AlarmFile(Section):
    """An alarm: on a metric, or with a rule over other alarms."""

    name: Name = Field(description="Name of the alarm.")
    metric: str | None = Field(None, description="Name of the metric it watches.")
    namespace: str = Field("AWS/ApplicationELB", description="The metric's namespace.")
    dimensions: dict[str, str] | None = Field(
        None,
        description="The metric's dimensions; left out, the load balancer, or for a "
        "namespace that is not AWS's the application and the deployment group.",
    )
    statistic: Annotated[str, AfterValidator(_statistic)] = Field(
        "Sum", description="What a period's values come to."
    )
    period: Annotated[Duration, AfterValidator(_period)] = Field(
        "1m", validate_default=True, description="Of a datapoint, at AWS's pace."
    )
    evaluation_periods: int = Field(1, ge=1, le=1440, description="N of M out of N.")
    datapoints: int | None = Field(
        None, ge=1, le=1440, description="M of M out of N; all of them if left out."
    )
    above: float | None = Field(None, description="ALARM if greater than this.")
    below: float | None = Field(None, description="ALARM if less than this.")
    missing: Literal["missing", "ignore", "breaching", "notBreaching"] = Field(
        "notBreaching", description="What a period without values counts as."
    )
    rule: Annotated[str, AfterValidator(_rule)] | None = Field(
        None, description="Of a composite alarm, such as 'ALARM(a) AND NOT OK(b)'."
    )

    @model_validator(mode="after")
    def _has_one_of_each(self) -> Self:
        if (self.metric is None) == (self.rule is None):
            raise InvalidValue(
                "an alarm has either a metric or a rule", code=Code.OPTION_ONE_OF
            )
        if self.metric and (self.above is None) == (self.below is None):
            raise InvalidValue(
                "an alarm on a metric has either above or below",
                code=Code.OPTION_ONE_OF,
            )
        if self.rule and (self.above is not None or self.below is not None):
            raise InvalidValue(
                "an alarm with a rule has neither above nor below",
                code=Code.OPTION_ONE_OF,
            )
        if (self.datapoints or 1) > self.evaluation_periods:
            raise InvalidValue(
                "datapoints are at most evaluation_periods", code=Code.PLAN_RANGE
            )
        return self

    def watched(self, dimensions: dict[str, str]) -> dict[str, Any]:
        """What PutMetricAlarm takes of it.

        Args:
            dimensions: The metric's where the alarm names none.
        """
        named = dimensions if self.dimensions is None else self.dimensions
        is_plain = not self.statistic.startswith(("p", "tm"))
        return {
            "AlarmName": self.name,
            "Namespace": self.namespace,
            "MetricName": self.metric,
            "Dimensions": [{"Name": n, "Value": v} for n, v in named.items()],
            "Statistic" if is_plain else "ExtendedStatistic": self.statistic,
            "Period": round(self.period),
            "EvaluationPeriods": self.evaluation_periods,
            "DatapointsToAlarm": self.datapoints or self.evaluation_periods,
            "Threshold": self.below if self.above is None else self.above,
            "ComparisonOperator": "LessThanThreshold"
            if self.above is None
            else "GreaterThanThreshold",
            "TreatMissingData": self.missing,
        }
