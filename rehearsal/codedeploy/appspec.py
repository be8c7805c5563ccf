"""Read the AppSpec of an ECS deployment, in YAML or JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from hookgate.aws.appspec import STRICT, lowered
from hookgate.codes import Code
from hookgate.errors import PlanError, did_you_mean
from hookgate.model import LifecycleEvent
from hookgate.yaml_reader import load
from hookgate_rehearsal.codedeploy.model.deployment import EventName, ParsedAppSpec


class AppSpecError(ValueError):
    """The AppSpec cannot be deployed; the message says what is wrong with it."""


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise AppSpecError(f"{what} must be a mapping")
    return value


def _string(given: Mapping[str, Any], key: str, name: str) -> str:
    value = given.get(key)
    if not isinstance(value, str) or not value:
        raise AppSpecError(f"{name} is missing or empty")
    return value


def _strings(given: Mapping[str, Any], key: str, name: str) -> list[str]:
    """A list of strings, which may be empty."""
    value = given.get(key)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise AppSpecError(f"{name} must be a list of strings")
    return value


def _number(given: Mapping[str, Any], key: str, name: str) -> int:
    """A whole number from 0 on; 0 if it is missing."""
    value = given.get(key, 0)
    if not re.fullmatch("[0-9]{1,9}", str(value)):
        raise AppSpecError(f"{name} must be a whole number from 0 on, not {value!r}")
    return int(value)


_MOST_PROVIDERS = 20  # of a strategy, by ECS's model


def task_set_options(properties: Mapping[str, Any]) -> Mapping[str, Any]:
    """The options in an AppSpec's properties, whose keys are in lower case.

    Raises:
        AppSpecError: One of them is wrong.
    """
    options: dict[str, Any] = {}
    if properties.get("platformversion") is not None:
        version = _string(properties, "platformversion", "PlatformVersion")
        options["platformVersion"] = version
    network = properties.get("networkconfiguration")
    if network is not None:
        options["networkConfiguration"] = _network(network)
    strategy = properties.get("capacityproviderstrategy")
    if strategy is not None:
        options["capacityProviderStrategy"] = _strategy(strategy)
    return options


def _network(network: Any) -> dict[str, Any]:
    """All three of its properties or none; the guide calls each of them required."""
    given = _mapping(network, "NetworkConfiguration").get("awsvpcconfiguration")
    vpc = _mapping(given, "NetworkConfiguration.AwsvpcConfiguration")
    public = vpc.get("assignpublicip")
    if public not in {"ENABLED", "DISABLED"}:
        raise AppSpecError(f"AssignPublicIp must be ENABLED or DISABLED, not {public}")
    return {
        "awsvpcConfiguration": {
            "subnets": _strings(vpc, "subnets", "Subnets"),
            "securityGroups": _strings(vpc, "securitygroups", "SecurityGroups"),
            "assignPublicIp": public,
        }
    }


def _strategy(strategy: Any) -> list[dict[str, Any]]:
    if not isinstance(strategy, list) or not 0 < len(strategy) <= _MOST_PROVIDERS:
        message = f"CapacityProviderStrategy must be a list of 1 to {_MOST_PROVIDERS}"
        raise AppSpecError(message)
    entry = "an entry of CapacityProviderStrategy"
    items = [_mapping(each, entry) for each in strategy]
    found: list[dict[str, Any]] = [
        {
            "capacityProvider": _string(each, "capacityprovider", "CapacityProvider"),
            "base": _number(each, "base", "Base"),
            "weight": _number(each, "weight", "Weight"),
        }
        for each in items
    ]
    if sum(each["base"] > 0 for each in found) > 1:
        raise AppSpecError(
            "at most one entry of CapacityProviderStrategy may have a Base"
        )
    if not any(each["weight"] for each in found):
        raise AppSpecError(f"{entry} needs a Weight over 0")
    return found


class Fault(NamedTuple):
    """A mistake in an AppSpec.

    ``path`` has keys in lower case. ``at_key`` says that the last key itself is wrong,
    and ``strict`` that CodeDeploy nevertheless accepts the AppSpec.
    """

    path: tuple[str | int, ...]
    code: Code
    what: str
    at_key: bool = False
    strict: bool = False


#: The lifecycle events that may have a hook, by their names in lower case.
EVENTS = {str(event).lower(): event for event in LifecycleEvent}

_KEYS = {"version": "version", "resources": "Resources", "hooks": "Hooks"}

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

_BALANCER = "loadbalancerinfo"

# CodePipeline replaces this text by the task definition.
_PLACEHOLDER = "<TASK_DEFINITION>"

_ARN = re.compile(r"arn:aws[\w-]*:ecs:[\w-]+:\d{12}:task-definition/[\w-]+:\d+")


def faults(data: Mapping[str, Any]) -> Iterator[Fault]:
    """The mistakes in an AppSpec for ECS, by its page in CodeDeploy's user guide."""
    top = _lower(data)
    for key in data:
        if str(key).lower() not in _KEYS:
            what = f"unknown key {key!r}{did_you_mean(str(key), _KEYS.values())}"
            yield Fault((key,), Code.APPSPEC_UNKNOWN_KEY, what, True, strict=True)
    if str(top.get("version")) not in {"0.0", "0"}:
        yield Fault(("version",), Code.APPSPEC_VERSION, "version must be 0.0")
    yield from _resource_faults(top.get("resources"))
    yield from _hook_faults(top.get("hooks", []))


