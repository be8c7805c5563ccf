"""Lambda: each function in a process of its own, behind the Runtime API."""
