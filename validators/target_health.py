"""``use: target_health``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal

from pydantic import Field

from hookgate import (
    DeploymentContext,
    Finding,
    Percentage,
    Tools,
    Validator,
    known,
)
from hookgate.codes import Code
from hookgate.validator import Every, StableFor, Within

_Target = Mapping[str, Any]

#: One call to AWS with its retries, in seconds.
_CALL = 10.0
_SHOWN = 5
_LEAVING = {"draining", "unhealthy.draining"}


class TargetHealth(Validator):
    """Are the new version's targets healthy, enough of them and for long enough?

    Draining targets do not count. States and reasons are those of DescribeTargetHealth:
    docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html

    Example:
        - use: target_health
          with: {healthy: 100%, stable_for: 20s, within: 5m}
    """

    needs_aws: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = (
        "elasticloadbalancing:DescribeTargetHealth",
    )

    healthy: Percentage = Field(
        100.0, gt=0, description="The share of the targets that must be healthy."
    )
    stable_for: StableFor = 20.0
    within: Within = 300.0
    every: Every = 5.0
    on_unattached: Literal["fail", "pass"] = Field(
        "fail",
        description="The result if no listener uses the target group, so that the load "
        "balancer checks nothing, as in the first deployment of a service.",
    )

    def worst_case(self) -> float:
        """One call."""
        return _CALL

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Read the states of the targets."""
        green = known(context.green, "the replacement's target group")
        described = tools.aws(
            "elbv2",
            "describe_target_health",
            TargetGroupArn=green.target_group.arn,
        )["TargetHealthDescriptions"]
        name = green.target_group.name
        targets = [each for each in described if _state(each) not in _LEAVING]
        unhealthy = [each for each in targets if _state(each) != "healthy"]
        desired = green.task_set.desired_count if green.task_set else 0
        healthy = len(targets) - len(unhealthy)
        reasons = "; ".join(_described(each) for each in unhealthy[:_SHOWN])
        if not targets:
            summary = f"no target is registered in {name}"
        else:
            summary = f"{healthy} of {len(targets)} targets in {name} are healthy"
            summary += f"; {desired} are desired" if len(targets) < desired else ""
            summary += f": {reasons}" if reasons else ""
        evidence = {
            "target_group": name,
            "healthy": healthy,
            "targets": len(targets),
            "desired": desired,
            "states": dict(Counter(_state(each) for each in described)),
        }
        if targets and all(_reason(each) == "Target.NotInUse" for each in targets):
            yield self._unattached(name, evidence)
            return
        yield Finding(
            ok=len(targets) >= max(desired, 1)
            and 100 * healthy >= self.healthy * len(targets),
            summary=summary,
            evidence=evidence,
            code=Code.TARGET_HEALTH,
        )

    def _unattached(self, name: str, evidence: Mapping[str, object]) -> Finding:
        passes = self.on_unattached == "pass"
        return Finding(
            ok=passes,
            summary=f"no listener uses {name}, so the load balancer does not check "
            "its targets (Target.NotInUse); attach it with weight 0, or set "
            "on_unattached: pass",
            evidence=evidence,
            waiver=f"on_unattached: pass, {name} is not checked" if passes else "",
            code=Code.TARGET_UNATTACHED,
        )


def _state(target: _Target) -> str:
    return str(target["TargetHealth"].get("State", "unknown"))


def _reason(target: _Target) -> str:
    return str(target["TargetHealth"].get("Reason", ""))


def _described(target: _Target) -> str:
    place = f"{target['Target']['Id']}:{target['Target'].get('Port', '-')}"
    health = target["TargetHealth"]
    why = ": ".join(health[key] for key in ("Reason", "Description") if health.get(key))
    return f"{place} is {_state(target)}" + (f" ({why})" if why else "")
