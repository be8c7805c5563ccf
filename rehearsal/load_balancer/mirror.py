"""Copy moto's target groups, listeners and certificates to the data plane."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

from hookgate_rehearsal.cloudwatch.load_balancer import Attached
from hookgate_rehearsal.data_plane import (
    Action,
    Certificate,
    Condition,
    DataPlane,
    FixedResponse,
    Forward,
    HealthCheck,
    ListenerRule,
    ListenerSettings,
    Protocol,
    Redirect,
    TargetGroupSettings,
)
from hookgate_rehearsal.data_plane.routing import referenced_groups
from hookgate_rehearsal.data_plane.settings import ConditionField

ENCODING = "ascii"  # PEM


class CertificateNotFoundError(LookupError):
    """A listener needs a certificate that neither ACM nor IAM has."""


class Certificates:
    """Finds certificates for the data plane.

    Args:
        backend: Gives moto's backend of a service.
    """

    def __init__(self, backend: Callable[[str], Any]) -> None:
        self._backend = backend

    def get(self, arn: str | None) -> Certificate:
        """The certificate with an ARN, as it was imported last.

        Raises:
            CertificateNotFoundError: There is none of that ARN.
        """
        if arn is None:
            raise CertificateNotFoundError(
                "A certificate must be specified for HTTPS and TLS listeners"
            )
        chain, key = self._from_iam(arn) if ":iam:" in arn else self._from_acm(arn)
        return Certificate(chain=chain, key=key)

    def _from_acm(self, arn: str) -> tuple[bytes, bytes]:
        from moto.acm.exceptions import (  # noqa: PLC0415 - moto is slow to import
            CertificateNotFound,
        )
        from moto.acm.models import AWS_ROOT_CA  # noqa: PLC0415 - as above

        try:
            found = self._backend("acm").get_certificate(arn)
        except CertificateNotFound:
            raise _missing(arn) from None
        # Moto adds Amazon's root to every chain; no load balancer sends it.
        rest = (found.chain or b"").replace(AWS_ROOT_CA, b"").strip()
        return b"\n".join((found.cert.strip(), rest, b"")), found.key

    def _from_iam(self, arn: str) -> tuple[bytes, bytes]:
        found = self._backend("iam").get_certificate_by_arn(arn)
        if found is None:
            raise _missing(arn)
        chain = f"{found.cert_body}\n{found.cert_chain or ''}\n"
        return chain.encode(ENCODING), found.private_key.encode(ENCODING)


def _missing(arn: str) -> CertificateNotFoundError:
    return CertificateNotFoundError(f"Certificate '{arn}' not found")


#: What of a listener may make it unable to open.
_CHANGEABLE = ("port", "protocol", "certificate", "certificates")


class MirrorError(Exception):
    """The data plane cannot do what was configured.

    Args:
        code: ELBv2's error.
        message: What is wrong.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Mirror:
    """Copies target groups, listeners and rules from moto to the data plane.

    Args:
        plane: The data plane.
        backend: Gives moto's ELBv2 backend.
        host: Where the data plane listens: every load balancer's DNS name.
        pace: What health check intervals are multiplied by.
        certificates: What encrypted listeners present.
    """

    def __init__(
        self,
        plane: DataPlane,
        backend: Callable[[], Any],
        *,
        host: str,
        pace: float,
        certificates: Certificates,
    ) -> None:
        self._plane = plane
        self._backend = backend
        self._host = host
        self._pace = pace
        self._certificates = certificates
        self._lock = threading.Lock()
        self._groups: dict[str, TargetGroupSettings] = {}
        self._listeners: dict[str, ListenerSettings] = {}
        self._opened: dict[str, dict[str, Any]] = {}

    def attached(self) -> list[Attached]:
        """Every target group that a listener forwards to, with the listener."""
        with self._lock:
            listeners = dict(self._listeners)
        return [
            Attached(listener=arn, target_group=group)
            for arn, settings in listeners.items()
            for group in referenced_groups(settings)
        ]

    def is_attached(self, target_group: str) -> bool:
        """Whether any listener forwards to the target group with that ARN."""
        return any(each.target_group == target_group for each in self.attached())

    def has_port(self, port: str, *, balancer: str = "", listener: str = "") -> bool:
        """Whether another listener of a load balancer has the port.

        Args:
            port: Of a listener that is about to be made or changed.
            balancer: The load balancer's ARN; the listener's own if left out.
            listener: The ARN of the listener that changes.
        """
        for each in self._backend().load_balancers.values():
            if each.arn == balancer or listener in each.listeners:
                others = (o for arn, o in each.listeners.items() if arn != listener)
                return any(str(other.port) == port for other in others)
        return False

    def refresh(self) -> dict[str, str]:
        """Bring the data plane to what moto now says.

        Returns:
            DNS names that moto invented, each with the one to tell instead.

        Raises:
            MirrorError: A listener cannot be opened; moto has forgotten it again, or
                what was changed of it.
        """
        with self._lock:
            backend = self._backend()
            self._put_groups(backend)
            self._put_listeners(backend)
            self._remove_groups(backend)
            return self._rename(backend)

    def _put_groups(self, backend: Any) -> None:
        for arn, group in backend.target_groups.items():
            settings = target_group_settings(group, self._pace)
            if self._groups.get(arn) != settings:
                self._plane.put_target_group(settings)
                self._groups[arn] = settings

    def _remove_groups(self, backend: Any) -> None:
        for arn in set(self._groups) - set(backend.target_groups):
            self._plane.remove_target_group(arn)
            del self._groups[arn]

    def _put_listeners(self, backend: Any) -> None:
        found = {
            arn: listener
            for balancer in backend.load_balancers.values()
            for arn, listener in balancer.listeners.items()
        }
        for arn in set(self._listeners) - set(found):
            self._plane.remove_listener(arn)
            del self._listeners[arn], self._opened[arn]
        for arn, listener in found.items():
            try:
                self._put_listener(arn, listener)
            except CertificateNotFoundError as error:
                self._undo(backend, arn, listener)
                raise MirrorError("CertificateNotFound", str(error)) from error
            except (OSError, KeyError, ValueError) as error:
                message = f"the listener on port {listener.port} cannot open: {error}"
                self._undo(backend, arn, listener)
                raise MirrorError("InvalidConfigurationRequest", message) from error

    def _put_listener(self, arn: str, listener: Any) -> None:
        settings = listener_settings(listener, self._presented(listener))
        if self._listeners.get(arn) != settings:
            self._plane.put_listener(settings)
            self._listeners[arn] = settings
        self._opened[arn] = {name: getattr(listener, name) for name in _CHANGEABLE}

    def _presented(self, listener: Any) -> tuple[Certificate, ...]:
        """The certificates of an encrypted listener, the default first."""
        if not Protocol(listener.protocol).is_encrypted:
            return ()
        default = listener.certificate
        more = (arn for arn in listener.certificates or () if arn != default)
        return tuple(map(self._certificates.get, (default, *more)))

    def _undo(self, backend: Any, arn: str, listener: Any) -> None:
        """Take a listener that never opened out of moto; put a changed one back."""
        if arn not in self._listeners:
            backend.delete_listener(arn)
            return
        for name, value in self._opened[arn].items():
            setattr(listener, name, value)

    def _rename(self, backend: Any) -> dict[str, str]:
        renamed = {}
        for balancer in backend.load_balancers.values():
            if balancer.dns_name != self._host:
                renamed[balancer.dns_name] = self._host
                balancer.dns_name = self._host
            balancer.activate()
        return renamed


