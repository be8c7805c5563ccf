"""Create deployments and follow them, with the calls a team would make."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any

from rehearsal.scenario.scenario import Scenario

#: Seconds between looks at a deployment that is being waited for.
_LOOK = 0.05
_OVER = frozenset({"Succeeded", "Failed", "Stopped"})


def revision(spec: Mapping[str, Any]) -> dict[str, Any]:
    """An AppSpec as the revision that CreateDeployment takes."""
    content = json.dumps(spec)
    return {
        "revisionType": "AppSpecContent",
        "appSpecContent": {
            "content": content,
            "sha256": hashlib.sha256(content.encode()).hexdigest(),
        },
    }


def create_deployment(
    codedeploy: Any, scenario: Scenario, spec: Mapping[str, Any]
) -> str:
    """Start a deployment with an AppSpec; returns its id."""
    group = scenario.content.deployment_group
    answer = codedeploy.create_deployment(
        applicationName=group.application,
        deploymentGroupName=group.name,
        revision=revision(spec),
    )
    id_: str = answer["deploymentId"]
    return id_


def find_deployment(codedeploy: Any, deployment_id: str) -> dict[str, Any]:
    """A deployment as GetDeployment describes it now."""
    answer = codedeploy.get_deployment(deploymentId=deployment_id)
    info: dict[str, Any] = answer["deploymentInfo"]
    return info


def wait_for_end(codedeploy: Any, deployment_id: str) -> dict[str, Any]:
    """Wait for a deployment to end; returns what GetDeployment says then.

    It does end: CodeDeploy bounds every hook and every installation.
    """
    while True:
        info = find_deployment(codedeploy, deployment_id)
        if info["status"] in _OVER:
            return info
        time.sleep(_LOOK)


def lifecycle_events(
    codedeploy: Any, scenario: Scenario, deployment_id: str
) -> list[Mapping[str, Any]]:
    """The events of a deployment's one target, as GetDeploymentTarget tells them."""
    service = scenario.content.service
    target = codedeploy.get_deployment_target(
        deploymentId=deployment_id, targetId=f"{service.cluster}:{service.name}"
    )
    events: list[Mapping[str, Any]] = target["deploymentTarget"]["ecsTarget"][
        "lifecycleEvents"
    ]
    return events
