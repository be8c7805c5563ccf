"""ECS on a stage, in one piece."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.data_plane import DataPlane
from rehearsal.ecs.context import EcsContext
from rehearsal.ecs.images import Images
from rehearsal.ecs.records import Whereabouts
from rehearsal.ecs.scheduler import Scheduler
from rehearsal.ecs.service import ecs_service
from rehearsal.ecs.settings import EcsSettings
from rehearsal.ecs.tampering import Tampering
from rehearsal.endpoint.json_service import JsonService
from rehearsal.endpoint.moto_state import MotoState


class Ecs:
    """The scheduler, which runs tasks as processes, and the API.

    Args:
        images: The local command that each container image stands for.
        plane: The data plane, with which tasks are registered.
        whereabouts: The region and the account.
        settings: ECS's times.
        tampering: What goes wrong with tasks on purpose.
        moto: Knows clusters, services and task definitions.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the stage, named when given
        self,
        *,
        images: Images,
        plane: DataPlane,
        whereabouts: Whereabouts,
        settings: EcsSettings,
        tampering: Tampering,
        moto: MotoState,
    ) -> None:
        self._scheduler = Scheduler(images, plane, whereabouts, settings, tampering)
        self._whereabouts = whereabouts
        self._moto = moto

    def start(self) -> None:
        """Begin to run tasks."""
        self._scheduler.start()

    def close(self) -> None:
        """End every task."""
        self._scheduler.close()

    def service(self, is_attached: Callable[[str], bool]) -> JsonService:
        """The API.

        Args:
            is_attached: Whether any load balancer uses the target group with an ARN.
        """
        return ecs_service(
            EcsContext(
                scheduler=self._scheduler,
                whereabouts=self._whereabouts,
                moto=lambda operation, request: self._moto.call(
                    "ecs", operation, request
                ),
                is_attached=is_attached,
            )
        )
