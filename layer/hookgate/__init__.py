"""Hookgate decides whether a new version may take production traffic.

The public names: what a validator's author and a hook need. Each is imported when it
is first used, so that a function starts with no more than its plan takes.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hookgate.bound import Bound, DurationBound, NumberBound, PercentageBound
    from hookgate.cloudwatch import Window, metric_query, metric_values
    from hookgate.codes import Code
    from hookgate.connection import Encryption, TlsVersion
    from hookgate.connection.chain import Presented, presented
    from hookgate.connection.destination import ROUTING, Destination
    from hookgate.connection.line import Line
    from hookgate.connection.old_tls import agreed_on
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
        InvalidValue,
        NoAnswer,
        NoData,
        NotFound,
        NotGreen,
        too_few,
    )
    from hookgate.expectation import Expectation
    from hookgate.expectation.capture import Capture
    from hookgate.expectation.findings import judge
    from hookgate.expectation.must import Must, ValueIs, judge_value
    from hookgate.expectation.value import Missing, Unreadable
    from hookgate.foreign.answer import (
        foreign_document,
        foreign_findings,
        foreign_question,
    )
    from hookgate.foreign.child import run_child
    from hookgate.http_options import Auth, File
    from hookgate.http_options.compression import Encodings
    from hookgate.http_options.request import HttpRequest
    from hookgate.model import Finding, LifecycleEvent, Status
    from hookgate.openapi.document import OpenApiDocument, Operation
    from hookgate.patience.attempt import Attempt, Settled
    from hookgate.patience.attempts import eventually
    from hookgate.patience.words import (
        Consecutive,
        Every,
        Patience,
        Repeat,
        StableFor,
        StopOn,
        Within,
    )
    from hookgate.probe import (
        Certificate,
        Phases,
        Probe,
        Redirect,
        Reply,
        Request,
        Trust,
    )
    from hookgate.protocols.conversation import Message
    from hookgate.protocols.dialogue import Dialogue, Turn
    from hookgate.protocols.dns_call import (
        DnsQuestion,
        DnsTransport,
        ask_dns,
        nameservers,
    )
    from hookgate.protocols.dns_records import DnsRecords
    from hookgate.protocols.handshake import converse
    from hookgate.protocols.health_call import ask_health
    from hookgate.routing.routes import Route, read_routes
    from hookgate.runtime import hook
    from hookgate.scenario import ScenarioItem, Script, ScriptRun, Visitor
    from hookgate.secret_text import SecretText
    from hookgate.statuses import Statuses, status_in
    from hookgate.traffic.load import Load, Shot
    from hookgate.traffic.options import TrafficRequest, TrafficStage
    from hookgate.traffic.pace import Pace
    from hookgate.traffic.recorded import READING, AccessLog
    from hookgate.traffic.terms import Terms
    from hookgate.traffic.thresholds import Thresholds
    from hookgate.units import Duration, Pattern, Percentage, Rate, Size
    from hookgate.validator import Tools, Validator

_NAMES = {
    "openapi.document": ("OpenApiDocument", "Operation"),
    "foreign.child": ("run_child",),
    "protocols.dns_call": (
        "DnsQuestion",
        "DnsTransport",
        "ask_dns",
        "nameservers",
    ),
    "protocols.dns_records": ("DnsRecords",),
    "protocols.health_call": ("ask_health",),
    "protocols.handshake": ("converse",),
    "protocols.conversation": ("Message",),
    "codes": ("Code",),
    "connection.old_tls": ("agreed_on",),
    "connection": ("Encryption", "TlsVersion"),
    "connection.line": ("Line",),
    "protocols.dialogue": ("Dialogue", "Turn"),
    "connection.destination": ("ROUTING", "Destination"),
    "connection.chain": ("Presented", "presented"),
    "bound": ("Bound", "DurationBound", "NumberBound", "PercentageBound"),
    "cloudwatch": ("Window", "metric_query", "metric_values"),
    "patience.attempt": ("Attempt", "Settled"),
    "patience.attempts": ("eventually",),
    "context": (
        "AppSpec",
        "Container",
        "DeploymentContext",
        "Endpoint",
        "Image",
        "Side",
        "TaskDefinition",
        "known",
    ),
    "deadline": ("Deadline",),
    "errors": (
        "AccessDenied",
        "CannotMeasure",
        "Inconclusive",
        "InvalidValue",
        "NoAnswer",
        "NotFound",
        "NoData",
        "NotGreen",
        "too_few",
    ),
    "expectation": ("Expectation",),
    "expectation.capture": ("Capture",),
    "expectation.findings": ("judge",),
    "expectation.must": ("Must", "ValueIs", "judge_value"),
    "expectation.value": ("Missing", "Unreadable"),
    "foreign.answer": ("foreign_document", "foreign_findings", "foreign_question"),
    "http_options": ("Auth", "File"),
    "http_options.compression": ("Encodings",),
    "http_options.request": ("HttpRequest",),
    "secret_text": ("SecretText",),
    "model": ("Finding", "LifecycleEvent", "Status"),
    "patience.words": (
        "Consecutive",
        "Every",
        "Patience",
        "Repeat",
        "StableFor",
        "StopOn",
        "Within",
    ),
    "probe": (
        "Certificate",
        "Phases",
        "Probe",
        "Redirect",
        "Reply",
        "Request",
        "Trust",
    ),
    "routing.routes": ("Route", "read_routes"),
    "runtime": ("hook",),
    "scenario": ("ScenarioItem", "Script", "ScriptRun", "Visitor"),
    "statuses": ("Statuses", "status_in"),
    "traffic.load": ("Load", "Shot"),
    "traffic.options": ("TrafficRequest", "TrafficStage"),
    "traffic.pace": ("Pace",),
    "traffic.recorded": ("READING", "AccessLog"),
    "traffic.terms": ("Terms",),
    "traffic.thresholds": ("Thresholds",),
    "units": ("Duration", "Pattern", "Percentage", "Rate", "Size"),
    "validator": ("Tools", "Validator"),
}
_HOME = {name: module for module, names in _NAMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name (PEP 562)."""
    if name not in _HOME:
        raise AttributeError(f"module 'hookgate' has no attribute {name!r}")
    value = getattr(import_module(f"hookgate.{_HOME[name]}"), name)
    globals()[name] = value
    return value


