"""The version that serves customers before the first deployment."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from hookgate.codes import Code
from hookgate.errors import HookgateError
from rehearsal.scenario.scenario import Scenario
from rehearsal.stage import Stage

#: Seconds that a person would wait for the first version.
_PATIENCE = 60.0
_LOOK = 0.05
#: So many tasks that ended by themselves are no accident.
_STOPPED = 3


class RehearsalError(HookgateError):
    """The stage did not do what a rehearsal stands on."""

    code = Code.REHEARSAL


def primary_task_set(stage: Stage, scenario: Scenario) -> Mapping[str, Any]:
    """The task set that serves customers now."""
    service = scenario.content.service
    answer = stage.client("ecs").describe_services(
        cluster=service.cluster, services=[service.name]
    )
    sets = answer["services"][0]["taskSets"]
    primary: Mapping[str, Any] = next(e for e in sets if e["status"] == "PRIMARY")
    return primary


def wait_for_first_version(
    stage: Stage, scenario: Scenario, patience: float = _PATIENCE
) -> None:
    """Wait until the version that the scenario starts with is healthy.

    Args:
        stage: with the scenario's service on it.
        scenario: what is rehearsed.
        patience: seconds to wait.

    Raises:
        RehearsalError: its tasks end by themselves, or it is not healthy in time.
    """
    group = primary_task_set(stage, scenario)["loadBalancers"][0]["targetGroupArn"]
    give_up = time.monotonic() + patience
    while True:
        targets = _targets(stage, group)
        if _are_healthy(targets, scenario.content.service.desired_count):
            return
        stopped = _stopped(stage, scenario)
        if len(stopped) >= _STOPPED:
            raise RehearsalError(
                f"{_named(scenario)} does not keep running: {len(stopped)} of its "
                f"tasks have stopped. The last: {stopped[-1]}"
            )
        if time.monotonic() > give_up:
            raise RehearsalError(
                f"{_named(scenario)} did not become healthy within {patience:g} s; "
                f"its targets: {_told(targets)}"
            )
        time.sleep(_LOOK)


def _named(scenario: Scenario) -> str:
    image = scenario.content.starts_with
    return f"{scenario.file}: {image}, which the scenario starts with,"


def _targets(stage: Stage, group: str) -> list[Mapping[str, Any]]:
    answer = stage.client("elbv2").describe_target_health(TargetGroupArn=group)
    return [each["TargetHealth"] for each in answer["TargetHealthDescriptions"]]


def _are_healthy(targets: list[Mapping[str, Any]], desired: int) -> bool:
    return len(targets) >= desired and {"healthy"} == {e["State"] for e in targets}


def _stopped(stage: Stage, scenario: Scenario) -> list[str]:
    """Why tasks of the service have stopped, the last one last."""
    service, ecs = scenario.content.service, stage.client("ecs")
    arns = ecs.list_tasks(
        cluster=service.cluster, serviceName=service.name, desiredStatus="STOPPED"
    )["taskArns"]
    if not arns:
        return []
    tasks = ecs.describe_tasks(cluster=service.cluster, tasks=arns)["tasks"]
    over = [task for task in tasks if task["lastStatus"] == "STOPPED"]
    over.sort(key=lambda task: task["stoppedAt"])
    return [task.get("stoppedReason", "no reason") for task in over]


def _told(targets: list[Mapping[str, Any]]) -> str:
    said = [
        " ".join(filter(None, (each["State"], each.get("Description"))))
        for each in targets
    ]
    return "; ".join(said) or "none"
