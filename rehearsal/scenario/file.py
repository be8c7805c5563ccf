"""What a scenario's file may say."""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue
from hookgate.units import Rate
from rehearsal.cloudwatch.assumptions import CloudWatchAssumptions
from rehearsal.codedeploy.assumptions import Assumptions
from rehearsal.scenario.alarms import AlarmFile
from rehearsal.scenario.deployments import DeploymentFile
from rehearsal.scenario.load_balancer import LoadBalancerFile
from rehearsal.scenario.section import Section
from rehearsal.scenario.values import HookTimeout, Minutes, Name, UrlPath

#: CodeDeploy's bound on a hook and on an installation, in seconds.
_HOUR = 3600.0
#: What passes at the pace of programs gets this long at any speed, in seconds.
_LEAST = 60.0
#: A scenario is played by a person's machine, so its numbers have bounds.
_MOST_TASKS = 20
_MOST_DEPLOYMENTS = 50
_MOST_ALARMS = 50


class ServiceFile(Section):
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


class DeploymentGroupFile(Section):
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
            raise InvalidValue(
                f"the template gives {min(twice)}; leave it out here",
                code=Code.OPTION_TOGETHER,
            )
        return self


class AssumptionsFile(Section):
    """What is taken where AWS's documents are silent."""

    codedeploy: Assumptions = Field(
        default_factory=Assumptions, description="Of CodeDeploy."
    )
    cloudwatch: CloudWatchAssumptions = Field(
        default_factory=CloudWatchAssumptions, description="Of CloudWatch's alarms."
    )


class ImageFile(Section):
    """What runs on this machine in the place of a container image."""

    command: list[str] = Field(
        min_length=1,
        description="The program and its arguments; 'python' is this Python.",
    )
    environment: dict[str, str] = Field(
        default_factory=dict, description="Variables of the process."
    )


class TrafficFile(Section):
    """What customers ask the production listener for, all the time."""

    rate: Rate = Field(
        "50/s", ge=0.1, le=1000, validate_default=True, description="How often."
    )
    path: UrlPath = Field("/", description="Path that is asked for.")


# What is wrong with a secret is reported without its value.
def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InvalidValue(
            "this is not the name of an environment variable",
            code=Code.SCENARIO_SECRET,
        )
    return name


class SecretFile(Section):
    """A secret whose value is in an environment variable."""

    env: Annotated[str, AfterValidator(_variable)] = Field(
        description="Name of the environment variable."
    )


def _secret(value: object) -> object:
    if not isinstance(value, dict) and (not isinstance(value, str) or not value):
        raise InvalidValue(
            "a secret is text in quotes, or {env: VARIABLE}", code=Code.SCENARIO_SECRET
        )
    return value


_SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@-]{1,200}$")]
_Secret = Annotated[str | SecretFile, BeforeValidator(_secret)]


class ScenarioFile(Section):
    """A rehearsal."""

    version: Literal[1] = Field(description="The version of this format.")
    service: ServiceFile
    load_balancer: LoadBalancerFile = Field(default_factory=LoadBalancerFile)
    deployment_group: DeploymentGroupFile
    alarms: list[AlarmFile] = Field(default_factory=list, max_length=_MOST_ALARMS)
    plan: str = Field(description="The plan's file, beside the scenario.")
    allowed_targets: list[Annotated[str, Field(pattern=r"^[^\s,]{1,300}$")]] = Field(
        default_factory=list,
        max_length=50,
        description="What the stack parameter AllowedTargets lists: hosts and networks "
        "that the plan's target.allow may name.",
    )
    secrets: dict[_SecretName, _Secret] = Field(
        default_factory=dict,
        max_length=50,
        description="What the plan reads as ${secret.NAME}: a value for tests, or "
        "{env: VARIABLE}.",
    )
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
    assumptions: AssumptionsFile = Field(default_factory=AssumptionsFile)
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
