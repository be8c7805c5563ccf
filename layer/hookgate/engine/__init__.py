"""Runs the steps of an event and decides the verdict."""

from hookgate.engine.scheduler import RunContext, run_steps

__all__ = ["RunContext", "run_steps"]
