"""All of CodeDeploy's operations in one table."""

from __future__ import annotations

from typing import Any

from rehearsal.codedeploy.api import (
    applications,
    configs,
    deployments,
    groups,
    hooks,
    revisions,
    targets,
)
from rehearsal.codedeploy.api.context import REQUIRED_ERRORS, Context
from rehearsal.endpoint.json_service import JsonService, Operation

MODULES = (applications, configs, deployments, groups, hooks, revisions, targets)


def codedeploy_service(context: Context) -> JsonService:
    """CodeDeploy's API, as JSON 1.1; one request at a time touches what is kept."""
    table: dict[str, Operation] = {}
    for module in MODULES:
        table.update(module.operations(context))
    guarded = {name: _guarded(context, table[name]) for name in table}
    return JsonService("codedeploy", guarded, REQUIRED_ERRORS)


def _guarded(context: Context, operation: Operation) -> Operation:
    def answer(request: dict[str, Any]) -> Any:
        with context.registry.lock:
            return operation(request)

    return answer
