"""From an identified deployment to all that a validator may ask about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hookgate.aws.identity import Identified
from hookgate.aws.load_balancer import fetch_endpoints, fetch_target_groups
from hookgate.aws.revision import fetch_appspec
from hookgate.aws.task_definition import (
    fetch_task_definition,
    fetch_task_sets,
    parse_task_set,
)
from hookgate.context import DeploymentContext, Side, TargetGroup
from hookgate.errors import CannotMeasure
from hookgate.model import LifecycleEvent
from hookgate.validator import Aws


def discover(
    aws: Aws, identified: Identified, event: LifecycleEvent
) -> DeploymentContext:
    """Ask ECS, the load balancer and CodeDeploy what is being deployed, and where.

    Raises:
        AccessDenied: names the missing permission and the resource.
        CannotMeasure: what AWS says does not fit together; says what does not.
    """
    deployment, route = identified.deployment, identified.route
    task_sets = fetch_task_sets(aws, deployment.cluster, deployment.service)
    groups = fetch_target_groups(aws, route.target_groups)
    blue, green = _sides(deployment.id, task_sets, groups)
    production, test = fetch_endpoints(aws, (route.production, route.test), groups)
    appspec = fetch_appspec(aws, deployment.application, identified.revision)
    return DeploymentContext(
        event=event,
        deployment=deployment,
        blue=blue,
        green=green,
        appspec=appspec,
        task_definition=fetch_task_definition(aws, appspec.task_definition),
        test=test,
        production=production,
    )


def _sides(
    deployment_id: str,
    task_sets: Sequence[Mapping[str, Any]],
    groups: Mapping[str, TargetGroup],
) -> tuple[Side | None, Side]:
    """Blue and green, by what serves, never by the order of the pair.

    ECS marks the task set that CodeDeploy made with the deployment's id. Before there
    is one, green is the target group of the pair that the primary does not use.
    """
    green = [each for each in task_sets if each.get("externalId") == deployment_id]
    others = [each for each in task_sets if each not in green]
    blue = [each for each in others if each.get("status") == "PRIMARY"] or others
    blue_side = _side(blue[0], groups) if blue else None
    if green:
        return blue_side, _side(green[0], groups)
    if blue_side is None:
        raise CannotMeasure("the ECS service has no primary task set")
    free = [e for e in groups.values() if e.arn != blue_side.target_group.arn]
    if len(free) != 1:
        names = ", ".join(group.name for group in groups.values())
        raise CannotMeasure(f"no target group is left for green among {names}")
    return blue_side, Side(target_group=free[0])


def _side(task_set: Mapping[str, Any], groups: Mapping[str, TargetGroup]) -> Side:
    for balancer in task_set.get("loadBalancers", ()):
        group = groups.get(balancer.get("targetGroupArn", ""))
        if group:
            return Side(target_group=group, task_set=parse_task_set(task_set))
    names = " or ".join(group.name for group in groups.values())
    raise CannotMeasure(f"task set {task_set['id']} is not behind {names}")
