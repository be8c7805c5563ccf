"""The data plane: real listeners, targets and health checks."""

from __future__ import annotations

from hookgate_rehearsal.data_plane.listener import AccessObserver, AccessRecord
from hookgate_rehearsal.data_plane.load_balancer import DataPlane
from hookgate_rehearsal.data_plane.processes import TaskProcess
from hookgate_rehearsal.data_plane.settings import (
    Action,
    Certificate,
    Condition,
    FixedResponse,
    Forward,
    HealthCheck,
    ListenerRule,
    ListenerSettings,
    Protocol,
    Redirect,
    Target,
    TargetGroupSettings,
)
from hookgate_rehearsal.data_plane.target_group import TargetHealth, TargetState

__all__ = [
    "AccessObserver",
    "AccessRecord",
    "Action",
    "Certificate",
    "Condition",
    "DataPlane",
    "FixedResponse",
    "Forward",
    "HealthCheck",
    "ListenerRule",
    "ListenerSettings",
    "Protocol",
    "Redirect",
    "Target",
    "TargetGroupSettings",
    "TargetHealth",
    "TargetState",
    "TaskProcess",
]