DRAINING = "deregistration_delay.timeout_seconds"


class UntranslatableError(ValueError):
    """Something configured in ELBv2 that the data plane cannot do."""


def target_group_settings(group: Any, pace: float) -> TargetGroupSettings:
    """A target group of moto's as the data plane wants it.

    Args:
        group: Moto's target group.
        pace: What the health check's interval is multiplied by.
    """
    protocol = Protocol(group.protocol)
    check_protocol = Protocol(group.health_check_protocol or protocol)
    port = str(group.health_check_port)
    matcher = getattr(group, "matcher", None) or {}
    return TargetGroupSettings(
        arn=group.arn,
        name=group.name,
        protocol=protocol,
        deregistration_delay=float(group.attributes[DRAINING]),
        health_check=HealthCheck(
            protocol=check_protocol,
            path=group.health_check_path or "/",
            matcher=str(matcher.get("HttpCode") or "200"),
            interval=float(group.health_check_interval_seconds) * pace,
            timeout=float(group.health_check_timeout_seconds),
            healthy_threshold=int(group.healthy_threshold_count),
            unhealthy_threshold=int(group.unhealthy_threshold_count),
            port=int(port) if port.isdigit() else None,
        ),
    )


def listener_settings(
    found: Any, certificates: Sequence[Certificate]
) -> ListenerSettings:
    """A listener of moto's, with its rules, as the data plane wants it.

    Args:
        found: Moto's listener.
        certificates: What an encrypted listener presents, the default first.

    Raises:
        UntranslatableError: The data plane cannot do what it asks for.
    """
    protocol = Protocol(found.protocol)
    rules = [rule for rule in found.rules.values() if not rule.is_default]
    try:
        return ListenerSettings(
            arn=found.arn,
            protocol=protocol,
            port=int(found.port),
            default_action=_action(found.default_actions),
            rules=tuple(_rule(rule) for rule in rules),
            certificate=certificates[0] if certificates else None,
            more_certificates=tuple(certificates[1:]),
        )
    except ValueError as error:
        raise UntranslatableError(str(error)) from error


