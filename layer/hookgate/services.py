"""The services of an invocation, made in one place from the environment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NoReturn, Protocol

from hookgate.aws.calls import AwsCalls, ClientCache
from hookgate.aws.codedeploy import CodeDeployStatus
from hookgate.aws.idempotency import DynamoDbOnce, Work, without_table
from hookgate.aws.plan_sources import PlanSources
from hookgate.aws.secrets import SecretReader
from hookgate.context import DeploymentInfo
from hookgate.deadline import Clock, Deadline, SystemClock
from hookgate.environment import Environment
from hookgate.event import HookEvent
from hookgate.http.address import AddressPolicy
from hookgate.model import HookStatus, LifecycleEvent, Verdict
from hookgate.plan import Plan
from hookgate.reporting.log import InvocationLog
from hookgate.reporting.metrics import EmfMetrics
from hookgate.validator import Aws
from hookgate.watchdog import Watch, Watchdog


class Reporter(Protocol):
    """Publishes a verdict; a failure is logged and changes nothing."""

    def publish(self, verdict: Verdict, deployment: DeploymentInfo | None) -> None:
        """Publish ``verdict``."""
        ...


class StatusReporter(Protocol):
    """Reports to CodeDeploy."""

    def report(self, event: HookEvent, status: HookStatus) -> bool:
        """Report ``status``; returns False if the event had already ended."""
        ...


class Plans(Protocol):
    """Finds plans."""

    def plan(self, deployment: DeploymentInfo) -> Plan:
        """The plan of a deployment's application and group."""
        ...


class WatchdogService(Protocol):
    """Reports Failed when this process cannot.

    ``damaged`` is True after a validator damaged this process.
    """

    damaged: bool

    def watch(
        self, hook: HookEvent, event: LifecycleEvent, seconds: float
    ) -> contextlib.AbstractContextManager[Watch]:
        """Watch a block, which must end within ``seconds``."""
        ...

    def exit(self) -> NoReturn:
        """End this process."""
        ...


Once = Callable[[str, Any, Work, Deadline], dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The ports of an invocation; tests replace them with small fakes."""

    aws: Aws
    policy: AddressPolicy
    plans: Plans
    secrets: Callable[[str], str]
    reporters: tuple[Reporter, ...]
    status: StatusReporter
    log: InvocationLog
    once: Once
    watchdog: WatchdogService
    clock: Clock


def connect(environment: Environment) -> Services:
    """Make the services of a deployed function."""
    clients = ClientCache()
    aws = AwsCalls(clients)
    log = InvocationLog.to()
    policy = AddressPolicy.of_stack(environment.allowed_targets)
    table = environment.idempotency_table
    return Services(
        aws=aws,
        policy=policy,
        plans=PlanSources(
            aws=aws,
            policy=policy,
            parameter_prefix=environment.plan_parameter_prefix,
            bucket=environment.plan_bucket,
            key_prefix=environment.plan_key_prefix,
            folder=environment.plan_folder,
            bundled_when_no_plan=environment.bundled_plan_when_no_plan,
        ),
        secrets=SecretReader(aws, environment.secret_prefix),
        reporters=(log, EmfMetrics(environment.metrics_namespace)),
        status=CodeDeployStatus(clients.client("codedeploy")),
        log=log,
        once=DynamoDbOnce(table, clients.client("dynamodb", attempts=1), log.problem)
        if table
        else without_table,
        watchdog=Watchdog(log.problem),
        clock=SystemClock(),
    )
