"""``use: metric``."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate import (
    DeploymentContext,
    Duration,
    Finding,
    Inconclusive,
    NumberBound,
    Tools,
    Validator,
)
from hookgate.cloudwatch import Window, metric_query, metric_values, wait_for_data
from hookgate.codes import Code
from hookgate.errors import InvalidValue, too_few
from hookgate.units import PercentageBound, TextFormat

_CALL = 10.0
_JUDGED: Mapping[str, Callable[[Sequence[float]], float]] = {
    "last": lambda values: values[-1],
    "average": lambda values: math.fsum(values) / len(values),
    "sum": math.fsum,
    "maximum": max,
    "minimum": min,
}
#: The id of the expression in the query, which no metric may have.
_RESULT = "hookgate"

_Id = Annotated[
    str,
    TextFormat(
        rf"^(?!{_RESULT}\Z)[a-z][A-Za-z0-9_]{{0,250}}\Z",
        "an id of CloudWatch, such as m1: a lower-case letter, then letters, digits "
        f"and '_', and not {_RESULT!r}",
    ),
]


class MetricQuery(BaseModel):
    """A metric and its statistic."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    namespace: str = Field(
        min_length=1, description="The namespace, such as AWS/ApplicationELB."
    )
    name: str = Field(min_length=1, description="The metric's name.")
    dimensions: Mapping[str, str] = Field({}, description="All of its dimensions.")
    stat: Annotated[
        str,
        TextFormat(
            r"^(SampleCount|Average|Sum|Minimum|Maximum|IQM|(p|tm|tc|ts|wm)"
            r"[0-9]{1,2}(\.[0-9]+)?|p100)\Z",
            "a statistic of CloudWatch, such as Sum, Average or p99",
        ),
    ] = Field("Average", description="The statistic: Sum, Average, Maximum, p99, …")
    period: Duration = Field(
        60.0, ge=1, le=86400, description="The period of one value."
    )


class Metric(Validator):
    """Is a CloudWatch metric, or an expression over several, within its bound?

    No value, or fewer than ``min_values``, is inconclusive. Expressions use metric
    math:
    docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html

    Example:
        - use: metric
          with:
            metrics:
              errors: {namespace: Shop, name: Errors, stat: Sum}
              orders: {namespace: Shop, name: Orders, stat: Sum}
            expression: 100 * errors / orders
            judge: maximum
            must: "< 1"
    """

    needs_aws: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = ("cloudwatch:GetMetricData",)

    metrics: Mapping[_Id, MetricQuery] = Field(
        {},
        max_length=20,
        description="The metrics to query, each with an id such as m1.",
    )
    expression: str = Field(
        "",
        max_length=1024,
        description="Metric math over the ids, such as 100 * m1 / m2. Without "
        "it, give exactly one metric.",
    )
    must: NumberBound | None = Field(
        None, description='The bound of the value, such as "< 5".'
    )
    judge: Literal["every", "last", "average", "sum", "maximum", "minimum"] = Field(
        "every",
        description="What the bound applies to: every value of the window, or "
        "one value computed from all of them.",
    )
    window: Duration = Field(600.0, gt=0, description="The period to query, up to now.")
    delay: Duration = Field(
        0.0,
        description="How long to wait first, until CloudWatch has the latest values.",
    )
    min_values: int = Field(
        1, ge=1, le=10000, description="With fewer values the step is inconclusive."
    )
    compared_to: Duration | None = Field(
        None,
        gt=0,
        description="Compare with the same window this long ago, such as 24h.",
    )
    relative: PercentageBound | None = Field(
        None,
        description="The bound of the value relative to that of compared_to, "
        'such as "< 110%".',
    )

    @model_validator(mode="after")
    def _fits(self) -> Metric:
        if not self.metrics:
            raise InvalidValue(
                "give metrics: {m1: {namespace: …, name: …}}",
                code=Code.PLAN_MISSING_KEY,
            )
        if len(self.metrics) > 1 and not self.expression:
            raise InvalidValue(
                "several metrics need an expression over their ids",
                code=Code.OPTION_TOGETHER,
            )
        if self.must is None and self.relative is None:
            raise InvalidValue(
                'give must: "< 5", or relative with compared_to',
                code=Code.OPTION_ONE_OF,
            )
        if (self.relative is None) != (self.compared_to is None):
            raise InvalidValue(
                "relative and compared_to belong together", code=Code.OPTION_TOGETHER
            )
        if self.relative and self.judge == "every":
            raise InvalidValue(
                "relative needs one value; set judge, such as judge: average",
                code=Code.OPTION_TOGETHER,
            )
        return self

    def worst_case(self) -> float:
        """The delay and the calls."""
        return self.delay + 2 * _CALL

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Query once, after the delay."""
        wait_for_data(tools, self.delay)
        window = Window.last(self.window)
        values = self._values(tools, window)
        if self.judge == "every":
            exceeding = (
                each for each in values if self.must and not self.must.holds(each)
            )
            value = next(exceeding, values[-1])
        else:
            value = _JUDGED[self.judge](values)
        if self.must:
            yield Finding(
                ok=self.must.holds(value),
                summary=f"{self._name}, {self.judge} of {len(values)} values from "
                f"{window}: expected {self.must}, got {value:.6g}",
                evidence={"values": [float(f"{each:.6g}") for each in values[-100:]]},
                code=Code.METRIC_VALUE,
            )
        if self.relative and self.compared_to:
            earlier = self._values(tools, window.earlier(self.compared_to))
            base = _JUDGED[self.judge](earlier)
            if base <= 0:
                raise Inconclusive(
                    f"{self._name} was {base:.6g} in the earlier window, so it cannot "
                    "be compared with it"
                )
            share = 100 * value / base
            yield Finding(
                ok=self.relative.holds(share),
                summary=f"{self._name}: expected {self.relative} of the earlier value "
                f"{base:.6g}, got {value:.6g}, which is {share:.4g}%",
                code=Code.METRIC_RELATIVE,
            )

    def _values(self, tools: Tools, window: Window) -> list[float]:
        queries = [
            metric_query(
                id_,
                each.namespace,
                each.name,
                each.dimensions,
                statistic=each.stat,
                period=each.period,
            )
            for id_, each in self.metrics.items()
        ]
        if self.expression:
            queries = [{**each, "ReturnData": False} for each in queries]
            queries.append({"Id": _RESULT, "Expression": self.expression})
        found = metric_values(tools.aws, queries, window)[queries[-1]["Id"]]
        numbers = [each for each in found if not math.isnan(each)]
        if len(numbers) < self.min_values:
            raise too_few(
                len(numbers),
                f"{self._name} has {len(numbers)} values from {window}; at least "
                f"{self.min_values} are needed",
            )
        return numbers

    @property
    def _name(self) -> str:
        return self.expression or next(iter(self.metrics.values())).name
