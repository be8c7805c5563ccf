"""The HTTP client of one listener."""

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
class MissingListener:
    """Stands for a listener that does not exist or may not be used."""

    reason: str

    def __call__(self, request: Request) -> Reply:
        """Refuse the request.

        Raises:
            CannotMeasure: always.
        """
        raise CannotMeasure(
            f"{request.method} {request.path}: {self.reason}",
            code=Code.HTTP_NO_LISTENER,
        )


@dataclass(frozen=True)
class ListenerClient:
    """The HTTP client of one listener; every request uses a new connection.

    Args:
        endpoint: the listener; the client connects to nothing else.
        host: the plan's ``target.host``, which may have a port, for the Host header and
            the TLS server name. By default, the host of the listener rule, else the
            name of the load balancer.
        identity: the identity header, and its value in responses of green.
        deadline: bounds every request, beside the request's own timeout.
        policy: which addresses may be connected to.
        verify: a file of CA certificates to trust instead of certifi's.
    """

    endpoint: Endpoint
    _: KW_ONLY
    deadline: Deadline
    host: str | None = None
    identity: tuple[str, str] | None = None
    policy: AddressPolicy
    verify: str | None = None

    def __call__(self, request: Request) -> Reply:
        """Send a request over a new connection, and one for each redirect.

        Raises:
            NoAnswer: refused, reset, too slow, too large or not HTTP.
            NotGreen: another than the replacement task set responded.
            CannotMeasure: no time is left, or the request cannot be sent.
        """
        if self.deadline.expired:
            raise CannotMeasure(
                f"no time left for a request to {self.endpoint.url}", code=Code.NO_TIME
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
        from hookgate.http.client import Transport  # noqa: PLC0415 - imports libcurl, which a plan may not use

        return Transport.to(self.endpoint, host=self.host, verify=self.verify)
