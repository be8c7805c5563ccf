"""Talk: the hookgate command. Never deployed."""
