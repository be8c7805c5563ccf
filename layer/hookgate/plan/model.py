"""A plan: its shape in a file, which pydantic checks, and the plan that was read.

The types of a file are strict: a number is not converted to text. The reader copies the
keys of a step by name from ``StepFile`` to ``Step``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from hookgate.codes import Code
from hookgate.errors import (
    CannotMeasure,
    InvalidValue,
    Place,
    PlanError,
    PlanOrigin,
    Problem,
    did_you_mean,
)
from hookgate.files import FILLED
from hookgate.model import LifecycleEvent
from hookgate.plan.options import StepFiles, filled
from hookgate.plan.placeholders import holds, substituted, texts
from hookgate.units import Duration, TextFormat, seconds_text
from hookgate.validator import Validator
from hookgate.yaml_reader import shown

Substitute = Callable[[str], str]

#: CodeDeploy allows a hook one hour.
_MOST_SECONDS = 3600.0

#: Of one lifecycle event.
MOST_STEPS = 1000

#: Names of steps that a warning lists.
_MOST_NAMES = 5

_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?")

# The system's resolver reads a host whose last label is a number as an IPv4 address,
# such as 2130706433, 127.1 and 0x7f000001 (inet_aton).
_LEGACY_V4 = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")

_OCTET = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"

_V4 = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")

_STEP_NAME = re.compile(r"(?![:\s])[\x20-\x7e]{1,100}(?<!\s)")

_WITHOUT_HOOK = ("Install", "AllowTestTraffic", "AllowTraffic")


def _not_null(value: Any) -> Any:
    """Refuse null: a key that is left out and a key that is null are different."""
    if value is None:
        raise InvalidValue(
            "it is empty; write a value or leave the key out", code=Code.PLAN_NULL
        )
    return value


def _some(what: str) -> BeforeValidator:
    """Refuse a mapping or list that is empty, with this message."""

    def check(value: Any) -> Any:
        if value in (None, [], {}):
            raise InvalidValue(what, code=Code.PLAN_NO_STEPS)
        return value

    return BeforeValidator(check)


def _first_version(value: Any) -> Any:
    """Accept the version 1, and no value that equals it, such as true."""
    if type(value) is not int or value != 1:
        raise InvalidValue(
            "expected version 1; write version: 1", code=Code.PLAN_VERSION
        )
    return value


def _lifecycle_event(value: str) -> LifecycleEvent:
    """Read the name of a lifecycle event that has a hook."""
    known = list(map(str, LifecycleEvent))
    if value in known:
        return LifecycleEvent(value)
    hooks = "the hooks of ECS are"
    if value in _WITHOUT_HOOK:
        what = f"CodeDeploy calls no function at {value}; {hooks}: {', '.join(known)}"
    else:
        hint = did_you_mean(value, known, hooks)
        what = f"unknown lifecycle event {shown(value)}{hint}"
    raise InvalidValue(what, code=Code.PLAN_EVENT)


def _timeout(seconds: float) -> float:
    if not 0 < seconds <= _MOST_SECONDS:
        most = seconds_text(_MOST_SECONDS)
        raise InvalidValue(
            f"expected a timeout of more than 0 s and at most {most}",
            code=Code.PLAN_TIMEOUT,
        )
    return seconds


def _step_name(value: str) -> str:
    """Check a name that is also the value of a CloudWatch dimension."""
    if holds(value):
        raise InvalidValue(
            "a step's name cannot contain ${…}: its metrics have it as a dimension, so "
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


def _host(value: str) -> str:
    """Check a host name; with a placeholder it is checked once filled in."""
    if not holds(value) and not _HOST_NAME.fullmatch(value):
        raise InvalidValue(
            "a host is a name such as shop.example.com, without scheme, port and path",
            code=Code.PLAN_HOST,
        )
    return value


def _address(value: str) -> str:
    """Check a host with a port, such as ``queue.internal:5671``."""
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


_Given = BeforeValidator(_not_null)

_Absent = SkipJsonSchema[None]

# YAML has lists, a plan has tuples.
_Addresses = Annotated[
    tuple[Annotated[str, AfterValidator(_address)], ...], Field(strict=False)
]

_Names = Annotated[tuple[str, ...], Field(strict=False)]


class _PlanPart(BaseModel):
    # Built with PlanFile, and not again by itself.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, defer_build=True
    )


class Identity(_PlanPart):
    """The response header that proves that green gave the response."""

    # RFC 9110, section 5.1: a field name is a token.
    header: Annotated[
        str,
        TextFormat(
            r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,200}\Z",
            "the name of a header, which is letters, digits and '-'",
        ),
    ] = Field(description="Name of a response header.", examples=["X-App-Version"])
    equals: str = Field(
        min_length=1,
        max_length=1024,
        description="What its value must be; may contain ${…}.",
        examples=["${green.image.tag}"],
    )


class Target(_PlanPart):
    """The host of requests, the proof of the new version, and allowed addresses."""

    host: Annotated[Annotated[str, AfterValidator(_host)] | _Absent, _Given] = Field(
        default=None,
        description="Host header and TLS server name; may contain ${…}.",
        examples=["shop.example.com"],
    )
    identity: Annotated[Identity | _Absent, _Given] = Field(
        default=None,
        description="Proof that the replacement task set gave the response.",
    )
    allow: _Addresses = Field(
        default=(),
        max_length=20,
        description="Addresses beside the load balancer's that steps may connect to.",
        examples=[["10.0.0.2:53", "queue.internal:5671"]],
    )

    @property
    def expected(self) -> tuple[str, str] | None:
        """The header and the value that identify the replacement task set."""
        return (self.identity.header, self.identity.equals) if self.identity else None

    def build(self, substitute: Substitute) -> Target:
        """Return this target with the values of the deployment.

        Args:
            substitute: replaces placeholders by values, such as
                ``Variables.substitute``.

        Raises:
            CannotMeasure: a value is not known, empty, or not a host name.
        """
        built: dict[str, Any] = {}
        if self.identity:
            value = substitute(self.identity.equals)
            if not value:
                what = "target.identity.equals is empty once it is filled in"
                raise CannotMeasure(what, code=Code.PLACEHOLDER_VALUE)
            built["identity"] = self.identity.model_copy(update={"equals": value})
        if self.host:
            host = substitute(self.host)
            try:
                built["host"] = _host(host)
            except InvalidValue as error:
                what = f"target.host is {host[:64]!r}: {error}"
                raise CannotMeasure(what, code=Code.PLAN_HOST) from None
        return self.model_copy(update=built)


class StepFile(_PlanPart):
    """One use of a validator."""

    use: str = Field(description="Name of the validator.", examples=["http"])
    name: Annotated[Annotated[str, AfterValidator(_step_name)] | _Absent, _Given] = (
        Field(
            default=None, description="Name of the step; the validator's if left out."
        )
    )
    options: dict[str, Any] = Field(
        alias="with", default_factory=dict, description="The validator's options."
    )
    needs: _Names = Field(
        default=(),
        max_length=MOST_STEPS,
        description="Names of steps of this event that must pass first.",
    )
    blocking: bool = Field(
        default=True, description="Whether the deployment waits for this step to pass."
    )
    timeout: Annotated[
        Annotated[Duration, AfterValidator(_timeout)] | _Absent, _Given
    ] = Field(
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


class PlanFile(_PlanPart):
    """Which steps run at which lifecycle event."""

    version: Annotated[Literal[1], BeforeValidator(_first_version)] = Field(
        description="The version of this format."
    )
    target: Annotated[Target | _Absent, _Given] = Field(
        default=None, description="The target of the steps' requests."
    )
    concurrency: int = Field(
        default=8, ge=1, le=32, description="Maximum number of concurrent steps."
    )
    events: Annotated[
        dict[
            Annotated[LifecycleEvent, BeforeValidator(_lifecycle_event)],
            Annotated[
                list[StepFile],
                Field(min_length=1, max_length=MOST_STEPS),
                _some(
                    "the event has no step; add one, or remove the lifecycle event "
                    "from the plan and from the AppSpec"
                ),
            ],
        ],
        _some(
            "the plan has no lifecycle event; add one of " + ", ".join(LifecycleEvent)
        ),
    ] = Field(min_length=1, description="The steps of each lifecycle event.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One use of a validator.

    ``timeout`` is in seconds. ``validator`` was built when the plan was read, with
    placeholders in place: run what ``build`` returns.
    """

    name: str
    use: str
    validator: Validator
    needs: tuple[str, ...] = ()
    blocking: bool = True
    timeout: float
    on_no_data: str = "fail"
    on_inconclusive: str = "fail"
    on_error: str = "fail"
    place: Place
    options: Mapping[str, Any] = field(default_factory=dict)
    files: StepFiles | None = None

    def build(self, substitute: Substitute) -> Validator:
        """Return the validator with the values of the deployment in its options.

        Args:
            substitute: replaces placeholders by values, such as
                ``Variables.substitute``.

        Raises:
            CannotMeasure: a value is not known.
            PlanError: with these values the options are not valid.
        """
        written = [text for _, text in texts(dict(self.options))]
        written.extend(self.files.texts() if self.files else ())
        if not any(map(holds, written)):
            return self.validator
        options = substituted(dict(self.options), substitute)
        reading = self.files.fill(substitute).reading if self.files else FILLED
        return filled(type(self.validator), options, written, self.place, reading)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The steps of each lifecycle event, and how many run at the same time.

    ``waivers`` lists why this plan checks less than the deployment's own would.
    """

    origin: PlanOrigin
    target: Target
    events: Mapping[LifecycleEvent, tuple[Step, ...]]
    concurrency: int = 8
    waivers: tuple[str, ...] = ()

    def steps(self, event: LifecycleEvent) -> tuple[Step, ...]:
        """The steps of a lifecycle event, at least one.

        Raises:
            PlanError: the plan has no steps for it.
        """
        steps = self.events.get(event, ())
        if not steps:
            what = (
                f"the plan has no steps for {event}, so the hook reports Failed; add "
                "steps, or remove the hook from the AppSpec"
            )
            raise PlanError(
                Problem(Place(self.origin.source), Code.PLAN_NO_STEPS, what)
            )
        return steps

    def warnings(self) -> tuple[Problem, ...]:
        """Warnings about a valid plan, each with its place."""
        found = [
            Problem(
                steps[0].place,
                Code.PLAN_NEVER_PASSES,
                f"every step of {event} is blocking: false, so the hook can never "
                "succeed; make at least one step blocking",
            )
            for event, steps in self.events.items()
            if steps and not any(step.blocking for step in steps)
        ]
        steps = [step for steps in self.events.values() for step in steps]
        asking = [step for step in steps if step.validator.asks_listener]
        if asking and not self.target.identity:
            names = ", ".join(repr(step.name) for step in asking[:_MOST_NAMES])
            rest = len(asking) - _MOST_NAMES
            what = (
                "without target.identity these steps cannot check which version "
                f"responded: {names}{f' and {rest} more' if rest > 0 else ''}; add "
                "target.identity"
            )
            found.append(Problem(asking[0].place, Code.PLAN_NO_IDENTITY, what))
        return tuple(found)
