"""What a scenario may order to go wrong in one deployment."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qs

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
from rehearsal.endpoint.conformity import service_model

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

#: IAM's prefix where the scope of a signature says another name.
_SCOPES = {"monitoring": "cloudwatch"}

_RPC = re.compile(r"/service/[^/]+/operation/(?P<operation>[^/]+)")


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


def call_of(service: str, environ: Mapping[str, Any], body: bytes) -> str:
    """The operation of a request, as IAM writes it.

    Args:
        service: the service in the scope of the request's signature.
        environ: WSGI's.
        body: the request's body, where the query protocol says the operation.
    """
    target = str(environ.get("HTTP_X_AMZ_TARGET", "")).rpartition(".")[2]
    path = _RPC.fullmatch(str(environ.get("PATH_INFO", "")))
    form = parse_qs(body.decode("latin-1")).get("Action", [""])[0]
    operation = target or (path["operation"] if path else form)
    return f"{_SCOPES.get(service, service)}:{operation}"


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

#: Nobody waits longer in a rehearsal, in seconds.
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


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class StaleListenerFile(_File):
    """A test listener that still reaches blue after AllowTestTraffic."""

    seconds: Wait = Field(alias="for", description="How long it still does.")
    connections: Share = Field(
        "100%", validate_default=True, description="On how many of its connections."
    )


class LateStartFile(_File):
    """Tasks that refuse connections at first."""

    by: Wait = Field(description="For how long.")
    tasks: Tasks = Field(None, description="On how many tasks; on all if left out.")


class FlappingFile(_File):
    """Tasks that answer 503, health checks included, and answer well again."""

    up: Wait = Field("2s", validate_default=True, gt=0, description="How long well.")
    down: Wait = Field("2s", validate_default=True, gt=0, description="How long not.")
    tasks: Tasks = Field(None, description="On how many tasks; on all if left out.")


class ErrorsFile(_File):
    """Requests that are answered with an error."""

    rate: Share = Field(description="How many, evenly spread.")
    status: int = Field(500, ge=400, le=599, description="The error.")
    health_checks: Literal["pass", "fail"] = Field(
        "pass", description="Whether health checks meet it too."
    )
    tasks: Tasks = Field(None, description="On how many tasks; on all if left out.")


class HalfOpenFile(_File):
    """Requests that are taken and never answered, health checks included."""

    rate: Share = Field("100%", validate_default=True, description="How many.")
    tasks: Tasks = Field(None, description="On how many tasks; on all if left out.")


class WrongVersionFile(_File):
    """Tasks that run another image than the task definition names."""

    image: str = Field(description="The image they run, one of images.")
    tasks: Tasks = Field(None, description="On how many tasks; on all if left out.")


class OtherCertificateFile(_File):
    """What the test listener presents in the place of its certificate."""

    chain: str = Field(description="The certificate, then those of its issuers.")
    key: str = Field(description="Its private key, without a password.")


class HookFile(_File):
    """What goes wrong with the function of one lifecycle event."""

    does: Literal[
        "never_reports",
        "reports_late",
        "reports_twice",
        "reports_foreign_id",
        "dies",
        "is_not_permitted",
    ] = Field(description="What the function does.")
    by: Wait | None = Field(None, description="How late the event comes to it.")
    times: int | None = Field(
        None, ge=1, le=3, description="How many attempts die; all if left out."
    )

    @model_validator(mode="after")
    def _has_what_it_needs(self) -> Self:
        if (self.does == "reports_late") != (self.by is not None):
            raise InvalidValue(
                "reports_late says how late with by, and nothing else does",
                code=Code.OPTION_TOGETHER,
            )
        if self.times is not None and self.does != "dies":
            raise InvalidValue(
                "only a function that dies has times", code=Code.OPTION_TOGETHER
            )
        return self


class HooksFile(_File):
    """What goes wrong with the functions, by the event that calls them."""

    BeforeInstall: HookFile | None = None
    AfterInstall: HookFile | None = None
    AfterAllowTestTraffic: HookFile | None = None
    BeforeAllowTraffic: HookFile | None = None
    AfterAllowTraffic: HookFile | None = None


class CallFile(_File):
    """What becomes of a call that the hooks, or CodeDeploy itself, make to AWS."""

    call: Call = Field(description="The operation, as codedeploy:GetDeployment.")
    gets: Literal["throttled", "denied", "lost", "answer_lost"] = Field(
        description="What becomes of it; answer_lost: it is done, and nobody hears."
    )
    by: Literal["hooks", "codedeploy"] = Field("hooks", description="Who calls.")
    times: int | None = Field(
        None, ge=1, le=1000, description="How often; always if left out."
    )


class StopFile(_File):
    """A StopDeployment that somebody calls."""

    at: AnyEvent = Field(description="The lifecycle event that has begun.")
    after: Wait = Field("0s", validate_default=True, description="How long after that.")
    rollback: bool | None = Field(
        None, description="Whether to roll back; the group decides if left out."
    )


class FaultsFile(_File):
    """Everything that goes wrong in one deployment."""

    stale_test_listener: StaleListenerFile | None = None
    late_start: LateStartFile | None = None
    flapping: FlappingFile | None = None
    errors: ErrorsFile | None = None
    half_open: HalfOpenFile | None = None
    wrong_version: WrongVersionFile | None = None
    certificate: OtherCertificateFile | None = None
    hooks: HooksFile = Field(default_factory=HooksFile)
    calls: list[CallFile] = Field(default_factory=list, max_length=20)
    stop: StopFile | None = None

    def tasks(self) -> Iterator[tuple[str, int]]:
        """The faults that strike so many tasks only, by their names."""
        for name in ("late_start", "flapping", "errors", "half_open", "wrong_version"):
            fault = getattr(self, name)
            if fault is not None and fault.tasks is not None:
                yield name, fault.tasks
