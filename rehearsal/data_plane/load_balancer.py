"""Listeners and the target groups they forward to, on one loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from rehearsal.data_plane.door import Door, Doorkeeper
from rehearsal.data_plane.listener import Disguise, Listener, undisguised
from rehearsal.data_plane.loop_thread import until
from rehearsal.data_plane.observations import AccessObserver, AccessRecord
from rehearsal.data_plane.routing import Router, Routing, referenced_groups
from rehearsal.data_plane.settings import (
    Certificate,
    ListenerSettings,
    Target,
    TargetGroupSettings,
)
from rehearsal.data_plane.target_group import TargetGroup

Detour = Callable[[ListenerSettings, Routing | None, Routing], Routing]
"""Told of a listener that changes, and of what decided before and is to from now on;
says what does decide."""


def straight(_: ListenerSettings, _before: Routing | None, after: Routing) -> Routing:
    """Let every change hold at once: the detour where there is none."""
    return after


class LoadBalancer:
    """All load balancers of a stage; they need not know that they are several.

    Args:
        host: the address that listeners are bound to.
        randomness: what the choice by weight is made with.
    """

    def __init__(self, *, host: str, randomness: Random) -> None:
        self._host = host
        self._randomness = randomness
        self._groups: dict[str, TargetGroup] = {}
        self._listeners: dict[str, Listener] = {}
        self._doors: list[Door] = []
        self.observers: tuple[AccessObserver, ...] = ()
        self.detour: Detour = straight
        self.disguise: Disguise = undisguised

    def group(self, arn: str) -> TargetGroup:
        """The target group with an ARN.

        Raises:
            KeyError: there is none.
        """
        if arn not in self._groups:
            raise KeyError(f"there is no target group {arn}")
        return self._groups[arn]

    def put_target_group(self, settings: TargetGroupSettings) -> None:
        """Add a target group, or change its settings."""
        if group := self._groups.get(settings.arn):
            group.settings = settings
        else:
            self._groups[settings.arn] = TargetGroup(settings)

    def remove_target_group(self, arn: str) -> None:
        """Remove a target group and forget its targets.

        Raises:
            KeyError: there is none.
            ValueError: a listener names it.
        """
        group = self.group(arn)
        if arn in self._referenced():
            raise ValueError(f"target group {arn} is in use by a listener")
        group.cut()
        del self._groups[arn]

    async def put_listener(self, settings: ListenerSettings) -> int:
        """Add a listener or change it, and return its port.

        Raises:
            KeyError: an action names a target group that does not exist.
            OSError: the port is taken or forbidden, or a certificate unreadable.
        """
        for arn in referenced_groups(settings):
            self.group(arn)
        listener = self._listeners.get(settings.arn)
        router = self.detour(
            settings,
            listener.router if listener else None,
            Router(settings, self._groups, self._randomness),
        )
        if listener and listener.can_become(settings):
            listener.become(settings, router)
        else:
            listener = await self._opened(
                listener, Listener(settings, router, self._tell, self._disguised)
            )
            self._listeners[settings.arn] = listener
        self._use_what_is_referenced()
        return listener.settings.port

    async def _opened(self, old: Listener | None, new: Listener) -> Listener:
        """Open a listener, and close the one it stands for once that has worked."""
        if old and old.settings.port == new.settings.port:  # it needs the same socket
            await self.remove_listener(old.settings.arn)
            old = None
        await new.open(self._host)
        if old:
            await old.close()
        return new

    async def remove_listener(self, arn: str) -> None:
        """Close a listener and its connections.

        Raises:
            KeyError: there is none.
        """
        if arn not in self._listeners:
            raise KeyError(f"there is no listener {arn}")
        await self._listeners.pop(arn).close()
        self._use_what_is_referenced()

    async def open_door(
        self, target: Target, doorkeeper: Doorkeeper, delay: float
    ) -> Target:
        """Open a door before a target, and return where it is.

        Raises:
            OSError: there is no port.
        """
        door = Door(target, doorkeeper)
        opened = await door.open(delay)
        self._doors.append(door)
        return opened

    async def close(self) -> None:
        """Close every listener and every connection."""
        for arn in tuple(self._listeners):
            await self._listeners.pop(arn).close()
        for door in self._doors:
            await door.close()
        groups = tuple(self._groups.values())
        for group in groups:
            group.cut()
        await until(
            lambda: (
                all(group.is_quiet for group in groups)
                and all(door.is_quiet for door in self._doors)
            )
        )

    def _referenced(self) -> frozenset[str]:
        listeners = self._listeners.values()
        return frozenset().union(*(referenced_groups(o.settings) for o in listeners))

    def _use_what_is_referenced(self) -> None:
        used = self._referenced()
        for arn, group in self._groups.items():
            group.use(in_use=arn in used)

    def _disguised(self, arn: str) -> Certificate | None:
        return self.disguise(arn)

    def _tell(self, record: AccessRecord) -> None:
        for observer in self.observers:
            try:
                observer(record)
            except Exception as error:  # noqa: BLE001 - the log must not cost an answer
                context = {"message": "an access observer failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
