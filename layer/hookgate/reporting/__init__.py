"""Where a verdict is told: structured logs and CloudWatch metrics, a module each."""
