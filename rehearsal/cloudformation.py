"""CloudFormation's blue/green hook: what a template says of its deployments.

Source: the CloudFormation user guide's page on ``AWS::CodeDeploy::BlueGreen``, which is
an entry of the section ``Hooks``. CloudFormation makes a deployment from it: which
function is called when, how traffic shifts, how long blue stays.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hookgate.codes import Code
from hookgate.errors import Problem, did_you_mean
from hookgate.model import LifecycleEvent
from hookgate.yaml_reader import Dialect, Document, Path, Problems, load

TYPE = "AWS::CodeDeploy::BlueGreen"

#: What CloudFormation takes where the template says nothing.
DEFAULT_TYPE, DEFAULT_STEP, DEFAULT_BAKE = "TimeBasedCanary", 15, 5

ROUTING = ("AllAtOnce", "TimeBasedCanary", "TimeBasedLinear")

PROPERTIES = (
    *("TrafficRoutingConfig", "AdditionalOptions", "LifecycleEventHooks"),
    *("ServiceRole", "Applications"),
)

#: AWSCodeDeployRoleForCloudFormation may invoke functions of no other name.
PREFIX = "CodeDeployHook_"

LONGEST_WAIT = 2880  # minutes, by CodeDeploy's model

LEAST_STEP, MOST_STEP = 14, 99  # percent

#: A template in YAML or JSON; CloudFormation's own limit is one in S3. It accepts no
#: aliases and no merge keys. An account id may be a key.
_TEMPLATE = Dialect(
    starts="Resources:",
    most_bytes=1024 * 1024,
    deepest=100,
    json=True,
    text_keys=True,
    function=lambda tag: tag if tag in {"Ref", "Condition"} else f"Fn::{tag}",
)


def is_template(content: bytes) -> bool:
    """Whether a file is a template with a blue/green hook."""
    return re.search(rb"AWS::CodeDeploy::BlueGreen\b", content) is not None


def read_template(content: bytes, file: str) -> Document:
    """Read a template in YAML or JSON; functions such as ``!Ref`` in their long form.

    Raises:
        PlanError: it is too large, or not a mapping in YAML or JSON.
    """
    return load(content, file, _TEMPLATE)


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


def read_hook(document: Document) -> BlueGreenHook:
    """The hook of a template that has no faults."""
    _, properties = hook_properties(document)
    functions = _mapping(properties.get("LifecycleEventHooks"))
    options = _mapping(properties.get("AdditionalOptions"))
    return BlueGreenHook(
        functions={
            LifecycleEvent(event): function_name(document.data, function)
            for event, function in functions.items()
        },
        routing=_routing(_mapping(properties.get("TrafficRoutingConfig"))),
        termination_wait=int(options.get("TerminationWaitTimeInMinutes", 0)),
    )


def _hook_names(document: Document) -> list[str]:
    """The logical ids of a template's blue/green hooks."""
    hooks = _mapping(document.data.get("Hooks"))
    return [name for name, hook in hooks.items() if _mapping(hook).get("Type") == TYPE]


def hook_properties(document: Document) -> tuple[Path, Mapping[str, Any]]:
    """The properties of a template's blue/green hook, and where they stand."""
    for name in _hook_names(document):
        hook = document.data["Hooks"][name]
        return ("Hooks", name, "Properties"), _mapping(hook.get("Properties"))
    return ("Hooks",), {}


def _mapping(value: Any) -> Mapping[str, Any]:
    """A mapping; an empty one where there is something else."""
    return value if isinstance(value, Mapping) else {}


def function_name(template: Mapping[str, Any], value: Any) -> str:
    """Return the name of the Lambda function that a value names; empty if none.

    A function of the template is called by its ``FunctionName``, if that is text, or
    else by its logical id.
    """
    match value:
        case str():
            return value
        case {"Ref": str(logical)} | {"Fn::GetAtt": str(logical) | [str(logical), *_]}:
            logical, _, _ = logical.partition(".")
            resource = (template.get("Resources") or {}).get(logical) or {}
            named = (resource.get("Properties") or {}).get("FunctionName")
            return named if isinstance(named, str) else logical
        case {"Fn::Sub": str(text)}:
            return text
    return ""


def _routing(routing: Mapping[str, Any]) -> dict[str, Any]:
    kind = routing.get("Type", DEFAULT_TYPE)
    if kind == "AllAtOnce":
        return {"type": kind}
    given = _mapping(routing.get(kind))
    word = "canary" if kind == "TimeBasedCanary" else "linear"
    shift = {
        f"{word}Percentage": given.get("StepPercentage", DEFAULT_STEP),
        f"{word}Interval": given.get("BakeTimeMins", DEFAULT_BAKE),
    }
    return {"type": kind, f"timeBased{word.capitalize()}": shift}


Report = Callable[[Path, Code, str], None]
"""Reports a problem of the value, or of the key, at a path."""


