"""Every choice about CloudWatch that no document settles, in one place.

The rest follows the CloudWatch user guide ("Alarm evaluation", "Configuring how
CloudWatch alarms treat missing data", "Metric math syntax and functions") and
botocore's model of the API.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudWatchAssumptions:
    """What the rehearsal takes CloudWatch to do where nobody has written it down."""

    # Doubt: the guide says that more points are retrieved than EvaluationPeriods, and
    # how many depends on the period; both of its tables retrieve 5 for 3.
    extra_datapoints: int = 2

    # Doubt: an alarm is evaluated every minute, a high-resolution one every 10 s; that
    # its window ends at the last such moment is what the guide calls sliding.
    seconds_between_evaluations: float = 60.0
    seconds_between_high_resolution_evaluations: float = 10.0

    # Doubt: targets that are neither healthy nor unhealthy yet are in neither count.
    initial_is_unhealthy: bool = False

    # Doubt: the guide names no interval at which hosts are counted; in stage seconds.
    seconds_between_host_counts: float = 10.0
