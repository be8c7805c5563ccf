"""CodeDeploy on a stage, in one piece."""

from __future__ import annotations

from typing import Any

from rehearsal.clients import CODEDEPLOY_KEY, Clients
from rehearsal.codedeploy.acting.world import AwsWorld
from rehearsal.codedeploy.api.context import Context
from rehearsal.codedeploy.api.service import codedeploy_service
from rehearsal.codedeploy.clock import Clock
from rehearsal.codedeploy.engine import Engine
from rehearsal.codedeploy.observation import Observer
from rehearsal.codedeploy.registry import Registry
from rehearsal.codedeploy.settings import EngineSettings
from rehearsal.codedeploy.workers import Workers
from rehearsal.endpoint.json_service import JsonService


class CodeDeploy:
    """The engine, its threads and its API.

    Args:
        clients: Lead to the stage, on which the engine acts through its endpoint.
        invoker: Who invokes the hooks, as a boto3 client of Lambda.
        registry: Knows the applications and deployment groups.
        clock: Where time comes from.
        settings: Times and assumptions.
        on_change: Told of deployments' changes; it must be quick and not wait.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the stage, named when given
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
