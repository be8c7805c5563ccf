"""ECS's operations on task sets and tasks; the others are moto's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.ecs import services, task_sets, tasks
from rehearsal.ecs.context import EcsContext, EcsOperation
from rehearsal.endpoint.json_service import JsonService, Operation

MODULES = (services, task_sets, tasks)


def ecs_service(context: EcsContext) -> JsonService:
    """The part of ECS's API that moto lacks; one request at a time."""
    table = {
        name: _guarded(context, operation)
        for module in MODULES
        for name, operation in module.OPERATIONS.items()
    }
    return JsonService("ecs", table)


def _guarded(context: EcsContext, operation: EcsOperation) -> Operation:
    def answer(request: dict[str, Any]) -> Mapping[str, Any] | None:
        with context.scheduler.lock:
            return operation(context, request)

    return answer
