"""What a hook knows about its deployment, and how it calls AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from hookgate.codes import Code
from hookgate.errors import CannotMeasure, InputError
from hookgate.model import LifecycleEvent

T = TypeVar("T")


class Aws(Protocol):
    """Read-only calls to AWS."""

    def __call__(
        self, service: str, operation: str, /, **parameters: Any
    ) -> Mapping[str, Any]:
        """Call an operation by boto3's name and return its response with all pages.

        Raises:
            AccessDenied: names the missing permission and the resource.
            CannotMeasure: AWS returned another error, or did not respond.
        """
        ...


# CodeDeploy documents neither format nor length. The limit is far beyond any token: a
# hook that rejects an id cannot report, and the deployment waits for an hour.
_Id = Annotated[str, Field(min_length=1, max_length=64 * 1024)]


class HookEvent(BaseModel):
    """The ``DeploymentId`` and ``LifecycleEventHookExecutionId`` of an invocation.

    Further keys are ignored, so that a key AWS adds does not stop deployments.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True)

    deployment_id: _Id = Field(alias="DeploymentId")
    execution_id: _Id = Field(alias="LifecycleEventHookExecutionId")

    @classmethod
    def parse(cls, payload: object) -> HookEvent:
        """Read the payload of an invocation.

        Raises:
            InputError: an id is missing, empty or not a string. Without ids no report
                is possible, so the handler raises it.
        """
        try:
            return cls.model_validate(payload)
        except ValidationError as error:
            problems = ", ".join(
                f"{'.'.join(map(str, each['loc'])) or 'event'}: {each['msg']}"
                for each in error.errors()
            )
            raise InputError(
                "not a CodeDeploy lifecycle hook event, which contains DeploymentId "
                f"and LifecycleEventHookExecutionId ({problems})",
                code=Code.HOOK_PAYLOAD,
            ) from None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentInfo:
    """The CodeDeploy deployment of a hook."""

    id: str
    application: str
    group: str
    configuration: str
    cluster: str
    service: str
    region: str
    account: str
    event_started_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup:
    """A target group of the load balancer, and how it checks health."""

    arn: str
    name: str
    protocol: str
    port: int | None
    health_check_path: str | None = None
    health_check_interval: float = 30.0
    healthy_threshold: int = 5
    attached: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskSet:
    """An ECS task set; ``id`` is ECS's own, such as ``ecs-svc/123``."""

    id: str
    arn: str
    task_definition_arn: str
    status: str
    desired_count: int = 0
    running_count: int = 0
    pending_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """Blue or green: a target group and, once there is one, its task set."""

    target_group: TargetGroup
    task_set: TaskSet | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """The parts of a container image's name; ``tag`` or ``digest`` may be absent."""

    name: str
    repository: str
    tag: str | None = None
    digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """One container of a task definition."""

    name: str
    image: Image
    ports: tuple[int, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """The task definition that the AppSpec names."""

    arn: str
    family: str
    revision: int
    containers: tuple[Container, ...]

    def container(self, name: str) -> Container | None:
        """The container of that name, if the task definition has one."""
        return next((each for each in self.containers if each.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSpec:
    """The parts of an AppSpec that a hook needs."""

    task_definition: str
    container_name: str
    container_port: int
    hooks: Mapping[LifecycleEvent, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleCondition:
    """One condition of a listener rule: any of ``values`` meets it.

    ``field`` is the load balancer's own name, such as ``path-pattern``; ``name`` is
    the header's for ``http-header``. ``values`` are patterns with ``*`` and ``?``, and
    are empty for a condition that a probe can neither meet nor check.
    """

    field: str
    values: tuple[str, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        """The condition as messages name it."""
        values = " or ".join(self.values)
        return " ".join(each for each in (self.field, self.name, values) if each)


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """The address of a listener, and the request that its listener rule matches.

    ``scheme`` is ``http``, ``https``, ``tcp`` or ``tls``. ``address`` is the load
    balancer's DNS name. A request with ``host``, ``headers`` and ``path_prefix`` meets
    the ``conditions`` of the rule whose target group CodeDeploy changes; all are empty
    for a default action.
    """

    scheme: str
    address: str
    port: int
    listener_arn: str = ""
    rule_arn: str | None = None
    host: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    path_prefix: str = ""
    conditions: tuple[RuleCondition, ...] = ()

    @property
    def url(self) -> str:
        """The URL of the endpoint."""
        return f"{self.scheme}://{self.address}:{self.port}{self.path_prefix}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentContext:
    """The deployment, both task sets and both listeners.

    ``deployment``, ``blue`` and ``green`` are None when a plan is run against a bare
    URL; ``test`` is None in a deployment group without a test listener.
    """

    event: LifecycleEvent
    deployment: DeploymentInfo | None = None
    blue: Side | None = None
    green: Side | None = None
    appspec: AppSpec | None = None
    task_definition: TaskDefinition | None = None
    test: Endpoint | None = None
    production: Endpoint | None = None

    @property
    def green_container(self) -> Container | None:
        """The container behind the load balancer, which the AppSpec names."""
        if self.task_definition is None or self.appspec is None:
            return None
        return self.task_definition.container(self.appspec.container_name)


def known(value: T | None, what: str) -> T:
    """Return ``value`` unless it is None.

    Raises:
        CannotMeasure: ``value`` is None; ``what`` names it.
    """
    if value is None:
        raise CannotMeasure(
            f"{what} is not known: this step needs a deployment in AWS",
            code=Code.CONTEXT,
        )
    return value
