"""Checks that are somebody else's program: how they run, and what they answer."""
