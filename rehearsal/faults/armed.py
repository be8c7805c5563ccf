"""The faults of one deployment that is under way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rehearsal.codedeploy.model.deployment import Deployment
from rehearsal.data_plane import Certificate
from rehearsal.faults.calls import CallFault
from rehearsal.faults.file import CallFile, FaultsFile, HookFile
from rehearsal.functions.function import function_name

_REPORT = "codedeploy:PutLifecycleEventHookExecutionStatus"


@dataclass(frozen=True, slots=True, kw_only=True)
class Armed:
    """What is ordered, by whom it strikes on this deployment."""

    ordered: FaultsFile
    certificate: Certificate | None
    test_listener: str | None
    hooks: Mapping[str, HookFile]
    calls: tuple[CallFault, ...]


def armed(
    deployment: Deployment, ordered: FaultsFile, certificate: Certificate | None
) -> Armed:
    """Find out whom the faults strike on a deployment.

    Args:
        deployment: its AppSpec says which functions are called at which event.
        ordered: the faults.
        certificate: what the test listener presents, where that is among them.
    """
    functions = {
        str(event): function_name(function)
        for event, function in deployment.order.app_spec.hooks.items()
    }
    hooks = {
        functions[event]: fault
        for event, fault in ordered.hooks
        if fault is not None and event in functions
    }
    denied = [
        CallFault(ordered=CallFile(call=_REPORT, gets="denied"), function=name)
        for name, fault in hooks.items()
        if fault.does == "is_not_permitted"
    ]
    return Armed(
        ordered=ordered,
        certificate=certificate,
        test_listener=deployment.order.routes.test,
        hooks=hooks,
        calls=(*denied, *(CallFault(ordered=each) for each in ordered.calls)),
    )
