"""The schema of a scenario file."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    model_validator,
)

from hookgate.codes import Code
from hookgate.errors import InvalidValue, closest
from hookgate.units import Duration, Percentage, Rate
from hookgate_rehearsal.cloudwatch.alarm import RuleError, parse_rule
from hookgate_rehearsal.cloudwatch.settings import CloudWatchAssumptions
from hookgate_rehearsal.cloudwatch.store import is_statistic
from hookgate_rehearsal.codedeploy.settings import Assumptions
from hookgate_rehearsal.faults.schema import AnyEvent, FaultsFile, PemFiles, Section


def _whole_minutes(seconds: float) -> float:
    if seconds % 60:
        raise InvalidValue(
            "CodeDeploy needs whole minutes, for example 0s, 1m or 2h",
            code=Code.PLAN_RANGE,
        )
    return seconds


def _whole_seconds(seconds: float) -> float:
    if seconds % 1:
        raise InvalidValue(
            "a target group needs whole seconds, for example 5s", code=Code.PLAN_RANGE
        )
    return seconds


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise InvalidValue("a path must start with '/'", code=Code.PLAN_FORMAT)
    return path


def _from(least: float, most: float, text: str) -> AfterValidator:
    def check(value: float) -> float:
        if not least <= value <= most:
            raise InvalidValue(f"AWS accepts {text}", code=Code.PLAN_RANGE)
        return value

    return AfterValidator(check)


def _plain(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
        raise InvalidValue(
            "a name has only letters, digits, '.', '_' and '-'", code=Code.PLAN_FORMAT
        )
    return name


def _codes(matcher: str) -> str:
    if not re.fullmatch(r"[0-9]{3}([,-][0-9]{3})*", matcher):
        raise InvalidValue(
            "not status codes; for example 200, 200,204 or 200-299",
            code=Code.OPTION_STATUS,
        )
    return matcher


Minutes = Annotated[
    Duration, AfterValidator(_whole_minutes), _from(0, 48 * 3600, "0s to 48h")
]

Interval = Annotated[
    Duration, AfterValidator(_whole_seconds), _from(5, 300, "5s to 300s")
]

Timeout = Annotated[
    Duration, AfterValidator(_whole_seconds), _from(2, 120, "2s to 120s")
]

HookTimeout = Annotated[Duration, _from(1, 3600, "1s to 1h")]

UrlPath = Annotated[str, AfterValidator(_absolute), Field(max_length=1024)]

Name = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_plain)]

Port = Annotated[int, Field(ge=0, le=65535)]

Matcher = Annotated[str, AfterValidator(_codes)]


def _code(code: str) -> str:
    if code.startswith("HG-") and code not in set(Code):
        near = closest(code, [str(each) for each in Code])
        hint = f"; did you mean {near!r}?" if near else ""
        raise InvalidValue(f"no code {code!r}{hint}", code=Code.PLAN_CHOICE)
    return code


class StepFile(Section):
    """The step that must stop a deployment."""

    name: str | None = Field(None, min_length=1, description="Name of the step.")
    status: Literal["failed", "inconclusive", "errored"] | None = Field(
        None,
        description="Status of the step; by default failed or inconclusive.",
    )
    code: Annotated[str, AfterValidator(_code)] | None = Field(
        None, description="Code of the step's reason, such as HG-ACCESS-DENIED."
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        if not self.model_fields_set:
            raise InvalidValue(
                "write at least one of name, status and code", code=Code.OPTION_ONE_OF
            )
        return self

    @property
    def text(self) -> str:
        """The step in words, such as ``step 'price' (errored, HG-NO-DATA)``."""
        name = f"step {self.name!r}" if self.name else "a step"
        rest = ", ".join(filter(None, (self.status, self.code)))
        return f"{name} ({rest})" if rest else name


class ExpectFile(Section):
    """How a deployment must end."""

    status: Literal["Succeeded", "Failed", "Stopped"] = Field(
        description="Status of the deployment."
    )
    event: AnyEvent | None = Field(
        None, description="The lifecycle event at which it must fail."
    )
    rollback: Literal["Succeeded", "Failed", "Stopped"] | None = Field(
        None, description="Status of the rollback's own deployment."
    )
    step: StepFile | None = Field(
        None, description="The step that must stop the deployment."
    )
    reason: str | None = Field(
        None,
        min_length=1,
        description="Text that a reason must contain: the reason of step, if given; "
        "otherwise of a failed or inconclusive step, of an alarm or of CodeDeploy.",
    )
    alarm: str | None = Field(
        None, description="The alarm that must stop the deployment."
    )
    failed_requests: Percentage = Field(
        "0%",
        validate_default=True,
        description="The share of production requests that may fail.",
    )

    @model_validator(mode="after")
    def _success_has_no_reasons(self) -> Self:
        names = ("event", "rollback", "step", "reason", "alarm")
        odd = [name for name in names if getattr(self, name)]
        if self.status == "Succeeded" and odd:
            raise InvalidValue(
                f"a deployment that is Succeeded has no {odd[0]}",
                code=Code.SCENARIO_EXPECT,
            )
        if self.status == "Stopped" and self.step:
            raise InvalidValue(
                "step needs status: Failed; no step stops a deployment",
                code=Code.SCENARIO_EXPECT,
            )
        return self


class DeploymentFile(Section):
    """One deployment to run."""

    name: str = Field(
        min_length=1, max_length=100, description="The name of the deployment."
    )
    image: str = Field(description="The image to deploy.")
    faults: FaultsFile = Field(
        default_factory=FaultsFile, description="The faults to inject."
    )
    waits_for_alarms: bool = Field(
        True, description="Start once no alarm of the group is in ALARM."
    )
    expect: ExpectFile = Field(description="The expected result.")


_SHORT = {10.0, 20.0, 30.0}


def _period(seconds: float) -> float:
    if seconds not in _SHORT and (seconds <= 0 or seconds % 60):
        raise InvalidValue(
            "CloudWatch accepts 10s, 20s, 30s or whole minutes",
            code=Code.PLAN_RANGE,
        )
    return seconds


def _statistic(name: str) -> str:
    if not is_statistic(name):
        raise InvalidValue(
            "write Sum, Average, Minimum, Maximum, SampleCount or p99",
            code=Code.PLAN_CHOICE,
        )
    return name


def _rule(text: str) -> str:
    try:
        parse_rule(text)
    except RuleError as error:
        raise InvalidValue(str(error), code=Code.SCENARIO_ALARM_RULE) from None
    return text


class AlarmFile(Section):
    """An alarm: on a metric, or with a rule over other alarms."""

    name: Name = Field(description="Name of the alarm.")
    metric: str | None = Field(None, description="Name of its metric.")
    namespace: str = Field("AWS/ApplicationELB", description="The metric's namespace.")
    dimensions: dict[str, str] | None = Field(
        None,
        description="The metric's dimensions; by default the load balancer, or in a "
        "namespace that is not AWS's, the application and the deployment group.",
    )
    statistic: Annotated[str, AfterValidator(_statistic)] = Field(
        "Sum", description="The statistic of a period."
    )
    period: Annotated[Duration, AfterValidator(_period)] = Field(
        "1m", validate_default=True, description="The period, in AWS's time."
    )
    evaluation_periods: int = Field(1, ge=1, le=1440, description="N of M out of N.")
    datapoints: int | None = Field(
        None, ge=1, le=1440, description="M of M out of N; by default N."
    )
    above: float | None = Field(None, description="ALARM if greater than this.")
    below: float | None = Field(None, description="ALARM if less than this.")
    missing: Literal["missing", "ignore", "breaching", "notBreaching"] = Field(
        "notBreaching", description="How a period without data counts."
    )
    rule: Annotated[str, AfterValidator(_rule)] | None = Field(
        None, description="The rule of a composite alarm: 'ALARM(a) AND NOT OK(b)'."
    )

    @model_validator(mode="after")
    def _has_one_of_each(self) -> Self:
        if (self.metric is None) == (self.rule is None):
            raise InvalidValue(
                "an alarm needs either metric or rule", code=Code.OPTION_ONE_OF
            )
        if self.metric and (self.above is None) == (self.below is None):
            raise InvalidValue(
                "an alarm with metric needs either above or below",
                code=Code.OPTION_ONE_OF,
            )
        if self.rule and (self.above is not None or self.below is not None):
            raise InvalidValue(
                "an alarm with rule has neither above nor below",
                code=Code.OPTION_ONE_OF,
            )
        if (self.datapoints or 1) > self.evaluation_periods:
            raise InvalidValue(
                "datapoints must not exceed evaluation_periods", code=Code.PLAN_RANGE
            )
        return self

    def request(self, dimensions: dict[str, str]) -> dict[str, Any]:
        """The arguments for PutMetricAlarm.

        Args:
            dimensions: the metric's dimensions if the alarm has none.
        """
        named = dimensions if self.dimensions is None else self.dimensions
        is_plain = not self.statistic.startswith(("p", "tm"))
        return {
            "AlarmName": self.name,
            "Namespace": self.namespace,
            "MetricName": self.metric,
            "Dimensions": [{"Name": n, "Value": v} for n, v in named.items()],
            "Statistic" if is_plain else "ExtendedStatistic": self.statistic,
            "Period": round(self.period),
            "EvaluationPeriods": self.evaluation_periods,
            "DatapointsToAlarm": self.datapoints or self.evaluation_periods,
            "Threshold": self.below if self.above is None else self.above,
            "ComparisonOperator": "LessThanThreshold"
            if self.above is None
            else "GreaterThanThreshold",
            "TreatMissingData": self.missing,
        }


class ListenerFile(Section):
    """A listener of the load balancer."""

    port: Port = Field(0, description="The port; 0 for a free one.")
    protocol: Literal["HTTP", "HTTPS", "TCP", "TLS"] = Field(
        "HTTP", description="The protocol."
    )

    @property
    def is_http(self) -> bool:
        """Whether an application load balancer has it, not a network one."""
        return self.protocol in {"HTTP", "HTTPS"}

    @property
    def is_encrypted(self) -> bool:
        """Whether it uses TLS."""
        return self.protocol in {"HTTPS", "TLS"}


class HealthCheckFile(Section):
    """The health check; the scenario's speed applies to its interval."""

    path: UrlPath = Field("/", description="The path of the request.")
    interval: Interval = Field(
        "5s", validate_default=True, description="Time between two checks."
    )
    timeout: Timeout = Field("2s", validate_default=True, description="Timeout.")
    healthy_threshold: int = Field(2, ge=2, le=10, description="Successes in a row.")
    unhealthy_threshold: int = Field(2, ge=2, le=10, description="Failures in a row.")
    matcher: Matcher = Field(
        "200", description="Status codes of success: 200, 200,204 or 200-299."
    )

    @model_validator(mode="after")
    def _answers_before_the_next(self) -> Self:
        if self.timeout >= self.interval:
            raise InvalidValue(
                "the timeout must be shorter than the interval",
                code=Code.SCENARIO_HEALTH_CHECK,
            )
        return self


