"""CodeDeploy of an emulator: the engine, its threads and its API."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from hookgate_rehearsal.clients import Clients
from hookgate_rehearsal.codedeploy.api import (
    applications,
    deployments,
    groups,
    revisions,
)
from hookgate_rehearsal.codedeploy.api.context import REQUIRED_ERRORS, CodeDeployContext
from hookgate_rehearsal.codedeploy.aws import AwsExecutor
from hookgate_rehearsal.codedeploy.engine import Engine, Observer
from hookgate_rehearsal.codedeploy.registry import Registry
from hookgate_rehearsal.codedeploy.settings import EngineSettings
from hookgate_rehearsal.endpoint.protocols import JsonService, operations_of

MODULES = (applications, deployments, groups, revisions)
MAX_WAIT = 60.0  # seconds; bounds every wait in case a notification is lost
CLOSE_TIMEOUT = 10.0  # seconds; a call to an external Lambda can take far longer


def codedeploy_service(context: CodeDeployContext) -> JsonService:
    """Build CodeDeploy's API, which handles one request at a time."""
    table = operations_of(MODULES, context, context.registry.lock)
    return JsonService("codedeploy", table, REQUIRED_ERRORS)


class CodeDeploy:
    """The engine, its API, and a thread that advances each deployment until closed.

    Args:
        clients: Make boto3 clients of the emulator, through which the engine acts.
        invoker: Invokes the hooks, as a boto3 client of Lambda.
        registry: Stores applications and deployment groups.
        clock: Gives the time in epoch seconds.
        settings: Times and assumptions.
        on_change: Called with changes of deployments; it must not block.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the emulator, named when given
        self,
        *,
        clients: Clients,
        invoker: Any,
        registry: Registry,
        clock: Callable[[], float],
        settings: EngineSettings,
        on_change: Observer,
    ) -> None:
        executor = AwsExecutor(
            ecs=clients.client("ecs", clients.key.codedeploy),
            elbv2=clients.client("elbv2", clients.key.codedeploy),
            functions=invoker,
            cloudwatch=clients.client("cloudwatch", clients.key.codedeploy),
            assumptions=settings.assumptions,
        )
        self.engine = Engine(executor.carry_out, clock, settings, on_change)
        self._clients = clients
        self._registry = registry
        self._closed = threading.Event()
        self._threads: dict[str, threading.Thread] = {}
        self._starter = threading.Thread(
            target=self._start_all, name="codedeploy", daemon=True
        )

    def service(self, region: str, account: str) -> JsonService:
        """Build the API."""
        return codedeploy_service(
            CodeDeployContext(
                engine=self.engine,
                registry=self._registry,
                read_object=self._clients.read_object,
                region=region,
                account=account,
            )
        )

    def start(self) -> None:
        """Start to look for deployments."""
        self._starter.start()

    def close(self) -> None:
        """Stop the threads; deployments keep their state."""
        with self.engine.changed:
            self._closed.set()
            self.engine.changed.notify_all()
        give_up = time.monotonic() + CLOSE_TIMEOUT
        for thread in (self._starter, *self._threads.values()):
            if thread.is_alive():
                thread.join(max(0.0, give_up - time.monotonic()))

    def _start_all(self) -> None:
        engine = self.engine
        while True:
            with engine.changed:
                if self._closed.is_set():
                    return
                alive = {i: t for i, t in self._threads.items() if t.is_alive()}
                self._threads = alive
                for each in engine.deployments():
                    if each.id not in alive and not engine.is_idle(each.id):
                        self._start(each.id)
                engine.changed.wait(MAX_WAIT)

    def _start(self, deployment_id: str) -> None:
        thread = threading.Thread(
            target=self._run, args=(deployment_id,), name=deployment_id, daemon=True
        )
        self._threads[deployment_id] = thread
        thread.start()

    def _run(self, deployment_id: str) -> None:
        engine = self.engine
        while not self._closed.is_set() and not engine.is_idle(deployment_id):
            if engine.turn(deployment_id):
                continue
            with engine.changed:
                wait = engine.seconds_to_wake(deployment_id)
                if not self._closed.is_set() and wait != 0:
                    engine.changed.wait(min(wait or MAX_WAIT, MAX_WAIT))
