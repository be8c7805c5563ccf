"""Where a validator connects to: a listener, or an address that the plan allows."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Self

from hookgate.codes import Code
from hookgate.context import Endpoint
from hookgate.deadline import Deadline
from hookgate.errors import CannotMeasure, NoAnswer
from hookgate.http.address import (
    AddressPolicy,
    ascii_host,
    demand,
    host_of,
    join_address,
    routed,
)
from hookgate.http.exchange import Exchange, demand_green
from hookgate.http.request import Trust, merged
from hookgate.http.tls import context_of, explain
from hookgate.model import Finding

_PIECE = 16 * 1024


@dataclass(slots=True, kw_only=True)
class Connection:
    """An open connection; close it, or use it in a ``with``.

    ``socket`` may be passed to a library of another protocol. ``name`` is the default
    server name of TLS.
    """

    socket: socket.socket
    place: str
    name: str
    deadline: Deadline

    def send(self, data: bytes) -> None:
        """Send all of ``data``.

        Raises:
            NoAnswer: the other side did not accept it, or not in time.
        """
        with self._bounded("did not accept all data"):
            self.socket.sendall(data)

    def receive(self) -> bytes:
        """Receive at most 16 KiB; empty once the other side has closed the connection.

        Raises:
            NoAnswer: the connection broke, or nothing was received in time.
        """
        with self._bounded("sent no more data"):
            return self.socket.recv(_PIECE)

    def encrypt(
        self, trust: Trust, context: ssl.SSLContext | None = None
    ) -> ssl.SSLSocket:
        """Start TLS.

        Args:
            trust: the TLS settings.
            context: a context to use instead of the one of ``trust``.

        Raises:
            NoAnswer: the handshake failed; the message has the reason.
            CannotMeasure: the client's own certificate cannot be used.
        """
        name = trust.server_name or self.name
        context = context or context_of(trust)
        with self._bounded("did not complete the TLS handshake"):
            try:
                encrypted = context.wrap_socket(self.socket, server_hostname=name)
            except TimeoutError:
                raise
            except OSError as error:
                why = explain(self.place, error)
                raise NoAnswer(why, code=Code.TLS_HANDSHAKE) from error
        self.socket = encrypted
        return encrypted

    def close(self) -> None:
        """Close the connection."""
        self.socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _bounded(self, what: str) -> Iterator[None]:
        """Use the socket until the deadline; ``what`` did not happen by then."""
        try:
            if self.deadline.expired:
                raise TimeoutError  # noqa: TRY301 - as the socket does
            self.socket.settimeout(self.deadline.remaining)
            yield
        except TimeoutError:
            raise NoAnswer(
                f"{self.place} {what} in time", code=Code.CONNECTION_TIMEOUT
            ) from None
        except OSError as error:
            raise NoAnswer(
                f"{self.place} closed the connection: {error.strerror or error}",
                code=Code.CONNECTION_CLOSED,
            ) from None


#: Maximum time to read the routing before and after an attempt, in seconds.
ROUTING = 20.0

BY_ROUTING = (
    "only the listener's routing shows that green responded: this protocol carries no "
    "identity"
)

OUTSIDE = "the check used an address of target.allow, which shows nothing about green"

UNPROVEN = (
    "unproven: pass, nothing shows that the replacement task set gave the responses"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Destination:
    """A listener or address that a validator may connect to, with its identity check.

    Args:
        endpoint: the only address that is connected to.
        deadline: the step's deadline, which bounds every use.
        host: the plan's ``target.host``.
        identity: the identity header, and its value in responses of green.
        routing: raises NotGreen or CannotMeasure unless the listener forwards to the
            replacement alone.
        policy: which addresses may be connected to.
        outside: whether it is an address of ``target.allow`` and not a listener.
    """

    endpoint: Endpoint
    deadline: Deadline
    host: str | None = None
    identity: tuple[str, str] | None = None
    routing: Callable[[], None]
    policy: AddressPolicy
    outside: bool = False

    @property
    def place(self) -> str:
        """Host and port, for messages."""
        return join_address(self.endpoint.address, self.port)

    @property
    def port(self) -> int:
        """The port."""
        return self.endpoint.port

    @property
    def is_encrypted(self) -> bool:
        """Whether the load balancer itself terminates TLS on this listener."""
        return self.endpoint.scheme in {"https", "tls"}

    @property
    def host_name(self) -> str:
        """The host of the plan, else of the listener rule, else the address."""
        return ascii_host(self.host or self.endpoint.host or self.endpoint.address)

    def addresses(self, seconds: float) -> Sequence[str]:
        """The IP addresses, all of which may be connected to.

        Raises:
            NoAnswer: the name does not resolve within ``seconds``.
            CannotMeasure: it resolves to an address that is never connected to.
        """
        return self.policy.resolve(self.endpoint, seconds=seconds)

    def open(self, seconds: float) -> Connection:
        """Connect; ``seconds`` bounds every use of the connection.

        Raises:
            NoAnswer: the connection was refused or timed out.
            CannotMeasure: no time is left, or the address is not allowed.
        """
        if self.deadline.expired:
            raise CannotMeasure(
                f"no time left to connect to {self.place}", code=Code.NO_TIME
            )
        deadline = self.deadline.within(seconds)
        exchange = Exchange(
            endpoint=self.endpoint,
            deadline=deadline,
            limit=deadline.remaining,
            policy=self.policy,
        )
        return Connection(
            socket=exchange.connect(),
            place=self.place,
            name=host_of(self.host_name),
            deadline=deadline,
        )

    def request(
        self, path: str, headers: Mapping[str, str]
    ) -> tuple[str, Mapping[str, str]]:
        """The path and headers of a request that matches the listener rule.

        Raises:
            CannotMeasure: it would match another rule, which may forward to blue.
        """
        endpoint = self.endpoint
        sent = merged({"Host": self.host_name}, endpoint.headers, headers)
        path = routed(path, endpoint.path_prefix, endpoint.conditions)
        demand(endpoint.conditions, f"http://{self.place}{path}", sent)
        return path, sent

    def prove(self, fields: Iterable[tuple[str, str]]) -> None:
        """Check that a response with these headers is from the replacement task set.

        Raises:
            NotGreen: the identity is missing or differs.
        """
        if self.identity is not None:
            demand_green(fields, self.identity)

    def verify_routing(
        self, check: Callable[[], Iterable[Finding]], *, unproven: str
    ) -> Iterator[Finding]:
        """Run a check whose responses have no identity; note what proves the target.

        If the plan has an identity, the listener must forward to green alone, before
        and after the check.

        Args:
            check: runs it.
            unproven: ``pass`` to accept responses of an unknown task set.

        Raises:
            NotGreen: the listener forwards to blue.
            CannotMeasure: where it forwards to is unknown.
        """
        waiver = OUTSIDE if self.outside else ""
        if self.identity is not None and not self.outside:
            waiver = UNPROVEN if unproven == "pass" else BY_ROUTING
        if waiver == BY_ROUTING:
            self.routing()
        first, *others = check()
        if waiver == BY_ROUTING:
            self.routing()
        yield replace(first, waiver="; ".join(filter(None, (waiver, first.waiver))))
        yield from others
