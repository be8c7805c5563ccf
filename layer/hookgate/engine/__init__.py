"""Runs the steps of an event and turns what they state into a verdict."""

from hookgate.engine.scheduler import RunContext, begin, run_steps

__all__ = ["RunContext", "begin", "run_steps"]
