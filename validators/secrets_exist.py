"""``use: secrets_exist``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from hookgate import DeploymentContext, Finding, NotFound, Tools, Validator, known
from hookgate.codes import Code

_CALL = 10.0
#: Maximum number of secrets; a task definition of 64 KiB has fewer.
_MOST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Reference:
    """A secret of a container, with its staging label or version id."""

    container: str
    arn: str
    name: str
    label: str = "AWSCURRENT"
    version: str = ""

    @property
    def in_ssm(self) -> bool:
        return ":ssm:" in self.arn


class SecretsExist(Validator):
    """Do the task definition's secrets exist, and may its execution role read them?

    A task whose secret is missing never starts, and Install takes long to fail. The
    step reads no values. It checks that each secret and parameter exists, and that IAM
    allows the execution role to read it. It ignores resource policies and KMS keys.
    docs.aws.amazon.com/AmazonECS/latest/developerguide/specifying-sensitive-data.html

    Example:
        - use: secrets_exist
          with:
            readable: true
    """

    needs_aws: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = (
        "ecs:DescribeTaskDefinition",
        "iam:SimulatePrincipalPolicy",
        "secretsmanager:DescribeSecret",
        "ssm:DescribeParameters",
    )

    readable: bool = Field(
        default=True,
        description="Whether to check with IAM that the execution role may read each.",
    )

    def worst_case(self) -> float:
        """A dozen calls, one after the other."""
        return 12 * _CALL

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Check each secret once."""
        definition = known(context.task_definition, "the task definition")
        deployment = known(context.deployment, "the deployment")
        described = tools.aws(
            "ecs", "describe_task_definition", taskDefinition=definition.arn
        )["taskDefinition"]
        partition = definition.arn.split(":")[1]
        ssm = f"arn:{partition}:ssm:{deployment.region}:{deployment.account}"
        found = list(dict.fromkeys(_references(described, ssm)))
        if not found:
            summary = "the task definition has no secrets"
            yield Finding(ok=True, summary=summary, code=Code.SECRET)
            return
        for each in found[:_MOST]:
            fault = _fault(each, tools)
            yield Finding(
                ok=not fault,
                summary=f"{each.name} of container {each.container} "
                f"{fault or 'exists'}",
                evidence={"arn": each.arn},
                code=Code.SECRET,
            )
        if len(found) > _MOST:
            summary = f"the task definition has more than {_MOST} secrets"
            yield Finding(ok=False, summary=summary, code=Code.SECRET)
        if self.readable:
            yield from _readable(described.get("executionRoleArn"), found, tools)


def _references(given: Mapping[str, Any], ssm: str) -> Iterator[_Reference]:
    for container in given["containerDefinitions"]:
        named = [each["valueFrom"] for each in container.get("secrets", ())]
        logs = container.get("logConfiguration", {})
        named += [each["valueFrom"] for each in logs.get("secretOptions", ())]
        for each in named:
            yield _reference(container["name"], each, ssm)
        if "repositoryCredentials" in container:
            # Always in Secrets Manager, by ARN or by name.
            value = container["repositoryCredentials"]["credentialsParameter"]
            if not value.startswith("arn:"):
                value = f"{ssm.replace(':ssm:', ':secretsmanager:')}:secret:{value}"
            yield _reference(container["name"], value, ssm)


def _reference(container: str, value: str, ssm: str) -> _Reference:
    """Parse ``valueFrom``: a name, or an ARN with key, label and version."""
    if not value.startswith("arn:"):
        arn = f"{ssm}:parameter/{value.lstrip('/')}"
        return _Reference(container=container, arn=arn, name=value)
    parts = value.split(":")
    if parts[2] == "ssm":
        name = value.partition(":parameter")[2]
        plain = name.removeprefix("/") if name.count("/") == 1 else name
        return _Reference(container=container, arn=value, name=plain)
    # …:secret:<name>:<key>:<label>:<version id>, with a label or a version id.
    label, version = ([*parts[8:], "", ""])[:2]
    return _Reference(
        container=container,
        arn=":".join(parts[:7]),
        name=parts[6],
        label=label or ("" if version else "AWSCURRENT"),
        version=version,
    )


def _fault(reference: _Reference, tools: Tools) -> str:
    """What is wrong with a secret; empty if nothing is."""
    missing = "does not exist"
    if reference.in_ssm:
        name = {"Key": "Name", "Option": "Equals", "Values": [reference.name]}
        answer = tools.aws("ssm", "describe_parameters", ParameterFilters=[name])
        return "" if answer["Parameters"] else missing
    try:
        answer = tools.aws("secretsmanager", "describe_secret", SecretId=reference.arn)
    except NotFound:
        return missing
    if answer.get("DeletedDate"):
        return "is scheduled for deletion"
    versions = answer.get("VersionIdsToStages", {})
    labels = {label for each in versions.values() for label in each}
    if reference.version and reference.version not in versions:
        return f"has no version {reference.version}"
    if reference.label and reference.label not in labels:
        return f"has no version {reference.label}"
    return ""


def _readable(
    role: str | None, references: list[_Reference], tools: Tools
) -> Iterator[Finding]:
    if not role:
        summary = "the task definition has secrets, but no execution role to read them"
        yield Finding(ok=False, summary=summary, code=Code.SECRET_ROLE)
        return
    for in_ssm, action in ((True, "ssm:GetParameters"), (False, _READ_VALUE)):
        arns = sorted({each.arn for each in references if each.in_ssm is in_ssm})
        if arns:
            yield _allowed(role, action, arns[:_MOST], tools)


_READ_VALUE = "secretsmanager:GetSecretValue"


def _allowed(role: str, action: str, arns: list[str], tools: Tools) -> Finding:
    answer = tools.aws(
        "iam",
        "simulate_principal_policy",
        PolicySourceArn=role,
        ActionNames=[action],
        ResourceArns=arns,
    )
    results = [
        specific
        for each in answer["EvaluationResults"]
        for specific in each.get("ResourceSpecificResults") or [each]
    ]
    denied = [
        each.get("EvalResourceName", "*")
        for each in results
        if each.get("EvalResourceDecision", each.get("EvalDecision")) != "allowed"
    ]
    name = role.rpartition("/")[2]
    result = f"lacks {action} on {', '.join(denied)}" if denied else f"has {action}"
    return Finding(
        ok=bool(results) and not denied,
        summary=f"the execution role {name} {result}",
        code=Code.SECRET_ROLE,
    )
