"""Play a scenario: every deployment to its end, with customers all the time."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from hookgate.errors import HookgateError
from hookgate.model import LifecycleEvent
from hookgate.plan import read_plan
from hookgate.registry import resolve
from rehearsal.building import Built, build, register_task_definition
from rehearsal.codedeploy.observation import Change
from rehearsal.codedeploy.settings import EngineSettings
from rehearsal.ecs.images import Image
from rehearsal.hook_log import HookLog, Outcome
from rehearsal.production_traffic import (
    ProductionClient,
    ProductionTraffic,
    TrafficSettings,
)
from rehearsal.record import deployment_record
from rehearsal.scenario import DeploymentFile, Scenario
from rehearsal.settings import StageSettings
from rehearsal.shipped_hooks import appspec, shipped_hooks
from rehearsal.stage import Stage
from rehearsal.traffic_watch import TrafficWatch

#: Seconds between looks at a deployment that is being waited for.
_LOOK = 0.05
#: Seconds within which a function's log line has arrived, on a loaded machine too.
_LOG_ARRIVES = 10.0
_RAN = frozenset({"Succeeded", "Failed"})
_OVER = frozenset({"Succeeded", "Failed", "Stopped"})


class Audience(Protocol):
    """Whoever watches; called from many threads, and must be quick."""

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """The setting stands and the first version serves customers."""
        ...

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """A deployment has been created."""
        ...

    def change(self, change: Change) -> None:
        """A deployment, an event or the traffic has changed."""
        ...

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """A step of a hook has ended."""
        ...

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """A deployment and its rollback have come to their end."""
        ...


class RehearsalError(HookgateError):
    """The stage did not do what a rehearsal stands on."""


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """One scenario on one stage.

    Args:
        scenario: What to play.
        audience: Who is told of it.
        port: The endpoint's port; 0 lets the kernel choose.
    """

    scenario: Scenario
    audience: Audience
    port: int = 0
    log: HookLog = field(init=False)
    watch: TrafficWatch = field(default_factory=TrafficWatch)

    def __post_init__(self) -> None:
        """Listen to the hooks."""
        self.log = HookLog(self.audience.outcome)

    def stage(self) -> Stage:
        """The stage for the scenario, not yet started."""
        content = self.scenario.content
        return Stage(
            images=_images(self.scenario),
            functions=shipped_hooks(LifecycleEvent),
            settings=StageSettings(
                port=self.port,
                health_check_pace=1 / content.speed,
                prewarms_functions=False,
                engine=EngineSettings(minute=60 / content.speed),
            ),
            on_change=self.audience.change,
            on_log=self.log,
        )

    def play(self, only: Callable[[DeploymentFile], bool]) -> list[dict[str, Any]]:
        """Play the deployments that ``only`` picks; returns their records.

        Raises:
            InputError: the plan is wrong.
            RehearsalError: the first version never became healthy.
        """
        events = plan_events(self.scenario)
        with self.stage() as stage:
            built = build(stage, self.scenario)
            self.watch.production_arn = built.production_arn
            stage.data_plane.on_answer(self.watch)
            self.wait_for_start(stage)
            self.audience.ready(self.scenario, stage.endpoint_url)
            customers = self._customers(built)
            customers.start()
            try:
                return [
                    self._deploy(stage, built, deployment, events, customers)
                    for deployment in self.scenario.content.deployments
                    if only(deployment)
                ]
            finally:
                customers.stop()

    def _customers(self, built: Built) -> ProductionClient:
        traffic = self.scenario.content.traffic
        return ProductionClient(
            TrafficSettings(
                port=built.production_port, paths=(traffic.path,), rate=traffic.rate
            )
        )

    def _deploy(
        self,
        stage: Stage,
        built: Built,
        deployment: DeploymentFile,
        events: tuple[LifecycleEvent, ...],
        customers: ProductionClient,
    ) -> dict[str, Any]:
        definition = register_task_definition(stage, self.scenario, deployment.image)
        self.watch.begin(self._task_definitions(stage, built, definition))
        before = customers.so_far()
        codedeploy = stage.client("codedeploy")
        id_ = create_deployment(
            codedeploy, self.scenario, appspec(self.scenario, definition, events)
        )
        self.audience.begins(deployment, id_)
        info = wait_for_end(codedeploy, id_)
        rollback = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
        rolled_back = wait_for_end(codedeploy, rollback) if rollback else None
        record = deployment_record(
            info,
            rolled_back,
            self._lifecycle_events(codedeploy, id_),
            deployment,
            self._traffic(before, customers.so_far()),
            self.watch.snapshot()[1].get(definition),
            lambda event: self._verdict(id_, event, events),
        )
        self.audience.ended(deployment, record)
        return record

    def _verdict(
        self, id_: str, event: Mapping[str, Any], hooked: tuple[LifecycleEvent, ...]
    ) -> Mapping[str, Any] | None:
        name = event["lifecycleEventName"]
        ran = name in hooked and event["status"] in _RAN
        return self.log.verdict(id_, name, _LOG_ARRIVES if ran else 0)

    def _lifecycle_events(self, codedeploy: Any, id_: str) -> list[Mapping[str, Any]]:
        service = self.scenario.content.service
        target = codedeploy.get_deployment_target(
            deploymentId=id_, targetId=f"{service.cluster}:{service.name}"
        )
        events: list[Mapping[str, Any]] = target["deploymentTarget"]["ecsTarget"][
            "lifecycleEvents"
        ]
        return events

    def _task_definitions(
        self, stage: Stage, built: Built, green: str
    ) -> dict[str, str]:
        """The task definition behind each target group, once green is there."""
        primary = _primary(stage, self.scenario)
        blue_group = primary["loadBalancers"][0]["targetGroupArn"]
        behind = dict.fromkeys(built.target_groups.values(), green)
        return behind | {blue_group: primary["taskDefinition"]}

    def _traffic(
        self, before: ProductionTraffic, after: ProductionTraffic
    ) -> dict[str, Any]:
        served, _ = self.watch.snapshot()
        failures = after.failures[len(before.failures) :]
        return {
            "requests": after.requests - before.requests,
            "failed": after.failed - before.failed,
            "failures": [f"{each.path}: {each.reason}" for each in failures],
            "served_by": {arn.rpartition("/")[2]: n for arn, n in served.items()},
        }

    def wait_for_start(self, stage: Stage) -> None:
        """Wait until the first version is healthy.

        Raises:
            RehearsalError: it is not, for as long as a person would wait.
        """
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            primary = _primary(stage, self.scenario)
            group = primary["loadBalancers"][0]["targetGroupArn"]
            told = stage.client("elbv2").describe_target_health(TargetGroupArn=group)
            states = [
                each["TargetHealth"]["State"]
                for each in told["TargetHealthDescriptions"]
            ]
            enough = len(states) >= self.scenario.content.service.desired_count
            if enough and set(states) == {"healthy"}:
                return
            time.sleep(_LOOK)
        image = self.scenario.content.starts_with
        raise RehearsalError(
            f"{image}, which the scenario starts with, did not become healthy; the last "
            f"states of its targets: {told['TargetHealthDescriptions'] or 'none'}"
        )


def plan_events(scenario: Scenario) -> tuple[LifecycleEvent, ...]:
    """The lifecycle events that the scenario's plan has steps for.

    Raises:
        PlanError: the plan is wrong.
    """
    plan = read_plan(scenario.plan.read_bytes(), str(scenario.plan), resolve)
    return tuple(plan.events)


def create_deployment(
    codedeploy: Any, scenario: Scenario, spec: Mapping[str, Any]
) -> str:
    """Start a deployment with an AppSpec; returns its id."""
    group = scenario.content.deployment_group
    content = json.dumps(spec)
    answer = codedeploy.create_deployment(
        applicationName=group.application,
        deploymentGroupName=group.name,
        revision={
            "revisionType": "AppSpecContent",
            "appSpecContent": {
                "content": content,
                "sha256": hashlib.sha256(content.encode()).hexdigest(),
            },
        },
    )
    id_: str = answer["deploymentId"]
    return id_


def wait_for_end(codedeploy: Any, deployment_id: str) -> dict[str, Any]:
    """Wait for a deployment to end; returns what GetDeployment says then."""
    while True:
        info: dict[str, Any]
        info = codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"]
        if info["status"] in _OVER:
            return info
        time.sleep(_LOOK)


def _primary(stage: Stage, scenario: Scenario) -> Mapping[str, Any]:
    service = scenario.content.service
    answer = stage.client("ecs").describe_services(
        cluster=service.cluster, services=[service.name]
    )
    sets = answer["services"][0]["taskSets"]
    primary: Mapping[str, Any] = next(e for e in sets if e["status"] == "PRIMARY")
    return primary


def _images(scenario: Scenario) -> dict[str, Image]:
    return {
        name: Image(
            command=tuple(
                sys.executable if word == "python" else word for word in image.command
            ),
            environment=image.environment,
            directory=scenario.folder,
        )
        for name, image in scenario.content.images.items()
    }
