"""Lead a step to what it may connect to, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hookgate.codes import Code
from hookgate.context import DeploymentContext, Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NotGreen
from hookgate.http_probe.address import AddressPolicy, split_address
from hookgate.routing.routes import read_routes
from hookgate.validator import Aws

if TYPE_CHECKING:
    from hookgate.connection.destination import Destination


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """The destinations of one step.

    Args:
        context: holds the listeners and both target groups.
        closed: why a listener, by its name, cannot be asked about the replacement.
        host: the plan's ``target.host``.
        identity: what proves the replacement.
        allow: addresses beside the listeners, as ``host:port``.
        aws: asked where a listener forwards to.
        deadline: the step's.
        policy: which addresses may be connected to.
        examine: is told when a listener is asked, to look for doubts.
    """

    context: DeploymentContext
    closed: dict[str, str]
    host: str | None
    identity: tuple[str, str] | None
    allow: tuple[str, ...]
    aws: Aws
    deadline: Deadline
    policy: AddressPolicy
    examine: Callable[[], None]

    def __call__(self, where: str) -> Destination:
        """The destination called ``test``, ``production`` or ``host:port``.

        Raises:
            CannotMeasure: there is none, or it may not be asked.
        """
        listeners = {"test": self.context.test, "production": self.context.production}
        if where not in listeners:
            return self._outside(where)
        endpoint = listeners[where]
        if endpoint is None or self.closed[where]:
            raise CannotMeasure(self.closed[where], code=Code.HTTP_NO_LISTENER)
        self.examine()
        return _destination(
            endpoint=endpoint,
            deadline=self.deadline,
            policy=self.policy,
            host=self.host,
            identity=self.identity,
            routing=lambda: self._demand_green(endpoint),
        )

    def _outside(self, where: str) -> Destination:
        if where not in self.allow:
            raise CannotMeasure(
                f"{where} is not the load balancer's: add it to target.allow in the "
                "plan, if it may be connected to",
                code=Code.ADDRESS,
            )
        host, port = split_address(where)
        return _destination(
            endpoint=Endpoint(scheme="tcp", address=host, port=port),
            deadline=self.deadline,
            policy=self.policy,
            routing=lambda: None,
            outside=True,
        )

    def _demand_green(self, endpoint: Endpoint) -> None:
        """Demand that new connections go to the replacement's target group alone."""
        green = self.context.green
        if green is None or not endpoint.listener_arn:
            raise CannotMeasure(
                "target.identity is set, but this protocol carries no header, and "
                "without a deployment no routing can be read: nothing shows who "
                "answered. Say unproven: pass, if that is enough",
                code=Code.ROUTING_UNPROVEN,
            )
        own = endpoint.rule_arn or endpoint.listener_arn
        routes = {each.arn: each for each in read_routes(self.aws, endpoint)}
        if own not in routes:
            raise CannotMeasure(
                f"the route {own} of the listener is gone", code=Code.ROUTING_RULE
            )
        if routes[own].serves != {green.target_group.arn}:
            raise NotGreen(
                f"{endpoint.url} does not forward to the replacement's target group "
                f"{green.target_group.name} alone, so the original may have answered",
                code=Code.ROUTING_TARGET,
            )


def _destination(**said: Any) -> Destination:
    from hookgate.connection.destination import Destination  # noqa: PLC0415 - few plans connect to anything but HTTP

    return Destination(**said)
