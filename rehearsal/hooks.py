"""The shipped handlers as Lambda functions of the emulator, and their AppSpec."""

from __future__ import annotations

import json
import logging
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import hookgate
from hookgate.model import LifecycleEvent
from hookgate.registry import PROJECT
from hookgate_rehearsal.building import BUCKET, PARAMETER_PREFIX, SECRET_PREFIX
from hookgate_rehearsal.emulator import Emulator, EmulatorSettings
from hookgate_rehearsal.endpoint.moto_state import ACCOUNT
from hookgate_rehearsal.functions.function import (
    EventInvokeConfig,
    Function,
    function_name,
)
from hookgate_rehearsal.scenario.reader import Scenario

_HERE = Path(__file__).resolve().parent
#: The folder of hooks/ and template.yaml: in the wheel, or the repository.
APPLICATION = next(
    each for each in (_HERE / "application", _HERE.parent) if (each / "hooks").is_dir()
)

FALLBACK_REPORT = "CodeDeployHook_hookgate_FallbackReport"

#: The template's table of the hooks that ran.
IDEMPOTENCY_TABLE = "hookgate-idempotency"

#: Where functions import from: the hooks and, beside the layer, all validators.
PATH = (APPLICATION, Path(hookgate.__file__).parents[1])

VARIABLES = {
    "HOOKGATE_IDEMPOTENCY_TABLE": IDEMPOTENCY_TABLE,
    "HOOKGATE_METRICS_NAMESPACE": "Hookgate",
    "HOOKGATE_PLAN_BUCKET": BUCKET,
    "HOOKGATE_PLAN_PARAMETER_PREFIX": PARAMETER_PREFIX,
    "HOOKGATE_SECRET_PREFIX": SECRET_PREFIX,
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}

#: Gets the lines of functions; at level DEBUG, functions log at every level.
_LOGGER = logging.getLogger("hookgate.hooks")

#: The defaults of template.yaml, which a test compares.
TIMEOUT, MEMORY = 900.0, 1024

ASYNCHRONOUS = EventInvokeConfig(
    retries=1,
    event_age=2400.0,
    on_failure=(
        f"arn:aws:lambda:{EmulatorSettings().region}:{ACCOUNT}"
        f":function:{FALLBACK_REPORT}"
    ),
)


def hook_name(event: LifecycleEvent) -> str:
    """The default name of the function in template.yaml."""
    return f"CodeDeployHook_hookgate_{event}"


def hook_names(scenario: Scenario) -> dict[LifecycleEvent, str]:
    """The name of each event's function: the template's, or the default."""
    names = {event: hook_name(event) for event in LifecycleEvent}
    return names | dict(scenario.blue_green.functions if scenario.blue_green else {})


def shipped_hooks(
    names: Mapping[LifecycleEvent, str], allowed_targets: Iterable[str] = ()
) -> tuple[Function, ...]:
    """The handlers of ``hooks/``, unchanged, by those names, and the fallback report.

    Args:
        names: the function's name at each event.
        allowed_targets: the stack parameter AllowedTargets.
    """
    variables = {**VARIABLES, "HOOKGATE_ALLOWED_TARGETS": ",".join(allowed_targets)}
    if _LOGGER.isEnabledFor(logging.DEBUG):
        variables["POWERTOOLS_LOG_LEVEL"] = "DEBUG"
    function = partial(Function, path=_path(), environment=variables)
    hooks = (
        function(
            name=function_name(name),
            handler=f"hooks.{_module(event)}.handler",
            timeout=TIMEOUT,
            memory=MEMORY,
            asynchronous=ASYNCHRONOUS,
        )
        for event, name in names.items()
    )
    fallback_report = function(
        name=FALLBACK_REPORT,
        handler="hooks.fallback_report.handler",
        timeout=120.0,
        memory=256,
        asynchronous=EventInvokeConfig(retries=2, event_age=300.0),
    )
    return (*hooks, fallback_report)


