"""ELBv2: moto stores what clients configure, and the data plane does it.

After each call, moto's target groups, listeners and certificates are copied to the data
plane, which knows the real health of targets. A call that configures what the data
plane cannot do is refused, and moto's state is what it was before the call.
"""

from __future__ import annotations

import ipaddress
import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from copy import copy
from dataclasses import replace
from typing import Any, get_args

from hookgate_rehearsal.cloudwatch.load_balancer import Attached
from hookgate_rehearsal.data_plane.plane import DataPlane
from hookgate_rehearsal.data_plane.routing import referenced_groups
from hookgate_rehearsal.data_plane.settings import (
    Action,
    Certificate,
    Condition,
    ConditionField,
    FixedResponse,
    Forward,
    HealthCheck,
    ListenerRule,
    ListenerSettings,
    Protocol,
    Redirect,
    Target,
    TargetGroupSettings,
)
from hookgate_rehearsal.data_plane.target_group import (
    TargetHealth,
    TargetState,
    matches,
)
from hookgate_rehearsal.endpoint.protocols import (
    ApiError,
    AwsRequest,
    Reply,
    form_of,
    query_error,
    query_reply,
)

Form = Mapping[str, str]
MAX_TARGETS = 1000
MAX_PORT = 65535

_LOGGER = logging.getLogger(__name__)


