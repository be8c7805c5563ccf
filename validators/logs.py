"""``use: logs``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

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
from hookgate.cloudwatch import Window, wait_for_data
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
            f"at most {_MOST_ROWS} rows are counted: write a bound below it, or count "
            "in the query (stats count(*) as n | filter n > 5000)",
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
        window = Window.of(self.window, context)
        wait_for_data(tools, self.delay)
        counted = self._query(tools, groups, window, f"{only}stats count(*) as lines")
        lines = int(float(counted[0].get("lines", 0))) if counted else 0
        where = ", ".join(groups)
        if lines < self.min_lines:
            raise too_few(
                lines,
                f"{where} has {lines} lines from {window}; at least {self.min_lines} "
                "are needed",
            )
        rows = self._query(tools, groups, window, f"{only}{self.query}")
        shown = "; ".join(_shown(each) for each in rows[:_SHOWN])
        ok = self.rows.holds(len(rows))
        yield Finding(
            ok=ok,
            summary=f"{where}: expected {self.rows} rows, got {len(rows)} from {lines} "
            "lines" + ("" if ok or not shown else f": {shown}"),
            evidence={"query": self.query, "lines": lines, "rows": rows[:_SHOWN]},
            waiver="" if lines else f"min_lines: 0, {where} has no line",
            code=Code.LOGS_ROWS,
        )

    def _query(
        self, tools: Tools, groups: Sequence[str], window: Window, query: str
    ) -> list[dict[str, str]]:
        """The rows of a query, without the pointers that CloudWatch adds."""
        id_ = tools.aws(
            "logs",
            "start_query",
            logGroupNames=list(groups),
            startTime=int(window.start.timestamp()),
            endTime=int(window.end.timestamp()) + 1,
            queryString=query,
            limit=_MOST_ROWS,
        )["queryId"]
        deadline = tools.deadline.within(self.timeout)
        answer = tools.aws("logs", "get_query_results", queryId=id_)
        while answer["status"] in _RUNNING:
            if deadline.expired:
                raise CannotMeasure(
                    f"the query did not end in time: {query}", code=Code.LOGS_QUERY
                )
            deadline.sleep(_POLL)
            answer = tools.aws("logs", "get_query_results", queryId=id_)
        if answer["status"] != "Complete":
            raise CannotMeasure(
                f"the query ended as {answer['status']}: {query}", code=Code.LOGS_QUERY
            )
        return [
            {
                each["field"]: str(each.get("value", ""))
                for each in row
                if each["field"] != "@ptr"
            }
            for row in answer["results"]
        ]


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
    found.discard("")
    if not found:
        raise CannotMeasure(
            "no container of the task definition logs to CloudWatch (awslogs); name "
            "the log_groups",
            code=Code.LOGS_GROUP,
        )
    return sorted(found)


def _of_tasks(context: DeploymentContext, tools: Tools) -> str:
    """The filter of the replacement's log streams, whose names end with a task id.

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
        raise NoData("the replacement has no task, so it has no lines")
    return f"filter @logStream like /({'|'.join(sorted(ids))})$/ | "
