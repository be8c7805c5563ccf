"""Create a scenario's AWS resources, with the API calls that a team would make."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hookgate.codes import Code
from hookgate.errors import HookgateError, InputError
from hookgate.http.address import AddressPolicy
from hookgate.model import LifecycleEvent
from hookgate.plan import beside, read_plan
from hookgate.registry import resolve
from hookgate_rehearsal.cloudwatch.alarm import AlarmState
from hookgate_rehearsal.cloudwatch.alarms import AlarmChanged
from hookgate_rehearsal.data_plane.processes import free_port
from hookgate_rehearsal.emulator import Emulator
from hookgate_rehearsal.endpoint.moto_state import ACCOUNT
from hookgate_rehearsal.scenario.reader import Scenario
from hookgate_rehearsal.scenario.schema import ListenerFile

#: The hooks' plan sources, in this order.
PARAMETER_PREFIX = "/hookgate/plans"
BUCKET = "hookgate-plans"
#: The prefix of the names of secrets that plans may read.
SECRET_PREFIX = "hookgate/"  # noqa: S105 - a part of a name
#: SSM's limits for a parameter of the standard and the advanced tier, in bytes.
STANDARD_TIER, ADVANCED_TIER = 4096, 8192
#: The suffixes of the two target groups' names.
_SUFFIXES = ("a", "b")
_PEM_END = b"-----END CERTIFICATE-----"
#: The maximum number of free ports to try; another program may take one first.
_TRIES = 5
_DRAIN = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}
#: Seconds within which the first version must be healthy.
_HEALTHY_WITHIN = 60.0
_POLL = 0.05  # seconds
#: The number of stopped tasks after which the first version is given up.
_STOPPED = 3
#: How CodeDeploy names the alarms in the error's message.
_NAMED = re.compile(r"<([^<>]+)>")


# The plan.


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioPlan:
    """A valid plan.

    Attributes:
        source: the content of its file.
        events: the lifecycle events that have steps.
        files: the contents of the files that it names, by name.
    """

    source: bytes
    events: tuple[LifecycleEvent, ...]
    files: Mapping[str, bytes]

    @classmethod
    def read(cls, scenario: Scenario) -> ScenarioPlan:
        """Read a scenario's plan as the hooks do.

        Raises:
            PlanError: the plan is wrong.
        """
        source, files = scenario.plan.read_bytes(), dict[str, bytes]()
        read = beside(scenario.plan)

        def read_file(name: str) -> bytes:
            files[name] = read(name)
            return files[name]

        plan = read_plan(
            source,
            str(scenario.plan),
            resolve,
            read_file,
            policy=AddressPolicy.of_stack(",".join(scenario.content.allowed_targets)),
        )
        return cls(source=source, events=tuple(plan.events), files=files)

    def store(self, emulator: Emulator, application: str, group: str) -> None:
        """Store the plan in SSM, or in S3 if it has files or is too long for SSM."""
        if not self.files and len(self.source) <= ADVANCED_TIER:
            emulator.client("ssm").put_parameter(
                Name=f"{PARAMETER_PREFIX}/{application}/{group}",
                Value=self.source.decode(),
                Type="String",
                Tier="Standard" if len(self.source) <= STANDARD_TIER else "Advanced",
            )
            return
        s3 = emulator.client("s3")
        for name, content in {f"{group}.yaml": self.source, **self.files}.items():
            s3.put_object(Bucket=BUCKET, Key=f"{application}/{name}", Body=content)


def plan_events(scenario: Scenario) -> tuple[LifecycleEvent, ...]:
    """The lifecycle events with a hook: those of the plan, or of the template.

    Raises:
        PlanError: the plan is wrong.
        InputError: the template calls no function at an event with steps.
    """
    events = ScenarioPlan.read(scenario).events
    if scenario.blue_green is None:
        return events
    hooks = scenario.blue_green.functions
    if without := [event for event in events if event not in hooks]:
        raise InputError(
            f"{scenario.file}: the template calls no function at {without[0]}, but "
            f"{scenario.plan} has steps for it"
        )
    return tuple(hooks)


# The resources.


class RehearsalError(HookgateError):
    """The emulator could not run the scenario."""

    code = Code.REHEARSAL


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedListener:
    """A listener and its port on this machine."""

    arn: str
    port: int
    is_encrypted: bool = False

    def url(self, host: str) -> str:
        """The URL of its root."""
        return f"http{'s' if self.is_encrypted else ''}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CreatedLoadBalancer:
    """A load balancer; ``target_groups`` are ARNs by name, blue's first."""

    subnets: tuple[str, ...]
    target_groups: Mapping[str, str]
    production: CreatedListener
    test: CreatedListener | None


