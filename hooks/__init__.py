"""One module for each lifecycle event of an ECS blue/green deployment."""
