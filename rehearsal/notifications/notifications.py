"""All that an emulator tells of itself, in one piece."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rehearsal.codedeploy.registry import Registry
from rehearsal.codedeploy.settings import Assumptions
from rehearsal.endpoint.moto_state import ACCOUNT
from rehearsal.notifications.notices import AlarmActions, DeploymentNotices
from rehearsal.notifications.topics import EventBus, Postman, Topics


class Notifications:
    """SNS, EventBridge, and who feeds them.

    Args:
        backend: Gives moto's backend of a service.
        client: Makes a boto3 client of a service of the emulator.
        endpoint_url: Gives the emulator's endpoint.
        registry: Knows the deployment groups and their triggers.
        assumptions: What is unverified about CodeDeploy.
        region: The emulator's region.
        host: The emulator's own address.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the emulator, named when given
        self,
        *,
        backend: Callable[[str], Any],
        client: Callable[[str], Any],
        endpoint_url: Callable[[], str],
        registry: Registry,
        assumptions: Assumptions,
        region: str,
        host: str,
    ) -> None:
        self._postman = postman = Postman(host)
        self.topics = Topics(lambda: backend("sns"), postman, endpoint_url)
        bus = EventBus(lambda: backend("events"), client, self.topics, postman)
        self.of_alarms = AlarmActions(
            topics=self.topics, postman=postman, region=region, account=ACCOUNT
        )
        self.of_deployments = DeploymentNotices(
            registry=registry,
            topics=self.topics,
            bus=bus,
            postman=postman,
            region=region,
            account=ACCOUNT,
            assumptions=assumptions,
        )

    def start(self) -> None:
        """Begin to hand over."""
        self._postman.start()

    def close(self) -> None:
        """Hand over what is waiting, and stop."""
        self._postman.close()
