"""Everything about the stage's CloudWatch that can be set."""

from __future__ import annotations

from dataclasses import dataclass, field

from rehearsal.cloudwatch.assumptions import CloudWatchAssumptions


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchSettings:
    """The stage's CloudWatch.

    Attributes:
        pace: What an alarm's periods are multiplied by: 1/30 lets a minute pass in two
            seconds. Periods that a client asks GetMetricData for stay as asked.
        most_metrics: More metrics than this are not kept.
        most_alarms: CloudWatch's own limit of alarms.
        assumptions: What is unverified about CloudWatch.
    """

    pace: float = 1.0
    most_metrics: int = 5000
    most_alarms: int = 5000
    assumptions: CloudWatchAssumptions = field(default_factory=CloudWatchAssumptions)

    @property
    def resolution(self) -> float:
        """Seconds that one kept bucket spans: CloudWatch's second at the pace."""
        return max(self.pace, 0.01)
