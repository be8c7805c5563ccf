"""Hookgate decides whether a new version may take production traffic.

The public names: what a validator's author and a hook need.
"""

from hookgate.context import (
    AppSpec,
    Container,
    DeploymentContext,
    Endpoint,
    Image,
    Side,
    TaskDefinition,
    known,
)
from hookgate.deadline import Deadline
from hookgate.errors import (
    AccessDenied,
    CannotMeasure,
    Inconclusive,
    NoAnswer,
    NotGreen,
)
from hookgate.eventually import (
    Attempt,
    Consecutive,
    Every,
    Patience,
    Within,
    eventually,
)
from hookgate.expectation import Expectation, judge
from hookgate.model import Finding, LifecycleEvent, Status
from hookgate.probe import Probe, Reply, Request
from hookgate.routes import Route, read_routes
from hookgate.runtime import hook
from hookgate.statuses import Statuses, status_in
from hookgate.units import Duration, Pattern, Percentage, Rate, Size
from hookgate.validator import Tools, Validator

__all__ = [
    "AccessDenied",
    "AppSpec",
    "Attempt",
    "CannotMeasure",
    "Consecutive",
    "Container",
    "Deadline",
    "DeploymentContext",
    "Duration",
    "Endpoint",
    "Every",
    "Expectation",
    "Finding",
    "Image",
    "Inconclusive",
    "LifecycleEvent",
    "NoAnswer",
    "NotGreen",
    "Patience",
    "Pattern",
    "Percentage",
    "Probe",
    "Rate",
    "Reply",
    "Request",
    "Route",
    "Side",
    "Size",
    "Status",
    "Statuses",
    "TaskDefinition",
    "Tools",
    "Validator",
    "Within",
    "eventually",
    "hook",
    "judge",
    "known",
    "read_routes",
    "status_in",
]
