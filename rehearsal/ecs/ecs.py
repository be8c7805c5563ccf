"""ECS of an emulator: the scheduler, which runs tasks as processes, and the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from hookgate_rehearsal.data_plane import DataPlane
from hookgate_rehearsal.ecs import services, task_sets
from hookgate_rehearsal.ecs.containers import Images
from hookgate_rehearsal.ecs.context import EcsContext
from hookgate_rehearsal.ecs.records import EcsSettings, Location, Tampering
from hookgate_rehearsal.ecs.scheduler import Scheduler
from hookgate_rehearsal.endpoint.moto_state import MotoState
from hookgate_rehearsal.endpoint.protocols import JsonService, operations_of


class Ecs:
    """The scheduler and the API.

    Args:
        images: The local command that each container image stands for.
        plane: The data plane, with which tasks are registered.
        location: The region and the account.
        settings: ECS's times.
        tampering: Changes tasks, for a fault.
        moto: Stores clusters, services and task definitions.
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
        self.start = self._scheduler.start
        self.close = self._scheduler.close

    def service(self, is_attached: Callable[[str], bool]) -> JsonService:
        """Build the part of the API that moto lacks.

        Args:
            is_attached: Whether any load balancer uses the target group with an ARN.
        """
        context = EcsContext(
            scheduler=self._scheduler,
            location=self._location,
            moto=partial(self._moto.call, "ecs"),
            is_attached=is_attached,
        )
        table = operations_of((services, task_sets), context, self._scheduler.lock)
        return JsonService("ecs", table, extends_moto=True)
