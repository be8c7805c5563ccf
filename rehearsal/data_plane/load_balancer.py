"""Listeners and the target groups they forward to, on one loop."""

from __future__ import annotations

import asyncio
from random import Random

from rehearsal.data_plane.listener import Listener
from rehearsal.data_plane.loop_thread import until
from rehearsal.data_plane.observations import AccessObserver, AccessRecord
from rehearsal.data_plane.routing import Router, referenced_groups
from rehearsal.data_plane.settings import ListenerSettings, TargetGroupSettings
from rehearsal.data_plane.target_group import TargetGroup


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
        self.observers: tuple[AccessObserver, ...] = ()

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
        router = Router(settings, self._groups, self._randomness)
        listener = self._listeners.get(settings.arn)
        if listener and listener.can_become(settings):
            listener.become(settings, router)
        else:
            listener = await self._opened(
                listener, Listener(settings, router, self._tell)
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

    async def close(self) -> None:
        """Close every listener and every connection."""
        for arn in tuple(self._listeners):
            await self._listeners.pop(arn).close()
        groups = tuple(self._groups.values())
        for group in groups:
            group.cut()
        await until(lambda: all(group.is_quiet for group in groups))

    def _referenced(self) -> frozenset[str]:
        listeners = self._listeners.values()
        return frozenset().union(*(referenced_groups(o.settings) for o in listeners))

    def _use_what_is_referenced(self) -> None:
        used = self._referenced()
        for arn, group in self._groups.items():
            group.use(in_use=arn in used)

    def _tell(self, record: AccessRecord) -> None:
        for observer in self.observers:
            try:
                observer(record)
            except Exception as error:  # noqa: BLE001 - the log must not cost an answer
                context = {"message": "an access observer failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)