class LoadBalancers:
    """ELBv2's API: calls about targets are answered here, the others by moto.

    Args:
        plane: The data plane.
        backend: Gives moto's backend of a service.
        host: Where the data plane listens: every load balancer's DNS name.
        pace: What health check intervals are multiplied by.
    """

    def __init__(
        self,
        plane: DataPlane,
        backend: Callable[[str], Any],
        *,
        host: str,
        pace: float,
    ) -> None:
        self._plane = plane
        self._backend = backend
        self._host = host
        self._pace = pace
        self._lock = threading.Lock()
        self._groups: dict[str, TargetGroupSettings] = {}
        self._listeners: dict[str, ListenerSettings] = {}
        self._refused: dict[str, ApiError] = {}

    def handle(self, request: AwsRequest) -> Reply:
        """Answer a call about targets; mirror the result of the others."""
        form = form_of(request.body)
        operation = form.get("Action", "")
        try:
            match operation:
                case "DescribeTargetHealth":
                    content = self._describe_target_health(form)
                case "RegisterTargets" | "DeregisterTargets":
                    content = self._change_targets(form, operation)
                case _:
                    with self._lock:
                        if operation in {"CreateListener", "ModifyListener"}:
                            self._check_port(form)
                        return self._mirrored(request.moto)
        except ApiError as error:
            return query_error("elbv2", error.code, error.message)
        return query_reply("elbv2", operation, content)

    def attached(self) -> list[Attached]:
        """The listeners, each with a target group that it forwards to."""
        with self._lock:
            listeners = dict(self._listeners)
        return [
            (arn, group)
            for arn, settings in listeners.items()
            for group in referenced_groups(settings)
        ]

    def is_attached(self, target_group: str) -> bool:
        """Whether any listener forwards to the target group with that ARN."""
        return any(group == target_group for _, group in self.attached())

    def _mirrored(self, moto: Callable[[], Reply]) -> Reply:
        """Get moto's response, and bring the data plane to moto's state.

        Raises:
            ApiError: The data plane cannot do what the call configures. Moto's state
                is what it was before.
        """
        backend = self._backend("elbv2")
        self._mirror(backend)
        before, known = _state(backend), set(self._refused)
        reply = moto()
        if reply.status < 400:
            self._mirror(backend)
        refused = [error for arn, error in self._refused.items() if arn not in known]
        if refused or reply.status >= 400:
            for found, attributes in before:
                vars(found).update(attributes)
            self._mirror(backend)
        if refused:
            raise refused[0]
        body = reply.body
        for balancer in backend.load_balancers.values():
            body = body.replace(balancer.dns_name.encode(), self._host.encode())
            balancer.dns_name = self._host
            balancer.activate()
        headers = {k: v for k, v in reply.headers.items() if k != "Content-Length"}
        return replace(reply, body=body, headers=headers)

    def _mirror(self, backend: Any) -> None:
        """Bring the data plane to moto's state, except for what it refuses.

        Other services, such as CloudFormation, also change moto's state. What the data
        plane refuses of it does not disturb the rest.
        """
        groups = dict(backend.target_groups)
        listeners = {
            arn: listener
            for balancer in backend.load_balancers.values()
            for arn, listener in balancer.listeners.items()
        }
        refused, self._refused = self._refused, {}
        for arn in set(self._listeners) - set(listeners):
            self._plane.remove_listener(arn)
            del self._listeners[arn]
        for arn, found in (groups | listeners).items():
            put = self._put_group if arn in groups else self._put_listener
            try:
                put(arn, found)
            except ApiError as error:
                self._refused[arn] = error
            except KeyError as error:
                message = f"{error.args[0]} must be specified"
                self._refused[arn] = ApiError("ValidationError", message)
            except OSError as error:
                message = f"the listener on port {found.port} cannot open: {error}"
                self._refused[arn] = ApiError("InvalidConfigurationRequest", message)
            except Exception as error:  # noqa: BLE001 - whatever it is, it stays out
                self._refused[arn] = _invalid(str(error))
            if arn in self._refused and arn not in refused:
                _LOGGER.warning("%s: %s", arn, self._refused[arn])
        for arn in set(self._groups) - set(groups):
            with suppress(ValueError):  # a listener that was refused still uses it
                self._plane.remove_target_group(arn)
                del self._groups[arn]

    def _check_port(self, form: Form) -> None:
        """Refuse a port that another listener of the load balancer has."""
        balancer = form.get("LoadBalancerArn", "")
        listener = form.get("ListenerArn", "")
        for each in self._backend("elbv2").load_balancers.values():
            if each.arn == balancer or listener in each.listeners:
                others = (o for arn, o in each.listeners.items() if arn != listener)
                if any(str(other.port) == form.get("Port") for other in others):
                    raise ApiError(
                        "DuplicateListener",
                        "A listener already exists on this port for this load balancer "
                        f"'{balancer or listener}'",
                    )

    def _describe_target_health(self, form: Form) -> dict[str, Any]:
        health = self._health(form)
        group = self._backend("elbv2").target_groups[form["TargetGroupArn"]]
        if requested := _targets(form, str(group.port)):
            known = {each.target: each for each in health}
            health = [known.get(each) or _unregistered(each) for each in requested]
        return {
            "TargetHealthDescriptions": [
                {
                    "Target": {"Id": each.target.id, "Port": each.target.port},
                    "HealthCheckPort": str(each.target.port),
                    "TargetHealth": {
                        "State": each.state.value,
                        "Reason": each.reason,
                        "Description": each.description,
                    },
                }
                for each in health
            ]
        }

    def _health(self, form: Form) -> Sequence[TargetHealth]:
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

    def _put_group(self, arn: str, group: Any) -> None:
        settings = _target_group_settings(group, self._pace)
        if self._groups.get(arn) != settings:
            self._plane.put_target_group(settings)
            self._groups[arn] = settings

    def _put_listener(self, arn: str, listener: Any) -> None:
        settings = _listener_settings(listener, self._presented(listener))
        for group in referenced_groups(settings) - set(self._groups):
            raise ApiError("TargetGroupNotFound", f"Target group '{group}' not found")
        if self._listeners.get(arn) != settings:
            # If the new one cannot open, the old one may be closed: open it again.
            self._listeners.pop(arn, None)
            self._plane.put_listener(settings)
            self._listeners[arn] = settings

    def _presented(self, listener: Any) -> tuple[Certificate, ...]:
        """The certificates of an encrypted listener, the default first."""
        if not _protocol(listener.protocol).is_encrypted:
            return ()
        default = listener.certificate
        more = (arn for arn in listener.certificates or () if arn != default)
        return tuple(map(self._certificate, (default, *more)))

    def _certificate(self, arn: str | None) -> Certificate:
        """The certificate with an ARN, as it was imported last to ACM or IAM."""
        if arn is None:
            message = "A certificate must be specified for HTTPS and TLS listeners"
            raise ApiError("CertificateNotFound", message)
        find = self._from_iam if ":iam:" in arn else self._from_acm
        found = find(arn)
        if found is None:
            raise ApiError("CertificateNotFound", f"Certificate '{arn}' not found")
        return found

    def _from_acm(self, arn: str) -> Certificate | None:
        from moto.acm.exceptions import (  # noqa: PLC0415 - moto is slow to import
            CertificateNotFound,
        )
        from moto.acm.models import AWS_ROOT_CA  # noqa: PLC0415 - as above

        try:
            found = self._backend("acm").get_certificate(arn)
        except CertificateNotFound:
            return None
        # Moto adds Amazon's root to every chain; no load balancer sends it.
        rest = (found.chain or b"").replace(AWS_ROOT_CA, b"").strip()
        chain = b"\n".join((found.cert.strip(), rest, b""))
        return Certificate(chain=chain, key=found.key)

    def _from_iam(self, arn: str) -> Certificate | None:
        found = self._backend("iam").get_certificate_by_arn(arn)
        if found is None:
            return None
        chain = f"{found.cert_body}\n{found.cert_chain or ''}\n"
        return Certificate(chain=chain.encode(), key=found.private_key.encode())


