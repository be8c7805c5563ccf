"""The hookgate command. Never deployed."""
