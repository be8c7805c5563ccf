"""Run a scenario: each of its deployments, under production traffic."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from hookgate.model import LifecycleEvent
from hookgate_rehearsal.building import (
    BUCKET,
    AlarmReasons,
    CreatedLoadBalancer,
    plan_events,
    primary_task_set,
    register_task_definition,
    set_up,
    wait_for_alarms,
    wait_for_first_version,
)
from hookgate_rehearsal.cloudwatch.alarms import AlarmChanged
from hookgate_rehearsal.cloudwatch.settings import CloudWatchSettings
from hookgate_rehearsal.codedeploy.engine import Change
from hookgate_rehearsal.codedeploy.settings import EngineSettings
from hookgate_rehearsal.ecs.containers import Image, local_command
from hookgate_rehearsal.emulator import Emulator, EmulatorSettings
from hookgate_rehearsal.endpoint.access import AccessKey
from hookgate_rehearsal.hooks import (
    HookLog,
    Outcome,
    appspec,
    create_table,
    hook_names,
    shipped_hooks,
)
from hookgate_rehearsal.production_traffic import TrafficCounter, production_traffic
from hookgate_rehearsal.record import deployment_record
from hookgate_rehearsal.scenario.reader import Scenario
from hookgate_rehearsal.scenario.schema import DeploymentFile

#: Seconds between two requests for the status of a deployment.
_POLL = 0.05
#: Seconds within which a function's log line arrives, on a loaded machine too.
_LOG_ARRIVES = 10.0
#: Seconds within which alarms of the previous deployment recover.
_ALARMS_RECOVER = 60.0
#: The minimum interval of alarm polls at any speed, in seconds.
_SHORTEST_ALARM_POLL = 0.1
_ENDED = frozenset({"Succeeded", "Failed", "Stopped"})
_RAN = frozenset({"Succeeded", "Failed"})


class RehearsalObserver:
    """Receives the progress of a rehearsal; these methods do nothing.

    They are called from several threads, and must return quickly.
    """

    def ready(self, scenario: Scenario, endpoint_url: str) -> None:
        """The resources exist, and the first version serves production traffic."""

    def begins(self, deployment: DeploymentFile, deployment_id: str) -> None:
        """A deployment has been created."""

    def change(self, change: Change) -> None:
        """A deployment, an event or the traffic has changed."""

    def outcome(self, deployment_id: str, event: str, outcome: Outcome) -> None:
        """A step of a hook has ended."""

    def alarm(self, change: AlarmChanged) -> None:
        """An alarm has changed its state."""

    def ended(self, deployment: DeploymentFile, record: Mapping[str, Any]) -> None:
        """A deployment and its rollback have ended."""


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """One scenario on one emulator.

    Args:
        scenario: the scenario to run.
        observer: receives the progress.
        port: the endpoint's port; 0 for a free one.
        host: the address of the endpoint, the listeners and the tasks.
        key: the access key of the endpoint.
        invoker: a boto3 Lambda client that invokes the hooks instead of the emulator.
        images: images that add to the scenario's or replace them.
        records: the list to which each deployment's record is appended.
    """

    scenario: Scenario
    observer: RehearsalObserver
    port: int = 0
    host: str = "127.0.0.1"
    key: AccessKey = field(default_factory=AccessKey.random)
    invoker: Any = None
    images: Mapping[str, Image] = field(default_factory=dict)
    records: list[dict[str, Any]] = field(default_factory=list)
    alarms: AlarmReasons = field(default_factory=AlarmReasons)
    log: HookLog = field(init=False)

    def __post_init__(self) -> None:
        """Connect the log of the hooks to the observer."""
        self.log = HookLog(self.observer.outcome)

    @contextmanager
    def emulator(self, hooked: Iterable[LifecycleEvent] = ()) -> Iterator[Emulator]:
        """The scenario's emulator, with the shipped hooks and no other resources.

        Args:
            hooked: events whose functions start in advance.
        """
        content, names = self.scenario.content, hook_names(self.scenario)
        # Hooks that run elsewhere need no process here.
        warm = () if self.invoker else (names[event] for event in hooked)
        assumptions, pace = content.assumptions, 1 / content.speed
        poll = max(_SHORTEST_ALARM_POLL, EngineSettings().alarm_poll_interval * pace)
        with Emulator(
            images={**_images(self.scenario), **self.images},
            functions=shipped_hooks(names, content.allowed_targets),
            settings=EmulatorSettings(
                port=self.port,
                host=self.host,
                key=self.key,
                health_check_pace=pace,
                warm=frozenset(warm),
                engine=EngineSettings(
                    minute=60 * pace,
                    hook_timeout=content.hour(content.hook_timeout),
                    install_timeout=content.hour(None),
                    alarm_poll_interval=poll,
                    assumptions=assumptions.codedeploy,
                ),
                cloudwatch=CloudWatchSettings(
                    pace=pace, assumptions=assumptions.cloudwatch
                ),
            ),
            on_change=self.observer.change,
            on_log=self.log,
            on_alarm=self._alarm,
            invoker=self.invoker,
        ) as emulator:
            create_table(emulator)
            emulator.client("s3").create_bucket(Bucket=BUCKET)
            yield emulator

    def run(self, only: Callable[[DeploymentFile], bool]) -> list[dict[str, Any]]:
        """Run the deployments that ``only`` selects, and return ``records``.

        After an interrupt, the last record is that of the interrupted deployment.

        Raises:
            PlanError: the plan is wrong.
            RehearsalError: the first version did not become healthy.
            KeyboardInterrupt: the user interrupted it.
        """
        events = plan_events(self.scenario)
        with self.emulator(events) as emulator:
            balancer = set_up(emulator, self.scenario)
            wait_for_first_version(emulator, self.scenario)
            self.observer.ready(self.scenario, emulator.endpoint_url)
            with production_traffic(emulator, balancer, self.scenario) as traffic:
                for deployment in filter(only, self.scenario.content.deployments):
                    self._deploy(emulator, balancer, deployment, events, traffic)
        return self.records

    def _deploy(
        self,
        emulator: Emulator,
        balancer: CreatedLoadBalancer,
        deployment: DeploymentFile,
        events: tuple[LifecycleEvent, ...],
        traffic: TrafficCounter,
    ) -> None:
        if deployment.waits_for_alarms:
            group = self.scenario.content.deployment_group
            wait_for_alarms(emulator, group.alarms, _ALARMS_RECOVER)
        definition = register(emulator, self.scenario, deployment)
        traffic.begin(self._task_definitions(emulator, balancer, definition))
        codedeploy = emulator.client("codedeploy")
        spec = appspec(self.scenario, definition, events)
        id_ = _create_deployment(codedeploy, self.scenario, spec)
        self.observer.begins(deployment, id_)
        interrupt = _wait(codedeploy, id_)
        info = _find_deployment(codedeploy, id_)
        rollback = _rollback_of(info)
        counts, first_served = traffic.end()
        record = deployment_record(
            deployment,
            info=info,
            rollback=_find_deployment(codedeploy, rollback) if rollback else None,
            events=[
                (each, self._verdict(id_, each, events))
                for each in _lifecycle_events(codedeploy, self.scenario, id_)
            ],
            definition=definition,
            traffic=counts,
            green_served_at=first_served.get(definition),
            alarms=self.alarms.stopping(info.get("errorInformation")),
            interrupted=interrupt is not None,
        )
        self.records.append(record)
        self.observer.ended(deployment, record)
        if interrupt:
            raise interrupt

    def _alarm(self, change: AlarmChanged) -> None:
        self.alarms(change)
        self.observer.alarm(change)

    def _verdict(
        self, id_: str, event: Mapping[str, Any], hooked: tuple[LifecycleEvent, ...]
    ) -> Mapping[str, Any] | None:
        name = event["lifecycleEventName"]
        status = event["status"]
        if name not in hooked or status not in _RAN:
            return self.log.verdict(id_, name)
        return self.log.verdict(id_, name, _LOG_ARRIVES, status)

    def _task_definitions(
        self, emulator: Emulator, balancer: CreatedLoadBalancer, green: str
    ) -> dict[str, str]:
        """The task definition of each target group, once green is registered."""
        primary = primary_task_set(emulator, self.scenario)
        blue_group = primary["loadBalancers"][0]["targetGroupArn"]
        behind = dict.fromkeys(balancer.target_groups.values(), green)
        return behind | {blue_group: primary["taskDefinition"]}


def register(emulator: Emulator, scenario: Scenario, deployment: DeploymentFile) -> str:
    """Register a deployment's task definition and faults, and return its ARN."""
    definition = register_task_definition(emulator, scenario, deployment.image)
    files = deployment.faults.certificate
    certificate = files.read(scenario.folder) if files else None
    emulator.faults.add(definition, deployment.faults, certificate)
    return definition


