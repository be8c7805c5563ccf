"""CodeDeploy on an emulator, in one piece."""

from __future__ import annotations

import threading
import time
from typing import Any

from rehearsal.clients import CODEDEPLOY_KEY, Clients
from rehearsal.clock import Clock
from rehearsal.codedeploy.acting.world import AwsWorld
from rehearsal.codedeploy.api.context import Context
from rehearsal.codedeploy.api.service import codedeploy_service
from rehearsal.codedeploy.engine import Engine
from rehearsal.codedeploy.observation import Observer
from rehearsal.codedeploy.registry import Registry
from rehearsal.codedeploy.settings import EngineSettings
from rehearsal.endpoint.json_service import JsonService

LONGEST_WAIT = 60.0  # seconds; a bound on every wait, should a wake-up get lost

CLOSING = 10.0  # seconds; a call to somebody else's Lambda may take far longer


class Workers:
    """Turns an engine until closed: every deployment moves on as soon as it can."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._closed = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._starter = threading.Thread(
            target=self._start_all, name="codedeploy", daemon=True
        )

    def start(self) -> None:
        """Begin to look for deployments."""
        self._starter.start()

    def close(self) -> None:
        """Stop turning; deployments stay as they are."""
        with self._engine.changed:
            self._closed.set()
            self._engine.changed.notify_all()
        give_up = time.monotonic() + CLOSING
        for thread in (self._starter, *self._threads.values()):
            if thread.is_alive():
                thread.join(max(0.0, give_up - time.monotonic()))

    def _start_all(self) -> None:
        changed = self._engine.changed
        while True:
            with changed:
                if self._closed.is_set():
                    return
                self._threads = {
                    id_: thread
                    for id_, thread in self._threads.items()
                    if thread.is_alive()
                }
                for deployment in self._engine.deployments():
                    known = deployment.id in self._threads
                    if not known and not self._engine.is_idle(deployment.id):
                        self._start(deployment.id)
                changed.wait(LONGEST_WAIT)

    def _start(self, deployment_id: str) -> None:
        thread = threading.Thread(
            target=self._carry_on,
            args=(deployment_id,),
            name=deployment_id,
            daemon=True,
        )
        self._threads[deployment_id] = thread
        thread.start()

    def _carry_on(self, deployment_id: str) -> None:
        engine = self._engine
        while not self._closed.is_set() and not engine.is_idle(deployment_id):
            if engine.turn(deployment_id):
                continue
            with engine.changed:
                wait = engine.seconds_to_wake(deployment_id)
                if not self._closed.is_set() and wait != 0:
                    engine.changed.wait(min(wait or LONGEST_WAIT, LONGEST_WAIT))


class CodeDeploy:
    """The engine, its threads and its API.

    Args:
        clients: Lead to the emulator, on which the engine acts through its endpoint.
        invoker: Who invokes the hooks, as a boto3 client of Lambda.
        registry: Knows the applications and deployment groups.
        clock: Where time comes from.
        settings: Times and assumptions.
        on_change: Told of deployments' changes; it must be quick and not wait.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the emulator, named when given
        self,
        *,
        clients: Clients,
        invoker: Any,
        registry: Registry,
        clock: Clock,
        settings: EngineSettings,
        on_change: Observer,
    ) -> None:
        world = AwsWorld(
            ecs=clients.client("ecs", CODEDEPLOY_KEY),
            elbv2=clients.client("elbv2", CODEDEPLOY_KEY),
            functions=invoker,
            cloudwatch=clients.client("cloudwatch", CODEDEPLOY_KEY),
            assumptions=settings.assumptions,
        )
        self.engine = Engine(world, clock, settings, on_change)
        self._clients = clients
        self._registry = registry
        self._workers = Workers(self.engine)

    def start(self) -> None:
        """Begin to carry deployments on."""
        self._workers.start()

    def close(self) -> None:
        """Leave deployments as they are."""
        self._workers.close()

    def service(self, region: str, account: str) -> JsonService:
        """The API."""
        return codedeploy_service(
            Context(
                engine=self.engine,
                registry=self._registry,
                read_object=self._clients.read_object,
                region=region,
                account=account,
            )
        )
