"""How ECS runs tasks here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class EcsSettings:
    """Times in seconds.

    Attributes:
        look_interval: How often tasks are looked after.
        steady_after: How long every task must have run for STEADY_STATE; what dies at
            its start must not look steady in between.
        unchecked_after: How long a task that nobody checks must have run for that, as
            long as nothing listens on its port. On AWS minutes pass before a task
            counts as steady; here one that is about to die must not get there first.
        restart_delay: How long a task that died is replaced after, doubled each time.
        longest_restart_delay: The bound of that.
        stop_timeout: SIGTERM to SIGKILL, as a task definition's ``stopTimeout``.
        drain: Most seconds for requests in flight when a task is stopped.
        replaces_unhealthy: Stop and replace tasks that fail the target group's checks.
        health_check_grace: How long after its start a task's failing checks are let
            pass, as a service's ``healthCheckGracePeriodSeconds``. A stage may check
            many times faster than AWS, but programs start no faster than they do.
        stopped_kept: How many stopped tasks of a task set are remembered.
    """

    look_interval: float = 0.05
    steady_after: float = 1.0
    unchecked_after: float = 10.0
    restart_delay: float = 0.1
    longest_restart_delay: float = 10.0
    stop_timeout: float = 5.0
    drain: float = 10.0
    replaces_unhealthy: bool = True
    health_check_grace: float = 20.0
    stopped_kept: int = 50
