"""``use: routing``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from hookgate import DeploymentContext, Endpoint, Finding, Side, Tools, Validator, known
from hookgate.codes import Code
from hookgate.routing import Route, read_routes
from hookgate.validator import Every

#: The calls of one attempt with their retries, in seconds.
_CALLS = 30.0


class Routing(Validator):
    """Do the listeners forward only to the version that the lifecycle event expects?

    The lifecycle event determines the version:
    docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file-structure-hooks.html
    A target group without a weight has weight 1; weight 0 means no forwarding:
    docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html

    Example:
        - use: routing
          with: {within: 30s}
    """

    needs_aws: ClassVar[bool] = True
    permissions: ClassVar[tuple[str, ...]] = (
        "elasticloadbalancing:DescribeListeners",
        "elasticloadbalancing:DescribeRules",
        "elasticloadbalancing:DescribeTargetHealth",
    )

    every: Every = 2.0

    def worst_case(self) -> float:
        """The calls of one attempt."""
        return _CALLS

    def check(self, context: DeploymentContext, tools: Tools) -> Iterator[Finding]:
        """Read listeners, their rules and targets."""
        look = _Look(
            context,
            tools,
            blue=known(context.blue, "the original's target group"),
            green=known(context.green, "the replacement's target group"),
        )
        yield from look.findings()


@dataclass(frozen=True, slots=True)
class _Look:
    context: DeploymentContext
    tools: Tools
    blue: Side
    green: Side

    def findings(self) -> Iterator[Finding]:
        event, test = self.context.event, self.context.test
        production = known(self.context.production, "the production listener")
        listeners = [("production", production, event.production_listener_serves_green)]
        if test is None:
            summary = "there is no test listener; only production is checked"
            yield Finding(ok=True, summary=summary, code=Code.ROUTING_TARGET)
        else:
            listeners.insert(0, ("test", test, event.test_listener_serves_green))
        shifted = {each.rule_arn or each.listener_arn for _, each, _ in listeners}
        for name, endpoint, green in listeners:
            yield from self._listener(name, endpoint, shifted, green=green)
        for green in sorted({green for _, _, green in listeners}):
            yield self._targets(green=green)

    def _listener(
        self, name: str, endpoint: Endpoint, shifted: set[str], *, green: bool
    ) -> Iterator[Finding]:
        right, wrong = (self.green, self.blue) if green else (self.blue, self.green)
        listener = f"{name} listener on port {endpoint.port}"
        own = endpoint.rule_arn or endpoint.listener_arn
        routes = read_routes(self.tools.aws, endpoint)
        if own not in {each.arn for each in routes}:
            yield Finding(
                ok=False,
                summary=f"{listener}: its rule {own} does not exist any more",
                code=Code.ROUTING_RULE,
            )
        for route in routes:
            stray = wrong.target_group.arn in route.serves
            if route.arn != own and (not stray or route.arn in shifted):
                continue
            expected = self._name(right.target_group.arn)
            yield Finding(
                ok=route.arn == own and route.serves == {right.target_group.arn},
                summary=f"{listener}, {route.name}: expected only {expected}, got "
                f"{self._described(route)}",
                evidence={"listener": endpoint.listener_arn, "route": route.arn},
                code=Code.ROUTING_TARGET,
            )

    def _targets(self, *, green: bool) -> Finding:
        side = self.green if green else self.blue
        group = side.target_group
        if side is self.blue and side.task_set is None:
            summary = f"{self._name(group.arn)} has no task set in a first deployment"
            return Finding(ok=True, summary=summary, code=Code.ROUTING_TARGET)
        answer = self.tools.aws(
            "elbv2", "describe_target_health", TargetGroupArn=group.arn
        )
        states = [
            each["TargetHealth"].get("State", "unknown")
            for each in answer["TargetHealthDescriptions"]
        ]
        healthy = states.count("healthy")
        return Finding(
            ok=healthy > 0,
            summary=f"{self._name(group.arn)}: {healthy} of {len(states)} targets are "
            "healthy",
            evidence={"target_group": group.arn, "states": states[:50]},
            code=Code.ROUTING_HEALTH,
        )

    def _described(self, route: Route) -> str:
        if not route.weights:
            return f"no target group ({route.actions})"
        return " and ".join(
            f"{self._name(arn)} with weight {weight}"
            for arn, weight in route.weights.items()
        )

    def _name(self, arn: str) -> str:
        for color, side in (("blue", self.blue), ("green", self.green)):
            if side.target_group.arn == arn:
                return f"{color} ({side.target_group.name})"
        return arn.rpartition(":targetgroup/")[2].partition("/")[0]
