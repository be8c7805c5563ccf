"""The shape of a plan file: what pydantic checks, and what an editor is told.

Types are strict here: a number where text belongs is refused, not converted.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic.json_schema import SkipJsonSchema

from hookgate.model import LifecycleEvent
from hookgate.plan import fields
from hookgate.units import Duration

#: Of one lifecycle event.
MOST_STEPS = 1000

# What may be left out may not be written as null: the two are different things.
_Given = BeforeValidator(fields.given)
_Absent = SkipJsonSchema[None]
_Name = Annotated[str, AfterValidator(fields.step_name)]
_Host = Annotated[str, AfterValidator(fields.host)]
_Header = Annotated[str, AfterValidator(fields.header)]
_Address = Annotated[str, AfterValidator(fields.address)]
_Timeout = Annotated[Duration, AfterValidator(fields.timeout)]
_Version = Annotated[Literal[1], BeforeValidator(fields.first_version)]


class _File(BaseModel):
    # Built as a part of PlanFile, and not once more each by itself.
    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, defer_build=True
    )


class IdentityFile(_File):
    """The header by which the replacement task set proves that it answered."""

    header: _Header = Field(
        description="Name of a response header.", examples=["X-App-Version"]
    )
    equals: str = Field(
        min_length=1,
        max_length=1024,
        description="What its value must be; may hold ${…}.",
        examples=["${green.image.tag}"],
    )


class TargetFile(_File):
    """How the service is asked, and how it is known to be the new version."""

    host: Annotated[_Host | _Absent, _Given] = Field(
        default=None,
        description="Host header and TLS server name; may hold ${…}.",
        examples=["shop.example.com"],
    )
    identity: Annotated[IdentityFile | _Absent, _Given] = Field(
        default=None, description="Proof that the replacement task set answered."
    )
    allow: list[_Address] = Field(
        default_factory=list,
        max_length=20,
        description="Addresses beside the load balancer's that steps may connect to.",
        examples=[["10.0.0.2:53", "queue.internal:5671"]],
    )


class StepFile(_File):
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
        description="The most the step may take; what its validator says if left out.",
    )
    on_no_data: Literal["fail", "pass"] = Field(
        default="fail", description="What a step comes to that had no data to judge by."
    )
    on_inconclusive: Literal["fail", "pass"] = Field(
        default="fail",
        description="What a step comes to whose data cannot carry a decision, such as "
        "too few samples.",
    )
    on_error: Literal["fail", "pass"] = Field(
        default="fail",
        description="What a step comes to that could not measure, such as when AWS "
        "refuses. A defect, a wrong plan and a step given up never pass.",
    )


_Event = Annotated[LifecycleEvent, BeforeValidator(fields.lifecycle_event)]
_Steps = Annotated[
    list[StepFile],
    Field(min_length=1, max_length=MOST_STEPS),
    BeforeValidator(fields.some_steps),
]
_Events = Annotated[dict[_Event, _Steps], BeforeValidator(fields.some_events)]


class PlanFile(_File):
    """Which steps run at which lifecycle event."""

    version: _Version = Field(description="The version of this format.")
    target: Annotated[TargetFile | _Absent, _Given] = Field(
        default=None, description="Whom the steps ask."
    )
    concurrency: int = Field(
        default=8, ge=1, le=32, description="How many steps run at the same time."
    )
    events: _Events = Field(
        min_length=1, description="The steps of each lifecycle event."
    )
