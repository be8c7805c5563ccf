"""Runs the steps of an event and turns what they state into a verdict."""

from hookgate.engine.scheduler import Bench, begin, judge

__all__ = ["Bench", "begin", "judge"]
