"""The services of a pass with small fakes at AWS's edge and nowhere else."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
from collections.abc import Iterator
from typing import Any

from hookgate.aws.idempotency import without_table
from hookgate.context import DeploymentInfo, HookEvent
from hookgate.deadline import SystemClock
from hookgate.errors import Place, PlanOrigin
from hookgate.http.address import AddressPolicy
from hookgate.invocation import Services
from hookgate.model import HookStatus, LifecycleEvent, Verdict
from hookgate.plan import Plan, Step, Target
from hookgate.reporting import InvocationLog
from support.steps import says
from support.world import World

_NUMBERS = itertools.count()
EVENT = LifecycleEvent.AFTER_ALLOW_TEST_TRAFFIC
ORIGIN = PlanOrigin(source="ssm:/plans/shop/web", version="3", sha256="ab" * 32)
PAYLOAD = {"DeploymentId": "d-75I7MBT7C", "LifecycleEventHookExecutionId": "hook-1"}


class LambdaContext:
    """What Lambda tells a function of itself."""

    def __init__(self, seconds: float = 900.0) -> None:
        self.seconds = seconds
        self.function_name = "CodeDeployHook_hookgate_AfterAllowTestTraffic"
        self.aws_request_id = "request-1"

    def get_remaining_time_in_millis(self) -> int:
        return int(self.seconds * 1000)


class RecordedStatus:
    """CodeDeploy's side of the report."""

    def __init__(self, *, open_: bool = True) -> None:
        self.reports: list[HookStatus] = []
        self.open = open_

    def report(self, _event: HookEvent, status: HookStatus) -> bool:
        self.reports.append(status)
        return self.open


class RecordedVerdicts:
    """A reporter that keeps verdicts, and counts the reports before each."""

    def __init__(self, status: RecordedStatus) -> None:
        self.verdicts: list[Verdict] = []
        self.reports_before: list[int] = []
        self._status = status

    def publish(self, verdict: Verdict, _deployment: DeploymentInfo | None) -> None:
        self.verdicts.append(verdict)
        self.reports_before.append(len(self._status.reports))


class Broken:
    """A reporter that always fails."""

    def publish(self, _verdict: Verdict, _deployment: DeploymentInfo | None) -> None:
        raise OSError("the sink is full")


class RecordedWatchdog:
    """A watchdog that keeps what it is sent."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.seconds = 0.0
        self.found = ""

    @contextlib.contextmanager
    def watch(self, _hook: Any, _event: Any, seconds: float) -> Iterator[Any]:
        self.seconds = seconds
        yield self

    def note(self, doing: str) -> None:
        self.notes.append(doing)

    def due(self, seconds: float) -> None:
        self.seconds = seconds

    def reporting(self) -> None:
        self.notes.append("reporting")

    def set_deployment(self, deployment: DeploymentInfo) -> None:
        self.notes.append(deployment.application)

    def damage(self) -> str:
        return self.found


class OnePlan:
    """A source that holds one plan."""

    def __init__(self, *steps: Step) -> None:
        self.steps = steps

    def plan(self, _deployment: DeploymentInfo) -> Plan:
        return Plan(origin=ORIGIN, target=Target(), events={EVENT: self.steps})


class NoPlan:
    """A source whose reading fails in its own way."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def plan(self, _deployment: DeploymentInfo) -> Plan:
        raise self.error


class Fakes:
    """Everything around a pass, ready to be bent and looked at."""

    def __init__(self, *steps: Step, **settings: Any) -> None:
        self.world = World()
        self.world.events[1].pop("startTime")
        self.status = RecordedStatus()
        self.recorded = RecordedVerdicts(self.status)
        self.watchdog = RecordedWatchdog()
        self.lines = io.StringIO()
        log = InvocationLog.to(self.lines, service=f"fakes-{next(_NUMBERS)}")
        plans = OnePlan(*steps)
        self.services = Services(
            **{
                "aws": self.world,
                "policy": AddressPolicy.of_stack(""),
                "plans": plans,
                "secrets": lambda name: name,
                "reporters": (log, self.recorded),
                "status": self.status,
                "log": log,
                "once": without_table,
                "watchdog": self.watchdog,
                "clock": SystemClock(),
                **settings,
            }
        )

    @property
    def log(self) -> list[dict[str, Any]]:
        """The log's lines."""
        return [json.loads(line) for line in self.lines.getvalue().splitlines()]


PLACE = Place("plan.yaml")
GOOD = says(True)