class LoadBalancerFile(Section):
    """The load balancer and its listeners."""

    production: ListenerFile = Field(
        default_factory=ListenerFile, description="The production listener."
    )
    test: ListenerFile | None = Field(
        default_factory=ListenerFile, description="The test listener; null for none."
    )
    certificate: PemFiles | None = Field(
        None, description="The certificate of HTTPS and TLS listeners."
    )
    health_check: HealthCheckFile = Field(
        default_factory=HealthCheckFile,
        description="The health check of both target groups.",
    )

    @property
    def listeners(self) -> tuple[ListenerFile, ...]:
        """The listeners, production first."""
        return (self.production, self.test) if self.test else (self.production,)

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        if len({each.is_http for each in self.listeners}) > 1:
            raise InvalidValue(
                "both listeners must be of one load balancer type: HTTP and HTTPS of "
                "an application load balancer, TCP and TLS of a network load balancer",
                code=Code.SCENARIO_LISTENERS,
            )
        if any(each.is_encrypted for each in self.listeners) and not self.certificate:
            raise InvalidValue(
                "an HTTPS or TLS listener needs a certificate",
                code=Code.SCENARIO_LISTENERS,
            )
        return self


#: CodeDeploy's timeout of a hook and of Install, in seconds.
_HOUR = 3600.0

