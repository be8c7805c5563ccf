"""The ELBv2 API: moto's, mirrored after each call, with the real health of targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hookgate_rehearsal.data_plane import DataPlane, Target
from hookgate_rehearsal.endpoint.protocols import (
    ApiError,
    AwsRequest,
    Reply,
    form_of,
    query_error,
    query_reply,
)
from hookgate_rehearsal.load_balancer.mirror import Mirror, MirrorError

Form = Mapping[str, str]
MAX_TARGETS = 1000
NOT_REGISTERED = "Target is not registered to the target group"


class LoadBalancerService:
    """Answers the calls about targets; moto answers the others.

    Args:
        plane: The data plane.
        mirror: Copies moto's state to the data plane.
    """

    def __init__(self, plane: DataPlane, mirror: Mirror) -> None:
        self._plane = plane
        self._mirror = mirror

    def handle(self, request: AwsRequest) -> Reply:
        """Answer a call about targets; mirror the result of the others."""
        return self._answer(form_of(request.body)) or self._mirrored(request.moto())

    def _answer(self, form: Form) -> Reply | None:
        operation = form.get("Action", "")
        try:
            match operation:
                case "CreateListener" | "ModifyListener":
                    self._check_port(form)
                    return None
                case "DescribeTargetHealth":
                    content = self._describe_target_health(form)
                case "RegisterTargets" | "DeregisterTargets":
                    content = self._change_targets(form, operation)
                case _:
                    return None
        except ApiError as error:
            return query_error("elbv2", error.code, error.message)
        return query_reply("elbv2", operation, content)

    def _mirrored(self, reply: Reply) -> Reply:
        """Mirror moto's changes, and return DNS names that resolve."""
        try:
            renamed = self._mirror.refresh()
        except MirrorError as error:
            return query_error("elbv2", error.code, str(error))
        body = reply.body
        for old, new in renamed.items():
            body = body.replace(old.encode(), new.encode())
        headers = {k: v for k, v in reply.headers.items() if k != "Content-Length"}
        return Reply(status=reply.status, body=body, headers=headers)

    def _check_port(self, form: Form) -> None:
        balancer = form.get("LoadBalancerArn", "")
        listener, port = form.get("ListenerArn", ""), form.get("Port", "")
        if self._mirror.has_port(port, balancer=balancer, listener=listener):
            message = "A listener already exists on this port for this load balancer"
            raise ApiError("DuplicateListener", f"{message} '{balancer or listener}'")

    def _describe_target_health(self, form: Form) -> dict[str, Any]:
        requested = _targets(form)
        health = self._health(form)
        registered = {each.target for each in health}
        return {
            "TargetHealthDescriptions": [
                *(
                    _description(h.target, h.state.value, h.reason, h.description)
                    for h in health
                    if not requested or h.target in requested
                ),
                *(
                    _description(
                        target, "unused", "Target.NotRegistered", NOT_REGISTERED
                    )
                    for target in requested
                    if target not in registered
                ),
            ]
        }

    def _health(self, form: Form) -> tuple[Any, ...]:
        arn = form.get("TargetGroupArn", "")
        try:
            return self._plane.health(arn)
        except KeyError as error:
            message = f"Target groups '{arn}' not found"
            raise ApiError("TargetGroupNotFound", message) from error

    def _change_targets(self, form: Form, operation: str) -> dict[str, Any]:
        self._health(form)
        registers = operation == "RegisterTargets"
        change = self._plane.register if registers else self._plane.deregister
        for target in _targets(form):
            change(form["TargetGroupArn"], target)
        return {}


def _description(
    target: Target, state: str, reason: str | None, description: str | None
) -> dict[str, Any]:
    return {
        "Target": {"Id": target.id, "Port": target.port},
        "HealthCheckPort": str(target.port),
        "TargetHealth": {
            "State": state,
            "Reason": reason,
            "Description": description,
        },
    }


def _targets(form: Form) -> list[Target]:
    targets = []
    for number in range(1, MAX_TARGETS + 1):
        identity = form.get(f"Targets.member.{number}.Id")
        if identity is None:
            break
        port = form.get(f"Targets.member.{number}.Port", "")
        if not port.isdigit():
            message = (
                f"target {identity} needs a port: tasks of a rehearsal choose their own"
            )
            raise ApiError("ValidationError", message)
        targets.append(Target(id=identity, port=int(port)))
    return targets
