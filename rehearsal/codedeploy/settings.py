"""How long the engine waits for what."""

from __future__ import annotations

from dataclasses import dataclass, field

from rehearsal.codedeploy.assumptions import Assumptions

HOUR = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineSettings:
    """The engine's times, in seconds; the defaults are CodeDeploy's own limits.

    Attributes:
        hook_timeout: How long a hook's function may take to report.
        install_timeout: How long the replacement task set may take to become steady.
        minute: How long a minute lasts in waits that the API gives in minutes: 1.0
            plays them sixty times faster and leaves hooks and health checks alone.
        poll_interval: How often the replacement task set is looked at.
        deployments_kept: How many deployments are remembered; the oldest that are over
            are forgotten first.
        alarm_poll_interval: How often the group's alarms are looked at. CodeDeploy's
            own interval is not documented; a captured deployment stopped within 16 s.
        assumptions: What is unverified about CodeDeploy.
    """

    hook_timeout: float = HOUR
    install_timeout: float = HOUR
    minute: float = 60.0
    poll_interval: float = 0.2
    deployments_kept: int = 1000
    alarm_poll_interval: float = 5.0
    assumptions: Assumptions = field(default_factory=Assumptions)
