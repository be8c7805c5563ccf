"""Build a scenario's load balancer on a stage, with the calls a team would make."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rehearsal.scenario.file import ListenerFile
from rehearsal.scenario.scenario import Scenario
from rehearsal.stage import Stage

#: How the two target groups are called after the service.
_SUFFIXES = ("a", "b")
_PEM_END = b"-----END CERTIFICATE-----"
#: How often a port of the kernel's choice may be taken before the listener opens.
_TRIES = 5
_DRAIN = {"Key": "deregistration_delay.timeout_seconds", "Value": "5"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listener, and the port it has on this machine."""

    arn: str
    port: int
    is_encrypted: bool = False

    def url(self, host: str) -> str:
        """Where a browser finds it."""
        return f"http{'s' if self.is_encrypted else ''}://{host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer:
    """A load balancer in its subnets; target groups' ARNs by name, blue's first."""

    subnets: tuple[str, ...]
    target_groups: Mapping[str, str]
    production: Listener
    test: Listener | None


def build_load_balancer(stage: Stage, scenario: Scenario) -> LoadBalancer:
    """Build the load balancer, its target groups and its listeners."""
    content = scenario.content.load_balancer
    # The default VPC, which every account has: EC2's model alone takes half a second.
    vpc, subnets = stage.vpc, stage.subnets[:2]
    arn = _load_balancer(stage, subnets, content.production)
    groups = {
        name: _target_group(stage, scenario, name, vpc)
        for name in (f"{scenario.content.service.name}-{each}" for each in _SUFFIXES)
    }
    blue = next(iter(groups.values()))
    certificate = _certificate(stage, scenario)
    built = [
        _listener(
            stage,
            each,
            LoadBalancerArn=arn,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": blue}],
            **certificate if each.is_encrypted else {},
        )
        for each in content.listeners
    ]
    return LoadBalancer(
        subnets=subnets,
        target_groups=groups,
        production=built[0],
        test=built[1] if content.test else None,
    )


def _load_balancer(
    stage: Stage, subnets: tuple[str, ...], production: ListenerFile
) -> str:
    answer = stage.client("elbv2").create_load_balancer(
        Name="rehearsal",
        Subnets=list(subnets),
        Scheme="internal",
        Type="application" if production.is_http else "network",
    )
    arn: str = answer["LoadBalancers"][0]["LoadBalancerArn"]
    return arn


def _target_group(stage: Stage, scenario: Scenario, name: str, vpc: str) -> str:
    content = scenario.content.load_balancer
    check = content.health_check
    elbv2 = stage.client("elbv2")
    answer = elbv2.create_target_group(
        Name=name,
        # TLS ends at the load balancer.
        Protocol="HTTP" if content.production.is_http else "TCP",
        Port=scenario.content.service.port,
        VpcId=vpc,
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


def _certificate(stage: Stage, scenario: Scenario) -> Mapping[str, Any]:
    """What CreateListener is told of the certificate."""
    given = scenario.content.load_balancer.certificate
    if given is None:
        return {}
    chain = (scenario.folder / given.chain).read_bytes()
    leaf, mark, issuers = chain.partition(_PEM_END)
    rest = {"CertificateChain": issuers.strip()} if issuers.strip() else {}
    answer = stage.client("acm").import_certificate(
        Certificate=leaf + mark,
        PrivateKey=(scenario.folder / given.key).read_bytes(),
        **rest,
    )
    return {"Certificates": [{"CertificateArn": answer["CertificateArn"]}]}


def _listener(stage: Stage, listener: ListenerFile, **request: Any) -> Listener:
    """Create a listener; where its port does not matter, on one that nobody takes.

    Between the choice of a free port and the listener another program may take it.
    """
    import botocore.exceptions  # noqa: PLC0415 - botocore is slow to import

    elbv2, tries_left = stage.client("elbv2"), _TRIES
    while True:
        port = listener.port or _free_port(stage.settings.host)
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
        return Listener(arn=arn, port=port, is_encrypted=listener.is_encrypted)


def _free_port(host: str) -> int:
    with socket.create_server((host, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