def _rule(rule: Any) -> ListenerRule:
    return ListenerRule(
        priority=int(rule.priority),
        conditions=tuple(_condition(condition) for condition in rule.conditions),
        action=_action(rule.actions),
    )


def _action(actions: list[Any]) -> Action:
    data = actions[-1].data
    match data["Type"]:
        case "forward":
            return Forward(weights=forward_weights(data))
        case "fixed-response":
            fixed = data.get("FixedResponseConfig") or {}
            return FixedResponse(
                status=int(fixed["StatusCode"]),
                content_type=fixed.get("ContentType") or "text/plain",
                body=str(fixed.get("MessageBody") or "").encode(),
            )
        case "redirect":
            return _redirect(data["RedirectConfig"])
    raise UntranslatableError(f"the rehearsal has no action of type {data['Type']!r}")


def forward_weights(action: Mapping[str, Any]) -> dict[str, int]:
    """The weights of a forward action, in either of the two forms it may have."""
    config = action.get("ForwardConfig") or {}
    groups = config.get("TargetGroups") or []
    if not groups:
        return {action["TargetGroupArn"]: 1}
    return {group["TargetGroupArn"]: int(group.get("Weight", 1)) for group in groups}


def _redirect(config: Mapping[str, Any]) -> Redirect:
    names = {"Protocol", "Host", "Port", "Path", "Query"}
    given = {name.lower(): str(config[name]) for name in names if config.get(name)}
    status = int(config["StatusCode"].removeprefix("HTTP_"))
    return Redirect(status=status, **given)


def _condition(condition: Mapping[str, Any]) -> Condition:
    field = condition["Field"]
    if field not in get_args(ConditionField):
        raise UntranslatableError(f"the rehearsal has no condition {field!r}")
    config = condition.get(f"{field.title().replace('-', '')}Config") or {}
    values = condition.get("Values") or config.get("Values") or ()
    if field == "query-string":
        pairs = tuple((each.get("Key"), each["Value"]) for each in values)
        return Condition(field=field, parameters=pairs)
    name = config.get("HttpHeaderName", "")
    return Condition(field=field, name=name, values=tuple(values))
