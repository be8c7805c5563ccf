"""The shipped handlers as functions of the stage, and the AppSpec that calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hookgate.model import LifecycleEvent
from rehearsal.building import PLAN_PREFIX
from rehearsal.functions.function import Function
from rehearsal.scenario import Scenario

ROOT = Path(__file__).resolve().parent.parent


def hook_name(event: LifecycleEvent) -> str:
    """The function's name, which template.yaml gives it by default."""
    return f"CodeDeployHook_hookgate_{event}"


def shipped_hooks(events: Iterable[LifecycleEvent]) -> tuple[Function, ...]:
    """The handlers of ``hooks/``, unchanged, for those events."""
    return tuple(
        Function(
            name=hook_name(event),
            handler=f"hooks.{_module(event)}.handler",
            path=(ROOT, ROOT / "layer"),
            environment={"HOOKGATE_PLAN_PARAMETER_PREFIX": PLAN_PREFIX},
        )
        for event in events
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
        "Hooks": [{str(event): hook_name(event)} for event in events],
    }


def _module(event: LifecycleEvent) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()
