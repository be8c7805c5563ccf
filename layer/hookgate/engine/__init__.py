"""Runs the steps of an event and turns what they state into a verdict."""

from hookgate.engine.bounded import begin
from hookgate.engine.judge import Bench, judge

__all__ = ["Bench", "begin", "judge"]
