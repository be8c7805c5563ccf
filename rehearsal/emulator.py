"""The AWS emulator: ECS blue/green deployments on this machine, behind one endpoint."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, Self, TypeVar

from hookgate_rehearsal.clients import Clients
from hookgate_rehearsal.cloudwatch.alarms import AlarmChanged, AlarmObserver
from hookgate_rehearsal.cloudwatch.api import CloudWatchService
from hookgate_rehearsal.cloudwatch.cloudwatch import CloudWatch
from hookgate_rehearsal.cloudwatch.settings import CloudWatchSettings
from hookgate_rehearsal.codedeploy.codedeploy import CodeDeploy
from hookgate_rehearsal.codedeploy.engine import Change, Observer
from hookgate_rehearsal.codedeploy.registry import Registry
from hookgate_rehearsal.codedeploy.settings import EngineSettings
from hookgate_rehearsal.data_plane.plane import DataPlane
from hookgate_rehearsal.ecs.api import EcsContext, ecs_service
from hookgate_rehearsal.ecs.containers import Image
from hookgate_rehearsal.ecs.scheduler import EcsSettings, Location, Scheduler
from hookgate_rehearsal.endpoint.access import AccessControl, AccessKey
from hookgate_rehearsal.endpoint.front import EndpointServer, Front, confirms
from hookgate_rehearsal.endpoint.moto_state import ACCOUNT, MotoState
from hookgate_rehearsal.faults.faults import Faults, FaultyCalls, Stops
from hookgate_rehearsal.faults.targets import FaultyTasks, stale_routing
from hookgate_rehearsal.functions.fleet import Fleet, LambdaService, send_record
from hookgate_rehearsal.functions.function import FleetSettings, Function, LogObserver
from hookgate_rehearsal.load_balancer import LoadBalancers
from hookgate_rehearsal.notifications import Notifications


@dataclass(frozen=True, slots=True, kw_only=True)
class EmulatorSettings:
    """Settings of an emulator.

    Attributes:
        port: the endpoint's port; 0 for a free one.
        region: the only region; a client's region is ignored.
        host: the address of the endpoint, the listeners and the tasks, and the DNS
            name of every load balancer.
        health_check_pace: a factor for health check intervals. ELBv2 accepts none
            below 5 s; with 0.1, that is half a second.
        key: the access key that clients need.
        warm: the functions whose processes are started in advance, as with Lambda's
            provisioned concurrency; None for all.
        engine: CodeDeploy's times and assumptions.
        cloudwatch: CloudWatch's pace and assumptions.
        ecs: ECS's times.
    """

    port: int = 0
    region: str = "us-east-1"
    host: str = "127.0.0.1"
    health_check_pace: float = 1.0
    key: AccessKey = field(default_factory=AccessKey.random)
    warm: frozenset[str] | None = None
    engine: EngineSettings = field(default_factory=EngineSettings)
    cloudwatch: CloudWatchSettings = field(default_factory=CloudWatchSettings)
    ecs: EcsSettings = field(default_factory=EcsSettings)


class _Part(Protocol):
    def start(self) -> None: ...

    def close(self) -> None: ...


_PartT = TypeVar("_PartT", bound=_Part)


def _ignore(*_: object) -> None:
    """The default observer, which does nothing."""


class Emulator:
    """Real processes, listeners and functions, controlled by any AWS client.

    Clients create all resources through the endpoint: cluster, task definitions, load
    balancer, service, application, deployment group. A process has at most one
    emulator at a time, since moto's state is global.

    Args:
        images: the local command for each container image.
        functions: the Lambda functions.
        settings: times and addresses.
        on_change: called for each change of a deployment; must return quickly.
        on_log: called for each line that a function writes.
        on_alarm: called for each alarm that changes its state; must return quickly.
        invoker: a boto3 Lambda client that invokes the hooks; by default, of the
            emulator's own Lambda.
        faults: the faults to inject.
    """

    def __init__(  # noqa: PLR0913 - each is a keyword of its own
        self,
        *,
        images: Mapping[str, Image],
        functions: Iterable[Function] = (),
        settings: EmulatorSettings | None = None,
        on_change: Observer = _ignore,
        on_log: LogObserver = _ignore,
        on_alarm: AlarmObserver = _ignore,
        invoker: Any = None,
        faults: Faults | None = None,
    ) -> None:
        self.settings = settings or EmulatorSettings()
        self.images = images
        self.functions = tuple(functions)
        self._on_change = on_change
        self._on_log = on_log
        self._on_alarm = on_alarm
        # Later changes of the system's clock have no effect.
        offset = time.time() - time.monotonic()
        self._clock = lambda: time.monotonic() + offset
        self._invoker = invoker
        self.faults = faults or Faults()
        self._stops = Stops(self.faults, lambda: self.client("codedeploy"))
        self._closing = ExitStack()
        self._registry = Registry()
        self.data_plane = DataPlane(host=self.settings.host)

    def __enter__(self) -> Self:
        """Start all parts; if one fails, close those that have started."""
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def close(self) -> None:
        """Stop every process and thread, and free every port."""
        self._closing.close()

    @property
    def endpoint_url(self) -> str:
        """The URL for ``AWS_ENDPOINT_URL``."""
        return self._server.url

    @property
    def subnets(self) -> tuple[str, ...]:
        """The ids of the default VPC's subnets, for CreateLoadBalancer."""
        zones = self._moto.backend("ec2").subnets.values()
        return tuple(subnet_id for zone in zones for subnet_id in zone)

    @property
    def vpc(self) -> str:
        """The default VPC's id, for CreateTargetGroup."""
        vpc_id: str = self._moto.backend("ec2").default_vpc.id
        return vpc_id

    def client(self, service: str) -> Any:
        """A boto3 client of the emulator, with its access key."""
        return self._clients.client(service)

    def _start(self) -> None:
        """Start the parts in order of dependency; they close in the opposite order."""
        settings, plane, faults = self.settings, self.data_plane, self.faults
        self._moto = MotoState(settings.region)
        self._closing.callback(self._moto.close)
        self._run(plane)
        plane.override_route = partial(stale_routing, faults.stale_listener)
        plane.override_certificate = faults.certificate
        scheduler = self._run(
            Scheduler(
                self.images,
                plane,
                Location(region=settings.region, account=ACCOUNT),
                settings.ecs,
                FaultyTasks(faults, plane),
            )
        )
        front = Front(settings.region, self._moto)
        calls = FaultyCalls(front, faults.calls)
        guarded = AccessControl(calls, settings.key, settings.host, confirms)
        self._server = EndpointServer(guarded, settings.port, settings.host)
        self._closing.callback(self._server.close)
        self._clients = Clients(self._server.url, settings.region, settings.key)
        self._closing.callback(self._stops.close)
        self._notifications = self._run(
            Notifications(
                backend=self._moto.backend,
                client=self.client,
                endpoint_url=lambda: self._server.url,
                registry=self._registry,
                assumptions=settings.engine.assumptions,
                region=settings.region,
                host=settings.host,
            )
        )
        balancers = LoadBalancers(
            plane,
            self._moto.backend,
            host=settings.host,
            pace=settings.health_check_pace,
        )
        cloudwatch = self._run(
            CloudWatch(
                settings=settings.cloudwatch,
                clock=self._clock,
                plane=plane,
                attached=balancers.attached,
                on_change=self._alarm_changed,
                region=settings.region,
            )
        )
        fleet = self._fleet(cloudwatch)
        codedeploy = CodeDeploy(
            clients=self._clients,
            invoker=self._invoker or self.client("lambda"),
            registry=self._registry,
            clock=self._clock,
            settings=settings.engine,
            on_change=self._changed,
        )
        self.engine = codedeploy.engine
        ecs = EcsContext(
            scheduler=scheduler,
            moto=partial(self._moto.call, "ecs"),
            is_attached=balancers.is_attached,
        )
        front.open(
            {
                "codedeploy": codedeploy.service(settings.region, ACCOUNT).handle,
                "ecs": ecs_service(ecs).handle,
                "elasticloadbalancing": balancers.handle,
                "lambda": LambdaService(fleet).handle,
                "monitoring": CloudWatchService(cloudwatch).handle,
                "sns": self._notifications.topics.handle,
            }
        )
        self._server.start()
        fleet.prewarm(settings.warm)
        self._run(codedeploy)

    def _run(self, part: _PartT) -> _PartT:
        """Start a part, and close it with the emulator."""
        part.start()
        self._closing.callback(part.close)
        return part

    def _fleet(self, cloudwatch: CloudWatch) -> Fleet:
        def log(function: str, request_id: str | None, line: str) -> None:
            cloudwatch.log(function, request_id, line)
            self._on_log(function, request_id, line)

        settings = FleetSettings(
            endpoint_url=self._server.url,
            region=self.settings.region,
            account=ACCOUNT,
            key=self.settings.key,
            minute=self.settings.engine.minute,
        )
        fleet = Fleet(self.functions, settings, log, self.faults.deliveries)
        fleet.send_failures_to(partial(send_record, fleet, self.client))
        self._closing.callback(fleet.close)
        return fleet

    def _changed(self, change: Change) -> None:
        self._stops.on_change(change)
        self._notifications.on_change(change)
        self._on_change(change)

    def _alarm_changed(self, change: AlarmChanged) -> None:
        self._notifications.on_alarm(change)
        self._on_alarm(change)
