"""Several requests in order that hand values on: a user's way through the service."""

from hookgate.scenario.run import ScriptRun
from hookgate.scenario.script import Script
from hookgate.scenario.step import Call, Group, ScenarioItem
from hookgate.scenario.visitor import Visitor

__all__ = ["Call", "Group", "ScenarioItem", "Script", "ScriptRun", "Visitor"]