def set_up(emulator: Emulator, scenario: Scenario) -> CreatedLoadBalancer:
    """Create load balancer, service, alarms, deployment group, plan and secrets.

    Raises:
        InputError: an API call is rejected, as AWS would reject it.
        PlanError: the plan is wrong.
    """
    import botocore.exceptions  # noqa: PLC0415 - botocore is slow to import

    group = scenario.content.deployment_group
    try:
        balancer = _create_load_balancer(emulator, scenario)
        _service(emulator, scenario, balancer)
        _create_alarms(emulator, scenario, balancer)
        _deployment_group(emulator, scenario, balancer)
        ScenarioPlan.read(scenario).store(emulator, group.application, group.name)
        for name, value in scenario.secrets.items():
            emulator.client("secretsmanager").create_secret(
                Name=f"{SECRET_PREFIX}{name}", SecretString=value
            )
    except botocore.exceptions.ClientError as error:
        cause = error.response["Error"]
        raise InputError(
            f"{scenario.file}: {error.operation_name} failed: {cause['Message']} "
            f"({cause['Code']})"
        ) from None
    return balancer


def _create_load_balancer(
    emulator: Emulator, scenario: Scenario
) -> CreatedLoadBalancer:
    """Create the load balancer, its target groups and its listeners."""
    content, name = scenario.content.load_balancer, scenario.content.service.name
    # The default VPC, which every account has: EC2's model alone takes half a second.
    subnets = emulator.subnets[:2]
    balancer = emulator.client("elbv2").create_load_balancer(
        Name="rehearsal",
        Subnets=list(subnets),
        Scheme="internal",
        Type="application" if content.production.protocol.is_http else "network",
    )["LoadBalancers"][0]
    names = [f"{name}-{suffix}" for suffix in _SUFFIXES]
    groups = {each: _target_group(emulator, scenario, each) for each in names}
    request = {
        "LoadBalancerArn": balancer["LoadBalancerArn"],
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": groups[names[0]]}],
    }
    certificate = _certificate(emulator, scenario)
    listeners = [
        _listener(
            emulator,
            each,
            **request,
            **certificate if each.protocol.is_encrypted else {},
        )
        for each in content.listeners
    ]
    return CreatedLoadBalancer(
        subnets=subnets,
        target_groups=groups,
        production=listeners[0],
        test=listeners[1] if content.test else None,
    )


def _target_group(emulator: Emulator, scenario: Scenario, name: str) -> str:
    content = scenario.content.load_balancer
    check = content.health_check
    elbv2 = emulator.client("elbv2")
    answer = elbv2.create_target_group(
        Name=name,
        # TLS ends at the load balancer.
        Protocol="HTTP" if content.production.protocol.is_http else "TCP",
        Port=scenario.content.service.port,
        VpcId=emulator.vpc,
        TargetType="ip",
        HealthCheckProtocol="HTTP",
        HealthCheckPath=check.path,
        HealthCheckIntervalSeconds=round(check.interval),
        HealthCheckTimeoutSeconds=round(check.timeout),
        HealthyThresholdCount=check.healthy_threshold,
        UnhealthyThresholdCount=check.unhealthy_threshold,
        Matcher={"HttpCode": check.matcher},
    )
    arn: str = answer["TargetGroups"][0]["TargetGroupArn"]
    elbv2.modify_target_group_attributes(TargetGroupArn=arn, Attributes=[_DRAIN])
    return arn


def _certificate(emulator: Emulator, scenario: Scenario) -> Mapping[str, Any]:
    """The certificate's argument of CreateListener."""
    given = scenario.content.load_balancer.certificate
    if given is None:
        return {}
    certificate = given.read(scenario.folder)
    leaf, mark, issuers = certificate.chain.partition(_PEM_END)
    rest = {"CertificateChain": issuers.strip()} if issuers.strip() else {}
    answer = emulator.client("acm").import_certificate(
        Certificate=leaf + mark, PrivateKey=certificate.key, **rest
    )
    return {"Certificates": [{"CertificateArn": answer["CertificateArn"]}]}