def _resource_faults(resources: Any) -> Iterator[Fault]:
    at: tuple[str | int, ...] = ("resources",)
    if not isinstance(resources, list) or len(resources) != 1:
        yield Fault(at, Code.APPSPEC_RESOURCES, "Resources must contain one service")
        return
    item = resources[0]
    if not isinstance(item, Mapping) or len(item) != 1:
        what = "a resource must be one name with Type and Properties"
        yield Fault((*at, 0), Code.APPSPEC_RESOURCES, what)
        return
    ((name, service),) = item.items()
    at = (*at, 0, name)
    if _lower(service).get("type") != "AWS::ECS::Service":
        what = "Type must be AWS::ECS::Service"
        yield Fault((*at, "type"), Code.APPSPEC_RESOURCES, what)
    properties, at = _lower(_lower(service).get("properties")), (*at, "properties")
    definition = properties.get("taskdefinition")
    if definition != _PLACEHOLDER and not _ARN.fullmatch(str(definition)):
        what = f"TaskDefinition must be an ARN with a revision, or {_PLACEHOLDER}"
        is_text = isinstance(definition, str) and bool(definition)
        place = (*at, "taskdefinition")
        yield Fault(place, Code.APPSPEC_TASK_DEFINITION, what, strict=is_text)
    balancer, place = _lower(properties.get("loadbalancerinfo")), (*at, _BALANCER)
    port = balancer.get("containerport")
    if not isinstance(balancer.get("containername") or None, str):
        what = "LoadBalancerInfo needs ContainerName"
        yield Fault(place, Code.APPSPEC_CONTAINER, what)
    if port is None:
        what = "LoadBalancerInfo needs ContainerPort"
        yield Fault(place, Code.APPSPEC_CONTAINER, what)
    elif not isinstance(port, int) or not 0 < port < 65536:
        what = "ContainerPort must be a number from 1 to 65535, without quotes"
        place, is_number = (*place, "containerport"), str(port).isdigit()
        yield Fault(place, Code.APPSPEC_CONTAINER, what, strict=is_number)
    yield from _property_faults(properties, at)


def _property_faults(
    properties: Mapping[str, Any], at: tuple[str | int, ...]
) -> Iterator[Fault]:
    for key, value in properties.items():
        if key not in _PROPERTIES:
            what = f"unknown property{did_you_mean(key, _PROPERTIES.values())}"
            code = Code.APPSPEC_UNKNOWN_KEY
            yield Fault((*at, key), code, what, at_key=True, strict=True)
        try:
            task_set_options({key: lowered(value)})
        except AppSpecError as error:
            yield Fault((*at, key), Code.APPSPEC_PROPERTY, str(error))


def _hook_faults(hooks: Any) -> Iterator[Fault]:
    if not isinstance(hooks, list):
        what = "Hooks must be a list; each entry is one event and its function"
        yield Fault(("hooks",), Code.APPSPEC_HOOKS, what, strict=hooks is None)
        return
    seen: set[str] = set()
    for index, item in enumerate(hooks):
        is_mapping = isinstance(item, Mapping)
        if not is_mapping or len(item) != 1:
            what = "a hook must be one event and its function"
            yield Fault(("hooks", index), Code.APPSPEC_HOOKS, what, strict=is_mapping)
        for event, function in item.items() if is_mapping else ():
            at, name = ("hooks", index, event), str(event).lower()
            if name not in EVENTS:
                hint = did_you_mean(str(event), LifecycleEvent, "the hooks of ECS are")
                what = f"unknown lifecycle event {event!r}{hint}"
                yield Fault(at, Code.APPSPEC_EVENT, what, at_key=True)
            elif name in seen:
                what = f"{event} already has a function; an event calls only one"
                yield Fault(at, Code.APPSPEC_EVENT, what, at_key=True)
            seen.add(name)
            if not isinstance(function, str) or not function:
                what = "a hook must have the name or ARN of a Lambda function"
                yield Fault(at, Code.APPSPEC_FUNCTION, what)


def _lower(value: Any) -> dict[str, Any]:
    """A mapping with its keys in lower case; empty for any other value."""
    if not isinstance(value, Mapping):
        return {}
    return {str(key).lower(): each for key, each in value.items()}


@lru_cache(maxsize=128)  # a revision is read at each of its deployments
def parse_app_spec(content: str) -> ParsedAppSpec:
    """Read an AppSpec.

    The keys' case does not matter, since users' files and AWS's own examples differ.

    Args:
        content: YAML or JSON, which YAML includes.

    Raises:
        AppSpecError: It is malformed or lacks what an ECS deployment needs.
    """
    try:
        data = load(content, "AppSpec", STRICT).data
    except PlanError as error:
        raise AppSpecError(f"the AppSpec cannot be read: {error.problems[0]}") from None
    for fault in faults(data):
        if not fault.strict:
            raise AppSpecError(f"the AppSpec is not valid: {fault.what}")
    document = lowered(data)
    ((service,),) = (each.values() for each in document["resources"])
    properties = service["properties"]
    return ParsedAppSpec(
        task_definition=properties["taskdefinition"],
        container_name=properties[_BALANCER]["containername"],
        container_port=int(properties[_BALANCER]["containerport"]),
        hooks={
            EventName(EVENTS[event]): function
            for entry in document.get("hooks") or ()
            for event, function in entry.items()
        },
        task_set_options=task_set_options(properties),
    )
