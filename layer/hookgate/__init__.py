"""Hookgate decides whether a new version may take production traffic.

The public names: what a validator's author and a hook need.
"""

from hookgate.context import DeploymentContext, known
from hookgate.deadline import Deadline
from hookgate.errors import (
    AccessDenied,
    CannotMeasure,
    Inconclusive,
    NoAnswer,
    NotGreen,
)
from hookgate.model import Finding, LifecycleEvent, Status
from hookgate.probe import Reply, Request
from hookgate.runtime import hook
from hookgate.units import Duration, Pattern, Percentage, Rate, Size
from hookgate.validator import Tools, Validator

__all__ = [
    "AccessDenied",
    "CannotMeasure",
    "Deadline",
    "DeploymentContext",
    "Duration",
    "Finding",
    "Inconclusive",
    "LifecycleEvent",
    "NoAnswer",
    "NotGreen",
    "Pattern",
    "Percentage",
    "Rate",
    "Reply",
    "Request",
    "Size",
    "Status",
    "Tools",
    "Validator",
    "hook",
    "known",
]
