"""The applications, groups, configurations and revisions of CodeDeploy."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

ReadObject = Callable[[str, str, str | None], bytes]

"""Reads an S3 object: bucket, key, version."""

Location = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A registered revision with its AppSpec."""

    key: str
    location: Location
    content: str
    registered_at: float
    description: str | None = None


@dataclass(slots=True, kw_only=True)
class DeploymentGroup:
    """A deployment group: its settings in the API's own shape."""

    application: str
    name: str
    settings: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(slots=True, kw_only=True)
class Application:
    """An application with its groups and its revisions, the oldest first."""

    name: str
    platform: str
    created_at: float
    tags: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    groups: dict[str, DeploymentGroup] = field(default_factory=dict)
    revisions: dict[str, Revision] = field(default_factory=dict)


class Registry:
    """Everything that is registered; ``lock`` guards it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.applications: dict[str, Application] = {}
        self.configs: dict[str, Mapping[str, Any]] = {
            config["deploymentConfigName"]: config for config in _predefined()
        }


def _predefined() -> list[dict[str, Any]]:
    """The configurations that AWS predefines for ECS.

    Source: the user guide's table of predefined configurations for ECS.
    """
    routings = {
        "ECSAllAtOnce": {"type": "AllAtOnce"},
        "ECSCanary10Percent5Minutes": _time_based("Canary", 10, 5),
        "ECSCanary10Percent15Minutes": _time_based("Canary", 10, 15),
        "ECSLinear10PercentEvery1Minutes": _time_based("Linear", 10, 1),
        "ECSLinear10PercentEvery3Minutes": _time_based("Linear", 10, 3),
    }
    return [
        {
            "deploymentConfigId": str(uuid.uuid5(uuid.NAMESPACE_OID, name)),
            "deploymentConfigName": f"CodeDeployDefault.{name}",
            "computePlatform": "ECS",
            "createTime": 0.0,
            "trafficRoutingConfig": routing,
        }
        for name, routing in routings.items()
    ]


def _time_based(kind: str, percentage: int, interval: int) -> dict[str, Any]:
    values = {
        f"{kind.lower()}Percentage": percentage,
        f"{kind.lower()}Interval": interval,
    }
    return {"type": f"TimeBased{kind}", f"timeBased{kind}": values}
