"""The load balancers of a rehearsal, for code that does not want to wait."""

from __future__ import annotations

from random import Random
from typing import Self

from rehearsal.data_plane.door import Doorkeeper
from rehearsal.data_plane.listener import Disguise
from rehearsal.data_plane.load_balancer import Detour, LoadBalancer
from rehearsal.data_plane.loop_thread import LoopThread
from rehearsal.data_plane.observations import AccessObserver, TargetHealth
from rehearsal.data_plane.settings import (
    ListenerSettings,
    Target,
    TargetGroupSettings,
)


class DataPlane:
    """Real listeners that forward to real targets, as ALB and NLB do.

    Every method may be called from any thread. What it changes is changed when it
    returns: the next request that starts goes by it, and none that runs is disturbed.

    Args:
        host: the address that listeners are bound to.
        randomness: what the choice by weight is made with.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", randomness: Random | None = None
    ) -> None:
        self._thread = LoopThread("data-plane")
        self._balancer = LoadBalancer(
            host=host,
            randomness=randomness or Random(),  # noqa: S311 - no cipher's
        )

    def start(self) -> None:
        """Start, with nothing to do yet."""
        self._thread.start()

    def close(self) -> None:
        """End every listener, connection, health check and the thread."""
        if self._thread.is_running:
            self._thread.run(self._balancer.close())
            self._thread.close()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def on_answer(self, observer: AccessObserver) -> None:
        """Tell an observer of every answer.

        It is called on the data plane's loop, before the client has the end of the
        answer: it must be brief, and must not wait.
        """
        self._balancer.observers = (*self._balancer.observers, observer)

    def take_detour(self, detour: Detour) -> None:
        """Let a detour say what a listener that changes really does, for a fault.

        It is called on the data plane's loop, and must not wait.
        """
        self._balancer.detour = detour

    def take_disguise(self, disguise: Disguise) -> None:
        """Let a listener present a certificate that is not its own, for a fault.

        It is called on the data plane's loop, and must not wait.
        """
        self._balancer.disguise = disguise

    def open_door(
        self, target: Target, doorkeeper: Doorkeeper, delay: float = 0.0
    ) -> Target:
        """Open a door before a target, for a fault to stand in; it stays until the end.

        Args:
            target: what is behind it.
            doorkeeper: makes what decides for each request, on the data plane's loop.
            delay: seconds for which connections are refused.

        Returns:
            What to register in the target's place.

        Raises:
            OSError: there is no port.
        """
        return self._thread.run(self._balancer.open_door(target, doorkeeper, delay))

    def put_target_group(self, settings: TargetGroupSettings) -> None:
        """Add a target group, or change the settings of the one with this ARN.

        A change holds from the next health check and deregistration on; the protocol
        holds for targets that are registered from then on.
        """
        self._thread.call(lambda: self._balancer.put_target_group(settings))

    def remove_target_group(self, arn: str) -> None:
        """Remove a target group and forget its targets.

        Raises:
            KeyError: there is no such target group.
            ValueError: a listener names it.
        """
        self._thread.call(lambda: self._balancer.remove_target_group(arn))

    def register(self, target_group_arn: str, target: Target) -> None:
        """Add a target, which gets requests once it is healthy.

        Raises:
            KeyError: there is no such target group.
        """
        self._thread.call(
            lambda: self._balancer.group(target_group_arn).register(target)
        )

    def deregister(self, target_group_arn: str, target: Target) -> None:
        """Give a target no new request; forget it after the deregistration delay.

        Raises:
            KeyError: there is no such target group.
        """
        self._thread.call(
            lambda: self._balancer.group(target_group_arn).deregister(target)
        )

    def health(self, target_group_arn: str) -> tuple[TargetHealth, ...]:
        """What DescribeTargetHealth tells, draining targets included.

        Raises:
            KeyError: there is no such target group.
        """
        return self._thread.call(
            lambda: self._balancer.group(target_group_arn).health()
        )

    def in_flight(self, target_group_arn: str, target: Target) -> int:
        """How many requests or connections a target works on now.

        A draining target with none may be stopped before its delay is over.

        Raises:
            KeyError: there is no such target group.
        """
        return self._thread.call(
            lambda: self._balancer.group(target_group_arn).in_flight(target)
        )

    def put_listener(self, settings: ListenerSettings) -> int:
        """Add a listener, or change the one with this ARN, between two requests.

        A change keeps the socket and its connections, unless the port or the protocol
        changes.

        Returns:
            The port it is bound to.

        Raises:
            KeyError: an action names a target group that does not exist.
            OSError: the port is taken or forbidden, or a certificate unreadable.
        """
        return self._thread.run(self._balancer.put_listener(settings))

    def remove_listener(self, arn: str) -> None:
        """Close a listener and its connections.

        Raises:
            KeyError: there is no such listener.
        """
        self._thread.run(self._balancer.remove_listener(arn))
