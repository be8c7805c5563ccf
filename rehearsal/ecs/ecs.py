"""ECS on an emulator, in one piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rehearsal.data_plane import DataPlane
from rehearsal.ecs import services, task_sets, tasks
from rehearsal.ecs.containers import Images
from rehearsal.ecs.context import EcsContext, EcsOperation
from rehearsal.ecs.records import EcsSettings, Location, Tampering
from rehearsal.ecs.scheduler import Scheduler
from rehearsal.endpoint.json_service import JsonService, Operation
from rehearsal.endpoint.moto_state import MotoState

MODULES = (services, task_sets, tasks)


def ecs_service(context: EcsContext) -> JsonService:
    """The part of ECS's API that moto lacks; one request at a time."""
    table = {
        name: _guarded(context, operation)
        for module in MODULES
        for name, operation in module.OPERATIONS.items()
    }
    return JsonService("ecs", table)


def _guarded(context: EcsContext, operation: EcsOperation) -> Operation:
    def answer(request: dict[str, Any]) -> Mapping[str, Any] | None:
        with context.scheduler.lock:
            return operation(context, request)

    return answer


class Ecs:
    """The scheduler, which runs tasks as processes, and the API.

    Args:
        images: The local command that each container image stands for.
        plane: The data plane, with which tasks are registered.
        location: The region and the account.
        settings: ECS's times.
        tampering: What goes wrong with tasks on purpose.
        moto: Knows clusters, services and task definitions.
    """

    def __init__(  # noqa: PLR0913 - each is a part of the emulator, named when given
        self,
        *,
        images: Images,
        plane: DataPlane,
        location: Location,
        settings: EcsSettings,
        tampering: Tampering,
        moto: MotoState,
    ) -> None:
        self._scheduler = Scheduler(images, plane, location, settings, tampering)
        self._location = location
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
                location=self._location,
                moto=lambda operation, request: self._moto.call(
                    "ecs", operation, request
                ),
                is_attached=is_attached,
            )
        )
