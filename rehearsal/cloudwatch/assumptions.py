"""Every choice about CloudWatch that no document settles, in one place.

Each field is a setting, which a scenario gives under ``assumptions: cloudwatch:``.

The rest follows the CloudWatch user guide ("Alarm evaluation", "Configuring how
CloudWatch alarms treat missing data", "Metric math syntax and functions") and
botocore's model of the API.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class CloudWatchAssumptions(BaseModel):
    """What the rehearsal takes CloudWatch to do where nobody has written it down."""

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

    # Doubt: the guide names no interval at which hosts are counted; in stage seconds.
    seconds_between_host_counts: float = Field(10.0, ge=1)
