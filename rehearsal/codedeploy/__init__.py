"""CodeDeploy for ECS: its engine as a state machine, and its API."""
