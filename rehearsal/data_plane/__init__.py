"""The data plane: real listeners, real targets, real health checks."""

from __future__ import annotations

from rehearsal.data_plane.observations import (
    AccessObserver,
    AccessRecord,
    TargetHealth,
    TargetState,
)
from rehearsal.data_plane.plane import DataPlane
from rehearsal.data_plane.processes import TaskProcess
from rehearsal.data_plane.rules import (
    Action,
    Condition,
    FixedResponse,
    Forward,
    HostHeader,
    HttpHeader,
    HttpRequestMethod,
    PathPattern,
    QueryString,
    Redirect,
    Rule,
    SourceIp,
)
from rehearsal.data_plane.served_by import ServedBy
from rehearsal.data_plane.settings import (
    Certificate,
    HealthCheck,
    ListenerSettings,
    Protocol,
    Target,
    TargetGroupSettings,
)

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
    "HostHeader",
    "HttpHeader",
    "HttpRequestMethod",
    "ListenerSettings",
    "PathPattern",
    "Protocol",
    "QueryString",
    "Redirect",
    "Rule",
    "ServedBy",
    "SourceIp",
    "Target",
    "TargetGroupSettings",
    "TargetHealth",
    "TargetState",
    "TaskProcess",
]
