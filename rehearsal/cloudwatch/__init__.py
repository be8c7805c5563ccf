"""CloudWatch at the stage: metrics that are measured and alarms that are evaluated."""
