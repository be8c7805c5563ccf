"""The schema of a deployment's faults in a scenario."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    PlainSerializer,
    model_validator,
)

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.units import Duration, Percentage, seconds_text
from hookgate_rehearsal.data_plane.settings import Certificate
from hookgate_rehearsal.endpoint.protocols import service_model

#: Botocore's name of each service that hooks call, by IAM's prefix.
SERVICES: Mapping[str, str] = {
    "cloudwatch": "cloudwatch",
    "codedeploy": "codedeploy",
    "dynamodb": "dynamodb",
    "ecs": "ecs",
    "elasticloadbalancing": "elbv2",
    "secretsmanager": "secretsmanager",
    "ssm": "ssm",
}


def known_call(call: str) -> str:
    """Check an operation's name, such as ``codedeploy:GetDeployment``.

    Raises:
        ValueError: there is no such service or operation.
    """
    prefix, _, operation = call.partition(":")
    if prefix not in SERVICES:
        raise InvalidValue(
            f"hooks call no service {prefix!r}; write one of {', '.join(SERVICES)}, "
            "as in codedeploy:GetDeployment",
            code=Code.SCENARIO_CALL,
        )
    known = service_model(SERVICES[prefix]).operation_names
    if operation not in known:
        close = difflib.get_close_matches(operation, known, 1)
        hint = f"; did you mean {close[0]!r}?" if close else ""
        raise InvalidValue(
            f"{prefix} has no operation {operation!r}{hint}", code=Code.SCENARIO_CALL
        )
    return call


AnyEvent = Literal[
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
]

#: The maximum wait of a fault, in seconds.
_LONGEST = 3600.0

Wait = Annotated[
    Duration,
    Field(ge=0, le=_LONGEST),
    PlainSerializer(seconds_text, when_used="json-unless-none"),
]

Share = Annotated[
    Percentage,
    Field(gt=0, le=100),
    PlainSerializer(lambda share: f"{share:g}%", when_used="json"),
]

Tasks = Annotated[int | None, Field(ge=1, le=20)]

Call = Annotated[str, AfterValidator(known_call)]


class Section(BaseModel):
    """A part of a scenario: no unknown keys, no type conversion, immutable."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StaleListenerFile(Section):
    """A test listener that still reaches blue after AllowTestTraffic."""

    seconds: Wait = Field(alias="for", description="How long it does.")
    connections: Share = Field(
        100.0,
        description="The share of its connections that do.",
    )


class TaskFault(Section):
    """A fault of tasks."""

    tasks: Tasks = Field(
        None, description="The number of tasks it affects; by default all."
    )

    def affects(self, number: int) -> bool:
        """Whether it affects the version's task with this index, from 0."""
        return self.tasks is None or number < self.tasks


class LateStartFile(TaskFault):
    """Tasks that refuse connections after their start."""

    by: Wait = Field(description="How long they do.")


class FlappingFile(TaskFault):
    """Tasks that alternate between normal responses and status 503."""

    up: Wait = Field(2.0, gt=0, description="How long responses are normal.")
    down: Wait = Field(2.0, gt=0, description="How long the status is 503.")


class ErrorsFile(TaskFault):
    """Requests that get an error response."""

    rate: Share = Field(description="The share of requests, evenly spread.")
    status: int = Field(500, ge=400, le=599, description="The status of the response.")
    health_checks: Literal["pass", "fail"] = Field(
        "pass", description="Whether health checks get errors, too."
    )


class HalfOpenFile(TaskFault):
    """Requests without a response, health checks included."""

    rate: Share = Field(100.0, description="The share of requests.")


class WrongVersionFile(TaskFault):
    """Tasks that run another image than the task definition names."""

    image: str = Field(description="The image that they run.")


class PemFiles(Section):
    """A certificate, as files beside the scenario."""

    chain: str = Field(description="PEM file: the certificate, then its issuers.")
    key: str = Field(description="PEM file: its private key, not encrypted.")

    def read(self, folder: Path) -> Certificate:
        """Read the files in a folder.

        Raises:
            OSError: one cannot be read.
        """
        return Certificate(
            chain=(folder / self.chain).read_bytes(),
            key=(folder / self.key).read_bytes(),
        )


class HookFile(Section):
    """The fault of a lifecycle event's function."""

    does: Literal[
        "never_reports",
        "reports_late",
        "reports_twice",
        "reports_foreign_id",
        "dies",
        "is_not_permitted",
    ] = Field(description="The fault.")
    by: Wait | None = Field(None, description="The delay of its event.")
    times: int | None = Field(
        None, ge=1, le=3, description="The number of attempts that die; by default all."
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if (self.does == "reports_late") != (self.by is not None):
            raise InvalidValue(
                "reports_late needs by, and no other fault has it",
                code=Code.OPTION_TOGETHER,
            )
        if self.times is not None and self.does != "dies":
            raise InvalidValue("only dies has times", code=Code.OPTION_TOGETHER)
        return self


class HooksFile(Section):
    """The faults of functions, by lifecycle event."""

    BeforeInstall: HookFile | None = None
    AfterInstall: HookFile | None = None
    AfterAllowTestTraffic: HookFile | None = None
    BeforeAllowTraffic: HookFile | None = None
    AfterAllowTraffic: HookFile | None = None


class CallFile(Section):
    """The fault of an AWS API call by the hooks or by CodeDeploy."""

    call: Call = Field(description="The operation, such as codedeploy:GetDeployment.")
    gets: Literal["throttled", "denied", "lost", "answer_lost"] = Field(
        description="The fault; answer_lost: AWS does it, but its response is lost."
    )
    by: Literal["hooks", "codedeploy"] = Field("hooks", description="The caller.")
    times: int | None = Field(
        None, ge=1, le=1000, description="The number of calls; by default all."
    )


class StopFile(Section):
    """A call of StopDeployment during the deployment."""

    at: AnyEvent = Field(description="The lifecycle event that has started.")
    after: Wait = Field(0.0, description="Time since then.")
    rollback: bool | None = Field(
        None, description="Whether to roll back; by default, the group decides."
    )


class FaultsFile(Section):
    """The faults of one deployment."""

    stale_test_listener: StaleListenerFile | None = None
    late_start: LateStartFile | None = None
    flapping: FlappingFile | None = None
    errors: ErrorsFile | None = None
    half_open: HalfOpenFile | None = None
    wrong_version: WrongVersionFile | None = None
    certificate: PemFiles | None = None
    hooks: HooksFile = Field(default_factory=HooksFile)
    calls: list[CallFile] = Field(default_factory=list, max_length=20)
    stop: StopFile | None = None

    def tasks(self) -> Iterator[tuple[str, int]]:
        """The faults that affect some tasks only, with their number of tasks."""
        for name, fault in self:
            if isinstance(fault, TaskFault) and fault.tasks is not None:
                yield name, fault.tasks
