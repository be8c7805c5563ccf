"""What a scenario's file may say."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from hookgate.units import Percentage, Rate
from rehearsal.faults.file import FaultsFile
from rehearsal.scenario_alarms import AlarmFile
from rehearsal.scenario_values import (
    HookTimeout,
    Interval,
    Matcher,
    Minutes,
    Name,
    Port,
    Timeout,
    UrlPath,
)

#: CodeDeploy's bound on a hook and on an installation, in seconds.
_HOUR = 3600.0
#: What passes at the pace of programs gets this long at any speed, in seconds.
_LEAST = 60.0
#: A scenario is played by a person's machine, so its numbers have bounds.
_MOST_TASKS = 20
_MOST_DEPLOYMENTS = 50
_MOST_ALARMS = 50


Event = Literal[
    "BeforeInstall",
    "Install",
    "AfterInstall",
    "AllowTestTraffic",
    "AfterAllowTestTraffic",
    "BeforeAllowTraffic",
    "AllowTraffic",
    "AfterAllowTraffic",
]


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ServiceFile(_File):
    """The ECS service that is deployed."""

    name: Name = Field(description="Name of the service and task definition family.")
    cluster: Name = Field("rehearsal", description="Name of the cluster.")
    desired_count: int = Field(
        2, ge=1, le=_MOST_TASKS, description="How many tasks each task set runs."
    )
    container: Name = Field("web", description="The container behind the listeners.")
    port: int = Field(
        8080, ge=1, le=65535, description="The container's port in the definition."
    )


class ListenerFile(_File):
    """A listener of the load balancer."""

    port: Port = Field(0, description="The port to listen on; 0 takes a free one.")
    protocol: Literal["HTTP", "HTTPS", "TCP", "TLS"] = Field(
        "HTTP", description="What it speaks."
    )

    @property
    def is_http(self) -> bool:
        """Whether it is an application load balancer's, or else a network's."""
        return self.protocol in {"HTTP", "HTTPS"}

    @property
    def is_encrypted(self) -> bool:
        """Whether it presents a certificate."""
        return self.protocol in {"HTTPS", "TLS"}


class CertificateFile(_File):
    """A certificate, as PEM files beside the scenario; it is imported into ACM."""

    chain: str = Field(description="The certificate, then those of its issuers.")
    key: str = Field(description="Its private key, without a password.")


class HealthCheckFile(_File):
    """How targets are checked; times are AWS's and pass at the scenario's speed."""

    path: UrlPath = Field("/", description="Path that is asked for.")
    interval: Interval = Field(
        "5s", validate_default=True, description="From one check to the next."
    )
    timeout: Timeout = Field("2s", validate_default=True, description="For an answer.")
    healthy_threshold: int = Field(2, ge=2, le=10, description="Good checks in a row.")
    unhealthy_threshold: int = Field(2, ge=2, le=10, description="Bad checks in a row.")
    matcher: Matcher = Field(
        "200", description="Status codes that are good: 200, 200,204 or 200-299."
    )

    @model_validator(mode="after")
    def _answers_before_the_next(self) -> Self:
        if self.timeout >= self.interval:
            raise ValueError("the timeout is shorter than the interval")
        return self


class LoadBalancerFile(_File):
    """The load balancer with its two listeners; no test listener when it is null."""

    production: ListenerFile = Field(
        default_factory=ListenerFile, description="Where customers come in."
    )
    test: ListenerFile | None = Field(
        default_factory=ListenerFile, description="Where the hooks try green out."
    )
    certificate: CertificateFile | None = Field(
        None, description="What HTTPS and TLS listeners present."
    )
    health_check: HealthCheckFile = Field(
        default_factory=HealthCheckFile, description="Of both target groups."
    )

    @property
    def listeners(self) -> tuple[ListenerFile, ...]:
        """The listeners that there are, production first."""
        return (self.production, self.test) if self.test else (self.production,)

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        if len({each.is_http for each in self.listeners}) > 1:
            raise ValueError(
                "HTTP and HTTPS listeners are an application load balancer's, TCP and "
                "TLS ones a network load balancer's; both listeners are of one kind"
            )
        if any(each.is_encrypted for each in self.listeners) and not self.certificate:
            raise ValueError("an HTTPS or TLS listener needs the certificate")
        return self


class DeploymentGroupFile(_File):
    """The CodeDeploy deployment group."""

    application: Name = Field(description="Name of the CodeDeploy application.")
    name: Name = Field(description="Name of the deployment group.")
    configuration: str = Field(
        "CodeDeployDefault.ECSAllAtOnce", description="How traffic is shifted."
    )
    rollback_on: list[
        Literal[
            "DEPLOYMENT_FAILURE",
            "DEPLOYMENT_STOP_ON_ALARM",
            "DEPLOYMENT_STOP_ON_REQUEST",
        ]
    ] = Field(default=["DEPLOYMENT_FAILURE"], description="What is rolled back.")
    termination_wait: Minutes = Field(
        "0s", validate_default=True, description="Before blue is ended; whole minutes."
    )
    alarms: list[str] = Field(
        default_factory=list, max_length=10, description="Names of alarms that stop it."
    )
    ignore_poll_alarm_failure: bool = Field(
        False, description="Go on where an alarm's state cannot be read."
    )
    template: str | None = Field(
        None,
        description="A CloudFormation template, whose hook AWS::CodeDeploy::BlueGreen "
        "says how traffic is shifted, how long blue stays and which functions are "
        "called.",
    )

    @model_validator(mode="after")
    def _says_it_once(self) -> Self:
        twice = {"configuration", "termination_wait"} & self.model_fields_set
        if self.template and twice:
            raise ValueError(f"the template gives {min(twice)}; leave it out here")
        return self


class ImageFile(_File):
    """What runs on this machine in the place of a container image."""

    command: list[str] = Field(
        min_length=1,
        description="The program and its arguments; 'python' is this Python.",
    )
    environment: dict[str, str] = Field(
        default_factory=dict, description="Variables of the process."
    )


class TrafficFile(_File):
    """What customers ask the production listener for, all the time."""

    rate: Rate = Field(
        "50/s", ge=0.1, le=1000, validate_default=True, description="How often."
    )
    path: UrlPath = Field("/", description="Path that is asked for.")


class ExpectFile(_File):
    """How a deployment must end."""

    status: Literal["Succeeded", "Failed", "Stopped"] = Field(
        description="Status of the deployment."
    )
    event: Event | None = Field(
        None, description="The lifecycle event at which it must fail."
    )
    rollback: Literal["Succeeded", "Failed", "Stopped"] | None = Field(
        None, description="Status of the rollback's own deployment."
    )
    reason: str | None = Field(
        None, description="Text that the verdict's reasons must hold."
    )

    alarm: str | None = Field(
        None, description="The alarm that must stop the deployment."
    )
    failed_requests: Percentage = Field(
        "0%",
        validate_default=True,
        description="The share of customers' requests that may fail.",
    )

    @model_validator(mode="after")
    def _success_has_no_reasons(self) -> Self:
        names = ("event", "rollback", "reason", "alarm")
        odd = [name for name in names if getattr(self, name)]
        if self.status == "Succeeded" and odd:
            raise ValueError(f"a deployment that is Succeeded has no {odd[0]}")
        return self


class DeploymentFile(_File):
    """One deployment to play."""

    name: str = Field(min_length=1, max_length=100, description="What it shows.")
    image: str = Field(description="The image to deploy, one of images.")
    faults: FaultsFile = Field(
        default_factory=FaultsFile, description="What goes wrong on purpose."
    )
    waits_for_alarms: bool = Field(
        True, description="Begin once no alarm of the group is in ALARM."
    )
    expect: ExpectFile = Field(description="How it must end.")


class ScenarioFile(_File):
    """A rehearsal."""

    version: Literal[1] = Field(description="The version of this format.")
    service: ServiceFile
    load_balancer: LoadBalancerFile = Field(default_factory=LoadBalancerFile)
    deployment_group: DeploymentGroupFile
    alarms: list[AlarmFile] = Field(default_factory=list, max_length=_MOST_ALARMS)
    plan: str = Field(description="The plan's file, beside the scenario.")
    traffic: TrafficFile = Field(default_factory=TrafficFile)
    speed: float = Field(
        20.0,
        ge=1,
        le=1000,
        description="How much faster than AWS's health checks and waits pass.",
    )
    hook_timeout: HookTimeout | None = Field(
        None,
        description="How long a hook may take to report, in real time; if left out, "
        "CodeDeploy's hour at the scenario's speed, but a minute at least.",
    )
    images: dict[str, ImageFile] = Field(min_length=1)
    starts_with: str = Field(description="The image that runs before the first one.")
    deployments: list[DeploymentFile] = Field(
        min_length=1, max_length=_MOST_DEPLOYMENTS
    )

    def hour(self, ordered: float | None) -> float:
        """Seconds for which CodeDeploy waits for what takes an hour at most.

        Hooks and programs run at their own pace, so no speed leaves them less than a
        minute; what a scenario orders itself holds as it is.
        """
        return ordered or max(_HOUR / self.speed, _LEAST)
