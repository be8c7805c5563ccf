"""AWS: discovery, plan sources, secrets, idempotency and the status report."""
