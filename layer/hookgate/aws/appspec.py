"""Read an AppSpec: the revision's own words on what to deploy and which hooks to call.

CodeDeploy has accepted the file by the time a hook runs, so this reads it as
tolerantly as CodeDeploy does: YAML or JSON, keys in any case.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookgate.codes import Code
from hookgate.context import AppSpec
from hookgate.errors import CannotMeasure
from hookgate.model import LifecycleEvent

#: CodeDeploy's own limit on an AppSpec is below this; bounds what is parsed.
MAX_SIZE = 256 * 1024
MAX_NODES = 10_000
_EVENTS = {str(event).lower(): event for event in LifecycleEvent}


def parse_appspec(content: str) -> AppSpec:
    """Read the AppSpec of an ECS deployment.

    Raises:
        CannotMeasure: it is too large, not YAML or JSON, or names no ECS service.
    """
    import yaml  # noqa: PLC0415 - not every revision is read

    if len(content) > MAX_SIZE:
        raise CannotMeasure(
            f"the AppSpec is larger than {MAX_SIZE // 1024} KiB",
            code=Code.APPSPEC_UNREADABLE,
        )
    # libyaml where there is one; both read the same, one ten times as fast.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        document = _lowered(yaml.load(content, Loader=loader), [MAX_NODES])  # noqa: S506 - safe, both
    except (yaml.YAMLError, RecursionError) as error:
        raise CannotMeasure(
            f"the AppSpec is not YAML or JSON: {error}", code=Code.APPSPEC_UNREADABLE
        ) from error
    try:
        return _read(document)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise CannotMeasure(
            "the AppSpec does not describe an ECS service (Resources, Properties, "
            f"TaskDefinition, LoadBalancerInfo): {type(error).__name__} {error}",
            code=Code.APPSPEC_UNREADABLE,
        ) from error


def _read(document: Any) -> AppSpec:
    (resource,) = document["resources"]
    (service,) = resource.values()
    properties = service["properties"]
    load_balancer = properties["loadbalancerinfo"]
    return AppSpec(
        task_definition=str(properties["taskdefinition"]),
        container_name=str(load_balancer["containername"]),
        container_port=int(load_balancer["containerport"]),
        hooks={
            _EVENTS[name]: str(function)
            for entry in document.get("hooks") or ()
            for name, function in entry.items()
            if name in _EVENTS
        },
    )


def _lowered(value: Any, left: list[int]) -> Any:
    """The same document with every key in lower case.

    ``left`` is how many more nodes it may have: aliases make a large one of a small
    file.
    """
    left[0] -= 1
    if left[0] < 0:
        raise CannotMeasure(
            f"the AppSpec has more than {MAX_NODES} nodes", code=Code.APPSPEC_UNREADABLE
        )
    if isinstance(value, Mapping):
        return {str(key).lower(): _lowered(each, left) for key, each in value.items()}
    if isinstance(value, list):
        return [_lowered(each, left) for each in value]
    return value
