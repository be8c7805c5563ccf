"""The tool ``traffic`` of a step, which imports libcurl when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from typing import TYPE_CHECKING

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure

if TYPE_CHECKING:
    from hookgate.http.address import AddressPolicy
    from hookgate.traffic.options import Load
    from hookgate.traffic.results import LoadResult, StopCondition


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficTool:
    """Sends a load to the test listener and, for a baseline, to production too.

    Args:
        test: the listener that serves the replacement, or why there is none.
        production: the listener that serves the original, or why there is none.
        deadline: limits every load.
        policy: which addresses may be connected to.
        host: the plan's ``target.host``.
        identity: a header and the value that only the replacement sends in it.
        examine: checks what the identity proves, before the first request.
        ca_file: CA certificates to trust instead of certifi's.
    """

    test: Endpoint | str | None
    production: Endpoint | str | None
    deadline: Deadline
    policy: AddressPolicy
    host: str | None = None
    identity: tuple[str, str] | None = None
    examine: Callable[[], None] = lambda: None
    ca_file: str | None = None

    def __call__(self, load: Load, should_stop: StopCondition, /) -> LoadResult:
        """Send ``load`` until every request has ended or the deadline is over.

        Raises:
            CannotMeasure: a listener is missing or cannot be used.
            NoAnswer: its name does not resolve.
        """
        from hookgate.http.exchange import IdentityCheck  # noqa: PLC0415 - few plans
        from hookgate.traffic.generator import (  # noqa: PLC0415 - imports pycurl
            Generator,
            LoadedListener,
            Sockets,
        )
        from hookgate.traffic.in_flight import ResolvedTarget  # noqa: PLC0415 - as above
        from hookgate.traffic.results import (  # noqa: PLC0415 - as above
            ListenerResult,
            LoadResult,
        )

        endpoints = [_endpoint(self.test)]
        if load.baseline:
            endpoints.append(_endpoint(self.production))
        self.examine()
        targets = [ResolvedTarget.of(each, self, load) for each in endpoints]
        sockets = Sockets({address for each in targets for address in each.addresses})
        listeners = []
        for target in targets:
            check = IdentityCheck.of(self.identity, wanted=target is targets[0])
            listeners.append(LoadedListener.of(target, load, check, sockets.open))
        results = [ListenerResult(each.tallies) for each in listeners]
        result = LoadResult(results[0], results[1] if load.baseline else None)
        Generator(
            load=load,
            listeners=tuple(listeners),
            sockets=sockets,
            until=monotonic() + self.deadline.remaining,
            should_stop=should_stop,
            result=result,
        ).run()
        return result


def _endpoint(found: Endpoint | str | None) -> Endpoint:
    if isinstance(found, Endpoint):
        return found
    raise CannotMeasure(f"traffic: {found}", code=Code.HTTP_NO_LISTENER)
