"""The probe of one listener."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure
from hookgate.http.address import AddressPolicy
from hookgate.http.request import Reply, Request

if TYPE_CHECKING:
    from hookgate.http.client import Transport


@dataclass(frozen=True)
class NoListenerProbe:
    """Stands for a listener that the deployment group does not have."""

    reason: str

    def __call__(self, request: Request) -> Reply:
        """Say that there is nothing to ask.

        Raises:
            CannotMeasure: always.
        """
        raise CannotMeasure(
            f"{request.method} {request.path}: {self.reason}",
            code=Code.HTTP_NO_LISTENER,
        )


@dataclass(frozen=True)
class HttpProbe:
    """Asks one listener; every request is a connection of its own.

    Args:
        endpoint: Where the listener is; nothing else is ever connected to.
        host: The plan's ``target.host``, which may carry a port. It goes into the Host
            header and the TLS server name; without it the listener rule's host does,
            else the load balancer's name.
        identity: A header and the value that only the replacement task set gives it.
        deadline: Bounds every exchange, beside the request's own timeout.
        policy: Which addresses may be connected to.
        verify: A file of CA certificates to trust instead of certifi's.
    """

    endpoint: Endpoint
    _: KW_ONLY
    deadline: Deadline
    host: str | None = None
    identity: tuple[str, str] | None = None
    policy: AddressPolicy
    verify: str | None = None

    def __call__(self, request: Request) -> Reply:
        """Send one request over a fresh connection, and one for each redirect.

        Raises:
            NoAnswer: refused, reset, too slow, too large or not HTTP.
            NotGreen: answered, but not by the replacement task set.
            CannotMeasure: no time is left, or there is nothing that may be asked.
        """
        if self.deadline.expired:
            raise CannotMeasure(
                f"no time left to ask {self.endpoint.url}", code=Code.NO_TIME
            )
        from hookgate.http.client import handle  # noqa: PLC0415 - as below
        from hookgate.http.request import followed  # noqa: PLC0415 - as below
        from hookgate.http.response import demand_green  # noqa: PLC0415 - as below
        from hookgate.http.transfer import Exchange  # noqa: PLC0415 - as below

        deadline = self.deadline.within(request.timeout)
        limit = deadline.remaining
        with handle(cookies=request.follow > 0) as curl:

            def ask(request: Request) -> Reply:
                exchange = Exchange(
                    endpoint=self.endpoint,
                    deadline=deadline,
                    limit=limit,
                    policy=self.policy,
                    ip=request.ip,
                )
                reply = self._transport.send(curl, request, exchange)
                if self.identity is not None:
                    demand_green(reply.fields, self.identity)
                return reply

            return followed(ask, request)

    @cached_property
    def _transport(self) -> Transport:
        from hookgate.http.client import Transport  # noqa: PLC0415 - brings libcurl in, which a plan may not use

        return Transport.to(self.endpoint, host=self.host, verify=self.verify)


__all__ = ["HttpProbe", "NoListenerProbe"]
