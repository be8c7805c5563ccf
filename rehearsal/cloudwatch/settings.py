"""Everything about the emulator's CloudWatch that can be set."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict, Field


class CloudWatchAssumptions(BaseModel):
    """The assumed behavior of CloudWatch where no document describes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    # Doubt: the guide says that more points are retrieved than EvaluationPeriods, and
    # how many depends on the period; both of its tables retrieve 5 for 3.
    extra_datapoints: int = Field(2, ge=0)

    # Doubt: an alarm is evaluated every minute, a high-resolution one every 10 s; that
    # its window ends at the last such moment is what the guide calls sliding.
    seconds_between_evaluations: float = Field(60.0, ge=1)
    seconds_between_high_resolution_evaluations: float = Field(10.0, ge=1)

    # Doubt: targets that are neither healthy nor unhealthy yet are in neither count.
    initial_is_unhealthy: bool = False

    # Doubt: the guide names no interval at which hosts are counted; in its time.
    seconds_between_host_counts: float = Field(10.0, ge=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchSettings:
    """The emulator's CloudWatch.

    Attributes:
        pace: What an alarm's periods are multiplied by: 1/30 lets a minute pass in two
            seconds. Periods that a client asks GetMetricData for stay as asked.
        assumptions: What is unverified about CloudWatch.
    """

    pace: float = 1.0
    assumptions: CloudWatchAssumptions = field(default_factory=CloudWatchAssumptions)
