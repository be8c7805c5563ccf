"""Everything about a stage that can be set."""

from __future__ import annotations

from dataclasses import dataclass, field

from rehearsal.cloudwatch.settings import CloudWatchSettings
from rehearsal.codedeploy.settings import EngineSettings
from rehearsal.ecs.records import EcsSettings

ACCOUNT = "123456789012"  # moto's own default


@dataclass(frozen=True, slots=True, kw_only=True)
class StageSettings:
    """A stage's settings.

    Attributes:
        port: The endpoint's port; 0 lets the kernel choose.
        region: The one region, whatever region clients believe they are in.
        host: Where the endpoint, listeners and tasks are, and the DNS name of every
            load balancer.
        health_check_pace: What health check intervals are multiplied by; ELBv2 takes
            no interval under 5 s, and 0.1 makes half a second of that.
        warm: Names of the functions whose processes are started ahead of need, as
            Lambda's provisioned concurrency does; all of them if it is None.
        engine: CodeDeploy's times and assumptions.
        cloudwatch: CloudWatch's pace and assumptions.
        ecs: ECS's times.
    """

    port: int = 0
    region: str = "us-east-1"
    host: str = "127.0.0.1"
    health_check_pace: float = 1.0
    warm: frozenset[str] | None = None
    engine: EngineSettings = field(default_factory=EngineSettings)
    cloudwatch: CloudWatchSettings = field(default_factory=CloudWatchSettings)
    ecs: EcsSettings = field(default_factory=EcsSettings)
