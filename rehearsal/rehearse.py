"""Run a scenario: every deployment to its end, under production traffic."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

from hookgate.model import LifecycleEvent
from rehearsal.building.alarms import AlarmReasons, wait_until_well
from rehearsal.building.kept_plan import create_bucket, plan_events
from rehearsal.building.load_balancer import LoadBalancer
from rehearsal.building.setting import build, register_task_definition
from rehearsal.cloudwatch.alarms import AlarmChanged
from rehearsal.cloudwatch.settings import CloudWatchSettings
from rehearsal.codedeploy.observation import Change
from rehearsal.codedeploy.settings import EngineSettings
from rehearsal.ecs.containers import Image, local_command
from rehearsal.faults.targets import ordered_certificate
from rehearsal.first_version import primary_task_set, wait_for_first_version
from rehearsal.hooks import (
    HookLog,
    Outcome,
    appspec,
    create_table,
    hook_names,
    shipped_hooks,
)
from rehearsal.production_traffic import TrafficCounter, production_traffic
from rehearsal.record import deployment_record
from rehearsal.scenario.file import DeploymentFile
from rehearsal.scenario.scenario import Scenario
from rehearsal.settings import StageSettings
from rehearsal.stage import Stage


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

    def alarm(self, change: AlarmChanged) -> None:
        """An alarm has changed its state."""
        ...

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """A deployment and its rollback have come to their end."""
        ...


class SilentAudience:
    """Watches and says nothing: for those who watch by other means."""

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """Take note of the stage."""

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """Take note of a deployment."""

    def change(self, change: Change) -> None:
        """Take note of a change."""

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """Take note of a step."""

    def alarm(self, change: AlarmChanged) -> None:
        """Take note of an alarm."""

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """Take note of an end."""


#: Seconds between looks at a deployment that is being waited for.
_LOOK = 0.05

_OVER = frozenset({"Succeeded", "Failed", "Stopped"})


def revision(spec: Mapping[str, Any]) -> dict[str, Any]:
    """An AppSpec as the revision that CreateDeployment takes."""
    content = json.dumps(spec)
    return {
        "revisionType": "AppSpecContent",
        "appSpecContent": {
            "content": content,
            "sha256": hashlib.sha256(content.encode()).hexdigest(),
        },
    }


def create_deployment(
    codedeploy: Any, scenario: Scenario, spec: Mapping[str, Any]
) -> str:
    """Start a deployment with an AppSpec; returns its id."""
    group = scenario.content.deployment_group
    answer = codedeploy.create_deployment(
        applicationName=group.application,
        deploymentGroupName=group.name,
        revision=revision(spec),
    )
    id_: str = answer["deploymentId"]
    return id_


def find_deployment(codedeploy: Any, deployment_id: str) -> dict[str, Any]:
    """A deployment as GetDeployment describes it now."""
    answer = codedeploy.get_deployment(deploymentId=deployment_id)
    info: dict[str, Any] = answer["deploymentInfo"]
    return info


def wait_for_end(codedeploy: Any, deployment_id: str) -> dict[str, Any]:
    """Wait for a deployment to end; returns what GetDeployment says then.

    It does end: CodeDeploy bounds every hook and every installation.
    """
    while True:
        info = find_deployment(codedeploy, deployment_id)
        if info["status"] in _OVER:
            return info
        time.sleep(_LOOK)


def lifecycle_events(
    codedeploy: Any, scenario: Scenario, deployment_id: str
) -> list[Mapping[str, Any]]:
    """The events of a deployment's one target, as GetDeploymentTarget tells them."""
    service = scenario.content.service
    target = codedeploy.get_deployment_target(
        deploymentId=deployment_id, targetId=f"{service.cluster}:{service.name}"
    )
    events: list[Mapping[str, Any]] = target["deploymentTarget"]["ecsTarget"][
        "lifecycleEvents"
    ]
    return events


#: Seconds within which a function's log line has arrived, on a loaded machine too.
_LOG_ARRIVES = 10.0

#: Seconds within which alarms of the deployment before are well again.
_ALARMS_RECOVER = 60.0

#: Seconds between two looks at the alarms, at AWS's pace and at the stage's quickest.
_ALARM_POLL = EngineSettings().alarm_poll_interval

_SHORTEST_POLL = 0.1

