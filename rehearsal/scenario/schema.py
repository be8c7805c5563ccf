"""The schema of a scenario file."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from hookgate.codes import Code
from hookgate.errors import InvalidValue, closest
from hookgate.units import Duration, Percentage, Rate
from hookgate_rehearsal.cloudwatch.alarm import RuleError, parse_rule
from hookgate_rehearsal.cloudwatch.settings import CloudWatchAssumptions
from hookgate_rehearsal.cloudwatch.store import is_statistic
from hookgate_rehearsal.codedeploy.settings import Assumptions
from hookgate_rehearsal.data_plane.settings import Protocol
from hookgate_rehearsal.faults.schema import AnyEvent, FaultsFile, PemFiles, Section


def _checked(
    is_valid: Callable[[Any], object], message: str, code: Code = Code.PLAN_RANGE
) -> AfterValidator:
    """A check of one value."""

    def check(value: Any) -> Any:
        _require(is_valid(value), message, code)
        return value

    return AfterValidator(check)


def _require(is_valid: object, message: str, code: Code) -> None:
    if not is_valid:
        raise InvalidValue(message, code=code)


def _from(least: float, most: float, text: str) -> AfterValidator:
    return _checked(lambda value: least <= value <= most, f"AWS accepts {text}")


def _matching(
    pattern: str, message: str, code: Code = Code.PLAN_FORMAT
) -> AfterValidator:
    return _checked(re.compile(pattern).fullmatch, message, code)


_WHOLE_SECONDS = _checked(
    lambda seconds: not seconds % 1,
    "a target group needs whole seconds, for example 5s",
)
_WHOLE_MINUTES = _checked(
    lambda seconds: not seconds % 60,
    "CodeDeploy needs whole minutes, for example 0s, 1m or 2h",
)
Minutes = Annotated[Duration, _WHOLE_MINUTES, _from(0, 48 * 3600, "0s to 48h")]
Interval = Annotated[Duration, _WHOLE_SECONDS, _from(5, 300, "5s to 300s")]
Timeout = Annotated[Duration, _WHOLE_SECONDS, _from(2, 120, "2s to 120s")]
HookTimeout = Annotated[Duration, _from(1, 3600, "1s to 1h")]
Period = Annotated[
    Duration,
    _checked(
        lambda s: s in {10, 20, 30} or (s > 0 and not s % 60),
        "CloudWatch accepts 10s, 20s, 30s or whole minutes",
    ),
]
Statistic = Annotated[
    str,
    _checked(
        is_statistic,
        "write Sum, Average, Minimum, Maximum, SampleCount or p99",
        Code.PLAN_CHOICE,
    ),
]
UrlPath = Annotated[
    str,
    _matching(r"(?s)/.*", "a path must start with '/'"),
    Field(max_length=1024),
]
Name = Annotated[
    str,
    Field(min_length=1, max_length=100),
    _matching(r"[A-Za-z0-9_.-]+", "a name has only letters, digits, '.', '_' and '-'"),
]
Port = Annotated[int, Field(ge=0, le=65535)]
Ended = Literal["Succeeded", "Failed", "Stopped"]
Matcher = Annotated[
    str,
    _matching(
        r"[0-9]{3}([,-][0-9]{3})*",
        "not status codes; for example 200, 200,204 or 200-299",
        Code.OPTION_STATUS,
    ),
]


def _code(code: str) -> str:
    if code.startswith("HG-") and code not in set(Code):
        near = closest(code, list(Code))
        hint = f"; did you mean {near!r}?" if near else ""
        raise InvalidValue(f"no code {code!r}{hint}", code=Code.PLAN_CHOICE)
    return code


def _rule(text: str) -> str:
    try:
        parse_rule(text)
    except RuleError as error:
        raise InvalidValue(str(error), code=Code.SCENARIO_ALARM_RULE) from None
    return text


class ExpectedStep(Section):
    """The step that must stop a deployment."""

    name: str | None = Field(None, min_length=1, description="Name of the step.")
    status: Literal["failed", "inconclusive", "errored"] | None = Field(
        None, description="Status of the step; by default failed or inconclusive."
    )
    code: Annotated[str, AfterValidator(_code)] | None = Field(
        None, description="Code of the step's reason, such as HG-ACCESS-DENIED."
    )

    @model_validator(mode="after")
    def _names_something(self) -> Self:
        message = "write at least one of name, status and code"
        _require(self.model_fields_set, message, Code.OPTION_ONE_OF)
        return self

    @property
    def text(self) -> str:
        """The step in words, such as ``step 'price' (errored, HG-NO-DATA)``."""
        name = f"step {self.name!r}" if self.name else "a step"
        rest = ", ".join(filter(None, (self.status, self.code)))
        return f"{name} ({rest})" if rest else name


class ExpectFile(Section):
    """How a deployment must end."""

    status: Ended = Field(description="Status of the deployment.")
    event: AnyEvent | None = Field(
        None, description="The lifecycle event at which it must fail."
    )
    rollback: Ended | None = Field(
        None, description="Status of the rollback's own deployment."
    )
    step: ExpectedStep | None = Field(
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
        0.0, description="The share of production requests that may fail."
    )

    @model_validator(mode="after")
    def _success_has_no_reasons(self) -> Self:
        names = ("event", "rollback", "step", "reason", "alarm")
        odd = [name for name in names if getattr(self, name)]
        _require(
            self.status != "Succeeded" or not odd,
            f"a deployment that is Succeeded has no {(odd or names)[0]}",
            Code.SCENARIO_EXPECT,
        )
        _require(
            self.status != "Stopped" or not self.step,
            "step needs status: Failed; no step stops a deployment",
            Code.SCENARIO_EXPECT,
        )
        return self


class DeploymentFile(Section):
    """One deployment to run."""

    name: str = Field(
        min_length=1, max_length=100, description="The name of the deployment."
    )
    image: str = Field(description="The image to deploy.")
    faults: FaultsFile = Field(FaultsFile(), description="The faults to inject.")
    waits_for_alarms: bool = Field(
        True, description="Start once no alarm of the group is in ALARM."
    )
    expect: ExpectFile = Field(description="The expected result.")


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
    statistic: Statistic = Field("Sum", description="The statistic of a period.")
    period: Period = Field(60.0, description="The period, in AWS's time.")
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
        limits = (self.above is not None) + (self.below is not None)
        _require(
            (self.metric is None) != (self.rule is None),
            "an alarm needs either metric or rule",
            Code.OPTION_ONE_OF,
        )
        _require(
            limits == (0 if self.rule else 1),
            "an alarm with metric needs either above or below, one with rule neither",
            Code.OPTION_ONE_OF,
        )
        _require(
            (self.datapoints or 1) <= self.evaluation_periods,
            "datapoints must not exceed evaluation_periods",
            Code.PLAN_RANGE,
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
    protocol: Protocol = Field(Protocol.HTTP, strict=False, description="The protocol.")


class HealthCheckFile(Section):
    """The health check; the scenario's speed applies to its interval."""

    path: UrlPath = Field("/", description="The path of the request.")
    interval: Interval = Field(5.0, description="Time between two checks.")
    timeout: Timeout = Field(2.0, description="Timeout.")
    healthy_threshold: int = Field(2, ge=2, le=10, description="Successes in a row.")
    unhealthy_threshold: int = Field(2, ge=2, le=10, description="Failures in a row.")
    matcher: Matcher = Field(
        "200", description="Status codes of success: 200, 200,204 or 200-299."
    )

    @model_validator(mode="after")
    def _answers_before_the_next(self) -> Self:
        message = "the timeout must be shorter than the interval"
        _require(self.timeout < self.interval, message, Code.SCENARIO_HEALTH_CHECK)
        return self