def revision(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The revision for CreateDeployment with an AppSpec."""
    content = json.dumps(spec)
    return {
        "revisionType": "AppSpecContent",
        "appSpecContent": {
            "content": content,
            "sha256": hashlib.sha256(content.encode()).hexdigest(),
        },
    }


def wait_for_end(codedeploy: Any, deployment_id: str) -> dict[str, Any]:
    """Wait until a deployment ends, and return its ``deploymentInfo``.

    It ends, because CodeDeploy limits the time of hooks and of Install.
    """
    while True:
        info = _find_deployment(codedeploy, deployment_id)
        if info["status"] in _ENDED:
            return info
        time.sleep(_POLL)


def _wait(codedeploy: Any, deployment_id: str) -> KeyboardInterrupt | None:
    """Wait until a deployment and its rollback end; return the user's interrupt."""
    try:
        if rollback := _rollback_of(wait_for_end(codedeploy, deployment_id)):
            wait_for_end(codedeploy, rollback)
    except KeyboardInterrupt as interrupt:
        return interrupt
    return None


def _rollback_of(info: Mapping[str, Any]) -> str | None:
    id_: str | None = info.get("rollbackInfo", {}).get("rollbackDeploymentId")
    return id_


def _create_deployment(
    codedeploy: Any, scenario: Scenario, spec: Mapping[str, Any]
) -> str:
    group = scenario.content.deployment_group
    created = codedeploy.create_deployment(
        applicationName=group.application,
        deploymentGroupName=group.name,
        revision=revision(spec),
    )
    return str(created["deploymentId"])


def _find_deployment(codedeploy: Any, deployment_id: str) -> dict[str, Any]:
    return dict(codedeploy.get_deployment(deploymentId=deployment_id)["deploymentInfo"])


def _lifecycle_events(
    codedeploy: Any, scenario: Scenario, deployment_id: str
) -> list[Mapping[str, Any]]:
    """The lifecycle events of a deployment's only target."""
    service = scenario.content.service
    target = codedeploy.get_deployment_target(
        deploymentId=deployment_id, targetId=f"{service.cluster}:{service.name}"
    )["deploymentTarget"]
    return list(target["ecsTarget"]["lifecycleEvents"])


def _images(scenario: Scenario) -> dict[str, Image]:
    return {
        name: Image(
            command=local_command(image.command),
            entrypoint=local_command(image.entrypoint),
            environment=image.environment,
            directory=scenario.folder,
        )
        for name, image in scenario.content.images.items()
    }
