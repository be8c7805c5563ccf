"""The data plane: real listeners, targets and health checks."""