def _listener(
    emulator: Emulator, listener: ListenerFile, **request: Any
) -> CreatedListener:
    """Create a listener, on a free port where the scenario names none."""
    import botocore.exceptions  # noqa: PLC0415 - botocore is slow to import

    elbv2, tries_left = emulator.client("elbv2"), _TRIES
    while True:
        port = listener.port or free_port(emulator.settings.host)
        tries_left -= 1
        try:
            answer = elbv2.create_listener(
                Protocol=listener.protocol, Port=port, **request
            )
        except botocore.exceptions.ClientError:
            if listener.port or not tries_left:
                raise
            continue
        arn = answer["Listeners"][0]["ListenerArn"]
        return CreatedListener(
            arn=arn, port=port, is_encrypted=listener.protocol.is_encrypted
        )


def _service(
    emulator: Emulator, scenario: Scenario, balancer: CreatedLoadBalancer
) -> None:
    service = scenario.content.service
    ecs = emulator.client("ecs")
    ecs.create_cluster(clusterName=service.cluster)
    serves = {
        "targetGroupArn": next(iter(balancer.target_groups.values())),
        "containerName": service.container,
        "containerPort": service.port,
    }
    ecs.create_service(
        cluster=service.cluster,
        serviceName=service.name,
        taskDefinition=register_task_definition(
            emulator, scenario, scenario.content.starts_with
        ),
        desiredCount=service.desired_count,
        launchType="FARGATE",
        loadBalancers=[serves],
        deploymentController={"type": "CODE_DEPLOY"},
        networkConfiguration={
            "awsvpcConfiguration": {"subnets": list(balancer.subnets)}
        },
    )


def _deployment_group(
    emulator: Emulator, scenario: Scenario, balancer: CreatedLoadBalancer
) -> None:
    group, service = scenario.content.deployment_group, scenario.content.service
    pair: dict[str, Any] = {
        "targetGroups": [{"name": name} for name in balancer.target_groups],
        "prodTrafficRoute": {"listenerArns": [balancer.production.arn]},
    }
    if balancer.test:
        pair["testTrafficRoute"] = {"listenerArns": [balancer.test.arn]}
    codedeploy = emulator.client("codedeploy")
    codedeploy.create_application(
        applicationName=group.application, computePlatform="ECS"
    )
    termination = {
        "action": "TERMINATE",
        "terminationWaitTimeInMinutes": scenario.termination_wait,
    }
    ready = {"actionOnTimeout": "CONTINUE_DEPLOYMENT", "waitTimeInMinutes": 0}
    codedeploy.create_deployment_group(
        applicationName=group.application,
        deploymentGroupName=group.name,
        deploymentConfigName=_configuration(codedeploy, scenario),
        serviceRoleArn=f"arn:aws:iam::{ACCOUNT}:role/CodeDeploy",
        ecsServices=[{"serviceName": service.name, "clusterName": service.cluster}],
        loadBalancerInfo={"targetGroupPairInfoList": [pair]},
        deploymentStyle={
            "deploymentType": "BLUE_GREEN",
            "deploymentOption": "WITH_TRAFFIC_CONTROL",
        },
        blueGreenDeploymentConfiguration={
            "terminateBlueInstancesOnDeploymentSuccess": termination,
            "deploymentReadyOption": ready,
        },
        autoRollbackConfiguration={
            "enabled": bool(group.rollback_on),
            "events": list(group.rollback_on),
        },
        alarmConfiguration={
            "enabled": bool(group.alarms),
            "ignorePollAlarmFailure": group.ignore_poll_alarm_failure,
            "alarms": [{"name": name} for name in group.alarms],
        },
    )


def _configuration(codedeploy: Any, scenario: Scenario) -> str:
    """The deployment configuration's name; a template's is created first."""
    group, hook = scenario.content.deployment_group, scenario.blue_green
    if hook is None:
        return group.configuration
    name = f"{group.name}-of-the-template"
    codedeploy.create_deployment_config(
        deploymentConfigName=name,
        computePlatform="ECS",
        trafficRoutingConfig=dict(hook.routing),
    )
    return name


def _create_alarms(
    emulator: Emulator, scenario: Scenario, balancer: CreatedLoadBalancer
) -> None:
    """Create the alarms, composite ones last."""
    cloudwatch = emulator.client("cloudwatch")
    group = scenario.content.deployment_group
    path = balancer.production.arn.partition(":listener/")[2].rpartition("/")[0]
    ours = {"Application": group.application, "DeploymentGroup": group.name}
    for alarm in sorted(scenario.content.alarms, key=lambda each: bool(each.rule)):
        if alarm.rule:
            cloudwatch.put_composite_alarm(AlarmName=alarm.name, AlarmRule=alarm.rule)
        else:
            is_aws = alarm.namespace.startswith("AWS/")
            dimensions = {"LoadBalancer": path} if is_aws else ours
            cloudwatch.put_metric_alarm(**alarm.request(dimensions))


