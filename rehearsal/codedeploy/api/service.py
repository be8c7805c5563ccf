"""All of CodeDeploy's operations in one table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.api import (
    applications,
    configs,
    deployments,
    groups,
    hooks,
    revisions,
    tags,
    targets,
)
from rehearsal.codedeploy.api.context import REQUIRED_ERRORS, Context, ContextOperation
from rehearsal.endpoint.json_service import JsonService, Operation

MODULES = (applications, configs, deployments, groups, hooks, revisions, tags, targets)


def codedeploy_service(context: Context) -> JsonService:
    """CodeDeploy's API, as JSON 1.1; one request at a time touches what is kept."""
    table = {
        name: _guarded(context, operation)
        for module in MODULES
        for name, operation in module.OPERATIONS.items()
    }
    return JsonService("codedeploy", table, REQUIRED_ERRORS)


def _guarded(context: Context, operation: ContextOperation) -> Operation:
    def answer(request: dict[str, Any]) -> Mapping[str, Any] | None:
        with context.registry.lock:
            return operation(context, request)

    return answer
