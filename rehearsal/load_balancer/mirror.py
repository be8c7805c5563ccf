"""Keeps the data plane as moto says it is."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from rehearsal.data_plane import (
    Certificate,
    DataPlane,
    ListenerSettings,
    TargetGroupSettings,
)
from rehearsal.load_balancer import translation


class MirrorError(Exception):
    """The data plane cannot do what was configured; the message says why."""


class Mirror:
    """Copies target groups, listeners and rules from moto to the data plane.

    Args:
        plane: The data plane.
        backend: Gives moto's ELBv2 backend.
        host: Where the data plane listens: every load balancer's DNS name.
        pace: What health check intervals are multiplied by.
        certificate: What encrypted listeners present.
    """

    def __init__(
        self,
        plane: DataPlane,
        backend: Callable[[], Any],
        *,
        host: str,
        pace: float,
        certificate: Certificate | None,
    ) -> None:
        self._plane = plane
        self._backend = backend
        self._host = host
        self._pace = pace
        self._certificate = certificate
        self._lock = threading.Lock()
        self._groups: dict[str, TargetGroupSettings] = {}
        self._listeners: dict[str, ListenerSettings] = {}

    def refresh(self) -> dict[str, str]:
        """Bring the data plane to what moto now says.

        Returns:
            DNS names that moto invented, each with the one to tell instead.

        Raises:
            MirrorError: A listener cannot be opened; moto has forgotten it again.
        """
        with self._lock:
            backend = self._backend()
            self._put_groups(backend)
            self._put_listeners(backend)
            self._remove_groups(backend)
            return self._rename(backend)

    def _put_groups(self, backend: Any) -> None:
        for arn, group in backend.target_groups.items():
            settings = translation.target_group(group, self._pace)
            if self._groups.get(arn) != settings:
                self._plane.put_target_group(settings)
                self._groups[arn] = settings

    def _remove_groups(self, backend: Any) -> None:
        for arn in set(self._groups) - set(backend.target_groups):
            self._plane.remove_target_group(arn)
            del self._groups[arn]

    def _put_listeners(self, backend: Any) -> None:
        found = {
            arn: listener
            for balancer in backend.load_balancers.values()
            for arn, listener in balancer.listeners.items()
        }
        for arn in set(self._listeners) - set(found):
            self._plane.remove_listener(arn)
            del self._listeners[arn]
        for arn, listener in found.items():
            try:
                settings = translation.listener(listener, self._certificate)
                if self._listeners.get(arn) != settings:
                    self._plane.put_listener(settings)
                    self._listeners[arn] = settings
            except (OSError, KeyError, ValueError) as error:
                self._forget(backend, arn)
                message = f"the listener on port {listener.port} cannot open: {error}"
                raise MirrorError(message) from error

    def _forget(self, backend: Any, arn: str) -> None:
        """Take a listener that never opened out of moto; a changed one stays."""
        if arn not in self._listeners:
            backend.delete_listener(arn)

    def _rename(self, backend: Any) -> dict[str, str]:
        renamed = {}
        for balancer in backend.load_balancers.values():
            if balancer.dns_name != self._host:
                renamed[balancer.dns_name] = self._host
                balancer.dns_name = self._host
            balancer.activate()
        return renamed
