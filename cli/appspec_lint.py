"""What can be wrong with an AppSpec before CodeDeploy sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from hookgate.codes import Code
from hookgate.errors import Place
from hookgate.model import LifecycleEvent
from hookgate.plan.document import Document, parse
from rehearsal.codedeploy.appspec_values import AppSpecError, lowered
from rehearsal.codedeploy.task_set_options import task_set_options

_KEYS = frozenset({"version", "resources", "hooks"})
_EVENTS = {str(event).lower(): str(event) for event in LifecycleEvent}
_PROPERTIES = {
    name.lower(): name
    for name in (
        "TaskDefinition",
        "LoadBalancerInfo",
        "PlatformVersion",
        "NetworkConfiguration",
        "CapacityProviderStrategy",
    )
}
# CodePipeline puts the task definition in the place of this text.
_PLACEHOLDER = "<TASK_DEFINITION>"
_ARN = re.compile(r"arn:aws[\w-]*:ecs:[\w-]+:\d{12}:task-definition/[\w-]+:\d+")


def check_appspec(content: bytes, file: str) -> dict[LifecycleEvent, Place]:
    """Check an AppSpec by the rules of its reference for ECS.

    The reference is the AppSpec page of AWS's CodeDeploy user guide.

    Returns:
        The lifecycle events that have a hook, with the place of each.

    Raises:
        PlanError: it is wrong; every problem with its place.
    """
    document, problems = parse(as_yaml(content), file)
    for fault in _faults(document.data):
        where = document.key if fault.at_key else document.value
        place = where(_spelled(document, fault.path))
        problems.add(place, fault.code, fault.what)
    if problems:
        raise problems.error()
    hooks = _lower(document.data).get("hooks", [])
    return {
        LifecycleEvent(_EVENTS[event.lower()]): document.key(
            _spelled(document, ("hooks", index, event))
        )
        for index, item in enumerate(hooks)
        for event in item
    }


def as_yaml(content: bytes) -> bytes:
    """JSON may be indented by tabs, which YAML may not; columns stay the same."""
    is_json = content.lstrip().startswith(b"{")
    return content.replace(b"\t", b" ") if is_json else content


class _Fault(NamedTuple):
    path: tuple[str | int, ...]
    code: Code
    what: str
    at_key: bool = False


def _faults(data: Mapping[str, Any]) -> Iterator[_Fault]:
    top = _lower(data)
    for key in data:
        if str(key).lower() not in _KEYS:
            what = f"unknown key {key!r}; there are version, Resources, Hooks"
            yield _Fault((key,), Code.APPSPEC_UNKNOWN_KEY, what, at_key=True)
    if str(top.get("version")) not in {"0.0", "0"}:
        yield _Fault(("version",), Code.APPSPEC_VERSION, "the version is 0.0")
    yield from _resource_faults(top.get("resources"))
    yield from _hook_faults(top.get("hooks", []))


def _resource_faults(resources: Any) -> Iterator[_Fault]:
    at: tuple[str | int, ...] = ("resources",)
    if not isinstance(resources, list) or len(resources) != 1:
        yield _Fault(at, Code.APPSPEC_RESOURCES, "Resources holds exactly one service")
        return
    item = resources[0]
    if not isinstance(item, dict) or len(item) != 1:
        yield _Fault(
            (*at, 0),
            Code.APPSPEC_RESOURCES,
            "a resource is one name with Type and Properties",
        )
        return
    ((name, service),) = item.items()
    at = (*at, 0, name)
    service = _lower(service)
    if service.get("type") != "AWS::ECS::Service":
        yield _Fault((*at, "type"), Code.APPSPEC_RESOURCES, "Type is AWS::ECS::Service")
    properties = _lower(service.get("properties"))
    at = (*at, "properties")
    task_definition = str(properties.get("taskdefinition") or "")
    if task_definition != _PLACEHOLDER and not _ARN.fullmatch(task_definition):
        yield _Fault(
            (*at, "taskdefinition"),
            Code.APPSPEC_TASK_DEFINITION,
            f"TaskDefinition is an ARN with a revision, or {_PLACEHOLDER}",
        )
    balancer = _lower(properties.get("loadbalancerinfo"))
    if not balancer.get("containername"):
        yield _Fault(
            (*at, "loadbalancerinfo"),
            Code.APPSPEC_CONTAINER,
            "LoadBalancerInfo needs ContainerName",
        )
    port = balancer.get("containerport")
    if port is None:
        yield _Fault(
            (*at, "loadbalancerinfo"),
            Code.APPSPEC_CONTAINER,
            "LoadBalancerInfo needs ContainerPort",
        )
    elif not isinstance(port, int) or not 0 < port < 65536:
        yield _Fault(
            (*at, "loadbalancerinfo", "containerport"),
            Code.APPSPEC_CONTAINER,
            "ContainerPort is a number from 1 to 65535, without quotes",
        )
    yield from _property_faults(service.get("properties"), at)


def _property_faults(properties: Any, at: tuple[str | int, ...]) -> Iterator[_Fault]:
    for key, value in _lower(properties).items():
        if key not in _PROPERTIES:
            known = ", ".join(_PROPERTIES.values())
            yield _Fault(
                (*at, key),
                Code.APPSPEC_UNKNOWN_KEY,
                f"unknown property; there are {known}",
                at_key=True,
            )
        try:
            task_set_options({key: lowered(value)})
        except AppSpecError as error:
            yield _Fault((*at, key), Code.APPSPEC_PROPERTY, str(error))


def _hook_faults(hooks: Any) -> Iterator[_Fault]:
    if not isinstance(hooks, list):
        yield _Fault(
            ("hooks",),
            Code.APPSPEC_HOOKS,
            "Hooks is a list of one event and its function each",
        )
        return
    seen: set[str] = set()
    for index, item in enumerate(hooks):
        if not isinstance(item, dict) or len(item) != 1:
            yield _Fault(
                ("hooks", index),
                Code.APPSPEC_HOOKS,
                "a hook is one event and its function",
            )
            continue
        ((event, function),) = item.items()
        at = ("hooks", index, event)
        if event.lower() not in _EVENTS:
            known = ", ".join(_EVENTS.values())
            what = f"unknown lifecycle event {event!r}; the hooks of ECS are {known}"
            yield _Fault(at, Code.APPSPEC_EVENT, what, at_key=True)
        elif event.lower() in seen:
            what = f"{event} has a function already; an event calls one"
            yield _Fault(at, Code.APPSPEC_EVENT, what, at_key=True)
        seen.add(event.lower())
        if not isinstance(function, str) or not function:
            yield _Fault(
                at, Code.APPSPEC_FUNCTION, "a hook names a Lambda function or its ARN"
            )


def _lower(value: Any) -> dict[str, Any]:
    """A mapping with its keys in lower case; empty where there is none."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key).lower(): each for key, each in value.items()}


def _spelled(document: Document, path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """``path`` in the file's own spelling, as far as it leads."""
    found: tuple[str | int, ...] = ()
    at: Any = document.data
    for part in path:
        if isinstance(at, Mapping):
            spelled = {str(key).lower(): key for key in at}.get(str(part).lower())
            if spelled is None:
                break
            found, at = (*found, spelled), at[spelled]
        elif isinstance(at, list) and isinstance(part, int) and part < len(at):
            found, at = (*found, part), at[part]
    return found
