"""The shipped handlers as Lambda functions of the emulator, and their AppSpec."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from hookgate.model import LifecycleEvent
from rehearsal.building.plan import BUCKET, PARAMETER_PREFIX, SECRET_PREFIX
from rehearsal.emulator import Emulator, EmulatorSettings
from rehearsal.endpoint.moto_state import ACCOUNT
from rehearsal.functions.function import EventInvokeConfig, Function, function_name
from rehearsal.scenario.reader import Scenario

ROOT = Path(__file__).resolve().parents[2]

FALLBACK_REPORT = "CodeDeployHook_hookgate_FallbackReport"

#: Remembers which hooks ran, as the template's table does.
IDEMPOTENCY_TABLE = "hookgate-idempotency"

PATH = (ROOT, ROOT / "layer")

VARIABLES = {
    "HOOKGATE_IDEMPOTENCY_TABLE": IDEMPOTENCY_TABLE,
    "HOOKGATE_METRICS_NAMESPACE": "Hookgate",
    "HOOKGATE_PLAN_BUCKET": BUCKET,
    "HOOKGATE_PLAN_PARAMETER_PREFIX": PARAMETER_PREFIX,
    "HOOKGATE_SECRET_PREFIX": SECRET_PREFIX,
    "PYDANTIC_DISABLE_PLUGINS": "__all__",
}

#: What template.yaml gives the hooks by default; a test compares the two.
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
    """The function's name, which template.yaml gives it by default."""
    return f"CodeDeployHook_hookgate_{event}"


def hook_names(scenario: Scenario) -> dict[LifecycleEvent, str]:
    """What the hook of each event is called; a template may call it otherwise."""
    names = {event: hook_name(event) for event in LifecycleEvent}
    return names | dict(scenario.blue_green.functions if scenario.blue_green else {})


def shipped_hooks(
    names: Mapping[LifecycleEvent, str], allowed_targets: Iterable[str] = ()
) -> tuple[Function, ...]:
    """The handlers of ``hooks/``, unchanged, by those names, and the fallback report.

    Args:
        names: the function's name at each event.
        allowed_targets: what the stack parameter AllowedTargets lists.
    """
    variables = {**VARIABLES, "HOOKGATE_ALLOWED_TARGETS": ",".join(allowed_targets)}
    hooks = (
        Function(
            name=function_name(name),
            handler=f"hooks.{_module(event)}.handler",
            path=PATH,
            environment=variables,
            timeout=TIMEOUT,
            memory=MEMORY,
            asynchronous=ASYNCHRONOUS,
        )
        for event, name in names.items()
    )
    return (*hooks, fallback_report(variables))


def create_table(emulator: Emulator) -> None:
    """Give the hooks the table that template.yaml gives them."""
    emulator.client("dynamodb").create_table(
        TableName=IDEMPOTENCY_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )


def fallback_report(variables: Mapping[str, str]) -> Function:
    """The function that reports Failed in the place of a hook that did not report."""
    return Function(
        name=FALLBACK_REPORT,
        handler="hooks.fallback_report.handler",
        path=PATH,
        environment=variables,
        timeout=120.0,
        memory=256,
        asynchronous=EventInvokeConfig(retries=2, event_age=300.0),
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
    """Stands for Lambda: writes each event to a file and leaves the rest to others.

    The deployment waits for a report as it would for any function, up to CodeDeploy's
    hour.

    Args:
        folder: Where the events go, a file named after each function.
        on_held: Told of each file that is written.
    """

    def __init__(self, folder: Path, on_held: Callable[[Path], None]) -> None:
        self._folder = folder
        self._on_held = on_held

    def invoke(self, **asked: Any) -> Mapping[str, Any]:
        """Write the event that CodeDeploy sends, in the manner of boto3's client."""
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / f"{function_name(asked['FunctionName'])}.json"
        file.write_bytes(asked["Payload"])
        self._on_held(file)
        return {"StatusCode": 202}


Outcome = Mapping[str, Any]

OutcomeObserver = Callable[[str, str, Outcome], None]


class HookLog:
    """Keeps the verdicts that functions log, by deployment and lifecycle event.

    Args:
        on_outcome: told of each step that ends: deployment id, event, outcome record.
    """

    def __init__(self, on_outcome: OutcomeObserver) -> None:
        self._on_outcome = on_outcome
        self._logged = threading.Condition()
        self._verdicts: dict[tuple[str, str], Mapping[str, Any]] = {}

    def __call__(self, function: str, request_id: str | None, line: str) -> None:
        """Take a line of a function."""
        del function, request_id
        try:
            said = json.loads(line)
        except ValueError:
            return  # a traceback or a stray print: the emulator's own log has it
        if not isinstance(said, dict) or "deployment_id" not in said:
            return
        key = (said["deployment_id"], said.get("lifecycle_event", ""))
        if "outcome" in said:
            self._on_outcome(*key, said["outcome"])
        if "verdict" in said:
            with self._logged:
                self._verdicts[key] = said["verdict"]
                self._logged.notify_all()

    def verdict(
        self,
        deployment_id: str,
        event: str,
        seconds: float = 0.0,
        status: str | None = None,
    ) -> Mapping[str, Any] | None:
        """The newest verdict of a hook, or None where none is logged.

        Args:
            deployment_id: the deployment.
            event: the lifecycle event.
            seconds: how long to wait for a line that may still be on its way, since a
                function's report overtakes its log.
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