#: The minimum of that timeout at any speed, in seconds.
_LEAST = 60.0

#: Limits, since a scenario runs on one machine.
_MOST_TASKS = 20

_MOST_DEPLOYMENTS = 50

_MOST_ALARMS = 50


class ServiceFile(Section):
    """The ECS service that is deployed."""

    name: Name = Field(description="Name of the service and task definition family.")
    cluster: Name = Field("rehearsal", description="Name of the cluster.")
    desired_count: int = Field(
        2, ge=1, le=_MOST_TASKS, description="The number of tasks of each task set."
    )
    container: Name = Field("web", description="The container that gets requests.")
    port: int = Field(8080, ge=1, le=65535, description="The container's port.")


class DeploymentGroupFile(Section):
    """The CodeDeploy deployment group."""

    application: Name = Field(description="Name of the CodeDeploy application.")
    name: Name = Field(description="Name of the deployment group.")
    configuration: str = Field(
        "CodeDeployDefault.ECSAllAtOnce", description="The deployment configuration."
    )
    rollback_on: list[
        Literal[
            "DEPLOYMENT_FAILURE",
            "DEPLOYMENT_STOP_ON_ALARM",
            "DEPLOYMENT_STOP_ON_REQUEST",
        ]
    ] = Field(default=["DEPLOYMENT_FAILURE"], description="When to roll back.")
    termination_wait: Minutes = Field(
        "0s", validate_default=True, description="How long blue stays; whole minutes."
    )
    alarms: list[str] = Field(
        default_factory=list,
        max_length=10,
        description="Names of the alarms that stop it.",
    )
    ignore_poll_alarm_failure: bool = Field(
        False, description="Continue if alarms cannot be read."
    )
    template: str | None = Field(
        None,
        description="A CloudFormation template, whose hook AWS::CodeDeploy::BlueGreen "
        "specifies the traffic shift, the termination wait and the functions.",
    )

    @model_validator(mode="after")
    def _says_it_once(self) -> Self:
        twice = {"configuration", "termination_wait"} & self.model_fields_set
        if self.template and twice:
            raise InvalidValue(
                f"the template specifies {min(twice)}; remove it here",
                code=Code.OPTION_TOGETHER,
            )
        return self