def _state(backend: Any) -> list[tuple[Any, dict[str, Any]]]:
    """Moto's objects that a call may change, each with its attributes now."""
    balancers = backend.load_balancers.values()
    listeners = [each for b in balancers for each in b.listeners.values()]
    rules = [each for listener in listeners for each in listener.rules.values()]
    groups = backend.target_groups.values()
    return [
        (
            found,
            {
                name: copy(value) if isinstance(value, dict | list) else value
                for name, value in vars(found).items()
            },
        )
        for found in (backend, *groups, *balancers, *listeners, *rules)
    ]


# From moto's objects to the data plane's settings.


def _invalid(message: str) -> ApiError:
    return ApiError("ValidationError", message)


def _unsupported(what: str) -> ApiError:
    message = f"The emulator does not support {what}"
    return ApiError("InvalidConfigurationRequest", message)


def _protocol(name: str) -> Protocol:
    try:
        return Protocol(name)
    except ValueError:
        known = ", ".join(Protocol)
        raise _unsupported(f"the protocol {name}, only {known}") from None


def _target_group_settings(group: Any, pace: float) -> TargetGroupSettings:
    if group.target_type == "lambda":
        raise _unsupported("target groups of type lambda, only those of tasks (ip)")
    protocol = _protocol(group.protocol)
    port = str(group.health_check_port)
    if port.isdigit() and not 1 <= int(port) <= MAX_PORT:
        raise _invalid(f"Health check port '{port}' must be in the range 1-{MAX_PORT}")
    matcher = getattr(group, "matcher", None) or {}
    codes = str(matcher.get("HttpCode") or "200")
    try:
        matches(0, codes)
    except ValueError:
        raise _invalid(f"Health check matcher HTTP code '{codes}' is invalid") from None
    delay = group.attributes["deregistration_delay.timeout_seconds"]
    return TargetGroupSettings(
        arn=group.arn,
        protocol=protocol,
        deregistration_delay=float(delay),
        health_check=HealthCheck(
            protocol=_protocol(group.health_check_protocol or protocol),
            path=group.health_check_path or "/",
            matcher=codes,
            interval=float(group.health_check_interval_seconds) * pace,
            timeout=float(group.health_check_timeout_seconds),
            healthy_threshold=int(group.healthy_threshold_count),
            unhealthy_threshold=int(group.unhealthy_threshold_count),
            port=int(port) if port.isdigit() else None,
        ),
    )