def _path() -> tuple[Path, ...]:
    """The path of functions, with the project's validators if this process has them."""
    project = find_spec(PROJECT)
    folders = project.submodule_search_locations if project else None
    return (*PATH, *(Path(each).parent for each in folders or ()))


def create_table(emulator: Emulator) -> None:
    """Create the table that template.yaml creates for the hooks."""
    emulator.client("dynamodb").create_table(
        TableName=IDEMPOTENCY_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )


def appspec(
    scenario: Scenario, task_definition: str, events: Iterable[LifecycleEvent]
) -> dict[str, Any]:
    """The AppSpec of a deployment, with a hook at each of the events."""
    service = scenario.content.service
    properties = {
        "TaskDefinition": task_definition,
        "LoadBalancerInfo": {
            "ContainerName": service.container,
            "ContainerPort": service.port,
        },
    }
    target = {"Type": "AWS::ECS::Service", "Properties": properties}
    return {
        "version": 0.0,
        "Resources": [{"TargetService": target}],
        "Hooks": [{str(event): hook_names(scenario)[event]} for event in events],
    }


def _module(event: LifecycleEvent) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", event).lower()


class HeldHooks:
    """A Lambda client that writes each event to a file instead of running the hook.

    The deployment waits for the report up to CodeDeploy's timeout of one hour.

    Args:
        folder: the folder of the files, each with the name of its function.
        on_held: called with each file.
    """

    def __init__(self, folder: Path, on_held: Callable[[Path], None]) -> None:
        self._folder = folder
        self._on_held = on_held

    def invoke(self, **request: Any) -> Mapping[str, Any]:
        """Write CodeDeploy's event, as Lambda's Invoke."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{function_name(request['FunctionName'])}.json"
        file.write_bytes(request["Payload"])
        self._on_held(file)
        return {"StatusCode": 202}


Outcome = Mapping[str, Any]

OutcomeObserver = Callable[[str, str, Outcome], None]


class HookLog:
    """The verdicts that functions log, by deployment and lifecycle event.

    Args:
        on_outcome: called for each step: deployment id, event, outcome record.
    """

    def __init__(self, on_outcome: OutcomeObserver) -> None:
        self._on_outcome = on_outcome
        self._logged = threading.Condition()
        self._verdicts: dict[tuple[str, str], Mapping[str, Any]] = {}

    def __call__(self, function: str, request_id: str | None, line: str) -> None:
        """Read a line of a function's log."""
        del request_id
        try:
            entry = json.loads(line)
        except ValueError:  # a traceback or other text
            entry = None
        if not isinstance(entry, dict) or "deployment_id" not in entry:
            _LOGGER.debug("%s: %s", function, line)
            return
        key = (entry["deployment_id"], entry.get("lifecycle_event", ""))
        if "message" in entry and _LOGGER.isEnabledFor(logging.DEBUG):
            level = logging.getLevelNamesMapping().get(entry["level"], logging.INFO)
            text = (*key, entry.get("step", "-"), entry["message"])
            _LOGGER.log(level, "%s %s %s: %s", *text)
        if "outcome" in entry:
            self._on_outcome(*key, entry["outcome"])
        if "verdict" in entry:
            with self._logged:
                self._verdicts[key] = entry["verdict"]
                self._logged.notify_all()

    def verdict(
        self,
        deployment_id: str,
        event: str,
        seconds: float = 0.0,
        status: str | None = None,
    ) -> Mapping[str, Any] | None:
        """The newest verdict of a hook, or None.

        Args:
            deployment_id: the deployment.
            event: the lifecycle event.
            seconds: the maximum wait for the line, which may arrive after the report.
            status: wait for a verdict of this status, such as the fallback report's
                Failed after the hook's own Succeeded, which was never accepted.
        """
        key = (deployment_id, event)

        def arrived() -> bool:
            verdict = self._verdicts.get(key, {})
            return verdict.get("status") == (status or verdict.get("status", ""))

        with self._logged:
            self._logged.wait_for(arrived, seconds)
            return self._verdicts.get(key)
