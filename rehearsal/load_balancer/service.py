"""ELBv2's API: moto's, mirrored after every call, and real health."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from rehearsal.data_plane import DataPlane, Target
from rehearsal.endpoint.conformity import (
    ApiError,
    answer_problems,
    service_model,
    without_nones,
)
from rehearsal.endpoint.json_service import Reply
from rehearsal.load_balancer.mirror import Mirror, MirrorError

Form = Mapping[str, str]
NAMESPACE = "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"
MOST_TARGETS = 1000
NOT_REGISTERED = "Target is not registered to the target group"


class LoadBalancerService:
    """Answers what concerns targets itself and watches over the rest.

    Args:
        plane: The data plane.
        mirror: Keeps the data plane as moto says.
    """

    def __init__(self, plane: DataPlane, mirror: Mirror) -> None:
        self._plane = plane
        self._mirror = mirror
        self._operations = {
            "DescribeTargetHealth": self._describe_target_health,
            "RegisterTargets": self._register,
            "DeregisterTargets": self._deregister,
        }
        self._checks = {
            "CreateListener": self._check_port,
            "ModifyListener": self._check_port,
        }

    def answer(self, body: bytes) -> Reply | None:
        """Answer a request about targets, or refuse one; None for what is moto's.

        Args:
            body: The request as a form.
        """
        fields = parse_qs(body.decode(errors="replace"), keep_blank_values=True)
        form = {name: values[0] for name, values in fields.items()}
        operation = form.get("Action", "")
        try:
            if operation in self._checks:
                self._checks[operation](form)
            if operation not in self._operations:
                return None
            content = self._operations[operation](form)
        except ApiError as error:
            return error_reply(error.code, error.message)
        return _reply(operation, without_nones(content))

    def after(self, reply: Reply) -> Reply:
        """Mirror what a call to moto may have changed.

        Args:
            reply: Moto's answer.

        Returns:
            The answer with DNS names that resolve, or an error.
        """
        try:
            renamed = self._mirror.refresh()
        except MirrorError as error:
            return error_reply(error.code, str(error))
        body = reply.body
        for old, new in renamed.items():
            body = body.replace(old.encode(), new.encode())
        headers = {k: v for k, v in reply.headers.items() if k != "Content-Length"}
        return Reply(status=reply.status, body=body, headers=headers)

    def _check_port(self, form: Form) -> None:
        balancer, listener = (
            form.get("LoadBalancerArn", ""),
            form.get("ListenerArn", ""),
        )
        if self._mirror.has_port(
            form.get("Port", ""), balancer=balancer, listener=listener
        ):
            message = "A listener already exists on this port for this load balancer"
            raise ApiError("DuplicateListener", f"{message} '{balancer or listener}'")

    def _describe_target_health(self, form: Form) -> dict[str, Any]:
        found = self._health(form)
        asked = _targets(form)
        registered = {health.target for health in found}
        shown = [h for h in found if not asked or h.target in asked]
        descriptions = [
            _described(h.target, h.state.value, h.reason, h.description) for h in shown
        ]
        unknown = [
            _described(target, "unused", "Target.NotRegistered", NOT_REGISTERED)
            for target in asked
            if target not in registered
        ]
        return {"TargetHealthDescriptions": [*descriptions, *unknown]}

    def _health(self, form: Form) -> tuple[Any, ...]:
        arn = form.get("TargetGroupArn", "")
        try:
            return self._plane.health(arn)
        except KeyError as error:
            message = f"Target groups '{arn}' not found"
            raise ApiError("TargetGroupNotFound", message) from error

    def _register(self, form: Form) -> dict[str, Any]:
        self._health(form)
        for target in _targets(form):
            self._plane.register(form["TargetGroupArn"], target)
        return {}

    def _deregister(self, form: Form) -> dict[str, Any]:
        self._health(form)
        for target in _targets(form):
            self._plane.deregister(form["TargetGroupArn"], target)
        return {}


def _described(
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
    for number in range(1, MOST_TARGETS + 1):
        identity = form.get(f"Targets.member.{number}.Id")
        if identity is None:
            break
        port = form.get(f"Targets.member.{number}.Port", "")
        if not port.isdigit():
            message = (
                f"target {identity} needs a port: tasks of an emulator choose theirs"
            )
            raise ApiError("ValidationError", message)
        targets.append(Target(id=identity, port=int(port)))
    return targets


def error_reply(code: str, message: str) -> Reply:
    """An error as the query protocol says it."""
    body = (
        f'<ErrorResponse xmlns="{NAMESPACE}"><Error><Type>Sender</Type>'
        f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>"
        f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>"
    )
    return Reply(status=400, body=body.encode(), headers={"Content-Type": "text/xml"})


def _reply(operation: str, content: Mapping[str, Any]) -> Reply:
    from moto.core.serialize import (  # noqa: PLC0415 - moto is slow to import
        QuerySerializer,
    )
    from moto.core.utils import get_service_model  # noqa: PLC0415 - as above

    shapes = service_model("elbv2").operation_model(operation)
    found = answer_problems(content, shapes.output_shape)
    if found:
        return error_reply("InternalFailure", f"{operation} does not fit: {found}")
    model = get_service_model("elbv2").operation_model(operation)
    answer = QuerySerializer(operation_model=model).serialize(content)
    body = answer["body"]
    return Reply(
        status=200,
        body=body.encode() if isinstance(body, str) else body,
        headers={"Content-Type": "text/xml"},
    )