def _listener_settings(
    found: Any, certificates: Sequence[Certificate]
) -> ListenerSettings:
    """A listener with its rules.

    Args:
        found: Moto's listener.
        certificates: What an encrypted listener presents, the default first.

    Raises:
        ApiError: A member is invalid, or the data plane does not support it.
        KeyError: A member is missing.
    """
    return ListenerSettings(
        arn=found.arn,
        protocol=_protocol(found.protocol),
        port=int(found.port),
        default_action=_action(found.default_actions),
        rules=tuple(
            ListenerRule(
                priority=int(rule.priority),
                conditions=tuple(map(_condition, rule.conditions)),
                action=_action(rule.actions),
            )
            for rule in found.rules.values()
            if not rule.is_default
        ),
        certificates=tuple(certificates),
    )


def _action(actions: list[Any]) -> Action:
    if not actions:
        raise _invalid("An action must be specified")
    data = actions[-1].data
    match data["Type"]:
        case "forward":
            return Forward(weights=_forward_weights(data))
        case "fixed-response":
            fixed = data.get("FixedResponseConfig") or {}
            return FixedResponse(
                status=int(fixed["StatusCode"]),
                content_type=fixed.get("ContentType") or "text/plain",
                body=str(fixed.get("MessageBody") or "").encode(),
            )
        case "redirect":
            return _redirect(data["RedirectConfig"])
    message = (
        f"The emulator does not support {data['Type']} as the last action; it must be "
        "forward, redirect or fixed-response"
    )
    raise ApiError("InvalidLoadBalancerAction", message)


def _forward_weights(action: Mapping[str, Any]) -> dict[str, int]:
    """The weights of a forward action, in either of the two forms it may have."""
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or []
    if not groups:
        return {action["TargetGroupArn"]: 1}
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}


def _redirect(config: Mapping[str, Any]) -> Redirect:
    names = {"Protocol", "Host", "Port", "Path", "Query"}
    given = {name.lower(): str(config[name]) for name in names if config.get(name)}
    statuses = {"HTTP_301": 301, "HTTP_302": 302}
    if config["StatusCode"] not in statuses:
        raise _invalid(f"The status code '{config['StatusCode']}' is not HTTP_30[12]")
    return Redirect(status=statuses[config["StatusCode"]], **given)


def _condition(condition: Mapping[str, Any]) -> Condition:
    field = condition["Field"]
    if field not in get_args(ConditionField):
        raise _unsupported(f"the condition {field}")
    config = condition.get(f"{field.title().replace('-', '')}Config") or {}
    values = condition.get("Values") or config.get("Values") or ()
    if field == "query-string":
        pairs = tuple((each.get("Key"), each["Value"]) for each in values)
        return Condition(field=field, parameters=pairs)
    if field == "source-ip":
        for block in values:
            try:
                ipaddress.ip_network(block, strict=False)
            except ValueError:
                raise _invalid(f"The value '{block}' is not a CIDR block") from None
    name = config.get("HttpHeaderName", "")
    if not name.isascii():
        raise _invalid(f"The header name '{name}' is not valid")
    return Condition(field=field, name=name, values=tuple(values))


def _unregistered(target: Target) -> TargetHealth:
    return TargetHealth(
        target=target,
        state=TargetState.UNUSED,
        reason="Target.NotRegistered",
        description="Target is not registered to the target group",
    )


def _targets(form: Form, default_port: str = "") -> list[Target]:
    targets = []
    for number in range(1, MAX_TARGETS + 1):
        identity = form.get(f"Targets.member.{number}.Id")
        if identity is None:
            break
        port = form.get(f"Targets.member.{number}.Port", default_port)
        if not port.isdigit():
            message = (
                f"target {identity} needs a port: tasks of a rehearsal choose their own"
            )
            raise _invalid(message)
        if not 1 <= int(port) <= MAX_PORT:
            raise _invalid(f"Port '{port}' must be in the range 1-{MAX_PORT}")
        targets.append(Target(id=identity, port=int(port)))
    return targets