class AssumptionsFile(Section):
    """Assumptions about behavior that AWS does not document."""

    codedeploy: Assumptions = Field(
        default_factory=Assumptions, description="CodeDeploy's behavior."
    )
    cloudwatch: CloudWatchAssumptions = Field(
        default_factory=CloudWatchAssumptions, description="The behavior of alarms."
    )


class ImageFile(Section):
    """The local program of a container image."""

    command: list[str] = Field(
        min_length=1,
        description="The program and its arguments; python is Hookgate's Python.",
    )
    environment: dict[str, str] = Field(
        default_factory=dict, description="Its environment variables."
    )


class TrafficFile(Section):
    """The simulated production traffic."""

    rate: Rate = Field(
        "50/s", ge=0.1, le=1000, validate_default=True, description="The request rate."
    )
    path: UrlPath = Field("/", description="The path of the request.")


# A message about a secret does not contain its value.
def _variable(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        raise InvalidValue(
            "not the name of an environment variable; for example SHOP_TOKEN",
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
            "expected text in quotes or {env: VARIABLE}", code=Code.SCENARIO_SECRET
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
    plan: str = Field(description="The plan file, relative to the scenario.")
    allowed_targets: list[Annotated[str, Field(pattern=r"^[^\s,]{1,300}$")]] = Field(
        default_factory=list,
        max_length=50,
        description="The stack parameter AllowedTargets: hosts and networks that the "
        "plan's target.allow may contain.",
    )
    secrets: dict[_SecretName, _Secret] = Field(
        default_factory=dict,
        max_length=50,
        description="Values of ${secret.NAME} in the plan: text, or {env: VARIABLE}.",
    )
    traffic: TrafficFile = Field(default_factory=TrafficFile)
    speed: float = Field(
        20.0,
        ge=1,
        le=1000,
        description="Speed up AWS wait times by this factor.",
    )
    hook_timeout: HookTimeout | None = Field(
        None,
        description="How long a hook may take to report, in real time; by default, an "
        "hour at the scenario's speed, at least a minute.",
    )
    assumptions: AssumptionsFile = Field(default_factory=AssumptionsFile)
    images: dict[str, ImageFile] = Field(min_length=1)
    starts_with: str = Field(
        description="The image that runs before the first deployment."
    )
    deployments: list[DeploymentFile] = Field(
        min_length=1, max_length=_MOST_DEPLOYMENTS
    )

    def hour(self, configured: float | None) -> float:
        """CodeDeploy's timeout of one hour in real time, in seconds.

        Hooks and programs are not faster at a higher speed, so it is at least a minute.

        Args:
            configured: the scenario's own timeout, which no speed changes.
        """
        return configured or max(_HOUR / self.speed, _LEAST)