_RAN = frozenset({"Succeeded", "Failed"})


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """One scenario on one stage.

    Args:
        scenario: What to play.
        audience: Who is told of it.
        port: The endpoint's port; 0 lets the kernel choose.
        host: The address of the endpoint, the listeners and the tasks.
        invoker: Who invokes the hooks instead of the stage's own Lambda.
        images: Images beside the scenario's, before which they go.
        records: Where the record of each deployment is appended.
    """

    scenario: Scenario
    audience: Audience
    port: int = 0
    host: str = "127.0.0.1"
    invoker: Any = None
    images: Mapping[str, Image] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    log: HookLog = field(init=False)
    alarms: AlarmReasons = field(init=False)

    def __post_init__(self) -> None:
        """Listen to the hooks."""
        self.log = HookLog(self.audience.outcome)
        self.alarms = AlarmReasons()

    @contextmanager
    def stage(self, hooked: Iterable[LifecycleEvent] = ()) -> Iterator[Stage]:
        """The stage for the scenario, with the shipped hooks and nothing else on it.

        Args:
            hooked: events whose hooks are about to be called; they start meanwhile.
        """
        with self._stage(hooked) as stage:
            create_table(stage)
            create_bucket(stage)
            yield stage

    def _stage(self, hooked: Iterable[LifecycleEvent]) -> Stage:
        content = self.scenario.content
        names = hook_names(self.scenario)
        # Hooks that are invoked elsewhere need no process here.
        warm = () if self.invoker else (names[event] for event in hooked)
        return Stage(
            images={**_images(self.scenario), **self.images},
            functions=shipped_hooks(names, content.allowed_targets),
            settings=StageSettings(
                port=self.port,
                host=self.host,
                health_check_pace=1 / content.speed,
                warm=frozenset(warm),
                engine=EngineSettings(
                    minute=60 / content.speed,
                    hook_timeout=content.hour(content.hook_timeout),
                    install_timeout=content.hour(None),
                    alarm_poll_interval=max(
                        _SHORTEST_POLL, _ALARM_POLL / content.speed
                    ),
                    assumptions=content.assumptions.codedeploy,
                ),
                cloudwatch=CloudWatchSettings(
                    pace=1 / content.speed, assumptions=content.assumptions.cloudwatch
                ),
            ),
            on_change=self.audience.change,
            on_log=self.log,
            on_alarm=self._alarm,
            invoker=self.invoker,
        )

    def _alarm(self, change: AlarmChanged) -> None:
        self.alarms(change)
        self.audience.alarm(change)

    def play(self, only: Callable[[DeploymentFile], bool]) -> list[dict[str, Any]]:
        """Run the deployments that ``only`` picks; returns ``records``.

        After an interrupt they end with the interrupted deployment, as far as it got.

        Raises:
            PlanError: the plan is wrong.
            RehearsalError: the first version never became healthy.
            KeyboardInterrupt: the user interrupted it.
        """
        events = plan_events(self.scenario)
        with self.stage(events) as stage:
            balancer = build(stage, self.scenario)
            wait_for_first_version(stage, self.scenario)
            self.audience.ready(self.scenario, stage.endpoint_url)
            with production_traffic(stage, balancer, self.scenario) as traffic:
                for deployment in filter(only, self.scenario.content.deployments):
                    self._deploy(stage, balancer, deployment, events, traffic)
        return self.records

    def _deploy(
        self,
        stage: Stage,
        balancer: LoadBalancer,
        deployment: DeploymentFile,
        events: tuple[LifecycleEvent, ...],
        traffic: TrafficCounter,
    ) -> None:
        if deployment.waits_for_alarms:
            group = self.scenario.content.deployment_group
            wait_until_well(stage, group.alarms, _ALARMS_RECOVER)
        definition = register(stage, self.scenario, deployment)
        traffic.begin(self._task_definitions(stage, balancer, definition))
        codedeploy = stage.client("codedeploy")
        spec = appspec(self.scenario, definition, events)
        id_ = create_deployment(codedeploy, self.scenario, spec)
        self.audience.begins(deployment, id_)
        interrupt = _wait(codedeploy, id_)
        info = find_deployment(codedeploy, id_)
        rollback = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
        counts = traffic.end()
        record = deployment_record(
            info,
            find_deployment(codedeploy, rollback) if rollback else None,
            lifecycle_events(codedeploy, self.scenario, id_),
            deployment,
            definition,
            counts.record,
            counts.first_served.get(definition),
            lambda event: self._verdict(id_, event, events),
            self.alarms.stopping(info.get("errorInformation")),
            interrupted=interrupt is not None,
        )
        self.records.append(record)
        self.audience.ended(deployment, record)
        if interrupt:
            raise interrupt

    def _verdict(
        self, id_: str, event: Mapping[str, Any], hooked: tuple[LifecycleEvent, ...]
    ) -> Mapping[str, Any] | None:
        name = event["lifecycleEventName"]
        status = event["status"]
        if name not in hooked or status not in _RAN:
            return self.log.verdict(id_, name)
        return self.log.verdict(id_, name, _LOG_ARRIVES, status)

    def _task_definitions(
        self, stage: Stage, balancer: LoadBalancer, green: str
    ) -> dict[str, str]:
        """The task definition behind each target group, once green is there."""
        primary = primary_task_set(stage, self.scenario)
        blue_group = primary["loadBalancers"][0]["targetGroupArn"]
        behind = dict.fromkeys(balancer.target_groups.values(), green)
        return behind | {blue_group: primary["taskDefinition"]}


def _wait(codedeploy: Any, deployment_id: str) -> KeyboardInterrupt | None:
    """Wait for a deployment and its rollback to end; returns the user's interrupt."""
    try:
        info = wait_for_end(codedeploy, deployment_id)
        if rollback := info.get("rollbackInfo", {}).get("rollbackDeploymentId"):
            wait_for_end(codedeploy, rollback)
    except KeyboardInterrupt as interrupt:
        return interrupt
    return None


def register(stage: Stage, scenario: Scenario, deployment: DeploymentFile) -> str:
    """Register a deployment's task definition and order its faults; returns its ARN."""
    definition = register_task_definition(stage, scenario, deployment.image)
    certificate = ordered_certificate(deployment.faults, scenario.folder)
    stage.faults.order(definition, deployment.faults, certificate)
    return definition


def _images(scenario: Scenario) -> dict[str, Image]:
    return {
        name: Image(
            command=local_command(image.command),
            environment=image.environment,
            directory=scenario.folder,
        )
        for name, image in scenario.content.images.items()
    }
