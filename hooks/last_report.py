"""Not an event: where Lambda turns when a hook has failed without a report.

The OnFailure destination of the five hooks. It reports Failed in their place, so
that a deployment does not hang until CodeDeploy's hour is over.
"""

from hookgate.last_report import handler

__all__ = ["handler"]
