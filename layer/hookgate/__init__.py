"""Hookgate decides whether a new version may receive production traffic.

The public API: what the author of a validator needs. Each name is imported when it is
first used, so that a function loads no more than its plan needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hookgate.assertions import Assertion
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
    from hookgate.errors import (
        AccessDenied,
        CannotMeasure,
        Inconclusive,
        NoAnswer,
        NoData,
        NotFound,
    )
    from hookgate.http import Auth, File, Tls
    from hookgate.http.request import Reply, Request, Statuses, Trust
    from hookgate.model import Finding, LifecycleEvent, Metric
    from hookgate.redaction import SecretText
    from hookgate.runtime import hook
    from hookgate.units import Duration, NumberBound, Pattern, Percentage, Rate, Size
    from hookgate.validator import Tools, Validator

_HOME = {
    "AccessDenied": "hookgate.errors",
    "AppSpec": "hookgate.context",
    "Assertion": "hookgate.assertions",
    "Auth": "hookgate.http",
    "CannotMeasure": "hookgate.errors",
    "Container": "hookgate.context",
    "DeploymentContext": "hookgate.context",
    "Duration": "hookgate.units",
    "Endpoint": "hookgate.context",
    "File": "hookgate.http",
    "Finding": "hookgate.model",
    "Image": "hookgate.context",
    "Inconclusive": "hookgate.errors",
    "LifecycleEvent": "hookgate.model",
    "Metric": "hookgate.model",
    "NoAnswer": "hookgate.errors",
    "NoData": "hookgate.errors",
    "NotFound": "hookgate.errors",
    "NumberBound": "hookgate.units",
    "Pattern": "hookgate.units",
    "Percentage": "hookgate.units",
    "Rate": "hookgate.units",
    "Reply": "hookgate.http.request",
    "Request": "hookgate.http.request",
    "SecretText": "hookgate.redaction",
    "Side": "hookgate.context",
    "Size": "hookgate.units",
    "Statuses": "hookgate.http.request",
    "TaskDefinition": "hookgate.context",
    "Tls": "hookgate.http",
    "Tools": "hookgate.validator",
    "Trust": "hookgate.http.request",
    "Validator": "hookgate.validator",
    "hook": "hookgate.runtime",
    "known": "hookgate.context",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'hookgate' has no attribute {name!r}")
    value = getattr(import_module(_HOME[name]), name)
    globals()[name] = value
    return value


__all__ = [
    "AccessDenied",
    "AppSpec",
    "Assertion",
    "Auth",
    "CannotMeasure",
    "Container",
    "DeploymentContext",
    "Duration",
    "Endpoint",
    "File",
    "Finding",
    "Image",
    "Inconclusive",
    "LifecycleEvent",
    "Metric",
    "NoAnswer",
    "NoData",
    "NotFound",
    "NumberBound",
    "Pattern",
    "Percentage",
    "Rate",
    "Reply",
    "Request",
    "SecretText",
    "Side",
    "Size",
    "Statuses",
    "TaskDefinition",
    "Tls",
    "Tools",
    "Trust",
    "Validator",
    "hook",
    "known",
]
