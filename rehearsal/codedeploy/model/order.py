"""What was asked of CodeDeploy: fixed when the deployment is created."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rehearsal.codedeploy.model.vocabulary import (
    AutoRollbackEvent,
    Creator,
    EventName,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The ECS service that is deployed."""

    cluster: str
    name: str

    @property
    def target_id(self) -> str:
        """The service as a deployment target, ``cluster:service``."""
        return f"{self.cluster}:{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The listeners' ARNs and the names of the two target groups."""

    production: str
    test: str | None
    target_groups: tuple[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSpec:
    """What an AppSpec says of an ECS service and its hooks."""

    task_definition: str
    container_name: str
    container_port: int
    hooks: Mapping[EventName, str] = field(default_factory=dict)
    task_set_options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftStep:
    """One step of production traffic.

    Attributes:
        weight: Percent of production traffic that green then gets.
        after: Minutes after the step before.
    """

    weight: float
    after: float = 0.0


ALL_AT_ONCE = (ShiftStep(weight=100.0),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waits:
    """The waits a deployment group asks for, in minutes; None is no wait at all."""

    ready: float | None = None
    termination: float = 0.0
    keep_blue: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One deployment as it was asked for."""

    deployment_id: str
    application: str
    group: str
    service: Service
    routes: Routes
    app_spec: AppSpec
    revision: Mapping[str, Any]
    created_at: float
    config: str = "CodeDeployDefault.ECSAllAtOnce"
    creator: Creator = Creator.USER
    description: str | None = None
    previous_revision: Mapping[str, Any] | None = None
    shift: tuple[ShiftStep, ...] = ALL_AT_ONCE
    waits: Waits = field(default_factory=Waits)
    rolls_back_on: frozenset[AutoRollbackEvent] = frozenset()
    alarms: tuple[str, ...] = ()
    ignores_poll_failure: bool = False
    rollback_of: str | None = None
    group_settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_gradual(self) -> bool:
        """Whether production traffic moves in more than one step."""
        return len(self.shift) > 1
