"""``use: logs``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field

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
from hookgate.cloudwatch import Window
from hookgate.codes import Code
from hookgate.errors import InvalidValue, too_few
from hookgate.units import Bound

_CALL = 10.0
_POLL = 1.0
_RUNNING = {"Scheduled", "Running"}
_SHOWN = 5
#: A query names no more log groups (its documented quota).
_GROUPS = 50
#: Rows are counted up to here; a larger bound could not be checked.
_MOST_ROWS = 1000


def _countable(bound: Bound) -> Bound:
    if bound.value >= _MOST_ROWS:
        raise InvalidValue(
            f"rows are counted up to {_MOST_ROWS}: write a bound below it, or have "
            "the query count (stats count(*) as n | filter n > 5000)",
            code=Code.OPTION_BOUND,
        )
    return bound


class Logs(Validator):
    """Is the number of the new version's log lines that match a query within its bound?

    The query language is that of CloudWatch Logs Insights. By default it searches only
    the lines of the replacement's tasks. Without any line the step is inconclusive.
    docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html

    Example:
        - use: logs
          with:
            log_groups: [/ecs/shop]
            query: filter @message like /ERROR|Traceback/
            rows: "== 0"
    """

    needs_aws: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = (
        "ecs:DescribeTaskDefinition",
        "ecs:ListTasks",
        "logs:GetQueryResults",
        "logs:StartQuery",
    )

    query: str = Field(
        "filter @message like /ERROR/",
        min_length=1,
        max_length=8000,
        description="The query (CloudWatch Logs Insights), whose result rows "
        "are counted.",
    )
    rows: Annotated[NumberBound, AfterValidator(_countable)] = Field(
        Bound("==", 0), description='The bound of the number of rows, such as "== 0".'
    )
    log_groups: tuple[str, ...] = Field(
        (),
        max_length=_GROUPS,
        description="The log groups to query; by default, those of the "
        "containers' awslogs drivers.",
    )
    of: Literal["green", "all"] = Field(
        "green",
        description="Whether to query the lines of green's tasks only, or all lines.",
    )
    window: Duration | None = Field(
        None,
        gt=0,
        description="The period to query, up to now; by default, since the "
        "start of the lifecycle event.",
    )
    delay: Duration = Field(
        15.0,
        description="How long to wait first, until CloudWatch has the latest lines.",
    )
    min_lines: int = Field(
        1, ge=0, description="With fewer lines in total the step is inconclusive."
    )
    timeout: Duration = Field(
        60.0, gt=0, description="Maximum time of each of the two queries."
    )

    def worst_case(self) -> float:
        """The delay, two queries and the calls."""
        return self.delay + 2 * self.timeout + 5 * _CALL

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Count all lines, then those of the query."""
        groups = list(self.log_groups or _own_groups(context, tools))
        only = _of_tasks(context, tools) if self.of == "green" else ""
        window = (
            Window.last(self.window)
            if self.window
            else Window.of_event(context, otherwise=600)
        )
        if tools.deadline.remaining <= self.delay:
            raise CannotMeasure(
                "no time is left to wait for the last lines", code=Code.NO_TIME
            )
        tools.deadline.sleep(self.delay)
        counted = self._asked(tools, groups, window, f"{only}stats count(*) as lines")
        lines = int(float(counted[0].get("lines", 0))) if counted else 0
        where = ", ".join(groups)
        if lines < self.min_lines:
            raise too_few(
                lines,
                f"{where} has {lines} lines from {window}, and at least "
                f"{self.min_lines} must be there",
            )
        rows = self._asked(tools, groups, window, f"{only}{self.query}")
        shown = "; ".join(_shown(each) for each in rows[:_SHOWN])
        ok = self.rows.holds(len(rows))
        yield Finding(
            ok=ok,
            summary=f"{len(rows)} rows among {lines} lines of {where}, expected "
            f"{self.rows}" + ("" if ok or not shown else f": {shown}"),
            evidence={"query": self.query, "lines": lines, "rows": rows[:_SHOWN]},
            waiver="" if lines else f"min_lines: 0, {where} has no line",
            code=Code.LOGS_ROWS,
        )

    def _asked(
        self, tools: Tools, groups: Sequence[str], window: Window, query: str
    ) -> list[dict[str, str]]:
        started = tools.aws(
            "logs",
            "start_query",
            logGroupNames=list(groups),
            startTime=int(window.start.timestamp()),
            endTime=int(window.end.timestamp()) + 1,
            queryString=query,
            limit=_MOST_ROWS,
        )["queryId"]
        deadline = tools.deadline.within(self.timeout)
        while True:
            answer = tools.aws("logs", "get_query_results", queryId=started)
            if answer["status"] not in _RUNNING:
                break
            if deadline.expired:
                raise CannotMeasure(
                    f"the query did not end in time: {query}", code=Code.LOGS_QUERY
                )
            deadline.sleep(_POLL)
        if answer["status"] != "Complete":
            raise CannotMeasure(
                f"the query ended as {answer['status']}: {query}", code=Code.LOGS_QUERY
            )
        return [_row(each) for each in answer["results"]]


def _row(fields: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    return {
        each["field"]: str(each.get("value", ""))
        for each in fields
        if each["field"] != "@ptr"
    }


def _shown(row: Mapping[str, str]) -> str:
    return row.get("@message") or ", ".join(f"{k}={v}" for k, v in row.items())


def _own_groups(context: DeploymentContext, tools: Tools) -> list[str]:
    """The log groups of the task definition's containers."""
    definition = known(context.task_definition, "the task definition")
    answer = tools.aws(
        "ecs", "describe_task_definition", taskDefinition=definition.arn
    )["taskDefinition"]
    found = {
        each["logConfiguration"].get("options", {}).get("awslogs-group", "")
        for each in answer["containerDefinitions"]
        if each.get("logConfiguration", {}).get("logDriver") == "awslogs"
    }
    if not found - {""}:
        raise CannotMeasure(
            "no container of the task definition logs to CloudWatch (awslogs); name "
            "the log_groups",
            code=Code.LOGS_GROUP,
        )
    return sorted(found - {""})


def _of_tasks(context: DeploymentContext, tools: Tools) -> str:
    """The part of a query that takes the replacement's streams: they end in a task id.

    docs.aws.amazon.com/AmazonECS/latest/developerguide/specify-log-config.html
    """
    cluster = known(context.deployment, "the deployment").cluster
    green = known(context.green, "the replacement")
    task_set = known(green.task_set, "the replacement task set").id
    ids: set[str] = set()
    for status in ("RUNNING", "STOPPED"):
        found = tools.aws(
            "ecs",
            "list_tasks",
            cluster=cluster,
            startedBy=task_set,
            desiredStatus=status,
        )["taskArns"]
        ids.update(arn.rpartition("/")[2] for arn in found)
    if not ids:
        raise NoData(
            "the replacement has no task whose lines could be read",
        )
    return f"filter @logStream like /({'|'.join(sorted(ids))})$/ | "