__all__ = [
    "READING",
    "ROUTING",
    "AccessDenied",
    "AccessLog",
    "AppSpec",
    "Attempt",
    "Auth",
    "Bound",
    "CannotMeasure",
    "Capture",
    "Certificate",
    "Code",
    "Consecutive",
    "Container",
    "Deadline",
    "DeploymentContext",
    "Destination",
    "Dialogue",
    "DnsQuestion",
    "DnsRecords",
    "DnsTransport",
    "Duration",
    "DurationBound",
    "Encodings",
    "Encryption",
    "Endpoint",
    "Every",
    "Expectation",
    "File",
    "Finding",
    "HttpRequest",
    "Image",
    "Inconclusive",
    "InvalidValue",
    "LifecycleEvent",
    "Line",
    "Load",
    "Message",
    "Missing",
    "Must",
    "NoAnswer",
    "NoData",
    "NotFound",
    "NotGreen",
    "NumberBound",
    "OpenApiDocument",
    "Operation",
    "Pace",
    "Patience",
    "Pattern",
    "Percentage",
    "PercentageBound",
    "Phases",
    "Presented",
    "Probe",
    "Rate",
    "Redirect",
    "Repeat",
    "Reply",
    "Request",
    "Route",
    "ScenarioItem",
    "Script",
    "ScriptRun",
    "SecretText",
    "Settled",
    "Shot",
    "Side",
    "Size",
    "StableFor",
    "Status",
    "Statuses",
    "StopOn",
    "TaskDefinition",
    "Terms",
    "Thresholds",
    "TlsVersion",
    "Tools",
    "TrafficRequest",
    "TrafficStage",
    "Trust",
    "Turn",
    "Unreadable",
    "Validator",
    "ValueIs",
    "Visitor",
    "Window",
    "Within",
    "agreed_on",
    "ask_dns",
    "ask_health",
    "converse",
    "eventually",
    "foreign_document",
    "foreign_findings",
    "foreign_question",
    "hook",
    "judge",
    "judge_value",
    "known",
    "metric_query",
    "metric_values",
    "nameservers",
    "presented",
    "read_routes",
    "run_child",
    "status_in",
    "too_few",
]
