"""``use: target_metrics``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate import (
    CannotMeasure,
    DeploymentContext,
    Duration,
    Finding,
    NoData,
    NumberBound,
    Tools,
    Validator,
    known,
)
from hookgate.cloudwatch import Window, metric_query, metric_values, wait_for_data
from hookgate.codes import Code
from hookgate.errors import InvalidValue, too_few
from hookgate.units import Bound, DurationBound, PercentageBound

_CALL = 10.0
_COUNTS = {
    "requests": "RequestCount",
    "http_5xx": "HTTPCode_Target_5XX_Count",
    "http_4xx": "HTTPCode_Target_4XX_Count",
    "connection_errors": "TargetConnectionErrorCount",
}
_TIMES = {"average": "Average", "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99"}


class Thresholds(BaseModel):
    """Bounds on the metrics of the target group."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    http_5xx: NumberBound | None = Field(
        None, description="Number of responses with status 500 to 599."
    )
    http_4xx: NumberBound | None = Field(
        None, description="Number of responses with status 400 to 499."
    )
    connection_errors: NumberBound | None = Field(
        None,
        description="Number of connections that the targets refused or closed early.",
    )
    error_rate: PercentageBound | None = Field(
        None, description="Percentage of requests with a 5xx response."
    )
    average: DurationBound | None = Field(
        None, description="Average response time in the worst minute."
    )
    p50: DurationBound | None = Field(
        None,
        description="50th percentile (median) of the response time in the worst "
        "minute.",
    )
    p90: DurationBound | None = Field(
        None, description="90th percentile of the response time in the worst minute."
    )
    p95: DurationBound | None = Field(
        None, description="95th percentile of the response time in the worst minute."
    )
    p99: DurationBound | None = Field(
        None, description="99th percentile of the response time in the worst minute."
    )

    @model_validator(mode="after")
    def _states_one(self) -> Thresholds:
        if not self.given():
            raise InvalidValue(
                "state a threshold, such as {http_5xx: '== 0'}",
                code=Code.PLAN_MISSING_KEY,
            )
        return self

    def given(self) -> dict[str, Bound]:
        """The bounds that the plan states, by name."""
        return {name: bound for name, bound in self if bound is not None}


class TargetMetrics(Validator):
    """Are the load balancer's metrics of the new version within their bounds?

    An Application Load Balancer reports metrics per minute, and CloudWatch has them a
    little later; a count of zero is not reported. Fewer requests than ``min_requests``
    are inconclusive. Run a ``traffic`` step first and name it in ``needs``:
    docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-cloudwatch-metrics.html

    Example:
        - use: target_metrics
          with:
            thresholds: {error_rate: "< 1%", p95: "< 300ms"}
            min_requests: 100
    """

    needs_aws: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = ("cloudwatch:GetMetricData",)

    thresholds: Thresholds = Field(
        Thresholds(http_5xx=Bound("==", 0)),
        description="Bounds on http_5xx, http_4xx, connection_errors, error_rate, "
        "average, p50, p90, p95 and p99.",
    )
    min_requests: int = Field(
        1, ge=1, description="With fewer requests the step is inconclusive."
    )
    window: Duration | None = Field(
        None,
        ge=60,
        description="The period to query, up to now; by default, since the "
        "start of the lifecycle event.",
    )
    delay: Duration = Field(
        120.0,
        description="How long to wait first, until CloudWatch has the metrics "
        "of the last minute.",
    )

    def worst_case(self) -> float:
        """The delay and the call."""
        return self.delay + _CALL

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Query once, after the delay."""
        bounds = self.thresholds.given()
        dimensions = _dimensions(context)
        window = Window.of(self.window, context)
        wait_for_data(tools, self.delay)
        values = metric_values(tools.aws, _queries(bounds, dimensions), window)
        counts = {name: math.fsum(values.get(name, ())) for name in _COUNTS}
        requests = counts["requests"]
        if requests < self.min_requests:
            raise too_few(
                requests,
                f"{dimensions['TargetGroup']} got {requests:.0f} requests from {window}"
                f"; at least {self.min_requests} are needed",
            )
        counts["error_rate"] = 100 * counts["http_5xx"] / requests
        for name, bound in bounds.items():
            number = max(values[name], default=None) if name in _TIMES else counts[name]
            if number is None:
                raise NoData(f"CloudWatch has requests but no data for {name}")
            yield Finding(
                ok=bound.holds(number),
                summary=f"{name} over {requests:.0f} requests: expected {bound}, got "
                f"{bound.format(number)}",
                evidence={"name": name, "value": number, "requests": requests},
                code=Code.TARGET_METRIC,
            )


def _dimensions(context: DeploymentContext) -> Mapping[str, str]:
    """How CloudWatch names the green target group behind its load balancer."""
    green = known(context.green, "the replacement's target group")
    endpoint = known(context.test or context.production, "the load balancer")
    # arn:…:listener/app/shop/1/2 is a listener of app/shop/1.
    balancer = endpoint.listener_arn.partition(":listener/")[2].rpartition("/")[0]
    if not balancer.startswith("app/"):
        raise CannotMeasure(
            "only an Application Load Balancer has metrics of responses, and "
            f"{endpoint.listener_arn} is not a listener of one",
            code=Code.TARGET_METRIC_LISTENER,
        )
    group = green.target_group.arn.rpartition(":")[2]
    return {"TargetGroup": group, "LoadBalancer": balancer}


def _queries(
    bounds: Mapping[str, Bound], dimensions: Mapping[str, str]
) -> list[dict[str, Any]]:
    wanted = [(name, metric, "Sum") for name, metric in _COUNTS.items()]
    times = [name for name in bounds if name in _TIMES]
    wanted += [(name, "TargetResponseTime", _TIMES[name]) for name in times]
    return [
        metric_query(id_, "AWS/ApplicationELB", name, dimensions, statistic=statistic)
        for id_, name, statistic in wanted
    ]