class LoadBalancerFile(Section):
    """The load balancer and its listeners."""

    production: ListenerFile = Field(
        ListenerFile(), description="The production listener."
    )
    test: ListenerFile | None = Field(
        ListenerFile(), description="The test listener; null for none."
    )
    certificate: PemFiles | None = Field(
        None, description="The certificate of HTTPS and TLS listeners."
    )
    health_check: HealthCheckFile = Field(
        HealthCheckFile(), description="The health check of both target groups."
    )

    @property
    def listeners(self) -> tuple[ListenerFile, ...]:
        """The listeners, production first."""
        return (self.production, self.test) if self.test else (self.production,)

    @model_validator(mode="after")
    def _can_be_built(self) -> Self:
        _require(
            len({each.protocol.is_http for each in self.listeners}) == 1,
            "both listeners must be of one load balancer type: HTTP and HTTPS of "
            "an application load balancer, TCP and TLS of a network load balancer",
            Code.SCENARIO_LISTENERS,
        )
        _require(
            self.certificate
            or not any(e.protocol.is_encrypted for e in self.listeners),
            "an HTTPS or TLS listener needs a certificate",
            Code.SCENARIO_LISTENERS,
        )
        return self


class ServiceFile(Section):
    """The ECS service that is deployed."""

    name: Name = Field(description="Name of the service and task definition family.")
    cluster: Name = Field("rehearsal", description="Name of the cluster.")
    desired_count: int = Field(
        2, ge=1, le=20, description="The number of tasks of each task set."
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
    ] = Field(["DEPLOYMENT_FAILURE"], description="When to roll back.")
    termination_wait: Minutes = Field(
        0.0, description="How long blue stays; whole minutes."
    )
    alarms: list[str] = Field(
        [], max_length=10, description="Names of the alarms that stop it."
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
        message = f"the template specifies {min(twice, default='')}; remove it here"
        _require(not (self.template and twice), message, Code.OPTION_TOGETHER)
        return self


class AssumptionsFile(Section):
    """Assumptions about behavior that AWS does not document."""

    codedeploy: Assumptions = Field(Assumptions(), description="CodeDeploy's behavior.")
    cloudwatch: CloudWatchAssumptions = Field(
        CloudWatchAssumptions(), description="The behavior of alarms."
    )


class ImageFile(Section):
    """The local program of a container image."""

    command: list[str] = Field(
        min_length=1,
        description="The program and its arguments; python is Hookgate's Python.",
    )
    entrypoint: list[str] = Field(
        [],
        description="The program, if `command` is its arguments, which the `command` "
        "of a container definition replaces.",
    )
    environment: dict[str, str] = Field({}, description="Its environment variables.")


class TrafficFile(Section):
    """The simulated production traffic."""

    rate: Rate = Field(50.0, ge=0.1, le=1000, description="The request rate.")
    path: UrlPath = Field("/", description="The path of the request.")


class SecretFile(Section):
    """A secret whose value is in an environment variable."""

    env: Annotated[
        str,
        _matching(
            r"[A-Za-z_][A-Za-z0-9_]*",
            "not the name of an environment variable; for example SHOP_TOKEN",
            Code.SCENARIO_SECRET,
        ),
    ] = Field(description="Name of the environment variable.")


def _secret(value: object) -> object:
    # The message does not contain the value.
    if not isinstance(value, dict) and (not isinstance(value, str) or not value):
        raise InvalidValue(
            "expected text in quotes or {env: VARIABLE}", code=Code.SCENARIO_SECRET
        )
    return value


_SecretName = Annotated[str, Field(pattern=r"^[A-Za-z0-9/_+=.@-]{1,200}$")]

_Secret = Annotated[str | SecretFile, BeforeValidator(_secret)]


class ScenarioFile(Section):
    """A rehearsal. Counts have low limits, since it runs on one machine."""

    version: Literal[1] = Field(description="The version of this format.")
    service: ServiceFile
    load_balancer: LoadBalancerFile = LoadBalancerFile()
    deployment_group: DeploymentGroupFile
    alarms: list[AlarmFile] = Field([], max_length=50)
    plan: str = Field(description="The plan file, relative to the scenario.")
    allowed_targets: list[Annotated[str, Field(pattern=r"^[^\s,]{1,300}$")]] = Field(
        [],
        max_length=50,
        description="The stack parameter AllowedTargets: hosts and networks that the "
        "plan's target.allow may contain.",
    )
    secrets: dict[_SecretName, _Secret] = Field(
        {},
        max_length=50,
        description="Values of ${secret.NAME} in the plan: text, or {env: VARIABLE}.",
    )
    traffic: TrafficFile = TrafficFile()
    speed: float = Field(
        20.0, ge=1, le=1000, description="Speed up AWS wait times by this factor."
    )
    hook_timeout: HookTimeout | None = Field(
        None,
        description="How long a hook may take to report, in real time; by default, an "
        "hour at the scenario's speed, at least a minute.",
    )
    assumptions: AssumptionsFile = AssumptionsFile()
    images: dict[str, ImageFile] = Field(min_length=1)
    starts_with: str = Field(
        description="The image that runs before the first deployment."
    )
    deployments: list[DeploymentFile] = Field(min_length=1, max_length=50)

    def hour(self, configured: float | None) -> float:
        """CodeDeploy's timeout of one hour in real time, in seconds.

        Hooks and programs are not faster at a higher speed, so it is at least a minute.

        Args:
            configured: the scenario's own timeout, which no speed changes.
        """
        return configured or max(3600.0 / self.speed, 60.0)
