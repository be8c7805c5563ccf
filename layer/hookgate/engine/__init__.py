"""Runs the steps of an event and decides the verdict."""

from hookgate.engine.scheduler import RunContext, begin, run_steps

__all__ = ["RunContext", "begin", "run_steps"]
