"""The rehearsal: a whole ECS blue/green deployment on one machine. Never deployed."""
