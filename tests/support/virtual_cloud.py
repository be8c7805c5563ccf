"""ECS, ELBv2, Lambda and CloudWatch in memory, on a clock that is wound by hand.

Far less than an emulator, but consistent: task sets whose tasks need time, listeners
whose weights decide who is asked, functions that report when and as they like. Every
call may be made to fail or to have something happen meanwhile. ``AwsWorld`` acts on it
as on AWS.
"""

from __future__ import annotations

import heapq
import itertools
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from support.virtual_world import WoundClock

ARN = "arn:aws:ecs:us-east-1:123456789012:task-set/main/shop/ecs-svc"
ALARM = "shop-5xx"
ALARM_POLL = 600.0  # seconds between two looks of CodeDeploy's at the alarm
ALARM_LASTS = 2000.0  # seconds, so that a look falls into it
TASKS = 2
#: Seconds until the tasks of a version serve; None is never.
STEADY_AFTER = {"steady": 5.0, "slow": 200.0, "bad": 5.0, "never": None, "dies": None}
#: Functions that let a deployment go on; their names say what they do.
WILLING = ["succeeds", "succeeds-40", "twice-3", "wavers-3", "foreign-3"]
#: Functions that do not, one of them after CodeDeploy's hour.
UNWILLING = ["succeeds-4000", "fails", "fails-40", "silent", "missing"]
BLUE, GREEN = "blue", "green"
PRODUCTION, TEST = "arn:production", "arn:test"

Report = Callable[[str, str, str], object]
"""Takes a deployment's id, an execution id and a status."""


def group_arn(name: str) -> str:
    """A target group's ARN."""
    return f"arn:{name}"


def denied(operation: str) -> ClientError:
    """What AWS says to who may not."""
    error = {"Code": "AccessDeniedException", "Message": "no"}
    return ClientError({"Error": error}, operation)


def missing(operation: str, code: str) -> ClientError:
    """What AWS says of what is not there."""
    return ClientError({"Error": {"Code": code, "Message": "not found"}}, operation)