def check_hook(document: Document) -> None:
    """Check a template's blue/green hook by its reference page.

    Raises:
        PlanError: it is wrong; every problem with its place.
    """
    problems = Problems()

    def report(path: Path, code: Code, text: str) -> None:
        problems.add(document.key(path), code, text)

    if len(_hook_names(document)) == 1:
        _check_properties(document, report)
    else:
        text = f"a template must have exactly one hook of type {TYPE}"
        report(("Hooks",), Code.TEMPLATE_HOOK, text)
    if problems:
        raise problems.error()


def hook_warnings(document: Document) -> Iterator[Problem]:
    """What works only with a role of your own."""
    at, properties = hook_properties(document)
    for event, value in _mapping(properties.get("LifecycleEventHooks")).items():
        name = function_name(document.data, value)
        if not name.startswith(PREFIX):
            what = (
                f"{name} does not begin with {PREFIX}: the managed policy "
                "AWSCodeDeployRoleForCloudFormation does not let it be invoked"
            )
            place = document.key((*at, "LifecycleEventHooks", event))
            yield Problem(place, Code.TEMPLATE_FUNCTION_NAME, what)


def _check_properties(document: Document, report: Report) -> None:
    at, properties = hook_properties(document)
    for key in properties:
        if key not in PROPERTIES:
            text = f"unknown property {key!r}{did_you_mean(key, PROPERTIES)}"
            report((*at, key), Code.TEMPLATE_UNKNOWN_KEY, text)
    _check_functions(document, properties, at, report)
    routing = _mapping(properties.get("TrafficRoutingConfig"))
    _check_routing(routing, (*at, "TrafficRoutingConfig"), report)
    options = _mapping(properties.get("AdditionalOptions"))
    wait = options.get("TerminationWaitTimeInMinutes", 0)
    if not isinstance(wait, int) or not 0 <= wait <= LONGEST_WAIT:
        where = (*at, "AdditionalOptions", "TerminationWaitTimeInMinutes")
        text = f"the wait must be 0 to {LONGEST_WAIT} minutes"
        report(where, Code.TEMPLATE_VALUE, text)
    _check_applications(document, properties, (*at, "Applications"), report)


def _check_functions(
    document: Document, properties: Mapping[str, Any], at: Path, report: Report
) -> None:
    hooks = properties.get("LifecycleEventHooks", {})
    at = (*at, "LifecycleEventHooks")
    if not isinstance(hooks, Mapping):
        text = "LifecycleEventHooks must be a mapping of events to functions"
        report(at, Code.TEMPLATE_HOOK, text)
        return
    events = [str(event) for event in LifecycleEvent]
    for event, function in hooks.items():
        if event not in events:
            known = f"the hooks of ECS are {', '.join(events)}"
            text = f"unknown lifecycle event {event!r}; {known}"
            report((*at, event), Code.TEMPLATE_UNKNOWN_KEY, text)
        elif not function_name(document.data, function):
            text = "a hook must name a Lambda function"
            report((*at, event), Code.TEMPLATE_FUNCTION, text)


def _check_routing(routing: Mapping[str, Any], at: Path, report: Report) -> None:
    kind = routing.get("Type", DEFAULT_TYPE)
    if kind not in ROUTING:
        text = f"Type must be one of {', '.join(ROUTING)}"
        report((*at, "Type"), Code.TEMPLATE_VALUE, text)
        return
    given = _mapping(routing.get(kind))
    step = given.get("StepPercentage", DEFAULT_STEP)
    if not isinstance(step, int) or not LEAST_STEP <= step <= MOST_STEP:
        text = f"StepPercentage must be {LEAST_STEP} to {MOST_STEP}"
        report((*at, kind, "StepPercentage"), Code.TEMPLATE_VALUE, text)
    bake = given.get("BakeTimeMins", DEFAULT_BAKE)
    if not isinstance(bake, int) or bake < 0:
        text = "BakeTimeMins must be a number of minutes"
        report((*at, kind, "BakeTimeMins"), Code.TEMPLATE_VALUE, text)


def _check_applications(
    document: Document, properties: Mapping[str, Any], at: Path, report: Report
) -> None:
    """What the hook calls by name must be among the template's resources."""
    applications = properties.get("Applications")
    if not isinstance(applications, list) or len(applications) != 1:
        text = "Applications must contain exactly one ECS service"
        report(at, Code.TEMPLATE_RESOURCE, text)
        return
    resources = _mapping(document.data.get("Resources"))
    for path, name in _names(applications[0], (*at, 0)):
        if name not in resources:
            text = f"Resources has no {name!r}{did_you_mean(name, resources)}"
            report(path, Code.TEMPLATE_RESOURCE, text)


def _names(value: Any, at: Path) -> Iterator[tuple[Path, str]]:
    """The logical ids in an application."""
    match value:
        case str():
            yield at, value
        case Mapping():
            for key, each in value.items():
                if key != "Type":
                    yield from _names(each, (*at, key))
        case list():
            for index, each in enumerate(value):
                yield from _names(each, (*at, index))
