"""The services of an invocation, made in one place from the environment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hookgate.aws.calls import AwsCalls
from hookgate.aws.codedeploy import CodeDeployStatus
from hookgate.aws.idempotency import DynamoDbOnce, Work, without_table
from hookgate.aws.plan_sources import PlanSources, SecretReader
from hookgate.deadline import Clock, Deadline, SystemClock
from hookgate.environment import Environment
from hookgate.http.address import AddressPolicy
from hookgate.reporting import EmfMetrics, InvocationLog
from hookgate.validator import Aws
from hookgate.watchdog import Watchdog


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The services of an invocation; tests replace them with small fakes.

    A reporter that fails is logged and changes nothing.
    """

    aws: Aws
    policy: AddressPolicy
    plans: PlanSources
    secrets: Callable[[str], str]
    reporters: tuple[InvocationLog | EmfMetrics, ...]
    status: CodeDeployStatus
    log: InvocationLog
    once: Callable[[str, Any, Work, Deadline], dict[str, Any]]
    watchdog: Watchdog
    clock: Clock


def connect(environment: Environment) -> Services:
    """Make the services of a deployed function."""
    aws = AwsCalls()
    log = InvocationLog.to()
    policy = AddressPolicy.of_stack(environment.allowed_targets)
    table = environment.idempotency_table
    return Services(
        aws=aws,
        policy=policy,
        plans=PlanSources(aws=aws, policy=policy, settings=environment),
        secrets=SecretReader(aws, environment.secret_prefix),
        reporters=(log, EmfMetrics(environment.metrics_namespace)),
        status=CodeDeployStatus(aws.client("codedeploy")),
        log=log,
        once=DynamoDbOnce(table, aws.client("dynamodb", attempts=1), log.problem)
        if table
        else without_table,
        watchdog=Watchdog(log.problem),
        clock=SystemClock(),
    )
