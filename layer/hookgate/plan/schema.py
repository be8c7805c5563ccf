"""The shape of a plan file, as pydantic checks it and editors show it.

Types are strict: a number is not converted to text.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from hookgate.codes import Code
from hookgate.errors import InvalidValue, did_you_mean
from hookgate.model import LifecycleEvent
from hookgate.plan.placeholders import holds
from hookgate.units import Duration, seconds_text
from hookgate.yaml_reader import shown

#: CodeDeploy allows a hook one hour.
MOST_SECONDS = 3600.0

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")

# The system's resolver reads a host whose last label is a number as an IPv4 address,
# such as 2130706433, 127.1 and 0x7f000001 (inet_aton).
_LEGACY_V4 = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

_V4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")

_STEP_NAME = re.compile(r"(?![:\s])[\x20-\x7e]{1,100}(?<!\s)")

# RFC 9110, section 5.1: a field name is a token.
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}")

_WITHOUT_HOOK = ("Install", "AllowTestTraffic", "AllowTraffic")


def given(value: Any) -> Any:
    """Refuse null.

    Raises:
        ValueError: the value is null.
    """
    if value is None:
        raise InvalidValue(
            "it is empty; write a value or leave the key out", code=Code.PLAN_NULL
        )
    return value


def some_steps(value: Any) -> Any:
    """Refuse an event without steps.

    Raises:
        ValueError: it has none.
    """
    if value is None or value == []:
        raise InvalidValue(
            "the event has no step; add one, or remove the lifecycle event from the "
            "plan and from the AppSpec",
            code=Code.PLAN_NO_STEPS,
        )
    return value


def some_events(value: Any) -> Any:
    """Refuse a plan without lifecycle events.

    Raises:
        ValueError: it has none.
    """
    if value is None or value == {}:
        raise InvalidValue(
            "the plan has no lifecycle event; add one of " + ", ".join(LifecycleEvent),
            code=Code.PLAN_NO_STEPS,
        )
    return value


def first_version(value: Any) -> Any:
    """Accept the version 1, and no value that equals it, such as true.

    Raises:
        ValueError: it is anything else.
    """
    if type(value) is not int or value != 1:
        raise InvalidValue(
            "expected version 1; write version: 1",
            code=Code.PLAN_VERSION,
        )
    return value


def lifecycle_event(value: str) -> LifecycleEvent:
    """Read the name of a lifecycle event that has a hook.

    Raises:
        ValueError: it has no hook.
    """
    known = [str(each) for each in LifecycleEvent]
    if value in known:
        return LifecycleEvent(value)
    if value in _WITHOUT_HOOK:
        raise InvalidValue(
            f"CodeDeploy calls no function at {value}; the hooks of ECS are: "
            + ", ".join(known),
            code=Code.PLAN_EVENT,
        )
    hint = did_you_mean(value, known, "the hooks of ECS are")
    raise InvalidValue(
        f"unknown lifecycle event {shown(value)}{hint}", code=Code.PLAN_EVENT
    )


def timeout(seconds: float) -> float:
    """Check a step's timeout in seconds.

    Raises:
        ValueError: it is 0, or longer than a hook may take.
    """
    if not 0 < seconds <= MOST_SECONDS:
        most = seconds_text(MOST_SECONDS)
        raise InvalidValue(
            f"expected a timeout of more than 0 s and at most {most}",
            code=Code.PLAN_TIMEOUT,
        )
    return seconds


def step_name(value: str) -> str:
    """Check a name that is also the value of a CloudWatch dimension.

    Raises:
        ValueError: CloudWatch does not accept it, or it contains a placeholder.
    """
    if holds(value):
        raise InvalidValue(
            "a step's name cannot contain ${…}: it is the same in every deployment, so "
            "that its metrics are too",
            code=Code.PLAN_PLACEHOLDER_PLACE,
        )
    if not _STEP_NAME.fullmatch(value):
        raise InvalidValue(
            "a step's name is 1 to 100 printable ASCII characters without ':' or space "
            "at its start, as CloudWatch requires of a dimension",
            code=Code.PLAN_STEP_NAME,
        )
    return value


def host(value: str) -> str:
    """Check a host name; with a placeholder it is checked once filled in.

    Raises:
        ValueError: it contains a scheme, a port, a path or another character.
    """
    if not holds(value) and not _HOST_NAME.fullmatch(value):
        raise InvalidValue(
            "a host is a name such as shop.example.com, without scheme, port and path",
            code=Code.PLAN_HOST,
        )
    return value


def address(value: str) -> str:
    """Check a host with a port, such as ``queue.internal:5671``.

    Raises:
        ValueError: it is something else.
    """
    name, _, port = value.rpartition(":")
    if _LEGACY_V4.fullmatch(name.rpartition(".")[2]) and not _V4.fullmatch(name):
        raise InvalidValue(
            f"{shown(name)} is a legacy spelling of an IPv4 address; write four "
            "decimal numbers, such as 10.0.0.2:53",
            code=Code.PLAN_ADDRESS,
        )
    inner = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    is_v6 = inner != name and re.fullmatch(r"[0-9A-Fa-f:.]{2,45}", inner)
    is_port = re.fullmatch(r"[1-9][0-9]{0,4}", port) and int(port) < 2**16
    if not (is_port and (is_v6 or _HOST_NAME.fullmatch(name))):
        raise InvalidValue(
            "an address is a host and a port, such as queue.internal:5671 or "
            "10.0.0.2:53, without ${…}",
            code=Code.PLAN_ADDRESS,
        )
    return value


def header(value: str) -> str:
    """Check the name of a response header.

    Raises:
        ValueError: it is not a valid name.
    """
    if not _HEADER.fullmatch(value):
        raise InvalidValue(
            "a header's name is letters, digits and '-', without ${…}",
            code=Code.PLAN_FORMAT,
        )
    return value


#: Of one lifecycle event.
MOST_STEPS = 1000

# A key that is left out and a key that is null are different.
_Given = BeforeValidator(given)

_Absent = SkipJsonSchema[None]

_Name = Annotated[str, AfterValidator(step_name)]

_Host = Annotated[str, AfterValidator(host)]

_Header = Annotated[str, AfterValidator(header)]

_Address = Annotated[str, AfterValidator(address)]

_Timeout = Annotated[Duration, AfterValidator(timeout)]

_Version = Annotated[Literal[1], BeforeValidator(first_version)]


class _PlanPart(BaseModel):
    # Built with PlanFile, and not again by itself.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, defer_build=True
    )


class IdentityFile(_PlanPart):
    """The response header that proves that green gave the response."""

    header: _Header = Field(
        description="Name of a response header.", examples=["X-App-Version"]
    )
    equals: str = Field(
        min_length=1,
        max_length=1024,
        description="What its value must be; may contain ${…}.",
        examples=["${green.image.tag}"],
    )


class TargetFile(_PlanPart):
    """The host of requests, the proof of the new version, and allowed addresses."""

    host: Annotated[_Host | _Absent, _Given] = Field(
        default=None,
        description="Host header and TLS server name; may contain ${…}.",
        examples=["shop.example.com"],
    )
    identity: Annotated[IdentityFile | _Absent, _Given] = Field(
        default=None,
        description="Proof that the replacement task set gave the response.",
    )
    allow: list[_Address] = Field(
        default_factory=list,
        max_length=20,
        description="Addresses beside the load balancer's that steps may connect to.",
        examples=[["10.0.0.2:53", "queue.internal:5671"]],
    )


class StepFile(_PlanPart):
    """One use of a validator."""

    use: str = Field(description="Name of the validator.", examples=["http"])
    name: Annotated[_Name | _Absent, _Given] = Field(
        default=None, description="Name of the step; the validator's if left out."
    )
    options: dict[str, Any] = Field(
        alias="with", default_factory=dict, description="The validator's options."
    )
    needs: list[str] = Field(
        default_factory=list,
        max_length=MOST_STEPS,
        description="Names of steps of this event that must pass first.",
    )
    blocking: bool = Field(
        default=True, description="Whether the deployment waits for this step to pass."
    )
    timeout: Annotated[_Timeout | _Absent, _Given] = Field(
        default=None,
        description="The maximum time; by default the worst case of the validator.",
    )
    on_no_data: Literal["fail", "pass"] = Field(
        default="fail", description="The result of a step that had no data."
    )
    on_inconclusive: Literal["fail", "pass"] = Field(
        default="fail",
        description="The result of a step whose data does not allow a decision, such "
        "as too few samples.",
    )
    on_error: Literal["fail", "pass"] = Field(
        default="fail",
        description="The result of a step that could not measure, such as when AWS "
        "denies a call. A defect, a wrong plan and a timeout never pass.",
    )


_Event = Annotated[LifecycleEvent, BeforeValidator(lifecycle_event)]

_Steps = Annotated[
    list[StepFile],
    Field(min_length=1, max_length=MOST_STEPS),
    BeforeValidator(some_steps),
]

_Events = Annotated[dict[_Event, _Steps], BeforeValidator(some_events)]


class PlanFile(_PlanPart):
    """Which steps run at which lifecycle event."""

    version: _Version = Field(description="The version of this format.")
    target: Annotated[TargetFile | _Absent, _Given] = Field(
        default=None, description="The target of the steps' requests."
    )
    concurrency: int = Field(
        default=8,
        ge=1,
        le=32,
        description="Maximum number of concurrent steps.",
    )
    events: _Events = Field(
        min_length=1, description="The steps of each lifecycle event."
    )
