"""A target group at run time: its targets, their health, and whose turn it is."""

from __future__ import annotations

import asyncio

from rehearsal.data_plane.health import (
    EAGER_INTERVAL,
    HealthRecord,
    check_target,
    speaks,
)
from rehearsal.data_plane.observations import TargetHealth, TargetState
from rehearsal.data_plane.settings import Target, TargetGroupSettings
from rehearsal.data_plane.upstream_pool import UpstreamPool


class Registration:
    """One target in a target group, and what goes on with it."""

    def __init__(self, target: Target, group: TargetGroup) -> None:
        self.target = target
        self.group = group
        self.health = HealthRecord(target)
        self.encryption = speaks(group.settings.protocol)
        self.pool = UpstreamPool(target, self.encryption)
        self.in_flight = 0
        self.checks: asyncio.Task[None] | None = None
        self.drain: asyncio.TimerHandle | None = None
        self.tunnels: set[asyncio.Transport] = set()
        """Both ends of connections through a TCP or TLS listener."""

    @property
    def is_quiet(self) -> bool:
        """Whether no connection to the target is left."""
        return not self.pool.open and not self.tunnels

    def stop_checks(self) -> None:
        """Ask the target no more."""
        if self.checks:
            self.checks.cancel()
            self.checks = None

    def cut(self) -> None:
        """Close every connection to the target."""
        self.stop_checks()
        if self.drain:
            self.drain.cancel()
            self.drain = None
        self.pool.cut()
        for transport in tuple(self.tunnels):
            transport.abort()


class TargetGroup:
    """A target group that listeners forward to.

    Everything here happens on the data plane's loop.
    """

    def __init__(self, settings: TargetGroupSettings) -> None:
        self.settings = settings
        self._registrations: dict[Target, Registration] = {}
        self._candidates: tuple[Registration, ...] = ()
        self._turn = -1
        self._in_use = False

    def choose(self) -> Registration | None:
        """The next healthy target in turn.

        Where none is healthy, ALB fails open to every registered one; where none is
        registered there is none.
        """
        if not self._candidates:
            return None
        self._turn = (self._turn + 1) % len(self._candidates)
        return self._candidates[self._turn]

    def health(self) -> tuple[TargetHealth, ...]:
        """What ELB would tell about every target, draining ones included."""
        return tuple(r.health.seen() for r in self._registrations.values())

    def in_flight(self, target: Target) -> int:
        """How many requests or connections a target works on."""
        registration = self._registrations.get(target)
        return registration.in_flight if registration else 0

    def register(self, target: Target) -> None:
        """Add a target; one that drains comes back, one that is there stays."""
        present = self._registrations.get(target)
        if present and not present.drain:
            return
        registration = present or Registration(target, self)
        if registration.drain:
            registration.drain.cancel()
            registration.drain = None
            registration.pool.keep(some=True)
        self._registrations[target] = registration
        self._watch(registration)
        self._recount()

    def deregister(self, target: Target) -> None:
        """Send the target nothing new, and forget it after the delay."""
        registration = self._registrations.get(target)
        if registration is None or registration.drain:
            return
        registration.stop_checks()
        registration.health.start_over(
            TargetState.DRAINING,
            "Target.DeregistrationInProgress",
            "Target deregistration is in progress",
        )
        registration.pool.keep(some=False)
        registration.drain = asyncio.get_running_loop().call_later(
            self.settings.deregistration_delay, self._forget, registration
        )
        self._recount()

    def use(self, *, in_use: bool) -> None:
        """Ask the targets for their health only while a listener names the group."""
        if in_use == self._in_use:
            return
        self._in_use = in_use
        for registration in self._registrations.values():
            if not registration.drain:
                self._watch(registration)
        self._recount()

    def cut(self) -> None:
        """Forget every target, and close every connection to it."""
        for registration in self._registrations.values():
            registration.cut()
        self._candidates = ()

    @property
    def is_quiet(self) -> bool:
        """Whether no connection to any target is left."""
        return all(r.is_quiet for r in self._registrations.values())

    def _forget(self, registration: Registration) -> None:
        registration.cut()
        if self._registrations.get(registration.target) is registration:
            del self._registrations[registration.target]

    def _recount(self) -> None:
        present = [r for r in self._registrations.values() if not r.drain]
        healthy = [r for r in present if r.health.state is TargetState.HEALTHY]
        self._candidates = tuple(healthy or present)

    def _watch(self, registration: Registration) -> None:
        registration.stop_checks()
        if not self._in_use:
            registration.health.start_over(
                TargetState.UNUSED,
                "Target.NotInUse",
                "Target group is not configured to receive traffic from the load "
                "balancer",
            )
            return
        registration.health.start_over(
            TargetState.INITIAL,
            "Elb.RegistrationInProgress",
            "Target registration is in progress",
        )
        registration.checks = asyncio.create_task(self._check(registration))

    async def _check(self, registration: Registration) -> None:
        loop = asyncio.get_running_loop()
        health = registration.health
        due = loop.time() + self.settings.health_check.interval
        while True:
            check = self.settings.health_check
            result = await check_target(registration.target, check)
            now = loop.time()
            eager = health.state is TargetState.INITIAL and not result.ok and now < due
            if eager:
                health.await_first_check()
                await asyncio.sleep(min(EAGER_INTERVAL, due - now))
                continue
            health.add(result, check)
            self._recount()
            await asyncio.sleep(max(0.0, due - now))
            due += check.interval
