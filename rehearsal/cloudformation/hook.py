"""CloudFormation's blue/green hook: what a template says of its deployments.

Source: the CloudFormation user guide's page on ``AWS::CodeDeploy::BlueGreen``, which is
an entry of the section ``Hooks``. CloudFormation makes a deployment from it: which
function is called when, how traffic shifts, how long blue stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from hookgate.model import LifecycleEvent
from rehearsal.cloudformation.document import Path, TemplateDocument, function_name

TYPE = "AWS::CodeDeploy::BlueGreen"
#: What CloudFormation takes where the template says nothing.
DEFAULT_TYPE, DEFAULT_STEP, DEFAULT_BAKE = "TimeBasedCanary", 15, 5


@dataclass(frozen=True, slots=True, kw_only=True)
class BlueGreenHook:
    """What a template says of its blue/green deployments.

    Attributes:
        functions: The function's name at each event that has one.
        routing: A ``trafficRoutingConfig`` as CodeDeploy's API has it.
        termination_wait: Minutes that blue stays.
    """

    functions: Mapping[LifecycleEvent, str]
    routing: Mapping[str, Any]
    termination_wait: int


def read_hook(document: TemplateDocument) -> BlueGreenHook:
    """The hook of a template that has no faults."""
    _, properties = hook_properties(document)
    functions = mapping(properties.get("LifecycleEventHooks"))
    options = mapping(properties.get("AdditionalOptions"))
    return BlueGreenHook(
        functions={
            LifecycleEvent(event): function_name(document.data, function)
            for event, function in functions.items()
        },
        routing=_routing(mapping(properties.get("TrafficRoutingConfig"))),
        termination_wait=int(options.get("TerminationWaitTimeInMinutes", 0)),
    )


def hook_names(document: TemplateDocument) -> list[str]:
    """The logical ids of a template's blue/green hooks."""
    hooks = mapping(document.data.get("Hooks"))
    return [name for name, hook in hooks.items() if mapping(hook).get("Type") == TYPE]


def hook_properties(document: TemplateDocument) -> tuple[Path, Mapping[str, Any]]:
    """The properties of a template's blue/green hook, and where they stand."""
    for name in hook_names(document):
        hook = document.data["Hooks"][name]
        return ("Hooks", name, "Properties"), mapping(hook.get("Properties"))
    return ("Hooks",), {}


def mapping(value: Any) -> Mapping[str, Any]:
    """A mapping; an empty one where there is something else."""
    return value if isinstance(value, Mapping) else {}


def _routing(routing: Mapping[str, Any]) -> dict[str, Any]:
    kind = routing.get("Type", DEFAULT_TYPE)
    if kind == "AllAtOnce":
        return {"type": kind}
    given = mapping(routing.get(kind))
    word = "canary" if kind == "TimeBasedCanary" else "linear"
    shift = {
        f"{word}Percentage": given.get("StepPercentage", DEFAULT_STEP),
        f"{word}Interval": given.get("BakeTimeMins", DEFAULT_BAKE),
    }
    return {"type": kind, f"timeBased{word.capitalize()}": shift}