def register_task_definition(emulator: Emulator, scenario: Scenario, image: str) -> str:
    """Register a revision of the service's task definition, and return its ARN."""
    service = scenario.content.service
    container = {
        "name": service.container,
        "image": image,
        "essential": True,
        "portMappings": [{"containerPort": service.port, "protocol": "tcp"}],
    }
    answer = emulator.client("ecs").register_task_definition(
        family=service.name,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[container],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def primary_task_set(emulator: Emulator, scenario: Scenario) -> Mapping[str, Any]:
    """The task set that serves production traffic."""
    service = scenario.content.service
    answer = emulator.client("ecs").describe_services(
        cluster=service.cluster, services=[service.name]
    )
    sets = answer["services"][0]["taskSets"]
    primary: Mapping[str, Any] = next(e for e in sets if e["status"] == "PRIMARY")
    return primary


def wait_for_first_version(
    emulator: Emulator, scenario: Scenario, within: float = _HEALTHY_WITHIN
) -> None:
    """Wait until the scenario's first version is healthy.

    Args:
        emulator: the emulator.
        scenario: its scenario, whose resources exist.
        within: seconds to wait.

    Raises:
        RehearsalError: its tasks stop, or it is not healthy in time.
    """
    elbv2 = emulator.client("elbv2")
    group = primary_task_set(emulator, scenario)["loadBalancers"][0]["targetGroupArn"]
    version = f"{scenario.file}: the first version, {scenario.content.starts_with},"
    deadline = time.monotonic() + within
    while True:
        found = elbv2.describe_target_health(TargetGroupArn=group)
        targets = [e["TargetHealth"] for e in found["TargetHealthDescriptions"]]
        has_all = len(targets) >= scenario.content.service.desired_count
        if has_all and all(each["State"] == "healthy" for each in targets):
            return
        stopped = _stopped(emulator, scenario)
        if len(stopped) >= _STOPPED:
            raise RehearsalError(
                f"{version} does not keep running: {len(stopped)} of its tasks have "
                f"stopped. The last: {stopped[-1]}"
            )
        if time.monotonic() > deadline:
            states = [
                f"{e['State']} {e.get('Description', '')}".strip() for e in targets
            ]
            raise RehearsalError(
                f"{version} did not become healthy within {within:g} s; its targets: "
                f"{'; '.join(states) or 'none'}"
            )
        time.sleep(_POLL)


def _stopped(emulator: Emulator, scenario: Scenario) -> list[str]:
    """Why tasks of the service have stopped, oldest first."""
    service, ecs = scenario.content.service, emulator.client("ecs")
    arns = ecs.list_tasks(
        cluster=service.cluster, serviceName=service.name, desiredStatus="STOPPED"
    )["taskArns"]
    if not arns:
        return []
    tasks = ecs.describe_tasks(cluster=service.cluster, tasks=arns)["tasks"]
    over = [task for task in tasks if task["lastStatus"] == "STOPPED"]
    over.sort(key=lambda task: task["stoppedAt"])
    return [task.get("stoppedReason", "no reason") for task in over]


def wait_for_alarms(emulator: Emulator, names: Sequence[str], within: float) -> None:
    """Wait until no alarm is in ALARM, or until ``within`` seconds have passed.

    An alarm that is still in ALARM then stops the deployment.
    """
    cloudwatch = emulator.client("cloudwatch")
    deadline = time.monotonic() + within
    while names and time.monotonic() < deadline:
        found = cloudwatch.describe_alarms(
            AlarmNames=list(names),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            StateValue=AlarmState.ALARM.value,
        )
        if not found["MetricAlarms"] and not found["CompositeAlarms"]:
            return
        time.sleep(_POLL)


class AlarmReasons:
    """The last reason of each alarm; CodeDeploy's message contains only names."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def __call__(self, change: AlarmChanged) -> None:
        """Store the reason of an alarm in ALARM."""
        if change.alarm.state is AlarmState.ALARM:
            self._reasons[change.alarm.name] = change.alarm.reason

    def stopping(self, error: Mapping[str, Any] | None) -> list[dict[str, str]]:
        """The alarms that an ``errorInformation`` names."""
        if error is None or error["code"] != "ALARM_ACTIVE":
            return []
        return [
            {"name": name, "reason": self._reasons.get(name, "it does not exist")}
            for name in _NAMED.findall(error["message"])
        ]