class Agenda:
    """What is to happen when, in virtual time."""

    def __init__(self, clock: WoundClock) -> None:
        self.clock = clock
        self._due: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Let something happen later; at once is at the next look."""
        entry = (self.clock.time + seconds, next(self._numbers), action)
        heapq.heappush(self._due, entry)

    @property
    def next_at(self) -> float | None:
        """When the next thing is due."""
        return self._due[0][0] if self._due else None

    def run_due(self) -> bool:
        """Let the next thing happen, if it is due."""
        if not self._due or self._due[0][0] > self.clock.time:
            return False
        heapq.heappop(self._due)[2]()
        return True


@dataclass
class DeploymentTaskSet:
    """A task set whose version decides how its tasks fare."""

    number: int
    version: str
    group: str
    external_id: str | None
    created_at: float
    status: str = "ACTIVE"

    @property
    def arn(self) -> str:
        return f"{ARN}/{self.number}"

    def age(self, now: float) -> float:
        return now - self.created_at

    def serves(self, now: float) -> bool:
        """Whether its tasks are registered and answer."""
        needs = STEADY_AFTER[self.version.rpartition(":")[2]]
        is_up = needs is not None and self.age(now) >= needs
        return is_up and self.status != "DRAINING"

    def shape(self, now: float) -> dict[str, Any]:
        running = TASKS if self.serves(now) else 0
        return {
            "id": f"ecs-svc/{self.number}",
            "taskSetArn": self.arn,
            "externalId": self.external_id,
            "status": self.status,
            "taskDefinition": self.version,
            "computedDesiredCount": TASKS,
            "pendingCount": TASKS - running,
            "runningCount": running,
            "launchType": "FARGATE",
            "loadBalancers": [{"targetGroupArn": group_arn(self.group)}],
            "stabilityStatus": "STEADY_STATE" if running else "STABILIZING",
        }


@dataclass
class Cloud:
    """The four services as boto3 clients: one object is all of them.

    Attributes:
        report: How a function reports.
        on_change: Called after every call that changed something.
        on_invoke: Called with the deployment's id before its function runs.
        arranged: What happens at a later call of an operation, and how many calls go
            well before: it is ``denied``, it is done and its answer ``lost``, or
            something else happens while it is on its way.
        fired: How many calls were made to fail.
        alarm_since: Since when the alarm is in ALARM; None is OK.
        unseen_at: When a look at the alarm was refused, or its answer lost, last.
    """

    agenda: Agenda
    report: Report = lambda _deployment, _execution, _status: None
    on_change: Callable[[], None] = lambda: None
    on_invoke: Callable[[str], None] = lambda _deployment: None
    arranged: dict[str, tuple[int, str | Callable[[], object]]] = field(
        default_factory=dict
    )
    fired: int = 0
    task_sets: list[DeploymentTaskSet] = field(default_factory=list)
    rules: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    alarm_since: float | None = None
    unseen_at: float = 0.0

    @property
    def now(self) -> float:
        return self.agenda.clock.time

    # What a test sets up and looks at.

    def build(self, *, by_rule: bool, knows_both: bool) -> None:
        """A service on blue, behind two listeners.

        Args:
            by_rule: The listeners forward by a rule; their default answers 404.
            knows_both: Green is behind production already, with weight 0.
        """
        blue = DeploymentTaskSet(
            1, "shop:steady", BLUE, None, self.now - 3600.0, "PRIMARY"
        )
        self.task_sets.append(blue)
        plain = [{"Type": "forward", "TargetGroupArn": group_arn(BLUE)}]
        first = _forward({BLUE: 100, GREEN: 0}) if knows_both else plain
        for listener, actions in ((PRODUCTION, first), (TEST, plain)):
            fixed = [{"Type": "fixed-response"}]
            rule = {"RuleArn": f"{listener}/1", "IsDefault": False, "Actions": actions}
            default = {"RuleArn": f"{listener}/default", "IsDefault": True}
            last = {**default, "Actions": fixed if by_rule else actions}
            self.rules[listener] = [rule, last] if by_rule else [last]

    def weights(self, listener: str) -> dict[str, int]:
        """What a listener gives each target group, by name, zeros left out."""
        rule = self.rules[listener][0]
        (action,) = (each for each in rule["Actions"] if each["Type"] == "forward")
        if "TargetGroupArn" in action:
            return {action["TargetGroupArn"].removeprefix("arn:"): 100}
        groups = action["ForwardConfig"]["TargetGroups"]
        return {
            each["TargetGroupArn"].removeprefix("arn:"): each["Weight"]
            for each in groups
            if each["Weight"]
        }

    def behind(self, listener: str) -> list[DeploymentTaskSet]:
        """The task sets that requests to a listener may reach."""
        groups = self.weights(listener)
        return [
            each
            for each in self.task_sets
            if each.group in groups and each.status != "DRAINING"
        ]

    @property
    def primary(self) -> DeploymentTaskSet:
        (found,) = (each for each in self.task_sets if each.status == "PRIMARY")
        return found

    def sound_alarm(self) -> None:
        """Let the alarm be in ALARM for a while."""
        if self.alarm_since is None:
            self.alarm_since = self.now
            self.agenda.after(ALARM_LASTS, self._clear_alarm)

    def _clear_alarm(self) -> None:
        self.alarm_since = None

    # CloudWatch.

    def describe_alarms(self, **_: Any) -> dict[str, Any]:
        with self._call("describe_alarms"):
            state = "OK" if self.alarm_since is None else "ALARM"
            return {"MetricAlarms": [{"AlarmName": ALARM, "StateValue": state}]}

    # ECS.

    def describe_services(self, **_: Any) -> dict[str, Any]:
        controller = {"type": "CODE_DEPLOY"}
        shapes = [each.shape(self.now) for each in self.task_sets]
        service = {"deploymentController": controller, "taskSets": shapes}
        return {"services": [service]}

    def describe_task_sets(self, **request: Any) -> dict[str, Any]:
        with self._call("describe_task_sets"):
            found = [each for each in self.task_sets if each.arn in request["taskSets"]]
            return {"taskSets": [each.shape(self.now) for each in found]}

    def create_task_set(self, **request: Any) -> dict[str, Any]:
        with self._call("create_task_set"):
            (balancer,) = request["loadBalancers"]
            made = DeploymentTaskSet(
                number=len(self.task_sets) + 100,
                version=request["taskDefinition"],
                group=balancer["targetGroupArn"].removeprefix("arn:"),
                external_id=request["externalId"],
                created_at=self.now,
            )
            self.task_sets.append(made)
            return {"taskSet": made.shape(self.now)}

    def update_service_primary_task_set(self, **request: Any) -> dict[str, Any]:
        with self._call("update_service_primary_task_set"):
            chosen = self._task_set(request["primaryTaskSet"])
            self.primary.status = "ACTIVE"
            chosen.status = "PRIMARY"
            return {"taskSet": chosen.shape(self.now)}

    def delete_task_set(self, **request: Any) -> dict[str, Any]:
        with self._call("delete_task_set"):
            chosen = self._task_set(request["taskSet"])
            if chosen.status == "PRIMARY":
                raise missing("DeleteTaskSet", "InvalidParameterException")
            chosen.status = "DRAINING"
            return {"taskSet": chosen.shape(self.now)}

    def list_tasks(self, **request: Any) -> dict[str, Any]:
        number = int(request["startedBy"].removeprefix("ecs-svc/"))
        found = [each for each in self.task_sets if each.number == number]
        arns = [
            f"task-{turn}"
            for each in found
            if each.version.endswith(":dies")
            for turn in range(int(each.age(self.now) // 10.0))
        ]
        return {"taskArns": arns}

    def describe_tasks(self, **request: Any) -> dict[str, Any]:
        return {"tasks": [{"stoppedReason": "it died"} for _ in request["tasks"]]}

    def _task_set(self, arn: str) -> DeploymentTaskSet:
        for each in self.task_sets:
            if each.arn == arn:
                return each
        raise missing("UpdateTaskSet", "TaskSetNotFoundException")

    # ELBv2.

    def describe_target_groups(self, **request: Any) -> dict[str, Any]:
        groups = [
            {"TargetGroupName": name, "TargetGroupArn": group_arn(name)}
            for name in request["Names"]
        ]
        return {"TargetGroups": groups}

    def describe_listeners(self, **request: Any) -> dict[str, Any]:
        (arn,) = request["ListenerArns"]
        return {"Listeners": [{"DefaultActions": self.rules[arn][-1]["Actions"]}]}

    def describe_rules(self, **request: Any) -> dict[str, Any]:
        return {"Rules": list(self.rules[request["ListenerArn"]])}

    def modify_rule(self, **request: Any) -> None:
        listener = request["RuleArn"].rpartition("/")[0]
        with self._call(f"route {listener}"):
            self.rules[listener][0]["Actions"] = request["Actions"]

    def modify_listener(self, **request: Any) -> None:
        listener = request["ListenerArn"]
        with self._call(f"route {listener}"):
            self.rules[listener][-1]["Actions"] = request["DefaultActions"]

    # Lambda.

    def invoke(self, **request: Any) -> None:
        """Run a function; its name says what it does, and after how many seconds."""
        what, _, seconds = request["FunctionName"].partition("-")
        if what == "missing":
            raise missing("Invoke", "ResourceNotFoundException")
        event = json.loads(request["Payload"])
        deployment = event["DeploymentId"]
        execution = event["LifecycleEventHookExecutionId"]
        with self._call("invoke"):
            self.on_invoke(deployment)
            for given, status in _reports(what, execution):
                self._later(float(seconds or 0), deployment, given, status)

    def _later(self, seconds: float, deployment: str, given: str, status: str) -> None:
        def report() -> object:
            return self.report(deployment, given, status)

        self.agenda.after(seconds, report) if seconds else report()

    @contextmanager
    def _call(self, operation: str) -> Iterator[None]:
        skip, arranged = self.arranged.pop(operation, (0, None))
        if skip:
            self.arranged[operation] = (skip - 1, arranged or "")
            arranged = None
        self.fired += isinstance(arranged, str)
        if isinstance(arranged, str) and operation == "describe_alarms":
            self.unseen_at = self.now
        if arranged == "denied":
            raise denied(operation)
        if callable(arranged):
            arranged()
        yield
        self.on_change()
        if arranged == "lost":
            raise ReadTimeoutError(endpoint_url="https://aws")


def _reports(what: str, execution: str) -> list[tuple[str, str]]:
    """The reports of a function: under which id, and what."""
    yes, no = (execution, "Succeeded"), (execution, "Failed")
    return {
        "succeeds": [yes],
        "fails": [no],
        "silent": [],
        "twice": [yes, yes],
        "wavers": [yes, no],
        "foreign": [("foreign", "Succeeded"), yes],
    }[what]


def _forward(weights: dict[str, int]) -> list[dict[str, Any]]:
    groups = [
        {"TargetGroupArn": group_arn(name), "Weight": weight}
        for name, weight in weights.items()
    ]
    return [{"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}]
