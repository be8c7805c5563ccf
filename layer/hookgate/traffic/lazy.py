"""The traffic tool of a step, which brings libcurl in when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hookgate.context import DeploymentContext, Endpoint
from hookgate.deadline import Deadline

if TYPE_CHECKING:
    from hookgate.http.address import AddressPolicy
    from hookgate.traffic.flight import Target
    from hookgate.traffic.options import Load
    from hookgate.traffic.tally import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class LazyTraffic:
    """Which listeners of a deployment may be loaded, and how.

    Args:
        context: says where the listeners are.
        no_test: why the test listener cannot be asked about the replacement.
        host: the plan's ``target.host``.
        identity: a header and the value that only the replacement gives it.
        examine: looks at what the identity proves, before the first request.
        deadline: bounds every load.
        policy: which addresses may be connected to.
        verify: a file of CA certificates to trust instead of certifi's.
    """

    context: DeploymentContext
    no_test: str
    host: str | None
    identity: tuple[str, str] | None
    examine: Callable[[], None]
    deadline: Deadline
    policy: AddressPolicy
    verify: str | None = None

    def __call__(self, load: Load, settled: Callable[[Result], bool], /) -> Result:
        """Send ``load``.

        Raises:
            CannotMeasure: there is no such listener, or it may not be asked.
            NoAnswer: its name does not resolve.
        """
        from hookgate.traffic.tool import TrafficTool  # noqa: PLC0415 - brings pycurl in

        tool = TrafficTool(
            test=self._target(self.context.test, self.no_test),
            production=self._target(self.context.production, no_blue(self.context)),
            deadline=self.deadline,
        )
        return tool(load, settled)

    def _target(self, endpoint: Endpoint | None, why_not: str) -> Target | str:
        from hookgate.traffic.flight import Target  # noqa: PLC0415 - as above

        if endpoint is None or why_not:
            return why_not
        return Target(
            endpoint=endpoint,
            host=self.host,
            identity=self.identity,
            policy=self.policy,
            verify=self.verify,
            examine=self.examine,
        )


def no_blue(context: DeploymentContext) -> str:
    """Why the production listener is no yardstick, or nothing when it is one."""
    if context.production is None:
        return "the deployment group has no production listener to compare with"
    if context.event.production_listener_serves_green:
        return (
            f"the production listener serves the replacement at {context.event}: there "
            "is no blue to compare with; do so at AfterAllowTestTraffic"
        )
    if context.production == context.test:
        return "test and production are one listener: there is no blue to compare with"
    return ""
