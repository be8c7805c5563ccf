"""ECS's operations on task sets and tasks; the others are moto's."""

from __future__ import annotations

from typing import Any

from rehearsal.ecs import services, task_sets, tasks
from rehearsal.ecs.task_sets import EcsContext
from rehearsal.endpoint.json_service import JsonService, Operation

MODULES = (services, task_sets, tasks)


def ecs_service(context: EcsContext) -> JsonService:
    """The part of ECS's API that moto lacks; one request at a time."""
    table: dict[str, Operation] = {}
    for module in MODULES:
        table.update(module.operations(context))
    return JsonService("ecs", {name: _guarded(context, table[name]) for name in table})


def _guarded(context: EcsContext, operation: Operation) -> Operation:
    def answer(request: dict[str, Any]) -> Any:
        with context.scheduler.lock:
            return operation(request)

    return answer
