"""ECS: task sets whose tasks are real processes."""
