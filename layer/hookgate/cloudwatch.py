"""Read from CloudWatch: time ranges and metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from hookgate.codes import Code
from hookgate.context import Aws, DeploymentContext
from hookgate.errors import CannotMeasure
from hookgate.validator import Tools

_NOT_ALL = "CloudWatch did not return all data"


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """The time range of a CloudWatch query."""

    start: datetime
    end: datetime

    @classmethod
    def last(cls, seconds: float) -> Window:
        """The last ``seconds``."""
        now = datetime.now(UTC)
        return cls(start=now - timedelta(seconds=seconds), end=now)

    @classmethod
    def of(cls, seconds: float | None, context: DeploymentContext) -> Window:
        """The last ``seconds``; without them, the time since the lifecycle event began.

        If that time is unknown, it is the last 10 minutes.
        """
        deployment = context.deployment
        if seconds is None and deployment and deployment.event_started_at:
            return cls(start=deployment.event_started_at, end=datetime.now(UTC))
        return cls.last(600 if seconds is None else seconds)

    def earlier(self, seconds: float) -> Window:
        """The same range, ``seconds`` earlier."""
        by = timedelta(seconds=seconds)
        return Window(start=self.start - by, end=self.end - by)

    def __str__(self) -> str:
        """The window, for messages."""
        return f"{self.start:%H:%M:%S} to {self.end:%H:%M:%S} UTC"


def wait_for_data(tools: Tools, delay: float) -> None:
    """Wait ``delay`` seconds, until CloudWatch has the latest data.

    Raises:
        CannotMeasure: the step has not enough time left.
    """
    if tools.deadline.remaining <= delay:
        raise CannotMeasure(
            "no time is left to wait for CloudWatch's latest data", code=Code.NO_TIME
        )
    tools.deadline.sleep(delay)


def metric_query(  # noqa: PLR0913 - what a metric is named by
    id_: str,
    namespace: str,
    name: str,
    dimensions: Mapping[str, str],
    *,
    statistic: str,
    period: float = 60,
) -> dict[str, Any]:
    """A query of GetMetricData for one metric's statistic; ``period`` in seconds."""
    return {
        "Id": id_,
        "MetricStat": {
            "Metric": {
                "Namespace": namespace,
                "MetricName": name,
                "Dimensions": [
                    {"Name": key, "Value": value} for key, value in dimensions.items()
                ],
            },
            "Period": round(period),
            "Stat": statistic,
        },
    }


def metric_values(
    aws: Aws, queries: Sequence[Mapping[str, Any]], window: Window
) -> dict[str, list[float]]:
    """The values of each query in a window, oldest first, by its id.

    Raises:
        AccessDenied: names the missing permission.
        CannotMeasure: CloudWatch returned only part of them, or an error.
    """
    answer = aws(
        "cloudwatch",
        "get_metric_data",
        MetricDataQueries=list(queries),
        StartTime=window.start,
        EndTime=window.end,
        ScanBy="TimestampAscending",
    )
    found: dict[str, list[float]] = {
        each["Id"]: [] for each in queries if each.get("ReturnData", True)
    }
    for each in answer["MetricDataResults"]:
        status = each.get("StatusCode", "Complete")
        if status != "Complete":
            messages = "; ".join(m.get("Value", "") for m in each.get("Messages", ()))
            raise CannotMeasure(
                f"{_NOT_ALL} of {each['Id']}: {status} {messages}".strip(),
                code=Code.CLOUDWATCH_PARTIAL,
            )
        found.setdefault(each["Id"], []).extend(map(float, each["Values"]))
    return found
