"""The shipped handlers as functions of the stage, and the AppSpec that calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from hookgate.model import LifecycleEvent
from rehearsal.building.kept_plan import BUCKET, PARAMETER_PREFIX, SECRET_PREFIX
from rehearsal.functions.function import EventInvokeConfig, Function, function_name
from rehearsal.scenario.scenario import Scenario
from rehearsal.settings import ACCOUNT, StageSettings
from rehearsal.stage import Stage

ROOT = Path(__file__).resolve().parents[2]
LAST_REPORT = "CodeDeployHook_hookgate_LastReport"
#: Remembers which hooks ran, as the template's table does.
IDEMPOTENCY_TABLE = "hookgate-idempotency"
PATH = (ROOT, ROOT / "layer")
VARIABLES = {
    "HOOKGATE_IDEMPOTENCY_TABLE": IDEMPOTENCY_TABLE,
    "HOOKGATE_METRICS_NAMESPACE": "Hookgate",
    "HOOKGATE_PLAN_BUCKET": BUCKET,
    "HOOKGATE_PLAN_PARAMETER_PREFIX": PARAMETER_PREFIX,
    "HOOKGATE_SECRET_PREFIX": SECRET_PREFIX,
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}
#: What template.yaml gives the hooks by default; a test compares the two.
TIMEOUT, MEMORY = 900.0, 1024
ASYNCHRONOUS = EventInvokeConfig(
    retries=1,
    event_age=2400.0,
    on_failure=(
        f"arn:aws:lambda:{StageSettings().region}:{ACCOUNT}:function:{LAST_REPORT}"
    ),
)


def hook_name(event: LifecycleEvent) -> str:
    """The function's name, which template.yaml gives it by default."""
    return f"CodeDeployHook_hookgate_{event}"


def hook_names(scenario: Scenario) -> dict[LifecycleEvent, str]:
    """What the hook of each event is called; a template may call it otherwise."""
    names = {event: hook_name(event) for event in LifecycleEvent}
    return names | dict(scenario.blue_green.functions if scenario.blue_green else {})


def shipped_hooks(
    names: Mapping[LifecycleEvent, str], allowed_targets: Iterable[str] = ()
) -> tuple[Function, ...]:
    """The handlers of ``hooks/``, unchanged, by those names, and the last report.

    Args:
        names: the function's name at each event.
        allowed_targets: what the stack parameter AllowedTargets lists.
    """
    variables = {**VARIABLES, "HOOKGATE_ALLOWED_TARGETS": ",".join(allowed_targets)}
    hooks = (
        Function(
            name=function_name(name),
            handler=f"hooks.{_module(event)}.handler",
            path=PATH,
            environment=variables,
            timeout=TIMEOUT,
            memory=MEMORY,
            asynchronous=ASYNCHRONOUS,
        )
        for event, name in names.items()
    )
    return (*hooks, last_report(variables))


def create_table(stage: Stage) -> None:
    """Give the hooks the table that template.yaml gives them."""
    stage.client("dynamodb").create_table(
        TableName=IDEMPOTENCY_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )


def last_report(variables: Mapping[str, str]) -> Function:
    """The function that reports Failed in the place of a hook that did not report."""
    return Function(
        name=LAST_REPORT,
        handler="hooks.last_report.handler",
        path=PATH,
        environment=variables,
        timeout=120.0,
        memory=256,
        asynchronous=EventInvokeConfig(retries=2, event_age=300.0),
    )


def appspec(
    scenario: Scenario, task_definition: str, events: Iterable[LifecycleEvent]
) -> dict[str, Any]:
    """The AppSpec of a deployment, with a hook at each of the events."""
    service = scenario.content.service
    properties = {
        "TaskDefinition": task_definition,
        "LoadBalancerInfo": {
            "ContainerName": service.container,
            "ContainerPort": service.port,
        },
    }
    target = {"Type": "AWS::ECS::Service", "Properties": properties}
    return {
        "version": 0.0,
        "Resources": [{"TargetService": target}],
        "Hooks": [{str(event): hook_names(scenario)[event]} for event in events],
    }


def _module(event: LifecycleEvent) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()
