"""What CodeDeploy does to listeners: weights, and nothing else."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from rehearsal.codedeploy.model.deployment import Deployment, ErrorCode, TaskSetLabel


class ActingError(Exception):
    """Something in the world is not as CodeDeploy needs it.

    Args:
        code: What ``errorInformation`` will say.
        message: What is wrong and what to do.
    """

    def __init__(self, code: ErrorCode, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


Weights = Mapping[str, int]

ALL = 100


class Listeners:
    """Points a listener, and each rule of it that forwards to the pair.

    Args:
        elbv2: A boto3 client.
    """

    def __init__(self, elbv2: Any) -> None:
        self._elbv2 = elbv2

    def route_test(self, deployment: Deployment, label: TaskSetLabel) -> None:
        """Let the test listener forward to one task set only."""
        listener = deployment.order.routes.test
        assert listener is not None  # noqa: S101 - the machine asks only where one is
        green = ALL if label is TaskSetLabel.GREEN else 0
        self._route(listener, self._weights(deployment, green))

    def route_production(self, deployment: Deployment, green_weight: float) -> None:
        """Give green its share of production traffic."""
        listener = deployment.order.routes.production
        weights = self._weights(deployment, round(green_weight))
        self._check_primary(deployment, listener, weights)
        self._route(listener, weights)

    def withdraw(self, deployment: Deployment) -> None:
        """Give blue what an earlier deployment left of production on the other group.

        Raises:
            ActingError: Production does not ask blue at all.
        """
        listener = deployment.order.routes.production
        weights = self._weights(deployment, 0)
        shares = self._shares(listener)
        (blue,) = (arn for arn, weight in weights.items() if weight)
        if not shares[blue]:
            raise _not_behind(deployment)
        if any(shares[arn] for arn in weights if arn != blue):
            self._route(listener, weights)

    def _weights(self, deployment: Deployment, green: int) -> dict[str, int]:
        names = deployment.order.routes.target_groups
        found = self._elbv2.describe_target_groups(Names=list(names))["TargetGroups"]
        arns = {group["TargetGroupName"]: group["TargetGroupArn"] for group in found}
        blue = deployment.blue
        assert blue is not None  # noqa: S101 - the survey comes before
        (green_group,) = set(names) - {blue.target_group}
        return {arns[green_group]: green, arns[blue.target_group]: ALL - green}

    def _route(self, listener: str, weights: Weights) -> None:
        """Change every forward to the pair; the default action if there is none."""
        is_changed = False
        for rule in self._rules(listener):
            if rule["IsDefault"] or not _forwards(rule["Actions"], weights):
                continue
            actions = _rerouted(rule["Actions"], weights)
            self._elbv2.modify_rule(RuleArn=rule["RuleArn"], Actions=actions)
            is_changed = True
        default = self._default_actions(listener)
        if _forwards(default, weights) or not is_changed:
            actions = _rerouted(default, weights)
            self._elbv2.modify_listener(ListenerArn=listener, DefaultActions=actions)

    def _check_primary(
        self, deployment: Deployment, listener: str, weights: Weights
    ) -> None:
        """The production listener must know the pair."""
        actions = [rule["Actions"] for rule in self._rules(listener)]
        if not any(_forwards(each, weights) for each in actions):
            raise _not_behind(deployment)

    def _shares(self, listener: str) -> Counter[str]:
        """What each target group gets, over all rules; only zero has a meaning."""
        shares: Counter[str] = Counter()
        for rule in self._rules(listener):
            for action in rule["Actions"]:
                shares.update(_weighted(action))
        return shares

    def _rules(self, listener: str) -> list[dict[str, Any]]:
        return list(self._elbv2.describe_rules(ListenerArn=listener)["Rules"])

    def _default_actions(self, listener: str) -> list[dict[str, Any]]:
        found = self._elbv2.describe_listeners(ListenerArns=[listener])["Listeners"]
        return list(found[0]["DefaultActions"])


def _forwards(actions: list[dict[str, Any]], weights: Weights) -> bool:
    """Whether the actions forward to a target group of the pair."""
    return any(group in weights for group in _groups(actions))


def _groups(actions: list[dict[str, Any]]) -> set[str]:
    return {arn for action in actions for arn in _weighted(action)}


def _weighted(action: dict[str, Any]) -> dict[str, int]:
    """The target groups that an action forwards to, with their weights."""
    if action["Type"] != "forward":
        return {}
    found = (action.get("ForwardConfig") or {}).get("TargetGroups") or []
    weights = {each["TargetGroupArn"]: each.get("Weight", 1) for each in found}
    # Beside a ForwardConfig of one group AWS repeats that group's ARN.
    return weights or {action["TargetGroupArn"]: ALL}


def _not_behind(deployment: Deployment) -> ActingError:
    """Source: the user guide's troubleshooting page for ECS, for the message."""
    blue = deployment.blue
    message = (
        "The ELB could not be updated due to the following error: Primary taskset "
        "target group must be behind listener. The listener does not forward to "
        f"{blue.target_group if blue else 'it'}."
    )
    return ActingError(ErrorCode.ELASTIC_LOAD_BALANCING_INVALID, message)


def _rerouted(actions: list[dict[str, Any]], weights: Weights) -> list[dict[str, Any]]:
    """The actions with the forward to the pair in the weighted form.

    A captured listener has both target groups after CodeDeploy touched it, the idle
    one with weight 0, and no ``TargetGroupArn`` beside them.
    """
    others = [action for action in actions if action["Type"] != "forward"]
    kept = [action for action in others if action["Type"].startswith("authenticate")]
    groups = [
        {"TargetGroupArn": arn, "Weight": weight} for arn, weight in weights.items()
    ]
    sticky = next(
        (
            action["ForwardConfig"]["TargetGroupStickinessConfig"]
            for action in actions
            if "TargetGroupStickinessConfig" in (action.get("ForwardConfig") or {})
        ),
        {"Enabled": False},
    )
    forward = {
        "Type": "forward",
        "ForwardConfig": {
            "TargetGroups": groups,
            "TargetGroupStickinessConfig": sticky,
        },
    }
    return [*kept, forward]
