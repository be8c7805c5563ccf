"""The data plane: the emulator's listeners and their target groups."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Self

from hookgate_rehearsal.data_plane.http_server import HttpConnection
from hookgate_rehearsal.data_plane.listener import (
    AccessObserver,
    AccessRecord,
    CertificateOverride,
    Listener,
)
from hookgate_rehearsal.data_plane.loop_thread import LoopThread, until
from hookgate_rehearsal.data_plane.routing import Router, Routing, referenced_groups
from hookgate_rehearsal.data_plane.settings import (
    Forward,
    ListenerSettings,
    Protocol,
    Target,
    TargetGroupSettings,
)
from hookgate_rehearsal.data_plane.target_group import TargetGroup, TargetHealth
from hookgate_rehearsal.data_plane.tcp import TcpConnection

#: Longer than any load balancer waits for a target, in seconds.
_TARGET_PROXY_IDLE_TIMEOUT = 4000.0

RouteOverride = Callable[[ListenerSettings, Routing | None, Routing], Routing]
"""Takes a changed listener, its routing before and after; returns what to use."""

RoutingFactory = Callable[[TargetGroup], Routing]
"""Makes the routing of a target's proxy; the group contains only the target."""


class DataPlane:
    """Real listeners that forward to real targets, as ALB and NLB do.

    Every method may be called from any thread. A change is in effect when the method
    returns: the next request uses it, and running requests are not disturbed. A method
    raises KeyError if a target group or listener does not exist.

    Args:
        host: the address that listeners are bound to.
        randomness: the random numbers for the choice by weight.

    Attributes:
        override_route: a fault, which decides which routing a changed listener uses.
        override_certificate: a fault, which decides which certificate a listener
            presents. Set both before the first listener is added; they are called on
            the data plane's loop, and must not wait.
    """

    def __init__(
        self, *, host: str = "127.0.0.1", randomness: Random | None = None
    ) -> None:
        self._thread = LoopThread("data-plane")
        self._host = host
        self._randomness = randomness or Random()  # noqa: S311 - not for security
        self._groups: dict[str, TargetGroup] = {}
        self._listeners: dict[str, Listener] = {}
        self._proxy_numbers = count()
        self._observers: tuple[AccessObserver, ...] = ()
        self.override_route: RouteOverride = lambda _settings, _before, after: after
        self.override_certificate: CertificateOverride = lambda _arn: None

    def start(self) -> None:
        """Start, without listeners."""
        self._thread.start()

    def close(self) -> None:
        """End every listener, connection, health check and the thread."""
        if self._thread.is_running:
            self._thread.run(self._close())
            self._thread.close()

    def __enter__(self) -> Self:
        """Start."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def observe_access(self, observer: AccessObserver) -> None:
        """Call an observer for every line of the access log.

        It is called on the data plane's loop, before the client has the end of the
        response: it must be brief, and must not wait.
        """
        self._observers = (*self._observers, observer)

    def open_target_proxy(
        self, target: Target, routing: RoutingFactory, delay: float = 0.0
    ) -> Target:
        """Open a proxy in front of a target, for faults; it stays until the end.

        Args:
            target: where the proxy forwards to.
            routing: makes what decides for each request, on the data plane's loop.
            delay: seconds for which the proxy refuses connections.

        Returns:
            The target to register instead.

        Raises:
            OSError: there is no free port.
        """

        async def open_() -> Target:
            arn = f"target-proxy:{next(self._proxy_numbers)}"
            group = TargetGroup(TargetGroupSettings(arn=arn))
            group.register(target)
            settings = ListenerSettings(
                arn=arn,
                protocol=Protocol.HTTP,
                default_action=Forward(weights={}),
                idle_timeout=_TARGET_PROXY_IDLE_TIMEOUT,
                keeps_forwarded=True,
            )
            # The load balancer logs the same request, so this access log is dropped.
            listener = Listener(settings, routing(group), HttpConnection, _drop_record)
            await listener.open(target.id, delay)
            self._groups[arn], self._listeners[arn] = group, listener
            return Target(id=target.id, port=listener.settings.port)

        return self._thread.run(open_())

    def put_target_group(self, settings: TargetGroupSettings) -> None:
        """Add a target group, or change the settings of the one with this ARN.

        A change applies from the next health check and deregistration; a change of the
        protocol applies to targets that are registered later.
        """

        def put() -> None:
            if group := self._groups.get(settings.arn):
                group.settings = settings
            else:
                self._groups[settings.arn] = TargetGroup(settings)

        self._thread.call(put)

    def remove_target_group(self, arn: str) -> None:
        """Remove a target group and its targets.

        Raises:
            ValueError: a listener references it.
        """

        def remove() -> None:
            group = self._group(arn)
            if arn in self._referenced():
                raise ValueError(f"target group {arn} is in use by a listener")
            group.abort()
            del self._groups[arn]

        self._thread.call(remove)

    def register(self, target_group_arn: str, target: Target) -> None:
        """Add a target, which gets requests once it is healthy."""
        self._thread.call(lambda: self._group(target_group_arn).register(target))

    def deregister(self, target_group_arn: str, target: Target) -> None:
        """Send a target no new requests; remove it after the deregistration delay."""
        self._thread.call(lambda: self._group(target_group_arn).deregister(target))

    def health(self, target_group_arn: str) -> tuple[TargetHealth, ...]:
        """What DescribeTargetHealth returns, draining targets included."""
        return self._thread.call(lambda: self._group(target_group_arn).health())

    def in_flight(self, target_group_arn: str, target: Target) -> int:
        """The number of requests or connections that a target is handling.

        A draining target with none may be stopped before its delay is over.
        """
        return self._thread.call(
            lambda: self._group(target_group_arn).in_flight(target)
        )

    def put_listener(self, settings: ListenerSettings) -> int:
        """Add a listener, or change the one with this ARN, between two requests.

        A change keeps the socket and its connections, unless the port or the protocol
        changes.

        Returns:
            The port it is bound to.

        Raises:
            OSError: the port is taken or forbidden, or a certificate unreadable.
        """
        return self._thread.run(self._put_listener(settings))

    def remove_listener(self, arn: str) -> None:
        """Close a listener and its connections."""
        self._thread.run(self._remove_listener(arn))

    # On the data plane's loop.

    def _group(self, arn: str) -> TargetGroup:
        if arn not in self._groups:
            raise KeyError(f"there is no target group {arn}")
        return self._groups[arn]

    async def _put_listener(self, settings: ListenerSettings) -> int:
        for arn in referenced_groups(settings):
            self._group(arn)
        listener = self._listeners.get(settings.arn)
        router = self.override_route(
            settings,
            listener.router if listener else None,
            Router(settings, self._groups, self._randomness),
        )
        if listener and listener.can_update(settings):
            listener.update(settings, router)
        else:
            kind = HttpConnection if settings.protocol.is_http else TcpConnection
            new = Listener(
                settings,
                router,
                kind,
                self._log_access,
                self.override_certificate,
            )
            if listener and listener.settings.port == settings.port:
                # The new one needs the same socket.
                await self._listeners.pop(settings.arn).close()
                listener = None
            await new.open(self._host)
            if listener:
                await listener.close()
            self._listeners[settings.arn] = listener = new
        self._update_health_checks()
        return listener.settings.port

    async def _remove_listener(self, arn: str) -> None:
        if arn not in self._listeners:
            raise KeyError(f"there is no listener {arn}")
        await self._listeners.pop(arn).close()
        self._update_health_checks()

    async def _close(self) -> None:
        for arn in tuple(self._listeners):
            await self._listeners.pop(arn).close()
        for group in self._groups.values():
            group.abort()
        await until(lambda: all(group.is_quiet for group in self._groups.values()))

    def _referenced(self) -> frozenset[str]:
        listeners = self._listeners.values()
        return frozenset().union(*(referenced_groups(o.settings) for o in listeners))

    def _update_health_checks(self) -> None:
        """Run the health checks of the groups that a listener references."""
        used = self._referenced()
        for arn, group in self._groups.items():
            group.use(in_use=arn in used)

    def _log_access(self, record: AccessRecord) -> None:
        for observer in self._observers:
            try:
                observer(record)
            except Exception as error:  # noqa: BLE001 - the log must not cost a response
                context = {"message": "an access observer failed", "exception": error}
                asyncio.get_running_loop().call_exception_handler(context)


def _drop_record(record: AccessRecord) -> None:
    del record
