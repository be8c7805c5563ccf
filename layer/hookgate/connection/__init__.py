"""A connection to a place that may be connected to: opened, encrypted, examined."""
